//! The list of Ctrl-p.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::App;
use crate::app::jump::{Jump, SHOWN};
use crate::text::{SafeText, width};
use crate::word;

use super::paint;
use super::theme::{Role, Theme};

/// Paints the list; the answer is where the cursor stands.
pub(super) fn render(
    app: &App,
    jump: &Jump,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) -> Position {
    let found = app.found(&jump.text);
    let area = paint::centred(area, 84, SHOWN + 2);
    let style = theme.style(Role::Overlay);
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(3),
        ..area
    };
    let head = word!("go to: ", "跳转：");
    let x = paint::say(buf, inner, head, theme.style(Role::Key));
    let x = paint::say(buf, paint::from(inner, x), &jump.text, style);
    if found.is_empty() {
        let text = word!("nothing has these letters", "没有匹配的内容");
        paint::say(buf, paint::row(inner, 1), text, theme.style(Role::Dim));
    }
    let rows = usize::from(area.height).saturating_sub(1).min(SHOWN);
    let first = jump.chosen.saturating_sub(rows.saturating_sub(1));
    for (index, one) in found.iter().enumerate().skip(first).take(rows) {
        let row = paint::row(inner, index - first + 1);
        let room = usize::from(row.width);
        let name = SafeText::of(&one.name).to_string();
        let name = width::fit(&name, room.saturating_mul(2) / 3).to_owned();
        let x = paint::say(buf, row, &name, style);
        let rest = paint::from(row, x.saturating_add(2));
        paint::say(buf, rest, &one.what, theme.style(Role::Dim));
        if index == jump.chosen {
            paint::tint(buf, row, theme.style(Role::Cursor));
        }
    }
    Position::new(x.min(inner.right().saturating_sub(1)), inner.y)
}
