//! The pub/sub socket: one connection carries several channels, each with its own life
//! (protocols.md 2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec::Packet;
use crate::codec::docker_log::{self, LogFrame};
use crate::codec::event_log::{self, Outcome};
use crate::codec::pubsub::{self, Channel, Notice};
use crate::model::{EndReason, Mark, RowHead, SourceName};
use crate::say;
use crate::text::SafeText;
use crate::word;

use super::link::Link;
use super::log::{end_of, push_event, push_log};
use super::port::{FeedEvent, Input, Now, Outbox, Session};
use super::sources::Sources;

/// A channel that the server closed is asked for again after this, doubling up to the cap:
/// idle ones are swept, and the name may linger (protocols.md 1.3, 2).
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_CAP: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct Subscription {
    channel: Channel,
    again: Option<Instant>,
    wait: Duration,
    ended: Option<Outcome>,
    /// The event's last words were seen; the close that follows is its end.
    last_words: Option<EndReason>,
}

/// One target's channels, over all its connections.
#[derive(Debug)]
pub struct PubsubSession {
    subscriptions: Vec<Subscription>,
    outgoing: VecDeque<Packet>,
    sources: Sources,
    link: Link,
    understood: bool,
}

impl PubsubSession {
    /// A session for `channels`.
    pub fn new(channels: &[Channel]) -> Self {
        let subscription = |channel: &Channel| Subscription {
            channel: channel.clone(),
            again: None,
            wait: AGAIN,
            ended: None,
            last_words: None,
        };
        Self {
            subscriptions: channels.iter().map(subscription).collect(),
            outgoing: VecDeque::new(),
            sources: Sources::default(),
            link: Link::default(),
            understood: false,
        }
    }

    fn open(&mut self, now: Now, out: &mut Outbox) {
        self.outgoing.clear();
        for subscription in self.subscriptions.iter_mut().filter(|s| s.ended.is_none()) {
            subscription.again = None;
            self.outgoing
                .push_back(Packet::text(&pubsub::subscribe(&subscription.channel)));
        }
        self.link.opened(now, out);
        self.link.expect_replay(now, self.outgoing.len());
    }

    fn message(&mut self, now: Now, message: &[u8], out: &mut Outbox) {
        let Some(notice) = pubsub::decode(message) else {
            if !self.understood {
                let why = word!(
                    "the server's first message is no channel message",
                    "服务端的第一条消息不是频道消息"
                );
                let next = word!(
                    "check the path: it ends in /services/ID/pubsub",
                    "请检查路径：应以 /services/ID/pubsub 结尾"
                );
                out.give_up(word!("the pub/sub socket", "pub/sub 连接"), why, next);
            }
            out.batch.push(
                message,
                &RowHead {
                    recv: now.wall,
                    ..RowHead::default()
                },
            );
            return;
        };
        self.understood = true;
        match notice {
            Notice::Subscribed(channel) | Notice::Exists(channel) => self.subscribed(&channel),
            Notice::Log(channel, text) => self.log(now, &channel, text.as_bytes(), out),
            Notice::Monitor(channel, text) => Self::monitor(&channel, now, text.as_bytes(), out),
            Notice::Event(_, text) => self.event(now, text.as_bytes(), out),
            Notice::EventEnd(channel, text, success) => {
                self.last_words(now, &channel, &text, success, out);
            }
            Notice::Closed(channel) => self.closed(now, &channel, out),
            Notice::Refused(text) => {
                let text = say!(
                    "the server refused a message of ours: {text}",
                    "服务端拒绝了我方的一条消息：{text}"
                );
                out.batch
                    .push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
            }
            Notice::Other(event, text) => {
                let text = say!("{event}: {text}", "{event}：{text}");
                out.batch
                    .push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
            }
        }
    }

    fn subscribed(&mut self, channel: &str) {
        if let Some(subscription) = self.find(channel) {
            subscription.wait = AGAIN;
        }
    }

