//! What panes of several kinds have alike: the title row, words in place of a content, a list
//! with a cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::model::PaneId;

use super::paint;
use super::theme::{Role, Theme};

/// Fills a pane's title row and writes its number; the column after it, and the row's style.
pub(super) fn title(
    app: &App,
    pane: PaneId,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) -> (u16, Style) {
    let focused = app.tabs.now.focus == pane;
    let style = theme.style(if focused {
        Role::TitleFocus
    } else {
        Role::Title
    });
    paint::fill(buf, area, style);
    let number = format!(" {} ", app.number(pane));
    (paint::say(buf, area, &number, style), style)
}

/// Words where there is nothing else to show.
pub(super) fn instead(buf: &mut Buffer, body: Rect, words: &str, style: Style) {
    let lines = paint::broken(words, usize::from(body.width.saturating_sub(2)));
    for (index, line) in lines.iter().enumerate() {
        let area = paint::from(paint::row(body, index), body.x + 1);
        paint::put(buf, area, line, style);
    }
}

/// The rows of a list from `top` on; the one `at` the cursor is tinted if the pane is focused.
pub(super) fn list<T>(
    rows: &[T],
    (top, at): (usize, Option<usize>),
    theme: &Theme,
    body: Rect,
    buf: &mut Buffer,
    mut paint_row: impl FnMut(&T, Rect, &mut Buffer),
) {
    let height = usize::from(body.height).max(1);
    for (index, row) in rows.iter().enumerate().skip(top).take(height) {
        let line = paint::row(body, index - top);
        paint_row(row, line, buf);
        if Some(index) == at {
            paint::tint(buf, line, theme.style(Role::Cursor));
        }
    }
}

/// The first row of a list that is scrolled no further than its cursor needs.
pub(super) fn top(at: usize, body: Rect) -> usize {
    (at + 1).saturating_sub(usize::from(body.height).max(1))
}
