//! The state, and what commands do to it.

mod copy;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ratatui::layout::Rect;

use crate::codec::target::Target;
use crate::model::{Fault, LinkState, Micros, PaneId, TargetId};
use crate::store::{Case, Layer, LayerKind, Pattern};

use super::effect::Effect;
use super::key::Key;
use super::layout::{self, Axis, Node, Side};
use super::mode::Mode;
use super::msg::Now;
use super::pane::Pane;
use super::pane::viewport::Size;
use super::prompt::{Prompt, Purpose};

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(4);
/// A second Ctrl-C within this time quits.
const INSIST: Duration = Duration::from_secs(2);
/// Prompts remember so many lines.
const HISTORY: usize = 100;

/// A target that was opened.
#[derive(Debug)]
pub struct Opened {
    /// What it is.
    pub target: Target,
    /// How its link stands.
    pub state: LinkState,
    /// When a new attempt comes, while it waits.
    pub retry_at: Option<Instant>,
}

/// Something to tell for a while.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The words.
    pub text: String,
    /// Something went wrong.
    pub fault: bool,
    /// When it goes.
    pub until: Instant,
}

/// Everything on the screen.
#[derive(Debug)]
pub struct App {
    /// All targets of this run, by number.
    pub targets: Vec<Opened>,
    /// The panes.
    pub panes: BTreeMap<PaneId, Pane>,
    /// Where they are.
    pub tree: Node,
    /// The one that keys go to.
    pub focus: PaneId,
    /// It alone is shown.
    pub zoom: bool,
    /// What keys mean.
    pub mode: Mode,
    /// Keys of a sequence that is not whole yet.
    pub pending: Vec<Key>,
    /// What is told at the bottom.
    pub notice: Option<Notice>,
    /// The terminal's size.
    pub area: Rect,
    /// Mouse on.
    pub mouse: bool,
    /// `e` and `E` stop at warnings too.
    pub warnings: bool,
    /// The theme in use.
    pub theme: String,
    /// The time of the last message.
    pub now: Now,
    pub(super) budget: usize,
    pub(super) next_pane: u32,
    pub(super) history: BTreeMap<&'static str, Vec<String>>,
    pub(super) interrupted: Option<Instant>,
    pub(super) dragging: Option<PaneId>,
    wishes: Vec<Effect>,
}

impl App {
    /// A program that opens `targets`: a pane each, or one for all with `merge`.
    pub fn new(targets: Vec<Target>, merge: bool, budget: usize, area: Rect, now: Now) -> Self {
        let mut app = Self {
            targets: Vec::new(),
            panes: BTreeMap::new(),
            tree: Node::Leaf(PaneId(0)),
            focus: PaneId(0),
            zoom: false,
            mode: Mode::Normal,
            pending: Vec::new(),
            notice: None,
            area,
            mouse: false,
            warnings: false,
            theme: String::new(),
            now,
            budget,
            next_pane: 0,
            history: BTreeMap::new(),
            interrupted: None,
            dragging: None,
            wishes: Vec::new(),
        };
        let ids: Vec<TargetId> = targets
            .into_iter()
            .map(|target| app.open_target(target))
            .collect();
        let groups: Vec<Vec<TargetId>> = if merge {
            vec![ids]
        } else {
            ids.into_iter().map(|id| vec![id]).collect()
        };
        app.arrange(groups);
        app
    }

    fn arrange(&mut self, groups: Vec<Vec<TargetId>>) {
        let panes: Vec<PaneId> = groups
            .into_iter()
            .map(|group| self.new_pane(group))
            .collect();
        if let (Some(tree), Some(first)) = (Node::grid(&panes, self.body()), panes.first()) {
            self.tree = tree;
            self.focus = *first;
        }
    }

    fn new_pane(&mut self, targets: Vec<TargetId>) -> PaneId {
        let id = PaneId(self.next_pane);
        self.next_pane += 1;
        self.panes.insert(id, Pane::new(id, targets));
        id
    }

