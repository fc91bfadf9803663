//! Which rows of a whole segment match. Patterns run over the segment's text in one go where
//! they can (performance.md 4: three times as fast as line by line).

use std::ops::Range;

use super::filter::FilterSet;
use super::line::LineId;
use super::pattern::Pattern;
use super::segment::Segment;

/// What to look for.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// Rows that a filter shows, marks among them.
    Filter(FilterSet),
    /// Lines that a pattern is found in, of those that a filter shows; no marks.
    Search(Pattern, FilterSet),
}

impl Predicate {
    fn filter(&self) -> &FilterSet {
        match self {
            Self::Filter(filter) | Self::Search(_, filter) => filter,
        }
    }
}

/// The rows of `segment` that match, ascending; its first row has the number `first`.
pub fn matches(first: LineId, segment: &Segment, predicate: &Predicate) -> Vec<u16> {
    matches_in(first, segment, 0..segment.rows(), predicate)
}

/// The same for a range of its rows.
pub fn matches_in(
    first: LineId,
    segment: &Segment,
    range: Range<usize>,
    predicate: &Predicate,
) -> Vec<u16> {
    let filter = predicate.filter();
    let mut rows = Rows::all(range.clone());
    for mark in segment.mark_rows(range.clone()) {
        rows.remove(mark);
    }
    let inside = |row: usize| filter.accepts_id(LineId(first.0 + row as u64));
    if filter.rows.is_some() {
        rows.keep(inside);
    }
    if filter.has_level() {
        rows.keep(|row| filter.accepts_level(segment.filter_level(row)));
    }
    if filter.has_sources() {
        let origins = segment.origins().iter();
        let shown: Vec<bool> = origins
            .map(|origin| filter.accepts_origin(origin))
            .collect();
        rows.keep(|row| {
            shown
                .get(segment.origin_number(row))
                .copied()
                .unwrap_or(true)
        });
    }
    if let Predicate::Search(pattern, _) = predicate {
        rows.narrow(segment, pattern, true);
    }
    for pattern in filter.includes() {
        rows.narrow(segment, pattern, true);
    }
    for pattern in filter.excludes() {
        rows.narrow(segment, pattern, false);
    }
    if let Predicate::Filter(_) = predicate {
        for mark in segment.mark_rows(range).filter(|mark| inside(*mark)) {
            rows.insert(mark);
        }
    }
    rows.list()
}

/// A set of rows of a range in one segment, a bit each.
struct Rows {
    range: Range<usize>,
    words: Vec<u64>,
}

impl Rows {
    fn none(range: Range<usize>) -> Self {
        Self {
            words: vec![0; range.len().div_ceil(64)],
            range,
        }
    }

    fn all(range: Range<usize>) -> Self {
        let mut words = vec![u64::MAX; range.len().div_ceil(64)];
        if let Some(last) = words.last_mut() {
            *last >>= (64 - range.len() % 64) % 64;
        }
        Self { range, words }
    }

    fn insert(&mut self, row: usize) {
        let at = row - self.range.start;
        if let Some(word) = self.words.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn remove(&mut self, row: usize) {
        let at = row - self.range.start;
        if let Some(word) = self.words.get_mut(at / 64) {
            *word &= !(1 << (at % 64));
        }
    }

    fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// Keeps the rows for which `test` holds.
    fn keep(&mut self, mut test: impl FnMut(usize) -> bool) {
        for (index, word) in self.words.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !test(self.range.start + index * 64 + bit as usize) {
                    *word &= !(1 << bit);
                }
            }
        }
    }

    /// Keeps the rows that `pattern` is found in, or those that it is not found in.
    fn narrow(&mut self, segment: &Segment, pattern: &Pattern, found: bool) {
        let left = self.count();
        // A few lines are tested one by one sooner than the whole text is searched.
        if !pattern.is_whole() || left < self.range.len() / 8 {
            self.keep(|row| pattern.is_match(segment.line_bytes(row)) == found);
            return;
        }
        let mut hits = Self::none(self.range.clone());
        hits.search(segment, pattern);
        for (word, hits) in self.words.iter_mut().zip(hits.words) {
            *word &= if found { hits } else { !hits };
        }
    }

    /// Adds the rows that `pattern` is found in.
    fn search(&mut self, segment: &Segment, pattern: &Pattern) {
        let all = segment.ends();
        let mut ends = all.get(self.range.clone()).unwrap_or(&[]);
        let Some(last) = ends.last() else { return };
        let text = segment.bytes().get(..=*last as usize).unwrap_or(&[]);
        let mut row = self.range.start;
        let before = row.checked_sub(1).and_then(|before| all.get(before));
        let mut from = before.map_or(0, |end| *end as usize + 1);
        while let Some(at) = pattern.next_end(text, from) {
            let before = match ends.first() {
                Some(end) if *end as usize >= at => 0,
                _ => ends.partition_point(|end| (*end as usize) < at),
            };
            row += before;
            ends = ends.get(before..).unwrap_or(&[]);
            let Some((end, rest)) = ends.split_first() else {
                return;
            };
            self.insert(row);
            from = *end as usize + 1;
            row += 1;
            ends = rest;
        }
    }

    fn list(&self) -> Vec<u16> {
        let mut list = Vec::with_capacity(self.count());
        for (index, word) in self.words.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let row = self.range.start + index * 64 + left.trailing_zeros() as usize;
                list.extend(u16::try_from(row));
                left &= left - 1;
            }
        }
        list
    }
}
