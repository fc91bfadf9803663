//! The terminal's modes: taken, given back on every way out that can be had (decision 14), and
//! repaired after the others.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use crate::app::effect::Reports;
use crate::term::Tracking;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::term::screen::is_catching;

/// What [`Modes::enter`] switches on: alternate screen, bracketed paste, hidden cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[2J\x1b[H";
/// Undoes all that and whatever else a program of this kind may have left on: synchronized
/// output, kitty keyboard, mouse, focus, paste, colours, cursor, margins, character set,
/// alternate screen (reliability.md 4).
pub const RESTORE: &[u8] = b"\x1b[?2026l\x1b[<u\x1b[=0;1u\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[0 q\x1b[r\x1b(B\x1b[?1049l";
const MOUSE_OFF: &[u8] = b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l";

/// The saved state of the terminal, and the way to it.
#[derive(Debug)]
pub struct Modes {
    tty: File,
    before: Termios,
    reports: Reports,
    inside: bool,
    /// What is to be reported was told to the terminal since it was entered.
    reported: bool,
}

impl Modes {
    /// Opens the terminal and remembers how it is.
    pub fn open() -> io::Result<Self> {
        let tty = tty()?;
        let before = tcgetattr(tty.as_fd())?;
        Ok(Self {
            tty,
            before,
            reports: Reports::default(),
            inside: false,
            reported: false,
        })
    }

    /// Goes raw and onto the alternate screen.
    pub fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        tcsetattr(self.tty.as_fd(), OptionalActions::Flush, &raw)?;
        self.inside = true;
        self.reported = false;
        self.tty.write_all(ENTER)?;
        self.report(self.reports)
    }

    /// Gives the terminal back as it was. Harmless when done twice.
    pub fn leave(&mut self) {
        if std::mem::take(&mut self.inside) {
            give_back(&mut self.tty, &self.before);
        }
    }

    /// Switches what the terminal reports of mouse and keys.
    pub fn report(&mut self, reports: Reports) -> io::Result<()> {
        let mut bytes = Vec::new();
        if reports.mouse != self.reports.mouse || !self.reported {
            let (last, more): (&[u8], &[u8]) = match reports.mouse {
                Tracking::Off => (b"", b""),
                Tracking::Clicks => (b"\x1b[?1000h\x1b[?1006h", b""),
                Tracking::Drags => (b"\x1b[?1000h\x1b[?1006h", b"\x1b[?1002h"),
                Tracking::Moves => (b"\x1b[?1000h\x1b[?1006h", b"\x1b[?1003h"),
            };
            if self.reported {
                bytes.extend_from_slice(MOUSE_OFF);
            }
            bytes.extend_from_slice(last);
            bytes.extend_from_slice(more);
        }
        if reports.kitty != self.reports.kitty || !self.reported && reports.kitty != 0 {
            bytes.extend_from_slice(format!("\x1b[={};1u", reports.kitty).as_bytes());
        }
        self.reports = reports;
        self.reported = true;
        self.tty.write_all(&bytes)
    }

    /// A panic in this thread, the loop's, first gives the terminal back and then tells; in a
    /// source, and in the emulator of a shell tab, it becomes a notice of its pane.
    pub fn restore_on_panic(&self) {
        let Ok(tty) = self.tty.try_clone() else {
            return;
        };
        let before = self.before.clone();
        let own = std::thread::current().id();
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() != own || is_catching() {
                return;
            }
            if let Ok(mut tty) = tty.try_clone() {
                give_back(&mut tty, &before);
            }
            tell(info);
        }));
    }

    /// The terminal itself, for drawing.
    pub fn writer(&self) -> io::Result<File> {
        self.tty.try_clone()
    }

    /// Gives back what needs no writing, from another thread: for a terminal that reads nothing.
    pub fn let_loose(&self) -> io::Result<impl FnOnce() + Send + 'static> {
        let (tty, before) = (self.tty.try_clone()?, self.before.clone());
        Ok(move || {
            let _ = tcsetattr(tty.as_fd(), OptionalActions::Now, &before);
        })
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let size = rustix::termios::tcgetwinsize(self.tty.as_fd());
        size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
    }
}

impl Drop for Modes {
    fn drop(&mut self) {
        self.leave();
    }
}

fn give_back(tty: &mut File, before: &Termios) {
    // Every step is tried: a terminal that is half gone is left as well as it can be.
    drop(tty.write_all(RESTORE));
    let _ = tcsetattr(tty.as_fd(), OptionalActions::Flush, before);
}

fn tty() -> io::Result<File> {
    File::options().read(true).write(true).open("/dev/tty")
}

/// `reset-terminal`: undoes what a program that died without a word may have left.
pub fn repair() -> io::Result<()> {
    let mut tty = tty()?;
    tty.write_all(RESTORE)?;
    let mut modes = tcgetattr(tty.as_fd())?;
    sane(&mut modes);
    tcsetattr(tty.as_fd(), OptionalActions::Flush, &modes)?;
    Ok(())
}

/// What `stty sane` does, as far as a raw mode undoes it; but for BRKINT, which terminals mostly
/// have off.
fn sane(modes: &mut Termios) {
    use rustix::termios::{ControlModes, InputModes, LocalModes, OutputModes, SpecialCodeIndex};
    modes.input_modes |= InputModes::ICRNL | InputModes::IXON;
    modes.output_modes |= OutputModes::OPOST | OutputModes::ONLCR;
    modes.local_modes |= LocalModes::ISIG
        | LocalModes::ICANON
        | LocalModes::IEXTEN
        | LocalModes::ECHO
        | LocalModes::ECHOE
        | LocalModes::ECHOK;
    modes.control_modes |= ControlModes::CREAD;
    modes.special_codes[SpecialCodeIndex::VMIN] = 1;
    modes.special_codes[SpecialCodeIndex::VTIME] = 0;
}
