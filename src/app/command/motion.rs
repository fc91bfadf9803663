//! Moving about in the lines of a pane.

use crate::app::pane::Pane;
use crate::app::pane::pieces::Pieces;
use crate::app::pane::viewport::Size;
use crate::app::state::App;
use crate::lang::words;
use crate::model::Level;
use crate::say;
use crate::word;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "down",
        keys: &["j", "down"],
        help: words("one line down", "下移一行"),
        run: |app| walk(app, 1),
    },
    Command {
        name: "up",
        keys: &["k", "up"],
        help: words("one line up; stops following", "上移一行；停止跟随"),
        run: |app| walk(app, -1),
    },
    Command {
        name: "row-down",
        keys: &["ctrl-e"],
        help: words("scroll one row down", "向下滚动一行"),
        run: |app| scroll(app, |_| 1),
    },
    Command {
        name: "row-up",
        keys: &["ctrl-y"],
        help: words("scroll one row up", "向上滚动一行"),
        run: |app| scroll(app, |_| -1),
    },
    Command {
        name: "page-down",
        keys: &["space", "pagedown", "ctrl-f"],
        help: words("one page down", "下翻一页"),
        run: |app| scroll(app, |size| page(size, 1)),
    },
    Command {
        name: "page-up",
        keys: &["pageup", "ctrl-b"],
        help: words("one page up", "上翻一页"),
        run: |app| scroll(app, |size| -page(size, 1)),
    },
    Command {
        name: "half-down",
        keys: &["d", "ctrl-d"],
        help: words("half a page down", "下翻半页"),
        run: |app| scroll(app, |size| page(size, 2)),
    },
    Command {
        name: "half-up",
        keys: &["u", "ctrl-u"],
        help: words("half a page up", "上翻半页"),
        run: |app| scroll(app, |size| -page(size, 2)),
    },
    Command {
        name: "top",
        keys: &["g", "home"],
        help: words("the oldest line", "最早的一行"),
        run: top,
    },
    Command {
        name: "bottom",
        keys: &["G", "end"],
        help: words("the newest line, and follow", "最新的一行，并跟随"),
        run: |app| app.with_pane(|pane, _| pane.follow()),
    },
    Command {
        name: "follow",
        keys: &["F"],
        help: words("follow new lines, or stop it", "跟随新行，或停止跟随"),
        run: follow,
    },
    Command {
        name: "pause",
        keys: &["p"],
        help: words(
            "hold the display; lines go on being taken in and counted",
            "暂停显示；新行照常接收并计数",
        ),
        run: pause,
    },
    Command {
        name: "left",
        keys: &["h", "left"],
        help: words("scroll left", "向左滚动"),
        run: |app| shift(app, -1),
    },
    Command {
        name: "right",
        keys: &["l", "right"],
        help: words("scroll right", "向右滚动"),
        run: |app| shift(app, 1),
    },
    Command {
        name: "left-10",
        keys: &["H"],
        help: words("scroll ten columns left", "向左滚动十列"),
        run: |app| shift(app, -10),
    },
    Command {
        name: "right-10",
        keys: &["L"],
        help: words("scroll ten columns right", "向右滚动十列"),
        run: |app| shift(app, 10),
    },
    Command {
        name: "line-start",
        keys: &["^"],
        help: words("the lines' starts", "回到行首"),
        run: |app| app.with_pane(|pane, _| pane.view.left = 0),
    },
    Command {
        name: "line-end",
        keys: &["$"],
        help: words("the end of this line", "到当前行的行尾"),
        run: line_end,
    },
    Command {
        name: "next-hit",
        keys: &["n"],
        help: words("next hit of the search", "下一个匹配"),
        run: |app| app.hit(true),
    },
    Command {
        name: "previous-hit",
        keys: &["N"],
        help: words("previous hit", "上一个匹配"),
        run: |app| app.hit(false),
    },
    Command {
        name: "next-error",
        keys: &["e"],
        help: words(
            "next error (with W: or warning)",
            "下一个错误（按 W 后含警告）",
        ),
        run: |app| by_level(app, true),
    },
    Command {
        name: "previous-error",
        keys: &["E"],
        help: words("previous error", "上一个错误"),
        run: |app| by_level(app, false),
    },
    Command {
        name: "warnings-too",
        keys: &["W"],
        help: words(
            "e and E stop at warnings too, or not",
            "e 和 E 是否也停在警告上",
        ),
        run: |app| {
            app.warnings = !app.warnings;
            app.tell(if app.warnings {
                word!("e and E stop at warnings too", "e 和 E 也停在警告上")
            } else {
                word!("e and E stop at errors alone", "e 和 E 只停在错误上")
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
            word!("error or warning", "错误或警告")
        } else {
            word!("error", "错误")
        };
        let side = if forward {
            word!("below", "下方")
        } else {
            word!("above", "上方")
        };
        app.tell(&say!("no {what} {side}", "{side}没有{what}"));
    }
}
