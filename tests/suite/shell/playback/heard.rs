//! What a client says, and the rules that it keeps: one whole, masked frame a message, never
//! empty, never too long, nothing but the first message before the server has spoken, and one
//! message at a time where more would be lost.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::demo::ShellServer as Server;

use super::recording::{size, types};
use crate::raw_client::{BINARY, CLOSE, PING, PONG, TEXT};

/// What the program sent.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) server: Server,
    pub(super) request: String,
    pub(super) hello: Option<Vec<u8>>,
    pub(super) input: Vec<u8>,
    pub(super) sizes: Vec<(u16, u16)>,
    /// Payloads of its pongs.
    pub(super) pongs: Vec<Vec<u8>>,
    /// Pings of its own that wait for an answer.
    pub(super) unanswered: usize,
    /// A message is out whose ping has no answer yet.
    pub(super) flying: bool,
    /// Pings get no answer.
    pub(super) mute: bool,
    /// The server has said something.
    pub(super) spoken: bool,
    pub(super) closed: bool,
    pub(super) gone: bool,
    base64: bool,
}

impl Heard {
    pub(super) fn new(server: Server, request: String) -> Self {
        Self {
            server,
            request,
            hello: None,
            input: Vec::new(),
            sizes: Vec::new(),
            pongs: Vec::new(),
            unanswered: 0,
            flying: false,
            mute: false,
            spoken: false,
            closed: false,
            gone: false,
            base64: false,
        }
    }

    /// Another message may come: to some servers one at a time.
    pub(super) fn landed(&self) -> bool {
        let waits = matches!(self.server, Server::Platform | Server::Gotty2);
        !waits || !self.flying || self.mute
    }

    /// Takes the frames that have come.
    pub(super) fn take(&mut self, buffer: &mut Vec<u8>) {
        while let Some((op, payload)) = frame(buffer) {
            match op {
                PONG => self.pongs.push(payload),
                PING => self.unanswered += 1,
                CLOSE => self.closed = true,
                TEXT | BINARY => self.message(op, payload),
                other => panic!("opcode {other}"),
            }
        }
    }

    fn message(&mut self, op: u8, payload: Vec<u8>) {
        assert!(!self.closed, "after its close frame: {payload:?}");
        if op == TEXT {
            assert!(std::str::from_utf8(&payload).is_ok(), "{payload:?}");
        }
        if self.hello.is_none() {
            self.hello = Some(payload);
            return;
        }
        assert!(self.spoken || self.mute, "too early: {payload:?}");
        assert_eq!(op == BINARY, self.server == Server::Ttyd, "{payload:?}");
        let (kind, body) = payload.split_first().unwrap();
        let (input, ping, resize) = types(self.server);
        if Some(*kind) == ping {
            assert!(body.is_empty(), "{payload:?}");
            self.unanswered += 1;
            return;
        }
        if self.server == Server::Sorenisanerd && payload == b"4base64" {
            assert!(self.input.is_empty() && !self.base64);
            self.base64 = true;
            return;
        }
        assert!(self.landed(), "two at once: {payload:?}");
        // A client that does not keep up has ttyd pause, and go on.
        if self.server == Server::Ttyd && matches!(payload[..], [b'2' | b'3']) {
            return;
        }
        self.flying = true;
        if *kind == input {
            let typed = if self.base64 {
                STANDARD.decode(body).unwrap()
            } else {
                body.to_vec()
            };
            assert!((1..=1000).contains(&typed.len()), "{} bytes", typed.len());
            self.input.extend(typed);
        } else if *kind == resize {
            let size = size(body).unwrap();
            assert!(size.0 > 0 && size.1 > 0, "{size:?}");
            self.sizes.push(size);
        } else {
            panic!("{payload:?}");
        }
    }
}

/// The next frame, if it has come whole.
fn frame(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    if buffer.len() < 2 {
        return None;
    }
    let (first, second) = (buffer[0], buffer[1]);
    assert_eq!(first & 0xf0, 0x80, "one frame a message, nothing reserved");
    assert_eq!(second & 0x80, 0x80, "a client masks");
    let (head, len) = match second & 0x7f {
        126 if buffer.len() < 4 => return None,
        126 => (4, usize::from(u16::from_be_bytes([buffer[2], buffer[3]]))),
        127 => panic!("a long message"),
        len => (2, usize::from(len)),
    };
    assert!(len <= 1024, "{len} bytes in one message");
    if buffer.len() < head + 4 + len {
        return None;
    }
    let mut whole: Vec<u8> = buffer.drain(..head + 4 + len).collect();
    let payload = whole.split_off(head + 4);
    let mask = &whole[head..];
    assert_ne!(mask, [0; 4], "the mask is random");
    let payload = payload.iter().zip(mask.iter().cycle());
    Some((
        first & 0x0f,
        payload.map(|(byte, key)| byte ^ key).collect(),
    ))
}

/// What the client was told to send.
#[derive(Clone, Default, Debug)]
pub(super) struct Takes {
    pub(super) typed: Vec<u8>,
    sizes: Vec<(u16, u16)>,
}

impl Takes {
    /// What of the input can go out: to some servers only whole characters.
    pub(super) fn sendable(&self, server: Server) -> Vec<u8> {
        match server {
            Server::Ttyd | Server::Sorenisanerd => self.typed.clone(),
            _ => {
                let chunks = self.typed.utf8_chunks();
                chunks.flat_map(|chunk| chunk.valid().bytes()).collect()
            }
        }
    }

    /// How many sizes go before this one, if it goes at all: none without extent goes, and none
    /// that it has already. The first is the terminal's own.
    pub(super) fn size(&mut self, size: (u16, u16), first: (u16, u16)) -> Option<usize> {
        let last = self.sizes.last().copied().unwrap_or(first);
        (size.0 > 0 && size.1 > 0 && size != last).then(|| {
            self.sizes.push(size);
            self.sizes.len()
        })
    }
}
