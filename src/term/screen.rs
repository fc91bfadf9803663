//! The emulator of a tab: the one place that knows which library it is. Bytes go in, a grid of
//! safe cells and [`Told`] come out. `alacritty_terminal` keeps the grid (reflow, scrollback);
//! what a sequence means and what is answered is decided here, so that every count is clamped
//! and nothing is allowed that is not listed:
//!
//! ```text
//! bytes → feed (UTF-8 made whole, endless strings cut, synchronized updates held)
//!       → vte's parser → machine (print, C0, ESC) → csi · sgr · osc → grid
//! ```
//!
//! Should the library panic, the screen is replaced by an empty one and [`Told::failed`] says
//! so; the program goes on.

mod copy;
mod csi;
mod feed;
mod guard;
mod kitty;
mod machine;
mod modes;
mod motion;
mod osc;
mod perform;
mod rows;
mod search;
mod sgr;

pub use copy::Span;
pub use guard::is_catching;
pub use rows::Row;
pub use search::{Direction, Match};

use crate::text::SafeText;

use super::modes::Modes;
use feed::Feed;
use machine::Machine;

/// A screen's size, within bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    columns: u16,
    rows: u16,
}

impl Size {
    /// Columns at least: a wide character must fit, and below two the library never ends
    /// (performance.md 3).
    pub const MIN_COLUMNS: u16 = 2;
    /// Columns at most. A cell takes 24 bytes, so that a row has 24 KB.
    pub const MAX_COLUMNS: u16 = 1000;
    /// Rows at most.
    pub const MAX_ROWS: u16 = 500;

    /// The nearest size within the bounds.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self {
            columns: columns.clamp(Self::MIN_COLUMNS, Self::MAX_COLUMNS),
            rows: rows.clamp(1, Self::MAX_ROWS),
        }
    }

    /// Columns.
    pub fn columns(self) -> u16 {
        self.columns
    }

    /// Rows.
    pub fn rows(self) -> u16 {
        self.rows
    }
}

/// What a program asked of us with one piece of output, beyond changing its grid.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// To be sent to the program, [`super::reply::MAX`] bytes at most.
    pub replies: Vec<u8>,
    /// The last title that was set, [`Told::TITLE_COLUMNS`] at most; empty to have none.
    pub title: Option<SafeText<'static>>,
    /// The bell was rung.
    pub bell: bool,
    /// The program wants this in the clipboard (OSC 52); [`Told::CLIPBOARD`] bytes at most,
    /// not sanitised. Never done without the user's word.
    pub clipboard: Option<String>,
    /// The emulator failed and has a new, empty screen.
    pub failed: bool,
}

impl Told {
    /// Columns of a title (reliability.md 1.3).
    pub const TITLE_COLUMNS: usize = 80;
    /// Bytes for the clipboard (reliability.md 1.3): what goes to the outer terminal in one
    /// sequence, so that no program of a container makes files here.
    pub const CLIPBOARD: usize = 56_000;
}

/// A place in a screen or its history. Rows are numbered from 0, the first row that the program
/// ever wrote to; a row keeps its number while it scrolls up and through the history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Place {
    /// Its row.
    pub row: u64,
    /// Its column, from 0.
    pub column: usize,
}

/// The form of a cursor (DECSCUSR).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Shape {
    /// A block.
    #[default]
    Block,
    /// A line below.
    Underline,
    /// A line before.
    Beam,
}

/// A cursor that is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Its line of the screen, from 0.
    pub line: u16,
    /// Its column, from 0. After the last column was written it stays there.
    pub column: u16,
    /// How the program wants it.
    pub shape: Shape,
    /// Whether the program wants it to blink.
    pub blinks: bool,
}

/// One terminal: a screen, its alternate, its history.
pub struct Screen {
    machine: Machine,
    feed: Feed,
    size: Size,
    history: usize,
    generation: u64,
}