    /// Registers a target and asks for its source.
    pub(super) fn open_target(&mut self, target: Target) -> TargetId {
        let id = TargetId::at(self.targets.len());
        self.wish(Effect::Open(id, target.clone()));
        let state = LinkState::Connecting(crate::text::SafeText::of("connecting").into_owned());
        self.targets.push(Opened {
            target,
            state,
            retry_at: None,
        });
        id
    }

    /// Where panes are: all but the last row.
    pub fn body(&self) -> Rect {
        Rect {
            height: self.area.height.saturating_sub(1),
            ..self.area
        }
    }

    /// The panes on the screen.
    pub fn places(&self) -> Vec<(PaneId, Rect)> {
        layout::solve(self.body(), &self.tree, self.focus, self.zoom)
    }

    /// The focused pane.
    pub fn pane(&self) -> Option<&Pane> {
        self.panes.get(&self.focus)
    }

    /// The size of a pane's text, by where it is now.
    pub fn text_size(&self, pane: &Pane) -> Size {
        let rect = self
            .places()
            .into_iter()
            .find(|(id, _)| *id == pane.id)
            .map_or(self.body(), |(_, rect)| rect);
        let text = super::areas::text_area(pane, rect);
        Size {
            cols: usize::from(text.width),
            rows: usize::from(text.height),
        }
    }

    /// Does something to the focused pane.
    pub fn with_pane(&mut self, deed: impl FnOnce(&mut Pane, Size)) {
        let Some(size) = self.pane().map(|pane| self.text_size(pane)) else {
            return;
        };
        if let Some(pane) = self.panes.get_mut(&self.focus) {
            deed(pane, size);
        }
    }

    /// Asks the world for something.
    pub fn wish(&mut self, effect: Effect) {
        self.wishes.push(effect);
    }

