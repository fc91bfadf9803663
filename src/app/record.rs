//! One record in full: time, source, text, JSON fields, and the bytes as they came.

use ratatui::layout::Rect;

use crate::codec::stamp;
use crate::model::{Micros, RowFlags};
use crate::say;
use crate::store::{LineId, LineRef};
use crate::text::{SafeText, floor_boundary, width};
use crate::word;

use super::pane::pieces::pretty_json;
use super::state::App;

/// Of the text no more is shown than this, in bytes.
const TEXT: usize = 64 << 10;
/// Of the received bytes no more is shown than this.
const BYTES: usize = 4096;

/// One row.
#[derive(Debug)]
pub enum Part {
    /// A name and a value.
    Field(&'static str, String),
    /// What the next rows are.
    Heading(&'static str),
    /// Text.
    Text(SafeText<'static>),
    /// Indented JSON.
    Json(SafeText<'static>),
}

/// A record as it fits into an area.
#[derive(Debug)]
pub struct Record {
    /// All rows.
    pub rows: Vec<Part>,
    /// How many rows are seen at once.
    pub seen: usize,
}

impl Record {
    /// Row `line` of the focused pane, broken to fit into `inner`; none if it is no longer kept.
    pub fn of(app: &App, line: LineId, inner: Rect) -> Option<Self> {
        let record = app.pane()?.store.get(line)?.line()?;
        let rows = rows(&parts(app, &record), usize::from(inner.width));
        let whole = usize::from(inner.height);
        // The last row says how much is below.
        let seen = if rows.len() > whole {
            whole.saturating_sub(1)
        } else {
            whole
        };
        Some(Self { rows, seen })
    }

    /// The first row that is seen at the end.
    pub fn last_top(&self) -> usize {
        self.rows.len().saturating_sub(self.seen)
    }
}

/// Where a record lies over `area`.
pub fn place(area: Rect) -> Rect {
    let width = area.width.saturating_sub(4).max(20).min(area.width);
    let height = area.height.saturating_sub(2).max(3).min(area.height);
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

/// The part of its place that has text.
pub fn inside(place: Rect) -> Rect {
    Rect {
        x: place.x + place.width.min(2),
        width: place.width.saturating_sub(3),
        ..place
    }
}

fn parts(app: &App, record: &LineRef<'_>) -> Vec<Part> {
    let time = |at: Micros| {
        let zoned = stamp::timestamp(at).map(|at| at.to_zoned_datetime(app.zone.clone()));
        zoned.map_or_else(String::new, |at| {
            at.strftime("%Y-%m-%d %H:%M:%S%.6f %:z").to_string()
        })
    };
    let own = stamp::of_line(record.as_str(), &app.zone, record.recv());
    let mut parts = vec![Part::Field(
        word!("target", "目标"),
        app.target_name(record.target()).to_owned(),
    )];
    if let Some(source) = record.source() {
        if let Some(component) = source.component() {
            parts.push(Part::Field(
                word!("component", "组件"),
                component.to_string(),
            ));
        }
        parts.push(Part::Field(
            word!("source", "来源"),
            source.as_str().to_owned(),
        ));
    }
    parts.push(Part::Field(word!("arrived", "到达"), time(record.recv())));
    if let Some(at) = record.stamp() {
        parts.push(Part::Field(word!("sent", "发送"), time(at)));
    }
    if let Some(at) = own {
        parts.push(Part::Field(word!("written", "写入"), time(at)));
    }
    parts.push(Part::Field(
        word!("level", "级别"),
        record.level().name().to_owned(),
    ));
    if record.flags().has(RowFlags::REPLAY) {
        parts.push(Part::Field(
            word!("history", "历史"),
            word!("from the server's history", "来自服务端的历史").to_owned(),
        ));
    }
    parts.push(Part::Heading(word!("Text", "文本")));
    let whole = record.text();
    let bytes = whole.as_str().len();
    let end = floor_boundary(whole.as_str(), TEXT);
    parts.push(Part::Text(whole.slice(0..end).into_owned()));
    parts.extend(more(bytes - end));
    if let Some(rows) = pretty_json(record.as_str()) {
        parts.push(Part::Heading("JSON"));
        parts.extend(rows.into_iter().map(Part::Json));
    }
    if let Some(raw) = record.raw() {
        parts.push(Part::Heading(word!("Bytes as they came", "原始字节")));
        let head = raw.get(..BYTES).unwrap_or(&raw);
        parts.push(Part::Text(
            SafeText::of(&head.escape_ascii().to_string()).into_owned(),
        ));
        parts.extend(more(raw.len() - head.len()));
    }
    parts
}

/// How many bytes are not shown, if any.
fn more(bytes: usize) -> Option<Part> {
    let words = say!("… and {bytes} more", "……还有 {bytes} 字节");
    (bytes > 0).then(|| Part::Text(SafeText::of(&words).into_owned()))
}

/// Long texts are wrapped.
fn rows(parts: &[Part], cols: usize) -> Vec<Part> {
    let mut rows = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => {
                rows.extend(
                    width::wrap(text.as_str(), cols)
                        .map(|bytes| Part::Text(text.borrowed().slice(bytes).into_owned())),
                );
            }
            Part::Json(text) => rows.push(Part::Json(text.clone())),
            Part::Field(name, value) => rows.push(Part::Field(name, value.clone())),
            Part::Heading(text) => rows.push(Part::Heading(text)),
        }
    }
    rows
}
