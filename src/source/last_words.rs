//! The end of a stream whose pod or event is gone: what it still says is read, for a bounded
//! time.

use std::time::Duration;

use tokio::time::Instant;

/// More is not waited for after so long without a word…
const QUIET: Duration = Duration::from_secs(5);
/// …and a stream that never falls silent is left after so long.
const LONGEST: Duration = Duration::from_secs(60);

/// When such a stream is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastWords {
    quiet: Instant,
    longest: Instant,
}

impl LastWords {
    /// It is gone now.
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            quiet: now + QUIET,
            longest: now + LONGEST,
        }
    }

    /// Something came at `came` and was taken by `now`: while a reader waits, no time passes.
    pub(super) fn heard(&mut self, came: Instant, now: Instant) {
        self.longest += now.saturating_duration_since(came);
        self.quiet = now + QUIET;
    }

    /// When the next look is due.
    pub(super) fn deadline(&self) -> Instant {
        self.quiet.min(self.longest)
    }

    /// It has been silent for long enough; what is ready is read before.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now >= self.quiet
    }

    /// It goes on for too long, and is cut.
    pub(super) fn is_cut(&self, now: Instant) -> bool {
        now >= self.longest
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
mod tests {
    use super::*;

    #[test]
    fn silence_ends_them_and_so_does_too_much_but_no_slow_reader() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut last = LastWords::begin(start);
        assert_eq!(last.deadline(), at(5));
        assert!(!last.is_silent(at(4)) && last.is_silent(at(5)) && !last.is_cut(at(5)));
        // Taken after 100 s.
        last.heard(at(4), at(104));
        assert!(!last.is_silent(at(108)) && !last.is_cut(at(108)) && last.is_silent(at(109)));
        for second in 105..160 {
            last.heard(at(second), at(second));
        }
        assert!(!last.is_cut(at(159)) && last.is_cut(at(160)));
        assert_eq!(last.deadline(), at(160));
    }
}
