//! Wishes become deeds: the only match on [`Effect`].

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use crate::app::Effect;
use crate::app::effect::Play;
use crate::app::msg::{Msg, ScanFor};
use crate::app::session::Saved;
use crate::attach::player::Order;
use crate::cli::plan::ViewPlan;
use crate::codec::encoding::{self, Encoding};
use crate::codec::level;
use crate::codec::target::{FeedSpec, Target};
use crate::model::{FeedUpdate, LineBatch, PaneId, RawBatch, TargetId, words};
use crate::say;
use crate::source::shell::Control;
use crate::source::{Command, Lag, Outlet, Policy, Reconnect, Source};
use crate::store::{ScanJob, scan};
use crate::view::Theme;

use super::clipboard;
use super::explore::Explorer;
use super::measure::Meters;
use super::shells::Shells;
use super::terminal::Modes;

/// Bytes that a source keeps while the interface is busy, beside the channel.
const BACKLOG: usize = 4 << 20;

/// What the loop has to do itself after a wish.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// Nothing.
    GoOn,
    /// Draw everything anew.
    Redraw,
    /// Stop until continued.
    Suspend,
    /// Leave.
    Quit,
}

/// The hands of the interface.
pub struct Hands {
    /// Running sources.
    pub sources: HashMap<TargetId, Source>,
    /// Sources that end by themselves, a replay being drained.
    pub leaving: Vec<Source>,
    /// Running shells.
    pub(super) shells: Shells,
    explorer: Explorer,
    meters: Meters,
    /// How everything looks.
    pub theme: Theme,
    plan: ViewPlan,
    themes: Option<PathBuf>,
    feed: mpsc::Sender<(TargetId, FeedUpdate)>,
    answers: mpsc::Sender<Msg>,
}

impl Hands {
    /// Hands whose sources speak to `feed`, and whose other work answers to `answers`.
    pub(super) fn new(
        theme: Theme,
        plan: ViewPlan,
        themes: Option<PathBuf>,
        feed: mpsc::Sender<(TargetId, FeedUpdate)>,
        (answers, explorer): (mpsc::Sender<Msg>, Explorer),
        shells: Shells,
    ) -> Self {
        Self {
            shells,
            explorer,
            meters: Meters::new(answers.clone()),
            sources: HashMap::new(),
            leaving: Vec::new(),
            theme,
            plan,
            themes,
            feed,
            answers,
        }
    }

    /// Carries one wish out. What is to be told goes into `told`.
    pub fn perform(&mut self, effect: Effect, modes: &mut Modes, told: &mut Vec<Msg>) -> Then {
        match effect {
            Effect::Open(id, target) => self.open(id, &target),
            Effect::Examine(pane, target) => self.explorer.examine(pane, *target),
            Effect::Explore(question) => told.extend(self.explorer.ask(question)),
            Effect::Measure(ask) => told.extend(self.meters.ask(*ask)),
            Effect::StopMeasuring(pane) => self.meters.stop(pane),
            Effect::Close(id) => {
                if let Some(source) = self.sources.remove(&id) {
                    source.tell(Command::Stop);
                    self.leaving.push(source);
                    self.leaving.retain(|source| !source.is_over());
                }
            }
            Effect::Reconnect(id) => {
                if let Some(source) = self.sources.get(&id) {
                    source.tell(Command::Reconnect);
                }
            }
            Effect::OpenShell {
                pane,
                target,
                login,
                size,
            } => self.shells.open(pane, &target, login, size),
            Effect::CloseShell(pane) => told.extend(self.shells.close(pane)),
            Effect::ToShell(pane, bytes) => told.extend(self.shells.write(pane, bytes)),
            Effect::ResizeShell(pane, columns, rows) => {
                self.shells.tell(pane, Control::Resized(columns, rows));
                told.extend(self.shells.resized(pane, (columns, rows)));
            }
            Effect::StopInput(pane) => self.shells.tell(pane, Control::Stop),
            Effect::Record {
                pane,
                path,
                size,
                title,
            } => told.push(self.shells.record(pane, &path, size, &title)),
            Effect::StopRecording(pane) => told.extend(self.shells.stop_recording(pane)),
            Effect::Play(pane, play) => self.shells.order(pane, order(play)),
            Effect::Scan(pane, scan_for, job) => self.scan(pane, scan_for, job),
            Effect::Copy(text) => told.extend(self.copy(&text, modes)),
            Effect::Save(path, text) => told.push(save(&path, &text)),
            Effect::Ring => told.extend(write(modes, b"\x07")),
            Effect::Notify(text) => {
                let notice = clipboard::notification(&text, self.plan.multiplexer);
                told.extend(write(modes, &notice));
            }
            Effect::Report(reports) => {
                if let Err(error) = modes.report(reports) {
                    told.push(Msg::Failed(say!(
                        "the terminal takes no settings: {error}",
                        "本机终端不接受设置：{error}"
                    )));
                }
            }
            Effect::Theme(name) => match self.load_theme(&name) {
                Ok(theme) => {
                    told.push(Msg::Themed(theme.name.clone()));
                    self.theme = theme;
                    return Then::Redraw;
                }
                Err(text) => told.push(Msg::Failed(text)),
            },
            Effect::SaveView(name, saved) => told.push(self.explorer.save_view(&name, &saved)),
            Effect::Redraw => return Then::Redraw,
            Effect::Suspend => return Then::Suspend,
            Effect::Quit => return Then::Quit,
        }
        Then::GoOn
    }

