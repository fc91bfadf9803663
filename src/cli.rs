//! The command line: [`args`] is what was typed, [`plan`] what is meant by it, checked and
//! without anything left to guess. The environment is read here and nowhere else.

pub mod args;
pub mod chinese;
pub mod config;
pub mod contexts;
pub mod env;
mod help_zh;
pub mod language;
pub mod plan;
pub mod platform_args;
pub mod units;

pub use args::Args;
pub use plan::Plan;
