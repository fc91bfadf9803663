//! What a certificate says of itself, for showing; whether it is to be trusted is not decided
//! here.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::model::Micros;

/// A certificate in words. All of them are foreign.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The hosts that it is for.
    pub names: Vec<String>,
    /// From when on it is valid.
    pub from: Micros,
    /// Until when.
    pub until: Micros,
}

/// Reads one in DER; nothing if it is none.
pub fn read(der: &[u8]) -> Option<Certificate> {
    let (_, read) = X509Certificate::from_der(der).ok()?;
    let moment = |seconds: i64| Micros(seconds.saturating_mul(1_000_000));
    let names = read
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|names| names.value.general_names.iter().filter_map(name).collect())
        .unwrap_or_default();
    Some(Certificate {
        subject: read.subject().to_string(),
        issuer: read.issuer().to_string(),
        names,
        from: moment(read.validity().not_before.timestamp()),
        until: moment(read.validity().not_after.timestamp()),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let sixteen = <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from);
            four.or(sixteen).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

impl Certificate {
    /// Whole days that are left; negative after its end.
    pub fn days_left(&self, now: Micros) -> i64 {
        self.until
            .0
            .saturating_sub(now.0)
            .div_euclid(86_400_000_000)
    }
}

/// A moment in UTC, to the minute.
pub fn minute(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(
        |_| String::new(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_says_whose_it_is_and_until_when() {
        let mut params =
            rcgen::CertificateParams::new(vec!["a.example".into(), "10.0.0.1".into()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 11);
        let name = &mut params.distinguished_name;
        *name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::CommonName, "the console");
        let key = rcgen::KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap();
        let read = read(der.der()).unwrap();
        assert_eq!(read.subject, "CN=the console");
        assert_eq!(read.issuer, read.subject);
        assert_eq!(read.names, ["a.example", "10.0.0.1"]);
        assert_eq!(minute(read.from), "2020-01-01 00:00 UTC");
        assert_eq!(read.days_left(read.from), 10);
        assert_eq!(read.days_left(Micros(read.until.0 + 1)), -1);
    }

    #[test]
    fn what_is_none_is_none() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\x30\x82\xff\xff"), None);
        assert_eq!(minute(Micros(i64::MAX)), "");
    }
}
