//! The WebSockets that are opened with one first message: container logs, events, monitor
//! frames and mpush (protocols.md 1, 5.4).

use std::time::{Duration, Instant};

use crate::codec::docker_log::{self, LogFrame};
use crate::codec::event_log::{self, EventStep, Outcome};
use crate::codec::target::WsFeed;
use crate::codec::{Packet, stamp};
use crate::model::{Certainty, EndReason, Micros, RawBatch, RowFlags, RowHead};
use crate::say;
use crate::text::SafeText;
use crate::word;

use super::align::Steps;
use super::port::{FeedEvent, Input, Now, Outbox, Session, Wanted};
use super::sources::Sources;
use super::strands::Strands;

/// A connection that is closed this soon after the first message, without a frame, refused it.
const REFUSAL: Duration = Duration::from_secs(2);
/// So many refusals in a row are an answer.
const REFUSALS: u32 = 3;

/// One target's log, over all its connections.
#[derive(Debug)]
pub struct LogSession {
    feed: WsFeed,
    hello: Option<Packet>,
    strands: Strands,
    steps: Steps,
    opened: Option<Instant>,
    frames: u64,
    refusals: u32,
    read_once: bool,
}

impl LogSession {
    /// A session that will subscribe to `feed`.
    /// `key` is that of the lines' fingerprints.
    pub fn new(feed: &WsFeed, key: u64) -> Self {
        let aligned = match feed {
            WsFeed::DockerLog(id) => Some(id.as_str()),
            WsFeed::EventLog(_) | WsFeed::Monitor(_) | WsFeed::Mpush(_) | WsFeed::Pubsub(_) => None,
        };
        Self {
            feed: feed.clone(),
            hello: None,
            strands: Strands::new(aligned.into_iter(), false, key),
            steps: Steps::new(key),
            opened: None,
            frames: 0,
            refusals: 0,
            read_once: false,
        }
    }

    fn open(&mut self, now: Now, out: &mut Outbox) {
        let hello = match &self.feed {
            WsFeed::EventLog(id) => format!("event_id={id}"),
            WsFeed::DockerLog(id) | WsFeed::Monitor(id) | WsFeed::Mpush(id) => {
                format!("topic={id}")
            }
            WsFeed::Pubsub(_) => return,
        };
        self.hello = Some(Packet::text(&hello));
        self.opened = Some(now.mono);
        self.frames = 0;
        self.strands.opened(now, 1, out);
        self.steps.opened();
        let bare = matches!(self.feed, WsFeed::Monitor(_) | WsFeed::Mpush(_));
        if bare && self.strands.link.has_returned() {
            // No history tells what was missed.
            self.strands.link.tell((Certainty::Possible, 0), "", out);
        }
    }

    fn close(&mut self, now: Now, why: &SafeText<'static>, out: &mut Outbox) {
        self.hello = None;
        self.strands.lost();
        let Some(opened) = self.opened.take() else {
            return;
        };
        let refused = self.frames == 0 && now.mono.saturating_duration_since(opened) < REFUSAL;
        self.refusals = if refused { self.refusals + 1 } else { 0 };
        if self.refusals >= REFUSALS {
            let what = say!("the subscription {:?}", "订阅 {:?}", self.id());
            let reason = word!(
                "the server closed the connection at once, three times",
                "服务端连续三次立即关闭连接"
            );
            let next = word!(
                "check the id, and whether this server has the feed",
                "请检查 ID，以及此服务端是否有该数据流"
            );
            self.strands.settle_now(Certainty::Possible, false, out);
            out.give_up(&what, reason, next);
        } else {
            self.strands.link.lost(now, why);
        }
    }

    fn id(&self) -> &str {
        match &self.feed {
            WsFeed::DockerLog(id)
            | WsFeed::EventLog(id)
            | WsFeed::Monitor(id)
            | WsFeed::Mpush(id) => id,
            WsFeed::Pubsub(_) => "",
        }
    }

    fn frame(&mut self, now: Now, frame: &[u8], out: &mut Outbox) {
        self.frames += 1;
        // The acknowledgement may be missing, and a later line may be these two letters.
        if self.frames == 1 && frame == b"ok" {
            return;
        }
        match &self.feed {
            WsFeed::DockerLog(_) | WsFeed::Mpush(_) => self.log_line(now, frame, out),
            WsFeed::EventLog(_) => self.event(now, frame, out),
            WsFeed::Monitor(_) => self.plain(now, frame, out),
            WsFeed::Pubsub(_) => {}
        }
        self.read_once = true;
    }

    fn log_line(&mut self, now: Now, frame: &[u8], out: &mut Outbox) {
        let (line, replay) = match docker_log::decode(frame, self.id()) {
            LogFrame::Live(line) => (line, false),
            LogFrame::Replay(line) => (line, true),
        };
        if let WsFeed::DockerLog(id) = &self.feed {
            self.strands.line(now, id, (&line, replay), out);
        } else {
            let head = (&b""[..], now.wall, replay);
            push_log(&mut self.strands.sources, &mut out.batch, head, &line);
        }
        self.check(now, out);
    }

