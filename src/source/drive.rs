//! The one loop: connection × session × orders × outlet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use crate::clock;
use crate::codec::Packet;
use crate::codec::target::{FeedSpec, Target};
use crate::model::way::Way;
use crate::model::{Certainty, EndReason, Fault, FaultKind, LinkState, Mark, RawBatch};
use crate::session::AnySession;
use crate::session::backoff::{Backoff, Pace};
use crate::session::liveness::{Liveness, Pulse};
use crate::session::port::{FeedEvent, Input, Now, Outbox, Session};
use crate::text::SafeText;
use crate::transport::ws::{Upgrade, WsConn};
use crate::transport::zmq::ZmqConn;
use crate::transport::{Connection, DialError, LinkError};
use crate::word;

use super::archive::Archive;
use super::{Command, Outlet, Policy};

/// A batch is handed on at this weight, in bytes, even if the socket has more (decision 10).
const BATCH: usize = 256 << 10;
/// A peer that broke the protocol this often in a row is given up (reliability.md 2.3).
const BREACHES: u32 = 3;
/// A drained replay takes no longer than this (decision 2).
const DRAIN: Duration = Duration::from_secs(10);

/// What to do when there is no link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reconnect {
    /// One attempt at first; after a success, for ever (decision 6).
    Auto,
    /// Not at all.
    Never,
    /// So often an outage.
    Times(u32),
    /// For ever, from the start: a pane waits for its server.
    Patient,
}

/// How one connection ended.
enum Close {
    Stopped,
    End(EndReason),
    Lost { why: String, broken: bool },
}

struct Driver<B> {
    /// The target as it was typed, for faults.
    name: String,
    feed: FeedSpec,
    way: Arc<Way>,
    policy: Policy,
    orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
    session: AnySession,
    /// Where longer histories are read, if anywhere, and the one that is being read.
    archive: Option<Archive>,
    reading: JoinSet<Option<Vec<String>>>,
    out: Outbox,
    /// The replay of the present connection is over.
    live: bool,
    stopping: Option<Instant>,
    lines: u64,
}

/// Runs a target to its end. Longer histories are in `archive`, or beside its WebSocket.
pub async fn run<B>(
    target: Target,
    (policy, archive): (Policy, Option<Archive>),
    orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
) {
    let Target {
        text: name,
        feed,
        way,
        ..
    } = target;
    let Some(session) = AnySession::new(&feed, policy.seed) else {
        return;
    };
    let archive = archive.or_else(|| Archive::beside(&feed, &way));
    let driver = Driver {
        name,
        feed,
        way,
        policy,
        orders,
        outlet,
        session,
        archive,
        reading: JoinSet::new(),
        out: Outbox::default(),
        live: false,
        stopping: None,
        lines: 0,
    };
    driver.run().await;
}

impl<B> Driver<B> {
    async fn run(mut self) {
        let pace = if matches!(self.feed, FeedSpec::Zmq(_)) {
            Pace::ZeroMq
        } else {
            Pace::WebSocket
        };
        let mut backoff = Backoff::new(pace, self.policy.seed);
        let (mut ever, mut breaches) = (false, 0);
        let end = loop {
            self.outlet.state(LinkState::Connecting(
                SafeText::of(word!("connecting", "正在连接")).into_owned(),
            ));
            let dialled = tokio::select! {
                biased;
                () = stop_order(&mut self.orders) => break None,
                dialled = open(&self.feed, &self.way) => dialled,
            };
            let mut after = None;
            let fault = match dialled {
                Err(error) => {
                    if !error.retry {
                        break Some(EndReason::Fault(error.fault));
                    }
                    after = error.after;
                    error.fault
                }
                Ok(connection) => {
                    backoff.opened(clock::now().into_std());
                    ever = true;
                    match self.connection(connection).await {
                        Close::Stopped => break None,
                        Close::End(reason) => break Some(reason),
                        Close::Lost { why, broken } => {
                            breaches = if broken { breaches + 1 } else { 0 };
                            let fault = lost(&self.name, &why, broken);
                            if breaches >= BREACHES {
                                break Some(EndReason::Fault(fault));
                            }
                            if let Some(reason) = self.tell_loss(&why) {
                                break Some(reason);
                            }
                            fault
                        }
                    }
                }
            };
            let now = clock::now().into_std();
            let wait = backoff.failed(now, std::mem::take(&mut self.lines));
            // A server that says when it wants to be asked again is asked then, not sooner.
            let wait = after.map_or(wait, |after| wait.max(after));
            if !self.goes_on(ever, backoff.failures()) {
                break Some(EndReason::Fault(fault));
            }
            let why = SafeText::of(&fault.why).into_owned();
            self.outlet.state(LinkState::Waiting {
                retry_in: wait,
                attempt: backoff.failures(),
                why,
            });
            if self.pause(wait).await {
                break None;
            }
        };
        self.tell_end(end.unwrap_or(EndReason::Finished));
        self.outlet.flush().await;
    }

