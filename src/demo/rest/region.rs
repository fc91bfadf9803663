//! The region's API (protocols.md 3): the same cluster without the console's words.

use serde_json::{Value, json};

use super::call::Call;
use super::desk::Credential;
use super::measured::{self, Shape};
use super::page::{Page, Reply};
use super::{discovery, events, instances, stored};
use crate::demo::cluster::{Phase, Pod};
use crate::demo::sse::{Feed, PodFeed, Stream};
use crate::demo::teams::{App, Place, TEAMS, Team};
use crate::demo::world;

/// What a path below `/v2` gets.
pub(super) async fn answer(call: &Call<'_>, parts: &[&str]) -> (Reply, Credential) {
    let credential = match enter(call) {
        Ok(credential) => credential,
        Err((page, credential)) => return (page.into(), credential),
    };
    let method = call.request.method.as_str();
    if method == "GET"
        && let Some(reply) = stream(call, parts, false)
    {
        return (reply, credential);
    }
    let page = match (method, parts) {
        ("GET", ["tenants"]) => tenants(call),
        ("GET", ["events"]) => list_events(call).await,
        ("GET", ["events", id, "log"]) => list(&json!(events::entries(call, id).await)),
        (_, ["tenants", name, rest @ ..]) => match events::tenant(name) {
            None => Page::region_fault(404, "tenant not found"),
            Some(team) => of_tenant(call, team, (method, rest)).await,
        },
        _ => Page::not_found(),
    };
    (page.into(), credential)
}

/// What is measured, below `/api/v1`: handed on to Prometheus.
pub(super) fn measured(call: &Call<'_>, parts: &[&str]) -> (Reply, Credential) {
    let credential = match enter(call) {
        Ok(credential) => credential,
        Err((page, credential)) => return (page.into(), credential),
    };
    let page = match (call.request.method.as_str(), parts) {
        ("GET", [name]) => {
            let shape = Shape::named(name);
            shape.map_or_else(Page::not_found, |shape| measured::of_region(call, shape))
        }
        _ => Page::not_found(),
    };
    (page.into(), credential)
}

/// Who may enter, and whether anybody is there.
fn enter(call: &Call<'_>) -> Result<Credential, (Page, Credential)> {
    let mut credential = Credential::None;
    if let Some(token) = &call.switches.region_token {
        let words = call.request.authorization.as_deref().unwrap_or("");
        // Exactly two words, of which the second counts.
        let mut words = words.split(' ');
        let second = words.nth(1);
        if second != Some(token.show()) || words.next().is_some() {
            let page = Page::region_fault(401, "TOKEN is not allowed");
            return Err((page, credential));
        }
        credential = Credential::Region;
    }
    if call.switches.dead_backend {
        let body = json!({"error": "部分服务不可用"});
        return Err((Page::go(503, &body), credential));
    }
    Ok(credential)
}

fn bean(bean: &Value) -> Page {
    Page::go(200, &json!({"bean": bean}))
}

fn list(list: &Value) -> Page {
    Page::go(200, &json!({"list": list}))
}

fn tenants(call: &Call<'_>) -> Page {
    let all: Vec<Value> = TEAMS.iter().map(|team| tenant(call, team)).collect();
    Page::go(200, &json!({"list": all, "number": TEAMS.len(), "page": 1}))
}

fn tenant(call: &Call<'_>, team: &Team) -> Value {
    json!({
        "name": team.name, "uuid": team.tenant_id(call.rest.seed), "eid": "", "limit_memory": 0,
        "status": "normal", "namespace": team.namespace,
    })
}

async fn of_tenant(call: &Call<'_>, team: &'static Team, (method, parts): (&str, &[&str])) -> Page {
    match (method, parts) {
        ("GET", []) => bean(&tenant(call, team)),
        ("GET", ["apps"]) => apps(call, team),
        ("GET", ["apps", id, "services"]) => services(call, team, id),
        ("POST", ["services_status"]) => statuses(call, team),
        ("GET", ["pods"]) => pods_of_many(call, team),
        (method, ["services", alias, rest @ ..]) => {
            let seed = call.rest.seed;
            match team
                .part(seed, alias)
                .filter(|one| one.part.alias == *alias)
            {
                None => Page::region_fault(404, "service not found"),
                Some(place) if method == "GET" => of_service(call, &place, rest).await,
                Some(_) => Page::not_found(),
            }
        }
        _ => Page::not_found(),
    }
}

/// The region's id of an app.
fn app_id(seed: u64, app: &App) -> String {
    world::hex(seed, &format!("app {}", app.k8s), 32)
}

fn apps(call: &Call<'_>, team: &'static Team) -> Page {
    let (seed, name) = (call.rest.seed, call.query("app_name").unwrap_or(""));
    let all: Vec<Value> = team
        .apps
        .iter()
        .filter(|app| app.name.contains(name))
        .map(|app| {
            json!({
                "tenant_id": team.tenant_id(seed), "app_name": app.name,
                "app_id": app_id(seed, app), "k8s_app": app.k8s,
            })
        })
        .collect();
    let (number, size) = (call.number("page", 1).max(1), call.number("pageSize", 10));
    let (shown, _) = events::page(&all, number, size);
    bean(&json!({"page": number, "pageSize": size, "total": all.len(), "apps": shown}))
}

