//! One command in a shell that was made for people (decision 17): what is typed so that the
//! command's output stands alone between two marks that nobody can guess, and how it is found
//! again. It needs a POSIX shell.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::text::floor_boundary;

/// A line of input stays under what a terminal in line mode takes (4095 bytes).
const LINE: usize = 1000;

/// Digits of a status, at most.
const DIGITS: usize = 10;

/// What is typed, and the marks that come back.
#[derive(Debug)]
pub(super) struct Script {
    /// The input, line by line.
    pub(super) input: String,
    marks: Marks,
}

#[derive(Clone, Debug)]
struct Marks {
    /// The terminal's own settings could be changed: output comes as it is.
    exact: Vec<u8>,
    /// They could not: it comes with CR LF.
    translated: Vec<u8>,
    end: Vec<u8>,
}

impl Script {
    /// The script that runs `command`, with 128 bits of `chance` in its marks.
    pub(super) fn new(command: &str, chance: [u8; 16]) -> Self {
        let word = URL_SAFE_NO_PAD.encode(chance);
        let word = word.replace('-', "x");
        // In the echo of the input the two halves stand apart, in the output they are one.
        let mut input =
            String::from("stty -echo -opost 2>/dev/null && dw_t=E || dw_t=T; PS1= PS2= dw_c=\n");
        for piece in pieces(command) {
            input.push_str("dw_c=\"$dw_c\"");
            input.push_str(&quoted(piece));
            input.push('\n');
        }
        // Writing to a string can't fail.
        let _ = writeln!(
            input,
            "printf '%s%s' \"dw$dw_t\" {word}; (eval \"$dw_c\") </dev/null; printf '%s%s%d.' dwS {word} $?; exit"
        );
        let mark = |kind: &str| format!("dw{kind}{word}").into_bytes();
        Self {
            input,
            marks: Marks {
                exact: mark("E"),
                translated: mark("T"),
                end: mark("S"),
            },
        }
    }

    /// Looks for the command's output in what comes.
    pub(super) fn finder(&self) -> Finder {
        Finder {
            marks: self.marks.clone(),
            held: Vec::new(),
            inside: None,
            pending_cr: false,
        }
    }
}

