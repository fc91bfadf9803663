//! The keyboard and the mouse, on a thread of their own, as messages of the program.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::time::Duration;

use crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent,
    MouseEventKind,
};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc;

use crate::app::key::{Code, Key};
use crate::app::msg::{Mouse, Msg};

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
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(Msg::Key(translate(key)?)),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Mouse(mouse) => mouse_message(mouse),
        Event::Key(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn mouse_message(mouse: MouseEvent) -> Option<Msg> {
    let kind = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Mouse::Click,
        MouseEventKind::Drag(MouseButton::Left) => Mouse::Drag,
        MouseEventKind::Up(MouseButton::Left) => Mouse::Release,
        MouseEventKind::ScrollUp => Mouse::WheelUp,
        MouseEventKind::ScrollDown => Mouse::WheelDown,
        _ => return None,
    };
    Some(Msg::Mouse(kind, mouse.column, mouse.row))
}

fn translate(key: KeyEvent) -> Option<Key> {
    let code = match key.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(number) => Code::F(number),
        _ => return None,
    };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let alt = key.modifiers.contains(KeyModifiers::ALT);
    // Terminals send Ctrl with a letter in either case.
    let code = match code {
        Code::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
        other => other,
    };
    Some(Key { code, ctrl, alt })
}
