//! A queue with a budget in bytes: the oldest falls out, and is counted.

use std::collections::VecDeque;

/// First in, first out, within a budget. What does not fit any more is dropped from the old
/// end; an item heavier than the whole budget is dropped itself. Nothing falls uncounted.
#[derive(Clone, Debug)]
pub struct ByteRing<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    budget: usize,
    fallen: u64,
}

impl<T> ByteRing<T> {
    /// An empty ring for items of `budget` bytes in total.
    pub fn new(budget: usize) -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
            budget,
            fallen: 0,
        }
    }

    /// Appends an item that weighs `weight` bytes; gives what fell out, oldest first.
    pub fn push(&mut self, item: T, weight: usize) -> Vec<T> {
        let mut fallen = Vec::new();
        if weight > self.budget {
            fallen.extend(self.items.drain(..).map(|(item, _)| item));
            fallen.push(item);
            self.bytes = 0;
        } else {
            while self.bytes + weight > self.budget
                && let Some(oldest) = self.pop()
            {
                fallen.push(oldest);
            }
            self.bytes += weight;
            self.items.push_back((item, weight));
        }
        self.fallen += fallen.len() as u64;
        fallen
    }

    /// Takes the oldest item out.
    pub fn pop(&mut self) -> Option<T> {
        let (item, weight) = self.items.pop_front()?;
        self.bytes -= weight;
        Some(item)
    }

    /// The oldest item.
    pub fn front(&self) -> Option<&T> {
        self.items.front().map(|(item, _)| item)
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter().map(|(item, _)| item)
    }

    /// How many items are there.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What they weigh; never more than the budget.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many items have fallen out since the start.
    pub fn fallen(&self) -> u64 {
        self.fallen
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_oldest_falls_when_the_budget_is_spent() {
        let mut ring = ByteRing::new(10);
        assert!(ring.push('a', 4).is_empty());
        assert!(ring.push('b', 4).is_empty());
        assert_eq!(ring.push('c', 4), ['a']);
        assert_eq!(ring.push('d', 11), ['b', 'c', 'd']);
        assert_eq!((ring.len(), ring.bytes(), ring.fallen()), (0, 0, 4));
    }

    proptest! {
        #[test]
        fn every_item_is_there_or_counted_and_the_budget_holds(weights in prop::collection::vec(0usize..30, 0..60)) {
            let mut ring = ByteRing::new(50);
            let mut out = Vec::new();
            for (item, weight) in weights.iter().enumerate() {
                out.extend(ring.push(item, *weight));
                prop_assert!(ring.bytes() <= 50);
                prop_assert_eq!(ring.fallen(), out.len() as u64);
            }
            while let Some(item) = ring.pop() {
                out.push(item);
            }
            prop_assert_eq!(out, (0..weights.len()).collect::<Vec<_>>());
            prop_assert_eq!(ring.bytes(), 0);
        }
    }
}
