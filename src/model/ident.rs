//! Names of things: no bare numbers or strings travel between the layers.

use std::fmt;
use std::sync::Arc;

use crate::text::SafeText;

/// Microseconds since the Unix epoch, by the wall clock. For showing only: never in deadlines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Micros(pub i64);

/// One target of this run, in the order of the command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TargetId(pub u16);

/// One pane of the interface; never used twice in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct PaneId(pub u32);

/// Where a line comes from inside its target: a 12-character container id, a ZeroMQ topic, an
/// event step. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<SafeText<'static>>);

impl SourceName {
    /// Sanitises `raw` into a name.
    pub fn new(raw: &[u8]) -> Self {
        Self(Arc::new(SafeText::new(raw).into_owned()))
    }

    /// The name; safe to show.
    pub fn text(&self) -> &SafeText<'static> {
        &self.0
    }

    /// The name as a string.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
