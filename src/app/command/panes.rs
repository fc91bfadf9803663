//! Panes: going to them, adding, closing, sizing.

use crate::app::effect::Effect;
use crate::app::layout::{Axis, Side};
use crate::app::prompt::Purpose;
use crate::app::state::App;
use crate::lang::words;
use crate::say;
use crate::word;

use super::Command;

const STEP: i16 = 20;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "next-pane",
        keys: &["tab", "ctrl-w w", "ctrl-] tab"],
        help: words("next pane", "下一个窗格"),
        run: |app| app.turn(1),
    },
    Command {
        name: "previous-pane",
        keys: &["backtab"],
        help: words("previous pane", "上一个窗格"),
        run: |app| app.turn(-1),
    },
    Command {
        name: "pane-left",
        keys: &["ctrl-w h", "ctrl-w left", "ctrl-] h"],
        help: words("the pane on the left", "左边的窗格"),
        run: |app| app.go(Side::Left),
    },
    Command {
        name: "pane-down",
        keys: &["ctrl-w j", "ctrl-w down", "ctrl-] j"],
        help: words("the pane below", "下方的窗格"),
        run: |app| app.go(Side::Down),
    },
    Command {
        name: "pane-up",
        keys: &["ctrl-w k", "ctrl-w up", "ctrl-] k"],
        help: words("the pane above", "上方的窗格"),
        run: |app| app.go(Side::Up),
    },
    Command {
        name: "pane-right",
        keys: &["ctrl-w l", "ctrl-w right", "ctrl-] l"],
        help: words("the pane on the right", "右边的窗格"),
        run: |app| app.go(Side::Right),
    },
    Command {
        name: "pane-1",
        keys: &["1", "ctrl-] 1"],
        help: words("pane 1", "窗格 1"),
        run: |app| app.go_to(0),
    },
    Command {
        name: "pane-2",
        keys: &["2", "ctrl-] 2"],
        help: words("pane 2", "窗格 2"),
        run: |app| app.go_to(1),
    },
    Command {
        name: "pane-3",
        keys: &["3", "ctrl-] 3"],
        help: words("pane 3", "窗格 3"),
        run: |app| app.go_to(2),
    },
    Command {
        name: "pane-4",
        keys: &["4", "ctrl-] 4"],
        help: words("pane 4", "窗格 4"),
        run: |app| app.go_to(3),
    },
    Command {
        name: "pane-5",
        keys: &["5", "ctrl-] 5"],
        help: words("pane 5", "窗格 5"),
        run: |app| app.go_to(4),
    },
    Command {
        name: "pane-6",
        keys: &["6", "ctrl-] 6"],
        help: words("pane 6", "窗格 6"),
        run: |app| app.go_to(5),
    },
    Command {
        name: "pane-7",
        keys: &["7", "ctrl-] 7"],
        help: words("pane 7", "窗格 7"),
        run: |app| app.go_to(6),
    },
    Command {
        name: "pane-8",
        keys: &["8", "ctrl-] 8"],
        help: words("pane 8", "窗格 8"),
        run: |app| app.go_to(7),
    },
    Command {
        name: "pane-9",
        keys: &["9", "ctrl-] 9"],
        help: words("pane 9", "窗格 9"),
        run: |app| app.go_to(8),
    },
    Command {
        name: "next-tab",
        keys: &["]", "ctrl-] n"],
        help: words("next tab", "下一个标签页"),
        run: |app| app.tabs.turn(1),
    },
    Command {
        name: "previous-tab",
        keys: &["[", "ctrl-] p"],
        help: words("previous tab", "上一个标签页"),
        run: |app| app.tabs.turn(-1),
    },
    Command {
        name: "own-tab",
        keys: &["ctrl-w T", "ctrl-] t"],
        help: words("this pane in a tab of its own", "将此窗格移到单独的标签页"),
        run: |app| {
            app.own_tab(app.tabs.now.focus);
        },
    },
    Command {
        name: "zoom",
        keys: &["f", "z", "ctrl-] z"],
        help: words("this pane alone, or all again", "只看此窗格，或恢复全部"),
        run: |app| app.tabs.now.zoom = !app.tabs.now.zoom,
    },
    Command {
        name: "split-below",
        keys: &["ctrl-w s", "ctrl-] s"],
        help: words(
            "the same targets, or another shell there, below",
            "在下方再开同样的目标，或同处的另一个终端",
        ),
        run: |app| app.split(Axis::Below),
    },
    Command {
        name: "split-right",
        keys: &["ctrl-w v", "ctrl-] v"],
        help: words(
            "the same targets, or another shell there, on the right",
            "在右边再开同样的目标，或同处的另一个终端",
        ),
        run: |app| app.split(Axis::Beside),
    },
    Command {
        name: "open",
        keys: &["o", "ctrl-] o"],
        help: words("open a target in a new pane", "在新窗格中打开目标"),
        run: |app| app.prompt(Purpose::Open, ""),
    },
    Command {
        name: "add",
        keys: &["a"],
        help: words(
            "add a target to this pane (merged, coloured by source)",
            "向此窗格添加目标（合并显示，按来源着色）",
        ),
        run: |app| app.prompt(Purpose::Add, ""),
    },
    Command {
        name: "merge",
        keys: &["M"],
        help: words(
            "all targets in one merged pane, or apart again",
            "所有目标合并到一个窗格，或再分开",
        ),
        run: |app| app.merge(),
    },
    Command {
        name: "close",
        keys: &["ctrl-w c", "ctrl-w q", "ctrl-] x"],
        help: words(
            "close this pane (asks while a shell runs); the last one quits",
            "关闭此窗格（终端运行时先询问）；关闭最后一个即退出",
        ),
        run: |app| app.close(),
    },
    Command {
        name: "only-this",
        keys: &["ctrl-w o"],
        help: words(
            "close all other panes; shells that run keep tabs of their own",
            "关闭其他所有窗格；运行中的终端移到单独的标签页",
        ),
        run: |app| app.close_others(),
    },
    Command {
        name: "wider",
        keys: &["ctrl-w >"],
        help: words("wider", "变宽"),
        run: |app| app.resize_pane(Axis::Beside, STEP),
    },
    Command {
        name: "narrower",
        keys: &["ctrl-w <"],
        help: words("narrower", "变窄"),
        run: |app| app.resize_pane(Axis::Beside, -STEP),
    },
    Command {
        name: "higher",
        keys: &["ctrl-w +"],
        help: words("higher", "变高"),
        run: |app| app.resize_pane(Axis::Below, STEP),
    },
    Command {
        name: "lower",
        keys: &["ctrl-w -"],
        help: words("lower", "变矮"),
        run: |app| app.resize_pane(Axis::Below, -STEP),
    },
    Command {
        name: "equalise",
        keys: &["ctrl-w ="],
        help: words("all panes equal", "所有窗格等大"),
        run: |app| app.tabs.now.tree.equalise(),
    },
    Command {
        name: "reconnect",
        keys: &["R", "ctrl-] r"],
        help: words(
            "connect this pane anew, now; a new shell",
            "立即重连此窗格；终端则新开一个",
        ),
        run: reconnect,
    },
    Command {
        name: "doctor",
        keys: &["!"],
        help: words(
            "find out what stands in the way of this pane's first target",
            "检查此窗格的第一个目标为何连不上",
        ),
        run: App::examine,
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

impl App {
    /// Examines what the focused pane shows, its first target; the findings are shown in full.
    fn examine(&mut self) {
        let of_pane = self.pane().and_then(|pane| {
            let opened = self.targets.get(usize::from(pane.targets.first()?.0))?;
            Some(opened.target.clone())
        });
        let target = self.shell().map(|shell| shell.target.clone()).or(of_pane);
        let Some(target) = target else {
            return self.fail(word!("there is no target here", "这里没有目标"));
        };
        self.tell(&say!("examining {}…", "正在检查 {}…", target.name));
        self.examined = Some(self.tabs.now.focus);
        self.wish(Effect::Examine(self.tabs.now.focus, Box::new(target)));
    }
}
