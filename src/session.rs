//! L3: the protocols' state machines, without sockets and without a clock. A session is told
//! what came and what time it is; it answers with lines, events, packets to send and the time
//! at which it wants to be woken.
//!
//! A session lives as long as its target and sees every connection of it; `align.rs` lays a
//! replay over what was seen before.

pub mod align;
pub mod backoff;
pub mod event;
pub mod liveness;
pub mod log;
pub mod pod;
pub mod port;
pub mod pubsub;
pub mod replay;
pub mod sequence;
pub mod shell;
pub mod zmq;

mod link;
mod sources;
mod strands;

use crate::codec::target::{FeedSpec, WsFeed};

/// The session of any feed that comes over a connection.
#[derive(Debug)]
pub enum AnySession {
    /// `docker_log`, `event_log`, monitor and mpush.
    Log(log::LogSession),
    /// The pub/sub socket.
    Pubsub(pubsub::PubsubSession),
    /// ZeroMQ.
    Zmq(zmq::ZmqSession),
}

impl AnySession {
    /// The session for a feed; none for standard input and files, which speak no protocol, for
    /// shells, which have one of their own, and for what a platform's REST finds.
    /// `key` is a random one, see [`align::print`].
    pub fn new(feed: &FeedSpec, key: u64) -> Option<Self> {
        match feed {
            FeedSpec::Ws(spec) => Some(match &spec.feed {
                WsFeed::Pubsub(channels) => Self::Pubsub(pubsub::PubsubSession::new(channels, key)),
                WsFeed::DockerLog(_)
                | WsFeed::EventLog(_)
                | WsFeed::Monitor(_)
                | WsFeed::Mpush(_) => Self::Log(log::LogSession::new(&spec.feed, key)),
            }),
            FeedSpec::Zmq(spec) => Some(Self::Zmq(zmq::ZmqSession::new(spec))),
            FeedSpec::Stdin
            | FeedSpec::File(_)
            | FeedSpec::Shell(_)
            | FeedSpec::Cast(..)
            | FeedSpec::Name(_)
            | FeedSpec::Component(_)
            | FeedSpec::Events(_) => None,
        }
    }

    fn port(&mut self) -> &mut dyn port::Session {
        match self {
            Self::Log(session) => session,
            Self::Pubsub(session) => session,
            Self::Zmq(session) => session,
        }
    }
}

impl port::Session for AnySession {
    fn handle(&mut self, now: port::Now, input: port::Input<'_>, out: &mut port::Outbox) {
        self.port().handle(now, input, out);
    }

    fn poll_transmit(&mut self) -> Option<crate::codec::Packet> {
        self.port().poll_transmit()
    }

    fn poll_history(&mut self) -> Option<port::Wanted> {
        self.port().poll_history()
    }

    fn poll_timeout(&self) -> Option<std::time::Instant> {
        match self {
            Self::Log(session) => session.poll_timeout(),
            Self::Pubsub(session) => session.poll_timeout(),
            Self::Zmq(session) => session.poll_timeout(),
        }
    }
}
