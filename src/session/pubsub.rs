//! The pub/sub socket: one connection carries several channels, each with its own life
//! (protocols.md 2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::codec::Packet;
use crate::codec::docker_log::{self, LogFrame};
use crate::codec::event_log::{self, Outcome};
use crate::codec::pubsub::{self, Channel, Inner, Notice};
use crate::model::{Certainty, EndReason, Mark, RowHead, SourceName};
use crate::say;
use crate::text::SafeText;
use crate::word;

use super::align::Steps;
use super::log::{end_of, push_event};
use super::port::{FeedEvent, Input, Now, Outbox, Session, Wanted};
use super::strands::Strands;

/// A channel that the server closed is asked for again after this, doubling up to the cap:
/// idle ones are swept, and the name may linger (protocols.md 1.3, 2).
const AGAIN: Duration = Duration::from_secs(2);
const AGAIN_CAP: Duration = Duration::from_secs(30);

/// So many bytes wait at most; then it is settled with what came.
const WAITING: usize = 1 << 20;

/// What waits for the components' histories.
#[derive(Debug)]
enum Waiting {
    /// A new step of an event, and whether it was replayed.
    Step(Bytes, bool),
    /// Any other message.
    Message(Bytes),
}

#[derive(Debug)]
struct Subscription {
    channel: Channel,
    again: Option<Instant>,
    wait: Duration,
    ended: Option<Outcome>,
    /// The event's last words were seen; the close that follows is its end.
    last_words: Option<EndReason>,
    /// What was seen of an event.
    steps: Steps,
}

/// One target's channels, over all its connections.
#[derive(Debug)]
pub struct PubsubSession {
    subscriptions: Vec<Subscription>,
    outgoing: VecDeque<Packet>,
    strands: Strands,
    /// Messages of other channels that wait while components' lines are held, so that the
    /// return of the link is told before them.
    waiting: Vec<Waiting>,
    weight: usize,
    understood: bool,
}

impl PubsubSession {
    /// A session for `channels`; `key` is that of the lines' fingerprints.
    pub fn new(channels: &[Channel], key: u64) -> Self {
        let subscription = |channel: &Channel| Subscription {
            channel: channel.clone(),
            again: None,
            wait: AGAIN,
            ended: None,
            last_words: None,
            steps: Steps::new(key),
        };
        let logs = channels
            .iter()
            .filter(|channel| channel.inner().contains(&Inner::Docker))
            .map(|channel| channel.id.as_str());
        Self {
            subscriptions: channels.iter().map(subscription).collect(),
            outgoing: VecDeque::new(),
            strands: Strands::new(logs, channels.len() > 1, key),
            waiting: Vec::new(),
            weight: 0,
            understood: false,
        }
    }

