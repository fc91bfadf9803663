//! What keys do on charts.

use crate::app::App;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::pane::Strip;
use crate::codec::stamp;
use crate::model::Micros;
use crate::model::sample::{Labels, Sample};
use crate::say;
use crate::word;

use super::{ChartPane, Panel};

impl App {
    /// The charts, if they have the keys.
    pub fn focused_charts(&self) -> Option<&ChartPane> {
        self.charts.get(&self.tabs.now.focus)
    }

    pub(in crate::app) fn with_charts<T>(
        &mut self,
        deed: impl FnOnce(&mut ChartPane) -> T,
    ) -> Option<T> {
        self.charts.get_mut(&self.tabs.now.focus).map(deed)
    }

    /// Whether a key was that of the strip of volume over the focused lines.
    pub(in crate::app) fn strip_key(&mut self, key: Key) -> bool {
        let Some(pane) = self.pane() else {
            return false;
        };
        let (seen, narrowed) = (pane.times.strip != Strip::Off, pane.filter.rows.is_some());
        match key.code {
            Code::Char('<') if seen => self.stretch(-1),
            Code::Char('>') if seen => self.stretch(1),
            Code::Enter if self.marked.is_some() => self.logs_of_moment(),
            Code::Esc if narrowed || self.marked.is_some() => {
                self.marked = None;
                self.with_pane(|pane, _| pane.filter.rows = None);
                self.refilter();
            }
            _ => return false,
        }
        true
    }

    /// Whether a key was the charts'.
    pub(in crate::app) fn chart_key(&mut self, whole: Key) -> bool {
        if self.focused_charts().is_none() {
            return false;
        }
        let key = whole.chord();
        if key.ctrl || key.alt {
            return false;
        }
        let wall = self.now.wall;
        match key.code {
            Code::Left if whole.shift => self.stretch(-1),
            Code::Right if whole.shift => self.stretch(1),
            Code::Left | Code::Char('h') => self.step_moment(-1),
            Code::Right | Code::Char('l') => self.step_moment(1),
            Code::Char('<') => self.stretch(-1),
            Code::Char('>') => self.stretch(1),
            Code::Enter => self.logs_of_moment(),
            Code::Char('+' | '-') => {
                let (closer, moment) = (key.code == Code::Char('+'), self.moment);
                self.with_charts(|pane| {
                    let now = pane.now(wall);
                    pane.axis.zoom(closer, moment, now);
                });
            }
            Code::Char('=') => {
                self.with_charts(|pane| pane.axis = super::Axis::default());
            }
            Code::Char('{' | '}') => {
                let later = key.code == Code::Char('}');
                self.with_charts(|pane| {
                    let now = pane.now(wall);
                    pane.axis.pan(later, now);
                });
            }
            Code::Char('e') => self.go_to_peak(),
            Code::Char('(' | ')') => self.go_to_tick(key.code == Code::Char(')')),
            Code::Char('G') | Code::End => self.go_live(),
            Code::Char('n') => self.turn_panel(1),
            Code::Char('N') => self.turn_panel(-1),
            Code::Char('o') => {
                self.with_charts(|pane| pane.alone = !pane.alone);
            }
            Code::Char('u') => {
                self.with_charts(|pane| pane.plain = !pane.plain);
            }
            Code::Char('b') => {
                self.with_charts(|pane| pane.marker = pane.marker.next());
            }
            Code::Char('Z') => {
                self.with_charts(|pane| pane.fit = !pane.fit);
            }
            Code::Char('p') => {
                self.with_charts(|pane| {
                    let now = pane.now(wall);
                    pane.frozen = if pane.frozen.is_some() {
                        None
                    } else {
                        Some(now)
                    };
                });
            }
            Code::Char('R') => {
                self.with_charts(ChartPane::refresh);
            }
            Code::Char('y') => self.copy_values(),
            Code::Esc if self.moment.is_some() => self.leave_moment(),
            _ => return self.series_key(key.code),
        }
        true
    }

    /// Keys of the lines of a chart.
    fn series_key(&mut self, code: Code) -> bool {
        let walk = |pane: &mut ChartPane, step: isize| {
            let count = pane.panel().map_or(0, |panel| panel.store.series().len());
            let last = count.saturating_sub(1);
            pane.line = pane.line.saturating_add_signed(step).min(last);
        };
        let deed: fn(&mut Panel, usize) = match code {
            Code::Down | Code::Char('j') => {
                self.with_charts(|pane| walk(pane, 1));
                return true;
            }
            Code::Up | Code::Char('k') => {
                self.with_charts(|pane| walk(pane, -1));
                return true;
            }
            Code::Char(' ') => Panel::hide,
            Code::Char('S') => Panel::solo,
            _ => return false,
        };
        self.with_charts(|pane| {
            let line = pane.line;
            if let Some(panel) = pane.panels.get_mut(pane.chosen) {
                deed(panel, line);
            }
        });
        true
    }

    fn turn_panel(&mut self, step: isize) {
        self.with_charts(|pane| {
            let count = isize::try_from(pane.panels.len()).unwrap_or(1).max(1);
            let here = isize::try_from(pane.chosen).unwrap_or(0);
            pane.chosen = usize::try_from((here + step).rem_euclid(count)).unwrap_or(0);
            pane.line = 0;
        });
    }

