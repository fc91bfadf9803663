//! The tree of what runs: contexts, teams, apps, components, pods, containers; found as it is
//! opened, kept fresh while it is seen, filtered as one types.

pub mod deeds;
pub mod model;
pub mod rows;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::codec::name::Scope;
use crate::codec::target::Target;
use crate::model::catalog::{App as Group, Component, EventEntry, Pod, Team};
use crate::model::context::{Context, Place};
use crate::model::usage::Usage;
use crate::model::{Fault, PaneId};

use model::{ContextNode, Load, Part};

pub use rows::{Row, Thing};

/// Pods are looked at so often while they are seen, as the platform's own page does.
const PODS: Duration = Duration::from_secs(5);
/// Apps and components are looked at so often.
const APPS: Duration = Duration::from_secs(15);
/// What could not be had is asked for again after this time.
const AGAIN: Duration = Duration::from_secs(30);
/// Questions that a context is asked at once, fewer than its platform takes; the next ones come
/// when half of them are answered.
const WAITING: usize = 64;

/// Something to be asked of a platform.
#[derive(Clone, Debug)]
pub enum Question {
    /// The teams of a context.
    Teams(Arc<Context>),
    /// The apps of a team in a region, with their components' names.
    Apps(Arc<Context>, String, String),
    /// The components of an app: team, region, the app's id.
    Components(Arc<Context>, String, String, String),
    /// The pods of a component.
    Pods(Box<Place>),
    /// Everything about a component, a pod or a container; for the pane that asks.
    Details(PaneId, Box<Place>),
    /// Its shell; for the pane that asks.
    Shell(PaneId, Box<Place>),
    /// What the platform did with it.
    Happened(Box<Place>),
    /// What components use: for a pane, those of some names.
    Usage(PaneId, Arc<Context>, Vec<Scope>),
}

impl Question {
    /// Whom it is asked of.
    pub fn context(&self) -> &Arc<Context> {
        match self {
            Self::Teams(context)
            | Self::Apps(context, ..)
            | Self::Components(context, ..)
            | Self::Usage(_, context, _) => context,
            Self::Pods(place)
            | Self::Details(_, place)
            | Self::Shell(_, place)
            | Self::Happened(place) => &place.context,
        }
    }

    /// Whether the tree itself asks it.
    fn is_the_trees(&self) -> bool {
        matches!(
            self,
            Self::Teams(_) | Self::Apps(..) | Self::Components(..) | Self::Pods(_)
        )
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Teams.
    Teams(Vec<Team>),
    /// Apps.
    Apps(Vec<Group>),
    /// Components.
    Components(Vec<Component>),
    /// Pods.
    Pods(Vec<Pod>),
    /// Everything about something, in lines.
    Details(Vec<String>),
    /// A shell.
    Shell(Box<Target>),
    /// What was done, the newest first.
    Happened(Vec<EventEntry>),
    /// What is used.
    Usage(Vec<Usage>),
}

/// The tree.
#[derive(Debug)]
pub struct Tree {
    /// Its pane.
    pub pane: PaneId,
    /// What is known.
    pub contexts: Vec<ContextNode>,
    /// What is open, by key.
    pub open: BTreeSet<String>,
    /// What is marked, by key.
    pub marks: BTreeSet<String>,
    /// The key of the row that keys act on.
    pub cursor: String,
    /// The first row that is seen.
    pub top: usize,
    /// What was typed to filter.
    pub filter: String,
    /// Keys go to the filter.
    pub typing: bool,
}

impl Tree {
    /// A tree of these contexts; the current one is open.
    pub fn new(pane: PaneId, contexts: &[Arc<Context>], current: Option<&Arc<Context>>) -> Self {
        let mut tree = Self {
            pane,
            contexts: contexts.iter().cloned().map(ContextNode::new).collect(),
            open: BTreeSet::new(),
            marks: BTreeSet::new(),
            cursor: String::new(),
            top: 0,
            filter: String::new(),
            typing: false,
        };
        if let Some(current) = current.or(contexts.first().filter(|_| contexts.len() == 1)) {
            tree.open.insert(current.name.clone());
            tree.cursor.clone_from(&current.name);
        }
        tree
    }

