//! How many cells a text takes, and where it may be cut: one answer for every view. Widths are
//! summed over graphemes and equal those of the screen buffer that is drawn into.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::sanitise::{ascii_prefix, class, first_grapheme};

/// Cells that `text` takes.
pub fn cells(text: &str) -> usize {
    let ascii = ascii_prefix(text.as_bytes());
    if ascii == text.len() {
        return ascii;
    }
    graphemes(text).map(|grapheme| grapheme.cells).sum()
}

/// Cells that one grapheme takes. Half-width voiced sound marks (U+FF9E, U+FF9F) count one cell
/// more than the tables say, as in the screen buffer (ratatui-core's `CellWidth`, written for
/// tables that say 0; those of unicode-width 0.2.3 say 1).
pub fn grapheme_cells(grapheme: &str) -> usize {
    if grapheme.len() == 1 {
        return 1;
    }
    let sound_marks = grapheme
        .chars()
        .filter(|c| matches!(c, '\u{ff9e}' | '\u{ff9f}'));
    grapheme.width() + sound_marks.count()
}

/// One grapheme of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grapheme<'a> {
    /// Its characters.
    pub text: &'a str,
    /// Offset in bytes.
    pub start: usize,
    /// Cells.
    pub cells: usize,
}

impl Grapheme<'_> {
    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// The graphemes of `text` in order, with their widths.
pub fn graphemes(text: &str) -> Graphemes<'_> {
    Graphemes { text, at: 0 }
}

/// See [`graphemes`].
#[derive(Clone, Debug)]
pub struct Graphemes<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Graphemes<'a> {
    type Item = Grapheme<'a>;

    fn next(&mut self) -> Option<Grapheme<'a>> {
        let rest = self.text.get(self.at..)?;
        let mut chars = rest.chars();
        let first = chars.next()?;
        let start = self.at;
        let next_is_plain = |next: char| class(next).plain_cells().is_some();
        let (text, cells) = match class(first).plain_cells() {
            Some(cells) if chars.next().is_none_or(next_is_plain) => {
                (rest.get(..first.len_utf8())?, cells)
            }
            _ => {
                let text = first_grapheme(rest);
                (text, grapheme_cells(text))
            }
        };
        self.at += text.len();
        Some(Grapheme { text, start, cells })
    }
}

/// What of a text stands in a window of columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window<'a> {
    /// The graphemes that are wholly inside.
    pub text: &'a str,
    /// Where they start, in bytes of the whole text.
    pub start: usize,
    /// Cells of a wide grapheme that reaches in from the left; draw blanks there.
    pub left: usize,
    /// Cells of a wide grapheme that reaches out to the right; draw blanks there.
    pub right: usize,
}

/// The window of `cols` columns from column `from_col` on.
pub fn cut(text: &str, from_col: usize, cols: usize) -> Window<'_> {
    if ascii_prefix(text.as_bytes()) == text.len() {
        let start = from_col.min(text.len());
        let end = start.saturating_add(cols).min(text.len());
        let text = text.get(start..end).unwrap_or("");
        return Window {
            text,
            start,
            ..Window::default()
        };
    }
    let to_col = from_col.saturating_add(cols);
    let mut window = Window {
        start: text.len(),
        ..Window::default()
    };
    let mut end = text.len();
    let mut column = 0;
    let mut seen = false;
    for grapheme in graphemes(text) {
        let next = column + grapheme.cells;
        if column >= to_col {
            end = grapheme.start;
            break;
        }
        if column >= from_col && next > to_col {
            window.right = to_col - column;
            end = grapheme.start;
            break;
        }
        if column < from_col && next > from_col {
            window.left = next.min(to_col) - from_col;
        } else if column >= from_col && !seen {
            window.start = grapheme.start;
            seen = true;
        }
        column = next;
    }
    window.start = window.start.min(end);
    window.text = text.get(window.start..end).unwrap_or("");
    window
}

/// Breaks `text` into rows of at most `cols` columns (0 counts as 1), between graphemes. A
/// grapheme wider than that has a row of its own. An empty text is one empty row.
pub fn wrap(text: &str, cols: usize) -> Wrap<'_> {
    let ascii = ascii_prefix(text.as_bytes()) == text.len();
    Wrap {
        text,
        cols: cols.max(1),
        at: 0,
        ascii,
        started: false,
    }
}

