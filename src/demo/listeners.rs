//! Who listens to what.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::hub::{Item, Kind};

/// One listener and the way to it.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) id: u64,
    pub(super) conn: u64,
    pub(super) queue: mpsc::Sender<Item>,
    /// Whether its history is still on the way.
    pub(super) replaying: bool,
}

/// All listeners, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Listeners(BTreeMap<Kind, BTreeMap<String, Vec<Listener>>>);

impl Listeners {
    pub(super) fn add(&mut self, kind: Kind, id: &str, listener: Listener) {
        let ids = self.0.entry(kind).or_default();
        ids.entry(id.to_owned()).or_default().push(listener);
    }

    /// Those of one stream.
    pub(super) fn of(&self, kind: Kind, id: &str) -> &[Listener] {
        self.0
            .get(&kind)
            .and_then(|ids| ids.get(id))
            .map_or(&[], Vec::as_slice)
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, number: u64) -> Option<Listener> {
        let mut gone = None;
        for ids in self.0.values_mut() {
            for list in ids.values_mut() {
                if let Some(at) = list.iter().position(|one| one.id == number) {
                    gone = Some(list.remove(at));
                }
            }
            ids.retain(|_, list| !list.is_empty());
        }
        gone
    }

    /// Takes all of a stream out.
    pub(super) fn close(&mut self, kind: Kind, id: &str) {
        if let Some(ids) = self.0.get_mut(&kind) {
            ids.remove(id);
        }
    }

    /// The history of this one has been sent.
    pub(super) fn replayed(&mut self, number: u64) {
        let all = self.0.values_mut().flat_map(BTreeMap::values_mut).flatten();
        for one in all.filter(|one| one.id == number) {
            one.replaying = false;
        }
    }
}
