//! The console of 2017, as far as logs need it (protocols.md 0).

use serde_json::json;

use super::call::Call;
use super::events;
use super::page::{Page, Reply};
use super::stored::HOST;

/// `GET /ajax/{team}/{alias}/log_instance`.
pub(super) fn answer(call: &Call<'_>, parts: &[&str]) -> Reply {
    let ["GET", team, alias, "log_instance"] =
        [&[call.request.method.as_str()], parts].concat()[..]
    else {
        return Page::not_found().into();
    };
    let url = call.url("ws", "/docker_log");
    let known = events::tenant(team).and_then(|team| team.part(call.rest.seed, alias));
    let body = if known.is_some() && !call.switches.dead_backend {
        json!({"ok": true, "host_id": HOST, "ws_url": format!("{url}?host_id={HOST}")})
    } else {
        json!({"ok": false, "info": "获取日志实例失败", "ws_url": url})
    };
    Page::django(200, &body).into()
}
