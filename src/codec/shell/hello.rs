//! The first message of a client (protocols.md 6.1).

use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::codec::Packet;
use crate::text::redact::Secret;

use super::place::{Place, Pod};
use super::{Carriage, Dialect};

/// The message that opens a shell. GoTTY wants it as text, ttyd takes either; where it is not
/// known who listens, one message says what both want to hear. `size` is columns and rows.
pub fn hello(place: &Place, dialect: Option<&Dialect>, token: &Secret, size: (u16, u16)) -> Packet {
    let arguments = match place {
        Place::Platform(pod) => return Packet::text(&platform(pod).to_string()),
        Place::Pages { arguments } => arguments.as_str(),
    };
    let is_ttyd = dialect.map(|dialect| dialect.input == Carriage::Bytes);
    let mut message = Map::new();
    if is_ttyd != Some(true) {
        message.insert("Arguments".into(), arguments.into());
    }
    message.insert("AuthToken".into(), token.expose().into());
    if is_ttyd != Some(false) {
        message.insert("columns".into(), size.0.into());
        message.insert("rows".into(), size.1.into());
    }
    Packet::text(&Value::Object(message).to_string())
}

fn platform(pod: &Pod) -> Value {
    let mut message = Map::new();
    let mut put = |name: &str, value: &str| message.insert(name.into(), value.into());
    put("T_id", &pod.tenant);
    put("S_id", &pod.service);
    put("C_id", &pod.pod);
    put("containerName", &pod.container);
    put("Md5", &sum(&pod.tenant, &pod.service, &pod.pod));
    put("namespace", &pod.namespace);
    if pod.debug {
        put("mode", "debug");
    }
    Value::Object(message)
}

/// What the platform checks: an MD5 sum of three ids. It holds no secret; whoever knows the ids
/// can make it (protocols.md 6.3).
fn sum(tenant: &str, service: &str, pod: &str) -> String {
    let sum = Md5::digest(format!("{tenant}_{service}_{pod}"));
    let hex = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or('0');
    sum.iter()
        .flat_map(|byte| [hex(byte >> 4), hex(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_has_the_documented_value() {
        assert_eq!(
            sum("tenant", "service", "pod"),
            "97b13ff70a9e35034ba3c555bb46ad59"
        );
    }

    #[test]
    fn each_server_hears_what_it_wants() {
        let pages = Place::Pages {
            arguments: "?arg=a".into(),
        };
        let token = Secret::new("user:pass");
        let said = |dialect: Option<&str>| {
            let dialect = dialect.and_then(Dialect::named);
            let packet = hello(&pages, dialect, &token, (80, 24));
            String::from_utf8(packet.payload().unwrap().to_vec()).unwrap()
        };
        let gotty = r#"{"Arguments":"?arg=a","AuthToken":"user:pass"}"#;
        for name in ["gotty1", "gotty2", "gottysor"] {
            assert_eq!(said(Some(name)), gotty);
        }
        assert_eq!(
            said(Some("ttyd")),
            r#"{"AuthToken":"user:pass","columns":80,"rows":24}"#
        );
        assert_eq!(
            said(None),
            r#"{"Arguments":"?arg=a","AuthToken":"user:pass","columns":80,"rows":24}"#
        );
        let mut pod = Pod {
            tenant: "tenant".into(),
            service: "service".into(),
            pod: "pod".into(),
            container: "c".into(),
            ..Pod::default()
        };
        let first = r#"{"T_id":"tenant","S_id":"service","C_id":"pod","containerName":"c","Md5":"97b13ff70a9e35034ba3c555bb46ad59","namespace":"""#;
        assert_eq!(platform(&pod).to_string(), format!("{first}}}"));
        pod.debug = true;
        assert_eq!(
            platform(&pod).to_string(),
            format!(r#"{first},"mode":"debug"}}"#)
        );
    }
}
