//! Charts are asked for while they are seen; what comes back is theirs.

use std::time::Instant;

use crate::codec::target::Target;
use crate::model::context::Place;
use crate::model::sample::Reading;
use crate::model::{Fault, PaneId, TargetId};

use super::App;
use super::chart::{Ask, ChartPane, Recipe};
use super::effect::Effect;
use super::pane::Pane;
use super::tree::Question;

impl App {
    /// A pane of charts that stands nowhere yet.
    pub(super) fn new_charts(&mut self, place: Place) -> PaneId {
        let id = self.fresh_pane();
        let charts = ChartPane::new(id, place, &self.recipes);
        self.charts.insert(id, charts);
        id
    }

    /// Charts beside the focused pane: of the component that it is of.
    pub fn open_charts(&mut self) {
        let Some(place) = self.place_of_focus() else {
            return self.tell(crate::word!(
                "this pane is of no component of a platform: the tree (@) has their charts (m)",
                "该窗格不属于平台上的组件：请在资源树（@）中按 m 查看图表"
            ));
        };
        let charts = self.new_charts(place);
        let focus = self.tabs.now.focus;
        self.tabs
            .now
            .tree
            .insert(focus, super::layout::Axis::Below, charts);
        self.tabs.now.focus = charts;
        self.tabs.now.zoom = false;
    }

    /// A platform's clock is so far ahead of ours: for lines of its components too.
    fn set_clocks(&mut self, ask: &Ask, ahead: i64) {
        let context = &ask.place.context;
        for pane in self.panes.values_mut() {
            let mut targets = pane.targets.iter();
            let mine = targets.any(|id| {
                let opened = self.targets.get(usize::from(id.0));
                let place = opened.and_then(|opened| opened.target.place());
                place.is_some_and(|place| place.context == *context)
            });
            if mine {
                pane.times.ahead = ahead;
            }
        }
    }

    /// A pane that was saved as charts becomes them. False if it is none.
    pub(super) fn become_charts(&mut self, id: TargetId, found: &Target) -> bool {
        let Some(place) = found.place() else {
            return false;
        };
        let is = |pane: &Pane| pane.targets.contains(&id);
        let mut panes = self.panes.values().filter(|pane| is(pane));
        let pane = panes.find(|pane| self.becoming.contains(&pane.id));
        let Some(pane) = pane.map(|pane| pane.id) else {
            return false;
        };
        self.becoming.retain(|one| *one != pane);
        self.panes.remove(&pane);
        let charts = ChartPane::new(pane, place.clone(), &self.recipes);
        self.charts.insert(pane, charts);
        true
    }

    /// The component whose pane has the focus.
    pub(super) fn place_of_focus(&self) -> Option<Place> {
        if let Some(charts) = self.focused_charts() {
            return Some(charts.place.clone());
        }
        let targets = self.pane()?.targets.iter();
        let mut targets = targets.filter_map(|id| self.targets.get(usize::from(id.0)));
        targets.find_map(|opened| opened.target.place().cloned())
    }

    /// Asks what charts want to know.
    pub(super) fn measure(&mut self) {
        if self.charts.is_empty() {
            return;
        }
        let (wall, mono) = (self.now.wall, self.now.mono);
        let seen: Vec<PaneId> = self.places().into_iter().map(|(id, _)| id).collect();
        let mut asks: Vec<Ask> = Vec::new();
        for (id, charts) in &mut self.charts {
            let also = |recipe: &Recipe| Self::is_watched(&self.alerts, recipe);
            asks.extend(charts.asks(wall, mono, seen.contains(id), also));
        }
        for id in &seen {
            let charts = self.charts.get_mut(id);
            let place = charts.and_then(|charts| charts.wants_events(mono));
            if let Some(place) = place {
                self.wish(Effect::Explore(Question::Happened(Box::new(place))));
            }
        }
        for ask in asks {
            self.wish(Effect::Measure(Box::new(ask)));
        }
    }

    /// When charts want to ask again.
    pub(super) fn measures_at(&self) -> Option<Instant> {
        let seen = self.places();
        let overviews = seen.iter().filter_map(|(id, _)| self.overviews.get(id));
        let overviews = overviews.filter_map(super::overview::OverviewPane::wake_at);
        let charts = seen.iter().filter_map(|(id, _)| self.charts.get(id));
        let second = self.now.mono + std::time::Duration::from_millis(200);
        // One that is due now was asked for just now, or will be with the next tick.
        charts
            .filter_map(ChartPane::wake_at)
            .chain(overviews)
            .min()
            .map(|at| at.max(second))
    }

    /// A platform answers.
    pub(super) fn on_measured(&mut self, ask: &Ask, answer: Result<Reading, Fault>) {
        let mono = self.now.mono;
        if let Ok(reading) = &answer {
            self.set_clocks(ask, reading.skew);
        }
        if let Some(charts) = self.charts.get_mut(&ask.pane) {
            charts.take(ask, answer, mono);
            self.watch_panel(ask.pane, ask.panel);
        }
    }
}
