//! The keyboard and the mouse, on a thread of their own, as messages of the program.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::time::Duration;

use crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers, MouseButton,
    MouseEvent, MouseEventKind,
};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

use crate::app::key::{Code, Key, Phase};
use crate::app::msg::Msg;
use crate::term::keys::{Button, Did, Pointer};

/// Keys that wait for the loop; the kernel holds more.
const WAITING: usize = 256;

/// Starts the thread. The channel ends when the terminal is gone.
pub fn start() -> std::io::Result<mpsc::Receiver<Msg>> {
    let tty = terminal()?;
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new()
        .name("input".into())
        .spawn(move || read_loop(&tty, &sender))?;
    Ok(receiver)
}

/// Keys come from standard input, or from /dev/tty when that is a pipe (decision 3).
fn terminal() -> std::io::Result<File> {
    if std::io::stdin().is_terminal() {
        return Ok(File::from(rustix::io::dup(rustix::stdio::stdin())?));
    }
    File::open("/dev/tty")
}

/// Waits in poll(2) without a time limit, so that an idle program sleeps; and asks crossterm
/// only when there is something, since it spins on a terminal that is gone (crossterm #793).
fn read_loop(tty: &File, sender: &mpsc::Sender<Msg>) {
    loop {
        let fd = tty.as_fd();
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
        let ready = fds
            .iter()
            .fold(PollFlags::empty(), |all, fd| all | fd.revents());
        if ready.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
        if !ready.contains(PollFlags::IN) {
            continue;
        }
        while let Ok(true) = event::poll(Duration::ZERO) {
            let Ok(event) = event::read() else { return };
            if let Some(msg) = message(event)
                && sender.blocking_send(msg).is_err()
            {
                return;
            }
        }
    }
}

fn message(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) => Some(Msg::Key(translate(key)?)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Mouse(mouse) => Some(Msg::Mouse(pointer(mouse))),
        Event::Resize(..) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn pointer(mouse: MouseEvent) -> Pointer {
    let button = |button| match button {
        MouseButton::Left => Button::Left,
        MouseButton::Middle => Button::Middle,
        MouseButton::Right => Button::Right,
    };
    let held = |modifiers| mouse.modifiers.intersects(modifiers);
    Pointer {
        did: match mouse.kind {
            MouseEventKind::Down(which) => Did::Press(button(which)),
            MouseEventKind::Up(which) => Did::Release(button(which)),
            MouseEventKind::Drag(which) => Did::Drag(button(which)),
            MouseEventKind::Moved => Did::Move,
            MouseEventKind::ScrollUp => Did::WheelUp,
            MouseEventKind::ScrollDown => Did::WheelDown,
            MouseEventKind::ScrollLeft => Did::WheelLeft,
            MouseEventKind::ScrollRight => Did::WheelRight,
        },
        column: place(mouse.column),
        line: place(mouse.row),
        shift: held(KeyModifiers::SHIFT),
        alt: held(KeyModifiers::ALT),
        ctrl: held(KeyModifiers::CONTROL),
    }
}

/// A column or row of the mouse. Terminals that count from 0 at an edge make crossterm count
/// below it (crossterm #590; see Cargo.toml).
fn place(at: u16) -> u16 {
    if at == u16::MAX { 0 } else { at }
}

fn translate(key: KeyEvent) -> Option<Key> {
    let held = |modifiers| key.modifiers.intersects(modifiers);
    let ctrl = held(KeyModifiers::CONTROL);
    let logo = held(KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META);
    let code = match code(key.code)? {
        Code::Char(c) if ctrl => Code::Char(control(c)),
        Code::Tab if held(KeyModifiers::SHIFT) => Code::BackTab,
        other => other,
    };
    // A character says by itself that Shift was held, unless it was made small above.
    let says_shift = matches!(code, Code::Char(_) if !ctrl && !logo) || code == Code::BackTab;
    Some(Key {
        code,
        ctrl,
        alt: held(KeyModifiers::ALT),
        shift: held(KeyModifiers::SHIFT) && !says_shift,
        logo,
        keypad: key.state.contains(KeyEventState::KEYPAD),
        phase: match key.kind {
            KeyEventKind::Press => Phase::Press,
            KeyEventKind::Repeat => Phase::Repeat,
            KeyEventKind::Release => Phase::Release,
        },
    })
}

fn code(code: KeyCode) -> Option<Code> {
    Some(match code {
        KeyCode::Char(c) => Code::Char(c),
        // Ctrl-Space is told as Ctrl with a space by terminals, as this by Windows.
        KeyCode::Null => Code::Char(' '),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Insert => Code::Insert,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::KeypadBegin => Code::Begin,
        KeyCode::Menu => Code::Menu,
        KeyCode::PrintScreen => Code::Print,
        KeyCode::Pause => Code::Pause,
        KeyCode::F(number) => Code::F(number),
        KeyCode::CapsLock
        | KeyCode::ScrollLock
        | KeyCode::NumLock
        | KeyCode::Media(_)
        | KeyCode::Modifier(_) => return None,
    })
}

/// The character of a Ctrl chord: letters come in either case, and the bytes 1C to 1F, those of
/// Ctrl with `\\ ] ^ _`, come from crossterm as the digits that send the same bytes.
fn control(c: char) -> char {
    match c {
        '4' => '\\',
        '5' => ']',
        '6' => '^',
        '7' => '_',
        other => other.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> String {
        translate(KeyEvent::new(code, modifiers)).map_or("none".into(), |key| key.to_string())
    }

    #[test]
    fn keys_keep_everything_that_was_held() {
        let (none, shift) = (KeyModifiers::NONE, KeyModifiers::SHIFT);
        let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
        for (code, modifiers, want) in [
            (KeyCode::Char('g'), none, "g"),
            (KeyCode::Char('G'), shift, "G"),
            (KeyCode::Char('G'), shift | alt, "Alt-G"),
            (KeyCode::Char('W'), ctrl, "Ctrl-w"),
            (KeyCode::Char('w'), ctrl | shift, "Ctrl-Shift-w"),
            (KeyCode::Char('5'), ctrl, "Ctrl-]"),
            (KeyCode::Char(' '), ctrl, "Ctrl-Space"),
            (KeyCode::Null, ctrl, "Ctrl-Space"),
            (KeyCode::Tab, shift, "Shift-Tab"),
            (KeyCode::BackTab, shift, "Shift-Tab"),
            (KeyCode::Up, shift | alt, "Alt-Shift-↑"),
            (KeyCode::F(5), shift, "Shift-F5"),
            (KeyCode::Insert, none, "Insert"),
            (KeyCode::Char('q'), KeyModifiers::SUPER, "Super-q"),
            (KeyCode::CapsLock, none, "none"),
        ] {
            assert_eq!(key(code, modifiers), want);
        }
    }
}
