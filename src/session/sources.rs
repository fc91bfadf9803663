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
    pub(super) fn name(
        &mut self,
        component: &[u8],
        id: &[u8],
        batch: &mut RawBatch,
    ) -> Option<&SourceName> {
        if !self.is_last(component, id) {
            let name = if component.is_empty() {
                SourceName::new(id)
            } else {
                SourceName::within(component, id)
            };
            if self.seen.len() < REMEMBERED && self.seen.insert(name.clone()) {
                batch.push_mark(Mark::Join(name.clone()));
            }
            self.last = Some((component.to_vec(), id.to_vec(), name));
        }
        self.last.as_ref().map(|(_, _, name)| name)
    }

    /// A name that is a label only (an event's step), without a mark.
    pub(super) fn label(&mut self, id: &[u8]) -> Option<&SourceName> {
        if !self.is_last(b"", id) {
            self.last = Some((Vec::new(), id.to_vec(), SourceName::new(id)));
        }
        self.last.as_ref().map(|(_, _, name)| name)
    }

    fn is_last(&self, component: &[u8], id: &[u8]) -> bool {
        let last = self.last.as_ref();
        // Most components are empty; comparing empty slices costs an assist on some processors,
        // since the masked load of the C library's memcmp meets a dangling pointer.
        last.is_some_and(|(known, last, _)| {
            last == id
                && known.len() == component.len()
                && (component.is_empty() || known == component)
        })
    }
}
