//! Where panes are: opening, splitting, merging, closing, going from one to another.

use crate::codec::target::Target;
use crate::model::{LinkState, PaneId, TargetId};
use crate::say;
use crate::word;

use crate::app::App;
use crate::app::confirm::{Confirm, Deed};
use crate::app::effect::Effect;
use crate::app::layout::{self, Axis, Node, Side};
use crate::app::pane::{self, Pane};
use crate::app::shell::ShellPane;
use crate::app::tabs::{Tab, Tabs};

impl App {
    pub(super) fn arrange(&mut self, panes: &[PaneId]) {
        if let (Some(tree), Some(first)) = (Node::grid(panes, self.body()), panes.first()) {
            self.tabs.now.tree = tree;
            self.tabs.now.focus = *first;
        }
    }

    /// Focus on the pane so many places further.
    pub fn turn(&mut self, step: isize) {
        let panes = self.tabs.now.tree.panes();
        let here = panes
            .iter()
            .position(|pane| *pane == self.tabs.now.focus)
            .unwrap_or(0);
        let count = isize::try_from(panes.len().max(1)).unwrap_or(1);
        let there = (isize::try_from(here).unwrap_or(0) + step).rem_euclid(count);
        let there = usize::try_from(there).ok();
        if let Some(pane) = there.and_then(|there| panes.get(there)) {
            self.tabs.now.focus = *pane;
        }
    }

    /// Focus on the pane of that number, in whichever tab it is.
    pub fn go_to(&mut self, index: usize) {
        match self.tabs.panes().get(index) {
            Some(pane) => {
                self.tabs.show(*pane);
            }
            None => self.tell(&say!("there is no pane {}", "没有窗格 {}", index + 1)),
        }
    }

    /// A pane's number, from 1.
    pub fn number(&self, pane: PaneId) -> usize {
        let panes = self.tabs.panes();
        panes
            .iter()
            .position(|id| *id == pane)
            .map_or(0, |at| at + 1)
    }

    /// Focus on the neighbour on that side.
    pub fn go(&mut self, side: Side) {
        let places = layout::solve(self.body(), &self.tabs.now.tree, self.tabs.now.focus, false);
        if let Some(pane) = layout::neighbour(&places, self.tabs.now.focus, side) {
            self.tabs.now.focus = pane;
        }
    }

    /// The focused pane's targets once more in a new one; another shell of the same container.
    pub fn split(&mut self, axis: Axis) {
        if let Some(shell) = self.shell() {
            let (target, login) = (shell.target.clone(), shell.login.clone());
            return self.split_shell(axis, target, login);
        }
        let Some(targets) = self.pane().map(|pane| pane.targets.clone()) else {
            return;
        };
        let fresh = self.new_pane(targets);
        let Some(pane) = self.pane() else { return };
        let (store, view) = (pane.store.clone(), pane.view.clone());
        let (received, dropped, lag) = (pane.received, pane.dropped, pane.lag);
        let (sourced, times) = (pane.sourced, pane.times.clone());
        if let Some(pane) = self.panes.get_mut(&fresh) {
            pane.store = store;
            pane.sourced = sourced;
            pane.times = times;
            pane.view = view;
            (pane.received, pane.dropped, pane.lag) = (received, dropped, lag);
        }
        self.tabs.now.tree.insert(self.tabs.now.focus, axis, fresh);
        self.tabs.now.focus = fresh;
        self.tabs.now.zoom = false;
    }

    /// A new pane on `target`.
    pub(in crate::app) fn open_pane(&mut self, target: Target) {
        if target.is_terminal() {
            return self.open_shell(target);
        }
        let id = self.open_target(target);
        let fresh = self.new_pane(vec![id]);
        self.place_beside(fresh);
    }

    /// Puts a new pane beside the focused one, or below where that is narrow, and goes there.
    pub(in crate::app) fn place_beside(&mut self, fresh: PaneId) {
        if self.focused_tree().is_some() {
            self.tabs.open(Tab::of(fresh));
        } else if self.count() == 1 {
            self.tabs.now.tree = Node::Leaf(fresh);
        } else {
            let here = self.places();
            let here = here.iter().find(|(id, _)| *id == self.tabs.now.focus);
            let wide = here.is_some_and(|(_, rect)| rect.width > rect.height * 3);
            self.tabs.now.tree.insert(
                self.tabs.now.focus,
                if wide { Axis::Beside } else { Axis::Below },
                fresh,
            );
        }
        self.tabs.now.focus = fresh;
        self.tabs.now.zoom = false;
    }

