//! Keys as xterm has always sent them. For keys that differ between terminals the table of
//! kitty's document ("Legacy text keys") decides, which most terminals of today follow.

use std::io::Write;

use crate::term::key::{Code, Key, Phase};
use crate::term::modes::Modes;

use super::{Form, form, modifiers, push_char};

pub(super) fn encode(key: &Key, modes: &Modes, out: &mut Vec<u8>) {
    if key.phase == Phase::Release {
        return;
    }
    if key.keypad && modes.app_keypad && keypad(key, out) {
        return;
    }
    match key.code {
        Code::Char(c) => character(key, c, out),
        Code::Enter if modes.newline && !key.alt => out.extend_from_slice(b"\r\n"),
        Code::Enter => byte(key, b'\r', out),
        Code::Esc => byte(key, 0x1b, out),
        Code::Tab if !key.shift => byte(key, b'\t', out),
        Code::Tab | Code::BackTab => back_tab(key, out),
        Code::Backspace if key.ctrl => byte(key, 0x08, out),
        Code::Backspace => byte(key, 0x7f, out),
        // These have no numbers; terminfo's xterm knows them as Shift with F9 to F12.
        Code::F(number @ 21..=24) => {
            let shifted = Key {
                code: Code::F(number - 12),
                shift: true,
                ..*key
            };
            encode(&shifted, modes, out);
        }
        other => {
            if let Some(form) = form(other) {
                sequence(key, form, modes, out);
            }
        }
    }
}

/// A character: Ctrl makes it a control, Alt puts ESC before it.
fn character(key: &Key, c: char, out: &mut Vec<u8>) {
    if key.alt {
        out.push(0x1b);
    }
    match control(c).filter(|_| key.ctrl) {
        Some(control) => out.push(control),
        None => push_char(c, out),
    }
}

/// What Ctrl makes of a character.
fn control(c: char) -> Option<u8> {
    let byte = u8::try_from(c).ok()?;
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => Some(byte & 0x1f),
        b' ' | b'2' | b'@' | b'`' => Some(0),
        b'[' | b'3' | b'{' => Some(0x1b),
        b'\\' | b'4' | b'|' => Some(0x1c),
        b']' | b'5' | b'}' => Some(0x1d),
        b'^' | b'6' | b'~' => Some(0x1e),
        b'_' | b'7' | b'/' => Some(0x1f),
        b'8' | b'?' => Some(0x7f),
        _ => None,
    }
}

fn byte(key: &Key, byte: u8, out: &mut Vec<u8>) {
    if key.alt {
        out.push(0x1b);
    }
    out.push(byte);
}

fn back_tab(key: &Key, out: &mut Vec<u8>) {
    if key.alt {
        out.push(0x1b);
    }
    out.extend_from_slice(b"\x1b[Z");
}

fn sequence(key: &Key, form: Form, modes: &Modes, out: &mut Vec<u8>) {
    let Form { number, end } = form;
    let cursor = matches!(end, b'A'..=b'F' | b'H');
    let modifiers = modifiers(key.shift, key);
    // Writing to memory cannot fail.
    let _written = match (modifiers, end) {
        (1, b'~') => write!(out, "\x1b[{number}~"),
        (1, b'P'..=b'S') => write!(out, "\x1bO{}", char::from(end)),
        (1, _) if cursor && modes.app_cursor => write!(out, "\x1bO{}", char::from(end)),
        (1, _) => write!(out, "\x1b[{}", char::from(end)),
        _ => write!(out, "\x1b[{number};{modifiers}{}", char::from(end)),
    };
}

