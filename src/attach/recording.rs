//! Recordings of shells (asciicast v2): written while a shell runs. What is typed is not in
//! them, since it may be a password; what the shell shows of it is.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use tokio::time::Instant;

use crate::clock;
use crate::model::shell::ShellUpdate;
use crate::term::Size;
use crate::term::record::{Header, Recorder};
use crate::text::SafeText;

/// A recording that is being written.
#[derive(Debug)]
pub struct Recording {
    file: File,
    recorder: Recorder,
    begun: Instant,
}

impl Recording {
    /// Begins a recording in a new file.
    pub fn begin(path: &Path, size: (u16, u16), title: &str) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let header = Header {
            size: Size::new(size.0, size.1),
            began: u64::try_from(clock::wall().0 / 1_000_000).ok(),
            title: Some(SafeText::of(title).into_owned()),
            term: Some(SafeText::of("xterm-256color").into_owned()),
            shell: None,
        };
        let mut first = Vec::new();
        let recorder = Recorder::begin(&header, false, &mut first);
        let mut recording = Self {
            file,
            recorder,
            begun: clock::now(),
        };
        recording.file.write_all(&first)?;
        Ok(recording)
    }

    /// What the shell wrote goes into the recording.
    pub fn update(&mut self, update: &ShellUpdate) -> io::Result<()> {
        let ShellUpdate::Output(bytes) = update else {
            return Ok(());
        };
        let mut lines = Vec::with_capacity(bytes.len() + 32);
        self.recorder
            .output(self.begun.elapsed(), bytes, &mut lines);
        self.file.write_all(&lines)
    }

    /// The screen has another size.
    pub fn resize(&mut self, size: (u16, u16)) -> io::Result<()> {
        let mut lines = Vec::new();
        let size = Size::new(size.0, size.1);
        self.recorder.resize(self.begun.elapsed(), size, &mut lines);
        self.file.write_all(&lines)
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<()> {
        let mut lines = Vec::new();
        self.recorder.finish(self.begun.elapsed(), &mut lines);
        self.file.write_all(&lines)
    }
}
