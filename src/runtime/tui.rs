//! The event loop of the interface.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use crate::app::msg::Msg;
use crate::app::{App, Effect, Now};
use crate::cli::plan::ViewPlan;
use crate::clock;
use crate::codec::target::Target;
use crate::model::recipe::Recipe;
use crate::model::shell::ShellUpdate;
use crate::model::{Fault, FaultKind, FeedUpdate, PaneId, TargetId, words};
use crate::view::{self, Theme};
use crate::word;

use super::dialects::Dialects;
use super::explore::Explorer;
use super::input;
use super::perform::{Hands, Then, for_terminal};
use super::reload;
use super::setup::Setup;
use super::shells::{self, Shells};
use super::signals;
use super::terminal::Modes;
use crate::app::overview::Overlook;
use crate::app::session::Saved;

/// Batches between the sources and the loop, of up to 256 KiB each: 4 MiB in flight.
const INBOX: usize = 16;
/// Updates taken in before the keyboard is looked at again.
const TURN: usize = 256;
/// Output of a shell is taken in for so long before the keyboard is looked at again …
const LISTEN: Duration = Duration::from_millis(4);
/// … in pieces of so many bytes between two looks at the clock: 0.03 ms of the emulator's time as
/// a rule, 30 ms at worst.
const BITE: usize = 4 << 10;
/// The period of frames while much happens (decision 10).
const FRAME: Duration = Duration::from_millis(33);

/// Writes of one frame go to the terminal together.
type Screen = Terminal<CrosstermBackend<BufWriter<std::fs::File>>>;

/// How the interface ended.
#[derive(Debug)]
pub enum Ending {
    /// The user left.
    Quit,
    /// A signal ended it; to be died of.
    Signal(i32),
    /// The terminal is gone.
    HungUp,
}

struct Signals {
    term: Signal,
    hup: Signal,
    int: Signal,
    quit: Signal,
    cont: Signal,
    tstp: Signal,
    winch: Signal,
}

/// Everything that the loop hears from.
struct Inputs<'a> {
    feeds: &'a mut mpsc::Receiver<(TargetId, FeedUpdate)>,
    shells: &'a mut mpsc::Receiver<(shells::Name, ShellUpdate)>,
    answers: &'a mut mpsc::Receiver<Msg>,
    keys: &'a mut mpsc::Receiver<Msg>,
}

struct Tui {
    app: App,
    hands: Hands,
    modes: Modes,
    screen: Screen,
    signals: Signals,
    dirty: bool,
    drawn: Option<Instant>,
    /// When the program was last told that time passes.
    ticked: Instant,
    /// A shell that was typed into: its answer is drawn at once.
    typed: Option<PaneId>,
}

/// Time passes at least so often where anything comes at all.
const TICK: Duration = Duration::from_secs(1);

/// What is open at first, where no target was named.
pub(super) enum Start {
    /// Nothing but the tree.
    Targets,
    /// What was open before.
    Saved(Saved),
    /// What components use.
    Overview(Overlook),
}

