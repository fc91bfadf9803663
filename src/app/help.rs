//! The help: every command with its keys, from the table of commands itself.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use crate::lang::{Words, words};
use crate::text::width;

use super::command::GROUPS;
use super::keymap::Keymap;

/// Columns of the help at most.
pub const COLS: u16 = 92;
const KEYS: usize = 24;

/// One row of the help.
#[derive(Debug)]
pub enum Row {
    /// Nothing.
    Blank,
    /// What the next rows are about.
    Heading(Words),
    /// A command, or the next row of its help.
    Command {
        /// Its keys, or its name for `:`.
        keys: String,
        /// What it does.
        help: String,
    },
}

/// The help as it fits into an area.
#[derive(Debug)]
pub struct Help {
    /// All rows.
    pub rows: Vec<Row>,
    /// Columns for the keys.
    pub keys: usize,
    /// How many rows are seen at once; one more says how much is below.
    pub seen: usize,
}

/// All keys as keys.toml may say them, for `deckwatch config keys`.
pub fn text(keymap: &Keymap) -> String {
    let mut out = String::new();
    for (heading, commands) in GROUPS {
        let _ = writeln!(out, "# {heading}");
        for command in commands {
            let keys = keymap.words(command);
            // Writing to a string can't fail.
            let _ = writeln!(out, "{} = {keys:?}  # {}", command.name, command.help);
        }
        out.push('\n');
    }
    out
}

impl Help {
    /// Broken to fit `area`.
    pub fn of(area: Rect, keymap: &Keymap) -> Self {
        let width = usize::from(area.width.min(COLS));
        let keys = KEYS.min(width.saturating_sub(3) / 3);
        let rows = lines(keymap, keys, width.saturating_sub(keys + 4).max(1));
        let seen = usize::from(area.height)
            .min(rows.len() + 2)
            .saturating_sub(1);
        Self { rows, keys, seen }
    }

    /// The row of a heading; the first row if there is no such heading.
    pub fn heading(&self, wanted: Words) -> usize {
        let is = |row: &Row| matches!(row, Row::Heading(heading) if *heading == wanted);
        self.rows.iter().position(is).unwrap_or(0)
    }

    /// The first row that is seen at the end.
    pub fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.seen)
    }
}

fn lines(keymap: &Keymap, room: usize, cols: usize) -> Vec<Row> {
    let mut lines = Vec::new();
    for (heading, commands) in GROUPS {
        lines.push(Row::Heading(heading));
        for command in commands {
            let keys = keymap.shown(command);
            let keys = if keys.is_empty() {
                vec![format!(":{}", command.name)]
            } else {
                keys
            };
            push(&mut lines, &keys, command.help.get(), (room, cols));
        }
        lines.push(Row::Blank);
    }
    lines.push(Row::Heading(words("Mouse (:mouse on)", "鼠标 (:mouse on)")));
    for (keys, help) in MOUSE {
        push(&mut lines, &[keys.to_string()], help.get(), (room, cols));
    }
    lines
}

/// What the mouse does.
const MOUSE: [(Words, Words); 4] = [
    (
        words("wheel", "滚轮"),
        words("scroll the pane under the pointer", "滚动指针所在的窗格"),
    ),
    (
        words("click", "点击"),
        words("focus, and look at the line", "聚焦，并定位到该行"),
    ),
    (
        words("drag a divider", "拖动分隔线"),
        words("size the panes beside it", "调整两侧窗格的大小"),
    ),
    (
        words("Shift-drag", "Shift 加拖动"),
        words(
            "the terminal's own selection, always",
            "始终是本机终端自己的选择",
        ),
    ),
];

/// A command's rows: its keys and its help are broken between words, each in its columns.
fn push(lines: &mut Vec<Row>, keys: &[String], help: &str, (room, cols): (usize, usize)) {
    let keys = broken(keys, room);
    let rows = width::broken(help, cols);
    for row in 0..keys.len().max(rows.len()) {
        let help = rows.get(row).and_then(|row| help.get(row.clone()));
        lines.push(Row::Command {
            keys: keys.get(row).cloned().unwrap_or_default(),
            help: help.unwrap_or_default().to_owned(),
        });
    }
}

/// Keys in rows of at most `cols` columns.
fn broken(keys: &[String], cols: usize) -> Vec<String> {
    const GAP: &str = "  ";
    let mut rows = vec![String::new()];
    for key in keys {
        let Some(row) = rows.last_mut() else { break };
        if row.is_empty() {
            row.push_str(key);
        } else if width::cells(row) + GAP.len() + width::cells(key) > cols {
            rows.push(key.clone());
        } else {
            row.push_str(GAP);
            row.push_str(key);
        }
    }
    rows
}
