//! The help: every command with its keys, from the table of commands itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::command::GROUPS;
use crate::app::keymap;
use crate::text::width;

use super::paint;
use super::theme::{Role, Theme, built_in};

const KEYS: usize = 24;

enum Line {
    Blank,
    Heading(&'static str),
    Command { keys: String, help: String },
}

/// Paints the help from row `top` on.
pub(super) fn render(top: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let width = usize::from(area.width).min(92);
    let keys = KEYS.min(width.saturating_sub(3) / 3);
    let lines = lines(width.saturating_sub(keys + 4).max(1));
    let area = paint::centred(area, 92, lines.len() + 2);
    let style = theme.style(Role::Overlay);
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(3),
        ..area
    };
    let rows = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(rows.saturating_sub(1)));
    for (index, line) in lines.iter().skip(top).take(rows).enumerate() {
        let row = paint::row(inner, index);
        match line {
            Line::Blank => {}
            Line::Heading(text) => {
                paint::say(buf, row, text, theme.style(Role::Mark));
            }
            Line::Command { keys: text, help } => {
                let left = Rect {
                    width: u16::try_from(keys).unwrap_or(0).min(row.width),
                    ..row
                };
                paint::say(buf, left, text, theme.style(Role::Key));
                paint::say(buf, paint::from(row, left.right() + 1), help, style);
            }
        }
    }
    if top + rows < lines.len() {
        let more = format!(" {} more rows below ", lines.len() - top - rows);
        let last = paint::row(area, rows.saturating_sub(1));
        paint::say(
            buf,
            paint::right(last, width::cells(&more)),
            &more,
            theme.style(Role::Notice),
        );
    }
}

fn lines(cols: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for (heading, commands) in GROUPS {
        lines.push(Line::Heading(heading));
        for command in commands {
            let keys: Vec<String> = command
                .keys
                .iter()
                .map(|words| keymap::shown(words))
                .collect();
            let keys = if keys.is_empty() {
                format!(":{}", command.name)
            } else {
                keys.join("  ")
            };
            push(&mut lines, &keys, command.help, cols);
        }
        lines.push(Line::Blank);
    }
    lines.push(Line::Heading("Mouse (:mouse on)"));
    let mouse = [
        ("wheel", "scroll the pane under the pointer"),
        ("click", "focus, and look at the line"),
        ("drag a divider", "size the panes beside it"),
        ("Shift-drag", "the terminal's own selection, always"),
    ];
    for (keys, help) in mouse {
        push(&mut lines, keys, help, cols);
    }
    lines.push(Line::Blank);
    lines.push(Line::Heading("Themes (:theme NAME)"));
    let names: Vec<&str> = built_in().collect();
    push(&mut lines, "", &names.join(" "), cols);
    lines
}

/// A command's rows: its help is broken between words.
fn push(lines: &mut Vec<Line>, keys: &str, help: &str, cols: usize) {
    let mut keys = keys.to_owned();
    let mut row = String::new();
    for word in help.split(' ') {
        if !row.is_empty() && width::cells(&row) + 1 + width::cells(word) > cols {
            lines.push(Line::Command {
                keys: std::mem::take(&mut keys),
                help: std::mem::take(&mut row),
            });
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    lines.push(Line::Command { keys, help: row });
}
