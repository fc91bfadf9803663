//! Where one list of lines lies in another: both come from the same file, in its order but for
//! local swaps, and each may lack lines that the other has (reliability.md 0, 2.5).

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::scatter::{scattered, shared};

/// Two workers hand lines on: they come this far out of order at most (reliability.md 2.5).
pub(super) const SWAP: usize = 16;
/// Most swaps are this close, and where most lines of a place are this close to theirs, that is
/// no chance.
const NEAR: usize = 8;
/// Such a place is right but for so many lines: some that were left out before are missing in one
/// list.
const MARGIN: usize = 3 * SWAP;
/// So many lines at its end may be new ones.
const EDGE: usize = MARGIN + SWAP;
/// One line in so many may be missing inside of an overlap: 2 %.
const SHARE: usize = 50;
/// A list of fewer different lines says nothing by its order: swaps make any place of it fit.
const FEW: usize = 32;
/// So many standard deviations beyond chance a place stands out, and no wrong one comes beyond the
/// second.
const OUT: usize = 5;
const BEYOND: usize = 10;
/// Where lines repeat, so many that each list has once say that a place is the right one: fewer
/// may only say the same. Where at most one different line in sixteen repeats, one is enough.
const PINS: usize = 3;

/// How far the second list reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reach {
    /// It ends where the first one ends, or behind it.
    Past,
    /// The same, and nearby: the lines of one connection that came both ways.
    Twins,
    /// Anywhere: it was cut off.
    Anywhere,
}

/// Which lines of two lists are the same ones.
#[derive(Debug)]
pub(super) struct Fit {
    /// Positions in the first and in the second list.
    pub(super) pairs: Vec<(usize, usize)>,
    /// How many of the pairs are surely the same: all, or none if another place fits as well.
    pub(super) least: usize,
    /// Lines that each list has once are among them, or they meet far beyond chance: no other
    /// place fits.
    pub(super) sure: bool,
    /// Nearly nothing is missing inside of the overlap.
    pub(super) close: bool,
    /// Each list has many lines that it has once, and none of them is in both: these are no
    /// overlap, or hardly one.
    pub(super) apart: bool,
}

impl Fit {
    /// An overlap with holes; none without any pair.
    pub(super) fn of(pairs: Vec<(usize, usize)>, least: usize, sure: bool) -> Option<Self> {
        (!pairs.is_empty()).then_some(Self {
            pairs,
            least,
            sure,
            close: false,
            apart: false,
        })
    }

    /// The last line of the first list that the second one has.
    pub(super) fn last(&self) -> Option<usize> {
        self.pairs.iter().map(|(at, _)| *at).max()
    }
}

/// The longest overlap of `a` and `b`, if there is any.
pub(super) fn place(a: &[u64], b: &[u64], reach: Reach) -> Option<Fit> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (counts_a, counts_b) = (counts(a), counts(b));
    let once = |print: &u64| counts_a.get(print) == Some(&1) && counts_b.get(print) == Some(&1);
    let repeats = counts_a.len() < a.len() || counts_b.len() < b.len();
    let few = counts_a.len().max(counts_b.len()) < FEW && (repeats || reach == Reach::Twins);
    if few {
        // No order tells such lines apart: all that may be old is taken for old.
        let pairs = shared(a, b, 0, 0..b.len());
        return Fit::of(pairs, 0, false).map(|fit| Fit { close: true, ..fit });
    }
    let any_once = b.iter().any(once);
    let (places, stand_out) = places(a, b, reach);
    if stand_out && !any_once {
        return standing_out(a, b, reach, &places);
    }
    let Some(best) = best(a, b, &places, any_once.then_some(&once)) else {
        let other = stand_out.then(|| standing_out(a, b, reach, &places));
        let all = scattered(a, b, &once).into_iter().chain(other.flatten());
        return all.max_by_key(|fit| fit.pairs.len());
    };
    let lone = |counts: &HashMap<u64, usize>| counts.values().filter(|count| **count == 1).count();
    let (lone_a, lone_b) = (lone(&counts_a), lone(&counts_b));
    let rarely = lone_a * 16 >= counts_a.len() * 15 && lone_b * 16 >= counts_b.len() * 15;
    let tight = best.walk.missing * 4 <= best.at.len;
    let sure = best.pins > 0 && (rarely || best.pins >= PINS && tight);
    let (pairs, least) = if sure {
        best.pinned(a, b, repeats, &once)
    } else {
        // Whichever place is the right one, its overlap is no longer than the longest, and what
        // both lists have within that is left out. There may as well be no overlap at all.
        let (from, within) = best.at.bounds(b.len(), reach, SWAP);
        (shared(a, b, from, within), 0)
    };
    Some(Fit {
        pairs,
        least,
        sure,
        close: true,
        apart: !any_once && lone_a.min(lone_b) >= FEW,
    })
}

