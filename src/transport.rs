//! L2: sockets, and nothing else. Each connection gives and takes [`Packet`]s; limits and
//! deadlines are set here, meaning nowhere.

pub mod dial;
pub mod http;
pub mod opcodes;
pub mod stream;
pub mod ws;
pub mod zmq;

use crate::codec::Packet;
use crate::model::{Fault, FaultKind};

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
    /// How an upgrade was refused, where that can mean several things.
    pub refusal: Option<Refusal>,
}

/// How a server refuses an upgrade without saying so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It answers 200.
    Ok,
    /// It ends the connection without an answer.
    Silence,
}

impl DialError {
    /// An attempt that may work later.
    pub(crate) fn later(what: &str, why: impl Into<String>, next: &str) -> Self {
        Self {
            fault: Fault::new(FaultKind::Unreachable, what, why, next),
            retry: true,
            refusal: None,
        }
    }

    /// An answer that will stay the same.
    pub(crate) fn never(kind: FaultKind, what: &str, why: impl Into<String>, next: &str) -> Self {
        Self {
            fault: Fault::new(kind, what, why, next),
            retry: false,
            refusal: None,
        }
    }

    /// The same, with what the refusal was.
    pub(crate) fn by(self, refusal: Refusal) -> Self {
        let refusal = Some(refusal);
        Self { refusal, ..self }
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
