//! Shells in the program's state: what keys, pastes and the mouse do in one, and the commands
//! behind the prefix. What goes to a container leaves as a wish.

use bytes::Bytes;
use ratatui::layout::{Position, Rect};
use regex::{Regex, RegexBuilder};

use crate::codec::target::Target;
use crate::model::shell::ShellUpdate;
use crate::model::{PaneId, words};
use crate::term::key::{Code, Key, Phase};
use crate::term::keys::{self, Doubt, Pointer};
use crate::term::screen::Size;
use crate::text::redact::Secret;

use super::areas;
use super::confirm::{Confirm, Deed};
use super::effect::{Effect, Play};
use super::key;
use super::layout::Axis;
use super::mode::Mode;
use super::prompt::Purpose;
use super::shell::look::Did;
use super::shell::{Clipboard, Link, Look, Outcome, ShellPane};
use super::state::App;
use super::tabs::Tab;

/// Lines that a turn of the wheel scrolls.
const WHEEL: u16 = 3;
/// A paste goes out in pieces of so many bytes.
const PIECE: usize = 64 << 10;

impl App {
    /// The focused shell.
    pub fn shell(&self) -> Option<&ShellPane> {
        self.shells.get(&self.tabs.now.focus)
    }

    /// Does something to the focused shell.
    pub(super) fn with_shell<T>(&mut self, deed: impl FnOnce(&mut ShellPane) -> T) -> Option<T> {
        self.shells.get_mut(&self.tabs.now.focus).map(deed)
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
        let user = target.shell().and_then(|spec| spec.user.clone());
        match user {
            Some(user) => {
                self.asked_for = Some((target, user));
                self.prompt(Purpose::Password, "");
            }
            None => self.open_shell_as(target, None),
        }
    }

    /// The password was typed.
    pub(super) fn on_password(&mut self, password: &str) {
        if let Some((target, user)) = self.asked_for.take() {
            self.open_shell_as(target, Some((user, Secret::new(password))));
        }
    }

    fn open_shell_as(&mut self, target: Target, login: Option<(String, Secret)>) {
        let id = self.new_shell(target, login);
        self.place_beside(id);
        self.start_shell(id);
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
        let shell = ShellPane::new(id, target, login, Size::new(80, 24), self.now);
        if shell.is_exposed() {
            self.fail(crate::model::shell::EXPOSED);
        }
        self.shells.insert(id, shell);
        id
    }

