//! Pods in the console and in the region, and how a rolling restart looks from there.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::time::Duration;

use deckwatch::demo::{Options, Platform, Switches};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::web::{EPOCH, Web, logged_in, platform};

const SHOP: &str = "/p/console/teams/shop/apps";

#[tokio::test(start_paused = true)]
async fn pods_are_an_object_where_a_list_is_promised() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let pods = platform.pods("gateway");
    let row = |pod: &str, (main, rate): (&str, &str), (side, side_rate): (&str, &str)| {
        format!(
            r#"{{"pod_name":"{pod}","pod_status":"RUNNING","manage_name":"manager","container":[{{"container_name":"gateway","memory_limit":512.0,"memory_usage":{main},"usage_rate":{rate}}},{{"container_name":"mesh","memory_limit":64.0,"memory_usage":{side},"usage_rate":{side_rate}}}]}}"#
        )
    };
    let body = web.body(&format!("{SHOP}/gateway/pods")).await;
    let json: Value = serde_json::from_str(&body).unwrap();
    let number = |pod: usize, container: usize, name: &str| {
        json["data"]["list"]["new_pods"][pod]["container"][container][name].to_string()
    };
    let rows: Vec<_> = (0..2)
        .map(|pod| {
            let pair = |container| {
                (
                    number(pod, container, "memory_usage"),
                    number(pod, container, "usage_rate"),
                )
            };
            let (main, side) = (pair(0), pair(1));
            row(&pods[pod], (&main.0, &main.1), (&side.0, &side.1))
        })
        .collect();
    assert_eq!(
        body,
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"操作成功","data":{{"bean":{{}},"list":{{"new_pods":[{},{}],"old_pods":null}}}}}}"#,
            rows[0], rows[1]
        )
    );
    for container in 0..2 {
        let rate: f64 = number(0, container, "usage_rate").parse().unwrap();
        assert!((30.0..80.0).contains(&rate), "{rate}");
    }
    // Nothing deployed: an empty list after all.
    assert_eq!(
        web.body("/p/console/teams/lab/apps/notebook/pods").await,
        r#"{"code":200,"msg":"success","msg_show":"操作成功","data":{"bean":{},"list":[]}}"#
    );
    platform.set_switch(|switches| switches.rest.null_new_pods = true);
    let json = web.get(&format!("{SHOP}/gateway/pods")).await.json();
    assert_eq!(json["data"]["list"]["new_pods"], Value::Null);
    assert_eq!(json["data"]["list"]["old_pods"][1]["pod_name"], pods[1]);
}

#[tokio::test(start_paused = true)]
async fn a_pod_in_detail() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let pod = &platform.pods("payment")[0];
    assert!(pod.starts_with("store-payment-"), "{pod}");
    let path = format!("{SHOP}/payment/pods/{pod}/detail");
    assert_eq!(
        web.body(&path).await,
        format!(
            r#"{{"code":200,"msg":"success","msg_show":"查询成功","data":{{"bean":{{"name":"{pod}","node":"node-1","start_time":"2026-11-24T09:57:48+08:00","ip":"10.42.1.12","status":{{"type":3,"type_str":"RUNNING","reason":"","message":"","advice":""}},"containers":[{{"component_def":"","name":"payment","image":"goodrain.me/payment:20261124","state":"Running","reason":"","started":"2026-11-24T09:57:48+08:00","limit_memory":"1024Mi","limit_cpu":"1000m","restart_count":0}}],"init_containers":[],"events":[{{"type":"Normal","reason":"Scheduled","age":"60s","message":"Successfully assigned shop/{pod} to node-1"}}]}},"list":[]}}}}"#
        )
    );
    platform.kill_container("payment");
    let bean = web.get(&path).await.json()["data"]["bean"].clone();
    assert_eq!(bean["status"]["type_str"], "ABNORMAL");
    assert_eq!(bean["containers"][0]["state"], "Terminated");
    platform.revive_containers("payment");
    let bean = web.get(&path).await.json()["data"]["bean"].clone();
    assert_eq!(bean["containers"][0]["restart_count"], 1);
    assert_eq!(
        web.get(&format!("{SHOP}/gateway/pods/{pod}/detail"))
            .await
            .status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn the_region_has_the_same_pods_in_bytes() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let body = web.body("/p/v2/tenants/shop/services/payment/pods").await;
    let json: Value = serde_json::from_str(&body).unwrap();
    let usage = |pod: usize| {
        let container = &json["bean"]["new_pods"][pod]["container"]["payment"];
        container["memory_usage"].as_str().unwrap().to_owned()
    };
    let (pods, id) = (
        platform.pods("payment"),
        platform.service_id("payment").unwrap(),
    );
    let row = |pod: usize| {
        format!(
            r#"{{"pod_ip":"10.42.{}.12","pod_name":"{}","pod_status":"RUNNING","service_id":"{id}","container":{{"payment":{{"memory_limit":"1073741824","memory_usage":"{}"}}}}}}"#,
            pod + 1,
            pods[pod],
            usage(pod)
        )
    };
    assert_eq!(
        body,
        format!(
            "{{\"bean\":{{\"new_pods\":[{},{}],\"old_pods\":null}}}}\n",
            row(0),
            row(1)
        )
    );
    let many = web
        .get(&format!("/p/v2/tenants/shop/pods?service_ids={id},x"))
        .await
        .json();
    assert_eq!(many["list"][1]["pod_name"], pods[1]);
    assert_eq!(many["list"][1]["container"], json!({}));
    assert_eq!(
        web.body("/p/v2/tenants/lab/services/notebook/pods").await,
        "{\"bean\":{\"new_pods\":null,\"old_pods\":null}}\n"
    );
}

