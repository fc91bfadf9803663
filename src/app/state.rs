//! The state, and what commands do to it.

mod copy;
mod places;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::codec::target::Target;
use crate::lang::{self, Lang};
use crate::model::alert::{Alert, Watch};
use crate::model::context::Context;
use crate::model::way::Way;
use crate::model::{Fault, LinkState, Micros, PaneId, TargetId};
use crate::say;
use crate::store::timeline::Timeline;
use crate::store::{Case, Layer, LayerKind, Pattern, SEGMENT_BYTES};
use crate::term::screen::Screen;
use crate::word;

use super::chart::{ChartPane, Recipe};
use super::effect::{Effect, Reports};
use super::key::Key;
use super::keymap::Keymap;
use super::layout;
use super::mode::Mode;
use super::msg::Now;
use super::overview::OverviewPane;
use super::pane::Pane;
use super::pane::viewport::Size;
use super::prompt::{Prompt, Purpose};
use super::shell::{Link, ShellPane};
use super::table::TablePane;
use super::tabs::{Tab, Tabs};
use super::tree::Tree;

/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(4);
/// A second Ctrl-C within this time quits.
const INSIST: Duration = Duration::from_secs(2);
/// Prompts remember so many lines.
const HISTORY: usize = 100;
/// Text of a segment at least, however small the budget is.
const SMALLEST_SEGMENT: usize = 16 << 10;

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
    /// The panes with shells, beside those with lines; no pane is in both.
    pub shells: BTreeMap<PaneId, ShellPane>,
    /// The panes with charts, beside both.
    pub charts: BTreeMap<PaneId, ChartPane>,
    /// The panes with tables of what costs most.
    pub tables: BTreeMap<PaneId, TablePane>,
    /// The panes with all components at a glance.
    pub overviews: BTreeMap<PaneId, OverviewPane>,
    /// The time cursor, by the server's clock; none is the present.
    pub moment: Option<Micros>,
    /// A range of time that is marked: where it began, and where it was brought to.
    pub marked: Option<(Micros, Micros)>,
    /// What happened when.
    pub timeline: Timeline,
    /// What is measured of a component.
    pub recipes: Vec<Recipe>,
    /// What is to be told.
    pub alerts: Vec<Alert>,
    /// How alerts stand: by the alert's number, the pane, and its chart.
    pub(super) watches: BTreeMap<(usize, PaneId, usize), Watch>,
    /// The zone of shown times, and of stamps without one.
    pub zone: TimeZone,
    /// How targets are reached that are no names.
    pub way: Arc<Way>,
    /// The platforms.
    pub contexts: Vec<Arc<Context>>,
    /// The current one of them.
    pub context: Option<Arc<Context>>,
    /// The tree of what runs on them, once it was opened.
    pub tree: Option<Tree>,
    /// Where they are.
    pub tabs: Tabs,
    /// Shells that are typed into at once; none or several.
    pub together: Vec<PaneId>,
    /// The pane that waits for what its target's examination finds; a shell that was typed into
    /// since does not.
    pub(super) examined: Option<PaneId>,
    /// What keys mean.
    pub mode: Mode,
    /// Keys of a sequence that is not whole yet.
    pub pending: Vec<Key>,
    /// What they mean.
    pub keymap: Keymap,
    /// What is told at the bottom.
    pub notice: Option<Notice>,
    /// The terminal's size.
    pub area: Rect,
    /// Mouse on.
    pub mouse: bool,
    /// The terminal that we run in has the kitty keyboard protocol.
    pub kitty: bool,
    /// `e` and `E` stop at warnings too.
    pub warnings: bool,
    /// The theme in use.
    pub theme: String,
    /// The time of the last message.
    pub now: Now,
    pub(super) budget: usize,
    pub(super) next_pane: u32,
    pub(super) history: BTreeMap<Purpose, Vec<String>>,
    pub(super) interrupted: Option<Instant>,
    pub(super) dragging: Option<PaneId>,
    /// What the terminal that we run in reports.
    pub(super) reports: Reports,
    /// The pane that had the focus when it was looked last.
    pub(super) focused: Option<PaneId>,
    /// Shells that wait for their passwords, with their users; the first one is asked for.
    pub(super) asked_for: VecDeque<(Target, String)>,
    /// Panes that become charts once the name of their component is looked up.
    pub(super) becoming: Vec<PaneId>,
    /// The focused lines were held when they were looked at last.
    pub(super) held_before: bool,
    /// What was copied from a shell last.
    pub(super) copied: String,
    wishes: Vec<Effect>,
}

