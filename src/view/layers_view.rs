//! The panel of filter layers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::store::LayerKind;
use crate::word;

use super::paint;
use super::theme::{Role, Theme};

/// Paints the focused pane's layers; `chosen` is the one that keys act on.
pub(super) fn render(app: &App, chosen: usize, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let Some(pane) = app.pane() else { return };
    let layers = &pane.filter.layers;
    let area = paint::centred(area, 70, layers.len().max(1) + 2);
    let style = theme.style(Role::Overlay);
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(3),
        ..area
    };
    paint::say(
        buf,
        inner,
        word!(
            "Layers of this pane, all in force together",
            "此窗格的过滤层，全部同时生效"
        ),
        theme.style(Role::Mark),
    );
    if layers.is_empty() {
        paint::say(
            buf,
            paint::row(inner, 1),
            word!(
                "none yet: & adds one, &! one that hides, / and Tab as well",
                "还没有：&、&!（隐藏）或 / 加 Tab 添加"
            ),
            theme.style(Role::Dim),
        );
    }
    for (index, layer) in layers.iter().enumerate() {
        let row = paint::row(inner, index + 1);
        let on = layer.on && !pane.unfolded;
        let kind = match layer.kind {
            LayerKind::Include => word!("only ", "只看 "),
            LayerKind::Exclude => word!("hide ", "隐藏 "),
            LayerKind::Highlight => word!("mark ", "标记 "),
        };
        let style = if on { style } else { theme.style(Role::Dim) };
        let x = paint::say(buf, row, if on { "[x] " } else { "[ ] " }, style);
        let x = paint::say(buf, paint::from(row, x), kind, theme.style(Role::Key));
        paint::say(buf, paint::from(row, x), layer.pattern.source(), style);
        if index == chosen {
            paint::tint(buf, row, theme.style(Role::Cursor));
        }
    }
}
