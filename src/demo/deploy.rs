//! A deploy of the shop, entry by entry, and the lists of dear requests.

use std::time::Duration;

use fastrand::Rng;

use super::stamp::Stamp;
use super::voice::{Mood, pick};

/// When the first deploy begins: it has ended when the platform is ready.
pub(super) const FIRST: Duration = Duration::from_secs(5);
/// When the next one begins. It takes about half of that.
pub(super) const EVERY: Duration = Duration::from_secs(58);

/// The component that is deployed.
pub(super) const OF: &str = "order-center";

/// What a step's entry says: step, level, message.
type Line = (&'static str, &'static str, &'static str);

const BEGIN: [Line; 6] = [
    (
        "code-version",
        "info",
        "代码版本: master 3f2a9c1 修复购物车角标",
    ),
    (
        "clone-code",
        "info",
        "Cloning into '/cache/source/order-center'...",
    ),
    (
        "clone-code",
        "debug",
        "remote: Counting objects: 100% (214/214), done.",
    ),
    (
        "build-code",
        "info",
        "{\"stream\":\"Step 1/4 : FROM maven:3.9-eclipse-temurin-21\"}",
    ),
    (
        "build-code",
        "info",
        "{\"stream\":\"Step 2/4 : COPY . /src\"}",
    ),
    (
        "build-code",
        "info",
        "{\"stream\":\"Step 3/4 : RUN mvn -q package\"}",
    ),
];
const WELL: [Line; 5] = [
    (
        "build-code",
        "info",
        "{\"stream\":\"Step 4/4 : ENTRYPOINT [\\\"java\\\",\\\"-jar\\\",\\\"/app.jar\\\"]\"}",
    ),
    (
        "build-exector",
        "info",
        "构建完成 <image: goodrain.me/order-center:20261124>",
    ),
    (
        "push-image",
        "info",
        "The push refers to repository [goodrain.me/order-center]",
    ),
    ("appruntime", "info", "Starting rolling update: 0/2 ready"),
    ("appruntime", "info", "Rolling update: 2/2 ready"),
];
const BADLY: [Line; 3] = [
    (
        "build-code",
        "error",
        "{\"error\":\"The command '/bin/sh -c mvn -q package' returned a non-zero code: 1\"}",
    ),
    (
        "build-code",
        "error",
        "[ERROR] CartService.java:[41,17] cannot find symbol: 变量 badge",
    ),
    ("build-exector", "error", "编译失败，请检查源码"),
];
const LAYERS: [&str; 4] = [
    "a3ed95caeb02",
    "4f4fb700ef54",
    "c9d7e7b1a2f0",
    "1b930d010525",
];
/// Entries of the pull: each layer in so many pieces.
const PIECES: u32 = 6;

/// Which of `WELL` says that the pods are replaced, counted from one.
const ROLL: u32 = 4;

/// A deploy on its way.
#[derive(Debug)]
pub(super) struct Deploy {
    fails: bool,
    done: u32,
}

impl Deploy {
    /// The n-th deploy; every second from the third on fails.
    pub(super) fn new(number: u32) -> Self {
        Self {
            fails: number >= 2 && number.is_multiple_of(2),
            done: 0,
        }
    }

    /// Whether the entry just said is the one that begins to replace the pods.
    pub(super) fn rolls(&self) -> bool {
        let begin = u32::try_from(BEGIN.len()).unwrap_or(0);
        let pull = u32::try_from(LAYERS.len()).unwrap_or(0) * PIECES;
        !self.fails && self.done == begin + pull + ROLL
    }

    /// The next entry and the pause after it; `None` when it has ended.
    pub(super) fn step(&mut self, event: &str, at: &Stamp) -> Option<(String, Duration)> {
        let done = self.done;
        self.done += 1;
        let layers = u32::try_from(LAYERS.len()).unwrap_or(0);
        let pull = layers * PIECES;
        let begin = u32::try_from(BEGIN.len()).unwrap_or(0);
        if done < begin {
            return Some(entry(event, at, line(&BEGIN, done)?, ""));
        }
        if done < begin + pull {
            let text = piece(done - begin, layers);
            return Some(entry(event, at, ("progress", "debug", &text), ""));
        }
        let left = done - begin - pull;
        let rest: &[Line] = if self.fails { &BADLY } else { &WELL };
        if let Some(next) = line(rest, left) {
            return Some(entry(event, at, next, ""));
        }
        if left > u32::try_from(rest.len()).unwrap_or(0) {
            return None;
        }
        let (last, status) = if self.fails {
            (("callback", "error", "部署失败"), "failure")
        } else {
            (("last", "info", "部署成功"), "success")
        };
        Some(entry(event, at, last, status))
    }
}

fn line(list: &[Line], index: u32) -> Option<Line> {
    list.get(usize::try_from(index).ok()?).copied()
}

/// Docker's progress of one layer: the layers take turns (protocols.md 1.4).
fn piece(number: u32, layers: u32) -> String {
    let layer = usize::try_from(number % layers).unwrap_or(0);
    let id = LAYERS.get(layer).copied().unwrap_or("");
    let part = number / layers + 1;
    if part == PIECES {
        return serde_json::json!({"id": id, "status": "Pull complete"}).to_string();
    }
    let bar = "=".repeat(usize::try_from(part * 8).unwrap_or(0));
    let progress = format!("[{bar}>{:1$}] {2}MB/48MB", "", 49 - bar.len(), part * 9);
    serde_json::json!({"id": id, "status": "Downloading", "progress": progress}).to_string()
}

fn entry(
    event: &str,
    at: &Stamp,
    (step, level, message): (&str, &str, &str),
    status: &str,
) -> (String, Duration) {
    let json = serde_json::json!({
        "event_id": event, "step": step, "status": status, "message": message, "level": level,
        "time": at.rfc3339(),
    });
    let pause = if step == "progress" { 250 } else { 1500 };
    (json.to_string(), Duration::from_millis(pause))
}

const KEYS: [&str; 6] = [
    "/api/orders",
    "/api/pay",
    "/api/cart",
    "/api/search",
    "/api/users/me",
    "SELECT * FROM orders WHERE user_id = ?",
];

/// A request takes so many times the usual.
fn slower(mood: Mood) -> u32 {
    match mood {
        Mood::Calm => 1,
        Mood::Wave => 10,
    }
}

/// A host's report for the new monitor (protocols.md 4.1). In a wave a third fails, as in the logs.
pub(super) fn report(rng: &mut Rng, service: &str, host: &str, mood: Mood) -> String {
    let rows: Vec<_> = KEYS
        .iter()
        .map(|key| {
            let count = rng.u32(1..200);
            let mean = f64::from(rng.u32(100..9000) * slower(mood)) / 100.0;
            let failed = match mood {
                Mood::Calm => rng.u32(..3).min(count),
                Mood::Wave => count / 3 + rng.u32(..3).min(count - count / 3),
            };
            let kind = if key.starts_with('/') {
                "http"
            } else {
                "mysql"
            };
            serde_json::json!({
                "ServiceID": service, "Port": "8080", "HostName": host, "MessageType": kind,
                "Key": key, "CumulativeTime": mean * f64::from(count), "AverageTime": mean,
                "MaxTime": mean * 3.0, "Count": count, "AbnormalCount": failed,
            })
        })
        .collect();
    serde_json::Value::Array(rows).to_string()
}

/// The rows of the old monitor's list: every member is a string (protocols.md 4.2).
pub(super) fn old_rows(rng: &mut Rng, tenant: &str, service: &str, mood: Mood) -> String {
    let rows: Vec<_> = ["/api/orders", "/api/pay", "/api/cart"]
        .iter()
        .map(|url| {
            let count = rng.u32(1..200);
            let mean = rng.u32(1..90) * slower(mood);
            serde_json::json!({
                "tenant": tenant, "service": service, "url": url, "avgtime": format!("{mean}.00"),
                "sumtime": format!("{}.00", mean * count), "counts": count.to_string(),
                "port": pick(rng, &["8080", "5000"]),
            })
        })
        .collect();
    serde_json::Value::Array(rows).to_string()
}

const STATEMENTS: [&str; 3] = [
    "SELECT * FROM orders WHERE user_id = ?",
    "UPDATE stock SET qty = qty - 1 WHERE sku = ?",
    "SELECT id, name FROM coupons WHERE ends > now() AND (city = ? OR city IS NULL)",
];

/// The topic of a component's statements: the last characters of both ids (protocols.md 4.2).
pub(super) fn sql_topic(tenant: &str, service: &str) -> String {
    let last = |id: &str| {
        id.get(id.len().saturating_sub(12)..)
            .unwrap_or("")
            .to_owned()
    };
    format!("{}.{}.statistic", last(tenant), last(service))
}

/// The same for statements.
pub(super) fn sql_rows(rng: &mut Rng, tenant: &str, service: &str, mood: Mood) -> String {
    let rows: Vec<_> = STATEMENTS
        .iter()
        .map(|sql| {
            let count = rng.u32(1..400);
            let mean = rng.u32(1..40) * slower(mood);
            serde_json::json!({
                "tenant_id": tenant, "service_id": service, "sql": sql,
                "avgtime": format!("{mean}.00"), "sumtime": format!("{}.00", mean * count),
                "counts": count.to_string(),
            })
        })
        .collect();
    serde_json::Value::Array(rows).to_string()
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use serde_json::Value;

    use super::{old_rows, report, sql_rows, sql_topic};
    use crate::demo::voice::Mood;

    /// The sum of a member of all rows.
    fn sum(rows: &str, name: &str) -> f64 {
        let rows: Vec<Value> = serde_json::from_str(rows).unwrap();
        let number = |row: &Value| match &row[name] {
            Value::String(text) => text.parse().unwrap(),
            other => other.as_f64().unwrap(),
        };
        rows.iter().map(number).sum()
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    fn in_a_wave_requests_take_longer_and_fail() {
        let said = |mood| report(&mut Rng::with_seed(7), "s", "h", mood);
        let (calm, wave) = (said(Mood::Calm), said(Mood::Wave));
        for name in ["AverageTime", "MaxTime", "CumulativeTime"] {
            let times = sum(&wave, name) / sum(&calm, name);
            assert!((9.99..10.01).contains(&times), "{name}: {times}");
        }
        assert_eq!(sum(&wave, "Count"), sum(&calm, "Count"));
        assert!(sum(&wave, "AbnormalCount") > 10.0 * sum(&calm, "AbnormalCount"));
        for rows in [old_rows, sql_rows] {
            let said = |mood| rows(&mut Rng::with_seed(7), "t", "s", mood);
            let (calm, wave) = (said(Mood::Calm), said(Mood::Wave));
            assert_eq!(sum(&wave, "avgtime"), 10.0 * sum(&calm, "avgtime"));
            assert_eq!(sum(&wave, "counts"), sum(&calm, "counts"));
        }
    }

    #[test]
    fn statements_have_a_short_topic() {
        let topic = sql_topic("0123456789abcdef0123", "fedcba98765432");
        assert_eq!(topic, "89abcdef0123.dcba98765432.statistic");
    }
}
