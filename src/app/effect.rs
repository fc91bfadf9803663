//! Everything that the program can ask the world for.

use std::path::PathBuf;

use bytes::Bytes;

use crate::codec::target::Target;
use crate::model::{PaneId, TargetId};
use crate::store::ScanJob;
use crate::term::Tracking;
use crate::text::redact::Secret;

use super::chart::Ask;
use super::msg::ScanFor;
use super::session::Saved;
use super::tree::Question;

/// What the terminal that we run in is asked to report, beyond plain keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reports {
    /// How much of the mouse.
    pub mouse: Tracking,
    /// Flags of the kitty keyboard protocol; 0 is none of it.
    pub kitty: u8,
}

/// What a player of a recording may be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Play {
    /// Stop, or go on.
    Pause,
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// Five seconds further at once.
    Skip,
}

/// One wish.
#[derive(Debug)]
pub enum Effect {
    /// Start a target's source.
    Open(TargetId, Target),
    /// Ask a platform something.
    Explore(Question),
    /// Have a platform measure; answered with [`super::msg::Msg::Measured`].
    Measure(Box<Ask>),
    /// A pane of charts is gone.
    StopMeasuring(PaneId),
    /// Stop a target's source; a replay is drained first, unseen.
    Close(TargetId),
    /// Connect now instead of waiting.
    Reconnect(TargetId),
    /// Find out what stands in the way of a target, for the pane that asks; answered with
    /// [`super::msg::Msg::Examined`].
    Examine(PaneId, Box<Target>),
    /// Open a shell for a pane; an earlier one of it goes.
    OpenShell {
        /// The pane.
        pane: PaneId,
        /// What to open.
        target: Target,
        /// User and password.
        login: Option<(String, Secret)>,
        /// Columns and rows.
        size: (u16, u16),
    },
    /// Close a pane's shell.
    CloseShell(PaneId),
    /// Type something into a pane's shell.
    ToShell(PaneId, Bytes),
    /// A pane's shell has so many columns and rows.
    ResizeShell(PaneId, u16, u16),
    /// What was typed into a pane's shell and is not sent yet is not to be sent.
    StopInput(PaneId),
    /// Record what a pane's shell shows.
    Record {
        /// The pane.
        pane: PaneId,
        /// A file, which must not exist.
        path: PathBuf,
        /// Columns and rows.
        size: (u16, u16),
        /// Its title in the recording.
        title: String,
    },
    /// Tell the player of a pane something.
    Play(PaneId, Play),
    /// End a pane's recording.
    StopRecording(PaneId),
    /// Run a scan on other threads.
    Scan(PaneId, ScanFor, ScanJob),
    /// Put text into the clipboard.
    Copy(String),
    /// Write lines to a file, which must not exist.
    Save(PathBuf, String),
    /// Ring the bell of the terminal that we run in.
    Ring,
    /// Have that terminal notify its user.
    Notify(String),
    /// Have the terminal that we run in report so much.
    Report(Reports),
    /// Load a theme by name or path.
    Theme(String),
    /// Keep what is open under a name.
    SaveView(String, Saved),
    /// Stop the process until it is continued.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave.
    Quit,
}
