//! All components at a glance: a value and a line of bars in each cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::App;
use crate::app::areas;
use crate::app::overview::OverviewPane;
use crate::lang::{Words, words};
use crate::model::metric::Metric;
use crate::model::usage::{By, Cell, METRICS, Usage};
use crate::say;
use crate::text::spark;
use crate::word;

use super::theme::{Role, Theme};
use super::{paint, pane_view};

/// Columns of a value, and of its bars.
const VALUE: usize = 10;
const BARS: usize = 8;
/// Bars are shown beside so many columns at least.
const FEW: usize = 4;
/// Columns of the name at least.
const NAME: usize = 20;

/// A column's head.
fn head(metric: Metric) -> Words {
    match metric {
        Metric::Cpu => words("CPU", "CPU"),
        Metric::Memory => words("memory", "内存"),
        Metric::ResponseTime => words("response", "响应"),
        Metric::Throughput => words("requests", "请求"),
        Metric::NetIn => words("net in", "流入"),
        Metric::NetOut => words("net out", "流出"),
        Metric::Online => words("online", "在线"),
        Metric::Disk => words("disk", "磁盘"),
    }
}

/// Paints an overview.
pub(super) fn render(app: &App, pane: &OverviewPane, theme: &Theme, rect: Rect, buf: &mut Buffer) {
    let rect = rect.intersection(buf.area);
    let title = areas::title_area(rect);
    let (x, style) = pane_view::title(app, pane.id, theme, title, buf);
    paint::say(buf, paint::from(title, x), &pane.title(), style);
    status(pane, theme, areas::status_area(rect), buf);
    let body = areas::body_area(rect);
    if body.height == 0 {
        return;
    }
    if pane.rows.is_empty() {
        let words = match (&pane.fault, pane.known) {
            (Some(fault), _) => fault.clone(),
            (None, false) => word!("asking …", "正在查询……").to_owned(),
            (None, true) => word!("there is no component", "没有组件").to_owned(),
        };
        let role = if pane.fault.is_some() {
            Role::Bad
        } else {
            Role::Dim
        };
        return pane_view::instead(buf, body, &words, theme.style(role));
    }
    let fit = Fit::of(usize::from(body.width));
    heads(pane, theme, &fit, paint::row(body, 0), buf);
    let below = Rect {
        y: body.y + 1,
        height: body.height - 1,
        ..body
    };
    let at = pane.at();
    let cursor = (app.tabs.now.focus == pane.id).then_some(at);
    let seen = (pane_view::top(at, below), cursor);
    pane_view::list(&pane.rows, seen, theme, below, buf, |row, line, buf| {
        paint_row(row, theme, &fit, line, buf);
    });
}

/// How many columns there is room for, and whether bars stand beside the values.
struct Fit {
    columns: usize,
    bars: usize,
    name: usize,
}

impl Fit {
    fn of(cols: usize) -> Self {
        let room = cols.saturating_sub(NAME + 1);
        let wide = room / (VALUE + BARS + 2);
        // More numbers are better than fewer with bars.
        let (columns, bars) = if wide >= FEW {
            (wide.min(METRICS.len()), BARS)
        } else {
            ((room / (VALUE + 1)).min(METRICS.len()), 0)
        };
        let cell = VALUE + 1 + if bars > 0 { bars + 1 } else { 0 };
        let name = cols.saturating_sub(columns * cell + 1).min(60);
        Self {
            columns,
            bars,
            name,
        }
    }

    fn cell(&self) -> usize {
        VALUE + 1 + if self.bars > 0 { self.bars + 1 } else { 0 }
    }
}

fn heads(pane: &OverviewPane, theme: &Theme, fit: &Fit, line: Rect, buf: &mut Buffer) {
    let plain = theme.style(Role::Dim).add_modifier(Modifier::BOLD);
    let mark = if pane.of.ascending { "▴" } else { "▾" };
    let named = |by: By, words: &str| {
        if by == pane.of.by {
            (format!("{words}{mark}"), theme.style(Role::Key))
        } else {
            (words.to_owned(), plain)
        }
    };
    let (text, style) = named(By::Name, word!("component", "组件"));
    paint::say(buf, paint::columns(line, 1, fit.name), &text, style);
    for (index, metric) in METRICS.into_iter().take(fit.columns).enumerate() {
        let (text, style) = named(By::Metric(metric), head(metric).get());
        let area = paint::columns(line, fit.name + 1 + index * fit.cell(), VALUE);
        paint::say_right(buf, area, &text, style);
    }
}

fn paint_row(row: &Usage, theme: &Theme, fit: &Fit, line: Rect, buf: &mut Buffer) {
    let text = theme.style(Role::Text);
    let area = paint::columns(line, 1, fit.name.saturating_sub(1));
    paint::say_cut(buf, area, &row.place.path(), text);
    for (index, (metric, cell)) in METRICS.iter().zip(&row.cells).take(fit.columns).enumerate() {
        let at = fit.name + 1 + index * fit.cell();
        let (value, style) = shown(*metric, cell, theme);
        let area = paint::columns(line, at, VALUE);
        paint::say_right(buf, area, &value, style);
        if fit.bars > 0 {
            let bars = spark::line(&cell.trend, fit.bars);
            let area = paint::columns(line, at + VALUE + 1, fit.bars);
            paint::say(buf, area, &bars, theme.line(index));
        }
    }
}

fn shown(metric: Metric, cell: &Cell, theme: &Theme) -> (String, ratatui::style::Style) {
    match cell.now {
        Some(now) => (metric.unit().show(now), theme.style(Role::Text)),
        None => ("–".to_owned(), theme.style(Role::Dim)),
    }
}

fn status(pane: &OverviewPane, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let style = theme.style(Role::Status);
    paint::fill(buf, area, style);
    let count = pane.rows.len();
    let x = paint::say(
        buf,
        paint::from(area, area.x + 1),
        &say!("{count} components", "{count} 个组件"),
        style,
    );
    if let Some(fault) = pane.fault.as_ref().filter(|_| count > 0) {
        let mut look = style;
        look.fg = theme.style(Role::Bad).fg.or(style.fg);
        let told = format!(" · {fault}");
        paint::say(buf, paint::from(area, x), &told, look);
    }
}