fn services(call: &Call<'_>, team: &'static Team, id: &str) -> Page {
    let seed = call.rest.seed;
    let Some(app) = team.apps.iter().find(|app| app_id(seed, app) == id) else {
        return Page::region_fault(404, "application not found");
    };
    let all: Vec<Value> = app
        .parts
        .iter()
        .map(|part| {
            json!({
                "tenant_id": team.tenant_id(seed), "service_id": world::service_id(seed, part.alias),
                "service_alias": part.alias, "service_name": part.title(),
                "app_id": id, "k8s_component_name": part.alias, "replicas": part.replicas,
                "container_memory": part.memory, "container_cpu": part.cpu,
            })
        })
        .collect();
    let (number, size) = (call.number("page", 1).max(1), call.number("pageSize", 10));
    let (shown, _) = events::page(&all, number, size);
    bean(&json!({"page": number, "pageSize": size, "total": all.len(), "services": shown}))
}

fn statuses(call: &Call<'_>, team: &'static Team) -> Page {
    let body = call.json().unwrap_or_default();
    let ids = body.get("service_ids").and_then(Value::as_array);
    let Some(ids) = ids else {
        let wrong = json!({"service_ids": ["The service_ids field is required"]});
        let body = json!({"msg": "validation error", "validation_error": wrong});
        return Page::go(400, &body);
    };
    let view = call.rest.cluster.now();
    let all: Vec<Value> = ids
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|id| {
            let place = team.part(call.rest.seed, id)?;
            let (status, shown) = discovery::state(&view, place.part);
            let used = view.of(place.part.alias).flat_map(|pod| &pod.containers);
            let used: u64 = used
                .map(|one| instances::memory(call, place.part, one).1 >> 20)
                .sum();
            Some(json!({
                "service_id": id, "status": status, "status_cn": shown, "used_mem": used,
            }))
        })
        .collect();
    list(&json!(all))
}

/// A pod with its containers' memory in bytes, as decimal strings.
fn pod_row(call: &Call<'_>, place: &Place, pod: &Pod, filled: bool) -> Value {
    let mut containers = serde_json::Map::new();
    let all = pod.containers.iter().filter(|_| filled);
    for one in all {
        let (limit, usage) = instances::memory(call, place.part, one);
        let text = json!({"memory_limit": limit.to_string(), "memory_usage": usage.to_string()});
        containers.insert(one.name.clone(), text);
    }
    json!({
        "pod_ip": pod.ip, "pod_name": pod.name, "pod_status": pod.status(),
        "service_id": world::service_id(call.rest.seed, place.part.alias),
        "container": containers,
    })
}

fn pods(call: &Call<'_>, place: &Place) -> Page {
    let view = call.rest.cluster.now();
    let (new, old) = instances::sorted(call, view.split(place.part.alias));
    let rows = |pods: Vec<&Pod>| {
        let rows = pods.into_iter().map(|pod| pod_row(call, place, pod, true));
        instances::or_null(rows)
    };
    bean(&json!({"new_pods": rows(new), "old_pods": rows(old)}))
}

/// Pods of several components, without their containers.
fn pods_of_many(call: &Call<'_>, team: &'static Team) -> Page {
    let view = call.rest.cluster.now();
    let mut all = Vec::new();
    for id in call.query("service_ids").unwrap_or("").split(',') {
        if let Some(place) = team.part(call.rest.seed, id) {
            let pods = view.of(place.part.alias);
            all.extend(pods.map(|pod| pod_row(call, &place, pod, false)));
        }
    }
    list(&json!(all))
}

async fn of_service(call: &Call<'_>, place: &Place, parts: &[&str]) -> Page {
    match parts {
        ["pods"] => pods(call, place),
        ["pods", name, "detail"] => match instances::find(call, Some(place), name) {
            Some((place, pod)) => bean(&instances::of_pod(call, &place, &pod)),
            None => Page::region_fault(404, "pod not found"),
        },
        ["logs"] if call.switches.stored_logs => {
            let id = world::service_id(call.rest.seed, place.part.alias);
            list(&json!(
                stored::rows(call, &id, call.number("rows", 100)).await
            ))
        }
        // The log's server is gone (protocols.md 3.2).
        ["logs"] => Page::go(503, &json!({"error": "部分服务不可用"})),
        ["log-instance"] => bean(&json!({"host_id": stored::HOST})),
        ["log-file"] => {
            let files: Vec<Value> = stored::paths(call, place)
                .into_iter()
                .map(|(name, path)| json!({"filename": name, "relative_path": path}))
                .collect();
            if files.is_empty() {
                return Page::region_fault(404, "log file not found");
            }
            list(&json!(files))
        }
        _ => Page::not_found(),
    }
}

