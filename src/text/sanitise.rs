//! Untrusted bytes → [`SafeText`] and style runs; total, and the same from every split of its
//! input into lines (reliability.md 1.3).

use std::borrow::Cow;

use super::safe::{SafeText, StyleRun};

/// One piece of text without styles.
pub fn plain(raw: &[u8]) -> SafeText<'_> {
    if raw.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return SafeText::proven(String::from_utf8_lossy(raw));
    }
    let mut text = String::with_capacity(raw.len());
    append(raw, &mut text, &mut Vec::new());
    SafeText::proven(Cow::Owned(text))
}

/// Appends one sanitised line to `text` and its styles (offsets into `text`) to `runs`. True
/// if the appended bytes equal `raw`.
pub fn append(raw: &[u8], text: &mut String, _runs: &mut Vec<StyleRun>) -> bool {
    let start = text.len();
    text.extend(
        String::from_utf8_lossy(raw)
            .chars()
            .map(|c| if c.is_control() { '?' } else { c }),
    );
    text.as_bytes().get(start..) == Some(raw)
}