    fn check(&mut self, now: Now, out: &mut Outbox) {
        let steps = self.steps.certainty();
        if self.strands.check(now, steps, out) {
            self.steps.settle();
        }
    }

    fn event(&mut self, now: Now, frame: &[u8], out: &mut Outbox) {
        let Some(step) = event_log::decode(frame) else {
            if !self.read_once {
                let what = say!("the stream of event {:?}", "事件 {:?} 的流", self.id());
                let why = word!(
                    "the server's first frame is no event",
                    "服务端的第一帧不是事件"
                );
                let next = word!(
                    "check the path: an event stream ends in /event_log",
                    "请检查路径：事件流以 /event_log 结尾"
                );
                out.give_up(&what, why, next);
            }
            return self.plain(now, frame, out);
        };
        let link = &mut self.strands.link;
        let replay = link.is_replaying() && event_log::is_rebuilt(frame);
        if replay {
            link.replayed(now, out);
        }
        if self.steps.is_new(&step) {
            if link.has_returned() {
                link.tell((self.steps.certainty(), 0), "", out);
            }
            let sources = &mut self.strands.sources;
            push_event(sources, &mut out.batch, now, (frame, replay), &step);
        }
        if let Some(outcome) = step.outcome() {
            out.events
                .push(FeedEvent::End(end_of(outcome, &step.message)));
        }
        self.check(now, out);
    }

    fn plain(&mut self, now: Now, frame: &[u8], out: &mut Outbox) {
        self.strands.link.replayed(now, out);
        for line in docker_log::lines(frame) {
            out.batch.push(
                line,
                &RowHead {
                    recv: now.wall,
                    ..RowHead::default()
                },
            );
        }
        self.check(now, out);
    }
}

impl Session for LogSession {
    fn handle(&mut self, now: Now, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Opened => self.open(now, out),
            Input::Packet(packet) => {
                if let Some(frame) = packet.payload() {
                    self.frame(now, frame, out);
                }
            }
            Input::Timeout => self.check(now, out),
            Input::History(stored) => {
                self.strands.history(now, stored);
                self.check(now, out);
            }
            Input::Over => {
                // Other feeds have no history that would tell.
                let more = match self.feed {
                    WsFeed::DockerLog(_) => Certainty::None,
                    _ => Certainty::Possible,
                };
                self.strands.settle_now(more, true, out);
            }
            Input::Lost(why) => self.close(now, why, out),
        }
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        self.hello.take()
    }

    fn poll_history(&mut self) -> Option<Wanted> {
        self.strands.poll_history()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.strands.deadline()
    }
}

/// How an event's last step ends its target.
pub(super) fn end_of(outcome: Outcome, message: &str) -> EndReason {
    let message = SafeText::of(message).into_owned();
    match outcome {
        Outcome::Success => EndReason::Success(message),
        Outcome::Failure => EndReason::Failure(message),
    }
}

/// Pushes the lines of one container log frame: of which component, when it came, and whether
/// it was replayed.
pub(super) fn push_log(
    sources: &mut Sources,
    batch: &mut RawBatch,
    (component, recv, replay): (&[u8], Micros, bool),
    line: &docker_log::Line<'_>,
) {
    let source = line
        .container
        .as_ref()
        .and_then(|id| sources.name(component, id, batch));
    let head = RowHead {
        source,
        flags: replay_flag(replay),
        recv,
        ..RowHead::default()
    };
    for text in docker_log::lines(&line.body) {
        batch.push(text, &head);
    }
}

/// Pushes one step of an event: its message is the line, its step the source, and the frame is
/// kept as what the wire carried.
pub(super) fn push_event(
    sources: &mut Sources,
    batch: &mut RawBatch,
    now: Now,
    (frame, replay): (&[u8], bool),
    step: &EventStep<'_>,
) {
    let source = (!step.step.is_empty())
        .then(|| sources.label(step.step.as_bytes()))
        .flatten();
    let mut head = RowHead {
        source,
        flags: replay_flag(replay),
        level: step.severity(),
        recv: now.wall,
        stamp: stamp::of_wire(&step.time),
    };
    for text in docker_log::lines(step.message.as_bytes()) {
        batch.push(text, &head);
        if !head.flags.has(RowFlags::WITHIN) {
            batch.keep_frame(frame);
            head.flags = head.flags.with(RowFlags::WITHIN);
        }
    }
}

fn replay_flag(replay: bool) -> RowFlags {
    if replay {
        RowFlags(RowFlags::REPLAY)
    } else {
        RowFlags::default()
    }
}