async fn list_events(call: &Call<'_>) -> Page {
    let target = events::Target {
        kind: call.query("target").unwrap_or(""),
        id: call.query("target-id").unwrap_or(""),
    };
    let all = events::find(call, &target).await;
    let (number, size) = (call.number("page", 1).max(1), call.number("size", 10));
    let (shown, _) = events::page(&all, number, size);
    Page::go(
        200,
        &json!({"list": shown, "number": all.len(), "page": number}),
    )
}

/// The paths that are streams; `None` for others.
pub(super) fn stream(call: &Call<'_>, parts: &[&str], console: bool) -> Option<Reply> {
    match parts {
        ["tenants", tenant, "services", alias, "pods", pod, "logs"]
            if call.switches.pod_streams =>
        {
            let team = events::tenant(tenant)?;
            let place = team.part(call.rest.seed, alias)?;
            Some(pod_stream(call, Some(&place), pod, console))
        }
        ["tenants", tenant, "resource-center", "pods", pod, "logs"]
            if call.switches.pod_streams =>
        {
            events::tenant(tenant)?;
            Some(pod_stream(call, None, pod, console))
        }
        ["tenants", tenant, "services", alias, "log"] if !console => {
            let place = events::tenant(tenant)?.part(call.rest.seed, alias)?;
            let pod = call.query("podName").unwrap_or("");
            let names = (pod, call.query("containerName"));
            Some(text_stream(call, &place, names, console))
        }
        ["events", id, "stream"] if call.switches.event_streams => {
            if id.trim().is_empty() {
                return Some(Page::text(400, "event id is required\n").into());
            }
            let feed = Feed::Event((*id).to_owned());
            Some(Reply::Stream(Box::new(Stream { feed, console })))
        }
        // A blank id leaves no part of the path.
        ["events", "stream"] if call.switches.event_streams => {
            Some(Page::text(400, "event id is required\n").into())
        }
        _ => None,
    }
}

fn truth(text: Option<&str>, usual: bool) -> Option<bool> {
    match text {
        None | Some("") => Some(usual),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Some(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Some(false),
        Some(_) => None,
    }
}

/// A pod's log as events (protocols.md 3.2).
pub(super) fn pod_stream(
    call: &Call<'_>,
    place: Option<&Place>,
    pod: &str,
    console: bool,
) -> Reply {
    let follow = truth(call.query("follow"), true);
    let previous = truth(call.query("previous"), false);
    let lines = match call.query("lines") {
        None | Some("") => Some(100),
        Some(text) => text.parse::<usize>().ok(),
    };
    let (Some(follow), Some(previous), Some(lines)) = (follow, previous, lines) else {
        return Page::text(400, "invalid parameter\n").into();
    };
    let container = call.query("container").filter(|name| !name.is_empty());
    let feed = PodFeed {
        containers: Vec::new(),
        lines,
        follow: follow && !previous,
        plain: false,
    };
    open(call, (place, pod, container), previous, feed, console)
}

/// One container's log as text.
pub(super) fn text_stream(
    call: &Call<'_>,
    place: &Place,
    (pod, container): (&str, Option<&str>),
    console: bool,
) -> Reply {
    let Some(follow) = truth(call.query("follow"), false) else {
        return Page::text(400, "invalid parameter\n").into();
    };
    let feed = PodFeed {
        containers: Vec::new(),
        lines: usize::MAX,
        follow,
        plain: true,
    };
    let container = container.filter(|name| !name.is_empty());
    let container = container.or(Some(place.part.alias));
    open(call, (Some(place), pod, container), false, feed, console)
}

fn open(
    call: &Call<'_>,
    (place, pod, container): (Option<&Place>, &str, Option<&str>),
    previous: bool,
    mut feed: PodFeed,
    console: bool,
) -> Reply {
    if call.switches.dead_backend {
        return Page::text(500, "get pod log failure\n").into();
    }
    let Some((_, found)) = instances::find(call, place, pod) else {
        return Page::text(404, &format!("pods \"{pod}\" not found\n")).into();
    };
    for one in &found.containers {
        if container.is_some_and(|name| name != one.name) {
            continue;
        }
        let id = if previous {
            one.previous.clone()
        } else {
            Some(one.id.clone())
        };
        let Some(id) = id else {
            let text = format!(
                "previous terminated container \"{}\" in pod \"{pod}\" not found\n",
                one.name
            );
            return Page::text(500, &text).into();
        };
        feed.containers.push((one.name.clone(), id));
    }
    if feed.containers.is_empty() {
        let name = container.unwrap_or("");
        let text = format!("container {name} is not valid for pod {pod}\n");
        return Page::text(500, &text).into();
    }
    if found.phase == Phase::Starting {
        let name = container.unwrap_or(found.alias);
        let text = format!(
            "container \"{name}\" in pod \"{pod}\" is waiting to start: ContainerCreating\n"
        );
        return Page::text(500, &text).into();
    }
    let feed = Feed::Pod(feed);
    Reply::Stream(Box::new(Stream { feed, console }))
}
