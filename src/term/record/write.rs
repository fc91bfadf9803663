//! Writing a recording.

use std::io::Write;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::term::screen::Size;

use super::Header;

/// Bytes of output in one event at most; JSON takes up to six for each.
const PIECE: usize = 64 << 10;

/// Writes the lines of a recording, which the caller appends to a file. Characters that came in
/// two pieces are held until they are whole; what is no UTF-8 becomes U+FFFD, as in asciinema.
#[derive(Clone, Debug)]
pub struct Recorder {
    output: Vec<u8>,
    input: Vec<u8>,
    with_input: bool,
}

impl Recorder {
    /// Begins a recording: its first line. `with_input` records what is typed too, passwords
    /// included; it is for those who ask for it.
    pub fn begin(header: &Header, with_input: bool, out: &mut Vec<u8>) -> Self {
        let mut fields = Map::new();
        fields.insert("version".into(), 2.into());
        fields.insert("width".into(), header.size.columns().into());
        fields.insert("height".into(), header.size.rows().into());
        if let Some(began) = header.began {
            fields.insert("timestamp".into(), began.into());
        }
        if let Some(title) = &header.title {
            fields.insert("title".into(), title.as_str().into());
        }
        let env: Map<String, Value> = [("TERM", &header.term), ("SHELL", &header.shell)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.into(), value.as_ref()?.as_str().into())))
            .collect();
        if !env.is_empty() {
            fields.insert("env".into(), env.into());
        }
        line(&Value::from(fields), out);
        Self {
            output: Vec::new(),
            input: Vec::new(),
            with_input,
        }
    }

    /// The program wrote `bytes`; more than 64 KiB are several events of one time.
    pub fn output(&mut self, at: Duration, bytes: &[u8], out: &mut Vec<u8>) {
        for piece in bytes.chunks(PIECE) {
            let text = decode(&mut self.output, piece);
            event(at, "o", &text, out);
        }
    }

    /// The user typed `bytes`.
    pub fn input(&mut self, at: Duration, bytes: &[u8], out: &mut Vec<u8>) {
        if self.with_input {
            let text = decode(&mut self.input, bytes);
            event(at, "i", &text, out);
        }
    }

    /// The screen got another size.
    pub fn resize(&mut self, at: Duration, size: Size, out: &mut Vec<u8>) {
        let size = format!("{}x{}", size.columns(), size.rows());
        event(at, "r", &size, out);
    }

    /// The user marked this place. An empty label is one too.
    pub fn marker(&mut self, at: Duration, label: &str, out: &mut Vec<u8>) {
        stamped(at, "m", label, out);
    }

    /// Ends the recording: what was held can't become whole any more.
    pub fn finish(mut self, at: Duration, out: &mut Vec<u8>) {
        for (code, held) in [("o", &mut self.output), ("i", &mut self.input)] {
            let text = String::from_utf8_lossy(held);
            event(at, code, &text, out);
        }
    }
}

/// The text of `held` and `bytes`; a character's beginning at the end is held again.
fn decode(held: &mut Vec<u8>, bytes: &[u8]) -> String {
    held.extend_from_slice(bytes);
    let mut text = String::with_capacity(held.len());
    let mut rest = 0;
    let mut chunks = held.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        if chunk.invalid().is_empty() {
            continue;
        }
        let open = std::str::from_utf8(chunk.invalid());
        let unfinished = open.is_err_and(|error| error.error_len().is_none());
        if unfinished && chunks.peek().is_none() {
            rest = chunk.invalid().len();
        } else {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    held.drain(..held.len() - rest);
    text
}

/// An event that is left out if it is empty.
fn event(at: Duration, code: &str, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        stamped(at, code, text, out);
    }
}

/// `[seconds, code, text]`, to the microsecond.
fn stamped(at: Duration, code: &str, text: &str, out: &mut Vec<u8>) {
    let text = Value::from(text);
    // Writing to memory cannot fail.
    let _written = writeln!(
        out,
        "[{}.{:06},\"{code}\",{text}]",
        at.as_secs(),
        at.subsec_micros()
    );
}

fn line(value: &Value, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _written = writeln!(out, "{value}");
}
