//! An event's steps over all connections of its SSE stream (protocols.md 3.3). Each connection
//! repeats the history first, up to `replay-complete`; what was seen is left out by message and
//! second, as the platform's own page does it.

use std::collections::HashMap;

use crate::codec::event_log;
use crate::codec::sse::Event;
use crate::model::RawBatch;

use super::align::print;
use super::log::push_event;
use super::port::Now;
use super::sources::Sources;

/// Steps that are remembered; a replay has 1000 at most.
const REMEMBERED: usize = 8192;

/// One event.
#[derive(Debug, Default)]
pub struct EventSteps {
    sources: Sources,
    /// That of the steps' fingerprints.
    key: u64,
    /// How often each step was seen: the fingerprint of its message and second.
    seen: HashMap<u64, u32>,
    /// Of those, how many this connection's history has not repeated yet.
    expected: Option<HashMap<u64, u32>>,
    connections: u32,
    over: bool,
}

impl EventSteps {
    /// Nothing was seen yet; `key` is that of the steps' fingerprints.
    pub fn new(key: u64) -> Self {
        Self {
            key,
            ..Self::default()
        }
    }

    /// A connection stands.
    pub fn opened(&mut self) {
        self.connections = self.connections.saturating_add(1);
        self.expected = Some(self.seen.clone());
    }

    /// Whether the event has ended.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Something came.
    pub fn event(&mut self, now: Now, event: &Event, batch: &mut RawBatch) {
        if event.name == "replay-complete" {
            self.expected = None;
            return;
        }
        let Some(step) = event_log::decode(&event.data) else {
            return;
        };
        // The second, whatever the fraction and the zone behind it.
        let second = step.time.get(..19).unwrap_or(&step.time);
        let seen_as = print(self.key, Some(second.as_bytes()), step.message.as_bytes());
        self.over |= step.outcome().is_some();
        if let Some(left) = self
            .expected
            .as_mut()
            .and_then(|expected| expected.get_mut(&seen_as))
            .filter(|left| **left > 0)
        {
            *left -= 1;
            return;
        }
        let replay = self.expected.is_some() && self.connections == 1;
        push_event(&mut self.sources, batch, now, (&event.data, replay), &step);
        if self.seen.len() < REMEMBERED || self.seen.contains_key(&seen_as) {
            let count = self.seen.entry(seen_as).or_default();
            *count = count.saturating_add(1);
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::Micros;

    fn feed(steps: &mut EventSteps, batch: &mut RawBatch, name: &str, data: &str) {
        let now = Now {
            mono: std::time::Instant::now(),
            wall: Micros(0),
        };
        let event = Event {
            name: name.into(),
            data: Bytes::copy_from_slice(data.as_bytes()),
            ..Event::default()
        };
        steps.event(now, &event, batch);
    }

    fn step(message: &str, second: u8, step: &str) -> String {
        format!(
            "{{\"event_id\":\"e\",\"step\":\"{step}\",\"status\":\"\",\"message\":\"{message}\",\"level\":\"info\",\"time\":\"2026-11-24T10:00:{second:02}+08:00\"}}"
        )
    }

    #[test]
    fn what_is_remembered_of_a_step_is_small_and_its_count_has_no_end() {
        let (mut steps, mut batch) = (EventSteps::default(), RawBatch::default());
        let long = "m".repeat(64 << 10);
        for second in 0..50 {
            feed(&mut steps, &mut batch, "", &step(&long, second, "x"));
        }
        steps.opened();
        assert!(format!("{steps:?}").len() < 16 << 10);
        feed(&mut steps, &mut batch, "replay-complete", "{}");
        steps.seen.values_mut().for_each(|count| *count = u32::MAX);
        feed(&mut steps, &mut batch, "", &step(&long, 1, "x"));
        assert_eq!(batch.len(), 51);
    }

    #[test]
    fn a_replay_after_a_cut_repeats_nothing_and_leaves_nothing_out() {
        let (mut steps, mut batch) = (EventSteps::default(), RawBatch::default());
        steps.opened();
        for text in [step("a", 1, "x"), step("b", 1, "x"), step("b", 1, "x")] {
            feed(&mut steps, &mut batch, "", &text);
        }
        feed(&mut steps, &mut batch, "replay-complete", "{}");
        feed(&mut steps, &mut batch, "", &step("c", 2, "x"));
        steps.opened();
        for text in [
            step("a", 1, "x"),
            step("b", 1, "x"),
            step("b", 1, "x"),
            step("b", 1, "x"),
            step("c", 2, "x"),
            step("d", 3, "x"),
        ] {
            feed(&mut steps, &mut batch, "", &text);
        }
        feed(&mut steps, &mut batch, "replay-complete", "{}");
        assert!(!steps.is_over());
        feed(&mut steps, &mut batch, "", &step("b", 1, "x"));
        feed(&mut steps, &mut batch, "", &step("done", 4, "last"));
        assert!(steps.is_over());
        let lines: Vec<String> = (0..batch.len())
            .map(|row| String::from_utf8_lossy(batch.line(row)).into_owned())
            .collect();
        assert_eq!(lines, ["a", "b", "b", "c", "b", "d", "b", "done"]);
    }
}
