//! How shell servers read a client's messages: all of each, or, as the platform's and `GoTTY` 2
//! do, what one read of a small buffer gives. The rest is lost without a word (protocols.md
//! 9.1.1), and so it is here: the same buffer over the same stream.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::demo::wire::{Bad, Op};

/// The servers' read buffer.
const BUFFER: usize = 1024;
/// The largest message that is taken where the real server has no limit.
const UNLIMITED: usize = 16 << 20;

/// What a client sent.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Message {
    /// A message, or what was read of it.
    Content(Op, Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Vec<u8>),
}

/// Why there is no further message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// The client is gone.
    Gone,
    /// It broke a rule of WebSocket.
    Bad(Bad),
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// A frame's head.
struct Head {
    fin: bool,
    op: Op,
}

/// The reading side of a connection.
#[derive(Debug)]
pub(super) struct Intake<R> {
    stream: R,
    /// At most [`BUFFER`] bytes.
    buffer: BytesMut,
    /// What is left of the frame that was begun.
    remaining: usize,
    mask: [u8; 4],
    at: usize,
    /// Whether the last frame of content ended its message.
    fin: bool,
    /// The parts of a message that is read whole.
    open: Option<(Op, Vec<u8>)>,
    /// Bytes of content passed over, and messages that no single read can hold.
    losses: (u64, u64),
}

impl<R: AsyncRead + Unpin> Intake<R> {
    /// `leftover` came with the request.
    pub(super) fn new(stream: R, leftover: BytesMut) -> Self {
        Self {
            stream,
            buffer: leftover,
            remaining: 0,
            mask: [0; 4],
            at: 0,
            fin: true,
            open: None,
            losses: (0, 0),
        }
    }

    /// Bytes that were lost and messages that were too long since this was last asked.
    pub(super) fn take_losses(&mut self) -> (u64, u64) {
        std::mem::take(&mut self.losses)
    }

    /// The next message, whole.
    pub(super) async fn whole(&mut self) -> Result<Message, Stop> {
        loop {
            let head = self.head().await?;
            if let Some(control) = self.control(&head).await? {
                return Ok(control);
            }
            let (op, mut body) = match self.open.take() {
                Some(open) => open,
                None => (head.op, Vec::new()),
            };
            while self.remaining > 0 {
                let part = self.read(8 << 10).await?;
                body.extend_from_slice(&part);
                if body.len() > UNLIMITED {
                    return Err(Stop::Bad(Bad::TooBig));
                }
            }
            if head.fin {
                return Ok(Message::Content(op, body));
            }
            self.open = Some((op, body));
        }
    }

    /// What one read gives of the next text message. Binary ones and further parts are passed
    /// over.
    pub(super) async fn once(&mut self) -> Result<Message, Stop> {
        loop {
            let mut head = self.head().await?;
            if let Some(control) = self.control(&head).await? {
                return Ok(control);
            }
            if head.op != Op::Text {
                continue;
            }
            // An empty part is read through.
            while self.remaining == 0 && !head.fin {
                head = self.head().await?;
                if let Some(control) = self.control(&head).await? {
                    return Ok(control);
                }
            }
            // A head of 8 bytes comes before so long a body.
            self.losses.1 += u64::from(self.remaining > BUFFER - 8);
            let body = self.read(BUFFER).await?;
            return Ok(Message::Content(Op::Text, body));
        }
    }

    /// How many frames of text with this first byte lie whole in the buffer.
    pub(super) async fn waiting(&mut self, first: u8) -> usize {
        let read = self.fill();
        // One look without waiting: what has come has come.
        tokio::select! {
            biased;
            _ = read => {}
            () = std::future::ready(()) => {}
        }
        let (mut rest, mut count) = (self.buffer.as_ref(), 0);
        while let [0x81, len @ 0x80..0xfe, a, _, _, _, tail @ ..] = rest {
            let len = usize::from(len & 0x7f);
            let Some(body) = tail.get(..len) else { break };
            count += usize::from(body.first().is_some_and(|byte| byte ^ a == first));
            rest = tail.get(len..).unwrap_or(&[]);
        }
        count
    }