/// Runs the interface until it ends, and lets the sources go.
pub(super) async fn run(
    targets: Vec<Target>,
    plan: ViewPlan,
    themes: Option<PathBuf>,
    setup: Option<Setup>,
    start: Start,
) -> Result<Ending, Fault> {
    let theme = first_theme(&plan, themes.as_ref())?;
    let (feed, mut inbox) = mpsc::channel(INBOX);
    let (answers, mut answered) = mpsc::channel(INBOX);
    let mut modes = Modes::open().map_err(|error| no_terminal(&error))?;
    modes.restore_on_panic();
    let (width, height) = modes.size();
    let area = Rect::new(0, 0, width, height);
    let warned = targets.clone();
    let mut app = App::new(targets, plan.merge, plan.buffer, area, now());
    app.use_zone(TimeZone::system());
    if let Some(setup) = &setup {
        if let Some(warning) = setup.warnings(&warned).first() {
            app.fail(warning);
        }
        app.keymap = reload::keymap(&setup.paths.keys())?;
        app.contexts = setup.contexts.every();
        app.context.clone_from(&setup.contexts.current);
        app.use_alerts(
            Recipe::all(&setup.config.charts),
            setup.config.alerts.clone(),
        );
        app.way = Arc::clone(&setup.contexts.way);
        if app.is_empty() {
            match start {
                Start::Targets => {}
                Start::Saved(saved) => app.restore(&saved),
                Start::Overview(overview) => app.open_overview(overview),
            }
            if app.is_empty() {
                app.go_to_tree();
            }
        }
    }
    app.theme.clone_from(&theme.name);
    app.mouse = plan.mouse;
    app.kitty = plan.kitty;
    let caught = Signals::catch().map_err(|error| no_terminal(&error))?;
    modes.enter().map_err(|error| no_terminal(&error))?;
    let restored = Arc::new(AtomicBool::new(false));
    let give_back = modes.let_loose().map_err(|error| no_terminal(&error))?;
    signals::insist(give_back, Arc::clone(&restored));
    let mut keys = input::start().map_err(|error| no_terminal(&error))?;
    let screen = screen(&modes, area).map_err(|error| no_terminal(&error))?;
    let explorer = Explorer::new(setup, answers.clone());
    let (shells, mut shelled) = Shells::new(Dialects::load());
    let hands = Hands::new(theme, plan, themes, feed, (answers, explorer), shells);
    let mut tui = Tui {
        app,
        hands,
        modes,
        screen,
        signals: caught,
        dirty: true,
        drawn: None,
        ticked: clock::now(),
        typed: None,
    };
    let inputs = Inputs {
        feeds: &mut inbox,
        shells: &mut shelled,
        answers: &mut answered,
        keys: &mut keys,
    };
    let ending = tui.turn_round(inputs).await;
    tui.modes.leave();
    restored.store(true, Ordering::Release);
    tui.hands.remember(&tui.app.saved());
    drop((inbox, shelled));
    tui.let_go().await;
    ending.map_err(|error| no_terminal(&error))
}

impl Tui {
    async fn turn_round(&mut self, inputs: Inputs<'_>) -> io::Result<Ending> {
        let mut opened = self.app.take_wishes();
        opened.extend(self.app.update(Msg::Tick, now()));
        if let Some(ending) = self.carry_out(opened)? {
            return Ok(ending);
        }
        let mut updates = Vec::with_capacity(TURN);
        let mut said = None;
        loop {
            let wake = self.wake();
            let mut effects = Vec::new();
            tokio::select! {
                biased;
                () = recv(&mut self.signals.term) => return Ok(Ending::Signal(signal_hook::consts::SIGTERM)),
                () = recv(&mut self.signals.hup) => return Ok(Ending::HungUp),
                () = recv(&mut self.signals.int) => return Ok(Ending::Signal(signal_hook::consts::SIGINT)),
                () = recv(&mut self.signals.quit) => return Ok(Ending::Signal(signal_hook::consts::SIGQUIT)),
                () = recv(&mut self.signals.cont) => effects = self.resume()?,
                () = recv(&mut self.signals.tstp) => effects = self.suspend()?,
                () = recv(&mut self.signals.winch) => {
                    let (width, height) = self.modes.size();
                    effects = self.app.update(Msg::Resize(width, height), now());
                    self.dirty = true;
                }
                key = inputs.keys.recv() => match key {
                    Some(key) => {
                        effects = self.app.update(key, now());
                        self.answer(&effects);
                    }
                    None => return Ok(Ending::HungUp),
                },
                Some(answer) = inputs.answers.recv() => {
                    effects = self.app.update(answer, now());
                    self.dirty = true;
                }
                count = inputs.feeds.recv_many(&mut updates, TURN) => {
                    let now = now();
                    for (target, update) in updates.drain(..) {
                        effects.extend(self.app.update(Msg::Feed(target, update), now));
                    }
                    self.dirty |= count > 0;
                    // A flood of lines is no reason not to listen to shells.
                    let next = said.take().or_else(|| inputs.shells.try_recv().ok());
                    if let Some((name, update)) = next {
                        said = self.listen(name, update, &mut effects);
                    }
                }
                Some((name, update)) = next(&mut said, inputs.shells) => {
                    said = self.listen(name, update, &mut effects);
                }
                () = sleep_until(wake) => {
                    if !self.dirty {
                        effects = self.app.update(Msg::Tick, now());
                        self.dirty = true;
                        self.ticked = clock::now();
                    }
                }
            }
            // Time passes whatever comes.
            if clock::now() >= self.ticked + TICK {
                self.ticked = clock::now();
                effects.extend(self.app.update(Msg::Tick, now()));
            }
            if let Some(ending) = self.carry_out(effects)? {
                return Ok(ending);
            }
            self.draw_if_due()?;
        }
    }

