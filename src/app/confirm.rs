//! Questions that are asked before something is done. Only `y` is a yes: a key that was meant
//! for a shell must not be one.

use crate::model::{PaneId, words};
use crate::say;

/// What is done after a yes.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Close a pane whose shell runs.
    Close(PaneId),
    /// Open a new shell in place of the one that runs.
    Reopen(PaneId),
    /// Leave the program while shells run.
    Quit,
    /// Paste into a shell.
    Paste(PaneId, String),
    /// Type into all of these at once.
    Together(Vec<PaneId>),
    /// Let a shell set the clipboard, now and later.
    Clipboard(PaneId, String),
}

/// A question.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// The question itself.
    pub question: String,
    /// What it is about, line by line.
    pub lines: Vec<String>,
    /// What follows.
    pub deed: Deed,
}

/// Lines of a question at most.
const LINES: usize = 12;
/// Characters of a line at most.
const COLUMNS: usize = 200;

/// The beginning of a line, and how much more there is.
fn beginning(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(COLUMNS) else {
        return line.to_owned();
    };
    let (start, rest) = line.split_at_checked(end).unwrap_or((line, ""));
    let more = words::count(rest.chars().count() as u64);
    say!(
        "{start}… (+{more} characters)",
        "{start}……（还有 {more} 个字符）"
    )
}

impl Confirm {
    /// A question with the beginning of what it is about.
    pub fn new(question: impl Into<String>, about: &[String], deed: Deed) -> Self {
        let mut lines: Vec<String> = about.iter().take(LINES).cloned().collect();
        if about.len() > LINES {
            lines.push(say!("… and {} more", "……还有 {} 行", about.len() - LINES));
        }
        Self {
            question: question.into(),
            lines,
            deed,
        }
    }

    /// The same with a text that may have any length.
    pub fn about_text(question: impl Into<String>, text: &str, deed: Deed) -> Self {
        let lines = || text.split(['\n', '\r']).filter(|line| !line.is_empty());
        let shown = lines().take(LINES);
        let mut about: Vec<String> = shown.map(beginning).collect();
        let more = lines().count().saturating_sub(LINES);
        if more > 0 {
            about.push(say!(
                "… and {} more",
                "……还有 {} 行",
                words::count(more as u64)
            ));
        }
        Self {
            question: question.into(),
            lines: about,
            deed,
        }
    }
}
