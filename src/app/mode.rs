//! What keys mean now. Computed from state, never from what was drawn last.

use crate::store::LineId;

use super::confirm::Confirm;
use super::jump::Jump;
use super::prompt::Prompt;

/// The layer on top.
#[derive(Debug, Default)]
pub enum Mode {
    /// Keys go to the pane.
    #[default]
    Normal,
    /// A line is typed.
    Prompt(Prompt),
    /// A question stands.
    Confirm(Confirm),
    /// The help, scrolled down so many rows.
    Help {
        /// First row.
        top: usize,
    },
    /// One record in full, scrolled down so many rows.
    Record {
        /// Which one.
        line: LineId,
        /// First row.
        top: usize,
    },
    /// Everything about something of a platform, scrolled down so many rows.
    Details {
        /// What it is.
        title: String,
        /// Its lines.
        lines: Vec<String>,
        /// First row.
        top: usize,
    },
    /// Something is looked for by a few of its letters.
    Jump(Jump),
    /// The panel of filter layers.
    Layers {
        /// The chosen one.
        chosen: usize,
    },
}