    /// Takes what the client still says, and forgets it, until it goes or the buffers of a
    /// system are full: a real server that is done reads nothing at all.
    pub(super) async fn ignore(&mut self) {
        let mut bytes = [0; BUFFER];
        let mut room: usize = 256 << 10;
        while let Ok(count @ 1..) = self.stream.read(&mut bytes).await {
            room = room.saturating_sub(count);
            if room == 0 {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Passes over the rest of the last frame and reads the next one's head.
    async fn head(&mut self) -> Result<Head, Stop> {
        while self.remaining > 0 {
            self.losses.0 += self.read(8 << 10).await?.len() as u64;
        }
        self.peek(2).await?;
        let (first, second) = (self.buffer.get_u8(), self.buffer.get_u8());
        let op = Op::of(first & 0x0f).ok_or(Stop::Bad(Bad::Protocol))?;
        let fin = first & 0x80 != 0;
        let wide = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        self.peek(wide + 4).await?;
        let len = match wide {
            2 => u64::from(self.buffer.get_u16()),
            8 => self.buffer.get_u64(),
            _ => u64::from(second & 0x7f),
        };
        self.buffer.copy_to_slice(&mut self.mask);
        self.at = 0;
        let bad = first & 0x70 != 0
            || second & 0x80 == 0
            || (op.is_control() && (len > 125 || !fin))
            || (op == Op::Continuation && self.fin)
            || (matches!(op, Op::Text | Op::Binary) && !self.fin);
        if bad {
            return Err(Stop::Bad(Bad::Protocol));
        }
        self.remaining = usize::try_from(len).map_err(|_| Stop::Bad(Bad::TooBig))?;
        if !op.is_control() {
            self.fin = fin;
        }
        Ok(Head { fin, op })
    }

    async fn control(&mut self, head: &Head) -> Result<Option<Message>, Stop> {
        if !head.op.is_control() {
            return Ok(None);
        }
        self.peek(self.remaining).await?;
        let body = self.read(BUFFER).await?;
        Ok(Some(match head.op {
            Op::Ping => Message::Ping(body),
            Op::Close => Message::Close(body),
            _ => Message::Pong,
        }))
    }

    /// One read of the frame, of at most so many bytes: what is buffered, else what one read of
    /// the stream gives, past the buffer if that is smaller than what is wanted.
    async fn read(&mut self, most: usize) -> Result<Vec<u8>, Stop> {
        let want = most.min(self.remaining);
        let mut body = if want == 0 {
            Vec::new()
        } else if self.buffer.is_empty() && want >= BUFFER {
            let mut body = vec![0; want];
            let count = self.stream.read(&mut body).await?;
            body.truncate(count);
            body
        } else {
            if self.buffer.is_empty() {
                self.fill().await?;
            }
            self.buffer.split_to(want.min(self.buffer.len())).to_vec()
        };
        if body.is_empty() && want > 0 {
            return Err(Stop::Gone);
        }
        self.remaining -= body.len();
        for (byte, key) in body.iter_mut().zip(self.mask.iter().cycle().skip(self.at)) {
            *byte ^= key;
        }
        self.at = (self.at + body.len()) % 4;
        Ok(body)
    }

    async fn peek(&mut self, count: usize) -> Result<(), Stop> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        Ok(())
    }

    /// One read of the stream into what is free of the buffer.
    async fn fill(&mut self) -> Result<(), Stop> {
        let mut bytes = [0; BUFFER];
        let free = BUFFER.saturating_sub(self.buffer.len());
        let count = match bytes.get_mut(..free) {
            Some(room) if free > 0 => self.stream.read(room).await?,
            _ => return Ok(()),
        };
        if count == 0 {
            return Err(Stop::Gone);
        }
        self.buffer
            .extend_from_slice(bytes.get(..count).unwrap_or(&[]));
        Ok(())
    }
}
