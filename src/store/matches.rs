//! The rows that a filter or a search has found: two bytes each, in the order of the store,
//! found again by place or by number.

use std::collections::VecDeque;

use super::line::LineId;

/// Rows of one stretch of the store, as offsets from its first.
#[derive(Clone, Debug)]
struct Part {
    first: LineId,
    /// Matches before this part.
    before: usize,
    rows: Vec<u16>,
}

impl Part {
    fn id(&self, at: usize) -> Option<LineId> {
        let row = self.rows.get(at)?;
        Some(LineId(self.first.0 + u64::from(*row)))
    }

    /// How many of its rows are below `id`, and whether `id` is the next.
    fn find(&self, id: LineId) -> Result<usize, usize> {
        let Some(offset) = id.0.checked_sub(self.first.0) else {
            return Err(0);
        };
        match u16::try_from(offset) {
            Ok(offset) => self.rows.binary_search(&offset),
            Err(_) => Err(self.rows.len()),
        }
    }
}

/// Numbers of rows, ascending. They come at the end, one by one, or a segment at a time in any
/// order.
#[derive(Clone, Debug, Default)]
pub struct MatchList {
    parts: VecDeque<Part>,
    len: usize,
}

impl MatchList {
    /// Appends `id`, which is above all that are there; otherwise nothing happens.
    pub fn push(&mut self, id: LineId) {
        if self.last().is_some_and(|last| last >= id) {
            return;
        }
        let last = self.parts.back_mut();
        let offset = last.as_ref().map(|part| u16::try_from(id.0 - part.first.0));
        match (last, offset) {
            (Some(part), Some(Ok(offset))) => part.rows.push(offset),
            (last, _) => {
                if let Some(full) = last {
                    full.rows.shrink_to_fit();
                }
                let (first, before) = (id, self.len);
                let rows = vec![0];
                self.parts.push_back(Part {
                    first,
                    before,
                    rows,
                });
            }
        }
        self.len += 1;
    }

    /// Adds the matches of a segment whose first row is `first`, ascending. No other match may
    /// lie between them.
    pub fn insert(&mut self, first: LineId, mut rows: Vec<u16>) {
        if rows.is_empty() {
            return;
        }
        rows.shrink_to_fit();
        let at = self.parts.partition_point(|part| part.first < first);
        let before = 0;
        self.parts.insert(
            at,
            Part {
                first,
                before,
                rows,
            },
        );
        self.recount();
    }

    /// Forgets what is below `id`.
    pub fn evict_before(&mut self, id: LineId) {
        while self
            .parts
            .front()
            .and_then(|part| part.id(part.rows.len() - 1))
            .is_some_and(|last| last < id)
        {
            self.parts.pop_front();
        }
        if let Some(part) = self.parts.front_mut() {
            let (Ok(gone) | Err(gone)) = part.find(id);
            part.rows.drain(..gone);
        }
        self.recount();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Match number `at`, from 0.
    pub fn nth(&self, at: usize) -> Option<LineId> {
        let after = self.parts.partition_point(|part| part.before <= at);
        let part = self.parts.get(after.checked_sub(1)?)?;
        part.id(at - part.before)
    }

    /// The oldest.
    pub fn first(&self) -> Option<LineId> {
        self.nth(0)
    }

    /// The newest.
    pub fn last(&self) -> Option<LineId> {
        let part = self.parts.back()?;
        part.id(part.rows.len().checked_sub(1)?)
    }

    /// The place of `id`; otherwise the place where it would be.
    pub fn position(&self, id: LineId) -> Result<usize, usize> {
        let after = self.parts.partition_point(|part| part.first <= id);
        let Some(part) = after.checked_sub(1).and_then(|at| self.parts.get(at)) else {
            return Err(0);
        };
        part.find(id)
            .map(|at| part.before + at)
            .map_err(|at| part.before + at)
    }

    /// The first match above `id`.
    pub fn next_after(&self, id: LineId) -> Option<LineId> {
        match self.position(id) {
            Ok(at) => self.nth(at + 1),
            Err(at) => self.nth(at),
        }
    }

    /// The last match below `id`.
    pub fn prev_before(&self, id: LineId) -> Option<LineId> {
        let (Ok(at) | Err(at)) = self.position(id);
        self.nth(at.checked_sub(1)?)
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = LineId> {
        let parts = self.parts.iter();
        parts.flat_map(|part| {
            part.rows
                .iter()
                .map(|row| LineId(part.first.0 + u64::from(*row)))
        })
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        let rows = self.parts.iter().map(|part| part.rows.capacity());
        self.parts.capacity() * size_of::<Part>() + rows.sum::<usize>() * size_of::<u16>()
    }

    fn recount(&mut self) {
        self.len = 0;
        for part in &mut self.parts {
            part.before = self.len;
            self.len += part.rows.len();
        }
    }
}