    /// Opens what a pane is there for, at the size that it has now.
    fn start_shell(&mut self, id: PaneId) {
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

    /// A key while a shell has the focus, and no sequence of ours has begun.
    pub(super) fn shell_key(&mut self, key: Key) {
        let rows = self.shell_rows();
        let Some(shell) = self.shells.get_mut(&self.tabs.now.focus) else {
            return;
        };
        if shell.look.is_some() {
            if key.phase != Phase::Release {
                self.look_key(key, rows);
            }
            return;
        }
        if let Link::Over(_) = shell.link {
            let enter = key.code == Code::Enter && key.phase != Phase::Release;
            if enter {
                self.reopen_shell();
            } else {
                self.say_over();
            }
            return;
        }
        if shell.spec().is_none() {
            return self.player_key(key.chord());
        }
        self.type_in(|shell, out| keys::encode(&key, &shell.screen.modes(), out));
    }

    /// A key while a recording is played.
    fn player_key(&mut self, key: Key) {
        let order =
            match key.code {
                Code::Char(' ' | 'p') => Play::Pause,
                Code::Char('+' | '=') => Play::Faster,
                Code::Char('-') => Play::Slower,
                Code::Right | Code::Char('l') => Play::Skip,
                Code::Char('q') => return self.quit(),
                _ => return self.tell(
                    "space: stop, go on; + -: speed; →: 5 s further; q: quit; Ctrl-] [: look back",
                ),
            };
        self.wish(Effect::Play(self.tabs.now.focus, order));
    }

    fn say_over(&mut self) {
        self.tell("this shell is over, and nothing is sent; Enter opens a new one, Ctrl-] x closes the pane");
    }

    /// Sends what `encode` makes to the focused shell, or to all that are typed into together.
    fn type_in(&mut self, encode: impl Fn(&ShellPane, &mut Vec<u8>)) {
        let focus = self.tabs.now.focus;
        let members = if self.together.contains(&focus) {
            self.together.clone()
        } else {
            vec![focus]
        };
        let mut refused = None;
        for id in members {
            let Some(shell) = self.shells.get(&id) else {
                continue;
            };
            let mut bytes = Vec::new();
            encode(shell, &mut bytes);
            if bytes.is_empty() {
                continue;
            }
            if shell.read_only {
                refused = Some("this shell is read-only here: Ctrl-] w lets keys through");
            } else {
                self.wish(Effect::ToShell(id, Bytes::from(bytes)));
            }
        }
        if let Some(words) = refused {
            self.tell(words);
        }
    }

    fn look_key(&mut self, key: Key, rows: usize) {
        let Some(did) = self.with_shell(|shell| {
            let look = shell.look.as_mut()?;
            Some(look.key(key.chord(), &shell.screen, rows))
        }) else {
            return;
        };
        self.after_look(did.unwrap_or(Did::Left));
    }

    fn after_look(&mut self, did: Did) {
        match did {
            Did::Stayed => {}
            Did::Left => {
                self.with_shell(|shell| shell.look = None);
            }
            Did::Copied(text) => {
                self.with_shell(|shell| shell.look = None);
                self.tell(&format!("{} bytes copied", words::count(text.len() as u64)));
                self.copied.clone_from(&text);
                self.wish(Effect::Copy(text));
            }
            Did::Asks => self.prompt(Purpose::Search, ""),
            Did::Tells(words) => self.tell(words),
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
            .map_err(|_| self.fail("this pattern is too large"))
            .ok()
    }

    /// Rows of the focused shell's screen.
    fn shell_rows(&self) -> usize {
        self.shell()
            .map_or(1, |shell| usize::from(shell.screen.size().rows()))
    }

    /// Text was pasted while a shell has the focus: what is long or has several lines is asked
    /// about first.
    pub(super) fn paste_into_shell(&mut self, text: &str) {
        let Some(shell) = self.shell() else { return };
        let (id, name) = (shell.id, shell.target.name.clone());
        if !shell.is_running() {
            return self.say_over();
        }
        let question = match keys::doubt(text) {
            None => return self.send_paste(id, text),
            Some(Doubt::Lines(1)) => "paste a line with its Enter".to_owned(),
            Some(Doubt::Lines(lines)) => format!("paste {} lines", words::count(lines as u64)),
            Some(Doubt::Long(bytes)) => format!("paste {} bytes", words::count(bytes as u64)),
            Some(Doubt::Controls) => {
                "paste text with control characters, which are left out".into()
            }
        };
        let question = format!("{question} into {name}?");
        self.ask(Confirm::about_text(
            question,
            text,
            Deed::Paste(id, text.to_owned()),
        ));
    }

    fn send_paste(&mut self, id: PaneId, text: &str) {
        let Some(shell) = self.shells.get(&id) else {
            return;
        };
        if shell.read_only {
            return self.tell("this shell is read-only here: Ctrl-] w lets keys through");
        }
        let mut bytes = Vec::new();
        keys::paste(text, &shell.screen.modes(), &mut bytes);
        let bytes = Bytes::from(bytes);
        let mut start = 0;
        while start < bytes.len() {
            let end = (start + PIECE).min(bytes.len());
            self.wish(Effect::ToShell(id, bytes.slice(start..end)));
            start = end;
        }
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
            Deed::Quit => self.wish(Effect::Quit),
            Deed::Paste(id, text) => self.send_paste(id, &text),
            Deed::Together(members) => {
                let count = members.len();
                self.together = members;
                self.tell(&format!(
                    "what is typed goes to {count} shells; Ctrl-] b ends that"
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
            self.tell("this shell can't set the clipboard");
        }
    }

    /// The mouse over a shell. False if its program did not ask for it.
    pub(super) fn shell_mouse(&mut self, id: PaneId, rect: Rect, pointer: Pointer) -> bool {
        let grid = areas::body_area(rect);
        let at = Position::new(pointer.column, pointer.line);
        let Some(shell) = self.shells.get_mut(&id) else {
            return false;
        };
        if pointer.shift || !grid.contains(at) {
            return false;
        }
        let inside = Pointer {
            column: pointer.column - grid.x,
            line: pointer.line - grid.y,
            ..pointer
        };
        let mut bytes = Vec::new();
        let modes = shell.screen.modes();
        let up = pointer.did == keys::Did::WheelUp;
        let wheel = up || pointer.did == keys::Did::WheelDown;
        let takes = shell.look.is_none() && shell.is_running() && !shell.read_only;
        let asked = takes && keys::mouse(&inside, &modes, &mut bytes)
            || takes && wheel && keys::wheel(up, WHEEL, &modes, &mut bytes);
        if asked {
            if !bytes.is_empty() {
                self.wish(Effect::ToShell(id, Bytes::from(bytes)));
            }
            return true;
        }
        if wheel {
            let rows = usize::from(shell.screen.size().rows());
            let look = shell.look.get_or_insert_with(|| Look::new(&shell.screen));
            let lines = i64::from(WHEEL) * if up { -1 } else { 1 };
            if !look.scroll(lines, &shell.screen, rows) && look.anchor.is_none() {
                shell.look = None;
            }
        }
        wheel
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
                self.fail("the terminal of this shell failed and is empty now");
            }
            self.wish(Effect::ResizeShell(id, size.columns(), size.rows()));
        }
    }

    fn check_together(&mut self) {
        if self.together.len() == 1 {
            self.together.clear();
        }
    }

    /// The prefix itself goes to the container.
    pub(super) fn send_prefix(&mut self) {
        let key = key::PREFIX;
        self.type_in(|shell, out| keys::encode(&key, &shell.screen.modes(), out));
    }

    /// Copy mode.
    pub(super) fn look_back(&mut self) {
        if self.shell().is_none() {
            return self.tell("this is no shell: the keys of ? move here");
        }
        self.with_shell(|shell| {
            shell.look.get_or_insert_with(|| Look::new(&shell.screen));
        });
    }

    /// Pastes what was copied here last.
    pub(super) fn paste_copied(&mut self) {
        if self.copied.is_empty() {
            return self.tell("nothing was copied yet; the terminal's own paste works too");
        }
        let text = self.copied.clone();
        self.paste_into_shell(&text);
    }

    /// A new shell where one has ended or was lost, or instead of the one that runs.
    pub(super) fn reopen_shell(&mut self) {
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
    pub(super) fn toggle_read_only(&mut self) {
        let now = self.with_shell(|shell| {
            shell.read_only = !shell.read_only;
            shell.read_only
        });
        match now {
            Some(true) => self.tell("read-only: keys do not reach this shell"),
            Some(false) => self.tell("keys reach this shell again"),
            None => self.tell("this is no shell"),
        }
    }

    /// All running shells of this tab are typed into together, after a yes; or no longer.
    pub(super) fn toggle_together(&mut self) {
        if !self.together.is_empty() {
            self.together.clear();
            return self.tell("what is typed goes to one shell again");
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
            return self
                .tell("it takes two running shells in this tab, and the focus on one of them");
        }
        let names: Vec<String> = members
            .iter()
            .filter_map(|id| Some((self.number(*id), self.shells.get(id)?)))
            .map(|(number, shell)| format!("{number} {}", shell.target.text))
            .collect();
        let question = format!("type into these {} shells at once?", members.len());
        self.ask(Confirm::new(question, &names, Deed::Together(members)));
    }

    /// A recording begins or ends.
    pub(super) fn toggle_recording(&mut self) {
        let Some((id, running)) = self
            .shell()
            .map(|shell| (shell.id, shell.recording.is_some()))
        else {
            return self.tell("this is no shell");
        };
        if running {
            return self.wish(Effect::StopRecording(id));
        }
        let name = self.file_name("cast");
        self.prompt(Purpose::Record, &name);
    }

    /// The recording's name was typed.
    pub(super) fn begin_recording(&mut self, path: &str) {
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
    pub(super) fn stop_paste(&mut self) {
        match self.shell().map(|shell| (shell.id, shell.queued)) {
            Some((id, queued)) if queued > 0 => self.wish(Effect::StopInput(id)),
            Some(_) => self.tell("nothing waits to be sent"),
            None => self.tell("this is no shell"),
        }
    }

    /// The clipboard that a program wants to set is shown, and asked about.
    pub(super) fn ask_clipboard(&mut self) {
        let Some(shell) = self.shell() else { return };
        match &shell.clipboard {
            Clipboard::Wanted(text) => {
                let question = format!(
                    "let {} set the clipboard to this, and later too?",
                    shell.target.name
                );
                let deed = Deed::Clipboard(shell.id, text.clone());
                let confirm = Confirm::about_text(question, &text.clone(), deed);
                self.ask(confirm);
            }
            Clipboard::Allowed => {
                self.with_shell(|shell| shell.clipboard = Clipboard::Refused);
                self.tell("this shell can't set the clipboard any more");
            }
            Clipboard::Unasked | Clipboard::Refused => {
                self.with_shell(|shell| shell.clipboard = Clipboard::Unasked);
                self.tell("this shell may ask to set the clipboard");
            }
        }
    }

    /// The shell goes on in a tab of its own, and we go back to where we were.
    pub(super) fn leave_running(&mut self) {
        let id = self.tabs.now.focus;
        if self.shell().is_none() {
            return self.tell("this is no shell");
        }
        if self.tabs.len() == 1 && self.tabs.now.tree.panes().len() == 1 {
            return self.tell("there is nothing else to go to; o opens a target");
        }
        let here = self.tabs.at();
        if self.own_tab(id) {
            self.tabs.go_to(here);
        } else {
            self.tabs.turn(-1);
        }
        self.tell(&format!("it runs on; {} goes back to it", self.number(id)));
    }

    /// Moves a pane into a tab of its own, which comes to the front. False if it has one.
    pub(super) fn own_tab(&mut self, id: PaneId) -> bool {
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

    /// A recording has begun or ended.
    pub(super) fn on_recording(&mut self, id: PaneId, name: Option<String>) {
        let Some(shell) = self.shells.get_mut(&id) else {
            return;
        };
        let words = match (&name, &shell.recording) {
            (Some(name), _) => {
                format!("recording to {name}; what is typed is not in it, unless it is shown")
            }
            (None, Some(name)) => format!("recorded to {name}; deckwatch replay {name} shows it"),
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
        self.fail(&format!(
            "{name} does not take input: {bytes} bytes were not sent"
        ));
    }
}