    /// All wishes so far.
    pub fn take_wishes(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.wishes)
    }

    /// Tells something for a while.
    pub fn tell(&mut self, text: &str) {
        self.notice = Some(Notice {
            text: text.to_owned(),
            fault: false,
            until: self.now.mono + NOTICE,
        });
    }

    /// Tells that something went wrong.
    pub fn fail(&mut self, text: &str) {
        self.notice = Some(Notice {
            text: text.to_owned(),
            fault: true,
            until: self.now.mono + NOTICE * 2,
        });
    }

    /// Which lines are shown is found out anew, on other threads.
    pub fn refilter(&mut self) {
        let Some(pane) = self.panes.get_mut(&self.focus) else {
            return;
        };
        let id = pane.id;
        for (scan, job) in pane.refilter() {
            self.wish(Effect::Scan(id, scan, job));
        }
    }

    /// Goes to the next or previous hit.
    pub fn hit(&mut self, forward: bool) {
        let mut words = None;
        self.with_pane(|pane, size| {
            let Some(search) = &pane.search else {
                words = Some("there is no search yet: / starts one");
                return;
            };
            let hits = search.hits.list();
            let cursor = pane.cursor().unwrap_or_default();
            let (found, around) = if forward {
                (hits.next_after(cursor), hits.first())
            } else {
                (hits.prev_before(cursor), hits.last())
            };
            match found.or(around) {
                Some(hit) => {
                    if found.is_none() {
                        words = Some(if forward {
                            "from the top again"
                        } else {
                            "from the bottom again"
                        });
                    }
                    pane.look_at(hit, size);
                    pane.reveal(hit, size);
                }
                None if search.hits.done() => words = Some("no line matches"),
                None => words = Some("still searching"),
            }
        });
        if let Some(words) = words {
            self.tell(words);
        }
    }

    /// Opens a prompt.
    pub fn prompt(&mut self, purpose: Purpose, text: &str) {
        // What is typed now is not about what was told before.
        self.notice = None;
        let history = self
            .history
            .get(purpose.label())
            .cloned()
            .unwrap_or_default();
        self.mode = Mode::Prompt(Prompt::new(purpose, text, &history));
    }

    pub(super) fn remember(&mut self, purpose: Purpose, text: &str) {
        let lines = self.history.entry(purpose.label()).or_default();
        lines.retain(|line| line != text);
        lines.push(text.to_owned());
        if lines.len() > HISTORY {
            lines.remove(0);
        }
    }

    /// Compiles what was typed; a fault is told.
    pub(super) fn pattern(&mut self, text: &str, literal: bool) -> Option<Pattern> {
        pattern(text, literal)
            .map_err(|fault| self.fail(&fault.to_string()))
            .ok()
    }

    pub(super) fn add_layer(&mut self, kind: LayerKind, pattern: Pattern) {
        self.with_pane(|pane, _| {
            pane.add_layer(Layer {
                kind,
                pattern,
                on: true,
            });
        });
        self.refilter();
    }

    /// A target's short name.
    pub fn target_name(&self, id: TargetId) -> &str {
        self.targets
            .get(usize::from(id.0))
            .map_or("", |opened| opened.target.name.as_str())
    }

    /// A pane's title: its targets' names.
    pub fn title(&self, pane: &Pane) -> String {
        let names: Vec<&str> = pane
            .targets
            .iter()
            .map(|id| self.target_name(*id))
            .collect();
        match names.as_slice() {
            [] => "no target".into(),
            [one] => (*one).to_owned(),
            many => format!("{} targets: {}", many.len(), many.join(", ")),
        }
    }

    /// A file name to save the focused pane to.
    pub fn save_name(&self) -> String {
        let title = self
            .pane()
            .map_or_else(String::new, |pane| self.title(pane));
        let name: String = title
            .chars()
            .map(|c| {
                if c.is_alphanumeric() || c == '-' {
                    c
                } else {
                    '-'
                }
            })
            .take(40)
            .collect();
        let name = name.trim_matches('-').to_owned();
        let time = crate::codec::stamp::timestamp(self.now.wall)
            .map_or_else(String::new, |at| at.strftime("%Y%m%d-%H%M%S").to_string());
        format!(
            "{}-{time}.log",
            if name.is_empty() { "lines" } else { &name }
        )
    }

    /// Focus on the pane so many places further.
    pub fn turn(&mut self, step: isize) {
        let panes = self.tree.panes();
        let here = panes
            .iter()
            .position(|pane| *pane == self.focus)
            .unwrap_or(0);
        let count = isize::try_from(panes.len().max(1)).unwrap_or(1);
        let there = (isize::try_from(here).unwrap_or(0) + step).rem_euclid(count);
        self.go_to(usize::try_from(there).unwrap_or(0));
    }

    /// Focus on the pane of that number.
    pub fn go_to(&mut self, index: usize) {
        match self.tree.panes().get(index) {
            Some(pane) => self.focus = *pane,
            None => self.tell(&format!("there is no pane {}", index + 1)),
        }
    }

    /// Focus on the neighbour on that side.
    pub fn go(&mut self, side: Side) {
        let places = layout::solve(self.body(), &self.tree, self.focus, false);
        if let Some(pane) = layout::neighbour(&places, self.focus, side) {
            self.focus = pane;
        }
    }

    /// The focused pane's targets once more in a new one.
    pub fn split(&mut self, axis: Axis) {
        let Some(pane) = self.pane() else { return };
        let (targets, store, view) = (pane.targets.clone(), pane.store.clone(), pane.view.clone());
        let (received, dropped, lag) = (pane.received, pane.dropped, pane.lag);
        let sourced = pane.sourced;
        let fresh = self.new_pane(targets);
        if let Some(pane) = self.panes.get_mut(&fresh) {
            pane.store = store;
            pane.sourced = sourced;
            pane.view = view;
            (pane.received, pane.dropped, pane.lag) = (received, dropped, lag);
        }
        self.tree.insert(self.focus, axis, fresh);
        self.focus = fresh;
        self.zoom = false;
    }

    /// A new pane on `target`.
    pub(super) fn open_pane(&mut self, target: Target) {
        let id = self.open_target(target);
        let fresh = self.new_pane(vec![id]);
        if self.panes.len() == 1 {
            self.tree = Node::Leaf(fresh);
        } else {
            let wide = self
                .pane()
                .map(|pane| self.text_size(pane))
                .is_some_and(|size| size.cols > size.rows * 3);
            self.tree.insert(
                self.focus,
                if wide { Axis::Beside } else { Axis::Below },
                fresh,
            );
        }
        self.focus = fresh;
        self.zoom = false;
    }

    /// One merged pane of all targets, or, if there is one, a pane each.
    pub fn merge(&mut self) {
        let merged = self.pane().is_some_and(Pane::is_merged);
        let ids: Vec<TargetId> = self
            .tree
            .panes()
            .iter()
            .filter_map(|pane| self.panes.get(pane))
            .flat_map(|pane| pane.targets.clone())
            .collect();
        let mut targets = ids;
        targets.sort_unstable();
        targets.dedup();
        if targets.len() < 2 {
            return self.tell("there is only one target");
        }
        let old: Vec<Pane> = std::mem::take(&mut self.panes).into_values().collect();
        let groups = if merged {
            targets.iter().map(|id| vec![*id]).collect()
        } else {
            vec![targets]
        };
        self.arrange(groups);
        self.zoom = false;
        self.carry_over(&old);
    }

    /// Lines of the panes before go to the panes now, in order of arrival.
    fn carry_over(&mut self, old: &[Pane]) {
        for (id, rows) in super::pane::carry::sorted(old, &self.panes) {
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.take_over(rows);
            }
        }
    }

    /// Closes the focused pane; the last one quits.
    pub fn close(&mut self) {
        let gone = self.focus;
        let Some(tree) = self.tree.clone().without(gone) else {
            return self.wish(Effect::Quit);
        };
        self.turn(-1);
        if self.focus == gone {
            self.turn(1);
        }
        self.tree = tree;
        self.panes.remove(&gone);
        self.zoom = false;
        self.close_unused();
    }

    /// Closes all panes but the focused one.
    pub fn close_others(&mut self) {
        self.tree = Node::Leaf(self.focus);
        let focus = self.focus;
        self.panes.retain(|id, _| *id == focus);
        self.zoom = false;
        self.close_unused();
    }

    fn close_unused(&mut self) {
        let used: Vec<TargetId> = self
            .panes
            .values()
            .flat_map(|pane| pane.targets.clone())
            .collect();
        for index in 0..self.targets.len() {
            let id = TargetId::at(index);
            let over = self
                .targets
                .get(index)
                .is_none_or(|opened| matches!(opened.state, LinkState::Ended(_)));
            if !over && !used.contains(&id) {
                self.wish(Effect::Close(id));
            }
        }
    }

    /// Sizes the focused pane.
    pub fn resize_pane(&mut self, axis: Axis, percent: i16) {
        if !self.tree.resize(self.focus, axis, percent) {
            self.tell("there is no pane to take room from");
        }
    }

    /// Ctrl-C: the first one warns, the second one quits.
    pub fn interrupt(&mut self) {
        if self
            .interrupted
            .is_some_and(|at| self.now.mono < at + INSIST)
        {
            return self.wish(Effect::Quit);
        }
        self.interrupted = Some(self.now.mono);
        self.tell("Ctrl-c again or q to quit");
    }

    /// When the screen changes by itself: a notice goes, a rate falls, a wait counts down.
    pub fn wake_at(&self) -> Option<Instant> {
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let rates = self.panes.values().filter_map(|pane| pane.rate.wake_at());
        let second = self.now.mono + Duration::from_secs(1);
        let waits = self
            .targets
            .iter()
            .filter_map(|opened| opened.retry_at)
            .map(|_| second);
        notice.into_iter().chain(rates).chain(waits).min()
    }

    /// Wall-clock time now.
    pub fn wall(&self) -> Micros {
        self.now.wall
    }
}

/// Compiles what was typed.
pub(super) fn pattern(text: &str, literal: bool) -> Result<Pattern, Fault> {
    if literal {
        Pattern::literal(text, Case::Smart)
    } else {
        Pattern::regex(text, Case::Smart)
    }
}
