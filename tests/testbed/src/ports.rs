//! Ports for the programs that cannot choose one themselves and say which.

use std::{
    net::{Ipv4Addr, TcpListener},
    ops::Range,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::Error;

/// Below the range from which systems give ports to outgoing connections, which would take one between choosing and using it.
const RANGE: Range<u16> = 20_000..32_000;

/// A port of the loopback address on which nobody listens, given to nobody else in this process. Other processes start
/// elsewhere in the range, but could take it first: its user has to notice.
pub(crate) fn free_port() -> Result<u16, Error> {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let start = process::id().wrapping_mul(97);
    let size = RANGE.end - RANGE.start;
    let mut taken = None;
    for _ in RANGE {
        let number = start.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % u32::from(size);
        let port = RANGE.start + u16::try_from(number).expect("less than the size of the range");
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => taken = Some(error),
        }
    }
    Err(Error::io("no port of the loopback address is free")(
        taken.expect("the range is not empty"),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_port_is_given_twice_or_while_taken() {
        let first = free_port().expect("a port");
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).expect("it is free");
        let others: HashSet<u16> = (0..100).map(|_| free_port().expect("a port")).collect();
        assert_eq!((others.len(), others.contains(&first)), (100, false));
    }
}
