//! The sources seen in one target: names are made once, and the first line of each is marked.

use std::collections::HashSet;

use crate::model::{Mark, RawBatch, SourceName};

/// More names than this are not remembered: a hostile stream may name a new one each line.
const REMEMBERED: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Sources {
    last: Option<(Vec<u8>, Vec<u8>, SourceName)>,
    seen: HashSet<SourceName>,
}

impl Sources {
    /// The name for `id` inside `component` (empty for none); marks its first line in `batch`.
    pub(super) fn name(&mut self, component: &[u8], id: &[u8], batch: &mut RawBatch) -> SourceName {
        if let Some((known, last, name)) = &self.last
            && last == id
            && known == component
        {
            return name.clone();
        }
        let name = if component.is_empty() {
            SourceName::new(id)
        } else {
            SourceName::within(component, id)
        };
        if self.seen.len() < REMEMBERED && self.seen.insert(name.clone()) {
            batch.push_mark(Mark::Join(name.clone()));
        }
        self.last = Some((component.to_vec(), id.to_vec(), name.clone()));
        name
    }

    /// A name that is a label only (an event's step), without a mark.
    pub(super) fn label(&mut self, id: &[u8]) -> SourceName {
        if let Some((_, last, name)) = &self.last
            && last == id
        {
            return name.clone();
        }
        let name = SourceName::new(id);
        self.last = Some((Vec::new(), id.to_vec(), name.clone()));
        name
    }
}
