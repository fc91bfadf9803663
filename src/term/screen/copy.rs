//! Text out of a screen: what a selection copies.

use crate::term::cell::Width;

use super::{Place, Screen};

/// What is selected: all cells from the first place to the last, both included, in reading
/// order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first cell.
    pub start: Place,
    /// The last cell.
    pub end: Place,
}

impl Span {
    /// From one place to another, in whichever order.
    pub fn new(one: Place, other: Place) -> Self {
        Self {
            start: one.min(other),
            end: one.max(other),
        }
    }

    /// Whole rows.
    pub fn rows(first: u64, last: u64) -> Self {
        let (first, last) = (first.min(last), first.max(last));
        Self {
            start: Place {
                row: first,
                column: 0,
            },
            end: Place {
                row: last,
                column: usize::MAX,
            },
        }
    }

    /// Whether a cell is in it.
    pub fn contains(&self, place: Place) -> bool {
        self.start <= place && place <= self.end
    }

    /// Its columns of one row: the first, and the one after the last.
    pub fn of_row(&self, row: u64, columns: usize) -> (usize, usize) {
        if row < self.start.row || row > self.end.row {
            return (0, 0);
        }
        let from = if row == self.start.row {
            self.start.column
        } else {
            0
        };
        let to = if row == self.end.row {
            self.end.column.saturating_add(1)
        } else {
            columns
        };
        (from.min(columns), to.min(columns))
    }
}

impl Screen {
    /// The text of `span`, as far as it is held. Rows that were wrapped are one line; blanks at
    /// the end of a line are left out.
    pub fn text(&self, span: Span) -> String {
        let mut text = String::new();
        let first = span.start.row.max(self.first_row());
        let end = span.end.row.saturating_add(1).min(self.end_row());
        for number in first..end {
            let Some(row) = self.row(number) else { break };
            let (mut from, to) = span.of_row(number, row.columns());
            // Half a wide character is selected whole.
            if row.cell(from).width == Width::Spacer {
                from = from.saturating_sub(1);
            }
            for cell in row.cells().take(to).skip(from) {
                cell.push_to(&mut text);
            }
            if row.is_wrapped() {
                continue;
            }
            text.truncate(text.trim_end_matches(' ').len());
            if number + 1 < end {
                text.push('\n');
            }
        }
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}
