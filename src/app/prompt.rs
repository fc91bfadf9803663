//! The line that is typed at the bottom: search, filters, commands, names.

use crate::text::width;
use crate::word;

use super::key::{Code, Key};

/// What the typed line is for. Tab turns the first four into each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// Search in the pane.
    Search,
    /// A layer that shows only what matches.
    Include,
    /// A layer that hides what matches.
    Exclude,
    /// A layer that marks what matches.
    Highlight,
    /// A command by its name.
    Command,
    /// A target for a new pane.
    Open,
    /// A target for this pane.
    Add,
    /// A file to save to.
    Save,
    /// A shell for a new pane.
    Shell,
    /// A password: typed unseen, never remembered.
    Password,
    /// A file to record to.
    Record,
}

impl Purpose {
    /// What stands before the typed text.
    pub fn label(self) -> &'static str {
        match self {
            Self::Search => word!("search", "搜索"),
            Self::Include => word!("only", "只看"),
            Self::Exclude => word!("hide", "隐藏"),
            Self::Highlight => word!("mark", "标记"),
            Self::Command => ":",
            Self::Open => word!("open", "打开"),
            Self::Add => word!("add", "添加"),
            Self::Save => word!("save to", "保存到"),
            Self::Shell => word!("shell", "终端"),
            Self::Password => word!("password", "密码"),
            Self::Record => word!("record to", "录制到"),
        }
    }

    /// Whether the text is a pattern.
    pub fn is_pattern(self) -> bool {
        matches!(
            self,
            Self::Search | Self::Include | Self::Exclude | Self::Highlight
        )
    }

    fn turned(self) -> Self {
        match self {
            Self::Search => Self::Include,
            Self::Include => Self::Exclude,
            Self::Exclude => Self::Highlight,
            Self::Highlight => Self::Search,
            Self::Command
            | Self::Open
            | Self::Add
            | Self::Save
            | Self::Shell
            | Self::Password
            | Self::Record => self,
        }
    }
}

/// What became of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    /// The text or the cursor may have changed.
    Edited,
    /// Enter.
    Accept,
    /// Esc, or backspace in an empty line.
    Cancel,
}

/// A line being typed, with the keys of readline.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// Patterns are taken as they stand.
    pub literal: bool,
    /// What it is about, behind the label.
    pub note: Option<String>,
    /// Why what was typed was not taken.
    pub fault: Option<String>,
    text: String,
    cursor: usize,
    history: Vec<String>,
    back: usize,
}

impl Prompt {
    /// An empty line, or one that begins with `text`.
    pub fn new(purpose: Purpose, text: &str, history: &[String]) -> Self {
        let history = history.to_vec();
        Self {
            purpose,
            literal: false,
            note: None,
            fault: None,
            text: text.to_owned(),
            cursor: text.len(),
            back: history.len(),
            history,
        }
    }

    /// What is typed so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Cells before the cursor.
    pub fn column(&self) -> usize {
        width::cells(self.text.get(..self.cursor).unwrap_or(""))
    }

    /// Takes a key.
    pub fn key(&mut self, key: Key) -> Typed {
        self.fault = None;
        let c = match key.code {
            Code::Char(c) => Some(c),
            _ => None,
        };
        match (key.ctrl, key.alt, key.code) {
            (_, _, Code::Enter) => return Typed::Accept,
            (_, _, Code::Esc) | (true, _, Code::Char('c' | 'g')) => return Typed::Cancel,
            (_, _, Code::Backspace) | (true, _, Code::Char('h')) if self.text.is_empty() => {
                return Typed::Cancel;
            }
            (_, _, Code::Tab) => self.purpose = self.purpose.turned(),
            (_, true, Code::Char('r')) => self.literal = !self.literal,
            (_, _, Code::Left) | (true, _, Code::Char('b')) => self.cursor = self.before(),
            (_, _, Code::Right) | (true, _, Code::Char('f')) => self.cursor = self.after(),
            (_, _, Code::Home) | (true, _, Code::Char('a')) => self.cursor = 0,
            (_, _, Code::End) | (true, _, Code::Char('e')) => self.cursor = self.text.len(),
            (_, true, Code::Char('b')) => self.cursor = self.word_before(),
            (_, true, Code::Char('f')) => self.cursor = self.word_after(),
            (_, true, Code::Char('d')) => self.cut(self.cursor, self.word_after()),
            (_, true, Code::Backspace) | (true, _, Code::Char('w')) => {
                self.cut(self.word_before(), self.cursor);
            }
            (_, _, Code::Backspace) | (true, _, Code::Char('h')) => {
                self.cut(self.before(), self.cursor);
            }
            (_, _, Code::Delete) | (true, _, Code::Char('d')) => {
                self.cut(self.cursor, self.after());
            }
            (true, _, Code::Char('u')) => self.cut(0, self.cursor),
            (true, _, Code::Char('k')) => self.cut(self.cursor, self.text.len()),
            (_, _, Code::Up) | (true, _, Code::Char('p')) => self.recall(self.back.checked_sub(1)),
            (_, _, Code::Down) | (true, _, Code::Char('n')) => self.recall(Some(self.back + 1)),
            (false, false, Code::Char(_)) => self.insert(&c.map(String::from).unwrap_or_default()),
            _ => {}
        }
        Typed::Edited
    }

