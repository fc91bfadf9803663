//! Names of things: no bare numbers or strings travel between the layers.

use std::fmt;
use std::sync::Arc;

use crate::text::{SafeText, floor_boundary};

/// Microseconds since the Unix epoch, by the wall clock. For showing only: never in deadlines.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Micros(pub i64);

/// One target of this run, in the order of the command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TargetId(pub u16);

impl TargetId {
    /// The target at `index`; all past 65,535 are one, and no command line is as long.
    pub fn at(index: usize) -> Self {
        Self(u16::try_from(index).unwrap_or(u16::MAX))
    }
}

/// One pane of the interface; never used twice in a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct PaneId(pub u32);

/// Bytes of a name: a pod's and its container's have 317 at most. A hostile server's is cut, so
/// that those that are remembered stay few; two that begin with the same ones are one name.
const LONGEST: usize = 512;

/// Where a line comes from inside its target: a 12-character container id, a ZeroMQ topic, an
/// event step; and the component that it belongs to, where the wire says so. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<Source>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Source {
    component: Option<SafeText<'static>>,
    name: SafeText<'static>,
}

fn name(raw: &[u8]) -> SafeText<'static> {
    let text = SafeText::new(raw);
    if text.as_str().len() <= LONGEST {
        return text.into_owned();
    }
    let end = floor_boundary(text.as_str(), LONGEST);
    SafeText::of(&format!("{}…", text.slice(0..end))).into_owned()
}

impl SourceName {
    /// Sanitises `raw` into a name.
    pub fn new(raw: &[u8]) -> Self {
        Self(Arc::new(Source {
            component: None,
            name: name(raw),
        }))
    }

    /// A name inside a component that the wire names.
    pub fn within(component: &[u8], raw: &[u8]) -> Self {
        let component = Some(name(component));
        Self(Arc::new(Source {
            component,
            name: name(raw),
        }))
    }

    /// The name; safe to show.
    pub fn text(&self) -> &SafeText<'static> {
        &self.0.name
    }

    /// The component's id, where the wire names it.
    pub fn component(&self) -> Option<&SafeText<'static>> {
        self.0.component.as_ref()
    }

    /// Bytes that it holds.
    pub fn weight(&self) -> usize {
        let component = self.component().map_or(0, |name| name.as_str().len());
        size_of::<Source>() + component + self.text().as_str().len()
    }

    /// The name as a string.
    pub fn as_str(&self) -> &str {
        self.0.name.as_str()
    }
}

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_longer_than_a_name_is() {
        let shortest = "n".repeat(LONGEST);
        assert_eq!(SourceName::new(shortest.as_bytes()).as_str(), shortest);
        for long in ["n".repeat(LONGEST + 1), "字".repeat(100_000)] {
            let name = SourceName::within(long.as_bytes(), long.as_bytes());
            let parts = [Some(name.text()), name.component()];
            for text in parts.map(|part| part.unwrap().as_str()) {
                let start = text.strip_suffix('…').unwrap();
                assert!(long.starts_with(start));
                assert!(
                    (LONGEST - 2..=LONGEST).contains(&start.len()),
                    "{}",
                    start.len()
                );
            }
        }
    }
}
