//! What keys do on charts.

use crate::app::App;
use crate::app::effect::Effect;
use crate::app::key::{Code, Key};
use crate::app::pane::Strip;
use crate::codec::stamp;
use crate::model::Micros;
use crate::model::sample::{Labels, Sample};
use crate::say;
use crate::store::series::Trace;
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
    let series = panel.store.series();
    let drawn: Vec<&Trace> = panel
        .drawn()
        .iter()
        .filter_map(|at| series.get(*at))
        .collect();
    let mut text = String::from("time");
    for one in &drawn {
        text.push('\t');
        text.push_str(&one.labels().shown().replace('\t', " "));
    }
    text.push('\n');
    let inside = |sample: &Sample| (from..=to).contains(&sample.at);
    let mut columns: Vec<_> = drawn
        .iter()
        .map(|one| one.samples().filter(inside).peekable())
        .collect();
    let mut rows = 0;
    // All go through their samples together, row by row.
    while let Some(at) = columns
        .iter_mut()
        .filter_map(|one| Some(one.peek()?.at))
        .min()
    {
        let time = stamp::timestamp(at).map_or_else(String::new, |time| time.to_string());
        text.push_str(&time);
        for column in &mut columns {
            text.push('\t');
            if let Some(sample) = column.next_if(|sample| sample.at == at) {
                text.push_str(&sample.value.to_string());
            }
        }
        text.push('\n');
        rows += 1;
    }
    (text, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::chart::Recipe;
    use crate::model::metric::Metric;
    use crate::model::sample::{Measured, Series};

    #[test]
    fn what_is_copied_has_a_row_for_each_time_and_a_column_for_each_line() {
        let mut panel = Panel::new(Recipe::of(Metric::ALL[0]));
        let series = [
            ("a", &[(0, 1.0), (1, 2.0), (3, 3.5), (9, 4.0)][..]),
            ("b", &[(1, 5.0), (2, 6.0)]),
            ("c", &[]),
        ];
        let series = series.map(|(name, samples)| Series {
            labels: Labels::new(vec![("pod".to_owned(), name.to_owned())]),
            samples: (samples.iter())
                .map(|(at, value)| Sample {
                    at: Micros(at * 1_000_000),
                    value: *value,
                })
                .collect(),
        });
        let measured = Measured {
            series: series.to_vec(),
            ..Measured::default()
        };
        let (from, to) = (Micros(1_000_000), Micros(3_000_000));
        panel.store.take(from, to, &measured);
        let rows = [
            "time\ta\tb\tc",
            "1970-01-01T00:00:01Z\t2\t5\t",
            "1970-01-01T00:00:02Z\t\t6\t",
            "1970-01-01T00:00:03Z\t3.5\t\t",
            "",
        ];
        assert_eq!(values(&panel, from, to), (rows.join("\n"), 3));
    }
}
