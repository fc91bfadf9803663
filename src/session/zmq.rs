//! ZeroMQ: no history, no acknowledgement; every message stands for itself (protocols.md 5).

use std::time::Instant;

use crate::codec::Packet;
use crate::codec::target::ZmqSpec;
use crate::codec::zmq_layout::{self, Layout};
use crate::codec::zmtp::MAX_PARTS;
use crate::model::{Certainty, Level, Mark, RowHead};
use crate::say;
use crate::text::SafeText;

use super::link::Link;
use super::port::{FeedEvent, Input, Now, Outbox, Session};
use super::sources::Sources;

const PARTS: usize = MAX_PARTS as usize;

/// One target's messages, over all its connections.
#[derive(Debug)]
pub struct ZmqSession {
    layout: Layout,
    prefixes: Vec<String>,
    service: Option<String>,
    sources: Sources,
    link: Link,
    misfits: u64,
}

impl ZmqSession {
    /// A session for `spec`.
    pub fn new(spec: &ZmqSpec) -> Self {
        Self {
            layout: spec.layout,
            prefixes: spec.prefixes.clone(),
            service: spec.service.clone(),
            sources: Sources::default(),
            link: Link::default(),
            misfits: 0,
        }
    }

    fn message(&mut self, now: Now, parts: &[&[u8]], out: &mut Outbox) {
        if !zmq_layout::subscribed(parts, &self.prefixes) {
            return;
        }
        let line = zmq_layout::decode(parts, self.layout);
        let component = line.component.as_deref().unwrap_or(&[]);
        if self
            .service
            .as_ref()
            .is_some_and(|wanted| wanted.as_bytes() != component)
        {
            return;
        }
        if line.misfit {
            self.misfits += 1;
            if self.misfits == 1 {
                let text = say!(
                    "a message of {} parts does not fit the layout asked for; shown as it is",
                    "一条 {} 段的消息不符合指定的布局；按原样显示",
                    parts.len()
                );
                out.batch
                    .push_mark(Mark::Notice(SafeText::of(&text).into_owned()));
            }
        }
        let source = line
            .source
            .as_ref()
            .and_then(|id| self.sources.name(component, id, &mut out.batch));
        let level = match (self.layout, parts) {
            (Layout::Labor3 | Layout::Auto, [topic, level, _]) if topic.starts_with(b"labor.") => {
                crate::codec::level::from_word(level)
            }
            _ => Level::None,
        };
        let head = RowHead {
            source,
            level,
            recv: now.wall,
            stamp: line.stamp,
            ..RowHead::default()
        };
        for text in zmq_layout::lines(&line) {
            out.batch.push(text, &head);
        }
    }
}

impl Session for ZmqSession {
    fn handle(&mut self, now: Now, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Opened => {
                self.link.opened(now);
                // No history tells what was missed.
                if self.link.has_returned() {
                    self.link.tell((Certainty::Possible, 0), "", out);
                }
                out.events.push(FeedEvent::ReplayOver);
            }
            Input::Packet(Packet::Parts(parts)) => {
                let mut slices: [&[u8]; PARTS] = [&[]; PARTS];
                for (slice, part) in slices.iter_mut().zip(parts) {
                    *slice = part;
                }
                let used = parts.len().min(PARTS);
                self.message(now, slices.get(..used).unwrap_or(&[]), out);
            }
            Input::Packet(Packet::Text(_) | Packet::Binary(_) | Packet::Ping | Packet::Pong)
            | Input::Timeout
            | Input::History(_)
            | Input::Over => {}
            Input::Lost(why) => self.link.lost(now, why),
        }
    }

    fn poll_transmit(&mut self) -> Option<Packet> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