    fn goes_on(&self, ever: bool, failures: u32) -> bool {
        match self.policy.reconnect {
            Reconnect::Auto => ever,
            Reconnect::Never => false,
            Reconnect::Times(most) => failures <= most,
            Reconnect::Patient => true,
        }
    }

    /// Waits for the next attempt. True if the program wants no more.
    async fn pause(&mut self, wait: Duration) -> bool {
        let until = clock::now() + wait;
        loop {
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(Command::Reconnect) => return false,
                    Some(Command::Stop) | None => return true,
                },
                () = self.outlet.make_room(), if self.outlet.is_waiting() => {}
                () = sleep_until(until) => return false,
            }
        }
    }

    /// What a session still holds comes before the end.
    fn tell_end(&mut self, end: EndReason) {
        self.session.handle(now(), Input::Over, &mut self.out);
        let _ = self.hand_on();
        self.outlet.state(LinkState::Ended(end));
    }

    /// The session learns of a loss; its answer may be that this was the end.
    fn tell_loss(&mut self, why: &str) -> Option<EndReason> {
        let why = SafeText::of(why).into_owned();
        self.session.handle(now(), Input::Lost(&why), &mut self.out);
        self.hand_on()
    }

    /// Drives one connection to its end.
    async fn connection(&mut self, mut connection: Connection) -> Close {
        self.live = false;
        let mut pulse = match &connection {
            Connection::Ws(_) => Some(Liveness::new(clock::now().into_std())),
            Connection::Zmq(_) => None,
        };
        self.session.handle(now(), Input::Opened, &mut self.out);
        self.outlet.state(LinkState::Open);
        let close = loop {
            self.read_history();
            if let Some(reason) = self.hand_on() {
                break Close::End(reason);
            }
            if let Some(why) = self.transmit(&mut connection).await {
                break why;
            }
            if self
                .stopping
                .is_some_and(|until| self.live || clock::now().into_std() >= until)
            {
                break Close::Stopped;
            }
            if let Some(pulse) = &mut pulse {
                pulse.pause(self.outlet.must_wait(), clock::now().into_std());
            }
            let wake = self.wake(pulse.as_ref());
            tokio::select! {
                biased;
                order = self.orders.recv(), if self.stopping.is_none() => match order {
                    // A replay must not be left (decision 2), and this connection is new.
                    Some(Command::Reconnect) if !self.live => {}
                    Some(Command::Reconnect) => {
                        break Close::Lost { why: word!("a new connection was asked for", "已要求新建连接").into(), broken: false };
                    }
                    Some(Command::Stop) | None => self.begin_stop(),
                },
                received = connection.recv(), if !self.outlet.must_wait() => {
                    if let Err(close) = self.burst(received, &mut connection, pulse.as_mut()) {
                        break close;
                    }
                }
                Some(read) = self.reading.join_next() => self.history(read.ok().flatten()),
                () = self.outlet.make_room(), if self.outlet.is_waiting() => {}
                () = sleep_until(wake.into()) => {
                    self.session.handle(now(), Input::Timeout, &mut self.out);
                    if let Some(close) = self.beat(&mut connection, pulse.as_mut()).await {
                        break close;
                    }
                }
            }
        };
        self.reading = JoinSet::new();
        // What came before the end is handed on before the end is told.
        let late = self.hand_on();
        connection.close().await;
        match (close, late) {
            (Close::Lost { .. }, Some(reason)) => Close::End(reason),
            (close, _) => close,
        }
    }

    /// Reads a longer history, if one is wanted. Lines come meanwhile.
    fn read_history(&mut self) {
        while let Some(wanted) = self.session.poll_history() {
            match self.archive.clone() {
                Some(archive) => drop(self.reading.spawn(archive.read(wanted))),
                None => self.history(None),
            }
        }
    }

    fn history(&mut self, read: Option<Vec<String>>) {
        if read.is_none() {
            self.archive = None;
        }
        let read = read.unwrap_or_default();
        self.session
            .handle(now(), Input::History(&read), &mut self.out);
    }

    /// The program wants no more than what is held and queued: behind that the connection is only
    /// drained.
    fn begin_stop(&mut self) {
        self.tell_end(EndReason::Finished);
        self.outlet.close();
        self.stopping = Some(clock::now().into_std() + DRAIN);
    }

    fn wake(&self, pulse: Option<&Liveness>) -> Instant {
        let far = clock::now().into_std() + Duration::from_secs(3600);
        let session = self.session.poll_timeout().unwrap_or(far);
        let pulse = pulse.map_or(far, Liveness::deadline);
        session.min(pulse).min(self.stopping.unwrap_or(far))
    }

    /// Takes one packet and everything that is ready behind it, up to a batch.
    fn burst(
        &mut self,
        mut received: Result<Packet, LinkError>,
        connection: &mut Connection,
        mut pulse: Option<&mut Liveness>,
    ) -> Result<(), Close> {
        let now = now();
        loop {
            match received {
                Ok(packet) => self.packet(now, &packet, pulse.as_deref_mut()),
                Err(LinkError::Ended(why) | LinkError::Cut(why)) => {
                    return Err(Close::Lost { why, broken: false });
                }
                Err(LinkError::Broken(why)) => return Err(Close::Lost { why, broken: true }),
                Err(LinkError::Missing(why)) => {
                    self.out
                        .batch
                        .push_mark(Mark::gap(Certainty::Certain, &why));
                    return Err(Close::Lost { why, broken: true });
                }
                Err(LinkError::Notice(text)) => {
                    self.out
                        .batch
                        .push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
                }
            }
            if self.out.batch.weight() >= BATCH || !self.out.events.is_empty() {
                return Ok(());
            }
            match connection.recv().now_or_never() {
                Some(next) => received = next,
                None => return Ok(()),
            }
        }
    }

    fn packet(&mut self, now: Now, packet: &Packet, pulse: Option<&mut Liveness>) {
        match packet {
            Packet::Pong => {
                if pulse.and_then(|pulse| pulse.pong(now.mono)) == Some(Pulse::Revived) {
                    self.outlet.state(if self.live {
                        LinkState::Live
                    } else {
                        LinkState::Open
                    });
                }
            }
            Packet::Ping => {}
            Packet::Text(_) | Packet::Binary(_) | Packet::Parts(_) => {
                self.session
                    .handle(now, Input::Packet(packet), &mut self.out);
            }
        }
    }

    async fn beat(
        &mut self,
        connection: &mut Connection,
        pulse: Option<&mut Liveness>,
    ) -> Option<Close> {
        let pulse = pulse?;
        while let Some(due) = pulse.poll(clock::now().into_std()) {
            match due {
                Pulse::Ping => {
                    if let Err(error) = connection.send(Packet::Ping).await {
                        return Some(close_of(error));
                    }
                }
                Pulse::Stale => self.outlet.state(LinkState::Stale),
                Pulse::Revived => {}
                Pulse::Dead => {
                    let why = word!(
                        "the server has not answered two pings",
                        "服务端未应答两次心跳"
                    )
                    .to_owned();
                    return Some(Close::Lost { why, broken: false });
                }
            }
        }
        None
    }

    async fn transmit(&mut self, connection: &mut Connection) -> Option<Close> {
        while let Some(packet) = self.session.poll_transmit() {
            if let Err(error) = connection.send(packet).await {
                return Some(close_of(error));
            }
        }
        None
    }

    /// Hands lines and events to the program; an end is given back.
    fn hand_on(&mut self) -> Option<EndReason> {
        self.lines += self.out.batch.len() as u64;
        if !self.out.batch.is_empty() {
            let room = RawBatch::like(&self.out.batch);
            let batch = std::mem::replace(&mut self.out.batch, room);
            self.outlet.lines(batch);
        }
        for event in std::mem::take(&mut self.out.events) {
            match event {
                FeedEvent::Replaying => self.outlet.state(LinkState::Replaying),
                FeedEvent::ReplayOver => {
                    self.live = true;
                    self.outlet.state(LinkState::Live);
                }
                FeedEvent::End(reason) => return Some(reason),
            }
        }
        None
    }
}

