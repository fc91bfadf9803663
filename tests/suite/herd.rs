//! Many clients of a server that falls and returns (reliability.md 8, row 9), in virtual time:
//! their waits are drawn as the program draws them.

use std::time::{Duration, Instant};

use deckwatch::session::backoff::{Backoff, Pace};

const CLIENTS: u64 = 500;

/// One client: when it tries, counted from the moment when the server fell, up to the first
/// attempt that finds it again.
fn attempts(seed: u64, start: Instant, down: Duration) -> Vec<Duration> {
    let mut backoff = Backoff::new(Pace::WebSocket, seed);
    backoff.opened(start);
    let mut now = start + Duration::from_secs(3600);
    let fell = now;
    let mut tries = Vec::new();
    loop {
        now += backoff.failed(now, 0);
        tries.push(now - fell);
        if now - fell >= down {
            return tries;
        }
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
fn row_09_a_server_that_returns_is_not_run_over() {
    let start = Instant::now();
    let down = Duration::from_secs(60);
    let all: Vec<Vec<Duration>> = (0..CLIENTS)
        .map(|seed| attempts(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), start, down))
        .collect();
    // At most six attempts in any minute of any client.
    for tries in &all {
        for window in tries.windows(7) {
            let [first, .., last] = window else { continue };
            assert!(*last >= *first + Duration::from_secs(60), "{tries:?}");
        }
    }
    let mut back: Vec<Duration> = all
        .iter()
        .filter_map(|tries| tries.last())
        .map(|at| at.saturating_sub(down))
        .collect();
    back.sort();
    let within = |limit: u64| {
        let limit = Duration::from_secs(limit);
        back.partition_point(|at| *at <= limit) * 100 / back.len()
    };
    assert!(within(35) >= 95, "{} % back after 35 s", within(35));
    // No second after the return sees more than 60 of the 500.
    let most = (0..60)
        .map(|second| {
            let from = Duration::from_secs(second);
            let to = Duration::from_secs(second + 1);
            back.iter().filter(|at| **at >= from && **at < to).count()
        })
        .max();
    assert!(most.is_some_and(|most| most <= 60), "{most:?} in a second");
}

/// The first waits of many clients are spread as evenly as chance has it: the Kolmogorov-Smirnov
/// distance to the even spread stays below what p = 0.01 allows.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
fn row_09_the_first_waits_are_uniform() {
    let start = Instant::now();
    let floor = Duration::from_millis(250);
    let mut waits: Vec<f64> = (0..5000_u64)
        .map(|seed| Backoff::new(Pace::WebSocket, seed ^ 0x5bd1_e995).failed(start, 0))
        .filter(|wait| *wait > floor)
        .map(|wait| wait.saturating_sub(floor).as_secs_f64() / 1.75)
        .collect();
    waits.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(waits.len()).unwrap_or(0));
    let steps = waits.iter().zip(1_u32..);
    let distance = steps.fold(0.0_f64, |most, (wait, number)| {
        let (before, after) = (f64::from(number - 1) / count, f64::from(number) / count);
        most.max((wait - before).abs()).max((after - wait).abs())
    });
    let limit = 1.63 / count.sqrt();
    assert!(distance < limit, "{distance} of {limit}");
}
