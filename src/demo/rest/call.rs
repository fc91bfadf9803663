//! One request, taken apart.

use serde_json::Value;

use super::Rest;
use super::switches::RestSwitches;
use crate::demo::http::Request;

/// A request to the console or the region.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) rest: &'a Rest,
    pub(super) request: &'a Request,
    /// Below the platform's prefix.
    pub(super) path: String,
    /// The path's parts, decoded.
    pub(super) segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Vec<u8>,
    /// Whether it came over TLS.
    secure: bool,
    pub(super) switches: RestSwitches,
}

impl<'a> Call<'a> {
    pub(super) fn new(rest: &'a Rest, request: &'a Request, body: Vec<u8>, secure: bool) -> Self {
        let path = request.path.strip_prefix(&rest.prefix).unwrap_or("");
        Self {
            rest,
            request,
            path: path.to_owned(),
            segments: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(decode)
                .collect(),
            query: pairs(request.query.as_bytes()),
            body,
            secure,
            switches: rest.switches.borrow().rest.clone(),
        }
    }

    /// A parameter of the query; the first of its name.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A number in the query.
    pub(super) fn number(&self, name: &str, usual: usize) -> usize {
        self.query(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual)
    }

    /// A field of the body, which is a form or a JSON object.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let kind = self.request.field("content-type").unwrap_or("");
        if kind.starts_with("application/json") {
            let body: Value = serde_json::from_slice(&self.body).ok()?;
            return body.get(name)?.as_str().map(str::to_owned);
        }
        let found = pairs(&self.body).into_iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    }

    /// The JSON body.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// A cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.request
            .field("cookie")?
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Whether the browser speaks TLS: the first element of `X-Forwarded-Proto`, or the
    /// connection itself (protocols.md 0).
    pub(super) fn is_https(&self) -> bool {
        let forwarded = self.request.field("x-forwarded-proto");
        let first = forwarded.and_then(|value| value.split(',').next());
        match first.map(str::trim) {
            Some(word) if !word.is_empty() => word.eq_ignore_ascii_case("https"),
            Some(_) | None => self.secure,
        }
    }

    /// The URL of a socket, or of a file beside the sockets: of the console that hands it on, and
    /// before v6.9.2 of the region itself (protocols.md 0).
    pub(super) fn socket_url(&self, scheme: &str, region: &str, path: &str) -> String {
        if !self.switches.console_sockets {
            return self.url(scheme, path);
        }
        self.url(
            scheme,
            &format!("/console/regions/{region}/websocket{path}"),
        )
    }

    /// A URL that the console hands out: `scheme` with an `s` behind it where TLS is spoken.
    pub(super) fn url(&self, scheme: &str, path: &str) -> String {
        let end = if self.is_https() { "s" } else { "" };
        let (host, prefix) = (&self.request.host, &self.rest.prefix);
        format!("{scheme}{end}://{host}{prefix}{path}")
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

/// Decodes `%XX` in a path; what is none stays.
fn decode(part: &str) -> String {
    // A form's decoder, but for the signs that mean something in a form only.
    let part = part.replace('+', "%2B").replace('&', "%26");
    let whole = part.replace('=', "%3D") + "=";
    let decoded = url::form_urlencoded::parse(whole.as_bytes()).next();
    decoded.map_or_else(String::new, |(key, _)| key.into_owned())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn parts_of_a_path_are_decoded() {
        for (part, want) in [
            ("shop", "shop"),
            ("%E5%95%86", "商"),
            ("a+b=c&d", "a+b=c&d"),
            ("100%", "100%"),
        ] {
            assert_eq!(decode(part), want);
        }
    }
}
