//! Alerts: an expression over a metric or a rate of lines that is to be told when it holds, and
//! when it holds no longer.

use std::time::Duration;

use super::metric::Metric;
use super::recipe::{Recipe, What};
use super::{Level, Micros};
use crate::text::glob;

/// What an alert looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A metric of a component: the highest of its lines.
    Metric(Metric),
    /// An own chart, by its title.
    Chart(String),
    /// Lines a second, of this level or worse; of any where it is [`Level::None`].
    Rate(Level),
}

/// How a value is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compare {
    /// `>`.
    Above,
    /// `>=`.
    AtLeast,
    /// `<`.
    Below,
    /// `<=`.
    AtMost,
}

/// One alert.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// Its name; the expression where it has none.
    pub name: String,
    /// What it looks at.
    pub subject: Subject,
    /// How.
    pub compare: Compare,
    /// With what.
    pub value: f64,
    /// It must hold for so long.
    pub lasting: Duration,
    /// Components that it is for: a name with `*` and `?`; all of them where it is empty.
    pub component: String,
    /// The bell rings.
    pub bell: bool,
    /// The terminal is asked for a notification.
    pub notify: bool,
}

impl Alert {
    /// Whether a value is one that it tells of. What is no number is not.
    pub fn holds(&self, value: f64) -> bool {
        match self.compare {
            Compare::Above => value > self.value,
            Compare::AtLeast => value >= self.value,
            Compare::Below => value < self.value,
            Compare::AtMost => value <= self.value,
        }
    }

    /// Whether it looks at what this chart is made from.
    pub fn is_about(&self, recipe: &Recipe) -> bool {
        match &self.subject {
            Subject::Metric(metric) => recipe.what == What::Metric(*metric),
            Subject::Chart(title) => recipe.title == *title,
            Subject::Rate(_) => false,
        }
    }

    /// Whether it is for a component of these names.
    pub fn is_for(&self, names: &[&str]) -> bool {
        self.component.is_empty() || names.iter().any(|name| glob::fits(&self.component, name))
    }
}

/// What has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It holds now, for long enough.
    On,
    /// It holds no longer.
    Off,
}

/// How an alert stands, of one thing that it looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Watch {
    since: Option<Micros>,
    on: bool,
}

impl Watch {
    /// A value is known, or is known to be missing: then nothing changes, since silence is
    /// neither good nor bad.
    pub fn see(&mut self, alert: &Alert, value: Option<f64>, now: Micros) -> Option<Change> {
        let value = value?;
        if !alert.holds(value) {
            self.since = None;
            return std::mem::take(&mut self.on).then_some(Change::Off);
        }
        let since = *self.since.get_or_insert(now);
        let lasting = i64::try_from(alert.lasting.as_micros()).unwrap_or(i64::MAX);
        if self.on || now.0.saturating_sub(since.0) < lasting {
            return None;
        }
        self.on = true;
        Some(Change::On)
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(lasting: u64) -> Alert {
        Alert {
            name: "hot".to_owned(),
            subject: Subject::Metric(Metric::Cpu),
            compare: Compare::Above,
            value: 10.0,
            lasting: Duration::from_secs(lasting),
            component: String::new(),
            bell: true,
            notify: false,
        }
    }

    #[test]
    fn it_is_told_once_when_it_begins_and_once_when_it_ends() {
        let (alert, mut watch) = (alert(10), Watch::default());
        let steps = [
            (0, Some(11.0), None),
            (5, Some(12.0), None),
            // Shorter than it has to last.
            (6, Some(9.0), None),
            (7, Some(11.0), None),
            (16, Some(11.0), None),
            (17, Some(11.0), Some(Change::On)),
            (20, Some(99.0), None),
            (25, None, None),
            (30, Some(f64::NAN), Some(Change::Off)),
            (31, Some(1.0), None),
        ];
        for (second, value, want) in steps {
            let told = watch.see(&alert, value, Micros(second * 1_000_000));
            assert_eq!(told, want, "at {second}");
        }
    }

    #[test]
    fn names_are_chosen_by_stars() {
        for (pattern, name, want) in [
            ("", "x", true),
            ("order-*", "order-center", true),
            ("order-*", "border-1", false),
            ("*单*", "订单中心", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("**a**", "bab", true),
        ] {
            let alert = Alert {
                component: pattern.to_owned(),
                ..alert(0)
            };
            assert_eq!(alert.is_for(&[name]), want, "{pattern} {name}");
        }
    }
}
