//! Rows of plain numbers in memory that the system gives and gets back as a whole. Pieces of
//! some 10 KiB to 1 MiB that come and go for hours leave an allocator's heap in gaps that the
//! next one does not fit, so that it grows; these are never part of it.
//!
//! What still grows is [`Pages`] of its own; several that grow no more lie in one [`Pack`],
//! which leaves their memory to those that come next.

use std::alloc::{Layout, handle_alloc_error};
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytemuck::Pod;
use memmap2::{MmapMut, MmapOptions};

/// A page of most systems, for what is counted.
pub const PAGE: usize = 4096;

/// Bytes to ask for at least. Those that nothing reaches cost nothing.
const LEAST: usize = 64 * 1024;

/// Where each begins in a [`Pack`]: a multiple of this, so that any kind of number may.
const ALIGNED: usize = 8;

/// A vector that grows at its end, in an anonymous map of its own or as a part of a [`Pack`];
/// without memory until the first is put in.
pub struct Pages<T> {
    memory: Memory,
    /// How many there are.
    len: usize,
    kind: PhantomData<T>,
}

/// Where they lie.
#[derive(Default)]
enum Memory {
    #[default]
    None,
    /// A map, and how many of its bytes were reached before it held less.
    Own { map: MmapMut, reached: usize },
    /// From this byte on in the map of a pack, which is there once the pack is full.
    Part {
        map: Arc<OnceLock<MmapMut>>,
        start: usize,
    },
}

impl Memory {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Own { map, .. } => map,
            Self::Part { map, start } => {
                let map = map.get().map_or(&[][..], |map| map);
                map.get(*start..).unwrap_or(&[])
            }
        }
    }
}

/// One map for what several [`Pages`] hold, filled once.
pub struct Pack {
    map: MmapMut,
    used: usize,
    /// Bytes that each of what it takes keeps, at most.
    keep: usize,
    /// Where its parts look for it.
    shared: Arc<OnceLock<MmapMut>>,
}

/// Something that can be put into a [`Pack`].
pub trait Packed {
    /// Bytes of memory held: whole pages, or a share of a pack without the rest of its last
    /// page.
    fn heap_bytes(&self) -> usize;

    /// Bytes that it needs of a pack.
    fn packed_bytes(&self) -> usize;
}

impl Pack {
    /// A pack for so many bytes, see [`Packed::packed_bytes`]. What is taken into it keeps its
    /// memory for what comes next, unless more than `keep` bytes of it were reached.
    pub fn with_room(bytes: usize, keep: usize) -> Self {
        // All of it is written at once, and the system has it ready sooner than page by page.
        let size = bytes.max(1).next_multiple_of(PAGE);
        let map = MmapOptions::new().len(size).populate().map_anon();
        Self {
            map: map.unwrap_or_else(|_| no_memory(size)),
            used: 0,
            keep,
            shared: Arc::default(),
        }
    }

    /// Moves what is in `pages` to the end of this pack and leaves it empty. Nothing can be read
    /// before [`Pack::finish`].
    pub fn take<T: Pod>(&mut self, pages: &mut Pages<T>) -> Pages<T> {
        let bytes = bytemuck::cast_slice::<T, u8>(pages);
        let start = self.used;
        let Some(place) = self.map.get_mut(start..start + bytes.len()) else {
            return std::mem::take(pages);
        };
        place.copy_from_slice(bytes);
        self.used += pages.packed_bytes();
        let len = pages.len;
        pages.clear(self.keep);
        let map = Arc::clone(&self.shared);
        Pages {
            memory: Memory::Part { map, start },
            len,
            ..Pages::default()
        }
    }

    /// No more comes: its parts can be read.
    pub fn finish(self) {
        // It is set once alone, since this is the pack's end.
        let _ = self.shared.set(self.map);
    }
}

impl<T: Pod> Packed for Pages<T> {
    fn heap_bytes(&self) -> usize {
        match &self.memory {
            Memory::None => 0,
            Memory::Own { reached, .. } => {
                let used = self.len * size_of::<T>();
                used.max(*reached).next_multiple_of(PAGE)
            }
            Memory::Part { .. } => self.packed_bytes(),
        }
    }

    fn packed_bytes(&self) -> usize {
        (self.len * size_of::<T>()).next_multiple_of(ALIGNED)
    }
}

