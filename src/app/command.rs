//! What a user can do: each command with its name, its keys, its help and its deed. The help
//! screen, `:` and the README's table are made from these rows.

mod charts;
mod lines;
mod motion;
mod panes;
mod program;
mod shells;
mod tree;

use crate::lang::{Words, words};

use super::state::App;

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its name, for `:`.
    pub name: &'static str,
    /// Its keys; each entry one sequence of words.
    pub keys: &'static [&'static str],
    /// What it does, in a few words.
    pub help: Words,
    /// The deed.
    pub run: fn(&mut App),
}

/// A heading and its commands.
pub const GROUPS: [(Words, &[Command]); 7] = [
    (words("Tree", "资源树"), tree::COMMANDS),
    (words("Move", "移动"), motion::COMMANDS),
    (words("Lines", "行"), lines::COMMANDS),
    (words("Charts", "图表"), charts::COMMANDS),
    (words("Panes", "窗格"), panes::COMMANDS),
    (SHELLS, shells::COMMANDS),
    (words("Program", "程序"), program::COMMANDS),
];

/// The heading of what is done in shells.
pub const SHELLS: Words = words("Shells", "终端");

/// All commands.
pub fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|(_, commands)| commands.iter())
}
