//! Memory for the text of segments that is used again. Segments of 1 MiB that come and go for
//! hours leave an allocator's memory in pieces that the next one does not fit; text that moves
//! into the place of evicted text does not.

/// Most pieces kept, beside the budget: a batch of 4 MiB fills about as many segments before
/// others are evicted.
const KEPT: usize = 4;

/// The memory of evicted text, for all stores of one budget.
#[derive(Debug, Default)]
pub struct Rooms(Vec<String>);

impl Rooms {
    /// A piece, if there is one. It may still hold the old text.
    pub(super) fn take(&mut self) -> Option<String> {
        self.0.pop()
    }

    /// Keeps a piece, unless there are enough.
    pub(super) fn give(&mut self, room: String) {
        if self.0.len() < KEPT {
            self.0.push(room);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
