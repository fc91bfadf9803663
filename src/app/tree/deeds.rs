//! What keys do in the tree.

use std::time::Instant;

use crate::app::App;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::mode::Mode;
use crate::app::msg::Configured;
use crate::app::tabs::Tab;
use crate::codec::name;
use crate::codec::pubsub::Channel;
use crate::codec::scheme;
use crate::codec::target::{FeedSpec, Target, WsFeed, WsSpec};
use crate::model::context::{Api, Context, Place};
use crate::model::{Fault, PaneId};
use crate::say;
use crate::word;

use super::{Answer, Question, Row, Thing, Tree};

/// Rows that a page is, at least.
const PAGE: usize = 5;

impl App {
    /// The tree's pane; it is made where there is none yet, and stands nowhere then.
    pub(in crate::app) fn tree_pane(&mut self) -> PaneId {
        if let Some(tree) = &self.tree {
            return tree.pane;
        }
        let pane = self.fresh_pane();
        self.tree = Some(Tree::new(pane, &self.contexts, self.context.as_ref()));
        pane
    }

    /// Goes to the tree, in a tab of its own unless nothing else is there.
    pub fn go_to_tree(&mut self) {
        if self.contexts.is_empty() {
            return self.tell(word!(
                "there is no context yet: deckwatch context add adds one",
                "还没有上下文：用 deckwatch context add 添加"
            ));
        }
        let pane = self.tree_pane();
        if self.is_empty() {
            self.tabs.now = Tab::of(pane);
        } else if !self.tabs.show(pane) {
            self.tabs.lead(Tab::of(pane));
            self.tabs.show(pane);
        }
        self.explore();
    }

    /// The configuration has changed: what it says counts from now on.
    pub(in crate::app) fn on_configured(&mut self, read: Result<Box<Configured>, Fault>) {
        let fresh = match read {
            Ok(fresh) => *fresh,
            Err(fault) => return self.fail(&fault.to_string()),
        };
        self.keymap = fresh.keymap;
        self.pending.clear();
        self.way = fresh.way;
        self.use_alerts(fresh.recipes, fresh.alerts);
        self.contexts = fresh.contexts;
        self.context = fresh.context;
        let contexts = self.contexts.clone();
        self.with_tree(|tree| tree.take_contexts(&contexts));
        if let Some(theme) = fresh.theme.filter(|name| *name != self.theme) {
            self.wish(Effect::Theme(theme));
        }
        self.tell(word!("the configuration was read anew", "已重新读取配置"));
        self.explore();
    }

    /// What lost its place gets it back: the tree is always there.
    pub(in crate::app) fn keep_tree(&mut self) {
        let pane = self.tree.as_ref().map(|tree| tree.pane);
        if let Some(pane) = pane.filter(|pane| !self.tabs.panes().contains(pane)) {
            self.tabs.lead(Tab::of(pane));
        }
    }

    /// The tree, if it has the keys.
    pub fn focused_tree(&self) -> Option<&Tree> {
        self.tree
            .as_ref()
            .filter(|tree| tree.pane == self.tabs.now.focus)
    }

    /// Whether the tree is on the screen.
    pub fn sees_tree(&self) -> bool {
        let seen = |tree: &Tree| self.tabs.now.tree.panes().contains(&tree.pane);
        self.tree.as_ref().is_some_and(seen)
    }

    /// Asks what the tree wants to know, while it is seen.
    pub(in crate::app) fn explore(&mut self) {
        if !self.sees_tree() {
            return;
        }
        let now = self.now.mono;
        let questions = self
            .tree
            .as_mut()
            .map_or(Vec::new(), |tree| tree.questions(now));
        for question in questions {
            self.wish(Effect::Explore(question));
        }
    }

    /// When the tree wants to ask again.
    pub(in crate::app) fn explores_at(&self) -> Option<Instant> {
        self.tree
            .as_ref()
            .filter(|_| self.sees_tree())
            .map(|tree| tree.wake_at(self.now.mono))
    }

    /// What a platform answers.
    pub(in crate::app) fn on_explored(
        &mut self,
        question: &Question,
        answer: Result<Answer, Fault>,
    ) {
        match (question, answer) {
            (Question::Details(pane, place), Ok(Answer::Details(lines))) => {
                self.on_details(*pane, place.path(), lines);
            }
            (Question::Shell(pane, place), Ok(Answer::Shell(target))) => {
                if self.is_awaited(*pane) {
                    return self.open_in_tab(*target);
                }
                let place = place.path();
                self.tell(&say!(
                    "the shell of {place} is ready; ask for it again to open it",
                    "{place} 的终端已就绪；再次请求即可打开"
                ));
            }
            (Question::Happened(_), Ok(Answer::Happened(events))) => self.tick_events(&events),
            (Question::Usage(pane, ..), answer) => self.on_usage(*pane, answer),
            // The axis goes without.
            (Question::Happened(_), _) => {}
            (Question::Details(..) | Question::Shell(..), Err(fault)) => {
                self.fail(&fault.to_string());
            }
            (_, answer) => {
                if let Some(tree) = &mut self.tree {
                    tree.take(question, answer);
                }
                self.explore();
            }
        }
    }

