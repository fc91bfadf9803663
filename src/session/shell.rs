//! One connection to a container's shell (protocols.md 6): hello, detection, then input cut into
//! messages and output put together; sizes, pings, and the many ways in which it ends.
//!
//! Nothing but the hello is sent before the server's first message: a size in the wrong
//! numbering ends the session of a server that was guessed wrong (6.6 no. 3). To servers that
//! lose bytes of messages that come back to back, a message goes out with a ping behind it, and
//! the next one when the pong has come (9.1 no. 1).

mod ends;
mod title;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use crate::codec::Packet;
use crate::codec::shell::typed::Typed;
use crate::codec::shell::{Dialect, FromShell, Place, ShellSpec, detect, hello};
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::text::SafeText;
use crate::text::redact::Secret;
use crate::word;

use super::liveness::{Liveness, Pulse};
use title::Titles;

/// A size is sent when it has stood this long.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// Progress is told when more than this waits, in bytes.
const LONG: usize = 4096;
/// And told again when it has changed by so much.
const STEP: usize = 16 << 10;
/// A shell that does not tell its end is asked for a sign of life so long after input.
const ASK: Duration = Duration::from_secs(1);
/// A keepalive ping keeps input back no longer than this: a shell that has ended answers to
/// input alone (protocols.md 9.1 no. 4).
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes that a server of this kind reads at once.
const BUFFER: usize = 1024;
/// Bytes on the wire around input: its frame's head and type, and the ping behind it.
const FRAMES: usize = 16;
/// Bytes of input that go out behind a message that nobody confirms, at a time.
const KNOCK: usize = 8;
/// A message without its pong for this long is told of.
const SLOW: Duration = Duration::from_secs(5);

