//! All components at a glance: what each of them uses, sorted, kept fresh while it is seen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::App;
use super::effect::Effect;
use super::key::{Code, Key};
use super::tabs::Tab;
use super::tree::{Answer, Question, Thing};
use crate::codec::name::{self, Scope};
use crate::model::context::Context;
use crate::model::usage::{By, METRICS, Usage};
use crate::model::{Fault, PaneId};
use crate::say;
use crate::word;

/// It is looked at so often, unless something else is asked for.
pub const LOOK: Duration = Duration::from_secs(5);
/// After a failure it is looked at again after this time.
const AGAIN: Duration = Duration::from_secs(15);
/// An answer may take so long: of many components.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an overview is to show.
#[derive(Clone, Debug)]
pub struct Overlook {
    /// The platform.
    pub context: Arc<Context>,
    /// Whose components; none are all of the context's team.
    pub scopes: Vec<Scope>,
    /// What they are sorted by.
    pub by: By,
    /// The least first.
    pub ascending: bool,
    /// It is looked at so often.
    pub every: Duration,
}

impl Overlook {
    /// Components as they are sorted by themselves.
    pub fn new(context: Arc<Context>, scopes: Vec<Scope>) -> Self {
        Self {
            context,
            scopes,
            by: By::default(),
            ascending: false,
            every: LOOK,
        }
    }
}

/// A pane of components and what they use.
#[derive(Debug)]
pub struct OverviewPane {
    /// Its name for the rest of the program.
    pub id: PaneId,
    /// What it shows.
    pub of: Overlook,
    /// What they use, sorted.
    pub rows: Vec<Usage>,
    /// The `service_id` under the cursor.
    pub cursor: String,
    /// Why the last question was not answered.
    pub fault: Option<String>,
    /// An answer came.
    pub known: bool,
    waits: Option<Instant>,
    due: Option<Instant>,
}

impl OverviewPane {
    fn new(id: PaneId, of: Overlook) -> Self {
        Self {
            id,
            of,
            rows: Vec::new(),
            cursor: String::new(),
            fault: None,
            known: false,
            waits: None,
            due: None,
        }
    }

    /// Its title.
    pub fn title(&self) -> String {
        let name = &self.of.context.name;
        say!("{name}: usage", "{name}：用量")
    }

    /// The number of the row under the cursor; the first one if it is gone.
    pub fn at(&self) -> usize {
        let rows = self.rows.iter();
        let mut ids = rows.map(|row| &row.place.component.id);
        ids.position(|id| *id == self.cursor).unwrap_or(0)
    }

    /// When it wants to ask again.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        match self.waits {
            Some(since) => Some(since + PATIENCE),
            None => self.due,
        }
    }

    fn sort(&mut self) {
        self.of.by.sort(&mut self.rows, self.of.ascending);
    }
}

impl App {
    /// The overview, if it has the keys.
    pub fn focused_overview(&self) -> Option<&OverviewPane> {
        self.overviews.get(&self.tabs.now.focus)
    }

    /// Components of some names, or of all, in a tab of their own, or instead of nothing.
    pub fn open_overview(&mut self, of: Overlook) {
        let id = self.fresh_pane();
        let alone = self.tree.is_none() && self.is_empty();
        let pane = OverviewPane::new(id, of);
        self.overviews.insert(id, pane);
        if alone {
            self.tabs.now = Tab::of(id);
        } else {
            self.tabs.open(Tab::of(id));
        }
        self.overlook();
    }

    /// What the row of the tree holds, at a glance.
    pub(super) fn overview_of_row(&mut self) {
        let found = self.focused_tree().and_then(|tree| {
            let rows = tree.rows();
            let row = rows.get(tree.at(&rows))?;
            let parts: Vec<&str> = row.key.split('\0').collect();
            let scope = match (&row.thing, parts.as_slice()) {
                (Thing::Context(_), _) => String::new(),
                (Thing::Team, [_, team, ..]) => name::escape(team),
                (Thing::App, [_, team, ..]) => {
                    format!("{}/{}", name::escape(team), name::escape(&row.name))
                }
                _ => return None,
            };
            let context = parts.first().copied().unwrap_or("");
            let mut nodes = tree.contexts.iter();
            let node = nodes.find(|node| node.context.name == context)?;
            Some((Arc::clone(&node.context), scope))
        });
        match found {
            Some((context, scope)) => {
                let scopes = if scope.is_empty() {
                    Vec::new()
                } else {
                    vec![Scope::parse(&scope)]
                };
                self.open_overview(Overlook::new(context, scopes));
            }
            None => self.tell(word!(
                "choose a context, a team, an app or a component",
                "请选择上下文、团队、应用或组件"
            )),
        }
    }