/// `command` in pieces for a line each, characters whole.
fn pieces(command: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = command;
    while !rest.is_empty() {
        let end = floor_boundary(rest, LINE / 5);
        let (piece, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// In single quotes, where a newline may stand. What a line editor would take for a key, and
/// bytes that an editor without a locale spoils, are written as numbers.
fn quoted(text: &str) -> String {
    let mut out = String::from("'");
    let mut numbers = String::new();
    for byte in text.bytes() {
        let plain = byte == b'\n' || (b' '..0x7f).contains(&byte);
        if !plain {
            let _ = write!(numbers, "\\{byte:03o}");
            continue;
        }
        flush(&mut numbers, &mut out);
        match byte {
            b'\'' => out.push_str("'\\''"),
            byte => out.push(char::from(byte)),
        }
    }
    flush(&mut numbers, &mut out);
    out.push('\'');
    out
}

fn flush(numbers: &mut String, out: &mut String) {
    if !numbers.is_empty() {
        let _ = write!(out, "'\"$(printf '{numbers}')\"'");
        numbers.clear();
    }
}

/// Finds the output between the marks, however it is split.
#[derive(Debug)]
pub(super) struct Finder {
    marks: Marks,
    held: Vec<u8>,
    /// Between the marks; whether line ends are to be translated back.
    inside: Option<bool>,
    pending_cr: bool,
}

impl Finder {
    /// Whether the command has begun.
    pub(super) fn begun(&self) -> bool {
        self.inside.is_some()
    }

    /// Takes what came; the command's own output goes to `out`. The answer is its status, once
    /// it has ended.
    pub(super) fn take(&mut self, came: &[u8], out: &mut Vec<u8>) -> Option<u8> {
        self.held.extend_from_slice(came);
        if self.inside.is_none() {
            self.look_for_begin();
        }
        let translated = self.inside?;
        let Some(at) = memchr::memmem::find(&self.held, &self.marks.end) else {
            // The begin of a mark may be at the end.
            let safe = self.held.len().saturating_sub(self.marks.end.len() - 1);
            let rest = self.held.split_off(safe);
            let ready = std::mem::replace(&mut self.held, rest);
            self.give(&ready, translated, out);
            return None;
        };
        let tail = self.held.get(at + self.marks.end.len()..).unwrap_or(&[]);
        // Whatever else comes there than a number is none.
        let digits = tail.iter().position(|byte| !byte.is_ascii_digit());
        let digits = digits.or((tail.len() > DIGITS).then_some(0))?;
        let status = tail.get(..digits).and_then(|d| std::str::from_utf8(d).ok());
        let status = status.and_then(|d| d.parse::<u32>().ok());
        let status = u8::try_from(status.unwrap_or(u32::from(u8::MAX)) & 0xff).unwrap_or(u8::MAX);
        let ready = self.held.get(..at).unwrap_or(&[]).to_vec();
        self.held.clear();
        self.give(&ready, translated, out);
        if std::mem::take(&mut self.pending_cr) {
            out.push(b'\r');
        }
        Some(status)
    }

    fn look_for_begin(&mut self) {
        let find = |mark: &[u8]| memchr::memmem::find(&self.held, mark).map(|at| at + mark.len());
        let found = find(&self.marks.exact)
            .map(|end| (end, false))
            .or_else(|| find(&self.marks.translated).map(|end| (end, true)));
        if let Some((end, translated)) = found {
            self.held.drain(..end);
            self.inside = Some(translated);
        } else {
            let safe = self.held.len().saturating_sub(self.marks.exact.len() - 1);
            self.held.drain(..safe);
        }
    }

    fn give(&mut self, ready: &[u8], translated: bool, out: &mut Vec<u8>) {
        if !translated {
            return out.extend_from_slice(ready);
        }
        for byte in ready {
            let cr = std::mem::take(&mut self.pending_cr);
            if cr && *byte != b'\n' {
                out.push(b'\r');
            }
            if *byte == b'\r' {
                self.pending_cr = true;
            } else {
                out.push(*byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_is_found_in_every_split_and_the_echo_is_not_taken_for_it() {
        let script = Script::new("printf 'a\\nb'", [7; 16]);
        let word = "BwcHBwcHBwcHBwcHBwcHBw";
        assert!(script.input.contains(word));
        for (kind, body, want) in [
            ("E", "a\nb\r", "a\nb\r"),
            ("T", "a\r\nb\r\r\n\rc\r", "a\nb\r\n\rc\r"),
            ("E", "", ""),
        ] {
            let stream = format!(
                "$ {}\r\nnoise dw {word}dw{kind}{word}{body}dwS{word}42.$ ",
                script.input
            );
            for size in 1..stream.len() {
                let mut finder = script.finder();
                let mut out = Vec::new();
                let mut status = None;
                for piece in stream.as_bytes().chunks(size) {
                    if status.is_none() {
                        status = finder.take(piece, &mut out);
                    }
                }
                assert_eq!(
                    (out.as_slice(), status),
                    (want.as_bytes(), Some(42)),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn a_mark_without_a_number_is_the_end_as_well() {
        let script = Script::new("true", [7; 16]);
        let word = "BwcHBwcHBwcHBwcHBwcHBw";
        for (tail, want) in [("x", 255), ("12345678901", 255), ("7x", 7), ("7.", 7)] {
            let mut finder = script.finder();
            let mut out = Vec::new();
            let stream = format!("dwE{word}outdwS{word}{tail}");
            let status = finder.take(stream.as_bytes(), &mut out);
            assert_eq!(
                (out.as_slice(), status),
                (&b"out"[..], Some(want)),
                "{tail}"
            );
        }
    }

    #[test]
    fn output_streams_before_the_end() {
        let script = Script::new("x", [1; 16]);
        let mut finder = script.finder();
        let mut out = Vec::new();
        let begin = String::from_utf8(script.marks.exact.clone()).unwrap();
        assert_eq!(
            finder.take(format!("{begin}{}", "y".repeat(500)).as_bytes(), &mut out),
            None
        );
        assert!(finder.begun() && out.len() > 400);
    }

    #[test]
    fn any_command_is_one_word_in_short_lines() {
        let long = format!(
            "echo '{}' \"$HOME\"\necho 中{}",
            "é".repeat(900),
            "'".repeat(300)
        );
        let script = Script::new(&long, [2; 16]);
        for line in script.input.lines() {
            assert!(line.len() < 1100 && line.is_ascii(), "{}", line.len());
        }
        assert_eq!(
            quoted("a'b\t中\n"),
            r#"'a'\''b'"$(printf '\011\344\270\255')"'"#.to_owned() + "\n'"
        );
    }
}
