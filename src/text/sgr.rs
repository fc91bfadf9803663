//! Select Graphic Rendition, both ways: the parameters of a log line's sequence become a
//! [`TextStyle`], and a style becomes the few sequences that we write ourselves.

use std::io::Write;

use super::safe::{Attrs, Ink, TextStyle};

/// Parameters read from one sequence; the rest is ignored (reliability.md 1.3).
const MAX_PARAMS: usize = 32;

/// What the sequences of a line so far have set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Pen {
    style: TextStyle,
    concealed: bool,
}

/// A parameter; saturates at 65,535. `sub` if a colon stands before it.
#[derive(Clone, Copy, Default)]
struct Param {
    value: Option<u16>,
    sub: bool,
}

impl Pen {
    /// How text looks now: concealed text is dim, and text in the colour of its background
    /// loses the background, since either would hide what was written.
    pub(super) fn style(self) -> TextStyle {
        let mut style = self.style;
        if self.concealed {
            style.attrs.0 |= Attrs::DIM;
        }
        if style.fg == style.bg {
            style.bg = Ink::Default;
        }
        style
    }

    /// Follows one sequence, given its parameters (`38;5;1` of `ESC[38;5;1m`).
    pub(super) fn apply(&mut self, params: &str) {
        let mut list = [Param::default(); MAX_PARAMS];
        let count = split(params, &mut list);
        let mut rest = list.get(..count).unwrap_or(&list);
        while let Some((first, tail)) = rest.split_first() {
            let subs = tail.iter().take_while(|param| param.sub).count();
            let (group, after) = tail.split_at_checked(subs).unwrap_or((tail, &[]));
            rest = if subs > 0 {
                self.group(first.value.unwrap_or(0), group);
                after
            } else {
                self.code(first.value.unwrap_or(0), tail)
            };
        }
    }

    /// One parameter without colons; gives back what follows its arguments.
    fn code<'a>(&mut self, code: u16, tail: &'a [Param]) -> &'a [Param] {
        let Some(role @ (38 | 48 | 58)) = Some(code) else {
            self.attribute(code);
            return tail;
        };
        let (ink, used) = match tail {
            [mode, n, ..] if mode.value == Some(5) => (indexed(*n), 2),
            [mode, r, g, b, ..] if mode.value == Some(2) => (rgb([*r, *g, *b]), 4),
            _ => (None, tail.len()),
        };
        self.colour(role, ink);
        tail.get(used..).unwrap_or(&[])
    }

    /// One parameter with what colons attach to it.
    fn group(&mut self, code: u16, subs: &[Param]) {
        let ink = match (code, subs) {
            (4, [kind, ..]) => {
                self.set(Attrs::UNDERLINE, kind.value != Some(0));
                return;
            }
            (38 | 48 | 58, [mode, n, ..]) if mode.value == Some(5) => indexed(*n),
            (38 | 48 | 58, [mode, r, g, b]) if mode.value == Some(2) => rgb([*r, *g, *b]),
            // With a colour space before the three.
            (38 | 48 | 58, [mode, _, r, g, b, ..]) if mode.value == Some(2) => rgb([*r, *g, *b]),
            _ => None,
        };
        self.colour(code, ink);
    }

    fn colour(&mut self, role: u16, ink: Option<Ink>) {
        match (role, ink) {
            (38, Some(ink)) => self.style.fg = ink,
            (48, Some(ink)) => self.style.bg = ink,
            // 58 is the underline's colour, which we do not draw.
            _ => {}
        }
    }

    fn attribute(&mut self, code: u16) {
        let low = |base: u16| Ink::Indexed(u8::try_from(code - base).unwrap_or(0));
        match code {
            0 => *self = Self::default(),
            1 => self.set(Attrs::BOLD, true),
            2 => self.set(Attrs::DIM, true),
            3 => self.set(Attrs::ITALIC, true),
            4 | 21 => self.set(Attrs::UNDERLINE, true),
            7 => self.set(Attrs::INVERSE, true),
            8 => self.concealed = true,
            22 => self.set(Attrs::BOLD | Attrs::DIM, false),
            23 => self.set(Attrs::ITALIC, false),
            24 => self.set(Attrs::UNDERLINE, false),
            27 => self.set(Attrs::INVERSE, false),
            28 => self.concealed = false,
            30..=37 => self.style.fg = low(30),
            39 => self.style.fg = Ink::Default,
            40..=47 => self.style.bg = low(40),
            49 => self.style.bg = Ink::Default,
            90..=97 => self.style.fg = low(82),
            100..=107 => self.style.bg = low(92),
            // Blink, fonts, frames, overlines: nothing that a log line needs.
            _ => {}
        }
    }

    fn set(&mut self, attr: u8, on: bool) {
        let bits = self.style.attrs.0;
        self.style.attrs.0 = if on { bits | attr } else { bits & !attr };
    }
}

fn indexed(n: Param) -> Option<Ink> {
    byte(n).map(Ink::Indexed)
}

fn rgb(parts: [Param; 3]) -> Option<Ink> {
    let [r, g, b] = parts.map(byte);
    Some(Ink::Rgb(r?, g?, b?))
}

/// A missing value is 0, one over 255 is none.
fn byte(param: Param) -> Option<u8> {
    u8::try_from(param.value.unwrap_or(0)).ok()
}

