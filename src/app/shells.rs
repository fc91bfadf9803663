//! Shells in the program's state: what keys, pastes and the mouse do in one, and the commands
//! behind the prefix. What goes to a container leaves as a wish.

mod deeds;
mod typing;

use bytes::Bytes;
use regex::{Regex, RegexBuilder};

use crate::codec::target::Target;
use crate::model::shell::ShellUpdate;
use crate::model::{PaneId, words};
use crate::say;
use crate::term::Tracking;
use crate::term::key::{Code, Key};
use crate::term::keys;
use crate::term::screen::Size;
use crate::text::redact::Secret;
use crate::word;

use super::areas;
use super::command;
use super::confirm::{Confirm, Deed};
use super::effect::{Effect, Reports};
use super::help::Help;
use super::layout::Axis;
use super::mode::Mode;
use super::prompt::Purpose;
use super::shell::{Clipboard, Look, Outcome, ShellPane};
use super::state::App;

impl App {
    /// The focused shell.
    pub fn shell(&self) -> Option<&ShellPane> {
        self.shells.get(&self.tabs.now.focus)
    }

    /// Does something to the focused shell.
    pub(super) fn with_shell<T>(&mut self, deed: impl FnOnce(&mut ShellPane) -> T) -> Option<T> {
        self.shells.get_mut(&self.tabs.now.focus).map(deed)
    }

    /// The help; over a shell it begins with the shells.
    pub fn open_help(&mut self) {
        let top = match self.shell() {
            Some(_) => Help::of(self.body(), &self.keymap).heading(command::SHELLS),
            None => 0,
        };
        self.mode = Mode::Help { top };
    }

    /// Shells that run.
    pub fn running_shells(&self) -> usize {
        self.shells
            .values()
            .filter(|shell| shell.is_running())
            .count()
    }

    /// A new pane with a shell, beside the focused one. A password that is needed is asked for
    /// first.
    pub(super) fn open_shell(&mut self, target: Target) {
        match self.new_shell_of(target) {
            Some(id) => {
                self.place_beside(id);
                self.start_shell(id);
            }
            None => self.ask_password(),
        }
    }

    /// A pane with a shell that is neither placed nor started; none if it waits for a password.
    pub(super) fn new_shell_of(&mut self, target: Target) -> Option<PaneId> {
        let user = target.shell().and_then(|spec| spec.user.clone());
        let Some(user) = user else {
            return Some(self.new_shell(target, None));
        };
        self.asked_for.push_back((target, user));
        None
    }

    /// Asks for the next password that is waited for.
    pub(super) fn ask_password(&mut self) {
        let Some((target, user)) = self.asked_for.front() else {
            return;
        };
        let note = say!("of {user} for {}", "（{user}，{}）", target.name);
        self.prompt(Purpose::Password, "");
        if let Mode::Prompt(prompt) = &mut self.mode {
            prompt.note = Some(note);
        }
    }

    /// The password was typed, or was not.
    pub(super) fn on_password(&mut self, password: Option<&str>) {
        if let Some((target, user)) = self.asked_for.pop_front() {
            match password {
                Some(password) => {
                    let id = self.new_shell(target, Some((user, Secret::new(password))));
                    self.place_beside(id);
                    self.start_shell(id);
                }
                None => self.tell(&say!("{} is not opened", "未打开 {}", target.name)),
            }
        }
        self.ask_password();
    }

    /// Another shell of the same container, along `axis`.
    pub(super) fn split_shell(
        &mut self,
        axis: Axis,
        target: Target,
        login: Option<(String, Secret)>,
    ) {
        let id = self.new_shell(target, login);
        self.tabs.now.tree.insert(self.tabs.now.focus, axis, id);
        self.tabs.now.focus = id;
        self.tabs.now.zoom = false;
        self.start_shell(id);
    }

    fn new_shell(&mut self, target: Target, login: Option<(String, Secret)>) -> PaneId {
        let id = self.fresh_pane();
        let mut shell = ShellPane::new(id, target, login, Size::new(80, 24), self.now);
        shell.screen.allow_kitty(self.kitty);
        if shell.is_exposed() {
            self.fail(crate::model::shell::EXPOSED.get());
        }
        self.shells.insert(id, shell);
        id
    }

