//! States and marks in words, for standard error and for panes.

use std::time::Duration;

use super::{EndReason, LinkState, Mark};

/// A duration as people read it: `350 ms`, `4.2 s`, `3 m 20 s`.
pub fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..100_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} m {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// An input or output error's own words, without the error number behind them.
pub fn io_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A number with thousands separated.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A mark in one line of words.
pub fn mark(mark: &Mark) -> String {
    match mark {
        Mark::Reconnected { away, why } => {
            format!(
                "reconnected after {} ({why}); lines may be missing or repeated here",
                duration(*away)
            )
        }
        Mark::Gap { why } => format!("gap: {why}"),
        Mark::Dropped { lines } => format!(
            "{} lines were not kept: they came faster than they were taken",
            count(*lines)
        ),
        Mark::Join(name) => format!("+ {}", name.text()),
        Mark::Leave(name) => format!("- {}", name.text()),
        Mark::Notice(text) => text.to_string(),
    }
}

/// A link's state in words.
pub fn state(state: &LinkState) -> String {
    match state {
        LinkState::Connecting(step) => step.to_string(),
        LinkState::Open => "connected, waiting for lines".into(),
        LinkState::Replaying => "reading the history".into(),
        LinkState::Live => "live".into(),
        LinkState::Stale => "connected, but the server does not answer".into(),
        LinkState::Waiting {
            retry_in,
            attempt,
            why,
        } => {
            format!(
                "no connection: {why}; attempt {attempt} in {}",
                duration(*retry_in)
            )
        }
        LinkState::Ended(reason) => end(reason),
    }
}

/// An end in words.
pub fn end(reason: &EndReason) -> String {
    match reason {
        EndReason::Finished => "ended".into(),
        EndReason::Success(words) if words.as_str().is_empty() => "ended well".into(),
        EndReason::Success(words) => format!("ended well: {words}"),
        EndReason::Failure(words) if words.as_str().is_empty() => "failed".into(),
        EndReason::Failure(words) => format!("failed: {words}"),
        EndReason::Fault(fault) => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_readable() {
        for (number, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), want);
        }
        for (millis, want) in [(0, "0 ms"), (4230, "4.2 s"), (200_000, "3 m 20 s")] {
            assert_eq!(duration(Duration::from_millis(millis)), want);
        }
    }
}
