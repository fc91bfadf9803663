//! What a container's program has switched on in the terminal and not off again, when the
//! connection goes in its midst: alternate screen, mouse, paste, hidden cursor. Bytes pass
//! unchanged; they are only read along.

use std::collections::BTreeSet;

/// Private modes that leave a terminal unusable when they stay on; with 25 it is the other way
/// round.
const MODES: [u16; 13] = [
    1, 9, 47, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1049, 2004,
];
const CURSOR: u16 = 25;
/// Of those, the ones of the alternate screen.
const SCREENS: [u16; 3] = [47, 1047, 1049];
/// Keys come in their usual shape again.
const KEYS: &[u8] = b"\x1b[>4m\x1b[<99u\x1b[=0;1u";
/// No sequence of interest is longer.
const LONGEST: usize = 64;

/// The reader.
#[derive(Debug, Default)]
pub(super) struct Leftover {
    on: BTreeSet<u16>,
    hidden: bool,
    /// Keys were asked to come in another shape.
    keys: bool,
    /// A sequence that is not whole yet, from its ESC on.
    open: Vec<u8>,
}

impl Leftover {
    /// Reads along.
    pub(super) fn read(&mut self, mut output: &[u8]) {
        loop {
            if self.open.is_empty() {
                let Some(at) = memchr::memchr(0x1b, output) else {
                    return;
                };
                output = output.get(at..).unwrap_or(&[]);
            }
            let Some((byte, rest)) = output.split_first() else {
                return;
            };
            output = rest;
            self.byte(*byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        let expected = match self.open.len() {
            0 => byte == 0x1b,
            1 => byte == b'[',
            2 => matches!(byte, b'?' | b'>' | b'='),
            _ => byte.is_ascii_digit() || byte == b';',
        };
        if expected && self.open.len() < LONGEST {
            self.open.push(byte);
            return;
        }
        let whole = std::mem::take(&mut self.open);
        let kind = whole.get(2);
        if kind == Some(&b'?') && whole.len() > 3 && matches!(byte, b'h' | b'l') {
            self.switch(&whole, byte == b'h');
        } else if matches!(kind, Some(b'>' | b'=')) && matches!(byte, b'm' | b'u') {
            self.keys = true;
        } else if byte == 0x1b {
            self.open.push(byte);
        }
    }

    fn switch(&mut self, sequence: &[u8], on: bool) {
        let numbers = sequence.get(3..).unwrap_or(&[]);
        for number in numbers.split(|byte| *byte == b';') {
            let number = std::str::from_utf8(number)
                .ok()
                .and_then(|n| n.parse().ok());
            match number {
                Some(CURSOR) => self.hidden = !on,
                Some(mode) if MODES.contains(&mode) && on => {
                    self.on.insert(mode);
                }
                Some(mode) => {
                    self.on.remove(&mode);
                }
                None => {}
            }
        }
    }

    /// What switches all that off; nothing if nothing is on. Colours go in any case.
    pub(super) fn undo(&self) -> Vec<u8> {
        let mut bytes = b"\x1b[0m".to_vec();
        if self.keys {
            // modifyOtherKeys, and kitty's protocol on the screen that is left.
            bytes.extend_from_slice(KEYS);
        }
        // The alternate screen last, so that the rest is not seen.
        for mode in &self.on {
            bytes.extend_from_slice(format!("\x1b[?{mode}l").as_bytes());
        }
        if self.keys && !self.on.is_disjoint(&BTreeSet::from(SCREENS)) {
            // The other screen has a stack of its own.
            bytes.extend_from_slice(KEYS);
        }
        if self.hidden {
            bytes.extend_from_slice(b"\x1b[?25h");
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(output: &[u8]) -> String {
        let mut whole = Leftover::default();
        whole.read(output);
        let mut split = Leftover::default();
        for byte in output {
            split.read(&[*byte]);
        }
        assert_eq!(whole.undo(), split.undo());
        String::from_utf8(whole.undo()).unwrap()
    }

    #[test]
    fn what_was_left_on_is_switched_off() {
        for (output, want) in [
            ("plain \x1b[31mred", "\x1b[0m"),
            ("\x1b[?1049h\x1b[?25l", "\x1b[0m\x1b[?1049l\x1b[?25h"),
            ("\x1b[?1049h\x1b[?1049l\x1b[?25l\x1b[?25h", "\x1b[0m"),
            (
                "\x1b[?1000;1006h\x1b[?2004h",
                "\x1b[0m\x1b[?1000l\x1b[?1006l\x1b[?2004l",
            ),
            ("\x1b[?7h\x1b[?12h", "\x1b[0m"),
            ("\x1b[>4;2m", "\x1b[0m\x1b[>4m\x1b[<99u\x1b[=0;1u"),
            (
                "\x1b[?1049h\x1b[>1u",
                "\x1b[0m\x1b[>4m\x1b[<99u\x1b[=0;1u\x1b[?1049l\x1b[>4m\x1b[<99u\x1b[=0;1u",
            ),
            ("\x1b[>c\x1b[=c\x1b[>h", "\x1b[0m"),
            ("\x1b\x1b[?1003h", "\x1b[0m\x1b[?1003l"),
            ("\x1b[?99999999999h\x1b[?h", "\x1b[0m"),
        ] {
            assert_eq!(undo(output.as_bytes()), want, "{output:?}");
        }
        let endless = format!("\x1b[?{}h", "1;".repeat(5000));
        assert_eq!(undo(endless.as_bytes()), "\x1b[0m");
    }
}
