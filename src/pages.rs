//! Rows of plain numbers in memory that the system gives and gets back as a whole. Pieces of
//! some 10 KiB to 1 MiB that come and go for hours leave an allocator's heap in gaps that the
//! next one does not fit, so that it grows; these are never part of it.

use std::alloc::{Layout, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use bytemuck::Pod;
use memmap2::MmapMut;

/// A page of most systems, for what is counted.
const PAGE: usize = 4096;

/// Bytes to ask for at least. Those that nothing reaches cost nothing.
const LEAST: usize = 64 * 1024;

/// A vector that grows at its end, in an anonymous map of its own; none while it is empty.
pub struct Pages<T> {
    map: Option<MmapMut>,
    /// How many there are.
    len: usize,
    /// Bytes to ask for at first.
    room: usize,
    kind: PhantomData<T>,
}

impl<T: Pod> Pages<T> {
    /// An empty one that will hold about `room` of them.
    pub fn with_room(room: usize) -> Self {
        Self {
            room: room.saturating_mul(size_of::<T>()),
            ..Self::default()
        }
    }

    /// Puts one behind the others.
    pub fn push(&mut self, one: T) {
        self.extend(1, std::iter::once(one));
    }

    /// Copies a slice behind the others.
    pub fn extend_from_slice(&mut self, more: &[T]) {
        let free = self.free(more.len());
        if free.len() == more.len() {
            free.copy_from_slice(more);
            self.len += more.len();
        }
    }

    /// Puts `count` of what is given behind the others; fewer if there are fewer.
    pub fn extend(&mut self, count: usize, more: impl Iterator<Item = T>) {
        let mut put = 0;
        for (place, one) in self.free(count).iter_mut().zip(more) {
            *place = one;
            put += 1;
        }
        self.len += put;
    }

    /// Makes it `len` long, with `filler` for what is missing.
    pub fn resize(&mut self, len: usize, filler: T) {
        let missing = len.saturating_sub(self.len);
        self.free(missing).fill(filler);
        self.len = len;
    }

    /// Forgets all behind the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        (self.len * size_of::<T>()).next_multiple_of(PAGE)
    }

    /// The next `count` places.
    fn free(&mut self, count: usize) -> &mut [T] {
        let end = self.len + count;
        if count > 0 && self.places() < end {
            self.grow(end);
        }
        let map = self.map.as_deref_mut().unwrap_or(&mut []);
        let all = bytemuck::try_cast_slice_mut(map).unwrap_or(&mut []);
        all.get_mut(self.len..end).unwrap_or(&mut [])
    }

    /// How many there is room for.
    fn places(&self) -> usize {
        self.map
            .as_ref()
            .map_or(0, |map| map.len() / size_of::<T>())
    }

    /// Moves to where `need` fit. Ends the program where the system has no memory, as any
    /// other allocation does.
    fn grow(&mut self, need: usize) {
        let need = need.saturating_mul(size_of::<T>());
        let twice = self.map.as_ref().map_or(0, |map| map.len() * 2);
        let size = need.max(twice).max(self.room).max(LEAST);
        // Whole pages are a whole number of any kind of number.
        let size = size.next_multiple_of(PAGE);
        let Ok(mut map) = MmapMut::map_anon(size) else {
            handle_alloc_error(Layout::array::<u8>(size).unwrap_or(Layout::new::<u8>()));
        };
        let old = bytemuck::cast_slice::<T, u8>(self);
        if let Some(start) = map.get_mut(..old.len()) {
            start.copy_from_slice(old);
        }
        self.map = Some(map);
    }
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let map = self.map.as_deref().unwrap_or(&[]);
        let all = bytemuck::try_cast_slice(map).unwrap_or(&[]);
        all.get(..self.len).unwrap_or(&[])
    }
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self {
            map: None,
            len: 0,
            room: 0,
            kind: PhantomData,
        }
    }
}

impl<T: Pod> Clone for Pages<T> {
    fn clone(&self) -> Self {
        let mut copy = Self {
            room: self.room,
            ..Self::default()
        };
        copy.extend_from_slice(self);
        copy
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&**self).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(u32),
        Slice(Vec<u32>),
        /// So many wanted of these.
        Some(usize, Vec<u32>),
        Resize(usize, u32),
        Truncate(usize),
        Copy,
    }

    fn step() -> impl Strategy<Value = Step> {
        let many = || prop::collection::vec(any::<u32>(), 0..20_000);
        prop_oneof![
            any::<u32>().prop_map(Step::Push),
            many().prop_map(Step::Slice),
            (0..30_usize, prop::collection::vec(any::<u32>(), 0..30))
                .prop_map(|(count, more)| Step::Some(count, more)),
            (0..40_000_usize, any::<u32>()).prop_map(|(len, filler)| Step::Resize(len, filler)),
            (0..40_000_usize).prop_map(Step::Truncate),
            Just(Step::Copy),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_vector(room in 0..50_000_usize, steps in prop::collection::vec(step(), 0..12)) {
            let mut pages = Pages::with_room(room);
            let mut vector = Vec::new();
            for step in steps {
                match step {
                    Step::Push(one) => {
                        pages.push(one);
                        vector.push(one);
                    }
                    Step::Slice(more) => {
                        pages.extend_from_slice(&more);
                        vector.extend_from_slice(&more);
                    }
                    Step::Some(count, more) => {
                        pages.extend(count, more.iter().copied());
                        vector.extend(more.iter().take(count));
                    }
                    Step::Resize(len, filler) => {
                        pages.resize(len, filler);
                        vector.resize(len, filler);
                    }
                    Step::Truncate(len) => {
                        pages.truncate(len);
                        vector.truncate(len);
                    }
                    Step::Copy => pages = pages.clone(),
                }
                prop_assert_eq!(&*pages, &*vector);
                let held = pages.heap_bytes();
                prop_assert!((vector.len() * 4..vector.len() * 4 + PAGE).contains(&held));
            }
        }
    }
}
