//! The new monitor: per host arrays of one component become one list, as the platform merges
//! them (protocols.md 4.1, 9.2.12; recording `eventlog-newmonitor`).

use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use super::gojson;

/// A host that has said nothing for longer is left out when the next report comes.
const IDLE: Duration = Duration::from_secs(30);
/// Rows in a list.
const TOP: usize = 20;

/// One row: a URL or an SQL statement and what it cost.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Entry {
    #[serde(rename = "ServiceID")]
    service_id: String,
    port: String,
    host_name: String,
    message_type: String,
    key: String,
    cumulative_time: f64,
    average_time: f64,
    max_time: f64,
    count: u64,
    abnormal_count: u64,
}

/// Reads a report; `None` for what the platform ignores: not an array of such objects, empty, or
/// without component. Gives the component it is for.
pub(super) fn parse(report: &[u8]) -> Option<(String, Vec<Entry>)> {
    let entries: Vec<Entry> = serde_json::from_slice(report).ok()?;
    let service = entries.first()?.service_id.clone();
    (!service.is_empty()).then_some((service, entries))
}

/// The latest report of each host of one component.
#[derive(Debug, Default)]
pub(super) struct Board {
    hosts: Vec<(String, Instant, Vec<Entry>)>,
}

impl Board {
    /// Takes a host's report in the place of its last one; the merged list as JSON text.
    pub(super) fn report(&mut self, now: Instant, entries: Vec<Entry>) -> String {
        let host = entries
            .first()
            .map_or_else(String::new, |entry| entry.host_name.clone());
        self.hosts
            .retain(|(name, at, _)| *name == host || now.duration_since(*at) <= IDLE);
        match self.hosts.iter_mut().find(|(name, ..)| *name == host) {
            Some(slot) => *slot = (host, now, entries),
            None => self.hosts.push((host, now, entries)),
        }
        self.merged()
    }

    fn merged(&self) -> String {
        let mut rows: Vec<Entry> = Vec::new();
        for entry in self.hosts.iter().flat_map(|(_, _, entries)| entries) {
            match rows.iter_mut().find(|row| row.key == entry.key) {
                Some(row) => add(row, entry),
                None => rows.push(entry.clone()),
            }
        }
        rows.sort_by(|a, b| b.cumulative_time.total_cmp(&a.cumulative_time));
        rows.truncate(TOP);
        let mut out = String::from("[");
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            write(&mut out, row);
        }
        out.push(']');
        out
    }
}

/// Adds another host's row of the same key. Port and host stay those of the first.
fn add(row: &mut Entry, other: &Entry) {
    row.count += other.count;
    row.abnormal_count += other.abnormal_count;
    row.cumulative_time = cents(row.cumulative_time + other.cumulative_time);
    // The mean of the two means, whatever their counts.
    row.average_time = cents(f64::midpoint(row.average_time, other.average_time));
    row.max_time = row.max_time.max(other.max_time);
}

fn cents(value: f64) -> f64 {
    format!("{value:.2}").parse().unwrap_or(value)
}

fn write(out: &mut String, row: &Entry) {
    out.push('{');
    for (name, text) in [
        ("ServiceID", &row.service_id),
        ("Port", &row.port),
        ("HostName", &row.host_name),
        ("MessageType", &row.message_type),
        ("Key", &row.key),
    ] {
        member(out, name);
        gojson::string(out, text.as_bytes());
    }
    for (name, value) in [
        ("CumulativeTime", row.cumulative_time),
        ("AverageTime", row.average_time),
        ("MaxTime", row.max_time),
    ] {
        member(out, name);
        gojson::number(out, value);
    }
    for (name, value) in [("Count", row.count), ("AbnormalCount", row.abnormal_count)] {
        member(out, name);
        out.push_str(&value.to_string());
    }
    out.push('}');
}

fn member(out: &mut String, name: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Board, parse};
    use crate::clock;

    fn report(host: &str, rows: &[(&str, f64, f64, f64, u64)]) -> Vec<u8> {
        let rows: Vec<_> = rows
            .iter()
            .map(|(key, sum, mean, max, count)| {
                serde_json::json!({"ServiceID": "s", "HostName": host, "Key": key,
                    "CumulativeTime": sum, "AverageTime": mean, "MaxTime": max, "Count": count})
            })
            .collect();
        serde_json::to_vec(&rows).unwrap()
    }

    fn keys(list: &str) -> Vec<(String, f64, f64, f64, u64)> {
        let rows: Vec<serde_json::Value> = serde_json::from_str(list).unwrap();
        rows.iter()
            .map(|row| {
                let number = |name: &str| row[name].as_f64().unwrap();
                (
                    format!(
                        "{} {}",
                        row["HostName"].as_str().unwrap(),
                        row["Key"].as_str().unwrap()
                    ),
                    number("CumulativeTime"),
                    number("AverageTime"),
                    number("MaxTime"),
                    row["Count"].as_u64().unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn hosts_merge_by_key() {
        let now = clock::now();
        let mut board = Board::default();
        let mut say = |after, bytes: Vec<u8>| {
            board.report(now + Duration::from_secs(after), parse(&bytes).unwrap().1)
        };
        let one = say(
            0,
            report(
                "h1",
                &[("/a", 3.702, 1.234, 2.5, 3), ("/b", 10.0, 10.0, 10.0, 1)],
            ),
        );
        // Alone, nothing is rounded; the dearest comes first.
        assert_eq!(
            keys(&one),
            [
                ("h1 /b".into(), 10.0, 10.0, 10.0, 1),
                ("h1 /a".into(), 3.702, 1.234, 2.5, 3)
            ]
        );
        let two = say(1, report("h2", &[("/a", 10.0, 2.0, 9.9, 5)]));
        assert_eq!(
            keys(&two),
            [
                ("h1 /a".into(), 13.7, 1.62, 9.9, 8),
                ("h1 /b".into(), 10.0, 10.0, 10.0, 1)
            ]
        );
        // h1's new report takes the place of its old one.
        let again = say(2, report("h1", &[("/a", 7.0, 1.0, 1.5, 7)]));
        assert_eq!(keys(&again), [("h1 /a".into(), 17.0, 1.5, 9.9, 12)]);
        // 31 s after h1's last report and h2's report alone.
        let late = say(33, report("h2", &[("/a", 10.0, 2.0, 9.9, 5)]));
        assert_eq!(keys(&late), [("h2 /a".into(), 10.0, 2.0, 9.9, 5)]);
    }

    #[test]
    fn twenty_rows_at_most() {
        let names: Vec<String> = (0..25).map(|n| format!("/k/{n}")).collect();
        let rows: Vec<_> = names
            .iter()
            .zip(1_u32..)
            .map(|(k, n)| (k.as_str(), f64::from(n), 1.0, 1.0, 1))
            .collect();
        let list = Board::default().report(clock::now(), parse(&report("h", &rows)).unwrap().1);
        let list = keys(&list);
        assert_eq!(list.len(), 20);
        assert_eq!((list[0].1, list[19].1), (25.0, 6.0));
    }

    #[test]
    fn what_is_no_report_is_ignored() {
        for bytes in [&b"[]"[..], b"nope", br#"[{"Key":"k"}]"#, b"{}", b"[1]"] {
            assert_eq!(parse(bytes), None, "{bytes:?}");
        }
    }
}