    /// Puts text at the cursor; of several lines the first.
    pub fn insert(&mut self, text: &str) {
        let line = text.lines().next().unwrap_or("");
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        self.text.insert_str(self.cursor, &line);
        self.cursor += line.len();
    }

    fn recall(&mut self, at: Option<usize>) {
        let Some(at) = at.filter(|at| *at <= self.history.len()) else {
            return;
        };
        self.back = at;
        self.text = self.history.get(at).cloned().unwrap_or_default();
        self.cursor = self.text.len();
    }

    fn cut(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.cursor = from;
    }

    fn before(&self) -> usize {
        let head = self.text.get(..self.cursor).unwrap_or("");
        width::graphemes(head)
            .last()
            .map_or(0, |grapheme| grapheme.start)
    }

    fn after(&self) -> usize {
        let tail = self.text.get(self.cursor..).unwrap_or("");
        self.cursor
            + width::graphemes(tail)
                .next()
                .map_or(0, |grapheme| grapheme.text.len())
    }

    fn word_before(&self) -> usize {
        let head = self.text.get(..self.cursor).unwrap_or("").trim_end();
        head.rfind(char::is_whitespace).map_or(0, |at| at + 1)
    }

    fn word_after(&self) -> usize {
        let tail = self.text.get(self.cursor..).unwrap_or("");
        let word = tail.len() - tail.trim_start().len();
        let rest = tail.get(word..).unwrap_or("");
        self.cursor + word + rest.find(char::is_whitespace).unwrap_or(rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_as_in_readline() {
        let mut prompt = Prompt::new(Purpose::Search, "", &["old".into(), "older".into()]);
        for c in "订单 error x".chars() {
            prompt.key(Key::char(c));
        }
        assert_eq!((prompt.text(), prompt.column()), ("订单 error x", 12));
        prompt.key(Key::ctrl('w'));
        prompt.key(Key::ctrl('w'));
        assert_eq!(prompt.text(), "订单 ");
        prompt.key(Key::plain(Code::Backspace));
        prompt.key(Key::plain(Code::Backspace));
        prompt.key(Key::ctrl('a'));
        prompt.key(Key::char('!'));
        assert_eq!((prompt.text(), prompt.column()), ("!订", 1));
        prompt.key(Key::ctrl('k'));
        assert_eq!(prompt.text(), "!");
        prompt.key(Key::plain(Code::Up));
        assert_eq!(prompt.text(), "older");
        prompt.key(Key::plain(Code::Up));
        prompt.key(Key::plain(Code::Up));
        assert_eq!(prompt.text(), "old");
        prompt.key(Key::plain(Code::Down));
        prompt.key(Key::plain(Code::Down));
        assert_eq!(prompt.text(), "");
        assert_eq!(prompt.key(Key::plain(Code::Backspace)), Typed::Cancel);
        prompt.insert("a\x1b[b\nc");
        assert_eq!(prompt.text(), "a[b");
    }

    #[test]
    fn tab_turns_what_a_pattern_does() {
        let mut prompt = Prompt::new(Purpose::Search, "", &[]);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(prompt.purpose.label());
            prompt.key(Key::plain(Code::Tab));
        }
        assert_eq!(seen, ["search", "only", "hide", "mark"]);
        assert_eq!(prompt.purpose, Purpose::Search);
    }
}
