//! TLS for everything that is dialled: one way to trust (the system's roots, and `--ca-file`),
//! one way to say who we are, and each fault in its own words (reliability.md 2.3, promise 29).

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, PeerIncompatible,
    SignatureScheme,
};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::model::way::Way;
use crate::model::{Cause, FaultKind, words};
use crate::say;

use super::DialError;
use super::aside::aside;

const TLS: Duration = Duration::from_secs(5);

/// TLS with `host` over `stream`.
pub(super) async fn shake<S>(host: &str, stream: S, way: &Way) -> Result<TlsStream<S>, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = prepared(host, way, None).await?;
    shake_as(config, host, stream, way).await
}

/// The same for `doctor`: with the server's certificates as it sent them, trusted or not.
pub(super) async fn shake_and_look<S>(
    host: &str,
    stream: S,
    way: &Way,
) -> (Result<TlsStream<S>, DialError>, Chain)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // One handshake has one chain.
    let (sender, seen) = sync_channel(1);
    let shaken = match prepared(host, way, Some(sender)).await {
        Ok(config) => shake_as(config, host, stream, way).await,
        Err(error) => Err(error),
    };
    (shaken, seen.try_recv().unwrap_or_default())
}

/// A server's certificate, and those that it sent with it.
pub(super) type Chain = Vec<CertificateDer<'static>>;

async fn shake_as<S>(
    config: ClientConfig,
    host: &str,
    stream: S,
    way: &Way,
) -> Result<TlsStream<S>, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(|_| {
        DialError::never(
            FaultKind::Usage,
            host,
            say!(
                "it is no name that a certificate can have",
                "证书里不可能有这样的名字"
            ),
            &say!("use the server's DNS name", "请使用服务器的域名"),
        )
    })?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match timeout(TLS, shaking).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(handshake_error(host, way, &error)),
        Err(_) => Err(DialError::later(
            host,
            say!(
                "the TLS handshake did not end in 5 s",
                "TLS 握手 5 秒内没有完成"
            ),
            &say!("check that the port speaks TLS", "请确认该端口使用 TLS"),
        )
        .because(Cause::Silent)),
    }
}

/// The configuration. Where files of the user are read for it, a disk that does not answer holds
/// up nothing else.
async fn prepared(
    host: &str,
    way: &Way,
    seen: Option<SyncSender<Chain>>,
) -> Result<ClientConfig, DialError> {
    let of_identity = way.identity.as_ref().map(|(path, _)| path);
    let Some(path) = way.ca_file.as_ref().or(of_identity) else {
        return config(host, way, seen);
    };
    let of = (host.to_owned(), way.clone());
    if let Some(config) = aside(path, TLS, move || config(&of.0, &of.1, seen)).await {
        return config;
    }
    Err(DialError::later(
        host,
        say!(
            "the files of --ca-file, --cert and --key were not read in 5 s",
            "--ca-file、--cert 和 --key 的文件 5 秒内没有读完"
        ),
        &say!("check the disk that they are on", "请检查它们所在的磁盘"),
    )
    .because(Cause::Tls))
}

/// The one configuration: TLS 1.2 and later, verified by the system's roots (or `SSL_CERT_FILE`)
/// and those of `way`.
fn config(
    host: &str,
    way: &Way,
    seen: Option<SyncSender<Chain>>,
) -> Result<ClientConfig, DialError> {
    let odd = |error: &dyn std::fmt::Display| {
        let why = say!("TLS can't be set up: {error}", "无法初始化 TLS：{error}");
        DialError::never(FaultKind::Unreachable, host, why, "").because(Cause::Tls)
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| odd(&error))?
        .dangerous();
    let verifier: Arc<dyn ServerCertVerifier> = if way.insecure {
        Arc::new(Anyone(provider))
    } else {
        let extra = match &way.ca_file {
            Some(path) => certificates("--ca-file", path)?,
            None => Vec::new(),
        };
        let verifier =
            Verifier::new_with_extra_roots(extra, provider).map_err(|error| odd(&error))?;
        Arc::new(verifier)
    };
    let verifier = match seen {
        Some(seen) => Arc::new(Watched { verifier, seen }),
        None => verifier,
    };
    let builder = builder.with_custom_certificate_verifier(verifier);
    let Some((chain, key)) = &way.identity else {
        return Ok(builder.with_no_client_auth());
    };
    let certificates = certificates("--cert", chain)?;
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable("--key", key, &error))?;
    builder
        .with_client_auth_cert(certificates, private)
        .map_err(|error| {
            let what = format!("--cert {}", chain.display());
            let why = say!(
                "it can't be used with its key ({error})",
                "无法与其私钥一起使用（{error}）"
            );
            let next = say!(
                "check that certificate and key belong together",
                "请确认证书与私钥配对"
            );
            DialError::never(FaultKind::Usage, &what, why, &next).because(Cause::TlsClientCert)
        })
}

