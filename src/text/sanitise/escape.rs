//! For pipes and files: the bytes as they came, with everything that steers a terminal made
//! visible, one record a line (reliability.md 1.3, "Follow mode, stdout is a pipe/file").

/// Appends `raw` to `out`. ESC, the other C0 characters except TAB, DEL and the C1 code points
/// become `\x1b`, a newline `\n`; so do bytes that are no UTF-8 and that an 8-bit terminal would
/// take for C1. Other bytes and backslashes stay, so JSON output is the lossless form. True if
/// nothing had to change.
pub fn escape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    for chunk in raw.utf8_chunks() {
        text(chunk.valid().as_bytes(), out);
        for byte in chunk.invalid() {
            if (0x80..=0x9f).contains(byte) {
                hex(*byte, out);
            } else {
                out.push(*byte);
            }
        }
    }
    out.len() - before == raw.len()
}

fn text(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| steers(*byte)) {
        let (clean, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(clean);
        rest = special(tail, out);
    }
    out.extend_from_slice(rest);
}

/// Bytes to look at: C0 except TAB, DEL, and the first byte of a C1 code point.
fn steers(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f || byte == 0xc2
}

/// Writes the character that `tail` starts with; gives back what follows it.
fn special<'a>(tail: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    match tail {
        [b'\n', rest @ ..] => {
            out.extend_from_slice(b"\\n");
            rest
        }
        [0xc2, code @ 0x80..=0x9f, rest @ ..] => {
            hex(*code, out);
            rest
        }
        [byte @ 0xc2, rest @ ..] => {
            out.push(*byte);
            rest
        }
        [byte, rest @ ..] => {
            hex(*byte, out);
            rest
        }
        [] => tail,
    }
}

fn hex(byte: u8, out: &mut Vec<u8>) {
    let digit = |half: u8| {
        if half < 10 {
            b'0' + half
        } else {
            b'a' + half - 10
        }
    };
    out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte & 15)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_visible_and_the_rest_stays() {
        for (raw, want) in [
            (&b"plain\ttext"[..], &b"plain\ttext"[..]),
            (b"\x1b[31mred", b"\\x1b[31mred"),
            (b"a\nb\r\x00\x7f", b"a\\nb\\x0d\\x00\\x7f"),
            ("中文\u{9b}31m é".as_bytes(), "中文\\x9b31m é".as_bytes()),
            (b"\xff\xfe\xc2", b"\xff\xfe\xc2"),
            (b"a\x9b31m\x9d", b"a\\x9b31m\\x9d"),
            (b"\xe4\xb8\x9b", b"\xe4\xb8\x9b"),
            (b"\xe4\x9b", b"\xe4\\x9b"),
            (b"\\x1b", b"\\x1b"),
            (b"", b""),
        ] {
            let mut out = Vec::new();
            assert_eq!(escape(raw, &mut out), raw == want);
            assert_eq!(out, want);
        }
    }
}
