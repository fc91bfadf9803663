//! The front door: accepts, reads the request, and hands the connection to the socket that the
//! path names (protocols.md 1.1).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::cut::{Cut, Cutter};
use super::http::{self, Request};
use super::hub::{Ask, Hub};
use super::legacy::{self, Periods, Route};
use super::link::{End, Link};
use super::options::{Answer, Switches};
use super::rest::{self, Line, Rest};
use super::shell::{self, Shells, Visit};
use super::truth::Recorder;
use super::wire::Reader;
use super::{gojson, pubsub};

/// What all connections need.
#[derive(Debug)]
pub(super) struct House {
    pub(super) prefix: String,
    pub(super) hub: Hub,
    pub(super) switches: watch::Receiver<Switches>,
    pub(super) cutter: Cutter,
    pub(super) recorder: Recorder,
    pub(super) periods: Periods,
    pub(super) shells: Shells,
    pub(super) rest: Rest,
    /// Connections so far.
    pub(super) count: AtomicU64,
}

/// What the door can be told.
#[derive(Debug)]
pub(super) enum Order {
    /// Close, cut everybody, open again.
    Restart {
        downtime: Duration,
        done: oneshot::Sender<()>,
    },
    /// Serve this in-process connection as if it had been accepted.
    Serve(DuplexStream),
}

/// Binds the loopback address.
pub(super) fn bind(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // A restart takes the same port while old connections linger.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(1024)
}

/// A client has this long for its part of TLS.
const TLS_LIMIT: Duration = Duration::from_secs(10);

