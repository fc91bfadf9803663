//! The platform's own queries (protocols.md 3.5), mended where it says so: network out has all
//! of its parentheses, and throughput is requests a second.

use std::fmt::Write as _;

use crate::model::metric::Metric;
use crate::model::recipe::What;

/// What the queries name a component by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// Its `service_id`.
    pub service_id: String,
    /// Its namespace in the cluster.
    pub namespace: String,
    /// Its app's name in the cluster; empty where it is not known.
    pub app: String,
    /// Its own name in the cluster.
    pub component: String,
    /// This pod alone.
    pub pod: Option<String>,
}

/// The query of what a chart is made from.
pub fn of(what: &What, names: &Names) -> String {
    match what {
        What::Metric(metric) => query(*metric, names),
        What::Own(template) => fill(template, names),
    }
}

/// The query of a metric.
pub fn query(metric: Metric, names: &Names) -> String {
    let id = literal(&names.service_id);
    let namespace = literal(&names.namespace);
    let container = literal(&names.component);
    let pods = match &names.pod {
        Some(pod) => format!("pod={}", literal(pod)),
        None if names.app.is_empty() => {
            let own = pattern(&names.component);
            format!("pod=~{}", literal(&format!("(.*-)?{own}-.*")))
        }
        None => {
            let begin = format!("{}-{}", pattern(&names.app), pattern(&names.component));
            format!("pod=~{}", literal(&format!(".*{begin}.*")))
        }
    };
    let of_pods = format!("{{{pods},container={container},namespace={namespace}}}");
    let of_net = format!("{{{pods},namespace={namespace}}}");
    let of_id = format!("{{service_id={id}}}");
    match metric {
        Metric::Cpu => format!(
            "sum(irate(container_cpu_usage_seconds_total{of_pods}[5m])) by (pod,namespace) * 1000"
        ),
        Metric::Memory => {
            format!("sum(container_memory_rss{of_pods}) by (pod,namespace) / 1024 / 1024")
        }
        Metric::NetIn => format!(
            "sum(rate(container_network_receive_bytes_total{of_net}[1m])) by (pod,namespace) / 1024"
        ),
        Metric::NetOut => format!(
            "sum(rate(container_network_transmit_bytes_total{of_net}[1m])) by (pod,namespace) / 1024"
        ),
        Metric::Disk => format!("app_resource_appfs{of_id}"),
        Metric::ResponseTime => {
            format!("ceil(avg(app_requesttime{{mode=\"avg\",service_id={id}}}))")
        }
        Metric::Throughput => {
            format!("sum(rate(app_request{{service_id={id},method=\"total\"}}[1m]))")
        }
        Metric::Online => format!("max(app_requestclient{of_id})"),
    }
}

/// The query of a metric for everything in a namespace at once, a series for each pod or
/// component, for the list of all components.
pub fn query_all(metric: Metric, namespace: &str) -> String {
    let namespace = literal(namespace);
    let all = format!("{{namespace={namespace},container!=\"\",container!=\"POD\"}}");
    let net = format!("{{namespace={namespace}}}");
    match metric {
        Metric::Cpu => {
            format!("sum(irate(container_cpu_usage_seconds_total{all}[5m])) by (pod) * 1000")
        }
        Metric::Memory => format!("sum(container_memory_rss{all}) by (pod) / 1024 / 1024"),
        Metric::NetIn => {
            format!("sum(rate(container_network_receive_bytes_total{net}[1m])) by (pod) / 1024")
        }
        Metric::NetOut => {
            format!("sum(rate(container_network_transmit_bytes_total{net}[1m])) by (pod) / 1024")
        }
        Metric::Disk => "sum(app_resource_appfs) by (service_id)".to_owned(),
        Metric::ResponseTime => {
            "ceil(avg(app_requesttime{mode=\"avg\"}) by (service_id))".to_owned()
        }
        Metric::Throughput => {
            "sum(rate(app_request{method=\"total\"}[1m])) by (service_id)".to_owned()
        }
        Metric::Online => "max(app_requestclient) by (service_id)".to_owned(),
    }
}

