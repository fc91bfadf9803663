//! What leaves a pane as clean text.

use crate::app::effect::Effect;
use crate::app::pane::Pane;
use crate::codec::stamp;
use crate::model::words;
use crate::say;
use crate::store::line::Row;
use crate::store::{LineId, LineRef};
use crate::word;

use super::App;

impl App {
    /// Copies the selection, with time and source if `full`.
    pub fn copy(&mut self, full: bool) {
        let Some(pane) = self.pane() else { return };
        let Some((from, to)) = pane.selection() else {
            return self.tell(word!("there is no line to copy", "没有可复制的行"));
        };
        let (text, lines) = self.lines_text(pane, from, to, full);
        if let Some(pane) = self.panes.get_mut(&self.tabs.now.focus) {
            pane.view.select = None;
        }
        let lines = words::count(lines);
        self.tell(&if lines == "1" {
            say!("copied {lines} line", "已复制 {lines} 行")
        } else {
            say!("copied {lines} lines", "已复制 {lines} 行")
        });
        self.wish(Effect::Copy(text));
    }

    /// The shown lines from one to the other as clean text, and how many.
    pub(in crate::app) fn lines_text(
        &self,
        pane: &Pane,
        from: LineId,
        to: LineId,
        full: bool,
    ) -> (String, u64) {
        let mut text = String::new();
        let mut count = 0;
        let mut id = pane.nearest(from);
        while let Some(at) = id.filter(|at| *at <= to) {
            if let Some(line) = pane.store.get(at).and_then(Row::line) {
                if full {
                    text.push_str(&self.line_head(pane, &line));
                }
                text.push_str(line.as_str());
                text.push('\n');
                count += 1;
            }
            id = pane.next(at);
        }
        if count == 1 {
            text.pop();
        }
        (text, count)
    }

    fn line_head(&self, pane: &Pane, line: &LineRef<'_>) -> String {
        let time = stamp::timestamp(line.stamp().unwrap_or(line.recv()));
        let time = time.map_or_else(String::new, |time| format!("{time:.3} "));
        let source = line
            .source()
            .map_or_else(String::new, |source| format!("{} ", source.text()));
        let target = if pane.is_merged() {
            format!("{} ", self.target_name(line.target()))
        } else {
            String::new()
        };
        format!("{time}{target}{source}")
    }
}
