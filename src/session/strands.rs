//! The components' lines of one connection on their way out: each component's are aligned by
//! themselves ([`super::align`]), and a return of the link is told once for all of them, when
//! the last history is over.

use crate::codec::docker_log::Line;
use crate::model::Certainty;
use crate::word;

use super::align::{Aligner, Held, Settled, Verdict};
use super::link::Link;
use super::log::push_log;
use super::port::{FeedEvent, Now, Outbox};
use super::sources::Sources;

/// One component's lines.
#[derive(Debug)]
struct Strand {
    id: String,
    /// The component as a part of its sources' names; empty for none.
    component: Vec<u8>,
    aligner: Aligner,
}

/// All of them, and their link.
#[derive(Debug)]
pub(super) struct Strands {
    pub(super) link: Link,
    pub(super) sources: Sources,
    all: Vec<Strand>,
}

impl Strands {
    /// For these components; their names are told where there are several channels.
    pub(super) fn new<'a>(ids: impl Iterator<Item = &'a str>, named: bool, key: u64) -> Self {
        let strand = |id: &str| Strand {
            id: id.to_owned(),
            component: if named { id.into() } else { Vec::new() },
            aligner: Aligner::new(key),
        };
        Self {
            link: Link::default(),
            sources: Sources::default(),
            all: ids.map(strand).collect(),
        }
    }

    /// A connection stands that replays so many histories.
    pub(super) fn opened(&mut self, now: Now, streams: usize, out: &mut Outbox) {
        self.link.opened(now);
        self.link.expect_replay(now, streams);
        for at in 0..self.all.len() {
            self.begin(at, out);
        }
    }

    /// One component was subscribed again on a connection that stands.
    pub(super) fn opened_again(&mut self, now: Now, id: &str, out: &mut Outbox) {
        let closed = |strand: &Strand| strand.id == id && strand.aligner.is_away();
        if let Some(at) = self.all.iter().position(closed) {
            self.link.expect_replay(now, 1);
            self.begin(at, out);
        }
    }

    fn begin(&mut self, at: usize, out: &mut Outbox) {
        let Some(strand) = self.all.get_mut(at) else {
            return;
        };
        if strand.aligner.opened() && !out.events.contains(&FeedEvent::Replaying) {
            out.events.push(FeedEvent::Replaying);
        }
    }

    /// One component's channel was closed; the connection stands.
    pub(super) fn closed(&mut self, id: &str) {
        if let Some(strand) = self.all.iter_mut().find(|strand| strand.id == id) {
            strand.aligner.lost();
        }
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self) {
        self.link.closed();
        for strand in &mut self.all {
            strand.aligner.lost();
        }
    }

    /// Whether lines are held.
    pub(super) fn is_holding(&self) -> bool {
        self.all.iter().any(|one| one.aligner.is_holding())
    }

    /// A line of a component came.
    pub(super) fn line(
        &mut self,
        now: Now,
        id: &str,
        (line, replay): (&Line<'_>, bool),
        out: &mut Outbox,
    ) {
        if replay {
            self.link.replayed(now, out);
        }
        let strand = self.all.iter_mut().find(|strand| strand.id == id);
        let (verdict, component) = match strand {
            Some(strand) => (
                strand.aligner.line(line, replay, now.wall),
                strand.component.as_slice(),
            ),
            None => (Verdict::Give, id.as_bytes()),
        };
        match verdict {
            Verdict::Give => {
                let head = (component, now.wall, replay);
                push_log(&mut self.sources, &mut out.batch, head, line);
            }
            Verdict::Full => self.settle_now(out),
            Verdict::Seen | Verdict::Kept => {}
        }
    }

    /// Settles if the history is over; `more` is the grade of what else the connection carries.
    /// True if it has just been settled.
    pub(super) fn check(&mut self, now: Now, more: Certainty, out: &mut Outbox) -> bool {
        if !self.link.is_over(now) {
            return false;
        }
        self.settle(more, out);
        out.events.push(FeedEvent::ReplayOver);
        true
    }

    fn settle(&mut self, more: Certainty, out: &mut Outbox) {
        let (certainty, hidden, lines) = self.settled(more, Aligner::settle);
        self.tell(certainty, hidden, out);
        self.give(lines, out);
    }

    /// Settles all: the worst grade, how many lines may be hidden, and the lines of each.
    fn settled(
        &mut self,
        mut certainty: Certainty,
        settle: impl Fn(&mut Aligner) -> Settled,
    ) -> (Certainty, u64, Vec<Vec<Held>>) {
        let (mut hidden, mut lines) = (0, Vec::new());
        for strand in &mut self.all {
            let settled = settle(&mut strand.aligner);
            certainty = certainty.max(settled.certainty);
            hidden += settled.hidden;
            lines.push(settled.lines);
        }
        (certainty, hidden, lines)
    }

    /// Gives out what is held, whatever may come yet.
    pub(super) fn settle_now(&mut self, out: &mut Outbox) {
        let (certainty, hidden, lines) = self.settled(Certainty::Possible, Aligner::settle_now);
        if self.link.has_returned() || lines.iter().any(|lines| !lines.is_empty()) {
            self.tell(certainty, hidden, out);
        }
        self.give(lines, out);
    }

    fn tell(&mut self, certainty: Certainty, hidden: u64, out: &mut Outbox) {
        let reason = word!("the history was read again", "重新读取了历史");
        self.link.tell((certainty, hidden), reason, out);
    }

    fn give(&mut self, lines: Vec<Vec<Held>>, out: &mut Outbox) {
        for (strand, lines) in self.all.iter().zip(lines) {
            let component = &*strand.component;
            for held in lines {
                let line = Line {
                    container: held.container.map(Into::into),
                    body: held.body.into(),
                };
                let head = (component, held.recv, held.replay);
                push_log(&mut self.sources, &mut out.batch, head, &line);
            }
        }
    }
}
