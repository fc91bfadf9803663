//! One pane: title, lines, status.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::areas;
use crate::app::pane::pieces::Pieces;
use crate::app::pane::viewport::{ScreenRow, Size};
use crate::app::pane::{Pane, SourceColumn, StampColumn};
use crate::codec::stamp;
use crate::model::{LinkState, Micros};
use crate::say;
use crate::store::{LineId, LineRef, Row};
use crate::text::{SafeText, StyleRun, width};
use crate::word;

use super::status_view;
use super::theme::{Role, Theme};
use super::volume_view;
use super::{paint, pane_view};

/// A pane in its rectangle.
pub(super) struct LogView<'a> {
    /// Everything.
    pub app: &'a App,
    /// The pane.
    pub pane: &'a Pane,
    /// How it looks.
    pub theme: &'a Theme,
}

impl LogView<'_> {
    /// Paints it.
    pub(super) fn render(&self, rect: Rect, buf: &mut Buffer) {
        let rect = rect.intersection(buf.area);
        status_view::title(
            self.app,
            self.pane,
            self.theme,
            areas::title_area(rect),
            buf,
        );
        status_view::status(
            self.app,
            self.pane,
            self.theme,
            areas::status_area(rect),
            buf,
        );
        let body = areas::lines_area(self.pane, rect);
        volume_view::render(self.app, self.pane, self.theme, rect, buf);
        let text = areas::text_area(self.pane, rect);
        let size = Size {
            cols: usize::from(text.width),
            rows: usize::from(text.height),
        };
        let rows = self.pane.screen(size);
        if rows.is_empty() {
            return self.empty(body, buf);
        }
        let shape = Shape {
            body,
            text,
            columns: areas::columns(self.pane, body.width),
            selection: self.selection(),
        };
        // All pieces of a line are painted together: it is looked up and taken apart once.
        for group in rows.chunk_by(|a, b| a.line == b.line) {
            self.line(group, &shape, buf);
        }
    }

    fn empty(&self, body: Rect, buf: &mut Buffer) {
        let dim = self.theme.style(Role::Dim);
        let hidden = self.pane.store.len();
        let words = if self.pane.view.paused.is_some() && self.pane.fresh() == hidden && hidden > 0
        {
            word!(
                "paused: what stood here is no longer kept; p goes on",
                "已暂停：此处的行已不再保留；按 p 继续"
            )
            .to_owned()
        } else if hidden > 0 && !self.pane.shown.done() {
            word!("looking for lines that match …", "正在查找匹配的行……").to_owned()
        } else if hidden > 0 {
            word!(
                "no line passes the filter: x shows all, X the layers",
                "没有行通过过滤：x 显示全部，X 查看过滤层"
            )
            .to_owned()
        } else {
            let states: Vec<String> = self
                .pane
                .targets
                .iter()
                .filter_map(|id| self.app.targets.get(usize::from(id.0)))
                .map(|opened| crate::model::words::state(&opened.state))
                .collect();
            states.join("; ")
        };
        pane_view::instead(buf, body, &words, dim);
    }

    fn selection(&self) -> Option<(LineId, LineId)> {
        self.pane.view.select.and_then(|_| self.pane.selection())
    }

    fn line(&self, group: &[ScreenRow], shape: &Shape, buf: &mut Buffer) {
        let Some(row) = group
            .first()
            .and_then(|first| self.pane.store.get(first.line))
        else {
            return;
        };
        let pieces = Pieces::of(&row, self.pane.view.pretty);
        let look = self.look(&row, &pieces);
        let drawn = Drawn { row, pieces, look };
        for screen in group {
            self.piece(screen, &drawn, shape, buf);
        }
    }

    fn look(&self, row: &Row<'_>, pieces: &Pieces<'_>) -> Look {
        let text = self.theme.style(Role::Text);
        match row {
            Row::Mark(mark) => {
                let role = if mark.mark.is_loss() {
                    Role::MarkLoss
                } else {
                    Role::Mark
                };
                Look {
                    base: self.theme.style(role),
                    runs: Vec::new(),
                    hits: Vec::new(),
                    marked: Vec::new(),
                    mark: true,
                }
            }
            Row::Line(line) => {
                let (mut hits, mut marked) = (Vec::new(), Vec::new());
                let runs = if pieces.made { Vec::new() } else { line.runs() };
                if !pieces.made {
                    if let Some(search) = &self.pane.search {
                        hits.extend(search.pattern.find_iter(line.as_str()).take(200));
                    }
                    for pattern in self.pane.effective().highlights() {
                        marked.extend(pattern.find_iter(line.as_str()).take(200));
                    }
                }
                Look {
                    base: text,
                    runs,
                    hits,
                    marked,
                    mark: false,
                }
            }
        }
    }

    fn piece(
        &self,
        screen: &ScreenRow,
        Drawn { row, pieces, look }: &Drawn<'_>,
        shape: &Shape,
        buf: &mut Buffer,
    ) {
        let whole = paint::row(shape.body, screen.at);
        let area = paint::row(shape.text, screen.at);
        if screen.first {
            self.columns(row, shape, whole, buf);
        } else if let Row::Line(line) = row {
            paint::say(
                buf,
                Rect {
                    width: whole.width.min(1),
                    ..whole
                },
                " ",
                self.theme.level(line.level()),
            );
        }
        let full = pieces.text(screen.piece.text).borrowed();
        let piece = full.slice(screen.piece.bytes.clone());
        let offset = screen.piece.bytes.start;
        if look.mark {
            // It begins in the first column, where no line can write.
            paint::say(buf, whole, "─", look.base);
            paint::put(buf, area, &piece, look.base);
        } else if pieces.made {
            self.json(&piece, area, buf);
        } else {
            self.text(&piece, offset, look, area, buf);
        }
        // Beside charts the line of the moment is seen wherever the keys are.
        let looked = self.app.tabs.now.focus == self.pane.id || self.app.moment.is_some();
        let current = looked && self.pane.cursor() == Some(screen.line);
        if shape
            .selection
            .is_some_and(|(from, to)| (from..=to).contains(&screen.line))
        {
            paint::tint(buf, whole, self.theme.style(Role::Selection));
        } else if current && !self.pane.view.follow {
            paint::tint(buf, whole, self.theme.style(Role::Cursor));
        }
        if pieces.made {
            if !look.mark {
                self.json_hits(&piece, current, area, buf);
            }
        } else {
            self.hits(&piece, offset, (look, current), area, buf);
        }
        self.note_cut(screen, pieces, area, buf);
    }

    fn text(&self, piece: &SafeText<'_>, offset: usize, look: &Look, area: Rect, buf: &mut Buffer) {
        let left = if self.pane.view.wrap {
            0
        } else {
            self.pane.view.left
        };
        let window = width::cut(piece.as_str(), left, usize::from(area.width));
        let mut at = area
            .x
            .saturating_add(u16::try_from(window.left).unwrap_or(0));
        let from = offset + window.start;
        for (bytes, style) in look.stretches(from..from + window.text.len(), self.theme) {
            let part = piece
                .borrowed()
                .slice(bytes.start - offset..bytes.end - offset);
            at = paint::put(buf, paint::from(area, at), &part, style);
        }
    }

    /// Hits and highlights lie over the cursor's colour: both have a background.
    fn hits(
        &self,
        piece: &SafeText<'_>,
        offset: usize,
        (look, current): (&Look, bool),
        area: Rect,
        buf: &mut Buffer,
    ) {
        let hit = if current { Role::HitCurrent } else { Role::Hit };
        let marked = look.marked.iter().map(|part| (part, Role::Highlight));
        for (part, role) in marked.chain(look.hits.iter().map(|part| (part, hit))) {
            let inside = |at: usize| at.saturating_sub(offset).min(piece.as_str().len());
            self.over(piece, inside(part.start)..inside(part.end), role, area, buf);
        }
    }

    /// Gives some bytes of a text that is drawn a style.
    fn over(
        &self,
        piece: &SafeText<'_>,
        bytes: Range<usize>,
        role: Role,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let left = if self.pane.view.wrap {
            0
        } else {
            self.pane.view.left
        };
        let column = |at: usize| {
            let cells = width::cells(piece.as_str().get(..at).unwrap_or(""));
            u16::try_from(cells.saturating_sub(left)).unwrap_or(u16::MAX)
        };
        let (from, to) = (column(bytes.start), column(bytes.end));
        let rect = Rect {
            x: area.x.saturating_add(from.min(area.width)),
            width: to.min(area.width).saturating_sub(from),
            ..area
        };
        paint::tint(buf, rect, self.theme.style(role));
    }

    fn json(&self, piece: &SafeText<'_>, area: Rect, buf: &mut Buffer) {
        let left = if self.pane.view.wrap {
            0
        } else {
            self.pane.view.left
        };
        let window = width::cut(piece.as_str(), left, usize::from(area.width));
        let shown = piece
            .borrowed()
            .slice(window.start..window.start + window.text.len());
        super::record_view::json_row(&shown, self.theme, area, buf);
    }

    fn json_hits(&self, piece: &SafeText<'_>, current: bool, area: Rect, buf: &mut Buffer) {
        let Some(search) = &self.pane.search else {
            return;
        };
        let hit = if current { Role::HitCurrent } else { Role::Hit };
        for bytes in search.pattern.find_iter(piece.as_str()) {
            self.over(piece, bytes, hit, area, buf);
        }
    }

    fn note_cut(&self, screen: &ScreenRow, pieces: &Pieces<'_>, area: Rect, buf: &mut Buffer) {
        if pieces.cut > 0
            && screen.piece.bytes.end + 1 > pieces.text(screen.piece.text).as_str().len()
            && self.pane.view.wrap
        {
            let words = say!(
                " … {} bytes more ",
                " ……还有 {} 字节 ",
                crate::model::words::count(pieces.cut as u64)
            );
            paint::say(
                buf,
                // Behind it two blanks.
                paint::right(area, width::cells(&words) + 2),
                &words,
                self.theme.style(Role::Notice),
            );
        }
    }

    /// Level bar, time stamp and source.
    fn columns(&self, row: &Row<'_>, shape: &Shape, whole: Rect, buf: &mut Buffer) {
        let Row::Line(line) = row else { return };
        let bar = if line.level() == crate::model::Level::None {
            " "
        } else {
            "▎"
        };
        paint::say(
            buf,
            Rect {
                width: whole.width.min(1),
                ..whole
            },
            bar,
            self.theme.level(line.level()),
        );
        let (stamps, sources) = shape.columns;
        let mut x = whole.x.saturating_add(1);
        if stamps > 0 {
            let area = Rect {
                x,
                width: stamps - 1,
                ..whole
            };
            paint::say(buf, area, &self.stamp(line), self.theme.style(Role::Stamp));
            x += stamps;
        }
        if sources > 0 {
            let area = Rect {
                x,
                width: sources - 1,
                ..whole
            };
            self.source(line, area, buf);
        }
    }

    fn stamp(&self, line: &LineRef<'_>) -> String {
        let recv = line.recv();
        let own = || stamp::of_line(line.as_str(), &self.app.zone, recv);
        let at = line.stamp().or_else(own).unwrap_or(recv);
        let Some(time) = stamp::timestamp(at) else {
            return String::new();
        };
        let zoned = time.to_zoned_datetime(self.app.zone.clone());
        match self.pane.view.stamps {
            StampColumn::None => String::new(),
            StampColumn::Short => zoned.strftime("%H:%M:%S").to_string(),
            StampColumn::Full => zoned.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            StampColumn::Relative => ago(self.app.wall(), at),
        }
    }

    fn source(&self, line: &LineRef<'_>, area: Rect, buf: &mut Buffer) {
        let source = line.source();
        let name = source.map_or("", |source| source.as_str());
        let target = self.app.target_name(line.target());
        let component = source
            .and_then(|source| source.component())
            .map_or(target, |component| component.as_str());
        let key = if name.is_empty() { target } else { name };
        let style = self.theme.source(key);
        let full = self.pane.view.sources == SourceColumn::Full;
        let many =
            self.pane.is_merged() || source.is_some_and(|source| source.component().is_some());
        let short = if full {
            name
        } else {
            width::fit(tail(name), 6)
        };
        if !many || area.width < 12 {
            paint::say(
                buf,
                area,
                if short.is_empty() { component } else { short },
                style,
            );
            return;
        }
        let cells = width::cells(short);
        let room = usize::from(area.width).saturating_sub(cells + 1);
        paint::say(buf, area, width::fit(component, room), style);
        paint::say(buf, paint::right(area, cells), short, style);
    }
}

