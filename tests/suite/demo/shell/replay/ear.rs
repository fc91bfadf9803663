//! Frames put together and held to the rules of each server, and output apart from the rest.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::demo::ShellServer;

use crate::demo::shell::seat::Said;
use crate::raw_client::{CONTINUATION, PING};

/// Text without control sequences and carriage returns.
pub(super) fn plain(output: &[u8]) -> String {
    let mut out = Vec::new();
    let mut rest = output;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail.first()) {
            (0x1b, Some(b'[')) => {
                let end = tail.iter().skip(1).position(u8::is_ascii_alphabetic);
                rest = end.map_or(&[], |end| &tail[end + 2..]);
            }
            (b'\r', _) => {}
            (byte, _) => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How a server cuts its messages, see protocols.md 9.1.2; true of the recording and of us.
pub(super) fn check_frame(server: ShellServer, fin: bool, op: u8, length: usize, about: &str) {
    match server {
        ShellServer::Sorenisanerd => assert!(fin && length <= 1021, "{about}"),
        ShellServer::Ttyd => assert!(fin, "{about}"),
        _ if op == CONTINUATION => assert!(fin && length <= 345, "{about}"),
        _ => assert!(length <= 1024 && (fin || length == 1024), "{about}"),
    }
}

/// Puts frames together, and output apart.
#[derive(Default)]
pub(super) struct Ear {
    pub(super) open: Option<(u8, Vec<u8>)>,
    pub(super) output: Vec<u8>,
    pub(super) others: VecDeque<Said>,
}

impl Ear {
    pub(super) fn hear(
        &mut self,
        server: ShellServer,
        (fin, op, payload): (bool, u8, Vec<u8>),
        about: &str,
    ) {
        if op >= 8 {
            if op != PING {
                self.others.push_back(Said::Control(op, payload));
            }
            return;
        }
        check_frame(server, fin, op, payload.len(), about);
        let (op, body) = match self.open.take() {
            Some((first, mut body)) => {
                assert_eq!(op, CONTINUATION, "{about}");
                body.extend(payload);
                (first, body)
            }
            None => (op, payload),
        };
        if !fin {
            self.open = Some((op, body));
            return;
        }
        let kind = match server {
            ShellServer::Gotty1 | ShellServer::Ttyd => b'0',
            _ => b'1',
        };
        match body.split_first() {
            Some((first, raw)) if *first == kind && server == ShellServer::Ttyd => {
                self.output.extend_from_slice(raw);
            }
            Some((first, base64)) if *first == kind => {
                self.output.extend(STANDARD.decode(base64).unwrap());
            }
            _ => self.others.push_back(Said::Message(op, body)),
        }
    }
}
