//! What a user does in a shell, on its way to the container: keys, pastes, the mouse.

use bytes::Bytes;
use ratatui::layout::{Position, Rect};

use crate::app::App;
use crate::app::areas;
use crate::app::confirm::{Confirm, Deed};
use crate::app::effect::{Effect, Play};
use crate::app::prompt::Purpose;
use crate::app::shell::look::Did;
use crate::app::shell::{Link, Look, ShellPane};
use crate::model::{PaneId, words};
use crate::say;
use crate::term::key::{Code, Key, Phase};
use crate::term::keys::{self, Doubt, Pointer};
use crate::word;

/// Lines that a turn of the wheel scrolls.
const WHEEL: u16 = 3;

impl App {
    /// A key while a shell has the focus, and no sequence of ours has begun.
    pub(in crate::app) fn shell_key(&mut self, key: Key) {
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
        if matches!(shell.link, Link::Over(_))
            && shell.spec().is_none()
            && key.code == Code::Char('q')
        {
            return self.close_pane(self.tabs.now.focus);
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
                Code::Char('q') => return self.close_pane(self.tabs.now.focus),
                _ => return self.tell(word!(
                    "space: stop, go on; + -: speed; →: 5 s further; q: quit; Ctrl-] [: look back",
                    "空格：暂停、继续；+ -：速度；→：快进 5 s；q：退出；Ctrl-] [：查看历史"
                )),
            };
        self.wish(Effect::Play(self.tabs.now.focus, order));
    }

    fn say_over(&mut self) {
        if self.shell().is_some_and(|shell| shell.spec().is_none()) {
            return self.tell(word!(
                "the recording is over: Enter plays it once more, q closes it",
                "录像已播放完：Enter 重播，q 关闭"
            ));
        }
        self.tell(word!("this shell is over, and nothing is sent; Enter opens a new one, Ctrl-] x closes the pane", "此终端已结束，输入不再发送；Enter 打开新终端，Ctrl-] x 关闭窗格"));
    }

    /// Sends what `encode` makes to the focused shell, or to all that are typed into together.
    pub(super) fn type_in(&mut self, encode: impl Fn(&ShellPane, &mut Vec<u8>)) {
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
                refused = Some(word!(
                    "this shell is read-only here: Ctrl-] w lets keys through",
                    "此终端在此为只读：按 Ctrl-] w 放行按键"
                ));
            } else {
                self.type_into(id, bytes);
            }
        }
        if let Some(words) = refused {
            self.tell(words);
        }
    }

    /// Sends what a user typed or pasted; a shell that is typed into waits for no findings.
    fn type_into(&mut self, id: PaneId, bytes: Vec<u8>) {
        self.examined = self.examined.filter(|examined| *examined != id);
        self.wish(Effect::ToShell(id, Bytes::from(bytes)));
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

    pub(super) fn after_look(&mut self, did: Did) {
        match did {
            Did::Stayed => {}
            Did::Left => {
                self.with_shell(|shell| shell.look = None);
            }
            Did::Copied(text) => {
                self.with_shell(|shell| shell.look = None);
                self.tell(&say!(
                    "{} bytes copied",
                    "已复制 {} 字节",
                    words::count(text.len() as u64)
                ));
                self.copied.clone_from(&text);
                self.wish(Effect::Copy(text));
            }
            Did::Asks => self.prompt(Purpose::Search, ""),
            Did::Tells(words) => self.tell(words),
        }
    }

    /// Text was pasted while a shell has the focus: what is long or has several lines is asked
    /// about first.
    pub(in crate::app) fn paste_into_shell(&mut self, text: &str) {
        let Some(shell) = self.shell() else { return };
        let (id, name) = (shell.id, shell.target.name.clone());
        if !shell.is_running() {
            return self.say_over();
        }
        let question = match keys::doubt(text) {
            None => return self.send_paste(id, text),
            Some(Doubt::Lines(1)) => say!(
                "paste a line with its Enter into {name}?",
                "将一行连同回车粘贴到 {name}？"
            ),
            Some(Doubt::Lines(lines)) => say!(
                "paste {} lines into {name}?",
                "将 {} 行粘贴到 {name}？",
                words::count(lines as u64)
            ),
            Some(Doubt::Long(bytes)) => say!(
                "paste {} bytes into {name}?",
                "将 {} 字节粘贴到 {name}？",
                words::count(bytes as u64)
            ),
            Some(Doubt::Controls) => say!(
                "paste text with control characters, which are left out, into {name}?",
                "将含控制字符的文本粘贴到 {name}（控制字符会略去）？"
            ),
        };
        self.ask(Confirm::about_text(
            question,
            text,
            Deed::Paste(id, text.to_owned()),
        ));
    }

    pub(super) fn send_paste(&mut self, id: PaneId, text: &str) {
        let Some(shell) = self.shells.get(&id) else {
            return;
        };
        if shell.read_only {
            return self.tell(word!(
                "this shell is read-only here: Ctrl-] w lets keys through",
                "此终端在此为只读：按 Ctrl-] w 放行按键"
            ));
        }
        let mut bytes = Vec::new();
        keys::paste(text, &shell.screen.modes(), &mut bytes);
        self.type_into(id, bytes);
    }

    /// The mouse over a shell. False if its program did not ask for it.
    pub(in crate::app) fn shell_mouse(&mut self, id: PaneId, rect: Rect, pointer: Pointer) -> bool {
        let grid = areas::body_area(rect);
        let at = Position::new(pointer.column, pointer.line);
        let Some(shell) = self.shells.get_mut(&id) else {
            return false;
        };
        if !grid.contains(at) {
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
        // With Shift it is the user's own.
        let takes =
            shell.look.is_none() && shell.is_running() && !shell.read_only && !pointer.shift;
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
}
