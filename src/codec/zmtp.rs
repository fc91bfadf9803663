//! What the guard in front of the `zeromq` crate knows of ZMTP 3: greeting, READY and frames,
//! checked before the crate sees a byte.
//!
//! The crate (0.7.0) has no limit on a frame's length and aborts the process on one hostile
//! header, and none on the parts of a message (reliability.md 3.1, rows 1 and 2). When a
//! release of it has such limits, this file and the guard can go (decision 5).

use crate::say;
use crate::word;

use std::fmt;

/// The largest frame, and the largest message, in bytes.
pub const MAX_FRAME: u64 = 4 << 20;
/// The most parts of one message; no layout of the platform has more than three.
pub const MAX_PARTS: u32 = 16;
/// The largest command, in bytes; READY is under 100.
const MAX_COMMAND: u64 = 4096;
const GREETING: usize = 64;

/// What a peer did that ends the connection.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum ZmtpFault {
    /// The first byte is no ZMTP signature.
    NotZmtp(String),
    /// An older protocol than ours.
    Version(u8),
    /// A security mechanism other than NULL.
    Mechanism(String),
    /// The handshake's command is broken or says something else.
    Handshake(String),
    /// It publishes nothing.
    SocketType(String),
    /// A frame over [`MAX_FRAME`].
    FrameTooLong(u64),
    /// A message over [`MAX_PARTS`].
    TooManyParts,
    /// Flag bits that no version defines.
    Flags(u8),
}

impl fmt::Display for ZmtpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::NotZmtp(bytes) => say!(
                "it does not speak ZeroMQ: its first bytes are {bytes}",
                "对方不是 ZeroMQ：开头的字节是 {bytes}"
            ),
            Self::Version(version) => say!(
                "it speaks ZMTP {version}, and only version 3 is understood",
                "对方使用 ZMTP {version}，而这里只支持第 3 版"
            ),
            Self::Mechanism(name) => say!(
                "it wants the security mechanism {name}, and only NULL is spoken",
                "对方要求安全机制 {name}，而这里只支持 NULL"
            ),
            Self::Handshake(why) => {
                say!("its handshake is broken: {why}", "对方的握手有误：{why}")
            }
            Self::SocketType(kind) => say!(
                "it is a {kind} socket and publishes nothing",
                "对方是 {kind} 套接字，不发布消息"
            ),
            Self::FrameTooLong(bytes) => say!(
                "it announced a frame of {bytes} bytes, over the limit of 4 MiB",
                "对方声明了 {bytes} 字节的帧，超过 4 MiB 的上限"
            ),
            Self::TooManyParts => say!(
                "it sent a message of more than 16 parts",
                "对方发来超过 16 段的消息"
            ),
            Self::Flags(flags) => say!(
                "it sent a frame with the undefined flags {flags:#04x}",
                "对方发来的帧带有未定义的标志 {flags:#04x}"
            ),
        })
    }
}

impl std::error::Error for ZmtpFault {}

#[derive(Debug)]
enum State {
    Greeting,
    Header,
    Command { left: usize },
    Payload { left: u64 },
}

/// Checks the bytes that a peer sends. Feed it what came; it passes on what is sound.
#[derive(Debug)]
pub struct Checker {
    state: State,
    held: Vec<u8>,
    ready: bool,
    parts: u32,
    message: u64,
}

impl Default for Checker {
    fn default() -> Self {
        Self {
            state: State::Greeting,
            held: Vec::with_capacity(GREETING),
            ready: false,
            parts: 0,
            message: 0,
        }
    }
}

