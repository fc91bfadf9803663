//! What can be made of a range, of a value, and of many values.

use super::Kind;
use crate::demo::series::Sample;

/// A function of one argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Function {
    Rate,
    InstantRate,
    Increase,
    Ceil,
    Floor,
    Abs,
    MeanInTime,
    MaxInTime,
    MinInTime,
    SumInTime,
    CountInTime,
}

const FUNCTIONS: [(&str, Function); 11] = [
    ("rate", Function::Rate),
    ("irate", Function::InstantRate),
    ("increase", Function::Increase),
    ("ceil", Function::Ceil),
    ("floor", Function::Floor),
    ("abs", Function::Abs),
    ("avg_over_time", Function::MeanInTime),
    ("max_over_time", Function::MaxInTime),
    ("min_over_time", Function::MinInTime),
    ("sum_over_time", Function::SumInTime),
    ("count_over_time", Function::CountInTime),
];

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = FUNCTIONS.iter().find(|(own, _)| *own == name);
        found.map(|(_, function)| *function)
    }

    /// What its argument must be.
    pub(super) fn takes(self) -> Kind {
        match self {
            Self::Ceil | Self::Floor | Self::Abs => Kind::Vector,
            _ => Kind::Matrix,
        }
    }

    /// Of one value.
    pub(super) fn of_value(self, value: f64) -> f64 {
        match self {
            Self::Ceil => value.ceil(),
            Self::Floor => value.floor(),
            Self::Abs => value.abs(),
            _ => value,
        }
    }

    /// Of the samples of a range, which ends at `end` and is so many milliseconds long.
    pub(super) fn of_range(self, samples: &[Sample], end: i64, length: i64) -> Option<f64> {
        // A mark of the end is no sample.
        let real: Vec<(i64, f64)> = samples
            .iter()
            .filter_map(|one| Some((one.at, one.value?)))
            .collect();
        match self {
            Self::Rate => Some(grown(&real, end, length)? / seconds(length)),
            Self::Increase => grown(&real, end, length),
            Self::InstantRate => at_last(&real),
            _ => over_time(self, &real),
        }
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// How much a counter grew in the range: what was seen, stretched to the range's borders where
/// the samples come near enough, and never further back than to where the counter was zero.
fn grown(samples: &[(i64, f64)], end: i64, length: i64) -> Option<f64> {
    let ((first_at, first), (last_at, last)) = (*samples.first()?, *samples.last()?);
    if samples.len() < 2 || last_at == first_at {
        return None;
    }
    // Where it falls, it began anew at zero.
    let resets = samples.iter().zip(samples.iter().skip(1));
    let lost: f64 = resets
        .filter(|((_, before), (_, after))| after < before)
        .map(|((_, before), _)| before)
        .sum();
    let growth = last - first + lost;
    let sampled = seconds(last_at - first_at);
    let between = sampled / (samples.len() - 1) as f64;
    let mut to_start = seconds(first_at.saturating_sub(end.saturating_sub(length)));
    let to_end = seconds(end.saturating_sub(last_at));
    if growth > 0.0 && first >= 0.0 {
        to_start = to_start.min(sampled * (first / growth));
    }
    let stretch = |gap: f64| {
        if gap < between * 1.1 {
            gap
        } else {
            between / 2.0
        }
    };
    Some(growth * ((sampled + stretch(to_start) + stretch(to_end)) / sampled))
}

/// A counter's rate between its last two samples.
fn at_last(samples: &[(i64, f64)]) -> Option<f64> {
    let mut latest = samples.iter().rev();
    let ((at, value), (before_at, before)) = (*latest.next()?, *latest.next()?);
    let growth = if value < before {
        value
    } else {
        value - before
    };
    (at != before_at).then(|| growth / seconds(at - before_at))
}

fn over_time(function: Function, samples: &[(i64, f64)]) -> Option<f64> {
    let (_, first) = *samples.first()?;
    let values = || samples.iter().map(|(_, value)| *value);
    let count = samples.len() as f64;
    Some(match function {
        Function::MeanInTime => values().sum::<f64>() / count,
        Function::MaxInTime => values().fold(first, larger),
        Function::MinInTime => values().fold(first, smaller),
        Function::SumInTime => values().sum(),
        _ => count,
    })
}

/// The larger; what is no number loses.
pub(super) fn larger(left: f64, right: f64) -> f64 {
    if right > left || left.is_nan() {
        right
    } else {
        left
    }
}

/// The smaller; what is no number loses.
pub(super) fn smaller(left: f64, right: f64) -> f64 {
    if right < left || left.is_nan() {
        right
    } else {
        left
    }
}

/// What becomes of many values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Aggregation {
    Sum,
    Mean,
    Max,
    Min,
    Count,
    Top,
    Bottom,
}

const AGGREGATIONS: [(&str, Aggregation); 7] = [
    ("sum", Aggregation::Sum),
    ("avg", Aggregation::Mean),
    ("max", Aggregation::Max),
    ("min", Aggregation::Min),
    ("count", Aggregation::Count),
    ("topk", Aggregation::Top),
    ("bottomk", Aggregation::Bottom),
];

impl Aggregation {
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = AGGREGATIONS.iter().find(|(own, _)| *own == name);
        found.map(|(_, aggregation)| *aggregation)
    }

    /// Whether it wants a number before its argument.
    pub(super) fn counts(self) -> bool {
        matches!(self, Self::Top | Self::Bottom)
    }

    /// Of all values of one group.
    pub(super) fn of(self, values: &[f64]) -> f64 {
        let all = || values.iter().copied();
        let first = values.first().copied().unwrap_or(f64::NAN);
        match self {
            Self::Sum => all().sum(),
            Self::Mean => all().sum::<f64>() / values.len() as f64,
            Self::Max => all().fold(first, larger),
            Self::Min => all().fold(first, smaller),
            Self::Count | Self::Top | Self::Bottom => values.len() as f64,
        }
    }
}
