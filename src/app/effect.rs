//! Everything that the program can ask the world for.

use std::path::PathBuf;

use crate::codec::target::Target;
use crate::model::{PaneId, TargetId};
use crate::store::ScanJob;

use super::msg::ScanFor;

/// One wish.
#[derive(Debug)]
pub enum Effect {
    /// Start a target's source.
    Open(TargetId, Target),
    /// Stop a target's source; a replay is drained first, unseen.
    Close(TargetId),
    /// Connect now instead of waiting.
    Reconnect(TargetId),
    /// Run a scan on other threads.
    Scan(PaneId, ScanFor, ScanJob),
    /// Put text into the clipboard.
    Copy(String),
    /// Write lines to a file, which must not exist.
    Save(PathBuf, String),
    /// Switch the mouse.
    Mouse(bool),
    /// Load a theme by name or path.
    Theme(String),
    /// Stop the process until it is continued.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}
