//! What our terminal says when a program asks it something. Every answer is fixed or made of
//! the model's own numbers; nothing that a program wrote is ever repeated to it, since a reply
//! is typed into whatever reads next (reliability.md 1.1). Asked and not answered: the title
//! (`CSI 21 t`), the clipboard (OSC 52), DECRQSS, XTGETTCAP, ENQ, checksums, fonts, sizes in
//! pixels.

use std::io::Write;

use crate::text::palette;

/// DA1: a VT220 with colours.
pub const DA1: &[u8] = b"\x1b[?62;22c";
/// DA2: 300 makes programs take SGR mouse reports for granted.
pub const DA2: &[u8] = b"\x1b[>0;300;0c";
/// DSR 5: all is well.
pub const WELL: &[u8] = b"\x1b[0n";
/// XTVERSION.
pub const VERSION: &[u8] =
    concat!("\x1bP>|deckwatch(", env!("CARGO_PKG_VERSION"), ")\x1b\\").as_bytes();

/// Bytes of replies to one piece of output; a program that asks for more gets no answer.
pub const MAX: usize = 4096;

/// How a mode stands, for DECRQM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setting {
    /// There is no such mode here.
    Unknown,
    /// It is set.
    Set,
    /// It is not set.
    Reset,
}

impl From<bool> for Setting {
    fn from(set: bool) -> Self {
        if set { Self::Set } else { Self::Reset }
    }
}

/// The answers to one piece of output, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Replies(Vec<u8>);

impl Replies {
    /// A fixed answer.
    pub(super) fn say(&mut self, answer: &[u8]) {
        if self.0.len() + answer.len() <= MAX {
            self.0.extend_from_slice(answer);
        }
    }

    /// DSR 6, from 1; `private` for DECXCPR.
    pub(super) fn cursor(&mut self, line: usize, column: usize, private: bool) {
        let mark = if private { "?" } else { "" };
        self.put(format_args!("\x1b[{mark}{line};{column}R"));
    }

    /// DECRQM.
    pub(super) fn mode(&mut self, number: u16, private: bool, setting: Setting) {
        let mark = if private { "?" } else { "" };
        let value = match setting {
            Setting::Unknown => 0,
            Setting::Set => 1,
            Setting::Reset => 2,
        };
        self.put(format_args!("\x1b[{mark}{number};{value}$y"));
    }

    /// `CSI 18 t`, the size in characters.
    pub(super) fn size(&mut self, rows: usize, columns: usize) {
        self.put(format_args!("\x1b[8;{rows};{columns}t"));
    }

    /// `CSI ? u`, the flags of the kitty protocol.
    pub(super) fn kitty(&mut self, flags: u8) {
        self.put(format_args!("\x1b[?{flags}u"));
    }

    /// OSC 4: colour `index` of the palette.
    pub(super) fn palette(&mut self, index: u8, bell: bool) {
        let (r, g, b) = palette::rgb(index);
        let end = end(bell);
        self.put(format_args!(
            "\x1b]4;{index};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{end}"
        ));
    }

    /// OSC 10, 11 and 12: foreground, background, cursor.
    pub(super) fn dynamic(&mut self, code: u8, bell: bool, light: bool) {
        let (r, g, b) = if (code == 11) == light { LIGHT } else { DARK };
        let end = end(bell);
        self.put(format_args!(
            "\x1b]{code};rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}{end}"
        ));
    }

    /// All of them.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    fn put(&mut self, answer: std::fmt::Arguments<'_>) {
        let before = self.0.len();
        // Writing to memory cannot fail.
        let _written = self.0.write_fmt(answer);
        if self.0.len() > MAX {
            self.0.truncate(before);
        }
    }
}

/// A string ends as the question did.
fn end(bell: bool) -> &'static str {
    if bell { "\x07" } else { "\x1b\\" }
}

/// The default colours, for programs that choose between dark and light.
const LIGHT: (u8, u8, u8) = (0xe5, 0xe5, 0xe5);
const DARK: (u8, u8, u8) = (0, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_questions_gets_a_bounded_answer() {
        let mut replies = Replies::default();
        for _ in 0..10_000 {
            replies.cursor(1, 1, false);
            replies.say(DA1);
        }
        let all = replies.take();
        assert!(all.len() <= MAX && all.ends_with(b"R") || all.ends_with(b"c"));
    }
}
