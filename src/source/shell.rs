//! The task that drives a shell over its connection. The other way round than a log's: nothing
//! of what comes is ever dropped. When the program is slow, the socket is not read, and TCP
//! pushes back on the container (architecture.md 5). It does not reconnect by itself: keys must
//! never reach another shell than the one that was seen (reliability.md 8, row 35).

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use crate::clock;
use crate::codec::Packet;
use crate::codec::shell::detect::{self, Found};
use crate::codec::shell::{Dialect, Place, ShellSpec};
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::model::way::Way;
use crate::model::{Cause, Fault, FaultKind};
use crate::say;
use crate::session::shell::{Input, Loss, ShellSession, Told};
use crate::text::SafeText;
use crate::text::redact::{self, Secret};
use crate::transport::http;
use crate::transport::ws::{Upgrade, WsConn};
use crate::transport::{DialError, LinkError};
use crate::word;

/// Input and output are handed on in pieces of about this many bytes.
const PIECE: usize = 64 << 10;
/// No more input is taken while so much waits, in bytes.
const HELD: usize = 16 << 20;
/// Keys and pieces of a paste on their way to the task.
const TYPED: usize = 256;
/// Sizes and stops on their way to the task.
const CONTROLS: usize = 64;

/// A server that can hold output back is asked to when the program has taken none for so long.
const STUCK: Duration = Duration::from_millis(100);

/// What to open.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The shell.
    pub spec: ShellSpec,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// How the server is reached.
    pub way: Arc<Way>,
    /// Who was found there before.
    pub remembered: Option<&'static Dialect>,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
}

/// What the program may tell a running shell besides input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The terminal has so many columns and rows.
    Resized(u16, u16),
    /// What is typed and not sent yet is not to be sent.
    Stop,
}

/// A running shell. Dropping it closes the connection.
#[derive(Debug)]
pub struct Shell {
    typed: mpsc::Sender<Bytes>,
    controls: mpsc::Sender<Control>,
    task: JoinHandle<()>,
}

/// What a task takes.
struct Orders {
    typed: mpsc::Receiver<Bytes>,
    controls: mpsc::Receiver<Control>,
}

impl Orders {
    /// Takes no more input; how many bytes were on their way.
    fn drain(&mut self) -> usize {
        self.typed.close();
        let mut bytes = 0;
        while let Ok(input) = self.typed.try_recv() {
            bytes += input.len();
        }
        bytes
    }
}

impl Shell {
    /// Opens a shell; what it says goes to `outlet`, marked with `name`.
    pub fn open<K: Copy + Send + 'static>(
        opening: Opening,
        name: K,
        outlet: mpsc::Sender<(K, ShellUpdate)>,
    ) -> Self {
        let (typed, input) = mpsc::channel(TYPED);
        let (controls, orders) = mpsc::channel(CONTROLS);
        let orders = Orders {
            typed: input,
            controls: orders,
        };
        let task = tokio::spawn(async move {
            let work = run(opening, orders, name, outlet.clone());
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                let end = ended(ShellExit::Fault(Fault::new(
                    FaultKind::Internal,
                    word!("the shell", "终端"),
                    word!(
                        "a defect of deckwatch ended it",
                        "deckwatch 自身出错，已将其终止"
                    ),
                    word!(
                        "open it again, and report what standard error says",
                        "请重新打开，并反馈标准错误的输出"
                    ),
                )));
                // Without a program there is nobody to tell.
                let _ = outlet.send((name, end)).await;
            }
        });
        Self {
            typed,
            controls,
            task,
        }
    }

    /// Where input goes: an end of it is no end of the shell.
    pub fn input(&self) -> mpsc::Sender<Bytes> {
        self.typed.clone()
    }

    /// Types something, whole or not at all: half a paste would leave the program in the middle
    /// of it. False if the shell is over, or does not take it now.
    pub fn write(&self, mut input: Bytes) -> bool {
        let pieces = input.len().div_ceil(PIECE);
        let Ok(places) = self.typed.try_reserve_many(pieces) else {
            return false;
        };
        for place in places {
            place.send(input.split_to(input.len().min(PIECE)));
        }
        true
    }

    /// Tells it something. A size that finds no place is followed by the next one.
    pub fn tell(&self, control: Control) {
        let _ = self.controls.try_send(control);
    }

    /// Closes it and waits, about 1 s at most, until it has said goodbye.
    pub async fn finish(self) {
        drop((self.typed, self.controls));
        drop(self.task.await);
    }
}

fn ended(how: ShellExit) -> ShellUpdate {
    ShellUpdate::Ended(ShellEnd {
        how,
        unsent: 0,
        unconfirmed: 0,
    })
}

