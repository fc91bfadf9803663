//! Lines per second, over the last few seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(250);

/// A rate; it asks to be looked at again only while it is not 0.
#[derive(Debug, Default)]
pub struct Rate {
    steps: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// So many lines came.
    pub fn add(&mut self, now: Instant, lines: u64) {
        match self.steps.back_mut() {
            Some((since, count)) if now.saturating_duration_since(*since) < STEP => *count += lines,
            _ => self.steps.push_back((now, lines)),
        }
        self.forget(now);
    }

    /// Forgets what is too old. True if the rate changed by that.
    pub fn forget(&mut self, now: Instant) -> bool {
        let before = self.steps.len();
        while self
            .steps
            .front()
            .is_some_and(|(since, _)| now.saturating_duration_since(*since) >= WINDOW)
        {
            self.steps.pop_front();
        }
        before != self.steps.len()
    }

    /// Lines per second.
    pub fn per_second(&self, now: Instant) -> u64 {
        let total: u64 = self.steps.iter().map(|(_, count)| count).sum();
        let since = self
            .steps
            .front()
            .map_or(WINDOW, |(since, _)| now.saturating_duration_since(*since));
        let millis = since.clamp(Duration::from_secs(1), WINDOW).as_millis();
        u64::try_from(u128::from(total) * 1000 / millis).unwrap_or(u64::MAX)
    }

    /// When to look again; never while nothing comes.
    pub fn wake_at(&self) -> Option<Instant> {
        self.steps.front().map(|(since, _)| *since + WINDOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn a_rate_falls_to_nothing_and_then_asks_for_nothing() {
        let start = Instant::now();
        let mut rate = Rate::default();
        for tenth in 0..50u64 {
            rate.add(start + Duration::from_millis(tenth * 100), 10);
        }
        let now = start + Duration::from_secs(5);
        assert!(
            (90..=110).contains(&rate.per_second(now)),
            "{}",
            rate.per_second(now)
        );
        let mut wakes = 0;
        while let Some(at) = rate.wake_at() {
            rate.forget(at);
            wakes += 1;
        }
        assert!(wakes <= 13, "{wakes}");
        assert_eq!(rate.per_second(now + WINDOW), 0);
    }
}
