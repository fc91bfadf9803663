//! The recordings of the shell servers, taken apart into connections, each with a reason if it
//! can't be played. Read without the program's own codecs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::demo::ShellServer as Server;
use serde_json::Value;

use crate::playback::recording::{Frame, bytes, opcode, rows, word};
use crate::raw_client::{CLOSE, CONTINUATION};

/// What happened on a connection, in order.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The server said this.
    Says(Vec<Frame>),
    /// The user typed.
    Types(Vec<u8>),
    /// The terminal got a size.
    Resizes(u16, u16),
    /// The client closed.
    Closes,
}

/// What a server answered to the upgrade.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// 101, with this head.
    Upgrades(String),
    /// This, and no upgrade.
    Refuses(Vec<u8>),
    /// It closed without a word.
    Hangs,
    /// Nobody listened any more.
    Gone,
}

/// One recorded WebSocket.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) name: String,
    pub(super) server: Server,
    /// Path and query of the request.
    pub(super) path: String,
    /// What the server was started with, as `user:password`.
    pub(super) credential: Option<String>,
    pub(super) login: Option<(String, String)>,
    pub(super) size: (u16, u16),
    pub(super) answer: Answer,
    /// The first message, if ours is to be the same.
    pub(super) hello: Option<Value>,
    pub(super) steps: Vec<Step>,
    /// The server closed TCP.
    pub(super) closed: bool,
    /// In what its client was another than ours.
    pub(super) rules: Vec<Rule>,
}

/// Why a connection is not played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Skip {
    /// It is no WebSocket; its pages are served to all.
    Page,
    /// Its client never said a first message: ours always does.
    NoHello,
    /// A payload of the server was not kept whole by the recorder.
    CutPayload,
}

/// What a recorded client did and ours never does. The server's side is played all the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Rule {
    /// Its first message was wrong on purpose; ours is right, and not compared.
    WrongHello,
    /// A message that ours never sends: empty, of no type, in pieces, of the wrong opcode.
    NeverSent,
    /// Input that ours sends in several messages.
    LongMessage,
    /// A size of nothing.
    NoSize,
    /// A ping of its own; the pong is played, and is one that nobody asked for.
    OwnPing,
    /// The recording leaves out the middle of a burst.
    Gap,
}

pub(super) fn server_of(file: &str) -> Server {
    match file.split('-').next().unwrap() {
        "webcli" => Server::Platform,
        "gotty1" => Server::Gotty1,
        "gotty2" => Server::Gotty2,
        "gottysor" => Server::Sorenisanerd,
        "ttyd" => Server::Ttyd,
        other => panic!("{other}"),
    }
}

/// The recordings, by file name.
pub(super) fn files() -> BTreeMap<String, Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("eventlog-") && path.extension().is_some_and(|end| end == "jsonl") {
            files.insert(name.trim_end_matches(".jsonl").to_owned(), rows(&path));
        }
    }
    files
}

/// What was recorded of a server's pages: by server, credential, path and authorization.
pub(super) type Recording = BTreeMap<(String, String, String, String), Vec<u8>>;

pub(super) fn pages(files: &BTreeMap<String, Vec<Value>>) -> Recording {
    let mut pages = Recording::new();
    for (file, rows) in files {
        let server = file.split('-').next().unwrap().to_owned();
        let credential = credential(rows).unwrap_or_default();
        let mut asked = None;
        for row in rows.iter().filter(|row| row["conn"] == "plain") {
            let text = String::from_utf8_lossy(&bytes(row)).into_owned();
            if row["http"] == "request" {
                let path = text.split(' ').nth(1).unwrap().to_owned();
                asked = Some((path, header(&text, "authorization").unwrap_or_default()));
            } else if let Some((path, authorization)) = asked.take() {
                let key = (server.clone(), credential.clone(), path, authorization);
                pages.insert(key, bytes(row));
            }
        }
    }
    pages
}

fn credential(rows: &[Value]) -> Option<String> {
    let mut words = word(&rows[0]["meta"], "cmdline").split(' ');
    words.find(|word| *word == "-c")?;
    words.next().map(str::to_owned)
}

