//! Charts and alerts of `config.toml`.

use toml::Spanned;

use super::{FileAlert, FileChart, Source};
use crate::codec::alert as expression;
use crate::model::alert::{Alert, Subject};
use crate::model::metric::{Metric, Unit};
use crate::model::recipe::{Limit, Recipe, What};
use crate::model::{Fault, Level};
use crate::say;
use crate::word;

/// A chart: of a metric, or of a query of one's own.
pub(super) fn chart(source: &Source<'_>, file: FileChart) -> Result<Recipe, Fault> {
    let line = |span: &std::ops::Range<usize>| source.line(span);
    let metrics = || {
        let all: Vec<&str> = Metric::ALL.iter().map(|metric| metric.word()).collect();
        all.join(", ")
    };
    let what = match (&file.metric, &file.query) {
        (Some(metric), None) => {
            let word = metric.get_ref();
            let known = Metric::parse(word).ok_or_else(|| {
                let all = metrics();
                let why = say!("{word:?} is no metric", "没有指标 {word:?}");
                let next = say!("write one of {all}", "请写 {all} 之一");
                source.fault(line(&metric.span()), "charts.metric", why, next)
            })?;
            What::Metric(known)
        }
        (None, Some(query)) if !query.get_ref().trim().is_empty() => {
            What::Own(query.get_ref().clone())
        }
        _ => {
            let at = file.query.as_ref().map(Spanned::span);
            let at = file.metric.as_ref().map(Spanned::span).or(at);
            let why = say!(
                "a chart is of a metric or of a query",
                "图表应指定 metric 或 query 之一"
            );
            let next = say!(
                "write metric = \"cpu\", or query = \"PromQL\" with {{service_id}}, {{namespace}}, {{app}}, {{component}}, {{pod}} in it",
                "请写 metric = \"cpu\"，或 query = \"PromQL\"，其中可用 {{service_id}}、{{namespace}}、{{app}}、{{component}}、{{pod}}"
            );
            return Err(source.fault(at.map_or(1, |at| line(&at)), "charts", why, next));
        }
    };
    let own = match &what {
        What::Metric(metric) => metric.unit(),
        What::Own(_) => Unit::None,
    };
    let unit = source.read("charts.unit", file.unit, |word| {
        Unit::parse(word).ok_or_else(|| {
            (
                say!("{word:?} is no unit", "没有单位 {word:?}"),
                say!(
                    "write one of count, m, MiB, KB/s, ms, /s, %",
                    "请写 count、m、MiB、KB/s、ms、/s、% 之一"
                ),
            )
        })
    })?;
    let limit = |above: Option<f64>, level: Level| above.map(|above| Limit { above, level });
    let limits = [
        limit(file.warn, Level::Warn),
        limit(file.error, Level::Error),
    ];
    Ok(Recipe {
        title: file.title.unwrap_or_default(),
        what,
        unit: unit.map_or(own, |unit| unit.value),
        limits: limits.into_iter().flatten().collect(),
    })
}

/// An alert; of a chart only if it is among these.
pub(super) fn alert(
    source: &Source<'_>,
    file: FileAlert,
    charts: &[Recipe],
) -> Result<Alert, Fault> {
    let line = source.line(&file.when.span());
    let read = expression::parse(file.when.get_ref());
    let alert = read.map_err(|why| source.fault(line, "alerts.when", why, String::new()))?;
    if let Subject::Chart(title) = &alert.subject
        && !charts.iter().any(|chart| chart.title == *title)
    {
        let why = say!(
            "no chart has the title {title:?}",
            "没有标题为 {title:?} 的图表"
        );
        let next = word!("give it to one of [[charts]]", "请在 [[charts]] 中设置");
        return Err(source.fault(line, "alerts.when", why, next.to_owned()));
    }
    Ok(Alert {
        name: file.name.unwrap_or(alert.name),
        component: file.component,
        bell: file.bell.unwrap_or(true),
        notify: file.notify,
        ..alert
    })
}
