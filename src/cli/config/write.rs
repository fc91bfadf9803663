//! Changing the files: a context's own file is written whole, of `config.toml` only the line of
//! the current context is touched.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::model::{Fault, FaultKind, words};
use crate::say;

use super::{Config, files};

/// A value of a context's file.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// A switch.
    Switch(bool),
    /// Words.
    List(Vec<String>),
}

/// The text of a context's file.
pub fn context(values: &[(&str, Value)], targets: &[(String, String)]) -> String {
    let mut table = toml::Table::new();
    for (key, value) in values {
        let value = match value {
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Switch(on) => toml::Value::Boolean(*on),
            Value::List(list) => {
                toml::Value::Array(list.iter().cloned().map(toml::Value::String).collect())
            }
        };
        table.insert((*key).to_owned(), value);
    }
    if !targets.is_empty() {
        let targets = targets
            .iter()
            .map(|(path, url)| (path.clone(), toml::Value::String(url.clone())))
            .collect();
        table.insert("targets".into(), toml::Value::Table(targets));
    }
    // A table of texts and switches can be written.
    toml::to_string(&table).unwrap_or_default()
}

/// Writes a file that only we can read: a new one takes the old one's place.
pub fn save(path: &Path, text: &str) -> Result<(), Fault> {
    let unwritable = |error: std::io::Error| {
        let error = words::io_error(&error);
        let why = say!("it can't be written ({error})", "无法写入（{error}）");
        let next = say!("check the directory", "请检查目录");
        Fault::new(FaultKind::Output, path.display().to_string(), why, next)
    };
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(unwritable)?;
    }
    let fresh = path.with_extension("toml.new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        drop(fs::remove_file(&fresh));
    }
    written.map_err(unwritable)
}

/// Makes `name` the current context: the line `context = …` of `config.toml`, nothing else.
pub fn make_current(path: &Path, name: &str) -> Result<(), Fault> {
    let before = files::read(path)?.unwrap_or_default();
    let after = with_current(&before, name);
    // What we are about to write is read once more.
    Config::parse(path, &after)?;
    save(path, &after)
}

fn with_current(text: &str, name: &str) -> String {
    let line = format!("context = {name:?}");
    let mut out = String::with_capacity(text.len() + line.len() + 1);
    let (mut inside, mut done) = (false, false);
    for old in text.lines() {
        inside |= old.trim_start().starts_with('[');
        let key = old.split('=').next().unwrap_or("").trim();
        if !inside && key == "context" {
            out.push_str(&line);
            done = true;
        } else {
            out.push_str(old);
        }
        out.push('\n');
    }
    if done { out } else { format!("{line}\n{out}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_context_is_one_line_and_all_else_stays() {
        for (before, after) in [
            ("", "context = \"b\"\n"),
            (
                "context = \"a\" # mine\nlang = \"en\"\n",
                "context = \"b\"\nlang = \"en\"\n",
            ),
            (
                "# top\nlang = \"en\"\n\n[contexts.a]\nserver = \"x\"\n",
                "context = \"b\"\n# top\nlang = \"en\"\n\n[contexts.a]\nserver = \"x\"\n",
            ),
        ] {
            assert_eq!(with_current(before, "b"), after);
        }
    }
}
