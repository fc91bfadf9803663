//! The server that plays a connection: it answers the upgrade, waits for the first message, and
//! writes what was recorded.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::recording::{Frame, LIMIT, Recorded};
use crate::raw_client::{CLOSE, CONTINUATION, PING, PONG, TEXT};

const PATIENCE: Duration = Duration::from_secs(60);

/// How the frames are put on the wire; to the program all must be the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner {
    /// As recorded: frames of the same moment in one write, pongs awaited.
    Recorded,
    /// All in one write.
    Glued,
    /// Three bytes a write.
    Sliced,
    /// Every message in fragments of seven bytes with pings between them.
    Fragmented,
}

pub(super) const MANNERS: [Manner; 4] = [
    Manner::Recorded,
    Manner::Glued,
    Manner::Sliced,
    Manner::Fragmented,
];

pub(crate) fn encoded(frame: &Frame) -> Vec<u8> {
    let mut bytes = vec![u8::from(frame.fin) << 7 | frame.op];
    match frame.payload.len() {
        len @ 0..126 => bytes.push(u8::try_from(len).unwrap()),
        len @ 126..65536 => {
            bytes.push(126);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            bytes.push(127);
            bytes.extend(u64::try_from(len).unwrap().to_be_bytes());
        }
    }
    bytes.extend(&frame.payload);
    bytes
}

/// A whole message on the wire.
pub(crate) fn message(op: u8, payload: &[u8]) -> Vec<u8> {
    encoded(&Frame {
        fin: true,
        op,
        payload: payload.to_vec(),
        batched: false,
    })
}

pub(super) fn fragmented(frame: &Frame) -> Vec<Frame> {
    if frame.op >= CLOSE || frame.payload.len() < 2 {
        return vec![frame.clone()];
    }
    // A long message in too many pieces is a test of the machine.
    let size = 7.max(frame.payload.len() / 500);
    let count = frame.payload.len().div_ceil(size);
    let mut frames = Vec::new();
    for (number, piece) in frame.payload.chunks(size).enumerate() {
        frames.push(Frame {
            fin: frame.fin && number + 1 == count,
            op: if number == 0 { frame.op } else { CONTINUATION },
            payload: piece.to_vec(),
            batched: true,
        });
        if number == 0 {
            frames.push(Frame {
                fin: true,
                op: PING,
                payload: b"between".to_vec(),
                batched: true,
            });
        }
    }
    frames
}

/// The writes of one play; after those that are marked, a pong is waited for.
pub(super) fn writes(frames: &[Frame], manner: Manner) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let mut writes: Vec<(Vec<u8>, Option<Vec<u8>>)> = Vec::new();
    match manner {
        Manner::Recorded => {
            for frame in frames {
                let pong = (frame.op == PING).then(|| frame.payload.clone());
                match writes.last_mut() {
                    Some((bytes, None)) if frame.batched => {
                        bytes.extend(encoded(frame));
                        writes.last_mut().unwrap().1 = pong;
                    }
                    _ => writes.push((encoded(frame), pong)),
                }
            }
        }
        Manner::Glued => writes.push((frames.iter().flat_map(encoded).collect(), None)),
        Manner::Sliced => {
            let bytes: Vec<u8> = frames.iter().flat_map(encoded).collect();
            // Of a long recording only the beginning, so that it stays a test of the program.
            let (start, rest) = bytes.split_at(bytes.len().min(9000));
            writes.extend(start.chunks(3).map(|piece| (piece.to_vec(), None)));
            writes.extend(rest.chunks(1021).map(|piece| (piece.to_vec(), None)));
        }
        Manner::Fragmented => {
            let all = frames.iter().flat_map(fragmented);
            writes.push((all.flat_map(|frame| encoded(&frame)).collect(), None));
        }
    }
    // When this one is answered, everything has been read.
    let end = Frame {
        fin: true,
        op: PING,
        payload: b"end".to_vec(),
        batched: false,
    };
    writes.push((encoded(&end), Some(end.payload)));
    writes
}

