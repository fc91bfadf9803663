//! Memory for the text of segments that is used again. Segments of 1 MiB that come and go for
//! hours leave an allocator's memory in pieces that the next one does not fit; text that moves
//! into the place of evicted text does not.

use std::sync::{Arc, Mutex};

/// Most pieces kept, beside the budget: a batch of 4 MiB fills about as many segments before
/// others are evicted.
const KEPT: usize = 4;

/// The spare pieces of the stores that share it; a clone shares them too.
#[derive(Clone, Debug, Default)]
pub struct Rooms(Arc<Mutex<Vec<String>>>);

impl Rooms {
    /// A piece, empty, if there is one.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().ok()?.pop()
    }

    /// Keeps a piece, unless there are enough.
    pub(super) fn give(&self, room: String) {
        if let Ok(mut kept) = self.0.lock()
            && kept.len() < KEPT
        {
            kept.push(room);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.lock().map_or(0, |kept| kept.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
