//! `wss://`: a certificate of a known CA is trusted, and each other one is named with its fault.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::certificates::{Authority, Flaw};
use super::program::{Done, program};

/// The port of a server with this certificate.
pub(crate) async fn serve(config: Arc<ServerConfig>) -> u16 {
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(acceptor.clone(), stream));
        }
    });
    port
}

async fn logs(authority: &Authority, port: u16) -> Done {
    let target = format!("wss://localhost:{port}/docker_log#x");
    let args = ["logs", &target, "-o", "raw", "-q", "--max-lines", "1"];
    program(args)
        .env("SSL_CERT_FILE", authority.file())
        .end()
        .await
}

/// Upgrades and sends one line. A client that does not trust us is gone before that.
async fn talk(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then(|| value.trim().to_owned())
    };
    let accept = derive_accept_key(request.lines().find_map(header).unwrap().as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
        .write_all(b"\x81\x130123456789ab:\xff line")
        .await
        .unwrap();
    let mut rest = Vec::new();
    // Until the client leaves; how it does that is its business.
    let _ = stream.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn a_certificate_of_a_known_ca_is_trusted_and_text_may_be_invalid_behind_tls_too() {
    let authority = Authority::new();
    let port = serve(authority.server(Flaw::None)).await;
    let done = logs(&authority, port).await.expect(0);
    assert_eq!(done.out, b"\xff line\n");
}

#[tokio::test]
async fn every_other_certificate_is_named_with_its_fault_and_not_tried_again() {
    let authority = Authority::new();
    let expired = serve(authority.server(Flaw::Expired)).await;
    let early = serve(authority.server(Flaw::Early)).await;
    let other = serve(authority.server(Flaw::OtherHost)).await;
    let unknown = serve(Authority::new().server(Flaw::None)).await;
    for (port, fault) in [
        (expired, "its certificate has expired"),
        (early, "its certificate is not valid yet"),
        (other, "its certificate is for another host"),
        (unknown, "of a CA that this machine does not know"),
    ] {
        let done = logs(&authority, port).await.expect(5);
        assert!(done.err.contains(fault), "{fault}: {}", done.err);
        assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    }
}