/// The best of some places.
struct Best {
    at: Place,
    walk: Walk,
    /// How many of its lines each list has once.
    pins: usize,
}

/// The place with most lines that each list has once, or the longest one if there are none.
fn best(
    a: &[u64],
    b: &[u64],
    places: &[Place],
    once: Option<&impl Fn(&u64) -> bool>,
) -> Option<Best> {
    let mut best: Option<Best> = None;
    for at in places {
        // Swaps make places near the right one fit as well, but for a few lines.
        let near = |best: &Place| at.len + 2 * SWAP >= best.len;
        let done = |best: &Best| (best.pins > 0 || once.is_none()) && !near(&best.at);
        if best.as_ref().is_some_and(done) {
            break;
        }
        let Some(walk) = at.walk(a, b, once.is_some()) else {
            continue;
        };
        let prints = || walk.pairs.iter().filter_map(|(_, at)| b.get(*at));
        let pins = once.map_or(0, |once| prints().filter(|print| once(print)).count());
        let better = best.as_ref().is_none_or(|best| match (pins, best.pins) {
            // The first one is the longest.
            (0, 0) => false,
            (same, most) if same == most => walk.missing < best.walk.missing,
            (pins, most) => pins > most,
        });
        if better {
            let perfect = pins > 0 && walk.missing == 0;
            best = Some(Best {
                at: *at,
                walk,
                pins,
            });
            if perfect {
                break;
            }
        }
    }
    best
}

impl Best {
    /// The pairs at this place, held by lines that each list has once; and how many of them are
    /// surely the same.
    fn pinned(
        mut self,
        a: &[u64],
        b: &[u64],
        repeats: bool,
        once: &impl Fn(&u64) -> bool,
    ) -> (Vec<(usize, usize)>, usize) {
        let far = self.at.complete(a, b, once, &mut self.walk.pairs);
        let pairs = self.walk.pairs;
        let surely = pairs.iter().filter(|(_, at)| b.get(*at).is_some_and(once));
        let last = surely.map(|(_, at)| *at).max();
        // Behind the last such line new ones may say what old ones said.
        let doubt = |(_, at): &&(usize, usize)| last.is_none_or(|last| *at > last);
        let far = if repeats { far } else { 0 };
        let least = pairs.len() - (pairs.iter().filter(doubt).count() + far).min(pairs.len());
        (pairs, least)
    }
}

pub(super) fn counts(prints: &[u64]) -> HashMap<u64, usize> {
    let mut counts = HashMap::with_capacity(prints.len());
    for print in prints {
        *counts.entry(*print).or_default() += 1;
    }
    counts
}

/// One way to lay two lists over each other: what of each begins at the same line.
#[derive(Clone, Copy, Debug)]
struct Place {
    from_a: usize,
    from_b: usize,
    len: usize,
    /// Its lines meet farther beyond chance than at any wrong place.
    beyond: bool,
}

/// An overlap at one place.
#[derive(Debug)]
struct Walk {
    pairs: Vec<(usize, usize)>,
    /// Lines inside of it that only one list has.
    missing: usize,
}