pub(super) fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// The connections of a recording, each to be played or not.
pub(super) fn connections(file: &str, rows: &[Value]) -> Vec<(String, Result<Recorded, Skip>)> {
    // A name may be given to several connections, one after the other.
    let mut all: Vec<(String, Vec<&Value>)> = Vec::new();
    let mut refused = Vec::new();
    for row in rows {
        let gap = row["omitted"].is_number();
        if let Some(conn) = row["conn"].as_str() {
            let known = all.iter_mut().rfind(|(name, _)| name == conn);
            match known {
                Some((_, own)) if row["http"] != "request" => own.push(row),
                _ => all.push((conn.to_owned(), vec![row])),
            }
        } else if gap {
            all.last_mut().unwrap().1.push(row);
        } else if let Some((conn, _)) = word(row, "note").split_once(": ConnectionRefusedError") {
            refused.push(conn);
        }
    }
    let mut read: Vec<(String, Result<Recorded, Skip>)> = all
        .iter()
        .map(|(conn, own)| {
            let name = format!("{file} {conn}");
            (name.clone(), connection(file, name, rows, own))
        })
        .collect();
    for conn in refused {
        let mut gone = blank(file, format!("{file} {conn}"), rows);
        gone.answer = Answer::Gone;
        read.push((gone.name.clone(), Ok(gone)));
    }
    read
}

fn blank(file: &str, name: String, rows: &[Value]) -> Recorded {
    Recorded {
        name,
        server: server_of(file),
        path: "/ws".into(),
        credential: credential(rows),
        login: None,
        size: (80, 24),
        answer: Answer::Hangs,
        hello: None,
        steps: Vec::new(),
        closed: false,
        rules: Vec::new(),
    }
}

fn connection(file: &str, name: String, rows: &[Value], own: &[&Value]) -> Result<Recorded, Skip> {
    let mut recorded = blank(file, name, rows);
    let http = |kind: &str| own.iter().find(|row| row["http"] == kind);
    let request = String::from_utf8(bytes(http("request").unwrap())).unwrap();
    request
        .split(' ')
        .nth(1)
        .unwrap()
        .clone_into(&mut recorded.path);
    if header(&request, "upgrade").is_none() {
        return Err(Skip::Page);
    }
    recorded.login = header(&request, "authorization").map(|value| {
        let pair = STANDARD.decode(value.trim_start_matches("Basic ")).unwrap();
        pair_of(&String::from_utf8(pair).unwrap())
    });
    let answer = bytes(http("response").unwrap());
    let text = String::from_utf8_lossy(&answer).into_owned();
    recorded.answer = if text.trim().is_empty() {
        Answer::Hangs
    } else if text.starts_with("HTTP/1.1 101 ") {
        Answer::Upgrades(text)
    } else {
        Answer::Refuses(answer)
    };
    if !matches!(recorded.answer, Answer::Upgrades(_)) {
        return Ok(recorded);
    }
    let mut reader = Reader {
        recorded,
        greeted: false,
        torn: false,
    };
    for row in own {
        if reader.take(row)? {
            break;
        }
    }
    if reader.greeted {
        Ok(reader.recorded)
    } else {
        Err(Skip::NoHello)
    }
}

fn pair_of(text: &str) -> (String, String) {
    let (user, password) = text.split_once(':').unwrap();
    (user.to_owned(), password.to_owned())
}

struct Reader {
    recorded: Recorded,
    greeted: bool,
    /// After a gap, the rest of a message whose begin is left out.
    torn: bool,
}

impl Reader {
    /// True at the end of the connection.
    fn take(&mut self, row: &Value) -> Result<bool, Skip> {
        if row["omitted"].is_number() {
            self.rule(Rule::Gap);
            self.gap();
        } else if word(row, "note") == "tcp EOF from server" {
            self.recorded.closed = true;
            return Ok(true);
        } else if row["dir"] == "s>c" {
            self.says(row)?;
        } else if row["dir"] == "c>s" {
            let (op, body) = (word(row, "op"), bytes(row));
            match op {
                "close" => self.recorded.steps.push(Step::Closes),
                "ping" => self.rule(Rule::OwnPing),
                "pong" => {}
                _ if self.greeted => self.said(row, &body),
                _ => {
                    self.greeted = true;
                    self.hello(&body);
                }
            }
        }
        Ok(false)
    }

