//! `deckwatch get`: what runs on a platform, as text or JSON.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::app::tree::deeds::text_of;
use crate::cli::contexts::Contexts;
use crate::cli::platform_args::{GetArgs, Things};
use crate::codec::name::{self, Scope};
use crate::model::catalog::{App, Component, Pod, Team};
use crate::model::context::{Context, Place};
use crate::model::words::bytes;
use crate::model::{Fault, FaultKind};
use crate::platform::{Platform, is_exposed};
use crate::say;
use crate::word;

use super::table::{Row, render};

/// Lists what was asked for.
pub(crate) async fn run(args: &GetArgs, contexts: &Contexts) -> Result<String, Fault> {
    if args.what == Things::Contexts {
        return Ok(super::context::list(contexts, args.output));
    }
    let wanted: Vec<Scope> = if args.names.is_empty() {
        vec![Scope::parse("")]
    } else {
        args.names.iter().map(|name| Scope::parse(name)).collect()
    };
    let mut rows = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for wanted in &wanted {
        let context = contexts.get(wanted.context.as_deref())?;
        if is_exposed(context) && !told.contains(&context.name.as_str()) {
            told.push(&context.name);
            let server = &context.server;
            super::login::warn(&say!(
                "{server} is not encrypted: anyone on the way can read the token and the answers",
                "{server} 未加密：途中任何人都能读到令牌和应答"
            ));
        }
        let mut walk = Walk {
            platform: Platform::new(context),
            args,
            wanted,
            rows: &mut rows,
        };
        walk.run().await?;
    }
    if rows.is_empty() && !args.names.is_empty() {
        let what = args.names.join(" ");
        let why = say!("nothing has such a name", "没有这样的名字");
        let next = say!(
            "deckwatch get lists all without a name",
            "不带名字的 deckwatch get 会列出全部"
        );
        return Err(Fault::new(FaultKind::NotFound, what, why, next));
    }
    Ok(render(args.output, &heads(args.what), &rows))
}

fn heads(what: Things) -> Vec<&'static str> {
    match what {
        Things::Contexts => Vec::new(),
        Things::Teams => vec![
            word!("TEAM", "团队"),
            word!("ALIAS", "别名"),
            word!("REGIONS", "区域"),
        ],
        Things::Apps => vec![
            word!("APP", "应用"),
            word!("STATUS", "状态"),
            word!("RUNNING", "运行"),
            "CPU",
            word!("MEMORY", "内存"),
        ],
        Things::Components => vec![
            word!("COMPONENT", "组件"),
            word!("ALIAS", "别名"),
            word!("STATUS", "状态"),
            word!("MEMORY", "内存"),
        ],
        Things::Pods => vec![
            word!("COMPONENT", "组件"),
            word!("POD", "实例"),
            word!("STATUS", "状态"),
            word!("MEMORY", "内存"),
            word!("CONTAINERS", "容器"),
        ],
        Things::Containers => vec![
            word!("POD", "实例"),
            word!("CONTAINER", "容器"),
            word!("MEMORY", "内存"),
            word!("LIMIT", "上限"),
        ],
    }
}

/// Walks down a platform, as far as what is wanted.
struct Walk<'a> {
    platform: Platform,
    args: &'a GetArgs,
    wanted: &'a Scope,
    rows: &'a mut Vec<Row>,
}

