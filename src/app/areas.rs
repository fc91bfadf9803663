//! Which parts of a pane's rectangle are what: one answer for drawing, scrolling and the mouse.

use ratatui::layout::Rect;

use super::pane::{Pane, SourceColumn, StampColumn, Strip};

/// A pane lower than this has no status row.
const STATUS_FROM: u16 = 5;
/// The text is never narrower than this for the columns' sake.
const TEXT: u16 = 12;

/// The title row.
pub fn title_area(rect: Rect) -> Rect {
    Rect {
        height: rect.height.min(1),
        ..rect
    }
}

/// The status row; empty in low panes.
pub fn status_area(rect: Rect) -> Rect {
    let height = u16::from(rect.height >= STATUS_FROM);
    Rect {
        y: rect.bottom().saturating_sub(height),
        height,
        ..rect
    }
}

/// The rows between title and status.
pub fn body_area(rect: Rect) -> Rect {
    let (title, status) = (title_area(rect).height, status_area(rect).height);
    Rect {
        y: rect.y + title,
        height: rect.height.saturating_sub(title + status),
        ..rect
    }
}

/// The strip of volume over the lines of a pane; empty where there is none, or no room.
pub fn strip_area(pane: &Pane, rect: Rect) -> Rect {
    let body = body_area(rect);
    let wanted = match pane.times.strip {
        Strip::Off => 0,
        Strip::Bars => 4,
        Strip::Heat => 5,
    };
    let height = if body.height > 2 * wanted { wanted } else { 0 };
    Rect { height, ..body }
}

/// The rows of a pane of lines, columns included.
pub fn lines_area(pane: &Pane, rect: Rect) -> Rect {
    let (body, strip) = (body_area(rect), strip_area(pane, rect));
    Rect {
        y: body.y + strip.height,
        height: body.height - strip.height,
        ..body
    }
}

/// Widths of the columns before the text: time and source. The level's bar before them takes
/// one more.
pub fn columns(pane: &Pane, width: u16) -> (u16, u16) {
    let stamps: u16 = match pane.view.stamps {
        StampColumn::None => 0,
        StampColumn::Short => 9,
        StampColumn::Full => 24,
        StampColumn::Relative => 6,
    };
    let sources: u16 = match (pane.view.sources, pane.is_merged()) {
        (SourceColumn::None, _) => 0,
        (SourceColumn::Short | SourceColumn::Full, false) if !pane.sourced => 0,
        (SourceColumn::Short, false) => 7,
        (SourceColumn::Short, true) => 16,
        (SourceColumn::Full, false) => 13,
        (SourceColumn::Full, true) => 33,
    };
    let room = width.saturating_sub(TEXT + 1);
    let stamps = if stamps <= room { stamps } else { 0 };
    let sources = sources.min(room - stamps);
    (stamps, if sources < 4 { 0 } else { sources })
}

/// The text itself.
pub fn text_area(pane: &Pane, rect: Rect) -> Rect {
    let body = lines_area(pane, rect);
    let (stamps, sources) = columns(pane, body.width);
    let before = (1 + stamps + sources).min(body.width);
    Rect {
        x: body.x + before,
        width: body.width - before,
        ..body
    }
}
