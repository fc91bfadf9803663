//! What was open: layout and targets, to come back at the next start, under a name, or as the
//! command line that makes it. Shells do not come back by themselves.

use serde::{Deserialize, Serialize};

use super::layout::{Axis, Node};
use super::state::App;
use super::tabs::Tab;
use super::tree::deeds::text_of;
use crate::codec::target::{FeedSpec, Target};
use crate::model::{PaneId, TargetId};
use crate::say;
use crate::word;

use super::effect::Effect;

/// Panes that come back; more are a broken file's.
const MOST: usize = 64;

/// Everything that comes back.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Saved {
    /// The tabs, in order.
    pub tabs: Vec<SavedNode>,
    /// The tab in front, from 0.
    #[serde(default)]
    pub front: usize,
}

/// A part of a tab.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedNode {
    /// The tree of what runs.
    Tree,
    /// A pane of lines: its targets, as they are typed.
    Lines(Vec<String>),
    /// A pane of what a platform does with components.
    Events(Vec<String>),
    /// Charts of a component or a pod, as it is typed.
    Charts(String),
    /// Side by side, with weights.
    Beside(Vec<(SavedNode, u16)>),
    /// One below the other, with weights.
    Below(Vec<(SavedNode, u16)>),
}

/// A text as a word of a shell's command line.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,=+%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

impl App {
    /// What is open now.
    pub fn saved(&self) -> Saved {
        let (mut tabs, mut front) = (Vec::new(), 0);
        for (index, tab) in self.tabs.iter().enumerate() {
            if index == self.tabs.at() {
                front = tabs.len();
            }
            tabs.extend(self.saved_node(&tab.tree));
        }
        Saved { tabs, front }
    }

    fn saved_node(&self, node: &Node) -> Option<SavedNode> {
        match node {
            Node::Leaf(pane) => self.saved_pane(*pane),
            Node::Split(axis, parts) => {
                let mut kept: Vec<(SavedNode, u16)> = parts
                    .iter()
                    .filter_map(|(part, weight)| Some((self.saved_node(part)?, *weight)))
                    .collect();
                match (kept.len(), axis) {
                    (0, _) => None,
                    (1, _) => kept.pop().map(|(only, _)| only),
                    (_, Axis::Beside) => Some(SavedNode::Beside(kept)),
                    (_, Axis::Below) => Some(SavedNode::Below(kept)),
                }
            }
        }
    }

    fn saved_pane(&self, pane: PaneId) -> Option<SavedNode> {
        if self.tree.as_ref().is_some_and(|tree| tree.pane == pane) {
            return Some(SavedNode::Tree);
        }
        if let Some(charts) = self.charts.get(&pane) {
            return Some(SavedNode::Charts(text_of(&charts.place)));
        }
        let table = self.tables.get(&pane).map(|table| &table.targets);
        let lines = self.panes.get(&pane).map(|lines| &lines.targets);
        let targets: Vec<&Target> = lines
            .or(table)?
            .iter()
            .filter_map(|id| self.targets.get(usize::from(id.0)))
            .map(|opened| &opened.target)
            // What was read from a pipe is gone.
            .filter(|target| target.feed != FeedSpec::Stdin)
            .collect();
        let texts: Vec<String> = targets.iter().map(|target| target.text.clone()).collect();
        if texts.is_empty() {
            return None;
        }
        let events = targets.iter().all(|target| match &target.feed {
            FeedSpec::Events(_) => true,
            FeedSpec::Name(name) => name.events,
            _ => false,
        });
        Some(if events {
            SavedNode::Events(texts)
        } else {
            SavedNode::Lines(texts)
        })
    }

