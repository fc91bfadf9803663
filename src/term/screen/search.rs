//! Searching a screen and its history, over lines that were wrapped.

use regex::Regex;

use super::{Place, Screen};

/// Hits in one window at most; more can't be told apart on a screen.
const MAX_HITS: usize = 4096;

/// Where to search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Towards older rows.
    Up,
    /// Towards newer rows.
    Down,
}

/// What was found: its first and its last cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match {
    /// The first cell.
    pub start: Place,
    /// The last cell.
    pub end: Place,
}

/// One line with all rows that it was wrapped into.
struct Line {
    text: String,
    /// Each row's number, and where its text begins.
    rows: Vec<(u64, usize)>,
}

impl Screen {
    /// The next match that begins after `from` (before it, upwards); without `from` the first
    /// (the last) of all. It does not go on at the other end.
    pub fn find(
        &self,
        pattern: &Regex,
        from: Option<Place>,
        direction: Direction,
    ) -> Option<Match> {
        let down = direction == Direction::Down;
        let wanted = |found: &Match| match from {
            None => true,
            Some(from) if down => found.start > from,
            Some(from) => found.start < from,
        };
        let edge = if down {
            self.first_row()
        } else {
            self.end_row().saturating_sub(1)
        };
        let mut row = from
            .map_or(edge, |from| from.row)
            .clamp(self.first_row(), self.end_row().saturating_sub(1));
        loop {
            let line = self.line_at(row);
            let (first, last) = line.bounds(row);
            let mut found = self.matches(&line, pattern).filter(wanted);
            let hit = if down { found.next() } else { found.last() };
            if hit.is_some() {
                return hit;
            }
            row = if down {
                Some(last + 1).filter(|next| *next < self.end_row())?
            } else {
                first
                    .checked_sub(1)
                    .filter(|next| *next >= self.first_row())?
            };
        }
    }

    /// All matches that touch `rows` rows from `first` on, in order.
    pub fn hits(&self, pattern: &Regex, first: u64, rows: usize) -> Vec<Match> {
        let end = first
            .saturating_add(u64::try_from(rows).unwrap_or(u64::MAX))
            .min(self.end_row());
        let mut hits = Vec::new();
        let mut row = first.max(self.first_row());
        while row < end && hits.len() < MAX_HITS {
            let line = self.line_at(row);
            let touching = |found: &Match| found.end.row >= first && found.start.row < end;
            let room = MAX_HITS - hits.len();
            hits.extend(self.matches(&line, pattern).filter(touching).take(room));
            row = line.bounds(row).1 + 1;
        }
        hits
    }

    /// The line that row `row` belongs to.
    fn line_at(&self, row: u64) -> Line {
        let wrapped = |number: u64| self.row(number).is_some_and(|row| row.is_wrapped());
        let mut first = row;
        while first > self.first_row() && wrapped(first - 1) {
            first -= 1;
        }
        let mut line = Line {
            text: String::new(),
            rows: Vec::new(),
        };
        for number in first..self.end_row() {
            let Some(row) = self.row(number) else { break };
            line.rows.push((number, line.text.len()));
            for cell in row.cells() {
                cell.push_to(&mut line.text);
            }
            if !row.is_wrapped() {
                break;
            }
        }
        line.text.truncate(line.text.trim_end_matches(' ').len());
        line
    }

    fn matches<'a>(
        &'a self,
        line: &'a Line,
        pattern: &'a Regex,
    ) -> impl Iterator<Item = Match> + 'a {
        let found = pattern.find_iter(&line.text);
        let some = found.filter(|found| !found.is_empty());
        some.map(move |found| Match {
            start: self.place(line, found.start()),
            end: self.place(line, found.end() - 1),
        })
    }

    /// The cell that holds byte `at` of a line.
    fn place(&self, line: &Line, at: usize) -> Place {
        let index = line.rows.partition_point(|(_, start)| *start <= at);
        let row = index.checked_sub(1).and_then(|index| line.rows.get(index));
        let Some((number, mut start)) = row.copied() else {
            return Place::default();
        };
        let mut place = Place {
            row: number,
            column: 0,
        };
        let Some(row) = self.row(number) else {
            return place;
        };
        for (column, cell) in row.cells().enumerate() {
            if cell.columns() == 0 {
                continue;
            }
            start += cell.base.len_utf8();
            start += cell.marks.iter().map(|mark| mark.len_utf8()).sum::<usize>();
            if start > at {
                place.column = column;
                break;
            }
        }
        place
    }
}

impl Line {
    /// Its first and its last row; `row` if it has none.
    fn bounds(&self, row: u64) -> (u64, u64) {
        let number = |row: &(u64, usize)| row.0;
        (
            self.rows.first().map_or(row, number),
            self.rows.last().map_or(row, number),
        )
    }
}
