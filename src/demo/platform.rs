//! The platform as a whole: started, injected into, spoilt, asked, and gone when dropped.

use crate::lang::{self, Lang};

mod inject;

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::brokers::{Brokers, Layout};
use super::cluster::{self, Cluster, Roll};
use super::cut::{Cut, Cutter};
use super::hub::{Ask, Hub, Kind, Tally};
use super::legacy::Periods;
use super::metrics::Metrics;
use super::options::{Options, Switches};
use super::rest::{Desk, RequestRecord, Rest};
use super::scenario::{self, Stage};
use super::server::{self, House, Order};
use super::shell::{self, Ledger, Server, ShellRecord, Shells};
use super::teams;
use super::times::Times;
use super::truth::{Recorder, TruthRecord};
use super::world;
use crate::clock;
use crate::model::Micros;

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
    tls: Option<SocketAddr>,
    region_tls: Option<SocketAddr>,
    parts: Parts,
    rolls: mpsc::Sender<Roll>,
    brokers: Brokers,
    /// One for each port; the first is that of plain HTTP.
    doors: Vec<mpsc::Sender<Order>>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

/// What connections and tests both look at.
#[derive(Debug)]
struct Parts {
    prefix: String,
    seed: u64,
    times: Times,
    /// When the shop opened.
    opened: Micros,
    cluster: Cluster,
    metrics: Metrics,
    desk: Desk,
    hub: Hub,
    switches: Arc<watch::Sender<Switches>>,
    cutter: Cutter,
    recorder: Recorder,
    ledger: Ledger,
}

impl Parts {
    fn new(options: &Options, tasks: &mut JoinSet<()>) -> io::Result<Self> {
        let switches = Arc::new(watch::Sender::new(options.switches.clone()));
        let (cutter, recorder) = (Cutter::new(), keep_truth(options.truth, tasks));
        let times = Times::new(options.epoch.unwrap_or_else(clock::wall));
        let (hub, state) = Hub::new(
            switches.subscribe(),
            recorder.clone(),
            cutter.clone(),
            times,
        );
        tasks.spawn(state);
        let opened = scenario::opened(times.now());
        let cluster = Cluster::new(options.seed, opened);
        Ok(Self {
            prefix: options.prefix.clone().map_or_else(random_prefix, Ok)?,
            seed: options.seed,
            times,
            opened,
            metrics: Metrics::new(options.seed, opened, cluster.clone(), options.world),
            cluster,
            desk: Desk::new(&options.user, &options.password)?,
            hub,
            switches,
            cutter,
            recorder,
            ledger: Ledger::new(),
        })
    }

    fn house(&self, options: &Options, door: mpsc::Sender<Order>) -> House {
        let switches = || self.switches.subscribe();
        House {
            prefix: self.prefix.clone(),
            hub: self.hub.clone(),
            switches: switches(),
            cutter: self.cutter.clone(),
            recorder: self.recorder.clone(),
            periods: Periods::of(options),
            shells: Shells::new(
                options,
                switches(),
                self.ledger.clone(),
                self.cluster.clone(),
            ),
            rest: Rest {
                seed: self.seed,
                prefix: self.prefix.clone(),
                hub: self.hub.clone(),
                cluster: self.cluster.clone(),
                metrics: self.metrics.clone(),
                times: self.times,
                opened: self.opened,
                desk: self.desk.clone(),
                switches: switches(),
                door,
            },
            count: AtomicU64::new(0),
        }
    }
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
        let parts = Parts::new(&options, &mut tasks)?;
        let (rolls, control) = cluster::control(
            parts.cluster.clone(),
            parts.switches.subscribe(),
            parts.times,
        );
        tasks.spawn(control);
        if let Some(period) = options.rolling {
            tasks.spawn(cluster::roll_on(rolls.clone(), period));
        }
        let brokers = if options.zmq {
            Brokers::bind(&mut tasks).await?
        } else {
            Brokers::default()
        };
        let listener = server::bind(options.port.unwrap_or(0))?;
        let address = listener.local_addr()?;
        // Orders are rare and wait for their turn.
        let (door, orders) = mpsc::channel(16);
        let house = parts.house(&options, door.clone());
        if options.world {
            let stage = Stage {
                hub: parts.hub.clone(),
                brokers: brokers.clone(),
                cluster: parts.cluster.clone(),
                metrics: parts.metrics.clone(),
                rolls: rolls.clone(),
                switches: parts.switches.subscribe(),
            };
            scenario::raise(stage, &options, parts.times.now(), &mut tasks).await;
        }
        // The past is told; from now on the cluster's changes are seen as they come.
        tasks.spawn(parts.metrics.clone().follow(parts.times));
        let ports = Ports::open(house, &options, &mut tasks)?;
        tasks.spawn(server::run(
            Arc::clone(&ports.house),
            listener,
            None,
            orders,
        ));
        let mut doors = vec![door];
        doors.extend(ports.doors);
        Ok(Self {
            address,
            tls: ports.tls,
            region_tls: ports.region_tls,
            parts,
            rolls,
            brokers,
            doors,
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
        &self.parts.prefix
    }

    /// The URL of a path, without fragment: `ws_url("/docker_log")`.
    pub fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{}{path}", self.address, self.parts.prefix)
    }

