//! Where the files are, and reading them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::{Fault, FaultKind, words};
use crate::say;

use super::{Config, schema};

/// The places of our files: XDG's, on macOS too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paths {
    /// `config.toml` or what `--config` names.
    pub config: PathBuf,
    /// `~/.config/deckwatch`.
    pub folder: PathBuf,
    /// `~/.local/state/deckwatch`: tokens, sessions, what was found out.
    pub state: PathBuf,
    /// `~/.local/share/deckwatch`: named views.
    pub data: PathBuf,
}

impl Paths {
    /// The places under these base directories; `config` is `--config`'s file.
    pub fn under(config: &Path, state: &Path, data: &Path, named: Option<PathBuf>) -> Self {
        let folder = config.join("deckwatch");
        Self {
            config: named.unwrap_or_else(|| folder.join("config.toml")),
            folder,
            state: state.join("deckwatch"),
            data: data.join("deckwatch"),
        }
    }

    /// Where a context added by a command stands.
    pub fn context(&self, name: &str) -> PathBuf {
        self.contexts().join(format!("{name}.toml"))
    }

    /// The directory of contexts.
    pub fn contexts(&self) -> PathBuf {
        self.folder.join("contexts.d")
    }

    /// Where a context's token is stored without a keyring.
    pub fn token(&self, name: &str) -> PathBuf {
        self.state.join("tokens").join(name)
    }

    /// The key bindings.
    pub fn keys(&self) -> PathBuf {
        self.folder.join("keys.toml")
    }

    /// The user's themes.
    pub fn themes(&self) -> PathBuf {
        self.folder.join("themes")
    }
}

/// A file's text; none if it is not there.
pub fn read(path: &Path) -> Result<Option<String>, Fault> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let error = words::io_error(&error);
            let why = say!("it can't be read ({error})", "无法读取（{error}）");
            let next = say!("check the file", "请检查该文件");
            let what = path.display().to_string();
            Err(Fault::new(FaultKind::Usage, what, why, next))
        }
    }
}

pub(super) fn load(paths: &Paths) -> Result<Config, Fault> {
    let mut config = Config::default();
    if let Some(text) = read(&paths.config)? {
        schema::read_main(&paths.config, &text, &mut config)?;
        config.files.push(paths.config.clone());
    }
    let mut files: Vec<PathBuf> = fs::read_dir(paths.contexts())
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    files.sort();
    for path in files {
        if let Some(text) = read(&path)? {
            schema::read_context(&path, &text, &mut config)?;
            config.files.push(path);
        }
    }
    Ok(config)
}