/// What happened to a shell's session.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The connection stands, with this subprotocol.
    Opened(Option<&'a str>),
    /// A message came.
    Packet(&'a Packet),
    /// The user typed.
    Typed(&'a [u8]),
    /// The terminal has a new size, in columns and rows.
    Resized(u16, u16),
    /// What waits is not to be sent.
    Stop,
    /// The program does not keep up with the output, or does again.
    Crowded(bool),
    /// The packet that [`ShellSession::poll_transmit`] gave is with the network.
    Sent,
    /// The time of [`ShellSession::poll_timeout`] is reached.
    Timeout,
    /// The connection is gone.
    Lost(&'a Loss),
}

/// What a session made of its inputs, in order.
#[derive(Debug, Default)]
pub struct Told {
    /// What the program wrote since the last update.
    output: BytesMut,
    /// Bytes of output in the updates.
    sealed: usize,
    updates: Vec<ShellUpdate>,
}

impl Told {
    /// Bytes of output that were not taken.
    pub fn pending(&self) -> usize {
        self.sealed + self.output.len()
    }

    /// Whether there is something besides output.
    pub fn has_news(&self) -> bool {
        !self.updates.is_empty()
    }

    /// The end, if it has come.
    pub fn end(&mut self) -> Option<&mut ShellEnd> {
        match self.updates.last_mut() {
            Some(ShellUpdate::Ended(end)) => Some(end),
            _ => None,
        }
    }

    /// Takes everything.
    pub fn take(&mut self) -> Vec<ShellUpdate> {
        self.seal();
        self.sealed = 0;
        std::mem::take(&mut self.updates)
    }

    fn tell(&mut self, update: ShellUpdate) {
        self.seal();
        self.updates.push(update);
    }

    fn tell_any(&mut self, update: Option<ShellUpdate>) {
        if let Some(update) = update {
            self.tell(update);
        }
    }

    fn seal(&mut self) {
        if !self.output.is_empty() {
            self.sealed += self.output.len();
            let output = self.output.split().freeze();
            self.updates.push(ShellUpdate::Output(output));
        }
    }
}

/// How a connection went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Loss {
    /// In words.
    pub why: String,
    /// The server closed it, rather than that it broke.
    pub orderly: bool,
    /// The close frame's code, if there was one.
    pub code: Option<u16>,
}

/// A message on its way to a server that wants one at a time.
#[derive(Debug)]
struct Flight {
    /// It is taken when so many pongs have come.
    ping: u64,
    /// Pongs that had come when it went.
    before: u64,
    /// Bytes that it and what follows it take on the wire, at most.
    wire: usize,
    /// Bytes of input in it.
    input: usize,
    since: Instant,
    told: bool,
}

#[derive(Debug)]
enum Phase {
    /// The server has said nothing yet. `known` is what pages and subprotocol told.
    Waiting {
        known: Option<&'static Dialect>,
    },
    Open(&'static Dialect),
    Over,
}

/// One shell over one connection.
#[derive(Debug)]
pub struct ShellSession {
    place: Place,
    token: Secret,
    phase: Phase,
    /// The user said which dialect it is.
    forced: bool,
    size: (u16, u16),
    resize_at: Option<Instant>,
    /// Since when there is typed input that was left out and not told of.
    refused_at: Option<Instant>,
    typed: Typed,
    flight: Option<Flight>,
    pings: u64,
    pongs: u64,
    /// When the last ping without a message before it went.
    asked: Option<Instant>,
    /// When the next one goes, to find out whether the shell has ended.
    ask_at: Option<Instant>,
    pulse: Option<Liveness>,
    titles: Titles,
    told_queue: usize,
    /// Bytes of input in the packet that was given last, while it is not with the network.
    handed: usize,
    transmit: VecDeque<Packet>,
    scratch: Vec<u8>,
    /// Something was put on the screen.
    wrote: bool,
}

impl ShellSession {
    /// A session for `spec`; `known` is what its pages or an earlier connection told, `size` the
    /// terminal's columns and rows.
    pub fn new(
        spec: &ShellSpec,
        known: Option<&'static Dialect>,
        token: Secret,
        size: (u16, u16),
    ) -> Self {
        Self {
            place: spec.place.clone(),
            token,
            phase: Phase::Waiting {
                known: spec.dialect.or(known),
            },
            forced: spec.dialect.is_some(),
            size,
            resize_at: None,
            refused_at: None,
            typed: Typed::default(),
            flight: None,
            pings: 0,
            pongs: 0,
            asked: None,
            ask_at: None,
            pulse: None,
            titles: Titles::default(),
            told_queue: 0,
            handed: 0,
            transmit: VecDeque::new(),
            scratch: Vec::new(),
            wrote: false,
        }
    }

    /// Takes one input; what it means goes into `out`.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Told) {
        match input {
            Input::Opened(selected) => self.open(selected, out),
            Input::Packet(packet) => self.packet(now, packet, out),
            Input::Typed(bytes) => self.typed.push(bytes),
            Input::Resized(columns, rows) => self.resize(now, columns, rows),
            Input::Stop => self.stop(out),
            Input::Crowded(crowded) => {
                let ask = self.dialect().and_then(|dialect| dialect.paused(crowded));
                self.transmit.extend(ask);
            }
            Input::Sent => self.handed = 0,
            Input::Timeout => self.tick(now, out),
            Input::Lost(loss) => self.lost(loss, out),
        }
        self.tell_input(out);
    }

    /// The next packet to send. Ask again when it is on its way ([`Input::Sent`]), and after
    /// every other input.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Packet> {
        if self.transmit.is_empty() {
            self.fill(now);
            if self.typed.refused() > 0 {
                self.refused_at.get_or_insert(now);
            }
        }
        self.transmit.pop_front()
    }

    /// When it wants [`Input::Timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let pulse = self.pulse.as_ref().filter(|_| self.flight.is_none());
        let slow = self.flight.as_ref().filter(|flight| !flight.told);
        let held = !self.typed.is_empty() && self.flight.is_none();
        [
            self.resize_at,
            self.refused_at,
            self.ask_at,
            self.asked.filter(|_| held).map(|asked| asked + PATIENCE),
            pulse.map(Liveness::deadline),
            slow.map(|flight| flight.since + SLOW),
            self.titles.deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Bytes of input that wait; more should not be given before it has become less.
    pub fn waiting(&self) -> usize {
        self.typed.len()
    }

    /// The dialect, once it is known.
    pub fn dialect(&self) -> Option<&'static Dialect> {
        match self.phase {
            Phase::Open(dialect) => Some(dialect),
            Phase::Waiting { .. } | Phase::Over => None,
        }
    }

    /// Whether what comes is read now. A silence that we want is no sign of a dead peer.
    pub fn reads(&mut self, now: Instant, reads: bool) {
        if let Some(pulse) = &mut self.pulse {
            pulse.pause(!reads, now);
        }
    }

    /// How it stands when we close it.
    pub fn close(&mut self) -> ShellEnd {
        self.end(ShellExit::Closed)
    }

    fn open(&mut self, selected: Option<&str>, out: &mut Told) {
        let Phase::Waiting { known } = &mut self.phase else {
            return;
        };
        // The platform's two can't be told by it: a proxy may take it away (6.6 no. 2).
        if !self.forced && matches!(self.place, Place::Pages { .. }) {
            *known = selected.and_then(detect::by_subprotocol).or(*known);
        }
        let first = hello::hello(&self.place, *known, &self.token, self.size);
        self.transmit.push_back(first);
        let waits = match self.place {
            Place::Platform(_) => word!(
                "waiting for the container (up to 35 s)",
                "正在等待容器（最多 35 s）"
            ),
            Place::Pages { .. } => word!("waiting for the shell", "正在等待终端"),
        };
        out.tell(ShellUpdate::Opening(SafeText::of(waits).into_owned()));
    }

    fn packet(&mut self, now: Instant, packet: &Packet, out: &mut Told) {
        self.alive(now, out);
        let (message, binary) = match packet {
            Packet::Text(message) => (message, false),
            Packet::Binary(message) => (message, true),
            Packet::Parts(_) | Packet::Ping | Packet::Pong => return,
        };
        if let Phase::Waiting { known } = self.phase {
            match detect::by_first_message(message, binary, &self.place, known) {
                Some(dialect) => self.ready(now, dialect, out),
                None => return self.finish(ends::refused(message, &self.place), out),
            }
        }
        let Phase::Open(dialect) = self.phase else {
            return;
        };
        if let Some(other) = detect::by_buffer_size(message, dialect).filter(|_| !self.forced) {
            self.phase = Phase::Open(other);
            self.transmit.extend(other.prelude());
            out.tell(ShellUpdate::Ready(other.server));
            return;
        }
        let slow = self.flight.as_ref().is_some_and(|flight| flight.told);
        let mut scratch = std::mem::take(&mut self.scratch);
        match dialect.decode(message, &mut scratch) {
            FromShell::Output(bytes) => self.output(bytes, out),
            FromShell::Pong => self.pong(now, dialect),
            FromShell::Title(title) => out.tell_any(self.titles.take(now, title)),
            FromShell::Hint => {}
            FromShell::Malformed => self.finish(ends::malformed(message.len()), out),
            FromShell::Foreign(kind) => self.finish(ends::foreign(kind, dialect), out),
            FromShell::Plain(words) => {
                self.finish(ends::last_words(words, &self.place, self.wrote), out);
            }
        }
        self.scratch = scratch;
        if slow && self.flight.is_none() && matches!(self.phase, Phase::Open(_)) {
            out.tell(ShellUpdate::Stale(false));
        }
    }

    fn output(&mut self, bytes: &[u8], out: &mut Told) {
        self.wrote |= !bytes.is_empty();
        out.output.extend_from_slice(bytes);
    }

    fn ready(&mut self, now: Instant, dialect: &'static Dialect, out: &mut Told) {
        self.phase = Phase::Open(dialect);
        self.pulse = Some(Liveness::new(now));
        self.transmit.extend(dialect.prelude());
        // Some servers have a size of 0x0 until they are told one.
        self.resize_at = Some(now);
        out.tell(ShellUpdate::Ready(dialect.server));
    }

    fn pong(&mut self, now: Instant, dialect: &Dialect) {
        // One that nobody asked for confirms nothing.
        self.pongs = self.pings.min(self.pongs + 1);
        let landed = |flight: &Flight| self.pongs >= flight.ping;
        if self.flight.as_ref().is_some_and(landed) {
            self.landed(now, dialect);
        }
        if self.pongs >= self.pings {
            self.asked = None;
        }
    }

    /// The message in flight was taken.
    fn landed(&mut self, now: Instant, dialect: &Dialect) {
        let input = self.flight.take().map_or(0, |flight| flight.input);
        if input > 0 && !dialect.closes {
            self.ask_at = Some(now + ASK);
        }
    }

    /// Anything that comes is a sign of life.
    fn alive(&mut self, now: Instant, out: &mut Told) {
        let revived = self.pulse.as_mut().and_then(|pulse| pulse.pong(now));
        let told = self.flight.as_ref().is_some_and(|flight| flight.told);
        if revived.is_some() && !told {
            out.tell(ShellUpdate::Stale(false));
        }
    }

    fn resize(&mut self, now: Instant, columns: u16, rows: u16) {
        if columns > 0 && rows > 0 && (columns, rows) != self.size {
            self.size = (columns, rows);
            self.resize_at = Some(now + DEBOUNCE);
        }
    }

    fn stop(&mut self, out: &mut Told) {
        let gone = self.typed.clear();
        self.told_queue = 0;
        out.tell(ShellUpdate::Stopped(gone));
    }

    fn tick(&mut self, now: Instant, out: &mut Told) {
        out.tell_any(self.titles.due(now));
        let Phase::Open(dialect) = self.phase else {
            return;
        };
        if let Some(flight) = self.flight.as_mut() {
            let slow = now >= flight.since + SLOW;
            if slow && self.pongs > flight.before {
                // An earlier ping was never answered, this one was.
                if flight.told {
                    out.tell(ShellUpdate::Stale(false));
                }
                self.landed(now, dialect);
                self.pongs = self.pings;
            } else if slow && !flight.told {
                // The container may just not read; only its network can be dead, and TCP's own
                // keepalive finds that out.
                flight.told = true;
                out.tell(ShellUpdate::Stale(true));
            }
            return;
        }
        let Some(pulse) = self.pulse.as_mut() else {
            return;
        };
        if self.ask_at.is_some_and(|at| now >= at) {
            self.ask_at = None;
            pulse.ask(now);
        }
        while let Some(due) = pulse.poll(now) {
            match due {
                Pulse::Ping => {
                    self.pings += 1;
                    self.asked = Some(now);
                    // ttyd has none of its own, but answers WebSocket's.
                    self.transmit
                        .push_back(dialect.ping().unwrap_or(Packet::Ping));
                }
                Pulse::Stale => out.tell(ShellUpdate::Stale(true)),
                Pulse::Revived => {}
                Pulse::Dead => return self.finish(ends::silent(dialect), out),
            }
        }
    }

    /// Makes the next message, if one may go: sizes first, then input.
    fn fill(&mut self, now: Instant) {
        let Phase::Open(dialect) = self.phase else {
            return;
        };
        if dialect.stop_and_wait && self.flight.is_some() {
            return self.knock(dialect);
        }
        // A keepalive ping is a message too: one at a time.
        let waits = self.asked.is_some_and(|asked| now < asked + PATIENCE);
        if dialect.stop_and_wait && waits && self.pongs < self.pings {
            return;
        }
        let (packet, input) = if self.resize_at.is_some_and(|at| now >= at) {
            self.resize_at = None;
            (dialect.resized(self.size.0, self.size.1), 0)
        } else if let Some(input) = self.typed.next(dialect.input, dialect.chunk) {
            (dialect.typed(&input), input.len())
        } else {
            return;
        };
        self.transmit.push_back(packet);
        if dialect.stop_and_wait {
            self.follow_up(now, dialect, input);
        } else {
            self.handed = input;
        }
    }

    /// Behind a message that nobody confirms a few keys go out all the same: a shell that has
    /// ended answers to input alone. They and the message fit into the server's buffer together,
    /// so that nothing is lost of a server that was only slow.
    fn knock(&mut self, dialect: &Dialect) {
        let Some(flight) = self.flight.as_mut().filter(|flight| flight.told) else {
            return;
        };
        if flight.wire + FRAMES + KNOCK > BUFFER {
            return;
        }
        let Some(input) = self.typed.next(dialect.input, KNOCK) else {
            return;
        };
        self.pings += 1;
        flight.ping = self.pings;
        flight.input += input.len();
        flight.wire += FRAMES + input.len();
        self.transmit.push_back(dialect.typed(&input));
        self.transmit.extend(dialect.ping());
    }

    fn follow_up(&mut self, now: Instant, dialect: &Dialect, input: usize) {
        self.transmit.extend(dialect.ping());
        self.pings += 1;
        self.flight = Some(Flight {
            ping: self.pings,
            before: self.pongs,
            wire: FRAMES + input,
            input,
            since: now,
            told: false,
        });
    }

    /// Tells what could not be sent, and how far a long paste is.
    fn tell_input(&mut self, out: &mut Told) {
        self.refused_at = None;
        match self.typed.take_refused() {
            0 => {}
            bytes => out.tell(ShellUpdate::Refused(bytes)),
        }
        let waiting = self.typed.len();
        let shown = if waiting > LONG { waiting } else { 0 };
        if shown.abs_diff(self.told_queue) >= STEP || shown == 0 && self.told_queue > 0 {
            self.told_queue = shown;
            out.tell(ShellUpdate::Queued(shown));
        }
    }

    fn lost(&mut self, loss: &Loss, out: &mut Told) {
        let how = match &self.phase {
            Phase::Waiting { .. } => ends::before_a_word(loss, &self.place, !self.token.is_empty()),
            Phase::Open(dialect) => ends::connection(loss, dialect),
            Phase::Over => return,
        };
        self.finish(how, out);
    }

    fn finish(&mut self, how: ShellExit, out: &mut Told) {
        let end = self.end(how);
        out.tell(ShellUpdate::Ended(end));
    }

    fn end(&mut self, how: ShellExit) -> ShellEnd {
        self.phase = Phase::Over;
        self.transmit.clear();
        let handed = std::mem::take(&mut self.handed);
        self.pulse = None;
        self.resize_at = None;
        self.ask_at = None;
        self.asked = None;
        ShellEnd {
            how,
            unsent: self.typed.clear(),
            unconfirmed: self.flight.take().map_or(handed, |flight| flight.input),
        }
    }
}

#[cfg(test)]
mod tests;
