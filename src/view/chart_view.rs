//! Charts: a grid of panels over one axis of time.
//!
//! ```text
//!  CPU · peak 87 m                 ← title; of several lines the chosen one's value
//!  ● …x7k2p 12 m ● …9qw4z 87 m     ← legend, never over the data
//!   100 m ┤        ╷
//!         │⠤⠤⠤⠤⠤⠤⡇⠤⠤⠤
//!       0 └────D───╵──R──          ← what happened: deploy, restart, burst, gap …
//!          14:00     14:05
//! ```

mod plot;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::App;
use crate::app::areas;
use crate::app::axis;
use crate::app::chart::{ChartPane, Panel, Shown};
use crate::codec::stamp;
use crate::model::Micros;
use crate::model::metric::Unit;
use crate::model::sample::Window;
use crate::say;
use crate::store::series::Trace;
use crate::store::timeline::TickKind;
use crate::text::{SafeText, width};
use crate::word;

use super::theme::{Role, Theme};
use super::{paint, pane_view};

/// A panel narrower or lower than this can't be read.
const PANEL: (u16, u16) = (38, 6);
/// More panels beside each other are too many for the eye.
const ACROSS: u16 = 4;

/// Everything that a panel is painted from.
struct Scene<'a> {
    app: &'a App,
    pane: &'a ChartPane,
    theme: &'a Theme,
    window: Window,
}

/// Paints a pane of charts.
pub(super) fn render(app: &App, pane: &ChartPane, theme: &Theme, rect: Rect, buf: &mut Buffer) {
    let rect = rect.intersection(buf.area);
    let scene = Scene {
        app,
        pane,
        theme,
        window: pane.window(app.now.wall),
    };
    scene.title(areas::title_area(rect), buf);
    scene.status(areas::status_area(rect), buf);
    for (index, area) in grid(pane, areas::body_area(rect)) {
        if let Some(panel) = pane.panels.get(index) {
            scene.panel(index, panel, area, buf);
        }
    }
}

/// Where panels stand: as many as can be read, the chosen one among them.
fn grid(pane: &ChartPane, area: Rect) -> Vec<(usize, Rect)> {
    if pane.alone {
        return vec![(pane.chosen, area)];
    }
    let count = u16::try_from(pane.panels.len()).unwrap_or(u16::MAX).max(1);
    let across = (area.width / PANEL.0).clamp(1, ACROSS.min(count));
    let rows = count.div_ceil(across);
    let shown = (area.height / PANEL.1).clamp(1, rows);
    let chosen = u16::try_from(pane.chosen).unwrap_or(0) / across;
    let first = (chosen + 1).saturating_sub(shown).min(rows - shown);
    let mut places = Vec::new();
    for row in 0..shown {
        // What does not divide goes to the first ones.
        let top = area.y + area.height * row / shown;
        let bottom = area.y + area.height * (row + 1) / shown;
        for column in 0..across {
            let index = usize::from((first + row) * across + column);
            let left = area.x + area.width * column / across;
            let right = area.x + area.width * (column + 1) / across;
            if index < pane.panels.len() {
                let gap = u16::from(column + 1 < across);
                places.push((
                    index,
                    Rect::new(left, top, right - left - gap, bottom - top),
                ));
            }
        }
    }
    places
}

