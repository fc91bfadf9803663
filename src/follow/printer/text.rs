//! `-o text`: the source, and the line with its controls shown or escaped.

use jiff::tz::TimeZone;

use crate::cli::args::Stamp;
use crate::cli::plan::Controls;
use crate::codec::stamp::timestamp;
use crate::model::Micros;
use crate::text::{Attrs, Ink, SafeArena, TextStyle, sanitise};

use super::{Printer, Record};

/// Colours of sources: the terminal's own, without black, white and the red of errors.
const INKS: [u8; 10] = [2, 3, 4, 5, 6, 10, 11, 12, 13, 14];

/// The text of the time shown last: lines of one batch share it.
#[derive(Debug, Default)]
pub(super) struct Times {
    last: Option<(Micros, String)>,
}

impl Times {
    /// The text for `at`, made by `format` if it is not the one before.
    pub(super) fn text(&mut self, at: Micros, format: impl FnOnce(Micros) -> String) -> &str {
        if self.last.as_ref().is_none_or(|(known, _)| *known != at) {
            self.last = Some((at, format(at)));
        }
        self.last.as_ref().map_or("", |(_, text)| text)
    }
}

impl Printer {
    pub(super) fn text(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let row = record.row;
        if let Some(style) = self.plan.stamp {
            let (zone, started) = (&self.plan.zone, self.started);
            let text = self.times.text(row.stamp.unwrap_or(row.recv), |at| {
                stamp(at, style, zone, started)
            });
            out.extend_from_slice(text.as_bytes());
            out.push(b' ');
        }
        if self.plan.prefix {
            self.prefix(record, out);
        }
        match self.plan.controls {
            Controls::Escaped => {
                sanitise::escape(record.line, out);
            }
            Controls::Kept => out.extend_from_slice(record.line),
            Controls::Shown => self.shown(record.line, out),
        }
        self.end_line(record, out);
    }

    fn prefix(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let source = record.source.map_or("", |source| source.as_str());
        let component = record.source.and_then(|source| source.component());
        let name = component.map_or(record.name, |component| component.as_str());
        if self.many || component.is_some() {
            self.word(short(name), out);
        }
        if !source.is_empty() {
            self.word(source, out);
        }
    }

    fn word(&self, word: &str, out: &mut Vec<u8>) {
        if word.is_empty() {
            return;
        }
        if self.plan.color {
            let sum = word.bytes().fold(5381_usize, |sum, byte| {
                sum.wrapping_mul(33) ^ usize::from(byte)
            });
            let ink = INKS.get(sum % INKS.len()).copied().unwrap_or(6);
            sanitise::sgr(
                TextStyle {
                    fg: Ink::Indexed(ink),
                    bg: Ink::Default,
                    attrs: Attrs(0),
                },
                out,
            );
        }
        sanitise::escape(word.as_bytes(), out);
        if self.plan.color {
            sanitise::reset(out);
        }
        out.push(b' ');
    }

    fn shown(&self, line: &[u8], out: &mut Vec<u8>) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut arena = SafeArena::default();
        arena.push(line);
        let text = arena.text(0);
        if !self.plan.color {
            return out.extend_from_slice(text.as_str().as_bytes());
        }
        let mut at = 0;
        let part = |from: usize, to: usize| text.as_str().get(from..to).unwrap_or("").as_bytes();
        for run in arena.runs(0) {
            let (start, end) = (run.start as usize, run.end as usize);
            out.extend_from_slice(part(at, start));
            sanitise::sgr(run.style, out);
            out.extend_from_slice(part(start, end));
            sanitise::reset(out);
            at = end;
        }
        out.extend_from_slice(part(at, text.as_str().len()));
    }
}

/// The first 12 characters of a long id.
fn short(name: &str) -> &str {
    let hex = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex {
        name.get(..12).unwrap_or(name)
    } else {
        name
    }
}

/// A time in one of the styles of `-t`.
pub(super) fn stamp(at: Micros, style: Stamp, zone: &TimeZone, started: Micros) -> String {
    let Some(instant) = timestamp(at) else {
        return "-".into();
    };
    let zoned = instant.to_zoned_datetime(zone.clone());
    match style {
        Stamp::Short => zoned.strftime("%H:%M:%S%.3f").to_string(),
        Stamp::Full => zoned.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Stamp::Rfc3339 => zoned.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
        Stamp::Relative => {
            let millis = (at.0 - started.0) / 1000;
            let sign = if millis < 0 { '-' } else { '+' };
            format!("{sign}{}.{:03}", millis.abs() / 1000, millis.abs() % 1000)
        }
    }
}
