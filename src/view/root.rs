//! The whole screen.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::{App, Mode};
use crate::word;

use super::log_view::LogView;
use super::theme::{Role, Theme};
use super::{
    bottom_view, chart_view, confirm_view, details_view, help_view, jump_view, layers_view,
    overview_view, paint, record_view, shell_view, table_view, tabs_view, tree_view,
};

/// A terminal smaller than this shows one sentence.
const SMALLEST: (u16, u16) = (20, 5);

/// Paints everything; the answer is where the cursor stands, if it is to be seen.
pub fn render(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) -> Option<Position> {
    let area = area.intersection(buf.area);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        paint::fill(buf, area, theme.style(Role::Text));
        paint::say(
            buf,
            area,
            word!("too small: 20x5 or more", "太小：至少 20x5"),
            theme.style(Role::Text),
        );
        return None;
    }
    // A theme's own background is everywhere, under dividers too.
    paint::fill(buf, area, theme.style(Role::Text));
    tabs_view::render(app, theme, app.tab_line().intersection(area), buf);
    let places = app.places();
    let mut cursor = None;
    for (id, rect) in &places {
        if let Some(shell) = app.shells.get(id) {
            cursor = shell_view::render(app, shell, theme, *rect, buf).or(cursor);
        }
        if let Some(tree) = app.tree.as_ref().filter(|tree| tree.pane == *id) {
            cursor = tree_view::render(app, tree, theme, *rect, buf).or(cursor);
        }
        if let Some(charts) = app.charts.get(id) {
            chart_view::render(app, charts, theme, *rect, buf);
        }
        if let Some(table) = app.tables.get(id) {
            table_view::render(app, table, theme, *rect, buf);
        }
        if let Some(overview) = app.overviews.get(id) {
            overview_view::render(app, overview, theme, *rect, buf);
        }
        if let Some(pane) = app.panes.get(id) {
            LogView { app, pane, theme }.render(*rect, buf);
        }
        divider(*rect, app.body(), theme, buf);
    }
    let body = app.body().intersection(area);
    match &app.mode {
        Mode::Normal | Mode::Prompt(_) => {}
        Mode::Confirm(confirm) => confirm_view::render(confirm, theme, body, buf),
        Mode::Help { top } => help_view::render(&app.keymap, *top, theme, body, buf),
        Mode::Record { line, top } => {
            record_view::render(app, (*line, *top), theme, body, buf);
        }
        Mode::Jump(jump) => cursor = Some(jump_view::render(app, jump, theme, body, buf)),
        Mode::Details { title, lines, top } => {
            details_view::render(title, lines, *top, theme, body, buf);
        }
        Mode::Layers { chosen } => layers_view::render(app, *chosen, theme, body, buf),
    }
    bottom_view::render(app, theme, area, buf).or(cursor)
}

/// The line right of a pane that has a neighbour there.
fn divider(rect: Rect, body: Rect, theme: &Theme, buf: &mut Buffer) {
    if rect.right() >= body.right() {
        return;
    }
    for y in rect.y..rect.bottom() {
        paint::say(
            buf,
            Rect {
                x: rect.right(),
                y,
                width: 1,
                height: 1,
            },
            "│",
            theme.style(Role::Border),
        );
    }
}
