//! The mouse, as far as a program has asked for it (xterm's ctlseqs, "Mouse Tracking").

use std::io::Write;

use crate::term::key::{Code, Key};
use crate::term::modes::{Modes, Tracking};

/// A button.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Button {
    /// The left one.
    Left,
    /// The middle one.
    Middle,
    /// The right one.
    Right,
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Did {
    /// A button went down.
    Press(Button),
    /// A button went up.
    Release(Button),
    /// The mouse was moved, with a button held.
    Drag(Button),
    /// The mouse was moved.
    Move,
    /// The wheel was turned up.
    WheelUp,
    /// The wheel was turned down.
    WheelDown,
    /// The wheel was turned to the left.
    WheelLeft,
    /// The wheel was turned to the right.
    WheelRight,
}

/// Something that the mouse did inside the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pointer {
    /// What.
    pub did: Did,
    /// In which column of the screen, from 0.
    pub column: u16,
    /// In which line, from 0.
    pub line: u16,
    /// With Shift.
    pub shift: bool,
    /// With Alt.
    pub alt: bool,
    /// With Ctrl.
    pub ctrl: bool,
}

/// Appends what the mouse sends; false if the program did not ask for it.
pub fn mouse(pointer: &Pointer, modes: &Modes, out: &mut Vec<u8>) -> bool {
    let asked = match pointer.did {
        Did::Move => modes.mouse == Tracking::Moves,
        Did::Drag(_) => matches!(modes.mouse, Tracking::Drags | Tracking::Moves),
        _ => modes.mouse != Tracking::Off,
    };
    if !asked {
        return false;
    }
    let released = matches!(pointer.did, Did::Release(_));
    let button = button(pointer.did, modes.sgr_mouse)
        + 4 * u8::from(pointer.shift)
        + 8 * u8::from(pointer.alt)
        + 16 * u8::from(pointer.ctrl);
    let (column, line) = (
        pointer.column.saturating_add(1),
        pointer.line.saturating_add(1),
    );
    if modes.sgr_mouse {
        let end = if released { 'm' } else { 'M' };
        // Writing to memory cannot fail.
        let _written = write!(out, "\x1b[<{button};{column};{line}{end}");
        return true;
    }
    // One byte each: what lies farther out can't be said.
    let place = |at: u16| u8::try_from(at.saturating_add(32)).ok();
    if let (Some(column), Some(line)) = (place(column), place(line)) {
        out.extend_from_slice(&[0x1b, b'[', b'M', button + 32, column, line]);
    }
    true
}

/// Appends what a turn of the wheel by `lines` sends to a program on the alternate screen that
/// does not track the mouse: arrows (mode 1007). False if it gets none.
pub fn wheel(up: bool, lines: u16, modes: &Modes, out: &mut Vec<u8>) -> bool {
    if !modes.alt_screen || !modes.alternate_scroll || modes.mouse != Tracking::Off {
        return false;
    }
    let key = Key::plain(if up { Code::Up } else { Code::Down });
    for _ in 0..lines {
        super::encode(&key, modes, out);
    }
    true
}

fn button(did: Did, sgr: bool) -> u8 {
    let number = |button| match button {
        Button::Left => 0,
        Button::Middle => 1,
        Button::Right => 2,
    };
    match did {
        // X10's form does not say which.
        Did::Release(_) if !sgr => 3,
        Did::Press(button) | Did::Release(button) => number(button),
        Did::Drag(button) => 32 + number(button),
        Did::Move => 35,
        Did::WheelUp => 64,
        Did::WheelDown => 65,
        Did::WheelLeft => 66,
        Did::WheelRight => 67,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(did: Did, column: u16, tracking: Tracking, sgr: bool) -> String {
        let modes = Modes {
            mouse: tracking,
            sgr_mouse: sgr,
            ..Modes::default()
        };
        let pointer = Pointer {
            did,
            column,
            line: 1,
            shift: false,
            alt: false,
            ctrl: false,
        };
        let mut out = Vec::new();
        let asked = mouse(&pointer, &modes, &mut out);
        assert!(asked || out.is_empty());
        out.escape_ascii().to_string()
    }

    #[test]
    fn the_mouse_sends_what_was_asked_for() {
        let (press, release) = (Did::Press(Button::Left), Did::Release(Button::Right));
        let drag = Did::Drag(Button::Middle);
        for (did, tracking, sgr, want) in [
            (press, Tracking::Off, true, ""),
            (press, Tracking::Clicks, true, r"\x1b[<0;1;2M"),
            (release, Tracking::Clicks, true, r"\x1b[<2;1;2m"),
            (press, Tracking::Clicks, false, r#"\x1b[M !\""#),
            (release, Tracking::Clicks, false, r#"\x1b[M#!\""#),
            (drag, Tracking::Clicks, true, ""),
            (drag, Tracking::Drags, true, r"\x1b[<33;1;2M"),
            (Did::Move, Tracking::Drags, true, ""),
            (Did::Move, Tracking::Moves, true, r"\x1b[<35;1;2M"),
            (Did::WheelUp, Tracking::Clicks, true, r"\x1b[<64;1;2M"),
            (Did::WheelDown, Tracking::Clicks, false, r#"\x1b[Ma!\""#),
        ] {
            assert_eq!(sent(did, 0, tracking, sgr), want, "{did:?} {tracking:?}");
        }
        assert_eq!(sent(press, 300, Tracking::Clicks, false), "");
        let far = sent(press, 300, Tracking::Clicks, true);
        assert_eq!(far, r"\x1b[<0;301;2M");
    }

    #[test]
    fn the_wheel_moves_through_programs_that_do_not_track_it() {
        let pager = Modes {
            alt_screen: true,
            app_cursor: true,
            ..Modes::default()
        };
        let mut out = Vec::new();
        assert!(wheel(true, 2, &pager, &mut out));
        assert_eq!(out, b"\x1bOA\x1bOA");
        assert!(!wheel(true, 2, &Modes::default(), &mut out));
    }
}
