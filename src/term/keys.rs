//! What a user does, as the bytes that a program in the container reads: what xterm sends
//! (ctlseqs, "PC-Style Function Keys"), or the kitty protocol where the program asked for it.

mod kitty;
mod legacy;
mod mouse;
mod paste;

pub use mouse::{Button, Did, Pointer, mouse, wheel};
pub use paste::{Doubt, doubt, paste};

use super::key::{Code, Key};
use super::modes::Modes;

/// Appends what `key` sends; nothing if it sends nothing, such as the release of a key to a
/// program that did not ask for releases.
pub fn encode(key: &Key, modes: &Modes, out: &mut Vec<u8>) {
    if modes.kitty == 0 {
        legacy::encode(key, modes, out);
    } else {
        kitty::encode(key, modes, out);
    }
}

/// Appends what the coming or going of the focus sends (mode 1004).
pub fn focus(gained: bool, modes: &Modes, out: &mut Vec<u8>) {
    if modes.focus {
        out.extend_from_slice(if gained { b"\x1b[I" } else { b"\x1b[O" });
    }
}

/// How a key that is no character is written: `CSI number ; modifiers end`.
#[derive(Clone, Copy)]
struct Form {
    number: u16,
    end: u8,
}

/// The form of a key that has one of its own.
fn form(code: Code) -> Option<Form> {
    let letter = |end| Some(Form { number: 1, end });
    let tilde = |number| Some(Form { number, end: b'~' });
    match code {
        Code::Up => letter(b'A'),
        Code::Down => letter(b'B'),
        Code::Right => letter(b'C'),
        Code::Left => letter(b'D'),
        Code::Begin => letter(b'E'),
        Code::End => letter(b'F'),
        Code::Home => letter(b'H'),
        Code::F(1) => letter(b'P'),
        Code::F(2) => letter(b'Q'),
        Code::F(3) => letter(b'R'),
        Code::F(4) => letter(b'S'),
        Code::Insert => tilde(2),
        Code::Delete => tilde(3),
        Code::PageUp => tilde(5),
        Code::PageDown => tilde(6),
        Code::Menu => tilde(29),
        Code::F(number) => tilde(function(number)?),
        Code::Print
        | Code::Pause
        | Code::Char(_)
        | Code::Enter
        | Code::Esc
        | Code::Tab
        | Code::BackTab
        | Code::Backspace => None,
    }
}

/// The numbers of F5 to F20, with the gaps that they have had since the VT220.
fn function(number: u8) -> Option<u16> {
    Some(match number {
        5 => 15,
        6..=10 => u16::from(number) + 11,
        11..=14 => u16::from(number) + 12,
        15 | 16 => u16::from(number) + 13,
        17..=20 => u16::from(number) + 14,
        _ => return None,
    })
}

/// The modifiers as xterm and kitty number them: 1 and a bit for each.
fn modifiers(shift: bool, key: &Key) -> u8 {
    1 + u8::from(shift) + 2 * u8::from(key.alt) + 4 * u8::from(key.ctrl) + 8 * u8::from(key.logo)
}

fn push_char(c: char, out: &mut Vec<u8>) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
