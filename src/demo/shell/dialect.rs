//! The first bytes of messages (protocols.md 6.1), and messages as each server frames them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Server;
use crate::demo::wire::{self, Op};

/// Servers in Go cut messages here, in the middle of base64 (protocols.md 9.1.2).
const PIECE: usize = 1024;

/// The numbers of a server, and how it frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    pub(super) input: u8,
    pub(super) resize: u8,
    /// Asks for, and is, a pong.
    pub(super) ping: Option<u8>,
    pub(super) output: u8,
    pub(super) title: u8,
    pub(super) prefs: u8,
    pub(super) reconnect: u8,
    /// Bytes of the shell's that one message carries at most.
    pub(super) chunk: usize,
    binary: bool,
    piece: Option<usize>,
}

/// `GoTTY` until 1.0.1, platform A.
const V1: Dialect = Dialect {
    input: b'0',
    resize: b'2',
    ping: Some(b'1'),
    output: b'0',
    title: b'2',
    prefs: b'3',
    reconnect: b'4',
    chunk: 1024,
    binary: false,
    piece: Some(PIECE),
};

/// `GoTTY` from 2.0 on, platform B.
const V2: Dialect = Dialect {
    input: b'1',
    resize: b'3',
    ping: Some(b'2'),
    output: b'1',
    title: b'3',
    prefs: b'4',
    reconnect: b'5',
    ..V1
};

impl Dialect {
    /// What a server speaks; `v1` is the platform's age.
    pub(super) fn of(server: Server, v1: bool) -> Self {
        match server {
            Server::Platform if v1 => V1,
            Server::Gotty1 => V1,
            Server::Platform | Server::Gotty2 => V2,
            // 765 bytes are 1020 of base64: with the type byte under its buffer of 1024.
            Server::Sorenisanerd => Dialect {
                chunk: 765,
                piece: None,
                ..V2
            },
            Server::Ttyd => Dialect {
                resize: b'1',
                ping: None,
                title: b'1',
                prefs: b'2',
                reconnect: b'3',
                chunk: 64 << 10,
                binary: true,
                piece: None,
                ..V1
            },
        }
    }

    /// Whether this is the newer numbering.
    pub(super) fn is_v2(self) -> bool {
        self.input == V2.input
    }

    /// Whether output goes without base64.
    pub(super) fn is_binary(self) -> bool {
        self.binary
    }

    /// Appends a message of this type; `piece` cuts it smaller than the server does.
    pub(super) fn message(self, out: &mut Vec<u8>, kind: u8, body: &[u8], piece: Option<usize>) {
        let op = if self.binary { Op::Binary } else { Op::Text };
        let whole = [&[kind], body].concat();
        wire::message(out, op, &whole, piece.or(self.piece));
    }

    /// Appends a message of the shell's output.
    pub(super) fn output(self, out: &mut Vec<u8>, raw: &[u8], piece: Option<usize>) {
        if self.binary {
            self.message(out, self.output, raw, piece);
        } else {
            self.message(out, self.output, STANDARD.encode(raw).as_bytes(), piece);
        }
    }
}
