//! Charts of one component or pod: a panel for each metric, a line for each pod, over one axis of
//! time. State alone: what is to be asked is computed here, asked elsewhere and told back.

pub mod keys;
pub mod panel;

use std::time::{Duration, Instant};

use crate::model::context::Place;
use crate::model::sample::{Reading, Window};
use crate::model::{Fault, Micros, PaneId};
use crate::say;

use super::axis::Axis;

pub use crate::model::recipe::{Limit, Recipe, What};
pub use panel::{Panel, Shown};

/// What happened to a component is asked for so often.
const EVENTS: Duration = Duration::from_secs(15);

/// One question to a platform.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// The pane that wants to know.
    pub pane: PaneId,
    /// Which of its panels, from 0.
    pub panel: usize,
    /// Of what.
    pub place: Place,
    /// What.
    pub what: What,
    /// When.
    pub window: Window,
    /// Each value is the highest since the one before.
    pub peaks: bool,
    /// Which of the panel's questions.
    pub number: u64,
}

/// How lines are made of characters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Marker {
    /// 2 by 4 dots a cell.
    #[default]
    Braille,
    /// 2 by 2 blocks a cell.
    Blocks,
    /// A character a cell.
    Ascii,
}

impl Marker {
    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Braille => Self::Blocks,
            Self::Blocks => Self::Ascii,
            Self::Ascii => Self::Braille,
        }
    }
}

/// A pane of charts.
#[derive(Debug)]
pub struct ChartPane {
    /// Its name for the rest of the program.
    pub id: PaneId,
    /// Whose charts.
    pub place: Place,
    /// The charts.
    pub panels: Vec<Panel>,
    /// The one that keys act on.
    pub chosen: usize,
    /// It alone is shown.
    pub alone: bool,
    /// What is seen.
    pub axis: Axis,
    /// Nothing new is shown since then (`p`).
    pub frozen: Option<Micros>,
    /// The chosen line of the chosen chart.
    pub line: usize,
    /// How lines are drawn.
    pub marker: Marker,
    /// Values keep their own unit.
    pub plain: bool,
    /// The lowest value stands at the bottom, not 0.
    pub fit: bool,
    /// Microseconds that the server's clock is ahead of ours.
    pub skew: i64,
    /// When what happened is to be asked for again.
    events_due: Option<Instant>,
}

impl ChartPane {
    /// Charts of a place, by recipe.
    pub fn new(id: PaneId, place: Place, recipes: &[Recipe]) -> Self {
        Self {
            id,
            place,
            panels: recipes.iter().cloned().map(Panel::new).collect(),
            chosen: 0,
            alone: false,
            axis: Axis::default(),
            frozen: None,
            line: 0,
            marker: Marker::default(),
            plain: false,
            fit: false,
            skew: 0,
            events_due: None,
        }
    }

    /// Its title.
    pub fn title(&self) -> String {
        let mut name = self.place.component.name.clone();
        if let Some(pod) = &self.place.pod {
            name.push('/');
            name.push_str(pod);
        }
        say!("{name} charts", "{name} 图表")
    }

    /// The present, by the server's clock.
    pub fn now(&self, wall: Micros) -> Micros {
        self.frozen
            .unwrap_or(Micros(wall.0.saturating_add(self.skew)))
    }

    /// The part of time that is seen.
    pub fn window(&self, wall: Micros) -> Window {
        self.axis.window(self.now(wall))
    }

    /// The chart that keys act on.
    pub fn panel(&self) -> Option<&Panel> {
        self.panels.get(self.chosen)
    }

    /// What is to be asked now. Charts that are not seen are not asked for, but for those that
    /// `also` names: an alert watches them.
    pub fn asks(
        &mut self,
        wall: Micros,
        mono: Instant,
        seen: bool,
        also: impl Fn(&Recipe) -> bool,
    ) -> Vec<Ask> {
        let window = self.window(wall);
        let live = self.axis.end.is_none() && self.frozen.is_none();
        let (alone, chosen, pane) = (self.alone, self.chosen, self.id);
        let mut asks = Vec::new();
        for (index, panel) in self.panels.iter_mut().enumerate() {
            let shown = seen && (!alone || index == chosen);
            if !shown && !also(&panel.recipe) {
                continue;
            }
            if let Some((window, peaks)) = panel.wants(window, live, mono) {
                asks.push(Ask {
                    pane,
                    panel: index,
                    place: self.place.clone(),
                    what: panel.recipe.what.clone(),
                    window,
                    peaks,
                    number: panel.asked(),
                });
            }
        }
        asks
    }

    /// When something is to be asked again.
    pub fn wake_at(&self) -> Option<Instant> {
        if self.frozen.is_some() {
            return None;
        }
        self.panels.iter().filter_map(Panel::wake_at).min()
    }

    /// Whose events are to be asked for now.
    pub(super) fn wants_events(&mut self, mono: Instant) -> Option<Place> {
        if self.events_due.is_some_and(|due| mono < due) || self.frozen.is_some() {
            return None;
        }
        self.events_due = Some(mono + EVENTS);
        Some(self.place.clone())
    }

    /// Takes an answer in.
    pub fn take(&mut self, ask: &Ask, answer: Result<Reading, Fault>, mono: Instant) {
        if let Ok(reading) = &answer {
            self.skew = reading.skew;
        }
        if let Some(panel) = self.panels.get_mut(ask.panel) {
            panel.take(ask, answer, mono);
        }
    }

    /// Everything is asked for anew, at once.
    pub fn refresh(&mut self) {
        for panel in &mut self.panels {
            panel.refresh();
        }
    }
}

/// How often what moves on is asked for.
pub(super) fn pace(step: Duration) -> Duration {
    (step / 2).max(Duration::from_secs(5))
}
