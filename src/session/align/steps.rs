//! The steps of an event: its history is whole and begins with its first step, so what was seen
//! is left out by what it says (reliability.md 0, "Events").

use std::collections::HashMap;

use crate::codec::event_log::EventStep;
use crate::model::Certainty;

use super::join::take;
use super::print;

/// Steps that are remembered; a history has 1000 at most.
const REMEMBERED: usize = 8192;
/// A history of so many steps may not begin with the first one.
const FULL: usize = 1000;

/// What was seen of one event.
#[derive(Debug, Default)]
pub struct Steps {
    key: u64,
    seen: HashMap<u64, usize>,
    /// Of those, what this connection has not repeated yet.
    expected: HashMap<u64, usize>,
    repeated: usize,
    fresh: usize,
    again: bool,
}

impl Steps {
    /// Nothing was seen yet.
    pub fn new(key: u64) -> Self {
        Self {
            key,
            ..Self::default()
        }
    }

    /// A connection stands, and the history begins.
    pub fn opened(&mut self) {
        self.again = !self.seen.is_empty();
        self.expected.clone_from(&self.seen);
        (self.repeated, self.fresh) = (0, 0);
    }

    /// Whether a step is new.
    pub fn is_new(&mut self, step: &EventStep<'_>) -> bool {
        let mut key = print(self.key, Some(step.step.as_bytes()), step.time.as_bytes());
        key = print(key, None, step.message.as_bytes());
        if take(&mut self.expected, key) {
            self.repeated += 1;
            return false;
        }
        self.fresh += 1;
        if self.seen.len() < REMEMBERED || self.seen.contains_key(&key) {
            *self.seen.entry(key).or_default() += 1;
        }
        true
    }

    /// The history is over: what is new now is new even if it says the same.
    pub fn settle(&mut self) {
        self.expected.clear();
    }

    /// Whether steps may be missing, as far as this connection tells.
    pub fn certainty(&self) -> Certainty {
        match (self.again, self.repeated, self.fresh) {
            (false, ..) | (true, 1.., _) => Certainty::None,
            (true, 0, fresh) if fresh >= FULL => Certainty::Certain,
            (true, 0, _) => Certainty::Possible,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::event_log;

    #[test]
    fn a_step_is_seen_as_often_as_it_came() {
        let step = |text: &str, time: &str| {
            format!(
                r#"{{"event_id":"e","message":"{text}","status":"","step":"s","time":"{time}"}}"#
            )
        };
        let mut steps = Steps::new(1);
        let new = |steps: &mut Steps, text: &str, time: &str| {
            let frame = step(text, time);
            steps.is_new(&event_log::decode(frame.as_bytes()).unwrap())
        };
        steps.opened();
        for (text, time) in [("pull", "1"), ("pull", "1"), ("build", "2")] {
            assert!(new(&mut steps, text, time));
        }
        assert_eq!(steps.certainty(), Certainty::None);
        steps.settle();
        steps.opened();
        assert_eq!(steps.certainty(), Certainty::Possible, "nothing of it came");
        assert!(!new(&mut steps, "pull", "1"));
        assert!(!new(&mut steps, "pull", "1"));
        assert!(new(&mut steps, "pull", "1"), "the third one is new");
        assert!(!new(&mut steps, "build", "2"));
        assert!(new(&mut steps, "build", "3"), "the same at another time");
        assert_eq!(steps.certainty(), Certainty::None);
        steps.settle();
        assert!(new(&mut steps, "build", "3"), "past the history all is new");
    }
}
