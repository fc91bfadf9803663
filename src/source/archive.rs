//! Where a longer history than a socket's is read: the server reads it from the file of the same
//! component (reliability.md 0, protocols.md 1.1, 3.2). It reads the whole file for that, so it
//! is asked for once a hole, and never again where it has none.

use std::sync::Arc;

use url::Url;

use crate::codec::target::{FeedSpec, WsFeed};
use crate::codec::{rest, scheme};
use crate::model::context::Place;
use crate::model::way::Way;
use crate::platform::Platform;
use crate::session::port::Wanted;
use crate::transport::http::{Ask, Http};

/// One target's stored history.
#[derive(Clone, Debug)]
pub enum Archive {
    /// Of a component of a platform.
    Component(Arc<Place>),
    /// The log server's own, beside its WebSockets: eras 1 to 3.
    Beside(Url, Arc<Way>),
}

impl Archive {
    /// The one beside a WebSocket of component logs.
    pub fn beside(feed: &FeedSpec, way: &Arc<Way>) -> Option<Self> {
        let FeedSpec::Ws(spec) = feed else {
            return None;
        };
        if !matches!(spec.feed, WsFeed::DockerLog(_)) {
            return None;
        }
        let mut url = spec.url.clone();
        scheme::set_http(&mut url);
        url.path_segments_mut().ok()?.pop();
        Some(Self::Beside(url, Arc::clone(way)))
    }

    /// The newest lines, the oldest first; none if they can't be had now, `None` if this server
    /// has no such thing.
    pub async fn read(self, wanted: Wanted) -> Option<Vec<String>> {
        match self {
            Self::Component(place) => {
                let mut platform = Platform::new(&place.context);
                match platform.stored_log(&place, wanted.rows).await {
                    Ok(lines) => Some(lines),
                    Err(error) => error.retry.then(Vec::new),
                }
            }
            Self::Beside(url, way) => beside(url, way, &wanted).await,
        }
    }
}

/// `GET /tenants/{t}/services/{id}/logs?rows=N`: the id alone says which component.
async fn beside(mut url: Url, way: Arc<Way>, wanted: &Wanted) -> Option<Vec<String>> {
    let path = ["tenants", "default", "services", &wanted.component, "logs"];
    url.path_segments_mut().ok()?.extend(path);
    let rows = wanted.rows.to_string();
    url.query_pairs_mut().append_pair("rows", &rows);
    let Ok(answer) = Http::new(way).send(Ask::get(&url)).await else {
        return Some(Vec::new());
    };
    match answer.status.as_u16() {
        200 => rest::stored_lines(&answer.body, wanted.rows),
        // Just back, it may have it later.
        408 | 425 | 429 | 500.. => Some(Vec::new()),
        _ => None,
    }
}
