//! However it ends, the terminal is as it was (reliability.md 8, rows 18 to 21).

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use deckwatch::app::effect::Reports;
use deckwatch::runtime::terminal::{Modes, RESTORE};
use deckwatch::term::Tracking;
use portable_pty::{Child, CommandBuilder, ExitStatus, PtyPair, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use super::shop::Shop;
use super::tmux::{BIN, Tmux};

const PATIENCE: Duration = Duration::from_secs(30);
/// Tells the test binary, run anew in a terminal, to panic there.
const PANIC: &str = "DECKWATCH_TEST_PANIC";

/// A program in a bare pseudo-terminal.
struct Pty {
    pair: PtyPair,
    child: Box<dyn Child + Send + Sync>,
    said: Arc<Mutex<Vec<u8>>>,
    /// The terminal reads nothing, like one that is stopped.
    deaf: Arc<AtomicBool>,
    before: String,
}

impl Pty {
    fn run(mut command: CommandBuilder) -> Self {
        let size = PtySize {
            rows: 24,
            cols: 80,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let before = format!("{:?}", pair.master.get_termios());
        command.env("TERM", "xterm-256color");
        command.env_remove("TMUX");
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let deaf = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&deaf);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count) = reader.read(&mut piece) {
                if count == 0 {
                    return;
                }
                while stopped.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                heard
                    .lock()
                    .unwrap()
                    .extend_from_slice(piece.get(..count).unwrap());
            }
        });
        Self {
            pair,
            child,
            said,
            deaf,
            before,
        }
    }

    fn deckwatch(arguments: &[&str]) -> Self {
        let mut command = CommandBuilder::new(BIN);
        command.env("DECKWATCH_LANG", "en");
        command.args(arguments);
        Self::run(command)
    }

    fn said(&self) -> Vec<u8> {
        self.said.lock().unwrap().clone()
    }

    fn see(&self, text: &str) {
        let start = Instant::now();
        while !find(&self.said(), text.as_bytes()) {
            assert!(
                start.elapsed() < PATIENCE,
                "{text} was never said: {}",
                String::from_utf8_lossy(&self.said())
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it has not ended");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.process_id().unwrap()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// A signal ends it with its code; the modes are those of before.
    fn assert_ends_by(&mut self, signal: Signal, code: u32) {
        self.signal(signal);
        assert_eq!(self.end().exit_code(), code);
        let modes = format!("{:?}", self.pair.master.get_termios());
        assert_eq!(modes, self.before, "{code}");
    }

    /// SIGTERM ends it though its terminal reads nothing; the modes are those of before.
    fn assert_terminates_unheard(&mut self) {
        self.assert_ends_by(Signal::TERM, 143);
        self.deaf.store(false, Ordering::Relaxed);
    }

    /// The modes are those of before, and what was switched on last is off.
    fn assert_restored(&self, what: &str) {
        assert_eq!(
            format!("{:?}", self.pair.master.get_termios()),
            self.before,
            "{what}"
        );
        // The last bytes may still be on their way.
        let start = Instant::now();
        while !find(&self.said(), RESTORE) && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let said = self.said();
        let shown = String::from_utf8_lossy(&said).into_owned();
        for (on, off) in [
            ("\x1b[?1049h", "\x1b[?1049l"),
            ("\x1b[?25l", "\x1b[?25h"),
            ("\x1b[?2004h", "\x1b[?2004l"),
            ("\x1b[?2026h", "\x1b[?2026l"),
            ("\x1b[?1000h", "\x1b[?1000l"),
            ("\x1b[?1006h", "\x1b[?1006l"),
        ] {
            assert!(
                shown.rfind(off) > shown.rfind(on) || shown.rfind(on).is_none(),
                "{what}: {off:?}"
            );
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        drop(self.child.kill());
    }
}

fn find(said: &[u8], text: &[u8]) -> bool {
    said.windows(text.len()).any(|window| window == text)
}

#[test]
fn q_and_every_signal_give_the_terminal_back() {
    let shop = Shop::open();
    let target = shop.target("order");
    let target = target.trim_matches('\'');
    let ends = [
        None,
        Some((Signal::TERM, "Terminated")),
        Some((Signal::INT, "Interrupt")),
        Some((Signal::QUIT, "Quit")),
    ];
    for end in ends {
        let mut pty = Pty::deckwatch(&["--mouse", target]);
        pty.see("live");
        match end {
            None => pty
                .pair
                .master
                .take_writer()
                .unwrap()
                .write_all(b"q")
                .unwrap(),
            Some((signal, _)) => pty.signal(signal),
        }
        let status = pty.end();
        pty.assert_restored(&format!("{end:?}"));
        match end {
            None => assert_eq!((status.exit_code(), status.signal()), (0, None)),
            Some((_, name)) => {
                let told = status.signal().unwrap_or("none");
                assert!(told.starts_with(name), "{name}: {status:?}");
            }
        }
    }
}

/// As a shell says it: 128 and the number of the signal.
#[test]
fn a_raw_shell_whose_terminal_reads_nothing_ends_by_a_signal() {
    let shop = Shop::open();
    let target = shop.shell(0);
    let mut pty = Pty::deckwatch(&["shell", target.trim_matches('\'')]);
    pty.see("connected to");
    pty.deaf.store(true, Ordering::Relaxed);
    let mut keyboard = pty.pair.master.take_writer().unwrap();
    keyboard.write_all(b"yes\r").unwrap();
    let start = Instant::now();
    while !shop.typed().iter().any(|typed| typed.contains("yes")) {
        assert!(start.elapsed() < PATIENCE, "it was not typed");
        std::thread::sleep(Duration::from_millis(20));
    }
    // So that all on the way is full.
    std::thread::sleep(Duration::from_secs(2));
    pty.assert_terminates_unheard();
}

#[test]
fn a_prompt_for_a_password_ends_by_a_signal() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut pty = Pty::deckwatch(&["shell", "http://bob@127.0.0.1:9/x"]);
        pty.see("password of bob");
        pty.assert_ends_by(signal, code);
    }
}

#[test]
fn a_raw_shell_gives_the_terminal_back_at_every_signal() {
    let shop = Shop::open();
    let target = shop.shell(0);
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::INT, 130),
        (Signal::HUP, 129),
        (Signal::QUIT, 131),
    ] {
        let mut pty = Pty::deckwatch(&["shell", target.trim_matches('\'')]);
        pty.see("connected to");
        pty.assert_ends_by(signal, code);
    }
}

