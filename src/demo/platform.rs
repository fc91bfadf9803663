//! The platform as a whole: started, injected into, spoilt, asked, and gone when dropped.

use crate::lang::{self, Lang};

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::brokers::{Brokers, Layout};
use super::cut::{Cut, Cutter};
use super::hub::{Ask, Hub, Kind, Tally};
use super::legacy::Periods;
use super::options::{Options, Switches};
use super::scenario::{self, Stage};
use super::server::{self, House, Order};
use super::shell::{self, Ledger, Server, ShellRecord, Shells};
use super::truth::{Recorder, TruthRecord};
use super::world;

/// Bytes that an in-process connection holds each way.
const MEMORY: usize = 256 << 10;

/// A stream of the demo, as the command line takes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DemoTarget {
    /// The target.
    pub url: String,
    /// What it shows, for people, in English.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
}

impl DemoTarget {
    /// What it shows, in the language of this thread.
    pub fn shown(&self) -> &str {
        match lang::current() {
            Lang::En => &self.what,
            Lang::Zh => &self.what_zh,
        }
    }

    /// A short name for a pane: what it shows, up to where it says how.
    pub fn name(&self) -> String {
        let what = self.shown();
        let end = what.find([':', ',', '：', '，']).unwrap_or(what.len());
        what.get(..end).unwrap_or(what).to_owned()
    }
}

/// A platform that listens on loopback only. Dropping it ends everything that it does.
///
/// Its shells are real ones of the user that started it; who knows the path may do what that user
/// may. With [`Options::prefix`] the path is known.
#[derive(Debug)]
pub struct Platform {
    address: SocketAddr,
    prefix: String,
    seed: u64,
    hub: Hub,
    switches: Arc<watch::Sender<Switches>>,
    cutter: Cutter,
    recorder: Recorder,
    ledger: Ledger,
    brokers: Brokers,
    door: mpsc::Sender<Order>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl Platform {
    /// Binds its ports, fills the history of the shop and starts it.
    ///
    /// ```no_run
    /// # async fn demo() -> std::io::Result<()> {
    /// use deckwatch::demo::{Options, Platform};
    /// let platform = Platform::start(Options::default()).await?;
    /// for target in platform.targets() {
    ///     // ws://127.0.0.1:…/…/docker_log#…
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn start(options: Options) -> io::Result<Self> {
        let mut tasks = JoinSet::new();
        let prefix = match options.prefix.clone() {
            Some(prefix) => prefix,
            None => random_prefix()?,
        };
        let switches = Arc::new(watch::Sender::new(options.switches.clone()));
        let cutter = Cutter::new();
        let (recorder, keeper) = Recorder::new(options.truth);
        tasks.spawn(async {
            if let Some(keeper) = keeper {
                keeper.await;
            }
        });
        let (hub, state) = Hub::new(switches.subscribe(), recorder.clone(), cutter.clone());
        tasks.spawn(state);
        let brokers = if options.zmq {
            Brokers::bind(&mut tasks).await?
        } else {
            Brokers::default()
        };
        let listener = server::bind(options.port.unwrap_or(0))?;
        let address = listener.local_addr()?;
        let ledger = Ledger::new();
        let house = House {
            prefix: prefix.clone(),
            hub: hub.clone(),
            switches: switches.subscribe(),
            cutter: cutter.clone(),
            recorder: recorder.clone(),
            periods: Periods {
                timeout: options.timeout,
                first_deadline: options.first_deadline,
                pubsub_ping: options.pubsub_ping,
            },
            shells: Shells::new(&options, switches.subscribe(), ledger.clone()),
        };
        // Orders are rare and wait for their turn.
        let (door, orders) = mpsc::channel(16);
        if options.world {
            let stage = Stage {
                hub: hub.clone(),
                brokers: brokers.clone(),
            };
            scenario::raise(stage, &options, &mut tasks).await;
        }
        tasks.spawn(server::run(Arc::new(house), listener, orders));
        Ok(Self {
            address,
            prefix,
            seed: options.seed,
            hub,
            switches,
            cutter,
            recorder,
            ledger,
            brokers,
            door,
            _tasks: tasks,
        })
    }

    /// Where HTTP and the WebSockets are.
    pub fn http_addr(&self) -> SocketAddr {
        self.address
    }

    /// Where messages of this layout are published; `None` if ZeroMQ is switched off.
    pub fn zmq_addr(&self, layout: Layout) -> Option<SocketAddr> {
        self.brokers.address(layout)
    }

    /// What stands before every path.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The URL of a path, without fragment: `ws_url("/docker_log")`.
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{}{path}", self.address, self.prefix)
    }

    /// The URL of a layout's endpoint, without fragment.
    pub fn zmq_url(&self, layout: Layout) -> Option<String> {
        let address = self.zmq_addr(layout)?;
        Some(format!("tcp://{address}?layout={}", layout.name()))
    }

    /// What the shop offers, the most telling first.
    pub fn targets(&self) -> Vec<DemoTarget> {
        let ws = self.ws_url("");
        let mut targets = world::targets(self.seed, &ws, |layout| self.zmq_url(layout));
        targets.extend(shell::targets(self.seed, &ws, &self.http_url("")));
        targets
    }

