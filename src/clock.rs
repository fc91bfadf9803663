//! The only reader of clocks. Everything else is handed the time.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Micros;

/// The monotonic clock that deadlines are made of; tokio's, so that tests can pause it.
#[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// The wall clock, for showing only.
#[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn wall() -> Micros {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
