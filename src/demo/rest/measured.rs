//! What is measured (protocols.md 3.5): Prometheus' API on the region, the console's words for the
//! same, and the page that a Prometheus scrapes.

use super::call::Call;
use super::page::Page;
use crate::demo::metrics::{self, milliseconds};
use crate::demo::promql::{self, Fault, MatchOp, Matcher, Span};
use crate::demo::teams::{self, Place, TEAMS, places};
use crate::demo::{gojson, world};

/// One answer for a moment, or many for a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    Instant,
    Range,
}

impl Shape {
    /// By the last part of the path.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Instant),
            "query_range" => Some(Self::Range),
            _ => None,
        }
    }
}

/// When an answer is asked for, by the clock of what is measured.
enum When {
    /// At this millisecond.
    At(i64),
    Over(Span),
}

/// `GET /metrics`.
pub(super) fn scrape(call: &Call<'_>) -> Page {
    let now = call.rest.times.now();
    let read = |meter: &metrics::Meter| metrics::text(&meter.series());
    Page::new(200, metrics::KIND, call.rest.metrics.read(now, read))
}

/// `GET /api/v1/query` and `query_range`: Prometheus' own answer.
pub(super) fn of_region(call: &Call<'_>, shape: Shape) -> Page {
    if let Some(text) = &call.switches.measured {
        return Page::new(200, "application/json", text.as_str());
    }
    let (status, body) = match data(call, shape, true, None) {
        Ok(data) => (200, format!("{{\"status\":\"success\",\"data\":{data}}}")),
        Err(fault) => {
            let (status, kind) = if fault.bad {
                (400, "bad_data")
            } else {
                (422, "execution")
            };
            let mut body = String::new();
            let words = [
                ("status", "error"),
                ("errorType", kind),
                ("error", &fault.text),
            ];
            gojson::object(
                &mut body,
                &words.map(|(name, text)| (name, text.as_bytes())),
            );
            (status, body)
        }
    };
    Page::new(status, "application/json", body)
}

/// `GET …/apps/{alias}/monitor/query` and `query_range`: of the component alone, unless the query
/// names one, or the label is declined; the latter for a span only.
pub(super) fn of_part(call: &Call<'_>, place: &Place, shape: Shape) -> Page {
    let text = call.query("query").unwrap_or("");
    let declined = call
        .query("disable_auto_label")
        .is_some_and(|word| word != "false");
    let own = if text.contains("service_id") || (declined && shape == Shape::Range) {
        None
    } else {
        let id = world::service_id(call.rest.seed, place.part.alias);
        Matcher::new("service_id", MatchOp::Equal, &id).ok()
    };
    of_console(call, place.team.region, shape, own.as_ref())
}

/// `GET /console/monitor/query` and `query_range`, and the same below `open`.
pub(super) fn of_all(call: &Call<'_>, shape: Shape) -> Page {
    let asked = call.query("region_name").or(call.cookie("region_name"));
    let region = asked.unwrap_or(TEAMS.first().map_or("", |team| team.region));
    of_console(call, region, shape, None)
}

/// The console's words: whatever goes wrong is an empty bean.
fn of_console(call: &Call<'_>, region: &str, shape: Shape, own: Option<&Matcher>) -> Page {
    let known = teams::region(region).is_some() && !call.switches.dead_backend;
    let here = places().any(|one| one.team.region == region && one.part.replicas > 0);
    let bean = match &call.switches.measured {
        Some(text) if known => Some(text.clone()),
        _ if known => data(call, shape, here, own).ok(),
        _ => None,
    };
    Page::raw_bean(bean.as_deref().unwrap_or("{}"))
}

/// Prometheus' `data`. Nothing runs in some regions; there, nothing is measured.
fn data(call: &Call<'_>, shape: Shape, here: bool, own: Option<&Matcher>) -> Result<String, Fault> {
    let ahead = call.switches.clock_ahead_ms;
    let now = call.rest.times.now();
    let asked = match shape {
        Shape::Instant => When::At(match call.query("time").filter(|text| !text.is_empty()) {
            None => milliseconds(now),
            Some(text) => moment("time", text)?.saturating_sub(ahead),
        }),
        Shape::Range => When::Over(span(call, ahead)?),
    };
    let text = call.query("query").unwrap_or("");
    let mut expr = promql::parse(text).map_err(|fault| wrong("query", &fault.text))?;
    if let Some(own) = own {
        expr.narrow(own);
    }
    call.rest.metrics.read(now, |meter| {
        let series = meter.series().filter(|_| here);
        Ok(match asked {
            When::Over(span) => promql::json(&promql::range(&expr, &series, span)?, 0, ahead),
            When::At(at) => promql::json(&promql::instant(&expr, &series, at)?, at, ahead),
        })
    })
}

/// What a span's parameters say, by the clock of what is measured.
fn span(call: &Call<'_>, ahead: i64) -> Result<Span, Fault> {
    let text = |name| call.query(name).unwrap_or("");
    let start = moment("start", text("start"))?;
    let end = moment("end", text("end"))?;
    if end < start {
        return Err(wrong("end", "end timestamp must not be before start time"));
    }
    let step = text("step");
    let step = match number(step) {
        Some(length) => length,
        None => promql::duration(step).ok_or_else(|| {
            wrong(
                "step",
                &format!("cannot parse {step:?} to a valid duration"),
            )
        })?,
    };
    if step <= 0 {
        let text = "zero or negative query resolution step widths are not accepted. Try a positive integer";
        return Err(wrong("step", text));
    }
    let (start, end) = (start.saturating_sub(ahead), end.saturating_sub(ahead));
    Span { start, end, step }.checked()
}

fn wrong(name: &str, text: &str) -> Fault {
    Fault::bad(format!("invalid parameter {name:?}: {text}"))
}

/// Milliseconds of a number of seconds.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn number(text: &str) -> Option<i64> {
    let seconds: f64 = text.parse().ok()?;
    seconds
        .is_finite()
        .then_some((seconds * 1000.0).round() as i64)
}

/// A moment in seconds or in RFC 3339's words.
fn moment(name: &str, text: &str) -> Result<i64, Fault> {
    let stamp = || text.parse::<jiff::Timestamp>().ok();
    number(text)
        .or_else(|| stamp().map(jiff::Timestamp::as_millisecond))
        .ok_or_else(|| wrong(name, &format!("cannot parse {text:?} to a valid timestamp")))
}
