//! The containers' log files as their nodes keep them: every line with the moment at which it
//! was written. What the pods' streams give, they read here (protocols.md 3.2).

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::model::Micros;

/// Lines kept of each container; a node rotates its files.
const LINES: usize = 5000;
/// Containers whose files are kept; those that have been quiet for longest go.
const FILES: usize = 512;

/// One line of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// The platform's number of it, in the order of all lines.
    pub(super) number: u64,
    pub(super) at: Micros,
    pub(super) container: String,
    pub(super) line: Bytes,
}

/// What is wanted of some containers' files.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) containers: Vec<String>,
    /// Only lines behind this number.
    pub(super) after: u64,
    /// So many of each container's last ones.
    pub(super) tail: usize,
    /// So many in all, the first ones.
    pub(super) limit: usize,
}

/// All files.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, VecDeque<(u64, Micros, Bytes)>>);

impl Files {
    /// A container writes a line.
    pub(super) fn write(&mut self, container: &str, number: u64, at: Micros, line: Bytes) {
        if !self.0.contains_key(container) {
            if self.0.len() >= FILES {
                self.drop_quietest();
            }
            self.0.insert(container.to_owned(), VecDeque::new());
        }
        if let Some(file) = self.0.get_mut(container) {
            file.push_back((number, at, line));
            if file.len() > LINES {
                file.pop_front();
            }
        }
    }

    fn drop_quietest(&mut self) {
        let last = |file: &VecDeque<(u64, Micros, Bytes)>| file.back().map_or(0, |row| row.0);
        let quietest = self.0.iter().min_by_key(|(_, file)| last(file));
        if let Some(name) = quietest.map(|(name, _)| name.clone()) {
            self.0.remove(&name);
        }
    }

    /// The lines that are wanted, in the order in which they were written.
    pub(super) fn read(&self, wanted: &Wanted) -> Vec<Row> {
        let mut rows = Vec::new();
        for name in &wanted.containers {
            let Some(file) = self.0.get(name) else {
                continue;
            };
            let begin = file.partition_point(|row| row.0 <= wanted.after);
            let begin = begin.max(file.len().saturating_sub(wanted.tail));
            rows.extend(file.range(begin..).map(|(number, at, line)| Row {
                number: *number,
                at: *at,
                container: name.clone(),
                line: line.clone(),
            }));
        }
        rows.sort_by_key(|row| row.number);
        rows.truncate(wanted.limit);
        rows
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{FILES, Files, LINES, Wanted};
    use crate::model::Micros;

    fn numbers(files: &Files, containers: &[&str], after: u64, tail: usize) -> Vec<u64> {
        let wanted = Wanted {
            containers: containers.iter().map(|&one| one.to_owned()).collect(),
            after,
            tail,
            limit: usize::MAX,
        };
        files.read(&wanted).iter().map(|row| row.number).collect()
    }

    #[test]
    fn tails_are_each_containers_own_and_lines_come_in_their_order() {
        let mut files = Files::default();
        for number in 1..=10 {
            let name = if number % 2 == 0 { "a" } else { "b" };
            files.write(name, number, Micros(0), Bytes::new());
        }
        assert_eq!(numbers(&files, &["a", "b"], 0, 2), [7, 8, 9, 10]);
        assert_eq!(numbers(&files, &["a"], 4, usize::MAX), [6, 8, 10]);
        assert_eq!(numbers(&files, &["c"], 0, 9), [0; 0]);
    }

    #[test]
    fn files_are_bounded() {
        let mut files = Files::default();
        for number in 0..(LINES as u64 + 5) {
            files.write("a", number, Micros(0), Bytes::new());
        }
        assert_eq!(numbers(&files, &["a"], 0, usize::MAX).len(), LINES);
        for number in 0..FILES {
            files.write(&format!("n{number}"), 1_000_000, Micros(0), Bytes::new());
        }
        assert_eq!(numbers(&files, &["a"], 0, 1), [0; 0]);
    }
}
