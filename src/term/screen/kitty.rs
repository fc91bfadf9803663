//! The stacks of flags of the kitty keyboard protocol, one for each screen.

use crate::term::modes::kitty;

/// Entries of a stack; the oldest goes when there are more.
const DEPTH: usize = 16;

/// Both stacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Stacks {
    allowed: bool,
    shown: Vec<u8>,
    other: Vec<u8>,
}

impl Stacks {
    /// Lets programs use the protocol, or no more.
    pub(super) fn allow(&mut self, allowed: bool) {
        *self = Self {
            allowed,
            ..Self::default()
        };
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The flags that hold.
    pub(super) fn flags(&self) -> u8 {
        self.shown.last().copied().unwrap_or(0)
    }

    /// The other screen is shown.
    pub(super) fn swap(&mut self) {
        std::mem::swap(&mut self.shown, &mut self.other);
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.allow(self.allowed);
    }

    /// `CSI > flags u`.
    pub(super) fn push(&mut self, flags: u16) {
        if !self.allowed {
            return;
        }
        if self.shown.len() >= DEPTH {
            self.shown.remove(0);
        }
        self.shown.push(known(flags));
    }

    /// `CSI < count u`.
    pub(super) fn pop(&mut self, count: u16) {
        let left = self.shown.len().saturating_sub(usize::from(count));
        self.shown.truncate(left);
    }

    /// `CSI = flags ; how u`: 1 replaces, 2 adds, 3 takes away.
    pub(super) fn set(&mut self, flags: u16, how: u16) {
        let (old, new) = (self.flags(), known(flags));
        let next = match how {
            2 => old | new,
            3 => old & !new,
            _ => new,
        };
        if self.shown.pop().is_some() || self.allowed {
            self.push(u16::from(next));
        }
    }
}

fn known(flags: u16) -> u8 {
    u8::try_from(flags & u16::from(kitty::ALL)).unwrap_or(0)
}
