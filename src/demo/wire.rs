//! WebSocket frames as the platform's server writes and reads them. Our own, since the usual
//! libraries refuse to put invalid UTF-8 into a text frame, which the real server does
//! (protocols.md 1.4, 9.2.4). No sockets here: bytes in, frames out.

use bytes::{Buf, BytesMut};

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    /// A further part of a message.
    Continuation,
    /// A text message, or its first part. Its bytes need not be UTF-8.
    Text,
    /// A binary message, or its first part.
    Binary,
    /// The end, with an optional code.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping.
    Pong,
}

impl Op {
    fn code(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(super) fn of(code: u8) -> Option<Self> {
        [
            Self::Continuation,
            Self::Text,
            Self::Binary,
            Self::Close,
            Self::Ping,
            Self::Pong,
        ]
        .into_iter()
        .find(|op| op.code() == code)
    }

    pub(super) fn is_control(self) -> bool {
        self.code() >= 8
    }
}

/// Appends one frame, unmasked as servers send them.
pub(super) fn frame(out: &mut Vec<u8>, fin: bool, op: Op, payload: &[u8]) {
    out.push(if fin { 0x80 } else { 0 } | op.code());
    let len = payload.len();
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => out.push(short),
        (_, Ok(long)) => {
            out.push(126);
            out.extend_from_slice(&long.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(127);
            out.extend_from_slice(&u64::try_from(len).unwrap_or(u64::MAX).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// Appends one frame as clients send them, under a mask of zeros.
pub(super) fn client_frame(out: &mut Vec<u8>, op: Op, payload: &[u8]) {
    let begin = out.len();
    frame(out, true, op, &[]);
    out.truncate(begin + 1);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short), _) if short < 126 => out.push(0x80 | short),
        (_, Ok(long)) => {
            out.push(0xfe);
            out.extend_from_slice(&long.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(0xff);
            let len = u64::try_from(payload.len()).unwrap_or(u64::MAX);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// Appends a message, in pieces of `piece` bytes if it is longer than that.
pub(super) fn message(out: &mut Vec<u8>, op: Op, payload: &[u8], piece: Option<usize>) {
    let piece = piece.unwrap_or(usize::MAX).max(1);
    if payload.len() <= piece {
        return frame(out, true, op, payload);
    }
    let last = payload.len().div_ceil(piece) - 1;
    for (index, part) in payload.chunks(piece).enumerate() {
        let op = if index == 0 { op } else { Op::Continuation };
        frame(out, index == last, op, part);
    }
}

/// The payload of a close frame.
pub(super) fn close_code(code: u16) -> [u8; 2] {
    code.to_be_bytes()
}

/// What a client sent.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Incoming {
    /// A whole message, put together again.
    Message(Op, Vec<u8>),
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// A close frame with its payload.
    Close(Vec<u8>),
}

/// Why a client's bytes end the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bad {
    /// A message over the limit: close 1009 (protocols.md 1.3).
    TooBig,
    /// A frame that no client may send: close 1002.
    Protocol,
}

impl Bad {
    /// The code of the close frame that says so.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::TooBig => 1009,
            Self::Protocol => 1002,
        }
    }
}

/// The largest message that the demo takes where the real server has no limit.
const UNLIMITED: u64 = 16 << 20;

/// Puts a client's messages together from what the socket gives.
#[derive(Debug)]
pub(super) struct Reader {
    /// Bytes that are not read yet; the socket appends here.
    pub buffer: BytesMut,
    limit: u64,
    /// Whether the other side is a client, who must mask.
    masked: bool,
    open: Option<(Op, Vec<u8>)>,
}

impl Reader {
    /// A reader that begins with `leftover`, the bytes after the request.
    pub(super) fn new(leftover: BytesMut) -> Self {
        Self {
            buffer: leftover,
            limit: UNLIMITED,
            masked: true,
            open: None,
        }
    }

    /// The same for what a server sends.
    pub(super) fn of_server(leftover: BytesMut) -> Self {
        Self {
            masked: false,
            ..Self::new(leftover)
        }
    }

    /// From now on a message may have `limit` bytes.
    pub(super) fn limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The next thing in the buffer; `None` if more bytes are needed.
    pub(super) fn poll(&mut self) -> Result<Option<Incoming>, Bad> {
        loop {
            let open = self.open.as_ref().map_or(0, |(_, body)| body.len());
            let room = self
                .limit
                .saturating_sub(open.try_into().unwrap_or(u64::MAX));
            let Some(frame) = take_frame(&mut self.buffer, room, self.masked)? else {
                return Ok(None);
            };
            if let Some(whole) = self.accept(frame)? {
                return Ok(Some(whole));
            }
        }
    }

    fn accept(&mut self, (fin, op, body): (bool, Op, Vec<u8>)) -> Result<Option<Incoming>, Bad> {
        let (op, body) = match (op, self.open.take()) {
            (Op::Ping, open) => {
                self.open = open;
                return Ok(Some(Incoming::Ping(body)));
            }
            (Op::Pong, open) => {
                self.open = open;
                return Ok(Some(Incoming::Pong));
            }
            (Op::Close, _) => return Ok(Some(Incoming::Close(body))),
            (Op::Text | Op::Binary, None) => (op, body),
            (Op::Continuation, Some((first, mut whole))) => {
                whole.extend_from_slice(&body);
                (first, whole)
            }
            (Op::Text | Op::Binary, Some(_)) | (Op::Continuation, None) => {
                return Err(Bad::Protocol);
            }
        };
        if fin {
            return Ok(Some(Incoming::Message(op, body)));
        }
        self.open = Some((op, body));
        Ok(None)
    }
}

/// Takes one whole frame off the buffer. The length is held against `room` before anything is
/// kept for it.
fn take_frame(
    buffer: &mut BytesMut,
    room: u64,
    mask: bool,
) -> Result<Option<(bool, Op, Vec<u8>)>, Bad> {
    let [first, second, rest @ ..] = buffer.as_ref() else {
        return Ok(None);
    };
    let (fin, reserved, masked) = (first & 0x80 != 0, first & 0x70 != 0, second & 0x80 != 0);
    let op = Op::of(first & 0x0f).ok_or(Bad::Protocol)?;
    let (wide, len) = match second & 0x7f {
        126 => match rest.first_chunk() {
            Some(bytes) => (2, u64::from(u16::from_be_bytes(*bytes))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(bytes) => (8, u64::from_be_bytes(*bytes)),
            None => return Ok(None),
        },
        short => (0, u64::from(short)),
    };
    if reserved || masked != mask || (op.is_control() && (len > 125 || !fin)) {
        return Err(Bad::Protocol);
    }
    if !op.is_control() && len > room {
        return Err(Bad::TooBig);
    }
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let head: usize = 2 + wide;
    let keys = if mask { 4 } else { 0 };
    if buffer.len() < head.saturating_add(keys).saturating_add(len) {
        return Ok(None);
    }
    buffer.advance(head);
    let mask = buffer.split_to(keys);
    let mut body = buffer.split_to(len).to_vec();
    for (byte, key) in body.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
    Ok(Some((fin, op, body)))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{Bad, Incoming, Op, Reader, frame, message};

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![
            first,
            0x80 | u8::try_from(payload.len()).unwrap(),
            1,
            2,
            3,
            4,
        ];
        out.extend(
            payload
                .iter()
                .zip([1, 2, 3, 4].iter().cycle())
                .map(|(b, k)| b ^ k),
        );
        out
    }

    #[test]
    fn lengths_take_their_three_forms() {
        for (len, head) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65535, &[0x81, 126, 0xff, 0xff]),
            (65536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            frame(&mut out, true, Op::Text, &vec![b'x'; len]);
            assert_eq!(out[..head.len()], *head);
            assert_eq!(out.len(), head.len() + len);
        }
    }

    #[test]
    fn pieces_end_with_fin() {
        let mut out = Vec::new();
        message(&mut out, Op::Text, b"abcde", Some(2));
        assert_eq!(out, b"\x01\x02ab\x00\x02cd\x80\x01e");
    }

    #[test]
    fn split_anywhere_the_same_messages_come() {
        let mut bytes = masked(0x01, b"he");
        bytes.extend(masked(0x89, b"!"));
        bytes.extend(masked(0x80, b"llo"));
        bytes.extend(masked(0x88, &[3, 232]));
        for cut in 0..bytes.len() {
            let mut reader = Reader::new(BytesMut::new());
            let mut got = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                reader.buffer.extend_from_slice(part);
                while let Some(incoming) = reader.poll().unwrap() {
                    got.push(incoming);
                }
            }
            assert_eq!(
                got,
                [
                    Incoming::Ping(b"!".to_vec()),
                    Incoming::Message(Op::Text, b"hello".to_vec()),
                    Incoming::Close(vec![3, 232]),
                ],
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn limits_hold_before_the_bytes_come() {
        for (limit, bytes, want) in [
            (512, vec![0x81, 0xfe, 2, 1], Bad::TooBig),
            (
                1 << 20,
                vec![0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0],
                Bad::TooBig,
            ),
            (512, vec![0x81, 0x01], Bad::Protocol),
            (512, vec![0xc1, 0x81], Bad::Protocol),
            (512, vec![0x83, 0x81], Bad::Protocol),
            (512, vec![0x80, 0x80, 0, 0, 0, 0], Bad::Protocol),
            (512, vec![0x89, 0xfe, 1, 0], Bad::Protocol),
        ] {
            let mut reader = Reader::new(BytesMut::from(&bytes[..]));
            reader.limit(limit);
            assert_eq!(reader.poll(), Err(want), "{bytes:?}");
        }
    }

    #[test]
    fn parts_count_together_against_the_limit() {
        let mut bytes = masked(0x01, &[b'x'; 100]);
        bytes.extend(masked(0x80, &[b'x'; 100]));
        let mut reader = Reader::new(BytesMut::from(&bytes[..]));
        reader.limit(199);
        assert_eq!(reader.poll(), Err(Bad::TooBig));
    }
}
