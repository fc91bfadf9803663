//! Panes: going to them, adding, closing, sizing.

use crate::app::effect::Effect;
use crate::app::layout::{Axis, Side};
use crate::app::prompt::Purpose;
use crate::app::state::App;

use super::Command;

const STEP: i16 = 20;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "next-pane",
        keys: &["tab", "ctrl-w w", "ctrl-] tab"],
        help: "next pane",
        run: |app| app.turn(1),
    },
    Command {
        name: "previous-pane",
        keys: &["backtab"],
        help: "previous pane",
        run: |app| app.turn(-1),
    },
    Command {
        name: "pane-left",
        keys: &["ctrl-w h", "ctrl-w left", "ctrl-] h"],
        help: "the pane on the left",
        run: |app| app.go(Side::Left),
    },
    Command {
        name: "pane-down",
        keys: &["ctrl-w j", "ctrl-w down", "ctrl-] j"],
        help: "the pane below",
        run: |app| app.go(Side::Down),
    },
    Command {
        name: "pane-up",
        keys: &["ctrl-w k", "ctrl-w up", "ctrl-] k"],
        help: "the pane above",
        run: |app| app.go(Side::Up),
    },
    Command {
        name: "pane-right",
        keys: &["ctrl-w l", "ctrl-w right", "ctrl-] l"],
        help: "the pane on the right",
        run: |app| app.go(Side::Right),
    },
    Command {
        name: "pane-1",
        keys: &["1", "ctrl-] 1"],
        help: "pane 1",
        run: |app| app.go_to(0),
    },
    Command {
        name: "pane-2",
        keys: &["2", "ctrl-] 2"],
        help: "pane 2",
        run: |app| app.go_to(1),
    },
    Command {
        name: "pane-3",
        keys: &["3", "ctrl-] 3"],
        help: "pane 3",
        run: |app| app.go_to(2),
    },
    Command {
        name: "pane-4",
        keys: &["4", "ctrl-] 4"],
        help: "pane 4",
        run: |app| app.go_to(3),
    },
    Command {
        name: "pane-5",
        keys: &["5", "ctrl-] 5"],
        help: "pane 5",
        run: |app| app.go_to(4),
    },
    Command {
        name: "pane-6",
        keys: &["6", "ctrl-] 6"],
        help: "pane 6",
        run: |app| app.go_to(5),
    },
    Command {
        name: "pane-7",
        keys: &["7", "ctrl-] 7"],
        help: "pane 7",
        run: |app| app.go_to(6),
    },
    Command {
        name: "pane-8",
        keys: &["8", "ctrl-] 8"],
        help: "pane 8",
        run: |app| app.go_to(7),
    },
    Command {
        name: "pane-9",
        keys: &["9", "ctrl-] 9"],
        help: "pane 9",
        run: |app| app.go_to(8),
    },
    Command {
        name: "next-tab",
        keys: &["]", "ctrl-] n"],
        help: "next tab",
        run: |app| app.tabs.turn(1),
    },
    Command {
        name: "previous-tab",
        keys: &["[", "ctrl-] p"],
        help: "previous tab",
        run: |app| app.tabs.turn(-1),
    },
    Command {
        name: "own-tab",
        keys: &["ctrl-w T", "ctrl-] t"],
        help: "this pane in a tab of its own",
        run: |app| {
            app.own_tab(app.tabs.now.focus);
        },
    },
    Command {
        name: "zoom",
        keys: &["f", "z", "ctrl-] z"],
        help: "this pane alone, or all again",
        run: |app| app.tabs.now.zoom = !app.tabs.now.zoom,
    },
    Command {
        name: "split-below",
        keys: &["ctrl-w s", "ctrl-] s"],
        help: "the same targets, or another shell there, below",
        run: |app| app.split(Axis::Below),
    },
    Command {
        name: "split-right",
        keys: &["ctrl-w v", "ctrl-] v"],
        help: "the same targets, or another shell there, on the right",
        run: |app| app.split(Axis::Beside),
    },
    Command {
        name: "open",
        keys: &["o", "ctrl-] o"],
        help: "open a target in a new pane",
        run: |app| app.prompt(Purpose::Open, ""),
    },
    Command {
        name: "add",
        keys: &["a"],
        help: "add a target to this pane (merged, coloured by source)",
        run: |app| app.prompt(Purpose::Add, ""),
    },
    Command {
        name: "merge",
        keys: &["M"],
        help: "all targets in one merged pane, or apart again",
        run: |app| app.merge(),
    },
    Command {
        name: "close",
        keys: &["ctrl-w c", "ctrl-w q", "ctrl-] x"],
        help: "close this pane (asks while a shell runs); the last one quits",
        run: |app| app.close(),
    },
    Command {
        name: "only-this",
        keys: &["ctrl-w o"],
        help: "close all other panes; shells that run keep tabs of their own",
        run: |app| app.close_others(),
    },
    Command {
        name: "wider",
        keys: &["ctrl-w >"],
        help: "wider",
        run: |app| app.resize_pane(Axis::Beside, STEP),
    },
    Command {
        name: "narrower",
        keys: &["ctrl-w <"],
        help: "narrower",
        run: |app| app.resize_pane(Axis::Beside, -STEP),
    },
    Command {
        name: "higher",
        keys: &["ctrl-w +"],
        help: "higher",
        run: |app| app.resize_pane(Axis::Below, STEP),
    },
    Command {
        name: "lower",
        keys: &["ctrl-w -"],
        help: "lower",
        run: |app| app.resize_pane(Axis::Below, -STEP),
    },
    Command {
        name: "equalise",
        keys: &["ctrl-w ="],
        help: "all panes equal",
        run: |app| app.tabs.now.tree.equalise(),
    },
    Command {
        name: "reconnect",
        keys: &["R", "ctrl-] r"],
        help: "connect this pane anew, now; a new shell",
        run: reconnect,
    },
];

fn reconnect(app: &mut App) {
    if app.shell().is_some() {
        return app.renew_shell();
    }
    let targets = app
        .pane()
        .map(|pane| pane.targets.clone())
        .unwrap_or_default();
    for target in targets {
        app.wish(Effect::Reconnect(target));
    }
}
