//! The bytes of a line whose shown text differs from them, written as what differs. Most of
//! such lines hold colours, tabulators or a carriage return at their end; those cost a few
//! bytes. Lines with anything else are kept in full.
//!
//! An entry is a list of steps. Each is a number of bytes to copy from the shown text, seven
//! bits a byte, and one byte that says what stands there instead of it:
//! `0x40 + n` a colour sequence whose `n` bytes of parameters follow, `0x80 + n` a tabulator
//! that was expanded to `n + 1` blanks, `0xff` nothing here, but a carriage return behind the
//! last byte. The rest of the text is copied without a step.

use std::borrow::Cow;

use crate::pages::Pages;
use crate::text::width;

/// Begins an entry that holds the bytes in full. No list of steps begins with it, as numbers
/// are written as short as possible.
const FULL: &[u8] = &[0x80, 0x00];

const COLOUR: u8 = 0x40;
const TABULATOR: u8 = 0x80;
const RETURN: u8 = 0xff;

/// Bytes of parameters that fit beside [`COLOUR`].
const MAX_PARAMS: usize = 0x3f;

/// Columns from one tabulator stop to the next, as the sanitiser expands them.
const TAB: usize = 8;

/// Appends an entry to `out` from which, with `shown`, `raw` can be had back. True if it is a
/// list of steps: then sanitising `raw` gives `shown` again, and the styles need no keeping.
pub(super) fn encode(raw: &[u8], shown: &str, out: &mut Pages<u8>) -> bool {
    let start = out.len();
    if encode_steps(raw, shown, out).is_some() {
        return true;
    }
    out.truncate(start);
    out.extend_from_slice(FULL);
    out.extend_from_slice(raw);
    false
}

/// Whether `entry` is a list of steps.
pub(super) fn is_steps(entry: &[u8]) -> bool {
    !entry.starts_with(FULL)
}

/// The bytes that `entry` was made from.
pub(super) fn decode<'a>(entry: &'a [u8], shown: &str) -> Cow<'a, [u8]> {
    if let Some(raw) = entry.strip_prefix(FULL) {
        return Cow::Borrowed(raw);
    }
    let mut raw = Vec::with_capacity(shown.len() + entry.len());
    // An entry of our own making is whole; a wrong one gives what it gives.
    let _whole = decode_steps(entry, shown.as_bytes(), &mut raw);
    Cow::Owned(raw)
}

fn encode_steps(mut raw: &[u8], shown: &str, out: &mut Pages<u8>) -> Option<()> {
    let text = shown.as_bytes();
    let mut at = 0;
    let mut stop = (0, 0);
    if let Some(line) = raw.strip_suffix(b"\r") {
        raw = line;
        out.extend_from_slice(&[0, RETURN]);
    }
    loop {
        let same = common_prefix(raw, text.get(at..)?);
        raw = raw.get(same..)?;
        at += same;
        if raw.is_empty() {
            return (at == text.len()).then_some(());
        }
        push_number(same, out);
        if let Some(rest) = raw.strip_prefix(b"\t") {
            let column = stop.1 + width::cells(shown.get(stop.0..at)?);
            let spaces = TAB - column % TAB;
            stop = (at + spaces, column + spaces);
            if text.get(at..stop.0)?.iter().any(|byte| *byte != b' ') {
                return None;
            }
            out.push(TABULATOR + u8::try_from(spaces - 1).ok()?);
            at = stop.0;
            raw = rest;
        } else {
            let params = colour_params(raw)?;
            out.push(COLOUR + u8::try_from(params.len()).ok()?);
            out.extend_from_slice(params);
            raw = raw.get(params.len() + 3..)?;
        }
    }
}

fn decode_steps(mut steps: &[u8], text: &[u8], raw: &mut Vec<u8>) -> Option<()> {
    let mut at = 0;
    let mut returns = false;
    while !steps.is_empty() {
        let copy = take_number(&mut steps)?;
        raw.extend_from_slice(text.get(at..)?.get(..copy)?);
        at += copy;
        let (what, rest) = steps.split_first()?;
        steps = rest;
        match *what {
            RETURN => returns = true,
            what if what >= TABULATOR => {
                raw.push(b'\t');
                at += usize::from(what - TABULATOR) + 1;
            }
            what => {
                let params = usize::from(what.checked_sub(COLOUR)?);
                raw.extend_from_slice(b"\x1b[");
                raw.extend_from_slice(steps.get(..params)?);
                raw.push(b'm');
                steps = steps.get(params..)?;
            }
        }
    }
    raw.extend_from_slice(text.get(at..)?);
    raw.extend(returns.then_some(b'\r'));
    Some(())
}