    fn rule(&mut self, rule: Rule) {
        if !self.recorded.rules.contains(&rule) {
            self.recorded.rules.push(rule);
        }
    }

    fn gap(&mut self) {
        self.torn = true;
        if let Some(Step::Says(frames)) = self.recorded.steps.last_mut() {
            while frames.last().is_some_and(|frame| !frame.fin) {
                frames.pop();
            }
        }
    }

    fn says(&mut self, row: &Value) -> Result<(), Skip> {
        if row["b64_is_prefix"] == true {
            return Err(Skip::CutPayload);
        }
        let frame = Frame {
            fin: row["fin"] == true,
            op: opcode(word(row, "op")),
            payload: bytes(row),
            batched: false,
        };
        if frame.op < CLOSE {
            self.torn &= frame.op == CONTINUATION;
            if self.torn {
                return Ok(());
            }
        }
        match self.recorded.steps.last_mut() {
            Some(Step::Says(frames)) => frames.push(frame),
            _ => self.recorded.steps.push(Step::Says(vec![frame])),
        }
        Ok(())
    }

    fn hello(&mut self, body: &[u8]) {
        let hello: Value = serde_json::from_slice(body).unwrap_or_default();
        let proper = match self.recorded.server {
            Server::Platform => hello["C_id"].is_string() && hello["Md5"] == sum(&hello).as_str(),
            Server::Ttyd => hello["columns"].is_number(),
            _ => hello["Arguments"].is_string(),
        };
        if let (Some(columns), Some(rows)) = (hello["columns"].as_u64(), hello["rows"].as_u64()) {
            self.recorded.size = (columns.try_into().unwrap(), rows.try_into().unwrap());
        }
        let token = word(&hello, "AuthToken");
        if !token.is_empty() && self.recorded.server != Server::Ttyd {
            self.recorded.login = Some(pair_of(token));
        }
        // A header with a password and a message without: ours has both or none.
        if !proper || token.is_empty() && self.recorded.login.is_some() {
            self.rule(Rule::WrongHello);
        }
        if self.recorded.server == Server::Platform && hello["C_id"].is_string() || proper {
            self.recorded.hello = Some(hello);
        }
    }

    fn said(&mut self, row: &Value, body: &[u8]) {
        let (input, ping, resize) = types(self.recorded.server);
        let binary = row["op"] == "binary";
        let strict = matches!(
            self.recorded.server,
            Server::Platform | Server::Gotty2 | Server::Sorenisanerd
        );
        let whole = row["fin"] == true && row["b64_is_prefix"] != true;
        match body.split_first() {
            Some((kind, typed)) if whole && !(binary && strict) => {
                if *kind == input && !typed.is_empty() {
                    if body.len() > 1001 {
                        self.rule(Rule::LongMessage);
                    }
                    self.recorded.steps.push(Step::Types(typed.to_vec()));
                } else if Some(*kind) == ping && typed.is_empty() {
                    self.rule(Rule::OwnPing);
                } else if let Some((columns, rows)) = size(typed).filter(|_| *kind == resize) {
                    if columns == 0 || rows == 0 {
                        self.rule(Rule::NoSize);
                    }
                    self.recorded.steps.push(Step::Resizes(columns, rows));
                } else {
                    self.rule(Rule::NeverSent);
                }
            }
            _ => self.rule(Rule::NeverSent),
        }
    }
}

/// Columns and rows.
pub(super) fn size(body: &[u8]) -> Option<(u16, u16)> {
    let size: Value = serde_json::from_slice(body).ok()?;
    let number = |name: &str| size[name].as_u64()?.try_into().ok();
    Some((number("columns")?, number("rows")?))
}

/// First bytes of a client's input, ping and size.
pub(super) fn types(server: Server) -> (u8, Option<u8>, u8) {
    match server {
        Server::Gotty1 => (b'0', Some(b'1'), b'2'),
        Server::Ttyd => (b'0', None, b'1'),
        _ => (b'1', Some(b'2'), b'3'),
    }
}

/// The platform's sum of three ids.
pub(super) fn sum(hello: &Value) -> String {
    use md5::{Digest, Md5};
    let text = ["T_id", "S_id", "C_id"].map(|name| word(hello, name));
    let sum = Md5::digest(text.join("_"))
        .iter()
        .fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    format!("{sum:032x}")
}
