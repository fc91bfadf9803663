//! Certificates for tests: a CA of one's own, servers' certificates with every flaw, and clients'.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS12;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// What is wrong with a server's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// Nothing: it is for `localhost` and valid.
    None,
    Expired,
    /// Not valid yet.
    Early,
    OtherHost,
    SelfSigned,
}

/// What a server wants besides.
#[derive(Clone, Copy, Default)]
pub(crate) struct Demands<'a> {
    /// TLS 1.2 only.
    pub(crate) tls12: bool,
    /// A client's certificate of this authority.
    pub(crate) clients: Option<&'a Authority>,
}

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

impl Identity {
    /// Both as PEM: the certificate, the key.
    pub(crate) fn pem(&self) -> (String, String) {
        (self.pem.clone(), self.key.serialize_pem())
    }

    fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (
            vec![self.certificate.clone()],
            PrivateKeyDer::Pkcs8(self.key.serialize_der().into()),
        )
    }
}

/// A CA whose certificate stands in a file.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    file: tempfile::NamedTempFile,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("CA {}", fastrand::u64(..));
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(file.path(), certificate.pem()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            certificate: certificate.der().clone(),
            file,
        }
    }

    /// Its certificate as PEM.
    pub(crate) fn file(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        roots
    }

    /// A certificate for a name, of this authority unless it signs itself.
    pub(crate) fn certify(&self, name: &str, flaw: Flaw) -> Identity {
        let name = match flaw {
            Flaw::OtherHost => "elsewhere.example",
            _ => name,
        };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        match flaw {
            Flaw::Expired => params.not_after = date_time_ymd(2020, 1, 1),
            Flaw::Early => params.not_before = date_time_ymd(2900, 1, 1),
            Flaw::None | Flaw::OtherHost | Flaw::SelfSigned => {}
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match flaw {
            Flaw::SelfSigned => params.self_signed(&key).unwrap(),
            _ => params.signed_by(&key, &self.issuer).unwrap(),
        };
        Identity {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    /// A server on `localhost` with no demands.
    pub(crate) fn server(&self, flaw: Flaw) -> Arc<ServerConfig> {
        self.demanding(flaw, Demands::default())
    }

    pub(crate) fn demanding(&self, flaw: Flaw, demands: Demands<'_>) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = if demands.tls12 {
            builder.with_protocol_versions(&[&TLS12])
        } else {
            builder.with_safe_default_protocol_versions()
        };
        let builder = match demands.clients {
            None => builder.unwrap().with_no_client_auth(),
            Some(authority) => {
                let roots = Arc::new(authority.roots());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                builder
                    .unwrap()
                    .with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let (chain, key) = self.certify("localhost", flaw).parts();
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }

    /// A client that trusts this authority, with a certificate of its own or without.
    pub(crate) fn client(&self, identity: Option<&Identity>) -> Arc<ClientConfig> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots());
        Arc::new(match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let (chain, key) = identity.parts();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}
