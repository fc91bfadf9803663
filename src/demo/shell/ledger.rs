//! What the shell servers know: who is connected, what each shell got and gave, and which of
//! the real servers' tripwires a client has touched.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use md5::{Digest as _, Md5};
use tokio::sync::watch;
use tokio::time::sleep;

use super::Server;
use super::pty::Size;

/// How many shells are remembered; the oldest go.
const SHELLS: usize = 256;
/// How much of each shell's input is kept as it is; all of it is counted and summed.
const KEPT: usize = 64 << 10;
/// Between two looks of one who waits.
const PAUSE: Duration = Duration::from_millis(2);

/// One shell and its client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShellRecord {
    /// The connection, counted from 1 in the order of acceptance.
    pub conn: u64,
    /// The server that it belongs to.
    pub server: Server,
    /// The pod; empty but on the platform.
    pub pod: String,
    /// The id of its process.
    pub pid: u32,
    /// Bytes of input that reached it.
    pub input: u64,
    /// Their MD5, in hex.
    pub input_md5: String,
    /// The first 64 KiB of them.
    pub input_head: Bytes,
    /// Bytes of its output that were sent, before any encoding.
    pub output: u64,
    /// Their MD5, in hex.
    pub output_md5: String,
    /// Its terminal's columns and rows as they were last set, and how often they were.
    pub size: (u16, u16),
    /// How often the size was set.
    pub resizes: u64,
    /// How many pings of the protocol came.
    pub pings: u64,
    /// Its exit code, once it has ended by itself.
    pub exit: Option<u32>,
    /// Whether its connection's part in it is over.
    pub over: bool,
}

/// What clients did that costs them with a real server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShellTally {
    /// Shells started.
    pub shells: u64,
    /// Empty messages to ttyd, of which it dies (protocols.md 9.1.10).
    pub crashes: u64,
    /// Empty messages to another server, which end the session.
    pub empty: u64,
    /// Messages over 1024 bytes to a server that loses the rest or ends (protocols.md 9.1.1).
    pub too_long: u64,
    /// Bytes of input that a server lost since it reads once; counted when the next message
    /// comes.
    pub lost: u64,
    /// Sizes of no columns or no rows.
    pub zero_sizes: u64,
    /// First messages that are no greeting but input, a ping or a size.
    pub before_greeting: u64,
    /// Three or more sizes to the platform before the stream is up, of which the real one stops
    /// reading (protocols.md 6.4).
    pub early_sizes: u64,
    /// Messages of an unknown type, and sizes that cannot be read.
    pub unknown: u64,
    /// Input to a server that only shows.
    pub read_only: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    record: ShellRecord,
    head: BytesMut,
    input: Md5,
    output: Md5,
}

impl Entry {
    fn read(&self) -> ShellRecord {
        ShellRecord {
            input_md5: hex(&self.input),
            input_head: Bytes::copy_from_slice(&self.head),
            output_md5: hex(&self.output),
            ..self.record.clone()
        }
    }
}