    /// Everything about something, for the pane that asked: shown over it.
    pub(in crate::app) fn on_details(&mut self, pane: PaneId, title: String, lines: Vec<String>) {
        if self.is_awaited(pane) {
            let top = 0;
            self.mode = Mode::Details { title, lines, top };
            return;
        }
        self.tell(&say!(
            "what is known of {title} has come; ask for it again to see it",
            "{title} 的信息已返回；再次请求即可查看"
        ));
    }

    /// Whether what a pane asked for may take the keys: they are still that pane's, and nothing
    /// is being typed there.
    fn is_awaited(&self, pane: PaneId) -> bool {
        let is_typed_into = self.shells.contains_key(&pane) && self.examined != Some(pane);
        self.tabs.now.focus == pane
            && !is_typed_into
            && matches!(self.mode, Mode::Normal)
            && self.pending.is_empty()
            && !self.focused_tree().is_some_and(|tree| tree.typing)
    }

    /// A target in a tab of its own.
    pub(in crate::app) fn open_in_tab(&mut self, target: Target) {
        self.open_all_in_tab(vec![target]);
    }

    /// Targets in one merged pane, in a tab of its own.
    fn open_all_in_tab(&mut self, targets: Vec<Target>) {
        let mut merged = Vec::new();
        for target in targets {
            if target.is_terminal() {
                self.open_shell(target);
                continue;
            }
            merged.push(self.open_target(target));
        }
        if merged.is_empty() {
            return;
        }
        let pane = self.new_pane(merged);
        self.tabs.open(Tab::of(pane));
    }

    /// Whether a key was the tree's.
    pub(in crate::app) fn tree_key(&mut self, key: Key) -> bool {
        let Some(tree) = self.focused_tree() else {
            return false;
        };
        if tree.typing {
            return self.filter_key(key);
        }
        let page = usize::from(self.body().height).saturating_sub(3).max(PAGE);
        match (key.ctrl, key.code) {
            (_, Code::Down) | (false, Code::Char('j')) => self.move_by(1),
            (_, Code::Up) | (false, Code::Char('k')) => self.move_by(-1),
            (_, Code::PageDown) => self.move_by(signed(page)),
            (_, Code::PageUp) => self.move_by(-signed(page)),
            (_, Code::Char('d')) => self.move_by(signed(page / 2)),
            (_, Code::Char('u')) => self.move_by(-signed(page / 2)),
            (_, Code::Home) | (false, Code::Char('g')) => self.move_by(isize::MIN / 2),
            (_, Code::End) | (false, Code::Char('G')) => self.move_by(isize::MAX / 2),
            (_, Code::Right) => self.unfold(),
            (_, Code::Left) | (false, Code::Char('h')) => self.fold(),
            (_, Code::Enter) => self.enter(),
            (false, Code::Char('/')) => self.with_tree(|tree| tree.typing = true),
            (false, Code::Char(' ')) => self.mark_row(),
            (false, Code::Char('\\')) => self.with_tree(|tree| tree.marks.clear()),
            (false, Code::Char('l')) => self.logs_of_rows(false),
            (false, Code::Char('L')) => self.logs_of_rows(true),
            (false, Code::Char('v')) => self.events_of_row(),
            (false, Code::Char('m')) => self.charts_of_row(),
            (false, Code::Char('t')) => self.requests_of_row(),
            (false, Code::Char('s')) => self.shell_of_row(),
            (false, Code::Char('i')) => self.details_of_row(),
            (false, Code::Char('c' | 'y')) => self.copy_row(),
            (true, Code::Char('r')) => {
                self.with_tree(Tree::refresh);
                self.explore();
            }
            (_, Code::Esc) if !tree.filter.is_empty() => {
                self.with_tree(|tree| tree.filter.clear());
            }
            _ => return false,
        }
        true
    }

    /// Keys while a filter is typed.
    fn filter_key(&mut self, key: Key) -> bool {
        let mut explore = false;
        self.with_tree(|tree| match (key.ctrl, key.code) {
            (_, Code::Esc) => {
                tree.filter.clear();
                tree.typing = false;
            }
            (_, Code::Enter) => tree.typing = false,
            (_, Code::Backspace) if tree.filter.pop().is_none() => tree.typing = false,
            (true, Code::Char('u')) => tree.filter.clear(),
            (true, Code::Char('w')) => {
                let kept = tree.filter.trim_end().rfind(' ').map_or(0, |at| at + 1);
                tree.filter.truncate(kept);
            }
            (false, Code::Char(c)) => {
                tree.filter.push(c);
                explore = true;
            }
            _ => {}
        });
        match key.code {
            Code::Down => self.move_by(1),
            Code::Up => self.move_by(-1),
            _ => self.seek_first_hit(),
        }
        if explore {
            self.explore();
        }
        true
    }

