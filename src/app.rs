//! L4: everything that is on the screen, as state, and the one function that changes it.
//! No socket, no terminal library (but for rectangles), no clock.

pub mod areas;
pub mod command;
pub mod effect;
pub mod help;
pub mod keymap;
pub mod layout;
pub mod mode;
pub mod msg;
pub mod pane;
pub mod prompt;
pub mod rate;
pub mod record;
pub mod state;
pub mod update;

pub use effect::Effect;
pub use mode::Mode;
pub use msg::{Msg, Now};
pub use state::App;

/// Keys, under the name that they have here.
pub mod key {
    pub use crate::term::key::{Code, Key, Phase};
}

pub use key::{Code, Key};
