//! What keys do in a table.

use std::fmt::Write as _;

use crate::app::App;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::mode::Mode;
use crate::codec::monitor;
use crate::model::sample::TopRow;
use crate::model::{LineBatch, Mark, Micros, PaneId, TargetId};
use crate::say;
use crate::word;

use super::TablePane;

impl App {
    /// The table, if it has the keys.
    pub fn focused_table(&self) -> Option<&TablePane> {
        self.tables.get(&self.tabs.now.focus)
    }

    fn with_table(&mut self, deed: impl FnOnce(&mut TablePane)) {
        if let Some(table) = self.tables.get_mut(&self.tabs.now.focus) {
            deed(table);
        }
    }

    pub(in crate::app) fn new_table(&mut self, targets: Vec<TargetId>) -> PaneId {
        let id = self.fresh_pane();
        let mut table = TablePane::new(id, targets);
        // The larger part of the memory is the lines'.
        table.budget = table.budget.min(self.budget / 8);
        self.tables.insert(id, table);
        id
    }

    /// Messages of a target go to its tables.
    pub(in crate::app) fn feed_tables(&mut self, target: TargetId, batch: &LineBatch) {
        let (wall, mono) = (self.now.wall, self.now.mono);
        for table in self.tables.values_mut() {
            if !table.targets.contains(&target) {
                continue;
            }
            for (_, mark) in batch.marks() {
                if let Mark::Dropped { lines } = mark {
                    table.dropped += lines;
                }
            }
            for index in 0..batch.len() {
                match monitor::decode(batch.text().line(index)) {
                    Some(lists) => table.take(lists, wall, mono),
                    None => table.strange += 1,
                }
            }
        }
    }

    /// Whether a key was the table's.
    pub(in crate::app) fn table_key(&mut self, key: Key) -> bool {
        if self.focused_table().is_none() || key.alt {
            return false;
        }
        let page = isize::try_from(self.body().height / 2).unwrap_or(1).max(1);
        let wall = self.now.wall;
        match (key.ctrl, key.code) {
            (_, Code::Down) | (false, Code::Char('j')) => self.walk_rows(1),
            (_, Code::Up) | (false, Code::Char('k')) => self.walk_rows(-1),
            (_, Code::PageDown | Code::Char('d')) => self.walk_rows(page),
            (_, Code::PageUp | Code::Char('u')) => self.walk_rows(-page),
            (_, Code::Home) | (false, Code::Char('g')) => self.walk_rows(isize::MIN / 2),
            (false, Code::Char('o')) => self.with_table(|table| table.sort = table.sort.next()),
            (false, Code::Char('O')) => {
                self.with_table(|table| table.ascending = !table.ascending);
            }
            (_, Code::Left) | (false, Code::Char('h')) => self.step_list(false),
            (_, Code::Right) | (false, Code::Char('l')) => self.step_list(true),
            (_, Code::End) | (false, Code::Char('G')) => {
                self.with_table(|table| table.frozen = None);
                self.leave_moment();
            }
            (_, Code::Esc) if self.moment.is_some() => self.leave_moment(),
            (false, Code::Char('p')) => self.with_table(|table| {
                table.frozen = if table.frozen.is_some() {
                    None
                } else {
                    Some(wall)
                };
            }),
            (_, Code::Enter) => self.row_details(),
            (false, Code::Char('y')) => self.copy_table(),
            _ => return false,
        }
        true
    }

    fn walk_rows(&mut self, step: isize) {
        let (moment, mono) = (self.moment, self.now.mono);
        self.with_table(|table| {
            let rows = table.rows(moment, mono);
            let last = rows.len().saturating_sub(1);
            let at = table.at(&rows).saturating_add_signed(step).min(last);
            if let Some(key) = rows.get(at).map(|row| row.key.clone()) {
                table.cursor = key;
            }
        });
    }

    fn step_list(&mut self, later: bool) {
        let moment = self.moment;
        let table = self.focused_table();
        let found = table.and_then(|table| table.neighbour(moment, later));
        match found {
            Some(at) => self.go_to_moment(at),
            None if later => self.leave_moment(),
            None => self.tell(word!("there is no older list", "没有更早的列表")),
        }
    }

    fn row_details(&mut self) {
        let (moment, mono) = (self.moment, self.now.mono);
        let Some(table) = self.focused_table() else {
            return;
        };
        let rows = table.rows(moment, mono);
        let Some(row) = rows.get(table.at(&rows)) else {
            return;
        };
        let mut lines = vec![row.key.clone(), String::new()];
        let mut tell = |name: &str, value: String| {
            if !value.is_empty() {
                lines.push(format!("{name}: {value}"));
            }
        };
        tell(word!("kind", "类型"), row.kind.clone());
        tell(word!("host", "主机"), row.host.clone());
        tell(word!("cumulative time", "累计时间"), millis(row.sum));
        tell(word!("average time", "平均时间"), millis(row.mean));
        tell(
            word!("longest", "最长时间"),
            row.max.map_or_else(String::new, millis),
        );
        tell(word!("requests", "请求次数"), row.count.to_string());
        tell(
            word!("failed", "异常次数"),
            row.errors
                .map_or_else(String::new, |count| count.to_string()),
        );
        self.mode = Mode::Details {
            title: word!("request", "请求").to_owned(),
            lines,
            top: 0,
        };
    }

    fn copy_table(&mut self) {
        let (moment, mono) = (self.moment, self.now.mono);
        let Some(table) = self.focused_table() else {
            return;
        };
        let rows = table.rows(moment, mono);
        let text = values(&rows);
        let count = rows.len();
        self.tell(&say!("copied {count} rows", "已复制 {count} 行"));
        self.wish(Effect::Copy(text));
    }

    /// The time of the moment that tables show, for their titles.
    pub fn table_moment(&self, table: &TablePane) -> Option<Micros> {
        self.moment.or(table.frozen)
    }
}

fn millis(value: f64) -> String {
    crate::model::metric::Unit::Milliseconds.show(value)
}

/// Rows as tab-separated text; times in milliseconds.
fn values(rows: &[&TopRow]) -> String {
    let mut text = String::from("key\tkind\tsum_ms\tmean_ms\tmax_ms\tcount\terrors\n");
    for row in rows {
        let key = row.key.replace(['\t', '\n'], " ");
        let max = row.max.map_or_else(String::new, |max| max.to_string());
        let errors = row.errors.map_or_else(String::new, |one| one.to_string());
        // Writing to a string can't fail.
        let _ = writeln!(
            text,
            "{key}\t{}\t{}\t{}\t{max}\t{}\t{errors}",
            row.kind, row.sum, row.mean, row.count
        );
    }
    text
}
