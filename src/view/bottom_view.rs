//! The last row: what is typed, what is told, or the keys that matter now.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::key::PREFIX;
use crate::app::prompt::{Prompt, Purpose};
use crate::app::{App, Mode};
use crate::text::width;

use super::paint;
use super::theme::{Role, Theme};

/// A notice takes no more rows.
const ROWS: usize = 4;

/// Paints the last row of `whole`, and for a long notice those above it; the answer is where the
/// cursor stands, while something is typed.
pub(super) fn render(app: &App, theme: &Theme, whole: Rect, buf: &mut Buffer) -> Option<Position> {
    let area = paint::bottom(whole, 1);
    paint::fill(buf, area, theme.style(Role::Hint));
    if let Mode::Prompt(prompt) = &app.mode {
        return Some(typed(prompt, theme, area, buf));
    }
    if let Some(notice) = &app.notice {
        let style = theme.style(if notice.fault {
            Role::Fault
        } else {
            Role::Notice
        });
        let rows = paint::broken(&notice.text, usize::from(area.width.saturating_sub(2)));
        let area = paint::bottom(whole, rows.len().min(ROWS));
        paint::fill(buf, area, style);
        let inside = paint::from(area, area.x + 1);
        for (index, row) in rows.iter().enumerate() {
            paint::put(buf, paint::row(inside, index), row, style);
        }
        return None;
    }
    hints(app, theme, area, buf);
    None
}

fn typed(prompt: &Prompt, theme: &Theme, area: Rect, buf: &mut Buffer) -> Position {
    let style = theme.style(Role::Text);
    let literal = if prompt.literal { " as it stands" } else { "" };
    let x = paint::say(buf, area, prompt.purpose.label(), theme.style(Role::Key));
    let x = paint::say(buf, paint::from(area, x), literal, theme.style(Role::Dim));
    let note = prompt
        .note
        .as_deref()
        .map_or_else(String::new, |note| format!(" {note}"));
    let x = paint::say(buf, paint::from(area, x), &note, theme.style(Role::Dim));
    let x = paint::say(buf, paint::from(area, x), " ", style);
    let field = paint::from(area, x);
    let room = usize::from(field.width.saturating_sub(1)).max(1);
    let left = prompt.column().saturating_sub(room - 1);
    let hidden = "•".repeat(prompt.column());
    let text = if prompt.purpose == Purpose::Password {
        hidden.as_str()
    } else {
        prompt.text()
    };
    let window = width::cut(text, left, room);
    let end = paint::say(buf, field, window.text, style);
    if let Some(fault) = &prompt.fault {
        paint::say(
            buf,
            paint::from(field, end + 2),
            fault,
            theme.style(Role::Bad),
        );
    } else if prompt.purpose.is_pattern() && prompt.text().is_empty() {
        let help = "Tab: search, only, hide, mark · Alt-r: as it stands · Esc";
        paint::say(
            buf,
            paint::from(field, end + 2),
            help,
            theme.style(Role::Dim),
        );
    }
    let column = u16::try_from(prompt.column() - left).unwrap_or(0);
    Position::new(
        (field.x + column).min(area.right().saturating_sub(1)),
        area.y,
    )
}

fn hints(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let pending: Vec<String> = app.pending.iter().map(ToString::to_string).collect();
    let pending = if pending.is_empty() {
        String::new()
    } else {
        pending.join(" ") + " "
    };
    let hints = keys_that_matter(app);
    let mut x = paint::say(
        buf,
        paint::from(area, area.x + 1),
        &pending,
        theme.style(Role::Key),
    );
    for (key, deed) in hints {
        if usize::from(area.right().saturating_sub(x)) < width::cells(key) + width::cells(deed) + 3
        {
            return;
        }
        x = paint::say(buf, paint::from(area, x), key, theme.style(Role::Key));
        x = paint::say(buf, paint::from(area, x + 1), deed, theme.style(Role::Hint)) + 2;
    }
}

/// Keys and what they do, by what keys mean now.
fn keys_that_matter(app: &App) -> &'static [(&'static str, &'static str)] {
    match &app.mode {
        Mode::Help { .. } => &[("j k", "scroll"), ("Esc", "back")],
        Mode::Record { .. } => &[
            ("j k", "next, previous"),
            ("d u", "scroll"),
            ("y", "copy"),
            ("Esc", "back"),
        ],
        Mode::Layers { .. } => &[
            ("Space", "on, off"),
            ("d", "away"),
            ("J K", "order"),
            ("Esc", "back"),
        ],
        Mode::Confirm(_) => &[("y", "yes"), ("n", "no")],
        Mode::Normal | Mode::Prompt(_) => match (app.pending.first(), app.shell()) {
            (Some(&PREFIX), _) => &[
                ("?", "help"),
                ("[", "history"),
                ("/", "search"),
                ("d", "leave it running"),
                ("1-9 n p", "go"),
                ("s v", "split"),
                ("z", "zoom"),
                ("x", "close"),
                ("r", "new shell"),
                ("R", "record"),
                ("b", "type into all"),
                ("w", "read-only"),
                ("Ctrl-]", "itself"),
            ],
            (Some(_), _) => &[
                ("h j k l", "go"),
                ("s v", "split"),
                ("c", "close"),
                ("o", "only"),
                ("< > + -", "size"),
                ("=", "equal"),
            ],
            (None, Some(shell)) if shell.look.is_some() => &[
                ("j k ^u ^d g G", "move"),
                ("/ n N", "search"),
                ("v V", "select"),
                ("y", "copy"),
                ("q", "back to the shell"),
            ],
            (None, Some(shell)) if shell.spec().is_none() => &[
                ("Space", "stop, go on"),
                ("+ -", "speed"),
                ("→", "5 s further"),
                ("Ctrl-] [", "history"),
                ("q", "quit"),
            ],
            (None, Some(_)) => &[
                ("Ctrl-] ?", "help"),
                ("Ctrl-] d", "leave it running"),
                ("Ctrl-] x", "close"),
                ("", "all other keys go to the container"),
            ],
            (None, None) => LINES,
        },
    }
}

/// Over lines of a log.
const LINES: &[(&str, &str)] = &[
    ("?", "help"),
    ("/", "search"),
    ("&", "filter"),
    ("Tab", "pane"),
    ("f", "zoom"),
    ("p", "pause"),
    ("Enter", "record"),
    ("w", "wrap"),
    ("t", "time"),
    ("V", "level"),
    ("s", "shell"),
    ("o", "open"),
    ("q", "quit"),
];
