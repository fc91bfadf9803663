//! `wss://`: a certificate of a known CA is trusted, and each other one is named with its fault.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::certificates::{Authority, Demands, Flaw, Identity};
use super::faulty::{Home, blurting};
use super::program::{Done, program};

/// The port of a server with this certificate.
pub(crate) async fn serve(config: Arc<ServerConfig>) -> u16 {
    counting(config).await.0
}

/// The same, with how many connections it has taken.
async fn counting(config: Arc<ServerConfig>) -> (u16, Arc<AtomicU32>) {
    let acceptor = TlsAcceptor::from(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(talk(acceptor.clone(), stream));
        }
    });
    (port, taken)
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

/// One attempt at a server with flags; its words without the port, and its exit code.
async fn verdict(port: u16, flags: &[&str], roots: &Path) -> (Option<i32>, String) {
    let home = Home::new();
    let target = format!("wss://localhost:{port}/docker_log#x");
    let mut args = vec!["logs", &target, "-o", "raw", "--max-lines", "1"];
    // Attempts are allowed: a fatal fault must not use them.
    args.extend(["--reconnect", "3"]);
    args.extend(flags);
    let done = home.program(args).env("SSL_CERT_FILE", roots).end().await;
    // That a source has come is no fault.
    let mut said = done
        .err
        .lines()
        .filter(|line| line.contains("wss://") && !line.contains("#x: + "));
    let said = said
        .next_back()
        .unwrap_or("")
        .replace(&port.to_string(), "PORT");
    let said = said.replace("deckwatch: wss://localhost:PORT/docker_log", "…");
    (done.code, said)
}

/// reliability.md 8, row 29: what is wrong with a server's certificate, and what to do about it.
#[tokio::test]
async fn each_verdict_on_a_server_has_its_sentence_and_no_second_attempt() {
    let authority = Authority::new();
    let renew = "have the server's certificate renewed";
    let name_it =
        "name that CA's PEM file with --ca-file, or in the context, or add it to the system's";
    let unknown = format!("its certificate is of a CA that this machine does not know; {name_it}");
    for (flaw, want) in [
        (Flaw::Expired, format!("its certificate has expired on 2020-01-01 00:00 UTC; {renew}")),
        (
            Flaw::Early,
            "its certificate is not valid yet, only from 2900-01-01 00:00 UTC on; check this machine's clock, then the certificate".into(),
        ),
        (
            Flaw::OtherHost,
            "its certificate is for another host (elsewhere.example), not for localhost; use the name in the certificate".into(),
        ),
        (Flaw::SelfSigned, unknown.clone()),
    ] {
        let (port, taken) = counting(authority.server(flaw)).await;
        let (code, said) = verdict(port, &[], authority.file()).await;
        assert_eq!((code, said), (Some(5), format!("…: {want}")), "{flaw:?}");
        assert_eq!(taken.load(Ordering::SeqCst), 1, "{flaw:?}");
    }
    let (port, taken) = counting(Authority::new().server(Flaw::None)).await;
    let (code, said) = verdict(port, &[], authority.file()).await;
    assert_eq!((code, said), (Some(5), format!("…: {unknown}")));
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    // The file that did not help is named.
    let file = authority.file().to_str().unwrap();
    let (_, said) = verdict(port, &["--ca-file", file], authority.file()).await;
    assert!(said.contains(&format!("nor of one in {file}")), "{said}");
    let port = blurting(b"\x15\x03\x01\x00\x02\x02\x46").await;
    let (code, said) = verdict(port, &[], authority.file()).await;
    let old = "…: it speaks only TLS 1.1 or older, which is not safe; have TLS 1.2 or later switched on there";
    assert_eq!((code, said.as_str()), (Some(5), old));
}

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted_when_it_is_named() {
    let (own, system) = (Authority::new(), Authority::new());
    let (port, _) = counting(own.server(Flaw::None)).await;
    let file = own.file().to_str().unwrap();
    let (code, said) = verdict(port, &["--ca-file", file], system.file()).await;
    assert_eq!((code, said.as_str()), (Some(0), ""));
}

/// A disk that does not answer is like a pipe.
#[tokio::test]
async fn a_file_that_does_not_come_is_not_waited_for() {
    let (home, authority) = (Home::new(), Authority::new());
    let (port, _) = counting(authority.server(Flaw::None)).await;
    let pipe = home.pipe();
    let target = format!("wss://localhost:{port}/docker_log#x");
    let flags = ["--reconnect", "0", "--ca-file", pipe.to_str().unwrap()];
    let done = home.program([&["logs", &target], &flags[..]].concat());
    let done = done.end().await.expect(5);
    let said = "the files of --ca-file, --cert and --key were not read in 5 s; check the disk";
    assert!(done.err.contains(said), "{}", done.err);
}

/// A server that is there for another protocol still answers who does not ask for one.
#[tokio::test]
async fn an_odd_protocol_inside_tls_stands_in_nobodys_way() {
    let authority = Authority::new();
    let mut config = (*authority.server(Flaw::None)).clone();
    config.alpn_protocols = vec![b"mqtt".to_vec(), b"h2".to_vec()];
    let (port, _) = counting(Arc::new(config)).await;
    let (code, _) = verdict(port, &[], authority.file()).await;
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_absence_and_its_faults_are_named() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, identity: &Identity| {
        let (certificate, key) = identity.pem();
        let path = |end: &str| folder.path().join(format!("{name}.{end}"));
        std::fs::write(path("pem"), certificate).unwrap();
        std::fs::write(path("key"), key).unwrap();
        [path("pem"), path("key")].map(|path| path.to_str().unwrap().to_owned())
    };
    let good = put("good", &clients.certify("operator", Flaw::None));
    let expired = put("expired", &clients.certify("operator", Flaw::Expired));
    let strange = put("strange", &authority.certify("operator", Flaw::None));
    for tls12 in [false, true] {
        let demands = Demands {
            tls12,
            clients: Some(&clients),
        };
        let (port, taken) = counting(authority.demanding(Flaw::None, demands)).await;
        let (code, said) = verdict(port, &[], authority.file()).await;
        assert_eq!(code, Some(5));
        assert!(said.contains("a client certificate"), "{said}");
        assert!(said.contains("--cert and --key"), "{said}");
        assert_eq!(taken.load(Ordering::SeqCst), 1);
        for (files, want) in [(&expired, "CertificateExpired"), (&strange, "UnknownCA")] {
            let flags = ["--cert", &files[0], "--key", &files[1]];
            let (code, said) = verdict(port, &flags, authority.file()).await;
            assert_eq!(code, Some(5));
            let refused = "it does not accept our client certificate";
            assert!(said.contains(refused) && said.contains(want), "{said}");
        }
        assert_eq!(taken.load(Ordering::SeqCst), 3);
        let flags = ["--cert", &good[0], "--key", &good[1]];
        let (code, said) = verdict(port, &flags, authority.file()).await;
        assert_eq!((code, said.as_str()), (Some(0), ""));
    }
}
