//! The front door: accepts, reads the request, and hands the connection to the socket that the
//! path names (protocols.md 1.1).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::cut::{Cut, Cutter};
use super::http::{self, Request};
use super::hub::{Ask, Hub};
use super::legacy::{self, Periods, Route};
use super::link::{End, Link};
use super::options::{Answer, Switches};
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

/// Accepts until it is dropped.
pub(super) async fn run(
    house: Arc<House>,
    mut listener: TcpListener,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut connections = JoinSet::new();
    let mut count = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    // Out of descriptors, most likely: others need time to end.
                    sleep(Duration::from_millis(10)).await;
                    continue;
                };
                count += 1;
                connections.spawn(over_tcp(Arc::clone(&house), stream, count, house.cutter.watch()));
            }
            order = orders.recv() => match order {
                None => return,
                Some(Order::Serve(stream)) => {
                    count += 1;
                    connections.spawn(in_memory(Arc::clone(&house), stream, count, house.cutter.watch()));
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

async fn reopen(port: u16) -> TcpListener {
    loop {
        match bind(port) {
            Ok(listener) => return listener,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn over_tcp(house: Arc<House>, mut stream: TcpStream, conn: u64, cut: watch::Receiver<Cut>) {
    // Without it small frames wait for each other.
    let _ = stream.set_nodelay(true);
    let mut wire: &mut dyn Wire = &mut stream;
    if converse(&house, &mut wire, conn, cut).await == End::Cut(Cut::Reset) {
        // Zero linger makes the close a reset.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
}

async fn in_memory(
    house: Arc<House>,
    mut stream: DuplexStream,
    conn: u64,
    cut: watch::Receiver<Cut>,
) {
    let mut wire: &mut dyn Wire = &mut stream;
    converse(&house, &mut wire, conn, cut).await;
}

/// Both kinds of connections as one, so that everything behind it is there once.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

async fn converse<S>(house: &House, stream: &mut S, conn: u64, mut cut: watch::Receiver<Cut>) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    house.hub.tell(Ask::Accepted).await;
    let answer = house.switches.borrow().answer;
    let mut buffer = BytesMut::new();
    let request = tokio::select! {
        biased;
        _ = cut.changed() => return End::Cut(*cut.borrow()),
        request = read_head(stream, &mut buffer, answer == Answer::Silence) => request,
    };
    let Some(request) = request else {
        return End::Client;
    };
    let below = request.path.strip_prefix(&house.prefix);
    let shell = below.and_then(shell::named);
    let upgrades = shell.is_some() || target(house, &request).is_some();
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
        buffer.reserve(4096);
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(_) if for_ever => buffer.clear(),
            Ok(_) => {}
        }
        if let Some(request) = http::take_request(buffer) {
            return Some(request);
        }
        if buffer.len() > http::HEAD_LIMIT {
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
            return (!id.contains('/')).then_some(Target::PubSub);
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
        _ => match stored_logs(path) {
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
