//! Modes: set, reset, reported.

use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{Handler, NamedMode, NamedPrivateMode};

use crate::term::modes::{Modes, Tracking};
use crate::term::reply::Setting;

use super::machine::Machine;

impl Machine {
    /// What the program has asked of keys and mouse.
    pub(super) fn modes(&self) -> Modes {
        let mouse = if self.has(TermMode::MOUSE_MOTION) {
            Tracking::Moves
        } else if self.has(TermMode::MOUSE_DRAG) {
            Tracking::Drags
        } else if self.has(TermMode::MOUSE_REPORT_CLICK) {
            Tracking::Clicks
        } else {
            Tracking::Off
        };
        Modes {
            app_cursor: self.has(TermMode::APP_CURSOR),
            app_keypad: self.has(TermMode::APP_KEYPAD),
            newline: self.has(TermMode::LINE_FEED_NEW_LINE),
            bracketed_paste: self.has(TermMode::BRACKETED_PASTE),
            mouse,
            sgr_mouse: self.has(TermMode::SGR_MOUSE),
            focus: self.has(TermMode::FOCUS_IN_OUT),
            alt_screen: self.has(TermMode::ALT_SCREEN),
            alternate_scroll: self.has(TermMode::ALTERNATE_SCROLL),
            kitty: self.kitty.flags(),
        }
    }

    /// SM and RM.
    pub(super) fn set_mode(&mut self, mode: u16, on: bool) {
        let mode = match mode {
            4 => NamedMode::Insert,
            20 => NamedMode::LineFeedNewLine,
            _ => return,
        };
        if on {
            self.term.set_mode(mode.into());
        } else {
            self.term.unset_mode(mode.into());
        }
    }

    /// DECSET and DECRST.
    pub(super) fn set_private_mode(&mut self, mode: u16, on: bool) {
        match mode {
            3 => self.switch_columns(),
            6 => {
                self.set_origin(on);
                self.goto(0, 0);
            }
            47 | 1047 | 1049 => self.show_alternate(on, mode == 1049),
            1048 if on => self.save_cursor(),
            1048 => self.restore_cursor(),
            2026 if on => self.update_began = !self.nested,
            _ => self.set_private_mode_quietly(mode, on),
        }
    }

    /// Those that move nothing.
    pub(super) fn set_private_mode_quietly(&mut self, mode: u16, on: bool) {
        if mode == 6 {
            return self.set_origin(on);
        }
        let Some((name, _)) = quiet(mode) else {
            return;
        };
        if on {
            self.term.set_private_mode(name.into());
        } else {
            self.term.unset_private_mode(name.into());
        }
    }

    /// DECCOLM: no column is gained, but the screen is cleared.
    fn switch_columns(&mut self) {
        self.set_region(1, None);
        self.goto(0, 0);
        self.term
            .set_private_mode(NamedPrivateMode::ColumnMode.into());
    }

    /// The alternate screen. `1049` gives the main screen's cursor back, the older modes
    /// leave the cursor where it was.
    fn show_alternate(&mut self, on: bool, keeps_cursor: bool) {
        if on == self.has(TermMode::ALT_SCREEN) {
            // As in xterm; dialog leaves a screen that it never entered.
            if !on && keeps_cursor {
                self.restore_cursor();
            }
            return;
        }
        let point = self.term.grid().cursor.point;
        if on {
            self.rows.enter_alternate(self.term.grid_mut());
            let [main, alternate] = &mut self.saved_origin;
            *alternate = *main;
        }
        self.term.swap_alt();
        self.kitty.swap();
        if !on {
            self.rows.leave_alternate(self.term.grid_mut());
        }
        if !keeps_cursor {
            let cursor = &mut self.term.grid_mut().cursor;
            cursor.point = point;
            cursor.input_needs_wrap = false;
        }
    }

    /// DECRQM for the standard's modes.
    pub(super) fn report_mode(&mut self, mode: u16) {
        let setting = match mode {
            4 => self.has(TermMode::INSERT).into(),
            20 => self.has(TermMode::LINE_FEED_NEW_LINE).into(),
            _ => Setting::Unknown,
        };
        self.replies.mode(mode, false, setting);
    }

    /// DECRQM for DEC's and later modes.
    pub(super) fn report_private_mode(&mut self, mode: u16) {
        let setting = match mode {
            6 => self.has(TermMode::ORIGIN).into(),
            12 => self.term.cursor_style().blinking.into(),
            47 | 1047 | 1049 => self.has(TermMode::ALT_SCREEN).into(),
            2026 => self.nested.into(),
            _ => quiet(mode).map_or(Setting::Unknown, |(_, flag)| self.has(flag).into()),
        };
        self.replies.mode(mode, true, setting);
    }
}

/// Modes that are one bit of the library's state.
fn quiet(mode: u16) -> Option<(NamedPrivateMode, TermMode)> {
    Some(match mode {
        1 => (NamedPrivateMode::CursorKeys, TermMode::APP_CURSOR),
        7 => (NamedPrivateMode::LineWrap, TermMode::LINE_WRAP),
        12 => (NamedPrivateMode::BlinkingCursor, TermMode::NONE),
        25 => (NamedPrivateMode::ShowCursor, TermMode::SHOW_CURSOR),
        1000 => (
            NamedPrivateMode::ReportMouseClicks,
            TermMode::MOUSE_REPORT_CLICK,
        ),
        1002 => (
            NamedPrivateMode::ReportCellMouseMotion,
            TermMode::MOUSE_DRAG,
        ),
        1003 => (
            NamedPrivateMode::ReportAllMouseMotion,
            TermMode::MOUSE_MOTION,
        ),
        1004 => (NamedPrivateMode::ReportFocusInOut, TermMode::FOCUS_IN_OUT),
        1006 => (NamedPrivateMode::SgrMouse, TermMode::SGR_MOUSE),
        1007 => (
            NamedPrivateMode::AlternateScroll,
            TermMode::ALTERNATE_SCROLL,
        ),
        2004 => (NamedPrivateMode::BracketedPaste, TermMode::BRACKETED_PASTE),
        _ => return None,
    })
}