async fn run<K: Copy>(
    opening: Opening,
    mut orders: Orders,
    name: K,
    outlet: mpsc::Sender<(K, ShellUpdate)>,
) {
    let connecting = SafeText::of(word!("connecting", "正在连接")).into_owned();
    if outlet
        .send((name, ShellUpdate::Opening(connecting)))
        .await
        .is_err()
    {
        return;
    }
    let mut size = opening.size;
    let dialled = tokio::select! {
        biased;
        () = closed(&mut orders, &mut size) => return,
        dialled = dial(&opening) => dialled,
    };
    let (connection, mut session) = match dialled {
        Ok((connection, found)) => {
            let token = found.token.unwrap_or_else(|| Secret::new(""));
            let session = ShellSession::new(&opening.spec, found.dialect, token, size);
            (connection, session)
        }
        Err(DialError { fault, .. }) => {
            let end = ShellEnd {
                how: ShellExit::Fault(fault),
                unsent: orders.drain(),
                unconfirmed: 0,
            };
            let _ = outlet.send((name, ShellUpdate::Ended(end))).await;
            return;
        }
    };
    let mut told = Told::default();
    let selected = connection.subprotocol().map(str::to_owned);
    session.handle(now(), Input::Opened(selected.as_deref()), &mut told);
    drive(connection, session, told, orders, (name, outlet)).await;
}

/// Ready when the program wants the shell no more; sizes are kept.
async fn closed(orders: &mut Orders, size: &mut (u16, u16)) {
    while let Some(control) = orders.controls.recv().await {
        if let Control::Resized(columns, rows) = control {
            *size = (columns, rows);
        }
    }
}

/// Whether the program keeps up with the output.
#[derive(Debug, Default)]
struct Crowd {
    /// Since when nothing is read.
    since: Option<Instant>,
    /// The server was asked to hold back.
    told: bool,
}

impl Crowd {
    /// What the server is to be told now, if anything.
    fn look(&mut self, now: Instant, reads: bool) -> Option<bool> {
        if reads {
            self.since = None;
            return std::mem::take(&mut self.told).then_some(false);
        }
        let since = *self.since.get_or_insert(now);
        if self.told || now < since + STUCK {
            return None;
        }
        self.told = true;
        Some(true)
    }

    fn wake_at(&self) -> Option<Instant> {
        self.since.filter(|_| !self.told).map(|since| since + STUCK)
    }
}

/// The connection, from its first byte to its last.
async fn drive<K: Copy>(
    mut connection: WsConn,
    mut session: ShellSession,
    mut told: Told,
    mut orders: Orders,
    (name, outlet): (K, mpsc::Sender<(K, ShellUpdate)>),
) {
    let mut news = VecDeque::new();
    let mut outgoing: Option<Packet> = None;
    let (mut typing, mut crowd) = (true, Crowd::default());
    let far = Duration::from_secs(3600);
    loop {
        let over = told.end().is_some() || matches!(news.back(), Some(ShellUpdate::Ended(_)));
        if let Some(end) = told.end().filter(|_| typing) {
            // What was on its way here is not sent either.
            typing = false;
            end.unsent += orders.drain();
        }
        // While the program is busy with the last piece, the next one grows.
        let waits = |update: &ShellUpdate| match update {
            ShellUpdate::Output(bytes) => bytes.len(),
            _ => 0,
        };
        let reads = told.pending() + news.iter().map(waits).sum::<usize>() < PIECE;
        session.reads(now(), reads);
        if let Some(crowded) = crowd.look(now(), reads) {
            session.handle(now(), Input::Crowded(crowded), &mut told);
        }
        if outgoing.is_none() && !over {
            outgoing = session.poll_transmit(now());
        }
        let wake = session.poll_timeout().unwrap_or_else(|| now() + far);
        let wake = crowd.wake_at().map_or(wake, |at| at.min(wake));
        let some = !news.is_empty() || told.pending() > 0 || told.has_news();
        tokio::select! {
            biased;
            control = orders.controls.recv() => match control {
                Some(Control::Resized(columns, rows)) => {
                    session.handle(now(), Input::Resized(columns, rows), &mut told);
                }
                Some(Control::Stop) => session.handle(now(), Input::Stop, &mut told),
                None => break,
            },
            permits = outlet.reserve_many(outlet.max_capacity()), if some => {
                let Ok(permits) = permits else { break };
                news.extend(told.take());
                for (permit, update) in permits.zip(std::iter::from_fn(|| news.pop_front())) {
                    permit.send((name, update));
                }
                if over && news.is_empty() {
                    break;
                }
            }
            typed = orders.typed.recv(), if typing && !over && session.waiting() < HELD => match typed {
                Some(input) => session.handle(now(), Input::Typed(&input), &mut told),
                None => typing = false,
            },
            // Keys go out though the program does not take what comes.
            exchanged = connection.exchange(&mut outgoing, reads), if !over => {
                burst(exchanged, &mut connection, &mut session, &mut told);
            }
            () = sleep_until(wake.into()), if !over => {
                session.handle(now(), Input::Timeout, &mut told);
            }
        }
    }
    connection.close().await;
}

