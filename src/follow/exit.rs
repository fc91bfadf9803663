//! Exit codes beyond those of faults (experience.md D3).

/// It went well.
pub const OK: u8 = 0;
/// `--fail-match`, an event that failed, a match that never came, nothing printed.
pub const NO: u8 = 1;
/// Lost, or a gap or drop with `--strict`.
pub const LOST: u8 = 6;
/// Our own output failed.
pub const OUTPUT: u8 = 74;
/// Time ran out before the match.
pub const TIMEOUT: u8 = 124;
/// Ctrl-C.
pub const INTERRUPTED: u8 = 130;
/// SIGTERM.
pub const TERMINATED: u8 = 143;
/// SIGQUIT.
pub const QUIT: u8 = 131;
/// SIGHUP.
pub const HUNG_UP: u8 = 129;
