//! Alerts in follow mode: rates of lines are counted here, metrics are measured elsewhere and
//! told; both become records.

use std::time::Duration;

use tokio::time::Instant;

use crate::clock;
use crate::codec::level;
use crate::model::alert::{Alert, Change, Subject, Watch};
use crate::model::{Level, Micros, RawBatch, RowFlags, words};
use crate::say;
use crate::store::volume::Recent;
use crate::text::SafeText;

use super::run::Follow;

/// Rates of lines are looked at so often.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// An alert that begins or ends.
#[derive(Clone, PartialEq, Debug)]
pub struct Alarm {
    /// The target, as it was typed.
    pub target: String,
    /// The alert's name.
    pub name: String,
    /// It holds now, or no longer.
    pub on: bool,
    /// The value, for people.
    pub shown: String,
}

/// Rates of lines that are watched, of each target.
#[derive(Debug, Default)]
pub(super) struct Rates {
    alerts: Vec<Alert>,
    targets: Vec<Target>,
}

#[derive(Debug)]
struct Target {
    text: String,
    name: String,
    recent: Recent,
    /// Beside each alert.
    watches: Vec<Watch>,
}

impl Rates {
    /// Watches those of the alerts that are about rates, on targets of these texts and names.
    pub(super) fn new(alerts: &[Alert], targets: &[(String, String)]) -> Self {
        let rates = alerts
            .iter()
            .filter(|alert| matches!(alert.subject, Subject::Rate(_)));
        let alerts: Vec<Alert> = rates.cloned().collect();
        if alerts.is_empty() {
            return Self::default();
        }
        let targets = targets.iter().map(|(text, name)| Target {
            text: text.clone(),
            name: name.clone(),
            recent: Recent::default(),
            watches: vec![Watch::default(); alerts.len()],
        });
        Self {
            targets: targets.collect(),
            alerts,
        }
    }

    /// Whether there is anything to watch.
    pub(super) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// Lines of a target came; those of its history came at another time.
    pub(super) fn count(&mut self, target: usize, batch: &RawBatch) {
        let Some(target) = self.targets.get_mut(target) else {
            return;
        };
        let levels = self
            .alerts
            .iter()
            .any(|alert| alert.subject != Subject::Rate(Level::None));
        for (index, row) in batch.rows().iter().enumerate() {
            if row.flags.has(RowFlags::REPLAY) {
                continue;
            }
            let level = match row.level {
                Level::None if levels => level::detect(SafeText::new(batch.line(index)).as_str()),
                stated => stated,
            };
            target.recent.add(row.recv, level, 1);
        }
    }

    /// What begins and ends, now that a second has passed.
    pub(super) fn look(&mut self, now: Micros) -> Vec<Alarm> {
        let mut alarms = Vec::new();
        for target in &mut self.targets {
            for (alert, watch) in self.alerts.iter().zip(&mut target.watches) {
                let Subject::Rate(level) = alert.subject else {
                    continue;
                };
                if !alert.is_for(&[&target.name]) {
                    continue;
                }
                let rate = target.recent.per_second(level, now);
                if let Some(change) = watch.see(alert, Some(rate), now) {
                    alarms.push(Alarm {
                        target: target.text.clone(),
                        name: alert.name.clone(),
                        on: change == Change::On,
                        shown: words::lines_per_second(rate),
                    });
                }
            }
        }
        alarms
    }
}

impl Follow {
    /// Rates of lines are looked at once a second.
    pub(super) fn look_at_rates(&mut self, now: Instant) {
        if self.rates.is_empty() || now < self.looked + LOOK {
            return;
        }
        self.looked = now;
        for alarm in self.rates.look(clock::wall()) {
            self.alarm(&alarm);
        }
    }

    /// An alert begins or ends.
    pub(super) fn alarm(&mut self, alarm: &Alarm) {
        self.printer
            .alarm(alarm, clock::wall(), &mut self.block.out);
        let Alarm {
            target,
            name,
            on,
            shown,
        } = alarm;
        self.always(&if *on {
            say!(
                "{target}: alert {name} ({shown})",
                "{target}：告警 {name}（{shown}）"
            )
        } else {
            say!("{target}: {name} is over", "{target}：{name} 已恢复")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::alert;
    use crate::model::RowHead;

    fn lines(count: usize, text: &str, second: i64, flags: u8) -> RawBatch {
        let mut batch = RawBatch::default();
        for _ in 0..count {
            let head = RowHead {
                recv: Micros(second * 1_000_000),
                flags: RowFlags(flags),
                ..RowHead::default()
            };
            batch.push(text.as_bytes(), &head);
        }
        batch
    }

    #[test]
    fn rates_are_watched_for_each_target() {
        let alerts = [
            alert::parse("rate(error) > 1").unwrap(),
            alert::parse("cpu > 1").unwrap(),
        ];
        let names = ["a", "b"].map(|name| (name.to_owned(), name.to_owned()));
        let mut rates = Rates::new(&alerts, &names);
        let at = |second: i64| Micros(second * 1_000_000);
        // A history is not now, and what is no error is none.
        rates.count(0, &lines(500, "ERROR x", 100, RowFlags::REPLAY));
        rates.count(0, &lines(500, "INFO x", 100, 0));
        rates.count(1, &lines(11, "ERROR x", 100, 0));
        let alarms = rates.look(at(101));
        let told: Vec<_> = alarms
            .iter()
            .map(|one| (one.target.as_str(), one.on))
            .collect();
        assert_eq!(told, [("b", true)]);
        assert_eq!(alarms[0].shown, "1.1 lines/s");
        assert!(rates.look(at(105)).is_empty(), "once");
        let told: Vec<_> = rates.look(at(111)).into_iter().map(|one| one.on).collect();
        assert_eq!(told, [false]);
        assert!(Rates::new(&alerts[1..], &names).is_empty());
    }
}
