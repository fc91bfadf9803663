//! The pages of a recorded server: as they were recorded, else what protocols.md says of it.

#![expect(clippy::unwrap_used, reason = "test helper")]

use deckwatch::demo::ShellServer as Server;

use super::recording::{Recorded, Recording, header};

/// The answer to a request that asks for no upgrade.
pub(super) fn page(recorded: &Recorded, recording: &Recording, head: &str) -> Vec<u8> {
    let path = head.split(' ').nth(1).unwrap();
    let path = path.split('?').next().unwrap();
    let authorization = header(head, "authorization").unwrap_or_default();
    let credential = recorded.credential.clone().unwrap_or_default();
    let server = match recorded.server {
        Server::Platform => "webcli",
        Server::Gotty1 => "gotty1",
        Server::Gotty2 => "gotty2",
        Server::Sorenisanerd => "gottysor",
        Server::Ttyd => "ttyd",
    };
    let right = recorded.login.as_ref().is_none_or(|(user, password)| {
        credential.is_empty() || credential == format!("{user}:{password}")
    });
    let known = |authorization: &str, path: &str| {
        let key = [server, &credential, path, authorization].map(str::to_owned);
        recording.get(&key.into()).cloned()
    };
    if !(credential.is_empty() || right && !authorization.is_empty()) {
        let ask = if server == "ttyd" {
            "/token"
        } else {
            "/auth_token.js"
        };
        return known("", ask).unwrap_or_else(|| answer("401 Unauthorized", ""));
    }
    if let Some(page) = known(&authorization, path) {
        return page;
    }
    match (recorded.server, path) {
        (Server::Ttyd, "/token") => answer("200 OK", r#"{"token": ""}"#),
        (Server::Ttyd, _) => answer("404 Not Found", "<html>404</html>"),
        (Server::Gotty1 | Server::Gotty2 | Server::Sorenisanerd, "/auth_token.js") => {
            answer("200 OK", &format!("var gotty_auth_token = '{credential}';"))
        }
        (Server::Gotty2 | Server::Sorenisanerd, "/config.js") => {
            answer("200 OK", "var gotty_term = 'xterm';")
        }
        (Server::Gotty2 | Server::Sorenisanerd, _) => answer("200 OK", "<!doctype html><html>"),
        (Server::Gotty1, _) => answer("500 Internal Server Error", ""),
        (Server::Platform, _) => answer("404 Not Found", "404 page not found"),
    }
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
