//! The tree of what runs. Its own keys stand where it has the focus, see `app::tree::deeds`; here
//! is what leads to it, and what it can do, for the help.

use crate::app::state::App;
use crate::lang::words;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "tree",
        keys: &["@", "ctrl-] @"],
        help: words(
            "the tree: ← → fold, / filter (ddzx finds 订单中心), Space mark, l L logs (merged, apart), s shell, v events, m charts, t requests, Enter details, y copy, Ctrl-r anew",
            "资源树：← → 折叠，/ 过滤（ddzx 可找到 订单中心），空格标记，l L 日志（合并、分开），s 终端，v 事件，m 图表，t 请求分析，Enter 详情，y 复制，Ctrl-r 刷新",
        ),
        run: App::go_to_tree,
    },
    Command {
        name: "jump",
        keys: &["ctrl-p"],
        help: words(
            "go to a pane, a component or a command by a few of its letters",
            "输入几个字母，跳到窗格、组件或命令",
        ),
        run: App::begin_jump,
    },
];
