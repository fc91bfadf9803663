//! What is on the screen is what a real Prometheus measured. It scrapes the demo; a front gives
//! it the console's path, keeps each question, and hands all else to the demo. Afterwards the
//! same Prometheus is asked the same questions, and its own answers are the truth.

#![expect(clippy::indexing_slicing, reason = "test helpers")]

mod charts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deckwatch::demo::Platform;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Server;
use super::faulty::{Home, head, header};
use super::prometheus::{Api, backfill, labels, number, open_shop, prometheus, scraping};

/// What was asked for by the console's path.
#[derive(Clone, Debug)]
struct Question {
    /// The team in the path.
    team: String,
    query: String,
    start: String,
    end: String,
    step: String,
    /// Whether Prometheus took it.
    taken: bool,
}

/// A series of an answer: its labels, and its values by the millisecond.
type Line = (BTreeMap<String, String>, BTreeMap<i64, f64>);

/// The demo, a Prometheus that scrapes it, and the front before both.
struct Stand {
    platform: Platform,
    prometheus: u16,
    front: u16,
    asked: Arc<Mutex<Vec<Question>>>,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Stand {
    async fn start() -> Self {
        let platform = open_shop().await;
        let demo = Api {
            port: platform.http_addr().port(),
            prefix: "/p",
        };
        let folder = tempfile::tempdir().unwrap();
        // What was before is given, what comes is scraped.
        let samples = demo
            .samples(r#"{__name__=~"container_.*|app_.*"}[30m]"#, "")
            .await;
        backfill(folder.path(), &samples);
        let config = scraping(demo.port);
        let (server, prometheus) = prometheus(folder.path(), &config).await;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let front = listener.local_addr().unwrap().port();
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, demo.port, prometheus, Arc::clone(&kept)));
            }
        });
        Self {
            platform,
            prometheus,
            front,
            asked,
            _server: server,
            _folder: folder,
        }
    }

    fn server(&self) -> String {
        format!("http://127.0.0.1:{}/p", self.front)
    }

    /// The questions since the last time.
    fn questions(&self) -> Vec<Question> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// What Prometheus itself says.
    async fn truth(&self, query: &str, (start, end, step): (&str, &str, &str)) -> Vec<Line> {
        let real = Api {
            port: self.prometheus,
            prefix: "",
        };
        let span = format!("&start={start}&end={end}&step={step}");
        let data = real.data("query_range", query, &span).await;
        let rows = data["result"].as_array().unwrap().iter();
        let line = |row: &Value| {
            let values = row["values"].as_array().unwrap().iter();
            let values = values.map(|pair| (millis(pair[0].as_f64().unwrap()), number(&pair[1])));
            (labels(row), values.collect())
        };
        rows.map(line).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "times of this century")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

/// One connection, one request.
async fn serve(mut client: TcpStream, demo: u16, prometheus: u16, kept: Arc<Mutex<Vec<Question>>>) {
    let Some(head) = head(&mut client).await else {
        return;
    };
    let target = head.split(' ').nth(1).unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let name = path.rsplit_once("/monitor/").map(|(_, name)| name);
    if let Some(name @ ("query" | "query_range")) = name {
        let body = measured(prometheus, name, (path, query), &kept).await;
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        // A client that has left wants no answer.
        drop(client.write_all(answer.as_bytes()).await);
        return;
    }
    let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    client.read_exact(&mut body).await.unwrap();
    let mut behind = TcpStream::connect((Ipv4Addr::LOCALHOST, demo))
        .await
        .unwrap();
    let head = head.trim_end();
    let head = format!("{head}\r\nConnection: close\r\n\r\n");
    behind.write_all(head.as_bytes()).await.unwrap();
    behind.write_all(&body).await.unwrap();
    drop(tokio::io::copy(&mut behind, &mut client).await);
}

/// The console's envelope around Prometheus' answer; whatever goes wrong is an empty bean.
async fn measured(
    prometheus: u16,
    name: &str,
    (path, query): (&str, &str),
    kept: &Mutex<Vec<Question>>,
) -> String {
    let given: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect();
    let part = |name: &str| given.get(name).cloned().unwrap_or_default();
    let mut parts = path.split('/').skip_while(|part| *part != "teams");
    let mut question = Question {
        team: parts.nth(1).unwrap_or("").to_owned(),
        query: part("query"),
        start: part("start"),
        end: part("end"),
        step: part("step"),
        taken: false,
    };
    let real = Api {
        port: prometheus,
        prefix: "",
    };
    let mut more = String::new();
    for name in ["start", "end", "step", "time"] {
        if let Some(value) = given.get(name) {
            write!(more, "&{name}={value}").unwrap();
        }
    }
    // What is scraped up to the question's end must be there: later the answer is the same.
    if let Ok(end) = question.end.parse::<f64>() {
        scraped(real, end).await;
    }
    let (status, answer) = real.ask(name, &question.query, &more).await;
    question.taken = status == 200;
    let bean = if question.taken {
        answer["data"].to_string()
    } else {
        "{}".to_owned()
    };
    kept.lock().unwrap().push(question);
    format!(
        "{{\"code\":200,\"msg\":\"success\",\"msg_show\":\"查询成功\",\"data\":{{\"bean\":{bean},\"list\":[]}}}}"
    )
}

