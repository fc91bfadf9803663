//! One tmux of its own for each test, gone with it.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Nothing here takes longer, on however slow a machine.
const PATIENCE: Duration = Duration::from_secs(30);
static COUNT: AtomicU32 = AtomicU32::new(0);

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_deckwatch");

pub(crate) struct Tmux {
    socket: String,
    pub(crate) dir: TempDir,
}

impl Tmux {
    /// Runs a shell's command line in a terminal of `cols` by `rows`. Its status goes to a file:
    /// tmux 3.3 now and then misses that its child has ended.
    pub(crate) fn run(cols: u16, rows: u16, command: &str) -> Self {
        Self::with_history(0, cols, rows, command)
    }

    /// The same, with so many lines of history.
    pub(crate) fn with_history(history: usize, cols: u16, rows: u16, command: &str) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let tmux = Self {
            socket: format!("deckwatch-{}-{number}", std::process::id()),
            dir: tempfile::tempdir().unwrap(),
        };
        let conf = tmux.dir.path().join("tmux.conf");
        let options = format!(
            "set -g status off\nset -g set-clipboard on\nset -g remain-on-exit on\n\
             set -sg escape-time 10\nset -g default-terminal tmux-256color\n\
             set -g history-limit {history}\n"
        );
        std::fs::write(&conf, options).unwrap();
        let wrapped = format!(
            "export COLORTERM=truecolor TMPDIR='{0}' XDG_CONFIG_HOME='{0}'; {command}\necho $? > '{0}/status'",
            tmux.dir.path().display()
        );
        let (cols, rows) = (cols.to_string(), rows.to_string());
        tmux.ask(&[
            "-f",
            conf.to_str().unwrap(),
            "new-session",
            "-d",
            "-x",
            &cols,
            "-y",
            &rows,
            &wrapped,
        ]);
        tmux
    }

    /// The interface on these targets.
    pub(crate) fn deckwatch(cols: u16, rows: u16, arguments: &str) -> Self {
        Self::run(cols, rows, &format!("{BIN} {arguments}"))
    }

    fn output(&self, words: &[&str]) -> Output {
        Command::new("tmux")
            .env_remove("TMUX")
            .env_remove("NO_COLOR")
            .env("DECKWATCH_LANG", "en")
            .args(["-u", "-L", &self.socket])
            .args(words)
            .output()
            .unwrap_or_else(|error| {
                panic!("these tests need tmux ({error}); install it: apt-get install tmux")
            })
    }

    /// A terminal whose program is a client of this tmux. It is told that it can't erase in
    /// colour, so that every coloured blank is written.
    pub(crate) fn watched(&self, cols: u16, rows: u16) -> Self {
        self.ask(&["set", "-as", "terminal-features", "screen*:RGB"]);
        let client = format!("TERM=screen-256color tmux -u -L {} attach", self.socket);
        Self::run(cols, rows, &client)
    }

    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let output = self.output(words);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {words:?}: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Presses keys, by tmux's names.
    pub(crate) fn keys(&self, words: &str) {
        for word in words.split(' ') {
            self.ask(&["send-keys", word]);
        }
    }

    pub(crate) fn type_in(&self, text: &str) {
        self.ask(&["send-keys", "-l", text]);
    }

    pub(crate) fn screen(&self) -> String {
        self.ask(&["capture-pane", "-p"])
    }

    /// The screen with its colours.
    pub(crate) fn colors(&self) -> String {
        self.ask(&["capture-pane", "-p", "-e"])
    }

    /// Waits until the screen is as wanted.
    pub(crate) fn wait(&self, what: &str, seen: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if seen(&screen) {
                return screen;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what} was never seen:\n{screen}"
            );
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    pub(crate) fn see(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    pub(crate) fn gone(&self, text: &str) -> String {
        self.wait(&format!("a screen without {text}"), |screen| {
            !screen.contains(text)
        })
    }

    /// What the interface ended with.
    pub(crate) fn status(&self) -> String {
        let start = Instant::now();
        loop {
            let told = std::fs::read_to_string(self.dir.path().join("status"));
            if let Some(status) = told.ok().filter(|status| status.ends_with('\n')) {
                return status.trim().to_owned();
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it has not ended:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(40));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        drop(self.output(&["kill-server"]));
    }
}
