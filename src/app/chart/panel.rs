//! One chart: its series, what of them is known, and which are hidden.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{Ask, Recipe, What, pace};
use crate::model::sample::{Flaws, Labels, Measured, Reading, Window};
use crate::model::{Fault, FaultKind, Micros};
use crate::store::series::{Limits, SeriesStore};

/// Series and samples of one chart at most.
const LIMITS: Limits = Limits {
    series: 200,
    samples: 200_000,
};
/// Values that come late are asked for once more within this time.
const LATE: i64 = 30_000_000;
/// A question without an answer is given up after this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// What failed is asked again after this time.
const AGAIN: Duration = Duration::from_secs(10);
/// Values further apart than this may hide what is shorter: then each is a peak.
const FINE: Duration = Duration::from_secs(15);

/// One chart.
#[derive(Debug)]
pub struct Panel {
    /// What it is made from.
    pub recipe: Recipe,
    /// Its series.
    pub store: SeriesStore,
    /// Series that are not drawn.
    pub hidden: BTreeSet<Labels>,
    /// This one alone is drawn.
    pub solo: Option<Labels>,
    /// Why the last question was not answered.
    pub fault: Option<String>,
    /// The server answered without any result.
    pub blank: bool,
    /// What of the answers could not be taken.
    pub flaws: Flaws,
    /// What the server remarks.
    pub notes: Vec<String>,
    /// Each value is the highest of its step.
    pub peaks: bool,
    /// An alert of this name is on.
    pub alarm: Option<String>,
    /// The step of what is stored.
    step: Duration,
    /// What was asked for, and answered.
    known: Option<(Micros, Micros)>,
    /// Where that begins which is seen.
    seen: Micros,
    /// The server does not know subqueries.
    flat: bool,
    waits: Option<Instant>,
    due: Option<Instant>,
    number: u64,
}

/// How a chart stands, where it has no line to draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Nothing was answered yet.
    Waiting,
    /// There are lines.
    Lines,
    /// There is no data.
    Nothing,
    /// There may be data, but the server behind the console may be down.
    Blank,
}

impl Panel {
    /// A chart without data.
    pub fn new(recipe: Recipe) -> Self {
        Self {
            recipe,
            store: SeriesStore::new(LIMITS),
            hidden: BTreeSet::new(),
            solo: None,
            fault: None,
            blank: false,
            flaws: Flaws::default(),
            notes: Vec::new(),
            peaks: false,
            alarm: None,
            step: Duration::ZERO,
            known: None,
            seen: Micros(0),
            flat: false,
            waits: None,
            due: None,
            number: 0,
        }
    }

    /// Its title.
    pub fn title(&self) -> String {
        match &self.recipe.what {
            _ if !self.recipe.title.is_empty() => self.recipe.title.clone(),
            What::Metric(metric) => metric.name().get().to_owned(),
            What::Own(query) => query.clone(),
        }
    }

    /// How it stands.
    pub fn shown(&self) -> Shown {
        match (self.store.series().is_empty(), self.known, self.blank) {
            (false, ..) => Shown::Lines,
            (true, None, _) => Shown::Waiting,
            (true, Some(_), true) => Shown::Blank,
            (true, Some(_), false) => Shown::Nothing,
        }
    }

    /// Whether a series is drawn.
    pub fn draws(&self, labels: &Labels) -> bool {
        match &self.solo {
            Some(solo) => solo == labels,
            None => !self.hidden.contains(labels),
        }
    }

    /// The series that are drawn, by number.
    pub fn drawn(&self) -> Vec<usize> {
        let series = self.store.series().iter().enumerate();
        series
            .filter(|(_, one)| self.draws(one.labels()))
            .map(|(index, _)| index)
            .collect()
    }

    /// What is to be asked for, if anything: of what is seen, what is not known. `live` moves
    /// on with time: its end is asked for again and again.
    pub(super) fn wants(
        &mut self,
        window: Window,
        live: bool,
        mono: Instant,
    ) -> Option<(Window, bool)> {
        if self.waits.is_some_and(|since| mono < since + PATIENCE) {
            return None;
        }
        self.seen = window.from;
        let due = self.due.is_none_or(|due| mono >= due);
        let peaks = window.step > FINE && !self.flat;
        let known = self
            .known
            .filter(|_| self.step == window.step && self.peaks == peaks);
        let wanted = match known {
            Some((from, to)) if from <= window.from && to >= window.to && !(live && due) => {
                return None;
            }
            // A failure is not asked again at once.
            _ if self.fault.is_some() && !due => return None,
            Some((from, to)) if from <= window.from && to >= window.from => {
                let step = i64::try_from(window.step.as_micros()).unwrap_or(1).max(1);
                let back = to.0.saturating_sub(LATE.max(2 * step));
                let begin = back.div_euclid(step) * step;
                Window {
                    from: Micros(begin.max(window.from.0)),
                    ..window
                }
            }
            _ => window,
        };
        self.waits = Some(mono);
        self.number += 1;
        Some((wanted, peaks))
    }

    /// The number of the question that was asked last.
    pub(super) fn asked(&self) -> u64 {
        self.number
    }

