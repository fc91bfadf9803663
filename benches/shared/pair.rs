//! An anchor and what is measured against it, interleaved in one run.

use std::time::Duration;

/// Each is measured so often.
pub(crate) const ROUNDS: usize = 5;

/// The medians of both, taken in turns.
pub(crate) fn pair(
    mut anchor: impl FnMut() -> Duration,
    mut subject: impl FnMut() -> Duration,
) -> (Duration, Duration) {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| (anchor(), subject())).collect();
    times.sort_by_key(|times| times.0);
    let anchor = times[ROUNDS / 2].0;
    times.sort_by_key(|times| times.1);
    (anchor, times[ROUNDS / 2].1)
}
