//! Lists of what costs most: printed as lines, and as tables fed by real sources, whichever
//! socket they come from.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helper")]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deckwatch::app::{App, Effect, Msg, Now};
use deckwatch::clock;
use deckwatch::codec::level;
use deckwatch::codec::target::Target;
use deckwatch::demo::{Era, Switches};
use deckwatch::model::{FeedUpdate, LineBatch, LinkState, RawBatch, TargetId};
use deckwatch::source::{Lag, Outlet, Policy, Reconnect, Source};
use deckwatch::view::{self, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::process::Signal;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::program::{SERVICE, messages, platform, program};
use crate::zmq::Publisher;

const PATIENCE: Duration = Duration::from_secs(60);

/// A table as the interface has it: its source is a real one.
struct Desk {
    app: App,
    _source: Source,
    feed: mpsc::Receiver<(TargetId, FeedUpdate)>,
    live: bool,
}

/// As the interface does it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an outlet gives its batch away"
)]
fn refine(batch: RawBatch) -> LineBatch {
    LineBatch::refine(&batch, level::detect)
}

fn now() -> Now {
    Now {
        mono: clock::now().into_std(),
        wall: clock::wall(),
    }
}

impl Desk {
    fn open(url: &str) -> Self {
        let target = Target::parse(url).unwrap();
        let area = Rect::new(0, 0, 120, 12);
        let mut app = App::new(vec![target], false, 1 << 20, area, now());
        assert_eq!(app.tables.len(), 1, "{url} is a table");
        let opened = app.take_wishes().into_iter().find_map(|wish| match wish {
            Effect::Open(id, target) => Some((id, target)),
            _ => None,
        });
        let (id, target) = opened.unwrap();
        // As many as the interface lets wait.
        let (sender, feed) = mpsc::channel(64);
        let outlet = Outlet::new(id, sender, refine, Lag::Drop(4 << 20));
        let policy = Policy {
            reconnect: Reconnect::Patient,
            follow: true,
            seed: 1,
        };
        Self {
            app,
            _source: Source::start(&target, policy, outlet),
            feed,
            live: false,
        }
    }

    /// The next thing that the source says.
    async fn next(&mut self) {
        let (id, update) = self.feed.recv().await.unwrap();
        self.live |= matches!(update, FeedUpdate::State(LinkState::Live));
        drop(self.app.update(Msg::Feed(id, update), now()));
    }

    async fn until_live(&mut self) {
        let wait = async {
            while !self.live {
                self.next().await;
            }
        };
        timeout(PATIENCE, wait).await.unwrap();
    }

    /// The rows that are shown: keys and how often, in their order.
    fn rows(&self) -> Vec<(String, u64)> {
        let table = self.app.tables.values().next().unwrap();
        let rows = table.rows(None, now().mono).into_iter();
        rows.map(|row| (row.key.clone(), row.count)).collect()
    }

    async fn until_rows(&mut self, want: &[(&str, u64)]) {
        let want: Vec<(String, u64)> = want
            .iter()
            .map(|(key, count)| ((*key).to_owned(), *count))
            .collect();
        let wait = async {
            while self.rows() != want {
                self.next().await;
            }
        };
        let waited = timeout(PATIENCE, wait).await.is_ok();
        assert!(waited, "{want:?} did not come: {:?}", self.rows());
        let table = self.app.tables.values().next().unwrap();
        assert_eq!((table.strange, table.unreadable), (0, 0));
        let screen = self.screen();
        for (key, count) in &want {
            let row = screen.iter().find(|row| row.contains(key.as_str()));
            let row = row.unwrap_or_else(|| panic!("{key} is not in {screen:?}"));
            assert!(row.contains(&count.to_string()), "{row}");
        }
    }

    fn screen(&self) -> Vec<String> {
        let theme = Theme::find("dark", None).unwrap();
        let mut buf = Buffer::empty(self.app.area);
        view::render(&self.app, &theme, self.app.area, &mut buf);
        let row = |y: u16| {
            let cells = (0..buf.area.width).map(|x| buf[(x, y)].symbol());
            // What a wide character covers is empty.
            cells.filter(|cell| *cell != " ").collect::<String>()
        };
        (0..buf.area.height).map(row).collect()
    }
}

/// The old form's rows: every member is a text.
fn old_rows(name: &str, rows: &[(&str, u32)]) -> String {
    let rows = rows.iter().map(|(key, count)| {
        let sum = (count * 10).to_string();
        json!({name: key, "sumtime": sum, "avgtime": "10.00", "counts": count.to_string()})
    });
    rows.collect::<serde_json::Value>().to_string()
}

/// The new form's rows.
fn new_rows(service: &str, rows: &[(&str, u32)]) -> String {
    let rows = rows.iter().map(|(key, count)| {
        json!({"ServiceID": service, "Port": "8080", "HostName": "h", "MessageType": "http",
            "Key": key, "CumulativeTime": f64::from(*count) * 10.0, "AverageTime": 10.0,
            "MaxTime": 12.5, "Count": count, "AbnormalCount": 0})
    });
    rows.collect::<serde_json::Value>().to_string()
}

