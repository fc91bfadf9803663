//! The configuration: `config.toml`, a file for each context in `contexts.d`, each value with
//! where it came from (experience.md D3). What a file says wrongly is told with file, line and
//! key.

mod files;
mod schema;
pub mod write;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::lang::Lang;
use crate::model::Fault;
use crate::model::alert::Alert;
use crate::model::recipe::Recipe;

pub use files::{Paths, read as text_of};
pub use schema::{ContextFile, valid_name};

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A file and a line of it, from 1.
    File(PathBuf, usize),
    /// A variable of the environment.
    Env(&'static str),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str(crate::word!("default", "默认")),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => write!(f, "${name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// The flag's value, else the variable's, else what a file said.
    #[must_use]
    pub fn over(self, flag: Option<(&'static str, T)>, env: Option<(&'static str, T)>) -> Self {
        if let Some((name, value)) = flag {
            let origin = Origin::Flag(name);
            return Self { value, origin };
        }
        if let Some((name, value)) = env {
            let origin = Origin::Env(name);
            return Self { value, origin };
        }
        self
    }
}

/// Everything that the files say.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The language of our texts.
    pub lang: Option<Setting<Lang>>,
    /// The theme's name or path.
    pub theme: Option<Setting<String>>,
    /// The mouse.
    pub mouse: Option<Setting<bool>>,
    /// Memory for lines, in bytes.
    pub buffer: Option<Setting<usize>>,
    /// Whether layout and targets come back at the next start.
    pub restore: Option<Setting<bool>>,
    /// The current context's name.
    pub context: Option<Setting<String>>,
    /// The contexts, by name.
    pub contexts: Vec<(String, ContextFile)>,
    /// Charts of one's own, and limits for the platform's.
    pub charts: Vec<Recipe>,
    /// What is to be told.
    pub alerts: Vec<Alert>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Config {
    /// Reads the files of a directory; what is not there says nothing.
    pub fn load(paths: &Paths) -> Result<Self, Fault> {
        files::load(paths)
    }

    /// Reads one text as `config.toml`.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Fault> {
        let mut config = Self::default();
        schema::read_main(path, text, &mut config)?;
        Ok(config)
    }

    /// A context's file by name.
    pub fn find(&self, name: &str) -> Option<&ContextFile> {
        self.contexts
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, file)| file)
    }
}

#[cfg(test)]
mod tests;