    fn open(&mut self, now: Now, out: &mut Outbox) {
        self.outgoing.clear();
        for subscription in self.subscriptions.iter_mut().filter(|s| s.ended.is_none()) {
            subscription.again = None;
            subscription.steps.opened();
            self.outgoing
                .push_back(Packet::text(&pubsub::subscribe(&subscription.channel)));
        }
        self.strands.opened(now, self.outgoing.len(), out);
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
        if self.must_wait(&notice) {
            return self.wait(now, Waiting::Message(Bytes::copy_from_slice(message)), out);
        }
        match notice {
            Notice::Subscribed(channel) | Notice::Exists(channel) => self.subscribed(&channel),
            Notice::Log(channel, text) => self.log(now, &channel, text.as_bytes(), out),
            Notice::Monitor(channel, text) => {
                self.tell_return(out);
                Self::monitor(&channel, now, text.as_bytes(), out);
            }
            Notice::Event(channel, text) => self.event(now, &channel, text.as_bytes(), out),
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

    /// Whether a message belongs behind the lines that are held.
    fn must_wait(&self, notice: &Notice<'_>) -> bool {
        let other = match notice {
            Notice::Monitor(..) | Notice::EventEnd(..) => true,
            Notice::Closed(channel) => {
                pubsub::inner_name(channel).is_none_or(|(kind, _)| kind != Inner::Docker)
            }
            Notice::Subscribed(_)
            | Notice::Exists(_)
            | Notice::Log(..)
            | Notice::Event(..)
            | Notice::Refused(_)
            | Notice::Other(..) => false,
        };
        other && self.strands.is_holding()
    }

    fn wait(&mut self, now: Now, what: Waiting, out: &mut Outbox) {
        let (Waiting::Step(bytes, _) | Waiting::Message(bytes)) = &what;
        self.weight += bytes.len();
        self.waiting.push(what);
        if self.weight > WAITING {
            self.strands.settle_now(Certainty::Possible, false, out);
            self.go_on(now, out);
        }
    }

    /// What waited has its turn.
    fn go_on(&mut self, now: Now, out: &mut Outbox) {
        self.weight = 0;
        for what in std::mem::take(&mut self.waiting) {
            match what {
                Waiting::Step(text, replay) => self.step(now, &text, replay, out),
                Waiting::Message(message) => self.message(now, &message, out),
            }
        }
    }

    /// Whether events may lack steps; monitor frames have no history.
    fn certainty(&self) -> Certainty {
        let all = &self.subscriptions;
        let monitors = all
            .iter()
            .all(|one| *one.channel.inner() == [Inner::Monitor]);
        if monitors {
            return Certainty::Possible;
        }
        let events = all
            .iter()
            .filter(|one| one.channel.inner().contains(&Inner::Event));
        let grades = events.map(|one| one.steps.certainty());
        grades.max().unwrap_or_default()
    }

    /// What is not held comes behind the mark of the return.
    fn tell_return(&mut self, out: &mut Outbox) {
        if self.strands.link.has_returned() && !self.strands.is_holding() {
            let certainty = self.certainty();
            self.strands.link.tell((certainty, 0), "", out);
        }
    }

    fn check(&mut self, now: Now, out: &mut Outbox) {
        let certainty = self.certainty();
        if self.strands.check(now, certainty, out) {
            // The state changes behind what waited.
            let over = out.events.pop();
            self.go_on(now, out);
            out.events.extend(over);
            for subscription in &mut self.subscriptions {
                subscription.steps.settle();
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
        self.strands.line(now, id, (&line, replay), out);
        self.check(now, out);
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

    fn event(&mut self, now: Now, channel: &str, text: &[u8], out: &mut Outbox) {
        let replay = self.strands.link.is_replaying() && event_log::is_rebuilt(text);
        if replay {
            self.strands.link.replayed(now, out);
        }
        let known = event_log::decode(text).is_some_and(|step| {
            self.find(channel)
                .is_some_and(|subscription| !subscription.steps.is_new(&step))
        });
        if known {
            // Given out before.
        } else if self.strands.is_holding() {
            let text = Bytes::copy_from_slice(text);
            self.wait(now, Waiting::Step(text, replay), out);
        } else {
            self.tell_return(out);
            self.step(now, text, replay, out);
        }
        self.check(now, out);
    }

    fn step(&mut self, now: Now, text: &[u8], replay: bool, out: &mut Outbox) {
        let sources = &mut self.strands.sources;
        match event_log::decode(text) {
            Some(step) => push_event(sources, &mut out.batch, now, (text, replay), &step),
            None => out.batch.push(
                text,
                &RowHead {
                    recv: now.wall,
                    ..RowHead::default()
                },
            ),
        }
    }

    /// The last entry of an event comes as its message alone; whether it worked is the name of
    /// the notice.
    fn last_words(&mut self, now: Now, channel: &str, text: &str, success: bool, out: &mut Outbox) {
        let outcome = if success {
            Outcome::Success
        } else {
            Outcome::Failure
        };
        self.tell_return(out);
        let source = self
            .strands
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
            if let Some((Inner::Docker, id)) = pubsub::inner_name(channel) {
                self.strands.closed(id);
            }
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
                subscription.steps.opened();
                self.strands
                    .opened_again(now, &subscription.channel.id, out);
                // Of a service's two channels only the closed one may be asked for again, but
                // asking for both is harmless: the other answers that it exists.
                self.outgoing
                    .push_back(Packet::text(&pubsub::subscribe(&subscription.channel)));
            }
        }
        self.check(now, out);
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
                self.strands.lost();
                self.strands.link.lost(now, why);
                // New steps are not new a second time; the rest comes again.
                self.waiting
                    .retain(|what| matches!(what, Waiting::Step(..)));
            }
            Input::History(stored) => {
                self.strands.history(now, stored);
                self.check(now, out);
            }
            Input::Over => {
                let more = self.certainty();
                self.strands.settle_now(more, true, out);
                self.go_on(now, out);
            }
        }
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.outgoing.pop_front()
    }

    fn poll_history(&mut self) -> Option<Wanted> {
        self.strands.poll_history()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let again = self.subscriptions.iter().filter_map(|s| s.again);
        again.chain(self.strands.deadline()).min()
    }
}
