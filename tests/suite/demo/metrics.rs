//! What is measured of the shop, as the region's Prometheus, the console and a scraper see it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helpers"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use deckwatch::demo::{Credential, Options, Platform, Switches};
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio::time::sleep;

use super::web::{EPOCH, Web, connect, logged_in, platform};

/// A platform whose shop is open.
async fn open_shop() -> Platform {
    let options = Options {
        zmq: false,
        prefix: Some("/p".into()),
        epoch: Some(EPOCH),
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// A query in a URL.
fn coded(query: &str) -> String {
    url::form_urlencoded::byte_serialize(query.as_bytes()).collect()
}

/// The last minutes, by the platform's clock.
fn span(minutes: u32) -> String {
    let now = EPOCH.0 as f64 / 1e6;
    let start = now - f64::from(minutes) * 60.0;
    format!("start={start}&end={now}&step=15")
}

/// The queries of the platform's pages, 2017's among them, for the gateway.
fn table(platform: &Platform) -> Vec<(&'static str, String)> {
    let id = platform.service_id("gateway").unwrap();
    let other = platform.service_id("order-center").unwrap();
    let pods = r#"pod=~".*store-gateway.*",container="gateway",namespace="shop""#;
    let net = r#"pod=~".*store-gateway.*",namespace="shop""#;
    vec![
        ("response time", format!(r#"ceil(avg(app_requesttime{{mode="avg",service_id="{id}"}}))"#)),
        ("throughput", format!(r#"sum(ceil(increase(app_request{{service_id="{id}",method="total"}}[1m])/12))"#)),
        ("users", format!(r#"max(app_requestclient{{service_id="{id}"}})"#)),
        ("memory", format!("sum(container_memory_rss{{{pods}}}) by (pod,namespace) / 1024 / 1024")),
        ("cpu", format!("sum(irate(container_cpu_usage_seconds_total{{{pods}}}[5m])) by (pod,namespace) * 1000")),
        ("in", format!("sum(rate(container_network_receive_bytes_total{{{net}}}[1m])) by (pod,namespace) / 1024")),
        ("out", format!("sum(rate(container_network_transmit_bytes_total{{{net}}}[1m])) by (pod,namespace) / 1024")),
        ("disk", format!(r#"app_resource_appfs{{service_id="{id}"}}"#)),
        ("limits", format!(r#"app_resource_appmemory{{service_id="{id}"}}"#)),
        ("kubeblocks", r#"sum(container_memory_rss{namespace="shop", pod=~"^store-gateway-.*", container!=""}) by (pod)"#.to_owned()),
        ("edges", format!(r#"avg(app_client_requesttime{{service_id=~"{id}|{other}",client=~"public|10421.*"}}) by (service_id,client)"#)),
        ("edges' requests", format!(r#"sum(ceil(increase(app_client_request{{service_id=~"{id}|{other}",client=~"public|10421.*"}}[1m])/12)) by (service_id,client)"#)),
        ("2017's time", format!(r#"sum(app_requesttime{{service_id="{id}",mode="avg"}})"#)),
        ("2017's requests", format!(r#"sum(rate(app_request{{service_id="{id}",method="total"}}[15s]))"#)),
        ("2017's requests again", format!(r#"sum(rate(app_request{{service_id="{id}",method="total"}}[30s]))"#)),
        ("2017's users", format!(r#"sum(app_requestclient{{service_id="{id}"}})"#)),
    ]
}

const CONSOLE: &str = "/p/console/teams/shop/apps/gateway/monitor";

#[tokio::test(start_paused = true)]
async fn every_chart_of_the_platform_has_its_lines() {
    let platform = open_shop().await;
    let mut web = logged_in(&platform).await;
    for (chart, query) in table(&platform) {
        let parameters = format!(
            "query={}&{}&disable_auto_label=true",
            coded(&query),
            span(15)
        );
        let own = web
            .get(&format!("{CONSOLE}/query_range?{parameters}"))
            .await
            .json();
        let data = &own["data"]["bean"];
        assert_eq!(data["resultType"], "matrix", "{chart}: {own}");
        let rows = data["result"].as_array().unwrap();
        let count = match chart {
            "memory" | "cpu" | "in" | "out" | "kubeblocks" | "edges" | "edges' requests" => 2,
            _ => 1,
        };
        assert_eq!(rows.len(), count, "{chart}: {own}");
        for row in rows {
            let values = row["values"].as_array().unwrap();
            assert!(values.len() >= 58, "{chart}: {}", values.len());
            for value in values {
                let number: f64 = value[1].as_str().unwrap().parse().unwrap();
                assert!(number > 0.0, "{chart}: {row}");
            }
        }
        // The region says the same, and the console's other doors.
        let region = web
            .get(&format!("/p/api/v1/query_range?{parameters}"))
            .await;
        assert_eq!(region.header("content-type"), Some("application/json"));
        let region = region.json();
        assert_eq!(
            (&region["status"], &region["data"]),
            (&"success".into(), data)
        );
        for door in ["monitor", "open/monitor"] {
            let other = web
                .get(&format!("/p/console/{door}/query_range?{parameters}"))
                .await;
            assert_eq!(&other.json()["data"]["bean"], data, "{door}");
        }
        let now = web
            .get(&format!("/p/api/v1/query?query={}", coded(&query)))
            .await
            .json();
        assert_eq!(now["data"]["resultType"], "vector", "{chart}");
        assert_eq!(
            now["data"]["result"].as_array().unwrap().len(),
            count,
            "{chart}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_an_empty_bean_at_the_console_and_a_word_at_the_region() {
    let platform = open_shop().await;
    let mut web = logged_in(&platform).await;
    let empty =
        r#"{"code":200,"msg":"success","msg_show":"查询成功","data":{"bean":{},"list":[]}}"#;
    // The page's own string for what goes out lacks a parenthesis.
    let broken = coded(
        "sum(rate(container_network_transmit_bytes_total{namespace=\"shop\"}[1m]) by (pod,namespace) / 1024",
    );
    let span = span(1);
    for (path, error) in [
        (
            format!("query?query={broken}"),
            r#"invalid parameter "query": 1:72: parse error: unexpected identifier "by""#,
        ),
        (
            format!("query_range?query={broken}&{span}"),
            r#"invalid parameter "query": 1:72: parse error: unexpected identifier "by""#,
        ),
        (
            "query".into(),
            r#"invalid parameter "query": 1:1: parse error: no expression found in input"#,
        ),
        (
            "query?query=up&time=soon".into(),
            r#"invalid parameter "time": cannot parse "soon" to a valid timestamp"#,
        ),
        (
            "query_range?query=up&end=1&step=1".into(),
            r#"invalid parameter "start": cannot parse "" to a valid timestamp"#,
        ),
        (
            "query_range?query=up&start=2&end=1&step=1".into(),
            r#"invalid parameter "end": end timestamp must not be before start time"#,
        ),
        (
            "query_range?query=up&start=1&end=2&step=x".into(),
            r#"invalid parameter "step": cannot parse "x" to a valid duration"#,
        ),
        (
            "query_range?query=up&start=1&end=2&step=0".into(),
            r#"invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer"#,
        ),
        (
            "query_range?query=up&start=0&end=11001&step=1".into(),
            "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        ),
        (
            "query_range?query=up%5B5m%5D&start=0&end=1&step=1".into(),
            r#"invalid parameter "query": invalid expression type "range vector" for range query, must be Scalar or instant Vector"#,
        ),
    ] {
        let answer = web.get(&format!("/p/api/v1/{path}")).await;
        assert_eq!(answer.status, 400, "{path}");
        let want = serde_json::json!({"status": "error", "errorType": "bad_data", "error": error});
        assert_eq!(answer.json(), want, "{path}");
        assert_eq!(
            web.body(&format!("{CONSOLE}/{path}")).await,
            empty,
            "{path}"
        );
        assert_eq!(
            web.body(&format!("/p/console/monitor/{path}")).await,
            empty,
            "{path}"
        );
    }
    let clash = coded(r#"ceil({__name__=~"app_resource.*",service_id!=""})"#);
    let answer = web.get(&format!("/p/api/v1/query?query={clash}")).await;
    assert_eq!(
        (answer.status, &answer.json()["errorType"]),
        (422, &"execution".into())
    );
    assert_eq!(
        web.body(&format!("{CONSOLE}/query?query={clash}")).await,
        empty
    );
    assert_eq!(web.get("/p/api/v1/nothing").await.status, 404);
    assert_eq!(web.get(&format!("{CONSOLE}/nothing")).await.status, 404);
    platform.set_switch(|switches| switches.rest.dead_backend = true);
    assert_eq!(web.get("/p/api/v1/query?query=1").await.status, 503);
    assert_eq!(web.body(&format!("{CONSOLE}/query?query=1")).await, empty);
}

#[tokio::test(start_paused = true)]
async fn moments_beyond_all_time_have_no_samples() {
    let platform = open_shop().await;
    let mut web = connect(&platform).await;
    for path in [
        "query?query=app_request&time=-1e300",
        "query?query=rate(app_request%5B1y%5D)&time=1e300",
        "query_range?query=rate(app_request%5B1m%5D)&start=1e300&end=1e300&step=1",
        "query_range?query=app_request&start=-1e300&end=1e300&step=1e300",
    ] {
        let answer = web.get(&format!("/p/api/v1/{path}")).await.json();
        assert_eq!(answer["data"]["result"], serde_json::json!([]), "{path}");
    }
    let long = "/p/api/v1/query?query=increase(app_request%5B292000000y%5D)";
    assert_eq!(web.get(long).await.status, 200);
}

/// How many series a query of the console has.
async fn count(web: &mut Web<DuplexStream>, path: &str) -> usize {
    let answer = web.get(path).await.json();
    let rows = answer["data"]["bean"]["result"].as_array();
    rows.unwrap_or_else(|| panic!("{path}: {answer}")).len()
}

#[tokio::test(start_paused = true)]
async fn the_console_adds_the_component_unless_it_is_named() {
    let platform = open_shop().await;
    let mut web = logged_in(&platform).await;
    let span = span(1);
    let memory = coded("container_memory_rss");
    let requests = coded("app_request / app_request");
    for (query, more, want) in [
        (&requests, "", 1),
        (&requests, "&disable_auto_label=false", 1),
        (&requests, "&disable_auto_label=true", 3),
        (&requests, "&disable_auto_label=", 3),
        // A container has no such label.
        (&memory, "", 0),
        (&memory, "&disable_auto_label=true", 20),
    ] {
        let path = format!("{CONSOLE}/query_range?query={query}&{span}{more}");
        assert_eq!(count(&mut web, &path).await, want, "{query} {more}");
        // For one moment it always does.
        let path = format!("{CONSOLE}/query?query={query}{more}");
        let want = usize::from(query == &requests);
        assert_eq!(count(&mut web, &path).await, want, "{query} {more}");
    }
    let named = coded("app_request{service_id!=\"\"}");
    assert_eq!(
        count(&mut web, &format!("{CONSOLE}/query?query={named}")).await,
        3
    );
    // Nothing runs in the other region, and there is no third.
    let lab = "/p/console/teams/lab/apps/notebook/monitor/query?query=app_request%7Bservice_id!=%22%22%7D";
    assert_eq!(count(&mut web, lab).await, 0);
    let all = "/p/console/monitor/query?query=app_request";
    assert_eq!(count(&mut web, all).await, 3);
    assert_eq!(count(&mut web, &format!("{all}&region_name=edge")).await, 0);
    let nowhere = web.get(&format!("{all}&region_name=nowhere")).await.json();
    assert_eq!(nowhere["data"]["bean"], serde_json::json!({}));
}

#[tokio::test(start_paused = true)]
async fn who_may_ask() {
    let platform = platform(Switches::default()).await;
    let mut web = connect(&platform).await;
    assert_eq!(
        web.get(&format!("{CONSOLE}/query?query=1")).await.status,
        401
    );
    assert_eq!(
        web.get("/p/console/monitor/query?query=1").await.status,
        401
    );
    let scalar = r#"{"resultType":"scalar","result":[1795485528.123,"1"]}"#;
    assert_eq!(
        web.body("/p/console/open/monitor/query?query=1").await,
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{{"bean":{scalar},"list":[]}}}}"#
        )
    );
    assert_eq!(
        web.body("/p/api/v1/query?query=1").await,
        format!(r#"{{"status":"success","data":{scalar}}}"#)
    );
    platform.set_switch(|switches| switches.rest.region_token = Some("secret".into()));
    assert_eq!(web.get("/p/api/v1/query?query=1").await.status, 401);
    web.headers = vec!["Authorization: Token secret".to_owned()];
    assert_eq!(web.get("/p/api/v1/query?query=1").await.status, 200);
    let last = platform.requests().pop().unwrap();
    assert_eq!(
        (last.path.as_str(), last.credential),
        ("/api/v1/query", Credential::Region)
    );
    assert_eq!(web.get("/metrics").await.status, 404);
}

/// Every line of the page that is no comment: the series, its value.
fn read(page: &str) -> BTreeMap<String, f64> {
    let mut kinds = BTreeMap::new();
    let mut all = BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kinds.insert(name.to_owned(), kind), None, "{line}");
            continue;
        }
        if line.starts_with("# HELP ") {
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap();
        assert!(kinds.contains_key(name), "{line} has no kind before it");
        for label in labels.strip_suffix('}').unwrap().split("\",") {
            let (key, value) = label.split_once("=\"").unwrap();
            assert!(!key.is_empty() && !value.is_empty(), "{line}");
        }
        let value = value.parse().unwrap();
        assert_eq!(
            all.insert(series.to_owned(), value),
            None,
            "{line} is there twice"
        );
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_scraper_gets_the_newest_values_and_counters_grow() {
    let platform = open_shop().await;
    let mut web = connect(&platform).await;
    let answer = web.get("/p/metrics").await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let first = read(&answer.body);
    sleep(Duration::from_secs(20)).await;
    let second = read(&web.body("/p/metrics").await);
    assert!(first.len() > 90, "{}", first.len());
    assert_eq!(first.len(), second.len());
    let id = platform.service_id("gateway").unwrap();
    let requests = format!("app_request{{method=\"total\",service_id=\"{id}\"}}");
    assert!(second[&requests] > first[&requests] + 100.0);
    // What the page says is what the newest sample says.
    let query = coded(&format!("app_request{{service_id=\"{id}\"}}"));
    let now = web
        .get(&format!("/p/api/v1/query?query={query}"))
        .await
        .json();
    let value = now["data"]["result"][0]["value"][1].as_str().unwrap();
    assert_eq!(value, second[&requests].to_string());
}

#[tokio::test(start_paused = true)]
async fn lines_that_tests_inject_are_requests_and_pods_come_and_go() {
    let platform = platform(Switches::default()).await;
    let mut web = connect(&platform).await;
    let id = platform.service_id("gateway").unwrap();
    let requests = format!(
        "/p/api/v1/query?query={}",
        coded(&format!("app_request{{service_id=\"{id}\"}}"))
    );
    let none = web.get(&requests).await.json();
    assert_eq!(none["data"]["result"], serde_json::json!([]));
    let pod = platform.pods("gateway").remove(0);
    let container = platform.container_id(&pod, None).unwrap();
    for _ in 0..3 {
        platform.inject_log(&id, &container, b"GET /").await;
    }
    sleep(Duration::from_secs(6)).await;
    let three = web.get(&requests).await.json();
    assert_eq!(three["data"]["result"][0]["value"][1], "3");
    let names = |answer: Value| -> Vec<String> {
        let rows = answer["data"]["result"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["metric"]["pod"].as_str().unwrap().to_owned())
            .collect()
    };
    let pods = coded("count(container_memory_rss{pod=~\".*store-gateway.*\"}) by (pod)");
    let pods = format!("/p/api/v1/query?query={pods}");
    let old = platform.pods("gateway");
    assert_eq!(names(web.get(&pods).await.json()).len(), 2);
    platform.rolling_restart("gateway").await;
    let mut new = platform.pods("gateway");
    new.sort();
    assert_eq!(names(web.get(&pods).await.json()), new);
    // A minute ago they were the old ones.
    let before = format!("{pods}&time={}", EPOCH.0 / 1_000_000 - 60);
    let before = names(web.get(&before).await.json());
    assert!(before.iter().all(|name| old.contains(name)), "{before:?}");
}

#[tokio::test(start_paused = true)]
async fn bad_answers_and_other_clocks_can_be_served() {
    let platform = open_shop().await;
    let mut web = logged_in(&platform).await;
    let text = r#"{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]},NaN]}"#;
    platform.set_switch(|switches| switches.rest.measured = Some(text.into()));
    for path in ["query?query=x", "query_range?query=("] {
        assert_eq!(web.body(&format!("/p/api/v1/{path}")).await, text);
        let bean = web.body(&format!("{CONSOLE}/{path}")).await;
        assert!(bean.contains(&format!(r#""bean":{text},"list""#)), "{bean}");
    }
    platform.set_switch(|switches| {
        switches.rest.measured = None;
        switches.rest.clock_ahead_ms = 600_000;
    });
    let now = web.get("/p/api/v1/query?query=1").await.json();
    assert_eq!(now["data"]["result"][0], 1_795_486_128.123);
    // At our now, the other clock's samples are ten minutes old.
    let query = coded("sum(app_request)");
    let ours = format!(
        "/p/api/v1/query?query={query}&time={}",
        EPOCH.0 as f64 / 1e6
    );
    let ours = web.get(&ours).await.json();
    assert_eq!(ours["data"]["result"][0]["value"][0], 1_795_485_528.123);
    let theirs = web
        .get(&format!("/p/api/v1/query?query={query}"))
        .await
        .json();
    let value = |answer: &Value| -> f64 {
        answer["data"]["result"][0]["value"][1]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert!(value(&ours) < value(&theirs));
    // Behind: our now is their future, in which samples age for five minutes.
    platform.set_switch(|switches| switches.rest.clock_ahead_ms = -400_000);
    let ours = format!("/p/api/v1/query?query={query}&time={}", EPOCH.0 / 1_000_000);
    let ours = web.get(&ours).await.json();
    assert_eq!(ours["data"]["result"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn the_list_of_pods_tells_the_memory_that_is_measured() {
    let platform = open_shop().await;
    let mut web = connect(&platform).await;
    let rows = web
        .get("/p/v2/tenants/shop/services/recommender/pods")
        .await
        .json();
    for row in rows["bean"]["new_pods"].as_array().unwrap() {
        let pod = row["pod_name"].as_str().unwrap();
        let query = coded(&format!("container_memory_rss{{pod=\"{pod}\"}}"));
        let now = web
            .get(&format!("/p/api/v1/query?query={query}"))
            .await
            .json();
        let measured = &now["data"]["result"][0]["value"][1];
        assert_eq!(measured, &row["container"]["recommender"]["memory_usage"]);
    }
}