    /// A key is answered at once; one that went to a shell, by what the shell says to it.
    fn answer(&mut self, effects: &[Effect]) {
        let shell = effects.iter().try_fold(None, |_, effect| match effect {
            Effect::ToShell(pane, _) => Some(Some(*pane)),
            _ => None,
        });
        self.typed = shell.flatten();
        if self.typed.is_none() {
            self.drawn = None;
        } else if !self.dirty {
            // A frame now would be in the answer's way.
            self.drawn = Some(clock::now());
        }
        self.dirty = true;
    }

    /// Takes in what a shell says, for a while; the answer is what is left of it.
    fn listen(
        &mut self,
        name: shells::Name,
        update: ShellUpdate,
        effects: &mut Vec<Effect>,
    ) -> Option<(shells::Name, ShellUpdate)> {
        self.dirty = true;
        if self.typed == Some(name.0) && matches!(update, ShellUpdate::Output(_)) {
            self.typed = None;
            self.drawn = None;
        }
        let until = clock::now() + LISTEN;
        let mut rest = Some(update);
        while let Some(update) = rest.take() {
            let (first, more) = bite(update);
            effects.extend(self.on_shell(name, first));
            if clock::now() >= until {
                return more.map(|more| (name, more));
            }
            rest = more;
        }
        None
    }

    /// What a shell says: recorded, then taken in.
    fn on_shell(&mut self, name: shells::Name, update: ShellUpdate) -> Vec<Effect> {
        let mut told = Vec::new();
        let msg = self.hands.shells.said(name, update, &mut told);
        let msgs = msg.into_iter().chain(told);
        msgs.flat_map(|msg| self.app.update(msg, now())).collect()
    }

    /// The next frame if something changed, else the time at which the screen changes by itself.
    fn wake(&self) -> Instant {
        if self.dirty {
            return self.drawn.map_or_else(clock::now, |drawn| drawn + FRAME);
        }
        let far = clock::now() + Duration::from_secs(3600);
        self.app
            .wake_at()
            .map_or(far, |at| Instant::from_std(at).min(far))
    }

