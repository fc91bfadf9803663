//! Real counterparts in front of the embedded platform: nginx as TLS and proxying front, with
//! and without the upgrade, with and without client certificates; microsocks as SOCKS 5 proxy;
//! Prometheus as a scraper and as a judge of queries.
//! Run by `cargo test --test fronts`; needs nginx, microsocks and prometheus, and the name
//! `deckwatch-front` for 127.0.0.1 in /etc/hosts, since loopback itself never goes through a
//! proxy.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test helpers"
)]
#![expect(
    dead_code,
    reason = "the suite's helpers, of which these tests need some"
)]

#[path = "../suite/certificates.rs"]
mod certificates;
#[path = "../suite/faulty.rs"]
mod faulty;
mod measured;
#[path = "../suite/program.rs"]
mod program;
mod prometheus;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use certificates::{Authority, Flaw};
use deckwatch::demo::{Options, Platform};
use faulty::Home;

const NAME: &str = "deckwatch-front";
const PAYMENT: &str = "shop/*/payment";

/// A port that nobody has.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a program and waits until it listens.
async fn start(mut command: Command, port: u16) -> Server {
    let name = command.get_program().to_string_lossy().into_owned();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let Ok(child) = child else {
        panic!("{name} is missing: install it (apt-get install {name})");
    };
    let server = Server(child);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..600 {
        if TcpStream::connect(address).is_ok() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} does not listen on {port}");
}

async fn platform() -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        ..Options::default()
    };
    Platform::start(options).await.unwrap()
}

/// nginx in front of the platform, for `localhost`.
struct Nginx {
    _server: Server,
    folder: tempfile::TempDir,
    port: u16,
    ca: Authority,
}

impl Nginx {
    async fn start(platform: &Platform, upgrades: bool, clients: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let ca = Authority::new();
        let (cert, key) = ca.certify("localhost", Flaw::None).pem();
        std::fs::write(at("cert.pem"), cert).unwrap();
        std::fs::write(at("key.pem"), key).unwrap();
        let (cert, key) = ca.certify("me", Flaw::None).pem();
        std::fs::write(at("me.pem"), cert).unwrap();
        std::fs::write(at("me.key"), key).unwrap();
        let port = free_port();
        let upgrade = if upgrades {
            "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
        } else {
            ""
        };
        let verify = if clients {
            format!(
                "ssl_client_certificate {}; ssl_verify_client on;",
                ca.file().display()
            )
        } else {
            String::new()
        };
        let here = folder.path().display();
        let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {here}/{kind};\n"))
            .concat();
        let config = format!(
            "pid {here}/nginx.pid;\nerror_log stderr crit;\nevents {{}}\nhttp {{\naccess_log off;\n{temp}\
             map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}\n\
             server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate {here}/cert.pem;\n\
             ssl_certificate_key {here}/key.pem;\n{verify}\nlocation / {{\n\
             proxy_pass http://{};\nproxy_http_version 1.1;\n{upgrade}\n\
             proxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-Proto https;\n\
             proxy_buffering off;\nproxy_read_timeout 1h;\n}}\n}}\n}}\n",
            platform.http_addr()
        );
        std::fs::write(at("nginx.conf"), config).unwrap();
        let mut command = Command::new("nginx");
        command
            .args(["-g", "daemon off; master_process off;", "-p"])
            .arg(folder.path())
            .arg("-c")
            .arg(at("nginx.conf"));
        Self {
            _server: start(command, port).await,
            folder,
            port,
            ca,
        }
    }

    fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://localhost:{}/p{path}", self.port)
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[tokio::test]
async fn login_logs_events_and_a_shell_go_through_nginx() {
    let platform = platform().await;
    let front = Nginx::start(&platform, true, false).await;
    let home = Home::new();
    let ca = text(front.ca.file());
    let server = front.url("https", "");
    let add = [
        "context",
        "add",
        "front",
        "--server",
        &server,
        "--ca-file",
        &ca,
    ];
    home.program(add).end().await.expect(0);
    home.log_in(&platform).await;
    let done = home
        .program(["get", "components", "-o", "name"])
        .end()
        .await;
    assert!(done.expect(0).text().contains("支付"));
    let mut run = home.program(["logs", "-f", "-o", "json", PAYMENT]).start();
    run.until_count("\"type\":\"join\"", 2).await;
    let service = platform.service_id("payment").unwrap();
    let pod = platform.pods("payment").remove(0);
    let container = platform.container_id(&pod, None).unwrap();
    platform
        .inject_log(&service, &container, "经过 nginx".as_bytes())
        .await;
    run.until_out("经过 nginx").await;
    let url = format!("{}#{service}", front.url("wss", "/docker_log"));
    let logs = [
        "logs",
        &url,
        "--ca-file",
        &ca,
        "-o",
        "raw",
        "-q",
        "--max-lines",
        "1",
    ];
    let done = home.program(logs).end().await;
    assert_eq!(done.expect(0).text(), "经过 nginx\n");
    let exec = ["shell", "--exec", "echo $((40 + 2))", PAYMENT];
    assert_eq!(home.program(exec).end().await.expect(0).text(), "42\n");
}

#[tokio::test]
async fn a_front_that_takes_the_upgrade_out_is_named_and_pods_are_read_all_the_same() {
    let platform = platform().await;
    let front = Nginx::start(&platform, false, false).await;
    let home = Home::new();
    let ca = text(front.ca.file());
    let service = platform.service_id("payment").unwrap();
    let url = format!("{}#{service}", front.url("wss", "/docker_log"));
    let done = home.program(["logs", &url, "--ca-file", &ca]).end().await;
    let told = done.expect(5).err;
    assert!(told.contains("a proxy on the way takes it out"), "{told}");
    assert!(
        told.contains("proxy_http_version 1.1"),
        "the next step: {told}"
    );
    let doctor = ["doctor", "-o", "json", &url, "--ca-file", &ca];
    let done = home.program(doctor).end().await;
    assert!(done.text().contains("upgrade_stripped"), "{}", done.text());
}

#[tokio::test]
async fn a_front_that_wants_certificates_is_named_and_takes_ours() {
    let platform = platform().await;
    let front = Nginx::start(&platform, true, true).await;
    let home = Home::new();
    let ca = text(front.ca.file());
    let server = front.url("https", "");
    let get = ["get", "teams", "--server", &server, "--ca-file", &ca];
    let told = home.program(get).end().await.expect(5).err;
    assert!(told.contains("it wants a client certificate"), "{told}");
    assert!(told.contains("--cert and --key"), "the next step: {told}");
    let (cert, key) = (front.file("me.pem"), front.file("me.key"));
    let get = get.into_iter().chain(["--cert", &cert, "--key", &key]);
    let told = home.program(get).end().await.expect(4).err;
    assert!(told.contains("it wants a login"), "{told}");
}

#[tokio::test]
async fn a_real_socks_proxy_resolves_the_name_and_wants_to_know_who_we_are() {
    let platform = platform().await;
    let known = std::net::ToSocketAddrs::to_socket_addrs(&(NAME, 80));
    let loopback = known.is_ok_and(|mut all| all.all(|one| one.ip().is_loopback()));
    assert!(loopback, "write a line '127.0.0.1 {NAME}' into /etc/hosts");
    let port = free_port();
    let mut command = Command::new("microsocks");
    let listen = port.to_string();
    command.args(["-i", "127.0.0.1", "-p", &listen, "-u", "me", "-P", "canary"]);
    command.stderr(Stdio::null());
    let _server = start(command, port).await;
    let home = Home::new();
    let service = platform.service_id("payment").unwrap();
    let pod = platform.pods("payment").remove(0);
    let container = platform.container_id(&pod, None).unwrap();
    platform
        .inject_log(&service, &container, b"through SOCKS")
        .await;
    let here = platform.http_addr().port();
    let url = format!("ws://{NAME}:{here}/p/docker_log#{service}");
    let proxy = format!("socks5h://me:canary@127.0.0.1:{port}");
    let logs = [
        "logs",
        &url,
        "-o",
        "raw",
        "-q",
        "--max-lines",
        "1",
        "--proxy",
        &proxy,
    ];
    let done = home.program(logs).end().await;
    assert_eq!(done.expect(0).text(), "through SOCKS\n");
    let wrong = format!("socks5h://me:wrong@127.0.0.1:{port}");
    let told = home.program(["logs", &url, "--proxy", &wrong]).end().await;
    let told = told.expect(4).err;
    assert!(told.contains("does not accept user and password"), "{told}");
    assert!(!told.contains("wrong"), "the password is told: {told}");
}
