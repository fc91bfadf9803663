//! The local terminal of a raw shell: its size, and its raw mode.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Columns and rows where there is no terminal.
pub(super) const NO_TERMINAL: (u16, u16) = (80, 24);

/// Columns and rows of the terminal, whichever stream it is on.
pub(super) fn size() -> Option<(u16, u16)> {
    let (input, output, errors) = (io::stdin(), io::stdout(), io::stderr());
    [output.as_fd(), input.as_fd(), errors.as_fd()]
        .into_iter()
        .filter_map(|stream| tcgetwinsize(stream).ok())
        .find(|size| size.ws_col > 0 && size.ws_row > 0)
        .map(|size| (size.ws_col, size.ws_row))
}

/// Raw mode of standard input, given back when dropped.
#[derive(Debug)]
pub(super) struct Raw {
    tty: File,
    before: Termios,
}

impl Raw {
    /// Goes raw, if standard input is a terminal.
    pub(super) fn enter() -> io::Result<Option<Self>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let tty = File::from(rustix::io::dup(rustix::stdio::stdin())?);
        let before = tcgetattr(tty.as_fd())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(tty.as_fd(), OptionalActions::Drain, &raw)?;
        Ok(Some(Self { tty, before }))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Without waiting for a terminal that reads nothing.
        let _ = tcsetattr(self.tty.as_fd(), OptionalActions::Now, &self.before);
    }
}