    /// Opens what was saved, beside nothing else. What can't be read is left out, and said.
    pub fn restore(&mut self, saved: &Saved) {
        let mut left = MOST;
        let mut tabs: Vec<Tab> = Vec::new();
        let mut front = 0;
        for (index, node) in saved.tabs.iter().enumerate() {
            if index == saved.front {
                front = tabs.len();
            }
            if let Some(tree) = self.restored(node, &mut left) {
                let focus = tree.panes().first().copied().unwrap_or(PaneId(0));
                tabs.push(Tab {
                    tree,
                    focus,
                    zoom: false,
                });
            }
        }
        let mut tabs = tabs.into_iter();
        let Some(first) = tabs.next() else { return };
        self.tabs.now = first;
        for tab in tabs {
            self.tabs.open(tab);
        }
        self.keep_tree();
        self.tabs.go_to(front);
        self.explore();
    }

    fn restored(&mut self, node: &SavedNode, left: &mut usize) -> Option<Node> {
        let mut parts = |app: &mut Self, axis: Axis, parts: &[(SavedNode, u16)]| {
            let mut kept: Vec<(Node, u16)> = parts
                .iter()
                .filter_map(|(part, weight)| {
                    Some((app.restored(part, left)?, (*weight).clamp(1, 1000)))
                })
                .collect();
            match kept.len() {
                0 => None,
                1 => kept.pop().map(|(only, _)| only),
                _ => Some(Node::Split(axis, kept)),
            }
        };
        match node {
            SavedNode::Beside(list) => parts(self, Axis::Beside, list),
            SavedNode::Below(list) => parts(self, Axis::Below, list),
            SavedNode::Tree => {
                if self.contexts.is_empty() {
                    return None;
                }
                let pane = self.tree_pane();
                Some(Node::Leaf(pane))
            }
            SavedNode::Lines(texts) => self.restored_pane(texts, false, left),
            SavedNode::Events(texts) => self.restored_pane(texts, true, left),
            SavedNode::Charts(text) => {
                let node = self.restored_pane(std::slice::from_ref(text), false, left)?;
                self.becoming.extend(node.panes());
                Some(node)
            }
        }
    }

    fn restored_pane(&mut self, texts: &[String], events: bool, left: &mut usize) -> Option<Node> {
        *left = left.checked_sub(1)?;
        let mut ids: Vec<TargetId> = Vec::new();
        for text in texts.iter().take(MOST) {
            match Target::parse(text) {
                Ok(mut target) if !target.is_terminal() => {
                    if let FeedSpec::Name(name) = &mut target.feed {
                        name.events = events;
                    }
                    let target = target.by(&self.way);
                    ids.push(self.open_target(target));
                }
                Ok(_) => {}
                Err(fault) => self.fail(&fault.to_string()),
            }
        }
        (!ids.is_empty()).then(|| Node::Leaf(self.new_pane(ids)))
    }

    /// The command line that makes this view, copied and shown.
    pub fn share(&mut self) {
        let mut words = vec!["deckwatch".to_owned()];
        let lines: Vec<_> = self
            .tabs
            .panes()
            .into_iter()
            .filter_map(|pane| self.panes.get(&pane))
            .collect();
        if let [only] = lines.as_slice()
            && only.targets.len() > 1
        {
            words.push("--merge".to_owned());
        }
        let charts = self.charts.len();
        let mut events = 0;
        for id in lines.iter().flat_map(|pane| &pane.targets) {
            match self.targets.get(usize::from(id.0)).map(|one| &one.target) {
                Some(target) if matches!(target.feed, FeedSpec::Events(_)) => events += 1,
                Some(target) => words.push(quoted(&target.text)),
                None => {}
            }
        }
        if words.len() == 1 && events + charts == 0 && self.tree.is_none() {
            return self.tell(word!("nothing to share is open", "没有可分享的内容"));
        }
        let line = words.join(" ");
        let mut told = say!("copied: {line}", "已复制：{line}");
        if events > 0 {
            told.push_str(&say!(
                " (without {events} of events: deckwatch events opens them)",
                "（不含 {events} 个事件窗格：用 deckwatch events 打开）"
            ));
        }
        if charts > 0 {
            told.push_str(&say!(
                " (without {charts} of charts: C opens them)",
                "（不含 {charts} 个图表窗格：按 C 打开）"
            ));
        }
        self.tell(&told);
        self.wish(Effect::Copy(line));
    }

