//! A filter or search at work: old segments are scanned as a job that the caller runs on other
//! threads, new lines are tested as they come, and both end up in one list.

use std::sync::Arc;

use super::line::LineId;
use super::log::{Appended, Evicted, LogStore};
use super::matches::MatchList;
use super::scan::{self, Predicate};
use super::segment::Segment;

/// Open text up to here is scanned at once, more is sealed and scanned with the rest: typing
/// a pattern would make many tiny segments otherwise.
const AT_ONCE: usize = 128 * 1024;

/// Segments to scan. The segments are independent of each other; each result goes to
/// [`Matching::absorb`], in any order.
#[derive(Clone, Debug)]
pub struct ScanJob {
    /// Which question the answers belong to.
    pub generation: u64,
    /// What to look for.
    pub predicate: Arc<Predicate>,
    /// What to look through, newest first, as the newest lines are on the screen.
    pub segments: Vec<(LineId, Arc<Segment>)>,
}

impl ScanJob {
    /// Scans the segments one after the other.
    pub fn results(&self) -> impl Iterator<Item = (LineId, Vec<u16>)> {
        let segments = self.segments.iter();
        segments.map(|(first, segment)| (*first, scan::matches(*first, segment, &self.predicate)))
    }
}

/// The rows of one store that match one predicate.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    generation: u64,
    predicate: Option<Arc<Predicate>>,
    list: MatchList,
    /// First rows of the segments without an answer yet, newest first.
    pending: Vec<LineId>,
    segments: usize,
}

impl Matching {
    /// Asks a new question and forgets the old one. Lines that are appended from now on are
    /// told by [`Matching::append`].
    pub fn begin(&mut self, store: &mut LogStore, predicate: Predicate) -> ScanJob {
        let predicate = Arc::new(predicate);
        if store.open().1.bytes().len() > AT_ONCE {
            store.seal();
        }
        self.clear();
        self.predicate = Some(Arc::clone(&predicate));
        let (first, open) = store.open();
        self.list
            .insert(first, scan::matches(first, open, &predicate));
        let sealed = store.sealed().rev();
        let segments: Vec<_> = sealed
            .map(|(first, segment)| (first, Arc::clone(segment)))
            .collect();
        self.pending = segments.iter().map(|(first, _)| *first).collect();
        self.segments = segments.len();
        ScanJob {
            generation: self.generation,
            predicate,
            segments,
        }
    }

    /// Asks nothing any more.
    pub fn clear(&mut self) {
        *self = Self {
            generation: self.generation + 1,
            ..Self::default()
        };
    }

    /// Takes the answer for the segment that starts at `first`. False if it is not wanted any
    /// more: the question has changed, the segment is evicted or is answered already.
    pub fn absorb(&mut self, generation: u64, first: LineId, rows: Vec<u16>) -> bool {
        let place = self.pending.iter().position(|pending| *pending == first);
        let Some(place) = place.filter(|_| generation == self.generation) else {
            return false;
        };
        self.pending.remove(place);
        self.list.insert(first, rows);
        true
    }

    /// Tests the rows that were just appended; how many match.
    pub fn append(&mut self, store: &LogStore, appended: Appended) -> u64 {
        let Some(predicate) = &self.predicate else {
            return 0;
        };
        let mut matches = 0;
        let end = LineId(appended.first.0 + appended.rows);
        for (first, segment, rows) in store.parts(appended.first..end) {
            for row in scan::matches_in(first, segment, rows, predicate) {
                self.list.push(LineId(first.0 + u64::from(row)));
                matches += 1;
            }
        }
        matches
    }

    /// Forgets what the store has evicted.
    pub fn evicted(&mut self, evicted: Evicted) {
        self.list.evict_before(evicted.first_kept);
        self.pending.retain(|first| *first >= evicted.first_kept);
    }

    /// Whether every row that was there has an answer.
    pub fn done(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the segment that starts at `first` has no answer yet.
    pub fn is_pending(&self, first: LineId) -> bool {
        self.pending.contains(&first)
    }

    /// Segments answered or gone, and segments in all.
    pub fn progress(&self) -> (usize, usize) {
        (self.segments - self.pending.len(), self.segments)
    }

    /// The matches known so far.
    pub fn list(&self) -> &MatchList {
        &self.list
    }

    /// The question; none after [`Matching::clear`].
    pub fn predicate(&self) -> Option<&Arc<Predicate>> {
        self.predicate.as_ref()
    }

    /// Which question it is; no two of one value have the same.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}