/// The same query, each point the highest of what lies between it and the one before: what is
/// shorter than a step is still seen. `fine` is the pace, in seconds, at which it is looked for.
pub fn peaks(query: &str, step: u64, fine: u64) -> String {
    format!("max_over_time(({query})[{step}s:{fine}s])")
}

/// A query that a user wrote, with the names of the component put in: `{service_id}`,
/// `{namespace}`, `{app}`, `{component}`, `{pod}`. Braces that hold anything else are the query's.
pub fn fill(template: &str, names: &Names) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    let known = [
        ("{service_id}", names.service_id.as_str()),
        ("{namespace}", &names.namespace),
        ("{app}", &names.app),
        ("{component}", &names.component),
        ("{pod}", names.pod.as_deref().unwrap_or(".*")),
    ];
    while let Some(at) = rest.find('{') {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let found = known.iter().find(|(word, _)| behind.starts_with(word));
        let (used, name) = match found {
            Some((word, name)) => (word.len(), Some(name)),
            None => (1, None),
        };
        match name {
            Some(name) => escape(name, &mut out),
            None => out.push('{'),
        }
        rest = behind.get(used..).unwrap_or("");
    }
    out.push_str(rest);
    out
}

/// A string literal.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    escape(text, &mut out);
    out.push('"');
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {
                // Writing to a string can't fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// A text that a pattern means as it stands.
fn pattern(text: &str) -> String {
    regex_syntax::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            service_id: "0123456789abcdef".to_owned(),
            namespace: "shop".to_owned(),
            app: "store".to_owned(),
            component: "gate.way".to_owned(),
            pod: None,
        }
    }

    #[test]
    fn the_platforms_own_queries_are_written_out() {
        let all: Vec<String> = Metric::ALL.map(|metric| query(metric, &names())).to_vec();
        assert_eq!(
            all,
            [
                r#"sum(irate(container_cpu_usage_seconds_total{pod=~".*store-gate\\.way.*",container="gate.way",namespace="shop"}[5m])) by (pod,namespace) * 1000"#,
                r#"sum(container_memory_rss{pod=~".*store-gate\\.way.*",container="gate.way",namespace="shop"}) by (pod,namespace) / 1024 / 1024"#,
                r#"ceil(avg(app_requesttime{mode="avg",service_id="0123456789abcdef"}))"#,
                r#"sum(rate(app_request{service_id="0123456789abcdef",method="total"}[1m]))"#,
                r#"sum(rate(container_network_receive_bytes_total{pod=~".*store-gate\\.way.*",namespace="shop"}[1m])) by (pod,namespace) / 1024"#,
                r#"sum(rate(container_network_transmit_bytes_total{pod=~".*store-gate\\.way.*",namespace="shop"}[1m])) by (pod,namespace) / 1024"#,
                r#"max(app_requestclient{service_id="0123456789abcdef"})"#,
                r#"app_resource_appfs{service_id="0123456789abcdef"}"#,
            ]
        );
        for text in &all {
            assert_eq!(text.matches('(').count(), text.matches(')').count());
        }
    }

    #[test]
    fn names_can_not_end_a_string() {
        let mut odd = names();
        odd.pod = Some("a\"} or up{x=\"\\\n\u{1}".to_owned());
        assert_eq!(
            query(Metric::Memory, &odd),
            "sum(container_memory_rss{pod=\"a\\\"} or up{x=\\\"\\\\\\n\\u0001\",container=\"gate.way\",namespace=\"shop\"}) by (pod,namespace) / 1024 / 1024"
        );
    }

    #[test]
    fn a_users_query_gets_the_names() {
        for (template, want) in [
            ("up{job=\"{namespace}\"}", "up{job=\"shop\"}"),
            ("a{b=\"{component}\"}+{c", "a{b=\"gate.way\"}+{c"),
            ("{service_id}{other}", "0123456789abcdef{other}"),
            ("x{pod=~\"{pod}\"}", "x{pod=~\".*\"}"),
            ("", ""),
        ] {
            assert_eq!(fill(template, &names()), want);
        }
        assert_eq!(peaks("a", 60, 15), "max_over_time((a)[60s:15s])");
    }
}
