//! The platform's wall clock: it begins at an epoch and advances with tokio's time, which tests
//! can pause.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::model::Micros;

/// The wall clock; cheap to copy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    start: Instant,
    wall: Micros,
}

impl Times {
    /// A clock that shows `wall` now.
    pub(super) fn new(wall: Micros) -> Self {
        Self {
            start: clock::now(),
            wall,
        }
    }

    /// What it shows.
    pub(super) fn now(&self) -> Micros {
        later(self.wall, clock::now().duration_since(self.start))
    }
}

/// A moment so much later.
pub(super) fn later(at: Micros, by: Duration) -> Micros {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Micros(at.0.saturating_add(by))
}

/// The second of a moment, since 1970.
pub(super) fn seconds(at: Micros) -> i64 {
    at.0.div_euclid(1_000_000)
}