    /// Opens what a pane is there for, at the size that it has now.
    pub(super) fn start_shell(&mut self, id: PaneId) {
        self.fit_shells();
        let Some(shell) = self.shells.get(&id) else {
            return;
        };
        let size = shell.screen.size();
        let (target, login) = (shell.target.clone(), shell.login.clone());
        let size = (size.columns(), size.rows());
        self.wish(Effect::OpenShell {
            pane: id,
            target,
            login,
            size,
        });
    }

    /// A source of a shell says something.
    pub(super) fn on_shell(&mut self, id: PaneId, update: ShellUpdate) {
        let now = self.now;
        let Some(shell) = self.shells.get_mut(&id) else {
            return;
        };
        let over = matches!(update, ShellUpdate::Ended(_));
        let outcome = shell.on_update(update, now);
        self.after_shell(id, outcome);
        if over {
            self.together.retain(|member| *member != id);
            self.check_together();
        }
        if self.tabs.now.focus == id
            && let Some(shell) = self.shells.get_mut(&id)
        {
            shell.bell = false;
        }
    }

    fn after_shell(&mut self, id: PaneId, outcome: Outcome) {
        if !outcome.reply.is_empty() {
            self.wish(Effect::ToShell(id, Bytes::from(outcome.reply)));
        }
        if let Some(text) = outcome.copy {
            self.wish(Effect::Copy(text));
        }
        if let Some(text) = outcome.tell {
            self.tell(&text);
        }
        if let Some(text) = outcome.fail {
            self.fail(&text);
        }
    }

    /// Shows what programs hold back for too long.
    pub(super) fn release_shells(&mut self) {
        let now = self.now.mono;
        let held: Vec<PaneId> = self
            .shells
            .values()
            .filter(|shell| shell.held.is_some())
            .map(|shell| shell.id)
            .collect();
        for id in held {
            if let Some(outcome) = self.shells.get_mut(&id).map(|shell| shell.release(now)) {
                self.after_shell(id, outcome);
            }
        }
    }

    /// Begins a search in the focused shell's history.
    pub(super) fn search_shell(&mut self, text: &str, literal: bool) {
        let Some(pattern) = self.screen_pattern(text, literal) else {
            return;
        };
        let rows = self.shell_rows();
        let did = self.with_shell(|shell| {
            let look = shell.look.get_or_insert_with(|| Look::new(&shell.screen));
            look.search(pattern, &shell.screen, rows)
        });
        if let Some(did) = did {
            self.after_look(did);
        }
    }

    /// The same patterns as in lines; a screen is text, so that it takes one for text.
    fn screen_pattern(&mut self, text: &str, literal: bool) -> Option<Regex> {
        self.pattern(text, literal)?;
        let source = if literal {
            regex::escape(text)
        } else {
            text.to_owned()
        };
        RegexBuilder::new(&source)
            .case_insensitive(!text.chars().any(char::is_uppercase))
            .size_limit(1 << 20)
            .build()
            .map_err(|_| self.fail(word!("this pattern is too large", "模式过大")))
            .ok()
    }

    /// Rows of the focused shell's screen.
    fn shell_rows(&self) -> usize {
        self.shell()
            .map_or(1, |shell| usize::from(shell.screen.size().rows()))
    }

    /// Asks before a deed.
    pub(super) fn ask(&mut self, confirm: Confirm) {
        self.notice = None;
        self.mode = Mode::Confirm(confirm);
    }

    /// A key while a question stands.
    pub(super) fn confirm_key(&mut self, confirm: Confirm, key: Key) {
        match (key.ctrl || key.alt, key.code) {
            (false, Code::Char('y')) => self.confirmed(confirm.deed),
            (false, Code::Char('n' | 'q') | Code::Esc) | (true, Code::Char('c')) => {
                self.refused(&confirm.deed);
            }
            _ => self.mode = Mode::Confirm(confirm),
        }
    }

    fn confirmed(&mut self, deed: Deed) {
        match deed {
            Deed::Close(id) => self.close_pane(id),
            Deed::Reopen(id) => {
                if self.tabs.show(id) {
                    self.reopen_shell();
                }
            }
            Deed::Quit => self.wish(Effect::Quit),
            Deed::Paste(id, text) => self.send_paste(id, &text),
            Deed::Together(members) => {
                let count = members.len();
                self.together = members;
                self.tell(&say!(
                    "what is typed goes to {count} shells; Ctrl-] b ends that",
                    "输入将同时发给 {count} 个终端；按 Ctrl-] b 结束"
                ));
            }
            Deed::Clipboard(id, text) => {
                if let Some(shell) = self.shells.get_mut(&id) {
                    shell.clipboard = Clipboard::Allowed;
                    self.wish(Effect::Copy(text));
                }
            }
        }
    }