    fn log(&mut self, now: Now, channel: &str, text: &[u8], out: &mut Outbox) {
        let id = pubsub::inner_name(channel).map_or(channel, |(_, id)| id);
        let (line, replay) = match docker_log::decode(text, id) {
            LogFrame::Live(line) => (line, false),
            LogFrame::Replay(line) => (line, true),
        };
        if replay {
            self.link.replayed(now, out);
        }
        let component = if self.subscriptions.len() > 1 {
            id.as_bytes()
        } else {
            b""
        };
        push_log(
            &mut self.sources,
            &mut out.batch,
            now,
            component,
            &line,
            replay,
        );
        self.link.check(now, out);
    }

    fn monitor(channel: &str, now: Now, text: &[u8], out: &mut Outbox) {
        let id = pubsub::inner_name(channel).map_or(channel, |(_, id)| id);
        let source = SourceName::within(id.as_bytes(), b"monitor");
        out.batch.push(
            text,
            &RowHead {
                source: Some(&source),
                recv: now.wall,
                ..RowHead::default()
            },
        );
    }

    fn event(&mut self, now: Now, text: &[u8], out: &mut Outbox) {
        let replay = self.link.is_replaying() && event_log::is_rebuilt(text);
        if replay {
            self.link.replayed(now, out);
        }
        match event_log::decode(text) {
            Some(step) => push_event(&mut self.sources, &mut out.batch, now, text, &step, replay),
            None => out.batch.push(
                text,
                &RowHead {
                    recv: now.wall,
                    ..RowHead::default()
                },
            ),
        }
        self.link.check(now, out);
    }

    /// The last entry of an event comes as its message alone; whether it worked is the name of
    /// the notice.
    fn last_words(&mut self, now: Now, channel: &str, text: &str, success: bool, out: &mut Outbox) {
        let outcome = if success {
            Outcome::Success
        } else {
            Outcome::Failure
        };
        let source = self
            .sources
            .label(if success { b"last" } else { b"callback" });
        for line in docker_log::lines(text.as_bytes()) {
            out.batch.push(
                line,
                &RowHead {
                    source,
                    recv: now.wall,
                    ..RowHead::default()
                },
            );
        }
        if let Some(subscription) = self.find(channel) {
            subscription.ended = Some(outcome);
            subscription.last_words = Some(end_of(outcome, text));
        }
    }

    fn closed(&mut self, now: Now, channel: &str, out: &mut Outbox) {
        out.batch
            .push_mark(Mark::Leave(SourceName::new(channel.as_bytes())));
        if let Some(subscription) = self.find(channel)
            && subscription.ended.is_none()
        {
            subscription.again = Some(now.mono + subscription.wait);
            subscription.wait = (subscription.wait * 2).min(AGAIN_CAP);
        }
        if self.subscriptions.iter().all(|s| s.ended.is_some()) {
            let failed = self
                .subscriptions
                .iter_mut()
                .find(|s| s.ended == Some(Outcome::Failure));
            let words = match failed {
                Some(subscription) => subscription.last_words.take(),
                None => self
                    .subscriptions
                    .last_mut()
                    .and_then(|s| s.last_words.take()),
            };
            out.events
                .push(FeedEvent::End(words.unwrap_or(EndReason::Finished)));
        }
    }

    fn find(&mut self, inner: &str) -> Option<&mut Subscription> {
        let (kind, id) = pubsub::inner_name(inner)?;
        self.subscriptions
            .iter_mut()
            .find(|s| s.channel.id == id && s.channel.inner().contains(&kind))
    }

    fn timeout(&mut self, now: Now, out: &mut Outbox) {
        for subscription in &mut self.subscriptions {
            if subscription.again.is_some_and(|at| at <= now.mono) {
                subscription.again = None;
                // Of a service's two channels only the closed one may be asked for again, but
                // asking for both is harmless: the other answers that it exists.
                self.outgoing
                    .push_back(Packet::text(&pubsub::subscribe(&subscription.channel)));
            }
        }
        self.link.check(now, out);
    }
}

impl Session for PubsubSession {
    fn handle(&mut self, now: Now, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Opened => self.open(now, out),
            Input::Packet(packet) => {
                if let Some(message) = packet.payload() {
                    self.message(now, message, out);
                }
            }
            Input::Timeout => self.timeout(now, out),
            Input::Lost(why) => {
                self.outgoing.clear();
                self.link.lost(now, why);
            }
        }
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.outgoing.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let again = self.subscriptions.iter().filter_map(|s| s.again);
        again.chain(self.link.deadline()).min()
    }
}
