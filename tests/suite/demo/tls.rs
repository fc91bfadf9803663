//! The platform behind TLS: its own port, the scheme that it then hands out, and a region that
//! wants to know its clients.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::io;
use std::sync::Arc;

use deckwatch::demo::{Options, Platform};
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::web::Web;
use crate::certificates::{Authority, Demands, Flaw};
use crate::raw_client::{RawClient, text};

async fn platform(options: Options) -> Platform {
    let options = Options {
        world: false,
        zmq: false,
        prefix: Some("/p".into()),
        ..options
    };
    Platform::start(options).await.unwrap()
}

async fn connect(url: &str, config: Arc<ClientConfig>) -> io::Result<Web<TlsStream<TcpStream>>> {
    let port = url.strip_prefix("https://localhost:").unwrap();
    let port: u16 = port.split('/').next().unwrap().parse().unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = "localhost".try_into().unwrap();
    Ok(Web::new(
        TlsConnector::from(config).connect(name, stream).await?,
    ))
}

#[tokio::test]
async fn everything_is_also_behind_tls_and_urls_say_so() {
    let authority = Authority::new();
    let platform = platform(Options {
        tls: Some(authority.server(Flaw::None)),
        ..Options::default()
    })
    .await;
    let url = platform.https_url("/console").unwrap();
    let mut web = connect(&url, authority.client(None)).await.unwrap();
    let token = web.login().await;
    web.headers = vec![format!("Authorization: GRJWT {token}")];
    let path = "/p/console/teams/shop/apps/payment/log_instance";
    assert!(
        web.body(path)
            .await
            .contains("\"wss://demo.example:7070/p/")
    );
    // The connection's own scheme counts only where nothing was forwarded.
    web.headers.push("X-Forwarded-Proto: http".into());
    assert!(web.body(path).await.contains("\"ws://demo.example:7070/p/"));
    let stream = connect(&url, authority.client(None)).await.unwrap();
    let socket = "/p/console/regions/rainbond/websocket/docker_log";
    let mut socket = RawClient::open(stream.into_inner(), socket).await;
    socket.say("topic=x").await;
    assert_eq!(socket.next().await, text("ok"));
    // A restart concerns this port too.
    platform.restart(std::time::Duration::from_millis(1)).await;
    connect(&url, authority.client(None)).await.unwrap();
}

#[tokio::test]
async fn a_flawed_certificate_is_one() {
    let authority = Authority::new();
    for flaw in [
        Flaw::Expired,
        Flaw::Early,
        Flaw::OtherHost,
        Flaw::SelfSigned,
    ] {
        let platform = platform(Options {
            tls: Some(authority.server(flaw)),
            ..Options::default()
        })
        .await;
        let url = platform.https_url("").unwrap();
        let error = connect(&url, authority.client(None)).await.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{flaw:?}");
    }
}

#[tokio::test]
async fn a_region_can_want_a_clients_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let demands = Demands {
        tls12: true,
        clients: Some(&clients),
    };
    let platform = platform(Options {
        tls: Some(authority.server(Flaw::None)),
        region_tls: Some(authority.demanding(Flaw::None, demands)),
        ..Options::default()
    })
    .await;
    let url = platform.region_tls_url("/tenants").unwrap();
    let known = clients.certify("operator", Flaw::None);
    let mut web = connect(&url, authority.client(Some(&known))).await.unwrap();
    assert!(web.body("/p/v2/tenants").await.contains("shop"));
    let expired = clients.certify("operator", Flaw::Expired);
    let strange = authority.certify("operator", Flaw::None);
    for identity in [None, Some(&expired), Some(&strange)] {
        assert!(connect(&url, authority.client(identity)).await.is_err());
    }
    assert!(known.pem().0.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(known.pem().1.contains("PRIVATE KEY"));
}
