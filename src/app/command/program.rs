//! The program itself.

use crate::app::effect::Effect;
use crate::app::prompt::Purpose;
use crate::app::state::App;
use crate::lang::words;
use crate::word;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        keys: &["?", "f1", "ctrl-] ?"],
        help: words("this help", "本帮助"),
        run: App::open_help,
    },
    Command {
        name: "command",
        keys: &[":", "ctrl-] :"],
        help: words(
            "a command by name: wrap, theme light, open TARGET, save FILE …",
            "按名称执行命令：wrap、theme light、open TARGET、save FILE …",
        ),
        run: |app| app.prompt(Purpose::Command, ""),
    },
    Command {
        name: "share",
        keys: &[],
        help: words(
            "copy the command line that opens what is open here",
            "复制能打开当前内容的命令行",
        ),
        run: App::share,
    },
    Command {
        name: "view",
        keys: &[],
        help: words(
            "save what is open under a name; deckwatch --view NAME opens it",
            "以一个名字保存当前视图；用 deckwatch --view NAME 打开",
        ),
        run: |app| app.prompt(Purpose::Command, "view "),
    },
    Command {
        name: "mouse",
        keys: &[],
        help: words(
            "mouse on or off; Shift-drag always selects in the terminal",
            "开关鼠标；按住 Shift 拖动始终是本机终端的选择",
        ),
        run: mouse,
    },
    Command {
        name: "theme",
        keys: &[],
        help: words(
            "a theme: dark, light, contrast, ansi16, plain, or one of your own; or a file's path",
            "主题：dark、light、contrast、ansi16、plain 或自己的主题；也可写文件路径",
        ),
        run: |app| app.prompt(Purpose::Command, "theme "),
    },
    Command {
        name: "redraw",
        keys: &["ctrl-l"],
        help: words("draw everything anew", "全部重绘"),
        run: |app| app.wish(Effect::Redraw),
    },
    Command {
        name: "suspend",
        keys: &["ctrl-z"],
        help: words("stop; fg comes back", "挂起；fg 恢复"),
        run: |app| app.wish(Effect::Suspend),
    },
    Command {
        name: "back",
        keys: &["esc"],
        help: words(
            "end the selection, the search, the zoom; never quits",
            "结束选择、搜索、放大；不会退出",
        ),
        run: back,
    },
    Command {
        name: "quit",
        keys: &["q"],
        help: words(
            "back to the tree; there, or without one, quit (asks while shells run)",
            "返回资源树；在树中或没有树时退出（有终端运行时先询问）",
        ),
        run: App::back_or_quit,
    },
    Command {
        name: "quit-now",
        keys: &["Q"],
        help: words("quit without a question", "直接退出，不询问"),
        run: |app| app.wish(Effect::Quit),
    },
    Command {
        name: "interrupt",
        keys: &["ctrl-c"],
        help: words("twice: quit", "连按两次：退出"),
        run: App::interrupt,
    },
];

fn mouse(app: &mut App) {
    app.mouse = !app.mouse;
    app.tell(if app.mouse {
        word!("mouse on", "鼠标已开")
    } else {
        word!("mouse off", "鼠标已关")
    });
}

fn back(app: &mut App) {
    let mut done = false;
    app.with_pane(|pane, _| {
        done = pane.view.select.take().is_some() || pane.search.take().is_some();
    });
    if !done {
        app.tabs.now.zoom = false;
    }
}
