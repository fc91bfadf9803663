//! Everything about something of a platform, over the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint;
use super::theme::{Role, Theme};

/// Paints the lines from `top` on.
pub(super) fn render(
    title: &str,
    lines: &[String],
    top: usize,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let area = paint::centred(area, 100, lines.len() + 2);
    let style = theme.style(Role::Overlay);
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(3),
        ..area
    };
    paint::say(buf, inner, title, theme.style(Role::Mark));
    let rows = usize::from(area.height).saturating_sub(2);
    let top = top.min(lines.len().saturating_sub(rows));
    for (index, line) in lines.iter().skip(top).take(rows).enumerate() {
        let row = paint::row(inner, index + 1);
        match line.split_once(": ") {
            Some((key, value)) => {
                let x = paint::say(buf, row, key, theme.style(Role::JsonKey));
                let x = paint::say(buf, paint::from(row, x), ": ", style);
                paint::say(buf, paint::from(row, x), value, style);
            }
            None => {
                paint::say(buf, row, line, style);
            }
        }
    }
}
