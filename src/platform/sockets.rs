//! Where a platform's WebSockets may be: what the context says, behind the console, and where the
//! console says that the region has them (protocols.md 0).

use std::sync::Arc;

use url::Url;

use crate::codec::scheme;
use crate::codec::target::WsFeed;
use crate::model::Cause;
use crate::model::context::{Api, Place};
use crate::model::way::Way;
use crate::transport::DialError;
use crate::transport::ws::{Upgrade, WsConn};

use super::Platform;

/// What may stand in front of `/docker_log`, the likeliest first.
pub async fn bases(platform: &mut Platform, place: &Place) -> Vec<Url> {
    let context = Arc::clone(platform.context());
    let mut bases: Vec<Url> = context.websocket.clone().into_iter().collect();
    let mut server = context.server.clone();
    scheme::set_websocket(&mut server);
    match context.api {
        Api::Console => {
            if let Ok(mut segments) = server.path_segments_mut() {
                let proxied = ["console", "regions", &place.region, "websocket"];
                segments.pop_if_empty().extend(proxied);
            }
            bases.push(server);
            let detail = platform.detail(place).await.ok().flatten();
            let told = detail.map(|detail| detail.websocket);
            let told = told.and_then(|url| Url::parse(url.strip_suffix("/event_log")?).ok());
            bases.extend(told);
        }
        Api::Region | Api::Bare => {
            let _ = server.set_port(Some(6060));
            bases.push(server);
        }
    }
    bases.dedup();
    bases
}

/// The first of these that upgrades; else the last one's fault. Nothing is subscribed to: to go
/// again harms no one.
pub async fn first(candidates: Vec<(Url, WsFeed)>, way: &Way) -> Result<(Url, WsFeed), DialError> {
    let mut last = DialError::later("", "", "").because(Cause::NotFound);
    for (url, feed) in candidates {
        let wish = Upgrade {
            url: &url,
            subprotocol: None,
            login: None,
            way,
        };
        match WsConn::upgrade(wish).await {
            Ok(probe) => {
                probe.close().await;
                return Ok((url, feed));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}
