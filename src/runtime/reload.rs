//! The configuration while the interface runs: its files are looked at from time to time, and
//! read anew when one has changed. What is wrong with them is told, and what was before stays.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use crate::app::keymap::Keymap;
use crate::app::msg::{Configured, Msg};
use crate::cli::config::{self, Paths};
use crate::cli::env::Env;
use crate::model::Fault;
use crate::model::recipe::Recipe;

use super::setup::Setup;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// A file as it was last seen.
type Seen = (PathBuf, Option<(SystemTime, u64)>);

/// The user's keys; the usual ones where there is no file.
pub(super) fn keymap(path: &Path) -> Result<Keymap, Fault> {
    match config::text_of(path)? {
        Some(text) => Keymap::parse(path, &text),
        None => Ok(Keymap::default()),
    }
}

/// Looks at the files until the interface ends.
pub(super) async fn watch(setup: watch::Sender<Setup>, answers: mpsc::Sender<Msg>) {
    let paths = setup.borrow().paths.clone();
    let Some(mut before) = aside(paths.clone(), look).await else {
        return;
    };
    loop {
        sleep(LOOK).await;
        let Some(now) = aside(paths.clone(), look).await else {
            return;
        };
        if now == before {
            continue;
        }
        before = now;
        let old = setup.borrow().clone();
        let Some(read) = aside(old, read).await else {
            return;
        };
        let answer = read.map(|(fresh, configured)| {
            setup.send_replace(fresh);
            Box::new(configured)
        });
        if answers.send(Msg::Configured(answer)).await.is_err() {
            return;
        }
    }
}

/// Does what may take long: a disk that does not answer holds up nothing else. None if it
/// panicked.
async fn aside<A, T>(with: A, work: fn(&A) -> T) -> Option<T>
where
    A: Send + 'static,
    T: Send + 'static,
{
    spawn_blocking(move || work(&with)).await.ok()
}

fn read(old: &Setup) -> Result<(Setup, Configured), Fault> {
    let mut fresh = Setup::load(&old.args, &Env::read())?;
    fresh.remembers = old.remembers;
    let configured = Configured {
        keymap: keymap(&fresh.paths.keys())?,
        contexts: fresh.contexts.every(),
        context: fresh.contexts.current.clone(),
        way: std::sync::Arc::clone(&fresh.contexts.way),
        recipes: Recipe::all(&fresh.config.charts),
        alerts: fresh.config.alerts.clone(),
        theme: fresh.config.theme.as_ref().map(|theme| theme.value.clone()),
    };
    Ok((fresh, configured))
}

fn look(paths: &Paths) -> Vec<Seen> {
    let mut files = vec![paths.config.clone(), paths.keys()];
    if let Ok(entries) = std::fs::read_dir(paths.contexts()) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let meta = std::fs::metadata(&path).ok();
            let seen = meta.and_then(|meta| Some((meta.modified().ok()?, meta.len())));
            (path, seen)
        })
        .collect()
}
