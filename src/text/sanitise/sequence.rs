//! Where an escape sequence ends. The text is decoded before it comes here, so that a byte
//! 0x9C inside `✳` is never taken for a string terminator (reliability.md 1.1).

/// A sequence at the start of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sequence<'a> {
    /// Its length in bytes, ESC included; at least 1.
    pub len: usize,
    /// The parameters, if it is an SGR: the one sequence with an effect on log text.
    pub sgr: Option<&'a str>,
}

/// Measures the sequence at the start of `text`, which begins with ESC. What cannot belong to
/// it ends it, and a string without terminator ends with the text.
pub(super) fn measure(text: &str) -> Sequence<'_> {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'[') => control_sequence(text),
        Some(b']') => string(bytes, true),
        Some(b'P' | b'X' | b'^' | b'_') => string(bytes, false),
        Some(0x20..=0x2f) => {
            let middle = run(bytes, 1, 0x20..=0x2f);
            let last = usize::from(matches!(bytes.get(middle), Some(0x30..=0x7e)));
            other(middle + last)
        }
        Some(0x30..=0x7e) => other(2),
        _ => other(1),
    }
}

fn other(len: usize) -> Sequence<'static> {
    Sequence { len, sgr: None }
}

/// `ESC [`, parameters, intermediates, one final byte.
fn control_sequence(text: &str) -> Sequence<'_> {
    let bytes = text.as_bytes();
    let params_end = run(bytes, 2, 0x30..=0x3f);
    let middle = run(bytes, params_end, 0x20..=0x2f);
    let Some(last @ 0x40..=0x7e) = bytes.get(middle) else {
        return other(middle);
    };
    let params = text.get(2..params_end).unwrap_or("");
    let private = params.bytes().any(|byte| matches!(byte, b'<'..=b'?'));
    let is_sgr = *last == b'm' && middle == params_end && !private;
    Sequence {
        len: middle + 1,
        sgr: is_sgr.then_some(params),
    }
}

/// OSC (which BEL ends too), DCS, SOS, PM, APC: up to ST, CAN or SUB, or before another ESC.
fn string(bytes: &[u8], ends_at_bell: bool) -> Sequence<'static> {
    let mut at = 2;
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (0x07, _) if ends_at_bell => return other(at + 1),
            (0x18 | 0x1a, _) => return other(at + 1),
            // ST: ESC \ or U+009C.
            (0x1b, Some(b'\\')) | (0xc2, Some(0x9c)) => return other(at + 2),
            (0x1b, _) => return other(at),
            _ => at += 1,
        }
    }
    other(at)
}

/// The end of the run of bytes within `range` that starts at `from`.
fn run(bytes: &[u8], from: usize, range: std::ops::RangeInclusive<u8>) -> usize {
    let rest = bytes.iter().skip(from);
    from + rest.take_while(|byte| range.contains(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_sequence_ends_where_it_should() {
        for (text, len, sgr) in [
            ("\x1b[31mred", 5, Some("31")),
            ("\x1b[m", 3, Some("")),
            ("\x1b[38:2::1:2:3mX", 14, Some("38:2::1:2:3")),
            ("\x1b[>4;1mX", 7, None),
            ("\x1b[?25lX", 6, None),
            ("\x1b[0 qX", 5, None),
            ("\x1b[31", 4, None),
            ("\x1b[3\n1m", 3, None),
            ("\x1b[3\u{1b}[1m", 3, None),
            ("\x1b]0;t\x07X", 6, None),
            ("\x1b]0;t\x1b\\X", 7, None),
            ("\x1b]0;\u{2733}t\u{9c}X", 10, None),
            ("\x1b]0;t\x1b[mX", 5, None),
            ("\x1b]0;t\x18X", 6, None),
            ("\x1b]0;t", 5, None),
            ("\x1bPq\x07\x1b\\X", 6, None),
            ("\x1b_Gt=f\x1b\\X", 8, None),
            ("\x1b(0X", 3, None),
            ("\x1b#8X", 3, None),
            ("\x1b%", 2, None),
            ("\x1bcX", 2, None),
            ("\x1b", 1, None),
            ("\x1bé", 1, None),
            ("\x1b\x1b[m", 1, None),
        ] {
            assert_eq!(measure(text), Sequence { len, sgr }, "{text:?}");
        }
    }
}
