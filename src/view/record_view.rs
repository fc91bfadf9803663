//! One record in full: time, source, text, JSON fields, and the bytes as they came.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::pane::pieces::pretty_json;
use crate::codec::stamp;
use crate::model::{Micros, RowFlags};
use crate::store::line::Row;
use crate::store::{LineId, LineRef};
use crate::text::{SafeText, width};

use super::paint;
use super::theme::{Role, Theme};

/// Of the received bytes no more is shown than this.
const BYTES: usize = 4096;

enum Part {
    Field(&'static str, String),
    Heading(&'static str),
    Text(SafeText<'static>),
    Json(SafeText<'static>),
}

/// Paints record `line` of the focused pane from row `top` on.
pub(super) fn render(
    app: &App,
    (line, top): (LineId, usize),
    theme: &Theme,
    zone: &TimeZone,
    area: Rect,
    buf: &mut Buffer,
) {
    let style = theme.style(Role::Overlay);
    let record = app
        .pane()
        .and_then(|pane| pane.store.get(line))
        .and_then(Row::line);
    let area = paint::centred(
        area,
        usize::from(area.width).saturating_sub(4).max(20),
        usize::from(area.height).saturating_sub(2).max(3),
    );
    paint::fill(buf, area, style);
    let inner = Rect {
        x: area.x + area.width.min(2),
        width: area.width.saturating_sub(3),
        ..area
    };
    let Some(record) = record else {
        paint::say(
            buf,
            inner,
            "this record is no longer kept",
            theme.style(Role::Dim),
        );
        return;
    };
    let rows = rows(&parts(app, &record, zone), usize::from(inner.width));
    let height = usize::from(inner.height);
    let top = top.min(rows.len().saturating_sub(height));
    for (index, row) in rows.iter().skip(top).take(height).enumerate() {
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
    if top + height < rows.len() {
        let more = format!(" {} more rows: d ", rows.len() - top - height);
        let last = paint::row(area, height.saturating_sub(1));
        paint::say(
            buf,
            paint::right(last, width::cells(&more)),
            &more,
            theme.style(Role::Notice),
        );
    }
}

fn parts(app: &App, record: &LineRef<'_>, zone: &TimeZone) -> Vec<Part> {
    let time = |at: Micros| {
        let zoned = stamp::timestamp(at).map(|at| at.to_zoned_datetime(zone.clone()));
        zoned.map_or_else(String::new, |at| {
            at.strftime("%Y-%m-%d %H:%M:%S%.6f %:z").to_string()
        })
    };
    let own = stamp::of_line(record.as_str(), zone, record.recv());
    let mut parts = vec![Part::Field(
        "target",
        app.target_name(record.target()).to_owned(),
    )];
    if let Some(source) = record.source() {
        if let Some(component) = source.component() {
            parts.push(Part::Field("component", component.to_string()));
        }
        parts.push(Part::Field("source", source.as_str().to_owned()));
    }
    parts.push(Part::Field("arrived", time(record.recv())));
    if let Some(at) = record.stamp() {
        parts.push(Part::Field("sent", time(at)));
    }
    if let Some(at) = own {
        parts.push(Part::Field("written", time(at)));
    }
    parts.push(Part::Field("level", record.level().name().to_owned()));
    if record.flags().has(RowFlags::REPLAY) {
        parts.push(Part::Field(
            "history",
            "from the server's history".to_owned(),
        ));
    }
    parts.push(Part::Heading("Text"));
    parts.push(Part::Text(record.text().into_owned()));
    if let Some(rows) = pretty_json(record.as_str()) {
        parts.push(Part::Heading("JSON"));
        parts.extend(rows.into_iter().map(Part::Json));
    }
    if let Some(raw) = record.raw() {
        parts.push(Part::Heading("Bytes as they came"));
        let head = raw.get(..BYTES).unwrap_or(&raw);
        parts.push(Part::Text(
            SafeText::of(&head.escape_ascii().to_string()).into_owned(),
        ));
        if raw.len() > BYTES {
            parts.push(Part::Text(
                SafeText::of(&format!("… and {} more", raw.len() - BYTES)).into_owned(),
            ));
        }
    }
    parts
}

/// Long texts are wrapped.
fn rows(parts: &[Part], cols: usize) -> Vec<Part> {
    let mut rows = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => {
                rows.extend(
                    width::wrap(text.as_str(), cols)
                        .map(|bytes| Part::Text(text.clone().slice(bytes))),
                );
            }
            Part::Json(text) => rows.push(Part::Json(text.clone())),
            Part::Field(name, value) => rows.push(Part::Field(name, value.clone())),
            Part::Heading(text) => rows.push(Part::Heading(text)),
        }
    }
    rows
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
    let part = |from: usize, to: usize| text.clone().slice(from..to);
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
