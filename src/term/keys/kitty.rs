//! Keys in the kitty keyboard protocol, for programs that switched it on
//! (<https://sw.kovidgoyal.net/kitty/keyboard-protocol/>).

use std::io::Write;

use crate::term::key::{Code, Key, Phase};
use crate::term::modes::{Modes, kitty};

use super::{form, modifiers, push_char};

/// One key, ready to be written: `CSI number : shifted ; modifiers : phase ; text end`.
struct Event {
    number: u32,
    shifted: Option<u32>,
    modifiers: u8,
    phase: Phase,
    text: Option<char>,
    end: u8,
}

pub(super) fn encode(key: &Key, modes: &Modes, out: &mut Vec<u8>) {
    if key.phase == Phase::Release && !modes.has(kitty::EVENTS) {
        return;
    }
    match key.code {
        Code::Char(c) => character(key, c, modes, out),
        Code::Enter => control(key, 13, b'\r', modes, out),
        Code::Tab => control(key, 9, b'\t', modes, out),
        Code::Backspace => control(key, 127, 0x7f, modes, out),
        Code::BackTab => {
            let tab = Key {
                code: Code::Tab,
                shift: true,
                ..*key
            };
            control(&tab, 9, b'\t', modes, out);
        }
        Code::Esc if modes.has(kitty::DISAMBIGUATE | kitty::ALL_KEYS) => {
            write(key, modes, 27, out);
        }
        Code::Esc => out.push(0x1b),
        Code::Print => write(key, modes, 57361, out),
        Code::Pause => write(key, modes, 57362, out),
        Code::Menu => write(key, modes, 57363, out),
        // CSI R would be a cursor's position.
        Code::F(3) => other(key, modes, 13, b'~', out),
        Code::F(number @ 13..=35) => write(key, modes, 57363 + u32::from(number), out),
        code => {
            if let Some(form) = form(code) {
                other(key, modes, u32::from(form.number), form.end, out);
            }
        }
    }
}

/// A character is sent as itself unless a modifier or a flag makes it a key.
fn character(key: &Key, c: char, modes: &Modes, out: &mut Vec<u8>) {
    let plain = !key.ctrl && !key.alt && !key.logo;
    let all = modes.has(kitty::ALL_KEYS);
    if plain && !all && key.phase != Phase::Release {
        return push_char(c, out);
    }
    if !all && !modes.has(kitty::DISAMBIGUATE) {
        let key = Key {
            keypad: false,
            ..*key
        };
        return super::legacy::encode(&key, modes, out);
    }
    let mut small = c.to_lowercase();
    let base = match (small.next(), small.next()) {
        (Some(base), None) => base,
        _ => c,
    };
    let capital = base != c;
    let shift = key.shift || capital;
    let number = match keypad(key, c) {
        Some(number) => number,
        None => u32::from(base),
    };
    let shifted = capital && modes.has(kitty::ALTERNATES);
    let texts = modes.has(kitty::TEXT) && all && plain && key.phase != Phase::Release;
    Event {
        number,
        shifted: shifted.then_some(u32::from(c)),
        modifiers: modifiers(shift, key),
        phase: key.phase,
        text: texts.then_some(c),
        end: b'u',
    }
    .write(modes, out);
}

/// Enter, Tab and Backspace stay what they were, so that a shell can be used after a program
/// that left the protocol on; and they have no releases.
fn control(key: &Key, number: u32, legacy: u8, modes: &Modes, out: &mut Vec<u8>) {
    let plain = modifiers(key.shift, key) == 1;
    let all = modes.has(kitty::ALL_KEYS);
    if !all && key.phase == Phase::Release {
        return;
    }
    if plain && !all {
        return out.push(legacy);
    }
    if !all && !modes.has(kitty::DISAMBIGUATE) {
        return super::legacy::encode(key, modes, out);
    }
    let number = if key.keypad && key.code == Code::Enter {
        57414
    } else {
        number
    };
    write(key, modes, number, out);
}

fn write(key: &Key, modes: &Modes, number: u32, out: &mut Vec<u8>) {
    other(key, modes, number, b'u', out);
}

fn other(key: &Key, modes: &Modes, number: u32, end: u8, out: &mut Vec<u8>) {
    Event {
        number,
        shifted: None,
        modifiers: modifiers(key.shift, key),
        phase: key.phase,
        text: None,
        end,
    }
    .write(modes, out);
}