    /// When it wants to ask again.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        match self.waits {
            Some(since) => Some(since + PATIENCE),
            None => self.due,
        }
    }

    /// Asks again at once.
    pub(super) fn refresh(&mut self) {
        self.known = None;
        self.due = None;
        self.fault = None;
    }

    /// Takes an answer in. An answer to an older question is none.
    pub(super) fn take(&mut self, ask: &Ask, answer: Result<Reading, Fault>, mono: Instant) {
        if ask.number != self.number {
            return;
        }
        self.waits = None;
        let reading = match answer {
            Ok(reading) => reading,
            // Subqueries are younger than some servers.
            Err(fault) if ask.peaks && fault.kind == FaultKind::Usage => return self.flatten(),
            Err(fault) => {
                self.fault = Some(format!("{}: {}", fault.what, fault.why));
                self.due = Some(mono + AGAIN);
                return;
            }
        };
        let mut measured = reading.measured;
        if measured.blank && ask.peaks {
            return self.flatten();
        }
        if measured.blank && !self.store.is_empty() && self.step == ask.window.step {
            // Nothing is known of that time; what was known stays.
            self.blank = true;
            self.fault = None;
            self.due = Some(mono + AGAIN);
            return;
        }
        let (from, to) = (ask.window.from, ask.window.to);
        if self.step != ask.window.step || self.peaks != ask.peaks {
            self.store = SeriesStore::new(LIMITS);
            self.store.set_step(ask.window.step);
            (self.step, self.peaks, self.known) = (ask.window.step, ask.peaks, None);
        }
        self.fault = None;
        self.blank = measured.blank;
        self.flaws = measured.flaws;
        self.notes.clone_from(&measured.notes);
        self.flaws.disordered += confine(&mut measured, ask.window);
        let mut taken = self.store.take(from, to, &measured);
        let (mut first, last) = match self.known {
            Some((first, last)) if from <= last && to >= first => (first.min(from), last.max(to)),
            _ => (from, to),
        };
        if taken.left_out > 0 {
            // Series that were gone before what is seen begins make room.
            self.store.prune(self.seen);
            first = first.max(self.seen);
            taken = self.store.take(from, to, &measured);
        }
        self.known = Some((first, last));
        self.flaws.left_out += taken.left_out;
        self.due = Some(mono + pace(self.step));
    }

    /// Asks without subqueries from now on.
    fn flatten(&mut self) {
        self.flat = true;
        self.due = None;
    }
}

/// Drops samples more than a step outside of what was asked for: how many. No chart shows them,
/// and no later answer replaces them.
fn confine(measured: &mut Measured, window: Window) -> u64 {
    let step = i64::try_from(window.step.as_micros()).unwrap_or(i64::MAX);
    let (from, to) = (
        window.from.0.saturating_sub(step),
        window.to.0.saturating_add(step),
    );
    let mut gone = 0;
    for series in &mut measured.series {
        let before = series.samples.len();
        series
            .samples
            .retain(|sample| (from..=to).contains(&sample.at.0));
        gone += (before - series.samples.len()) as u64;
    }
    gone
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::PaneId;
    use crate::model::catalog::Component;
    use crate::model::context::{Api, Context, Place};
    use crate::model::metric::Metric;
    use crate::model::sample::{Sample, Series};

    const MINUTE: i64 = 60_000_000;

    fn window(from: i64) -> Window {
        Window {
            from: Micros(from),
            to: Micros(from + 15 * MINUTE),
            step: Duration::from_secs(5),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn now() -> Instant {
        Instant::now()
    }

    /// Asks for a window, and answers with series: a name and the times of its samples.
    fn ask(panel: &mut Panel, window: Window, series: Vec<(String, Vec<i64>)>) {
        let (window, peaks) = panel.wants(window, false, now()).unwrap();
        let url = "https://console.example".parse().unwrap();
        let context = Arc::new(Context::new("prod", url, Api::Console));
        let ask = Ask {
            pane: PaneId(0),
            panel: 0,
            place: Place::of(&context, ("shop", "east", "app"), Component::default()),
            what: panel.recipe.what.clone(),
            window,
            peaks,
            number: panel.asked(),
        };
        let sample = |at| Sample {
            at: Micros(at),
            value: 1.0,
        };
        let series = series.into_iter().map(|(name, times)| Series {
            labels: Labels::new(vec![("pod".to_owned(), name)]),
            samples: times.into_iter().map(sample).collect(),
        });
        let measured = Measured {
            series: series.collect(),
            ..Measured::default()
        };
        panel.take(&ask, Ok(Reading { measured, skew: 0 }), now());
    }

    #[test]
    fn of_what_was_not_asked_for_nothing_is_kept() {
        let mut panel = Panel::new(Recipe::of(Metric::ALL[0]));
        let (from, to) = (1000 * MINUTE, 1015 * MINUTE);
        let far = (1..2000).map(|n| to + n * 50 * 24 * 60 * MINUTE);
        let mut times = vec![0, from - 5_000_001, from - 5_000_000, to + 5_000_000];
        times.extend(far);
        ask(&mut panel, window(from), vec![("a".to_owned(), times)]);
        assert_eq!(panel.store.len(), 2);
        assert_eq!(panel.flaws.disordered, 2 + 1999);
    }

    #[test]
    fn pods_that_are_gone_make_room_for_those_that_are_there() {
        let mut panel = Panel::new(Recipe::of(Metric::ALL[0]));
        let full = (0..LIMITS.series).map(|n| (format!("old{n}"), vec![MINUTE]));
        ask(&mut panel, window(0), full.collect());
        assert_eq!(panel.store.series().len(), LIMITS.series);
        let new = vec![("new".to_owned(), vec![20 * MINUTE])];
        ask(&mut panel, window(15 * MINUTE), new);
        assert_eq!(panel.flaws.left_out, 0);
        assert_eq!(panel.store.series().len(), 1);
        // What was let go is asked for again.
        let again = panel.wants(window(0), false, now());
        assert_eq!(again.map(|(window, _)| window.from), Some(Micros(0)));
    }
}
