//! The recordings of the real shell servers, played against the demo: the same requests and
//! frames, and the same answers.
//!
//! Everything is compared but, by rule:
//! - the date, and the body of pages in HTML;
//! - the host in titles;
//! - where the output of a shell is cut into messages: the pieces follow each other as the
//!   processes happened to write. Put together and without control sequences, which depend on the
//!   version of bash, it is the same, byte for byte. How each server cuts a message into frames
//!   is compared;
//! - what readline draws of a line of more than 1000 bytes, and after it: that depends on how its
//!   input arrives. How much of it arrives is compared;
//! - the middle of a burst, which the recordings leave out. Its length is compared;
//! - pings that come by the clock, which have a test of their own;
//! - what comes after the client's close frame, if the recorder had looked away;
//! - the servers' end by a signal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "test helper"
)]

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::demo::{Options, Platform, ShellServer, ShellSwitches, Switches};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::seat::{PATIENCE, Said, options};
use crate::raw_client::{BINARY, CLOSE, CONTINUATION, PING, PONG, RawClient, Seen, TEXT};

fn word<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or("")
}

fn bytes(row: &Value) -> Vec<u8> {
    STANDARD.decode(word(row, "b64")).unwrap()
}

fn opcode(word: &str) -> u8 {
    match word {
        "cont" => CONTINUATION,
        "text" => TEXT,
        "binary" => BINARY,
        "close" => CLOSE,
        "ping" => PING,
        "pong" => PONG,
        other => panic!("opcode {other}"),
    }
}

