//! Shells: everything behind the prefix. In a shell every other key goes to the container.

use crate::app::prompt::Purpose;
use crate::app::state::App;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "shell",
        keys: &["s"],
        help: "a shell beside this pane: of its container where that is known",
        run: shell,
    },
    Command {
        name: "prefix",
        keys: &["ctrl-] ctrl-]"],
        help: "send Ctrl-] itself to the shell",
        run: App::send_prefix,
    },
    Command {
        name: "look-back",
        keys: &["ctrl-] ["],
        help: "a shell's history: vi keys move, / n N search, v V select, y copies and goes back, q goes back",
        run: App::look_back,
    },
    Command {
        name: "paste",
        keys: &["ctrl-] ]"],
        help: "paste what was copied here last; several lines ask first",
        run: App::paste_copied,
    },
    Command {
        name: "stop-paste",
        keys: &["ctrl-] c"],
        help: "stop a paste that is still being sent",
        run: App::stop_paste,
    },
    Command {
        name: "leave-running",
        keys: &["ctrl-] d"],
        help: "leave the shell running in a tab of its own, and go back",
        run: App::leave_running,
    },
    Command {
        name: "record-shell",
        keys: &["ctrl-] R"],
        help: "record what this shell shows (asciicast), or end that",
        run: App::toggle_recording,
    },
    Command {
        name: "together",
        keys: &["ctrl-] b"],
        help: "type into all shells of this tab at once, after their list was confirmed; or end that",
        run: App::toggle_together,
    },
    Command {
        name: "read-only",
        keys: &["ctrl-] w"],
        help: "keys do not reach this shell, or do again",
        run: App::toggle_read_only,
    },
    Command {
        name: "clipboard",
        keys: &["ctrl-] y"],
        help: "what this shell wants in the clipboard: shown, then allowed or not",
        run: App::ask_clipboard,
    },
];

fn shell(app: &mut App) {
    let known = app.pane().and_then(|pane| pane.targets.first().copied());
    let known = known.and_then(|id| app.targets.get(usize::from(id.0)));
    match known.map(|opened| &opened.target) {
        Some(target) => match target.shell_beside.clone() {
            Some(shell) => app.open_shell(*shell),
            None => app.prompt(Purpose::Shell, &target.shell_like()),
        },
        None => app.prompt(Purpose::Shell, ""),
    }
}