    fn refused(&mut self, deed: &Deed) {
        if let Deed::Clipboard(id, _) = deed
            && let Some(shell) = self.shells.get_mut(id)
        {
            shell.clipboard = Clipboard::Refused;
            self.tell(word!(
                "this shell can't set the clipboard",
                "此终端不能写入剪贴板"
            ));
        }
    }

    /// Programs that asked for it learn that they have the focus, or no longer; and the terminal
    /// that we run in reports what the one with the focus wants to know.
    pub(super) fn follow_focus(&mut self) {
        let focus = Some(self.tabs.now.focus);
        if self.focused != focus {
            for (id, gained) in [(self.focused, false), (focus, true)] {
                self.tell_focus(id, gained);
            }
            self.focused = focus;
        }
        let mut wanted = Reports {
            mouse: if self.mouse {
                Tracking::Drags
            } else {
                Tracking::Off
            },
            kitty: 0,
        };
        let typing = matches!(self.mode, Mode::Normal);
        if let Some(shell) = self.shell().filter(|shell| shell.look.is_none() && typing) {
            let modes = shell.screen.modes();
            wanted.mouse = wanted.mouse.max(modes.mouse);
            wanted.kitty = modes.kitty;
        }
        if self.reports != wanted {
            self.reports = wanted;
            self.wish(Effect::Report(wanted));
        }
    }

    fn tell_focus(&mut self, id: Option<PaneId>, gained: bool) {
        let Some(shell) = id.and_then(|id| self.shells.get(&id)) else {
            return;
        };
        let mut bytes = Vec::new();
        keys::focus(gained, &shell.screen.modes(), &mut bytes);
        let (id, takes) = (shell.id, shell.is_running() && !shell.read_only);
        if takes && !bytes.is_empty() {
            self.wish(Effect::ToShell(id, Bytes::from(bytes)));
        }
    }

    /// Gives every shell the size that it has on the screen. Those that are not seen keep theirs.
    pub(super) fn fit_shells(&mut self) {
        if self.shells.is_empty() {
            return;
        }
        for (id, rect) in self.places() {
            let Some(shell) = self.shells.get_mut(&id) else {
                continue;
            };
            let grid = areas::body_area(rect);
            if grid.is_empty() || shell.fixed {
                continue;
            }
            let size = Size::new(grid.width, grid.height);
            if size == shell.screen.size() {
                continue;
            }
            let told = shell.screen.resize(size);
            let failed = told.failed;
            if let Some(look) = shell.look.as_mut() {
                look.settle(&shell.screen, usize::from(size.rows()));
            }
            if failed {
                self.fail(word!(
                    "the terminal of this shell failed and is empty now",
                    "此终端的屏幕出错，现已清空"
                ));
            }
            self.wish(Effect::ResizeShell(id, size.columns(), size.rows()));
        }
    }

    fn check_together(&mut self) {
        if self.together.len() == 1 {
            self.together.clear();
        }
    }

    /// A recording has begun or ended.
    pub(super) fn on_recording(&mut self, id: PaneId, name: Option<String>) {
        let Some(shell) = self.shells.get_mut(&id) else {
            return;
        };
        let words = match (&name, &shell.recording) {
            (Some(name), _) => {
                say!(
                    "recording to {name}; what is typed is not in it, unless it is shown",
                    "正在录制到 {name}；输入不会录下，除非显示在屏幕上"
                )
            }
            (None, Some(name)) => say!(
                "recorded to {name}; deckwatch replay {name} shows it",
                "已录制到 {name}；用 deckwatch replay {name} 播放"
            ),
            (None, None) => return,
        };
        shell.recording = name;
        self.tell(&words);
    }

    /// Input that found no room: it was not sent, and that is said.
    pub(super) fn on_busy(&mut self, id: PaneId, bytes: usize) {
        let name = self
            .shells
            .get(&id)
            .map_or(String::new(), |shell| shell.target.name.clone());
        let bytes = words::count(bytes as u64);
        self.fail(&say!(
            "{name} does not take input: {bytes} bytes were not sent",
            "{name} 不接收输入：{bytes} 字节未发送"
        ));
    }
}
