//! What is measured: series of samples, and lists of what costs most. Texts are sanitised when
//! they are read; numbers are kept as they came, infinities included.

use std::time::Duration;

use super::Micros;

/// What tells a series from its neighbours: names and values, in the order of the names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// Labels of these pairs; of a name that comes twice the first one counts.
    pub fn new(mut pairs: Vec<(String, String)>) -> Self {
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|later, first| later.0 == first.0);
        Self(pairs)
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How a legend names the series: its pod, as the platform's page does (protocols.md 3.5),
    /// else its labels; empty if it has none.
    pub fn shown(&self) -> String {
        if let Some(pod) = self.get("pod").filter(|pod| !pod.is_empty()) {
            return pod.to_owned();
        }
        match self.0.as_slice() {
            [] => String::new(),
            [(_, value)] => value.clone(),
            many => {
                let pairs = many.iter().map(|(name, value)| format!("{name}={value}"));
                pairs.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// One value at one time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// When, by the server's clock.
    pub at: Micros,
    /// How much. NaN is no value: a hole. An infinity is one, but none that can be drawn.
    pub value: f64,
}

/// Samples that belong together, in the order of time, no time twice.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    /// Whose they are.
    pub labels: Labels,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// What a server measured.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Measured {
    /// The series.
    pub series: Vec<Series>,
    /// The server answered without any result, which the console does when its backend is down
    /// as well as when there is nothing (protocols.md 7.10). An empty result is none of this.
    pub blank: bool,
    /// What the server remarks.
    pub notes: Vec<String>,
    /// What of the answer could not be taken.
    pub flaws: Flaws,
}

/// What of an answer could not be taken, by number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flaws {
    /// Samples and series that are no such things: strings where numbers should be.
    pub unreadable: u64,
    /// Samples whose time was there already, or went back; put in order, doubles left out. And
    /// samples of times that nobody asked for, left out.
    pub disordered: u64,
    /// Series past the limit, left out; and those with more labels than anybody has.
    pub left_out: u64,
}

impl Flaws {
    /// Whether everything was taken as it came.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// A range of time to be measured, at a pace; by the server's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// From here.
    pub from: Micros,
    /// To here.
    pub to: Micros,
    /// A value each so often.
    pub step: Duration,
}

impl Window {
    /// The last `span` before `now`, whose end lies on a whole `grid`, so that the same moments
    /// are asked for again and again.
    pub fn last(now: Micros, grid: Duration, span: Duration, step: Duration) -> Self {
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let grid = micros(grid).max(1);
        let to = now.0.div_euclid(grid) * grid;
        Self {
            from: Micros(to.saturating_sub(micros(span))),
            to: Micros(to),
            step,
        }
    }
}

/// What was measured, and how the server's clock goes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// The answer.
    pub measured: Measured,
    /// Microseconds that the server's clock is ahead of ours; 0 within its exactness.
    pub skew: i64,
}

/// A list of what costs most (protocols.md 4): each one replaces the one before.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopList {
    /// The old form's name: `SumTimeByUrl`, `SumTimeBySql`; empty in the new one.
    pub name: String,
    /// When the server made it, in its own words; empty in the new form.
    pub updated: String,
    /// The rows, in the server's order.
    pub rows: Vec<TopRow>,
    /// Rows that could not be read.
    pub unreadable: u64,
}

/// One row: a URL or an SQL statement and what it cost. Times are milliseconds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TopRow {
    /// The URL's path, or the statement.
    pub key: String,
    /// `http`, `mysql`…; empty where it is not told.
    pub kind: String,
    /// Who reported it first; empty where it is not told.
    pub host: String,
    /// All of its time together.
    pub sum: f64,
    /// The mean.
    pub mean: f64,
    /// The longest; the old form has none.
    pub max: Option<f64>,
    /// How often.
    pub count: u64,
    /// How often it failed; the old form has none.
    pub errors: Option<u64>,
}
