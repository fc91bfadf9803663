//! What a user can do: each command with its name, its keys, its help and its deed. The help
//! screen, `:` and the README's table are made from these rows.

mod lines;
mod motion;
mod panes;
mod program;
mod shells;

use super::state::App;

/// One command.
#[derive(Debug)]
pub struct Command {
    /// Its name, for `:`.
    pub name: &'static str,
    /// Its keys; each entry one sequence of words.
    pub keys: &'static [&'static str],
    /// What it does, in a few words.
    pub help: &'static str,
    /// The deed.
    pub run: fn(&mut App),
}

/// A heading and its commands.
pub const GROUPS: [(&str, &[Command]); 5] = [
    ("Move", motion::COMMANDS),
    ("Lines", lines::COMMANDS),
    ("Panes", panes::COMMANDS),
    ("Shells", shells::COMMANDS),
    ("Program", program::COMMANDS),
];

/// All commands.
pub fn all() -> impl Iterator<Item = &'static Command> {
    GROUPS.iter().flat_map(|(_, commands)| commands.iter())
}
