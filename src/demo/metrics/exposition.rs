//! The newest values as text, which a Prometheus can scrape (text exposition format 0.0.4).

use std::fmt::Write as _;

use crate::demo::series::{NAME, Series};

/// The text's type.
pub(crate) const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric: its name, its kind, and what it is.
const METRICS: [(&str, &str, &str); 11] = [
    (
        "app_client_request",
        "counter",
        "Requests to a component by client.",
    ),
    (
        "app_client_requesttime",
        "gauge",
        "Mean response time of a component by client in milliseconds.",
    ),
    ("app_request", "counter", "Requests to a component."),
    (
        "app_requestclient",
        "gauge",
        "Different clients of a component in 5 minutes.",
    ),
    (
        "app_requesttime",
        "gauge",
        "Response time of a component in milliseconds.",
    ),
    (
        "app_resource_appfs",
        "gauge",
        "Disk that a component uses in bytes.",
    ),
    (
        "app_resource_appmemory",
        "gauge",
        "Memory that a component may use in MB.",
    ),
    (
        "container_cpu_usage_seconds_total",
        "counter",
        "Cumulative cpu time consumed in seconds.",
    ),
    ("container_memory_rss", "gauge", "Size of RSS in bytes."),
    (
        "container_network_receive_bytes_total",
        "counter",
        "Cumulative count of bytes received.",
    ),
    (
        "container_network_transmit_bytes_total",
        "counter",
        "Cumulative count of bytes transmitted.",
    ),
];

/// The newest value of every series that has not ended.
pub(crate) fn text<'a>(series: &(impl Iterator<Item = &'a Series> + Clone)) -> String {
    let mut out = String::new();
    for (name, kind, help) in METRICS {
        let mut rows = series.clone().filter(|one| one.name() == name).peekable();
        if rows.peek().is_none() {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for one in rows {
            let Some(value) = one.value() else { continue };
            let labels = one.labels.iter().filter(|(label, _)| *label != NAME);
            let labels: Vec<String> = labels
                .map(|(label, value)| format!("{label}=\"{}\"", escaped(value)))
                .collect();
            let _ = writeln!(out, "{name}{{{}}} {value}", labels.join(","));
        }
    }
    out
}

fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\");
    value.replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::demo::series::Series;

    #[test]
    fn the_newest_values_with_their_kinds() {
        let mut one = Series::new("app_request", &[("service_id", "a\"\\\n")]);
        one.push(1, Some(2.0));
        one.push(2, Some(3.5));
        let mut gone = Series::new("app_request", &[("service_id", "b")]);
        gone.push(1, None);
        assert_eq!(
            text(&[one, gone].iter()),
            "# HELP app_request Requests to a component.\n# TYPE app_request counter\n\
             app_request{service_id=\"a\\\"\\\\\\n\"} 3.5\n"
        );
    }
}
