//! Overlaps that have no one place: much is missing inside of them.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::fit::{Fit, SWAP};

/// What both lists have though much is missing between: lines that each has once, and as many
/// of the repeated ones beside them as may be the same.
pub(super) fn scattered(a: &[u64], b: &[u64], once: &impl Fn(&u64) -> bool) -> Option<Fit> {
    let firsts = a.iter().enumerate().filter(|(_, print)| once(print));
    let at_a: HashMap<u64, usize> = firsts.map(|(at, print)| (*print, at)).collect();
    let pinned = b.iter().enumerate();
    let pinned: Vec<(usize, usize)> = pinned
        .filter_map(|(at, print)| Some((*at_a.get(print)?, at)))
        .collect();
    let chain = in_order(&pinned);
    let first = chain.iter().map(|(at, _)| *at).min();
    let last = chain.iter().map(|(_, at)| *at).max();
    // Lines that only say the same stand in no order.
    if chain.len() * 2 < pinned.len() {
        return None;
    }
    let pairs = shared(a, b, first?.saturating_sub(SWAP), 0..last? + SWAP + 1);
    // A few that are not in order are swapped far.
    let swapped = pinned.len() - chain.len() <= pinned.len() / 16 + 1;
    let least = if swapped {
        pinned.len().min(pairs.len())
    } else {
        chain.len()
    };
    Fit::of(pairs, least, true)
}

/// Of these pairs the longest chain that is in order in both lists, but for swaps.
fn in_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let coarse = |at: usize| at / (2 * SWAP);
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable_by_key(|(a, b)| (coarse(*a), *b));
    // The last pair of the best chain of each length, and what stands before each pair.
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, b)) in pairs.iter().enumerate() {
        let at = tails.partition_point(|tail| {
            pairs
                .get(*tail)
                .is_some_and(|(_, other)| coarse(*other) <= coarse(*b))
        });
        before.push(at.checked_sub(1).and_then(|at| tails.get(at).copied()));
        match tails.get_mut(at) {
            Some(tail) => *tail = index,
            None => tails.push(index),
        }
    }
    let mut chain = Vec::with_capacity(tails.len());
    let mut next = tails.last().copied();
    while let Some(index) = next {
        chain.extend(pairs.get(index).copied());
        next = before.get(index).copied().flatten();
    }
    chain
}

/// As many lines as the first list has from a place on and the second one within a range.
pub(super) fn shared(
    a: &[u64],
    b: &[u64],
    from: usize,
    within: Range<usize>,
) -> Vec<(usize, usize)> {
    let mut open: HashMap<u64, VecDeque<usize>> = HashMap::new();
    for (at, print) in a.iter().enumerate().skip(from) {
        open.entry(*print).or_default().push_back(at);
    }
    let ours = b.iter().enumerate().take(within.end).skip(within.start);
    ours.filter_map(|(at, print)| Some((open.get_mut(print)?.pop_front()?, at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_in_order_are_a_chain_whatever_is_swapped() {
        let swapped = |at: usize| at / 16 * 16 + 15 - at % 16;
        let pairs: Vec<_> = (0..400).map(|at| (at, swapped(at) + 700)).collect();
        assert_eq!(in_order(&pairs).len(), 400);
        let strange = [(10, 1000), (300, 100)];
        assert_eq!(in_order(&[&pairs[..], &strange].concat()).len(), 400);
        let backwards: Vec<_> = (0..400).map(|at| (at, 400 - at)).collect();
        assert!(in_order(&backwards).len() <= 64);
    }
}
