//! A proxy as companies have them, on loopback: HTTP's `CONNECT`, forwarding of plain requests,
//! and SOCKS5, all on one port. It resolves names by its own list, so that a test sees who
//! resolved them, and it can refuse, stall, and lose the upgrade of a WebSocket.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{http, server};

/// What is remembered of requests; the oldest go.
const ASKED: usize = 4096;

/// What a client that asks for a way gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProxyAnswer {
    /// The way, if it leads to loopback.
    #[default]
    Open,
    /// This status; SOCKS5 says "not allowed" whatever it is.
    Refuse(u16),
    /// Nothing, for ever.
    Stall,
    /// TCP ends.
    Close,
}

/// How a proxy behaves. All of it can be changed while it runs.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ProxySwitches {
    /// `user:password` that everybody must give; 407 without, and SOCKS5's own way of it.
    pub credential: Option<String>,
    /// What is answered.
    pub answer: ProxyAnswer,
    /// Plain requests are forwarded without `Upgrade` and `Connection`, as proxies do that know
    /// no WebSocket: the server sees an ordinary request.
    pub strip_upgrade: bool,
    /// Plain requests are answered 200 with an empty body by the proxy itself.
    pub ok_instead: bool,
    /// Where names lead. `localhost` and loopback's addresses need none; all else is unreachable.
    pub names: Vec<(String, IpAddr)>,
}

impl fmt::Debug for ProxySwitches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxySwitches")
            .field("credential", &self.credential.is_some())
            .field("answer", &self.answer)
            .field("strip_upgrade", &self.strip_upgrade)
            .field("ok_instead", &self.ok_instead)
            .field("names", &self.names)
            .finish()
    }
}

/// By which protocol a way was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProxyKind {
    /// HTTP's `CONNECT`.
    Connect,
    /// A plain request with a whole URL.
    Forward,
    /// SOCKS5.
    Socks5,
}

/// One request to the proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// By which protocol.
    pub kind: ProxyKind,
    /// The host as it was asked for: a name, if the client left it to the proxy to resolve.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether a credential came, right or wrong.
    pub credential: bool,
    /// Whether the way was opened.
    pub opened: bool,
}

/// A proxy on loopback. Dropping it ends everything that goes through it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    switches: watch::Sender<ProxySwitches>,
    asked: Arc<watch::Sender<VecDeque<Asked>>>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Binds a port that the system chooses.
    ///
    /// ```no_run
    /// # async fn demo() -> std::io::Result<()> {
    /// use deckwatch::demo::proxy::{Proxy, ProxySwitches};
    /// let proxy = Proxy::start(ProxySwitches::default())?;
    /// let socks = proxy.url("socks5h");
    /// # Ok(()) }
    /// ```
    pub fn start(switches: ProxySwitches) -> io::Result<Self> {
        let listener = server::bind(0)?;
        let address = listener.local_addr()?;
        let switches = watch::Sender::new(switches);
        let asked = Arc::new(watch::Sender::new(VecDeque::new()));
        let desk = Desk {
            switches: switches.subscribe(),
            asked: Arc::clone(&asked),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(run(listener, desk));
        Ok(Self {
            address,
            switches,
            asked,
            _tasks: tasks,
        })
    }

    /// Where it is.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The URL of it: `url("http")`, `url("socks5h")`.
    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// Changes the switches.
    pub fn set_switch(&self, change: impl FnOnce(&mut ProxySwitches)) {
        self.switches.send_modify(change);
    }

    /// What it was asked for so far, the last 4096.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().iter().cloned().collect()
    }
}

/// What connections need.
#[derive(Clone)]
struct Desk {
    switches: watch::Receiver<ProxySwitches>,
    asked: Arc<watch::Sender<VecDeque<Asked>>>,
}

/// A way that is wanted.
struct Way {
    kind: ProxyKind,
    host: String,
    port: u16,
    /// `user:password`.
    credential: Option<String>,
}