/// What tells a pod from its siblings: what stands behind its last dash, and its container.
/// Names without a dash are whole.
fn tail(name: &str) -> &str {
    let pod = name.split('/').next().unwrap_or(name);
    // `build-service` is no pod: those end in a few letters and digits.
    match pod.rfind('-').map(|at| name.split_at(at + 1)) {
        Some((_, rest))
            if rest.starts_with(|c: char| c.is_ascii_alphanumeric())
                && pod.matches('-').count() > 1 =>
        {
            rest
        }
        _ => name,
    }
}

/// `12s`, `3m`, `2h`, `5d`.
fn ago(now: Micros, at: Micros) -> String {
    let seconds = (now.0 - at.0).max(0) / 1_000_000;
    match seconds {
        0..100 => format!("{seconds}s"),
        100..6000 => format!("{}m", seconds / 60),
        6000..360_000 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A row of the store, taken apart for drawing.
struct Drawn<'a> {
    row: Row<'a>,
    pieces: Pieces<'a>,
    look: Look,
}

struct Shape {
    body: Rect,
    text: Rect,
    columns: (u16, u16),
    selection: Option<(LineId, LineId)>,
}

struct Look {
    base: Style,
    runs: Vec<StyleRun>,
    hits: Vec<Range<usize>>,
    marked: Vec<Range<usize>>,
    mark: bool,
}

impl Look {
    /// The text's stretches of one style each, within `range` of the line's bytes.
    fn stretches(&self, range: Range<usize>, theme: &Theme) -> Vec<(Range<usize>, Style)> {
        let mut edges = vec![range.start, range.end];
        let own = self
            .runs
            .iter()
            .map(|run| run.start as usize..run.end as usize);
        for part in own {
            edges.extend(
                [part.start, part.end]
                    .into_iter()
                    .filter(|edge| range.contains(edge)),
            );
        }
        edges.sort_unstable();
        edges.dedup();
        let pairs = edges.iter().zip(edges.iter().skip(1));
        pairs
            .map(|(from, to)| (*from..*to, self.style_at(*from, theme)))
            .collect()
    }

    fn style_at(&self, at: usize, theme: &Theme) -> Style {
        let run = self
            .runs
            .iter()
            .find(|run| (run.start as usize..run.end as usize).contains(&at));
        run.map_or(self.base, |run| theme.ansi(run.style, self.base))
    }
}

/// Whether a state is worth a warning colour.
pub(super) fn role_of(state: &LinkState) -> Role {
    match state {
        LinkState::Live | LinkState::Replaying => Role::Good,
        LinkState::Connecting(_) | LinkState::Open => Role::Dim,
        LinkState::Stale | LinkState::Waiting { .. } => Role::Bad,
        LinkState::Ended(reason) => match reason {
            crate::model::EndReason::Finished | crate::model::EndReason::Success(_) => Role::Dim,
            crate::model::EndReason::Failure(_) | crate::model::EndReason::Fault(_) => Role::Bad,
        },
    }
}