    /// The first change after a rest is drawn at once, then at most 30 frames a second.
    fn draw_if_due(&mut self) -> io::Result<()> {
        let now = clock::now();
        if !self.dirty || self.drawn.is_some_and(|drawn| now < drawn + FRAME) {
            return Ok(());
        }
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        let (app, theme) = (&self.app, &self.hands.theme);
        if self.screen.get_frame().area() != app.area {
            self.screen.resize(app.area)?;
        }
        // A terminal that knows synchronized output shows the frame whole.
        self.screen.backend_mut().write_all(b"\x1b[?2026h")?;
        self.screen.draw(|frame| {
            let area = frame.area();
            if let Some(cursor) = view::render(app, theme, area, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        })?;
        self.screen.backend_mut().write_all(b"\x1b[?2026l")?;
        Write::flush(self.screen.backend_mut())?;
        self.dirty = false;
        self.drawn = Some(clock::now());
        Ok(())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<Option<Ending>> {
        let mut waiting = effects;
        while !waiting.is_empty() {
            let mut told = Vec::new();
            for effect in std::mem::take(&mut waiting) {
                match self.hands.perform(effect, &mut self.modes, &mut told) {
                    Then::GoOn => {}
                    Then::Redraw => {
                        self.screen.clear()?;
                        self.dirty = true;
                        self.drawn = None;
                    }
                    Then::Suspend => waiting.extend(self.suspend()?),
                    Then::Quit => return Ok(Some(Ending::Quit)),
                }
            }
            for msg in told {
                waiting.extend(self.app.update(msg, now()));
                self.dirty = true;
            }
        }
        Ok(None)
    }

    /// Ctrl-Z: the terminal is given back, the process stops itself, and goes on here.
    fn suspend(&mut self) -> io::Result<Vec<Effect>> {
        self.modes.leave();
        signal_hook::low_level::raise(signal_hook::consts::SIGSTOP)?;
        self.resume()
    }

    /// The terminal is taken again, at the size that it has by now; what is to be done about that.
    fn resume(&mut self) -> io::Result<Vec<Effect>> {
        self.modes.enter()?;
        let (width, height) = self.modes.size();
        let effects = self.app.update(Msg::Resize(width, height), now());
        self.screen.resize(self.app.area)?;
        self.screen.clear()?;
        self.dirty = true;
        self.drawn = None;
        Ok(effects)
    }

    /// Lets the sources go; those in a server's replay are drained (decision 2).
    async fn let_go(mut self) {
        // A goodbye takes a shell 1 s at most.
        self.hands.shells.finish().await;
        let sources = self
            .hands
            .sources
            .drain()
            .map(|(_, source)| source)
            .chain(self.hands.leaving.drain(..));
        let mut leaving = tokio::task::JoinSet::new();
        for source in sources {
            leaving.spawn(source.finish());
        }
        let all = async { while leaving.join_next().await.is_some() {} };
        tokio::select! {
            _ = timeout(Duration::from_secs(12), all) => {}
            () = recv(&mut self.signals.int) => {}
            () = recv(&mut self.signals.term) => {}
        }
    }
}

impl Signals {
    fn catch() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            cont: signal(SignalKind::from_raw(signal_hook::consts::SIGCONT))?,
            tstp: signal(SignalKind::from_raw(signal_hook::consts::SIGTSTP))?,
            winch: signal(SignalKind::window_change())?,
        })
    }
}

/// What is left of an update, else the next one.
async fn next<T>(left: &mut Option<T>, inbox: &mut mpsc::Receiver<T>) -> Option<T> {
    match left.take() {
        Some(left) => Some(left),
        None => inbox.recv().await,
    }
}

/// The first piece of an update, and what follows it.
fn bite(update: ShellUpdate) -> (ShellUpdate, Option<ShellUpdate>) {
    match update {
        ShellUpdate::Output(mut bytes) if bytes.len() > BITE => {
            let first = bytes.split_to(BITE);
            (ShellUpdate::Output(first), Some(ShellUpdate::Output(bytes)))
        }
        whole => (whole, None),
    }
}

async fn recv(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

fn now() -> Now {
    Now {
        mono: clock::now().into_std(),
        wall: clock::wall(),
    }
}

fn screen(modes: &Modes, area: Rect) -> io::Result<Screen> {
    let backend = CrosstermBackend::new(BufWriter::with_capacity(64 << 10, modes.writer()?));
    let options = ratatui::TerminalOptions {
        viewport: ratatui::Viewport::Fixed(area),
    };
    Terminal::with_options(backend, options)
}

fn first_theme(plan: &ViewPlan, themes: Option<&PathBuf>) -> Result<Theme, Fault> {
    let name = match &plan.theme {
        Some(name) => name,
        None if plan.plain => "plain",
        None if plan.true_color => "dark",
        None => "ansi16",
    };
    Ok(for_terminal(
        Theme::find(name, themes.map(PathBuf::as_path))?,
        plan,
    ))
}

fn no_terminal(error: &io::Error) -> Fault {
    Fault::new(
        FaultKind::Output,
        word!("the terminal", "本机终端"),
        words::io_error(error),
        word!(
            "use deckwatch logs -f TARGET… to print lines",
            "请用 deckwatch logs -f TARGET… 打印日志行"
        ),
    )
}
