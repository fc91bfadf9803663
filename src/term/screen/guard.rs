//! Panics of the library end here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside the emulator, so that a panic will be caught: a hook that
/// gives the terminal back must leave it alone then.
pub fn is_catching() -> bool {
    CATCHING.get()
}

/// Whether `run` came to its end. What it had in its hands may be broken if not.
pub(super) fn catch(run: impl FnOnce()) -> bool {
    let outer = CATCHING.replace(true);
    let caught = catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(outer);
    caught.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_and_ends_here() {
        assert!(catch(|| assert!(is_catching())));
        assert!(!catch(|| panic!("on purpose")));
        assert!(!is_catching());
    }
}
