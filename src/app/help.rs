//! The help: every command with its keys, from the table of commands itself.

use ratatui::layout::Rect;

use crate::text::width;

use super::command::GROUPS;
use super::keymap;

/// Columns of the help at most.
pub const COLS: u16 = 92;
const KEYS: usize = 24;

/// One row of the help.
#[derive(Debug)]
pub enum Row {
    /// Nothing.
    Blank,
    /// What the next rows are about.
    Heading(&'static str),
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

impl Help {
    /// Broken to fit `area`.
    pub fn of(area: Rect) -> Self {
        let width = usize::from(area.width.min(COLS));
        let keys = KEYS.min(width.saturating_sub(3) / 3);
        let rows = lines(width.saturating_sub(keys + 4).max(1));
        let seen = usize::from(area.height)
            .min(rows.len() + 2)
            .saturating_sub(1);
        Self { rows, keys, seen }
    }

    /// The first row that is seen at the end.
    pub fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.seen)
    }
}

fn lines(cols: usize) -> Vec<Row> {
    let mut lines = Vec::new();
    for (heading, commands) in GROUPS {
        lines.push(Row::Heading(heading));
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
        lines.push(Row::Blank);
    }
    lines.push(Row::Heading("Mouse (:mouse on)"));
    let mouse = [
        ("wheel", "scroll the pane under the pointer"),
        ("click", "focus, and look at the line"),
        ("drag a divider", "size the panes beside it"),
        ("Shift-drag", "the terminal's own selection, always"),
    ];
    for (keys, help) in mouse {
        push(&mut lines, keys, help, cols);
    }
    lines
}

/// A command's rows: its help is broken between words.
fn push(lines: &mut Vec<Row>, keys: &str, help: &str, cols: usize) {
    let mut keys = keys.to_owned();
    let mut row = String::new();
    for word in help.split(' ') {
        if !row.is_empty() && width::cells(&row) + 1 + width::cells(word) > cols {
            lines.push(Row::Command {
                keys: std::mem::take(&mut keys),
                help: std::mem::take(&mut row),
            });
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.push_str(word);
    }
    lines.push(Row::Command { keys, help: row });
}
