//! A real Prometheus beside the demo's own: it scrapes the demo's page, or is given the demo's
//! samples, and is asked what the platform's pages ask. Both must say the same.

#![expect(clippy::indexing_slicing, reason = "test helpers")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use deckwatch::demo::{Options, Platform};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Server, free_port, start};

/// A page of a server on loopback: its status, its body.
pub(super) async fn get(port: u16, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    (status.parse().unwrap(), body.to_owned())
}

/// Where queries are answered.
#[derive(Clone, Copy)]
pub(super) struct Api<'a> {
    pub(super) port: u16,
    pub(super) prefix: &'a str,
}

impl Api<'_> {
    pub(super) async fn ask(self, path: &str, query: &str, more: &str) -> (u16, Value) {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let path = format!("{}/api/v1/{path}?query={query}{more}", self.prefix);
        let (status, body) = get(self.port, &path).await;
        (status, serde_json::from_str(&body).unwrap())
    }

    /// The `data` of what must be answered.
    pub(super) async fn data(self, path: &str, query: &str, more: &str) -> Value {
        let (status, answer) = self.ask(path, query, more).await;
        assert_eq!(
            (status, &answer["status"]),
            (200, &"success".into()),
            "{query}: {answer}"
        );
        answer["data"].clone()
    }

    /// Every sample of some series in the last minutes: labels, and times with values.
    pub(super) async fn samples(self, query: &str, more: &str) -> Raw {
        let data = self.data("query", query, more).await;
        assert_eq!(data["resultType"], "matrix");
        let rows = data["result"].as_array().unwrap();
        let samples = |row: &Value| {
            let values = row["values"].as_array().unwrap().iter();
            values
                .map(|pair| (pair[0].as_f64().unwrap(), number(&pair[1])))
                .collect()
        };
        rows.iter().map(|row| (labels(row), samples(row))).collect()
    }
}

/// Series with their samples.
pub(super) type Raw = BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>>;

