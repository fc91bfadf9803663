//! How many lines came when, over the lines: bars of levels, or a row for each level.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::app::areas;
use crate::app::pane::{Pane, Strip};
use crate::codec::stamp;
use crate::model::{Level, Micros};
use crate::store::volume::LEVELS;
use crate::text::width;

use super::chart_view::tick;
use super::paint;
use super::scale;
use super::theme::{Role, Theme};

/// Heights of a bar within one cell.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// More and more lines.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];

/// The rows of the map, the worst level first.
const ROWS: [(&str, Level); 4] = [
    ("E", Level::Error),
    ("W", Level::Warn),
    ("I", Level::Info),
    ("D", Level::Debug),
];

/// Paints the strip of a pane, if it has one.
pub(super) fn render(app: &App, pane: &Pane, theme: &Theme, rect: Rect, buf: &mut Buffer) {
    let area = areas::strip_area(pane, rect);
    if area.height < 2 || area.width < 12 {
        return;
    }
    paint::fill(buf, area, theme.style(Role::Text));
    let window = app.strip_window(pane);
    let (from, to) = (window.from, Micros(window.to.0.saturating_add(1)));
    let label = 6;
    let plot = Rect {
        x: area.x + label,
        width: area.width - label,
        height: area.height - 1,
        ..area
    };
    let mut counts = Vec::new();
    let columns = usize::from(plot.width);
    pane.times.volume.columns(from, to, columns, &mut counts);
    let labels = Rect {
        width: label,
        ..area
    };
    match pane.times.strip {
        Strip::Off => return,
        Strip::Bars => bars(&counts, theme, (plot, labels), buf),
        Strip::Heat => heat(&counts, theme, (plot, labels), buf),
    }
    let axis = Rect {
        y: plot.bottom(),
        height: 1,
        ..plot
    };
    below(app, theme, (from, to), axis, buf);
    cursor(app, theme, (from, to), (plot, axis), buf);
}

fn total(counts: &[u64; LEVELS]) -> u64 {
    counts.iter().sum()
}

/// One bar a column; the worst level stands at the bottom.
fn bars(counts: &[[u64; LEVELS]], theme: &Theme, (area, labels): (Rect, Rect), buf: &mut Buffer) {
    let most = counts.iter().map(total).max().unwrap_or(0);
    let words = crate::model::words::count(most);
    let cells = width::cells(&words).min(5);
    let place = paint::right(paint::but_right(paint::row(labels, 0), 1), cells);
    paint::say(buf, place, &words, theme.style(Role::Dim));
    if most == 0 {
        return;
    }
    let height = u64::from(area.height) * 8;
    for (column, one) in counts.iter().enumerate() {
        let all = total(one);
        // What is there is seen.
        let tall = (all * height).div_ceil(most);
        let mut sum = 0;
        let edges: Vec<(u64, Level)> = Level::ALL
            .into_iter()
            .zip(one)
            .rev()
            .filter(|(_, count)| **count > 0)
            .map(|(level, count)| {
                sum += count;
                ((sum * tall).div_ceil(all.max(1)), level)
            })
            .collect();
        for row in 0..u64::from(area.height) {
            let base = row * 8;
            let filled = tall.saturating_sub(base).min(8);
            if filled == 0 {
                break;
            }
            // The level of the cell's middle, or of what there is of it.
            let at = base + filled.div_ceil(2);
            let level = edges.iter().find(|(edge, _)| *edge >= at);
            let level = level.map_or(Level::None, |(_, level)| *level);
            let y = area.bottom() - 1 - u16::try_from(row).unwrap_or(0);
            let glyph = usize::try_from(filled).ok().and_then(|at| EIGHTHS.get(at));
            put(buf, (area, column, y), glyph.unwrap_or(&"█"), theme, level);
        }
    }
}

/// One row a level: the more lines the fuller, each row by its own most.
fn heat(counts: &[[u64; LEVELS]], theme: &Theme, (area, labels): (Rect, Rect), buf: &mut Buffer) {
    for (row, (letter, level)) in ROWS.into_iter().enumerate() {
        let of = |one: &[u64; LEVELS]| {
            let counts = Level::ALL.into_iter().zip(one);
            let mine = counts
                .filter(|(own, _)| *own == level || (level == Level::Debug && *own == Level::None));
            mine.map(|(_, count)| *count).sum::<u64>()
        };
        let place = paint::right(paint::but_right(paint::row(labels, row), 1), 1);
        paint::say(buf, place, letter, theme.level(level));
        let most = counts.iter().map(of).max().unwrap_or(0);
        if most == 0 {
            continue;
        }
        let y = paint::row(area, row).y;
        for (column, one) in counts.iter().enumerate() {
            let count = of(one);
            let shade = usize::try_from((count * 4).div_ceil(most)).unwrap_or(4);
            if let Some(glyph) = SHADES.get(shade).filter(|_| shade > 0) {
                put(buf, (area, column, y), glyph, theme, level);
            }
        }
    }
}

fn put(
    buf: &mut Buffer,
    (area, column, y): (Rect, usize, u16),
    glyph: &str,
    theme: &Theme,
    level: Level,
) {
    let x = area.x + u16::try_from(column).unwrap_or(u16::MAX);
    let style = match level {
        Level::None => theme.style(Role::Dim),
        stated => theme.level(stated),
    };
    let place = Rect {
        x,
        y,
        width: 1,
        height: 1,
    };
    paint::say(buf, place.intersection(area), glyph, style);
}

/// The line below: its ends, and what happened.
fn below(app: &App, theme: &Theme, (from, to): (Micros, Micros), axis: Rect, buf: &mut Buffer) {
    let columns = usize::from(axis.width);
    let style = theme.style(Role::Border);
    paint::say(buf, axis, &"─".repeat(columns), style);
    let dim = theme.style(Role::Dim);
    let time = |at: Micros| {
        stamp::timestamp(at).map_or_else(String::new, |at| {
            let zoned = at.to_zoned_datetime(app.zone.clone());
            zoned.strftime("%H:%M:%S").to_string()
        })
    };
    let (first, last) = (time(from), time(to));
    if columns > 24 {
        paint::say(buf, axis, &first, dim);
        paint::say(buf, paint::right(axis, width::cells(&last)), &last, dim);
    }
    for one in app.timeline.between(from, to) {
        if let Some(at) = scale::column(one.at, from, to, columns) {
            let (letter, role) = tick(one.kind);
            let x = axis.x + u16::try_from(at).unwrap_or(0);
            paint::say(buf, paint::from(axis, x), letter, theme.style(role));
        }
    }
}

/// The marked range and the time cursor.
fn cursor(
    app: &App,
    theme: &Theme,
    (from, to): (Micros, Micros),
    (plot, axis): (Rect, Rect),
    buf: &mut Buffer,
) {
    let columns = usize::from(plot.width);
    let place = |moment: Micros| scale::column(moment, from, to, columns);
    let range = |at: usize, columns: usize| Rect {
        x: plot.x + u16::try_from(at).unwrap_or(0),
        width: u16::try_from(columns).unwrap_or(1),
        height: plot.height + axis.height,
        ..plot
    };
    if let Some((a, b)) = app.marked {
        let (a, b) = (a.min(b).max(from), a.max(b).min(to));
        if let (Some(left), Some(right)) = (place(a), place(b)) {
            paint::tint(
                buf,
                range(left, right + 1 - left),
                theme.style(Role::Selection),
            );
        }
    }
    if let Some(at) = app.moment.and_then(place) {
        paint::tint(buf, range(at, 1), theme.style(Role::Moment));
    }
}
