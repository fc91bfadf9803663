//! What happened to a component, and what was said meanwhile (protocols.md 3.3).

use serde_json::{Value, json};

use super::call::Call;
use super::page::Page;
use crate::demo::hub::{Ask, EventHead};
use crate::demo::record::Stage;
use crate::demo::stamp::Stamp;
use crate::demo::teams::{Place, TEAMS, Team};
use crate::demo::{deploy, sse, times, world};

/// What a list of events is asked for.
pub(super) struct Target<'a> {
    /// `service`, `tenant` or `pod`.
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
}

/// The events of a target, the newest first. All events here are deploys of one component.
pub(super) async fn find(call: &Call<'_>, target: &Target<'_>) -> Vec<Value> {
    let seed = call.rest.seed;
    let service = world::service_id(seed, deploy::OF);
    let tenant = world::tenant_id(seed);
    let wanted = match target.kind {
        "service" => target.id == service,
        "tenant" => target.id == tenant,
        _ => false,
    };
    if !wanted {
        return Vec::new();
    }
    let heads = call.rest.hub.ask(Ask::Events).await.unwrap_or_default();
    let user = call.rest.desk.user();
    let row = |head: EventHead| row(&head, (&tenant, &service), user);
    heads.into_iter().map(row).collect()
}

fn row(head: &EventHead, (tenant, service): (&str, &str), user: &str) -> Value {
    let begun = Stamp::new(head.begun).rfc3339();
    let (ended, stage) = match head.ended {
        Some((at, stage)) => (Stamp::new(at).rfc3339(), stage),
        None => (String::new(), Stage::Running),
    };
    let (status, last) = sse::verdict(stage);
    json!({
        "create_time": begun, "event_id": head.id, "tenant_id": tenant, "service_id": service,
        "target": "service", "target_id": service, "request_body": "", "user_name": user,
        "start_time": begun, "end_time": ended, "opt_type": "build-service", "syn_type": 0,
        "status": status, "final_status": last, "message": head.message, "reason": "",
    })
}

/// One page of a list, and whether there are more.
pub(super) fn page(all: &[Value], number: usize, size: usize) -> (Vec<Value>, bool) {
    let skip = number.max(1).saturating_sub(1).saturating_mul(size);
    let list: Vec<Value> = all.iter().skip(skip).take(size).cloned().collect();
    (list, all.len() > skip.saturating_add(size))
}

/// `GET /console/teams/{team}/events?target=&targetAlias=`; without an alias, of the team.
pub(super) async fn of_team(call: &Call<'_>, team: &'static Team) -> Page {
    let alias = call.query("targetAlias").unwrap_or("");
    let seed = call.rest.seed;
    let (kind, id) = match team.part(seed, alias) {
        Some(place) => ("service", world::service_id(seed, place.part.alias)),
        None if alias.is_empty() => ("tenant", team.tenant_id(seed)),
        None => ("service", String::new()),
    };
    answer(call, &Target { kind, id: &id }).await
}

/// `GET …/apps/{alias}/events`.
pub(super) async fn of_part(call: &Call<'_>, place: &Place) -> Page {
    let id = world::service_id(call.rest.seed, place.part.alias);
    let kind = "service";
    answer(call, &Target { kind, id: &id }).await
}

async fn answer(call: &Call<'_>, target: &Target<'_>) -> Page {
    let all = if call.switches.dead_backend {
        Vec::new()
    } else {
        find(call, target).await
    };
    let (list, more) = page(&all, call.number("page", 1), call.number("page_size", 6));
    let extra = [("total", json!(all.len())), ("has_next", json!(more))];
    Page::extended("success", "查询成功", (json!({}), json!(list)), &extra)
}

/// The entries of an event as its history has them, without the progress (protocols.md 1.4), down
/// to a level: `error`, `info`, `debug`.
pub(super) async fn entries(call: &Call<'_>, id: &str) -> Vec<Value> {
    let id = id.to_owned();
    let entries = call
        .rest
        .hub
        .ask(|reply| Ask::Entries { id, reply })
        .await
        .unwrap_or_default();
    let depth = rank(call.query("level").unwrap_or("debug"));
    entries
        .into_iter()
        .filter_map(|(at, bytes)| {
            let entry: Value = serde_json::from_slice(&bytes).ok()?;
            let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or("");
            let told = text("step") != "progress" && rank(text("level")) <= depth;
            told.then(|| {
                json!({
                    "message": text("message"), "time": text("time"),
                    "utime": times::seconds(at),
                })
            })
        })
        .collect()
}

fn rank(level: &str) -> u8 {
    match level {
        "error" => 0,
        "debug" => 2,
        _ => 1,
    }
}

/// `GET /console/teams/{team}/events/{id}/log`.
pub(super) async fn log(call: &Call<'_>, id: &str) -> Page {
    if call.switches.dead_backend {
        return Page::list(json!([]));
    }
    Page::list(json!(entries(call, id).await))
}

/// Whether a tenant's name is one of ours.
pub(super) fn tenant(name: &str) -> Option<&'static Team> {
    TEAMS.iter().find(|team| team.name == name)
}
