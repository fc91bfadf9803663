//! Key sequences to commands. The table is made from the commands themselves.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use crate::model::{Fault, FaultKind};
use crate::say;

use super::command::{self, Command};
use super::key::Key;

/// What a sequence of keys means.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// A command.
    Command(&'static Command),
    /// The start of longer sequences.
    Prefix,
    /// Nothing.
    Nothing,
}

/// What keys mean: the commands' own, and what the user wrote into keys.toml.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: Vec<(Vec<Key>, &'static Command)>,
    /// The words of those commands whose keys are the user's.
    own: BTreeMap<String, Vec<String>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self::with(BTreeMap::new())
    }
}

impl Keymap {
    fn with(own: BTreeMap<String, Vec<String>>) -> Self {
        let mut bindings = Vec::new();
        for command in command::all() {
            let words = match own.get(command.name) {
                Some(words) => words.iter().map(String::as_str).collect(),
                None => command.keys.to_vec(),
            };
            bindings.extend(words.into_iter().map(|w| (Key::sequence(w), command)));
        }
        Self { bindings, own }
    }

    /// Reads keys.toml: the name of a command, and the sequences that mean it instead of its
    /// own. What is unknown, unreadable or means two things is told with its line.
    ///
    /// ```toml
    /// next-pane = ["tab", "ctrl-w w"]
    /// wrap = []
    /// ```
    pub fn parse(path: &Path, text: &str) -> Result<Self, Fault> {
        let place = |start: usize| 1 + text.get(..start).unwrap_or("").matches('\n').count();
        let bad = |line: usize, what: &str, why: String, next: String| {
            let what = format!("{}:{line}: {what}", path.display());
            Fault::new(FaultKind::Usage, what, why, next)
        };
        let file: BTreeMap<Spanned<String>, Vec<Spanned<String>>> =
            toml::from_str(text).map_err(|error| {
                let line = error.span().map_or(1, |span| place(span.start));
                let message = error.message().replace('\n', " ");
                let next = say!(
                    "write it like wrap = [\"w\"]",
                    "请写成 wrap = [\"w\"] 的形式"
                );
                bad(line, "keys", message, next)
            })?;
        let mut own = BTreeMap::new();
        let mut lines = BTreeMap::new();
        for (name, sequences) in file {
            let line = place(name.span().start);
            let name = name.into_inner();
            if !command::all().any(|command| command.name == name) {
                let why = say!("there is no such command", "没有这个命令");
                let next = say!(
                    "deckwatch config keys lists them",
                    "deckwatch config keys 会列出它们"
                );
                return Err(bad(line, &name, why, next));
            }
            for sequence in &sequences {
                let words = sequence.get_ref();
                if words.is_empty() || Key::sequence(words).len() != words.split(' ').count() {
                    let why = say!("{words:?} is no sequence of keys", "{words:?} 不是按键序列");
                    let next = say!(
                        "write words like j, ctrl-w, f1, tab, with blanks between",
                        "请写 j、ctrl-w、f1、tab 这样的词，以空格分隔"
                    );
                    return Err(bad(place(sequence.span().start), &name, why, next));
                }
            }
            lines.insert(name.clone(), line);
            own.insert(
                name,
                sequences.into_iter().map(Spanned::into_inner).collect(),
            );
        }
        let keymap = Self::with(own);
        if let Some((first, second, keys)) = keymap.clash() {
            let line = lines.get(first).or(lines.get(second)).copied().unwrap_or(1);
            let why = say!(
                "{keys} means {first} and {second}",
                "{keys} 同时表示 {first} 和 {second}"
            );
            let next = say!(
                "give one of them other keys, or none: {second} = []",
                "请给其中之一换键，或留空：{second} = []"
            );
            return Err(bad(line, first, why, next));
        }
        Ok(keymap)
    }