    /// Asks what overviews want to know, while they are seen.
    pub(super) fn overlook(&mut self) {
        if self.overviews.is_empty() {
            return;
        }
        let now = self.now.mono;
        let seen = self.places();
        let mut questions = Vec::new();
        for (id, _) in &seen {
            let Some(pane) = self.overviews.get_mut(id) else {
                continue;
            };
            let waits = pane.waits.is_some_and(|since| now < since + PATIENCE);
            if waits || pane.due.is_some_and(|due| now < due) {
                continue;
            }
            pane.waits = Some(now);
            let context = Arc::clone(&pane.of.context);
            questions.push(Question::Usage(*id, context, pane.of.scopes.clone()));
        }
        for question in questions {
            self.wish(Effect::Explore(question));
        }
    }

    /// A platform tells what is used.
    pub(super) fn on_usage(&mut self, pane: PaneId, answer: Result<Answer, Fault>) {
        let now = self.now.mono;
        let Some(pane) = self.overviews.get_mut(&pane) else {
            return;
        };
        pane.waits = None;
        match answer {
            Ok(Answer::Usage(rows)) => {
                pane.rows = rows;
                pane.known = true;
                pane.fault = None;
                pane.due = Some(now + pane.of.every);
                pane.sort();
            }
            Ok(_) => {}
            Err(fault) => {
                pane.fault = Some(fault.to_string());
                pane.due = Some(now + AGAIN);
            }
        }
    }

    /// Whether a key was the overview's.
    pub(super) fn overview_key(&mut self, key: Key) -> bool {
        let page = isize::try_from(self.body().height / 2).unwrap_or(1).max(1);
        let focus = self.tabs.now.focus;
        let Some(pane) = self.overviews.get_mut(&focus) else {
            return false;
        };
        if key.alt {
            return false;
        }
        let step = match (key.ctrl, key.code) {
            (_, Code::Down) | (false, Code::Char('j')) => 1,
            (_, Code::Up) | (false, Code::Char('k')) => -1,
            (_, Code::PageDown | Code::Char('d')) => page,
            (_, Code::PageUp | Code::Char('u')) => -page,
            (_, Code::Home) | (false, Code::Char('g')) => isize::MIN / 2,
            (_, Code::End) | (false, Code::Char('G')) => isize::MAX / 2,
            (false, Code::Char('o')) => {
                pane.of.by = pane.of.by.next();
                pane.sort();
                return true;
            }
            (false, Code::Char('O')) => {
                pane.of.ascending = !pane.of.ascending;
                pane.sort();
                return true;
            }
            (true, Code::Char('r')) => {
                pane.due = None;
                self.overlook();
                return true;
            }
            (false, Code::Enter | Code::Char('m')) => {
                self.charts_of_usage(false);
                return true;
            }
            (false, Code::Char('l')) => {
                self.charts_of_usage(true);
                return true;
            }
            (false, Code::Char('y')) => {
                self.copy_usages();
                return true;
            }
            _ => return false,
        };
        let last = pane.rows.len().saturating_sub(1);
        let at = pane.at().saturating_add_signed(step).min(last);
        if let Some(row) = pane.rows.get(at) {
            pane.cursor.clone_from(&row.place.component.id);
        }
        true
    }

    /// The component under the cursor: its charts over its lines, or its lines alone.
    fn charts_of_usage(&mut self, lines: bool) {
        let pane = self.focused_overview();
        let place = pane.and_then(|pane| Some(pane.rows.get(pane.at())?.place.clone()));
        match place {
            Some(place) if lines => self.open_in_tab(super::tree::deeds::component(place)),
            Some(place) => self.open_charts_of(place),
            None => {}
        }
    }

    fn copy_usages(&mut self) {
        let Some(pane) = self.focused_overview() else {
            return;
        };
        let mut text = String::from("component");
        for metric in METRICS {
            text.push('\t');
            text.push_str(metric.word());
        }
        text.push('\n');
        for row in &pane.rows {
            text.push_str(&row.place.path().replace('\t', " "));
            for cell in &row.cells {
                text.push('\t');
                text.extend(cell.now.map(|now| now.to_string()));
            }
            text.push('\n');
        }
        let count = pane.rows.len();
        self.tell(&say!("copied {count} rows", "已复制 {count} 行"));
        self.wish(Effect::Copy(text));
    }
}