/// The longest of the places that stand out from chance, where no line is there only once.
fn standing_out(a: &[u64], b: &[u64], reach: Reach, places: &[Place]) -> Option<Fit> {
    let at = places.first()?;
    let shift = |place: &Place| place.from_a + b.len() - place.from_b;
    let alone = places.iter().any(|place| place.beyond)
        && places
            .iter()
            .all(|place| shift(place).abs_diff(shift(at)) <= 2 * SWAP);
    // At the right place nothing older or newer is of this overlap.
    let (from, within) = if alone {
        let end = at.from_b + at.len + MARGIN;
        (
            at.from_a.saturating_sub(MARGIN),
            at.from_b.saturating_sub(MARGIN)..end,
        )
    } else {
        at.bounds(b.len(), reach, MARGIN)
    };
    let pairs = shared(a, b, from, within);
    // New lines at its edge may say what old ones said.
    let least = if alone {
        pairs.len().saturating_sub(EDGE)
    } else {
        0
    };
    Fit::of(pairs, least, alone).map(|fit| Fit { close: true, ..fit })
}

/// The places that are worth a look, the longest overlap first. Where some stand out from what
/// chance brings, only those.
fn places(a: &[u64], b: &[u64], reach: Reach) -> (Vec<Place>, bool) {
    let mut at_a: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, print) in a.iter().enumerate() {
        at_a.entry(*print).or_default().push(index);
    }
    // Votes for each shift of `b` against `a`, from `b` wholly before `a` on.
    let mut votes = vec![0_usize; a.len() + b.len()];
    for (index, print) in b.iter().enumerate() {
        for at in at_a.get(print).into_iter().flatten() {
            if let Some(vote) = votes.get_mut(at + b.len() - 1 - index) {
                *vote += 1;
            }
        }
    }
    let mut sums = vec![0];
    let mut sum = 0;
    for vote in &votes {
        sum += vote;
        sums.push(sum);
    }
    let shifts = a.len() + b.len() - 1;
    let (mut places, mut clear) = (Vec::new(), Vec::new());
    for shift in 0..shifts {
        let from_a = (shift + 1).saturating_sub(b.len());
        let from_b = (b.len() - 1).saturating_sub(shift);
        let len = (a.len() - from_a).min(b.len() - from_b);
        // Where `b` ends, in places of `a`.
        let past = shift + 1 + SWAP >= a.len();
        let drift = SWAP + len / SHARE;
        let near = |at: usize| sums.get(at.min(shifts)).copied().unwrap_or(0);
        let votes = near(shift + 1 + drift) - near(shift.saturating_sub(drift));
        if !past && reach != Reach::Anywhere || votes == 0 || votes < len / 3 {
            continue;
        }
        let hits = near(shift + 1 + NEAR) - near(shift.saturating_sub(NEAR));
        let chance = len * (2 * NEAR + 1) * sum / (a.len() * b.len());
        let gain = hits.saturating_sub(chance);
        let beyond = |deviations: usize| gain * gain >= deviations * deviations * chance;
        let place = Place {
            from_a,
            from_b,
            len,
            beyond: beyond(BEYOND),
        };
        places.push(place);
        if len >= 2 * NEAR && gain >= len / 2 && beyond(OUT) {
            clear.push(place);
        }
    }
    let stand_out = !clear.is_empty();
    let mut places = if stand_out { clear } else { places };
    places.sort_by_key(|place| std::cmp::Reverse(place.len));
    (places, stand_out)
}

impl Place {
    /// The pairs of lines here, if this is an overlap. Missing lines shift the rest (`drifts`)
    /// without bounds only where other lines hold it in its place.
    fn walk(self, a: &[u64], b: &[u64], drifts: bool) -> Option<Walk> {
        let edge = if drifts { SWAP } else { 2 * SWAP };
        let limit = self.len / SHARE + edge.min(self.len / 2);
        let (mut mine, mut theirs) = (Side::default(), Side::default());
        let mut pairs = Vec::with_capacity(self.len);
        let mut step = 0;
        loop {
            let window = if drifts {
                SWAP + mine.gone + theirs.gone
            } else {
                3 * SWAP
            };
            if step >= self.len + window {
                break;
            }
            let inside = step < self.len;
            let (at_a, at_b) = (self.from_a + step, self.from_b + step);
            if let Some(print) = a.get(at_a) {
                match theirs.take(*print) {
                    Some(at) => pairs.push((at_a, at)),
                    None if inside => mine.open.push((at_a, *print)),
                    None => {}
                }
            }
            if let Some(print) = b.get(at_b) {
                match mine.take(*print) {
                    Some(at) => pairs.push((at, at_b)),
                    None if inside => theirs.open.push((at_b, *print)),
                    None => {}
                }
            }
            mine.age(at_a, window);
            theirs.age(at_b, window);
            if mine.gone > limit || theirs.gone > limit {
                return None;
            }
            step += 1;
        }
        let last = pairs.iter().map(|(_, at)| *at).max()?;
        let open = theirs.open.iter().filter(|(at, _)| *at < last).count();
        let (lacks, more) = (mine.gone + mine.open.len(), theirs.gone + open);
        (lacks <= limit && more <= limit).then_some(Walk {
            pairs,
            missing: lacks + more,
        })
    }
}

