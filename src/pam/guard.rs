//! Limits on an answer that is parsed while it arrives.

use std::io::{self, Read};

use super::envelope::Envelope;

/// The largest listing, in bytes: some 600,000 credentials.
const LISTING_LIMIT: usize = 256 << 20;

/// The longest string of a listing, in bytes as written.
const STRING_LIMIT: usize = 64 << 10;

/// The deepest nesting of arrays and objects.
const DEPTH_LIMIT: usize = 64;

/// Parses a listing. Only complete JSON counts: one that breaks off, or that is followed by anything, is an error.
pub(super) fn parse(reader: impl Read) -> serde_json::Result<Envelope> {
    serde_json::from_reader(io::BufReader::with_capacity(
        64 << 10,
        Guard::new(reader, LISTING_LIMIT),
    ))
}

/// Fails before a hostile answer makes the parser's own buffers large: they hold the current string and the open brackets.
struct Guard<R> {
    reader: R,
    left: usize,
    depth: usize,
    string: Option<StringState>,
}

/// Where the reader is inside a string.
#[derive(Default)]
struct StringState {
    length: usize,
    escaped: bool,
}

impl<R> Guard<R> {
    fn new(reader: R, limit: usize) -> Self {
        Self {
            reader,
            left: limit,
            depth: 0,
            string: None,
        }
    }

    fn see(&mut self, byte: u8) -> io::Result<()> {
        match (&mut self.string, byte) {
            (Some(string), b'"') if !string.escaped => self.string = None,
            (Some(string), _) => {
                string.escaped = byte == b'\\' && !string.escaped;
                string.length += 1;
                if string.length > STRING_LIMIT {
                    return Err(too_large("a string is too long"));
                }
            }
            (None, b'"') => self.string = Some(StringState::default()),
            (None, b'[' | b'{') => {
                self.depth += 1;
                if self.depth > DEPTH_LIMIT {
                    return Err(too_large("nested too deeply"));
                }
            }
            (None, b']' | b'}') => self.depth = self.depth.saturating_sub(1),
            (None, _) => {}
        }
        Ok(())
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.left = self
            .left
            .checked_sub(length)
            .ok_or_else(|| too_large("the answer is too large"))?;
        for byte in &buffer[..length] {
            self.see(*byte)?;
        }
        Ok(length)
    }
}

fn too_large(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_at_the_limit() {
        let read = |limit| io::read_to_string(Guard::new(&b"0123456789"[..], limit));
        assert_eq!(read(10).expect("as large as allowed"), "0123456789");
        assert_eq!(read(9).expect_err("larger").kind(), io::ErrorKind::FileTooLarge);
    }
}