/// The cluster's message around a frame of the old form.
fn packed(frame: &str) -> String {
    let data = STANDARD.encode(frame);
    json!({"event_id": "t.s.statistic", "step": "", "status": "", "message": "", "level": "",
        "time": "", "monitorData": data})
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_libzmq_publishes_is_printed_and_is_a_table() {
    let urls = old_rows("url", &[("/api/支付", 31), ("/api/orders", 7)]);
    let ceptop = format!("\n2026-11-24 11:33:34 APPS SumTimeByUrl {urls}\n");
    let frame = format!(r#"{{"name":"SumTimeByUrl","data":{urls},"update_time":"3:04PM"}}"#);
    let old = packed(&frame);
    let new = new_rows(SERVICE, &[("/api/支付", 31), ("/api/orders", 7)]);
    for (rest, mode, body) in [
        ("#ceptop", "ceptop", &ceptop),
        ("?layout=ceptop2#ceptop", "ceptop", &ceptop),
        ("#monitor_message", "monitor_message", &old),
        ("?layout=cluster2#monitor_message", "monitor_message", &old),
        ("#new_monitor_message", "new_monitor_message", &new),
        (
            "?layout=cluster2#new_monitor_message",
            "new_monitor_message",
            &new,
        ),
    ] {
        let publisher = Publisher::new();
        let url = publisher.url(rest);
        let run = program(["logs", "-f", "-o", "json", "--max-lines", "1", &url]).start();
        let mut desk = Desk::open(&url);
        publisher.subscribed(2);
        publisher.send(&[mode.as_bytes(), body.as_bytes()]);
        let rows = run.end().await.expect(0).json();
        assert_eq!(messages(&rows), [body.trim()], "{url}");
        desk.until_rows(&[("/api/支付", 31), ("/api/orders", 7)])
            .await;
        // Each list replaces the one before.
        let next = body.replace("31", "45");
        let next = if body == &old {
            packed(&frame.replace("31", "45"))
        } else {
            next
        };
        publisher.send(&[mode.as_bytes(), next.as_bytes()]);
        desk.until_rows(&[("/api/支付", 45), ("/api/orders", 7)])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_lists_of_the_old_monitor_stand_in_one_table() {
    let publisher = Publisher::new();
    let mut desk = Desk::open(&publisher.url("#ceptop,monitor_message"));
    publisher.subscribed(2);
    let urls = old_rows("url", &[("/api/orders", 7)]);
    let statements = old_rows("sql", &[("SELECT 1", 9)]);
    let ceptop = format!("2026-11-24 11:33:34 APPS SumTimeByUrl {urls}");
    publisher.send(&[b"ceptop", ceptop.as_bytes()]);
    let frame = format!(r#"{{"name":"SumTimeBySql","data":{statements},"update_time":"3:04PM"}}"#);
    publisher.send(&[b"monitor_message", packed(&frame).as_bytes()]);
    let wait = async {
        while desk.rows().len() < 2 {
            desk.next().await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
    assert_eq!(
        desk.rows(),
        [("SELECT 1".to_owned(), 9), ("/api/orders".to_owned(), 7)]
    );
    // What is no list is counted, and changes nothing.
    publisher.send(&[b"monitor_message", b"{\"no\":\"list\"}"]);
    let wait = async {
        while desk.app.tables.values().all(|table| table.strange == 0) {
            desk.next().await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
    assert_eq!(desk.rows().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_monitor_is_a_table_by_its_own_socket_and_by_pubsub() {
    let platform = platform(Switches::default()).await;
    let own = format!("{}#{SERVICE}", platform.ws_url("/new_monitor_message"));
    let pubsub = platform.ws_url(&format!("/services/{SERVICE}/pubsub"));
    let pubsub = format!("{pubsub}#m-{SERVICE}");
    let first = new_rows(SERVICE, &[("/api/支付", 31), ("/api/orders", 7)]);
    platform.inject_monitor(SERVICE, first.as_bytes()).await;
    let mut desks = [Desk::open(&own), Desk::open(&pubsub)];
    // The last list is sent to whoever comes.
    for desk in &mut desks {
        desk.until_rows(&[("/api/支付", 31), ("/api/orders", 7)])
            .await;
    }
    let second = new_rows(SERVICE, &[("/api/orders", 50)]);
    platform.inject_monitor(SERVICE, second.as_bytes()).await;
    for desk in &mut desks {
        desk.until_rows(&[("/api/orders", 50)]).await;
    }
    for url in [&own, &pubsub] {
        let mut run = program(["logs", "-f", "-o", "json", url]).start();
        run.until_out("/api/orders").await;
        run.signal(Signal::INT);
        let rows = run.end().await.expect(130).json();
        let lines = messages(&rows);
        let row: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(row[0]["Count"], 50, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_monitor_is_a_table_too() {
    let platform = platform(Switches::of(Era::One)).await;
    let topic = "tenant.service.statistic";
    let url = format!("{}#{topic}", platform.ws_url("/monitor_message"));
    let mut desk = Desk::open(&url);
    desk.until_live().await;
    let urls = old_rows("url", &[("/api/支付", 31), ("/api/orders", 7)]);
    let frame = format!(r#"{{"name":"SumTimeByUrl","data":{urls},"update_time":"3:04PM"}}"#);
    // Who subscribes is told nothing: sent until it has come.
    let sending = async {
        loop {
            platform.inject_old_monitor(topic, frame.as_bytes()).await;
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = desk.until_rows(&[("/api/支付", 31), ("/api/orders", 7)]) => {}
        () = sending => {}
    }
    let table = desk.app.tables.values().next().unwrap();
    assert_eq!(table.updated(None, now().mono), ["3:04PM"]);
}