    /// The cursor on the best of what the filter finds.
    fn seek_first_hit(&mut self) {
        self.with_tree(|tree| {
            if tree.filter.is_empty() {
                return;
            }
            let score = |row: &Row| {
                [&row.name, &row.alias]
                    .iter()
                    .filter_map(|text| crate::app::fuzzy::score(&tree.filter, text))
                    .max()
            };
            let rows = tree.rows();
            let best = rows
                .iter()
                .filter_map(|row| Some((score(row)?, row)))
                // Of equals the first one.
                .rev()
                .max_by_key(|(score, _)| *score);
            if let Some((_, row)) = best {
                tree.cursor.clone_from(&row.key);
            }
        });
    }

    fn with_tree(&mut self, deed: impl FnOnce(&mut Tree)) {
        if let Some(tree) = &mut self.tree {
            deed(tree);
        }
    }

    fn move_by(&mut self, step: isize) {
        self.with_tree(|tree| {
            let rows = tree.rows();
            let at = tree.at(&rows).saturating_add_signed(step);
            if let Some(row) = rows.get(at.min(rows.len().saturating_sub(1))) {
                tree.cursor.clone_from(&row.key);
            }
        });
    }

    fn row(&self) -> Option<Row> {
        let tree = self.tree.as_ref()?;
        let rows = tree.rows();
        let at = tree.at(&rows);
        rows.into_iter().nth(at)
    }

    fn unfold(&mut self) {
        let Some(row) = self.row() else { return };
        match row.open {
            Some(false) => {
                self.with_tree(|tree| {
                    tree.open.insert(row.key);
                });
                self.explore();
            }
            Some(true) => self.move_by(1),
            None => {}
        }
    }

    fn fold(&mut self) {
        let Some(row) = self.row() else { return };
        self.with_tree(|tree| {
            if row.open == Some(true) && tree.open.remove(&row.key) {
                return;
            }
            let rows = tree.rows();
            let above = rows.iter().take(tree.at(&rows)).rev();
            if let Some(parent) = above.into_iter().find(|one| one.depth < row.depth) {
                tree.cursor.clone_from(&parent.key);
            }
        });
    }

    /// Opens or closes what has something below; shows everything about the rest.
    fn enter(&mut self) {
        let Some(row) = self.row() else { return };
        match (&row.thing, row.open) {
            (Thing::Context(_) | Thing::Team | Thing::App, Some(true)) => {
                self.with_tree(|tree| {
                    tree.open.remove(&row.key);
                });
            }
            (Thing::Context(_) | Thing::Team | Thing::App, _) => self.unfold(),
            _ => self.details_of_row(),
        }
    }

    fn mark_row(&mut self) {
        let Some(row) = self.row() else { return };
        if row.thing.place().is_none() {
            return self.tell(word!(
                "components, pods and containers can be marked",
                "可以标记组件、实例和容器"
            ));
        }
        self.with_tree(|tree| {
            if !tree.marks.remove(&row.key) {
                tree.marks.insert(row.key);
            }
        });
        self.move_by(1);
    }

    /// The marked places, or the one under the cursor.
    fn chosen(&self) -> Vec<Place> {
        let Some(tree) = &self.tree else {
            return Vec::new();
        };
        let rows = tree.rows();
        let marked: Vec<Place> = rows
            .iter()
            .filter(|row| tree.marks.contains(&row.key))
            .filter_map(|row| row.thing.place().cloned())
            .collect();
        if !marked.is_empty() {
            return marked;
        }
        rows.get(tree.at(&rows))
            .and_then(|row| row.thing.place().cloned())
            .into_iter()
            .collect()
    }

    fn logs_of_rows(&mut self, apart: bool) {
        let mut targets: Vec<Target> = self.chosen().into_iter().map(component).collect();
        if targets.is_empty() {
            match self.row().map(|row| (row.thing, row.name)) {
                Some((Thing::ByHand(context, url), name)) => match by_hand(&context, &url, &name) {
                    Ok(target) => targets.push(target),
                    Err(fault) => return self.fail(&fault.to_string()),
                },
                _ => return self.tell(choose()),
            }
        }
        self.with_tree(|tree| tree.marks.clear());
        if apart {
            for target in targets {
                self.open_in_tab(target);
            }
        } else {
            self.open_all_in_tab(targets);
        }
    }

    fn events_of_row(&mut self) {
        let places = self.chosen();
        if places.is_empty() {
            return self.tell(choose());
        }
        self.open_all_in_tab(places.into_iter().map(events).collect());
    }