    /// What is to be asked now: everything that is open or needed for the filter, when it is
    /// unknown or old.
    pub fn questions(&mut self, now: Instant) -> Vec<Question> {
        let mut asker = Asker {
            open: &self.open,
            now,
            room: 0,
            counts: None,
            latest: (None, 0),
            questions: Vec::new(),
        };
        for node in &mut self.contexts {
            if !self.filter.is_empty() || self.open.contains(&node.context.name) {
                asker.context(node);
            }
        }
        asker.questions
    }

    /// Takes in the contexts, and keeps what is known of those that are the same.
    pub fn take_contexts(&mut self, contexts: &[Arc<Context>]) {
        let mut old = std::mem::take(&mut self.contexts);
        for context in contexts {
            let same = |node: &ContextNode| node.context == *context;
            let known = old.iter().position(same).map(|at| old.swap_remove(at));
            let mut node = known.unwrap_or_else(|| ContextNode::new(Arc::clone(context)));
            node.context = Arc::clone(context);
            self.contexts.push(node);
        }
    }

    /// All components that are known.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for context in &self.contexts {
            for team in &context.teams.items {
                for app in &team.apps.items {
                    let components = app.components.items.iter();
                    places.extend(components.map(|one| model::place(context, team, app, one)));
                }
            }
        }
        places
    }

    /// When [`Tree::questions`] may have something new to ask.
    pub fn wake_at(&self, now: Instant) -> Instant {
        now + PODS
    }

    /// Everything is asked for anew.
    pub fn refresh(&mut self) {
        for context in &mut self.contexts {
            context.teams.asked = None;
            for team in &mut context.teams.items {
                team.apps.asked = None;
                for app in &mut team.apps.items {
                    app.components.asked = None;
                    for component in &mut app.components.items {
                        component.pods.asked = None;
                    }
                }
            }
        }
    }

    /// Takes in an answer; what could not be had is kept as the reason.
    pub fn take(&mut self, question: &Question, answer: Result<Answer, Fault>) {
        let context = question.context().name.clone();
        let Some(node) = self
            .contexts
            .iter_mut()
            .find(|node| node.context.name == context)
        else {
            return;
        };
        if question.is_the_trees() {
            node.waiting = node.waiting.saturating_sub(1);
        }
        let room = node.room();
        match (question, answer) {
            (Question::Teams(_), Ok(Answer::Teams(teams))) => {
                node.take(&teams);
                // With one team there is nothing to choose.
                if let [only] = node.teams.items.as_slice() {
                    let key = format!("{context}\0{}\0{}", only.team.name, only.region.name);
                    self.open.insert(key);
                }
            }
            (Question::Teams(_), Err(fault)) => node.teams.fail(fault.to_string()),
            (Question::Apps(_, team, region), answer) => {
                let Some(team) = find_team(node, team, region) else {
                    return;
                };
                match answer {
                    Ok(Answer::Apps(apps)) => {
                        let room = room + team.size();
                        team.take(apps, room);
                    }
                    Err(fault) => team.apps.fail(fault.to_string()),
                    Ok(_) => {}
                }
            }
            (Question::Components(_, team, region, app), answer) => {
                let Some(app) = find_team(node, team, region)
                    .and_then(|team| team.apps.items.iter_mut().find(|one| one.app.id == *app))
                else {
                    return;
                };
                match answer {
                    Ok(Answer::Components(components)) => {
                        let room = room + app.components.items.len();
                        model::merge(&mut app.components, components, room);
                        app.components.load = Load::Known;
                    }
                    Err(fault) => app.components.fail(fault.to_string()),
                    Ok(_) => {}
                }
            }
            (Question::Pods(place), answer) => {
                let Some(component) = find_component(node, place) else {
                    return;
                };
                match answer {
                    Ok(Answer::Pods(pods)) => component.pods.fill(pods, usize::MAX),
                    Err(fault) => component.pods.fail(fault.to_string()),
                    Ok(_) => {}
                }
            }
            // None of the tree's.
            (
                Question::Details(..)
                | Question::Shell(..)
                | Question::Happened(_)
                | Question::Usage(..)
                | Question::Teams(_),
                _,
            ) => {}
        }
    }
}

