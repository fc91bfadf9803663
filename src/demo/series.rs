//! Series as Prometheus keeps them: labels, and samples in time.

use std::collections::BTreeMap;

/// The label that holds a metric's name.
pub(super) const NAME: &str = "__name__";

/// A series' labels, its name among them.
pub(super) type Labels = BTreeMap<String, String>;

/// A value at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Sample {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// `None` marks that the series has ended, or pauses, here.
    pub(super) value: Option<f64>,
}

/// A series.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    pub(super) labels: Labels,
    /// The oldest first; no two at one moment.
    pub(super) samples: Vec<Sample>,
}

impl Series {
    /// One without samples.
    pub(super) fn new(name: &str, labels: &[(&str, &str)]) -> Self {
        let own = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let name = (NAME.to_owned(), name.to_owned());
        Self {
            labels: own.chain([name]).collect(),
            samples: Vec::new(),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.labels.get(NAME).map_or("", String::as_str)
    }

    /// Adds a sample; it takes the place of one at the same moment.
    pub(super) fn push(&mut self, at: i64, value: Option<f64>) {
        while self.samples.last().is_some_and(|last| last.at >= at) {
            self.samples.pop();
        }
        self.samples.push(Sample { at, value });
    }

    /// The samples from the first moment to the last, both among them.
    pub(super) fn between(&self, first: i64, last: i64) -> &[Sample] {
        let begin = self.samples.partition_point(|one| one.at < first);
        let end = self.samples.partition_point(|one| one.at <= last);
        self.samples.get(begin..end).unwrap_or(&[])
    }

    /// The newest value, if the series has not ended.
    pub(super) fn value(&self) -> Option<f64> {
        self.samples.last()?.value
    }

    /// Forgets what is older than a moment.
    pub(super) fn forget(&mut self, before: i64) {
        let count = self.samples.partition_point(|one| one.at < before);
        self.samples.drain(..count);
    }
}

#[cfg(test)]
mod tests {
    use super::Series;

    #[test]
    fn samples_stand_in_time_and_are_forgotten() {
        let mut series = Series::new("up", &[("job", "a")]);
        for (at, value) in [(10, 1.0), (20, 2.0), (20, 3.0), (30, 4.0)] {
            series.push(at, Some(value));
        }
        let values = |first, last| -> Vec<_> {
            let found = series.between(first, last);
            found.iter().map(|one| one.value.unwrap()).collect()
        };
        assert_eq!(values(10, 30), [1.0, 3.0, 4.0]);
        assert_eq!(values(11, 29), [3.0]);
        assert_eq!(values(31, 40), [0.0; 0]);
        assert_eq!((series.name(), series.value()), ("up", Some(4.0)));
        series.forget(20);
        series.push(40, None);
        assert_eq!((series.samples.len(), series.value()), (3, None));
    }
}