    /// One merged pane of all targets, or, if there is one, a pane each. Shells and charts move
    /// to tabs of their own.
    pub fn merge(&mut self) {
        let merged = self.pane().is_some_and(Pane::is_merged);
        let mut targets: Vec<TargetId> = self
            .panes
            .values()
            .flat_map(|pane| pane.targets.clone())
            .collect();
        targets.sort_unstable();
        targets.dedup();
        if targets.len() < 2 {
            return self.tell(word!("there is only one target", "只有一个目标"));
        }
        let old: Vec<Pane> = std::mem::take(&mut self.panes).into_values().collect();
        let groups: Vec<Vec<TargetId>> = if merged {
            targets.iter().map(|id| vec![*id]).collect()
        } else {
            vec![targets]
        };
        let shells = self.shells.keys().chain(self.charts.keys());
        let shells = shells
            .chain(self.tables.keys())
            .chain(self.overviews.keys());
        let shells: Vec<PaneId> = shells.copied().collect();
        self.tabs = Tabs::new(Tab::of(self.tabs.now.focus));
        let panes: Vec<PaneId> = groups
            .into_iter()
            .map(|group| self.new_pane(group))
            .collect();
        self.arrange(&panes);
        for shell in shells {
            self.tabs.open(Tab::of(shell));
        }
        self.tabs.go_to(0);
        self.keep_tree();
        self.carry_over(&old);
    }

    /// Lines of the panes before go to the panes now, in order of arrival.
    fn carry_over(&mut self, old: &[Pane]) {
        for (id, rows) in pane::carry::sorted(old, &self.panes) {
            if let Some(pane) = self.panes.get_mut(&id) {
                pane.take_over(rows);
            }
        }
    }

    /// Closes the focused pane, after a yes if a shell runs there; the last one quits.
    pub fn close(&mut self) {
        let id = self.tabs.now.focus;
        match self.shell().filter(|shell| shell.is_running()) {
            Some(shell) => {
                let question = say!(
                    "close the shell of {}? What runs there may end",
                    "关闭 {} 的终端？其中运行的程序可能会结束",
                    shell.target.name
                );
                self.ask(Confirm::new(question, &[], Deed::Close(id)));
            }
            None => self.close_pane(id),
        }
    }

    /// Closes a pane; the last one of all quits.
    pub(in crate::app) fn close_pane(&mut self, gone: PaneId) {
        if !self.tabs.show(gone) {
            return;
        }
        match self.tabs.now.tree.clone().without(gone) {
            Some(tree) => {
                self.turn(-1);
                if self.tabs.now.focus == gone {
                    self.turn(1);
                }
                self.tabs.now.tree = tree;
                self.tabs.now.zoom = false;
            }
            None if self.tabs.close() => {}
            None => return self.wish(Effect::Quit),
        }
        self.forget(gone);
        self.close_unused();
    }

    /// Lets a pane's state go, and its shell.
    fn forget(&mut self, gone: PaneId) {
        self.panes.remove(&gone);
        self.tables.remove(&gone);
        self.overviews.remove(&gone);
        if self.charts.remove(&gone).is_some() {
            self.wish(Effect::StopMeasuring(gone));
        }
        if self.shells.remove(&gone).is_some() {
            self.together.clear();
            self.wish(Effect::CloseShell(gone));
        }
    }

    /// Closes all panes but the focused one. Shells that run stay, in tabs of their own.
    pub fn close_others(&mut self) {
        let focus = self.tabs.now.focus;
        let others: Vec<PaneId> = self
            .tabs
            .panes()
            .into_iter()
            .filter(|id| *id != focus)
            .collect();
        let (kept, gone): (Vec<PaneId>, Vec<PaneId>) = others
            .into_iter()
            .partition(|id| self.shells.get(id).is_some_and(ShellPane::is_running));
        self.tabs = Tabs::new(Tab::of(focus));
        for id in kept {
            self.tabs.open(Tab::of(id));
        }
        self.tabs.go_to(0);
        self.keep_tree();
        for id in gone {
            self.forget(id);
        }
        self.close_unused();
    }

    /// Back to the tree where there is one; else, or from there, leaves.
    pub fn back_or_quit(&mut self) {
        if self.tree.is_some() && self.focused_tree().is_none() {
            return self.go_to_tree();
        }
        self.quit();
    }

    /// Leaves, after a yes if shells run.
    pub fn quit(&mut self) {
        let names: Vec<String> = self
            .shells
            .values()
            .filter(|shell| shell.is_running())
            .map(|shell| format!("{} {}", self.number(shell.id), shell.target.name))
            .collect();
        if names.is_empty() {
            return self.wish(Effect::Quit);
        }
        let question = if names.len() == 1 {
            word!("quit? One shell runs", "退出？有 1 个终端正在运行").to_owned()
        } else {
            say!(
                "quit? {} shells run",
                "退出？有 {} 个终端正在运行",
                names.len()
            )
        };
        self.ask(Confirm::new(question, &names, Deed::Quit));
    }

    fn close_unused(&mut self) {
        let lines = self.panes.values().flat_map(|pane| &pane.targets);
        let tables = self.tables.values().flat_map(|table| &table.targets);
        let used: Vec<TargetId> = lines.chain(tables).copied().collect();
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
        if !self
            .tabs
            .now
            .tree
            .resize(self.tabs.now.focus, axis, percent)
        {
            self.tell(word!(
                "there is no pane to take room from",
                "没有可让出空间的窗格"
            ));
        }
    }
}
