//! A WebSocket client that hides nothing: every frame as it came, with opcode and FIN, and the
//! end as what it was. It shares no code with the program.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// What the server did next.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Frame {
        fin: bool,
        op: u8,
        payload: Vec<u8>,
    },
    /// TCP ended between two frames.
    End,
    /// TCP ended inside a frame, after so many of its bytes.
    Torn(usize),
    Reset,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Frame { fin, op, payload } => {
                let text = String::from_utf8_lossy(&payload[..payload.len().min(300)]);
                write!(
                    f,
                    "Frame(fin {fin}, op {op}, {} bytes {text:?})",
                    payload.len()
                )
            }
            Self::End => f.write_str("End"),
            Self::Torn(bytes) => write!(f, "Torn({bytes})"),
            Self::Reset => f.write_str("Reset"),
        }
    }
}

pub(crate) fn text(payload: impl Into<Vec<u8>>) -> Seen {
    Seen::Frame {
        fin: true,
        op: TEXT,
        payload: payload.into(),
    }
}

pub(crate) struct RawClient<S> {
    stream: S,
    buffer: Vec<u8>,
    reset: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawClient<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            reset: false,
        }
    }

    /// Connects to a path and expects 101.
    pub(crate) async fn open(stream: S, path: &str) -> Self {
        let mut client = Self::new(stream);
        client.write(request(path).as_bytes()).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        // Whether the server still listens is seen by reading.
        let _ = self.stream.write_all(bytes).await;
    }

    /// The answer's head.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap();
            }
            assert!(
                self.more().await,
                "ended in the head: {:?}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
    }

    /// The next bytes, whatever they are.
    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count && self.more().await {}
        let count = count.min(self.buffer.len());
        self.buffer.drain(..count).collect()
    }

    /// Everything to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.buffer)
    }

    pub(crate) async fn send(&mut self, op: u8, payload: &[u8]) {
        self.write(&masked(op, payload)).await;
    }

    pub(crate) async fn say(&mut self, message: &str) {
        self.send(TEXT, message.as_bytes()).await;
    }

    /// The next frame or the end. May be given up at any time.
    pub(crate) async fn next(&mut self) -> Seen {
        loop {
            if let Some(frame) = self.take_frame() {
                return frame;
            }
            if !self.more().await {
                return match self.buffer.len() {
                    _ if self.reset => Seen::Reset,
                    0 => Seen::End,
                    bytes => Seen::Torn(bytes),
                };
            }
        }
    }

    /// The next frame that is no ping; pings are answered.
    pub(crate) async fn next_content(&mut self) -> Seen {
        loop {
            match self.next().await {
                Seen::Frame {
                    op: PING, payload, ..
                } => self.send(PONG, &payload).await,
                other => return other,
            }
        }
    }

    /// Content until nothing has come for a while.
    pub(crate) async fn until_quiet(&mut self, quiet: Duration) -> Vec<Seen> {
        let mut seen = Vec::new();
        while let Ok(one) = timeout(quiet, self.next_content()).await {
            let last = !matches!(one, Seen::Frame { .. });
            seen.push(one);
            if last {
                break;
            }
        }
        seen
    }

    async fn more(&mut self) -> bool {
        if let Ok(count) = self.stream.read_buf(&mut self.buffer).await {
            return count > 0;
        }
        self.reset = true;
        false
    }

    fn take_frame(&mut self) -> Option<Seen> {
        let bytes = &self.buffer;
        if bytes.len() < 2 {
            return None;
        }
        assert_eq!(bytes[1] & 0x80, 0, "a server must not mask");
        assert_eq!(bytes[0] & 0x70, 0, "no extension was offered");
        let (head, len) = match bytes[1] {
            126 => (
                4,
                u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().unwrap())),
            ),
            127 => (
                10,
                u64::from_be_bytes(bytes.get(2..10)?.try_into().unwrap()),
            ),
            short => (2, u64::from(short)),
        };
        let len = usize::try_from(len).unwrap();
        if bytes.len() < head + len {
            return None;
        }
        let (fin, op) = (bytes[0] & 0x80 != 0, bytes[0] & 0x0f);
        let payload = bytes[head..head + len].to_vec();
        self.buffer.drain(..head + len);
        Some(Seen::Frame { fin, op, payload })
    }
}

pub(crate) fn request(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:6363\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: Y8JMPxoctg0RdDUcbYOeiQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

pub(crate) fn masked(op: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![0x80 | op];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..65536 => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            bytes.push(0xff);
            bytes.extend(u64::try_from(len).unwrap().to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}
