//! How many lines came when, by level: for a strip of bars and for rates. Buckets of a second;
//! when too many would be needed, each becomes twice as wide.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::{Level, Micros};

use super::slices::Slices;

/// How many levels there are, [`Level::None`] included.
pub const LEVELS: usize = Level::ALL.len();

/// So many buckets at most, if nothing else is said: 2¼ hours of seconds, 320 KiB.
const BUCKETS: usize = 8192;

/// So many buckets at least, however little memory there is.
const LEAST: usize = 256;

/// [`Recent::per_second`] looks at so many seconds.
const RATE: i64 = 10;
/// Microseconds of a second.
const SECOND: i64 = 1_000_000;

/// A burst is at least so many errors in one bucket…
const BURST: u64 = 5;
/// …and so many times the mean…
const TIMES: u64 = 4;
/// …of so many buckets before.
const BEFORE: usize = 30;
/// What follows a burst within so many microseconds belongs to it.
const APART: i64 = 10 * SECOND;

/// Lines of one bucket, by level.
type Bucket = [u64; LEVELS];

/// How many lines came within the last seconds, by level. It knows of nothing else, so that
/// neither a long run nor what lines say of their own time makes it coarse.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// A second's lines, at the place of the second modulo 16: those that are looked at, and
    /// some that may be ahead.
    slots: [(i64, Bucket); 16],
}

impl Recent {
    /// Lines that came now.
    pub fn add(&mut self, recv: Micros, level: Level, count: u32) {
        let second = recv.0.div_euclid(SECOND);
        let place = usize::try_from(second & 0xf).unwrap_or(0);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        if slot.0 != second {
            *slot = (second, Bucket::default());
        }
        if let Some(sum) = slot.1.get_mut(level as usize) {
            *sum = sum.saturating_add(u64::from(count));
        }
    }

    /// Lines a second, of this level or worse or, for [`Level::None`], of any: those of the last
    /// ten seconds, but for the one that goes on.
    pub fn per_second(&self, level: Level, now: Micros) -> f64 {
        let end = now.0.div_euclid(SECOND);
        let counts = |own: Level| level == Level::None || own >= level;
        let seconds = self.slots.iter();
        let seconds = seconds.filter(|(second, _)| (end - RATE..end).contains(second));
        let of = |bucket: &Bucket| -> u64 {
            let levels = Level::ALL.into_iter().zip(bucket);
            levels.filter(|(own, _)| counts(*own)).map(|(_, n)| n).sum()
        };
        seconds.map(|(_, bucket)| of(bucket)).sum::<u64>() as f64 / RATE as f64
    }
}

/// Counts of lines over time.
#[derive(Clone, Debug)]
pub struct Volume {
    buckets: VecDeque<Bucket>,
    /// How many there may be.
    most: usize,
    /// The first bucket's place, in buckets since the epoch.
    first: i64,
    /// A bucket is two to the power of this many seconds wide.
    doubled: u32,
    before: u64,
}

impl Default for Volume {
    fn default() -> Self {
        Self {
            buckets: VecDeque::new(),
            most: BUCKETS,
            first: 0,
            doubled: 0,
            before: 0,
        }
    }
}

impl Volume {
    /// No lines yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses at most so many bytes from now on, within 10 KiB and 320 KiB.
    pub fn set_bytes(&mut self, bytes: usize) {
        self.most = (bytes / size_of::<Bucket>()).clamp(LEAST, BUCKETS);
        while self.buckets.len() > self.most {
            self.double();
        }
        self.buckets.shrink_to(self.most);
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        *self = Self {
            most: self.most,
            ..Self::default()
        };
    }

    /// Counts lines. Late ones get buckets in front if these fit; else they are only counted.
    pub fn add(&mut self, at: Micros, level: Level, count: u32) {
        if count == 0 {
            return;
        }
        let second = at.0.div_euclid(SECOND);
        if self.buckets.is_empty() {
            self.first = second >> self.doubled;
        }
        if !self.reach_back(second >> self.doubled) {
            self.before += u64::from(count);
            return;
        }
        while self.ahead(second) >= self.most {
            self.double();
        }
        let place = self.ahead(second);
        if place >= self.buckets.len() {
            self.make_room(place + 1);
            self.buckets.resize(place + 1, Bucket::default());
        }
        let bucket = self.buckets.get_mut(place);
        if let Some(slot) = bucket.and_then(|bucket| bucket.get_mut(level as usize)) {
            *slot += u64::from(count);
        }
    }

    /// Lines that came too late for the first bucket, and are in none.
    pub fn before(&self) -> u64 {
        self.before
    }

    /// How wide a bucket is.
    pub fn width(&self) -> Duration {
        Duration::from_secs(1 << self.doubled)
    }