    /// The URL of a layout's endpoint, without fragment.
    pub fn zmq_url(&self, layout: Layout) -> Option<String> {
        let address = self.zmq_addr(layout)?;
        Some(format!("tcp://{address}?layout={}", layout.name()))
    }

    /// What the shop offers, the most telling first.
    pub fn targets(&self) -> Vec<DemoTarget> {
        let ws = self.ws_url("");
        let mut targets = world::targets(self.parts.seed, &ws, |layout| self.zmq_url(layout));
        let http = self.http_url("");
        targets.extend(shell::targets(
            &self.parts.cluster,
            self.parts.seed,
            &ws,
            &http,
        ));
        targets
    }

    /// The URL of a path in HTTP: `http_url("/gotty2/")`.
    pub fn http_url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.parts.prefix)
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
        let (alias, pods) = shell::pods_of(&self.parts.cluster, self.parts.seed, component)?;
        let pod = match pod {
            None => pods.first()?,
            Some(name) => pods.iter().find(|one| *one == name)?,
        };
        Some(shell::url(&self.ws_url(""), self.parts.seed, alias, pod))
    }

    /// The names of a component's pods, by its alias or id.
    pub fn pods(&self, component: &str) -> Vec<String> {
        let found = shell::pods_of(&self.parts.cluster, self.parts.seed, component);
        found.map_or(Vec::new(), |(_, pods)| pods)
    }

    /// The console: `console_url("/users/login")`.
    pub fn console_url(&self, path: &str) -> String {
        self.http_url(&format!("/console{path}"))
    }

    /// The region's API: `region_url("/tenants")`. On the same port as the console.
    pub fn region_url(&self, path: &str) -> String {
        self.http_url(&format!("/v2{path}"))
    }

    /// Who may log in to the console.
    pub fn user(&self) -> &str {
        self.parts.desk.user()
    }

    /// With which password.
    pub fn password(&self) -> &str {
        self.parts.desk.password()
    }

    /// A path behind TLS; `None` without [`Options::tls`]. The host is `localhost`, for which
    /// certificates are made.
    pub fn https_url(&self, path: &str) -> Option<String> {
        let port = self.tls?.port();
        Some(format!(
            "https://localhost:{port}{}{path}",
            self.parts.prefix
        ))
    }

    /// The region's API behind its own TLS; `None` without [`Options::region_tls`].
    pub fn region_tls_url(&self, path: &str) -> Option<String> {
        let port = self.region_tls?.port();
        Some(format!(
            "https://localhost:{port}{}/v2{path}",
            self.parts.prefix
        ))
    }

    /// A component's id, by its alias; `None` if there is no such component.
    pub fn service_id(&self, alias: &str) -> Option<String> {
        let place = teams::place(self.parts.seed, alias)?;
        Some(world::service_id(self.parts.seed, place.part.alias))
    }

    /// The id of a pod's container, with which its lines are injected: of the one that is named,
    /// or of the first. `None` if the pod is gone or has no such container.
    pub fn container_id(&self, pod: &str, container: Option<&str>) -> Option<String> {
        self.parts.cluster.look(|view| {
            let mut all = view.pod(pod)?.containers.iter();
            let found = all.find(|one| container.is_none_or(|name| name == one.name));
            found.map(|one| one.id.clone())
        })
    }

    /// The pods of a component, by its alias or id, are replaced one by one, each in the time of
    /// [`RestSwitches::start_takes`](super::RestSwitches) and of `leave_takes`; when this returns,
    /// all are new. Components wait for each other.
    pub async fn rolling_restart(&self, component: &str) {
        let (done, over) = oneshot::channel();
        let (name, done) = (component.to_owned(), Some(done));
        if self.rolls.send(Roll { name, done }).await.is_ok() {
            let _ = over.await;
        }
    }

    /// The container of a component's first pod ends: its streams do.
    pub fn kill_container(&self, alias: &str) {
        self.parts.cluster.die(alias);
    }

    /// Containers of a component that ended are back in their pods, under new ids.
    pub fn revive_containers(&self, alias: &str) {
        self.parts.cluster.revive(alias, self.parts.times.now());
    }

    /// How many tokens the console has issued.
    pub fn tokens_issued(&self) -> u64 {
        self.parts.desk.issued()
    }

    /// All tokens so far count no more.
    pub fn revoke_tokens(&self) {
        self.parts.desk.revoke();
    }

    /// The requests to the console and the region so far, the last 4096.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.parts.desk.requests()
    }

    /// Waits until the requests pass a test: `platform.requests_until(|all| all.len() > 3)`.
    pub async fn requests_until(
        &self,
        test: impl FnMut(&[RequestRecord]) -> bool,
    ) -> Vec<RequestRecord> {
        self.parts.desk.until(test).await
    }

    /// The shells so far, the last 256, in the order of their start.
    pub fn shells(&self) -> Vec<ShellRecord> {
        self.parts.ledger.records()
    }

    /// Waits until the shells pass a test: `platform.shells_until(|all| all[0].input == 5)`.
    pub async fn shells_until(&self, test: impl FnMut(&[ShellRecord]) -> bool) -> Vec<ShellRecord> {
        self.parts.ledger.until(test).await
    }

    /// A new connection without a port: speak HTTP on it as on a socket.
    pub async fn connect_memory(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(MEMORY);
        // A door that is gone reads as an end of the stream.
        if let Some(door) = self.doors.first() {
            let _ = door.send(Order::Serve(ours)).await;
        }
        theirs
    }

    /// Ends all WebSockets: TCP is closed, no close frame.
    pub fn drop_connections(&self) {
        self.parts.cutter.cut(Cut::End);
    }

    /// Ends all WebSockets by a reset of their TCP connections.
    pub fn reset_connections(&self) {
        self.parts.cutter.cut(Cut::Reset);
    }

    /// The platform forgets who listens to this, as old ones did with quiet streams: sockets
    /// end, pubsub says `pusher:close` (protocols.md 1.3).
    pub async fn close_bucket(&self, kind: Kind, id: &str) {
        let id = id.to_owned();
        self.parts
            .hub
            .ask(|done| Ask::CloseBucket {
                kind,
                id,
                done: Some(done),
            })
            .await;
    }

    /// Closes the HTTP ports and all their connections, and opens it again after `downtime`, when
    /// this returns. The history stays.
    pub async fn restart(&self, downtime: Duration) {
        let mut waits = Vec::new();
        for door in &self.doors {
            let (done, reopened) = oneshot::channel();
            if door.send(Order::Restart { downtime, done }).await.is_ok() {
                waits.push(reopened);
            }
        }
        for reopened in waits {
            let _ = reopened.await;
        }
    }

    /// The same for a layout's ZeroMQ port.
    pub async fn restart_zmq(&self, layout: Layout, downtime: Duration) {
        self.brokers.restart(layout, downtime).await;
    }

    /// The switches as they stand.
    pub fn switches(&self) -> Switches {
        self.parts.switches.borrow().clone()
    }

    /// Changes the switches: `platform.set_switch(|s| s.pings = false)`.
    pub fn set_switch(&self, change: impl FnOnce(&mut Switches)) {
        self.parts.switches.send_modify(change);
    }

    /// What was put on each connection, and what was lost on its way there; empty unless
    /// [`Options::truth`] asks for it.
    pub async fn truth(&self) -> Vec<TruthRecord> {
        self.parts.recorder.read().await.0
    }

    /// How many records the truth log let go, since it holds [`Options::truth`] only.
    pub async fn truth_gone(&self) -> u64 {
        self.parts.recorder.read().await.1
    }

    /// What the platform has counted.
    pub async fn tally(&self) -> Tally {
        Tally {
            shell: self.parts.ledger.tally(),
            ..self.parts.hub.ask(Ask::Tally).await.unwrap_or_default()
        }
    }
}

