//! Standard error of headless mode. Its reader may stand still, as that of `2>&1 | less` does:
//! the loop that hears signals says on, and what is not taken waits.

use std::io::{self, ErrorKind, IsTerminal, Write};

use rustix::io::Errno;

use crate::say;
use crate::text::SafeText;

use super::sink::{AT_ONCE, writable};

/// Bytes that wait for the reader; what more there is, is counted.
const WAITING: usize = 256 << 10;
/// Seconds that a reader may stand still at the end.
const LAST_WORDS: i64 = 5;

/// Says lines on standard error. What still waits at the end is waited for, unless the reader
/// stands still.
#[derive(Debug, Default)]
pub struct Stderr {
    waiting: Vec<u8>,
    left_out: u64,
    /// Nobody waits for the reader any more.
    let_go: bool,
}

impl Stderr {
    /// One line. An empty one is not said: what waits is written, as far as that is possible.
    pub fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.put(text);
        }
        self.write(false);
    }

    /// The user insists on the end: what waits then is not waited for.
    pub fn let_go(&mut self) {
        self.let_go = true;
    }

    fn put(&mut self, text: &str) {
        if self.waiting.len() + text.len() > WAITING {
            self.left_out += 1;
            return;
        }
        self.tell_left_out();
        self.line(SafeText::of(text).as_str());
    }

    fn line(&mut self, text: &str) {
        self.waiting.extend_from_slice(b"deckwatch: ");
        self.waiting.extend_from_slice(text.as_bytes());
        // In a raw terminal a newline does not go back to the first column.
        let end: &[u8] = if io::stderr().is_terminal() {
            b"\r\n"
        } else {
            b"\n"
        };
        self.waiting.extend_from_slice(end);
    }

    fn tell_left_out(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            let told = say!(
                "{left_out} messages are left out here: they came faster than they were read",
                "此处略去 {left_out} 条消息：读取速度跟不上"
            );
            self.line(&told);
        }
    }

    fn write(&mut self, waits: bool) {
        let mut written = 0;
        while let Some(rest) = self.waiting.get(written..).filter(|rest| !rest.is_empty()) {
            if !is_ready(waits) {
                break;
            }
            match io::stderr().write(rest.get(..AT_ONCE).unwrap_or(rest)) {
                Ok(some) => written += some,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && waits => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // A closed one changes nothing.
                Err(_) => written = self.waiting.len(),
            }
        }
        self.waiting.drain(..written);
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        self.tell_left_out();
        self.write(!self.let_go);
    }
}

/// Whether a little can be written without blocking; if `waits`, once it can, but no longer than
/// a reader may stand still or until a signal comes.
fn is_ready(waits: bool) -> bool {
    let patience = if waits { LAST_WORDS } else { 0 };
    // One that is closed is ready for its error, and one that can't be asked is written to.
    match writable(rustix::stdio::stderr(), patience) {
        Ok(found) => !found.is_empty(),
        Err(error) => error != Errno::INTR,
    }
}