/// Takes what came, and everything that is ready behind it, up to a piece.
fn burst(
    mut exchanged: Result<Option<Packet>, LinkError>,
    connection: &mut WsConn,
    session: &mut ShellSession,
    told: &mut Told,
) {
    let now = now();
    loop {
        match exchanged {
            Ok(None) => return session.handle(now, Input::Sent, told),
            Ok(Some(packet)) => session.handle(now, Input::Packet(&packet), told),
            Err(error) => {
                let loss = loss(error, connection.close_code());
                return session.handle(now, Input::Lost(&loss), told);
            }
        }
        if told.pending() >= PIECE || told.has_news() {
            return;
        }
        match connection.recv().now_or_never() {
            Some(next) => exchanged = next.map(Some),
            None => return,
        }
    }
}

fn loss(error: LinkError, code: Option<u16>) -> Loss {
    let (why, orderly) = match error {
        LinkError::Ended(why) => (why, true),
        LinkError::Broken(why) => (why, code.is_some()),
        LinkError::Cut(why) | LinkError::Missing(why) | LinkError::Notice(why) => (why, false),
    };
    Loss { why, orderly, code }
}

fn now() -> Instant {
    clock::now().into_std()
}

/// Finds out who is there, as far as pages can tell (protocols.md 6.6), and connects.
async fn dial(opening: &Opening) -> Result<(WsConn, Found), DialError> {
    // Whether a password is a shell server's own or that of a proxy before it, its pages tell.
    let remembered = opening.remembered.filter(|_| opening.login.is_none());
    match connect(opening, remembered).await {
        // Another server may be there by now, and a page says more than a refused upgrade.
        Err(_) if remembered.is_some() => connect(opening, None).await,
        done => done,
    }
}

async fn connect(
    opening: &Opening,
    remembered: Option<&'static Dialect>,
) -> Result<(WsConn, Found), DialError> {
    let spec = &opening.spec;
    let login = opening
        .login
        .as_ref()
        .map(|(user, password)| (user.as_str(), password));
    let mut found = match (&spec.place, remembered) {
        (Place::Platform(_), _) => Found {
            dialect: None,
            token: None,
        },
        (Place::Pages { .. }, Some(known)) => Found {
            dialect: Some(known),
            token: None,
        },
        (Place::Pages { .. }, None) => ask_pages(spec, login, &opening.way).await?,
    };
    found.dialect = spec.dialect.or(found.dialect);
    if found.token.is_none() {
        found.token = login.map(|(user, password)| token(user, password, found.dialect));
    }
    let subprotocol = match (&spec.place, found.dialect) {
        (_, Some(dialect)) => dialect.subprotocol,
        (Place::Platform(_), None) => Some("webtty"),
        (Place::Pages { .. }, None) => Some("webtty, gotty, tty"),
    };
    let url = spec.socket(found.dialect);
    let wish = Upgrade {
        url: &url,
        subprotocol,
        login,
        way: &opening.way,
    };
    let connection = WsConn::upgrade(wish)
        .await
        .map_err(|error| explain(error, found.dialect))?;
    Ok((connection, found))
}

async fn ask_pages(
    spec: &ShellSpec,
    login: Option<(&str, &Secret)>,
    way: &Arc<Way>,
) -> Result<Found, DialError> {
    let page = |name: &'static str| http::page(&spec.url, name, login, way);
    // A server that can't be reached is told of by the dialling of its socket, in better words.
    let token = match page("token").await {
        Ok(page) => page,
        Err(error) if error.retry => return Ok(Found::default()),
        Err(error) => return Err(error),
    };
    let script = page("auth_token.js").await.or_else(later)?;
    let config = page("config.js").await.or_else(later)?;
    Ok(detect::by_pages(&token, &script, &config))
}

fn later(error: DialError) -> Result<detect::Page, DialError> {
    if error.retry { Ok(None) } else { Err(error) }
}

/// What the first message holds: GoTTY wants the pair as it is, ttyd its base64.
fn token(user: &str, password: &Secret, dialect: Option<&Dialect>) -> Secret {
    if dialect.is_some_and(|dialect| dialect.name == "ttyd") {
        let basic = redact::basic(user, password);
        return Secret::new(basic.trim_start_matches("Basic "));
    }
    Secret::new(format!("{user}:{}", password.expose()))
}

/// What a refused upgrade means with these servers (protocols.md 9.1 no. 7 and 8).
fn explain(mut error: DialError, dialect: Option<&Dialect>) -> DialError {
    let is_ttyd = dialect.is_some_and(|dialect| dialect.name == "ttyd");
    let fault = &mut error.fault;
    if error.cause == Cause::NotUpgraded {
        fault.why = say!(
            "it answers 200 without upgrading: nothing serves this path, or it has as many clients as it takes",
            "它应答 200 而没有升级：该路径没有程序提供，或客户端数已达上限"
        );
        fault.next = say!(
            "check the path, or try again when another client has left",
            "请检查路径，或等其他客户端离开后再试"
        );
    } else if is_ttyd && error.cause == Cause::OtherProtocol {
        fault.why = say!(
            "it ended the connection without an answer: ttyd does so on a wrong password, and when it has as many clients as it takes",
            "它没有应答就断开了连接：密码错误，或客户端数已达上限时 ttyd 会这样"
        );
        fault.next = say!(
            "check user and password, or try again when another client has left",
            "请检查用户名和密码，或等其他客户端离开后再试"
        );
    }
    error
}
