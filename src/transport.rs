//! L2: sockets, and nothing else. Each connection gives and takes [`Packet`]s; limits and
//! deadlines are set here, meaning nowhere.

pub mod aside;
pub mod dial;
pub mod http;
pub mod opcodes;
pub mod probe;
mod proxy;
mod refusal;
pub mod stream;
mod tls;
pub mod ws;
pub mod zmq;

use std::time::Duration;

use crate::codec::Packet;
use crate::model::{Cause, Fault, FaultKind};

/// The largest message that is taken, in bytes (reliability.md 2.1).
pub const MAX_MESSAGE: usize = 4 << 20;
/// What one read of a socket may bring, in bytes (decision 11).
pub const READ_BUFFER: usize = 128 << 10;

/// A connection that stands. The set is closed, so it is an enum.
#[derive(Debug)]
pub enum Connection {
    /// A WebSocket.
    Ws(Box<ws::WsConn>),
    /// A ZeroMQ SUB socket behind its guard.
    Zmq(Box<zmq::ZmqConn>),
}

impl Connection {
    /// The next packet. May be dropped and called again without losing one.
    pub async fn recv(&mut self) -> Result<Packet, LinkError> {
        match self {
            Self::Ws(conn) => conn.recv().await,
            Self::Zmq(conn) => conn.recv().await,
        }
    }

    /// Sends a packet.
    pub async fn send(&mut self, packet: Packet) -> Result<(), LinkError> {
        match self {
            Self::Ws(conn) => conn.send(packet).await,
            Self::Zmq(_) => Ok(()),
        }
    }

    /// Says goodbye, for 1 s at most, and closes.
    pub async fn close(self) {
        if let Self::Ws(conn) = self {
            conn.close().await;
        }
    }
}

/// Why a connection could not be made.
#[derive(Debug)]
pub struct DialError {
    /// What to tell the user.
    pub fault: Fault,
    /// Whether another attempt may end otherwise.
    pub retry: bool,
    /// How long the server wants to be left alone (`Retry-After`), at most 5 minutes.
    pub after: Option<Duration>,
    /// What stood in the way.
    pub cause: Cause,
}

impl DialError {
    /// An attempt that may work later.
    pub(crate) fn later(what: &str, why: impl Into<String>, next: &str) -> Self {
        Self::of(FaultKind::Unreachable, what, why, next, true)
    }

    /// An answer that will stay the same.
    pub(crate) fn never(kind: FaultKind, what: &str, why: impl Into<String>, next: &str) -> Self {
        Self::of(kind, what, why, next, false)
    }

    fn of(kind: FaultKind, what: &str, why: impl Into<String>, next: &str, retry: bool) -> Self {
        Self {
            fault: Fault::new(kind, what, why, next),
            retry,
            after: None,
            cause: Cause::Other,
        }
    }

    /// The same, with what stood in the way.
    #[must_use]
    pub(crate) fn because(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }
}

/// Why a connection ended, or what it has to say.
#[derive(Clone, Debug)]
pub enum LinkError {
    /// The peer ended it, as servers of this platform do: without a close frame, mostly.
    Ended(String),
    /// It broke on the way: a reset, an error of the network, a peer that takes nothing.
    Cut(String),
    /// The peer broke the protocol or a limit; doing so again is an answer.
    Broken(String),
    /// A message was too long to be taken: it is missing, and the connection is of no more use.
    Missing(String),
    /// It goes on; something is to be told.
    Notice(String),
}

impl LinkError {
    /// What it says.
    pub fn words(self) -> String {
        match self {
            Self::Ended(why)
            | Self::Cut(why)
            | Self::Broken(why)
            | Self::Missing(why)
            | Self::Notice(why) => why,
        }
    }
}
