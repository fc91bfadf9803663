//! The answer to a query, at one moment or at many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::functions::Aggregation;
use super::{Aggregate, Binary, Expr, Fault, Grouping, Kind, Selector, Span, binary};
use crate::demo::series::{Labels, NAME, Sample, Series};

/// A series counts at a moment if its last sample is at most so many milliseconds older.
const LOOK_BACK: i64 = 300_000;
/// Samples that one query may look at; there are as many points in an answer at most.
const SAMPLES: usize = 5_000_000;

/// One series' value at the moment asked for.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Point {
    pub(super) labels: Arc<Labels>,
    pub(super) value: f64,
}

/// A series and its samples.
pub(crate) type Row = (Arc<Labels>, Vec<(i64, f64)>);

/// What a query gives.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Scalar(f64),
    Vector(Vec<Point>),
    Matrix(Vec<Row>),
}

/// The answer at one moment, in milliseconds.
pub(crate) fn instant<'a>(
    expr: &Expr,
    series: &(impl Iterator<Item = &'a Series> + Clone),
    at: i64,
) -> Result<Value, Fault> {
    Run::new(expr, series).value(expr, at)
}

/// The answers at many moments.
pub(crate) fn range<'a>(
    expr: &Expr,
    series: &(impl Iterator<Item = &'a Series> + Clone),
    span: Span,
) -> Result<Value, Fault> {
    if expr.kind() == Kind::Matrix {
        return Err(Fault::bad(
            "invalid parameter \"query\": invalid expression type \"range vector\" for range query, must be Scalar or instant Vector",
        ));
    }
    let mut run = Run::new(expr, series);
    let mut rows: BTreeMap<Arc<Labels>, Vec<(i64, f64)>> = BTreeMap::new();
    for at in span.moments() {
        match run.value(expr, at)? {
            Value::Scalar(value) => rows.entry(Arc::default()).or_default().push((at, value)),
            Value::Vector(points) => {
                for point in points {
                    rows.entry(point.labels)
                        .or_default()
                        .push((at, point.value));
                }
            }
            Value::Matrix(_) => {}
        }
    }
    Ok(Value::Matrix(rows.into_iter().collect()))
}

/// The same labels without the name.
pub(super) fn bare(labels: &Arc<Labels>) -> Arc<Labels> {
    if !labels.contains_key(NAME) {
        return Arc::clone(labels);
    }
    let mut labels = Labels::clone(labels);
    labels.remove(NAME);
    Arc::new(labels)
}

/// A series that a selector means.
struct Found<'a> {
    series: &'a Series,
    labels: Arc<Labels>,
    bare: Arc<Labels>,
}

/// A query on its way.
struct Run<'a> {
    /// What each selector means.
    found: BTreeMap<usize, Vec<Found<'a>>>,
    /// Samples looked at.
    seen: usize,
}

