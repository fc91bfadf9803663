//! What every session knows of its connections: how long the last one has been gone, and
//! whether the present one still replays. The alignment of a replay with what was seen before
//! it, and the grade of a gap, have their place here: in [`Link::opened`] and [`Link::replayed`].

use std::time::Instant;

use crate::model::Mark;
use crate::text::SafeText;

use super::port::{FeedEvent, Now, Outbox};
use super::replay::ReplayWindow;

/// One target's connections, one after the other.
#[derive(Debug, Default)]
pub(super) struct Link {
    replay: Option<ReplayWindow>,
    lost: Option<(Instant, SafeText<'static>)>,
}

impl Link {
    /// A connection stands. After a loss that is marked.
    pub(super) fn opened(&mut self, now: Now, out: &mut Outbox) {
        if let Some((since, why)) = self.lost.take() {
            let away = now.mono.saturating_duration_since(since);
            out.batch.push_mark(Mark::Reconnected { away, why });
        }
    }

    /// So many histories begin to be replayed.
    pub(super) fn expect_replay(&mut self, now: Now, streams: usize) {
        self.replay = Some(ReplayWindow::new(now.mono, streams));
    }

    /// The connection is gone. An outage that goes on keeps its beginning and its reason.
    pub(super) fn closed(&mut self) {
        self.replay = None;
    }

    /// The connection is gone, and the target goes on.
    pub(super) fn lost(&mut self, now: Now, why: &SafeText<'static>) {
        self.closed();
        self.lost.get_or_insert_with(|| (now.mono, why.clone()));
    }

    /// Whether the server may still be in its history.
    pub(super) fn is_replaying(&self) -> bool {
        self.replay.is_some()
    }

    /// A line of the history came.
    pub(super) fn replayed(&mut self, now: Now, out: &mut Outbox) {
        if self
            .replay
            .as_mut()
            .is_some_and(|window| window.line(now.mono))
        {
            out.events.push(FeedEvent::Replaying);
        }
    }

    /// Tells when the history is over.
    pub(super) fn check(&mut self, now: Now, out: &mut Outbox) {
        if self
            .replay
            .as_ref()
            .is_some_and(|window| window.is_over(now.mono))
        {
            self.replay = None;
            out.events.push(FeedEvent::ReplayOver);
        }
    }

    /// When [`Link::check`] wants to be asked.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.replay.as_ref().map(ReplayWindow::deadline)
    }
}