pub(super) fn now() -> Now {
    Now {
        mono: clock::now().into_std(),
        wall: clock::wall(),
    }
}

fn close_of(error: LinkError) -> Close {
    match error {
        LinkError::Ended(why) | LinkError::Cut(why) | LinkError::Notice(why) => {
            Close::Lost { why, broken: false }
        }
        LinkError::Broken(why) | LinkError::Missing(why) => Close::Lost { why, broken: true },
    }
}

fn lost(target: &str, why: &str, broken: bool) -> Fault {
    let kind = if broken {
        FaultKind::Protocol
    } else {
        FaultKind::Lost
    };
    Fault::new(
        kind,
        target,
        why,
        word!(
            "look at the server, then open the target again",
            "请检查服务端，再重新打开目标"
        ),
    )
}

async fn open(feed: &FeedSpec, way: &Way) -> Result<Connection, DialError> {
    match feed {
        FeedSpec::Ws(spec) => {
            let wish = Upgrade {
                url: &spec.url,
                subprotocol: None,
                login: None,
                way,
            };
            Ok(Connection::Ws(Box::new(WsConn::upgrade(wish).await?)))
        }
        FeedSpec::Zmq(spec) => Ok(Connection::Zmq(Box::new(ZmqConn::open(spec).await?))),
        FeedSpec::Stdin
        | FeedSpec::File(_)
        | FeedSpec::Shell(_)
        | FeedSpec::Cast(..)
        | FeedSpec::Name(_)
        | FeedSpec::Component(_)
        | FeedSpec::Events(_) => std::future::pending().await,
    }
}

/// Resolves when the program wants no more; other orders mean nothing before a connection.
pub(super) async fn stop_order(orders: &mut mpsc::Receiver<Command>) {
    loop {
        match orders.recv().await {
            Some(Command::Reconnect) => sleep(Duration::ZERO).await,
            Some(Command::Stop) | None => return,
        }
    }
}
