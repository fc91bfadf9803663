//! L1: the nouns of the platform, and what a source may tell the program. No protocol, no
//! socket, no clock, no terminal.

pub mod alert;
pub mod batch;
pub mod catalog;
pub mod context;
pub mod fault;
pub mod ident;
pub mod level;
pub mod metric;
pub mod recipe;
pub mod sample;
pub mod shell;
pub mod update;
pub mod usage;
pub mod way;
pub mod words;

pub use batch::{LineBatch, LineRow, RawBatch, RawRow, RowFlags, RowHead};
pub use fault::{Cause, Fault, FaultKind};
pub use ident::{Micros, PaneId, SourceName, TargetId};
pub use level::Level;
pub use update::{Certainty, EndReason, FeedUpdate, LinkState, Mark};
