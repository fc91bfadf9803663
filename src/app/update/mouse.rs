//! What the mouse does: clicks, the wheel, dividers that are dragged.

use ratatui::layout::{Position, Rect};

use crate::app::mode::Mode;
use crate::app::state::App;
use crate::term::keys::{Button, Did, Pointer};

/// Rows that one turn of the wheel scrolls.
const WHEEL: i64 = 3;

impl App {
    pub(super) fn on_mouse(&mut self, pointer: Pointer) {
        let at = Position::new(pointer.column, pointer.line);
        let hit = self
            .places()
            .into_iter()
            .find(|(_, rect)| rect.contains(at));
        if let Some((pane, rect)) = hit
            && matches!(self.mode, Mode::Normal)
            && self.shells.contains_key(&pane)
        {
            if matches!(pointer.did, Did::Press(_)) {
                self.tabs.now.focus = pane;
            }
            if self.shell_mouse(pane, rect, pointer) {
                return;
            }
        }
        match pointer.did {
            Did::Press(Button::Left) => {
                self.dragging = None;
                let Some((pane, rect)) = hit else {
                    return self.grab_divider(at);
                };
                self.tabs.now.focus = pane;
                self.click_line(rect, at);
            }
            Did::WheelUp => self.wheel(hit, -WHEEL),
            Did::WheelDown => self.wheel(hit, WHEEL),
            Did::Drag(Button::Left) => self.drag(at),
            Did::Release(Button::Left) => self.dragging = None,
            Did::Press(_)
            | Did::Release(_)
            | Did::Drag(_)
            | Did::Move
            | Did::WheelLeft
            | Did::WheelRight => {}
        }
    }

    fn click_line(&mut self, rect: Rect, at: Position) {
        self.with_pane(|pane, size| {
            let text = crate::app::areas::text_area(pane, rect);
            let body = crate::app::areas::lines_area(pane, rect);
            if !body.contains(at) {
                return;
            }
            let row = usize::from(at.y.saturating_sub(text.y));
            let line = pane
                .screen(size)
                .into_iter()
                .find(|screen| screen.at == row)
                .map(|screen| screen.line);
            if let Some(line) = line {
                pane.look_at(line, size);
            }
        });
    }

    fn wheel(&mut self, hit: Option<(crate::model::PaneId, Rect)>, rows: i64) {
        let Some((id, _)) = hit else { return };
        let Some(size) = self.panes.get(&id).map(|pane| self.text_size(pane)) else {
            return;
        };
        if let Some(pane) = self.panes.get_mut(&id) {
            pane.scroll(rows, size);
        }
    }

    /// The divider right of a pane can be dragged.
    fn grab_divider(&mut self, at: Position) {
        let left = |(_, rect): &(crate::model::PaneId, Rect)| {
            rect.right() == at.x && (rect.y..rect.bottom()).contains(&at.y)
        };
        self.dragging = self.places().into_iter().find(left).map(|(pane, _)| pane);
    }

    fn drag(&mut self, at: Position) {
        let Some(id) = self.dragging else { return };
        let Some((_, rect)) = self.places().into_iter().find(|(pane, _)| *pane == id) else {
            return;
        };
        let step = match at.x.cmp(&rect.right()) {
            std::cmp::Ordering::Less => -5,
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => 5,
        };
        for _ in 0..40 {
            let before = self
                .places()
                .into_iter()
                .find(|(pane, _)| *pane == id)
                .map_or(0, |(_, rect)| rect.right());
            if (step > 0) != (before < at.x)
                || before == at.x
                || !self
                    .tabs
                    .now
                    .tree
                    .resize(id, crate::app::layout::Axis::Beside, step)
            {
                return;
            }
        }
    }
}