/// The certificates of a PEM file; none is a fault.
fn certificates(flag: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, DialError> {
    let read = || -> Result<Vec<_>, rustls::pki_types::pem::Error> {
        CertificateDer::pem_file_iter(path)?.collect()
    };
    let found = read().map_err(|error| unreadable(flag, path, &error))?;
    if found.is_empty() {
        let what = format!("{flag} {}", path.display());
        let why = say!("it holds no certificate", "其中没有证书");
        let next = say!(
            "name a PEM file with BEGIN CERTIFICATE",
            "请指定含有 BEGIN CERTIFICATE 的 PEM 文件"
        );
        return Err(DialError::never(FaultKind::Usage, &what, why, &next));
    }
    Ok(found)
}

fn unreadable(flag: &str, path: &Path, error: &rustls::pki_types::pem::Error) -> DialError {
    let what = format!("{flag} {}", path.display());
    let why = match error {
        rustls::pki_types::pem::Error::Io(error) => {
            let error = words::io_error(error);
            say!("it can't be read ({error})", "无法读取（{error}）")
        }
        rustls::pki_types::pem::Error::NoItemsFound => {
            say!("it holds nothing of that kind", "其中没有所需的内容")
        }
        other => say!("it is no PEM file ({other})", "不是 PEM 文件（{other}）"),
    };
    let next = say!("check the path and the file", "请检查路径和文件");
    DialError::never(FaultKind::Usage, &what, why, &next)
}

fn handshake_error(host: &str, way: &Way, error: &io::Error) -> DialError {
    if let Some(told) = told(host, way, error) {
        return told;
    }
    let words = words::io_error(error);
    let why = say!(
        "the connection was lost in the TLS handshake ({words})",
        "TLS 握手时连接中断（{words}）"
    );
    DialError::later(
        host,
        why,
        &say!("check that the port speaks TLS", "请确认该端口使用 TLS"),
    )
    .because(Cause::TlsNone)
}

/// What TLS itself says in an error: of the handshake, or of the first read behind it, where
/// servers of TLS 1.3 tell that they want a certificate.
pub(super) fn told(host: &str, way: &Way, error: &io::Error) -> Option<DialError> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let (cause, why, next) = match inner {
        rustls::Error::InvalidCertificate(certificate) => certificate_words(host, way, certificate),
        rustls::Error::InvalidMessage(_) => (
            Cause::TlsNone,
            say!("the port does not speak TLS", "该端口不使用 TLS"),
            say!(
                "try ws:// instead of wss://, http:// instead of https://",
                "请把 wss:// 换成 ws://，把 https:// 换成 http://"
            ),
        ),
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
        | rustls::Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => (
            Cause::TlsVersion,
            say!(
                "it speaks only TLS 1.1 or older, which is not safe",
                "它只支持 TLS 1.1 或更旧的版本，不安全"
            ),
            say!(
                "have TLS 1.2 or later switched on there",
                "请在服务器上启用 TLS 1.2 或更高版本"
            ),
        ),
        rustls::Error::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate),
        ) => identity_words(way, *alert),
        // TLS 1.2 says no more than this when a certificate is missing.
        rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)
            if way.identity.is_none() =>
        {
            (
                Cause::TlsClientCert,
                say!(
                    "it ended the handshake: it wants a client certificate, or shares no cipher with us",
                    "它中止了握手：需要客户端证书，或没有共同的加密套件"
                ),
                identity_next(),
            )
        }
        other => (
            Cause::Tls,
            say!("TLS failed: {other}", "TLS 失败：{other}"),
            say!("check the server's TLS settings", "请检查服务器的 TLS 设置"),
        ),
    };
    Some(DialError::never(FaultKind::Unreachable, host, why, &next).because(cause))
}

fn identity_next() -> String {
    say!(
        "name yours with --cert and --key, or in the context",
        "请用 --cert 和 --key 指定客户端证书，或写在上下文里"
    )
}

