//! What a program has asked of its terminal, as far as it changes what keys and the mouse send.

/// Which movements of the mouse a program wants to hear of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Tracking {
    /// None.
    #[default]
    Off,
    /// Presses and releases (mode 1000).
    Clicks,
    /// And movements with a button held (mode 1002).
    Drags,
    /// And all movements (mode 1003).
    Moves,
}

/// The modes of one screen. [`Modes::default`] is a terminal that was just switched on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Modes {
    /// Arrows, Home and End send SS3 (DECCKM).
    pub app_cursor: bool,
    /// The keypad sends SS3 (DECKPAM).
    pub app_keypad: bool,
    /// Enter sends CR LF (LNM).
    pub newline: bool,
    /// Pastes are bracketed (mode 2004).
    pub bracketed_paste: bool,
    /// What the mouse reports.
    pub mouse: Tracking,
    /// Mouse reports have the SGR form (mode 1006), else that of X10.
    pub sgr_mouse: bool,
    /// Focus is reported (mode 1004).
    pub focus: bool,
    /// The alternate screen is shown; it has no history.
    pub alt_screen: bool,
    /// On the alternate screen the wheel sends arrows (mode 1007).
    pub alternate_scroll: bool,
    /// Progressive flags of the kitty keyboard protocol, see [`kitty`].
    pub kitty: u8,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            app_cursor: false,
            app_keypad: false,
            newline: false,
            bracketed_paste: false,
            mouse: Tracking::Off,
            sgr_mouse: false,
            focus: false,
            alt_screen: false,
            alternate_scroll: true,
            kitty: 0,
        }
    }
}

impl Modes {
    /// Whether a flag of [`kitty`] is set.
    pub fn has(&self, flag: u8) -> bool {
        self.kitty & flag != 0
    }
}

/// The progressive flags of the kitty keyboard protocol
/// (<https://sw.kovidgoyal.net/kitty/keyboard-protocol/>).
pub mod kitty {
    /// Keys that legacy bytes can't tell apart have sequences of their own.
    pub const DISAMBIGUATE: u8 = 1;
    /// Repeats and releases are told.
    pub const EVENTS: u8 = 2;
    /// The shifted form of a key is told beside it.
    pub const ALTERNATES: u8 = 4;
    /// Every key is a sequence, letters too.
    pub const ALL_KEYS: u8 = 8;
    /// And the text that it makes stands in it.
    pub const TEXT: u8 = 16;
    /// All flags that exist.
    pub const ALL: u8 = 31;
}
