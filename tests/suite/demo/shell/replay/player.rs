//! One recording in play: its connections, what they want to hear and what they heard.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helper"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use deckwatch::demo::{Platform, ShellServer};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::ear::{Ear, plain};
use crate::demo::shell::seat::{PATIENCE, Said};
use crate::playback::recording::{bytes, opcode, word};
use crate::raw_client::{CLOSE, CONTINUATION, PONG, RawClient, Seen};

pub(super) struct Conn {
    client: RawClient<TcpStream>,
    want: Ear,
    got: Ear,
    /// Whether its output is to be compared.
    compares: bool,
    /// Input that should arrive.
    input: u64,
    greeted: bool,
    /// It has sent a close frame.
    closed: bool,
    ended: bool,
    /// The recording lost the output of a command that ended at once (protocols.md 9.1.14).
    lost: bool,
}

pub(super) struct Player {
    pub(super) server: ShellServer,
    pub(super) platform: Platform,
    pub(super) conns: BTreeMap<String, Conn>,
    /// Those that another one of the same name has replaced, or that are left alone.
    pub(super) put_away: Vec<Conn>,
    pub(super) compared: BTreeMap<&'static str, usize>,
}

impl Player {
    pub(super) async fn connect(&mut self, row: &Value) {
        let request = String::from_utf8(bytes(row)).unwrap();
        let path = match self.server {
            ShellServer::Platform => self.platform.prefix().to_owned(),
            server => format!("{}{}", self.platform.prefix(), server.path()),
        };
        let request = request.replacen("GET ", &format!("GET {path}"), 1);
        let stream = TcpStream::connect(self.platform.http_addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = RawClient::new(stream);
        client.write(request.as_bytes()).await;
        let conn = Conn {
            client,
            want: Ear::default(),
            got: Ear::default(),
            compares: word(row, "conn") != "sigterm",
            input: 0,
            greeted: false,
            closed: false,
            ended: false,
            lost: false,
        };
        let old = self.conns.insert(word(row, "conn").to_owned(), conn);
        self.put_away.extend(old);
    }

    pub(super) async fn response(&mut self, row: &Value) {
        let conn = self.conns.get_mut(word(row, "conn")).unwrap();
        let want = String::from_utf8(bytes(row)).unwrap();
        let upgraded = want.starts_with("HTTP/1.1 101 ");
        let got = if upgraded {
            conn.client.head().await
        } else {
            conn.ended = true;
            String::from_utf8(timeout(PATIENCE, conn.client.rest()).await.unwrap()).unwrap()
        };
        // No answer at all is recorded as an empty head.
        if want.trim().is_empty() {
            assert_eq!(got, "", "{row}");
        } else if want.contains("text/html") {
            let status = |text: &str| text.lines().next().unwrap().to_owned();
            assert_eq!(status(&got), status(&want));
            assert!(got.contains("text/html"), "{got}");
        } else {
            let dateless = want.lines().filter(|line| !line.starts_with("Date: "));
            let dateless: Vec<&str> = dateless.collect();
            assert_eq!(got.lines().collect::<Vec<_>>(), dateless, "{row}");
        }
        *self.compared.entry("http").or_default() += 1;
    }

    /// Waits until a connection has said what the recording's has.
    async fn settle(&mut self, name: &str) {
        let server = self.server;
        let conn = self.conns.get_mut(name).unwrap();
        let want = plain(&conn.want.output);
        loop {
            let got = plain(&conn.got.output);
            let enough = !conn.compares || got.len() >= want.len();
            if enough && conn.got.others.len() >= conn.want.others.len() {
                break;
            }
            match timeout(PATIENCE, conn.client.next_content()).await {
                Err(late) => panic!(
                    "{name}: {late}: {got:?} {:?}\nwanted {want:?} {:?}",
                    conn.got.others, conn.want.others
                ),
                Ok(Seen::Frame { fin, op, payload }) => {
                    conn.got.hear(server, (fin, op, payload), name);
                }
                Ok(end) => panic!("{name}: {end:?} after {got:?}\nwanted {want:?}"),
            }
        }
        if conn.compares {
            assert_eq!(plain(&conn.got.output), want, "{name}");
        }
        let count = conn.want.others.len();
        let others: Vec<Said> = conn.got.others.drain(..count).collect();
        assert_eq!(
            others,
            conn.want.others.drain(..).collect::<Vec<_>>(),
            "{name}"
        );
        *self.compared.entry("message").or_default() += count;
    }

    pub(super) async fn say(&mut self, row: &Value) {
        let (name, body, op) = (word(row, "conn"), bytes(row), opcode(word(row, "op")));
        // Our pongs answer our pings, not the recording's.
        if op == PONG {
            return;
        }
        if !self.conns[name].ended {
            self.settle(name).await;
        }
        // After an end the recorder let time go by.
        if [&b"1echo zombie\r"[..], b"1\r"].contains(&&body[..]) {
            let all = self
                .platform
                .shells_until(|all| all.last().is_some_and(|one| one.exit.is_some()));
            all.await;
        }
        // An interrupt that comes before what it is to interrupt is lost on bash.
        if body.ends_with(b"\x03") {
            let shell = self.platform.shells().last().unwrap().pid;
            child(shell, "sleep").await;
        }
        let server = self.server;
        let conn = self.conns.get_mut(name).unwrap();
        let input = if server == ShellServer::Gotty1 || server == ShellServer::Ttyd {
            b'0'
        } else {
            b'1'
        };
        if op < 8 && conn.greeted && !conn.ended && body.first() == Some(&input) {
            let whole = body.len() as u64 - 1;
            conn.input += match server {
                // What one read takes, see protocols.md 9.1.1.
                ShellServer::Platform | ShellServer::Gotty2 => whole.min(1015),
                ShellServer::Sorenisanerd if whole > 1023 => 0,
                _ => whole,
            };
            conn.compares &= body.len() < 1000 && !body.starts_with(&[input, b's', b'e', b'q']);
        }
        conn.greeted = true;
        conn.closed |= op == CLOSE;
        conn.client.send(op, &body).await;
    }

    pub(super) fn expect(&mut self, row: &Value) {
        let op = opcode(word(row, "op"));
        let conn = self.conns.get_mut(word(row, "conn")).unwrap();
        let mut body = bytes(row);
        if let Ok(text) = std::str::from_utf8(&body)
            && (text.ends_with("(vm)") || text.ends_with("@vm"))
        {
            body = text
                .replace("(vm)", "(demo)")
                .replace("@vm", "@demo")
                .into_bytes();
        }
        // What a burst leaves out may be half a message.
        if !conn.compares && op == CONTINUATION && conn.want.open.is_none() {
            return;
        }
        let fin = row["fin"].as_bool().unwrap();
        if !conn.compares && conn.want.open.is_some() && op != CONTINUATION {
            conn.want.open = None;
        }
        conn.want
            .hear(self.server, (fin, op, body), &row.to_string());
    }

    pub(super) async fn end(&mut self, row: &Value) {
        let name = word(row, "conn");
        if name == "sigterm" {
            return;
        }
        self.settle(name).await;
        let server = self.server;
        let conn = self.conns.get_mut(name).unwrap();
        conn.ended = true;
        let before = conn.got.output.len();
        loop {
            match timeout(PATIENCE, conn.client.next_content()).await.unwrap() {
                Seen::Frame { fin, op, payload } => conn.got.hear(server, (fin, op, payload), name),
                end => {
                    assert_eq!(end, Seen::End, "{name}");
                    break;
                }
            }
        }
        let more = &conn.got.output[before..];
        conn.lost = conn.want.output.is_empty() && more == b"from-args\r\n";
        assert!(
            more.is_empty() || conn.lost || !conn.compares,
            "{name}: {more:?}"
        );
        assert!(conn.got.others.is_empty(), "{name}: {:?}", conn.got.others);
        *self.compared.entry("end").or_default() += 1;
    }

    /// What is left: nothing that the recording has not, and all input has arrived.
    pub(super) async fn finish(mut self) -> BTreeMap<&'static str, usize> {
        let names: Vec<String> = self.conns.keys().cloned().collect();
        for name in names {
            if !self.conns[&name].ended {
                self.settle(&name).await;
            }
        }
        let mut inputs: Vec<u64> = Vec::new();
        for conn in self.conns.values_mut().chain(&mut self.put_away) {
            if !conn.ended && !conn.closed {
                while let Ok(seen) =
                    timeout(Duration::from_millis(100), conn.client.next_content()).await
                {
                    let Seen::Frame { fin, op, payload } = seen else {
                        // Who is left alone does not answer its pings.
                        assert_eq!((seen, self.server), (Seen::End, ShellServer::Ttyd));
                        break;
                    };
                    conn.got.hear(self.server, (fin, op, payload), "at the end");
                }
                assert!(conn.got.others.is_empty(), "{:?}", conn.got.others);
            }
            if conn.compares && !conn.lost {
                assert_eq!(plain(&conn.got.output), plain(&conn.want.output));
            }
            inputs.push(conn.input);
        }
        inputs.retain(|input| *input > 0);
        inputs.sort_unstable();
        // A shell that was read-only, and what came after an end, has none.
        if !self.platform.switches().shell.read_only && self.server != ShellServer::Platform {
            let all = self.platform.shells_until(|all| {
                let mut arrived: Vec<u64> = all.iter().map(|one| one.input).collect();
                arrived.retain(|input| *input > 0);
                arrived.sort_unstable();
                arrived == inputs
            });
            let late = timeout(PATIENCE, all).await.is_err();
            assert!(!late, "{inputs:?} {:?}", self.platform.shells());
        }
        self.compared
    }
}