impl Place {
    /// From where on the first list, and up to where the second one has lines of this overlap.
    fn bounds(self, all: usize, reach: Reach, margin: usize) -> (usize, Range<usize>) {
        match (self.from_a, reach) {
            (0, _) | (_, Reach::Anywhere) => (0, 0..all),
            (from, Reach::Past | Reach::Twins) => {
                (from.saturating_sub(margin), 0..self.len + margin)
            }
        }
    }

    /// Adds lines that each list has once, and that stand farther apart than a swap brings them;
    /// how many of those only a burst of missing lines explains.
    fn complete(
        self,
        a: &[u64],
        b: &[u64],
        once: &impl Fn(&u64) -> bool,
        pairs: &mut Vec<(usize, usize)>,
    ) -> usize {
        let mut open: HashMap<u64, usize> = HashMap::new();
        let known: HashSet<usize> = pairs.iter().map(|(_, at)| *at).collect();
        for (at, print) in b.iter().enumerate() {
            if once(print) && !known.contains(&at) {
                open.insert(*print, at);
            }
        }
        let mut far = 0;
        if open.is_empty() {
            return far;
        }
        for (at_a, print) in a
            .iter()
            .enumerate()
            .skip(self.from_a.saturating_sub(4 * SWAP))
        {
            if let Some(at_b) = open.remove(print) {
                let here = (at_a + self.from_b).saturating_sub(self.from_a);
                far += usize::from(at_b.abs_diff(here) > 4 * SWAP + self.len / SHARE);
                pairs.push((at_a, at_b));
            }
        }
        far
    }
}

/// Lines of one list that have not met theirs.
#[derive(Default)]
struct Side {
    open: Vec<(usize, u64)>,
    gone: usize,
}

impl Side {
    fn take(&mut self, print: u64) -> Option<usize> {
        let at = self.open.iter().position(|(_, open)| *open == print)?;
        Some(self.open.remove(at).0)
    }

