//! A row of the store in pieces that each take one row of the screen.

use std::io;
use std::ops::Range;

use serde_json::Value;

use crate::model::words;
use crate::say;
use crate::store::Row;
use crate::text::{SafeText, floor_boundary, width};

/// Of one line no more is drawn than this, in bytes (reliability.md 1.3).
pub const DRAWN: usize = 8 << 10;
/// Of one JSON line no more rows are drawn than this.
const JSON_ROWS: usize = 200;
/// A line longer than this is not looked at for JSON, in bytes.
const JSON: usize = 64 << 10;

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
        let end = floor_boundary(whole, DRAWN);
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

/// The rows of a JSON object or array, indented; nothing for other lines and for very long ones. A
/// prefix before the first brace stays as a row of its own.
pub fn pretty_json(line: &str) -> Option<Vec<SafeText<'static>>> {
    if line.len() > JSON {
        return None;
    }
    let at = line.find(['{', '['])?;
    let (before, json) = line.split_at_checked(at)?;
    let value: Value = serde_json::from_str(json.trim_end()).ok()?;
    if !value.is_object() && !value.is_array() {
        return None;
    }
    let mut head = Head::default();
    // It fails where the rows are enough.
    let _ = serde_json::to_writer_pretty(&mut head, &value);
    let text = String::from_utf8(head.text).ok()?;
    let mut rows = Vec::new();
    if !before.trim().is_empty() {
        rows.push(json_row(before.trim_end()));
    }
    rows.extend(text.lines().take(JSON_ROWS).map(json_row));
    let total = height(&value);
    if total > JSON_ROWS {
        rows.push(
            SafeText::of(&say!("… {} rows more", "……还有 {} 行", total - JSON_ROWS)).into_owned(),
        );
    }
    Some(rows)
}

/// What is written, until there are as many rows as are drawn.
#[derive(Default)]
struct Head {
    text: Vec<u8>,
    ends: usize,
}

impl io::Write for Head {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.ends >= JSON_ROWS {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.ends += memchr::memchr_iter(b'\n', part).count();
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Over how many rows a value is written.
fn height(value: &Value) -> usize {
    match value {
        Value::Array(items) if !items.is_empty() => 2 + items.iter().map(height).sum::<usize>(),
        Value::Object(members) if !members.is_empty() => {
            2 + members.values().map(height).sum::<usize>()
        }
        _ => 1,
    }
}

/// One row; of a long one the begin.
fn json_row(row: &str) -> SafeText<'static> {
    let (head, rest) = row
        .split_at_checked(floor_boundary(row, DRAWN))
        .unwrap_or((row, ""));
    if rest.is_empty() {
        return SafeText::of(row).into_owned();
    }
    let left = rest.len();
    SafeText::of(&say!(
        "{head} … {left} bytes more",
        "{head} ……还有 {left} 字节"
    ))
    .into_owned()
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

    #[test]
    fn json_that_grows_by_its_depth_or_its_length_takes_few_rows() {
        // 30,000 rows that are indented by 200 and more.
        let deep = format!(
            "{}{}1{}",
            "[".repeat(100),
            "1,".repeat(30_000),
            "]".repeat(100)
        );
        let rows = pretty_json(&deep).unwrap();
        let value: Value = serde_json::from_str(&deep).unwrap();
        let all = serde_json::to_string_pretty(&value).unwrap();
        let shown = rows.split_last().map(|(_, rows)| rows).unwrap();
        assert!(shown.iter().map(SafeText::as_str).eq(all.lines().take(200)));
        let more = all.lines().count() - 200;
        assert_eq!(rows[200].as_str(), format!("… {more} rows more"));
        // One long text.
        let long = format!("[\"{}\"]", "字".repeat(10_000));
        let rows = pretty_json(&long).unwrap();
        let (shown, left) = ((DRAWN - 3) / 3 * 3, 30_002 - (DRAWN - 3) / 3 * 3 - 1);
        let begin = format!("  \"{}", "字".repeat(shown / 3));
        assert_eq!(rows[1].as_str(), format!("{begin} … {left} bytes more"));
        // Longer ones stay as they are.
        assert!(pretty_json(&format!("[\"{}\"]", "x".repeat(JSON - 4))).is_some());
        assert!(pretty_json(&format!("[\"{}\"]", "x".repeat(JSON - 3))).is_none());
    }
}