    /// The start of the first bucket and the end of the last one.
    pub fn span(&self) -> Option<(Micros, Micros)> {
        let end = i64::try_from(self.buckets.len()).ok()?;
        (end > 0).then(|| (Micros(self.start(0)), Micros(self.start(end))))
    }

    /// The sums by level of each of `width` equal slices of `[from, to)`. A bucket counts where
    /// it starts.
    pub fn columns(&self, from: Micros, to: Micros, width: usize, out: &mut Vec<[u64; LEVELS]>) {
        let Some(slices) = Slices::new((from, to), width, Bucket::default(), out) else {
            return;
        };
        for (start, bucket) in self.within(from, to) {
            let slot = slices.of(start).and_then(|slice| out.get_mut(slice));
            for (sum, count) in slot.into_iter().flatten().zip(bucket) {
                *sum += count;
            }
        }
    }

    /// How many lines of some levels are in the buckets that start in `[from, to)`.
    pub fn rate(&self, from: Micros, to: Micros, levels: impl Fn(Level) -> bool) -> u64 {
        let of = |bucket: &Bucket| {
            let counts = Level::ALL.into_iter().zip(bucket);
            let wanted = counts.filter(|(level, _)| levels(*level));
            wanted.map(|(_, count)| count).sum::<u64>()
        };
        self.within(from, to).map(|(_, bucket)| of(bucket)).sum()
    }

    /// The starts of bursts of errors in `[from, to)`, and how many errors are in the bucket
    /// that starts there: at least 5, and 4 times the mean of the 30 buckets before. What is as
    /// high within 10 s of such a bucket belongs to the same burst.
    pub fn bursts(&self, from: Micros, to: Micros) -> Vec<(Micros, u64)> {
        let mut starts = Vec::new();
        let (mut sum, mut high): (u64, Option<i64>) = (0, None);
        for place in 0..self.buckets.len() {
            let start = self.start(i64::try_from(place).unwrap_or(i64::MAX));
            if start >= to.0 {
                break;
            }
            let errors = self.errors(place);
            if errors >= BURST && errors * BEFORE as u64 >= TIMES * sum {
                let follows = high.is_some_and(|high| start.saturating_sub(high) <= APART);
                if !follows && start >= from.0 {
                    starts.push((Micros(start), errors));
                }
                high = Some(start);
            }
            sum += errors;
            sum -= place
                .checked_sub(BEFORE)
                .map_or(0, |gone| self.errors(gone));
        }
        starts
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<Bucket>()
    }

    /// Errors of a bucket.
    fn errors(&self, place: usize) -> u64 {
        let bucket = self.buckets.get(place);
        bucket
            .and_then(|bucket| bucket.get(Level::Error as usize))
            .map_or(0, |errors| *errors)
    }

    /// Where a bucket starts, by its place.
    fn start(&self, place: i64) -> i64 {
        let second = self.first.saturating_add(place) << self.doubled;
        second.saturating_mul(SECOND)
    }

    /// The buckets that start in `[from, to)`, with their starts.
    fn within(&self, from: Micros, to: Micros) -> impl Iterator<Item = (i64, &Bucket)> {
        let places = (0..).map(|place| self.start(place));
        let all = places.zip(&self.buckets);
        all.skip_while(move |(start, _)| *start < from.0)
            .take_while(move |(start, _)| *start < to.0)
    }

    /// How many buckets a second lies behind the first one, if it does.
    fn ahead(&self, second: i64) -> usize {
        usize::try_from((second >> self.doubled) - self.first).unwrap_or(0)
    }

    /// Makes `bucket` the first one, if it is before that and there is room.
    fn reach_back(&mut self, bucket: i64) -> bool {
        let Ok(missing) = usize::try_from(self.first - bucket) else {
            return true;
        };
        if missing + self.buckets.len() > self.most {
            return false;
        }
        self.make_room(self.buckets.len() + missing);
        for _ in 0..missing {
            self.buckets.push_front(Bucket::default());
        }
        self.first -= i64::try_from(missing).unwrap_or(0);
        true
    }

    /// Reserves room for so many buckets: twice as much as there was, but never for more than
    /// there may be.
    fn make_room(&mut self, buckets: usize) {
        if buckets > self.buckets.capacity() {
            let room = buckets.max(self.most.min(self.buckets.capacity() * 2));
            self.buckets.reserve_exact(room - self.buckets.len());
        }
    }

    /// Makes every bucket twice as wide.
    fn double(&mut self) {
        let odd = self.first & 1;
        self.first >>= 1;
        self.doubled += 1;
        let old = std::mem::take(&mut self.buckets);
        self.make_room(old.len() / 2 + 1);
        for (place, bucket) in (odd..).zip(old) {
            if place & 1 == 0 || self.buckets.is_empty() {
                self.buckets.push_back(bucket);
            } else if let Some(last) = self.buckets.back_mut() {
                last.iter_mut().zip(bucket).for_each(|(sum, n)| *sum += n);
            }
        }
    }
}
