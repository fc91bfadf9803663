//! One WebSocket connection after its handshake: messages in, messages out, and all the ways in
//! which the switches spoil them. What is said is decided elsewhere.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

use super::cut::Cut;
use super::hub::{Item, Kind};
use super::options::Switches;
use super::truth::{Fate, Origin, Recorder, TruthRecord};
use super::wire::{self, Bad, Incoming, Op, Reader};

/// A message that cannot be written for so long ends the connection (protocols.md 1.3).
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The client closed, left or broke a rule.
    Client,
    /// The server ends it: by a deadline, a switch, or since it has nothing more to say.
    Server,
    /// All connections were cut.
    Cut(Cut),
}

/// One message to be sent.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) kind: Option<Kind>,
    pub(super) number: u64,
    pub(super) origin: Origin,
    pub(super) payload: Bytes,
}

impl Outgoing {
    /// The server's own words.
    pub(super) fn word(payload: impl Into<Bytes>) -> Self {
        Self {
            kind: None,
            number: 0,
            origin: Origin::Server,
            payload: payload.into(),
        }
    }
}

impl From<Item> for Outgoing {
    fn from(item: Item) -> Self {
        Self {
            kind: Some(item.kind),
            number: item.number,
            origin: item.origin,
            payload: item.payload,
        }
    }
}

/// A connection.
pub(super) struct Link<'a, S> {
    pub(super) conn: u64,
    pub(super) stream: &'a mut S,
    pub(super) reader: Reader,
    pub(super) switches: watch::Receiver<Switches>,
    pub(super) cut: watch::Receiver<Cut>,
    pub(super) recorder: Recorder,
    /// Messages with content sent so far.
    pub(super) sent: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<'_, S> {
    /// What the client sends next. May be given up at any time without loss.
    pub(super) async fn recv(&mut self) -> Result<Incoming, End> {
        loop {
            match self.reader.poll() {
                Ok(Some(incoming)) => return Ok(incoming),
                Ok(None) => {}
                Err(bad) => return Err(self.refuse(bad).await),
            }
            // One read takes what one write of the client brought, as the real server's does.
            self.reader.buffer.reserve(4096);
            tokio::select! {
                biased;
                _ = self.cut.changed() => return Err(End::Cut(*self.cut.borrow())),
                read = self.stream.read_buf(&mut self.reader.buffer) => match read {
                    Ok(0) | Err(_) => return Err(End::Client),
                    Ok(_) => {}
                },
            }
        }
    }

    async fn refuse(&mut self, bad: Bad) -> End {
        let mut bytes = Vec::new();
        wire::frame(&mut bytes, true, Op::Close, &wire::close_code(bad.code()));
        // It ends either way.
        let _ = self.write(&bytes).await;
        End::Client
    }

    /// Answers what every WebSocket answers: a ping by a pong, a close by a close, which ends it
    /// (recording `eventlog-pubsub`, its last frames).
    pub(super) async fn answer(&mut self, incoming: &Incoming) -> Result<(), End> {
        let mut bytes = Vec::new();
        match incoming {
            Incoming::Message(..) | Incoming::Pong => return Ok(()),
            Incoming::Ping(body) => wire::frame(&mut bytes, true, Op::Pong, body),
            Incoming::Close(body) => {
                let code = body.get(..2).unwrap_or(&[]);
                wire::frame(&mut bytes, true, Op::Close, code);
            }
        }
        self.write(&bytes).await?;
        match incoming {
            Incoming::Close(_) => Err(End::Client),
            Incoming::Message(..) | Incoming::Ping(_) | Incoming::Pong => Ok(()),
        }
    }

    /// Sends an empty ping, if pings are not switched off.
    pub(super) async fn ping(&mut self) -> Result<(), End> {
        if !self.switches.borrow().pings {
            return Ok(());
        }
        let mut bytes = Vec::new();
        wire::frame(&mut bytes, true, Op::Ping, b"");
        self.write(&bytes).await
    }

    /// Sends messages as text, whatever their bytes, in one write.
    pub(super) async fn send(&mut self, messages: &[Outgoing]) -> Result<(), End> {
        let (end_after, cut_in_frame, fragment) = {
            let switches = self.switches.borrow();
            (switches.end_after, switches.cut_in_frame, switches.fragment)
        };
        let mut bytes = Vec::new();
        let mut records = Vec::new();
        let mut end = None;
        for one in messages {
            let content = one.origin != Origin::Server;
            if content && end_after.is_some_and(|limit| self.sent >= limit) {
                end = Some(End::Server);
                break;
            }
            let start = bytes.len();
            wire::message(&mut bytes, Op::Text, &one.payload, fragment);
            if content && cut_in_frame.is_some_and(|limit| self.sent >= limit) {
                bytes.truncate(start.midpoint(bytes.len()));
                end = Some(End::Server);
                break;
            }
            self.sent += u64::from(content);
            if self.recorder.is_on() {
                records.push(self.record(one));
            }
            if content && end_after.is_some_and(|limit| self.sent >= limit) {
                end = Some(End::Server);
                break;
            }
        }
        // Before the bytes: what a client has, the log has.
        self.recorder.note(records).await;
        self.write(&bytes).await?;
        end.map_or(Ok(()), Err)
    }

    fn record(&self, one: &Outgoing) -> TruthRecord {
        TruthRecord {
            conn: self.conn,
            number: one.number,
            kind: one.kind,
            origin: one.origin,
            fate: Fate::Sent,
            payload: one.payload.clone(),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        tokio::select! {
            biased;
            _ = self.cut.changed() => Err(End::Cut(*self.cut.borrow())),
            wrote = timeout(WRITE_DEADLINE, self.stream.write_all(bytes)) => match wrote {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Client),
                Err(_) => Err(End::Server),
            },
        }
    }

    /// Says nothing more; ends when the client does.
    pub(super) async fn stay_mute(&mut self) -> End {
        loop {
            match self.recv().await {
                Ok(Incoming::Close(_)) => return End::Client,
                Ok(Incoming::Message(..) | Incoming::Ping(_) | Incoming::Pong) => {}
                Err(end) => return end,
            }
        }
    }
}
