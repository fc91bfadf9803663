//! A stream below the WebSocket library that turns incoming text frames into binary ones:
//! `/docker_log` sends invalid UTF-8 in text frames, and tungstenite ends a connection on that
//! (protocols.md 9.2 no. 4, decision 9). The opcode of each message is kept beside it.
//! Fragments keep their FIN bits, control frames and payloads pass untouched.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

/// What a data message was before it was turned into a binary one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opcode {
    /// Opcode 1.
    Text,
    /// Opcode 2.
    Binary,
}

/// Where in the byte stream we are.
#[derive(Debug)]
enum Place {
    /// Inside the HTTP head; the bytes of `\r\n\r\n` seen so far, and the status line's start.
    Head { matched: usize, line: Vec<u8> },
    /// Inside a frame's header.
    Header { held: [u8; 14], have: usize },
    /// Inside a payload.
    Payload { left: u64 },
    /// The answer was no upgrade: its body is left alone.
    Foreign,
}

/// Follows the frames of one direction and changes opcodes in place.
#[derive(Debug)]
pub struct Walker {
    place: Place,
    opcodes: VecDeque<Opcode>,
    /// The frame is a close frame.
    closes: bool,
    /// Its code, as far as it has come.
    code: Vec<u8>,
}

impl Default for Walker {
    fn default() -> Self {
        Self {
            place: Place::Head {
                matched: 0,
                line: Vec::with_capacity(12),
            },
            opcodes: VecDeque::new(),
            closes: false,
            code: Vec::new(),
        }
    }
}

impl Walker {
    /// The opcode of the oldest message that was not asked for yet.
    pub fn next_opcode(&mut self) -> Option<Opcode> {
        self.opcodes.pop_front()
    }

    /// The code of the close frame, as it stood on the wire.
    pub fn close_code(&self) -> Option<u16> {
        let code: [u8; 2] = self.code.as_slice().try_into().ok()?;
        Some(u16::from_be_bytes(code))
    }

    /// Walks over `bytes`, as they came from the peer.
    pub fn walk(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let used = match &mut self.place {
                Place::Head { matched, line } => {
                    let (used, place) = head(matched, line, bytes);
                    self.place = place;
                    used
                }
                Place::Header { held, have } => {
                    if *have == 0
                        && let Some(first) = bytes.first_mut()
                    {
                        note_opcode(first, &mut self.opcodes);
                        self.closes = *first & 0x0f == CLOSE;
                    }
                    let (used, left) = header(held, have, bytes);
                    if let Some(left) = left {
                        self.place = Place::Payload { left };
                    }
                    used
                }
                Place::Payload { left } => {
                    let used = usize::try_from(*left)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    *left -= used as u64;
                    if self.closes {
                        let room = 2_usize.saturating_sub(self.code.len());
                        self.code.extend(bytes.iter().take(used.min(room)));
                    }
                    if *left == 0 {
                        self.place = Place::Header {
                            held: [0; 14],
                            have: 0,
                        };
                    }
                    used
                }
                Place::Foreign => return,
            };
            bytes = bytes.get_mut(used..).unwrap_or(&mut []);
        }
    }
}

/// Looks for the end of the HTTP head. The answer is the bytes used, and the place after it.
fn head(matched: &mut usize, line: &mut Vec<u8>, bytes: &[u8]) -> (usize, Place) {
    for (index, byte) in bytes.iter().enumerate() {
        if line.len() < 12 {
            line.push(*byte);
        }
        let wanted = if (*matched).is_multiple_of(2) {
            b'\r'
        } else {
            b'\n'
        };
        *matched = if *byte == wanted {
            *matched + 1
        } else {
            usize::from(*byte == b'\r')
        };
        if *matched == 4 {
            let upgraded = line.ends_with(b" 101");
            let place = if upgraded {
                Place::Header {
                    held: [0; 14],
                    have: 0,
                }
            } else {
                Place::Foreign
            };
            return (index + 1, place);
        }
    }
    let place = Place::Head {
        matched: *matched,
        line: std::mem::take(line),
    };
    (bytes.len(), place)
}

fn note_opcode(first: &mut u8, opcodes: &mut VecDeque<Opcode>) {
    match *first & 0x0f {
        TEXT => {
            *first = *first & 0xf0 | BINARY;
            opcodes.push_back(Opcode::Text);
        }
        BINARY => opcodes.push_back(Opcode::Binary),
        _ => {}
    }
}

