//! The program itself.

use crate::app::effect::Effect;
use crate::app::prompt::Purpose;
use crate::app::state::App;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        keys: &["?", "f1", "ctrl-] ?"],
        help: "this help",
        run: App::open_help,
    },
    Command {
        name: "command",
        keys: &[":", "ctrl-] :"],
        help: "a command by name: wrap, theme light, open TARGET, save FILE …",
        run: |app| app.prompt(Purpose::Command, ""),
    },
    Command {
        name: "mouse",
        keys: &[],
        help: "mouse on or off; Shift-drag always selects in the terminal",
        run: mouse,
    },
    Command {
        name: "theme",
        keys: &[],
        help: "a theme: dark, light, contrast, ansi16, plain, or one of your own; or a file's path",
        run: |app| app.prompt(Purpose::Command, "theme "),
    },
    Command {
        name: "redraw",
        keys: &["ctrl-l"],
        help: "draw everything anew",
        run: |app| app.wish(Effect::Redraw),
    },
    Command {
        name: "suspend",
        keys: &["ctrl-z"],
        help: "stop; fg comes back",
        run: |app| app.wish(Effect::Suspend),
    },
    Command {
        name: "back",
        keys: &["esc"],
        help: "end the selection, the search, the zoom; never quits",
        run: back,
    },
    Command {
        name: "quit",
        keys: &["q"],
        help: "quit; asks while shells run",
        run: App::quit,
    },
    Command {
        name: "quit-now",
        keys: &["Q"],
        help: "quit without a question",
        run: |app| app.wish(Effect::Quit),
    },
    Command {
        name: "interrupt",
        keys: &["ctrl-c"],
        help: "twice: quit",
        run: App::interrupt,
    },
];

fn mouse(app: &mut App) {
    app.mouse = !app.mouse;
    app.tell(if app.mouse { "mouse on" } else { "mouse off" });
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
