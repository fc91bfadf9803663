//! A line's fingerprint. The same line is raw when it is live and went through JSON when it is
//! replayed, so both are read alike before they are hashed (reliability.md 0).

use std::hash::{DefaultHasher, Hasher};

/// Stands for bytes that are no UTF-8, however many: servers write one for each byte or one for
/// several.
const REPLACED: char = '\u{fffd}';

/// The fingerprint of a line of a container under a run's own key.
pub fn print(key: u64, container: Option<&[u8]>, body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(key);
    hasher.write(container.unwrap_or(b""));
    hasher.write_u8(0xff);
    let body = body.strip_suffix(b"\n").unwrap_or(body);
    // A plain text, and nearly all are, is hashed as it stands.
    match std::str::from_utf8(body) {
        Ok(text) if !text.contains(REPLACED) => hasher.write(body),
        _ => normalised(body, &mut hasher),
    }
    hasher.finish()
}

fn normalised(body: &[u8], hasher: &mut DefaultHasher) {
    let mut text = String::with_capacity(body.len());
    for c in String::from_utf8_lossy(body).chars() {
        if c != REPLACED || !text.ends_with(REPLACED) {
            text.push(c);
        }
    }
    hasher.write(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_a_line_have_one_fingerprint() {
        let cases: &[(&[u8], &str, bool)] = &[
            (b"plain", "plain", true),
            (b"plain\n", "plain", true),
            (b"plain", "plain ", false),
            (b"a\xffb", "a\u{fffd}b", true),
            (b"a\xe4\xb8b", "a\u{fffd}\u{fffd}b", true),
            (b"a\xe4\xb8b", "a\u{fffd}b", true),
            (b"a\xffb", "ab", false),
            (b"", "", true),
        ];
        for (live, replayed, same) in cases {
            let live = print(1, Some(b"c"), live);
            assert_eq!(live == print(1, Some(b"c"), replayed.as_bytes()), *same);
        }
        assert_ne!(print(1, Some(b"a"), b"bc"), print(1, Some(b"ab"), b"c"));
        assert_ne!(print(1, None, b"x"), print(2, None, b"x"));
    }
}