/// Keys of the keypad have numbers of their own.
fn keypad(key: &Key, c: char) -> Option<u32> {
    if !key.keypad {
        return None;
    }
    Some(match c {
        '0'..='9' => 57399 + (u32::from(c) - u32::from('0')),
        '.' => 57409,
        '/' => 57410,
        '*' => 57411,
        '-' => 57412,
        '+' => 57413,
        '=' => 57415,
        ',' => 57416,
        _ => return None,
    })
}

impl Event {
    fn write(&self, modes: &Modes, out: &mut Vec<u8>) {
        let phase = match self.phase {
            Phase::Repeat if modes.has(kitty::EVENTS) => Some(2),
            Phase::Release if modes.has(kitty::EVENTS) => Some(3),
            Phase::Press | Phase::Repeat | Phase::Release => None,
        };
        let bare = self.modifiers == 1 && phase.is_none() && self.text.is_none();
        out.extend_from_slice(b"\x1b[");
        // Writing to memory cannot fail.
        if !(bare && self.number == 1) {
            let _written = write!(out, "{}", self.number);
        }
        if let Some(shifted) = self.shifted {
            let _written = write!(out, ":{shifted}");
        }
        if self.modifiers != 1 || phase.is_some() {
            let _written = write!(out, ";{}", self.modifiers);
        } else if self.text.is_some() {
            out.push(b';');
        }
        if let Some(phase) = phase {
            let _written = write!(out, ":{phase}");
        }
        if let Some(text) = self.text {
            let _written = write!(out, ";{}", u32::from(text));
        }
        out.push(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(words: &str, flags: u8, change: impl Fn(&mut Key)) -> String {
        let modes = Modes {
            kitty: flags,
            ..Modes::default()
        };
        let mut key = Key::parse(words).unwrap();
        change(&mut key);
        let mut out = Vec::new();
        encode(&key, &modes, &mut out);
        out.escape_ascii().to_string()
    }

    /// Values of the protocol's document.
    #[test]
    fn flags_turn_keys_into_sequences() {
        let (one, all, text) = (1, 8, 24);
        for (words, flags, want) in [
            ("a", one, "a"),
            ("A", one, "A"),
            ("esc", one, r"\x1b[27u"),
            ("enter", one, r"\r"),
            ("tab", one, r"\t"),
            ("backspace", one, r"\x7f"),
            ("backtab", one, r"\x1b[9;2u"),
            ("ctrl-a", one, r"\x1b[97;5u"),
            ("ctrl-i", one, r"\x1b[105;5u"),
            ("alt-a", one, r"\x1b[97;3u"),
            ("alt-A", one, r"\x1b[97;4u"),
            ("ctrl-enter", one, r"\x1b[13;5u"),
            ("up", one, r"\x1b[A"),
            ("ctrl-up", one, r"\x1b[1;5A"),
            ("f1", one, r"\x1b[P"),
            ("f3", one, r"\x1b[13~"),
            ("f5", one, r"\x1b[15~"),
            ("f13", one, r"\x1b[57376u"),
            ("insert", one, r"\x1b[2~"),
            ("a", all, r"\x1b[97u"),
            ("A", all, r"\x1b[97;2u"),
            ("A", all | 4, r"\x1b[97:65;2u"),
            ("enter", all, r"\x1b[13u"),
            ("a", text, r"\x1b[97;;97u"),
            ("A", text, r"\x1b[97;2;65u"),
            ("ctrl-a", 4, r"\x01"),
        ] {
            assert_eq!(sent(words, flags, |_| {}), want, "{words} {flags}");
        }
    }

    #[test]
    fn repeats_and_releases_are_told_when_asked_for() {
        let release = |key: &mut Key| key.phase = Phase::Release;
        let repeat = |key: &mut Key| key.phase = Phase::Repeat;
        assert_eq!(sent("up", 1, release), "");
        assert_eq!(sent("up", 3, release), r"\x1b[1;1:3A");
        assert_eq!(sent("up", 3, repeat), r"\x1b[1;1:2A");
        assert_eq!(sent("a", 3, repeat), "a");
        assert_eq!(sent("a", 3, release), r"\x1b[97;1:3u");
        assert_eq!(sent("enter", 3, release), "");
        assert_eq!(sent("enter", 11, release), r"\x1b[13;1:3u");
        assert_eq!(sent("5", 8, |key| key.keypad = true), r"\x1b[57404u");
    }
}
