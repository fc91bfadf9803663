//! What stands before the parser: characters are made whole, strings without an end are cut
//! off, synchronized updates are held. The parser (vte 0.15) collects an OSC string without
//! bound, and loses a letter that follows a character cut in two.

use alacritty_terminal::vte::Parser;
use memchr::{memchr, memchr3, memmem, memrchr};

use super::machine::Machine;

/// Bytes given to the parser at once, at most.
const SLICE: usize = 16 * 1024;

/// Bytes of an OSC string: 56,000 of clipboard are 73 KiB in base64.
pub(super) const MAX_OSC: usize = 96 * 1024;

/// Bytes of a synchronized update. What is longer is shown in parts: all that is held runs at
/// once, and the slowest bytes are few enough then.
const MAX_HELD: usize = 256 * 1024;

/// Kept of its room between updates.
const HELD_ROOM: usize = 64 * 1024;

/// Ends a synchronized update.
const ESU: &[u8] = b"\x1b[?2026l";

/// Where the parser is, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Inside {
    #[default]
    Other,
    /// After ESC.
    Escape,
    /// In an OSC string of so many bytes.
    Osc(usize),
}

/// A parser and what it may not have yet.
pub(super) struct Feed {
    parser: Parser,
    inside: Inside,
    /// The rest of an OSC string is thrown away.
    skipping: bool,
    /// The start of a character.
    partial: Vec<u8>,
    /// The bytes of a synchronized update, if one is open.
    held: Vec<u8>,
    holding: bool,
    slice: usize,
}

impl Feed {
    /// A parser at rest. A slice is so short that it can't scroll the whole history by.
    pub(super) fn new(history: usize) -> Self {
        Self {
            parser: Parser::new(),
            inside: Inside::Other,
            skipping: false,
            partial: Vec::new(),
            held: Vec::new(),
            holding: false,
            slice: if history == 0 {
                SLICE
            } else {
                (history / 2).min(SLICE)
            },
        }
    }

    pub(super) fn is_holding(&self) -> bool {
        self.holding
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.held.capacity() + self.partial.capacity()
    }

    /// Follows `bytes`.
    pub(super) fn take(&mut self, machine: &mut Machine, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = if self.holding {
                self.hold(machine, rest)
            } else {
                self.run(machine, rest)
            };
        }
    }

    /// Ends an update.
    pub(super) fn release(&mut self, machine: &mut Machine) {
        if !self.holding {
            return;
        }
        self.holding = false;
        let held = std::mem::take(&mut self.held);
        machine.nested = true;
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            rest = self.run(machine, rest);
        }
        machine.nested = false;
        self.held = held;
        self.held.clear();
        self.held.shrink_to(HELD_ROOM);
    }

    /// Adds to an open update up to its end; gives back what follows it.
    fn hold<'a>(&mut self, machine: &mut Machine, bytes: &'a [u8]) -> &'a [u8] {
        let from = self.held.len().saturating_sub(ESU.len() - 1);
        let before = self.held.len();
        self.held.extend_from_slice(bytes);
        let tail = self.held.get(from..).unwrap_or(&[]);
        if let Some(at) = memmem::find(tail, ESU) {
            let end = from + at + ESU.len();
            self.held.truncate(end);
            self.release(machine);
            return bytes.get(end - before..).unwrap_or(&[]);
        }
        if self.held.len() > MAX_HELD {
            self.release(machine);
        }
        &[]
    }

    /// Feeds the parser until its end or until an update begins; gives back what is left.
    fn run<'a>(&mut self, machine: &mut Machine, bytes: &'a [u8]) -> &'a [u8] {
        let joined;
        let mut rest = bytes;
        let carried = self.partial.len();
        if carried > 0 {
            self.partial.extend_from_slice(bytes);
            joined = std::mem::take(&mut self.partial);
            rest = &joined;
        }
        let whole = rest.len() - unfinished(rest);
        let (mut now, tail) = rest.split_at_checked(whole).unwrap_or((rest, &[]));
        while !now.is_empty() {
            now = self.step(machine, now);
            if machine.update_began {
                machine.update_began = false;
                self.holding = true;
                let left = now.len() + tail.len();
                return bytes.get(bytes.len() - left..).unwrap_or(&[]);
            }
        }
        self.partial = tail.to_vec();
        &[]
    }

    /// Feeds one slice; gives back what is left.
    fn step<'a>(&mut self, machine: &mut Machine, bytes: &'a [u8]) -> &'a [u8] {
        if self.skipping {
            let Some(end) = string_end(bytes) else {
                return &[];
            };
            self.skipping = false;
            return self.step(machine, bytes.get(end..).unwrap_or(&[]));
        }
        let (slice, _) = bytes
            .split_at_checked(boundary(bytes, self.slice))
            .unwrap_or((bytes, &[]));
        let count = self.parser.advance_until_terminated(machine, slice);
        machine.settle();
        let (done, rest) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
        self.inside = after(self.inside, done);
        if matches!(self.inside, Inside::Osc(length) if length > MAX_OSC) {
            self.inside = Inside::Osc(MAX_OSC);
            self.skipping = true;
            machine.osc_cut = true;
        }
        rest
    }
}

/// Where the parser is after `bytes`.
fn after(inside: Inside, bytes: &[u8]) -> Inside {
    let (mut inside, mut rest) = match memrchr(0x1b, bytes) {
        Some(at) => (Inside::Escape, bytes.get(at + 1..).unwrap_or(&[])),
        None => (inside, bytes),
    };
    if inside == Inside::Escape {
        // These neither end nor begin anything; CAN and SUB do.
        let stays = |byte: &u8| !matches!(byte, 0x18 | 0x1a | 0x20..=0x7e);
        let count = rest.iter().take_while(|byte| stays(byte)).count();
        let Some((first, after)) = rest.get(count..).and_then(<[u8]>::split_first) else {
            return Inside::Escape;
        };
        (inside, rest) = match first {
            b']' => (Inside::Osc(0), after),
            _ => (Inside::Other, after),
        };
    }
    match inside {
        Inside::Osc(_) if memchr3(0x07, 0x18, 0x1a, rest).is_some() => Inside::Other,
        Inside::Osc(length) => Inside::Osc(length + rest.len()),
        other => other,
    }
}

/// The first byte that ends a string.
fn string_end(bytes: &[u8]) -> Option<usize> {
    let escape = memchr(0x1b, bytes);
    let other = memchr3(0x07, 0x18, 0x1a, bytes);
    escape.into_iter().chain(other).min()
}

/// The longest start of `bytes` within `limit` that cuts no character.
fn boundary(bytes: &[u8], limit: usize) -> usize {
    if bytes.len() <= limit {
        return bytes.len();
    }
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (limit.saturating_sub(3)..=limit)
        .rev()
        .find(|at| !continues(*at))
        .unwrap_or(limit)
        .max(1)
}

/// Bytes of a character at the end that wants more of them.
fn unfinished(bytes: &[u8]) -> usize {
    for length in 1..=bytes.len().min(3) {
        let tail = bytes.get(bytes.len() - length..).unwrap_or(&[]);
        match tail.first() {
            Some(0x80..=0xbf) => {}
            Some(0xc2..=0xf4) => {
                let error = std::str::from_utf8(tail).err();
                return error.map_or(0, |error| match error.error_len() {
                    None => length,
                    Some(_) => 0,
                });
            }
            _ => return 0,
        }
    }
    0
}