impl App {
    /// A program that opens `targets`: a pane each, or one for all with `merge`.
    pub fn new(targets: Vec<Target>, merge: bool, budget: usize, area: Rect, now: Now) -> Self {
        let mut app = Self {
            targets: Vec::new(),
            panes: BTreeMap::new(),
            shells: BTreeMap::new(),
            charts: BTreeMap::new(),
            tables: BTreeMap::new(),
            overviews: BTreeMap::new(),
            moment: None,
            marked: None,
            timeline: Timeline::default(),
            recipes: Recipe::all(&[]),
            alerts: Vec::new(),
            watches: BTreeMap::new(),
            zone: TimeZone::UTC,
            becoming: Vec::new(),
            held_before: false,
            way: Arc::default(),
            contexts: Vec::new(),
            context: None,
            tree: None,
            together: Vec::new(),
            examined: None,
            reports: Reports::default(),
            focused: None,
            asked_for: VecDeque::new(),
            copied: String::new(),
            tabs: Tabs::new(Tab::of(PaneId(0))),
            mode: Mode::Normal,
            pending: Vec::new(),
            keymap: Keymap::default(),
            notice: None,
            area,
            mouse: false,
            kitty: false,
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
        let mut panes = Vec::new();
        let mut merged: Option<PaneId> = None;
        for target in targets {
            if target.is_terminal() {
                panes.extend(app.new_shell_of(target));
                continue;
            }
            let id = app.open_target(target);
            let known = merged.filter(|_| merge);
            if let Some(pane) = known.and_then(|pane| app.panes.get_mut(&pane)) {
                pane.targets.push(id);
                continue;
            }
            let pane = app.new_pane(vec![id]);
            merged.get_or_insert(pane);
            panes.push(pane);
        }
        app.arrange(&panes);
        for id in app.shells.keys().copied().collect::<Vec<_>>() {
            app.start_shell(id);
        }
        app.ask_password();
        app
    }

    /// Times are shown in this zone, and stamps without one are read in it.
    pub fn use_zone(&mut self, zone: TimeZone) {
        for pane in self.panes.values_mut() {
            pane.times.zone = zone.clone();
        }
        self.zone = zone;
    }

    /// A pane of what some targets send: lines, or a table where all of them send lists.
    pub(super) fn new_pane(&mut self, targets: Vec<TargetId>) -> PaneId {
        let is_list = |id: &TargetId| {
            let opened = self.targets.get(usize::from(id.0));
            opened.is_some_and(|opened| opened.target.is_list())
        };
        if !targets.is_empty() && targets.iter().all(is_list) {
            return self.new_table(targets);
        }
        let id = self.fresh_pane();
        let mut pane = Pane::new(id, targets);
        pane.times.zone = self.zone.clone();
        self.panes.insert(id, pane);
        // A full segment, the memory that the next one is put into, and the counts by second are
        // a small share of the budget each, so that the newest lines stay when the oldest go.
        let share = self.budget / (8 * self.panes.len()).max(64);
        let segment = share.clamp(SMALLEST_SEGMENT, SEGMENT_BYTES);
        for pane in self.panes.values_mut() {
            pane.store.set_segment_bytes(segment);
            pane.times.volume.set_bytes(share);
        }
        id
    }

    /// A name for a new pane.
    pub(super) fn fresh_pane(&mut self) -> PaneId {
        let id = PaneId(self.next_pane);
        self.next_pane += 1;
        id
    }

    /// Registers a target and asks for its source.
    pub(super) fn open_target(&mut self, target: Target) -> TargetId {
        let id = TargetId::at(self.targets.len());
        self.wish(Effect::Open(id, target.clone()));
        let state = LinkState::Connecting(
            crate::text::SafeText::of(word!("connecting", "正在连接")).into_owned(),
        );
        self.targets.push(Opened {
            target,
            state,
            retry_at: None,
        });
        id
    }

    /// Panes of all kinds but the tree.
    pub(super) fn count(&self) -> usize {
        let lines = self.panes.len() + self.shells.len();
        lines + self.charts.len() + self.tables.len() + self.overviews.len()
    }

    /// Whether there is no pane but the tree.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The row of tabs; empty while there is only one.
    pub fn tab_line(&self) -> Rect {
        let height = u16::from(self.tabs.len() > 1 && self.area.height > 6);
        Rect {
            height,
            ..self.area
        }
    }

    /// Where panes are: all but the row of tabs and the last row.
    pub fn body(&self) -> Rect {
        let above = self.tab_line().height;
        Rect {
            y: self.area.y + above,
            height: self.area.height.saturating_sub(1 + above),
            ..self.area
        }
    }

    /// The panes on the screen.
    pub fn places(&self) -> Vec<(PaneId, Rect)> {
        layout::solve(
            self.body(),
            &self.tabs.now.tree,
            self.tabs.now.focus,
            self.tabs.now.zoom,
        )
    }

    /// The focused pane.
    pub fn pane(&self) -> Option<&Pane> {
        self.panes.get(&self.tabs.now.focus)
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
        if let Some(pane) = self.panes.get_mut(&self.tabs.now.focus) {
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
        let Some(pane) = self.panes.get_mut(&self.tabs.now.focus) else {
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
                words = Some(word!(
                    "there is no search yet: / starts one",
                    "还没有搜索：按 / 开始"
                ));
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
                            word!("from the top again", "已从顶部重新开始")
                        } else {
                            word!("from the bottom again", "已从底部重新开始")
                        });
                    }
                    pane.look_at(hit, size);
                    pane.reveal(hit, size);
                }
                None if search.hits.done() => {
                    words = Some(word!("no line matches", "没有匹配的行"));
                }
                None => words = Some(word!("still searching", "仍在搜索")),
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
        let history = self.history.get(&purpose).cloned().unwrap_or_default();
        self.mode = Mode::Prompt(Prompt::new(purpose, text, &history));
    }

    pub(super) fn remember(&mut self, purpose: Purpose, text: &str) {
        let lines = self.history.entry(purpose).or_default();
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
            [] => word!("no target", "无目标").into(),
            [one] => (*one).to_owned(),
            many => say!(
                "{} targets: {}",
                "{} 个目标：{}",
                many.len(),
                many.join(", ")
            ),
        }
    }

    /// A file name for something of the focused pane; the same in every language.
    pub fn file_name(&self, extension: &str) -> String {
        let title = match (self.pane(), self.shell()) {
            (Some(pane), _) => lang::within(Lang::En, || self.title(pane)),
            (None, Some(shell)) => shell.target.name.clone(),
            (None, None) => String::new(),
        };
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
            "{}-{time}.{extension}",
            if name.is_empty() { "lines" } else { &name }
        )
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
        self.tell(word!(
            "Ctrl-c again or q to quit",
            "再按一次 Ctrl-c 或按 q 退出"
        ));
    }

    /// When the screen changes by itself: a notice goes, a rate falls, a wait counts down.
    pub fn wake_at(&self) -> Option<Instant> {
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let held = self.shells.values().filter_map(|shell| shell.held);
        let held = held.map(|since| since + Screen::HOLD);
        let opening = |shell: &&ShellPane| matches!(shell.link, Link::Opening(..));
        let opening = self.shells.values().any(|shell| opening(&shell));
        let rates = self.panes.values().filter_map(|pane| pane.rate.wake_at());
        let second = self.now.mono + Duration::from_secs(1);
        let waits = self
            .targets
            .iter()
            .filter_map(|opened| opened.retry_at)
            .map(|_| second);
        let waits = waits.chain(opening.then_some(second));
        notice
            .into_iter()
            .chain(rates)
            .chain(waits)
            .chain(held)
            .chain(self.explores_at())
            .chain(self.watches_rates().then_some(second))
            .chain(self.measures_at())
            .chain(
                self.tables
                    .values()
                    .filter_map(|table| table.wake_at(self.now.mono)),
            )
            .min()
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
