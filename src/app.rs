//! L4: everything that is on the screen, as state, and the one function that changes it.
//! No socket, no terminal library (but for rectangles), no clock.

pub mod areas;
pub mod command;
pub mod confirm;
pub mod effect;
pub mod help;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod mode;
pub mod msg;
pub mod pane;
pub mod prompt;
pub mod rate;
pub mod record;
pub mod shell;
pub mod state;
pub mod tabs;
pub mod update;

mod shells;

pub use effect::Effect;
pub use key::{Code, Key};
pub use mode::Mode;
pub use msg::{Msg, Now};
pub use state::App;