    /// The request analysis of a component, as its WebSocket tells it.
    fn requests_of_row(&mut self) {
        let places = self.chosen();
        let targets: Vec<Target> = places.iter().filter_map(monitor).collect();
        if targets.is_empty() {
            return self.tell(choose());
        }
        self.open_all_in_tab(targets);
    }

    /// Charts over lines, in a tab of their own.
    fn charts_of_row(&mut self) {
        let Some(place) = self.chosen().into_iter().next() else {
            return self.overview_of_row();
        };
        self.open_charts_of(place);
    }

    /// The charts of a place over its lines, in a tab of their own.
    pub(in crate::app) fn open_charts_of(&mut self, place: Place) {
        let charts = self.new_charts(place.clone());
        self.tabs.open(Tab::of(charts));
        self.logs_below(place);
        self.measure();
    }

    fn shell_of_row(&mut self) {
        match self.chosen().into_iter().next() {
            Some(place) => self.ask_shell(place),
            None => self.tell(choose()),
        }
    }

    /// Asks for the shell of a place; it opens when its pod is known.
    pub(in crate::app) fn ask_shell(&mut self, place: Place) {
        self.tell(&say!(
            "opening a shell in {}",
            "正在打开 {} 的终端",
            place.path()
        ));
        let pane = self.tabs.now.focus;
        self.wish(Effect::Explore(Question::Shell(pane, Box::new(place))));
    }

    fn details_of_row(&mut self) {
        if let Some(place) = self.row().and_then(|row| row.thing.place().cloned()) {
            let pane = self.tabs.now.focus;
            self.wish(Effect::Explore(Question::Details(pane, Box::new(place))));
        }
    }

    fn copy_row(&mut self) {
        let Some(row) = self.row() else { return };
        let text = row.thing.place().map_or(row.name, text_of);
        self.tell(&say!("copied: {text}", "已复制：{text}"));
        self.wish(Effect::Copy(text));
    }
}

fn choose() -> &'static str {
    word!(
        "choose a component, a pod or a container",
        "请选择组件、实例或容器"
    )
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX / 2)
}

/// A place as a target that means it wherever it is typed (decision 20).
pub fn text_of(place: &Place) -> String {
    let mut text = format!(
        "{}:{}@{}/{}/{}",
        place.context.name,
        name::escape(&place.team),
        name::escape(&place.region),
        name::escape(&place.app),
        name::escape(&place.component.name)
    );
    for part in [&place.pod, &place.container].into_iter().flatten() {
        text.push('/');
        text.push_str(&name::escape(part));
    }
    text
}

/// A place's logs.
pub fn component(place: Place) -> Target {
    let mut shown = place.component.name.clone();
    for part in [&place.pod, &place.container].into_iter().flatten() {
        shown.push('/');
        shown.push_str(part);
    }
    let text = text_of(&place);
    let way = std::sync::Arc::clone(&place.context.way);
    Target::new(text, shown, FeedSpec::Component(Box::new(place))).by(&way)
}

/// What the platform does with a component.
pub fn events(place: Place) -> Target {
    let shown = say!("{} events", "{} 事件", place.component.name);
    let text = text_of(&place);
    Target::new(text, shown, FeedSpec::Events(Box::new(place)))
}

/// The request analysis of a component (protocols.md 4.1), by the pub/sub socket.
fn monitor(place: &Place) -> Option<Target> {
    let mut url = match &place.context.websocket {
        Some(url) => url.clone(),
        None => place.context.server.clone(),
    };
    scheme::set_websocket(&mut url);
    let own = place.context.websocket.is_some();
    if place.context.api == Api::Region && !own {
        url.set_port(Some(6060)).ok()?;
    }
    {
        let mut segments = url.path_segments_mut().ok()?;
        segments.pop_if_empty();
        if place.context.api == Api::Console && !own {
            segments.extend(["console", "regions", &place.region, "websocket"]);
        }
        segments.extend(["services", &place.component.id, "pubsub"]);
    }
    let channel = Channel::parse(&format!("m-{}", place.component.id))?;
    let shown = say!("{} requests", "{} 请求分析", place.component.name);
    let text = format!("{url}#m-{}", place.component.id);
    let feed = FeedSpec::Ws(WsSpec {
        url,
        feed: WsFeed::Pubsub(vec![channel]),
    });
    Some(Target::new(text, shown, feed).by(&place.context.way))
}

/// A target that a context lists by hand.
fn by_hand(context: &Context, url: &str, name: &str) -> Result<Target, Fault> {
    let mut target = Target::parse(url)?.by(&context.way);
    name.rsplit('/')
        .next()
        .unwrap_or(name)
        .clone_into(&mut target.name);
    target.text = format!("{}:{name}", context.name);
    Ok(target)
}
