//! One shell pane: a container's terminal, its connection, and what of it is looked at.

pub mod look;

use std::time::Instant;

use crate::codec::shell::ShellSpec;
use crate::codec::target::Target;
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::model::{PaneId, words};
use crate::say;
use crate::term::screen::{Screen, Size};
use crate::text::SafeText;
use crate::text::redact::Secret;
use crate::word;

use super::msg::Now;

pub use look::Look;

/// Rows that a shell keeps above its screen (decision 11).
const HISTORY: usize = 5000;

/// How a shell's connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not there yet: what is being waited for, and since when.
    Opening(SafeText<'static>, Instant),
    /// There, behind this kind of server.
    Open(&'static str),
    /// There, but the server does not answer.
    Stale(&'static str),
    /// Over.
    Over(ShellEnd),
}

/// Whether the container's program may set the clipboard (OSC 52).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Clipboard {
    /// Nobody asked.
    #[default]
    Unasked,
    /// It wants to set this; the user has not said anything yet.
    Wanted(String),
    /// The user allows it.
    Allowed,
    /// The user does not.
    Refused,
}

/// What the rest of the program has to do after an update.
#[derive(Debug, Default)]
pub struct Outcome {
    /// To be sent to the container.
    pub reply: Vec<u8>,
    /// To be put into the clipboard.
    pub copy: Option<String>,
    /// To be told.
    pub tell: Option<String>,
    /// To be told as something that went wrong.
    pub fail: Option<String>,
}

/// A pane with a shell.
#[derive(Debug)]
pub struct ShellPane {
    /// Its name for the rest of the program.
    pub id: PaneId,
    /// What it is.
    pub target: Target,
    /// Who logs in there.
    pub login: Option<(String, Secret)>,
    /// The terminal.
    pub screen: Screen,
    /// The connection.
    pub link: Link,
    /// The program's title, else the server's.
    pub title: Option<SafeText<'static>>,
    /// Keys do not go there.
    pub read_only: bool,
    /// Where a recording goes.
    pub recording: Option<String>,
    /// Bytes of a paste that wait.
    pub queued: usize,
    /// What the program may do to the clipboard.
    pub clipboard: Clipboard,
    /// Copy mode: where in the history we look.
    pub look: Option<Look>,
    /// Which shell this is in this pane, from 1.
    pub count: u32,
    /// A shell is opened where another one was.
    pub renewed: bool,
    /// The bell rang while we did not look.
    pub bell: bool,
    /// The screen has a size of its own: a recording's.
    pub fixed: bool,
    /// Since when the program holds its screen back (synchronized updates).
    pub held: Option<Instant>,
}

impl ShellPane {
    /// A pane whose shell is being opened.
    pub fn new(
        id: PaneId,
        target: Target,
        login: Option<(String, Secret)>,
        size: Size,
        now: Now,
    ) -> Self {
        Self {
            id,
            target,
            login,
            screen: Screen::new(size, HISTORY),
            link: opening(now),
            title: None,
            read_only: false,
            recording: None,
            queued: 0,
            clipboard: Clipboard::Unasked,
            look: None,
            count: 1,
            renewed: false,
            bell: false,
            fixed: false,
            held: None,
        }
    }

    /// What it opens.
    pub fn spec(&self) -> Option<&ShellSpec> {
        self.target.shell()
    }

    /// Whether something runs there, or is about to.
    pub fn is_running(&self) -> bool {
        !matches!(self.link, Link::Over(_))
    }

    /// Whether everybody on the way can read along.
    pub fn is_exposed(&self) -> bool {
        self.spec().is_some_and(ShellSpec::is_exposed)
    }

    /// A new shell in the same pane: what was on the screen stays above it, as soon as there is
    /// one. A recording begins anew.
    pub fn reopen(&mut self, now: Now) {
        self.link = opening(now);
        self.queued = 0;
        self.title = None;
        // What the program before held back is shown now, and answered by nobody.
        drop(self.screen.release());
        self.held = None;
        self.look = None;
        if self.spec().is_none() {
            self.screen = Screen::new(self.screen.size(), HISTORY);
        }
        self.renewed = self.spec().is_some();
    }

    /// Keys are taken from now on; behind an earlier shell that is said on the screen too.
    fn on_ready(&mut self, server: &'static str) {
        self.link = Link::Open(server);
        if !std::mem::take(&mut self.renewed) {
            return;
        }
        self.count += 1;
        // Whatever the program before left on goes; what it wrote stays.
        drop(
            self.screen
                .advance(b"\x18\x1b[?1049l\x1b[!p\x1b[4;20l\x1b[?6l\x0f"),
        );
        self.screen.forget_keys();
        let rows = self.screen.top_row()..self.screen.end_row();
        let used = |number: &u64| self.screen.row(*number).is_some_and(|row| row.used() > 0);
        let last = rows.clone().rfind(used).unwrap_or(rows.start) - rows.start + 1;
        let words = word!(
            "new shell: what was typed before did not reach it",
            "新终端：之前的输入没有传到这里"
        );
        let mark = format!(
            "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[?7h\x1b[r\x1b(B\x1b[0m\x1b[{last};1H\r\n\x1b[7m {words} \x1b[0m\r\n"
        );
        drop(self.screen.advance(mark.as_bytes()));
    }

    /// Takes in what its source says.
    pub fn on_update(&mut self, update: ShellUpdate, now: Now) -> Outcome {
        let mut outcome = Outcome::default();
        match update {
            ShellUpdate::Opening(step) => self.link = Link::Opening(step, now.mono),
            ShellUpdate::Ready(server) => self.on_ready(server),
            ShellUpdate::Output(bytes) => self.on_output(&bytes, now, &mut outcome),
            ShellUpdate::Sized(columns, rows) => {
                self.fixed = true;
                drop(self.screen.resize(Size::new(columns, rows)));
            }
            ShellUpdate::Title(title) => self.title = Some(title),
            ShellUpdate::Stale(stale) => self.on_stale(stale),
            ShellUpdate::Queued(bytes) => self.queued = bytes,
            ShellUpdate::Stopped(bytes) => {
                self.queued = 0;
                let bytes = words::count(bytes as u64);
                outcome.tell = Some(say!(
                    "stopped: {bytes} bytes were not sent",
                    "已中止：{bytes} 字节未发送"
                ));
            }
            ShellUpdate::Refused(bytes) => {
                outcome.fail = Some(say!(
                    "{bytes} bytes were not sent: they are no UTF-8, and this server takes nothing else",
                    "{bytes} 字节未发送：不是 UTF-8，而此服务端只接受 UTF-8"
                ));
            }
            ShellUpdate::Ended(end) => self.on_end(end, &mut outcome),
        }
        outcome
    }

    fn on_output(&mut self, bytes: &[u8], now: Now, outcome: &mut Outcome) {
        let told = self.screen.advance(bytes);
        self.on_told(told, outcome);
        if self.screen.is_holding() {
            self.held.get_or_insert(now.mono);
        } else {
            self.held = None;
        }
    }

    fn on_told(&mut self, told: crate::term::screen::Told, outcome: &mut Outcome) {
        outcome.reply = told.replies;
        self.bell |= told.bell;
        if let Some(title) = told.title {
            self.title = Some(title).filter(|title| !title.as_str().is_empty());
        }
        if told.failed {
            outcome.fail = Some(
                word!("the terminal of this shell failed and is empty now; Ctrl-l there may draw it anew", "此终端的屏幕出错，现已清空；在其中按 Ctrl-l 或可重绘")
                    .into(),
            );
        }
        let Some(text) = told.clipboard else { return };
        match self.clipboard {
            Clipboard::Allowed => outcome.copy = Some(text),
            Clipboard::Refused => {}
            Clipboard::Unasked | Clipboard::Wanted(_) => {
                outcome.tell = Some(say!(
                    "this shell wants to set the clipboard ({} bytes); Ctrl-] y shows it and asks",
                    "此终端想写入剪贴板（{} 字节）；按 Ctrl-] y 查看并决定",
                    words::count(text.len() as u64)
                ));
                self.clipboard = Clipboard::Wanted(text);
            }
        }
    }

    /// Shows what a program holds back for too long.
    pub fn release(&mut self, now: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        if self.held.is_some_and(|since| now >= since + Screen::HOLD) {
            self.held = None;
            let told = self.screen.release();
            self.on_told(told, &mut outcome);
        }
        outcome
    }

    fn on_stale(&mut self, stale: bool) {
        let (Link::Open(server) | Link::Stale(server)) = self.link else {
            return;
        };
        self.link = if stale {
            Link::Stale(server)
        } else {
            Link::Open(server)
        };
    }

    fn on_end(&mut self, end: ShellEnd, outcome: &mut Outcome) {
        drop(self.screen.release());
        self.held = None;
        self.queued = 0;
        let words = say!("{}: {}", "{}：{}", self.target.name, end_words(&end));
        match end.how {
            ShellExit::Exited { .. } | ShellExit::Closed => outcome.tell = Some(words),
            ShellExit::Lost(_) | ShellExit::Fault(_) => outcome.fail = Some(words),
        }
        self.link = Link::Over(end);
    }
}

fn opening(now: Now) -> Link {
    Link::Opening(
        SafeText::of(word!("connecting", "正在连接")).into_owned(),
        now.mono,
    )
}

/// An end in words, with what became of the input.
pub fn end_words(end: &ShellEnd) -> String {
    let mut text = match &end.how {
        ShellExit::Exited { failed: true, .. } => {
            word!("the program ended with an error", "程序出错退出").to_owned()
        }
        ShellExit::Exited { words, .. } if words.as_str().is_empty() => {
            word!("the shell has ended", "终端已结束").into()
        }
        ShellExit::Exited { words, .. } => {
            say!(
                "the shell has ended (the server says: {words})",
                "终端已结束（服务端消息：{words}）"
            )
        }
        ShellExit::Closed => word!("closed", "已关闭").into(),
        ShellExit::Lost(why) => say!("lost: {why}", "连接断开：{why}"),
        ShellExit::Fault(fault) => {
            let next = if fault.next.is_empty() {
                ""
            } else {
                word!("; ", "；")
            };
            format!("{}{next}{}", fault.why, fault.next)
        }
    };
    let count = |bytes: usize| words::count(bytes as u64);
    // What a program that ended by itself did not read is nobody's loss.
    if matches!(end.how, ShellExit::Exited { .. }) {
        return text;
    }
    if end.unsent > 0 {
        let bytes = count(end.unsent);
        text.push_str(&say!(
            "; {bytes} typed bytes were not sent",
            "；{bytes} 字节输入未发送"
        ));
    }
    if end.unconfirmed > 0 {
        let bytes = count(end.unconfirmed);
        text.push_str(&say!(
            "; {bytes} typed bytes may or may not have arrived",
            "；{bytes} 字节输入可能已到达，也可能没有"
        ));
    }
    text
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own clock")]
mod tests {
    use super::*;
    use crate::term::modes::Modes;

    fn opened() -> (ShellPane, Now) {
        let now = Now {
            mono: Instant::now(),
            wall: crate::model::Micros(0),
        };
        let target = Target::parse("http://h:1/").unwrap();
        let mut pane = ShellPane::new(PaneId(1), target, None, Size::new(80, 24), now);
        pane.screen.allow_kitty(true);
        pane.on_update(ShellUpdate::Ready("gotty"), now);
        (pane, now)
    }

    fn says(pane: &mut ShellPane, bytes: &'static [u8], now: Now) -> Outcome {
        pane.on_update(ShellUpdate::Output(bytes.into()), now)
    }

    #[test]
    fn a_new_shell_has_a_keyboard_of_its_own() {
        let (mut pane, now) = opened();
        let before = pane.screen.modes();
        assert_eq!(before, Modes::default());
        says(
            &mut pane,
            b"\x1b[>1u\x1b[?1004h\x1b[20h\x1b[?1h\x1b=\x1b[?2004h\x1b[?1000h\x1b[?1006h",
            now,
        );
        assert_ne!(pane.screen.modes(), before);
        pane.reopen(now);
        pane.on_update(ShellUpdate::Ready("gotty"), now);
        assert_eq!(pane.screen.modes(), before);
    }

    #[test]
    fn what_a_shell_held_back_is_not_answered_to_the_next_one() {
        let (mut pane, now) = opened();
        says(&mut pane, b"\x1b[?2026hheld\x1b[6n\x1b[c", now);
        assert!(pane.held.is_some());
        pane.reopen(now);
        pane.on_update(ShellUpdate::Ready("gotty"), now);
        let outcome = says(&mut pane, b"\x1b[?2026lfresh", now);
        assert_eq!(outcome.reply, b"");
        let rows = pane.screen.top_row()..pane.screen.end_row();
        let text: Vec<String> = rows
            .filter_map(|row| Some(pane.screen.row(row)?.text().trim_end().to_owned()))
            .collect();
        let place = |word: &str| text.iter().position(|row| row.contains(word));
        assert!(place("held") < place("shell:") && place("shell:") < place("fresh"));
        assert!(place("held").is_some());
    }
}