    /// Two commands that one sequence means, or begins.
    fn clash(&self) -> Option<(&'static str, &'static str, String)> {
        for (at, (keys, command)) in self.bindings.iter().enumerate() {
            for (other, second) in self.bindings.iter().skip(at + 1) {
                if keys.starts_with(other) || other.starts_with(keys) {
                    let shorter = if keys.len() < other.len() {
                        keys
                    } else {
                        other
                    };
                    let words: Vec<String> = shorter.iter().map(Key::to_string).collect();
                    return Some((command.name, second.name, words.join(" ")));
                }
            }
        }
        None
    }

    /// Looks a sequence up.
    pub fn lookup(&self, keys: &[Key]) -> Found {
        let mut prefix = false;
        for (sequence, command) in &self.bindings {
            if sequence == keys {
                return Found::Command(command);
            }
            prefix |= sequence.starts_with(keys);
        }
        if prefix {
            Found::Prefix
        } else {
            Found::Nothing
        }
    }

    /// A command's sequences as they are written.
    pub fn words(&self, command: &Command) -> Vec<String> {
        match self.own.get(command.name) {
            Some(words) => words.clone(),
            None => command
                .keys
                .iter()
                .map(|words| (*words).to_owned())
                .collect(),
        }
    }

    /// A command's sequences as they are shown.
    pub fn shown(&self, command: &Command) -> Vec<String> {
        self.words(command)
            .iter()
            .map(|words| shown(words))
            .collect()
    }
}

/// A sequence as it is shown: `Ctrl-w h`.
fn shown(words: &str) -> String {
    Key::sequence(words)
        .iter()
        .map(Key::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_key_is_readable_and_means_one_thing() {
        let mut seen: HashMap<Vec<Key>, &str> = HashMap::new();
        for command in command::all() {
            assert!(!command.name.is_empty());
            assert!(!command.help.en.is_empty() && !command.help.zh.is_empty());
            for words in command.keys {
                let keys = Key::sequence(words);
                assert_eq!(keys.len(), words.split(' ').count(), "{words}");
                assert_eq!(
                    seen.insert(keys.clone(), command.name),
                    None,
                    "{words} of {}",
                    command.name
                );
            }
        }
        for keys in seen.keys() {
            for longer in seen.keys() {
                assert!(
                    keys == longer || !longer.starts_with(keys),
                    "{keys:?} hides {longer:?}"
                );
            }
        }
    }

    #[test]
    fn a_users_keys_take_the_place_of_a_commands_own() {
        let read = |text: &str| Keymap::parse(Path::new("/k/keys.toml"), text);
        let keymap = read("wrap = [\"W\", \"ctrl-x w\"]\nwarnings-too = []\n").unwrap();
        let means = |words: &str| match keymap.lookup(&Key::sequence(words)) {
            Found::Command(command) => command.name,
            Found::Prefix => "…",
            Found::Nothing => "",
        };
        assert_eq!((means("W"), means("ctrl-x w")), ("wrap", "wrap"));
        assert_eq!((means("w"), means("ctrl-x"), means("j")), ("", "…", "down"));
        for (text, want) in [
            (
                "\nnonsense = [\"x\"]",
                "/k/keys.toml:2: nonsense: there is no such command",
            ),
            (
                "wrap = [\"hyper-q-q\"]",
                "/k/keys.toml:1: wrap: \"hyper-q-q\" is no sequence",
            ),
            ("wrap = [\"\"]", "/k/keys.toml:1: wrap: \"\" is no sequence"),
            ("wrap = 7", "/k/keys.toml:1: keys: invalid type"),
            ("wrap = [\"j\"]", "j means down and wrap"),
            ("wrap = [\"ctrl-w\"]", "Ctrl-w means"),
        ] {
            let fault = read(text).unwrap_err().to_string();
            assert!(fault.contains(want), "{text:?}: {fault}");
        }
        assert!(Keymap::default().clash().is_none());
        // What config keys prints is a keys.toml.
        read(&crate::app::help::text(&keymap)).unwrap();
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = command::all().map(|command| command.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