/// What is done about it.
enum Verdict {
    Through(TcpStream),
    /// The credential is missing or wrong.
    Credential,
    Status(u16),
    Unreachable,
    Stall,
    Close,
}

impl Desk {
    async fn decide(&self, way: &Way) -> Verdict {
        let switches = self.switches.borrow().clone();
        let verdict = match switches.answer {
            _ if switches.credential.is_some() && way.credential != switches.credential => {
                Verdict::Credential
            }
            ProxyAnswer::Refuse(status) => Verdict::Status(status),
            ProxyAnswer::Stall => Verdict::Stall,
            ProxyAnswer::Close => Verdict::Close,
            ProxyAnswer::Open => match find(&switches, &way.host) {
                None => Verdict::Unreachable,
                Some(host) => TcpStream::connect((host, way.port))
                    .await
                    .map_or(Verdict::Unreachable, Verdict::Through),
            },
        };
        let asked = Asked {
            kind: way.kind,
            host: way.host.clone(),
            port: way.port,
            credential: way.credential.is_some(),
            opened: matches!(verdict, Verdict::Through(_)),
        };
        self.asked.send_modify(|all| {
            all.push_back(asked);
            if all.len() > ASKED {
                all.pop_front();
            }
        });
        verdict
    }
}

/// Where a name leads; never anywhere but to loopback.
fn find(switches: &ProxySwitches, host: &str) -> Option<IpAddr> {
    let own = switches
        .names
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(host));
    let address = match own {
        Some((_, address)) => *address,
        None if host.eq_ignore_ascii_case("localhost") => Ipv4Addr::LOCALHOST.into(),
        None => host.trim_matches(['[', ']']).parse().ok()?,
    };
    address.is_loopback().then_some(address)
}

async fn run(listener: TcpListener, desk: Desk) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                let desk = desk.clone();
                connections.spawn(async move {
                    // How it ends is the business of both ends.
                    let _ = serve(&desk, stream).await;
                });
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(desk: &Desk, mut client: TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut first = [0; 1];
    if client.peek(&mut first).await? == 0 {
        return Ok(());
    }
    if first == [5] {
        return socks5(desk, client).await;
    }
    let mut buffer = BytesMut::new();
    let Some(head) = head(&mut client, &mut buffer).await? else {
        return Ok(());
    };
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let credential = header(&head, "proxy-authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|text| STANDARD.decode(text.trim()).ok())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let connect = method == "CONNECT";
    let authority = if connect {
        target
    } else {
        let rest = target.strip_prefix("http://").unwrap_or(target);
        rest.split('/').next().unwrap_or("")
    };
    let (host, port) = split(authority, if connect { 443 } else { 80 });
    let way = Way {
        kind: if connect {
            ProxyKind::Connect
        } else {
            ProxyKind::Forward
        },
        host,
        port,
        credential,
    };
    let answer = match desk.decide(&way).await {
        Verdict::Through(server) if connect => {
            return tunnel(client, server, &buffer).await;
        }
        Verdict::Through(server) => return forward(desk, (client, server), &head, &buffer).await,
        Verdict::Credential => "HTTP/1.1 407 Proxy Authentication Required\r\n\
             Proxy-Authenticate: Basic realm=\"demo\"\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
            .to_owned(),
        Verdict::Status(status) => http::answer(status, "", ""),
        Verdict::Unreachable => http::answer(502, "", ""),
        Verdict::Stall => return stall(client).await,
        Verdict::Close => return Ok(()),
    };
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// The head of a request; `None` if the client leaves before its end or makes it too long.
async fn head(client: &mut TcpStream, buffer: &mut BytesMut) -> io::Result<Option<String>> {
    loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = buffer.split_to(at + 4);
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        if buffer.len() > http::HEAD_LIMIT || client.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Host and port of an authority.
fn split(authority: &str, usual: u16) -> (String, u16) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host.to_owned(), port.parse().unwrap_or(usual))
        }
        Some(_) | None => (authority.to_owned(), usual),
    }
}