impl Scene<'_> {
    fn title(&self, area: Rect, buf: &mut Buffer) {
        let (x, style) = pane_view::title(self.app, self.pane.id, self.theme, area, buf);
        let mut flags = vec![axis::word(self.pane.axis.span)];
        if self.pane.frozen.is_some() {
            flags.push(word!("frozen", "冻结").to_owned());
        } else if self.pane.axis.end.is_some() {
            flags.push(word!("past", "历史").to_owned());
        }
        if self.pane.alone || self.pane.panels.len() > 1 {
            let (at, of) = (self.pane.chosen + 1, self.pane.panels.len());
            flags.push(format!("{at}/{of}"));
        }
        let flags = flags.join("  ");
        let cells = width::cells(&flags) + 1;
        let room = paint::but_right(area, cells + 1);
        paint::say(buf, paint::from(room, x), &self.pane.title(), style);
        paint::say(buf, paint::right(area, cells), &flags, style);
    }

    fn status(&self, area: Rect, buf: &mut Buffer) {
        let style = self.theme.style(Role::Status);
        paint::fill(buf, area, style);
        let area = paint::from(area, area.x + 1);
        let right = self.told_of_moment();
        let cells = width::cells(&right) + 1;
        paint::say(buf, paint::right(area, cells), &right, style);
        let room = paint::but_right(area, cells + 1);
        let mut x = area.x;
        for (words, role) in self.facts() {
            let part = if x > area.x {
                format!(" · {words}")
            } else {
                words
            };
            let mut look = style;
            look.fg = self.theme.style(role).fg.or(style.fg);
            x = paint::say(buf, paint::from(room, x), &part, look);
        }
    }

    /// What is to be known of the whole pane.
    fn facts(&self) -> Vec<(String, Role)> {
        let mut facts = Vec::new();
        let panel = self.pane.panel();
        if let Some(fault) = panel.and_then(|panel| panel.fault.as_ref()) {
            facts.push((fault.clone(), Role::Bad));
        }
        let step = self.window.step.as_secs();
        let step = if step < 60 {
            format!("{step} s")
        } else {
            format!("{} min", step / 60)
        };
        let peaks = panel.is_some_and(|panel| panel.peaks);
        let words = if peaks {
            say!("peaks of {step}", "每 {step} 的峰值")
        } else {
            say!("each {step}", "每 {step}")
        };
        facts.push((words, Role::Status));
        if self.pane.skew != 0 {
            let ahead = self.pane.skew as f64 / 1e6;
            let words = say!("server clock {ahead:+.1} s", "服务器时钟 {ahead:+.1} s");
            facts.push((words, Role::Warn));
        }
        let Some(panel) = panel else { return facts };
        if panel.blank && panel.shown() == Shown::Lines {
            let words = word!(
                "no answer lately: the server behind may be down",
                "近期没有应答：后端可能不可用"
            );
            facts.push((words.to_owned(), Role::Warn));
        }
        let flaws = panel.flaws;
        let infinite: u64 = panel.store.series().iter().map(Trace::infinite).sum();
        let (many, odd, order) = (flaws.left_out, flaws.unreadable, flaws.disordered);
        for (count, words) in [
            (many, say!("{many} lines too many", "{many} 条线超出上限")),
            (odd, say!("{odd} values unreadable", "{odd} 个值无法读取")),
            (
                order,
                say!("{order} values out of order", "{order} 个值乱序或重复"),
            ),
            (
                infinite,
                say!("{infinite} values infinite", "{infinite} 个值为无穷"),
            ),
        ] {
            if count > 0 {
                facts.push((words, Role::Warn));
            }
        }
        if let Some(note) = panel.notes.first() {
            facts.push((note.clone(), Role::Warn));
        }
        facts
    }

    /// The cursor's moment, and what happened there.
    fn told_of_moment(&self) -> String {
        let Some(moment) = self.app.moment else {
            return word!("live", "实时").to_owned();
        };
        let step = i64::try_from(self.window.step.as_micros()).unwrap_or(0);
        let end = Micros(moment.0.saturating_add(step));
        let begin = Micros(moment.0.saturating_sub(step));
        let near = self.app.timeline.between(begin, end).last();
        let time = self.time(moment, "%H:%M:%S");
        match (near, self.app.marked) {
            (_, Some((a, b))) => {
                let (from, to) = (a.min(b), a.max(b));
                format!(
                    "{} – {}",
                    self.time(from, "%H:%M:%S"),
                    self.time(to, "%H:%M:%S")
                )
            }
            (Some(tick), None) => format!("{time}  {}", tick.words),
            (None, None) => time,
        }
    }

    fn time(&self, at: Micros, format: &str) -> String {
        stamp::timestamp(at).map_or_else(String::new, |at| {
            let zoned = at.to_zoned_datetime(self.app.zone.clone());
            zoned.strftime(format).to_string()
        })
    }

    /// One chart.
    fn panel(&self, index: usize, panel: &Panel, area: Rect, buf: &mut Buffer) {
        if area.height < 3 || area.width < 10 {
            return;
        }
        let chosen = index == self.pane.chosen && self.app.tabs.now.focus == self.pane.id;
        let drawn = panel.drawn();
        let top = paint::row(area, 0);
        self.heading(panel, chosen, top, buf);
        let rows = self.legend_rows(area, panel.store.series().len());
        for row in 0..rows {
            let line = paint::row(area, 1 + row);
            self.legend(panel, (chosen, row, rows), line, buf);
        }
        let above = u16::try_from(1 + rows).unwrap_or(area.height);
        let below = if area.height >= above + 5 { 2 } else { 1 };
        let label = if area.width >= 26 { 9 } else { 0 };
        let plot = Rect {
            x: area.x + label,
            y: area.y + above,
            width: area.width - label,
            height: area.height.saturating_sub(above + below),
        };
        if plot.height == 0 || plot.width < 4 {
            return;
        }
        let labels = Rect {
            width: label,
            ..Rect { x: area.x, ..plot }
        };
        self.plot(panel, &drawn, (plot, labels), buf);
        let axis = Rect {
            y: plot.bottom(),
            height: 1,
            ..plot
        };
        self.axis(axis, buf);
        if below > 1 {
            self.times(
                Rect {
                    y: axis.y + 1,
                    ..axis
                },
                buf,
            );
        }
    }

    /// Rows of the legend: none for one line without a name, all there is room for if the chart
    /// stands alone.
    fn legend_rows(&self, area: Rect, series: usize) -> usize {
        let height = usize::from(area.height);
        match series {
            0 | 1 if !self.pane.alone => 0,
            0 => 0,
            _ if self.pane.alone => series.min((height / 3).max(1)),
            _ => usize::from(height >= 7),
        }
    }

    /// Title, and the value of the chosen line or the only one.
    fn heading(&self, panel: &Panel, chosen: bool, area: Rect, buf: &mut Buffer) {
        let style = match &panel.alarm {
            Some(_) => self.theme.style(Role::Fault),
            None if chosen => self.theme.style(Role::Key),
            None => self.theme.style(Role::Text).add_modifier(Modifier::BOLD),
        };
        let mark = if chosen { "▸" } else { " " };
        let x = paint::say(buf, area, mark, style);
        let x = paint::say(buf, paint::from(area, x), &panel.title(), style);
        let line = if chosen { self.pane.line } else { 0 };
        let mut words = String::new();
        if panel.store.series().len() == 1 || chosen {
            words = self.value(panel, line);
        }
        let peak = panel
            .store
            .peak(self.window.from, self.end(), panel.drawn());
        if let Some((_, peak)) = peak {
            let peak = self.show(panel.recipe.unit, peak.value);
            words.push_str(&say!("  max {peak}", "  最高 {peak}"));
        }
        if let Some(alarm) = &panel.alarm {
            words.push_str("  ");
            words.push_str(alarm);
        }
        let dim = self.theme.style(Role::Dim);
        paint::say(buf, paint::from(area, x + 1), &words, dim);
    }

    /// A line's value at the cursor, else its latest.
    fn value(&self, panel: &Panel, line: usize) -> String {
        let at = self.app.moment.unwrap_or(self.window.to);
        let sample = panel.store.at(line, at);
        sample.map_or_else(
            || "–".to_owned(),
            |sample| self.show(panel.recipe.unit, sample.value),
        )
    }

    fn show(&self, unit: Unit, value: f64) -> String {
        if self.pane.plain {
            unit.show_plain(value)
        } else {
            unit.show(value)
        }
    }

    /// Names of lines, with their values: one a row if the chart stands alone, as many as fit
    /// otherwise.
    fn legend(
        &self,
        panel: &Panel,
        (chosen, row, rows): (bool, usize, usize),
        area: Rect,
        buf: &mut Buffer,
    ) {
        let series = panel.store.series();
        let (from, count) = if self.pane.alone {
            // The chosen line stays in sight.
            let first = (self.pane.line + 1).saturating_sub(rows);
            (first + row, 1)
        } else {
            (0, series.len())
        };
        let mut x = area.x + 1;
        for (index, one) in series.iter().enumerate().skip(from).take(count) {
            let draws = panel.draws(one.labels());
            let style = if draws {
                self.theme.line(index)
            } else {
                self.theme.style(Role::Dim)
            };
            let name = SafeText::of(&one.labels().shown()).to_string();
            let name = if self.pane.alone { name } else { short(&name) };
            let value = self.value(panel, index);
            let dot = if draws { "●" } else { "○" };
            let mark = if chosen && index == self.pane.line {
                "▸"
            } else {
                " "
            };
            let entry = width::cells(&name) + width::cells(&value) + 5;
            let left = usize::from(area.right().saturating_sub(x));
            if entry > left && index > from {
                let more = series.len() - index;
                paint::say(buf, paint::from(area, x), &format!(" +{more}"), style);
                return;
            }
            let point = style.add_modifier(Modifier::BOLD);
            x = paint::say(buf, paint::from(area, x), mark, self.theme.style(Role::Key));
            x = paint::say(buf, paint::from(area, x), dot, point);
            x = paint::say(buf, paint::from(area, x), &format!(" {name}"), style);
            let text = self.theme.style(Role::Text);
            x = paint::say(buf, paint::from(area, x), &format!(" {value}"), text);
            if self.pane.alone {
                self.extent(panel, index, paint::from(area, x + 2), buf);
            }
        }
    }

    /// The lowest and the highest value of a line that is seen.
    fn extent(&self, panel: &Panel, line: usize, area: Rect, buf: &mut Buffer) {
        let Some((low, high)) = panel.store.bounds(line, self.window.from, self.end()) else {
            return;
        };
        let unit = panel.recipe.unit;
        let (low, high) = (self.show(unit, low), self.show(unit, high));
        let words = say!("min {low}  max {high}", "最低 {low}  最高 {high}");
        paint::say(buf, area, &words, self.theme.style(Role::Dim));
    }

    /// What there is to say where no line is.
    fn nothing(panel: &Panel) -> Option<String> {
        if let Some(fault) = panel
            .fault
            .as_ref()
            .filter(|_| panel.store.series().is_empty())
        {
            return Some(fault.clone());
        }
        Some(match panel.shown() {
            Shown::Lines => return None,
            Shown::Waiting => word!("asking …", "正在查询……").to_owned(),
            Shown::Nothing => word!("no data", "没有数据").to_owned(),
            Shown::Blank => word!(
                "no data (the server behind may be down)",
                "没有数据（后端可能不可用）"
            )
            .to_owned(),
        })
    }
}

/// What tells a pod from its siblings.
fn short(name: &str) -> String {
    match name.rsplit_once('-') {
        Some((before, tail)) if before.contains('-') && !tail.is_empty() => format!("…{tail}"),
        _ => width::fit(name, 24).to_owned(),
    }
}

/// The letter of what happened, and how it looks.
pub(super) fn tick(kind: TickKind) -> (&'static str, Role) {
    match kind {
        TickKind::Deploy => ("D", Role::Good),
        TickKind::DeployFailed => ("F", Role::Bad),
        TickKind::Restart => ("R", Role::Warn),
        TickKind::Burst => ("E", Role::Error),
        TickKind::Gap => ("G", Role::MarkLoss),
        TickKind::Reconnect => ("C", Role::Mark),
        TickKind::Dropped => ("L", Role::MarkLoss),
        TickKind::Alert => ("A", Role::Bad),
    }
}
