//! From the user to the components: teams, regions, apps, components (protocols.md 3.4).

use serde_json::{Value, json};

use super::call::Call;
use super::page::Page;
use crate::demo::cluster::{Phase, View};
use crate::demo::stamp::Stamp;
use crate::demo::teams::{App, Part, Place, REGIONS, TEAMS, Team, region};
use crate::demo::world;

/// The enterprise's id.
const ENTERPRISE: &str = "8e1f3d5b7a9c4e6f8b0d2a4c6e8f1a3b";

/// `GET /console/users/details`.
pub(super) fn details(call: &Call<'_>) -> Page {
    let user = call.rest.desk.user();
    let created = Stamp::new(call.rest.opened).plain();
    let teams: Vec<Value> = TEAMS
        .iter()
        .map(|team| {
            let regions: Vec<Value> = region(team.region)
                .map(|one| {
                    json!({
                        "team_region_name": one.name, "team_region_alias": one.alias,
                        "region_id": one.id, "is_active": true, "is_init": true,
                        "region_status": "1", "region_scope": "private",
                        "websocket_uri": call.socket_url("ws", one.name, ""),
                    })
                })
                .into_iter()
                .collect();
            json!({
                "team_id": team.id, "team_name": team.name, "team_alias": team.alias,
                "limit_memory": 0, "pay_level": "free", "region": regions, "creater": user,
                "create_time": created, "namespace": team.namespace,
                "role_name_list": ["owner"],
            })
        })
        .collect();
    Page::envelope(
        "Obtain my details to be successful.",
        "获取我的详情成功",
        json!({
            "user_id": 1, "user_name": user, "real_name": user,
            "email": format!("{user}@example.com"), "enterprise_id": ENTERPRISE, "phone": null,
            "git_user_id": 0, "is_sys_admin": true, "is_enterprise_active": 1,
            "is_enterprise_admin": true, "teams": teams,
        }),
        json!([]),
    )
}

/// `GET /console/regions`.
pub(super) fn regions() -> Page {
    let list: Vec<Value> = REGIONS
        .iter()
        .map(|one| {
            json!({
                "region_id": one.id, "region_name": one.name, "region_alias": one.alias,
                "enterprise_id": ENTERPRISE, "status": "1", "desc": "",
                "wsurl": "ws://rbd-api-websocket:6060",
            })
        })
        .collect();
    Page::list(json!(list))
}

fn apps_of(call: &Call<'_>, team: &'static Team) -> impl Iterator<Item = &'static App> {
    let query = call.query("query").unwrap_or("").to_owned();
    team.apps
        .iter()
        .filter(move |app| app.name.contains(&query))
}

/// `GET /console/teams/{team}/overview/groups`: no list where there is no component.
pub(super) fn overview(call: &Call<'_>, team: &'static Team) -> Page {
    let list: Vec<Value> = apps_of(call, team)
        .map(|app| {
            let parts: Vec<Value> = app
                .parts
                .iter()
                .map(|part| {
                    json!({
                        "service_id": world::service_id(call.rest.seed, part.alias),
                        "service_cname": part.title(), "service_alias": part.alias,
                    })
                })
                .collect();
            let parts = if parts.is_empty() {
                Value::Null
            } else {
                json!(parts)
            };
            json!({"group_id": app.id, "group_name": app.name, "service_list": parts})
        })
        .collect();
    Page::list(json!(list))
}

/// `GET /console/teams/{team}/apps`.
pub(super) fn apps(call: &Call<'_>, team: &'static Team) -> Page {
    let (page, size) = (call.number("page", 1).max(1), call.number("page_size", 10));
    let all: Vec<&App> = apps_of(call, team).collect();
    let view = call.rest.cluster.now();
    let list: Vec<Value> = all
        .iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(|app| row(call, &view, app))
        .collect();
    let bean = json!({"page": page, "page_size": size, "total": all.len()});
    Page::envelope("success", "查询成功", bean, json!(list))
}

fn row(call: &Call<'_>, view: &View, app: &App) -> Value {
    let dead = call.switches.dead_backend;
    let states: Vec<(&Part, &str)> = app
        .parts
        .iter()
        .map(|part| (part, state(view, part).0))
        .collect();
    let running = states.iter().filter(|(_, state)| *state != "undeploy");
    let running: Vec<&Part> = running.map(|(part, _)| *part).collect();
    let status = match (states.is_empty() || dead, running.len()) {
        (true, _) => "NIL",
        (false, 0) => "UNDEPLOY",
        (false, _) if states.iter().all(|(_, state)| *state == "running") => "RUNNING",
        (false, _) => "SOME_ABNORMAL",
    };
    let sum = |of: fn(&Part) -> u32| {
        let each = |part: &&Part| u64::from(of(part)) * part.replicas / 2;
        if dead {
            0
        } else {
            running.iter().map(each).sum()
        }
    };
    let parts: Vec<Value> = states
        .iter()
        .map(|(part, state)| {
            json!({
                "service_id": world::service_id(call.rest.seed, part.alias),
                "service_cname": part.title(), "service_alias": part.alias,
                "status": if dead { "unKnow" } else { state },
            })
        })
        .collect();
    json!({
        "group_id": app.id, "group_name": app.name, "group_note": app.note, "status": status,
        "k8s_app": app.k8s, "used_mem": sum(|part| part.memory), "used_cpu": sum(|part| part.cpu),
        "used_disk": 0, "services_num": app.parts.len(),
        "run_service_num": if dead { 0 } else { running.len() }, "service_list": parts,
        "accesses": [],
    })
}