impl Checker {
    /// Whether greeting and READY have passed.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Checks `bytes` and appends to `out` what may be passed on. Nothing is passed on of a
    /// frame whose header is at fault, nor of commands that the crate does not know.
    pub fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ZmtpFault> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Greeting => self.greeting(bytes, out)?,
                State::Header => self.header(bytes, out)?,
                State::Command { left } => self.command(bytes, left, out)?,
                State::Payload { left } => {
                    let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let (now, rest) = bytes.split_at(take);
                    out.extend_from_slice(now);
                    let left = left - take as u64;
                    self.state = if left == 0 {
                        State::Header
                    } else {
                        State::Payload { left }
                    };
                    rest
                }
            };
        }
        Ok(())
    }

    fn greeting<'b>(&mut self, bytes: &'b [u8], out: &mut Vec<u8>) -> Result<&'b [u8], ZmtpFault> {
        let rest = self.hold(bytes, GREETING);
        check_greeting(&self.held)?;
        if self.held.len() == GREETING {
            out.append(&mut self.held);
            self.state = State::Header;
        }
        Ok(rest)
    }

    fn header<'b>(&mut self, bytes: &'b [u8], out: &mut Vec<u8>) -> Result<&'b [u8], ZmtpFault> {
        let flags = self.held.first().or(bytes.first()).copied().unwrap_or(0);
        if flags & !0b111 != 0 {
            return Err(ZmtpFault::Flags(flags));
        }
        let (more, long, command) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
        let size = if long { 9 } else { 2 };
        let rest = self.hold(bytes, size);
        if self.held.len() < size {
            return Ok(rest);
        }
        let length = self
            .held
            .iter()
            .skip(1)
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        if command {
            if length > MAX_COMMAND {
                return Err(ZmtpFault::FrameTooLong(length));
            }
            if more {
                return Err(ZmtpFault::Flags(flags));
            }
            self.state = State::Command {
                left: usize::try_from(length).unwrap_or(0),
            };
            if length == 0 {
                return Err(ZmtpFault::Handshake(
                    word!("an empty command", "空命令").into(),
                ));
            }
            return Ok(rest);
        }
        if !self.ready {
            return Err(ZmtpFault::Handshake(
                word!("a message before READY", "READY 之前就有消息").into(),
            ));
        }
        self.count(length, more)?;
        out.append(&mut self.held);
        self.state = if length == 0 {
            State::Header
        } else {
            State::Payload { left: length }
        };
        Ok(rest)
    }

    fn count(&mut self, length: u64, more: bool) -> Result<(), ZmtpFault> {
        self.parts += 1;
        self.message = self.message.saturating_add(length);
        if self.message > MAX_FRAME {
            return Err(ZmtpFault::FrameTooLong(self.message));
        }
        if self.parts > MAX_PARTS {
            return Err(ZmtpFault::TooManyParts);
        }
        if !more {
            self.parts = 0;
            self.message = 0;
        }
        Ok(())
    }

    /// Commands are held whole: READY is checked and passed on, others are left out, since the
    /// crate drops the link on a PING (reliability.md 3.1 row 8).
    fn command<'b>(
        &mut self,
        bytes: &'b [u8],
        left: usize,
        out: &mut Vec<u8>,
    ) -> Result<&'b [u8], ZmtpFault> {
        let take = left.min(bytes.len());
        let (now, rest) = bytes.split_at(take);
        self.held.extend_from_slice(now);
        if take < left {
            self.state = State::Command { left: left - take };
            return Ok(rest);
        }
        let header = if self.held.first().is_some_and(|flags| flags & 2 != 0) {
            9
        } else {
            2
        };
        let body = self.held.get(header..).unwrap_or(&[]);
        match command_name(body) {
            Some((b"READY", properties)) if !self.ready => {
                check_ready(properties)?;
                self.ready = true;
                out.append(&mut self.held);
            }
            Some((b"ERROR", reason)) => {
                let reason = reason.get(1..).unwrap_or(&[]);
                return Err(ZmtpFault::Handshake(printable(reason)));
            }
            Some((name, _)) if !self.ready => {
                return Err(ZmtpFault::Handshake(say!(
                    "{} instead of READY",
                    "收到的是 {} 而不是 READY",
                    printable(name)
                )));
            }
            Some(_) => self.held.clear(),
            None => {
                return Err(ZmtpFault::Handshake(
                    word!("a command without a name", "命令没有名称").into(),
                ));
            }
        }
        self.state = State::Header;
        Ok(rest)
    }

    fn hold<'b>(&mut self, bytes: &'b [u8], upto: usize) -> &'b [u8] {
        let take = upto.saturating_sub(self.held.len()).min(bytes.len());
        let (now, rest) = bytes.split_at(take);
        self.held.extend_from_slice(now);
        rest
    }
}

