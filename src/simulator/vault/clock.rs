//! The PAM's clock and the identifiers it makes.

use std::fmt::Write as _;

use jiff::{Timestamp, tz};

/// A PAM's clock in a zone of its own. Its texts carry no zone (contract 2.3), and no two are the same: changes in one second
/// are spread over the following ones.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last_second: i64,
}

impl Clock {
    /// The next text, `YYYY-MM-DD HH:MM:SS`.
    pub(crate) fn stamp(&mut self) -> String {
        self.last_second = Timestamp::now().as_second().max(self.last_second + 1);
        let time = Timestamp::from_second(self.last_second).expect("now is far from the ends of the calendar");
        time.to_zoned(tz::offset(-3).to_time_zone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string()
    }
}

/// A fresh identifier as the PAM makes them: a UUID of version 7.
pub(crate) fn fresh_identifier() -> String {
    let millisecond = u128::try_from(Timestamp::now().as_millisecond()).expect("now is after 1970");
    let random = rand::random::<u128>();
    let version_and_variant = (0x7 << 76) | (0b10 << 62);
    let random_bits = random & ((0xfff << 64) | ((1 << 62) - 1));
    let uuid = (millisecond << 80) | version_and_variant | random_bits;
    let hex = format!("{uuid:032x}");
    let mut text = String::with_capacity(36);
    for (position, part) in [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]]
        .into_iter()
        .enumerate()
    {
        let separator = if position == 0 { "" } else { "-" };
        write!(text, "{separator}{part}").expect("a String takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successive_changes_have_ascending_and_different_texts() {
        let mut clock = Clock::default();
        let stamps: Vec<String> = (0..100).map(|_| clock.stamp()).collect();
        assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]), "{stamps:?}");
        assert_eq!(stamps[0].len(), "2024-05-03 16:19:53".len());
    }

    #[test]
    fn identifiers_look_like_the_ones_of_the_documents() {
        let identifier = fresh_identifier();
        let lengths: Vec<usize> = identifier.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(identifier.as_bytes()[14], b'7', "{identifier}");
        assert_ne!(identifier, fresh_identifier());
    }
}
