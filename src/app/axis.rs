//! The axis of time that charts, tables and the strips over lines share: how much of it is seen,
//! and up to where. Its moments are the server's.

use std::time::Duration;

use crate::model::Micros;
use crate::model::sample::Window;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How much can be seen at once, in seconds.
pub const SPANS: [u64; 10] = [
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    3 * DAY,
    7 * DAY,
];

/// Paces that people find in a clock, in seconds.
const STEPS: [u64; 10] = [5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
/// Values of a series at most, in one window.
const VALUES: u64 = 360;

/// A part of the axis.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// How much of it, in seconds; one of [`SPANS`].
    pub span: u64,
    /// Where it ends; it moves on with time if nowhere.
    pub end: Option<Micros>,
}

impl Default for Axis {
    fn default() -> Self {
        Self {
            span: 15 * MINUTE,
            end: None,
        }
    }
}

impl Axis {
    /// Seconds between two values.
    pub fn step(&self) -> u64 {
        let least = self.span.div_ceil(VALUES);
        let fit = STEPS.into_iter().find(|step| *step >= least);
        fit.unwrap_or(3600)
    }

    /// The part that is seen at this moment; its ends lie on whole steps.
    pub fn window(&self, now: Micros) -> Window {
        let step = Duration::from_secs(self.step());
        let span = Duration::from_secs(self.span);
        Window::last(self.end.unwrap_or(now), step, span, step)
    }

    /// Sees less, or more; what stands at `around` stays inside.
    pub fn zoom(&mut self, closer: bool, around: Option<Micros>, now: Micros) {
        let at = SPANS.iter().position(|span| *span == self.span);
        let at = at.unwrap_or(1);
        let next = if closer {
            at.checked_sub(1)
        } else {
            Some(at + 1)
        };
        let Some(span) = next.and_then(|at| SPANS.get(at)) else {
            return;
        };
        self.span = *span;
        if let Some(around) = around {
            self.show(around, now);
        }
    }

    /// Goes by a quarter of what is seen; not past the present, where it moves on by itself.
    pub fn pan(&mut self, later: bool, now: Micros) {
        let quarter = i64::try_from(self.span).unwrap_or(0) * 250_000;
        let end = self.end.unwrap_or(now).0;
        let end = if later { end + quarter } else { end - quarter };
        self.end = (end < now.0).then_some(Micros(end.max(0)));
    }

    /// Sees `moment`.
    pub fn show(&mut self, moment: Micros, now: Micros) {
        let window = self.window(now);
        if moment < window.from || moment > window.to {
            let half = i64::try_from(self.span).unwrap_or(0) * 500_000;
            let end = Micros(moment.0.saturating_add(half));
            self.end = (end < now).then_some(end);
        }
    }
}

/// A span in one word: `5m`, `1h`, `7d`.
pub fn word(span: u64) -> String {
    match span {
        _ if span >= DAY => format!("{}d", span / DAY),
        _ if span >= HOUR => format!("{}h", span / HOUR),
        _ => format!("{}m", span / MINUTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_lie_on_whole_steps_and_hold_few_values() {
        let now = Micros(1_795_529_003_700_000);
        for span in SPANS {
            let axis = Axis { span, end: None };
            let window = axis.window(now);
            let step = i64::try_from(window.step.as_micros()).unwrap();
            assert_eq!((window.to.0 % step, window.from.0 % step), (0, 0));
            assert!(window.to <= now && now.0 - window.to.0 < step);
            let values = (window.to.0 - window.from.0) / step;
            assert!((20..=360).contains(&values), "{span}: {values}");
        }
    }

    #[test]
    fn it_does_not_leave_the_present_behind() {
        let now = Micros(1_795_529_003_700_000);
        let mut axis = Axis::default();
        axis.pan(true, now);
        assert_eq!(axis.end, None);
        axis.pan(false, now);
        let quarter = 15 * 60 * 250_000;
        assert_eq!(axis.end, Some(Micros(now.0 - quarter)));
        axis.pan(true, now);
        assert_eq!(axis.end, None);
        let old = Micros(now.0 - 3 * 3600 * 1_000_000);
        axis.show(old, now);
        let window = axis.window(now);
        assert!(window.from < old && old < window.to);
        axis.zoom(true, Some(old), now);
        let window = axis.window(now);
        assert_eq!(axis.span, 300);
        assert!(window.from <= old && old <= window.to);
        for _ in 0..20 {
            axis.zoom(false, Some(old), now);
        }
        assert_eq!((axis.span, word(axis.span).as_str()), (7 * DAY, "7d"));
    }
}