/// What the program sent.
#[derive(Default, Debug)]
pub(super) struct Heard {
    pub(super) request: String,
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) pongs: Vec<Vec<u8>>,
    pub(super) gone: bool,
}

pub(super) struct Player {
    stream: TcpStream,
    buffer: Vec<u8>,
    heard: Heard,
}

impl Player {
    async fn more(&mut self) {
        match timeout(PATIENCE, self.stream.read_buf(&mut self.buffer))
            .await
            .unwrap()
        {
            Ok(0) | Err(_) => self.heard.gone = true,
            Ok(_) => {}
        }
    }

    async fn upgrade(&mut self) {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await;
            assert!(!self.heard.gone, "the client left before its request");
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        self.heard.request = String::from_utf8(head).unwrap();
        let header = |name: &str| {
            let mut lines = self.heard.request.lines();
            lines.find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_owned())
            })
        };
        assert_eq!(header("Sec-WebSocket-Version").as_deref(), Some("13"));
        assert_eq!(header("Sec-WebSocket-Extensions"), None);
        assert_eq!(header("Sec-WebSocket-Protocol"), None);
        let accept = derive_accept_key(header("Sec-WebSocket-Key").unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        self.stream.write_all(answer.as_bytes()).await.unwrap();
    }

    /// Takes the frames that have come; each is whole, masked and short.
    fn take(&mut self) {
        while self.buffer.len() >= 2 {
            let (first, second) = (self.buffer[0], self.buffer[1]);
            assert_eq!(first & 0xf0, 0x80, "one frame a message, nothing reserved");
            assert_eq!(second & 0x80, 0x80, "a client masks");
            let (head, len) = match second & 0x7f {
                126 if self.buffer.len() < 4 => return,
                126 => (
                    4,
                    usize::from(u16::from_be_bytes([self.buffer[2], self.buffer[3]])),
                ),
                127 => panic!("over {LIMIT} bytes"),
                len => (2, usize::from(len)),
            };
            assert!(len <= LIMIT, "{len} bytes in one message");
            if self.buffer.len() < head + 4 + len {
                return;
            }
            let mut frame: Vec<u8> = self.buffer.drain(..head + 4 + len).collect();
            let payload = frame.split_off(head + 4);
            let mask = &frame[head..];
            assert_ne!(mask, [0; 4], "the mask is random");
            let payload = payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, key)| byte ^ key)
                .collect();
            match first & 0x0f {
                TEXT => self.heard.messages.push(payload),
                PONG => self.heard.pongs.push(payload),
                CLOSE => self.heard.gone = true,
                PING => {}
                other => panic!("opcode {other}"),
            }
        }
    }

    async fn until(&mut self, enough: impl Fn(&Heard) -> bool) {
        loop {
            self.take();
            if enough(&self.heard) || self.heard.gone {
                return;
            }
            self.more().await;
        }
    }
}

/// Plays one connection to one client, and ends it as the recorded server does: bare.
pub(super) async fn play(listener: TcpListener, recorded: Recorded, manner: Manner) -> Heard {
    let (stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    stream.set_nodelay(true).unwrap();
    let mut player = Player {
        stream,
        buffer: Vec::new(),
        heard: Heard::default(),
    };
    player.upgrade().await;
    let hello = recorded.asked.len();
    player.until(|heard| heard.messages.len() >= hello).await;
    for (bytes, pong) in writes(&recorded.frames, manner) {
        // The client of an event leaves at its last step.
        if player.heard.gone || player.stream.write_all(&bytes).await.is_err() {
            break;
        }
        if let Some(pong) = pong {
            let before = player.heard.pongs.len();
            player
                .until(|heard| heard.pongs[before..].contains(&pong))
                .await;
        }
    }
    drop(player.stream.shutdown().await);
    while player
        .stream
        .read_buf(&mut player.buffer)
        .await
        .unwrap_or(0)
        > 0
    {
        player.take();
    }
    player.take();
    player.heard
}