    /// The URL of a path in HTTP: `http_url("/gotty2/")`.
    pub fn http_url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.prefix)
    }

    /// Where a shell server is, as the command line takes it: pages end with a slash. The
    /// platform's own needs a pod, see [`Platform::shell_url`].
    pub fn server_url(&self, server: Server) -> String {
        match server {
            Server::Platform => self.ws_url(server.path()),
            _ => format!("{}/", self.http_url(server.path())),
        }
    }

    /// The URL of a shell in a component's pod, by the component's alias or id; of its first
    /// pod, or of the one that is named. `None` if the shop has neither.
    pub fn shell_url(&self, component: &str, pod: Option<&str>) -> Option<String> {
        let (alias, pods) = shell::pods_of(self.seed, component)?;
        let pod = match pod {
            None => pods.first()?,
            Some(name) => pods.iter().find(|one| *one == name)?,
        };
        Some(shell::url(&self.ws_url(""), self.seed, alias, pod))
    }

    /// The names of a component's pods, by its alias or id.
    pub fn pods(&self, component: &str) -> Vec<String> {
        shell::pods_of(self.seed, component).map_or(Vec::new(), |(_, pods)| pods)
    }

    /// The shells so far, the last 256, in the order of their start.
    pub fn shells(&self) -> Vec<ShellRecord> {
        self.ledger.records()
    }

    /// Waits until the shells pass a test: `platform.shells_until(|all| all[0].input == 5)`.
    pub async fn shells_until(&self, test: impl FnMut(&[ShellRecord]) -> bool) -> Vec<ShellRecord> {
        self.ledger.until(test).await
    }

    /// A new connection without a port: speak HTTP on it as on a socket.
    pub async fn connect_memory(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(MEMORY);
        // A door that is gone reads as an end of the stream.
        let _ = self.door.send(Order::Serve(ours)).await;
        theirs
    }

    /// A component logs a line. When this returns, it stands in the subscribers' queues, or is
    /// counted as lost.
    pub async fn inject_log(&self, service_id: &str, container_id: &str, line: &[u8]) {
        self.inject_logs(service_id, container_id, vec![Bytes::copy_from_slice(line)])
            .await;
    }

    /// A component logs many lines at once.
    pub async fn inject_logs(&self, service_id: &str, container_id: &str, lines: Vec<Bytes>) {
        let (service, container) = (service_id.to_owned(), container_id.to_owned());
        self.hub
            .ask(|done| Ask::Lines {
                service,
                container,
                lines,
                done: Some(done),
            })
            .await;
    }

    /// An event's producer sends an entry. It is ignored unless it is a JSON object with this
    /// `event_id`.
    pub async fn inject_event(&self, event_id: &str, json: &[u8]) {
        let (id, json) = (event_id.to_owned(), Bytes::copy_from_slice(json));
        self.hub
            .ask(|done| Ask::Event {
                id,
                json,
                done: Some(done),
            })
            .await;
    }

    /// A host reports a component's dear requests: the UDP datagram of protocols.md 4.1. It is
    /// ignored unless its first element is of this component.
    pub async fn inject_monitor(&self, service_id: &str, json: &[u8]) {
        let (service, json) = (service_id.to_owned(), Bytes::copy_from_slice(json));
        self.hub
            .ask(|done| Ask::Monitor {
                service,
                json,
                done: Some(done),
            })
            .await;
    }

    /// A frame of the old monitor for a topic, as it is (protocols.md 4.2).
    pub async fn inject_old_monitor(&self, topic: &str, json: &[u8]) {
        let (topic, json) = (topic.to_owned(), Bytes::copy_from_slice(json));
        self.hub
            .ask(|done| Ask::OldMonitor {
                topic,
                json,
                done: Some(done),
            })
            .await;
    }

    /// Publishes frames on a layout's port. Subscribers that have not subscribed yet miss it.
    pub async fn publish_zmq(&self, layout: Layout, frames: Vec<Bytes>) {
        self.brokers.publish(layout, frames).await;
    }

    /// Ends all WebSockets: TCP is closed, no close frame.
    pub fn drop_connections(&self) {
        self.cutter.cut(Cut::End);
    }

    /// Ends all WebSockets by a reset of their TCP connections.
    pub fn reset_connections(&self) {
        self.cutter.cut(Cut::Reset);
    }

    /// The platform forgets who listens to this, as old ones did with quiet streams: sockets
    /// end, pubsub says `pusher:close` (protocols.md 1.3).
    pub async fn close_bucket(&self, kind: Kind, id: &str) {
        let id = id.to_owned();
        self.hub
            .ask(|done| Ask::CloseBucket {
                kind,
                id,
                done: Some(done),
            })
            .await;
    }

    /// Closes the HTTP port and all its connections, and opens it again after `downtime`, when
    /// this returns. The history stays.
    pub async fn restart(&self, downtime: Duration) {
        let (done, reopened) = oneshot::channel();
        if self
            .door
            .send(Order::Restart { downtime, done })
            .await
            .is_ok()
        {
            let _ = reopened.await;
        }
    }

    /// The same for a layout's ZeroMQ port.
    pub async fn restart_zmq(&self, layout: Layout, downtime: Duration) {
        self.brokers.restart(layout, downtime).await;
    }

    /// The switches as they stand.
    pub fn switches(&self) -> Switches {
        self.switches.borrow().clone()
    }

    /// Changes the switches: `platform.set_switch(|s| s.pings = false)`.
    pub fn set_switch(&self, change: impl FnOnce(&mut Switches)) {
        self.switches.send_modify(change);
    }

    /// What was put on each connection, and what was lost on its way there; empty unless
    /// [`Options::truth`] asks for it.
    pub async fn truth(&self) -> Vec<TruthRecord> {
        self.recorder.read().await.0
    }

    /// How many records the truth log let go, since it holds [`Options::truth`] only.
    pub async fn truth_gone(&self) -> u64 {
        self.recorder.read().await.1
    }

    /// What the platform has counted.
    pub async fn tally(&self) -> Tally {
        Tally {
            shell: self.ledger.tally(),
            ..self.hub.ask(Ask::Tally).await.unwrap_or_default()
        }
    }
}

/// 128 random bits as hex: whoever does not know them finds nothing.
fn random_prefix() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().fold(String::from("/"), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}