/// Checks as much of a greeting as is there.
fn check_greeting(held: &[u8]) -> Result<(), ZmtpFault> {
    let at = |index: usize| held.get(index).copied();
    if at(0).is_some_and(|byte| byte != 0xff) || at(9).is_some_and(|byte| byte & 1 == 0) {
        return Err(ZmtpFault::NotZmtp(printable(held)));
    }
    if let Some(version) = at(10).filter(|version| *version < 3) {
        return Err(ZmtpFault::Version(version));
    }
    if let Some(mechanism) = held.get(12..32) {
        let name = mechanism.split(|byte| *byte == 0).next().unwrap_or(&[]);
        if name != b"NULL" {
            return Err(ZmtpFault::Mechanism(printable(name)));
        }
    }
    Ok(())
}

fn command_name(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first()?;
    rest.split_at_checked(usize::from(*length))
        .filter(|(name, _)| !name.is_empty())
}

/// Walks READY's properties; each must end inside the command, and the socket must publish.
fn check_ready(mut properties: &[u8]) -> Result<(), ZmtpFault> {
    let broken =
        || ZmtpFault::Handshake(word!("a property runs past its end", "属性超出其边界").into());
    let mut publishes = false;
    while !properties.is_empty() {
        let (name, rest) = command_name(properties).ok_or_else(broken)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(broken)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (value, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
        if name.eq_ignore_ascii_case(b"Socket-Type") {
            if !matches!(value, b"PUB" | b"XPUB") {
                return Err(ZmtpFault::SocketType(printable(value)));
            }
            publishes = true;
        }
        properties = rest;
    }
    if publishes {
        Ok(())
    } else {
        Err(ZmtpFault::Handshake(
            word!("READY names no socket type", "READY 未指明套接字类型").into(),
        ))
    }
}

/// The first bytes of what came, for messages.
fn printable(bytes: &[u8]) -> String {
    let head = bytes.get(..24).unwrap_or(bytes);
    format!("\"{}\"", head.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(version: u8, mechanism: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, version, 0];
        bytes.extend_from_slice(mechanism);
        bytes.resize(64, 0);
        bytes
    }

    fn ready(socket: &[u8]) -> Vec<u8> {
        let mut body = b"\x05READY\x0bSocket-Type".to_vec();
        body.extend_from_slice(&u32::try_from(socket.len()).unwrap().to_be_bytes());
        body.extend_from_slice(socket);
        let mut bytes = vec![4, u8::try_from(body.len()).unwrap()];
        bytes.extend_from_slice(&body);
        bytes
    }

    fn opened() -> Vec<u8> {
        [greeting(3, b"NULL"), ready(b"PUB")].concat()
    }

    fn run(bytes: &[u8]) -> (Result<(), ZmtpFault>, Vec<u8>) {
        let (mut checker, mut out) = (Checker::default(), Vec::new());
        (checker.feed(bytes, &mut out), out)
    }

    #[test]
    fn sound_bytes_pass_unchanged_from_every_split() {
        let mut bytes = opened();
        bytes.extend_from_slice(b"\x01\x05topic\x00\x02hi\x00\x00\x02\0\0\0\0\0\0\x01\x2c");
        bytes.extend_from_slice(&[7; 300]);
        assert_eq!(run(&bytes), (Ok(()), bytes.clone()));
        for at in 0..bytes.len() {
            let (mut checker, mut out) = (Checker::default(), Vec::new());
            checker.feed(&bytes[..at], &mut out).unwrap();
            checker.feed(&bytes[at..], &mut out).unwrap();
            assert_eq!(out, bytes, "split at {at}");
            assert!(checker.is_ready());
        }
    }

    #[test]
    fn hostile_headers_never_pass() {
        let frame = |flags: u8, length: u64| {
            let mut bytes = opened();
            bytes.push(flags);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes
        };
        for length in [MAX_FRAME + 1, 1 << 31, 1 << 40, 1 << 62, 1 << 63, u64::MAX] {
            let (result, out) = run(&frame(2, length));
            assert_eq!(result, Err(ZmtpFault::FrameTooLong(length)));
            assert_eq!(out, opened(), "no byte of the header passes");
        }
        assert_eq!(run(&frame(2, MAX_FRAME)).0, Ok(()));
        assert_eq!(run(&frame(0x82, 1)).0, Err(ZmtpFault::Flags(0x82)));
        let endless = [opened(), b"\x01\x01x".repeat(17)].concat();
        assert_eq!(run(&endless).0, Err(ZmtpFault::TooManyParts));
        let big_parts = [frame(3, MAX_FRAME), vec![0; 4 << 20], vec![1, 1]].concat();
        assert_eq!(
            run(&big_parts).0,
            Err(ZmtpFault::FrameTooLong(MAX_FRAME + 1))
        );
    }

    #[test]
    fn bad_greetings_and_handshakes_are_named() {
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (
                b"HTTP/1.1 400 Bad Request\r\n".to_vec(),
                "does not speak ZeroMQ",
            ),
            (b"\x16\x03\x01".to_vec(), "does not speak ZeroMQ"),
            (greeting(1, b"NULL"), "ZMTP 1"),
            (greeting(2, b"NULL"), "ZMTP 2"),
            (greeting(3, b"PLAIN"), "PLAIN"),
            (greeting(3, b"CURVE"), "CURVE"),
            (greeting(3, b"\xff\xfe"), "mechanism"),
            ([greeting(3, b"NULL"), ready(b"PULL")].concat(), "PULL"),
            (
                [greeting(3, b"NULL"), vec![0, 1, 7]].concat(),
                "before READY",
            ),
            ([greeting(3, b"NULL"), vec![4, 0]].concat(), "empty command"),
            (
                [greeting(3, b"NULL"), vec![4, 1, 9]].concat(),
                "without a name",
            ),
            (
                [greeting(3, b"NULL"), b"\x04\x06\x05READY".to_vec()].concat(),
                "names no socket type",
            ),
            (
                [greeting(3, b"NULL"), b"\x04\x08\x05READY\x0bS".to_vec()].concat(),
                "runs past its end",
            ),
            (
                [
                    greeting(3, b"NULL"),
                    b"\x04\x16\x05READY\x0bSocket-Type\xff\xff\xff\xff".to_vec(),
                ]
                .concat(),
                "runs past its end",
            ),
            (
                [greeting(3, b"NULL"), b"\x04\x0b\x05ERROR\x04oops".to_vec()].concat(),
                "oops",
            ),
            (
                [greeting(3, b"NULL"), vec![6, 0, 0, 0, 0, 0, 0, 0x20, 0]].concat(),
                "frame of 8192 bytes",
            ),
        ];
        for (bytes, want) in cases {
            let (result, _) = run(&bytes);
            let text = result.expect_err(want).to_string();
            assert!(text.contains(want), "{text} should say {want}");
        }
        assert_eq!(run(&greeting(3, b"NULL")[..11]).0, Ok(()));
    }

    #[test]
    fn commands_after_the_handshake_are_left_out() {
        let mut bytes = opened();
        bytes.extend_from_slice(b"\x04\x07\x04PING\x00\x10");
        bytes.extend_from_slice(b"\x00\x02hi");
        assert_eq!(
            run(&bytes),
            (Ok(()), [opened(), b"\x00\x02hi".to_vec()].concat())
        );
    }
}
