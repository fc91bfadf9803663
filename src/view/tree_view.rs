//! The tree: names on the left, alias, status and usage in columns.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use crate::app::App;
use crate::app::areas;
use crate::app::tree::{Row, Thing, Tree};
use crate::model::catalog::{Health, health};
use crate::say;
use crate::text::width;
use crate::word;

use super::theme::{Role, Theme};
use super::{paint, pane_view};

/// Columns of the status, and of the usage.
const STATUS: usize = 12;
const USAGE: usize = 22;
/// Narrower than this the usage is left out, then the status.
const WIDE: usize = 70;
const NARROW: usize = 44;

/// Paints the tree; the answer is where the cursor stands while a filter is typed.
pub(super) fn render(
    app: &App,
    tree: &Tree,
    theme: &Theme,
    rect: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let title = areas::title_area(rect);
    let (x, style) = pane_view::title(app, tree.pane, theme, title, buf);
    paint::say(buf, paint::from(title, x), word!("tree", "资源树"), style);
    let rows = tree.rows();
    let body = areas::body_area(rect);
    let at = tree.at(&rows);
    // Where it was, but for what keeps the cursor in sight.
    let top = tree.top.min(at).max(pane_view::top(at, body));
    let cursor = (app.tabs.now.focus == tree.pane).then_some(at);
    pane_view::list(&rows, (top, cursor), theme, body, buf, |row, line, buf| {
        paint_row(tree, row, theme, line, buf);
    });
    bottom(tree, &rows, theme, areas::status_area(rect), buf)
}

/// The row below: the filter, or how much there is.
fn bottom(
    tree: &Tree,
    rows: &[Row],
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let style = theme.style(Role::Status);
    paint::fill(buf, area, style);
    let count = rows
        .iter()
        .filter(|row| row.thing.place().is_some())
        .count();
    let mut words = say!(" {count} shown", " 显示 {count} 项");
    if !tree.marks.is_empty() {
        let marks = tree.marks.len();
        words.push_str(&say!(", {marks} marked", "，已标记 {marks} 项"));
    }
    if tree.filter.is_empty() && !tree.typing {
        paint::say(buf, area, &words, style);
        return None;
    }
    let x = paint::say(buf, area, " /", theme.style(Role::Key));
    let x = paint::say(buf, paint::from(area, x), &tree.filter, style);
    paint::say(
        buf,
        paint::from(area, x.saturating_add(2)),
        &words,
        theme.style(Role::Status),
    );
    tree.typing
        .then(|| Position::new(x.min(area.right().saturating_sub(1)), area.y))
}

fn paint_row(tree: &Tree, row: &Row, theme: &Theme, line: Rect, buf: &mut Buffer) {
    let cols = usize::from(line.width);
    let (status_at, usage_at) = columns(cols);
    let text = theme.style(Role::Text);
    let mark = if tree.marks.contains(&row.key) {
        "*"
    } else {
        " "
    };
    let x = paint::say(buf, line, mark, theme.style(Role::Mark));
    let fold = match row.open {
        Some(true) => "▾ ",
        Some(false) => "▸ ",
        None => "  ",
    };
    let indent = format!("{:width$}{fold}", "", width = row.depth * 2);
    let x = paint::say(buf, paint::from(line, x), &indent, theme.style(Role::Dim));
    let style = match &row.thing {
        Thing::Context(context) => context_style(theme, context.colour.as_deref()),
        Thing::Words { fault: true } => theme.style(Role::Bad),
        Thing::Words { fault: false } => theme.style(Role::Dim),
        Thing::Team | Thing::App => text.add_modifier(Modifier::BOLD),
        Thing::Component(_) | Thing::Pod(_) | Thing::Container(_) | Thing::ByHand(..) => text,
    };
    // Words have the row to themselves.
    let words = matches!(row.thing, Thing::Words { .. });
    let end = if words {
        cols
    } else {
        status_at.unwrap_or(cols)
    };
    let end = line.x + u16::try_from(end).unwrap_or(line.width);
    let room = Rect {
        width: end.saturating_sub(x).saturating_sub(1),
        ..paint::from(line, x)
    };
    let x = paint::say_cut(buf, room, &row.name, style);
    if !row.alias.is_empty() && row.alias != row.name {
        let rest = Rect {
            width: room.right().saturating_sub(x + 2),
            ..paint::from(room, x + 2)
        };
        paint::say_cut(buf, rest, &row.alias, theme.style(Role::Dim));
    }
    if let Some(at) = status_at {
        let place = paint::columns(line, at, STATUS);
        let style = match health(&row.status) {
            Health::Good => theme.style(Role::Good),
            Health::Busy => theme.style(Role::Warn),
            Health::Bad => theme.style(Role::Bad),
            Health::Idle => theme.style(Role::Dim),
        };
        paint::say_cut(buf, place, &row.status, style);
    }
    if let Some(at) = usage_at {
        let shown = width::cells(&row.usage);
        let place = paint::columns(line, at + USAGE.saturating_sub(shown), shown);
        paint::say(buf, place, &row.usage, theme.style(Role::Stamp));
    }
}

/// Where status and usage begin, if there is room for them.
fn columns(cols: usize) -> (Option<usize>, Option<usize>) {
    if cols >= WIDE {
        let usage = cols - USAGE - 1;
        return (Some(usage - STATUS - 1), Some(usage));
    }
    ((cols >= NARROW).then(|| cols - STATUS - 1), None)
}

/// The colour that a context was given, by the theme's own word for it.
pub(super) fn context_style(theme: &Theme, colour: Option<&str>) -> ratatui::style::Style {
    theme.style(match colour {
        Some("red") => Role::Error,
        Some("yellow") => Role::Warn,
        Some("green") => Role::Good,
        Some("blue") => Role::Info,
        Some("cyan") => Role::Key,
        _ => Role::Mark,
    })
}