/// The keypad in its application mode (VT100): SS3 and a letter.
fn keypad(key: &Key, out: &mut Vec<u8>) -> bool {
    let letter = match key.code {
        Code::Char(digit @ '0'..='9') => b'p' + (u8::try_from(digit).unwrap_or(b'0') - b'0'),
        Code::Char('*') => b'j',
        Code::Char('+') => b'k',
        Code::Char(',') => b'l',
        Code::Char('-') => b'm',
        Code::Char('.') => b'n',
        Code::Char('/') => b'o',
        Code::Char('=') => b'X',
        Code::Enter => b'M',
        _ => return false,
    };
    if modifiers(key.shift, key) != 1 {
        return false;
    }
    out.extend_from_slice(&[0x1b, b'O', letter]);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(words: &str, change: impl Fn(&mut Key), modes: &Modes) -> String {
        let mut key = Key::parse(words).unwrap();
        change(&mut key);
        let mut out = Vec::new();
        encode(&key, modes, &mut out);
        out.escape_ascii().to_string()
    }

    /// Values of xterm's ctlseqs and of terminfo's xterm-256color.
    #[expect(clippy::too_many_lines, reason = "a table")]
    #[test]
    fn keys_send_what_xterm_sends() {
        let normal = Modes::default();
        for (words, want) in [
            ("a", "a"),
            ("A", "A"),
            ("é", r"\xc3\xa9"),
            ("字", r"\xe5\xad\x97"),
            ("space", " "),
            ("enter", r"\r"),
            ("tab", r"\t"),
            ("backtab", r"\x1b[Z"),
            ("esc", r"\x1b"),
            ("backspace", r"\x7f"),
            ("ctrl-a", r"\x01"),
            ("ctrl-c", r"\x03"),
            ("ctrl-j", r"\n"),
            ("ctrl-m", r"\r"),
            ("ctrl-z", r"\x1a"),
            ("ctrl-[", r"\x1b"),
            ("ctrl-\\", r"\x1c"),
            ("ctrl-]", r"\x1d"),
            ("ctrl-5", r"\x1d"),
            ("ctrl-^", r"\x1e"),
            ("ctrl-_", r"\x1f"),
            ("ctrl-/", r"\x1f"),
            ("ctrl-?", r"\x7f"),
            ("ctrl-8", r"\x7f"),
            ("ctrl-space", r"\x00"),
            ("ctrl-@", r"\x00"),
            ("ctrl-1", "1"),
            ("ctrl-;", ";"),
            ("alt-a", r"\x1ba"),
            ("alt-A", r"\x1bA"),
            ("alt-é", r"\x1b\xc3\xa9"),
            ("ctrl-alt-a", r"\x1b\x01"),
            ("ctrl-alt-space", r"\x1b\x00"),
            ("alt-enter", r"\x1b\r"),
            ("alt-esc", r"\x1b\x1b"),
            ("alt-tab", r"\x1b\t"),
            ("alt-backtab", r"\x1b\x1b[Z"),
            ("alt-backspace", r"\x1b\x7f"),
            ("ctrl-backspace", r"\x08"),
            ("ctrl-alt-backspace", r"\x1b\x08"),
            ("up", r"\x1b[A"),
            ("down", r"\x1b[B"),
            ("right", r"\x1b[C"),
            ("left", r"\x1b[D"),
            ("home", r"\x1b[H"),
            ("end", r"\x1b[F"),
            ("alt-up", r"\x1b[1;3A"),
            ("ctrl-right", r"\x1b[1;5C"),
            ("ctrl-alt-left", r"\x1b[1;7D"),
            ("insert", r"\x1b[2~"),
            ("delete", r"\x1b[3~"),
            ("pageup", r"\x1b[5~"),
            ("pagedown", r"\x1b[6~"),
            ("ctrl-delete", r"\x1b[3;5~"),
            ("f1", r"\x1bOP"),
            ("f2", r"\x1bOQ"),
            ("f3", r"\x1bOR"),
            ("f4", r"\x1bOS"),
            ("f5", r"\x1b[15~"),
            ("f6", r"\x1b[17~"),
            ("f7", r"\x1b[18~"),
            ("f8", r"\x1b[19~"),
            ("f9", r"\x1b[20~"),
            ("f10", r"\x1b[21~"),
            ("f11", r"\x1b[23~"),
            ("f12", r"\x1b[24~"),
            ("f13", r"\x1b[25~"),
            ("f14", r"\x1b[26~"),
            ("f15", r"\x1b[28~"),
            ("f16", r"\x1b[29~"),
            ("f17", r"\x1b[31~"),
            ("f20", r"\x1b[34~"),
            ("f21", r"\x1b[20;2~"),
            ("f24", r"\x1b[24;2~"),
            ("ctrl-f1", r"\x1b[1;5P"),
            ("ctrl-f5", r"\x1b[15;5~"),
        ] {
            assert_eq!(sent(words, |_| {}, &normal), want, "{words}");
        }
    }

    #[test]
    fn shift_and_super_are_counted_as_modifiers() {
        let normal = Modes::default();
        let shift = |key: &mut Key| key.shift = true;
        for (words, want) in [
            ("up", r"\x1b[1;2A"),
            ("ctrl-up", r"\x1b[1;6A"),
            ("f1", r"\x1b[1;2P"),
            ("f4", r"\x1b[1;2S"),
            ("f5", r"\x1b[15;2~"),
            ("f12", r"\x1b[24;2~"),
            ("pageup", r"\x1b[5;2~"),
            ("insert", r"\x1b[2;2~"),
            ("home", r"\x1b[1;2H"),
            ("enter", r"\r"),
            ("tab", r"\x1b[Z"),
            ("backspace", r"\x7f"),
            ("ctrl-a", r"\x01"),
        ] {
            assert_eq!(sent(words, shift, &normal), want, "{words}");
        }
        assert_eq!(sent("up", |key| key.logo = true, &normal), r"\x1b[1;9A");
    }

    #[test]
    fn modes_change_cursor_keys_keypad_and_enter() {
        let cursor = Modes {
            app_cursor: true,
            ..Modes::default()
        };
        for (words, want) in [
            ("up", r"\x1bOA"),
            ("home", r"\x1bOH"),
            ("end", r"\x1bOF"),
            ("ctrl-up", r"\x1b[1;5A"),
            ("pageup", r"\x1b[5~"),
        ] {
            assert_eq!(sent(words, |_| {}, &cursor), want, "{words}");
        }
        let keypad = Modes {
            app_keypad: true,
            ..Modes::default()
        };
        let on_keypad = |key: &mut Key| key.keypad = true;
        for (words, want) in [
            ("0", r"\x1bOp"),
            ("9", r"\x1bOy"),
            ("enter", r"\x1bOM"),
            ("+", r"\x1bOk"),
            ("up", r"\x1b[A"),
        ] {
            assert_eq!(sent(words, on_keypad, &keypad), want, "{words}");
            let plain = sent(words, |_| {}, &Modes::default());
            assert_eq!(sent(words, on_keypad, &Modes::default()), plain);
        }
        let newline = Modes {
            newline: true,
            ..Modes::default()
        };
        assert_eq!(sent("enter", |_| {}, &newline), r"\r\n");
    }

    #[test]
    fn releases_are_not_sent_and_repeats_are_presses() {
        let normal = Modes::default();
        assert_eq!(sent("a", |key| key.phase = Phase::Release, &normal), "");
        assert_eq!(sent("a", |key| key.phase = Phase::Repeat, &normal), "a");
    }
}
