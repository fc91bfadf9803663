//! Keys as the program names them, free of any terminal library.

use std::fmt;

/// A key without modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Code {
    /// A character; Shift is in the character itself.
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
    /// A function key.
    F(u8),
}

/// A key press.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

impl Key {
    /// A key without modifiers.
    pub fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
        }
    }

    /// A character without modifiers.
    pub fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with Ctrl.
    pub fn ctrl(c: char) -> Self {
        Self {
            code: Code::Char(c),
            ctrl: true,
            alt: false,
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
        Some(Self { code, ctrl, alt })
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
        match self.code {
            Code::Char(' ') => f.write_str("Space"),
            Code::Char(c) => write!(f, "{c}"),
            Code::Enter => f.write_str("Enter"),
            Code::Esc => f.write_str("Esc"),
            Code::Tab => f.write_str("Tab"),
            Code::BackTab => f.write_str("Shift-Tab"),
            Code::Backspace => f.write_str("Backspace"),
            Code::Delete => f.write_str("Delete"),
            Code::Up => f.write_str("↑"),
            Code::Down => f.write_str("↓"),
            Code::Left => f.write_str("←"),
            Code::Right => f.write_str("→"),
            Code::Home => f.write_str("Home"),
            Code::End => f.write_str("End"),
            Code::PageUp => f.write_str("PgUp"),
            Code::PageDown => f.write_str("PgDn"),
            Code::F(number) => write!(f, "F{number}"),
        }
    }
}