/// Collects what is to be asked.
struct Asker<'a> {
    open: &'a BTreeSet<String>,
    now: Instant,
    /// Questions that the context still takes.
    room: usize,
    /// What is due is counted first, by when it was asked last: nothing is asked then.
    counts: Option<Vec<Option<Instant>>>,
    /// What was asked later has to wait for its turn, and of what was asked then all but so many.
    latest: (Option<Instant>, usize),
    questions: Vec<Question>,
}

impl Asker<'_> {
    fn context(&mut self, node: &mut ContextNode) {
        if node.waiting > WAITING / 2 {
            return;
        }
        self.room = WAITING - node.waiting;
        self.counts = Some(Vec::new());
        self.walk(node);
        let mut due = self.counts.take().unwrap_or_default();
        due.sort_unstable();
        due.truncate(self.room);
        let latest = due.last().copied().flatten();
        let of_then = due.iter().filter(|asked| **asked == latest).count();
        self.latest = (latest, of_then);
        self.walk(node);
        node.waiting = WAITING - self.room;
    }

    /// Asks what is due, from the top down.
    fn walk(&mut self, node: &mut ContextNode) {
        let context = Arc::clone(&node.context);
        if self.is_due(&node.teams, AGAIN * 2) {
            node.teams.ask(self.now);
            self.ask(Question::Teams(Arc::clone(&context)));
        }
        for team in &mut node.teams.items {
            if self.room == 0 {
                break;
            }
            self.team(&context, team);
        }
    }

    fn ask(&mut self, question: Question) {
        self.room = self.room.saturating_sub(1);
        self.questions.push(question);
    }

    fn is_due<T>(&mut self, part: &Part<T>, period: Duration) -> bool {
        let period = match part.load {
            Load::Failed(_) => AGAIN,
            Load::Unknown | Load::Asked | Load::Known => period,
        };
        let is_due = part.asked.is_none_or(|asked| self.now >= asked + period);
        if let Some(counts) = &mut self.counts {
            counts.extend(is_due.then_some(part.asked));
            return false;
        }
        let (latest, of_then) = &mut self.latest;
        if is_due && part.asked == *latest && *of_then > 0 {
            *of_then -= 1;
            return true;
        }
        is_due && part.asked < *latest
    }

    fn team(&mut self, context: &Arc<Context>, node: &mut model::TeamNode) {
        let (team, region) = (node.team.name.clone(), node.region.name.clone());
        let key = format!("{}\0{team}\0{region}", context.name);
        // The names below are known before they are looked for.
        let wanted = node.apps.load == Load::Unknown || self.open.contains(&key);
        if wanted && self.is_due(&node.apps, APPS) {
            node.apps.ask(self.now);
            let (context, team, region) = (Arc::clone(context), team.clone(), region.clone());
            self.ask(Question::Apps(context, team, region));
        }
        for app in &mut node.apps.items {
            let key = format!("{key}\0{}", app.app.id);
            if self.open.contains(&key) {
                self.app(context, (&team, &region), app, &key);
            }
        }
    }

    fn app(
        &mut self,
        context: &Arc<Context>,
        (team, region): (&str, &str),
        node: &mut model::AppNode,
        key: &str,
    ) {
        if self.is_due(&node.components, APPS) {
            node.components.ask(self.now);
            self.ask(Question::Components(
                Arc::clone(context),
                team.to_owned(),
                region.to_owned(),
                node.app.id.clone(),
            ));
        }
        for component in &mut node.components.items {
            let key = format!("{key}\0{}", component.component.alias);
            if self.open.contains(&key) && self.is_due(&component.pods, PODS) {
                component.pods.ask(self.now);
                let names = (team, region, &*node.app.name);
                let place = Place::of(context, names, component.component.clone());
                self.ask(Question::Pods(Box::new(place)));
            }
        }
    }
}

fn find_team<'a>(
    node: &'a mut ContextNode,
    team: &str,
    region: &str,
) -> Option<&'a mut model::TeamNode> {
    node.teams
        .items
        .iter_mut()
        .find(|one| one.team.name == team && one.region.name == region)
}

fn find_component<'a>(
    node: &'a mut ContextNode,
    place: &Place,
) -> Option<&'a mut model::ComponentNode> {
    find_team(node, &place.team, &place.region)?
        .apps
        .items
        .iter_mut()
        .flat_map(|app| &mut app.components.items)
        .find(|one| one.component.id == place.component.id)
}

#[cfg(test)]
mod tests;
