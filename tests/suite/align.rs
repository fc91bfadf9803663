//! The alignment of replays (reliability.md 0, 2.5; section 8, rows 1 to 5).

mod oracle;
mod rules;
mod runs;

/// What a server sends of its history.
const HISTORY: usize = 1000;
