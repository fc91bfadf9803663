//! L4: everything that is on the screen, as state, and the one function that changes it.
//! No socket, no terminal library (but for rectangles), no clock.

mod alerts;
pub mod areas;
pub mod axis;
pub mod chart;
pub mod command;
pub mod confirm;
pub mod effect;
pub mod fuzzy;
pub mod help;
pub mod jump;
pub mod keymap;
pub mod layout;
pub mod measure;
pub mod mode;
pub mod moment;
pub mod msg;
pub mod overview;
pub mod pane;
pub mod prompt;
pub mod rate;
pub mod record;
pub mod session;
pub mod shell;
pub mod state;
pub mod table;
pub mod tabs;
pub mod ticks;
pub mod tree;
pub mod update;

mod shells;

pub use effect::Effect;
pub use mode::Mode;
pub use msg::{Msg, Now};
pub use state::App;

/// Keys, under the name that they have here.
pub mod key {
    pub use crate::term::key::{Code, Key, Phase};

    /// What tells us, inside a shell, that the next key is for us: the one chord that telnet,
    /// virsh and Xen have, and neither tmux nor screen nor zellij.
    pub const PREFIX: Key = Key::CTRL_BRACKET;
}

pub use key::{Code, Key};
