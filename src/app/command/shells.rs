//! Shells: everything behind the prefix. In a shell every other key goes to the container.

use crate::app::prompt::Purpose;
use crate::app::state::App;
use crate::lang::words;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "shell",
        keys: &["s"],
        help: words(
            "a shell beside this pane: of its container where that is known",
            "在此窗格旁打开终端：容器已知时即该容器的终端",
        ),
        run: shell,
    },
    Command {
        name: "prefix",
        keys: &["ctrl-] ctrl-]"],
        help: words("send Ctrl-] itself to the shell", "将 Ctrl-] 本身发给终端"),
        run: App::send_prefix,
    },
    Command {
        name: "look-back",
        keys: &["ctrl-] ["],
        help: words(
            "a shell's history: vi keys move, / n N search, v V select, y copies and goes back, q goes back",
            "终端的历史：vi 键移动，/ n N 搜索，v V 选择，y 复制并返回，q 返回",
        ),
        run: App::look_back,
    },
    Command {
        name: "paste",
        keys: &["ctrl-] ]"],
        help: words(
            "paste what was copied here last; several lines ask first",
            "粘贴最近在此复制的内容；多行时先询问",
        ),
        run: App::paste_copied,
    },
    Command {
        name: "stop-paste",
        keys: &["ctrl-] c"],
        help: words(
            "stop a paste that is still being sent",
            "中止仍在发送的粘贴",
        ),
        run: App::stop_paste,
    },
    Command {
        name: "leave-running",
        keys: &["ctrl-] d"],
        help: words(
            "leave the shell running in a tab of its own, and go back",
            "让终端在单独的标签页中继续运行，并返回",
        ),
        run: App::leave_running,
    },
    Command {
        name: "record-shell",
        keys: &["ctrl-] R"],
        help: words(
            "record what this shell shows (asciicast), or end that",
            "录制此终端的画面（asciicast），或结束录制",
        ),
        run: App::toggle_recording,
    },
    Command {
        name: "together",
        keys: &["ctrl-] b"],
        help: words(
            "type into all shells of this tab at once, after their list was confirmed; or end that",
            "确认列表后，同时输入到本标签页的所有终端；或结束同步输入",
        ),
        run: App::toggle_together,
    },
    Command {
        name: "read-only",
        keys: &["ctrl-] w"],
        help: words(
            "keys do not reach this shell, or do again",
            "按键不发给此终端，或恢复发送",
        ),
        run: App::toggle_read_only,
    },
    Command {
        name: "clipboard",
        keys: &["ctrl-] y"],
        help: words(
            "what this shell wants in the clipboard: shown, then allowed or not",
            "此终端想写入剪贴板的内容：先显示，再允许或拒绝",
        ),
        run: App::ask_clipboard,
    },
];

fn shell(app: &mut App) {
    let known = app.pane().and_then(|pane| pane.targets.first().copied());
    let known = known.and_then(|id| app.targets.get(usize::from(id.0)));
    match known.map(|opened| &opened.target) {
        Some(target) => match (target.shell_beside.clone(), target.place().cloned()) {
            (Some(shell), _) => app.open_shell(*shell),
            (None, Some(place)) => app.ask_shell(place),
            (None, None) => app.prompt(Purpose::Shell, &target.shell_like()),
        },
        None => app.prompt(Purpose::Shell, ""),
    }
}
