//! When the server's history is over. No server says so (protocols.md 1.4): it is over after
//! 1000 lines, or 1.5 s without one after the first, or 3 s without any, or 10 s (decision 1).

use std::time::{Duration, Instant};

const LINES: u32 = 1000;
const QUIET: Duration = Duration::from_millis(1500);
const EMPTY: Duration = Duration::from_secs(3);
const LIMIT: Duration = Duration::from_secs(10);
/// Histories that begin anew on the same socket put the end off no further than this.
const LATEST: Duration = Duration::from_secs(30);

/// Watches one connection's replay.
#[derive(Debug)]
pub struct ReplayWindow {
    started: Instant,
    latest: Instant,
    last: Option<Instant>,
    seen: u32,
    lines: u32,
}

impl ReplayWindow {
    /// A replay that begins now, of `streams` histories on one socket.
    pub fn new(now: Instant, streams: usize) -> Self {
        let streams = u32::try_from(streams).unwrap_or(u32::MAX).max(1);
        Self {
            started: now,
            latest: now + LATEST,
            last: None,
            seen: 0,
            lines: LINES.saturating_mul(streams),
        }
    }

    /// One more history begins on the socket before the others are over.
    pub fn one_more(&mut self, now: Instant) {
        self.started = now;
        self.last = None;
        self.lines = self.lines.saturating_add(LINES);
    }

    /// A replayed line came. True if it was the first.
    pub fn line(&mut self, now: Instant) -> bool {
        let first = self.last.is_none();
        self.last = Some(now);
        self.seen = self.seen.saturating_add(1);
        first
    }

    /// Whether it is over.
    pub fn is_over(&self, now: Instant) -> bool {
        self.seen >= self.lines || now >= self.deadline()
    }

    /// When it is over if no further line comes.
    pub fn deadline(&self) -> Instant {
        let quiet = self.last.map_or(self.started + EMPTY, |last| last + QUIET);
        quiet.min(self.started + LIMIT).min(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn it_ends_by_count_by_quiet_by_emptiness_and_by_the_limit() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut window = ReplayWindow::new(start, 1);
        assert!(!window.is_over(at(2999)));
        assert!(window.is_over(at(3000)), "3 s without any");
        assert!(window.line(at(2000)) && !window.line(at(2100)));
        assert!(!window.is_over(at(3500)));
        assert!(window.is_over(at(3600)), "1.5 s after the last");
        for _ in 0..997 {
            window.line(at(2200));
        }
        assert!(!window.is_over(at(2200)));
        window.line(at(2200));
        assert!(window.is_over(at(2200)), "1000 lines");
        let mut slow = ReplayWindow::new(start, 2);
        for second in 1..10 {
            slow.line(at(second * 1000));
            assert!(!slow.is_over(at(second * 1000)));
        }
        slow.line(at(9900));
        assert!(slow.is_over(at(10_000)), "10 s at most");
    }
}
