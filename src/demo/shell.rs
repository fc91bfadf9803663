//! Shells as the real servers give them: the platform's `/docker_console`, both `GoTTY`s,
//! sorenisanerd's, and ttyd, each below its own path (protocols.md 6, 9.1).
//!
//! The shells are real: whoever may connect is the user that started the demo, with everything
//! that this user may do. So they are, like all of the demo, on loopback only and behind a path
//! that cannot be guessed.

mod dialect;
mod doors;
mod ill;
mod intake;
mod ledger;
mod pages;
mod pods;
mod pty;
mod session;
mod switches;

use std::sync::atomic::AtomicBool;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::sleep;

use self::dialect::Dialect;
use self::doors::Opening;
use self::intake::{Intake, Message, Stop};
use self::pods::Pods;
use self::session::{Session, control};
use super::cluster::Cluster;
use super::cut::{Cut, Cutter};
use super::http::Request;
use super::link::End;
use super::options::{Options, Switches};
use super::teams;
use super::wire::{self, Op};
use crate::demo::platform::DemoTarget;
use crate::demo::world::{self, SHOP};

pub(super) use self::ledger::Ledger;
pub use self::ledger::{ShellRecord, ShellTally};
pub use self::switches::{ShellError, ShellIll, ShellSwitches};

/// A kind of shell server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Server {
    /// The platform's own (protocols.md 6.3, 6.4).
    Platform,
    /// `GoTTY` 1.0.1 (protocols.md 6.2).
    Gotty1,
    /// `GoTTY` 2.0.0-alpha.3.
    Gotty2,
    /// sorenisanerd's `GoTTY`.
    Sorenisanerd,
    /// ttyd 1.7.7 (protocols.md 6.5).
    Ttyd,
}

impl Server {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Platform,
        Self::Gotty1,
        Self::Gotty2,
        Self::Sorenisanerd,
        Self::Ttyd,
    ];

    /// The path below the demo's; that of a WebSocket for the platform, of pages for the others.
    pub fn path(self) -> &'static str {
        match self {
            Self::Platform => "/docker_console",
            Self::Gotty1 => "/gotty1",
            Self::Gotty2 => "/gotty2",
            Self::Sorenisanerd => "/gottysor",
            Self::Ttyd => "/ttyd",
        }
    }

    /// Whether it sends pings, and each how many seconds.
    fn pings(self) -> bool {
        matches!(self, Self::Sorenisanerd | Self::Ttyd)
    }

    fn ping_period(self) -> std::time::Duration {
        std::time::Duration::from_secs(if self == Self::Ttyd { 5 } else { 30 })
    }

    /// The old library answers a close frame by an empty one (protocols.md 9.1.13).
    fn close_answer(self, body: &[u8]) -> Vec<u8> {
        let code = match self {
            Self::Gotty1 | Self::Gotty2 => &[],
            Self::Platform | Self::Sorenisanerd | Self::Ttyd => body.get(..2).unwrap_or(&[]),
        };
        control(Op::Close, code)
    }
}

/// How a visit ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    /// TCP is closed.
    Leave,
    /// Nobody reads, nobody closes (protocols.md 9.1.4).
    Mute,
    /// TCP is reset.
    Reset,
    /// The server dies, and with it all its connections (protocols.md 9.1.10).
    Crash,
}

/// What all visits need.
#[derive(Debug)]
pub(super) struct Shells {
    argv: Vec<String>,
    credential: Option<String>,
    pods: Pods,
    switches: watch::Receiver<Switches>,
    ledger: Ledger,
    /// Ends everybody on ttyd.
    crash: Cutter,
}

impl Shells {
    pub(super) fn new(
        options: &Options,
        switches: watch::Receiver<Switches>,
        ledger: Ledger,
        cluster: Cluster,
    ) -> Self {
        Self {
            argv: options.shell.clone(),
            credential: options.credential.clone(),
            pods: Pods {
                seed: options.seed,
                cluster,
                named: options.pods.clone(),
            },
            switches,
            ledger,
            crash: Cutter::new(),
        }
    }

