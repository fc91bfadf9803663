//! Row 11 of docs/reliability.md: Autobahn's fuzzing server against our whole connection. A
//! release check: the server needs Python 2, which hardly a machine has any more.
//!
//!     virtualenv -p python2.7 ab && ab/bin/pip install autobahntestsuite==0.8.2
//!     WSTEST=ab/bin/wstest cargo test -- --ignored --nocapture long_autobahn

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use deckwatch::codec::Packet;
use deckwatch::model::way::Way;
use deckwatch::transport::LinkError;
use deckwatch::transport::ws::{Upgrade, WsConn};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use url::Url;

/// So many are excused: 75 and 4.
const EXCUSES: u32 = 79;

/// Cases that end otherwise than the suite wants, and why that is so.
fn excused(case: &str) -> Option<&'static str> {
    // Logs are bytes: what is no UTF-8 in a text message is shown as such and ends nothing
    // (protocols.md 6.1, 9).
    if case.starts_with("6.") {
        return Some("text that is no UTF-8 is taken");
    }
    // 4 MiB is the most that one message may bring (protocols.md 9).
    ["9.1.5", "9.1.6", "9.2.5", "9.2.6"]
        .contains(&case)
        .then_some("a message over 4 MiB is refused")
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn connect(url: &str) -> WsConn {
    let url = Url::parse(url).unwrap();
    let wish = Upgrade {
        url: &url,
        subprotocol: None,
        login: None,
        way: &Way::default(),
    };
    WsConn::upgrade(wish).await.unwrap()
}

/// Sends back what comes until the connection ends.
async fn echo(url: &str) {
    let mut connection = connect(url).await;
    loop {
        match connection.recv().await {
            Ok(packet @ (Packet::Text(_) | Packet::Binary(_))) => {
                if connection.send(packet).await.is_err() {
                    return;
                }
            }
            Ok(_) | Err(LinkError::Missing(_)) => {}
            Err(_) => return,
        }
    }
}

#[tokio::test]
#[ignore = "a release check: WSTEST=…/wstest cargo test -- --ignored long_autobahn"]
async fn long_autobahn() {
    let Some(wstest) = std::env::var_os("WSTEST") else {
        panic!("WSTEST names no wstest of autobahntestsuite 0.8.2")
    };
    let home = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let spec = serde_json::json!({
        "url": format!("ws://127.0.0.1:{port}"),
        "outdir": home.path().join("reports"),
        "cases": ["*"],
        // Compression, which we never offer.
        "exclude-cases": ["12.*", "13.*"],
        "exclude-agent-cases": {},
    });
    let file = home.path().join("spec.json");
    std::fs::write(&file, spec.to_string()).unwrap();
    let child = Command::new(wstest)
        .args(["-m", "fuzzingserver", "-s"])
        .arg(&file)
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    let _server = Server(child.unwrap());
    let base = format!("ws://127.0.0.1:{port}");
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        sleep(Duration::from_millis(100)).await;
    }
    let mut counted = connect(&format!("{base}/getCaseCount")).await;
    let Ok(Packet::Text(count)) = counted.recv().await else {
        panic!("no count of cases")
    };
    let count: u32 = std::str::from_utf8(&count).unwrap().parse().unwrap();
    for case in 1..=count {
        let url = format!("{base}/runCase?case={case}&agent=deckwatch");
        let ran = timeout(Duration::from_secs(120), echo(&url)).await;
        assert!(ran.is_ok(), "case number {case} does not end");
    }
    echo(&format!("{base}/updateReports?agent=deckwatch")).await;

    let index = std::fs::read(home.path().join("reports/index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let mut tally: BTreeMap<&str, u32> = BTreeMap::new();
    let (mut wrong, mut excuses) = (Vec::new(), 0);
    for (case, report) in index.pointer("/deckwatch").unwrap().as_object().unwrap() {
        let behavior = report.get("behavior").unwrap().as_str().unwrap();
        let close = report.get("behaviorClose").unwrap().as_str().unwrap();
        *tally.entry(behavior).or_default() += 1;
        let good = ["OK", "NON-STRICT", "INFORMATIONAL"];
        if good.contains(&behavior) && good.contains(&close) {
            continue;
        }
        match excused(case) {
            Some(why) => {
                println!("{case}: {behavior}, {close}: {why}");
                excuses += 1;
            }
            None => wrong.push(format!("{case}: {behavior}, close {close}")),
        }
    }
    println!("{count} cases: {tally:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(excuses, EXCUSES);
}
