//! Teams, apps, components, pods.

use serde_json::Value;

use crate::model::catalog::{App, Component, ComponentDetail, Container, Pod, Region, Team};

use super::{Payload, items, member, number};

/// The token of a login; a secret.
pub fn token(payload: &Payload) -> Option<&str> {
    payload
        .bean
        .get("token")?
        .as_str()
        .filter(|token| !token.is_empty())
}

/// The teams of `users/details`.
pub fn teams(payload: &Payload) -> Vec<Team> {
    let Some(teams) = payload.bean.get("teams") else {
        return Vec::new();
    };
    items(teams)
        .iter()
        .map(|team| Team {
            name: member(team, &["team_name", "tenant_name"]),
            alias: member(team, &["team_alias", "team_name"]),
            id: member(team, &["tenant_id"]),
            namespace: member(team, &["namespace"]),
            regions: items(team.get("region").unwrap_or(&Value::Null))
                .iter()
                .map(|region| Region {
                    name: member(region, &["team_region_name", "region_name"]),
                    alias: member(
                        region,
                        &[
                            "team_region_alias",
                            "region_alias",
                            "team_region_name",
                            "region_name",
                        ],
                    ),
                })
                .filter(|region| !region.name.is_empty())
                .collect(),
        })
        .filter(|team| !team.name.is_empty())
        .collect()
}

/// The tenants of a region.
pub fn tenants(payload: &Payload) -> Vec<Team> {
    items(&payload.list)
        .iter()
        .map(|tenant| Team {
            name: member(tenant, &["name", "tenant_name"]),
            alias: member(tenant, &["alias", "name", "tenant_name"]),
            id: member(tenant, &["uuid", "tenant_id"]),
            namespace: member(tenant, &["namespace"]),
            regions: Vec::new(),
        })
        .filter(|team| !team.name.is_empty())
        .collect()
}

fn component(value: &Value) -> Component {
    Component {
        id: member(value, &["service_id"]),
        alias: member(value, &["service_alias"]),
        name: member(value, &["service_cname", "service_alias"]),
        status: member(value, &["status", "cur_status"]),
        memory: value
            .get("min_memory")
            .or_else(|| value.get("container_memory"))
            .and_then(number),
    }
}

/// The apps of `overview/groups`, with their components.
pub fn overview(payload: &Payload) -> Vec<App> {
    items(&payload.list)
        .iter()
        .map(|app| App {
            id: member(app, &["group_id"]),
            name: member(app, &["group_name"]),
            k8s: member(app, &["k8s_app"]),
            components: items(app.get("service_list").unwrap_or(&Value::Null))
                .iter()
                .map(component)
                .filter(|component| !component.alias.is_empty())
                .collect(),
            ..App::default()
        })
        .filter(|app| !app.id.is_empty())
        .collect()
}

/// The apps of `apps`, with their status and usage.
pub fn apps(payload: &Payload) -> Vec<App> {
    let count = |app: &Value, key: &str| app.get(key).and_then(number);
    items(&payload.list)
        .iter()
        .map(|app| App {
            id: member(app, &["group_id"]),
            name: member(app, &["group_name"]),
            k8s: member(app, &["k8s_app"]),
            status: member(app, &["status"]),
            memory: count(app, "used_mem"),
            cpu: count(app, "used_cpu"),
            running: count(app, "services_num")
                .map(|all| (count(app, "run_service_num").unwrap_or(0), all)),
            components: Vec::new(),
        })
        .filter(|app| !app.id.is_empty())
        .collect()
}

/// A region's apps.
pub fn region_apps(payload: &Payload) -> Vec<App> {
    let list = payload.bean.get("apps").unwrap_or(&payload.list);
    items(list)
        .iter()
        .map(|app| App {
            id: member(app, &["app_id"]),
            name: member(app, &["app_name", "k8s_app"]),
            k8s: member(app, &["k8s_app"]),
            status: member(app, &["status"]),
            ..App::default()
        })
        .filter(|app| !app.id.is_empty())
        .collect()
}

/// The components of one app of the console.
pub fn components(payload: &Payload) -> Vec<Component> {
    items(&payload.list)
        .iter()
        .map(component)
        .filter(|component| !component.alias.is_empty())
        .collect()
}

/// The components of one app of a region, with what it tells of each.
pub fn region_services(payload: &Payload) -> Vec<ComponentDetail> {
    let list = payload.bean.get("services").unwrap_or(&payload.list);
    items(list).iter().map(detail_of).collect()
}

