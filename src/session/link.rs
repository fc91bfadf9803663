//! What every session knows of its connections: how long the last one has been gone, whether the
//! present one still replays, and which returns are still to be told: whether lines are missing
//! is known only when the history is over ([`super::align`]).

use std::time::{Duration, Instant};

use crate::model::{Certainty, Mark};
use crate::text::SafeText;

use super::port::{FeedEvent, Now, Outbox};
use super::replay::ReplayWindow;

/// One target's connections, one after the other.
#[derive(Debug, Default)]
pub(super) struct Link {
    replay: Option<ReplayWindow>,
    lost: Option<(Instant, SafeText<'static>)>,
    /// Returns that are not told yet: how long it was away, and why.
    returns: Vec<(Duration, SafeText<'static>)>,
}

/// Returns that wait to be told; of more, the last ones are told as one.
const RETURNS: usize = 64;

impl Link {
    /// A connection stands. After a loss that is to be told by [`Link::tell`].
    pub(super) fn opened(&mut self, now: Now) {
        let Some((since, why)) = self.lost.take() else {
            return;
        };
        let away = now.mono.saturating_duration_since(since);
        let many = self.returns.len() >= RETURNS;
        match self.returns.last_mut() {
            Some((all, _)) if many => *all += away,
            _ => self.returns.push((away, why)),
        }
    }

    /// Whether a return is still to be told.
    pub(super) fn has_returned(&self) -> bool {
        !self.returns.is_empty()
    }

    /// Tells the returns. Without any, only what is worse than no loss is told, for `reason`.
    pub(super) fn tell(
        &mut self,
        (certainty, hidden): (Certainty, u64),
        reason: &str,
        out: &mut Outbox,
    ) {
        if self.returns.is_empty() && (certainty, hidden) != (Certainty::None, 0) {
            out.batch.push_mark(Mark::Gap {
                why: SafeText::of(reason).into_owned(),
                certainty,
                hidden,
                missing: None,
            });
        }
        let last = self.returns.len().saturating_sub(1);
        for (at, (away, why)) in std::mem::take(&mut self.returns).into_iter().enumerate() {
            let hidden = if at == last { hidden } else { 0 };
            out.batch.push_mark(Mark::Reconnected {
                away,
                why,
                certainty,
                hidden,
            });
        }
    }

    /// So many histories begin to be replayed.
    pub(super) fn expect_replay(&mut self, now: Now, streams: usize) {
        self.replay = Some(ReplayWindow::new(now.mono, streams));
    }

    /// One more history begins to be replayed on a connection that stands.
    pub(super) fn expect_one_more(&mut self, now: Now) {
        match &mut self.replay {
            Some(window) => window.one_more(now.mono),
            None => self.expect_replay(now, 1),
        }
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

    /// Whether the history has just come to its end.
    pub(super) fn is_over(&mut self, now: Now) -> bool {
        let over = |window: &ReplayWindow| window.is_over(now.mono);
        let over = self.replay.as_ref().is_some_and(over);
        if over {
            self.replay = None;
        }
        over
    }

    /// When [`Link::is_over`] wants to be asked.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.replay.as_ref().map(ReplayWindow::deadline)
    }
}