    /// What waits longer than any swap is missing.
    fn age(&mut self, now: usize, window: usize) {
        let old = |(at, _): &(usize, u64)| now.saturating_sub(*at) > window;
        let gone = self.open.iter().take_while(|one| old(one)).count();
        self.open.drain(..gone);
        self.gone += gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(a: &[u64], b: &[u64], reach: Reach) -> Option<(usize, usize, bool)> {
        let fit = place(a, b, reach)?;
        for (at_a, at_b) in &fit.pairs {
            assert_eq!(a[*at_a], b[*at_b]);
        }
        Some((fit.pairs.len(), fit.least, fit.close))
    }

    #[test]
    fn an_overlap_is_found_where_it_is() {
        let all: Vec<u64> = (0..3000).collect();
        let cases = [
            (0..1000, 500..1500, Some((500, 500, true))),
            (0..1000, 0..1000, Some((1000, 1000, true))),
            (0..1000, 999..1999, Some((1, 1, true))),
            (0..1000, 1000..2000, None),
            (300..400, 0..1000, Some((100, 100, true))),
            (0..3, 0..9, Some((3, 3, true))),
        ];
        for (a, b, want) in cases {
            let (a, b) = (&all[a], &all[b]);
            assert_eq!(matched(a, b, Reach::Past), want);
        }
        // One that was cut off ends before the first list does.
        assert_eq!(
            matched(&all[..1000], &all[100..300], Reach::Anywhere),
            Some((200, 200, true))
        );
    }

    #[test]
    fn swaps_and_a_few_missing_lines_are_no_obstacle() {
        let b: Vec<u64> = (500..1500).collect();
        let mut a: Vec<u64> = (0..1000).filter(|n| n % 60 != 7).collect();
        for chunk in a.chunks_mut(12) {
            chunk.reverse();
        }
        let here = a.iter().filter(|n| **n >= 500).count();
        assert_eq!(matched(&a, &b, Reach::Past), Some((here, here, true)));
        // Many missing ones are another thing, and each line is recognised all the same.
        let a: Vec<u64> = (0..1000).filter(|n| n % 3 != 0).collect();
        let here = a.iter().filter(|n| **n >= 500).count();
        assert_eq!(matched(&a, &b, Reach::Past), Some((here, here, false)));
    }

    #[test]
    fn lines_that_all_repeat_are_laid_where_most_of_them_meet() {
        // Forty different lines in no order, swapped within eight, of which 300 are in both.
        let mut random = fastrand::Rng::with_seed(1);
        let all: Vec<u64> = (0..1700).map(|_| random.u64(..40)).collect();
        let mut a = all[..1000].to_vec();
        for chunk in a.chunks_mut(8) {
            chunk.reverse();
        }
        let fit = place(&a, &all[700..], Reach::Past).unwrap();
        assert!(fit.sure);
        assert!(
            (300..300 + 2 * MARGIN).contains(&fit.pairs.len()),
            "{}",
            fit.pairs.len()
        );
        assert!(fit.least <= 300);
        // Nothing is where nothing is.
        let other: Vec<u64> = (0..1000).map(|_| random.u64(..40)).collect();
        assert!(place(&a, &other, Reach::Past).is_none_or(|fit| !fit.sure));
    }

    #[test]
    fn an_overlap_inside_of_a_longer_list_is_found_nowhere_else() {
        let mut random = fastrand::Rng::with_seed(2);
        let all: Vec<u64> = (0..5000).map(|_| random.u64(..60)).collect();
        let fit = place(&all[3000..4000], &all, Reach::Past).unwrap();
        assert!(fit.sure);
        let around = 3000 - MARGIN..4000 + MARGIN;
        assert!(fit.pairs.iter().all(|(_, at)| around.contains(at)));
    }

    #[test]
    fn lines_that_only_say_the_same_are_no_overlap() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut lines = |count: usize| (0..count).map(|_| random.u64(..3000)).collect();
        let (a, b): (Vec<u64>, Vec<u64>) = (lines(2000), lines(1000));
        assert!(place(&a, &b, Reach::Past).is_none());
        // Those of a short overlap, one of which each list has once, are not sure.
        let b = [&a[1999..], &b].concat();
        assert!(place(&a, &b, Reach::Past).is_none_or(|fit| !fit.sure));
    }

    #[test]
    fn of_several_places_the_longest_is_taken_and_none_is_sure() {
        // One line, over and over: anything fits, nothing is sure.
        let fit = place(&[7; 300], &[7; 200], Reach::Past);
        let fit = fit.map(|fit| (fit.pairs.len(), fit.least, fit.sure));
        assert_eq!(fit, Some((200, 0, false)));
        // Twenty lines in a circle fit at each turn.
        let circle: Vec<u64> = (0..200).map(|n| n % 20).collect();
        let fit = place(&circle[..100], &circle[..80], Reach::Past);
        let fit = fit.map(|fit| (fit.pairs.len(), fit.least));
        assert_eq!(fit, Some((80, 0)));
        // Repeated lines between others are pinned by them.
        let mixed = |n: u64| if n.is_multiple_of(5) { n } else { 1_000_000 };
        let a: Vec<u64> = (0..1000).map(mixed).collect();
        let b: Vec<u64> = (600..1600).map(mixed).collect();
        // But for those behind the last of these: new ones may say the same.
        assert_eq!(matched(&a, &b, Reach::Past), Some((400, 396, true)));
    }
}
