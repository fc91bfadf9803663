//! What the tree knows: contexts, and below them what was found so far.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::model::catalog::{App, Component, Pod, Region, Team};
use crate::model::context::{Api, Context, Place};

/// Things that are kept of one list.
const MOST: usize = 10_000;
/// Teams, apps and components that are kept of one context: the rows of all of them are made anew
/// with each key while a filter is typed.
const ALL: usize = 30_000;

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
    /// How many more there are, which are not kept.
    pub left_out: usize,
    /// How it stands.
    pub load: Load,
    /// When it was asked for last.
    pub asked: Option<Instant>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            left_out: 0,
            load: Load::Unknown,
            asked: None,
        }
    }
}

impl<T> Part<T> {
    /// What came: as much of it as there is room for.
    pub fn fill(&mut self, items: Vec<T>, room: usize) {
        self.put(items, room);
        self.load = Load::Known;
    }

    fn put(&mut self, mut items: Vec<T>, room: usize) {
        let kept = items.len().min(MOST).min(room);
        self.left_out = items.len() - kept;
        items.truncate(kept);
        self.items = items;
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
    /// Questions that it has not answered yet.
    pub waiting: usize,
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
        Self {
            context,
            teams,
            waiting: 0,
        }
    }

    /// Room for more below it.
    pub fn room(&self) -> usize {
        let teams = self.teams.items.iter().map(|team| 1 + team.size());
        ALL.saturating_sub(teams.sum())
    }

    /// Takes in the teams, and keeps what is known below them.
    pub fn take(&mut self, teams: &[Team]) {
        let old = std::mem::take(&mut self.teams.items).into_iter();
        let old = old.map(|node| ((node.team.name, node.region.name), node.apps));
        let mut old: HashMap<(String, String), Part<AppNode>> = old.collect();
        let mut fresh = Vec::new();
        for team in teams {
            for region in &team.regions {
                let apps = old.remove(&(team.name.clone(), region.name.clone()));
                fresh.push(TeamNode {
                    team: team.clone(),
                    region: region.clone(),
                    several: team.regions.len() > 1,
                    apps: apps.unwrap_or_default(),
                });
            }
        }
        self.teams.fill(fresh, MOST);
    }
}

impl TeamNode {
    /// Apps and components that are known.
    pub fn size(&self) -> usize {
        let apps = self.apps.items.iter();
        apps.map(|app| 1 + app.components.items.len()).sum()
    }

    /// Takes in the apps, and keeps what is known below them; no more than there is room for.
    pub fn take(&mut self, apps: Vec<App>, room: usize) {
        let old = std::mem::take(&mut self.apps.items).into_iter();
        let old = old.map(|node| (node.app.id, node.components));
        let mut old: HashMap<String, Part<ComponentNode>> = old.collect();
        let mut left = room.saturating_sub(apps.len().min(MOST));
        let fresh = apps.into_iter().map(|mut app| {
            let mut components = old.remove(&app.id).unwrap_or_default();
            // The cheap list has names only: it is no news where more is known.
            let named = std::mem::take(&mut app.components);
            if components.load != Load::Known {
                merge(&mut components, named, left);
            }
            left = left.saturating_sub(components.items.len());
            AppNode { app, components }
        });
        let fresh = fresh.collect();
        self.apps.fill(fresh, room);
    }
}

/// Takes in components, and keeps their pods; no more than there is room for.
pub fn merge(part: &mut Part<ComponentNode>, components: Vec<Component>, room: usize) {
    let old = std::mem::take(&mut part.items).into_iter();
    let old = old.map(|node| (node.component.alias, node.pods));
    let mut old: HashMap<String, Part<Pod>> = old.collect();
    let fresh = components.into_iter().map(|component| {
        let pods = old.remove(&component.alias).unwrap_or_default();
        ComponentNode { component, pods }
    });
    part.put(fresh.collect(), room);
}

/// A component as a place.
pub fn place(context: &ContextNode, team: &TeamNode, app: &AppNode, node: &ComponentNode) -> Place {
    let names = (&*team.team.name, &*team.region.name, &*app.app.name);
    Place::of(&context.context, names, node.component.clone())
}
