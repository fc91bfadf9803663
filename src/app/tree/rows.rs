//! The tree as rows: what is open, or what the filter finds.

use std::sync::Arc;

use crate::app::fuzzy;
use crate::model::context::{Context, Place};
use crate::model::words::bytes;
use crate::say;
use crate::word;

use super::Tree;
use super::model::{self, AppNode, ComponentNode, ContextNode, Load, TeamNode};

/// What a row is.
#[derive(Clone, PartialEq, Debug)]
pub enum Thing {
    /// A context.
    Context(Arc<Context>),
    /// A team in a region.
    Team,
    /// An app.
    App,
    /// A component.
    Component(Box<Place>),
    /// A pod.
    Pod(Box<Place>),
    /// A container.
    Container(Box<Place>),
    /// A target that the context lists by hand: its URL.
    ByHand(Arc<Context>, String),
    /// Words about what is not there.
    Words {
        /// Something failed.
        fault: bool,
    },
}

impl Thing {
    /// The component that it is or belongs to.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Component(place) | Self::Pod(place) | Self::Container(place) => Some(place),
            Self::Context(_) | Self::Team | Self::App | Self::ByHand(..) | Self::Words { .. } => {
                None
            }
        }
    }
}

/// One row.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// How deep it stands.
    pub depth: usize,
    /// Its key.
    pub key: String,
    /// What it is.
    pub thing: Thing,
    /// Its name for people.
    pub name: String,
    /// What it is called besides.
    pub alias: String,
    /// Its status, as the platform words it.
    pub status: String,
    /// CPU, memory, counts.
    pub usage: String,
    /// Whether it is open; `None` has nothing below.
    pub open: Option<bool>,
}

struct Walk<'a> {
    tree: &'a Tree,
    rows: Vec<Row>,
}

/// Memory as the console tells it; a server may say any number.
fn mebibytes(memory: u64) -> String {
    bytes(memory.saturating_mul(1 << 20))
}

/// What a filter finds, and what it stands under.
fn found(rows: Vec<Row>, filter: &str) -> Vec<Row> {
    let fits = |row: &Row| {
        !matches!(row.thing, Thing::Words { .. })
            && [&row.name, &row.alias]
                .iter()
                .any(|text| !text.is_empty() && fuzzy::score(filter, text).is_some())
    };
    let mut kept = Vec::new();
    // The depth of the row kept last: the first one above that is less deep is its parent.
    let mut below = 0;
    for row in rows.into_iter().rev() {
        if row.depth < below || fits(&row) {
            below = row.depth;
            kept.push(row);
        }
    }
    kept.reverse();
    kept
}

