//! Keys as the program names them, free of any terminal library.

use std::fmt;

/// A key without modifiers. Keys that only modify or lock others do not exist here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Code {
    /// A character; Shift is in the character itself, unless Ctrl made it a small letter.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Insert.
    Insert,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// The middle of the keypad (5) without the number lock.
    Begin,
    /// Menu.
    Menu,
    /// Print.
    Print,
    /// Pause.
    Pause,
    /// A function key, from 1.
    F(u8),
}

/// What was done to a key. Only terminals with the kitty protocol tell more than presses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub enum Phase {
    /// It went down.
    #[default]
    Press,
    /// It is held down.
    Repeat,
    /// It went up.
    Release,
}

/// A key and what was held with it. [`Key::chord`] is what the program's own bindings compare;
/// a shell gets the whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift, where the code does not say it: never for a character without Ctrl or Super.
    pub shift: bool,
    /// With Super (Windows, Command), Hyper or Meta.
    pub logo: bool,
    /// It lies on the keypad.
    pub keypad: bool,
    /// Press, repeat or release.
    pub phase: Phase,
}

impl Key {
    /// Ctrl-].
    pub const CTRL_BRACKET: Self = Self {
        code: Code::Char(']'),
        ctrl: true,
        alt: false,
        shift: false,
        logo: false,
        keypad: false,
        phase: Phase::Press,
    };

    /// A key without modifiers.
    pub fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
            shift: false,
            logo: false,
            keypad: false,
            phase: Phase::Press,
        }
    }

    /// A character without modifiers.
    pub fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with Ctrl.
    pub fn ctrl(c: char) -> Self {
        Self {
            ctrl: true,
            ..Self::char(c)
        }
    }

    /// The key as bindings name it: Shift only where the code itself says it (`G`, `backtab`),
    /// no difference between keypad and keyboard, nor between press and repeat.
    #[must_use]
    pub fn chord(self) -> Self {
        Self {
            shift: false,
            keypad: false,
            phase: Phase::Press,
            ..self
        }
    }

    /// Reads one word of a key sequence: `j`, `G`, `space`, `enter`, `ctrl-w`, `alt-r`, `f1`.
    pub fn parse(word: &str) -> Option<Self> {
        let (ctrl, word) = word
            .strip_prefix("ctrl-")
            .map_or((false, word), |rest| (true, rest));
        let (alt, word) = word
            .strip_prefix("alt-")
            .map_or((false, word), |rest| (true, rest));
        let mut chars = word.chars();
        let code = match (word, chars.next(), chars.next()) {
            (_, Some(c), None) => Code::Char(c),
            ("space", ..) => Code::Char(' '),
            ("enter", ..) => Code::Enter,
            ("esc", ..) => Code::Esc,
            ("tab", ..) => Code::Tab,
            ("backtab", ..) => Code::BackTab,
            ("backspace", ..) => Code::Backspace,
            ("insert", ..) => Code::Insert,
            ("delete", ..) => Code::Delete,
            ("up", ..) => Code::Up,
            ("down", ..) => Code::Down,
            ("left", ..) => Code::Left,
            ("right", ..) => Code::Right,
            ("home", ..) => Code::Home,
            ("end", ..) => Code::End,
            ("pageup", ..) => Code::PageUp,
            ("pagedown", ..) => Code::PageDown,
            (word, Some('f'), Some(_)) => Code::F(word.get(1..)?.parse().ok()?),
            _ => return None,
        };
        Some(Self {
            ctrl,
            alt,
            ..Self::plain(code)
        })
    }

    /// Reads a sequence of words.
    pub fn sequence(words: &str) -> Vec<Self> {
        words.split(' ').filter_map(Self::parse).collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        if self.logo {
            f.write_str("Super-")?;
        }
        if self.shift {
            f.write_str("Shift-")?;
        }
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) => write!(f, "{c}"),
            Code::Enter => f.write_str("Enter"),
            Code::Esc => f.write_str("Esc"),
            Code::Tab => f.write_str("Tab"),
            Code::BackTab => f.write_str("Shift-Tab"),
            Code::Backspace => f.write_str("Backspace"),
            Code::Insert => f.write_str("Insert"),
            Code::Delete => f.write_str("Delete"),
            Code::Up => f.write_str("↑"),
            Code::Down => f.write_str("↓"),
            Code::Left => f.write_str("←"),
            Code::Right => f.write_str("→"),
            Code::Home => f.write_str("Home"),
            Code::End => f.write_str("End"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
            Code::Begin => f.write_str("Begin"),
            Code::Menu => f.write_str("Menu"),
            Code::Print => f.write_str("Print"),
            Code::Pause => f.write_str("Pause"),
            Code::F(number) => write!(f, "F{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_forgets_what_no_binding_names() {
        let up = Key {
            shift: true,
            keypad: true,
            phase: Phase::Repeat,
            ..Key::plain(Code::Up)
        };
        assert_eq!(Some(up.chord()), Key::parse("up"));
        assert_eq!(up.to_string(), "Shift-↑");
        for word in ["G", "backtab", "ctrl-w", "alt-r", "f12", "insert", "ctrl-]"] {
            let key = Key::parse(word).unwrap();
            assert_eq!(key.chord(), key, "{word}");
        }
        let quit = Key {
            logo: true,
            ..Key::char('q')
        };
        assert_ne!(Some(quit.chord()), Key::parse("q"), "Command-q is no q");
    }
}
