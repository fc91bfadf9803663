//! Headless mode: lines to standard output, states to standard error, an exit code at the end
//! (experience.md D3).

pub mod alerts;
mod conditions;
pub mod exit;
pub mod hold;
mod leave;
pub mod printer;
pub mod run;
pub mod sink;
pub mod tee;
mod words;

pub use run::{Heard, run};
pub use words::Stderr;
