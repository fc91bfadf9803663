//! Pasted text on its way into a shell.

use crate::term::modes::Modes;

/// Why a paste should be asked about first (reliability.md 1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// It has so many lines.
    Lines(usize),
    /// It has so many bytes.
    Long(usize),
    /// It holds control characters, which are left out.
    Controls,
}

/// Bytes of a paste that is not asked about.
const LONG: usize = 4096;

/// What is doubtful about `text`, if anything; the gravest first.
pub fn doubt(text: &str) -> Option<Doubt> {
    // Terminals send the newlines of a paste as Enter.
    let text = text.replace("\r\n", "\n");
    let lines = text
        .trim_end_matches(['\r', '\n'])
        .split(['\r', '\n'])
        .count();
    if text.chars().any(is_control) {
        return Some(Doubt::Controls);
    }
    if lines > 1 || text.ends_with(['\r', '\n']) {
        return Some(Doubt::Lines(lines.max(1)));
    }
    (text.len() > LONG).then_some(Doubt::Long(text.len()))
}

/// Appends what pasting `text` sends: newlines as Enter, tabs, and no other control character,
/// so that the end of a bracketed paste can't be forged; in brackets if the program asked.
pub fn paste(text: &str, modes: &Modes, out: &mut Vec<u8>) {
    if modes.bracketed_paste {
        out.extend_from_slice(b"\x1b[200~");
    }
    let mut returned = false;
    for c in text.chars() {
        match c {
            '\n' if returned => {}
            '\n' | '\r' => out.push(b'\r'),
            c if is_control(c) => {}
            c => super::push_char(c, out),
        }
        returned = c == '\r';
    }
    if modes.bracketed_paste {
        out.extend_from_slice(b"\x1b[201~");
    }
}

/// Controls that no paste sends.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_is_text_and_nothing_else() {
        for (text, want) in [
            ("ls -l", "ls -l"),
            ("a\nb\r\nc\rd\n\ne", r"a\rb\rc\rd\r\re"),
            ("a\tb", r"a\tb"),
            ("x\x1b[201~rm -rf /\n", r"x[201~rm -rf /\r"),
            ("a\x03\x1a\u{9b}\x7fb", "ab"),
            ("字", r"\xe5\xad\x97"),
        ] {
            let mut out = Vec::new();
            paste(text, &Modes::default(), &mut out);
            assert_eq!(out.escape_ascii().to_string(), want, "{text:?}");
            let asked = Modes {
                bracketed_paste: true,
                ..Modes::default()
            };
            out.clear();
            paste(text, &asked, &mut out);
            let bracketed = format!(r"\x1b[200~{want}\x1b[201~");
            assert_eq!(out.escape_ascii().to_string(), bracketed);
        }
    }

    #[test]
    fn doubtful_pastes_are_known() {
        for (text, want) in [
            ("ls", None),
            ("ls\n", Some(Doubt::Lines(1))),
            ("a\nb", Some(Doubt::Lines(2))),
            ("a\rb\r", Some(Doubt::Lines(2))),
            ("a\r\nb\r\n\r\nc", Some(Doubt::Lines(4))),
            ("a\x1bb", Some(Doubt::Controls)),
        ] {
            assert_eq!(doubt(text), want, "{text:?}");
        }
        assert_eq!(doubt(&"x".repeat(5000)), Some(Doubt::Long(5000)));
    }
}
