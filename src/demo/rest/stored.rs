//! What is stored of a component's log: its last lines, its files, and where they are
//! (protocols.md 3.2).

use bytes::Bytes;
use serde_json::{Value, json};

use super::call::Call;
use super::page::Page;
use crate::demo::hub::Ask;
use crate::demo::teams::{self, Place};
use crate::demo::{gojson, world};

/// Names of the files of a component's log.
const FILES: [&str; 1] = ["stdout.log"];
/// The instance that holds the logs.
pub(super) const HOST: &str = "eventlog-0";

/// The last lines of a component as the collector has them.
pub(super) async fn rows(call: &Call<'_>, id: &str, limit: usize) -> Vec<String> {
    let id = id.to_owned();
    let rows: Vec<(u64, Bytes)> = call
        .rest
        .hub
        .ask(|reply| Ask::History { id, limit, reply })
        .await
        .unwrap_or_default();
    rows.iter().map(|(_, text)| gojson::lossy(text)).collect()
}

/// `GET …/apps/{alias}/log?action=service&lines=N`: nothing, where the log's server is gone
/// (protocols.md 3.2).
pub(super) async fn lines(call: &Call<'_>, place: &Place) -> Page {
    if call.switches.dead_backend || !call.switches.stored_logs {
        return Page::list(json!([]));
    }
    let id = world::service_id(call.rest.seed, place.part.alias);
    Page::list(json!(rows(call, &id, call.number("lines", 100)).await))
}

/// The folder of a component's files. The platform derives its name in another way, which no
/// client need know.
pub(super) fn folder(seed: u64, alias: &str) -> String {
    world::hex(seed, &format!("{alias} files"), 16)
}

/// Name and path of each file of a component.
pub(super) fn paths(call: &Call<'_>, place: &Place) -> Vec<(&'static str, String)> {
    if place.part.replicas == 0 {
        return Vec::new();
    }
    let folder = folder(call.rest.seed, place.part.alias);
    FILES
        .iter()
        .map(|name| (*name, format!("logs/{folder}/{name}")))
        .collect()
}

/// `GET …/apps/{alias}/history_log`.
pub(super) fn files(call: &Call<'_>, place: &Place) -> Page {
    if call.switches.dead_backend {
        return Page::list(json!([]));
    }
    let list: Vec<Value> = paths(call, place)
        .into_iter()
        .map(|(name, path)| {
            let url = call.socket_url("http", place.team.region, &format!("/{path}"));
            json!({"file_name": name, "file_url": url})
        })
        .collect();
    Page::list(json!(list))
}

/// A file's text: all lines that are kept.
pub(super) async fn download(call: &Call<'_>, folder_name: &str, file: &str) -> Page {
    let seed = call.rest.seed;
    let mut places = teams::places();
    let place = places.find(|place| folder(seed, place.part.alias) == folder_name);
    let (Some(place), true) = (place, FILES.contains(&file)) else {
        return Page::text(404, "404 page not found\n");
    };
    let id = world::service_id(seed, place.part.alias);
    let mut text = String::new();
    for row in rows(call, &id, usize::MAX).await {
        text.push_str(row.trim_end_matches('\n'));
        text.push('\n');
    }
    Page::text(200, &text)
}

/// `GET …/apps/{alias}/log_instance`.
pub(super) fn instance(call: &Call<'_>) -> Page {
    let region = call.query("region_name").unwrap_or("rainbond");
    let url = call.socket_url("ws", region, "/docker_log");
    if call.switches.dead_backend {
        return Page::bean(json!({"web_socket_url": url}));
    }
    let url = format!("{url}?host_id={HOST}");
    Page::bean(json!({"web_socket_url": url, "host_id": HOST}))
}
