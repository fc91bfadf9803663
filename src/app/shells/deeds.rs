//! The commands behind the prefix.

use crate::app::App;
use crate::app::confirm::{Confirm, Deed};
use crate::app::effect::Effect;
use crate::app::key;
use crate::app::prompt::Purpose;
use crate::app::shell::{Clipboard, Look, ShellPane};
use crate::app::tabs::Tab;
use crate::model::PaneId;
use crate::say;
use crate::term::keys;
use crate::word;

impl App {
    /// The prefix itself goes to the container.
    pub(in crate::app) fn send_prefix(&mut self) {
        let key = key::PREFIX;
        self.type_in(|shell, out| keys::encode(&key, &shell.screen.modes(), out));
    }

    /// Copy mode.
    pub(in crate::app) fn look_back(&mut self) {
        if self.shell().is_none() {
            return self.tell(word!(
                "this is no shell: the keys of ? move here",
                "这不是终端：在此用 ? 所列的键移动"
            ));
        }
        self.with_shell(|shell| {
            shell.look.get_or_insert_with(|| Look::new(&shell.screen));
        });
    }

    /// Pastes what was copied here last.
    pub(in crate::app) fn paste_copied(&mut self) {
        if self.copied.is_empty() {
            return self.tell(word!(
                "nothing was copied yet; the terminal's own paste works too",
                "还没有复制过内容；也可用本机终端自己的粘贴"
            ));
        }
        let text = self.copied.clone();
        self.paste_into_shell(&text);
    }

    /// A new shell, after a yes if one runs.
    pub(in crate::app) fn renew_shell(&mut self) {
        match self.shell().filter(|shell| shell.is_running()) {
            Some(shell) => {
                let question = say!(
                    "open a new shell instead? What runs in {} may end",
                    "改开一个新终端？{} 中运行的程序可能会结束",
                    shell.target.name
                );
                self.ask(Confirm::new(question, &[], Deed::Reopen(shell.id)));
            }
            None => self.reopen_shell(),
        }
    }

    /// A new shell where one has ended or was lost, or instead of the one that runs.
    pub(in crate::app) fn reopen_shell(&mut self) {
        let now = self.now;
        let Some(id) = self.with_shell(|shell| {
            shell.reopen(now);
            shell.id
        }) else {
            return;
        };
        self.together.retain(|member| *member != id);
        self.check_together();
        self.wish(Effect::CloseShell(id));
        self.start_shell(id);
    }

    /// Keys reach the focused shell, or do not.
    pub(in crate::app) fn toggle_read_only(&mut self) {
        let now = self.with_shell(|shell| {
            shell.read_only = !shell.read_only;
            shell.read_only
        });
        match now {
            Some(true) => self.tell(word!(
                "read-only: keys do not reach this shell",
                "只读：按键不会发给此终端"
            )),
            Some(false) => self.tell(word!("keys reach this shell again", "按键恢复发给此终端")),
            None => self.tell(word!("this is no shell", "这不是终端")),
        }
    }

    /// All running shells of this tab are typed into together, after a yes; or no longer.
    pub(in crate::app) fn toggle_together(&mut self) {
        if !self.together.is_empty() {
            self.together.clear();
            return self.tell(word!(
                "what is typed goes to one shell again",
                "输入恢复为只发给一个终端"
            ));
        }
        let members: Vec<PaneId> = self
            .tabs
            .now
            .tree
            .panes()
            .into_iter()
            .filter(|id| self.shells.get(id).is_some_and(ShellPane::is_running))
            .collect();
        if members.len() < 2 || !members.contains(&self.tabs.now.focus) {
            return self.tell(word!(
                "it takes two running shells in this tab, and the focus on one of them",
                "本标签页中要有至少两个运行中的终端，且焦点在其中之一"
            ));
        }
        let names: Vec<String> = members
            .iter()
            .filter_map(|id| Some((self.number(*id), self.shells.get(id)?)))
            .map(|(number, shell)| format!("{number} {}  {}", shell.target.name, shell.target.text))
            .collect();
        let question = say!(
            "type into these {} shells at once?",
            "同时输入到以下 {} 个终端？",
            members.len()
        );
        self.ask(Confirm::new(question, &names, Deed::Together(members)));
    }