impl Walk<'_> {
    async fn run(&mut self) -> Result<(), Fault> {
        let context = Arc::clone(self.platform.context());
        if !context.targets.is_empty() {
            by_hand(&context, self.args, self.wanted, self.rows);
        }
        let teams = self.platform.teams().await.map_err(|error| error.fault)?;
        for team in &teams {
            let own = context.team.as_deref();
            let mine = self.args.all_teams
                || !self
                    .wanted
                    .parts
                    .first()
                    .is_none_or(|part| part.text().is_empty())
                || own.is_none_or(|own| own == team.name || own == team.alias);
            if mine && self.wanted.accepts(0, &[&team.name, &team.alias, &team.id]) {
                self.team(&context, team).await?;
            }
        }
        Ok(())
    }

    async fn team(&mut self, context: &Arc<Context>, team: &Team) -> Result<(), Fault> {
        if self.args.what == Things::Teams {
            let regions: Vec<&str> = team.regions.iter().map(|one| one.name.as_str()).collect();
            self.rows.push(Row {
                cells: vec![team.name.clone(), team.alias.clone(), regions.join(", ")],
                json: object(&json!({"context": context.name, "team": team.name,
                    "alias": team.alias, "namespace": team.namespace, "regions": regions})),
                name: format!("{}:{}", context.name, name::escape(&team.name)),
            });
            return Ok(());
        }
        for region in &team.regions {
            if context
                .region
                .as_deref()
                .is_some_and(|own| own != region.name)
            {
                continue;
            }
            self.region(team, &region.name).await?;
        }
        Ok(())
    }

    async fn region(&mut self, team: &Team, region: &str) -> Result<(), Fault> {
        let apps = self.platform.apps(&team.name, region).await;
        for app in apps.map_err(|error| error.fault)? {
            if !self.wanted.accepts(1, &[&app.name, &app.k8s, &app.id]) {
                continue;
            }
            if self.args.what == Things::Apps {
                self.app(team, region, &app);
                continue;
            }
            let components = self.platform.components(&team.name, region, &app.id).await;
            for component in components.map_err(|error| error.fault)? {
                let names = [&*component.name, &component.alias, &component.id];
                if self.wanted.accepts(2, &names) {
                    self.component(team, region, &app, component).await?;
                }
            }
        }
        Ok(())
    }

    fn app(&mut self, team: &Team, region: &str, app: &App) {
        let context = self.platform.context();
        let running = app
            .running
            .map_or_else(String::new, |(run, all)| format!("{run}/{all}"));
        self.rows.push(Row {
            cells: vec![
                format!("{}/{}", team.name, app.name),
                app.status.clone(),
                running,
                app.cpu.map_or_else(String::new, |cpu| format!("{cpu} m")),
                app.memory.map_or_else(String::new, |mib| bytes(mib << 20)),
            ],
            json: object(
                &json!({"context": context.name, "team": team.name, "region": region,
                "app": app.name, "app_id": app.id, "status": app.status,
                "components": app.running.map(|(_, all)| all),
                "running": app.running.map(|(run, _)| run),
                "cpu_millicores": app.cpu, "memory_bytes": app.memory.map(|mib| mib << 20)}),
            ),
            name: format!(
                "{}:{}@{region}/{}",
                context.name,
                name::escape(&team.name),
                name::escape(&app.name)
            ),
        });
    }

    async fn component(
        &mut self,
        team: &Team,
        region: &str,
        app: &App,
        component: Component,
    ) -> Result<(), Fault> {
        let names = (&*team.name, region, &*app.name);
        let place = Place::of(self.platform.context(), names, component);
        if self.args.what == Things::Components {
            self.rows.push(component_row(&place));
            return Ok(());
        }
        let pods = self.platform.pods(&place).await;
        for pod in pods.map_err(|error| error.fault)? {
            if !self.wanted.accepts(3, &[&pod.name]) {
                continue;
            }
            if self.args.what == Things::Pods {
                self.rows.push(pod_row(&place, &pod));
                continue;
            }
            for container in &pod.containers {
                if !self.wanted.accepts(4, &[&container.name]) {
                    continue;
                }
                let mut json = facts(&place);
                json.insert("pod".into(), json!(pod.name));
                json.insert("container".into(), json!(container.name));
                json.insert("memory_bytes".into(), json!(container.memory));
                json.insert("memory_limit_bytes".into(), json!(container.limit));
                self.rows.push(Row {
                    cells: vec![
                        pod.name.clone(),
                        container.name.clone(),
                        container.memory.map_or_else(String::new, bytes),
                        container.limit.map_or_else(|| "-".into(), bytes),
                    ],
                    json,
                    name: format!(
                        "{}/{}/{}",
                        text_of(&place),
                        name::escape(&pod.name),
                        name::escape(&container.name)
                    ),
                });
            }
        }
        Ok(())
    }
}

fn component_row(place: &Place) -> Row {
    let component = &place.component;
    let mut json = facts(place);
    json.insert("status".into(), json!(component.status));
    json.insert(
        "memory_bytes".into(),
        json!(component.memory.map(|mib| mib << 20)),
    );
    Row {
        cells: vec![
            place.path(),
            component.alias.clone(),
            component.status.clone(),
            component
                .memory
                .map_or_else(String::new, |mib| bytes(mib << 20)),
        ],
        json,
        name: text_of(place),
    }
}

fn pod_row(place: &Place, pod: &Pod) -> Row {
    let memory: Option<u64> = pod.containers.iter().map(|one| one.memory).sum();
    let names: Vec<&str> = pod.containers.iter().map(|one| one.name.as_str()).collect();
    let mut json = facts(place);
    json.insert("pod".into(), json!(pod.name));
    json.insert("status".into(), json!(pod.status));
    json.insert("old".into(), json!(pod.old));
    json.insert("memory_bytes".into(), json!(memory));
    json.insert("containers".into(), json!(names));
    Row {
        cells: vec![
            place.path(),
            pod.name.clone(),
            pod.status.clone(),
            memory.map_or_else(String::new, bytes),
            names.join(", "),
        ],
        json,
        name: format!("{}/{}", text_of(place), name::escape(&pod.name)),
    }
}

fn facts(place: &Place) -> Map<String, Value> {
    object(
        &json!({"context": place.context.name, "team": place.team, "region": place.region,
        "app": place.app, "component": place.component.name, "alias": place.component.alias,
        "service_id": place.component.id}),
    )
}

/// The components that a context lists by hand.
fn by_hand(context: &Context, args: &GetArgs, wanted: &Scope, rows: &mut Vec<Row>) {
    if args.what != Things::Components {
        return;
    }
    for (path, url) in &context.targets {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = (0..3).all(|depth| wanted.accepts(depth, &[parts.get(depth).unwrap_or(&"")]));
        if fits {
            rows.push(Row {
                cells: vec![path.clone(), String::new(), String::new(), String::new()],
                json: object(&json!({"context": context.name, "path": path, "target": url})),
                name: format!("{}:{path}", context.name),
            });
        }
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
