//! What the store gives out: rows by number, each a line or a mark.

use std::borrow::Cow;

use crate::model::{Level, Mark, Micros, RowFlags, SourceName, TargetId};
use crate::text::{SafeText, StyleRun};

use super::segment::Segment;

/// The number of a row of one store: the first is 0, and none is used twice. Marks have
/// numbers too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct LineId(pub u64);

/// Where a line comes from: its target, and its source in there if it has one.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Origin {
    /// The target.
    pub target: TargetId,
    /// The container, topic or step.
    pub source: Option<SourceName>,
}

/// A row of the store.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A line that was received.
    Line(LineRef<'a>),
    /// Something that happened. No line can look like it, since a line is never this variant.
    Mark(MarkRef<'a>),
}

impl<'a> Row<'a> {
    /// Its number.
    pub fn id(&self) -> LineId {
        match self {
            Self::Line(line) => line.id,
            Self::Mark(mark) => mark.id,
        }
    }

    /// The line, if it is one.
    pub fn line(self) -> Option<LineRef<'a>> {
        match self {
            Self::Line(line) => Some(line),
            Self::Mark(_) => None,
        }
    }
}

/// A mark in the store.
#[derive(Clone, Copy, Debug)]
pub struct MarkRef<'a> {
    /// Its number.
    pub id: LineId,
    /// The target that it concerns.
    pub target: TargetId,
    /// Arrival of the line before it, where that is known.
    pub recv: Option<Micros>,
    /// What happened.
    pub mark: &'a Mark,
}

/// A line in the store; cheap to copy, its parts are looked up when asked for.
#[derive(Clone, Copy, Debug)]
pub struct LineRef<'a> {
    id: LineId,
    segment: &'a Segment,
    row: usize,
}

impl<'a> LineRef<'a> {
    /// Row `row` of a segment, which is a line.
    pub(super) fn new(id: LineId, segment: &'a Segment, row: usize) -> Self {
        Self { id, segment, row }
    }

    /// Its number.
    pub fn id(&self) -> LineId {
        self.id
    }

    /// Its target.
    pub fn target(&self) -> TargetId {
        self.origin().map_or(TargetId(0), |origin| origin.target)
    }

    /// Its source, if it has one.
    pub fn source(&self) -> Option<&'a SourceName> {
        self.origin()?.source.as_ref()
    }

    /// Target and source.
    pub fn origin(&self) -> Option<&'a Origin> {
        self.segment.origin(self.row)
    }

    /// What the line says of its severity.
    pub fn level(&self) -> Level {
        self.segment.level(self.row)
    }

    /// The level that filters go by: its own, or that of the nearest line above from the same
    /// source, so that a stack trace stays with its error.
    pub fn filter_level(&self) -> Level {
        self.segment.filter_level(self.row)
    }

    /// What is special about it.
    pub fn flags(&self) -> RowFlags {
        self.segment.flags(self.row)
    }

    /// Arrival.
    pub fn recv(&self) -> Micros {
        self.segment.recv(self.row).unwrap_or_default()
    }

    /// The wire's own time stamp.
    pub fn stamp(&self) -> Option<Micros> {
        self.segment.stamp(self.row)
    }

    /// What is shown of it.
    pub fn text(&self) -> SafeText<'a> {
        self.segment.text(self.row)
    }

    /// The same as a string.
    pub fn as_str(&self) -> &'a str {
        self.segment.line(self.row)
    }

    /// Its styles, offsets from the line's start, in order. Looked up or, for most lines,
    /// read from the received bytes again: for lines that are drawn.
    pub fn runs(&self) -> Vec<StyleRun> {
        self.segment.runs(self.row)
    }

    /// The bytes received, where the shown text differs from them.
    pub fn raw(&self) -> Option<Cow<'a, [u8]>> {
        self.segment.raw(self.row)
    }

    /// The bytes received.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        self.raw()
            .unwrap_or(Cow::Borrowed(self.as_str().as_bytes()))
    }
}
