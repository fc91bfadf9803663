//! A component's pods and their containers (protocols.md 3.4).

use serde_json::{Value, json};

use super::call::Call;
use super::page::{Page, Reply};
use super::region;
use crate::demo::cluster::{Container, Phase, Pod};
use crate::demo::stamp::Stamp;
use crate::demo::teams::{self, Part, Place};
use crate::demo::times;

const MEGABYTE: u64 = 1 << 20;

/// The memory that a container may use and does use, in bytes.
pub(super) fn memory(call: &Call<'_>, part: &Part, one: &Container) -> (u64, u64) {
    let (limit, usual) = one.memory(call.rest.seed, part);
    let (now, rest) = (call.rest.times.now(), call.rest);
    let measured = rest.metrics.read(now, |meter| meter.memory(&one.id));
    let used = measured.unwrap_or(usual);
    (limit, if one.alive { used } else { 0 })
}

/// As the console rounds it.
fn megabytes(bytes: u64) -> f64 {
    let hundredths = (bytes * 100 + MEGABYTE / 2) / MEGABYTE;
    hundredths as f64 / 100.0
}

/// `GET …/apps/{alias}/pods`: an object where a list is promised (protocols.md 7.11).
pub(super) fn list(call: &Call<'_>, place: &Place) -> Page {
    let view = call.rest.cluster.now();
    let alias = place.part.alias;
    if call.switches.dead_backend || view.of(alias).next().is_none() {
        return Page::envelope("success", "操作成功", json!({}), json!({}));
    }
    let (new, old) = sorted(call, view.split(alias));
    let shown = |pods: Vec<&Pod>| or_null(pods.into_iter().map(|pod| row(call, place, pod)));
    let list = json!({"new_pods": shown(new), "old_pods": shown(old)});
    Page::envelope("success", "操作成功", json!({}), list)
}

/// Newer and older pods; all of them older if a switch says so.
pub(super) fn sorted<'a>(
    call: &Call<'_>,
    (new, old): (Vec<&'a Pod>, Vec<&'a Pod>),
) -> (Vec<&'a Pod>, Vec<&'a Pod>) {
    if call.switches.null_new_pods {
        return (Vec::new(), old.into_iter().chain(new).collect());
    }
    (new, old)
}

/// A list as Go and the console have it: null if there is nothing in it.
pub(super) fn or_null(rows: impl Iterator<Item = Value>) -> Value {
    let rows: Vec<Value> = rows.collect();
    if rows.is_empty() {
        return Value::Null;
    }
    rows.into()
}

fn row(call: &Call<'_>, place: &Place, pod: &Pod) -> Value {
    let containers: Vec<Value> = pod
        .containers
        .iter()
        .map(|one| {
            let (limit, usage) = memory(call, place.part, one);
            let hundredths = (usage * 10_000 + limit / 2) / limit.max(1);
            json!({
                "container_name": one.name, "memory_limit": megabytes(limit),
                "memory_usage": megabytes(usage), "usage_rate": hundredths as f64 / 100.0,
            })
        })
        .collect();
    json!({
        "pod_name": pod.name, "pod_status": pod.status(), "manage_name": "manager",
        "container": containers,
    })
}

/// `GET …/pods/{pod}/detail`.
pub(super) fn detail(call: &Call<'_>, place: &Place, name: &str) -> Page {
    if call.switches.dead_backend {
        return Page::bean(json!({}));
    }
    let view = call.rest.cluster.now();
    let found = view.pod(name).filter(|pod| pod.alias == place.part.alias);
    match found {
        Some(pod) => Page::bean(of_pod(call, place, pod)),
        None => Page::fault(404, 404, "pod not found", "实例不存在"),
    }
}

/// A pod as the platform tells of it.
pub(super) fn of_pod(call: &Call<'_>, place: &Place, pod: &Pod) -> Value {
    let part = place.part;
    let status = pod.status();
    let (reason, advice) = match status {
        "ABNORMAL" => ("CrashLoopBackOff", "OutOfMemory"),
        "STARTING" => ("ContainerCreating", ""),
        _ => ("", ""),
    };
    let containers: Vec<Value> = pod
        .containers
        .iter()
        .map(|one| {
            let state = match (pod.phase, one.alive) {
                (Phase::Starting, _) => "Waiting",
                (_, true) => "Running",
                (_, false) => "Terminated",
            };
            let (limit, _) = memory(call, part, one);
            json!({
                "component_def": "", "name": one.name,
                "image": format!("goodrain.me/{}:20261124", one.name), "state": state,
                "reason": reason, "started": Stamp::new(one.started).rfc3339(),
                "limit_memory": format!("{}Mi", limit / MEGABYTE),
                "limit_cpu": format!("{}m", part.cpu), "restart_count": one.restarts,
            })
        })
        .collect();
    let age = times::seconds(call.rest.times.now()) - times::seconds(pod.created);
    let message = format!(
        "Successfully assigned {}/{} to {}",
        place.team.namespace, pod.name, pod.node
    );
    json!({
        "name": pod.name, "node": pod.node,
        "start_time": Stamp::new(pod.created).rfc3339(), "ip": pod.ip,
        "status": {
            "type": status_number(status), "type_str": status, "reason": reason, "message": "",
            "advice": advice,
        },
        "containers": containers, "init_containers": [],
        "events": [{"type": "Normal", "reason": "Scheduled", "age": format!("{age}s"), "message": message}],
    })
}

fn status_number(status: &str) -> u32 {
    match status {
        "RUNNING" => 3,
        "STARTING" => 8,
        "TERMINATING" => 5,
        _ => 4,
    }
}

/// `GET …/apps/{alias}/logs`: one container as text (protocols.md 3.2).
pub(super) fn text(call: &Call<'_>, place: &Place) -> Reply {
    let pod = call.query("pod_name").unwrap_or("");
    region::text_stream(call, place, (pod, call.query("container_name")), true)
}

/// Where a pod belongs, if it is one of a component's, or of any.
pub(super) fn find(call: &Call<'_>, place: Option<&Place>, name: &str) -> Option<(Place, Pod)> {
    let pod = call.rest.cluster.look(|view| view.pod(name).cloned())?;
    let found = teams::place(call.rest.seed, pod.alias)?;
    let fits = place.is_none_or(|place| place.part.alias == pod.alias);
    fits.then_some((found, pod))
}
