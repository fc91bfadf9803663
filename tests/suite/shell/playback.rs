//! The recordings of the real shell servers, played to the client by a server that knows nothing
//! but bytes. What the client says is held against what the recorded client said, by meaning;
//! what it makes of the server against the recording. A further recording in
//! `tests/transcripts` is played too.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

mod expected;
mod heard;
mod pages;
mod player;
mod program;
mod recording;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use deckwatch::codec::target::Target;
use deckwatch::demo::ShellServer as Server;
use deckwatch::model::shell::{ShellExit, ShellUpdate};
use deckwatch::source::shell::{Control, Opening};
use deckwatch::text::redact::Secret;
use futures_util::{FutureExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use self::expected::{End, Expected};
use self::heard::{Heard, Takes};
use self::player::{MANNERS, Manner, Order, play};
use self::recording::{Answer, Recorded, Recording, Rule, Skip, Step, connections, files};
use super::desk::{Desk, dialect};
use crate::playback::recording::word;

/// What the client is told about who listens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hint {
    /// Nothing: pages, subprotocol and first message tell.
    None,
    /// `--dialect`.
    Said,
    /// An earlier connection told.
    Remembered,
}

/// The URL that leads to the recorded request and first message.
fn url(recorded: &Recorded, address: std::net::SocketAddr) -> String {
    let hello = recorded.hello.clone().unwrap_or_default();
    if recorded.server == Server::Platform {
        let or = |name: &str, other: &str| {
            let text = word(&hello, name);
            if text.is_empty() { other } else { text }.to_owned()
        };
        let (tenant, service) = (or("T_id", "ten"), or("S_id", "svc"));
        let pod = or("C_id", "pod-0");
        let mut query: Vec<String> = Vec::new();
        if !word(&hello, "namespace").is_empty() {
            query.push(format!("namespace={}", word(&hello, "namespace")));
        }
        if word(&hello, "mode") == "debug" {
            query.push("debug=true".into());
        }
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        let container = word(&hello, "containerName");
        let container = if container.is_empty() {
            String::new()
        } else {
            format!("/{container}")
        };
        return format!("ws://{address}/docker_console{query}#{tenant}/{service}/{pod}{container}");
    }
    let query = recorded.path.split_once('?').map(|(_, query)| query);
    match query {
        Some(query) => format!("http://{address}/?{query}"),
        None => format!("http://{address}/{}", word(&hello, "Arguments")),
    }
}

/// What the client made of it.
struct Got {
    told: Vec<ShellUpdate>,
    output: Vec<u8>,
}

async fn run(
    recorded: &Recorded,
    recording: &Recording,
    manner: Manner,
    hint: Hint,
) -> (Got, Option<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url(recorded, listener.local_addr().unwrap());
    let mut spec = Target::parse(&url).unwrap().shell().unwrap().clone();
    let dialect = Some(dialect(recorded.server));
    spec.dialect = dialect.filter(|_| hint == Hint::Said);
    let login = recorded.login.as_ref();
    let opening = Opening {
        spec,
        login: login.map(|(user, password)| (user.clone(), Secret::new(password))),
        remembered: dialect.filter(|_| hint == Hint::Remembered),
        size: recorded.size,
        way: Arc::default(),
    };
    let (sender, orders) = mpsc::channel(1);
    let server = if let Answer::Gone = recorded.answer {
        drop((listener, sender));
        None
    } else {
        let (recorded, recording) = (recorded.clone(), recording.clone());
        let server = play(listener, recorded, recording, manner, sender);
        Some(tokio::spawn(server))
    };
    let mut desk = Desk::with(opening);
    follow(&mut desk, orders, &Expected::of(recorded)).await;
    let got = Got {
        told: std::mem::take(&mut desk.told),
        output: std::mem::take(&mut desk.output),
    };
    desk.close().await;
    let heard = match server {
        Some(server) if upgrades(recorded, hint) => Some(server.await.unwrap()),
        Some(server) => {
            server.abort();
            None
        }
        None => None,
    };
    (got, heard)
}

/// Whether it comes to a WebSocket: pages that refuse the password keep the client from it.
fn upgrades(recorded: &Recorded, hint: Hint) -> bool {
    // With a password the pages are asked even of a server that is remembered.
    let asks = (hint != Hint::Remembered || recorded.login.is_some())
        && recorded.server != Server::Platform;
    let pair = recorded
        .login
        .as_ref()
        .map(|(user, password)| format!("{user}:{password}"));
    let right = recorded.credential.is_none() || recorded.credential == pair;
    matches!(recorded.answer, Answer::Upgrades(_)) && (right || !asks)
}