fn hex(sum: &Md5) -> String {
    sum.clone()
        .finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[derive(Debug, Default)]
struct State {
    entries: VecDeque<Entry>,
    tally: ShellTally,
    /// Connections that count, and all there have been, of each server.
    present: BTreeMap<Server, (u32, u64)>,
}

/// The account of all shell servers; cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Ledger(Arc<watch::Sender<State>>);

impl Ledger {
    pub(in crate::demo) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }

    pub(in crate::demo) fn records(&self) -> Vec<ShellRecord> {
        self.0.borrow().entries.iter().map(Entry::read).collect()
    }

    pub(in crate::demo) fn tally(&self) -> ShellTally {
        self.0.borrow().tally
    }

    /// Waits until the records pass the test, and gives them.
    pub(in crate::demo) async fn until(
        &self,
        mut test: impl FnMut(&[ShellRecord]) -> bool,
    ) -> Vec<ShellRecord> {
        let mut changes = self.0.subscribe();
        loop {
            changes.mark_unchanged();
            let records = self.records();
            // The sender is here: changes cannot end.
            if test(&records) || changes.changed().await.is_err() {
                return records;
            }
            // Sums are dear: what follows at once is looked at together.
            sleep(PAUSE).await;
        }
    }

    /// Notes that a tripwire was touched.
    pub(super) fn note(&self, change: impl FnOnce(&mut ShellTally)) {
        self.0.send_modify(|state| change(&mut state.tally));
    }

    /// A place for one more connection, if there is one. The first `GoTTY` counts also whom it
    /// refuses, and is full for ever (protocols.md 9.1.7).
    pub(super) fn enter(&self, server: Server, most: Option<u32>, once: bool) -> Option<Place> {
        let mut entered = false;
        self.0.send_modify(|state| {
            let (now, ever) = state.present.entry(server).or_default();
            entered = most.is_none_or(|most| *now < most) && !(once && *ever > 0);
            if entered || server == Server::Gotty1 {
                *now += 1;
            }
            *ever += u64::from(entered);
        });
        entered.then(|| Place(self.clone(), server))
    }

    /// Begins the account of a shell.
    pub(super) fn begin(
        &self,
        conn: u64,
        server: Server,
        pod: &str,
        pid: u32,
        size: Size,
    ) -> Account {
        let mut number = 0;
        self.0.send_modify(|state| {
            state.tally.shells += 1;
            number = state.tally.shells;
            let record = ShellRecord {
                conn,
                server,
                pod: pod.to_owned(),
                pid,
                input: 0,
                input_md5: String::new(),
                input_head: Bytes::new(),
                output: 0,
                output_md5: String::new(),
                size: (size.columns, size.rows),
                resizes: 0,
                pings: 0,
                exit: None,
                over: false,
            };
            state.entries.push_back(Entry {
                number,
                record,
                head: BytesMut::new(),
                input: Md5::new(),
                output: Md5::new(),
            });
            if state.entries.len() > SHELLS {
                state.entries.pop_front();
            }
        });
        Account(self.clone(), number)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Entry)) {
        self.0.send_modify(|state| {
            let found = state
                .entries
                .iter_mut()
                .rfind(|entry| entry.number == number);
            if let Some(entry) = found {
                change(entry);
            }
        });
    }
}

/// A connection's place among those that a server admits.
#[derive(Debug)]
pub(super) struct Place(Ledger, Server);

impl Drop for Place {
    fn drop(&mut self) {
        let server = self.1;
        self.0.0.send_modify(|state| {
            let (now, _) = state.present.entry(server).or_default();
            *now = now.saturating_sub(1);
        });
    }
}

/// The account of one shell.
#[derive(Debug)]
pub(super) struct Account(Ledger, u64);

impl Account {
    pub(super) fn ledger(&self) -> &Ledger {
        &self.0
    }

    pub(super) fn input(&self, bytes: &[u8]) {
        self.0.change(self.1, |entry| {
            entry.record.input += bytes.len() as u64;
            entry.input.update(bytes);
            let room = KEPT.saturating_sub(entry.head.len()).min(bytes.len());
            entry
                .head
                .extend_from_slice(bytes.get(..room).unwrap_or(&[]));
        });
    }

    pub(super) fn output(&self, bytes: &[u8]) {
        self.0.change(self.1, |entry| {
            entry.record.output += bytes.len() as u64;
            entry.output.update(bytes);
        });
    }

    pub(super) fn size(&self, size: Size) {
        self.0.change(self.1, |entry| {
            entry.record.size = (size.columns, size.rows);
            entry.record.resizes += 1;
        });
    }

    pub(super) fn ping(&self) {
        self.0.change(self.1, |entry| entry.record.pings += 1);
    }

    pub(super) fn exit(&self, code: u32) {
        self.0
            .change(self.1, |entry| entry.record.exit = Some(code));
    }

    /// How many bytes of input there were.
    pub(super) fn received(&self) -> u64 {
        let state = self.0.0.borrow();
        let found = state.entries.iter().rfind(|entry| entry.number == self.1);
        found.map_or(0, |entry| entry.record.input)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.0.change(self.1, |entry| entry.record.over = true);
    }
}