fn identity_words(way: &Way, alert: AlertDescription) -> (Cause, String, String) {
    let why = if way.identity.is_some() {
        let alert = format!("{alert:?}");
        say!(
            "it does not accept our client certificate ({alert})",
            "它不接受我们的客户端证书（{alert}）"
        )
    } else {
        say!("it wants a client certificate", "它要求客户端证书")
    };
    (Cause::TlsClientCert, why, identity_next())
}

fn certificate_words(host: &str, way: &Way, error: &CertificateError) -> (Cause, String, String) {
    let renew = say!("have the server's certificate renewed", "请更新服务器证书");
    let clock = say!(
        "check this machine's clock, then the certificate",
        "请检查本机时间，再检查证书"
    );
    match error {
        CertificateError::Expired => (
            Cause::TlsExpired,
            say!("its certificate has expired", "它的证书已过期"),
            renew,
        ),
        CertificateError::ExpiredContext { not_after, .. } => {
            let day = date(*not_after);
            let why = say!(
                "its certificate has expired on {day}",
                "它的证书已于 {day} 过期"
            );
            (Cause::TlsExpired, why, renew)
        }
        CertificateError::NotValidYet => (
            Cause::TlsNotYet,
            say!("its certificate is not valid yet", "它的证书尚未生效"),
            clock,
        ),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let day = date(*not_before);
            let why = say!(
                "its certificate is not valid yet, only from {day} on",
                "它的证书尚未生效，{day} 起才有效"
            );
            (Cause::TlsNotYet, why, clock)
        }
        CertificateError::NotValidForName => (
            Cause::TlsName,
            say!(
                "its certificate is for another host, not for {host}",
                "它的证书属于其他主机，不是 {host}"
            ),
            say!("use the name in the certificate", "请使用证书中的名字"),
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<&str> = presented.iter().map(|name| bare_name(name)).collect();
            let names = names.join(", ");
            let why = say!(
                "its certificate is for another host ({names}), not for {host}",
                "它的证书属于其他主机（{names}），不是 {host}"
            );
            (
                Cause::TlsName,
                why,
                say!("use the name in the certificate", "请使用证书中的名字"),
            )
        }
        CertificateError::UnknownIssuer => unknown_ca(way),
        CertificateError::Revoked => (
            Cause::TlsRevoked,
            say!("its certificate is revoked", "它的证书已被吊销"),
            renew,
        ),
        other => (
            Cause::Tls,
            say!(
                "its certificate is not accepted: {other}",
                "它的证书不被接受：{other}"
            ),
            renew,
        ),
    }
}

/// `DnsName("a.example")` as rustls writes it, without that.
fn bare_name(presented: &str) -> &str {
    let inner = presented
        .split_once('(')
        .map_or(presented, |(_, rest)| rest);
    inner.trim_end_matches(')').trim_matches('"')
}

fn unknown_ca(way: &Way) -> (Cause, String, String) {
    let why = match &way.ca_file {
        None => say!(
            "its certificate is of a CA that this machine does not know",
            "本机不认识签发它证书的 CA"
        ),
        Some(path) => {
            let path = path.display();
            say!(
                "its certificate is neither of a CA that this machine knows nor of one in {path}",
                "本机和 {path} 中都没有签发它证书的 CA"
            )
        }
    };
    let next = say!(
        "name that CA's PEM file with --ca-file, or in the context, or add it to the system's",
        "请用 --ca-file 或在上下文中指定该 CA 的 PEM 文件，或加入系统信任"
    );
    (Cause::TlsUnknownCa, why, next)
}

/// A day, in UTC.
fn date(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(String::new, |at| {
            at.strftime("%Y-%m-%d %H:%M UTC").to_string()
        })
}

/// Accepts any certificate: `--insecure-skip-tls-verify`.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Verifies as another does, and shows the certificates that it is asked about.
#[derive(Debug)]
struct Watched {
    verifier: Arc<dyn ServerCertVerifier>,
    seen: SyncSender<Chain>,
}

impl ServerCertVerifier for Watched {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let chain = std::iter::once(leaf).chain(others);
        let chain = chain.map(|one| one.clone().into_owned()).collect();
        // Nobody looks, or somebody has looked already.
        drop(self.seen.try_send(chain));
        self.verifier
            .verify_server_cert(leaf, others, name, stapled, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