    /// Looks through old lines on other threads.
    fn scan(&self, pane: PaneId, scan_for: ScanFor, job: ScanJob) {
        let answers = self.answers.clone();
        tokio::task::spawn_blocking(move || {
            for (first, segment) in &job.segments {
                let rows = scan::matches(*first, segment, &job.predicate);
                let (generation, first) = (job.generation, *first);
                let answer = Msg::Scanned {
                    pane,
                    scan: scan_for,
                    generation,
                    first,
                    rows,
                };
                if answers.blocking_send(answer).is_err() {
                    return;
                }
            }
        });
    }

    /// Keeps what is open for the next start.
    pub(super) fn remember(&self, saved: &Saved) {
        self.explorer.remember(saved);
    }

    fn open(&mut self, id: TargetId, target: &Target) {
        if matches!(target.feed, FeedSpec::Name(_)) {
            return self.explorer.look_up(id, target.clone());
        }
        let prepare = match self.plan.encoding {
            Encoding::Utf8 => refine,
            Encoding::Gb18030 => refine_gb18030,
        };
        let outlet = Outlet::new(id, self.feed.clone(), prepare, Lag::Drop(BACKLOG))
            .numbered(self.plan.seq_regex.clone(), false);
        let follow = target.feed != FeedSpec::Stdin;
        let policy = Policy {
            reconnect: Reconnect::Patient,
            follow,
            seed: fastrand::u64(..),
        };
        self.sources
            .insert(id, Source::start(target, policy, outlet));
    }

    fn copy(&self, text: &str, modes: &Modes) -> Option<Msg> {
        if let Some(bytes) = clipboard::sequence(text, self.plan.multiplexer) {
            let written = modes.writer().and_then(|mut tty| tty.write_all(&bytes));
            return written.err().map(|error| {
                Msg::Failed(say!(
                    "the terminal did not take the copy: {error}",
                    "本机终端未接受复制的内容：{error}"
                ))
            });
        }
        Some(match clipboard::to_file(text) {
            Ok(path) => Msg::Told(say!(
                "too long for the terminal's clipboard: it is in {path}",
                "内容过长，放不进终端的剪贴板：已写入 {path}"
            )),
            Err(error) => Msg::Failed(say!(
                "the copy could not be written to a file: {error}",
                "复制的内容无法写入文件：{error}"
            )),
        })
    }

    fn load_theme(&self, name: &str) -> Result<Theme, String> {
        let theme = Theme::find(name, self.themes.as_deref()).map_err(|fault| fault.to_string())?;
        Ok(for_terminal(theme, &self.plan))
    }
}

/// Writes a sequence to the terminal.
fn write(modes: &Modes, bytes: &[u8]) -> Option<Msg> {
    let written = modes.writer().and_then(|mut tty| tty.write_all(bytes));
    let error = written.err()?;
    Some(Msg::Failed(say!(
        "the terminal can't be written to: {error}",
        "无法写入本机终端：{error}"
    )))
}

fn order(play: Play) -> Order {
    match play {
        Play::Pause => Order::Pause,
        Play::Faster => Order::Faster,
        Play::Slower => Order::Slower,
        Play::Skip => Order::Skip,
    }
}

/// A theme as this terminal can show it.
pub fn for_terminal(theme: Theme, plan: &ViewPlan) -> Theme {
    match (plan.plain, plan.true_color) {
        (true, _) => theme.without_colors(),
        (false, true) => theme,
        (false, false) => theme.for_256_colors(),
    }
}

/// Lines are sanitised on the source's thread.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an outlet gives its batch away"
)]
fn refine(batch: RawBatch) -> LineBatch {
    LineBatch::refine(&batch, level::detect)
}

fn save(path: &Path, text: &str) -> Msg {
    let shown = path.display();
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => Msg::Told(say!(
            "{} lines saved to {shown}",
            "已保存 {} 行到 {shown}",
            words::count(text.lines().count() as u64)
        )),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Msg::Failed(say!(
            "{shown}: it exists already; choose another name",
            "{shown}：文件已存在；请换一个名称"
        )),
        Err(error) => Msg::Failed(say!(
            "{shown}: it can't be written ({error}); choose another place",
            "{shown}：无法写入（{error}）；请换一个位置"
        )),
    }
}

/// The same, of lines that are no UTF-8.
fn refine_gb18030(batch: RawBatch) -> LineBatch {
    LineBatch::refine(&encoding::gb18030(batch), level::detect)
}
