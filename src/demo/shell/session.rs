//! A running shell and its client: two loops, as in the real servers. One hears the client and
//! types; it waits while the PTY is full. The other speaks: the shell's output, and whatever the
//! first one orders.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{interval_at, timeout};

use super::dialect::Dialect;
use super::ill;
use super::intake::{Intake, Message, Stop};
use super::ledger::Account;
use super::pty::{Job, Keyboard, Screen, Size};
use super::switches::{ShellError, ShellIll, ShellSwitches};
use super::{Over, Server};
use crate::clock;
use crate::demo::options::Switches;
use crate::demo::wire::{self, Op};

/// Longer messages are lost or end the session (protocols.md 9.1.1).
const LONGEST: usize = 1024;
/// A shell that has closed its terminal may take so long to end; then it is killed.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// ttyd hangs up after two pings without a pong (protocols.md 6.5).
const UNANSWERED: u32 = 2;

/// What the hearing loop wants of the speaking one.
#[derive(Debug)]
enum Order {
    /// These bytes, between two messages.
    Say(Vec<u8>),
    Pause,
    Resume,
    /// The client has answered a ping.
    Alive,
    /// These bytes, and then the end.
    End(Vec<u8>, Over),
}

/// A session and all that its loops share.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) server: Server,
    pub(super) dialect: Dialect,
    pub(super) switches: watch::Receiver<Switches>,
    pub(super) account: Account,
    /// The shell has ended. The platform goes on all the same (protocols.md 9.1.4).
    pub(super) ended: AtomicBool,
}

