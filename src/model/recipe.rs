//! What a configuration says of charts: own queries, and values that are worth a colour.

use super::Level;
use super::metric::{Metric, Unit};

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A metric of the platform's own pages.
    Metric(Metric),
    /// A query of the user's, with names to be put in.
    Own(String),
}

/// From here on a value is worth a colour.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limit {
    /// The value.
    pub above: f64,
    /// [`Level::Warn`] or [`Level::Error`].
    pub level: Level,
}

/// One chart.
#[derive(Clone, PartialEq, Debug)]
pub struct Recipe {
    /// Its title; empty for the metric's own name.
    pub title: String,
    /// What is asked for.
    pub what: What,
    /// What its values count.
    pub unit: Unit,
    /// Values that are worth a colour.
    pub limits: Vec<Limit>,
}

impl Recipe {
    /// A metric as the platform shows it.
    pub fn of(metric: Metric) -> Self {
        Self {
            title: String::new(),
            what: What::Metric(metric),
            unit: metric.unit(),
            limits: Vec::new(),
        }
    }

    /// The platform's metrics, and what a configuration adds: a recipe for one of them takes
    /// its place.
    pub fn all(own: &[Self]) -> Vec<Self> {
        let mut all = Metric::ALL.map(Self::of).to_vec();
        for recipe in own {
            let same =
                |known: &Self| matches!(known.what, What::Metric(_)) && known.what == recipe.what;
            match all.iter_mut().find(|known| same(known)) {
                Some(known) => *known = recipe.clone(),
                None => all.push(recipe.clone()),
            }
        }
        all
    }
}
