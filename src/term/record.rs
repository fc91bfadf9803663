//! Recordings of shells in asciinema's format: `asciicast` v2, a JSON line for each event
//! (<https://docs.asciinema.org/manual/asciicast/v2/>). Time is handed in.
//!
//! ```text
//! {"version":2,"width":80,"height":24,"timestamp":1732464000,"env":{"TERM":"xterm-256color"}}
//! [0.248848,"o","$ "]
//! [1.001376,"r","100x30"]
//! ```

mod read;
mod write;

pub use read::{Item, MAX_LINE, Reader, Unreadable};
pub use write::Recorder;

use std::time::Duration;

use crate::text::SafeText;

use super::screen::Size;

/// What stands at the start of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The screen's size at the start.
    pub size: Size,
    /// When it began, in seconds since 1970.
    pub began: Option<u64>,
    /// A title.
    pub title: Option<SafeText<'static>>,
    /// The environment variable TERM.
    pub term: Option<SafeText<'static>>,
    /// The environment variable SHELL.
    pub shell: Option<SafeText<'static>>,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When, since the start.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// The program wrote this. Not sanitised: it is for a [`super::Screen`].
    Output(String),
    /// The user typed this.
    Input(String),
    /// The screen got another size.
    Resize(Size),
    /// The user marked this place.
    Marker(SafeText<'static>),
}
