//! How long to wait before the next attempt (reliability.md 2.4, decision 4).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A link that stood this long has ended its outage.
const STABLE: Duration = Duration::from_secs(60);
/// A link that brought this many lines has, too.
const STABLE_LINES: u64 = 1000;
const CAP: Duration = Duration::from_secs(30);
const BASE: Duration = Duration::from_millis(500);
const FLOOR: Duration = Duration::from_millis(250);
const FIRST: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_secs(60);
const PER_MINUTE: usize = 6;

/// Whom we dial: the platform's WebSockets are to be spared, a ZeroMQ publisher expects to be
/// tried soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// Full jitter up to 30 s, at most 6 attempts a minute.
    WebSocket,
    /// 100 ms doubling to 2 s, each ± 50 %, for the first 30 s of an outage; then as above.
    ZeroMq,
}

/// The waits of one outage after another.
#[derive(Debug)]
pub struct Backoff {
    pace: Pace,
    random: fastrand::Rng,
    failures: u32,
    outage_since: Option<Instant>,
    opened: Option<Instant>,
    attempts: VecDeque<Instant>,
}

impl Backoff {
    /// Waits drawn from `seed`.
    pub fn new(pace: Pace, seed: u64) -> Self {
        Self {
            pace,
            random: fastrand::Rng::with_seed(seed),
            failures: 0,
            outage_since: None,
            opened: None,
            attempts: VecDeque::with_capacity(PER_MINUTE),
        }
    }

    /// A connection stands.
    pub fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
    }

    /// An attempt failed, or a connection that had brought `lines` lines was lost. The answer
    /// is the wait before the next attempt.
    pub fn failed(&mut self, now: Instant, lines: u64) -> Duration {
        let stood = self.opened.take().map(|since| now.duration_since(since));
        if stood.is_some_and(|stood| stood >= STABLE || lines >= STABLE_LINES) {
            self.failures = 0;
            self.outage_since = None;
        }
        let since = *self.outage_since.get_or_insert(now);
        let wait = if self.pace == Pace::ZeroMq && now.duration_since(since) < CAP {
            let step = Duration::from_millis(100 << self.failures.min(5)).min(FIRST);
            step.mul_f64(0.5 + self.random.f64())
        } else {
            self.spared(now)
        };
        self.failures = self.failures.saturating_add(1);
        self.note(now + wait);
        wait
    }

    /// Attempts since the outage began.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn spared(&mut self, now: Instant) -> Duration {
        let most = if self.failures == 0 {
            FIRST
        } else {
            CAP.min(BASE * 2u32.pow(self.failures.min(6)))
        };
        let wait = most.mul_f64(self.random.f64()).max(FLOOR);
        let full = self.attempts.len() == PER_MINUTE;
        let first = self.attempts.front().filter(|_| full);
        let earliest = first.map_or(Duration::ZERO, |first| {
            (*first + MINUTE).saturating_duration_since(now)
        });
        if wait >= earliest {
            return wait;
        }
        // All clients of a server that fell began at once, and would all be let in again at
        // once, a minute later.
        earliest + most.mul_f64(self.random.f64())
    }

    fn note(&mut self, attempt: Instant) {
        if self.attempts.len() == PER_MINUTE {
            self.attempts.pop_front();
        }
        self.attempts.push_back(attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn websocket_waits_are_jittered_bounded_and_at_most_six_a_minute() {
        for seed in 0..200 {
            let mut backoff = Backoff::new(Pace::WebSocket, seed);
            let mut now = start();
            let mut attempts = Vec::new();
            for n in 0..30 {
                let wait = backoff.failed(now, 0);
                assert!(wait >= FLOOR, "seed {seed}, {n}: {wait:?}");
                if n == 0 {
                    assert!(wait <= FIRST, "seed {seed}: {wait:?}");
                }
                now += wait;
                attempts.push(now);
            }
            for window in attempts.windows(PER_MINUTE + 1) {
                assert!(window[PER_MINUTE] - window[0] >= MINUTE, "seed {seed}");
            }
        }
    }

    #[test]
    fn waits_differ_between_clients() {
        let first: Vec<_> = (0..50)
            .map(|seed| Backoff::new(Pace::WebSocket, seed).failed(start(), 0))
            .collect();
        let spread = first
            .iter()
            .max()
            .unwrap()
            .saturating_sub(*first.iter().min().unwrap());
        assert!(spread > Duration::from_secs(1), "{spread:?}");
    }

    #[test]
    fn zeromq_is_tried_soon_and_then_spared() {
        let mut backoff = Backoff::new(Pace::ZeroMq, 7);
        let mut now = start();
        let began = now;
        let mut n = 0;
        while now - began < CAP {
            let wait = backoff.failed(now, 0);
            let step = Duration::from_millis(100 << n.min(5)).min(FIRST);
            assert!(wait >= step / 2 && wait <= step * 3 / 2, "{n}: {wait:?}");
            now += wait;
            n += 1;
        }
        assert!(n >= 15, "{n} attempts in 30 s");
    }

    #[test]
    fn only_a_stable_link_ends_an_outage() {
        let mut backoff = Backoff::new(Pace::ZeroMq, 7);
        let mut now = start();
        for _ in 0..4 {
            now += backoff.failed(now, 0);
            backoff.opened(now);
        }
        assert_eq!(
            backoff.failures(),
            4,
            "a link that is lost at once goes on with the outage"
        );
        now += STABLE;
        backoff.failed(now, 0);
        assert_eq!(backoff.failures(), 1);
        backoff.opened(now);
        backoff.failed(now, STABLE_LINES);
        assert_eq!(backoff.failures(), 1);
    }
}
