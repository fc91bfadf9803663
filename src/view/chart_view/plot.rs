//! The inside of a chart: bands, lines, cursor, and the axis below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::chart::Panel;
use crate::model::{Level, Micros};
use crate::text::width;
use crate::word;

use super::{Scene, tick};
use crate::view::canvas::Canvas;
use crate::view::paint;
use crate::view::scale::{self, Scale};
use crate::view::theme::Role;

impl Scene<'_> {
    /// The end of what is seen, the newest value inside.
    pub(super) fn end(&self) -> Micros {
        Micros(self.window.to.0.saturating_add(1))
    }

    /// The lines, and the values at their left.
    pub(super) fn plot(
        &self,
        panel: &Panel,
        drawn: &[usize],
        (area, labels): (Rect, Rect),
        buf: &mut Buffer,
    ) {
        let (from, to) = (self.window.from, self.end());
        let bounds = drawn
            .iter()
            .filter_map(|line| panel.store.bounds(*line, from, to));
        let bounds = bounds.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let nothing = || word!("no data in this time", "此时段没有数据").to_owned();
        let words = Self::nothing(panel).or_else(|| bounds.is_none().then(nothing));
        if let Some(words) = words {
            let style = self.theme.style(if panel.fault.is_some() {
                Role::Bad
            } else {
                Role::Dim
            });
            let rows = paint::broken(&words, usize::from(area.width));
            for (index, row) in rows.iter().enumerate().take(usize::from(area.height)) {
                paint::put(buf, paint::row(area, index), row, style);
            }
            return;
        }
        let (low, high) = bounds.unwrap_or((f64::NAN, f64::NAN));
        let scale = Scale::of(low, high, self.pane.fit);
        self.values(panel, &scale, labels, buf);
        self.bands(panel, &scale, area, buf);
        self.shade(area, buf);
        let mut canvas = Canvas::new(self.pane.marker, area);
        let mut columns = Vec::new();
        // The chosen line lies over the others.
        let chosen = drawn.iter().filter(|line| **line == self.pane.line);
        let others = drawn.iter().filter(|line| **line != self.pane.line);
        for line in others.chain(chosen) {
            let width = canvas.width();
            panel.store.columns(*line, from, to, width, &mut columns);
            canvas.line(&columns, &scale, u8::try_from(*line).unwrap_or(u8::MAX));
        }
        canvas.paint(buf, area, |line| {
            let style = self.theme.line(usize::from(line));
            ratatui::style::Style { bg: None, ..style }
        });
    }

    /// The values at the ends and in the middle.
    fn values(&self, panel: &Panel, scale: &Scale, area: Rect, buf: &mut Buffer) {
        if area.width == 0 {
            return;
        }
        let style = self.theme.style(Role::Dim);
        let last = area.height.saturating_sub(1);
        let half = scale.dot(scale.at(0.5), usize::from(area.height));
        let half = u16::try_from(half).unwrap_or(0);
        let middle = (area.height >= 5).then_some((half, 0.5));
        let ends = [(0, 1.0), (last, 0.0)];
        for (row, part) in ends.into_iter().chain(middle) {
            let text = self.show(panel.recipe.unit, scale.at(part));
            let cells = width::cells(&text).min(usize::from(area.width - 1));
            let row = paint::row(area, usize::from(row));
            let place = paint::right(paint::but_right(row, 1), cells);
            paint::say(buf, place, width::fit(&text, cells), style);
        }
    }

    /// Values that are worth a colour: the rows above their limit, and a line at it.
    fn bands(&self, panel: &Panel, scale: &Scale, area: Rect, buf: &mut Buffer) {
        let mut limits = panel.recipe.limits.clone();
        limits.sort_by(|a, b| a.above.total_cmp(&b.above));
        for limit in limits.iter().filter(|limit| limit.above <= scale.high) {
            let row = scale.dot(limit.above, usize::from(area.height));
            let role = if limit.level >= Level::Error {
                Role::BandError
            } else {
                Role::BandWarn
            };
            let band = Rect {
                height: u16::try_from(row + 1)
                    .unwrap_or(area.height)
                    .min(area.height),
                ..area
            };
            paint::tint(buf, band, self.theme.style(role));
            let line = "╌".repeat(usize::from(area.width));
            let style = self.theme.level(limit.level);
            let at = paint::row(area, row);
            for x in at.left()..at.right() {
                let cell = Rect { x, width: 1, ..at };
                let look = ratatui::style::Style { bg: None, ..style };
                paint::over(buf, cell, &line, look);
            }
        }
    }

    /// The marked range and the cursor's column.
    fn shade(&self, area: Rect, buf: &mut Buffer) {
        let columns = usize::from(area.width);
        let (from, to) = (self.window.from, self.end());
        let place = |moment: Micros| scale::column(moment, from, to, columns);
        if let Some((a, b)) = self.app.marked {
            let (a, b) = (a.min(b).max(from), a.max(b).min(to));
            if let (Some(left), Some(right)) = (place(a), place(b)) {
                let range = column(area, left, right + 1 - left);
                paint::tint(buf, range, self.theme.style(Role::Selection));
            }
        }
        if let Some(at) = self.app.moment.and_then(place) {
            paint::tint(buf, column(area, at, 1), self.theme.style(Role::Moment));
        }
    }

    /// The line below, with what happened.
    pub(super) fn axis(&self, area: Rect, buf: &mut Buffer) {
        let style = self.theme.style(Role::Border);
        let columns = usize::from(area.width);
        paint::say(buf, area, &"─".repeat(columns), style);
        let (from, to) = (self.window.from, self.end());
        for one in self.app.timeline.between(from, to) {
            if let Some(at) = scale::column(one.at, from, to, columns) {
                let (letter, role) = tick(one.kind);
                paint::say(buf, column(area, at, 1), letter, self.theme.style(role));
            }
        }
        let cursor = self.app.moment;
        let cursor = cursor.and_then(|at| scale::column(at, from, to, columns));
        if let Some(at) = cursor {
            paint::tint(buf, column(area, at, 1), self.theme.style(Role::Moment));
        }
    }

    /// Times below the axis.
    pub(super) fn times(&self, area: Rect, buf: &mut Buffer) {
        let style = self.theme.style(Role::Dim);
        let format = match self.pane.axis.span {
            0..=1800 => "%H:%M:%S",
            1801..=86_400 => "%H:%M",
            _ => "%m-%d %H:%M",
        };
        let columns = usize::from(area.width);
        let (from, to) = (self.window.from, self.window.to);
        let first = self.time(from, format);
        let last = self.time(to, format);
        let size = width::cells(&first);
        paint::say(buf, area, &first, style);
        if columns >= size * 2 + 2 {
            paint::say(buf, paint::right(area, width::cells(&last)), &last, style);
        }
        if columns >= size * 3 + 6 {
            let middle = scale::moment(columns / 2, from, to, columns);
            let text = self.time(middle, format);
            let place = column(
                area,
                columns / 2 - width::cells(&text) / 2,
                width::cells(&text),
            );
            paint::say(buf, place, &text, style);
        }
    }
}

/// Some columns of an area.
fn column(area: Rect, at: usize, columns: usize) -> Rect {
    let at = u16::try_from(at).unwrap_or(u16::MAX).min(area.width);
    let columns = u16::try_from(columns).unwrap_or(u16::MAX);
    Rect {
        x: area.x + at,
        width: columns.min(area.width - at),
        ..area
    }
}