    /// The command as titles show it.
    fn title(&self) -> String {
        self.argv.join(" ")
    }
}

/// The server that a path below the demo's belongs to, and the rest of the path.
pub(super) fn named(path: &str) -> Option<(Server, &str)> {
    Server::ALL.into_iter().find_map(|server| {
        let rest = path.strip_prefix(server.path())?;
        let whole = rest.is_empty() || (rest.starts_with('/') && server != Server::Platform);
        whole.then_some((server, rest))
    })
}

/// The URL of a shell in a pod, as the command line takes it.
pub(super) fn url(base: &str, seed: u64, alias: &str, pod: &str) -> String {
    let (tenant, service) = (world::tenant_id(seed), world::service_id(seed, alias));
    format!("{base}/docker_console#{tenant}/{service}/{pod}")
}

/// The alias of a component and the names of its pods; of its alias or its id.
pub(super) fn pods_of(
    cluster: &Cluster,
    seed: u64,
    component: &str,
) -> Option<(&'static str, Vec<String>)> {
    let alias = teams::place(seed, component)?.part.alias;
    let names = cluster.look(|view| view.of(alias).map(|pod| pod.name.clone()).collect());
    Some((alias, names))
}

/// The shells on offer: one in a pod of each component, then the other servers.
pub(super) fn targets(cluster: &Cluster, seed: u64, ws: &str, http: &str) -> Vec<DemoTarget> {
    let pods = SHOP.iter().filter_map(|one| {
        let pod = cluster.look(|view| view.of(one.alias).next().map(|pod| pod.name.clone()))?;
        Some(DemoTarget {
            url: url(ws, seed, one.alias, &pod),
            what: format!("a shell in a pod of {}", one.alias),
            what_zh: format!("{} 的实例 (Pod) 中的终端", one.alias),
        })
    });
    let others = [
        (Server::Gotty1, "GoTTY 1"),
        (Server::Gotty2, "GoTTY 2"),
        (Server::Sorenisanerd, "sorenisanerd's GoTTY"),
        (Server::Ttyd, "ttyd"),
    ];
    pods.chain(others.map(|(server, name)| DemoTarget {
        url: format!("{http}{}/", server.path()),
        what: format!("a shell by {name}"),
        what_zh: format!("{name} 提供的终端"),
    }))
    .collect()
}

/// A connection that has asked for one of the servers.
pub(super) struct Visit<'a, S> {
    pub(super) shells: &'a Shells,
    pub(super) server: Server,
    /// The path below the server's.
    pub(super) rest: &'a str,
    pub(super) request: &'a Request,
    pub(super) conn: u64,
    pub(super) stream: &'a mut S,
    pub(super) leftover: BytesMut,
    pub(super) cut: watch::Receiver<Cut>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Visit<'_, S> {
    /// Serves it to its end.
    pub(super) async fn serve(self) -> End {
        let (mut cut, mut crash) = (self.cut.clone(), self.shells.crash.watch());
        let (shells, server) = (self.shells, self.server);
        let over = tokio::select! {
            biased;
            _ = cut.changed() => return End::Cut(*cut.borrow()),
            _ = crash.changed(), if server == Server::Ttyd => return End::Cut(Cut::End),
            over = self.converse() => over,
        };
        match over {
            Over::Crash => {
                shells.crash.cut(Cut::End);
                End::Server
            }
            Over::Reset => End::Cut(Cut::Reset),
            Over::Leave | Over::Mute => End::Server,
        }
    }

    async fn converse(self) -> Over {
        let socket = if self.server == Server::Platform {
            ""
        } else {
            "/ws"
        };
        let answer = match (&self.request.accept, self.rest) {
            (Some(accept), rest) if rest == socket => doors::admit(&self, accept),
            (_, rest) if rest == socket => Err(pages::no_upgrade(self.server)),
            _ => Err(pages::page(&self)),
        };
        let (place, answer) = match answer {
            Ok((place, answer)) => (Some(place), answer),
            Err(answer) => (None, answer),
        };
        let (read, mut out) = tokio::io::split(self.stream);
        if out.write_all(answer.as_bytes()).await.is_err() || place.is_none() {
            // The answer must arrive before the end.
            let _ = out.shutdown().await;
            return Over::Leave;
        }
        let mut host = Host {
            shells: self.shells,
            server: self.server,
            request: self.request,
            conn: self.conn,
            intake: Intake::new(read, self.leftover),
            out,
        };
        let over = match host.open().await {
            Ok(opening) => host.run(opening).await,
            Err(over) => over,
        };
        // Before the client sees the end: then there is room for the next.
        drop(place);
        match over {
            Over::Mute => host.intake.ignore().await,
            Over::Leave => drop(host.out.shutdown().await),
            Over::Reset | Over::Crash => {}
        }
        over
    }
}

