// What programs and sequences wrote, as they are kept in this folder: NAME.bytes is the stream,
// NAME.toml has the size and where in the stream the screen was at rest (`steps`), each with
// the size that the terminal got there, if it did.

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

impl Recording {
    /// The pieces of the stream, each with the size that follows it.
    pub(crate) fn pieces(&self) -> Vec<(&[u8], Option<(u16, u16)>)> {
        let mut from = 0;
        let mut pieces = Vec::new();
        for step in &self.steps {
            pieces.push((self.bytes.get(from..step.end).unwrap(), step.resize));
            from = step.end;
        }
        pieces
    }
}
