//! Answers: whole ones as bytes, in the two tongues of the platform, and streams by name.

use serde_json::{Value, json};

use crate::demo::sse::Stream;
use crate::demo::{gojson, http};

/// What a request gets.
#[derive(Debug)]
pub(crate) enum Reply {
    Page(Page),
    Stream(Box<Stream>),
}

impl From<Page> for Reply {
    fn from(page: Page) -> Self {
        Self::Page(page)
    }
}

/// A whole answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    kind: &'static str,
    /// Further header lines, each with its end.
    more: String,
    body: Vec<u8>,
}

impl Page {
    pub(super) fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            kind,
            more: String::new(),
            body: body.into(),
        }
    }

    /// Plain text.
    pub(super) fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    /// Go's page for what it does not have.
    pub(super) fn not_found() -> Self {
        Self::text(404, "404 page not found\n")
    }

    /// JSON as the console writes it: no spaces, nothing escaped that need not be.
    pub(super) fn django(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// The console's envelope around a bean and a list (protocols.md 3.1).
    pub(super) fn envelope(msg: &str, show: &str, bean: Value, list: Value) -> Self {
        Self::extended(msg, show, (bean, list), &[])
    }

    /// The same with further members of `data`.
    pub(super) fn extended(
        msg: &str,
        show: &str,
        (bean, list): (Value, Value),
        more: &[(&str, Value)],
    ) -> Self {
        // An empty dict shows as an empty list (protocols.md 7.11).
        let list = match list {
            Value::Object(members) if members.is_empty() => json!([]),
            other => other,
        };
        let mut data = json!({"bean": bean, "list": list});
        if let Some(members) = data.as_object_mut() {
            let more = more
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            members.extend(more);
        }
        let body = json!({"code": 200, "msg": msg, "msg_show": show, "data": data});
        Self::django(200, &body)
    }

    /// An object of the console's.
    pub(super) fn bean(bean: Value) -> Self {
        Self::envelope("success", "查询成功", bean, json!([]))
    }

    /// The same of a text that is put there as it is.
    pub(super) fn raw_bean(text: &str) -> Self {
        let head =
            "{\"code\":200,\"msg\":\"success\",\"msg_show\":\"查询成功\",\"data\":{\"bean\":";
        let body = format!("{head}{text},\"list\":[]}}}}");
        Self::new(200, "application/json", body)
    }

    /// A list of the console's.
    pub(super) fn list(list: Value) -> Self {
        Self::envelope("success", "查询成功", json!({}), list)
    }

    /// The console says no: HTTP's status, its own code, its words.
    pub(super) fn fault(status: u16, code: u32, msg: &str, show: &str) -> Self {
        let data = json!({"bean": {}, "list": []});
        let body = json!({"code": code, "msg": msg, "msg_show": show, "data": data});
        Self::django(status, &body)
    }

    /// JSON as Go writes it, with the encoder's newline.
    pub(super) fn go(status: u16, body: &Value) -> Self {
        let mut text = String::new();
        gojson::value(&mut text, body);
        text.push('\n');
        Self::new(status, "application/json; charset=utf-8", text)
    }

    /// The region says no (protocols.md 3.1).
    pub(super) fn region_fault(status: u16, msg: &str) -> Self {
        Self::go(status, &json!({"msg": msg}))
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.more.push_str(name);
        self.more.push_str(": ");
        self.more.push_str(value);
        self.more.push_str("\r\n");
        self
    }

    /// The bytes on the wire.
    pub(super) fn bytes(&self, keep_alive: bool) -> Vec<u8> {
        let end = if keep_alive {
            ""
        } else {
            "Connection: close\r\n"
        };
        let head = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}{end}\r\n",
            self.status,
            http::reason(self.status),
            self.kind,
            self.body.len(),
            self.more,
        );
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
