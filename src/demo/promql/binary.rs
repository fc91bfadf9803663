//! Two sides and an operator.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::eval::{Point, Value, bare};
use super::{Binary, Fault, Grouping, Op};
use crate::demo::series::{Labels, NAME};

/// The answer to `left op right`.
pub(super) fn apply(both: &Binary, left: Value, right: Value) -> Result<Value, Fault> {
    Ok(match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => {
            Value::Scalar(both.op.of(left, right).value())
        }
        (Value::Vector(points), Value::Scalar(right)) => {
            let each = |point: Point| one(both, point, |left| (left, right));
            Value::Vector(points.into_iter().filter_map(each).collect())
        }
        (Value::Scalar(left), Value::Vector(points)) => {
            let each = |point: Point| one(both, point, |right| (left, right));
            Value::Vector(points.into_iter().filter_map(each).collect())
        }
        (Value::Vector(left), Value::Vector(right)) => Value::Vector(pairs(both, left, right)?),
        // The parser lets no range come here.
        (Value::Matrix(_), _) | (_, Value::Matrix(_)) => Value::Vector(Vec::new()),
    })
}

/// What two numbers give.
enum Outcome {
    Number(f64),
    Truth(bool),
}

impl Outcome {
    fn value(self) -> f64 {
        match self {
            Self::Number(value) => value,
            Self::Truth(truth) => f64::from(u8::from(truth)),
        }
    }
}

impl Op {
    #[expect(clippy::float_cmp, reason = "as Prometheus does")]
    fn of(self, left: f64, right: f64) -> Outcome {
        match self {
            Self::Add => Outcome::Number(left + right),
            Self::Subtract => Outcome::Number(left - right),
            Self::Multiply => Outcome::Number(left * right),
            Self::Divide => Outcome::Number(left / right),
            Self::Rest => Outcome::Number(left % right),
            Self::Power => Outcome::Number(left.powf(right)),
            Self::Equal => Outcome::Truth(left == right),
            Self::Unequal => Outcome::Truth(left != right),
            Self::Less => Outcome::Truth(left < right),
            Self::LessOrEqual => Outcome::Truth(left <= right),
            Self::Greater => Outcome::Truth(left > right),
            Self::GreaterOrEqual => Outcome::Truth(left >= right),
        }
    }
}

/// A point and a number. A comparison keeps the point, or drops it.
fn one(both: &Binary, point: Point, sides: impl FnOnce(f64) -> (f64, f64)) -> Option<Point> {
    let (left, right) = sides(point.value);
    let outcome = both.op.of(left, right);
    match outcome {
        Outcome::Truth(truth) if !both.truth => truth.then_some(point),
        Outcome::Number(_) | Outcome::Truth(_) => Some(Point {
            labels: bare(&point.labels),
            value: outcome.value(),
        }),
    }
}

/// Points of both sides with the same labels.
fn pairs(both: &Binary, left: Vec<Point>, right: Vec<Point>) -> Result<Vec<Point>, Fault> {
    let key = |labels: &Labels| kept(labels, both.matching.as_ref());
    let mut others = BTreeMap::new();
    for point in right {
        match others.entry(key(&point.labels)) {
            Entry::Vacant(slot) => drop(slot.insert((point.value, false))),
            Entry::Occupied(_) => return Err(many("right")),
        }
    }
    let mut found = Vec::new();
    for point in left {
        let key = key(&point.labels);
        let Some((right, taken)) = others.get_mut(&key) else {
            continue;
        };
        if std::mem::replace(taken, true) {
            return Err(many("left"));
        }
        let (right, value) = (*right, point.value);
        if let Some(mut point) = one(both, point, |_| (value, right)) {
            if both.matching.is_some() {
                point.labels = Arc::new(key);
            }
            found.push(point);
        }
    }
    Ok(found)
}

fn many(side: &str) -> Fault {
    Fault::failed(format!(
        "found duplicate series for the match group on the {side} hand-side of the operation;many-to-many matching not allowed: matching labels must be unique on one side"
    ))
}

/// The labels by which points find each other.
fn kept(labels: &Labels, matching: Option<&Grouping>) -> Labels {
    let counts = |name: &str| match matching {
        None => true,
        Some(grouping) => grouping.labels.iter().any(|own| own == name) != grouping.without,
    };
    let on = matching.is_some_and(|grouping| !grouping.without);
    labels
        .iter()
        .filter(|(name, _)| counts(name) && (on || name.as_str() != NAME))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
