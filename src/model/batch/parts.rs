//! What a batch keeps beside its rows.

use std::collections::HashMap;
use std::ops::Range;

use crate::model::SourceName;

/// So many names are looked through one by one; a line's is most often among the last.
const FEW: usize = 64;

/// The names of a batch's sources, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    list: Vec<SourceName>,
    /// Where each is in the list, once there are more than a few.
    places: HashMap<SourceName, u16>,
}

impl Names {
    /// The number of a name, and whether it is a new one. `u16::MAX` past 65,534 names.
    pub(super) fn intern(&mut self, name: &SourceName) -> (u16, bool) {
        let known = if self.list.len() <= FEW {
            let at = self.list.iter().rposition(|known| known == name);
            at.and_then(|at| u16::try_from(at).ok())
        } else {
            self.places.get(name).copied()
        };
        if let Some(at) = known {
            return (at, false);
        }
        let at = u16::try_from(self.list.len()).unwrap_or(u16::MAX);
        if at == u16::MAX {
            return (at, false);
        }
        self.list.push(name.clone());
        if self.list.len() == FEW + 1 {
            self.places = (0..)
                .zip(&self.list)
                .map(|(at, one)| (one.clone(), at))
                .collect();
        } else if self.list.len() > FEW {
            self.places.insert(name.clone(), at);
        }
        (at, true)
    }

    pub(super) fn get(&self, at: u16) -> Option<&SourceName> {
        self.list.get(usize::from(at))
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.places.clear();
    }
}

/// Bytes kept beside a few rows of a batch, in row order.
#[derive(Clone, Debug, Default)]
pub(super) struct SparseBytes {
    pub(super) bytes: Vec<u8>,
    ends: Vec<(u32, u32)>,
}

impl SparseBytes {
    pub(super) fn push(&mut self, row: usize, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.ends
            .push((u32::try_from(row).unwrap_or(u32::MAX), end));
    }

    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        let row = u32::try_from(row).ok()?;
        let at = self.ends.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        let end = self.ends.get(at)?.1 as usize;
        let start = at
            .checked_sub(1)
            .and_then(|i| self.ends.get(i))
            .map_or(0, |(_, end)| *end as usize);
        self.bytes.get(start..end)
    }

    /// The last ones that are kept beside `row` or a row before, and that row.
    pub(super) fn last_until(&self, row: usize) -> Option<(usize, &[u8])> {
        let after = self.ends.partition_point(|(kept, _)| *kept as usize <= row);
        let kept = self.ends.get(after.checked_sub(1)?)?.0 as usize;
        Some((kept, self.get(kept)?))
    }

    pub(super) fn weight(&self) -> usize {
        self.bytes.len() + self.ends.len() * size_of::<(u32, u32)>()
    }

    /// How many of `rows` have at most `room` bytes in all.
    pub(super) fn fitting(&self, rows: Range<usize>, room: usize) -> usize {
        let before = self
            .ends
            .partition_point(|(row, _)| (*row as usize) < rows.start);
        let start = before.checked_sub(1).and_then(|at| self.ends.get(at));
        let start = start.map_or(0, |(_, end)| *end as usize);
        let after = self.ends.get(before..).unwrap_or(&[]);
        let fitting = after.partition_point(|(_, end)| *end as usize - start <= room);
        let first_over = after.get(fitting);
        first_over.map_or(rows.len(), |(row, _)| {
            (*row as usize - rows.start).min(rows.len())
        })
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_one_number_however_many_there_are() {
        let mut names = Names::default();
        let name = |n: usize| SourceName::new(format!("c{n}").as_bytes());
        for n in (0..70_000).chain(0..70_000) {
            let is_first = names.list.len() == n;
            let (at, fresh) = names.intern(&name(n));
            assert_eq!(usize::from(at), n.min(usize::from(u16::MAX)));
            assert_eq!(fresh, is_first && n < 65_535);
            assert_eq!(names.get(at).is_some(), n < 65_535);
        }
        names.clear();
        assert_eq!(names.intern(&name(7)), (0, true));
    }
}