/// The statuses of a region's components: id and word.
pub fn region_statuses(payload: &Payload) -> Vec<(String, String)> {
    let list = payload.bean.get("status_list").unwrap_or(&payload.list);
    items(list)
        .iter()
        .map(|one| (member(one, &["service_id"]), member(one, &["status"])))
        .collect()
}

/// One component, whole.
pub fn detail(payload: &Payload) -> Option<ComponentDetail> {
    let service = payload.bean.get("service").unwrap_or(&payload.bean);
    let mut detail = detail_of(service);
    detail.websocket = member(&payload.bean, &["event_websocket_url"]);
    (!detail.component.id.is_empty()).then_some(detail)
}

fn detail_of(service: &Value) -> ComponentDetail {
    ComponentDetail {
        component: component(service),
        tenant_id: member(service, &["tenant_id"]),
        namespace: member(service, &["namespace"]),
        k8s: member(service, &["k8s_component_name"]),
        app: member(service, &["group_name", "app_name"]),
        websocket: String::new(),
    }
}

/// The pods of a component: of the console in MiB, of a region in bytes. What is not deployed
/// has none: `[]`, `null`, or neither.
pub fn pods(payload: &Payload) -> Vec<Pod> {
    let both = if payload.list.is_object() {
        &payload.list
    } else {
        &payload.bean
    };
    let of = |key: &str, old: bool| {
        items(both.get(key).unwrap_or(&Value::Null))
            .iter()
            .map(move |value| pod(value, old))
    };
    of("new_pods", false)
        .chain(of("old_pods", true))
        .filter(|pod| !pod.name.is_empty())
        .collect()
}

fn pod(value: &Value, old: bool) -> Pod {
    let containers = match value.get("container") {
        Some(Value::Array(list)) => list.iter().map(listed).collect(),
        Some(Value::Object(map)) => map
            .iter()
            .map(|(name, usage)| Container {
                name: crate::text::SafeText::of(name).to_string(),
                memory: usage.get("memory_usage").and_then(number),
                limit: usage
                    .get("memory_limit")
                    .and_then(number)
                    .filter(|limit| *limit > 0),
            })
            .collect(),
        _ => Vec::new(),
    };
    Pod {
        name: member(value, &["pod_name"]),
        status: member(value, &["pod_status"]),
        old,
        containers: containers
            .into_iter()
            // The pod's own sandbox.
            .filter(|container: &Container| container.name != "POD" && !container.name.is_empty())
            .collect(),
    }
}

fn listed(value: &Value) -> Container {
    let bytes = |key: &str| Some(value.get(key).and_then(number)?.saturating_mul(1 << 20));
    Container {
        name: member(value, &["container_name"]),
        memory: bytes("memory_usage"),
        limit: bytes("memory_limit").filter(|limit| *limit > 0),
    }
}

/// The lines of a stored log: whole strings, as they came; they are sanitised as lines are.
pub fn log_lines(payload: &Payload) -> Vec<String> {
    items(&payload.list)
        .iter()
        .filter_map(|line| line.as_str().map(str::to_owned))
        .collect()
}

/// Facts that are told of one thing.
const FACTS: usize = 500;

/// Every member of a bean as a line: `key: value`, deeper ones set in.
pub fn facts(payload: &Payload) -> Vec<String> {
    let mut lines = Vec::new();
    tell(&payload.bean, 0, &mut lines);
    lines
}

pub(super) fn tell(value: &Value, depth: usize, lines: &mut Vec<String>) {
    /// JSON that is deeper is a hostile server's.
    const DEEPEST: usize = 8;
    let indent = "  ".repeat(depth);
    let mut one = |key: &str, value: &Value| match value {
        _ if lines.len() >= FACTS => {}
        Value::Object(_) | Value::Array(_) if depth < DEEPEST => {
            let empty = value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                lines.push(format!("{indent}{key}:"));
                tell(value, depth + 1, lines);
            }
        }
        Value::Object(_) | Value::Array(_) | Value::Null => {}
        Value::Bool(on) => lines.push(format!("{indent}{key}: {on}")),
        Value::String(_) | Value::Number(_) => {
            let text = super::text(value);
            if !text.is_empty() {
                lines.push(format!("{indent}{key}: {text}"));
            }
        }
    };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                one(&crate::text::SafeText::of(key).to_string(), value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                one(&format!("- {}", index + 1), value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
