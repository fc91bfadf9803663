//! `/services/{id}/pubsub`: many channels on one socket, in JSON envelopes (protocols.md 2,
//! 9.2.1, 9.2.2, 9.2.10). Each channel has its own queue and a task that moves it into the
//! socket's.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at};

use super::gojson;
use super::hub::{Ask, Hub, Item, Kind};
use super::link::{End, Link, Outgoing};
use super::record::Stage;
use super::wire::{Incoming, Op};
use crate::clock;

/// Messages that go out in one write at most.
const BATCH: usize = 64;

/// What goes through the socket's own queue.
#[derive(Debug)]
enum Parcel {
    Message(Outgoing),
    /// The last message of a channel, and the channel's subscription.
    Closed(Outgoing, u64),
}

/// The channels of a socket: the internal name, and its subscription.
struct Session<'a> {
    hub: &'a Hub,
    conn: u64,
    channels: BTreeMap<String, u64>,
    forwarders: JoinSet<()>,
    queue: mpsc::Sender<Parcel>,
}

/// Serves a connection to its end. It has no greeting, no deadline and no limit.
pub(super) async fn serve<S>(link: &mut Link<'_, S>, hub: &Hub, ping: std::time::Duration) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let depth = link.switches.borrow().pubsub_queue.max(1);
    let (queue, mut parcels) = mpsc::channel(depth);
    let mut session = Session {
        hub,
        conn: link.conn,
        channels: BTreeMap::new(),
        forwarders: JoinSet::new(),
        queue,
    };
    let end = run(link, &mut session, &mut parcels, ping).await;
    for id in session.channels.values() {
        hub.leave(*id, end == End::Client).await;
    }
    end
}

async fn run<S>(
    link: &mut Link<'_, S>,
    session: &mut Session<'_>,
    parcels: &mut mpsc::Receiver<Parcel>,
    period: std::time::Duration,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // The first ping comes at once, maybe before the first reply (protocols.md 9.2.9).
    let mut ping = interval_at(clock::now(), period);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let step = tokio::select! {
            biased;
            _ = ping.tick() => link.ping().await,
            incoming = link.recv() => match incoming {
                Ok(Incoming::Message(Op::Text, body)) => {
                    let replies = session.obey(&body).await;
                    link.send(&replies).await
                }
                // Binary messages are ignored.
                Ok(other) => link.answer(&other).await,
                Err(end) => Err(end),
            },
            _ = parcels.recv_many(&mut batch, BATCH) => {
                let messages = session.unpack(&mut batch).await;
                link.send(&messages).await
            }
        };
        if let Err(end) = step {
            return end;
        }
    }
}