/// Accepts until it is dropped; behind TLS, if there is a certificate.
pub(super) async fn run(
    house: Arc<House>,
    mut listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, most likely: others need time to end.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let visitor = Visitor::new(&house);
                match &tls {
                    None => drop(connections.spawn(over_tcp(visitor, stream))),
                    Some(tls) => drop(connections.spawn(over_tls(visitor, stream, tls.clone()))),
                }
            }
            order = orders.recv() => match order {
                None => return,
                Some(Order::Serve(stream)) => {
                    connections.spawn(in_memory(Visitor::new(&house), stream));
                }
                Some(Order::Restart { downtime, done }) => {
                    let Ok(address) = listener.local_addr() else { return };
                    drop(listener);
                    house.cutter.cut(Cut::End);
                    sleep(downtime).await;
                    listener = reopen(address.port()).await;
                    // Whoever asked and left needs no answer.
                    let _ = done.send(());
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connection on its way in.
struct Visitor {
    house: Arc<House>,
    conn: u64,
    cut: watch::Receiver<Cut>,
}

impl Visitor {
    fn new(house: &Arc<House>) -> Self {
        Self {
            house: Arc::clone(house),
            conn: house.count.fetch_add(1, Ordering::Relaxed) + 1,
            cut: house.cutter.watch(),
        }
    }

    async fn converse(&mut self, mut wire: &mut dyn Wire, secure: bool) -> End {
        converse(&self.house, &mut wire, (self.conn, secure), &mut self.cut).await
    }
}

async fn reopen(port: u16) -> TcpListener {
    loop {
        match bind(port) {
            Ok(listener) => return listener,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn over_tcp(mut visitor: Visitor, mut stream: TcpStream) {
    // Without it small frames wait for each other.
    let _ = stream.set_nodelay(true);
    if visitor.converse(&mut stream, false).await == End::Cut(Cut::Reset) {
        // Zero linger makes the close a reset.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
}

async fn over_tls(mut visitor: Visitor, stream: TcpStream, tls: TlsAcceptor) {
    // As above.
    let _ = stream.set_nodelay(true);
    // A client that does not trust us is gone here.
    let Ok(Ok(mut stream)) = timeout(TLS_LIMIT, tls.accept(stream)).await else {
        return;
    };
    if visitor.converse(&mut stream, true).await == End::Cut(Cut::Reset) {
        let _ = SockRef::from(stream.get_ref().0).set_linger(Some(Duration::ZERO));
    }
}

async fn in_memory(mut visitor: Visitor, mut stream: DuplexStream) {
    visitor.converse(&mut stream, false).await;
}

/// Both kinds of connections as one, so that everything behind it is there once.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + Sync> Wire for S {}

async fn converse<S>(
    house: &House,
    stream: &mut S,
    (conn, secure): (u64, bool),
    cut: &mut watch::Receiver<Cut>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    house.hub.tell(Ask::Accepted).await;
    let mut buffer = BytesMut::new();
    loop {
        let answer = house.switches.borrow().answer;
        let request = tokio::select! {
            biased;
            _ = cut.changed() => return End::Cut(*cut.borrow()),
            request = read_head(stream, &mut buffer, answer == Answer::Silence) => request,
        };
        let Some(request) = request else {
            return End::Client;
        };
        let below = request.path.strip_prefix(&house.prefix).unwrap_or("");
        let socket = proxied(house, &request);
        if !rest::is_rest(below) || (socket.is_some() && answer != Answer::Upgrade) {
            return one(house, stream, (request, buffer), conn, cut.clone()).await;
        }
        let mut line = Line {
            conn,
            stream,
            buffer: &mut buffer,
            cut,
            recorder: house.recorder.clone(),
        };
        let end = match socket {
            Some(inner) => Err(rest::serve_proxied(&house.rest, &mut line, &request, inner).await),
            None => rest::serve(&house.rest, &mut line, &request, secure).await,
        };
        if let Err(end) = end {
            // The answer must arrive before any reset.
            let _ = stream.shutdown().await;
            return end;
        }
    }
}

/// The socket behind the console's proxy that a request asks for.
fn proxied<'a>(house: &House, request: &'a Request) -> Option<&'a str> {
    let below = request.path.strip_prefix(&house.prefix)?;
    request.accept.as_ref()?;
    rest::inner(below, &house.switches.borrow().rest)
}

/// Serves a connection that carries one request only.
async fn one<S>(
    house: &House,
    stream: &mut S,
    (request, buffer): (Request, BytesMut),
    conn: u64,
    cut: watch::Receiver<Cut>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answer = house.switches.borrow().answer;
    let below = request.path.strip_prefix(&house.prefix);
    let shell = below.and_then(shell::named);
    let upgrades =
        shell.is_some() || target(house, &request).is_some() || proxied(house, &request).is_some();
    if let (Answer::Upgrade, Some((server, rest))) = (answer, shell) {
        let visit = Visit {
            shells: &house.shells,
            server,
            rest,
            request: &request,
            conn,
            stream,
            leftover: buffer,
            cut,
        };
        return visit.serve().await;
    }
    let mut link = Link {
        conn,
        stream,
        reader: Reader::new(buffer),
        switches: house.switches.clone(),
        cut,
        recorder: house.recorder.clone(),
        sent: 0,
    };
    let opened = match (request.accept.as_deref(), answer) {
        (Some(accept), Answer::Upgrade | Answer::Mute) if upgrades => {
            link.write(http::switching(accept).as_bytes()).await
        }
        (..) => {
            let text = refusal(house, &request, answer).await;
            link.write(text.as_bytes()).await.and(Err(End::Server))
        }
    };
    if let Err(end) = opened {
        // The answer must arrive before any reset.
        let _ = link.stream.shutdown().await;
        return end;
    }
    if answer == Answer::Mute {
        return link.stay_mute().await;
    }
    converse_on(&mut link, house, &request).await
}

/// The socket that the path names, to its end.
async fn converse_on<S>(link: &mut Link<'_, S>, house: &House, request: &Request) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match target(house, request) {
        Some(Target::Legacy(route)) => legacy::serve(link, &house.hub, route, house.periods).await,
        Some(Target::PubSub) => pubsub::serve(link, &house.hub, house.periods.pubsub_ping).await,
        None => End::Server,
    }
}

/// The request; `None` if the client leaves before its end, or makes it too long. With
/// `for_ever` nothing is ever enough.
async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    for_ever: bool,
) -> Option<Request> {
    loop {
        // What came behind the last request may be a whole one.
        if !buffer.is_empty()
            && let Some(request) = http::take_request(buffer)
        {
            return Some(request);
        }
        buffer.reserve(4096);
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(_) if for_ever => buffer.clear(),
            Ok(_) => {}
        }
        if buffer.len() > http::HEAD_LIMIT && !buffer.windows(4).any(|four| four == b"\r\n\r\n") {
            return None;
        }
    }
}

/// A socket behind a path.
enum Target {
    Legacy(Route),
    PubSub,
}

fn target(house: &House, request: &Request) -> Option<Target> {
    let path = request.path.strip_prefix(&house.prefix)?;
    let route = match path {
        "/docker_log" => Route::DockerLog,
        "/event_log" => Route::EventLog,
        "/new_monitor_message" => Route::NewMonitor,
        "/monitor_message" => Route::OldMonitor,
        "/websocket" => Route::Mpush,
        _ => {
            let id = path.strip_prefix("/services/")?.strip_suffix("/pubsub")?;
            let there = house.switches.borrow().rest.pubsub;
            return (there && !id.contains('/')).then_some(Target::PubSub);
        }
    };
    Some(Target::Legacy(route))
}

/// What a client gets that asked for no WebSocket, or at the wrong time.
async fn refusal(house: &House, request: &Request, answer: Answer) -> String {
    match answer {
        Answer::EmptyOk => return http::answer(200, "", ""),
        Answer::Refuse(status) => return http::answer(status, "", ""),
        Answer::Upgrade | Answer::Silence | Answer::Mute => {}
    }
    let plain = "text/plain; charset=utf-8";
    let json = "application/json; charset=utf-8";
    let Some(path) = request.path.strip_prefix(&house.prefix) else {
        return http::answer(404, plain, "404 page not found\n");
    };
    match path {
        "/monitor" => http::answer(200, plain, "ok"),
        "/health" => {
            let body = "{\"bean\":{\"info\":\"eventlog service health\",\"status\":\"health\"}}\n";
            http::answer(200, json, body)
        }
        // The route takes GET, its handler wants POST (protocols.md 9.2.13).
        "/event_push" => http::answer(405, "", ""),
        _ if target(house, request).is_some() => http::answer(400, plain, "Bad Request\n"),
        _ => match stored_logs(path).filter(|_| house.switches.borrow().rest.stored_logs) {
            Some(id) => http::answer(200, json, &log_rows(house, id, &request.query).await),
            None => http::answer(404, plain, "404 page not found\n"),
        },
    }
}

/// The id in `/tenants/{t}/services/{id}/logs`.
fn stored_logs(path: &str) -> Option<&str> {
    let (_, rest) = path.strip_prefix("/tenants/")?.split_once("/services/")?;
    rest.strip_suffix("/logs").filter(|id| !id.contains('/'))
}

/// The last rows of a component's log, which may be more than a replay (reliability.md 0).
async fn log_rows(house: &House, id: &str, query: &str) -> String {
    let limit = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("rows=")?.parse().ok())
        .unwrap_or(100);
    let rows: Vec<(u64, Bytes)> = house
        .hub
        .ask(|reply| Ask::History {
            id: id.to_owned(),
            limit,
            reply,
        })
        .await
        .unwrap_or_default();
    if rows.is_empty() {
        return "{\"list\":null}\n".to_owned();
    }
    let mut out = String::from("{\"list\":[");
    for (index, (_, text)) in rows.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        gojson::string(&mut out, gojson::lossy(text).as_bytes());
    }
    out.push_str("]}\n");
    out
}
