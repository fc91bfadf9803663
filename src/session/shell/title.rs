//! Titles that a server sends: cleaned, cut, and at most two a second (reliability.md 1.3).

use std::time::{Duration, Instant};

use crate::model::shell::ShellUpdate;
use crate::text::{SafeText, width};

const EVERY: Duration = Duration::from_millis(500);
/// In columns.
const LONGEST: usize = 80;
/// Of a title no more bytes are looked at.
const BYTES: usize = 1024;

/// The last title told, and the one that waits.
#[derive(Debug, Default)]
pub(super) struct Titles {
    told: Option<Instant>,
    waiting: Option<Vec<u8>>,
}

impl Titles {
    /// Takes a title; it is told now or at the deadline.
    pub(super) fn take(&mut self, now: Instant, title: &[u8]) -> Option<ShellUpdate> {
        let title = title.get(..BYTES).unwrap_or(title);
        if self.told.is_some_and(|told| now < told + EVERY) {
            self.waiting = Some(title.to_vec());
            return None;
        }
        self.told = Some(now);
        self.waiting = None;
        let title = SafeText::new(title);
        Some(ShellUpdate::Title(
            SafeText::of(width::fit(title.as_str(), LONGEST)).into_owned(),
        ))
    }

    /// When the title that waits is told.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.as_ref()?;
        self.told.map(|told| told + EVERY)
    }

    /// The title that is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<ShellUpdate> {
        if self.deadline().is_none_or(|at| now < at) {
            return None;
        }
        let title = self.waiting.take()?;
        self.take(now, &title)
    }
}
