//! A shell that is open: what it says is collected, nothing is waited for without a bound.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helper")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deckwatch::codec::shell::Dialect;
use deckwatch::codec::target::Target;
use deckwatch::demo::ShellServer as Server;
use deckwatch::demo::{Options, Platform, Switches};
use deckwatch::model::FaultKind;
use deckwatch::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use deckwatch::source::shell::{Control, Opening, Shell};
use deckwatch::text::redact::Secret;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longer than anything here takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const SERVERS: [Server; 5] = [
    Server::Platform,
    Server::Gotty1,
    Server::Gotty2,
    Server::Sorenisanerd,
    Server::Ttyd,
];

/// What a server speaks.
pub(crate) fn dialect(server: Server) -> &'static Dialect {
    let name = match server {
        Server::Platform => "platform",
        Server::Gotty1 => "gotty1",
        Server::Gotty2 => "gotty2",
        Server::Sorenisanerd => "gottysor",
        Server::Ttyd => "ttyd",
    };
    Dialect::named(name).unwrap()
}

/// A platform of shells alone that run `command`.
pub(crate) async fn platform(command: &[&str]) -> Platform {
    platform_with(command, |_| {}).await
}

/// The same with other switches.
pub(crate) async fn platform_with(
    command: &[&str],
    change: impl FnOnce(&mut Switches),
) -> Platform {
    let mut switches = Switches::default();
    change(&mut switches);
    let options = Options {
        world: false,
        zmq: false,
        shell: command.iter().map(|word| (*word).to_owned()).collect(),
        pods: vec!["pod-0".into(), "noexec-0".into(), "pending-0".into()],
        switches,
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// The URL of a server's shell.
pub(crate) fn url(platform: &Platform, server: Server) -> String {
    match server {
        Server::Platform => format!("{}#ten/svc/pod-0", platform.server_url(server)),
        _ => platform.server_url(server),
    }
}

pub(crate) struct Desk {
    shell: Option<Shell>,
    updates: mpsc::Receiver<((), ShellUpdate)>,
    pub(crate) output: Vec<u8>,
    pub(crate) told: Vec<ShellUpdate>,
}

impl Desk {
    pub(crate) fn open(url: &str) -> Self {
        Self::open_as(url, None, None)
    }

    pub(crate) fn open_as(
        url: &str,
        login: Option<(&str, &str)>,
        dialect: Option<&'static Dialect>,
    ) -> Self {
        let target = Target::parse(url).unwrap();
        let mut spec = target.shell().unwrap().clone();
        spec.dialect = dialect;
        Self::with(Opening {
            spec,
            login: login.map(|(user, password)| (user.to_owned(), Secret::new(password))),
            remembered: None,
            size: (80, 24),
            way: Arc::default(),
        })
    }

    pub(crate) fn with(opening: Opening) -> Self {
        let (sender, updates) = mpsc::channel(16);
        Self {
            shell: Some(Shell::open(opening, (), sender)),
            updates,
            output: Vec::new(),
            told: Vec::new(),
        }
    }

    /// One update more; false at the end.
    pub(crate) async fn more(&mut self) -> bool {
        let next = timeout(PATIENCE, self.updates.recv()).await;
        let Ok(next) = next else {
            let shown = String::from_utf8_lossy(&self.output);
            panic!(
                "nothing for {PATIENCE:?}; told {:?}, shown {shown:?}",
                self.told
            );
        };
        match next {
            Some(((), ShellUpdate::Output(bytes))) => self.output.extend_from_slice(&bytes),
            Some(((), update)) => self.told.push(update),
            None => return false,
        }
        true
    }

    /// Until the shell takes keys.
    pub(crate) async fn ready(&mut self) -> &'static str {
        loop {
            if let Some(ShellUpdate::Ready(server)) = self
                .told
                .iter()
                .rfind(|told| matches!(told, ShellUpdate::Ready(_)))
            {
                return server;
            }
            assert!(self.more().await, "{:?}", self.told);
        }
    }

    /// Until this has been shown.
    pub(crate) async fn shows(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.output).contains(text) {
            let shown = String::from_utf8_lossy(&self.output).into_owned();
            assert!(self.more().await, "{:?} {shown:?}", self.told);
        }
    }

    pub(crate) async fn types(&mut self, text: impl AsRef<[u8]>) {
        assert!(self.tries(text).await, "{:?}", self.told);
    }

    /// Types; false if the shell is over.
    pub(crate) async fn tries(&mut self, text: impl AsRef<[u8]>) -> bool {
        let input = self.shell.as_ref().unwrap().input();
        let bytes = Bytes::copy_from_slice(text.as_ref());
        timeout(PATIENCE, input.send(bytes)).await.unwrap().is_ok()
    }

    /// Types at once, whole or not at all.
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        let typed = Bytes::from(vec![b'x'; bytes]);
        self.shell.as_ref().unwrap().write(typed)
    }

    /// Types in the background, while output is read.
    pub(crate) fn feeds(&self, bytes: Bytes) {
        let input = self.shell.as_ref().unwrap().input();
        tokio::spawn(async move {
            for start in (0..bytes.len()).step_by(64 << 10) {
                let end = (start + (64 << 10)).min(bytes.len());
                if input.send(bytes.slice(start..end)).await.is_err() {
                    return;
                }
            }
        });
    }

    pub(crate) fn tells(&self, control: Control) {
        self.shell.as_ref().unwrap().tell(control);
    }

    /// Until it is over.
    pub(crate) async fn end(&mut self) -> ShellEnd {
        loop {
            if let Some(ShellUpdate::Ended(end)) = self.told.last() {
                return end.clone();
            }
            assert!(self.more().await, "{:?}", self.told);
        }
    }

    /// Its end is a fault of this kind, whose reason holds these words.
    pub(crate) async fn fails(&mut self, kind: FaultKind, words: &str) -> ShellEnd {
        let end = self.end().await;
        match &end.how {
            ShellExit::Fault(fault) => {
                assert_eq!(fault.kind, kind, "{fault}");
                assert!(fault.to_string().contains(words), "{fault}");
                assert!(!fault.next.is_empty(), "{fault}");
            }
            other => panic!("{other:?}"),
        }
        end
    }

    /// Lets it go, as a pane that is closed does.
    pub(crate) async fn close(mut self) {
        if let Some(shell) = self.shell.take() {
            timeout(PATIENCE, shell.finish()).await.unwrap();
        }
    }
}

/// Whether an end is the program's own.
pub(crate) fn exited(end: &ShellEnd) -> bool {
    matches!(end.how, ShellExit::Exited { failed: false, .. })
}
