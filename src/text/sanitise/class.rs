//! What one character means to the sanitiser and to the width tables. The ranges were checked
//! against `unicode-width` and `unicode-segmentation` for every character (tests below).

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// What a character is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::text) enum Class {
    /// One cell, and a grapheme of its own whenever another plain character follows it.
    Narrow,
    /// Two cells, otherwise like [`Class::Narrow`].
    Wide,
    /// C0, C1 and DEL.
    Control,
    /// Invisible, direction-changing or swallowing what follows: shown by its number.
    Hidden,
    /// U+200D.
    Joiner,
    /// U+FE0E and U+FE0F, text and emoji presentation.
    Selector,
    /// Everything else: needs the segmentation tables.
    Complex,
}

impl Class {
    /// Cells of a character that is a grapheme of its own; none if the tables have to say.
    pub(in crate::text) fn plain_cells(self) -> Option<usize> {
        match self {
            Self::Narrow => Some(1),
            Self::Wide => Some(2),
            Self::Control | Self::Hidden | Self::Joiner | Self::Selector | Self::Complex => None,
        }
    }
}

/// Classifies `c`; the most frequent ranges come first.
#[expect(clippy::match_same_arms, reason = "the order is that of frequency")]
#[inline]
pub(in crate::text) fn class(c: char) -> Class {
    match u32::from(c) {
        0x20..=0x7e => Class::Narrow,
        // CJK ideographs, kana, Hangul syllables, full-width forms.
        0x4e00..=0x9fff
        | 0x3000..=0x3029
        | 0x3031..=0x303c
        | 0x3041..=0x3096
        | 0x309b..=0x30ff
        | 0x3400..=0x4dbf
        | 0xac00..=0xd7a3
        | 0xff01..=0xff60 => Class::Wide,
        0x00..=0x1f | 0x7f..=0x9f => Class::Control,
        0xad => Class::Hidden,
        // Latin, Greek, Cyrillic, punctuation, arrows, operators, frames and blocks.
        0xa0..=0x2ff
        | 0x370..=0x482
        | 0x48a..=0x52f
        | 0x1e00..=0x1eff
        | 0x2010..=0x2027
        | 0x2030..=0x205e
        | 0x20a0..=0x20c0
        | 0x2190..=0x2307
        | 0x2400..=0x2426
        | 0x2500..=0x25fc
        | 0x2713..=0x2718
        | 0xff61..=0xff9d => Class::Narrow,
        0x200d => Class::Joiner,
        0xfe0e | 0xfe0f => Class::Selector,
        code if is_hidden(code) => Class::Hidden,
        _ => Class::Complex,
    }
}

/// Characters that show nothing, turn the direction, or take the next character into their own
/// grapheme (reliability.md 1.3; Unicode's `Default_Ignorable`, `Bidi_Control`, `Prepend`; fillers).
fn is_hidden(code: u32) -> bool {
    matches!(code,
        0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
        | 0x200b | 0x200c | 0x200e | 0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0x3164 | 0xfe00..=0xfe0d | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0x13430..=0x1345f | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff
        | 0x0600..=0x0605 | 0x06dd | 0x070f | 0x0890 | 0x0891 | 0x08e2 | 0x0d4e
        | 0x110bd | 0x110cd | 0x111c2 | 0x111c3 | 0x113d1 | 0x1193f | 0x11941
        | 0x11a3a | 0x11a84..=0x11a89 | 0x11d46 | 0x11f02)
        || code & 0xfffe == 0xfffe
}

/// Whether `c` can carry a presentation selector or stand beside a joiner in an emoji.
pub(super) fn is_pictograph(c: char) -> bool {
    matches!(u32::from(c),
        0xa9 | 0xae | 0x203c | 0x2049 | 0x2122 | 0x2139 | 0x2190..=0x2bff
        | 0x3030 | 0x303d | 0x3297 | 0x3299 | 0x1f000..=0x1faff)
}

/// Whether `c` begins a grapheme after a letter, so that it is no mark.
pub(super) fn is_base(c: char) -> bool {
    if c.width() == Some(0) {
        return false;
    }
    let mut pair = [0; 8];
    let mut pair_text = String::with_capacity(pair.len());
    pair_text.push('a');
    pair_text.push_str(c.encode_utf8(&mut pair));
    first_grapheme(&pair_text).len() == 1
}

/// The first grapheme of `text`.
pub(in crate::text) fn first_grapheme(text: &str) -> &str {
    text.graphemes(true).next().unwrap_or("")
}

/// How many bytes of `bytes` from the start are printable ASCII.
pub(in crate::text) fn ascii_prefix(bytes: &[u8]) -> usize {
    let printable = |byte: &u8| byte.wrapping_sub(0x20) < 0x5f;
    // Whole blocks first: without an early exit inside, the compiler compares 32 at once.
    let (blocks, _) = bytes.as_chunks::<32>();
    let whole = blocks
        .iter()
        .take_while(|block| block.iter().fold(true, |ok, byte| ok & printable(byte)))
        .count()
        * 32;
    whole
        + bytes
            .iter()
            .skip(whole)
            .take_while(|b| printable(b))
            .count()
}

/// How many bytes of `text` from the start are plain characters ([`Class::plain_cells`]).
pub(in crate::text) fn plain_prefix(text: &str) -> usize {
    let ascii = ascii_prefix(text.as_bytes());
    let rest = text.get(ascii..).unwrap_or("");
    rest.char_indices()
        .find(|(_, c)| class(*c).plain_cells().is_none())
        .map_or(text.len(), |(at, _)| ascii + at)
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn graphemes(text: &str) -> usize {
        text.graphemes(true).count()
    }

    #[test]
    fn a_plain_character_is_a_grapheme_of_its_own_and_has_the_tables_width() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            let Some(cells) = class(c).plain_cells() else {
                continue;
            };
            assert_eq!(c.to_string().width(), cells, "width of {:x}", u32::from(c));
            for pair in [
                format!("a{c}"),
                format!("{c}a"),
                format!("{c}{c}"),
                format!("한{c}"),
            ] {
                assert_eq!(graphemes(&pair), 2, "{pair:?} {:x}", u32::from(c));
            }
        }
    }

    #[test]
    fn nothing_that_may_be_shown_swallows_the_character_after_it() {
        for c in (0..=0x10_ffff).filter_map(char::from_u32) {
            if !matches!(class(c), Class::Hidden | Class::Control) {
                assert_eq!(graphemes(&format!("{c}<")), 2, "{:x}", u32::from(c));
            }
        }
    }

    #[test]
    fn printable_ascii_ends_where_it_ends() {
        for length in 0..100 {
            for at in 0..length {
                for bad in [0x1f, 0x7f, 0x80, 0xff] {
                    let mut bytes = vec![b'~'; length];
                    bytes[at] = bad;
                    assert_eq!(ascii_prefix(&bytes), at);
                }
            }
            assert_eq!(ascii_prefix(&vec![b' '; length]), length);
        }
    }
}
