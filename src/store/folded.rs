//! Finds a literal text whatever the case of its letters: what is searched for most, as that
//! is what typing a word means. ASCII letters only; `k` does not find the Kelvin sign.

use memchr::memchr2;

/// Starts that are looked at together. With a fixed number and no early exit the compiler
/// compares them all at once.
const BLOCK: usize = 64;

/// Bytes of log lines from frequent to rare; what is not listed is rarer still.
const FREQUENT: &[u8] = b" eatoinrsc0l1d2u-p.3m:h456789\"=/_,gfbywv[](){}kxjqz";

/// A text to search for.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    /// In lower case; at least one byte.
    needle: Box<[u8]>,
    /// The two rarest of its bytes.
    probes: [Probe; 2],
}

/// A byte of the text that is looked at before the others.
#[derive(Clone, Copy, Debug)]
struct Probe {
    offset: usize,
    byte: u8,
    /// The bit that tells upper from lower case, for letters.
    fold: u8,
}

impl Folded {
    /// None if `needle` is empty or not ASCII.
    pub(super) fn new(needle: &str) -> Option<Self> {
        if needle.is_empty() || !needle.is_ascii() {
            return None;
        }
        let needle = needle.to_ascii_lowercase().into_bytes();
        let mut probes: Vec<_> = needle
            .iter()
            .enumerate()
            .map(|(at, byte)| probe(at, *byte))
            .collect();
        probes.sort_by_key(|probe| rank(probe.byte));
        let probes = [*probes.last()?, *probes.iter().rev().take(2).next_back()?];
        Some(Self {
            needle: needle.into(),
            probes,
        })
    }

    /// Bytes that a match has.
    pub(super) fn len(&self) -> usize {
        self.needle.len()
    }

    /// The first match that starts at `from` or later.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Option<usize> {
        let last = text.len().checked_sub(self.len())?;
        if let [byte] = *self.needle {
            let at = memchr2(byte, byte.to_ascii_uppercase(), text.get(from..)?)?;
            return Some(from + at);
        }
        let mut start = from;
        while start + BLOCK <= last + 1 {
            if self.may_start(text, start)
                && let Some(at) = self.find_among(text, start, start + BLOCK)
            {
                return Some(at);
            }
            start += BLOCK;
        }
        self.find_among(text, start, last + 1)
    }

    /// Whether both probes fit at one of the block's starts.
    fn may_start(&self, text: &[u8], start: usize) -> bool {
        let [a, b] = self.probes;
        let block = |probe: Probe| text.get(start + probe.offset..)?.first_chunk::<BLOCK>();
        let Some((block_a, block_b)) = block(a).zip(block(b)) else {
            return true;
        };
        // Bytes instead of `bool`s, which the compiler would test one by one: zero where equal.
        let differs = |at: u8, probe: Probe| (at | probe.fold) ^ probe.byte;
        let pairs = block_a.iter().zip(block_b);
        let nearest = pairs.map(|(at_a, at_b)| differs(*at_a, a) | differs(*at_b, b));
        nearest.fold(u8::MAX, u8::min) == 0
    }

    /// The first match among the starts from `start` to before `end`.
    fn find_among(&self, text: &[u8], start: usize, end: usize) -> Option<usize> {
        let [rarest, _] = self.probes;
        let differs = |byte: &u8| (byte | rarest.fold) ^ rarest.byte;
        let probed = text.get(start + rarest.offset..end + rarest.offset)?;
        probed.iter().zip(start..).find_map(|(byte, start)| {
            let there = text.get(start..start + self.len())?;
            let fits = differs(byte) == 0 && there.eq_ignore_ascii_case(&self.needle);
            fits.then_some(start)
        })
    }
}

fn probe(offset: usize, byte: u8) -> Probe {
    let fold = if byte.is_ascii_lowercase() { 0x20 } else { 0 };
    Probe { offset, byte, fold }
}

/// The rarer, the higher.
fn rank(byte: u8) -> usize {
    let place = FREQUENT.iter().position(|frequent| *frequent == byte);
    place.unwrap_or(FREQUENT.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_ascii_texts_are_taken() {
        assert!(Folded::new("").is_none());
        assert!(Folded::new("字").is_none());
        assert_eq!(Folded::new("x").unwrap().find(b"aX", 0), Some(1));
    }

    proptest! {
        #[test]
        fn it_finds_what_a_slow_search_finds(text in "[abAB1@`\\[{]{0,90}", needle in "[abAB1@`\\[{]{1,4}", from in 0usize..90) {
            let lower = text.to_ascii_lowercase();
            let from = from.min(text.len());
            let want = lower.get(from..).unwrap().find(&needle.to_ascii_lowercase()).map(|at| from + at);
            prop_assert_eq!(Folded::new(&needle).unwrap().find(text.as_bytes(), from), want);
        }
    }
}