impl<T: Pod> Pages<T> {
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
        self.len += missing;
        self.truncate(len);
    }

    /// Forgets all behind the first `len`.
    pub fn truncate(&mut self, len: usize) {
        if let Memory::Own { reached, .. } = &mut self.memory {
            *reached = (self.len * size_of::<T>()).max(*reached);
        }
        self.len = self.len.min(len);
    }

    /// Forgets all and keeps the memory, unless more than `keep` bytes of it were reached.
    fn clear(&mut self, keep: usize) {
        self.truncate(0);
        if !matches!(&self.memory, Memory::Own { reached, .. } if *reached <= keep) {
            self.memory = Memory::None;
        }
    }

    /// The next `count` places.
    fn free(&mut self, count: usize) -> &mut [T] {
        let end = self.len.saturating_add(count);
        let needed = end.saturating_mul(size_of::<T>());
        let fits = matches!(&self.memory, Memory::Own { map, .. } if map.len() >= needed);
        if count > 0 && !fits {
            self.grow(needed);
        }
        let Memory::Own { map, .. } = &mut self.memory else {
            return &mut [];
        };
        let all = bytemuck::try_cast_slice_mut(map).unwrap_or(&mut []);
        all.get_mut(self.len..end).unwrap_or(&mut [])
    }

    /// Moves to where `needed` bytes fit. Ends the program where the system has no memory, as
    /// any other allocation does.
    fn grow(&mut self, needed: usize) {
        let old = bytemuck::cast_slice::<T, u8>(self);
        let twice = old.len().saturating_mul(2);
        let size = needed.max(twice).max(LEAST);
        // Whole pages are a whole number of any kind of number.
        let size = size.next_multiple_of(PAGE);
        let mut map = MmapMut::map_anon(size).unwrap_or_else(|_| no_memory(size));
        if let Some(start) = map.get_mut(..old.len()) {
            start.copy_from_slice(old);
        }
        self.memory = Memory::Own { map, reached: 0 };
    }
}

fn no_memory(bytes: usize) -> ! {
    handle_alloc_error(Layout::array::<u8>(bytes).unwrap_or(Layout::new::<u8>()))
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        let bytes = self.memory.bytes();
        let bytes = bytes.get(..self.len * size_of::<T>()).unwrap_or(&[]);
        bytemuck::try_cast_slice(bytes).unwrap_or(&[])
    }
}

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self {
            memory: Memory::None,
            len: 0,
            kind: PhantomData,
        }
    }
}

impl<T: Pod> Clone for Pages<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        if let Memory::Part { map, start } = &self.memory {
            copy.memory = Memory::Part {
                map: Arc::clone(map),
                start: *start,
            };
            copy.len = self.len;
        } else {
            copy.extend_from_slice(self);
        }
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
        /// Into a pack with another one.
        Pack(Vec<u32>),
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
            many().prop_map(Step::Pack),
        ]
    }

    #[test]
    fn what_is_large_is_not_kept_for_what_comes_next() {
        let left = |bytes: usize| {
            let mut pages = Pages::default();
            pages.resize(bytes, b'x');
            let mut pack = Pack::with_room(pages.packed_bytes(), 2 * PAGE);
            let full = pack.take(&mut pages);
            pack.finish();
            assert!(full.len() == bytes && full.iter().all(|byte| *byte == b'x'));
            pages.heap_bytes()
        };
        assert_eq!(left(2 * PAGE), 2 * PAGE);
        assert_eq!(left(2 * PAGE + 1), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_vector(steps in prop::collection::vec(step(), 0..12)) {
            let mut pages = Pages::default();
            let mut vector = Vec::new();
            let mut most = 0;
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
                    Step::Pack(other) => {
                        let mut first = Pages::default();
                        first.extend_from_slice(b"first");
                        let mut last = Pages::default();
                        last.extend_from_slice(&other);
                        let parts: [&dyn Packed; 3] = [&first, &pages, &last];
                        let bytes = parts.iter().map(|part| part.packed_bytes()).sum();
                        let mut pack = Pack::with_room(bytes, 2 << 20);
                        let packed = [pack.take(&mut first).to_vec(), first.to_vec()];
                        prop_assert!(packed.iter().all(Vec::is_empty));
                        let full = pack.take(&mut pages);
                        let behind = pack.take(&mut last);
                        pack.finish();
                        prop_assert_eq!(&*behind, &*other);
                        prop_assert!(pages.is_empty());
                        // What was left behind takes others.
                        pages.extend_from_slice(&other);
                        prop_assert_eq!(&*pages, &*other);
                        pages = full;
                    }
                }
                prop_assert_eq!(&*pages, &*vector);
                most = most.max(vector.len());
                let held = pages.heap_bytes();
                prop_assert!((vector.len() * 4..most * 4 + PAGE).contains(&held));
            }
        }
    }
}
