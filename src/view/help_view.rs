//! The help, painted.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::help::{COLS, Help, Row};
use crate::app::keymap::Keymap;
use crate::say;
use crate::text::width;

use super::paint;
use super::theme::{Role, Theme};

/// Paints the help from row `top` on.
pub(super) fn render(keymap: &Keymap, top: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let help = Help::of(area, keymap);
    let area = paint::centred(area, usize::from(COLS), help.seen + 1);
    let style = theme.style(Role::Overlay);
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(3),
        ..area
    };
    let top = top.min(help.last_top());
    for (index, line) in help.rows.iter().skip(top).take(help.seen).enumerate() {
        let row = paint::row(inner, index);
        match line {
            Row::Blank => {}
            Row::Heading(text) => {
                paint::say(buf, row, text.get(), theme.style(Role::Mark));
            }
            Row::Command { keys, help: words } => {
                let left = Rect {
                    width: u16::try_from(help.keys).unwrap_or(0).min(row.width),
                    ..row
                };
                paint::say(buf, left, keys, theme.style(Role::Key));
                paint::say(buf, paint::from(row, left.right() + 1), words, style);
            }
        }
    }
    if top < help.last_top() {
        let more = say!(
            " {} more rows below ",
            " 下面还有 {} 行 ",
            help.last_top() - top
        );
        let last = paint::row(area, help.seen);
        paint::say(
            buf,
            paint::right(last, width::cells(&more)),
            &more,
            theme.style(Role::Notice),
        );
    }
}
