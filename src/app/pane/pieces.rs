//! A row of the store in pieces that each take one row of the screen.

use std::ops::Range;

use crate::model::words;
use crate::say;
use crate::store::Row;
use crate::text::{SafeText, width};

/// Of one line no more is drawn than this, in bytes (reliability.md 1.3).
pub const DRAWN: usize = 8 << 10;
/// Of one JSON line no more rows are drawn than this.
const JSON_ROWS: usize = 200;

/// What is drawn of a row.
#[derive(Debug)]
pub struct Pieces<'a> {
    /// The texts, each one or more rows of the screen.
    texts: Vec<SafeText<'a>>,
    /// The text is not the line's own but was made from it: styles and offsets don't apply.
    pub made: bool,
    /// Bytes of the line that are not drawn.
    pub cut: usize,
    /// Words of our own: always wrapped, so that nothing of them is lost.
    own: bool,
}

/// One row of the screen: a part of one text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Which text of the row.
    pub text: usize,
    /// Which bytes of it.
    pub bytes: Range<usize>,
}

impl<'a> Pieces<'a> {
    /// Takes a row apart; JSON lines over several rows if `pretty`.
    pub fn of(row: &Row<'a>, pretty: bool) -> Self {
        let line = match row {
            Row::Mark(mark) => {
                let words = format!("── {} ──", words::mark(mark.mark));
                return Self {
                    texts: vec![SafeText::of(&words).into_owned()],
                    made: true,
                    cut: 0,
                    own: true,
                };
            }
            Row::Line(line) => line,
        };
        let whole = line.as_str();
        if pretty && let Some(texts) = pretty_json(whole) {
            return Self {
                texts,
                made: true,
                cut: 0,
                own: false,
            };
        }
        let end = if whole.len() <= DRAWN {
            whole.len()
        } else {
            floor_boundary(whole, DRAWN)
        };
        Self {
            texts: vec![line.text().slice(0..end)],
            made: false,
            cut: whole.len() - end,
            own: false,
        }
    }

    /// The text of a piece.
    pub fn text(&self, index: usize) -> &SafeText<'a> {
        const NONE: &SafeText<'static> = &SafeText::EMPTY;
        self.texts.get(index).unwrap_or(NONE)
    }

    /// The rows of the screen: wrapped at `cols`, or one a text.
    pub fn rows(&self, cols: usize, wrap: bool) -> Vec<Piece> {
        let mut rows = Vec::with_capacity(self.texts.len());
        for (index, text) in self.texts.iter().enumerate() {
            if self.own {
                let broken = width::broken(text.as_str(), cols).into_iter();
                rows.extend(broken.map(|bytes| Piece { text: index, bytes }));
            } else if wrap {
                rows.extend(
                    width::wrap(text.as_str(), cols).map(|bytes| Piece { text: index, bytes }),
                );
            } else {
                rows.push(Piece {
                    text: index,
                    bytes: 0..text.as_str().len(),
                });
            }
        }
        rows
    }

    /// Cells of the longest text.
    pub fn cells(&self) -> usize {
        let cells = self.texts.iter().map(|text| width::cells(text.as_str()));
        cells.max().unwrap_or(0)
    }

    /// How many rows of the screen.
    pub fn height(&self, cols: usize, wrap: bool) -> usize {
        if self.own {
            return self.rows(cols, wrap).len();
        }
        if !wrap {
            return self.texts.len();
        }
        self.texts
            .iter()
            .map(|text| width::rows(text.as_str(), cols))
            .sum()
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The rows of a JSON object or array, indented; nothing for other lines. A prefix before the
/// first brace stays as a row of its own.
pub fn pretty_json(line: &str) -> Option<Vec<SafeText<'static>>> {
    let at = line.find(['{', '['])?;
    let (head, json) = line.split_at_checked(at)?;
    let value: serde_json::Value = serde_json::from_str(json.trim_end()).ok()?;
    if !value.is_object() && !value.is_array() {
        return None;
    }
    let text = serde_json::to_string_pretty(&value).ok()?;
    let mut rows = Vec::new();
    if !head.trim().is_empty() {
        rows.push(SafeText::of(head.trim_end()).into_owned());
    }
    let total = text.lines().count();
    rows.extend(
        text.lines()
            .take(JSON_ROWS)
            .map(|row| SafeText::of(row).into_owned()),
    );
    if total > JSON_ROWS {
        rows.push(
            SafeText::of(&say!("… {} rows more", "……还有 {} 行", total - JSON_ROWS)).into_owned(),
        );
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_shown_over_several_rows_and_other_lines_are_not() {
        let rows = pretty_json(r#"head {"a":1,"b":["x"]}"#).unwrap();
        let rows: Vec<&str> = rows.iter().map(SafeText::as_str).collect();
        assert_eq!(
            rows,
            [
                "head",
                "{",
                "  \"a\": 1,",
                "  \"b\": [",
                "    \"x\"",
                "  ]",
                "}"
            ]
        );
        for line in ["", "plain", "[INFO] x", "{broken", "{}x", "\"text\""] {
            assert!(pretty_json(line).is_none(), "{line}");
        }
    }
}
