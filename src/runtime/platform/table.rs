//! Columns for people, one JSON object a line for programs.

use serde_json::{Map, Value};

use crate::cli::platform_args::Table;
use crate::text::SafeText;
use crate::text::width;

/// A row: what each column shows, and what JSON has.
pub(super) struct Row {
    /// The shown cells.
    pub cells: Vec<String>,
    /// The JSON object.
    pub json: Map<String, Value>,
    /// The thing as a target.
    pub name: String,
}

/// The whole table as text.
pub(super) fn render(format: Table, heads: &[&str], rows: &[Row]) -> String {
    match format {
        Table::Json => rows.iter().fold(String::new(), |text, row| {
            text + &Value::Object(row.json.clone()).to_string() + "\n"
        }),
        Table::Name => rows
            .iter()
            .fold(String::new(), |text, row| text + &row.name + "\n"),
        Table::Text => columns(heads, rows),
    }
}

fn columns(heads: &[&str], rows: &[Row]) -> String {
    let head: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let clean = |cells: &[String]| -> Vec<String> {
        cells
            .iter()
            .map(|cell| SafeText::of(cell).to_string())
            .collect()
    };
    let all: Vec<Vec<String>> = std::iter::once(head)
        .chain(rows.iter().map(|row| clean(&row.cells)))
        .collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            let cells = all.iter().filter_map(|cells| cells.get(column));
            cells.map(|cell| width::cells(cell)).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for cells in &all {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            line.push_str(cell);
            let gap = width.saturating_sub(width::cells(cell)) + 2;
            line.extend(std::iter::repeat_n(' ', gap));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
