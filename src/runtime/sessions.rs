//! The files of what was open: the last one, and those that have names.

use std::path::PathBuf;

use crate::app::session::Saved;
use crate::cli::config::{Paths, write};
use crate::model::{Fault, FaultKind, words};
use crate::say;

/// What was open last.
pub(super) fn last(paths: &Paths) -> PathBuf {
    paths.state.join("session.json")
}

/// What was saved under a name.
pub(super) fn view(paths: &Paths, name: &str) -> PathBuf {
    paths.data.join("layouts").join(format!("{name}.json"))
}

/// Writes one.
pub(super) fn save(path: &std::path::Path, saved: &Saved) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(saved).unwrap_or_default();
    write::save(path, &(text + "\n"))
}

/// Reads one; none if there is none.
pub(super) fn load(path: &std::path::Path) -> Result<Option<Saved>, Fault> {
    let bad = |why: String| {
        let what = path.display().to_string();
        let next = say!("remove the file", "请删除该文件");
        Fault::new(FaultKind::Usage, what, why, next)
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let error = words::io_error(&error);
            return Err(bad(say!(
                "it can't be read ({error})",
                "无法读取（{error}）"
            )));
        }
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        bad(say!(
            "it is no saved view ({error})",
            "不是已保存的视图（{error}）"
        ))
    })
}
