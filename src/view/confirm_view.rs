//! A question, and what it is about.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::confirm::Confirm;
use crate::model::words;
use crate::say;
use crate::text::SafeText;
use crate::word;

use super::paint;
use super::theme::{Role, Theme};

/// Columns of the box at most.
const COLS: usize = 76;

/// Paints the question in the middle of `area`.
pub(super) fn render(confirm: &Confirm, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let cols = COLS.min(usize::from(area.width));
    let mut question = paint::broken(&confirm.question, cols.saturating_sub(4).max(1));
    let broken = |line: &String| paint::broken(line, cols.saturating_sub(4).max(1));
    let mut lines: Vec<_> = confirm.lines.iter().flat_map(broken).collect();
    let height = usize::from(area.height);
    let about = usize::from(!lines.is_empty());
    // Blank rows are for those who have room for them.
    let pad = usize::from(height >= question.len() + 2 * about + 4);
    let gap = about * pad;
    question.truncate(height.saturating_sub(about + 1).max(1));
    let around = question.len() + gap + 3 * pad + 1;
    // A yes is to what is seen: what is not is said.
    let room = height.saturating_sub(around).max(1);
    if lines.len() > room {
        let left = words::count((lines.len() - room + 1) as u64);
        lines.truncate(room - 1);
        lines.push(
            SafeText::of(&say!(
                "… {left} more rows are not shown",
                "……还有 {left} 行未显示"
            ))
            .into_owned(),
        );
    }
    let area = paint::centred(area, cols, around + lines.len());
    let style = theme.style(Role::Overlay);
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(4),
        ..area
    };
    let mut row = pad;
    for line in &question {
        paint::put(buf, paint::row(inner, row), line, theme.style(Role::Mark));
        row += 1;
    }
    row += gap;
    for line in &lines {
        paint::put(buf, paint::row(inner, row), line, style);
        row += 1;
    }
    row += pad;
    let keys = paint::row(inner, row.min(usize::from(area.height).saturating_sub(1)));
    paint::fill(buf, keys, style);
    let x = paint::say(buf, keys, "y", theme.style(Role::Key));
    let x = paint::say(buf, paint::from(keys, x), word!(" yes   ", " 是   "), style);
    let x = paint::say(buf, paint::from(keys, x), "n", theme.style(Role::Key));
    paint::say(buf, paint::from(keys, x), word!(" no", " 否"), style);
}
