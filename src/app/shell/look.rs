//! Looking at a shell's history: scrolling, searching, selecting. Rows keep their numbers while
//! new output scrolls, so that the view stays where it is.

use regex::Regex;

use crate::term::key::{Code, Key};
use crate::term::screen::{Direction, Match, Place, Screen, Span};
use crate::word;

/// Where in the history we look.
#[derive(Clone, Debug)]
pub struct Look {
    /// The first row seen.
    pub top: u64,
    /// Our own cursor.
    pub cursor: Place,
    /// Where a selection began; true takes whole rows.
    pub anchor: Option<(Place, bool)>,
    /// What is searched for.
    pub pattern: Option<Regex>,
    /// The hit that was found last.
    pub hit: Option<Match>,
}

/// What a key does in copy mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Did {
    /// It moved, or nothing happened.
    Stayed,
    /// Back to the shell.
    Left,
    /// This is to be copied.
    Copied(String),
    /// A pattern is to be asked for.
    Asks,
    /// Something to tell.
    Tells(&'static str),
}

impl Look {
    /// Begins at the screen's bottom.
    pub fn new(screen: &Screen) -> Self {
        let line = screen.cursor().map_or(0, |cursor| cursor.line);
        Self {
            top: screen.top_row(),
            cursor: Place {
                row: screen.top_row() + u64::from(line),
                column: screen
                    .cursor()
                    .map_or(0, |cursor| usize::from(cursor.column)),
            },
            anchor: None,
            pattern: None,
            hit: None,
        }
    }

    /// What is selected.
    pub fn selection(&self) -> Option<Span> {
        let (anchor, rows) = self.anchor?;
        Some(if rows {
            Span::rows(anchor.row, self.cursor.row)
        } else {
            Span::new(anchor, self.cursor)
        })
    }

    /// Takes a key; `rows` are seen at once.
    pub fn key(&mut self, key: Key, screen: &Screen, rows: usize) -> Did {
        let rows = rows.max(1);
        let page = i64::try_from(rows).unwrap_or(1);
        match (key.ctrl, key.code) {
            (_, Code::Esc) | (false, Code::Char('q')) | (true, Code::Char('c')) => {
                return self.back(key);
            }
            (false, Code::Char('y') | Code::Enter) => return self.copy(screen),
            (false, Code::Char('/' | '?')) => return Did::Asks,
            (false, Code::Char('n')) => return self.find(screen, rows, Direction::Up),
            (false, Code::Char('N')) => return self.find(screen, rows, Direction::Down),
            (false, Code::Char('v' | ' ')) => self.select(false),
            (false, Code::Char('V')) => self.select(true),
            (false, Code::Char('j')) | (_, Code::Down) => self.walk(1),
            (false, Code::Char('k')) | (_, Code::Up) => self.walk(-1),
            (false, Code::Char('h')) | (_, Code::Left) => {
                self.cursor.column = self.cursor.column.saturating_sub(1);
            }
            (false, Code::Char('l')) | (_, Code::Right) => self.cursor.column += 1,
            (false, Code::Char('0' | '^')) | (_, Code::Home) => self.cursor.column = 0,
            (false, Code::Char('$')) | (_, Code::End) => {
                let used = screen.row(self.cursor.row).map_or(0, |row| row.used());
                self.cursor.column = used.saturating_sub(1);
            }
            (false, Code::Char('w')) => self.word(screen, true),
            (false, Code::Char('b')) => self.word(screen, false),
            (false, Code::Char('g')) => self.cursor.row = screen.first_row(),
            (false, Code::Char('G')) => self.cursor.row = screen.end_row().saturating_sub(1),
            (_, Code::PageDown) | (true, Code::Char('f')) => self.walk(page),
            (_, Code::PageUp) | (true, Code::Char('b')) => self.walk(-page),
            (_, Code::Char('d')) => self.walk(page / 2),
            (_, Code::Char('u')) => self.walk(-page / 2),
            _ => {}
        }
        self.settle(screen, rows);
        Did::Stayed
    }