impl Session {
    /// Runs until either side ends it.
    pub(super) async fn run<R, W>(
        &self,
        intake: &mut Intake<R>,
        out: &mut W,
        (mut keyboard, mut screen, mut job): (Keyboard, Screen, Job),
    ) -> Over
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        // A client that is not read waits, and its pings with it.
        let (orders, queue) = mpsc::channel(8);
        tokio::select! {
            over = self.hear(intake, &mut keyboard, orders) => over,
            over = self.speak(out, &mut screen, &mut job, queue) => over,
        }
    }

    fn shell<T>(&self, look: impl FnOnce(&ShellSwitches) -> T) -> T {
        look(&self.switches.borrow().shell)
    }

    fn is_platform(&self) -> bool {
        self.server == Server::Platform && self.dialect.is_v2()
    }

    /// How a session goes on that has ended: at the platform's nobody closes TCP.
    fn after(&self) -> Over {
        if self.is_platform() {
            Over::Mute
        } else {
            Over::Leave
        }
    }

    async fn hear<R: AsyncRead + Unpin>(
        &self,
        intake: &mut Intake<R>,
        keyboard: &mut Keyboard,
        orders: mpsc::Sender<Order>,
    ) -> Over {
        let mut base64 = false;
        loop {
            let once = self.server == Server::Gotty2 || self.is_platform();
            let message = if once {
                intake.once().await
            } else {
                intake.whole().await
            };
            let (lost, long) = intake.take_losses();
            if (lost, long) != (0, 0) {
                self.account.ledger().note(|tally| {
                    tally.lost += lost;
                    tally.too_long += long;
                });
            }
            let order = match message {
                Err(Stop::Gone) => return Over::Leave,
                Err(Stop::Bad(bad)) => Order::End(
                    control(Op::Close, &wire::close_code(bad.code())),
                    self.after(),
                ),
                Ok(Message::Pong) => Order::Alive,
                Ok(Message::Ping(_)) if self.dialect.ping.is_none() && !self.shell(|s| s.pongs) => {
                    continue;
                }
                Ok(Message::Ping(body)) => Order::Say(control(Op::Pong, &body)),
                Ok(Message::Close(body)) => {
                    Order::End(self.server.close_answer(&body), self.after())
                }
                Ok(Message::Content(op, body)) => {
                    match self.content(op, &body, keyboard, &mut base64).await {
                        Ok(Some(order)) => order,
                        Ok(None) => continue,
                        Err(over) => return over,
                    }
                }
            };
            let last = matches!(order, Order::End(..));
            if orders.send(order).await.is_err() || last {
                // The other loop says the last word.
                std::future::pending::<()>().await;
            }
        }
    }

    /// A message with content: what is to be said to it. An error ends the connection in the
    /// midst of whatever is said.
    async fn content(
        &self,
        op: Op,
        body: &[u8],
        keyboard: &mut Keyboard,
        base64: &mut bool,
    ) -> Result<Option<Order>, Over> {
        if self.server == Server::Sorenisanerd {
            if op == Op::Binary {
                return Ok(None);
            }
            if body.len() > LONGEST {
                self.account.ledger().note(|tally| tally.too_long += 1);
                return Ok(Some(Order::End(Vec::new(), Over::Leave)));
            }
        }
        let Some((kind, rest)) = body.split_first() else {
            return Ok(Some(Order::End(Vec::new(), self.empty())));
        };
        let dialect = self.dialect;
        match *kind {
            kind if kind == dialect.input => self.input(rest, keyboard, *base64).await,
            kind if Some(kind) == dialect.ping => {
                self.account.ping();
                // Behind a shell that has ended, nothing answers but the failure to a key.
                let answers = self.shell(|s| s.pongs) && !self.ended.load(Ordering::Relaxed);
                Ok(answers.then(|| {
                    let mut pong = Vec::new();
                    dialect.message(&mut pong, kind, b"", None);
                    Order::Say(pong)
                }))
            }
            kind if kind == dialect.resize => Ok(self.resize(rest, keyboard)),
            b'4' if self.server == Server::Sorenisanerd => {
                match rest {
                    b"base64" => *base64 = true,
                    b"null" => *base64 = false,
                    _ => {}
                }
                Ok(None)
            }
            b'2' if self.server == Server::Ttyd => Ok(Some(Order::Pause)),
            b'3' if self.server == Server::Ttyd => Ok(Some(Order::Resume)),
            // A second greeting: the process is there.
            b'{' if self.server == Server::Ttyd => Ok(None),
            _ => Ok(self.not_understood()),
        }
    }

    fn empty(&self) -> Over {
        self.account.ledger().note(|tally| match self.server {
            Server::Ttyd => tally.crashes += 1,
            _ => tally.empty += 1,
        });
        match self.server {
            Server::Ttyd => Over::Crash,
            _ => self.after(),
        }
    }

    /// ttyd ignores it, the others end (protocols.md 9.1.10).
    fn not_understood(&self) -> Option<Order> {
        self.account.ledger().note(|tally| tally.unknown += 1);
        (self.server != Server::Ttyd).then(|| self.failure())
    }

    fn failure(&self) -> Order {
        if !self.is_platform() {
            return Order::End(Vec::new(), Over::Leave);
        }
        let mut bytes = Vec::new();
        wire::message(
            &mut bytes,
            Op::Text,
            ShellError::RunTty.text().as_bytes(),
            None,
        );
        Order::End(bytes, Over::Mute)
    }

    async fn input(
        &self,
        body: &[u8],
        keyboard: &mut Keyboard,
        base64: bool,
    ) -> Result<Option<Order>, Over> {
        if self.shell(|s| s.read_only) {
            self.account.ledger().note(|tally| tally.read_only += 1);
            return Ok(None);
        }
        if self.ended.load(Ordering::Relaxed) {
            return Ok(Some(self.failure()));
        }
        let decoded = if base64 {
            let Ok(decoded) = STANDARD.decode(body) else {
                return Ok(self.not_understood());
            };
            decoded
        } else {
            body.to_vec()
        };
        let (end, reset) = self.shell(|s| (s.end_after, s.reset_after));
        let before = self.account.received();
        let room = |limit: Option<u64>| {
            let left = limit?.saturating_sub(before);
            usize::try_from(left)
                .ok()
                .filter(|left| *left <= decoded.len())
        };
        let cut = room(reset)
            .map(|left| (left, Over::Reset))
            .or(room(end).map(|left| (left, Over::Leave)));
        let taken = cut.map_or(decoded.len(), |(left, _)| left);
        let bytes = decoded.get(..taken).unwrap_or(&[]);
        self.account.input(bytes);
        let typed = keyboard.write(bytes).await;
        match (cut, typed) {
            (Some((_, over)), _) => Err(over),
            (None, Ok(())) => Ok(None),
            (None, Err(_)) => Ok(Some(self.failure())),
        }
    }

    fn resize(&self, json: &[u8], keyboard: &Keyboard) -> Option<Order> {
        let Some(size) = size(json) else {
            return self.not_understood();
        };
        if size.columns == 0 || size.rows == 0 {
            self.account.ledger().note(|tally| tally.zero_sizes += 1);
            // ttyd leaves it at that, the others set it (protocols.md 9.1.12).
            if self.server == Server::Ttyd {
                return None;
            }
        }
        self.account.size(size);
        // A shell that has ended has no size to set.
        let _ = keyboard.resize(size);
        None
    }

    async fn speak<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        screen: &mut Screen,
        job: &mut Job,
        mut queue: mpsc::Receiver<Order>,
    ) -> Over {
        let mut buffer = vec![0; self.dialect.chunk];
        let (mut paused, mut live, mut unanswered, mut had) = (false, true, 0, None);
        let period = self.server.ping_period();
        let mut pings = interval_at(clock::now() + period, period);
        loop {
            tokio::select! {
                order = queue.recv() => match order {
                    Some(Order::Say(bytes)) => if out.write_all(&bytes).await.is_err() { return Over::Leave },
                    Some(Order::Pause) => paused = true,
                    Some(Order::Resume) => paused = false,
                    Some(Order::Alive) => unanswered = 0,
                    Some(Order::End(bytes, over)) => {
                        let _ = out.write_all(&bytes).await;
                        return over;
                    }
                    None => return Over::Leave,
                },
                count = screen.read(&mut buffer), if live && !paused => {
                    let shown = buffer.get(..count).unwrap_or(&[]);
                    if count == 0 {
                        live = false;
                    } else if self.show(out, shown, &mut had).await.is_err() {
                        return Over::Leave;
                    }
                }
                code = exited(job, live), if !self.ended.load(Ordering::Relaxed) => {
                    let left = self.left(out, screen, &mut buffer, &mut had).await;
                    self.account.exit(code);
                    self.ended.store(true, Ordering::Relaxed);
                    if !self.is_platform() || left.is_err() {
                        return self.bye(out, code).await;
                    }
                    live = false;
                }
                _ = pings.tick(), if self.switches.borrow().pings && self.server.pings() => {
                    if self.server == Server::Ttyd && unanswered == UNANSWERED {
                        return Over::Leave;
                    }
                    unanswered += 1;
                    if out.write_all(&control(Op::Ping, b"")).await.is_err() {
                        return Over::Leave;
                    }
                }
            }
        }
    }

    /// Shows what a shell that has ended has left on its screen.
    async fn left<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        screen: &mut Screen,
        buffer: &mut [u8],
        had: &mut Option<ShellIll>,
    ) -> std::io::Result<()> {
        loop {
            let count = screen.read_now(buffer);
            if count == 0 {
                return Ok(());
            }
            self.show(out, buffer.get(..count).unwrap_or(&[]), had)
                .await?;
        }
    }

    /// Ends after the shell: bare TCP, as recorded, or as ttyd's source has it.
    async fn bye<W: AsyncWrite + Unpin>(&self, out: &mut W, code: u32) -> Over {
        if self.server == Server::Ttyd && self.shell(|s| s.close_frames) {
            let code = if code == 0 { 1000 } else { 1006 };
            let _ = out
                .write_all(&control(Op::Close, &wire::close_code(code)))
                .await;
        }
        Over::Leave
    }

    /// Sends output, ill as the switches say.
    async fn show<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        raw: &[u8],
        had: &mut Option<ShellIll>,
    ) -> std::io::Result<()> {
        let (ill, split, piece) = {
            let switches = self.switches.borrow();
            (
                switches.shell.ill,
                switches.shell.split_output,
                switches.fragment,
            )
        };
        let mut bytes = Vec::new();
        if let Some(ill) = ill.filter(|ill| *had != Some(*ill)) {
            bytes = ill::bytes(ill, self.dialect);
            *had = Some(ill);
        }
        for part in raw.chunks(if split { 1 } else { self.dialect.chunk }) {
            self.dialect.output(&mut bytes, part, piece);
        }
        // Before the bytes: what a client has, the account has.
        self.account.output(raw);
        out.write_all(&bytes).await
    }
}

/// Waits for the shell's end. One that has closed its terminal has a last moment.
async fn exited(job: &mut Job, live: bool) -> u32 {
    if live {
        return job.exited().await;
    }
    timeout(LAST_MOMENT, job.exited()).await.unwrap_or(1)
}

/// A control frame.
pub(super) fn control(op: Op, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::frame(&mut bytes, true, op, body);
    bytes
}

/// A size as clients send it; members that are missing are 0.
pub(super) fn size(json: &[u8]) -> Option<Size> {
    let value: Value = serde_json::from_slice(json).ok()?;
    let members = value.as_object()?;
    let number = |name: &str| match members.get(name) {
        None => Some(0),
        Some(value) => {
            let whole = value.as_f64()?.clamp(0.0, f64::from(u16::MAX));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped"
            )]
            Some(whole as u16)
        }
    };
    Some(Size {
        columns: number("columns")?,
        rows: number("rows")?,
    })
}