impl Screen {
    /// Lines of history at most (decision 11 has 5,000 a tab; 5,000 of 200 columns are 25 MB).
    pub const MAX_HISTORY: usize = 100_000;
    /// A history shorter than this is none: fewer lines could scroll by between two looks.
    const MIN_HISTORY: usize = 100;

    /// An empty screen with room for `history` lines that scrolled out; 0 keeps none.
    pub fn new(size: Size, history: usize) -> Self {
        let history = match history {
            0 => 0,
            some => some.clamp(Self::MIN_HISTORY, Self::MAX_HISTORY),
        };
        Self {
            machine: Machine::new(size, history),
            feed: Feed::new(history),
            size,
            history,
            generation: 0,
        }
    }

    /// Follows a piece of the program's output, however it was cut. 4 KiB take 0.03 ms as a
    /// rule, but 30 ms if they are nothing but screens full of E (DECALN): who has other work
    /// to do should look at the clock between pieces of that size (benches/shells).
    pub fn advance(&mut self, bytes: &[u8]) -> Told {
        self.guarded(|screen| screen.feed.take(&mut screen.machine, bytes))
    }

    /// Whether a synchronized update (mode 2026) is open: its bytes are held, 2 MiB at most,
    /// and the grid shows what was before. The caller ends it [`Screen::HOLD`] after this
    /// became true, by [`Screen::release`].
    pub fn is_holding(&self) -> bool {
        self.feed.is_holding()
    }

    /// How long an update may be open.
    pub const HOLD: std::time::Duration = std::time::Duration::from_millis(150);

    /// Ends a synchronized update that the program did not end.
    pub fn release(&mut self) -> Told {
        self.guarded(|screen| screen.feed.release(&mut screen.machine))
    }

    /// Gives the screen another size; lines that were wrapped flow anew, on the main screen.
    /// Rows get other numbers where that happens, [`Screen::first_row`] stays.
    pub fn resize(&mut self, size: Size) -> Told {
        if size == self.size {
            return Told::default();
        }
        self.size = size;
        self.guarded(|screen| screen.machine.resize(size))
    }

    /// Lets programs use the kitty keyboard protocol; only if the terminal that we run in has
    /// it. Off at first.
    pub fn allow_kitty(&mut self, allowed: bool) {
        self.machine.kitty.allow(allowed);
    }

    /// Forgets what a program has asked of the keyboard by the kitty protocol.
    pub fn forget_keys(&mut self) {
        self.allow_kitty(self.machine.kitty.is_allowed());
    }

    /// Whether the theme is a light one, for programs that ask for the colours (OSC 10, 11).
    pub fn set_light(&mut self, light: bool) {
        self.machine.light = light;
    }

    /// The size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What the program has asked of keys and mouse.
    pub fn modes(&self) -> Modes {
        self.machine.modes()
    }

    /// The cursor, if it is shown.
    pub fn cursor(&self) -> Option<Cursor> {
        self.machine.cursor()
    }

    /// Changes with every change of the grid; for telling whether to draw.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Bytes of memory held, about: the cells and what is held back. Marks on characters and
    /// colours of underlines come on top: nothing as a rule, and 4.5 times as much at worst.
    pub fn heap_bytes(&self) -> usize {
        self.machine.heap_bytes() + self.feed.heap_bytes()
    }

    /// Runs something of the library's. After a panic nothing of it is used again.
    fn guarded(&mut self, run: impl FnOnce(&mut Self)) -> Told {
        self.generation = self.generation.wrapping_add(1);
        if guard::catch(|| run(self)) {
            return self.machine.told();
        }
        let next_row = self.machine.rows.top();
        let (kitty, light) = (self.machine.kitty.is_allowed(), self.machine.light);
        self.machine = Machine::new(self.size, self.history);
        self.feed = Feed::new(self.history);
        self.machine.rows.start_at(next_row);
        self.allow_kitty(kitty);
        self.set_light(light);
        Told {
            failed: true,
            ..Told::default()
        }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen")
            .field("size", &self.size)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
