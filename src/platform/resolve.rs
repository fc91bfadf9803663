//! Names become places: what a user typed is looked up on its platform (decision 20). What is
//! not there is told with what is; what may mean several things lists them.

use std::sync::Arc;

use regex::Regex;

use crate::codec::name::{self, Name, Part, Parts, Path};
use crate::model::catalog::{App, Team};
use crate::model::context::{Context, Place};
use crate::model::{Fault, FaultKind};
use crate::say;

use super::Platform;

/// Candidates that a fault lists.
const LISTED: usize = 8;
/// Places that one name may mean.
const MOST: usize = 200;

/// Every component, pod or container that `name` means on a platform; at least one.
pub async fn resolve(platform: &mut Platform, name: &Name) -> Result<Vec<Place>, Fault> {
    let found = match &name.path {
        Path::Parts(parts) => by_parts(platform, name, parts).await?,
        Path::Regex(pattern) => by_regex(platform, name, pattern).await?,
    };
    if found.is_empty() {
        let why = say!("nothing there has such a name", "那里没有这样的名字");
        return Err(absent(name, why, list_them()));
    }
    if found.len() > MOST {
        let count = found.len();
        let why = say!("it means {count} components", "它指 {count} 个组件");
        let next = say!("write more of the names", "请把名字写得更具体");
        return Err(Fault::new(FaultKind::Usage, &name.text, why, next));
    }
    Ok(found)
}

fn list_them() -> String {
    say!(
        "deckwatch get components lists what there is",
        "deckwatch get components 会列出所有组件"
    )
}

fn absent(name: &Name, why: String, next: String) -> Fault {
    Fault::new(FaultKind::NotFound, &name.text, why, next)
}

/// What a part means among things that each have several names: one, or with a glob several.
fn pick<'a, T>(
    name: &Name,
    what: &str,
    part: &Part,
    things: &'a [T],
    names: impl Fn(&T) -> Vec<&str>,
) -> Result<Vec<&'a T>, Fault> {
    let shown = |things: &[&T]| {
        let mut list: Vec<String> = things
            .iter()
            .take(LISTED)
            .map(|thing| {
                let names = names(thing);
                let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
                match names.as_slice() {
                    [first, second, ..] if first != second => format!("{first} ({second})"),
                    [first, ..] => (*first).to_owned(),
                    [] => String::new(),
                }
            })
            .collect();
        if things.len() > LISTED {
            list.push("…".into());
        }
        list.join(", ")
    };
    let found: Vec<&T> = things
        .iter()
        .filter(|thing| part.matches(&names(thing)))
        .collect();
    if found.is_empty() && !part.is_glob() {
        let text = part.text();
        let why = say!("there is no {what} {text:?}", "没有名为 {text:?} 的{what}");
        let all: Vec<&T> = things.iter().collect();
        let next = if all.is_empty() {
            list_them()
        } else {
            let all = shown(&all);
            say!("there are: {all}", "现有：{all}")
        };
        return Err(absent(name, why, next));
    }
    if found.len() > 1 && !part.is_glob() {
        let text = part.text();
        let candidates = shown(&found);
        let why = say!(
            "{text:?} may be one of several: {candidates}",
            "{text:?} 可能指多个：{candidates}"
        );
        let next = say!("write the id or the alias", "请写 ID 或别名");
        return Err(absent(name, why, next));
    }
    Ok(found)
}

fn fault(error: crate::transport::DialError) -> Fault {
    error.fault
}

async fn by_parts(
    platform: &mut Platform,
    name: &Name,
    parts: &Parts,
) -> Result<Vec<Place>, Fault> {
    let context = Arc::clone(platform.context());
    let teams = platform.teams().await.map_err(fault)?;
    let team = match (&context.team, parts.team.text()) {
        (Some(own), "") => Part::exactly(own),
        (None, "") if teams.len() == 1 => Part::exactly(teams.first().map_or("", |t| &t.name)),
        _ => parts.team.clone(),
    };
    let what = say!("team", "团队");
    let teams = pick(name, &what, &team, &teams, |team| {
        vec![&team.name, &team.alias, &team.id, &team.namespace]
    })?;
    let mut places = Vec::new();
    for team in teams {
        for region in regions(name, parts.region.as_deref(), &context, team)? {
            let apps = platform
                .overview(&team.name, &region)
                .await
                .map_err(fault)?;
            let what = say!("app", "应用");
            let apps = pick(name, &what, &parts.app, &apps, |app| {
                vec![&app.name, &app.k8s, &app.id]
            })?;
            for app in apps {
                let components = in_app(name, parts, app)?;
                for component in components {
                    let names = (&*team.name, &*region, &*app.name);
                    let place = Place::of(&context, names, component.clone());
                    places.extend(with_pods(platform, name, parts, place).await?);
                }
            }
        }
    }
    Ok(places)
}