pub(super) fn labels(row: &Value) -> BTreeMap<String, String> {
    let members = row["metric"].as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    members
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Scrapes a platform on this port each second.
pub(super) fn scraping(port: u16) -> String {
    format!(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n- job_name: demo\n  metrics_path: /p/metrics\n  \
         static_configs:\n  - targets: ['127.0.0.1:{port}']\n  metric_relabel_configs:\n  \
         - regex: instance|job\n    action: labeldrop\n"
    )
}

/// Prometheus over a folder, with this configuration.
pub(super) async fn prometheus(folder: &Path, config: &str) -> (Server, u16) {
    let file = folder.join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let port = free_port();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--log.level=error", "--query.lookback-delta=5m"])
        .current_dir(folder);
    let server = start(command, port).await;
    until("it is ready", async || get(port, "/-/ready").await.0 == 200).await;
    (server, port)
}

/// Waits for something.
pub(super) async fn until(what: &str, mut test: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if test().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("in a minute not: {what}");
}

pub(super) async fn open_shop() -> Platform {
    let options = Options {
        zmq: false,
        prefix: Some("/p".into()),
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// What the platform's pages ask of a component, 2017's among it (protocols.md 3.5).
fn table(id: &str, app: &str, name: &str) -> Vec<String> {
    let pods = format!(r#"pod=~".*{app}-{name}.*",container="{name}",namespace="shop""#);
    let net = format!(r#"pod=~".*{app}-{name}.*",namespace="shop""#);
    vec![
        format!(r#"ceil(avg(app_requesttime{{mode="avg",service_id="{id}"}}))"#),
        format!(r#"sum(ceil(increase(app_request{{service_id="{id}",method="total"}}[1m])/12))"#),
        format!(r#"max(app_requestclient{{service_id="{id}"}})"#),
        format!("sum(container_memory_rss{{{pods}}}) by (pod,namespace) / 1024 / 1024"),
        format!(
            "sum(irate(container_cpu_usage_seconds_total{{{pods}}}[5m])) by (pod,namespace) * 1000"
        ),
        format!(
            "sum(rate(container_network_receive_bytes_total{{{net}}}[1m])) by (pod,namespace) / 1024"
        ),
        format!(
            "sum(rate(container_network_transmit_bytes_total{{{net}}}[1m])) by (pod,namespace) / 1024"
        ),
        format!(r#"app_resource_appfs{{service_id="{id}"}}"#),
        format!(r#"app_resource_appmemory{{service_id="{id}"}}"#),
        format!(
            r#"sum(container_memory_rss{{namespace="shop", pod=~"^{app}-.*", container!=""}}) by (pod)"#
        ),
        format!(
            r#"avg(app_client_requesttime{{service_id=~"{id}|none",client=~"public|10421.*"}}) by (service_id,client)"#
        ),
        format!(
            r#"sum(ceil(increase(app_client_request{{service_id=~"{id}|none",client=~"public|10421.*"}}[1m])/12)) by (service_id,client)"#
        ),
        format!(r#"sum(app_requesttime{{service_id="{id}",mode="avg"}})"#),
        format!(r#"sum(rate(app_request{{service_id="{id}",method="total"}}[15s]))"#),
        format!(r#"sum(rate(app_request{{service_id="{id}",method="total"}}[30s]))"#),
        format!(r#"sum(app_requestclient{{service_id="{id}"}})"#),
    ]
}

/// What neither takes; the first is the page's own string for what goes out.
const BROKEN: [&str; 12] = [
    "sum(rate(container_network_transmit_bytes_total{namespace=\"shop\"}[1m]) by (pod,namespace) / 1024",
    "",
    "sum(app_request))",
    "app_request{service_id=1}",
    "app_request{service_id=\"}",
    "rate(app_request)",
    "ceil(app_request[5m])",
    "app_request[5]",
    "nothing(app_request)",
    "{}",
    "1 > 2",
    "app_request{service_id=~\"(\"}",
];

/// What an answer looks like: its type, and the labels of each series.
fn shape(data: &Value) -> (String, Vec<BTreeMap<String, String>>) {
    let rows = data["result"].as_array().unwrap();
    let mut all: Vec<_> = rows.iter().map(labels).collect();
    all.sort();
    (data["resultType"].as_str().unwrap().to_owned(), all)
}

#[tokio::test]
async fn a_real_prometheus_scrapes_the_demo_and_answers_as_it_does() {
    let platform = open_shop().await;
    let demo = Api {
        port: platform.http_addr().port(),
        prefix: "/p",
    };
    let folder = tempfile::tempdir().unwrap();
    let (_server, port) = prometheus(folder.path(), &scraping(demo.port)).await;
    let real = Api { port, prefix: "" };
    until("twelve scrapes", async || {
        let data = real
            .data("query", "min(count_over_time(app_request[2m]))", "")
            .await;
        data["result"]
            .get(0)
            .is_some_and(|row| number(&row["value"][1]) >= 12.0)
    })
    .await;
    let up = real.data("query", "up", "").await;
    assert_eq!(up["result"][0]["value"][1], "1");
    for (app, name) in [
        ("store", "gateway"),
        ("store", "order-center"),
        ("growth", "search"),
    ] {
        let id = platform.service_id(name).unwrap();
        for query in table(&id, app, name) {
            let (ours, theirs) = (
                demo.data("query", &query, ""),
                real.data("query", &query, ""),
            );
            let (ours, theirs) = tokio::join!(ours, theirs);
            assert_eq!(shape(&ours), shape(&theirs), "{query}");
            let now = theirs["result"]
                .get(0)
                .map(|row| row["value"][0].as_f64().unwrap());
            let Some(now) = now else { continue };
            let span = format!("&start={}&end={now}&step=1", now - 3.0);
            let ours = demo.data("query_range", &query, &span).await;
            let theirs = real.data("query_range", &query, &span).await;
            assert_eq!(shape(&ours), shape(&theirs), "{query}");
        }
    }
    for query in BROKEN {
        for api in [demo, real] {
            let (status, answer) = api.ask("query", query, "").await;
            assert_eq!(
                (status, &answer["errorType"]),
                (400, &"bad_data".into()),
                "{query}"
            );
        }
    }
    // Whatever was scraped was the demo's newest value, but for what changed in that moment.
    let all = r#"{__name__=~"container_.*|app_.*"}[2m]"#;
    let theirs = real.samples(all, "").await;
    let ours = demo.samples(all, "").await;
    assert_eq!(
        theirs.keys().collect::<Vec<_>>(),
        ours.keys().collect::<Vec<_>>()
    );
    for (labels, samples) in theirs {
        let own = &ours[&labels];
        for (at, value) in samples {
            let before = own.iter().rev().find(|(own, _)| *own <= at);
            let after = own.iter().find(|(own, _)| *own > at && *own < at + 1.0);
            let known = [before, after].into_iter().flatten();
            let known: BTreeSet<u64> = known.map(|(_, value)| value.to_bits()).collect();
            assert!(
                known.contains(&value.to_bits()),
                "{labels:?} {value} at {at}: {own:?}"
            );
        }
    }
}

/// More of what operators may write.
const MORE: [&str; 24] = [
    "rate(app_request[1m])",
    "rate(app_request[47s])",
    "increase(app_request[2m])",
    "irate(app_request[30s])",
    "sum(rate(app_request[1m])) by (service_id) / sum(increase(app_request[1m])) by (service_id)",
    "app_requesttime / on(service_id) app_requestclient",
    "app_requesttime{mode=\"avg\"} > 40",
    "app_requesttime > bool 40",
    "100 < app_requesttime * 2",
    "topk(2, container_memory_rss)",
    "bottomk(1, container_memory_rss) by (namespace)",
    "avg without (pod) (container_memory_rss)",
    "count(container_memory_rss) by (container)",
    "min(container_memory_rss{container!~\"mesh|search\"})",
    "max by () (app_requestclient)",
    "avg_over_time(app_requesttime[1m])",
    "max_over_time(app_requesttime[2m]) - min_over_time(app_requesttime[2m])",
    "sum_over_time(app_requestclient[1m]) / count_over_time(app_requestclient[1m])",
    "floor(app_requesttime) + on(service_id) abs(-app_requestclient % 7) ^ 2",
    "-2 ^ 2 + 10 % 4 - 1e1 / 0x10",
    "0 / 0",
    "app_requestclient / (app_requestclient - app_requestclient)",
    "app_resource_appfs == app_resource_appfs",
    "container_network_receive_bytes_total / ignoring(none) container_network_transmit_bytes_total",
];

/// The demo's samples as text that `promtool` reads.
fn written(all: &Raw) -> String {
    let mut out = String::new();
    for (labels, samples) in all {
        let own = labels.iter().filter(|(name, _)| *name != "__name__");
        let own: Vec<_> = own
            .map(|(name, value)| format!("{name}={value:?}"))
            .collect();
        for (at, value) in samples {
            let name = &labels["__name__"];
            writeln!(out, "{name}{{{}}} {value} {at:.3}", own.join(",")).unwrap();
        }
    }
    out + "# EOF\n"
}

/// Gives the Prometheus that will run in a folder these samples as its past.
pub(super) fn backfill(folder: &Path, samples: &Raw) {
    let text = folder.join("samples.om");
    std::fs::write(&text, written(samples)).unwrap();
    let mut promtool = Command::new("promtool");
    promtool
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(&text)
        .arg(folder.join("data"))
        .stdout(Stdio::null());
    assert!(promtool.status().unwrap().success());
}

/// Both answers must be the same, numbers up to their last digits.
fn compare(query: &str, ours: &Value, theirs: &Value) {
    assert_eq!(ours["resultType"], theirs["resultType"], "{query}");
    let rows = |data: &Value| -> Raw {
        let rows = data["result"].as_array().unwrap();
        let pairs = |row: &Value| {
            let values = row["values"].as_array().unwrap().iter();
            values
                .map(|pair| (pair[0].as_f64().unwrap(), number(&pair[1])))
                .collect()
        };
        rows.iter().map(|row| (labels(row), pairs(row))).collect()
    };
    let (ours, theirs) = (rows(ours), rows(theirs));
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>(),
        "{query}"
    );
    for (labels, own) in &ours {
        let other = &theirs[labels];
        assert_eq!(own.len(), other.len(), "{query} {labels:?}");
        for (own, other) in own.iter().zip(other) {
            let near = (own.1 - other.1).abs() <= 1e-9 * other.1.abs();
            let same = near
                || own.1.to_bits() == other.1.to_bits()
                || (own.1.is_nan() && other.1.is_nan());
            assert!(
                same && (own.0 - other.0).abs() < 1e-6,
                "{query} {labels:?}: {own:?} {other:?}"
            );
        }
    }
}

#[tokio::test]
async fn of_the_same_samples_both_make_the_same() {
    let platform = open_shop().await;
    let demo = Api {
        port: platform.http_addr().port(),
        prefix: "/p",
    };
    let folder = tempfile::tempdir().unwrap();
    let all = r#"{__name__=~"container_.*|app_.*"}[30m]"#;
    let samples = demo.samples(all, "").await;
    let first = samples.values().filter_map(|own| own.first());
    let first = first.fold(f64::MAX, |first, (at, _)| first.min(*at));
    backfill(folder.path(), &samples);
    let (_server, port) = prometheus(folder.path(), "global: {}\n").await;
    let real = Api { port, prefix: "" };
    let id = platform.service_id("order-center").unwrap();
    let own = table(&id, "store", "order-center");
    // The calm before the opening, its beginning among it, and half a minute of the shop: a
    // container that dies later has a mark that no text can tell.
    let (start, end) = (first - 60.0, first + 15.0 * 60.0 + 35.0);
    let span = format!("&start={start:.3}&end={end:.3}&step=7");
    for query in own.iter().map(String::as_str).chain(MORE) {
        let ours = demo.data("query_range", query, &span).await;
        let theirs = real.data("query_range", query, &span).await;
        compare(query, &ours, &theirs);
        let rows = ours["result"].as_array().unwrap();
        assert!(!rows.is_empty(), "{query} is empty");
    }
}
