//! L4: the console's and the region's REST: who we are, what runs there, its stored logs and its
//! streams (protocols.md 3). One request at a time; what is asked for often is asked over one
//! connection.

mod ask;
pub mod credential;
mod discover;
pub mod keyring;
pub mod measure;
pub mod resolve;
pub mod shell;
pub mod sockets;
pub mod usage;

use std::sync::Arc;

use crate::model::context::{Api, Context, Credential, Place};
use crate::model::way::{Cookie, Way};
use crate::text::redact::Secret;
use crate::transport::http::Http;

pub use ask::Query;

/// One platform that can be asked.
#[derive(Debug)]
pub struct Platform {
    context: Arc<Context>,
    http: Http,
    token: Option<Secret>,
    /// The credential was looked for.
    looked: bool,
}

impl Platform {
    /// A platform that is asked as its context says; nothing is sent yet.
    pub fn new(context: &Arc<Context>) -> Self {
        Self {
            context: Arc::clone(context),
            http: Http::new(Arc::clone(&context.way)),
            token: None,
            looked: false,
        }
    }

    /// What it is.
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// The token, once it was looked for.
    pub fn token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// Whether a token is known.
    pub fn is_logged_in(&self) -> bool {
        self.token.is_some()
    }

    /// The way to its WebSockets, with what a gateway in front of them may want to see.
    pub fn socket_way(&self) -> Arc<Way> {
        let Some(token) = self
            .token
            .as_ref()
            .filter(|_| self.context.api == Api::Console)
        else {
            return Arc::clone(&self.context.way);
        };
        let cookie = Secret::new(format!("token={}", token.expose()));
        Arc::new(Way {
            cookie: Some(Cookie(cookie)),
            ..(*self.context.way).clone()
        })
    }
}

/// Whether a token would travel to this context unencrypted, past this machine.
pub fn is_exposed(context: &Context) -> bool {
    let local = match context.server.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    !local
        && matches!(context.server.scheme(), "http" | "ws")
        && !matches!(context.credential, Credential::None)
}

/// A component's place in requests: team and alias.
fn aliases(place: &Place) -> (&str, &str) {
    (&place.team, &place.component.alias)
}