impl<'a> Run<'a> {
    fn new(expr: &Expr, series: &(impl Iterator<Item = &'a Series> + Clone)) -> Self {
        let mut run = Self {
            found: BTreeMap::new(),
            seen: 0,
        };
        run.find(expr, series);
        run
    }

    fn find(&mut self, expr: &Expr, series: &(impl Iterator<Item = &'a Series> + Clone)) {
        match expr {
            Expr::Number(_) => {}
            Expr::Negate(of) => self.find(of, series),
            Expr::Call(_, given) => given.iter().for_each(|one| self.find(one, series)),
            Expr::Binary(both) => {
                self.find(&both.left, series);
                self.find(&both.right, series);
            }
            Expr::Aggregate(all) => {
                all.count.iter().for_each(|one| self.find(one, series));
                self.find(&all.of, series);
            }
            Expr::Select(selector) => {
                let fits = |one: &&Series| {
                    selector
                        .matchers
                        .iter()
                        .all(|matcher| matcher.fits(&one.labels))
                };
                let found = series.clone().filter(fits).map(|series| {
                    let labels = Arc::new(series.labels.clone());
                    Found {
                        series,
                        bare: bare(&labels),
                        labels,
                    }
                });
                self.found.insert(selector.number, found.collect());
            }
        }
    }

    fn value(&mut self, expr: &Expr, at: i64) -> Result<Value, Fault> {
        Ok(match expr {
            Expr::Number(number) => Value::Scalar(*number),
            Expr::Select(selector) => self.select(selector, at)?,
            Expr::Negate(of) => match self.value(of, at)? {
                Value::Scalar(value) => Value::Scalar(-value),
                other => Value::Vector(each(other, |value| -value)?),
            },
            Expr::Binary(both) => self.both(both, at)?,
            Expr::Call(function, given) => match given.as_slice() {
                [Expr::Select(selector)] if selector.range.is_some() => {
                    let points = self.ranges(selector, at, |samples, length| {
                        function.of_range(samples, at, length)
                    })?;
                    Value::Vector(distinct(points)?)
                }
                [argument] => {
                    let value = self.value(argument, at)?;
                    Value::Vector(each(value, |value| function.of_value(value))?)
                }
                _ => Value::Vector(Vec::new()),
            },
            Expr::Aggregate(all) => self.aggregate(all, at)?,
        })
    }

    fn both(&mut self, both: &Binary, at: i64) -> Result<Value, Fault> {
        let left = self.value(&both.left, at)?;
        let right = self.value(&both.right, at)?;
        Ok(match binary::apply(both, left, right)? {
            Value::Vector(points) => Value::Vector(distinct(points)?),
            other => other,
        })
    }

    /// Counts what is looked at.
    fn count(&mut self, samples: usize) -> Result<(), Fault> {
        self.seen = self.seen.saturating_add(samples);
        if self.seen > SAMPLES {
            return Err(Fault::failed(
                "query processing would load too many samples into memory in query execution",
            ));
        }
        Ok(())
    }

    fn found(&self, selector: &Selector) -> &[Found<'a>] {
        self.found.get(&selector.number).map_or(&[], Vec::as_slice)
    }

    fn select(&mut self, selector: &Selector, at: i64) -> Result<Value, Fault> {
        let found = self.found(selector);
        if let Some(length) = selector.range {
            let rows: Vec<Row> = found
                .iter()
                .map(|one| {
                    let samples = one.series.between(at.saturating_sub(length), at).iter();
                    let real = samples.filter_map(|one| Some((one.at, one.value?)));
                    (Arc::clone(&one.labels), real.collect::<Vec<_>>())
                })
                .filter(|(_, samples)| !samples.is_empty())
                .collect();
            self.count(rows.iter().map(|(_, samples)| samples.len()).sum())?;
            return Ok(Value::Matrix(rows));
        }
        let points: Vec<Point> = found
            .iter()
            .filter_map(|one| {
                let last = one
                    .series
                    .between(at.saturating_sub(LOOK_BACK), at)
                    .last()?;
                let labels = Arc::clone(&one.labels);
                Some(Point {
                    labels,
                    value: last.value?,
                })
            })
            .collect();
        self.count(points.len())?;
        Ok(Value::Vector(points))
    }

    /// A function of each range.
    fn ranges(
        &mut self,
        selector: &Selector,
        at: i64,
        of: impl Fn(&[Sample], i64) -> Option<f64>,
    ) -> Result<Vec<Point>, Fault> {
        let length = selector.range.unwrap_or(0);
        let (mut points, mut seen) = (Vec::new(), 0);
        for one in self.found(selector) {
            let samples = one.series.between(at.saturating_sub(length), at);
            seen += samples.len();
            if let Some(value) = of(samples, length) {
                let labels = Arc::clone(&one.bare);
                points.push(Point { labels, value });
            }
        }
        self.count(seen)?;
        Ok(points)
    }

    fn aggregate(&mut self, all: &Aggregate, at: i64) -> Result<Value, Fault> {
        let count = match &all.count {
            None => f64::NAN,
            Some(count) => match self.value(count, at)? {
                Value::Scalar(count) => count,
                Value::Vector(_) | Value::Matrix(_) => f64::NAN,
            },
        };
        let Value::Vector(points) = self.value(&all.of, at)? else {
            return Ok(Value::Vector(Vec::new()));
        };
        let mut groups: BTreeMap<Labels, Vec<Point>> = BTreeMap::new();
        for point in points {
            groups
                .entry(group(&point.labels, &all.grouping))
                .or_default()
                .push(point);
        }
        if all.op.counts() {
            let best = groups
                .into_values()
                .flat_map(|group| best(all.op, group, count));
            return Ok(Value::Vector(best.collect()));
        }
        let sums = groups.into_iter().map(|(labels, points)| {
            let values: Vec<f64> = points.iter().map(|point| point.value).collect();
            let (labels, value) = (Arc::new(labels), all.op.of(&values));
            Point { labels, value }
        });
        Ok(Value::Vector(sums.collect()))
    }
}

/// The labels of a group.
fn group(labels: &Labels, grouping: &Grouping) -> Labels {
    let named = |name: &str| grouping.labels.iter().any(|own| own == name);
    labels
        .iter()
        .filter(|(name, _)| named(name) != grouping.without && !(grouping.without && *name == NAME))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The first so many of a group in their order.
fn best(op: Aggregation, mut points: Vec<Point>, count: f64) -> Vec<Point> {
    points.sort_by(|one, other| {
        // What is no number comes last either way.
        let numbers = one.value.is_nan().cmp(&other.value.is_nan());
        let order = match op {
            Aggregation::Bottom => one.value.total_cmp(&other.value),
            _ => other.value.total_cmp(&one.value),
        };
        numbers.then(order)
    });
    let mut left = count;
    points.retain(|_| {
        left -= 1.0;
        left >= 0.0
    });
    points
}

/// A function of each value.
fn each(value: Value, of: impl Fn(f64) -> f64) -> Result<Vec<Point>, Fault> {
    let Value::Vector(points) = value else {
        return Ok(Vec::new());
    };
    distinct(
        points
            .into_iter()
            .map(|point| Point {
                labels: bare(&point.labels),
                value: of(point.value),
            })
            .collect(),
    )
}

/// Without their names, series may look the same.
fn distinct(points: Vec<Point>) -> Result<Vec<Point>, Fault> {
    let mut seen = BTreeSet::new();
    if points
        .iter()
        .all(|point| seen.insert(Arc::as_ref(&point.labels)))
    {
        return Ok(points);
    }
    Err(Fault::failed(
        "vector cannot contain metrics with the same labelset",
    ))
}