/// Breaks words of our own into rows of at most `cols` columns: at a space, which is left out, or
/// beside a wide character, where there is one in the row. A row does not begin with a mark that
/// ends something, nor end with one that opens something. An empty text is one empty row.
pub fn broken(text: &str, cols: usize) -> Vec<Range<usize>> {
    let cols = cols.max(1);
    let mut rows = Vec::new();
    let (mut start, mut column) = (0, 0);
    // Where a row may end, and where the next one begins then.
    let mut place: Option<(usize, usize)> = None;
    let mut last: Option<Grapheme<'_>> = None;
    for grapheme in graphemes(text) {
        let blank = grapheme.text == " ";
        if last.is_some_and(|last| may_part(&last, &grapheme)) {
            place = Some((grapheme.start, grapheme.start));
        }
        last = Some(grapheme);
        if column + grapheme.cells > cols && grapheme.start > start {
            let (end, next) = match place.filter(|(end, _)| *end > start) {
                _ if blank => (grapheme.start, grapheme.end()),
                Some(place) => place,
                None => (grapheme.start, grapheme.start),
            };
            rows.push(start..end);
            start = next;
            column = cells(text.get(start..grapheme.start).unwrap_or(""));
            if blank {
                continue;
            }
        }
        if blank {
            place = Some((grapheme.start, grapheme.end()));
        }
        column += grapheme.cells;
    }
    rows.push(start..text.len());
    rows
}

/// Whether a row may end between two graphemes: beside a wide one, as Chinese is written.
fn may_part(left: &Grapheme<'_>, right: &Grapheme<'_>) -> bool {
    const OPENS: &str = "（《「『【“‘([{";
    const ENDS: &str = "，。；：！？、）》」』】”’…,.;:!?)]}%";
    let blank = |grapheme: &Grapheme<'_>| grapheme.text == " ";
    (left.cells > 1 || right.cells > 1)
        && !blank(left)
        && !blank(right)
        && !OPENS.contains(left.text)
        && !ENDS.contains(right.text)
}

/// The rows of a text, as ranges of its bytes. See [`wrap`].
#[derive(Clone, Debug)]
pub struct Wrap<'a> {
    text: &'a str,
    cols: usize,
    at: usize,
    ascii: bool,
    started: bool,
}

impl Iterator for Wrap<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.at >= self.text.len() && self.started {
            return None;
        }
        self.started = true;
        let start = self.at;
        self.at = if self.ascii {
            start.saturating_add(self.cols).min(self.text.len())
        } else {
            start + row_bytes(self.text.get(start..).unwrap_or(""), self.cols)
        };
        Some(start..self.at)
    }
}

/// Bytes of the graphemes that fit into `cols`; at least one grapheme.
fn row_bytes(text: &str, cols: usize) -> usize {
    let mut column = 0;
    for grapheme in graphemes(text) {
        column += grapheme.cells;
        if column > cols && grapheme.start > 0 {
            return grapheme.start;
        }
    }
    text.len()
}

/// How many rows [`wrap`] makes.
pub fn rows(text: &str, cols: usize) -> usize {
    if ascii_prefix(text.as_bytes()) == text.len() {
        return text.len().div_ceil(cols.max(1)).max(1);
    }
    wrap(text, cols).count()
}

/// The longest start of `text` within `cols` columns.
pub fn fit(text: &str, cols: usize) -> &str {
    cut(text, 0, cols).text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_at_spaces_where_there_are_any() {
        let rows = |text: &'static str, cols| -> Vec<&str> {
            let rows = broken(text, cols);
            rows.into_iter()
                .map(|row| text.get(row).unwrap_or("?"))
                .collect()
        };
        assert_eq!(rows("", 4), [""]);
        assert_eq!(rows("a bc def", 4), ["a bc", "def"]);
        assert_eq!(rows("a bc def", 5), ["a bc", "def"]);
        assert_eq!(rows("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(rows("订单 已支付", 5), ["订单", "已支", "付"]);
        assert_eq!(rows("按 Tab 改为过滤", 10), ["按 Tab 改", "为过滤"]);
        assert_eq!(rows("已停，按 p", 5), ["已", "停，", "按 p"]);
        assert_eq!(rows("窗格（无）", 6), ["窗格", "（无）"]);
        assert_eq!(rows("a", 0), ["a"]);
    }

    #[test]
    fn a_wide_character_cut_in_half_leaves_a_blank() {
        for (from, cols, text, left, right) in [
            (0, 4, "a字b", 0, 0),
            (0, 2, "a", 0, 1),
            (1, 2, "字", 0, 0),
            (2, 2, "b", 1, 0),
            (2, 1, "", 1, 0),
            (9, 3, "", 0, 0),
            (0, 0, "", 0, 0),
        ] {
            let window = cut("a字b", from, cols);
            let got = (window.text, window.left, window.right);
            assert_eq!(got, (text, left, right), "{from} {cols}");
        }
    }

    #[test]
    fn rows_break_between_graphemes() {
        for (text, cols, want) in [
            ("", 3, &[""][..]),
            ("abcdef", 3, &["abc", "def"]),
            ("abcd", 3, &["abc", "d"]),
            ("a字b", 2, &["a", "字", "b"]),
            ("字字", 1, &["字", "字"]),
            ("ae\u{301}b", 2, &["ae\u{301}", "b"]),
            ("ab", 0, &["a", "b"]),
        ] {
            let rows: Vec<_> = wrap(text, cols).filter_map(|row| text.get(row)).collect();
            assert_eq!(rows, want, "{text} {cols}");
            assert_eq!(rows.len(), super::rows(text, cols), "{text} {cols}");
        }
    }
}