/// Does what is ordered until the shell is over, or to be closed and all has been shown.
async fn follow(desk: &mut Desk, mut orders: mpsc::Receiver<Order>, expected: &Expected) {
    let (mut ordered, mut closes) = (true, false);
    let name = expected.ready.map(ShellUpdate::Ready);
    while !matches!(desk.told.last(), Some(ShellUpdate::Ended(_))) {
        let known = name.as_ref().is_none_or(|name| desk.told.contains(name));
        if closes && known && desk.output.len() >= expected.output.len() {
            return;
        }
        tokio::select! {
            order = orders.recv(), if ordered => match order {
                Some(Order::Types(input)) => desk.types(input).await,
                Some(Order::Resizes(columns, rows)) => desk.tells(Control::Resized(columns, rows)),
                Some(Order::Closes) => (closes, ordered) = (true, false),
                None => ordered = false,
            },
            more = desk.more() => assert!(more, "{:?}", desk.told),
        }
    }
}

fn check(recorded: &Recorded, hint: Hint, manner: Manner, desk: &Got, heard: Option<&Heard>) {
    let about = format!("{} {manner:?} {hint:?}", recorded.name);
    let mut expected = Expected::of(recorded);
    if matches!(recorded.answer, Answer::Upgrades(_)) && !upgrades(recorded, hint) {
        let denied = deckwatch::model::FaultKind::Denied;
        expected.output.clear();
        expected.titles.clear();
        expected.ready = None;
        expected.end = End::Fault(denied, "401".into());
    }
    assert!(
        desk.output == expected.output,
        "{about}: {:?}\nwanted {:?}",
        String::from_utf8_lossy(&desk.output),
        String::from_utf8_lossy(&expected.output)
    );
    let mut titles = Vec::new();
    let mut ready = None;
    for told in &desk.told {
        match told {
            ShellUpdate::Title(title) => titles.push(title.as_str().to_owned()),
            ShellUpdate::Ready(server) => ready = Some(*server),
            ShellUpdate::Refused(bytes) => panic!("{about}: {bytes} refused"),
            _ => {}
        }
    }
    assert_eq!(titles, expected.titles, "{about}");
    assert_eq!(ready, expected.ready, "{about}");
    check_end(&expected.end, desk, &about);
    if let Some(heard) = heard {
        check_client(recorded, manner, hint, heard, &about);
    }
}

fn check_end(want: &End, desk: &Got, about: &str) {
    let got = match desk.told.last() {
        Some(ShellUpdate::Ended(end)) => Some(end),
        _ => None,
    };
    match (want, got.map(|end| &end.how)) {
        (End::Open, None)
        | (End::Exited, Some(ShellExit::Exited { failed: false, .. }))
        | (End::Lost, Some(ShellExit::Lost(_))) => {}
        (End::Fault(kind, words), Some(ShellExit::Fault(fault))) => {
            assert_eq!(fault.kind, *kind, "{about}: {fault}");
            assert!(fault.to_string().contains(words), "{about}: {fault}");
        }
        other => panic!("{about}: {other:?}"),
    }
    assert!(got.is_none_or(|end| end.unsent == 0), "{about}: {got:?}");
}

fn check_client(recorded: &Recorded, manner: Manner, hint: Hint, heard: &Heard, about: &str) {
    let start = format!("GET {} HTTP/1.1\r\n", recorded.path);
    assert!(
        heard.request.starts_with(&start),
        "{about}: {}",
        heard.request
    );
    let lower = heard.request.to_ascii_lowercase();
    assert!(lower.contains("sec-websocket-version: 13\r\n"), "{about}");
    assert!(!lower.contains("sec-websocket-extensions"), "{about}");
    assert!(!lower.contains("\norigin:"), "{about}");
    let hello: Value = serde_json::from_slice(heard.hello.as_deref().unwrap()).unwrap();
    if let (Some(want), false) = (&recorded.hello, recorded.rules.contains(&Rule::WrongHello)) {
        let mut want = want.clone();
        let members = want.as_object_mut().unwrap();
        if recorded.server == Server::Platform {
            members.entry("containerName").or_insert("".into());
            members.entry("namespace").or_insert("".into());
        }
        let exact = hint != Hint::None || recorded.server == Server::Platform;
        for (name, value) in members {
            assert_eq!(hello[name.as_str()], *value, "{about}: {name} of {hello}");
        }
        let count = want.as_object().unwrap().len();
        let own = hello.as_object().unwrap().len();
        assert!(own == count || !exact && own > count, "{about}: {hello}");
    }
    if manner == Manner::AtOnce {
        assert_eq!(heard.input, b"", "{about}");
        return;
    }
    // What was typed and sized before the end.
    let (mut takes, mut sizes) = (Takes::default(), vec![recorded.size]);
    for step in &recorded.steps {
        match step {
            Step::Types(input) => takes.typed.extend(input),
            Step::Resizes(columns, rows) => {
                if takes.size((*columns, *rows), recorded.size).is_some() {
                    sizes.push((*columns, *rows));
                }
            }
            Step::Says(_) => {}
            Step::Closes => break,
        }
    }
    let wanted = takes.sendable(recorded.server);
    assert!(
        heard.input == wanted,
        "{about}: {:?}",
        String::from_utf8_lossy(&heard.input)
    );
    // A shell that ends at its first words may be told no size.
    assert!(
        heard.sizes == sizes || sizes.len() == 1 && heard.sizes.is_empty(),
        "{about}: {:?} not {sizes:?}",
        heard.sizes
    );
}

