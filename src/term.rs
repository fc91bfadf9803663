//! L3: the terminal of a shell tab, without a screen and without a socket: what a container
//! writes becomes a grid of cells, what a user presses becomes bytes.
//!
//! [`screen::Screen`] is the emulator: bytes in, and out come a grid to be painted and what the
//! program asked for ([`screen::Told`]). [`keys`] turns keys, pastes and the mouse into bytes,
//! as the [`modes::Modes`] that the program has set want them. [`record`] writes and reads
//! recordings. None of them reads a clock.

pub mod cell;
pub mod key;
pub mod keys;
pub mod modes;
pub mod record;
pub mod reply;
pub mod screen;

pub use cell::{Cell, CellStyle, Underline, Width};
pub use key::{Code, Key, Phase};
pub use modes::{Modes, Tracking};
pub use screen::{Cursor, Place, Screen, Shape, Size, Told};