#[test]
fn an_interface_whose_terminal_reads_nothing_ends_by_a_signal() {
    let shop = Shop::open();
    let target = shop.target("order");
    let mut pty = Pty::deckwatch(&[target.trim_matches('\'')]);
    pty.see("live");
    pty.deaf.store(true, Ordering::Relaxed);
    for line in 0..100 {
        shop.say("order", &format!("{line} {}", "字".repeat(40)));
        std::thread::sleep(Duration::from_millis(30));
    }
    pty.assert_terminates_unheard();
}

#[test]
fn a_hangup_gives_the_terminal_back_while_there_is_one() {
    let shop = Shop::open();
    let target = shop.target("order");
    let mut pty = Pty::deckwatch(&[target.trim_matches('\'')]);
    pty.see("live");
    pty.signal(Signal::HUP);
    assert_eq!(pty.end().exit_code(), 129);
    pty.assert_restored("hangup");
}

#[test]
fn an_error_at_the_start_leaves_no_trace() {
    for arguments in [
        &["--theme", "nowhere", "-"][..],
        &["nonsense://x"],
        &["demo", "--theme", "/nowhere.toml"],
    ] {
        let mut pty = Pty::deckwatch(arguments);
        assert_eq!(pty.end().exit_code(), 2);
        pty.assert_restored(&format!("{arguments:?}"));
        assert!(!find(&pty.said(), b"\x1b[?1049h"), "{arguments:?}");
    }
}

/// Does nothing but in the terminal that the next test makes.
#[test]
fn a_loop_that_panics() {
    if std::env::var_os(PANIC).is_none() {
        return;
    }
    let mut modes = Modes::open().unwrap();
    modes.restore_on_panic();
    modes.enter().unwrap();
    modes
        .report(Reports {
            mouse: Tracking::Moves,
            kitty: 1,
        })
        .unwrap();
    panic!("the loop has a defect");
}

#[test]
fn a_panic_gives_the_terminal_back_and_then_tells() {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "restored::a_loop_that_panics", "--nocapture"]);
    command.env(PANIC, "1");
    let mut pty = Pty::run(command);
    pty.see("the loop has a defect");
    pty.end();
    pty.assert_restored("panic");
    let said = String::from_utf8_lossy(&pty.said()).into_owned();
    assert!(said.find("\x1b[?1049h") < said.find("the loop has a defect"));
    assert!(said.find("\x1b[?1049l") < said.find("the loop has a defect"));
}

#[test]
fn raw_modes_that_were_left_are_repaired() {
    let mut command = CommandBuilder::new("sh");
    let left = "printf '\\033[?1049h\\033[?25l\\033[?2004h\\033[?1000h\\033[?1006h'";
    command.args([
        "-c",
        &format!("stty raw -echo; {left}; exec {BIN} reset-terminal"),
    ]);
    let mut pty = Pty::run(command);
    assert_eq!(pty.end().exit_code(), 0);
    pty.assert_restored("reset-terminal");
}

