//! Lines made of dots, several to a cell where the terminal's font has such characters.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::chart::Marker;
use crate::store::series::Column;

use super::scale::Scale;

/// Cells, their dots and their colours.
pub(super) struct Canvas {
    marker: Marker,
    columns: usize,
    rows: usize,
    /// Bits of the dots that are set, and whose they are.
    cells: Vec<(u8, u8)>,
}

impl Canvas {
    /// Nothing drawn yet.
    pub(super) fn new(marker: Marker, area: Rect) -> Self {
        let (columns, rows) = (usize::from(area.width), usize::from(area.height));
        Self {
            marker,
            columns,
            rows,
            cells: vec![(0, 0); columns * rows],
        }
    }

    /// Dots of a cell, across and down.
    fn dots(&self) -> (usize, usize) {
        match self.marker {
            Marker::Braille => (2, 4),
            Marker::Blocks => (2, 2),
            Marker::Ascii => (1, 1),
        }
    }

    /// Dots across the whole canvas.
    pub(super) fn width(&self) -> usize {
        self.columns * self.dots().0
    }

    /// Dots down the whole canvas.
    fn height(&self) -> usize {
        self.rows * self.dots().1
    }

    /// Draws a series in the colour of this number. What lies within one column is a stroke
    /// from its least to its greatest value; holes stay holes.
    pub(super) fn line(&mut self, columns: &[Option<Column>], scale: &Scale, colour: u8) {
        let height = self.height();
        let mut before: Option<(usize, f64)> = None;
        for (x, column) in columns.iter().enumerate() {
            let Some(column) = column else { continue };
            let (top, bottom) = (scale.dot(column.max, height), scale.dot(column.min, height));
            for y in top..=bottom {
                self.set(x, y, colour);
            }
            if let Some((from, last)) = before.filter(|_| column.joined) {
                let here = (from, scale.dot(last, height));
                self.stroke(here, (x, scale.dot(column.first, height)), colour);
            }
            before = Some((x, column.last));
        }
    }

    /// A straight line between two dots.
    fn stroke(&mut self, from: (usize, usize), to: (usize, usize), colour: u8) {
        let across = to.0.saturating_sub(from.0);
        let down = to.1.abs_diff(from.1);
        let steps = across.max(down).max(1);
        for step in 0..=steps {
            let x = from.0 + across * step / steps;
            let way = down * step / steps;
            let y = if to.1 >= from.1 {
                from.1 + way
            } else {
                from.1 - way
            };
            self.set(x, y, colour);
        }
    }

    fn set(&mut self, x: usize, y: usize, colour: u8) {
        let (across, down) = self.dots();
        let (column, row) = (x / across, y / down);
        if column >= self.columns || row >= self.rows {
            return;
        }
        let bit = (y % down) * across + x % across;
        if let Some(cell) = self.cells.get_mut(row * self.columns + column) {
            cell.0 |= 1 << bit;
            cell.1 = colour;
        }
    }

    /// Paints what was drawn over what is there.
    pub(super) fn paint(&self, buf: &mut Buffer, area: Rect, style: impl Fn(u8) -> Style) {
        let mut symbol = [0; 4];
        for (row, y) in (area.top()..area.bottom()).enumerate() {
            for (column, x) in (area.left()..area.right()).enumerate() {
                let Some((bits, colour)) = self.cells.get(row * self.columns + column) else {
                    continue;
                };
                if *bits == 0 {
                    continue;
                }
                if let Some(cell) = buf.cell_mut((x, y)) {
                    cell.set_symbol(self.glyph(*bits).encode_utf8(&mut symbol));
                    cell.set_style(style(*colour));
                }
            }
        }
    }

    /// The character with these dots: bit 0 is the one at the top left, then across and down.
    fn glyph(&self, bits: u8) -> char {
        match self.marker {
            Marker::Braille => {
                // Unicode counts the left column down, then the right one, then the lowest row.
                const ORDER: [u32; 8] = [0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80];
                let set = (0..8).filter(|bit| bits & (1 << bit) != 0);
                let sum = set.filter_map(|bit: usize| ORDER.get(bit)).sum::<u32>();
                char::from_u32(0x2800 + sum).unwrap_or('*')
            }
            Marker::Blocks => {
                const BLOCKS: [char; 16] = [
                    ' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█',
                ];
                BLOCKS.get(usize::from(bits)).copied().unwrap_or('█')
            }
            Marker::Ascii => '*',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(marker: Marker, columns: &[Option<Column>]) -> Vec<String> {
        let area = Rect::new(0, 0, 4, 2);
        let mut canvas = Canvas::new(marker, area);
        let scale = Scale {
            low: 0.0,
            high: 1.0,
        };
        canvas.line(columns, &scale, 0);
        let mut buf = Buffer::empty(area);
        canvas.paint(&mut buf, area, |_| Style::new());
        (0..2)
            .map(|y| (0..4).map(|x| buf[(x, y)].symbol()).collect())
            .collect()
    }

    fn point(value: f64, joined: bool) -> Column {
        Column {
            min: value,
            max: value,
            first: value,
            last: value,
            joined,
        }
    }

    #[test]
    fn lines_join_what_is_joined_alone() {
        let rise = |joined| {
            let mut columns = vec![None; 8];
            columns[0] = Some(point(0.0, false));
            columns[7] = Some(point(1.0, joined));
            columns
        };
        assert_eq!(drawn(Marker::Braille, &rise(true)), ["  ⡠⠊", "⡠⠊  "]);
        assert_eq!(drawn(Marker::Braille, &rise(false)), ["   ⠈", "⡀   "]);
        assert_eq!(drawn(Marker::Blocks, &rise(true)), ["  ▗▞", "▄▞▘ "]);
        let low = [
            Some(point(0.0, false)),
            Some(point(0.0, true)),
            None,
            Some(point(1.0, true)),
        ];
        assert_eq!(drawn(Marker::Ascii, &low), ["   *", "*** "]);
    }

    #[test]
    fn a_spike_within_one_column_is_a_stroke() {
        let mut columns = vec![None; 8];
        columns[2] = Some(Column {
            min: 0.0,
            max: 1.0,
            first: 0.2,
            last: 0.2,
            joined: false,
        });
        assert_eq!(drawn(Marker::Braille, &columns), [" ⡇  ", " ⡇  "]);
    }
}