async fn stall(mut client: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while client.read(&mut buffer).await? > 0 {}
    Ok(())
}

async fn tunnel(mut client: TcpStream, mut server: TcpStream, early: &[u8]) -> io::Result<()> {
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    server.write_all(early).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// Hands a plain request on, without what is the proxy's own. A connection carries one.
async fn forward(
    desk: &Desk,
    (mut client, mut server): (TcpStream, TcpStream),
    head: &str,
    early: &[u8],
) -> io::Result<()> {
    let (strip, ok_instead) = {
        let switches = desk.switches.borrow();
        (switches.strip_upgrade, switches.ok_instead)
    };
    if ok_instead {
        client
            .write_all(http::answer(200, "", "").as_bytes())
            .await?;
        return client.shutdown().await;
    }
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or("").split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let rest = target.strip_prefix("http://").unwrap_or(target);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    let upgrades = !strip && header(head, "upgrade").is_some();
    let mut out = format!("{method} {path} HTTP/1.1\r\n");
    for line in lines.filter(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or("").to_ascii_lowercase();
        let own = name.starts_with("proxy-")
            || !upgrades && ["upgrade", "connection", "keep-alive"].contains(&name.as_str());
        if !own {
            out.push_str(line);
            out.push_str("\r\n");
        }
    }
    out.push_str(if upgrades {
        "\r\n"
    } else {
        "Connection: close\r\n\r\n"
    });
    server.write_all(out.as_bytes()).await?;
    server.write_all(early).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// SOCKS5 as far as clients use it: no credential or user and password, `CONNECT` only.
async fn socks5(desk: &Desk, mut client: TcpStream) -> io::Result<()> {
    let mut two = [0; 2];
    client.read_exact(&mut two).await?;
    let mut methods = vec![0; usize::from(two[1])];
    client.read_exact(&mut methods).await?;
    let wanted = u8::from(desk.switches.borrow().credential.is_some()) * 2;
    if !methods.contains(&wanted) {
        client.write_all(&[5, 0xff]).await?;
        return client.shutdown().await;
    }
    client.write_all(&[5, wanted]).await?;
    let credential = if wanted == 2 {
        Some(credential(&mut client).await?)
    } else {
        None
    };
    if wanted == 2 {
        let right = desk.switches.borrow().credential == credential;
        client.write_all(&[1, u8::from(!right)]).await?;
        if !right {
            return client.shutdown().await;
        }
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            client.read_exact(&mut address).await?;
            Ipv4Addr::from(address).to_string()
        }
        4 => {
            let mut address = [0; 16];
            client.read_exact(&mut address).await?;
            Ipv6Addr::from(address).to_string()
        }
        _ => word(&mut client).await?,
    };
    let way = Way {
        kind: ProxyKind::Socks5,
        host,
        port: client.read_u16().await?,
        credential,
    };
    let code = match desk.decide(&way).await {
        Verdict::Through(mut server) => {
            client.write_all(&reply(0)).await?;
            copy_bidirectional(&mut client, &mut server).await?;
            return Ok(());
        }
        Verdict::Stall => return stall(client).await,
        Verdict::Close => return Ok(()),
        Verdict::Credential | Verdict::Status(_) => 2,
        Verdict::Unreachable => 4,
    };
    client.write_all(&reply(code)).await?;
    client.shutdown().await
}

/// An answer with an address that means nothing.
fn reply(code: u8) -> [u8; 10] {
    [5, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

async fn word(client: &mut TcpStream) -> io::Result<String> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The user and the password (RFC 1929).
async fn credential(client: &mut TcpStream) -> io::Result<String> {
    client.read_u8().await?;
    let user = word(client).await?;
    let password = word(client).await?;
    Ok(format!("{user}:{password}"))
}
