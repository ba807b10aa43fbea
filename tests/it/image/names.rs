//! A name server that knows one name, for programs that find it in `/etc/resolv.conf`: port 53 of an address of this machine.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// The name that leads to 127.0.0.1.
pub const NAME: &str = "apiserver.test";

/// The type of questions for IPv4 addresses.
const A: [u8; 2] = [0, 1];

/// A running name server; it ends with the process.
pub struct NameServer {
    address: Ipv4Addr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// Starts one. Port 53 takes root.
    pub fn start() -> Self {
        let mut addresses = (1..=254).map(|last| Ipv4Addr::new(127, 53, 0, last));
        let found = addresses.find_map(|address| Some((address, UdpSocket::bind((address, 53)).ok()?)));
        let (address, socket) = found.expect("port 53 of an address of this machine");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut buffer) {
                let Some(answer) = answer(&buffer[..length]) else {
                    continue;
                };
                count.fetch_add(1, Ordering::Relaxed);
                if socket.send_to(&answer, asker).is_err() {
                    return;
                }
            }
        });
        Self { address, asked }
    }

    /// Where it listens.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// How many questions it has answered.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

/// The answer to a query for [`NAME`]: its one address of version 4, none of version 6; to another name, that it does not exist.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let question = query.get(12..)?;
    let end = question.iter().position(|byte| *byte == 0)? + 5;
    let question = question.get(..end)?;
    let labels = NAME.split('.');
    let name: Vec<u8> = labels
        .flat_map(|label| [&[u8::try_from(label.len()).expect("short")], label.as_bytes()].concat())
        .chain([0])
        .collect();
    let known = question.starts_with(&name);
    let address = known && question[name.len()..].starts_with(&A);
    let mut answer = query[..2].to_vec();
    // An authoritative answer to one question, recursion as it was asked for.
    answer.extend([0x84 | (query[2] & 1), if known { 0x80 } else { 0x83 }]);
    answer.extend([0, 1, 0, u8::from(address), 0, 0, 0, 0]);
    answer.extend(question);
    if address {
        // The name of the question, type A, class IN, 1 s, 4 bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
