//! The only reader of the clocks. Everything else is handed its time as an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::model::Micros;

/// Now, for deadlines and periods; follows tokio's paused time in tests.
#[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn now() -> Instant {
    Instant::now()
}

/// Now by the wall clock, for showing only.
#[expect(clippy::disallowed_methods, reason = "the one reader of the clock")]
pub fn wall() -> Micros {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