    /// Scrolls without moving the cursor out of what is seen; false when the bottom is reached.
    pub fn scroll(&mut self, lines: i64, screen: &Screen, rows: usize) -> bool {
        self.top = self
            .top
            .saturating_add_signed(lines)
            .clamp(screen.first_row(), screen.top_row());
        let last = self.top + rows.saturating_sub(1) as u64;
        self.cursor.row = self.cursor.row.clamp(self.top, last);
        self.top < screen.top_row()
    }

    /// Looks for a pattern, upwards first: what is wanted is mostly above.
    pub fn search(&mut self, pattern: Regex, screen: &Screen, rows: usize) -> Did {
        self.pattern = Some(pattern);
        self.find(screen, rows, Direction::Up)
    }

    /// Keeps everything inside what is held; the oldest rows may have gone.
    pub fn settle(&mut self, screen: &Screen, rows: usize) {
        let (first, end) = (screen.first_row(), screen.end_row());
        self.cursor.row = self.cursor.row.clamp(first, end.saturating_sub(1));
        let columns = usize::from(screen.size().columns());
        self.cursor.column = self.cursor.column.min(columns.saturating_sub(1));
        let last = self
            .cursor
            .row
            .saturating_sub(rows.saturating_sub(1) as u64);
        self.top = self.top.clamp(last, self.cursor.row);
        self.top = self.top.clamp(first, screen.top_row());
    }

    fn back(&mut self, key: Key) -> Did {
        if key.code == Code::Esc && self.anchor.take().is_some() {
            return Did::Stayed;
        }
        Did::Left
    }

    fn copy(&mut self, screen: &Screen) -> Did {
        let row = self.cursor.row;
        let span = self.selection().unwrap_or_else(|| Span::rows(row, row));
        self.anchor = None;
        Did::Copied(screen.text(span))
    }

    fn select(&mut self, rows: bool) {
        self.anchor = match self.anchor {
            Some((_, before)) if before == rows => None,
            Some((place, _)) => Some((place, rows)),
            None => Some((self.cursor, rows)),
        };
    }

    fn walk(&mut self, lines: i64) {
        self.cursor.row = self.cursor.row.saturating_add_signed(lines);
    }

    /// To the next word's first cell, or to the one before.
    fn word(&mut self, screen: &Screen, forward: bool) {
        let blank = |place: Place| {
            screen
                .row(place.row)
                .is_none_or(|row| row.cell(place.column).base == ' ')
        };
        let columns = usize::from(screen.size().columns());
        let step = |place: Place| -> Option<Place> {
            let (row, column) = (place.row, place.column);
            if forward && column + 1 < columns {
                return Some(Place {
                    row,
                    column: column + 1,
                });
            }
            if forward {
                let next = row + 1 < screen.end_row();
                return next.then_some(Place {
                    row: row + 1,
                    column: 0,
                });
            }
            match column.checked_sub(1) {
                Some(column) => Some(Place { row, column }),
                None => (row > screen.first_row()).then(|| Place {
                    row: row - 1,
                    column: columns - 1,
                }),
            }
        };
        let starts = |place: Place| {
            let before = place
                .column
                .checked_sub(1)
                .map(|column| Place { column, ..place });
            !blank(place) && before.is_none_or(blank)
        };
        let mut place = self.cursor;
        while let Some(next) = step(place) {
            place = next;
            if starts(place) {
                self.cursor = place;
                return;
            }
        }
    }

    fn find(&mut self, screen: &Screen, rows: usize, direction: Direction) -> Did {
        let Some(pattern) = &self.pattern else {
            return Did::Asks;
        };
        let Some(hit) = screen
            .find(pattern, Some(self.cursor), direction)
            .or_else(|| screen.find(pattern, None, direction))
        else {
            self.hit = None;
            return Did::Tells(word!("nothing in this shell matches", "此终端中没有匹配"));
        };
        let wrapped = match direction {
            Direction::Up => hit.start > self.cursor,
            Direction::Down => hit.start < self.cursor,
        };
        self.hit = Some(hit);
        self.cursor = hit.start;
        self.settle(screen, rows);
        match (wrapped, direction) {
            (false, _) => Did::Stayed,
            (true, Direction::Up) => Did::Tells(word!("from the bottom again", "已从底部重新开始")),
            (true, Direction::Down) => Did::Tells(word!("from the top again", "已从顶部重新开始")),
        }
    }
}
