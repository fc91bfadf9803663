//! Which lines are shown: layers of patterns, a lowest level, and sources that are hidden or
//! alone, and a range of rows. Within that marks are always shown, so that nothing is lost unseen.

use crate::model::{Level, TargetId};

use super::line::{LineId, LineRef, Origin};
use super::pattern::Pattern;

/// What a layer does with the lines that its pattern is found in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LayerKind {
    /// Only these are shown, of those that the other layers leave.
    Include,
    /// These are not shown.
    Exclude,
    /// They are shown as before, with the pattern marked; [`Pattern::find_iter`] says where.
    Highlight,
}

/// One pattern and what is done with it.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What is done.
    pub kind: LayerKind,
    /// What is looked for.
    pub pattern: Pattern,
    /// Whether it has effect now.
    pub on: bool,
}

/// A target with all its sources, or one of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Who {
    /// Everything from this target.
    Target(TargetId),
    /// One source of a target.
    Origin(Origin),
}

impl Who {
    /// Whether lines of `origin` are meant.
    pub fn is(&self, origin: &Origin) -> bool {
        match self {
            Self::Target(target) => *target == origin.target,
            Self::Origin(one) => one == origin,
        }
    }
}

/// Everything that decides whether a line is shown; the default shows all.
#[derive(Clone, Debug, Default)]
pub struct FilterSet {
    /// All includes must match, no exclude may.
    pub layers: Vec<Layer>,
    /// Lines below it are hidden; by [`LineRef::filter_level`]. Lines without any level count
    /// as the lowest, [`Level::Debug`].
    pub min_level: Level,
    /// These are hidden.
    pub hidden: Vec<Who>,
    /// If set, all others are hidden, whatever [`FilterSet::hidden`] says.
    pub solo: Option<Who>,
    /// If set, only rows from the first of these up to before the second are shown, marks among
    /// them.
    pub rows: Option<(LineId, LineId)>,
}

impl FilterSet {
    /// Whether every line is shown, so that no list of matches is needed.
    pub fn shows_all(&self) -> bool {
        !self.has_level()
            && !self.has_sources()
            && self.rows.is_none()
            && self.includes().next().is_none()
            && self.excludes().next().is_none()
    }

    /// Whether this line is shown.
    pub fn accepts(&self, line: &LineRef<'_>) -> bool {
        self.accepts_id(line.id())
            && self.accepts_level(line.filter_level())
            && (!self.has_sources()
                || line
                    .origin()
                    .is_none_or(|origin| self.accepts_origin(origin)))
            && self.accepts_text(line.as_str().as_bytes())
    }

    /// Whether the layers let this text through.
    pub fn accepts_text(&self, line: &[u8]) -> bool {
        self.includes().all(|pattern| pattern.is_match(line))
            && !self.excludes().any(|pattern| pattern.is_match(line))
    }

    /// Whether rows of this number are shown.
    pub fn accepts_id(&self, id: LineId) -> bool {
        self.rows.is_none_or(|(from, to)| (from..to).contains(&id))
    }

    /// Whether lines of this level are shown.
    pub fn accepts_level(&self, level: Level) -> bool {
        level >= self.min_level || !self.has_level()
    }

    /// Whether lines from there are shown.
    pub fn accepts_origin(&self, origin: &Origin) -> bool {
        match &self.solo {
            Some(solo) => solo.is(origin),
            None => !self.hidden.iter().any(|who| who.is(origin)),
        }
    }

    /// The patterns to mark in the lines that are shown.
    pub fn highlights(&self) -> impl Iterator<Item = &Pattern> {
        self.active(LayerKind::Highlight)
    }

    pub(super) fn includes(&self) -> impl Iterator<Item = &Pattern> {
        self.active(LayerKind::Include)
    }

    pub(super) fn excludes(&self) -> impl Iterator<Item = &Pattern> {
        self.active(LayerKind::Exclude)
    }

    pub(super) fn has_level(&self) -> bool {
        self.min_level > Level::Debug
    }

    pub(super) fn has_sources(&self) -> bool {
        self.solo.is_some() || !self.hidden.is_empty()
    }

    fn active(&self, kind: LayerKind) -> impl Iterator<Item = &Pattern> {
        let layers = self.layers.iter();
        layers
            .filter(move |layer| layer.on && layer.kind == kind)
            .map(|layer| &layer.pattern)
    }
}