impl Walk<'_> {
    /// A row; whether what is below it is walked.
    fn row(&mut self, row: Row) -> bool {
        let open = row.open == Some(true);
        self.rows.push(row);
        open
    }

    fn words<T>(&mut self, depth: usize, key: &str, part: &model::Part<T>, none: String) {
        if part.left_out > 0 {
            let more = part.left_out;
            let text = say!("not shown: {more} more", "另有 {more} 个未显示");
            self.said(depth, format!("{key}\0\0"), text, false);
        }
        let (text, fault) = match &part.load {
            Load::Unknown | Load::Asked => (say!("…", "…"), false),
            Load::Failed(why) => (why.clone(), true),
            Load::Known if part.items.is_empty() && part.left_out == 0 => (none, false),
            Load::Known => return,
        };
        self.said(depth, format!("{key}\0"), text, fault);
    }

    fn said(&mut self, depth: usize, key: String, name: String, fault: bool) {
        self.row(Row {
            depth,
            key,
            thing: Thing::Words { fault },
            name,
            alias: String::new(),
            status: String::new(),
            usage: String::new(),
            open: None,
        });
    }

    fn context(&mut self, node: &ContextNode) {
        let context = &node.context;
        let key = context.name.clone();
        let open = self.row(Row {
            depth: 0,
            key: key.clone(),
            thing: Thing::Context(Arc::clone(context)),
            name: context.name.clone(),
            alias: context.server.host_str().unwrap_or("").to_owned(),
            status: if context.read_only {
                say!("read-only", "只读")
            } else {
                String::new()
            },
            usage: String::new(),
            open: Some(self.is_open(&key)),
        });
        if !open {
            return;
        }
        for (path, url) in &context.targets {
            self.row(Row {
                depth: 1,
                key: format!("{key}\0{path}"),
                thing: Thing::ByHand(Arc::clone(context), url.clone()),
                name: path.clone(),
                alias: String::new(),
                status: String::new(),
                usage: String::new(),
                open: None,
            });
        }
        for team in &node.teams.items {
            self.team(node, team, &key);
        }
        let teams = &node.teams;
        if context.targets.is_empty() || teams.load != Load::Known || teams.left_out > 0 {
            let none = say!("no team that you see", "没有可见的团队");
            self.words(1, &key, &node.teams, none);
        }
    }

    fn is_open(&self, key: &str) -> bool {
        !self.tree.filter.is_empty() || self.tree.open.contains(key)
    }

    fn team(&mut self, context: &ContextNode, team: &TeamNode, above: &str) {
        let key = format!("{above}\0{}\0{}", team.team.name, team.region.name);
        let name = if team.several {
            format!("{} @{}", team.team.alias, team.region.alias)
        } else {
            team.team.alias.clone()
        };
        let apps = team.apps.items.len();
        let open = self.row(Row {
            depth: 1,
            key: key.clone(),
            thing: Thing::Team,
            name,
            alias: team.team.name.clone(),
            status: String::new(),
            usage: if team.apps.load == Load::Known {
                if apps == 1 {
                    say!("1 app", "1 个应用")
                } else {
                    say!("{apps} apps", "{apps} 个应用")
                }
            } else {
                String::new()
            },
            open: Some(self.is_open(&key)),
        });
        if !open {
            return;
        }
        for app in &team.apps.items {
            self.app(context, team, app, &key);
        }
        let none = say!("no app", "没有应用");
        self.words(2, &key, &team.apps, none);
    }

    fn app(&mut self, context: &ContextNode, team: &TeamNode, node: &AppNode, above: &str) {
        let app = &node.app;
        let key = format!("{above}\0{}", app.id);
        let mut usage = Vec::new();
        usage.extend(app.running.map(|(run, all)| format!("{run}/{all}")));
        usage.extend(app.cpu.map(|cpu| format!("{cpu} m")));
        usage.extend(app.memory.map(mebibytes));
        let open = self.row(Row {
            depth: 2,
            key: key.clone(),
            thing: Thing::App,
            name: app.name.clone(),
            alias: app.k8s.clone(),
            status: app.status.clone(),
            usage: usage.join("  "),
            open: Some(self.is_open(&key)),
        });
        if !open {
            return;
        }
        for component in &node.components.items {
            self.component(
                &model::place(context, team, node, component),
                component,
                &key,
            );
        }
        if node.components.items.is_empty() || node.components.left_out > 0 {
            let none = say!("no component", "没有组件");
            self.words(3, &key, &node.components, none);
        }
    }

    fn component(&mut self, place: &Place, node: &ComponentNode, above: &str) {
        let component = &node.component;
        let key = format!("{above}\0{}", component.alias);
        let open = self.row(Row {
            depth: 3,
            key: key.clone(),
            thing: Thing::Component(Box::new(place.clone())),
            name: component.name.clone(),
            alias: component.alias.clone(),
            status: component.status.clone(),
            usage: component.memory.map_or_else(String::new, mebibytes),
            open: Some(self.tree.open.contains(&key)),
        });
        if !open {
            return;
        }
        for pod in &node.pods.items {
            let place = Place {
                pod: Some(pod.name.clone()),
                ..place.clone()
            };
            let key = format!("{key}\0{}", pod.name);
            let memory = pod.containers.iter().try_fold(0_u64, |all, one| {
                one.memory.map(|memory| all.saturating_add(memory))
            });
            let several = pod.containers.len() > 1;
            let open = self.row(Row {
                depth: 4,
                key: key.clone(),
                thing: Thing::Pod(Box::new(place.clone())),
                name: pod.name.clone(),
                alias: if pod.old {
                    word!("of the version before", "旧版本").to_owned()
                } else {
                    String::new()
                },
                status: pod.status.clone(),
                usage: memory.map_or_else(String::new, bytes),
                open: several.then(|| self.tree.open.contains(&key)),
            });
            if !open {
                continue;
            }
            for container in &pod.containers {
                let usage = match (container.memory, container.limit) {
                    (Some(memory), Some(limit)) => format!("{} / {}", bytes(memory), bytes(limit)),
                    (Some(memory), None) => bytes(memory),
                    (None, _) => String::new(),
                };
                self.row(Row {
                    depth: 5,
                    key: format!("{key}\0{}", container.name),
                    thing: Thing::Container(Box::new(Place {
                        container: Some(container.name.clone()),
                        ..place.clone()
                    })),
                    name: container.name.clone(),
                    alias: String::new(),
                    status: String::new(),
                    usage,
                    open: None,
                });
            }
        }
        if node.pods.items.is_empty() || node.pods.left_out > 0 {
            let none = say!(
                "no pods: not deployed, or the backend is down",
                "没有实例：尚未部署，或后端不可用"
            );
            self.words(4, &key, &node.pods, none);
        }
    }
}

impl Tree {
    /// All rows, from the top.
    pub fn rows(&self) -> Vec<Row> {
        let mut walk = Walk {
            tree: self,
            rows: Vec::new(),
        };
        for context in &self.contexts {
            walk.context(context);
        }
        if self.filter.is_empty() {
            return walk.rows;
        }
        found(walk.rows, &self.filter)
    }

    /// Where the cursor is among rows; the first one if its row is gone.
    pub fn at(&self, rows: &[Row]) -> usize {
        rows.iter()
            .position(|row| row.key == self.cursor)
            .unwrap_or(0)
    }
}
