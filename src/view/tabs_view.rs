//! The row of tabs, while there are several: ` 1-6 api, web …  7 web-0 `.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;
use crate::app::tabs::Tab;
use crate::text::{SafeText, width};

use super::paint;
use super::theme::{Role, Theme};

/// Columns of a tab's name at most.
const NAME: usize = 24;

/// Paints the row; the tab in front is always seen.
pub(super) fn render(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    paint::fill(buf, area, theme.style(Role::Hint));
    let labels: Vec<String> = app.tabs.iter().map(|tab| label(app, tab)).collect();
    let now = app.tabs.at();
    let mut first = 0;
    let cells = |from: usize| -> usize {
        let shown = labels.get(from..=now).unwrap_or(&[]);
        shown.iter().map(|label| width::cells(label) + 1).sum()
    };
    while first < now && cells(first) > usize::from(area.width) {
        first += 1;
    }
    let mut x = area.x;
    for (index, label) in labels.iter().enumerate().skip(first) {
        let style = theme.style(if index == now {
            Role::TitleFocus
        } else {
            Role::Title
        });
        x = paint::say(buf, paint::from(area, x), label, style) + 1;
    }
}

fn label(app: &App, tab: &Tab) -> String {
    let panes = tab.tree.panes();
    let numbers: Vec<usize> = panes.iter().map(|pane| app.number(*pane)).collect();
    let numbers = match numbers.as_slice() {
        [only] => only.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    };
    let names: Vec<String> = panes.iter().map(|pane| app.name_of(*pane)).collect();
    let name = SafeText::of(&names.join(", ")).to_string();
    let cut = width::fit(&name, NAME);
    let more = if cut.len() < name.len() { "…" } else { "" };
    let bell = panes
        .iter()
        .filter_map(|pane| app.shells.get(pane))
        .any(|shell| shell.bell);
    let bell = if bell { "! " } else { "" };
    format!(" {bell}{numbers} {cut}{more} ")
}
