//! Ctrl-p: anything by a few of its letters: panes, what runs on the platforms, commands.

use super::command::{self, Command};
use super::fuzzy;
use super::key::{Code, Key};
use super::mode::Mode;
use super::state::App;
use super::tree::deeds;
use crate::lang::Words;
use crate::model::PaneId;
use crate::model::context::Place;
use crate::word;

/// Rows that are shown at most.
pub const SHOWN: usize = 12;
/// Commands are found, but what runs is likelier meant.
const COMMAND: i32 = -40;

/// What is typed, and which of what it finds is chosen.
#[derive(Clone, Debug, Default)]
pub struct Jump {
    /// What was typed.
    pub text: String,
    /// The chosen row.
    pub chosen: usize,
}

/// Somewhere to go.
#[derive(Clone, Debug)]
pub enum Goal {
    /// A pane.
    Pane(PaneId),
    /// A component's logs.
    Place(Box<Place>),
    /// A command.
    Command(&'static Command),
}

/// A row of what was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it leads.
    pub goal: Goal,
    /// Its name.
    pub name: String,
    /// What it is.
    pub what: String,
}

impl App {
    /// Opens the list.
    pub fn begin_jump(&mut self) {
        self.notice = None;
        self.mode = Mode::Jump(Jump::default());
    }

    /// What fits what was typed, the best first.
    pub fn found(&self, typed: &str) -> Vec<Found> {
        let mut found: Vec<(i32, Found)> = Vec::new();
        let mut take = |score: Option<i32>, one: Found| found.extend(score.map(|s| (s, one)));
        for pane in self.tabs.panes() {
            let name = self.name_of(pane);
            let what = format!("{} {}", word!("pane", "窗格"), self.number(pane));
            let goal = Goal::Pane(pane);
            take(fuzzy::score(typed, &name), Found { goal, name, what });
        }
        for place in self.tree.iter().flat_map(super::tree::Tree::places) {
            let name = place.path();
            let score = fuzzy::score(typed, &place.component.name)
                .max(fuzzy::score(typed, &place.component.alias))
                .max(fuzzy::score(typed, &name).map(|score| score - 8));
            let what = place.context.name.clone();
            let goal = Goal::Place(Box::new(place));
            take(score, Found { goal, name, what });
        }
        for command in command::all() {
            let help: Words = command.help;
            let score = fuzzy::score(typed, command.name).map(|score| score + COMMAND);
            take(
                score,
                Found {
                    goal: Goal::Command(command),
                    name: format!(":{}", command.name),
                    what: help.get().to_owned(),
                },
            );
        }
        // Of equals the first one stays first.
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, one)| one).collect()
    }

    /// A pane's name, of whichever kind it is.
    pub fn name_of(&self, pane: PaneId) -> String {
        if let Some(charts) = self.charts.get(&pane) {
            return charts.title();
        }
        if let Some(overview) = self.overviews.get(&pane) {
            return overview.title();
        }
        if let Some(table) = self.tables.get(&pane) {
            let names = table.targets.iter().map(|id| self.target_name(*id));
            return names.collect::<Vec<_>>().join(", ");
        }
        match (self.panes.get(&pane), self.shells.get(&pane)) {
            (Some(lines), _) => self.title(lines),
            (None, Some(shell)) => shell.target.name.clone(),
            (None, None) => word!("tree", "资源树").to_owned(),
        }
    }

    pub(super) fn jump_key(&mut self, mut jump: Jump, key: Key) {
        let last = self.found(&jump.text).len().min(SHOWN).saturating_sub(1);
        match (key.ctrl, key.code) {
            (_, Code::Esc) | (true, Code::Char('c' | 'p')) => return,
            (_, Code::Enter) => {
                let found = self.found(&jump.text);
                if let Some(one) = found.into_iter().nth(jump.chosen) {
                    self.jump_to(one.goal);
                }
                return;
            }
            (_, Code::Down | Code::Tab) | (true, Code::Char('n')) => {
                jump.chosen = (jump.chosen + 1).min(last);
            }
            (_, Code::Up | Code::BackTab) => jump.chosen = jump.chosen.saturating_sub(1),
            (_, Code::Backspace) => {
                jump.text.pop();
                jump.chosen = 0;
            }
            (true, Code::Char('u')) => jump = Jump::default(),
            (false, Code::Char(c)) => {
                jump.text.push(c);
                jump.chosen = 0;
            }
            _ => {}
        }
        self.mode = Mode::Jump(jump);
    }

    fn jump_to(&mut self, goal: Goal) {
        match goal {
            Goal::Pane(pane) => {
                self.tabs.show(pane);
            }
            Goal::Place(place) => self.open_in_tab(deeds::component(*place)),
            Goal::Command(command) => (command.run)(self),
        }
    }
}