/// Waits until something was scraped at this time or later.
async fn scraped(real: Api<'_>, end: f64) {
    for _ in 0..1200 {
        let data = real.data("query", "timestamp(up)", "").await;
        let row = data["result"].get(0);
        if row.is_some_and(|row| number(&row["value"][1]) >= end) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing was scraped at {end} or later");
}

/// Equal but for the last digits.
fn near(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a - b).abs() <= 1e-9 * b.abs()
}

/// The columns of `top`, and what only their questions have in them.
const COLUMNS: [(&str, &str); 7] = [
    ("cpu", "container_cpu_usage_seconds_total"),
    ("memory", "container_memory_rss"),
    ("response_time", "app_requesttime"),
    ("throughput", "app_request{"),
    ("net_in", "container_network_receive_bytes_total"),
    ("net_out", "container_network_transmit_bytes_total"),
    ("online", "app_requestclient"),
];

/// The sum of a component's series at each step of the question; nothing where none has a value.
fn summed(lines: &[Line], question: &Question, own: impl Fn(&Line) -> bool) -> Vec<Option<f64>> {
    let at = |text: &str| millis(text.parse().unwrap());
    let (start, end, step) = (at(&question.start), at(&question.end), at(&question.step));
    let mine: Vec<&Line> = lines.iter().filter(|line| own(line)).collect();
    let mut sums = Vec::new();
    let mut time = start;
    while time <= end {
        let values = mine.iter().filter_map(|(_, values)| values.get(&time));
        let values = values.copied().filter(|value| value.is_finite());
        sums.push(values.reduce(|a, b| a + b));
        time += step;
    }
    sums
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_top_prints_is_the_sum_of_prometheus_own_series() {
    let stand = Stand::start().await;
    let home = Home::at(&stand.server(), &stand.platform).await;
    let done = home.program(["top", "-o", "json"]).end().await;
    let rows = done.expect(0).json();
    let questions = stand.questions();
    let teams: BTreeSet<&str> = questions.iter().map(|one| one.team.as_str()).collect();
    assert_eq!(
        questions.len(),
        teams.len() * COLUMNS.len(),
        "{questions:?}"
    );
    let mut answers = Vec::new();
    for question in &questions {
        assert!(question.taken, "{question:?}");
        let span = (&*question.start, &*question.end, &*question.step);
        answers.push(stand.truth(&question.query, span).await);
    }
    let mut filled: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        let id = row["service_id"].as_str().unwrap();
        let pods = stand.platform.pods(id);
        let own = |(labels, _): &Line| {
            let is = |name: &str| labels.get(name).map(String::as_str);
            is("service_id") == Some(id) || pods.iter().any(|pod| is("pod") == Some(pod))
        };
        for (column, mark) in COLUMNS {
            let mut asked = questions.iter().zip(&answers);
            let asked = asked.find(|(one, _)| one.team == row["team"] && one.query.contains(mark));
            let (question, lines) = asked.unwrap();
            let want = summed(lines, question, own);
            let cell = &row[column];
            let trend: Vec<Option<f64>> = cell["trend"]
                .as_array()
                .unwrap()
                .iter()
                .map(Value::as_f64)
                .collect();
            // A component without any series has no trend at all.
            let trend = if trend.is_empty() {
                vec![None; want.len()]
            } else {
                trend
            };
            assert_eq!(trend.len(), want.len(), "{row}");
            let same = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
                (Some(a), Some(b)) => near(*a, *b),
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(
                trend.iter().zip(&want).all(same),
                "{column} of {id}: {trend:?} {want:?} by {question:?}"
            );
            let now = want.iter().rev().take(3).find_map(|value| *value);
            assert!(same((&cell["value"].as_f64(), &now)), "{column}: {cell}");
            if column == "memory" {
                let count = lines.iter().filter(|line| own(line)).count();
                assert_eq!(row["pods"], count, "{row}");
            }
            *filled.entry(column).or_default() += usize::from(
                now.is_some() && want.iter().filter(|value| value.is_some()).count() > 10,
            );
        }
    }
    // It was no comparison of nothing with nothing.
    for (column, _) in COLUMNS {
        assert!(filled[column] >= 3, "{filled:?}");
    }
}
