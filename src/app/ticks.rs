//! What happened, as ticks on the axis of time: marks between lines, what the platform did, and
//! errors that come all at once.

use crate::model::batch::Item;
use crate::model::catalog::EventEntry;
use crate::model::{Certainty, LineBatch, LinkState, Mark, Micros, TargetId, words};
use crate::say;
use crate::store::timeline::{Tick, TickKind};

use super::App;

/// Errors of this time before now are looked at for bursts, in microseconds.
const LATELY: i64 = 60_000_000;

/// Events of the past that are ticks on the axis of charts.
pub const EVENTS: usize = 50;

/// Characters of a tick's words.
const WORDS: usize = 200;

impl App {
    pub(super) fn tick(&mut self, at: Micros, kind: TickKind, mut words: String) {
        if let Some((end, _)) = words.char_indices().nth(WORDS) {
            words.truncate(end);
            words.shrink_to_fit();
        }
        self.timeline.push(Tick { at, kind, words });
    }

    /// Marks that came with lines of a target.
    pub(super) fn tick_marks(&mut self, target: TargetId, batch: &LineBatch) {
        if batch.marks().is_empty() {
            return;
        }
        let live = self
            .targets
            .get(usize::from(target.0))
            .is_some_and(|opened| opened.state == LinkState::Live);
        let mut at = self.now.wall;
        let mut ticks = Vec::new();
        for item in batch.iter() {
            match item {
                Item::Line(_, row) => at = row.stamp.unwrap_or(row.recv),
                Item::Mark(mark) => {
                    let kind = match mark {
                        Mark::Reconnected {
                            certainty: Certainty::None,
                            ..
                        } => TickKind::Reconnect,
                        Mark::Gap {
                            certainty: Certainty::None,
                            ..
                        } => continue,
                        Mark::Reconnected { .. } | Mark::Gap { .. } => TickKind::Gap,
                        Mark::Dropped { .. } => TickKind::Dropped,
                        // Who is there from the beginning did not start just now.
                        Mark::Join(_) if live => TickKind::Restart,
                        Mark::Leave(_) => TickKind::Restart,
                        Mark::Join(_) | Mark::Notice(_) => continue,
                    };
                    ticks.push((at, kind, words::mark(mark)));
                }
            }
        }
        let name = self.target_name(target).to_owned();
        for (at, kind, words) in ticks {
            self.tick(at, kind, say!("{name}: {words}", "{name}：{words}"));
        }
    }

    /// What the platform did.
    pub(super) fn tick_events(&mut self, events: &[EventEntry]) {
        for event in events.iter().take(EVENTS) {
            let failed = matches!(event.status.as_str(), "failure" | "timeout");
            let kind = match event.kind.as_str() {
                _ if failed => TickKind::DeployFailed,
                kind if kind.contains("restart") || kind.contains("start") => TickKind::Restart,
                _ => TickKind::Deploy,
            };
            let Some(began) = event.began else { continue };
            let by = if event.user.is_empty() {
                String::new()
            } else {
                say!(" by {}", "（{}）", event.user)
            };
            let words = format!("{}{by}", event.kind);
            self.tick(began, kind, words);
            if let Some(ended) = event.ended.filter(|ended| failed && *ended > began) {
                let words = format!("{} {}", event.kind, event.status);
                self.tick(ended, TickKind::DeployFailed, words);
            }
        }
    }

    /// Errors that came all at once, lately.
    pub(super) fn tick_bursts(&mut self) {
        let to = self.now.wall;
        let from = Micros(to.0.saturating_sub(LATELY));
        let mut found = Vec::new();
        for pane in self.panes.values() {
            if pane
                .times
                .volume
                .rate(from, to, |level| level >= crate::model::Level::Error)
                == 0
            {
                continue;
            }
            let name = self.title(pane);
            let bursts = pane.times.volume.bursts(from, to);
            found.extend(bursts.into_iter().map(|(at, _)| (at, name.clone())));
        }
        for (at, name) in found {
            let words = say!("burst of errors: {name}", "错误突增：{name}");
            self.tick(at, TickKind::Burst, words);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::app::Now;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn a_server_fills_the_axis_neither_with_words_nor_with_events() {
        let now = Now {
            mono: std::time::Instant::now(),
            wall: Micros(1_000_000),
        };
        let mut app = App::new(Vec::new(), false, 1 << 20, Rect::new(0, 0, 80, 24), now);
        let long = "订".repeat(4096);
        let event = |at: i64| EventEntry {
            kind: format!("{at}{long}"),
            user: long.clone(),
            status: long.clone(),
            began: Some(Micros(at)),
            ..EventEntry::default()
        };
        let events: Vec<EventEntry> = (0..500).map(event).collect();
        app.tick_events(&events);
        let ticks: Vec<&Tick> = app.timeline.between(Micros(0), Micros(i64::MAX)).collect();
        assert_eq!(ticks.len(), EVENTS);
        let longest = ticks.iter().map(|tick| tick.words.chars().count()).max();
        assert_eq!(longest, Some(WORDS));
    }
}