fn in_app<'a>(
    name: &Name,
    parts: &Parts,
    app: &'a App,
) -> Result<Vec<&'a crate::model::catalog::Component>, Fault> {
    let what = say!("component", "组件");
    let found = pick(
        name,
        &what,
        &parts.component,
        &app.components,
        |component| vec![&component.name, &component.alias, &component.id],
    );
    // With a glob in front, an app without the component is only left out.
    if found.is_err() && parts.app.is_glob() {
        return Ok(Vec::new());
    }
    found
}

/// The regions that are meant: the one that is named, the context's own, or the team's.
fn regions(
    name: &Name,
    asked: Option<&str>,
    context: &Context,
    team: &Team,
) -> Result<Vec<String>, Fault> {
    let known: Vec<&str> = team.regions.iter().map(|one| one.name.as_str()).collect();
    let all = || known.join(", ");
    if let Some(asked) = asked {
        let found = team
            .regions
            .iter()
            .find(|region| Part::exactly(asked).matches(&[&region.name, &region.alias]));
        if let Some(region) = found {
            return Ok(vec![region.name.clone()]);
        }
        let (team, all) = (&team.name, all());
        let why = say!(
            "the team {team} has no region {asked:?}",
            "团队 {team} 没有区域 {asked:?}"
        );
        return Err(absent(name, why, say!("it has: {all}", "它有：{all}")));
    }
    if let Some(own) = context.region.as_deref().filter(|own| known.contains(own)) {
        return Ok(vec![own.to_owned()]);
    }
    match known.as_slice() {
        [] => {
            let team = &team.name;
            let why = say!(
                "the team {team} runs in no region",
                "团队 {team} 没有任何区域"
            );
            Err(absent(name, why, list_them()))
        }
        [one] => Ok(vec![(*one).to_owned()]),
        many if name_is_wide(name) => Ok(many.iter().map(|one| (*one).to_owned()).collect()),
        _ => {
            let (team, all) = (&team.name, all());
            let why = say!(
                "the team {team} has several regions: {all}",
                "团队 {team} 有多个区域：{all}"
            );
            let next = say!(
                "write {team}@REGION/…, or set the context's region",
                "请写成 {team}@区域/…，或设置上下文的 region"
            );
            Err(absent(name, why, next))
        }
    }
}

/// Whether a name means many things on purpose.
fn name_is_wide(name: &Name) -> bool {
    match &name.path {
        Path::Regex(_) => true,
        Path::Parts(parts) => parts.team.is_glob(),
    }
}

/// The pods that are meant; the place itself without any.
async fn with_pods(
    platform: &mut Platform,
    name: &Name,
    parts: &Parts,
    place: Place,
) -> Result<Vec<Place>, Fault> {
    let Some(wanted) = &parts.pod else {
        return Ok(vec![place]);
    };
    let pods = platform.pods(&place).await.map_err(fault)?;
    let what = say!("pod", "实例");
    let mut places = Vec::new();
    for pod in pick(name, &what, wanted, &pods, |pod| vec![&pod.name])? {
        let here = Place {
            pod: Some(pod.name.clone()),
            ..place.clone()
        };
        let Some(wanted) = &parts.container else {
            places.push(here);
            continue;
        };
        let what = say!("container", "容器");
        for container in pick(name, &what, wanted, &pod.containers, |one| vec![&one.name])? {
            places.push(Place {
                container: Some(container.name.clone()),
                ..here.clone()
            });
        }
    }
    Ok(places)
}

async fn by_regex(
    platform: &mut Platform,
    name: &Name,
    pattern: &str,
) -> Result<Vec<Place>, Fault> {
    let regex = name::compile(pattern)
        .map_err(|why| Fault::new(FaultKind::Usage, &name.text, why, String::new()))?;
    let context = Arc::clone(platform.context());
    let mut places = Vec::new();
    for team in platform.teams().await.map_err(fault)? {
        for region in regions(name, None, &context, &team).unwrap_or_default() {
            for app in platform
                .overview(&team.name, &region)
                .await
                .map_err(fault)?
            {
                for component in &app.components {
                    let names = [&component.name, &component.alias];
                    if names.iter().any(|one| fits(&regex, &team, &app, one)) {
                        let names = (&*team.name, &*region, &*app.name);
                        places.push(Place::of(&context, names, component.clone()));
                    }
                }
            }
        }
    }
    Ok(places)
}

fn fits(regex: &Regex, team: &Team, app: &App, component: &str) -> bool {
    [&team.name, &team.alias]
        .iter()
        .any(|team| regex.is_match(&format!("{team}/{}/{component}", app.name)))
}
