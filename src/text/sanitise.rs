//! Untrusted bytes → [`SafeText`] and style runs; total: every input has an answer
//! (reliability.md 1.3). Bytes are decoded as UTF-8 first and classified afterwards.
//!
//! A line of printable ASCII, or of characters that can do nothing but be shown, is copied as
//! it is. Only the others go character by character.

mod class;
mod escape;
mod line;
mod sequence;

use std::borrow::Cow;

pub(super) use class::{Class, ascii_prefix, class, first_grapheme, plain_prefix};
pub use escape::escape;

use super::safe::{SafeText, StyleRun};
pub use super::sgr::{RESET, reset, sgr};

/// Bytes of shown text kept of one line, its notes included (reliability.md 1.3).
pub const MAX_LINE: usize = 256 * 1024;

/// Combining marks kept on one base character; the rest is counted.
pub const MAX_MARKS: usize = 8;

/// Bytes of the longest grapheme, as it has to fit into one cell of a screen.
pub const MAX_GRAPHEME: usize = 64;

/// Bytes of one line that are looked at at all; no message is longer (decision 7).
const MAX_RAW: usize = 4 * 1024 * 1024;

/// One piece of text without styles; borrows if nothing had to change.
pub fn plain(raw: &[u8]) -> SafeText<'_> {
    if let Some(text) = as_it_is(std::str::from_utf8(raw)) {
        return SafeText::proven(Cow::Borrowed(text));
    }
    let mut text = String::with_capacity(raw.len().min(MAX_LINE));
    append(raw, &mut text, &mut Vec::new());
    SafeText::proven(Cow::Owned(text))
}

/// Appends one sanitised line to `text` and its styles (offsets into `text`) to `runs`. True
/// if the appended bytes equal `raw`.
pub fn append(raw: &[u8], text: &mut String, runs: &mut Vec<StyleRun>) -> bool {
    let (head, tail) = raw.split_at_checked(MAX_RAW).unwrap_or((raw, &[]));
    let decoded = std::str::from_utf8(head);
    if let Some(line) = as_it_is(decoded) {
        text.push_str(line);
        return true;
    }
    let start = text.len();
    let mut line = line::Line::new(text, runs);
    match decoded {
        Ok(decoded) => line.take(decoded),
        Err(_) => line.take(&String::from_utf8_lossy(head)),
    }
    if line.is_full() || !tail.is_empty() {
        let kept = line.cut().map_or(head.len(), |at| raw_offset(head, at));
        line.note_cut(raw.len() - kept);
    }
    line.finish();
    text.as_bytes().get(start..) == Some(raw)
}

/// The line itself, if it may be shown as it is.
fn as_it_is(decoded: Result<&str, std::str::Utf8Error>) -> Option<&str> {
    let text = decoded.ok().filter(|text| text.len() <= MAX_LINE)?;
    (plain_prefix(text) == text.len()).then_some(text)
}

/// Where the decoded text's byte `at` stands in the bytes it was decoded from.
fn raw_offset(raw: &[u8], at: usize) -> usize {
    let (mut from_raw, mut from_text) = (0, 0);
    for chunk in raw.utf8_chunks() {
        let valid = chunk.valid().len();
        if at <= from_text + valid {
            return from_raw + (at - from_text);
        }
        from_raw += valid + chunk.invalid().len();
        from_text += valid + char::REPLACEMENT_CHARACTER.len_utf8();
    }
    raw.len()
}