    /// One step of the axis, and the ends of what is seen.
    fn bucket(&self) -> Option<(i64, Micros, Micros)> {
        let window = match (self.focused_charts(), self.pane()) {
            (Some(charts), _) => charts.window(self.now.wall),
            (None, Some(pane)) => self.strip_window(pane),
            (None, None) => return None,
        };
        let step = i64::try_from(window.step.as_micros()).ok()?;
        Some((step, window.from, window.to))
    }

    fn step_moment(&mut self, steps: i64) {
        let Some((step, from, to)) = self.bucket() else {
            return;
        };
        let here = match self.moment {
            Some(moment) => moment.0.div_euclid(step) * step + steps * step,
            None => to.0,
        };
        self.marked = None;
        self.go_to_moment(Micros(here.clamp(from.0, to.0)));
    }

    /// The other end of the marked range goes on.
    fn stretch(&mut self, steps: i64) {
        let Some((step, from, to)) = self.bucket() else {
            return;
        };
        let begin = self.moment.unwrap_or(to);
        let (fixed, moving) = self.marked.unwrap_or((begin, begin));
        let moving = Micros((moving.0 + steps * step).clamp(from.0, to.0));
        self.marked = Some((fixed, moving));
        self.go_to_moment(moving);
    }

    /// The highest value that is seen of the chosen chart.
    fn go_to_peak(&mut self) {
        let wall = self.now.wall;
        let peak = self.focused_charts().and_then(|pane| {
            let window = pane.window(wall);
            let panel = pane.panel()?;
            let end = Micros(window.to.0.saturating_add(1));
            panel.store.peak(window.from, end, panel.drawn())
        });
        match peak {
            Some((line, Sample { at, .. })) => {
                self.marked = None;
                self.with_charts(|pane| pane.line = line);
                self.go_to_moment(at);
            }
            None => self.tell(word!("this chart has no value", "该图没有数值")),
        }
    }

    /// The next thing that happened, or the one before.
    fn go_to_tick(&mut self, later: bool) {
        let here = self.moment.unwrap_or(self.now.wall);
        let tick = if later {
            self.timeline.next_after(here)
        } else {
            self.timeline.prev_before(here)
        };
        match tick.map(|tick| (tick.at, tick.words.clone())) {
            Some((at, words)) => {
                self.marked = None;
                let now = self.now.wall;
                self.with_charts(|pane| pane.axis.show(at, now));
                self.go_to_moment(at);
                self.tell(&words);
            }
            None if later => self.tell(word!("nothing happened later", "此后没有事件")),
            None => self.tell(word!("nothing happened before", "此前没有事件")),
        }
    }

    fn go_live(&mut self) {
        self.with_charts(|pane| {
            pane.axis.end = None;
            pane.frozen = None;
        });
        self.leave_moment();
    }

    /// The values of the chosen chart, as a table: time, and a column for each line.
    fn copy_values(&mut self) {
        let Some(pane) = self.focused_charts() else {
            return;
        };
        let Some(panel) = pane.panel() else { return };
        let window = pane.window(self.now.wall);
        let (from, to) = match self.marked {
            Some((a, b)) => (a.min(b), a.max(b)),
            None => (window.from, window.to),
        };
        let (text, rows) = values(panel, from, to);
        self.tell(&say!("copied {rows} rows", "已复制 {rows} 行"));
        self.wish(Effect::Copy(text));
    }
}

impl Panel {
    fn labels(&self, line: usize) -> Option<Labels> {
        let series = self.store.series().get(line)?;
        Some(series.labels().clone())
    }

    /// A line is not drawn any more, or again.
    fn hide(&mut self, line: usize) {
        let Some(labels) = self.labels(line) else {
            return;
        };
        if !self.hidden.remove(&labels) {
            self.hidden.insert(labels);
        }
        self.solo = None;
    }

    /// A line alone is drawn, or all again.
    fn solo(&mut self, line: usize) {
        let Some(labels) = self.labels(line) else {
            return;
        };
        self.solo = match self.solo.take() {
            Some(solo) if solo == labels => None,
            Some(_) | None => Some(labels),
        };
    }
}

/// Values as tab-separated text; a hole is an empty field.
fn values(panel: &Panel, from: Micros, to: Micros) -> (String, usize) {
    let drawn = panel.drawn();
    let mut text = String::from("time");
    let mut times = Vec::new();
    for index in &drawn {
        if let Some(one) = panel.store.series().get(*index) {
            text.push('\t');
            text.push_str(&one.labels().shown().replace('\t', " "));
            let inside = one.samples().filter(|one| one.at >= from && one.at <= to);
            times.extend(inside.map(|one| one.at));
        }
    }
    text.push('\n');
    times.sort_unstable();
    times.dedup();
    for at in &times {
        let time = stamp::timestamp(*at).map_or_else(String::new, |time| time.to_string());
        text.push_str(&time);
        for index in &drawn {
            text.push('\t');
            let here = panel.store.at(*index, *at).filter(|one| one.at == *at);
            if let Some(sample) = here {
                text.push_str(&sample.value.to_string());
            }
        }
        text.push('\n');
    }
    (text, times.len())
}