/// Names and states of the new pods and of the old ones.
async fn seen<S>(web: &mut Web<S>) -> [Vec<(String, String)>; 2]
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let list = web.get(&format!("{SHOP}/payment/pods")).await.json()["data"]["list"].clone();
    ["new_pods", "old_pods"].map(|kind| {
        let pods = list[kind].as_array().cloned().unwrap_or_default();
        let text = |pod: &Value, name: &str| pod[name].as_str().unwrap().to_owned();
        pods.iter()
            .map(|pod| (text(pod, "pod_name"), text(pod, "pod_status")))
            .collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_rolling_restart_replaces_pod_after_pod_and_each_stream_ends_with_its_pod() {
    let platform = platform(Switches::default()).await;
    let mut web = logged_in(&platform).await;
    let old = platform.pods("payment");
    let stream = |pod: &str| {
        format!(
            "/p/console/sse/v2/tenants/shop/services/payment/pods/{pod}/logs?region_name=rainbond&lines=100"
        )
    };
    let mut first = logged_in(&platform).await;
    assert!(
        first
            .open(&stream(&old[0]))
            .await
            .starts_with("HTTP/1.1 200 ")
    );
    let (service, container) = (
        platform.service_id("payment").unwrap(),
        platform.container_id(&old[0], None).unwrap(),
    );
    platform.inject_log(&service, &container, b"before").await;
    assert_eq!(
        first.chunks().await,
        ["data: 2026-11-24T01:58:48.123456001Z before\n\n"]
    );
    let watching = async {
        let state = |name: &str, state: &str| (name.to_owned(), state.to_owned());
        // It has begun: a new pod starts, and both old ones run.
        sleep(Duration::from_secs(1)).await;
        let [new, left] = seen(&mut web).await;
        let young = new[0].0.clone();
        assert_eq!(new, [state(&young, "STARTING")]);
        assert_eq!(left, [state(&old[0], "RUNNING"), state(&old[1], "RUNNING")]);
        let mut early = logged_in(&platform).await;
        assert_eq!(early.get(&stream(&young)).await.status, 500);
        // Status says so.
        let status = web.body(&format!("{SHOP}/payment/status")).await;
        assert!(status.contains("upgrade"), "{status}");
        // The new one runs, the old one of its place leaves, and may still speak.
        sleep(Duration::from_secs(4)).await;
        let [new, left] = seen(&mut web).await;
        assert_eq!(new, [state(&young, "RUNNING")]);
        assert_eq!(left[0], state(&old[0], "TERMINATING"));
        platform
            .inject_log(&service, &container, b"last words")
            .await;
        let words = first.chunks().await;
        assert!(words[0].ends_with(" last words\n\n"), "{words:?}");
        // It is gone, and with it its stream; the other place's turn.
        sleep(Duration::from_secs(2)).await;
        assert_eq!(first.chunks().await, ["<end>"]);
        let [new, left] = seen(&mut web).await;
        assert_eq!(new.len(), 2);
        assert_eq!(left, [state(&old[1], "RUNNING")]);
        // The old pod's stream is not found any more; the new pod has its own.
        assert!(
            early
                .open(&stream(&old[0]))
                .await
                .starts_with("HTTP/1.1 404 ")
        );
        let mut second = logged_in(&platform).await;
        second.open(&stream(&young)).await;
        let container = platform.container_id(&young, None).unwrap();
        platform.inject_log(&service, &container, b"hello").await;
        let words = second.chunks().await;
        assert!(words[0].ends_with(" hello\n\n"), "{words:?}");
    };
    tokio::join!(platform.rolling_restart("payment"), watching);
    let new = platform.pods("payment");
    assert_eq!(new.len(), 2);
    assert!(new.iter().all(|pod| !old.contains(pod)));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_dies_leaves_its_log_as_the_previous_one() {
    let platform = platform(Switches::default()).await;
    let pod = platform.pods("payment")[0].clone();
    let service = platform.service_id("payment").unwrap();
    let path = format!("/p/v2/tenants/shop/services/payment/pods/{pod}/logs");
    let mut web = logged_in(&platform).await;
    let old = platform.container_id(&pod, None).unwrap();
    web.open(&path).await;
    platform.inject_log(&service, &old, b"out of memory").await;
    platform.kill_container("payment");
    let words = web.chunks().await;
    assert!(words[0].ends_with(" out of memory\n\n"), "{words:?}");
    assert_eq!(words[1], "<end>");
    // Before there is another, there is no previous one.
    let answer = web.get(&format!("{path}?previous=true")).await;
    assert_eq!(answer.status, 500);
    platform.revive_containers("payment");
    let new = platform.container_id(&pod, None).unwrap();
    assert_ne!(new, old);
    platform.inject_log(&service, &new, b"started").await;
    web.open(&format!("{path}?previous=true&follow=true")).await;
    assert_eq!(web.chunks().await, words);
    web.open(&format!("{path}?follow=false")).await;
    let now = web.chunks().await;
    assert!(now[0].ends_with(" started\n\n"), "{now:?}");
    assert_eq!(now[1], "<end>");
}

#[tokio::test(start_paused = true)]
async fn the_shops_deploys_and_a_period_replace_pods_where_they_are_told_to() {
    let mut switches = Switches::default();
    switches.rest.rolling_deploys = true;
    let platform = Platform::start(Options {
        zmq: false,
        rate: 0.05,
        epoch: Some(EPOCH),
        prefix: Some("/p".into()),
        rolling: Some(Duration::from_secs(200)),
        switches,
        ..Options::default()
    })
    .await
    .unwrap();
    let (order, gateway) = (platform.pods("order-center"), platform.pods("gateway"));
    let worker = platform.pods("worker");
    // The shop's second deploy ends about 26 s after the start; the period's first is the gateway.
    sleep(Duration::from_secs(60)).await;
    let later = platform.pods("order-center");
    assert!(later.len() == 2 && later.iter().all(|pod| !order.contains(pod)));
    assert_eq!(platform.pods("gateway"), gateway);
    sleep(Duration::from_secs(160)).await;
    assert!(
        platform
            .pods("gateway")
            .iter()
            .all(|pod| !gateway.contains(pod))
    );
    assert_eq!(platform.pods("worker"), worker);
    // What the shop says now comes from the new pods.
    let pod = &platform.pods("gateway")[0];
    let mut web = logged_in(&platform).await;
    let path = format!("/p/v2/tenants/shop/services/gateway/pods/{pod}/logs?container=gateway");
    web.open(&path).await;
    let line = web.chunk().await.unwrap();
    assert!(line.ends_with(b"\n\n"), "{line:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_requests_sees_them() {
    let platform = platform(Switches::default()).await;
    let asking = async {
        sleep(Duration::from_secs(1)).await;
        logged_in(&platform).await;
    };
    let (seen, ()) = tokio::join!(platform.requests_until(|all| !all.is_empty()), asking);
    assert_eq!(seen[0].path, "/console/users/login");
}
