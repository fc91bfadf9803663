//! What the program is measured against: tmux, and a client that does nothing but the protocol.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use deckwatch::codec::Packet;
use deckwatch::codec::shell::{Dialect, FromShell, hello};
use deckwatch::codec::target::Target;
use deckwatch::text::redact::Secret;
use deckwatch::transport::ws::{Upgrade, WsConn};
use memchr::memmem;

use crate::pty::{Program, Shop};
use crate::{COLUMNS, ROWS, rate};

/// Answers of tmux, on a socket of our own.
fn ask(socket: &str, words: &[&str]) -> Option<String> {
    let mut command = Command::new("tmux");
    command
        .env_remove("TMUX")
        .args(["-L", socket, "-f", "/dev/null"]);
    let output = command.args(words).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// MB/s of a tmux of its own; none without tmux.
pub(crate) fn tmux(dir: &Path, file: &Path) -> Option<f64> {
    let socket = format!("deckwatch-bench-{}", std::process::id());
    let done = dir.join("done");
    let command = format!("cat '{}'; touch '{}'", file.display(), done.display());
    let (columns, rows) = (COLUMNS.to_string(), ROWS.to_string());
    // A server that runs already, so that its start is not measured.
    ask(&socket, &["new-session", "-d", "-s", "idle", "sleep 100"])?;
    let start = Instant::now();
    ask(
        &socket,
        &["new-session", "-d", "-x", &columns, "-y", &rows, &command],
    )?;
    while !done.exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "tmux took a minute"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    let taken = start.elapsed();
    ask(&socket, &["kill-server"])?;
    std::fs::remove_file(&done).unwrap();
    let length = std::fs::metadata(file).unwrap().len();
    Some(rate(usize::try_from(length).unwrap(), taken))
}

/// A tmux in a PTY, with `command` in its only window. Ended with its server.
pub(crate) struct Tmux {
    pub(crate) program: Program,
    socket: String,
}

impl Tmux {
    /// None without tmux.
    pub(crate) fn start(command: &str) -> Option<Self> {
        let socket = format!("deckwatch-bench-keys-{}", std::process::id());
        ask(&socket, &["-V"])?;
        let words = [
            "tmux",
            "-L",
            &socket,
            "-f",
            "/dev/null",
            "new-session",
            command,
        ];
        let program = Program::start(&words);
        Some(Self { program, socket })
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        ask(&self.socket, &["kill-server"]);
    }
}

/// A client without a screen.
pub(crate) struct Bare {
    connection: WsConn,
    dialect: &'static Dialect,
    scratch: Vec<u8>,
}

impl Bare {
    pub(crate) fn open(shop: &Shop, target: &str, dialect: &str) -> Self {
        let target = Target::parse(target).unwrap();
        let spec = target.shell().unwrap();
        let dialect = Dialect::named(dialect).unwrap();
        let url = spec.socket(Some(dialect));
        let connection = shop.runtime.block_on(async {
            let wish = Upgrade {
                url: &url,
                subprotocol: dialect.subprotocol,
                login: None,
                way: &target.way,
            };
            let mut connection = WsConn::upgrade(wish).await.unwrap();
            let first = hello::hello(
                &spec.place,
                Some(dialect),
                &Secret::new(""),
                (COLUMNS, ROWS),
            );
            connection.send(first).await.unwrap();
            connection
                .send(dialect.resized(COLUMNS, ROWS))
                .await
                .unwrap();
            connection
        });
        let mut bare = Self {
            connection,
            dialect,
            scratch: Vec::new(),
        };
        bare.until(shop, b"$ ");
        bare
    }

    pub(crate) fn type_in(&mut self, shop: &Shop, text: &[u8]) {
        let packet = self.dialect.typed(text);
        shop.runtime.block_on(self.connection.send(packet)).unwrap();
    }

    /// Reads until the shell has written `mark`.
    pub(crate) fn until(&mut self, shop: &Shop, mark: &[u8]) {
        let (dialect, connection) = (self.dialect, &mut self.connection);
        let mut tail = Vec::new();
        shop.runtime.block_on(async {
            loop {
                let (Packet::Text(message) | Packet::Binary(message)) =
                    connection.recv().await.unwrap()
                else {
                    continue;
                };
                let FromShell::Output(bytes) = dialect.decode(&message, &mut self.scratch) else {
                    continue;
                };
                tail.extend_from_slice(bytes);
                if memmem::find(&tail, mark).is_some() {
                    return;
                }
                tail.drain(..tail.len().saturating_sub(mark.len()));
            }
        });
    }

    /// Sends `text` in messages with a ping behind each, and each after the pong to the last.
    pub(crate) fn stop_and_wait(&mut self, shop: &Shop, text: &[u8]) {
        let (dialect, connection) = (self.dialect, &mut self.connection);
        shop.runtime.block_on(async {
            for piece in text.chunks(dialect.chunk) {
                connection.send(dialect.typed(piece)).await.unwrap();
                connection.send(dialect.ping().unwrap()).await.unwrap();
                loop {
                    let (Packet::Text(message) | Packet::Binary(message)) =
                        connection.recv().await.unwrap()
                    else {
                        continue;
                    };
                    if dialect.decode(&message, &mut self.scratch) == FromShell::Pong {
                        break;
                    }
                }
            }
        });
    }
}