/// Collects a header. The answer is the bytes used, and the payload's length once it is whole.
fn header(held: &mut [u8; 14], have: &mut usize, bytes: &[u8]) -> (usize, Option<u64>) {
    let mut used = 0;
    while *have < needed(held, *have) {
        let (Some(byte), Some(slot)) = (bytes.get(used), held.get_mut(*have)) else {
            return (used, None);
        };
        *slot = *byte;
        *have += 1;
        used += 1;
    }
    let [_, second, extended @ .., _, _, _, _] = *held;
    let [first, next, ..] = extended;
    let length = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes([first, next])),
        127 => u64::from_be_bytes(extended),
        short => u64::from(short),
    };
    if length == 0 {
        // An empty payload ends at once; the next byte is a header again.
        *have = 0;
        *held = [0; 14];
        return (used, None);
    }
    (used, Some(length))
}

/// The length of the header that `held` begins, as far as it can be told from `have` bytes.
fn needed(held: &[u8; 14], have: usize) -> usize {
    let [_, second, ..] = *held;
    if have < 2 {
        return 2;
    }
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 != 0 { 4 } else { 0 }
}

/// A stream whose incoming text frames are turned into binary ones.
#[derive(Debug)]
pub struct Detexted<S> {
    inner: S,
    walker: Walker,
}

impl<S> Detexted<S> {
    /// A stream at whose start the HTTP answer is expected.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            walker: Walker::default(),
        }
    }

    /// The opcode of the oldest message that was not asked for yet.
    pub fn next_opcode(&mut self) -> Option<Opcode> {
        self.walker.next_opcode()
    }

    /// The code of the close frame, as it stood on the wire.
    pub fn close_code(&self) -> Option<u16> {
        self.walker.close_code()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Detexted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let this = &mut *self;
        let polled = Pin::new(&mut this.inner).poll_read(cx, buf);
        if let Some(fresh) = buf.filled_mut().get_mut(before..) {
            this.walker.walk(fresh);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Detexted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..126 => bytes.push(u8::try_from(short).unwrap()),
            medium @ 126..65536 => {
                bytes.push(126);
                bytes.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
            }
            long => {
                bytes.push(127);
                bytes.extend_from_slice(&(long as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(payload);
        bytes
    }

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n";

    #[test]
    fn text_becomes_binary_and_everything_else_stays_from_every_split() {
        // Text, a fragmented text, a ping between its parts, binary, close, and lengths of all
        // three encodings; the payloads hold what looks like headers.
        let frames: Vec<(u8, Vec<u8>)> = vec![
            (0x81, b"\x81\x01".to_vec()),
            (0x01, vec![0x81; 130]),
            (0x89, b"\x81".to_vec()),
            (0x80, vec![]),
            (0x82, b"bin".to_vec()),
            (0x81, vec![]),
            (0x81, vec![0x81; 70_000]),
            (0x88, b"\x03\xe8".to_vec()),
        ];
        let mut sent = HEAD.to_vec();
        let mut want = HEAD.to_vec();
        for (first, payload) in &frames {
            sent.extend(frame(*first, payload));
            let changed = if first & 0x0f == TEXT {
                first & 0xf0 | BINARY
            } else {
                *first
            };
            want.extend(frame(changed, payload));
        }
        let opcodes = [
            Opcode::Text,
            Opcode::Text,
            Opcode::Binary,
            Opcode::Text,
            Opcode::Text,
        ];
        let splits: Vec<usize> = (0..400).chain(sent.len() - 20..sent.len()).collect();
        for at in splits {
            let mut walker = Walker::default();
            let mut bytes = sent.clone();
            let (one, two) = bytes.split_at_mut(at);
            walker.walk(one);
            walker.walk(two);
            assert!(bytes == want, "split at {at}");
            assert_eq!(walker.opcodes, opcodes, "split at {at}");
            assert_eq!(walker.close_code(), Some(1000), "split at {at}");
        }
        let mut walker = Walker::default();
        let mut bytes = sent.clone();
        for byte in bytes.chunks_mut(1) {
            walker.walk(byte);
        }
        assert!(bytes == want, "byte by byte");
    }

    #[test]
    fn an_answer_that_is_no_upgrade_is_left_alone() {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\nqqq\x81\x01".to_vec();
        let want = bytes.clone();
        Walker::default().walk(&mut bytes);
        assert_eq!(bytes, want);
    }

    #[test]
    fn a_masked_frame_keeps_the_walk_in_step() {
        let mut bytes = HEAD.to_vec();
        bytes.extend(b"\x81\x81abcdx");
        bytes.extend(frame(0x81, b"y"));
        let mut walker = Walker::default();
        walker.walk(&mut bytes);
        assert_eq!(walker.opcodes, [Opcode::Text, Opcode::Text]);
    }
}