    /// A recording begins or ends.
    pub(in crate::app) fn toggle_recording(&mut self) {
        let Some((id, running)) = self
            .shell()
            .map(|shell| (shell.id, shell.recording.is_some()))
        else {
            return self.tell(word!("this is no shell", "这不是终端"));
        };
        if running {
            return self.wish(Effect::StopRecording(id));
        }
        let name = self.file_name("cast");
        self.prompt(Purpose::Record, &name);
    }

    /// The recording's name was typed.
    pub(in crate::app) fn begin_recording(&mut self, path: &str) {
        let Some(shell) = self.shell() else { return };
        let size = shell.screen.size();
        let title = shell.target.name.clone();
        let (pane, size) = (shell.id, (size.columns(), size.rows()));
        let path = std::path::PathBuf::from(path);
        self.wish(Effect::Record {
            pane,
            path,
            size,
            title,
        });
    }

    /// The user stops what is still to be sent.
    pub(in crate::app) fn stop_paste(&mut self) {
        match self.shell().map(|shell| (shell.id, shell.queued)) {
            Some((id, queued)) if queued > 0 => self.wish(Effect::StopInput(id)),
            Some(_) => self.tell(word!("nothing waits to be sent", "没有等待发送的内容")),
            None => self.tell(word!("this is no shell", "这不是终端")),
        }
    }

    /// The clipboard that a program wants to set is shown, and asked about.
    pub(in crate::app) fn ask_clipboard(&mut self) {
        let Some(shell) = self.shell() else { return };
        match &shell.clipboard {
            Clipboard::Wanted(text) => {
                let question = say!(
                    "let {} set the clipboard to this, and later too?",
                    "允许 {} 将以下内容写入剪贴板，并在以后也允许？",
                    shell.target.name
                );
                let deed = Deed::Clipboard(shell.id, text.clone());
                let confirm = Confirm::about_text(question, &text.clone(), deed);
                self.ask(confirm);
            }
            Clipboard::Allowed => {
                self.with_shell(|shell| shell.clipboard = Clipboard::Refused);
                self.tell(word!(
                    "this shell can't set the clipboard any more",
                    "此终端不能再写入剪贴板"
                ));
            }
            Clipboard::Unasked | Clipboard::Refused => {
                self.with_shell(|shell| shell.clipboard = Clipboard::Unasked);
                self.tell(word!(
                    "this shell may ask to set the clipboard",
                    "此终端可以请求写入剪贴板"
                ));
            }
        }
    }

    /// The shell goes on in a tab of its own, and we go back to where we were.
    pub(in crate::app) fn leave_running(&mut self) {
        let id = self.tabs.now.focus;
        if self.shell().is_none() {
            return self.tell(word!("this is no shell", "这不是终端"));
        }
        if self.tabs.len() == 1 && self.tabs.now.tree.panes().len() == 1 {
            return self.tell(word!(
                "there is nothing else to go to; o opens a target",
                "没有别处可去；按 o 打开目标"
            ));
        }
        let here = self.tabs.at();
        if self.own_tab(id) {
            self.tabs.go_to(here);
        } else {
            self.tabs.turn(-1);
        }
        self.tell(&say!(
            "it runs on; {} goes back to it",
            "终端继续运行；按 {} 回到它",
            self.number(id)
        ));
    }

    /// Moves a pane into a tab of its own, which comes to the front. False if it has one.
    pub(in crate::app) fn own_tab(&mut self, id: PaneId) -> bool {
        let Some(rest) = self.tabs.now.tree.clone().without(id) else {
            return false;
        };
        let focus = rest.panes().first().copied();
        self.tabs.now.tree = rest;
        self.tabs.now.focus = focus.unwrap_or(self.tabs.now.focus);
        self.tabs.now.zoom = false;
        self.tabs.open(Tab::of(id));
        true
    }
}