fn keep_truth(limit: usize, tasks: &mut JoinSet<()>) -> Recorder {
    let (recorder, keeper) = Recorder::new(limit);
    if let Some(keeper) = keeper {
        tasks.spawn(keeper);
    }
    recorder
}

/// The ports behind TLS.
struct Ports {
    house: Arc<House>,
    tls: Option<SocketAddr>,
    region_tls: Option<SocketAddr>,
    doors: Vec<mpsc::Sender<Order>>,
}

impl Ports {
    fn open(house: House, options: &Options, tasks: &mut JoinSet<()>) -> io::Result<Self> {
        let mut ports = Self {
            house: Arc::new(house),
            tls: None,
            region_tls: None,
            doors: Vec::new(),
        };
        if let Some(config) = &options.tls {
            ports.tls = Some(ports.add(config, tasks)?);
        }
        if let Some(config) = &options.region_tls {
            ports.region_tls = Some(ports.add(config, tasks)?);
        }
        Ok(ports)
    }

    fn add(
        &mut self,
        config: &Arc<rustls::ServerConfig>,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<SocketAddr> {
        let listener = server::bind(0)?;
        let address = listener.local_addr()?;
        // Orders are rare and wait for their turn.
        let (door, orders) = mpsc::channel(16);
        self.doors.push(door);
        let tls = Some(TlsAcceptor::from(Arc::clone(config)));
        tasks.spawn(server::run(Arc::clone(&self.house), listener, tls, orders));
        Ok(address)
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
