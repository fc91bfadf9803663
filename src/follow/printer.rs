//! The output formats, one file each.

mod json;
mod text;

use crate::cli::args::Format;
use crate::cli::plan::PrintPlan;
use crate::codec::target::Target;
use crate::model::context::Place;
use crate::model::{LinkState, Mark, Micros, RawRow, RowFlags, SourceName};

use super::alerts::Alarm;

pub use json::quote;

/// A line with everything that is known of it.
#[derive(Debug)]
pub struct Record<'a> {
    /// The target as it was typed.
    pub target: &'a str,
    /// Its short name.
    pub name: &'a str,
    /// The component of a platform that it is.
    pub place: Option<&'a Place>,
    /// The line's row.
    pub row: &'a RawRow,
    /// Where in the target it comes from.
    pub source: Option<&'a SourceName>,
    /// Its bytes.
    pub line: &'a [u8],
    /// The whole frame that it was read out of, where that is more than the line and was not
    /// printed with another line of it.
    pub frame: Option<&'a [u8]>,
    /// That frame was printed with another line of it.
    pub framed: bool,
}

/// Turns records into bytes.
#[derive(Debug)]
pub struct Printer {
    plan: PrintPlan,
    many: bool,
    started: Micros,
    times: text::Times,
}

impl Printer {
    /// A printer for one or `many` targets; relative times count from `started`.
    pub fn new(plan: PrintPlan, many: bool, started: Micros) -> Self {
        Self {
            plan,
            many,
            started,
            times: text::Times::default(),
        }
    }

    /// Appends one line.
    pub fn line(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        match self.plan.format {
            Format::Text => self.text(record, out),
            Format::Raw if record.framed => {}
            Format::Raw => {
                out.extend_from_slice(record.frame.unwrap_or(record.line));
                self.end_line(record, out);
            }
            Format::Json => json::line(record, &mut self.times, out),
        }
    }

    /// Appends what happened between two lines; only JSON has records for that.
    pub fn mark(&mut self, target: &Target, mark: &Mark, now: Micros, out: &mut Vec<u8>) {
        if self.plan.format == Format::Json {
            json::mark(target, mark, now, out);
        }
    }

    /// Appends the end or the loss of a target; only JSON has records for that.
    pub fn state(&mut self, target: &str, state: &LinkState, now: Micros, out: &mut Vec<u8>) {
        match (self.plan.format, state) {
            (Format::Json, LinkState::Ended(reason)) => json::end(target, reason, now, out),
            (Format::Json, LinkState::Waiting { why, .. }) => {
                json::lost(target, why.as_str(), now, out);
            }
            _ => {}
        }
    }

    /// Appends an alert that begins or ends; only JSON has records for that.
    pub fn alarm(&mut self, alarm: &Alarm, now: Micros, out: &mut Vec<u8>) {
        if self.plan.format == Format::Json {
            json::alarm(alarm, now, out);
        }
    }

    fn end_line(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let goes_on = record.row.flags.has(RowFlags::CONTINUES) && self.plan.format != Format::Json;
        if !goes_on {
            out.push(b'\n');
        }
    }
}