/// Waits until a shell has a child of that name.
async fn child(shell: u32, name: &str) {
    let has = || {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
            .any(|stat| {
                let (before, after) = stat.rsplit_once(')').unwrap();
                before.ends_with(&format!("({name}"))
                    && after.split_whitespace().nth(1) == Some(&shell.to_string())
            })
    };
    for _ in 0..PATIENCE.as_millis() / 20 {
        if has() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
        if !Path::new("/proc/self/stat").exists() {
            return sleep(Duration::from_millis(500)).await;
        }
    }
    panic!("no {name}");
}

/// The recording counts a burst from its command on.
pub(super) async fn until_total(conn: &mut Conn, server: ShellServer, total: u64) {
    let before = "\u{1b}[?2004hpod$ ".len() as u64;
    let lines: Vec<String> = (1..=200_000).map(|n| n.to_string()).collect();
    let lines = lines.join("\n");
    let want = format!("pod$ seq 1 200000; echo E''ND\n{lines}\nEND\npod$ ");
    while !plain_ends(&conn.got.output, "END\npod$ ") {
        match timeout(PATIENCE, conn.client.next_content()).await.unwrap() {
            Seen::Frame { fin, op, payload } => conn.got.hear(server, (fin, op, payload), "burst"),
            end => panic!("{end:?} in a burst"),
        }
    }
    assert!(plain(&conn.got.output) == want, "the burst is another");
    assert_eq!(conn.got.output.len() as u64, total + before);
    conn.want.others.clear();
    conn.got.others.clear();
}

fn plain_ends(output: &[u8], end: &str) -> bool {
    plain(&output[output.len().saturating_sub(100)..]).ends_with(end)
}
