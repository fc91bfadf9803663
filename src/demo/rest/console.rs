//! The console's paths (protocols.md 3): who may go there, and who answers.

use super::call::Call;
use super::desk::Credential;
use super::measured::{self, Shape};
use super::page::{Page, Reply};
use super::{discovery, events, instances, login, region, stored};
use crate::demo::teams::{self, TEAMS, Team};

/// What a path below `/console` gets.
pub(super) async fn answer(call: &Call<'_>, parts: &[&str]) -> (Reply, Credential) {
    let method = call.request.method.as_str();
    if parts == ["users", "login"] {
        let page = match method {
            "POST" => login::login(call),
            _ => not_allowed(),
        };
        return (page.into(), Credential::None);
    }
    let credential = login::credential(call);
    // The views of streams and sockets look at no login, nor one of what is measured; a gateway in front may (protocols.md 8).
    let open = matches!(
        parts,
        ["sse", ..] | ["regions", _, "websocket", ..] | ["open", "monitor", _]
    );
    if credential == Credential::None && (!open || call.switches.gateway_login) {
        return (login::wanted().into(), credential);
    }
    let reply = match (method, parts) {
        ("GET", ["sse", "v2", rest @ ..]) => handed_on(call, rest),
        ("GET", ["regions", name, "websocket", ..]) if teams::region(name).is_none() => {
            Page::fault(404, 10404, "region not found", "集群不存在").into()
        }
        ("GET", ["regions", _, "websocket", "logs", dir, file]) => {
            stored::download(call, dir, file).await.into()
        }
        ("GET", ["regions", _, "websocket", ..]) => Page::text(400, "Bad Request\n").into(),
        ("GET", ["users", "details"]) => discovery::details(call).into(),
        ("GET", ["regions"]) => discovery::regions().into(),
        ("GET", ["monitor", name] | ["open", "monitor", name]) => match Shape::named(name) {
            Some(shape) => measured::of_all(call, shape).into(),
            None => unknown().into(),
        },
        ("GET", ["teams", team, rest @ ..]) => match enter(call, team) {
            Ok(team) => of_team(call, team, rest).await,
            Err(page) => page.into(),
        },
        ("GET", _) => unknown().into(),
        _ => not_allowed().into(),
    };
    (reply, credential)
}

/// The console hands a stream on: `/console/sse` is cut off (protocols.md 3.2).
fn handed_on(call: &Call<'_>, rest: &[&str]) -> Reply {
    let region = call.query("region_name");
    if region.is_some_and(|name| teams::region(name).is_none()) {
        return Page::fault(404, 10404, "region not found", "集群不存在").into();
    }
    region::stream(call, rest, true)
        .unwrap_or_else(|| Page::text(404, "404 page not found\n").into())
}

/// The team, if it is there and the user may enter it, and the region is one of its own
/// (protocols.md 3.1).
fn enter(call: &Call<'_>, name: &str) -> Result<&'static Team, Page> {
    let forbidden = call.switches.forbidden_team.as_deref();
    if forbidden == Some(name) {
        return Err(Page::fault(403, 10402, "no permissions ", "没有操作权限"));
    }
    let Some(team) = TEAMS.iter().find(|team| team.name == name) else {
        return Err(Page::fault(404, 10403, "team not found", "团队不存在"));
    };
    let region = call.query("region_name").or(call.cookie("region_name"));
    if region.is_some_and(|region| region != team.region) {
        return Err(Page::fault(404, 10404, "region not found", "集群不存在"));
    }
    Ok(team)
}

async fn of_team(call: &Call<'_>, team: &'static Team, parts: &[&str]) -> Reply {
    let page = match parts {
        ["overview", "groups"] => discovery::overview(call, team),
        ["apps"] => discovery::apps(call, team),
        ["groups"] => discovery::groups(team),
        ["service", "group"] => discovery::group(call, team),
        ["events"] => events::of_team(call, team).await,
        ["events", id, "log"] => events::log(call, id).await,
        ["regions", region, "resource-center", "pods", pod, "logs"] if *region == team.region => {
            return region::pod_stream(call, None, pod, true);
        }
        ["apps", alias, rest @ ..] => {
            let Some(place) = team
                .part(call.rest.seed, alias)
                .filter(|one| one.part.alias == *alias)
            else {
                return Page::fault(404, 404, "service not found", "组件不存在").into();
            };
            match rest {
                ["detail"] => discovery::detail(call, &place),
                ["status"] => discovery::status(call, &place),
                ["pods"] => instances::list(call, &place),
                ["pods", pod, "detail"] => instances::detail(call, &place, pod),
                ["log"] => stored::lines(call, &place).await,
                ["logs"] => return instances::text(call, &place),
                ["history_log"] => stored::files(call, &place),
                ["log_instance"] => stored::instance(call),
                ["events"] => events::of_part(call, &place).await,
                ["monitor", name] => match Shape::named(name) {
                    Some(shape) => measured::of_part(call, &place, shape),
                    None => unknown(),
                },
                _ => unknown(),
            }
        }
        _ => unknown(),
    };
    page.into()
}

fn unknown() -> Page {
    Page::fault(404, 404, "not found", "资源不存在")
}

fn not_allowed() -> Page {
    Page::fault(405, 405, "method not allowed", "请求方法不被允许")
}
