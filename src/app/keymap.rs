//! Key sequences to commands. The table is made from the commands themselves.

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

/// Looks a sequence up.
pub fn lookup(keys: &[Key]) -> Found {
    let mut prefix = false;
    for command in command::all() {
        for words in command.keys {
            let sequence = Key::sequence(words);
            if sequence == keys {
                return Found::Command(command);
            }
            prefix |= sequence.starts_with(keys);
        }
    }
    if prefix {
        Found::Prefix
    } else {
        Found::Nothing
    }
}

/// A sequence as it is shown: `Ctrl-w h`.
pub fn shown(words: &str) -> String {
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
    fn names_are_unique() {
        let mut names: Vec<&str> = command::all().map(|command| command.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
