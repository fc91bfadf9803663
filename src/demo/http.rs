//! The request that opens a connection, and the answers that are no upgrade.

use bytes::BytesMut;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// A head may have so many bytes.
pub(super) const HEAD_LIMIT: usize = 16 << 10;

/// A request without its body.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Request {
    /// The method.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without `?`.
    pub query: String,
    /// What answers the client's key, if this asks for a WebSocket.
    pub accept: Option<String>,
    /// The subprotocols that it offers.
    pub protocols: Vec<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Origin`.
    pub origin: Option<String>,
    /// `Host`.
    pub host: String,
    /// Every header, as it was written.
    pub fields: Vec<(String, String)>,
    /// Bytes of its body.
    pub length: usize,
    /// Whether the connection may carry another.
    pub keep_alive: bool,
}

impl Request {
    /// A header; the first of its name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self
            .fields
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Takes a whole head off the buffer; `None` if it has not ended yet. A head that cannot be
/// read is a request for nothing.
pub(super) fn take_request(buffer: &mut BytesMut) -> Option<Request> {
    let end = buffer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = buffer.split_to(end + 4);
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or("").split(' ');
    let method = words.next().unwrap_or("").to_owned();
    let target = words.next().unwrap_or("");
    let newest = words.next() == Some("HTTP/1.1");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| {
        head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let names = |name: &str, token: &str| {
        header(name).is_some_and(|value| {
            value
                .split(',')
                .any(|one| one.trim().eq_ignore_ascii_case(token))
        })
    };
    let asks = method == "GET"
        && names("upgrade", "websocket")
        && names("connection", "upgrade")
        && header("sec-websocket-version") == Some("13");
    let accept = header("sec-websocket-key")
        .filter(|key| asks && !key.is_empty())
        .map(|key| derive_accept_key(key.as_bytes()));
    Some(Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        accept,
        protocols: header("sec-websocket-protocol")
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(|one| one.trim().to_owned())
            .collect(),
        authorization: header("authorization").map(str::to_owned),
        origin: header("origin").map(str::to_owned),
        host: header("host").unwrap_or("").to_owned(),
        fields: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
            .collect(),
        length: header("content-length").map_or(0, |text| text.parse().unwrap_or(usize::MAX)),
        keep_alive: newest && !names("connection", "close"),
    })
}

/// The answer that makes it a WebSocket; no extension and no subprotocol.
pub(super) fn switching(accept: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// The words of a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        409 => "Conflict",
        422 => "Unprocessable Entity",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

/// Any other answer.
pub(super) fn answer(status: u16, kind: &str, body: &str) -> String {
    let reason = reason(status);
    let kind = if kind.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {kind}\r\n")
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\n{kind}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::take_request;

    #[test]
    fn a_request_is_read_and_the_rest_is_left() {
        let mut buffer = BytesMut::from(
            &b"GET /docker_log?host_id=1 HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n\
               connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: Y8JMPxoctg0RdDUcbYOeiQ==\r\n\
               Sec-WebSocket-Version: 13\r\n\r\nrest"[..],
        );
        let request = take_request(&mut buffer).unwrap();
        assert_eq!(
            (request.path.as_str(), request.query.as_str()),
            ("/docker_log", "host_id=1")
        );
        // The recording's own pair.
        assert_eq!(
            request.accept.as_deref(),
            Some("igJgKSyi3gexmzdEXe7ThwqVY4M=")
        );
        assert_eq!(buffer, "rest");
    }

    #[test]
    fn what_is_no_upgrade_gets_no_key() {
        for head in [
            "GET / HTTP/1.1\r\n\r\n",
            "POST /docker_log HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n",
            "\r\n\r\n",
        ] {
            let mut buffer = BytesMut::from(head);
            assert_eq!(take_request(&mut buffer).unwrap().accept, None, "{head}");
        }
        assert_eq!(
            take_request(&mut BytesMut::from("GET / HTTP/1.1\r\nHost:")),
            None
        );
    }
}
