//! What a platform measures (protocols.md 3.5): ranges of values, and how far the server's clock
//! is from ours.

use crate::clock;
use crate::codec::prometheus;
use crate::codec::promql::Names;
use crate::codec::{http_date, rest};
use crate::model::context::{Api, Place};
use crate::model::sample::{Reading, Window};
use crate::model::{FaultKind, Micros};
use crate::say;
use crate::text::SafeText;
use crate::transport::DialError;
use crate::transport::http::Answer;

use super::ask::{self, Query};
use super::{Platform, aliases};

/// Series of one chart at most.
pub const SERIES: usize = 200;
/// A server's `Date` has whole seconds: what is less than this is no skew.
const SKEW: i64 = 1_500_000;

impl Platform {
    /// What the queries name a component by. A console does not tell the app's name in the
    /// cluster: its pods' names begin with it.
    pub async fn names(&mut self, place: &Place) -> Result<Names, DialError> {
        let detail = self.detail(place).await?.unwrap_or_default();
        let alias = &place.component.alias;
        let component = if detail.k8s.is_empty() {
            alias.clone()
        } else {
            detail.k8s
        };
        let namespace = if detail.namespace.is_empty() {
            place.team.clone()
        } else {
            detail.namespace
        };
        let pods = self.pods(place).await.unwrap_or_default();
        let mark = format!("-{component}-");
        let app = pods.iter().find_map(|pod| pod.name.split_once(&mark));
        Ok(Names {
            service_id: place.component.id.clone(),
            namespace,
            app: app.map_or_else(String::new, |(app, _)| app.to_owned()),
            component,
            pod: place.pod.clone(),
        })
    }

    /// Measures a range. The console answers 200 without a result to whatever goes wrong behind
    /// it (protocols.md 7.10): [`crate::model::sample::Measured::blank`].
    pub async fn measure(
        &mut self,
        place: &Place,
        promql: &str,
        window: Window,
    ) -> Result<Reading, DialError> {
        self.measure_many(place, promql, window, SERIES).await
    }

    /// The same with so many series at most.
    pub(super) async fn measure_many(
        &mut self,
        place: &Place,
        promql: &str,
        window: Window,
        most: usize,
    ) -> Result<Reading, DialError> {
        let (team, alias) = aliases(place);
        let query = match self.context.api {
            Api::Console => Query::of(&[
                "console",
                "teams",
                team,
                "apps",
                alias,
                "monitor",
                "query_range",
            ])
            .within(team, &place.region)
            // Our queries name all that they mean themselves.
            .with("disable_auto_label", "true"),
            Api::Region | Api::Bare => Query::of(&["api", "v1", "query_range"]),
        };
        let step = window.step.as_secs().max(1);
        let query = query
            .with("query", promql)
            .with("start", seconds(window.from))
            .with("end", seconds(window.to))
            .with("step", step.to_string());
        let what = promql.to_owned();
        let before = clock::wall();
        self.ask_for(query, |_, answer| {
            let read = prometheus::decode(&answer.body, most);
            let measured = match read {
                Ok(measured) if answer.status.is_success() && !says_no(answer) => measured,
                Err(refusal) if !refusal.kind.is_empty() => return Err(unfit(&what, &refusal)),
                _ => {
                    // A login is wanted, or it is no such server: said as everywhere.
                    return match ask::read(&what, answer) {
                        Err(error) => Err(error),
                        Ok(_) => Err(no_prometheus(&what)),
                    };
                }
            };
            let skew = skew(answer, before, clock::wall());
            Ok(Reading { measured, skew })
        })
        .await
    }
}

/// The console's envelope may hold a refusal in a good status.
fn says_no(answer: &Answer) -> bool {
    let head = answer.body.get(..answer.body.len().min(64)).unwrap_or(&[]);
    // An answer with data need not be read twice.
    !head.starts_with(b"{\"status\":\"success\"")
        && answer.body.len() < 4096
        && matches!(
            rest::envelope(answer.status.as_u16(), &answer.body),
            Some(Err(_))
        )
}

fn unfit(promql: &str, refusal: &prometheus::Refusal) -> DialError {
    let said = &refusal.words;
    let why = say!("the query is refused: {said}", "查询被拒绝：{said}");
    let next = say!("mend the query", "请修改查询语句");
    DialError::never(FaultKind::Usage, &shown(promql), why, &next)
}

fn no_prometheus(promql: &str) -> DialError {
    let why = say!("its answer is no measurement", "它的应答不是监控数据");
    let next = say!(
        "check that the address is the console's or the region API's",
        "请确认地址是控制台或区域 API 的地址"
    );
    DialError::never(FaultKind::Protocol, &shown(promql), why, &next)
}

fn shown(promql: &str) -> String {
    let text = SafeText::of(promql).to_string();
    text.chars().take(120).collect()
}

/// How far the server's clock is ahead, by the `Date` of its answer, which is cut to seconds.
fn skew(answer: &Answer, before: Micros, after: Micros) -> i64 {
    let date = answer.headers.get(hyper::header::DATE);
    let date = date
        .and_then(|date| date.to_str().ok())
        .and_then(http_date::moment);
    let Some(date) = date else { return 0 };
    let middle = before.0 + (after.0 - before.0) / 2;
    let ahead = date.0 + 500_000 - middle;
    // A slow answer says little.
    if ahead.abs() < SKEW + (after.0 - before.0).abs() {
        return 0;
    }
    ahead
}

/// Seconds with milliseconds.
fn seconds(at: Micros) -> String {
    let millis = at.0.div_euclid(1000);
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}
