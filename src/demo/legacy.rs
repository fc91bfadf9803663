//! The sockets that carry one stream each: `/docker_log`, `/event_log`, the two monitors and
//! mpush's `/websocket` (protocols.md 1, 5.4, 9.2.8, 9.2.9).

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::hub::{Hub, Item, Kind, Subscription};
use super::link::{End, Link, Outgoing};
use super::options::Options;
use super::wire::Incoming;
use crate::clock;

/// After its first message a client may send so many bytes in one.
const MESSAGE_LIMIT: u64 = 512;
/// Messages that go out in one write at most.
const BATCH: usize = 64;

/// Which of the sockets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Route {
    DockerLog,
    EventLog,
    NewMonitor,
    OldMonitor,
    Mpush,
}

/// Periods of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Periods {
    pub(super) timeout: Duration,
    pub(super) first_deadline: Duration,
    pub(super) pubsub_ping: Duration,
}

impl Periods {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            timeout: options.timeout,
            first_deadline: options.first_deadline,
            pubsub_ping: options.pubsub_ping,
        }
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<S>(
    link: &mut Link<'_, S>,
    hub: &Hub,
    route: Route,
    periods: Periods,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match open(link, hub, route).await {
        Err(end) => end,
        Ok(mut listening) => {
            let end = stream(link, &mut listening, periods).await;
            // The queue is still there: a replay that runs is seen as one.
            hub.leave(listening.id, end == End::Client).await;
            end
        }
    }
}

/// The first message, which has no deadline, and the answer to it.
async fn open<S>(link: &mut Link<'_, S>, hub: &Hub, route: Route) -> Result<Subscription, End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let first = loop {
        match link.recv().await? {
            Incoming::Message(_, body) => break body,
            other => link.answer(&other).await?,
        }
    };
    link.reader.limit(MESSAGE_LIMIT);
    // Said before anything is looked at, in every era.
    if route == Route::EventLog {
        link.send(&[Outgoing::word("ok")]).await?;
    }
    let id = topic(&first).ok_or(End::Server)?;
    let (ok, old_monitor) = {
        let switches = link.switches.borrow();
        (switches.ok, switches.old_monitor)
    };
    let (kind, history) = match route {
        Route::DockerLog => (Kind::Docker, true),
        Route::EventLog => (Kind::Event, true),
        Route::NewMonitor => (Kind::NewMonitor, true),
        Route::OldMonitor if old_monitor => (Kind::OldMonitor, false),
        // The mode is unknown since V5.1.
        Route::OldMonitor => return Err(End::Server),
        Route::Mpush if id.ends_with(".statistic") => (Kind::OldMonitor, false),
        Route::Mpush => (Kind::Docker, false),
    };
    let listening = hub
        .subscribe(link.conn, kind, id, history)
        .await
        .ok_or(End::Server)?;
    match route {
        Route::DockerLog | Route::NewMonitor | Route::OldMonitor if ok => {
            if let Err(end) = link.send(&[Outgoing::word("ok")]).await {
                hub.leave(listening.id, end == End::Client).await;
                return Err(end);
            }
        }
        Route::DockerLog
        | Route::NewMonitor
        | Route::OldMonitor
        | Route::EventLog
        | Route::Mpush => {}
    }
    Ok(listening)
}

/// The id of `key=id`; `None` unless there is exactly one `=` with something behind it. The key
/// may be anything.
fn topic(first: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(first);
    let mut parts = text.split('=');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(id), None) if !id.is_empty() => Some(id.to_owned()),
        (..) => None,
    }
}

async fn stream<S>(link: &mut Link<'_, S>, listening: &mut Subscription, periods: Periods) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let period = periods.timeout.mul_f64(0.8).max(Duration::from_millis(1));
    let start = clock::now();
    let mut ping = interval_at(start + period, period);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut deadline = start + periods.first_deadline;
    let mut batch: Vec<Item> = Vec::with_capacity(BATCH);
    loop {
        let step = tokio::select! {
            // The deadline comes after the client's pongs, the lines after the pings: a flood
            // must not starve them.
            biased;
            incoming = link.recv() => match incoming {
                Ok(incoming) => heed(link, &incoming, &mut deadline, periods.timeout).await,
                Err(end) => Err(end),
            },
            _ = ping.tick() => link.ping().await,
            () = sleep_until(deadline) => Err(End::Server),
            count = listening.queue.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    // The bucket was closed.
                    return End::Server;
                }
                let messages: Vec<_> = batch.drain(..).map(Outgoing::from).collect();
                link.send(&messages).await
            }
        };
        if let Err(end) = step {
            return end;
        }
    }
}

/// Only pongs extend the deadline; what a client says is read and thrown away.
async fn heed<S>(
    link: &mut Link<'_, S>,
    incoming: &Incoming,
    deadline: &mut Instant,
    timeout: Duration,
) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    if *incoming == Incoming::Pong && link.switches.borrow().heed_pongs {
        *deadline = clock::now() + timeout;
    }
    link.answer(incoming).await
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn one_equals_sign_and_something_behind_it() {
        for (first, want) in [
            (&b"topic=a1"[..], Some("a1")),
            (b"x=a1", Some("a1")),
            (b"=a1", Some("a1")),
            (b"topic=", None),
            (b"hello", None),
            (b"a=b=c", None),
            (b"", None),
        ] {
            assert_eq!(topic(first).as_deref(), want, "{first:?}");
        }
    }
}