/// Each recording in each manner, and as recorded with each hint; of recordings that say the
/// same again only as recorded.
fn runs(plays: &[Recorded]) -> Vec<(&Recorded, Manner, Hint)> {
    let mut seen = BTreeSet::new();
    let mut runs = Vec::new();
    for recorded in plays {
        runs.push((recorded, Manner::Recorded, Hint::None));
        let same = Recorded {
            name: String::new(),
            ..recorded.clone()
        };
        if let Answer::Upgrades(_) = same.answer {
            let key = format!("{:?} {:?} {:?}", same.server, same.login, same.steps);
            if !seen.insert(key) {
                continue;
            }
        }
        let others = MANNERS.iter().skip(1);
        runs.extend(others.map(|manner| (recorded, *manner, Hint::None)));
        runs.extend([Hint::Said, Hint::Remembered].map(|hint| (recorded, Manner::Recorded, hint)));
    }
    runs
}

/// Everything that can be played, and what can't.
fn all() -> (Vec<Recorded>, BTreeMap<Skip, usize>, Recording) {
    of(&files())
}

fn of(files: &BTreeMap<String, Vec<Value>>) -> (Vec<Recorded>, BTreeMap<Skip, usize>, Recording) {
    let recording = recording::pages(files);
    let (mut plays, mut skipped) = (Vec::new(), BTreeMap::new());
    for (file, rows) in files {
        for (_, connection) in connections(file, rows) {
            match connection {
                Ok(recorded) => plays.push(recorded),
                Err(why) => *skipped.entry(why).or_insert(0) += 1,
            }
        }
    }
    (plays, skipped, recording)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_shell_is_read_byte_for_byte_and_typed_into() {
    let (plays, _, recording) = all();
    let mut running = futures_util::stream::iter(runs(&plays))
        .map(|(recorded, manner, hint)| {
            let recording = &recording;
            let one = async move {
                let (desk, heard) = run(recorded, recording, manner, hint).await;
                check(recorded, hint, manner, &desk, heard.as_ref());
            };
            let about = format!("{} {manner:?} {hint:?}", recorded.name);
            AssertUnwindSafe(one)
                .catch_unwind()
                .map(move |done| done.err().map(|_| about))
        })
        .buffer_unordered(24);
    let mut failed = Vec::new();
    while let Some(done) = running.next().await {
        failed.extend(done);
    }
    assert_eq!(failed, Vec::<String>::new());
}

/// A connection that is left out, or whose client is not followed, is seen here. Further
/// recordings are played by the same rules and not counted.
#[test]
fn what_is_played_and_by_which_rules_is_counted() {
    let mut own = files();
    own.retain(|name, _| {
        let (server, scenario) = name.split_once('-').unwrap();
        OWN.iter()
            .any(|(known, all)| *known == server && all.split(' ').any(|one| one == scenario))
    });
    let (plays, skipped, _) = of(&own);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rules: BTreeMap<Rule, usize> = BTreeMap::new();
    for play in &plays {
        let kind = play.name.split('-').next().unwrap();
        *counts.entry(kind).or_default() += 1;
        for rule in &play.rules {
            *rules.entry(*rule).or_default() += 1;
        }
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let rules: Vec<_> = rules.into_iter().collect();
    let skipped: Vec<_> = skipped.into_iter().collect();
    assert_eq!(
        counts,
        [
            ("gotty1", 50),
            ("gotty2", 51),
            ("gottysor", 49),
            ("ttyd", 49),
            ("webcli", 66)
        ]
    );
    assert_eq!(
        rules,
        [
            (Rule::WrongHello, 9),
            (Rule::LongMessage, 5),
            (Rule::NoSize, 5),
            (Rule::OwnPing, 13),
            (Rule::Gap, 5)
        ]
    );
    assert_eq!(skipped, [(Skip::Page, 22), (Skip::NoHello, 31)]);
}

/// The recordings that this test was written with.
const OWN: [(&str, &str); 5] = [
    (
        "gotty1",
        "auth basic burst exit idle max1 once permitargs readonly shortcmd",
    ),
    (
        "gotty2",
        "auth basic burst closing exit max1 once permitargs readonly shortcmd",
    ),
    (
        "gottysor",
        "auth basic burst exit max1 once permitargs readonly shortcmd",
    ),
    (
        "ttyd",
        "auth basic burst exit idle max1 once readonly shortcmd",
    ),
    ("webcli", "basic burst closing exit idle init reconnect"),
];