/// The parameters of the colour sequence at the start of `bytes`.
fn colour_params(bytes: &[u8]) -> Option<&[u8]> {
    let params = bytes.strip_prefix(b"\x1b[")?;
    let is_param = |byte: &&u8| matches!(byte, b'0'..=b';');
    let end = params
        .iter()
        .take(MAX_PARAMS + 1)
        .take_while(is_param)
        .count();
    (end <= MAX_PARAMS && params.get(end) == Some(&b'm')).then(|| params.get(..end))?
}

/// How many bytes both begin with.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let (blocks_a, blocks_b) = (a.as_chunks::<16>().0, b.as_chunks::<16>().0);
    let blocks = blocks_a.iter().zip(blocks_b);
    let whole = blocks.take_while(|(a, b)| a == b).count() * 16;
    let rest = a.iter().zip(b).skip(whole);
    whole + rest.take_while(|(a, b)| a == b).count()
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn push_number(mut number: usize, out: &mut Pages<u8>) {
    while number > 0x7f {
        out.push(u8::try_from(number & 0x7f).unwrap_or(0) | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

fn take_number(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::sanitise;

    fn shown(raw: &[u8]) -> String {
        let line = raw.strip_suffix(b"\r").unwrap_or(raw);
        sanitise::plain(line).as_str().to_owned()
    }

    #[test]
    fn usual_differences_cost_a_few_bytes() {
        for (raw, bytes) in [
            (&b"\x1b[32mINFO\x1b[0m and some more words"[..], 7),
            (b"\tat com.example.Main.main(Main.java:17)", 2),
            ("字\tx 字字字字字".as_bytes(), 2),
            (b"a line from another system\r", 2),
            (b"\t\tx\r", 6),
        ] {
            let mut entry = Pages::default();
            assert!(encode(raw, &shown(raw), &mut entry));
            assert!(is_steps(&entry));
            assert_eq!(entry.len(), bytes, "{entry:?}");
            assert_eq!(decode(&entry, &shown(raw)), raw);
        }
    }

    #[test]
    fn other_differences_are_kept_in_full() {
        for raw in [
            &b"\x1b[2Jcleared"[..],
            b"\xff",
            b"\x1b[31",
            b"a\rb",
            b"\r\r",
        ] {
            let mut entry = Pages::default();
            assert!(!encode(raw, &shown(raw), &mut entry));
            assert!(!is_steps(&entry));
            assert_eq!(entry.len(), raw.len() + 2);
            assert_eq!(decode(&entry, &shown(raw)), raw);
        }
    }

    fn lines() -> impl Strategy<Value = Vec<u8>> {
        let pieces: Vec<&'static [u8]> = vec![
            b"\x1b[31m",
            b"\x1b[m",
            b"\x1b[38:5:1m",
            b"\x1b[2J",
            b"\t",
            b"\r",
            b"word",
            b" ",
            b"   ",
            b"a line of seventeen",
            "字".as_bytes(),
            "e\u{301}".as_bytes(),
            b"\xff",
            b"\x1b",
        ];
        let pieces = prop::collection::vec((prop::sample::select(pieces), 1usize..9), 0..40);
        pieces.prop_map(|pieces| {
            pieces
                .iter()
                .flat_map(|(piece, n)| piece.repeat(*n))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_bytes_come_back(raw in lines()) {
            let mut entry = Pages::default();
            entry.push(9);
            let steps = encode(&raw, &shown(&raw), &mut entry);
            prop_assert_eq!(&*decode(&entry[1..], &shown(&raw)), &*raw);
            prop_assert_eq!(is_steps(&entry[1..]), steps);
        }

        #[test]
        fn a_wrong_entry_does_no_harm(entry in prop::collection::vec(any::<u8>(), 0..40), shown in ".{0,20}") {
            decode(&entry, &shown);
        }
    }
}
