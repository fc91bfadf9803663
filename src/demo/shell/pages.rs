//! What shell servers say in HTTP: their pages, and upgrades granted or refused, as recorded but
//! for the date (protocols.md 6.2, 6.5, 9.1.7, 9.1.8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::doors::offers;
use super::{Server, Visit};

const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n";
const SCRIPT: &str = "Content-Type: application/javascript\r\n";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";
const NO_SNIFF: &str = "X-Content-Type-Options: nosniff\r\n";

impl Server {
    /// The line by which it names itself.
    fn signature(self) -> &'static str {
        match self {
            Self::Platform => "",
            Self::Gotty1 => "Server: GoTTY/1.0.1\r\n",
            Self::Gotty2 | Self::Sorenisanerd => "Server: GoTTY\r\nVary: Accept-Encoding\r\n",
            Self::Ttyd => "server: ttyd/1.7.7-unknown (libwebsockets/4.1.6-)\r\n",
        }
    }

    /// The subprotocol that it selects.
    fn subprotocol(self) -> &'static str {
        match self {
            Self::Gotty1 => "gotty",
            Self::Platform | Self::Gotty2 | Self::Sorenisanerd => "webtty",
            Self::Ttyd => "tty",
        }
    }
}

/// The answer that makes it a WebSocket.
pub(super) fn switching<S>(visit: &Visit<'_, S>, accept: &str) -> String {
    let server = visit.server;
    let upgrade = match server {
        Server::Ttyd => "WebSocket",
        _ => "websocket",
    };
    // The older library writes it in its own way.
    let header = match server {
        Server::Gotty1 | Server::Gotty2 => "Sec-Websocket-Protocol",
        Server::Platform | Server::Sorenisanerd | Server::Ttyd => "Sec-WebSocket-Protocol",
    };
    let v1 = visit.shells.switches.borrow().shell.v1_numbering;
    let name = server.subprotocol();
    // Platform A knows none.
    let selects = offers(visit, name) && !(server == Server::Platform && v1);
    let selected = if selects {
        format!("{header}: {name}\r\n")
    } else {
        String::new()
    };
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {upgrade}\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{selected}\r\n"
    )
}

/// Too many connections, or one too many.
pub(super) fn full(server: Server, once: bool) -> String {
    match server {
        Server::Gotty2 | Server::Sorenisanerd if once => {
            let body = "Server is shutting down\n";
            answer("503 Service Unavailable", &[PLAIN, NO_SNIFF], body)
        }
        // Its listener is closed; ours is not alone on the port.
        Server::Gotty1 if once => String::new(),
        Server::Platform | Server::Gotty1 | Server::Gotty2 | Server::Sorenisanerd => {
            answer("200 OK", &[], "")
        }
        Server::Ttyd => String::new(),
    }
}

/// A foreign origin.
pub(super) fn forbidden() -> String {
    answer("403 Forbidden", &[PLAIN, NO_SNIFF], "Forbidden\n")
}

/// A socket's path without the request for one.
pub(super) fn no_upgrade(server: Server) -> String {
    match server {
        Server::Ttyd => answer("404 Not Found", &[server.signature()], ""),
        _ => answer("400 Bad Request", &[PLAIN, NO_SNIFF], "Bad Request\n"),
    }
}

/// Whether the request has the credential, if there is one.
pub(super) fn authorized<S>(visit: &Visit<'_, S>) -> bool {
    let Some(credential) = &visit.shells.credential else {
        return true;
    };
    let wanted = format!("Basic {}", STANDARD.encode(credential));
    visit.request.authorization.as_ref() == Some(&wanted)
}

/// A page.
pub(super) fn page<S>(visit: &Visit<'_, S>) -> String {
    let server = visit.server;
    let (signature, path) = (server.signature(), visit.rest);
    let credential = visit.shells.credential.as_deref().unwrap_or("");
    if server == Server::Ttyd {
        return ttyd_page(visit, credential);
    }
    if !authorized(visit) {
        let realm = "Www-Authenticate: Basic realm=\"GoTTY\"\r\n";
        let head = [PLAIN, signature, realm, NO_SNIFF];
        return closing("401 Unauthorized", &head, "Bad Request\n");
    }
    let index = "<!doctype html>\n<html><head><title>GoTTY</title></head><body></body></html>\n";
    match (path, server) {
        ("/auth_token.js", _) => {
            let body = format!("var gotty_auth_token = '{credential}';");
            closing("200 OK", &[SCRIPT, signature], &body)
        }
        ("/config.js", Server::Gotty2) => {
            closing("200 OK", &[SCRIPT, signature], "var gotty_term = 'xterm';")
        }
        ("/config.js", Server::Sorenisanerd) => {
            let body = "var gotty_term = 'xterm';\nvar gotty_ws_query_args = '';";
            closing("200 OK", &[SCRIPT, signature], body)
        }
        ("" | "/", _) | (_, Server::Gotty2 | Server::Sorenisanerd) => {
            closing("200 OK", &[HTML, signature], index)
        }
        _ => closing(
            "500 Internal Server Error",
            &[PLAIN, signature, NO_SNIFF],
            "",
        ),
    }
}

fn ttyd_page<S>(visit: &Visit<'_, S>, credential: &str) -> String {
    let signature = visit.server.signature();
    if !authorized(visit) {
        let realm = "www-authenticate: Basic realm=\"ttyd\"\r\n";
        return ttyd_answer("401 Unauthorized", &[signature, realm], "");
    }
    match visit.rest {
        "/token" => {
            let token = STANDARD.encode(credential);
            let kind = "content-type: application/json;charset=utf-8\r\n";
            let body = format!("{{\"token\": \"{token}\"}}");
            ttyd_answer("200 OK", &[signature, kind], &body)
        }
        "" | "/" => {
            let body = "<!DOCTYPE html><html lang=\"en\"><head><title>ttyd</title></head></html>";
            ttyd_answer("200 OK", &[signature, "content-type: text/html\r\n"], body)
        }
        _ => ttyd_answer(
            "404 Not Found",
            &[signature, "content-type: text/html\r\n"],
            "",
        ),
    }
}

fn answer(status: &str, head: &[&str], body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{}Content-Length: {}\r\n\r\n{body}",
        head.concat(),
        body.len()
    )
}

fn closing(status: &str, head: &[&str], body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        head.concat(),
        body.len()
    )
}

fn ttyd_answer(status: &str, head: &[&str], body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{}content-length: {}\r\n\r\n{body}",
        head.concat(),
        body.len()
    )
}
