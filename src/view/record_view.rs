//! One record in full, painted.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::record::{self, Part, Record};
use crate::say;
use crate::store::LineId;
use crate::text::{SafeText, width};
use crate::word;

use super::paint;
use super::theme::{Role, Theme};

/// Paints record `line` of the focused pane from row `top` on.
pub(super) fn render(
    app: &App,
    (line, top): (LineId, usize),
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let style = theme.style(Role::Overlay);
    let area = record::place(area);
    paint::fill(buf, area, style);
    let inner = record::inside(area);
    let Some(record) = Record::of(app, line, inner) else {
        paint::say(
            buf,
            inner,
            word!("this record is no longer kept", "此记录已不再保留"),
            theme.style(Role::Dim),
        );
        return;
    };
    let top = top.min(record.last_top());
    for (index, row) in record.rows.iter().skip(top).take(record.seen).enumerate() {
        let place = paint::row(inner, index);
        match row {
            Part::Field(name, value) => {
                let x = paint::say(buf, place, name, theme.style(Role::JsonKey));
                paint::say(
                    buf,
                    paint::from(place, (place.x + 10).max(x + 1)),
                    value,
                    style,
                );
            }
            Part::Heading(text) => {
                paint::say(buf, place, text, theme.style(Role::Mark));
            }
            Part::Text(text) => {
                paint::put(buf, place, text, style);
            }
            Part::Json(text) => json_row(text, theme, place, buf),
        }
    }
    if top < record.last_top() {
        let more = say!(
            " {} more rows: d ",
            " 还有 {} 行：d ",
            record.last_top() - top
        );
        let last = paint::row(area, record.seen);
        paint::say(
            buf,
            paint::right(last, width::cells(&more)),
            &more,
            theme.style(Role::Notice),
        );
    }
}

/// One row of indented JSON in colours.
pub(super) fn json_row(text: &SafeText<'_>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let whole = text.as_str();
    let indent = whole.len() - whole.trim_start().len();
    let key_end = whole
        .get(indent..)
        .filter(|rest| rest.starts_with('"'))
        .and_then(|rest| rest.find("\": "))
        .map(|at| indent + at + 1);
    let value_from = key_end.map_or(indent, |end| end + 2);
    let value = whole.get(value_from..).unwrap_or("");
    let style = value_style(value, theme);
    let part = |from: usize, to: usize| text.borrowed().slice(from..to);
    let mut x = area.x;
    if let Some(end) = key_end {
        x = paint::put(buf, area, &part(0, end), theme.style(Role::JsonKey));
        x = paint::put(
            buf,
            paint::from(area, x),
            &part(end, value_from),
            theme.style(Role::Dim),
        );
    } else {
        x = paint::put(buf, paint::from(area, x), &part(0, indent), style);
    }
    paint::put(
        buf,
        paint::from(area, x),
        &part(value_from, whole.len()),
        style,
    );
}

fn value_style(value: &str, theme: &Theme) -> Style {
    match value.chars().next() {
        Some('"') => theme.style(Role::JsonString),
        Some('-' | '0'..='9' | 't' | 'f' | 'n') => theme.style(Role::JsonNumber),
        _ => theme.style(Role::Dim),
    }
}
