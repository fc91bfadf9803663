//! What the tree knows: contexts, and below them what was found so far.

use std::sync::Arc;
use std::time::Instant;

use crate::model::catalog::{App, Component, Pod, Region, Team};
use crate::model::context::{Api, Context, Place};

/// How a part of the tree stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Load {
    /// Nobody asked yet.
    #[default]
    Unknown,
    /// It was asked for, and nothing is known yet.
    Asked,
    /// It is known.
    Known,
    /// It can't be had.
    Failed(String),
}

/// A part of the tree that is asked for by itself.
#[derive(Clone, Debug)]
pub struct Part<T> {
    /// What is known, also while it is asked for anew.
    pub items: Vec<T>,
    /// How it stands.
    pub load: Load,
    /// When it was asked for last.
    pub asked: Option<Instant>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            load: Load::Unknown,
            asked: None,
        }
    }
}

impl<T> Part<T> {
    /// What came.
    pub fn fill(&mut self, items: Vec<T>) {
        self.items = items;
        self.load = Load::Known;
    }

    /// It can't be had; what was known stays.
    pub fn fail(&mut self, why: String) {
        self.load = Load::Failed(why);
    }

    /// It is asked for now.
    pub fn ask(&mut self, now: Instant) {
        self.asked = Some(now);
        if self.load == Load::Unknown {
            self.load = Load::Asked;
        }
    }
}

/// A context.
#[derive(Clone, Debug)]
pub struct ContextNode {
    /// Which one.
    pub context: Arc<Context>,
    /// Its teams, each in each of its regions.
    pub teams: Part<TeamNode>,
}

/// A team in a region.
#[derive(Clone, Debug)]
pub struct TeamNode {
    /// The team.
    pub team: Team,
    /// The region.
    pub region: Region,
    /// The team has others.
    pub several: bool,
    /// Its apps.
    pub apps: Part<AppNode>,
}

/// An app.
#[derive(Clone, Debug)]
pub struct AppNode {
    /// The app.
    pub app: App,
    /// Its components.
    pub components: Part<ComponentNode>,
}

/// A component.
#[derive(Clone, Debug)]
pub struct ComponentNode {
    /// The component.
    pub component: Component,
    /// Its pods.
    pub pods: Part<Pod>,
}

impl ContextNode {
    /// A context of which nothing is known yet; without an API there is nothing to ask.
    pub fn new(context: Arc<Context>) -> Self {
        let mut teams = Part::default();
        if context.api == Api::Bare {
            teams.load = Load::Known;
        }
        Self { context, teams }
    }

    /// Takes in the teams, and keeps what is known below them.
    pub fn take(&mut self, teams: &[Team]) {
        let mut old = std::mem::take(&mut self.teams.items);
        let mut fresh = Vec::new();
        for team in teams {
            for region in &team.regions {
                let at = old.iter().position(|node| {
                    node.team.name == team.name && node.region.name == region.name
                });
                fresh.push(TeamNode {
                    team: team.clone(),
                    region: region.clone(),
                    several: team.regions.len() > 1,
                    apps: at.map(|at| old.swap_remove(at).apps).unwrap_or_default(),
                });
            }
        }
        self.teams.fill(fresh);
    }
}

impl TeamNode {
    /// Takes in the apps, and keeps what is known below them.
    pub fn take(&mut self, apps: Vec<App>) {
        let mut old = std::mem::take(&mut self.apps.items);
        let fresh = apps.into_iter().map(|mut app| {
            let at = old.iter().position(|node| node.app.id == app.id);
            let mut components = at
                .map(|at| old.swap_remove(at).components)
                .unwrap_or_default();
            // The cheap list has names only: it is no news where more is known.
            if components.load != Load::Known {
                let named = std::mem::take(&mut app.components);
                merge(&mut components, named);
            }
            AppNode { app, components }
        });
        let fresh = fresh.collect();
        self.apps.fill(fresh);
    }
}

/// Takes in components, and keeps their pods.
pub fn merge(part: &mut Part<ComponentNode>, components: Vec<Component>) {
    let mut old = std::mem::take(&mut part.items);
    part.items = components
        .into_iter()
        .map(|component| {
            let at = old
                .iter()
                .position(|node| node.component.alias == component.alias);
            let pods = at.map(|at| old.swap_remove(at).pods).unwrap_or_default();
            ComponentNode { component, pods }
        })
        .collect();
}

/// A component as a place.
pub fn place(context: &ContextNode, team: &TeamNode, app: &AppNode, node: &ComponentNode) -> Place {
    let names = (&*team.team.name, &*team.region.name, &*app.app.name);
    Place::of(&context.context, names, node.component.clone())
}
