//! What components use, all of them beside each other.

use super::context::Place;
use super::metric::Metric;

/// What is told of each component, in the order of its columns.
pub const METRICS: [Metric; 7] = [
    Metric::Cpu,
    Metric::Memory,
    Metric::ResponseTime,
    Metric::Throughput,
    Metric::NetIn,
    Metric::NetOut,
    Metric::Online,
];

/// One metric of one component.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Cell {
    /// The latest value; none if there is none that is recent.
    pub now: Option<f64>,
    /// The values before, oldest first, one a step; NaN for a hole.
    pub trend: Vec<f64>,
}

/// What one component uses.
#[derive(Clone, PartialEq, Debug)]
pub struct Usage {
    /// The component.
    pub place: Place,
    /// Pods that were measured.
    pub pods: usize,
    /// Its metrics, in the order of [`METRICS`].
    pub cells: Vec<Cell>,
}

impl Usage {
    /// The latest value of a metric.
    pub fn now(&self, metric: Metric) -> Option<f64> {
        let at = METRICS.iter().position(|one| *one == metric)?;
        self.cells.get(at)?.now
    }
}

/// What usages can be sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// Team, app and component.
    Name,
    /// A metric, the most first.
    Metric(Metric),
}

impl Default for By {
    fn default() -> Self {
        Self::Metric(Metric::Cpu)
    }
}

impl By {
    /// The one of this word: `name`, or a metric's.
    pub fn parse(word: &str) -> Option<Self> {
        if word == "name" {
            return Some(Self::Name);
        }
        let metric = Metric::parse(word).filter(|metric| METRICS.contains(metric));
        metric.map(Self::Metric)
    }

    /// The next column to the right, round and round.
    #[must_use]
    pub fn next(self) -> Self {
        let Self::Metric(metric) = self else {
            return Self::default();
        };
        let at = METRICS.iter().position(|one| *one == metric).unwrap_or(0);
        match METRICS.get(at + 1) {
            Some(next) => Self::Metric(*next),
            None => Self::Name,
        }
    }

    /// Sorts; what has no value comes last whichever way.
    pub fn sort(self, list: &mut [Usage], ascending: bool) {
        list.sort_by(|a, b| {
            let names = a.place.path().cmp(&b.place.path());
            let Self::Metric(metric) = self else {
                return if ascending { names.reverse() } else { names };
            };
            match (a.now(metric), b.now(metric)) {
                (Some(a), Some(b)) if ascending => a.total_cmp(&b),
                (Some(a), Some(b)) => b.total_cmp(&a),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => std::cmp::Ordering::Equal,
            }
            .then(names)
        });
    }
}