/// Text without control sequences and carriage returns.
fn plain(output: &[u8]) -> String {
    let mut out = Vec::new();
    let mut rest = output;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail.first()) {
            (0x1b, Some(b'[')) => {
                let end = tail.iter().skip(1).position(u8::is_ascii_alphabetic);
                rest = end.map_or(&[], |end| &tail[end + 2..]);
            }
            (b'\r', _) => {}
            (byte, _) => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// How a server cuts its messages, see protocols.md 9.1.2; true of the recording and of us.
fn check_frame(server: ShellServer, fin: bool, op: u8, length: usize, about: &str) {
    match server {
        ShellServer::Sorenisanerd => assert!(fin && length <= 1021, "{about}"),
        ShellServer::Ttyd => assert!(fin, "{about}"),
        _ if op == CONTINUATION => assert!(fin && length <= 345, "{about}"),
        _ => assert!(length <= 1024 && (fin || length == 1024), "{about}"),
    }
}

/// Puts frames together, and output apart.
#[derive(Default)]
struct Ear {
    open: Option<(u8, Vec<u8>)>,
    output: Vec<u8>,
    others: VecDeque<Said>,
}

impl Ear {
    fn hear(&mut self, server: ShellServer, (fin, op, payload): (bool, u8, Vec<u8>), about: &str) {
        if op >= 8 {
            if op != PING {
                self.others.push_back(Said::Control(op, payload));
            }
            return;
        }
        check_frame(server, fin, op, payload.len(), about);
        let (op, body) = match self.open.take() {
            Some((first, mut body)) => {
                assert_eq!(op, CONTINUATION, "{about}");
                body.extend(payload);
                (first, body)
            }
            None => (op, payload),
        };
        if !fin {
            self.open = Some((op, body));
            return;
        }
        let kind = match server {
            ShellServer::Gotty1 | ShellServer::Ttyd => b'0',
            _ => b'1',
        };
        match body.split_first() {
            Some((first, raw)) if *first == kind && server == ShellServer::Ttyd => {
                self.output.extend_from_slice(raw);
            }
            Some((first, base64)) if *first == kind => {
                self.output.extend(STANDARD.decode(base64).unwrap());
            }
            _ => self.others.push_back(Said::Message(op, body)),
        }
    }
}

struct Conn {
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

struct Player {
    server: ShellServer,
    platform: Platform,
    conns: BTreeMap<String, Conn>,
    /// Those that another one of the same name has replaced, or that are left alone.
    put_away: Vec<Conn>,
    compared: BTreeMap<&'static str, usize>,
}

impl Player {
    async fn connect(&mut self, row: &Value) {
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

    async fn response(&mut self, row: &Value) {
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

    async fn say(&mut self, row: &Value) {
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

    fn expect(&mut self, row: &Value) {
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

    async fn end(&mut self, row: &Value) {
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
    async fn finish(mut self) -> BTreeMap<&'static str, usize> {
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
                        panic!("{seen:?}");
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
        let mut arrived: Vec<u64> = self.platform.shells().iter().map(|one| one.input).collect();
        arrived.retain(|input| *input > 0);
        inputs.retain(|input| *input > 0);
        arrived.sort_unstable();
        inputs.sort_unstable();
        // A shell that was read-only, and what came after an end, has none.
        if !self.platform.switches().shell.read_only && self.server != ShellServer::Platform {
            assert_eq!(arrived, inputs);
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

fn server_of(name: &str) -> ShellServer {
    match name.split('-').next().unwrap() {
        "webcli" => ShellServer::Platform,
        "gotty1" => ShellServer::Gotty1,
        "gotty2" => ShellServer::Gotty2,
        "gottysor" => ShellServer::Sorenisanerd,
        "ttyd" => ShellServer::Ttyd,
        other => panic!("{other}"),
    }
}

/// The platform as the recorded server was started.
fn settings(name: &str, cmdline: &str) -> Options {
    let server = server_of(name);
    let has = |flag: &str| cmdline.split(' ').any(|word| word == flag);
    let ttyd = server == ShellServer::Ttyd;
    let shell = ShellSwitches {
        read_only: !has("-w") && !has("-W") && server != ShellServer::Platform,
        permit_arguments: has("--permit-arguments") || (ttyd && has("-a")),
        reconnect: has("--reconnect").then_some(7),
        max_connections: (has("--max-connection") || has("-m")).then_some(1),
        once: has("--once") || has("-o"),
        patience: Duration::from_millis(3500),
        ..ShellSwitches::default()
    };
    let command = match name {
        // It compares what a pod's own shell calls itself.
        "webcli-init" => vec!["/bin/sh"],
        _ => vec!["bash", "--norc", "--noprofile"],
    };
    Options {
        shell: command.into_iter().map(str::to_owned).collect(),
        credential: has("-c").then(|| "user:pass".to_owned()),
        pods: [
            "pod-0",
            "sh-0",
            "slow-1795485268",
            "noexec-0",
            "dbg-1795485281",
            "pending-0",
        ]
        .map(str::to_owned)
        .to_vec(),
        switches: Switches {
            shell,
            ..Switches::default()
        },
        ..options()
    }
}

async fn play(name: &str) -> BTreeMap<&'static str, usize> {
    let path = format!(
        "{}/tests/transcripts/{name}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Value> = text
        .split('\n')
        .filter(|row| !row.is_empty())
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    let cmdline = word(&rows[0]["meta"], "cmdline");
    let mut player = Player {
        server: server_of(name),
        platform: Platform::start(settings(name, cmdline)).await.unwrap(),
        conns: BTreeMap::new(),
        put_away: Vec::new(),
        compared: BTreeMap::new(),
    };
    let mut burst = None;
    for row in &rows {
        if word(row, "http") == "request" {
            player.connect(row).await;
        } else if word(row, "http") == "response" {
            player.response(row).await;
        } else if word(row, "dir") == "c>s" {
            if let Some(total) = burst.take() {
                let conn = player.conns.get_mut(word(row, "conn")).unwrap();
                until_total(conn, player.server, total).await;
            }
            player.say(row).await;
        } else if word(row, "dir") == "s>c" {
            player.expect(row);
        } else if word(row, "note") == "tcp EOF from server" {
            player.end(row).await;
        } else if word(row, "note") == "burst totals" {
            burst = row["decoded_bytes"].as_u64();
        }
    }
    player.finish().await
}

/// The recording counts a burst from its command on.
async fn until_total(conn: &mut Conn, server: ShellServer, total: u64) {
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

/// Plays a recording, and counts what was compared, so that a row that is skipped is seen.
async fn says(name: &str, http: usize, message: usize, end: usize) {
    let compared = play(name).await;
    let of = |what| compared.get(what).copied().unwrap_or(0);
    assert_eq!(
        (of("http"), of("message"), of("end")),
        (http, message, end),
        "{name}"
    );
}

#[tokio::test]
async fn gotty_1_says_what_the_real_one_said() {
    tokio::join!(
        says("gotty1-auth", 9, 5, 4),
        says("gotty1-basic", 2, 4, 1),
        says("gotty1-burst", 1, 3, 1),
        says("gotty1-exit", 5, 10, 4),
        says("gotty1-idle", 1, 2, 0),
        says("gotty1-max1", 3, 3, 1),
        says("gotty1-once", 1, 3, 1),
        says("gotty1-permitargs", 1, 3, 1),
        says("gotty1-readonly", 1, 4, 1),
        says("gotty1-shortcmd", 30, 60, 30),
    );
}

#[tokio::test]
async fn gotty_2_says_what_the_real_one_said() {
    tokio::join!(
        says("gotty2-auth", 9, 3, 4),
        says("gotty2-basic", 3, 3, 0),
        says("gotty2-burst", 1, 2, 1),
        says("gotty2-closing", 2, 3, 2),
        says("gotty2-exit", 5, 5, 4),
        says("gotty2-max1", 3, 3, 1),
        says("gotty2-once", 2, 2, 1),
        says("gotty2-permitargs", 1, 2, 1),
        says("gotty2-readonly", 1, 3, 1),
        says("gotty2-shortcmd", 30, 30, 30),
    );
}

#[tokio::test]
async fn sorenisanerds_gotty_says_what_the_real_one_said() {
    tokio::join!(
        says("gottysor-auth", 9, 5, 4),
        says("gottysor-basic", 3, 4, 1),
        says("gottysor-burst", 1, 3, 1),
        says("gottysor-exit", 5, 10, 4),
        says("gottysor-max1", 3, 5, 1),
        says("gottysor-once", 2, 3, 1),
        says("gottysor-permitargs", 1, 3, 1),
        says("gottysor-readonly", 1, 4, 1),
        says("gottysor-shortcmd", 30, 60, 30),
    );
}

#[tokio::test]
async fn ttyd_says_what_the_real_one_said() {
    tokio::join!(
        says("ttyd-auth", 9, 6, 1),
        says("ttyd-basic", 2, 4, 1),
        says("ttyd-burst", 1, 3, 1),
        says("ttyd-exit", 5, 10, 4),
        says("ttyd-idle", 1, 2, 0),
        says("ttyd-max1", 3, 5, 1),
        says("ttyd-once", 2, 3, 1),
        says("ttyd-readonly", 1, 4, 1),
        says("ttyd-shortcmd", 60, 60, 30),
    );
}

#[tokio::test]
async fn the_platform_says_what_the_real_one_said() {
    tokio::join!(
        says("webcli-basic", 1, 4, 0),
        says("webcli-burst", 1, 3, 0),
        says("webcli-closing", 2, 6, 0),
        says("webcli-exit", 5, 14, 0),
        says("webcli-idle", 1, 2, 0),
        says("webcli-init", 17, 22, 5),
        says("webcli-reconnect", 40, 80, 0),
    );
}
