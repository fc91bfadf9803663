//! The time cursor: one moment for charts, tables and lines. Whatever pane moves it, the others
//! follow.

use crate::codec::target::Target;
use crate::model::context::Place;
use crate::model::sample::Window;
use crate::model::{Micros, PaneId};
use crate::say;
use crate::word;

use super::App;
use super::axis::SPANS;
use super::layout::Axis;
use super::pane::Pane;
use super::tree::deeds;

/// A strip over lines shows no more than this, in seconds.
const HOUR: u64 = 3600;

impl App {
    /// The cursor goes to a moment, and the lines that are seen with it.
    pub(super) fn go_to_moment(&mut self, moment: Micros) {
        self.moment = Some(moment);
        for id in self.tabs.now.tree.panes() {
            self.seek(id, moment);
        }
    }

    /// The part of time that the strip over a pane of lines shows: that of the charts beside it,
    /// else all of its lines, an hour at most.
    pub fn strip_window(&self, pane: &Pane) -> Window {
        let seen = self.tabs.now.tree.panes();
        let charts = seen.iter().find_map(|id| self.charts.get(id));
        if let Some(charts) = charts {
            return charts.window(self.now.wall);
        }
        let now = Micros(self.now.wall.0.saturating_add(pane.times.ahead));
        let mut axis = super::axis::Axis {
            span: SPANS.first().copied().unwrap_or(HOUR),
            end: None,
        };
        if let Some((first, last)) = pane.times.volume.span() {
            let end = if last > now { last } else { now };
            let length = u64::try_from(end.0 - first.0).unwrap_or(0) / 1_000_000;
            let fit = SPANS.into_iter().find(|span| *span >= length);
            axis.span = fit.unwrap_or(HOUR).min(HOUR);
            // A file of yesterday has its own present.
            let old = now.0 - last.0 > i64::try_from(axis.span).unwrap_or(0) * 1_000_000;
            axis.end = (old || last > now).then_some(last);
        }
        if let Some(moment) = self.moment {
            axis.show(moment, now);
        }
        axis.window(now)
    }

    /// A pane of lines looks at a moment.
    fn seek(&mut self, id: PaneId, moment: Micros) {
        let Some(size) = self.panes.get(&id).map(|pane| self.text_size(pane)) else {
            return;
        };
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.times.sought = None;
            match pane.line_at(moment) {
                Some(line) => {
                    pane.look_at(line, size);
                    pane.reveal(line, size);
                }
                // It may still come: a history is on its way.
                None => pane.times.sought = Some(moment),
            }
        }
    }

    /// Lines came: those that a moment waits for may be among them.
    pub(super) fn seek_again(&mut self) {
        let waiting: Vec<(PaneId, Micros)> = self
            .panes
            .values()
            .filter_map(|pane| Some((pane.id, pane.times.sought?)))
            .collect();
        for (id, moment) in waiting {
            self.seek(id, moment);
        }
    }

    /// The present again, everywhere.
    pub fn leave_moment(&mut self) {
        self.moment = None;
        self.marked = None;
        for pane in self.tabs.now.tree.panes() {
            if let Some(pane) = self.panes.get_mut(&pane) {
                pane.times.sought = None;
                pane.follow();
            }
        }
    }

    /// The lines that are looked at say which moment it is.
    pub(super) fn read_moment(&mut self) {
        let Some(pane) = self.pane() else { return };
        if pane.view.follow {
            // Whoever follows again looks at the present.
            if self.held_before {
                self.moment = None;
            }
            self.held_before = false;
            return;
        }
        let moment = pane.cursor().and_then(|line| pane.time_of(line));
        self.held_before = true;
        if moment.is_some() && moment != self.moment {
            self.moment = moment;
            let now = self.now.wall;
            let seen = self.tabs.now.tree.panes();
            for charts in self.charts.values_mut() {
                if let Some(moment) = moment.filter(|_| seen.contains(&charts.id)) {
                    let now = charts.now(now);
                    charts.axis.show(moment, now);
                }
            }
        }
    }

    /// The lines of the cursor's moment, or of the marked range alone: in the pane beside the
    /// charts, which is opened where there is none.
    pub(super) fn logs_of_moment(&mut self) {
        let place = self.focused_charts().map(|pane| pane.place.clone());
        let own = self.pane().map(|pane| pane.id);
        let seen = self.tabs.now.tree.panes();
        let beside = seen.into_iter().find(|id| self.panes.contains_key(id));
        let moment = self.moment;
        let pane = match (own.or(beside), place) {
            (Some(pane), _) => pane,
            (None, Some(place)) => self.logs_below(place),
            (None, None) => return,
        };
        self.tabs.now.focus = pane;
        self.tabs.now.zoom = false;
        match (self.marked, moment) {
            (Some((a, b)), _) => self.only_between(a.min(b), a.max(b)),
            (None, Some(moment)) => {
                self.seek(pane, moment);
                if self
                    .panes
                    .get(&pane)
                    .is_some_and(|pane| pane.times.sought.is_some())
                {
                    self.tell(word!(
                        "no line of that moment or later is here yet",
                        "该时刻及之后的日志行尚未到达"
                    ));
                }
            }
            (None, None) => {}
        }
    }

    /// A pane with a component's lines below the focused one.
    pub(super) fn logs_below(&mut self, place: Place) -> PaneId {
        let target: Target = deeds::component(place);
        let id = self.open_target(target);
        let pane = self.new_pane(vec![id]);
        let focus = self.tabs.now.focus;
        self.tabs.now.tree.insert(focus, Axis::Below, pane);
        pane
    }

    /// Of the focused pane only the lines of this range are shown; by the order in which they
    /// came, from the first one of the range to the last.
    fn only_between(&mut self, from: Micros, to: Micros) {
        let Some(pane) = self.pane() else { return };
        let end = pane.store.end();
        let first = pane.line_at(from).unwrap_or(end);
        let last = pane.line_at(Micros(to.0.saturating_add(1))).unwrap_or(end);
        let rows = Some((first, last));
        self.with_pane(|pane, _| {
            pane.filter.rows = rows;
            pane.unfolded = false;
        });
        self.refilter();
        self.with_pane(|pane, size| {
            pane.look_at(first, size);
        });
        let count = last.0.saturating_sub(first.0);
        self.tell(&say!(
            "only the {count} lines of the marked time; Esc shows all",
            "仅显示所选时间内的 {count} 行；按 Esc 显示全部"
        ));
    }
}
