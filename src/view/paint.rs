//! The one way to put text on the screen: [`SafeText`] alone, cut to its area.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::{SafeText, width};

/// Writes `text` from the left end of `area`'s first row; the answer is the column after it.
pub(super) fn put(buf: &mut Buffer, area: Rect, text: &SafeText<'_>, style: Style) -> u16 {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return area.x;
    }
    let mut x = area.x;
    for grapheme in width::graphemes(text.as_str()) {
        let cells = u16::try_from(grapheme.cells).unwrap_or(u16::MAX);
        if cells == 0 {
            continue;
        }
        if x.saturating_add(cells) > area.right() {
            break;
        }
        set(buf, x, area.y, grapheme.text, style);
        for over in x + 1..x + cells {
            if let Some(cell) = buf.cell_mut((over, area.y)) {
                cell.set_symbol(" ");
                cell.set_style(style);
            }
        }
        x += cells;
    }
    x
}

/// One grapheme of sanitised text into one cell.
fn set(buf: &mut Buffer, x: u16, y: u16, grapheme: &str, style: Style) {
    if let Some(cell) = buf.cell_mut((x, y)) {
        cell.set_symbol(grapheme);
        cell.set_style(style);
    }
}

/// The same, from a string of our own or one that quotes foreign words.
pub(super) fn say(buf: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    put(buf, area, &SafeText::of(text), style)
}

/// The same; where it is too long it is cut, and shows that.
pub(super) fn say_cut(buf: &mut Buffer, area: Rect, text: &str, style: Style) -> u16 {
    let text = SafeText::of(text).to_string();
    let room = usize::from(area.width);
    if width::cells(&text) <= room {
        return say(buf, area, &text, style);
    }
    let cut = width::fit(&text, room.saturating_sub(1));
    let x = say(buf, area, cut, style);
    say(buf, from(area, x), "…", style)
}

/// Writes `text`, or what of its beginning fits, at the right end of `area`.
pub(super) fn say_right(buf: &mut Buffer, area: Rect, text: &str, style: Style) {
    let text = width::fit(text, usize::from(area.width));
    say(buf, right(area, width::cells(text)), text, style);
}

/// Fills `area` with blanks of a style.
pub(super) fn fill(buf: &mut Buffer, area: Rect, style: Style) {
    for position in area.intersection(buf.area).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
            cell.set_style(style);
        }
    }
}

/// Adds a style to what is there.
pub(super) fn tint(buf: &mut Buffer, area: Rect, style: Style) {
    buf.set_style(area.intersection(buf.area), style);
}

/// Row `index` of `area`.
pub(super) fn row(area: Rect, index: usize) -> Rect {
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let below = area.height.saturating_sub(index).min(1);
    Rect {
        y: area.y.saturating_add(index),
        height: below,
        ..area
    }
}

/// `area` from column `x` on.
pub(super) fn from(area: Rect, x: u16) -> Rect {
    let x = x.clamp(area.x, area.right());
    Rect {
        x,
        width: area.right() - x,
        ..area
    }
}

/// Some columns of `line`, from its column `at` on, counted from its left end.
pub(super) fn columns(line: Rect, at: usize, columns: usize) -> Rect {
    let at = line.x.saturating_add(u16::try_from(at).unwrap_or(u16::MAX));
    let place = from(line, at);
    Rect {
        width: place.width.min(u16::try_from(columns).unwrap_or(u16::MAX)),
        ..place
    }
}

/// `area` without its last columns.
pub(super) fn but_right(area: Rect, columns: usize) -> Rect {
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    Rect {
        width: area.width.saturating_sub(columns),
        ..area
    }
}

/// The last rows of `area`.
pub(super) fn bottom(area: Rect, rows: usize) -> Rect {
    let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height);
    Rect {
        y: area.bottom() - rows,
        height: rows,
        ..area
    }
}

/// `text` in rows of at most `cols` columns, broken between words where that is possible.
pub(super) fn broken(text: &str, cols: usize) -> Vec<SafeText<'static>> {
    let text = SafeText::of(text).into_owned();
    let rows = width::broken(text.as_str(), cols);
    rows.into_iter()
        .map(|row| text.borrowed().slice(row).into_owned())
        .collect()
}

/// The rightmost columns of `area`.
pub(super) fn right(area: Rect, columns: usize) -> Rect {
    let columns = u16::try_from(columns).unwrap_or(u16::MAX).min(area.width);
    Rect {
        x: area.right() - columns,
        width: columns,
        ..area
    }
}

/// A box in the middle of `area` with room for so much, and its inside.
pub(super) fn centred(area: Rect, cols: usize, rows: usize) -> Rect {
    let width = u16::try_from(cols).unwrap_or(u16::MAX).min(area.width);
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height);
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// Writes a text over what is there, whose background stays.
pub(super) fn over(buf: &mut Buffer, area: Rect, text: &str, style: Style) {
    let area = area.intersection(buf.area);
    let graphemes = text.chars();
    for (x, c) in (area.left()..area.right()).zip(graphemes) {
        if let Some(cell) = buf.cell_mut((x, area.y)) {
            let mut symbol = [0; 4];
            cell.set_symbol(c.encode_utf8(&mut symbol));
            cell.set_style(style);
        }
    }
}