/// One admitted client.
struct Host<'a, S> {
    shells: &'a Shells,
    server: Server,
    request: &'a Request,
    conn: u64,
    intake: Intake<ReadHalf<&'a mut S>>,
    out: WriteHalf<&'a mut S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Host<'_, S> {
    fn switches(&self) -> ShellSwitches {
        self.shells.switches.borrow().shell.clone()
    }

    fn dialect(&self) -> Dialect {
        Dialect::of(self.server, self.switches().v1_numbering)
    }

    /// The first message; what every WebSocket answers is answered.
    async fn first(&mut self) -> Result<(Op, Vec<u8>), Over> {
        loop {
            let answer = match self.intake.whole().await {
                Ok(Message::Content(op, body)) => return Ok((op, body)),
                Ok(Message::Pong) => continue,
                Ok(Message::Ping(body)) => control(Op::Pong, &body),
                Ok(Message::Close(body)) => {
                    let answer = self.server.close_answer(&body);
                    return Err(self.say(&answer).await.err().unwrap_or(Over::Leave));
                }
                Err(Stop::Gone) => return Err(Over::Leave),
                Err(Stop::Bad(bad)) => {
                    let answer = control(Op::Close, &wire::close_code(bad.code()));
                    return Err(self.say(&answer).await.err().unwrap_or(Over::Leave));
                }
            };
            self.say(&answer).await?;
        }
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<(), Over> {
        self.out.write_all(bytes).await.map_err(|_| Over::Leave)
    }

    /// One of the platform's texts, and how it goes on.
    async fn refuse(&mut self, error: ShellError) -> Over {
        let mut bytes = Vec::new();
        wire::message(&mut bytes, Op::Text, error.text().as_bytes(), None);
        match self.say(&bytes).await {
            Ok(()) if !error.closes() => Over::Mute,
            Ok(()) | Err(_) => Over::Leave,
        }
    }

    /// Starts the shell, says the first messages, and lets it run.
    async fn run(&mut self, opening: Opening) -> Over {
        let (dialect, piece) = (self.dialect(), self.shells.switches.borrow().fragment);
        let Ok(process) = pty::spawn(&opening.plan) else {
            return match self.server {
                Server::Platform => self.refuse(ShellError::OpenTty).await,
                _ => Over::Leave,
            };
        };
        let account = self.shells.ledger.begin(
            self.conn,
            self.server,
            &opening.pod,
            process.2.id(),
            opening.plan.size,
        );
        sleep(self.switches().delay).await;
        if self.server == Server::Platform && self.intake.waiting(dialect.resize).await > 2 {
            self.shells.ledger.note(|tally| tally.early_sizes += 1);
        }
        let mut bytes = Vec::new();
        for (kind, body) in &opening.messages {
            dialect.message(&mut bytes, *kind, body.as_bytes(), piece);
        }
        if let Err(over) = self.say(&bytes).await {
            return over;
        }
        let session = Session {
            server: self.server,
            dialect,
            switches: self.shells.switches.clone(),
            account,
            ended: AtomicBool::new(false),
        };
        session.run(&mut self.intake, &mut self.out, process).await
    }
}