/// Fills `list` from the text of the parameters; the number of them.
fn split(params: &str, list: &mut [Param; MAX_PARAMS]) -> usize {
    let mut slots = list.iter_mut();
    let mut count = 1;
    let Some(mut slot) = slots.next() else {
        return 0;
    };
    for byte in params.bytes() {
        if let b'0'..=b'9' = byte {
            let digit = u16::from(byte - b'0');
            let value = slot.value.unwrap_or(0);
            slot.value = Some(value.saturating_mul(10).saturating_add(digit));
            continue;
        }
        let Some(next) = slots.next() else { break };
        slot = next;
        slot.sub = byte == b':';
        count += 1;
    }
    count
}

/// Ends all styles: `ESC[0m`.
pub const RESET: &[u8] = b"\x1b[0m";

/// Writes the sequence that makes a terminal show `style` whatever was set before. Of all
/// escape sequences this and [`RESET`] are the only ones that printers may write.
pub fn sgr(style: TextStyle, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[0");
    for (attr, code) in [
        (Attrs::BOLD, b";1"),
        (Attrs::DIM, b";2"),
        (Attrs::ITALIC, b";3"),
        (Attrs::UNDERLINE, b";4"),
        (Attrs::INVERSE, b";7"),
    ] {
        if style.attrs.has(attr) {
            out.extend_from_slice(code);
        }
    }
    ink(style.fg, 30, out);
    ink(style.bg, 40, out);
    out.push(b'm');
}

/// Ends all styles.
pub fn reset(out: &mut Vec<u8>) {
    out.extend_from_slice(RESET);
}

/// `base` is 30 for the foreground, 40 for the background. Writing to memory cannot fail.
fn ink(ink: Ink, base: u8, out: &mut Vec<u8>) {
    let _written = match ink {
        Ink::Default => Ok(()),
        Ink::Indexed(n @ 0..=7) => write!(out, ";{}", base + n),
        Ink::Indexed(n @ 8..=15) => write!(out, ";{}", base + 52 + n),
        Ink::Indexed(n) => write!(out, ";{};5;{n}", base + 8),
        Ink::Rgb(r, g, b) => write!(out, ";{};2;{r};{g};{b}", base + 8),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(params: &str) -> TextStyle {
        let mut pen = Pen::default();
        pen.apply(params);
        pen.style()
    }

    fn fg(fg: Ink) -> TextStyle {
        TextStyle {
            fg,
            ..TextStyle::default()
        }
    }

    fn attrs(bits: u8) -> TextStyle {
        TextStyle {
            attrs: Attrs(bits),
            ..TextStyle::default()
        }
    }

    #[test]
    fn colours_are_read_in_all_their_forms() {
        for (params, want) in [
            ("31", Ink::Indexed(1)),
            ("97", Ink::Indexed(15)),
            ("38;5;208", Ink::Indexed(208)),
            ("38:5:208", Ink::Indexed(208)),
            ("38;2;1;2;3", Ink::Rgb(1, 2, 3)),
            ("38:2:1:2:3", Ink::Rgb(1, 2, 3)),
            ("38:2::1:2:3", Ink::Rgb(1, 2, 3)),
            ("38:2:0:1:2:3:9:9", Ink::Rgb(1, 2, 3)),
            ("38;5;256", Ink::Default),
            ("38;2;1;2", Ink::Default),
            ("38;9;31", Ink::Default),
            ("31;39", Ink::Default),
            ("38;5;99999999999999;31", Ink::Indexed(1)),
            ("58;5;1;32", Ink::Indexed(2)),
            ("58:2::1:2:3;32", Ink::Indexed(2)),
        ] {
            assert_eq!(style(params), fg(want), "{params}");
        }
    }

    #[test]
    fn attributes_are_set_and_taken_back() {
        for (params, want) in [
            ("1", Attrs::BOLD),
            ("1;2;3;4;7", 31),
            ("1;2;22", 0),
            ("8", Attrs::DIM),
            ("8;28", 0),
            ("2;8;28", Attrs::DIM),
            ("4:3", Attrs::UNDERLINE),
            ("4;4:0", 0),
            ("5;6", 0),
            ("1;0", 0),
            ("1;", 0),
            ("", 0),
        ] {
            assert_eq!(style(params), attrs(want), "{params}");
        }
    }

    #[test]
    fn ten_thousand_parameters_are_not_followed() {
        assert_eq!(
            style(&format!("{}31", "1;".repeat(10_000))),
            attrs(Attrs::BOLD)
        );
    }

    #[test]
    fn text_in_its_backgrounds_colour_stays_readable() {
        assert_eq!(style("31;41"), fg(Ink::Indexed(1)));
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_style() {
        let inks = [
            Ink::Default,
            Ink::Indexed(3),
            Ink::Indexed(12),
            Ink::Indexed(99),
            Ink::Rgb(7, 8, 9),
        ];
        for fg in inks {
            for bg in inks
                .into_iter()
                .filter(|bg| *bg != fg || *bg == Ink::Default)
            {
                for bits in 0..32 {
                    let want = TextStyle {
                        fg,
                        bg,
                        attrs: Attrs(bits),
                    };
                    let mut out = Vec::new();
                    sgr(want, &mut out);
                    let text = String::from_utf8(out).unwrap();
                    let params = text
                        .strip_prefix("\x1b[")
                        .and_then(|t| t.strip_suffix('m'))
                        .unwrap();
                    assert_eq!(style(params), want, "{params}");
                }
            }
        }
    }
}
