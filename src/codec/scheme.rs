//! One server speaks HTTP and WebSocket at the same address, and is reached with TLS or without.

use url::Url;

/// The same address as that of a page: `ws` becomes `http`, `wss` becomes `https`.
pub fn set_http(url: &mut Url) {
    set(url, ["http", "https"]);
}

/// The same address as that of a WebSocket: `http` becomes `ws`, `https` becomes `wss`.
pub fn set_websocket(url: &mut Url) {
    set(url, ["ws", "wss"]);
}

fn set(url: &mut Url, [plain, encrypted]: [&str; 2]) {
    let scheme = match url.scheme() {
        "https" | "wss" => encrypted,
        _ => plain,
    };
    // All of these are special schemes, between which a URL may change.
    let _ = url.set_scheme(scheme);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_stays_as_it_is() {
        for (http, websocket) in [
            ("http://h:1/a?b", "ws://h:1/a?b"),
            ("https://h/a", "wss://h/a"),
        ] {
            for from in [http, websocket] {
                let mut url: Url = from.parse().unwrap();
                set_websocket(&mut url);
                assert_eq!(url.as_str(), websocket);
                set_http(&mut url);
                assert_eq!(url.as_str(), http);
            }
        }
    }
}