/// `GET /console/teams/{team}/groups`.
pub(super) fn groups(team: &'static Team) -> Page {
    let list: Vec<Value> = team
        .apps
        .iter()
        .map(|app| json!({"group_name": app.name, "group_id": app.id, "group_note": app.note}))
        .collect();
    Page::list(json!(list))
}

/// `GET /console/teams/{team}/service/group`.
pub(super) fn group(call: &Call<'_>, team: &'static Team) -> Page {
    let wanted = call.query("group_id").unwrap_or("");
    let parts: &[Part] = match team.apps.iter().find(|app| app.id.to_string() == wanted) {
        Some(app) => app.parts,
        // Without app: there is none.
        None if wanted == "-1" => &[],
        // A vanished app, inside HTTP's 200 (protocols.md 3.4).
        None => {
            return Page::fault(
                200,
                202,
                "group is not yours!",
                "当前组已删除或您无权限查看！",
            );
        }
    };
    let page = call.number("page", 1).max(1);
    let size = match call.query("page_size") {
        Some("-1") => usize::MAX,
        _ => call.number("page_size", 10),
    };
    let view = call.rest.cluster.now();
    let list: Vec<Value> = parts
        .iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .map(|part| {
            let (status, shown) = shown(call, &view, part);
            json!({
                "service_id": world::service_id(call.rest.seed, part.alias),
                "service_alias": part.alias, "service_cname": part.title(),
                "service_type": "application", "deploy_version": "20261124",
                "version": "latest", "status": status, "status_cn": shown,
                "min_memory": part.memory, "min_node": part.replicas,
                "update_time": Stamp::new(call.rest.opened).plain(),
                "create_status": "complete", "service_source": "source_code",
            })
        })
        .collect();
    let data = (json!({}), json!(list));
    Page::extended(
        "query success",
        "应用查询成功",
        data,
        &[("total", json!(parts.len()))],
    )
}

/// How a component is: the console's word, and the word for people.
pub(super) fn state(view: &View, part: &Part) -> (&'static str, &'static str) {
    let pods: Vec<_> = view.of(part.alias).collect();
    let versions = pods.first().zip(pods.last());
    if pods.is_empty() {
        ("undeploy", "未部署")
    } else if versions.is_some_and(|(first, last)| first.generation != last.generation)
        || pods.iter().any(|pod| pod.phase != Phase::Running)
    {
        ("upgrade", "升级中")
    } else if pods.iter().any(|pod| !pod.is_ready()) {
        ("some_abnormal", "部分实例异常")
    } else {
        ("running", "运行中")
    }
}

fn shown(call: &Call<'_>, view: &View, part: &Part) -> (&'static str, &'static str) {
    if call.switches.dead_backend {
        return ("unKnow", "未知");
    }
    state(view, part)
}

/// `GET …/apps/{alias}/detail`.
pub(super) fn detail(call: &Call<'_>, place: &Place) -> Page {
    let (seed, part) = (call.rest.seed, place.part);
    let events = call.socket_url("ws", place.team.region, "/event_log");
    let service = json!({
        "service_id": world::service_id(seed, part.alias),
        "tenant_id": place.team.tenant_id(seed), "service_key": "application",
        "service_alias": part.alias, "service_cname": part.title(),
        "service_region": place.team.region, "desc": "docker application",
        "category": "application", "version": "latest",
        "image": format!("goodrain.me/{}:20261124", part.alias),
        "extend_method": "stateless_multiple", "min_node": part.replicas, "min_cpu": part.cpu,
        "min_memory": part.memory, "namespace": place.team.namespace, "arch": "amd64",
        "k8s_component_name": part.alias, "create_status": "complete",
        "service_source": "source_code", "group_name": place.app.name, "group_id": place.app.id,
    });
    Page::bean(json!({
        "service": service, "is_third": false, "event_websocket_url": events,
    }))
}

/// `GET …/apps/{alias}/status`.
pub(super) fn status(call: &Call<'_>, place: &Place) -> Page {
    if call.switches.dead_backend {
        return Page::bean(json!({}));
    }
    let (status, shown) = state(&call.rest.cluster.now(), place.part);
    let (disabled, active) = if status == "undeploy" {
        (json!(["restart", "stop", "visit"]), json!(["deploy"]))
    } else {
        (
            json!(["deploy"]),
            json!(["restart", "stop", "visit", "manage_container"]),
        )
    };
    Page::bean(json!({
        "check_uuid": "", "status": status, "status_cn": shown, "disabledAction": disabled,
        "activeAction": active,
    }))
}