impl Session<'_> {
    /// Obeys one message of the client; gives the answers.
    async fn obey(&mut self, body: &[u8]) -> Vec<Outgoing> {
        let Ok(message) = serde_json::from_slice::<Value>(body) else {
            return vec![invalid()];
        };
        // A Go struct takes an object or null, and names without regard to case.
        let Some(members) = message.as_object() else {
            return if message.is_null() {
                Vec::new()
            } else {
                vec![invalid()]
            };
        };
        if members
            .get("event")
            .is_some_and(|event| !event.is_string() && !event.is_null())
            || members
                .get("channel")
                .is_some_and(|name| !name.is_string() && !name.is_null())
        {
            return vec![invalid()];
        }
        let subscribe = match members.get("event").and_then(Value::as_str) {
            Some("pusher:subscribe") => true,
            Some("cancel:subscribe") => false,
            _ => return Vec::new(),
        };
        let Some(Value::Object(wanted)) = members.get("data") else {
            // The real server dies of it (protocols.md 9.2.1).
            self.hub.tell(Ask::Panic).await;
            return Vec::new();
        };
        let Some(channel) = wanted.get("channel").and_then(Value::as_str) else {
            return Vec::new();
        };
        if subscribe {
            self.subscribe(channel).await
        } else {
            self.cancel(channel).await
        }
    }

    async fn subscribe(&mut self, channel: &str) -> Vec<Outgoing> {
        let Some((prefix, id)) = channel.split_once('-') else {
            return vec![invalid()];
        };
        let kinds: &[Kind] = match prefix {
            "s" => &[Kind::Docker, Kind::NewMonitor],
            "l" => &[Kind::Docker],
            "m" => &[Kind::NewMonitor],
            "e" => &[Kind::Event],
            _ => &[],
        };
        let mut replies = Vec::new();
        for kind in kinds {
            let name = format!("{}-{id}", word(*kind));
            if self.channels.contains_key(&name) {
                replies.push(envelope("message", Some(b"channel is exist"), &name));
                continue;
            }
            let Some(listening) = self
                .hub
                .subscribe(self.conn, *kind, id.to_owned(), true)
                .await
            else {
                continue;
            };
            replies.push(envelope("pusher:succeeded", None, &name));
            self.channels.insert(name.clone(), listening.id);
            let forwarder = Forwarder {
                kind: *kind,
                name,
                id: listening.id,
                queue: self.queue.clone(),
            };
            self.forwarders.spawn(forwarder.run(listening.queue));
        }
        while self.forwarders.try_join_next().is_some() {}
        replies
    }

    /// Only the internal names are known here (protocols.md 9.2.2).
    async fn cancel(&mut self, channel: &str) -> Vec<Outgoing> {
        let Some(id) = self.channels.remove(channel) else {
            return Vec::new();
        };
        // The queue ends, and the forwarder says pusher:close after it.
        self.hub.leave(id, true).await;
        vec![envelope("cancel:succeeded", None, channel)]
    }

    /// A channel is forgotten when its end is sent, not before: so a client that has read the
    /// end can subscribe again.
    async fn unpack(&mut self, parcels: &mut Vec<Parcel>) -> Vec<Outgoing> {
        let mut messages = Vec::with_capacity(parcels.len());
        for parcel in parcels.drain(..) {
            match parcel {
                Parcel::Message(message) => messages.push(message),
                Parcel::Closed(message, id) => {
                    self.channels.retain(|_, one| *one != id);
                    self.hub.leave(id, false).await;
                    messages.push(message);
                }
            }
        }
        messages
    }
}

/// Moves one channel's queue into the socket's.
struct Forwarder {
    kind: Kind,
    name: String,
    id: u64,
    queue: mpsc::Sender<Parcel>,
}

impl Forwarder {
    async fn run(self, mut items: mpsc::Receiver<Item>) {
        while let Some(item) = items.recv().await {
            if let Some((stage, message)) = &item.ending {
                return self.finish(*stage, message, &item).await;
            }
            let event = match self.kind {
                Kind::Docker => "service:log",
                Kind::Event => "event:log",
                Kind::NewMonitor | Kind::OldMonitor => "monitor",
            };
            let word = envelope(event, Some(&item.payload), &self.name);
            let message = Outgoing {
                payload: word.payload,
                ..item.into()
            };
            if self.queue.send(Parcel::Message(message)).await.is_err() {
                return;
            }
        }
        let message = envelope("pusher:close", Some(b"{}"), &self.name);
        // A socket that is gone needs no goodbye.
        let _ = self.queue.send(Parcel::Closed(message, self.id)).await;
    }

    /// The event is over: its result, and the channel with it.
    async fn finish(self, stage: Stage, text: &str, item: &Item) {
        let event = match stage {
            Stage::Running | Stage::Success => "event:success",
            Stage::Failure => "event:failure",
        };
        let word = envelope(event, Some(text.as_bytes()), &self.name);
        let message = Outgoing {
            payload: word.payload,
            ..item.clone().into()
        };
        let close = envelope("pusher:close", Some(text.as_bytes()), &self.name);
        if self.queue.send(Parcel::Message(message)).await.is_ok() {
            // As above.
            let _ = self.queue.send(Parcel::Closed(close, self.id)).await;
        }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Docker => "docker",
        Kind::Event => "event",
        Kind::NewMonitor | Kind::OldMonitor => "newmonitor",
    }
}

fn invalid() -> Outgoing {
    Outgoing::word("{\"event\":\"error\",\"data\":\"Invalid message\"}")
}

/// `{"event":…,"data":…,"channel":…}`; no text is `null`.
fn envelope(event: &str, text: Option<&[u8]>, channel: &str) -> Outgoing {
    let mut out = String::from("{\"event\":");
    gojson::string(&mut out, event.as_bytes());
    out.push_str(",\"data\":");
    match text {
        Some(text) => gojson::string(&mut out, text),
        None => out.push_str("null"),
    }
    out.push_str(",\"channel\":");
    gojson::string(&mut out, channel.as_bytes());
    out.push('}');
    Outgoing::word(out)
}
