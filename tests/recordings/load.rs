//! What programs and sequences wrote, as they are kept in this folder: NAME.bytes is the stream,
//! NAME.toml has the size and where in the stream the screen was at rest (`steps`), each with
//! the size that the terminal got there, if it did. Programs were recorded by `record.py`, the
//! rest is written by `sequences.py`.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::path::Path;

use serde::Deserialize;

/// One recording.
#[derive(Debug, Deserialize)]
pub(crate) struct Recording {
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) bytes: Vec<u8>,
    pub(crate) columns: u16,
    pub(crate) rows: u16,
    pub(crate) steps: Vec<Step>,
}

/// A place where the screen was at rest.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Step {
    /// Bytes up to here.
    pub(crate) end: usize,
    /// Then the terminal got this size.
    pub(crate) resize: Option<(u16, u16)>,
}

/// All recordings, by name.
pub(crate) fn all() -> Vec<Recording> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "bytes") {
            continue;
        }
        let text = std::fs::read_to_string(path.with_extension("toml")).unwrap();
        let mut recording: Recording = toml::from_str(&text).unwrap();
        recording.name = path.file_stem().unwrap().to_string_lossy().into_owned();
        recording.bytes = std::fs::read(path).unwrap();
        assert!(
            recording.bytes.len() <= 40 * 1024,
            "{} is small",
            recording.name
        );
        all.push(recording);
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// A piece of the stream, and the size that follows it.
pub(crate) type Piece<'a> = (&'a [u8], Option<(u16, u16)>);

impl Recording {
    /// The stream from step to step.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut from = 0;
        self.steps.iter().map(move |step| {
            let (before, _) = self.bytes.split_at(step.end);
            let (_, piece) = before.split_at(from);
            from = step.end;
            (piece, step.resize)
        })
    }
}