#[test]
fn a_terminal_that_is_gone_ends_the_program() {
    let shop = Shop::open();
    let target = shop.target("order");
    for _ in 0..3 {
        let size = PtySize::default();
        let PtyPair { master, slave } = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(BIN);
        command.env("DECKWATCH_LANG", "en");
        command.arg(target.trim_matches('\''));
        command.env("TERM", "xterm-256color");
        let mut child = slave.spawn_command(command).unwrap();
        drop(slave);
        let mut reader = master.try_clone_reader().unwrap();
        let mut said = Vec::new();
        let mut piece = [0; 4096];
        while !find(&said, b"live") {
            let count = reader.read(&mut piece).unwrap();
            said.extend_from_slice(piece.get(..count).unwrap());
        }
        drop(reader);
        drop(master);
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if start.elapsed() > Duration::from_secs(15) {
                drop(child.kill());
                panic!("it lives on without a terminal");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// An interactive shell with a prompt that is known.
fn shell(shop: &Shop) -> Tmux {
    let tmux = Tmux::run(80, 24, "PS1='ready> ' exec bash --norc --noprofile -i");
    tmux.see("ready>");
    tmux.type_in(&format!(
        "stty -g >$TMPDIR/before; {BIN} {}",
        shop.target("order")
    ));
    tmux.keys("Enter");
    tmux.see(" live");
    tmux
}

fn assert_sane(tmux: &Tmux, round: usize) {
    tmux.type_in(&format!(
        "clear; stty -g | cmp - $TMPDIR/before && echo same-{round}-$((40+2))"
    ));
    tmux.keys("Enter");
    tmux.see(&format!("same-{round}-42"));
    let modes = tmux.ask(&[
        "display-message",
        "-p",
        "#{alternate_on}#{cursor_flag}#{mouse_any_flag}",
    ]);
    assert_eq!(modes.trim(), "010");
}

#[test]
fn ctrl_z_and_fg_work_again_and_again() {
    let shop = Shop::open();
    let tmux = shell(&shop);
    for round in 0..5 {
        tmux.keys("C-z");
        tmux.see("Stopped");
        assert_sane(&tmux, round);
        if round == 2 {
            tmux.ask(&["resize-window", "-x", "60", "-y", "20"]);
        }
        shop.say("order", &format!("while stopped {round}"));
        tmux.type_in("fg");
        tmux.keys("Enter");
        tmux.see(" ? help");
        tmux.see(&format!("while stopped {round}"));
    }
    let screen = tmux.screen();
    assert!(
        screen.lines().nth(19).unwrap().starts_with(" ? help"),
        "{screen}"
    );
    tmux.keys("q");
    tmux.see("ready>");
    assert_sane(&tmux, 9);
}

#[test]
fn a_stop_from_outside_and_a_killed_one_are_repaired() {
    let shop = Shop::open();
    let tmux = shell(&shop);
    let pids = |name: &str| {
        let tty = tmux.ask(&["display-message", "-p", "#{pane_tty}"]);
        let tty = tty.trim().trim_start_matches("/dev/").to_owned();
        let output = std::process::Command::new("ps")
            .args(["-t", &tty, "-o", "pid=,comm="])
            .output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let line = text
            .lines()
            .find(|line| line.contains(name))
            .unwrap()
            .to_owned();
        let id: i32 = line.split_whitespace().next().unwrap().parse().unwrap();
        Pid::from_raw(id).unwrap()
    };
    let id = pids("deckwatch");
    kill_process(id, Signal::TSTP).unwrap();
    tmux.see("Stopped");
    assert_sane(&tmux, 1);
    tmux.type_in("fg");
    tmux.keys("Enter");
    tmux.see(" ? help");
    kill_process(id, Signal::KILL).unwrap();
    tmux.see("Killed");
    let left = tmux.ask(&["display-message", "-p", "#{alternate_on}#{cursor_flag}"]);
    assert_eq!(left.trim(), "10", "nothing could give it back");
    tmux.type_in(&format!("{BIN} reset-terminal"));
    tmux.keys("C-j");
    tmux.gone(" ? help");
    assert_sane(&tmux, 2);
    tmux.type_in(&format!("{BIN} {}", shop.target("order")));
    tmux.keys("Enter");
    tmux.see(" live");
    kill_process(pids("deckwatch"), Signal::TERM).unwrap();
    tmux.see("Terminated");
    tmux.type_in("echo code-$?");
    tmux.keys("Enter");
    tmux.see("code-143");
    assert_sane(&tmux, 3);
}