    /// Saves what is open under a name.
    pub(super) fn save_view(&mut self, name: &str) {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(plain) {
            return self.fail(word!(
                "a view's name has letters, digits, - and _",
                "视图名只能含字母、数字、- 和 _"
            ));
        }
        self.wish(Effect::SaveView(name.to_owned(), self.saved()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use ratatui::layout::Rect;

    use super::*;
    use crate::app::tree::deeds;
    use crate::app::{Msg, Now};
    use crate::model::Micros;
    use crate::model::catalog::Component;
    use crate::model::context::{Api, Context, Place};

    fn place() -> Place {
        let context = Context::new("c", "http://h/".parse().unwrap(), Api::Console);
        let component = Component {
            name: "web".to_owned(),
            alias: "web".to_owned(),
            ..Component::default()
        };
        Place::of(&std::sync::Arc::new(context), ("t", "r", "a"), component)
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn app(targets: &[&str]) -> App {
        let now = Now {
            mono: Instant::now(),
            wall: Micros(0),
        };
        let targets = targets.iter().map(|text| Target::parse(text).unwrap());
        let area = Rect::new(0, 0, 120, 40);
        App::new(targets.collect(), false, 1 << 20, area, now)
    }

    #[test]
    fn what_was_open_comes_back_in_its_place() {
        let mut before = app(&["ws://h/docker_log#a", "file:/x/y", "shop/front/web"]);
        before.split(Axis::Below);
        let saved = before.saved();
        let text = serde_json::to_string(&saved).unwrap();
        let mut after = app(&[]);
        after.restore(&serde_json::from_str(&text).unwrap());
        assert_eq!(after.saved(), saved);
        assert_eq!(after.panes.len(), before.panes.len());
        assert_eq!(after.places().len(), before.places().len());
    }

    #[test]
    fn charts_come_back_once_their_component_is_found() {
        let mut after = app(&[]);
        let saved = Saved {
            tabs: vec![SavedNode::Below(vec![
                (SavedNode::Charts("shop/front/web".into()), 200),
                (SavedNode::Lines(vec!["shop/front/web".into()]), 100),
            ])],
            front: 0,
        };
        after.restore(&saved);
        assert_eq!((after.panes.len(), after.charts.len()), (2, 0));
        let found = deeds::component(place());
        let now = after.now;
        for target in [TargetId(0), TargetId(1)] {
            drop(after.update(Msg::LookedUp(target, Ok(vec![found.clone()])), now));
        }
        assert_eq!((after.panes.len(), after.charts.len()), (1, 1));
        let asks = |effect: &Effect| matches!(effect, Effect::Measure(_));
        assert!(after.charts.contains_key(&PaneId(0)), "in its place");
        let again = after.update(Msg::Tick, now);
        assert!(!again.iter().any(asks), "they were asked for at once");
        let Some(SavedNode::Below(parts)) = after.saved().tabs.pop() else {
            panic!("{:?}", after.saved());
        };
        assert!(matches!(&parts[0], (SavedNode::Charts(text), 200) if text == "c:t@r/a/web"));
    }

    #[test]
    fn a_broken_file_opens_what_it_can() {
        let mut app = app(&[]);
        let saved = Saved {
            tabs: vec![
                SavedNode::Tree,
                SavedNode::Below(vec![
                    (SavedNode::Lines(vec!["no target".into()]), 0),
                    (SavedNode::Lines(vec!["file:/a".into()]), 7),
                ]),
            ],
            front: 99,
        };
        app.restore(&saved);
        assert_eq!(app.panes.len(), 1);
        assert!(app.notice.as_ref().is_some_and(|notice| notice.fault));
    }

    #[test]
    fn the_command_line_is_quoted_for_a_shell() {
        for (text, want) in [
            ("prod:shop@east/front/web", "prod:shop@east/front/web"),
            ("ws://h/docker_log#a", "'ws://h/docker_log#a'"),
            ("t/a b/it's", r"'t/a b/it'\''s'"),
            ("t/在线/c", "'t/在线/c'"),
        ] {
            assert_eq!(quoted(text), want);
        }
    }
}
