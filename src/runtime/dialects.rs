//! Who was found behind a shell's address, remembered from run to run, so that pages need not be
//! asked for again. A server that turns out to be another is forgotten.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::codec::shell::{DIALECTS, Dialect, Place, ShellSpec};

/// Addresses remembered at most; the file is read at each start.
const MOST: usize = 200;

/// The memory. Paths may hold a server's secret prefix: the file is the user's alone.
#[derive(Debug, Default)]
pub(super) struct Dialects {
    known: BTreeMap<String, String>,
    path: Option<PathBuf>,
}

impl Dialects {
    /// Reads what is remembered in the state directory; nothing if there is none.
    pub(super) fn load() -> Self {
        let dirs = etcetera::base_strategy::Xdg::new().ok();
        let dir = dirs.and_then(|dirs| dirs.state_dir());
        let path = dir.map(|dir| dir.join("deckwatch").join("dialects.json"));
        let known = path
            .as_ref()
            .and_then(|path| std::fs::read(path).ok())
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        Self { known, path }
    }

    /// Who was found there. The platform tells itself at its first message.
    pub(super) fn of(&self, spec: &ShellSpec) -> Option<&'static Dialect> {
        self.known
            .get(&spec.host())
            .and_then(|name| Dialect::named(name))
    }

    /// This server was found there; none forgets what was.
    pub(super) fn found(&mut self, spec: &ShellSpec, server: Option<&str>) {
        if matches!(spec.place, Place::Platform(_)) {
            return;
        }
        let dialect = DIALECTS
            .into_iter()
            .find(|dialect| Some(dialect.server) == server);
        let host = spec.host();
        let before = match dialect {
            Some(dialect) => self.known.insert(host, dialect.name.to_owned()),
            None => self.known.remove(&host),
        };
        if before.as_deref() != dialect.map(|dialect| dialect.name) {
            while self.known.len() > MOST {
                self.known.pop_first();
            }
            // A memory that can't be written costs a request at the next start.
            drop(self.save());
        }
    }

    fn save(&self) -> std::io::Result<()> {
        let Some((path, dir)) = self.path.as_ref().and_then(|p| Some((p, p.parent()?))) else {
            return Ok(());
        };
        std::fs::create_dir_all(dir)?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(&serde_json::to_vec(&self.known)?)?;
        file.persist(path)?;
        Ok(())
    }
}
