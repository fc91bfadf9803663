//! Moving about in the lines of a pane.

use crate::app::pane::Pane;
use crate::app::pane::pieces::Pieces;
use crate::app::pane::viewport::Size;
use crate::app::state::App;
use crate::model::Level;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "down",
        keys: &["j", "down"],
        help: "one line down",
        run: |app| walk(app, 1),
    },
    Command {
        name: "up",
        keys: &["k", "up"],
        help: "one line up; stops following",
        run: |app| walk(app, -1),
    },
    Command {
        name: "row-down",
        keys: &["ctrl-e"],
        help: "scroll one row down",
        run: |app| scroll(app, |_| 1),
    },
    Command {
        name: "row-up",
        keys: &["ctrl-y"],
        help: "scroll one row up",
        run: |app| scroll(app, |_| -1),
    },
    Command {
        name: "page-down",
        keys: &["space", "pagedown", "ctrl-f"],
        help: "one page down",
        run: |app| scroll(app, |size| page(size, 1)),
    },
    Command {
        name: "page-up",
        keys: &["pageup", "ctrl-b"],
        help: "one page up",
        run: |app| scroll(app, |size| -page(size, 1)),
    },
    Command {
        name: "half-down",
        keys: &["d", "ctrl-d"],
        help: "half a page down",
        run: |app| scroll(app, |size| page(size, 2)),
    },
    Command {
        name: "half-up",
        keys: &["u", "ctrl-u"],
        help: "half a page up",
        run: |app| scroll(app, |size| -page(size, 2)),
    },
    Command {
        name: "top",
        keys: &["g", "home"],
        help: "the oldest line",
        run: top,
    },
    Command {
        name: "bottom",
        keys: &["G", "end"],
        help: "the newest line, and follow",
        run: |app| app.with_pane(|pane, _| pane.follow()),
    },
    Command {
        name: "follow",
        keys: &["F"],
        help: "follow new lines, or stop it",
        run: follow,
    },
    Command {
        name: "pause",
        keys: &["p"],
        help: "hold the display; lines go on being taken in and counted",
        run: pause,
    },
    Command {
        name: "left",
        keys: &["h", "left"],
        help: "scroll left",
        run: |app| shift(app, -1),
    },
    Command {
        name: "right",
        keys: &["l", "right"],
        help: "scroll right",
        run: |app| shift(app, 1),
    },
    Command {
        name: "left-10",
        keys: &["H"],
        help: "scroll ten columns left",
        run: |app| shift(app, -10),
    },
    Command {
        name: "right-10",
        keys: &["L"],
        help: "scroll ten columns right",
        run: |app| shift(app, 10),
    },
    Command {
        name: "line-start",
        keys: &["^"],
        help: "the lines' starts",
        run: |app| app.with_pane(|pane, _| pane.view.left = 0),
    },
    Command {
        name: "line-end",
        keys: &["$"],
        help: "the end of this line",
        run: line_end,
    },
    Command {
        name: "next-hit",
        keys: &["n"],
        help: "next hit of the search",
        run: |app| app.hit(true),
    },
    Command {
        name: "previous-hit",
        keys: &["N"],
        help: "previous hit",
        run: |app| app.hit(false),
    },
    Command {
        name: "next-error",
        keys: &["e"],
        help: "next error (with W: or warning)",
        run: |app| by_level(app, true),
    },
    Command {
        name: "previous-error",
        keys: &["E"],
        help: "previous error",
        run: |app| by_level(app, false),
    },
    Command {
        name: "warnings-too",
        keys: &["W"],
        help: "e and E stop at warnings too, or not",
        run: |app| {
            app.warnings = !app.warnings;
            app.tell(if app.warnings {
                "e and E stop at warnings too"
            } else {
                "e and E stop at errors alone"
            });
        },
    },
];

fn walk(app: &mut App, lines: i64) {
    app.with_pane(|pane, size| pane.walk(lines, size));
}

fn scroll(app: &mut App, rows: fn(Size) -> i64) {
    app.with_pane(|pane, size| pane.scroll(rows(size), size));
}

fn page(size: Size, part: i64) -> i64 {
    let rows = i64::try_from(size.rows).unwrap_or(1);
    (rows / part).max(1)
}

fn top(app: &mut App) {
    app.with_pane(Pane::top);
}

fn follow(app: &mut App) {
    app.with_pane(|pane, size| {
        if pane.view.follow {
            pane.hold(size);
        } else {
            pane.follow();
        }
    });
}

fn pause(app: &mut App) {
    app.with_pane(|pane, _| {
        pane.view.paused = if pane.view.paused.is_some() {
            None
        } else {
            Some(pane.store.end())
        };
    });
}

fn shift(app: &mut App, columns: isize) {
    app.with_pane(|pane, _| {
        if !pane.view.wrap {
            pane.view.left = pane.view.left.saturating_add_signed(columns);
        }
    });
}

fn line_end(app: &mut App) {
    app.with_pane(|pane, size| {
        let row = pane.cursor().and_then(|id| pane.store.get(id));
        let cells = row.map_or(0, |row| Pieces::of(&row, pane.view.pretty).cells());
        if !pane.view.wrap {
            pane.view.left = cells.saturating_sub(size.cols);
        }
    });
}

fn by_level(app: &mut App, forward: bool) {
    let level = if app.warnings {
        Level::Warn
    } else {
        Level::Error
    };
    let mut found = true;
    app.with_pane(|pane, size| match pane.by_level(level, forward) {
        Some(id) => pane.look_at(id, size),
        None => found = false,
    });
    if !found {
        let what = if app.warnings {
            "error or warning"
        } else {
            "error"
        };
        let side = if forward { "below" } else { "above" };
        app.tell(&format!("no {what} {side}"));
    }
}
