//! Queries as Prometheus understands them: the part of its language that the platform's pages send
//! (protocols.md 3.5) and that operators write for panels of their own. It follows Prometheus 2,
//! which the platform ships: ranges are closed on both sides.

mod answer;
mod binary;
mod eval;
mod functions;
mod lexer;
mod matching;
mod parser;
#[cfg(test)]
mod tests;

pub(super) use self::answer::json;
pub(super) use self::eval::{instant, range};
pub(super) use self::lexer::duration;
pub(super) use self::matching::{MatchOp, Matcher};
pub(super) use self::parser::parse;

use self::functions::{Aggregation, Function};

/// Points of one series that an answer may have.
const POINTS: i64 = 11_000;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    /// Whether the query is at fault, and not what it meets.
    pub(super) bad: bool,
    pub(super) text: String,
}

impl Fault {
    /// The query cannot be asked.
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self {
            bad: true,
            text: text.into(),
        }
    }

    /// The query can be asked and has no answer.
    fn failed(text: impl Into<String>) -> Self {
        Self {
            bad: false,
            text: text.into(),
        }
    }
}

/// The moments that a range query asks for, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) step: i64,
}

impl Span {
    /// Not more points than an answer may have.
    pub(super) fn checked(self) -> Result<Self, Fault> {
        if self.steps() > POINTS {
            return Err(Fault::bad(
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
            ));
        }
        Ok(self)
    }

    fn steps(self) -> i64 {
        self.end.saturating_sub(self.start) / self.step.max(1)
    }

    fn moments(self) -> impl Iterator<Item = i64> {
        let steps = 0..=self.steps();
        steps.map(move |step| self.start.saturating_add(step.saturating_mul(self.step)))
    }
}

/// A query.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Select(Selector),
    Negate(Box<Expr>),
    Binary(Box<Binary>),
    Call(Function, Vec<Expr>),
    Aggregate(Box<Aggregate>),
}

/// `name{label="value"}[5m]`.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    matchers: Vec<Matcher>,
    /// Milliseconds of a range.
    range: Option<i64>,
    /// Its place among the query's selectors.
    number: usize,
}

/// Two sides and what stands between them.
#[derive(Clone, Debug)]
pub(super) struct Binary {
    op: Op,
    /// `bool`: 0 and 1 instead of a filter.
    truth: bool,
    /// `on(…)` and `ignoring(…)`.
    matching: Option<Grouping>,
    left: Expr,
    right: Expr,
}

/// What stands between two sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Rest,
    Power,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A sum of many, or the like.
#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    op: Aggregation,
    grouping: Grouping,
    /// The number of `topk`.
    count: Option<Expr>,
    of: Expr,
}

/// Which labels count.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Grouping {
    /// These do not, all others do.
    without: bool,
    labels: Vec<String>,
}

/// What an expression gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Scalar,
    Vector,
    Matrix,
}

impl Kind {
    /// Prometheus' words.
    fn word(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }
}

impl Expr {
    fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Scalar,
            Self::Select(one) if one.range.is_some() => Kind::Matrix,
            Self::Negate(of) => of.kind(),
            Self::Binary(both) => match (both.left.kind(), both.right.kind()) {
                (Kind::Scalar, Kind::Scalar) => Kind::Scalar,
                (..) => Kind::Vector,
            },
            Self::Select(_) | Self::Call(..) | Self::Aggregate(_) => Kind::Vector,
        }
    }

    /// Every selector gets one more matcher, as the console adds a component's id.
    pub(super) fn narrow(&mut self, by: &Matcher) {
        match self {
            Self::Number(_) => {}
            Self::Select(one) => one.matchers.push(by.clone()),
            Self::Negate(of) => of.narrow(by),
            Self::Binary(both) => {
                both.left.narrow(by);
                both.right.narrow(by);
            }
            Self::Call(_, given) => given.iter_mut().for_each(|one| one.narrow(by)),
            Self::Aggregate(all) => {
                if let Some(count) = &mut all.count {
                    count.narrow(by);
                }
                all.of.narrow(by);
            }
        }
    }
}
