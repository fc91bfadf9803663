//! Everything that can happen.

use std::sync::Arc;
use std::time::Instant;

use crate::codec::target::Target;
use crate::model::alert::Alert;
use crate::model::context::Context;
use crate::model::sample::Reading;
use crate::model::shell::ShellUpdate;
use crate::model::way::Way;
use crate::model::{Fault, FeedUpdate, Micros, PaneId, TargetId};
use crate::store::LineId;

use crate::term::keys::Pointer;

use super::chart::{Ask, Recipe};
use super::key::Key;
use super::keymap::Keymap;
use super::tree::{Answer, Question};

/// What time it is, handed in.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For rates and for notices that go.
    pub mono: Instant,
    /// For showing.
    pub wall: Micros,
}

/// Which of a pane's two scans an answer belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanFor {
    /// Which lines are shown.
    Filter,
    /// Which lines are hits.
    Search,
}

/// What the configuration says, read anew.
#[derive(Clone, Debug)]
pub struct Configured {
    /// What keys mean.
    pub keymap: Keymap,
    /// The platforms.
    pub contexts: Vec<Arc<Context>>,
    /// The current one.
    pub context: Option<Arc<Context>>,
    /// How targets are reached that are no names.
    pub way: Arc<Way>,
    /// What is measured of a component.
    pub recipes: Vec<Recipe>,
    /// What is to be told.
    pub alerts: Vec<Alert>,
    /// The theme's name, where it says one.
    pub theme: Option<String>,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Msg {
    /// A source says something.
    Feed(TargetId, FeedUpdate),
    /// A shell's source says something.
    Shell(PaneId, ShellUpdate),
    /// A shell is recorded to a file of this name, or no longer.
    Recording(PaneId, Option<String>),
    /// A shell does not take so many bytes of input: too much waits already.
    ShellBusy(PaneId, usize),
    /// A platform answers.
    Explored(Question, Result<Answer, Fault>),
    /// A platform measured.
    Measured(Box<Ask>, Result<Reading, Fault>),
    /// What a target's name means, or why it means nothing.
    LookedUp(TargetId, Result<Vec<Target>, Fault>),
    /// The configuration has changed, or can't be read.
    Configured(Result<Box<Configured>, Fault>),
    /// What `doctor` found of a target, of this name; for the pane that asked.
    Examined(PaneId, String, Vec<String>),
    /// A key.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse, anywhere on the screen.
    Mouse(Pointer),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The time of [`super::App::wake_at`] is reached.
    Tick,
    /// A part of a scan is done.
    Scanned {
        /// The pane.
        pane: PaneId,
        /// Which scan.
        scan: ScanFor,
        /// Of which question.
        generation: u64,
        /// The first row of the part.
        first: LineId,
        /// The rows that match.
        rows: Vec<u16>,
    },
    /// Something that was asked for is done, or is not; to be told.
    Told(String),
    /// Something that was asked for failed.
    Failed(String),
    /// A theme was loaded.
    Themed(String),
}
