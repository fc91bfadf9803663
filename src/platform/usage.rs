//! What all components use, from a few queries for each namespace, whatever their number.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::codec::promql;
use crate::model::catalog::Team;
use crate::model::context::{Context, Place};
use crate::model::metric::Metric;
use crate::model::sample::{Measured, Sample, Window};
use crate::model::usage::{Cell, METRICS, Usage};
use crate::model::{FaultKind, Micros};
use crate::say;
use crate::transport::DialError;

use super::Platform;

/// Whether a team, an app of it or a component of that is wanted, by all of its names: the
/// team's, the app's, the component's.
pub type Wanted<'a> = &'a (dyn Fn(&[&[&str]]) -> bool + Sync);

/// Series of one answer at most: one for each pod of a namespace.
const SERIES: usize = 20_000;
/// Components whose names in the cluster are asked for, one by one, in one round.
const DETAILS: usize = 32;

/// Components that are told of at once.
const MOST: usize = 50_000;
/// Bytes of a pod's name: more than a cluster takes.
const LONGEST: usize = 256;
/// Dashes of a pod's name that are looked at; real ones have some ten.
const DASHES: usize = 32;
/// So many names are kept of components, whether or not they are there any more.
const NAMES: usize = 10_000;

/// Reads usages again and again; what it has learnt of names stays.
#[derive(Debug)]
pub struct UsageReader {
    platform: Platform,
    /// Names in the cluster, by `service_id`; empty where there is none.
    k8s: HashMap<String, String>,
}

/// Components of one team in one region.
#[derive(Debug)]
struct Group {
    namespace: String,
    places: Vec<Place>,
}

impl UsageReader {
    /// A reader that asks this platform.
    pub fn new(platform: Platform) -> Self {
        Self {
            platform,
            k8s: HashMap::new(),
        }
    }

    /// The platform, for other questions to it.
    pub fn platform(&mut self) -> &mut Platform {
        &mut self.platform
    }

    /// What the components use that are wanted. `all` is whether teams count that are not the
    /// context's own.
    pub async fn read(
        &mut self,
        all: bool,
        wanted: Wanted<'_>,
        window: Window,
    ) -> Result<Vec<Usage>, DialError> {
        let mut usages = Vec::new();
        let groups = self.groups(all, wanted).await?;
        forget(&mut self.k8s, groups.iter().flat_map(|group| &group.places));
        for group in groups {
            usages.extend(self.group(group, window).await?);
        }
        Ok(usages)
    }

    async fn groups(&mut self, all: bool, wanted: Wanted<'_>) -> Result<Vec<Group>, DialError> {
        let context = Arc::clone(self.platform.context());
        let mut groups = Vec::new();
        let mut count = 0;
        for team in self.platform.teams().await? {
            let own = context.team.as_deref();
            let mine = all || own.is_none_or(|own| own == team.name || own == team.alias);
            if !mine || !wanted(&[&[&team.name, &team.alias, &team.id]]) {
                continue;
            }
            for region in &team.regions {
                let own = context.region.as_deref();
                if own.is_some_and(|own| own != region.name) {
                    continue;
                }
                let places = self.places(&team, &region.name, wanted).await?;
                count += places.len();
                bounded(&context, count)?;
                let namespace = if team.namespace.is_empty() {
                    team.name.clone()
                } else {
                    team.namespace.clone()
                };
                groups.push(Group { namespace, places });
            }
        }
        Ok(groups)
    }

    async fn places(
        &mut self,
        team: &Team,
        region: &str,
        wanted: Wanted<'_>,
    ) -> Result<Vec<Place>, DialError> {
        let context = Arc::clone(self.platform.context());
        let of_team: &[&str] = &[&team.name, &team.alias, &team.id];
        let mut places = Vec::new();
        for app in self.platform.overview(&team.name, region).await? {
            let of_app: &[&str] = &[&app.name, &app.k8s, &app.id];
            if !wanted(&[of_team, of_app]) {
                continue;
            }
            for component in app.components {
                let own: &[&str] = &[&component.name, &component.alias, &component.id];
                if wanted(&[of_team, of_app, own]) {
                    let names = (&*team.name, region, &*app.name);
                    places.push(Place::of(&context, names, component));
                }
            }
        }
        Ok(places)
    }

    async fn group(&mut self, group: Group, window: Window) -> Result<Vec<Usage>, DialError> {
        // Queries go by way of one component; all of them mean the whole namespace.
        let Some(first) = group.places.first().cloned() else {
            return Ok(Vec::new());
        };
        let mut answers: Vec<(Metric, Measured)> = Vec::new();
        for metric in METRICS {
            let query = promql::query_all(metric, &group.namespace);
            let reading = self
                .platform
                .measure_many(&first, &query, window, SERIES)
                .await?;
            answers.push((metric, reading.measured));
        }
        self.learn(&group.places, &answers).await;
        let names = |place: &Place| self.k8s.get(&place.component.id).map(String::as_str);
        Ok(join(&group.places, names, &answers, window))
    }

    /// The names of those that no pod's name tells: asked for once.
    async fn learn(&mut self, places: &[Place], answers: &[(Metric, Measured)]) {
        let series = answers.iter().flat_map(|(_, measured)| &measured.series);
        let told = told(places, series.filter_map(|series| series.labels.get("pod")));
        let mut left = DETAILS;
        for place in places {
            let (id, alias) = (&place.component.id, &place.component.alias);
            if left == 0 || self.k8s.contains_key(id) {
                continue;
            }
            let mark = mark(alias);
            if mark.is_some_and(|mark| told.contains(&*mark)) {
                continue;
            }
            left -= 1;
            // Whose name can't be had has no values; the others do.
            let detail = self.platform.detail(place).await.unwrap_or_default();
            let k8s = detail.map_or_else(String::new, |detail| detail.k8s);
            self.k8s.insert(id.clone(), k8s);
        }
    }
}

/// What a pod's name has in it that is of a component of this name: `APP-COMPONENT-…`.
fn mark(component: &str) -> Option<String> {
    (!component.is_empty()).then(|| format!("-{component}-"))
}

/// Whether so many components are told of; more are not kept.
fn bounded(context: &Context, count: usize) -> Result<(), DialError> {
    if count <= MOST {
        return Ok(());
    }
    let why = say!(
        "it has more than {MOST} components, which are not told of at once",
        "它的组件超过 {MOST} 个，无法一次列出"
    );
    let next = say!("name a team or an app", "请指定团队或应用");
    Err(DialError::never(
        FaultKind::Usage,
        &context.name,
        why,
        &next,
    ))
}

/// Forgets names of components that are gone, once there are very many.
fn forget<'a>(known: &mut HashMap<String, String>, current: impl Iterator<Item = &'a Place>) {
    if known.len() > NAMES {
        let current: HashSet<&str> = current.map(|place| place.component.id.as_str()).collect();
        known.retain(|id, _| current.contains(&**id));
    }
}

/// The marks of components in names of pods; `k8s` knows names in the cluster. Of those with the
/// same one the first has it.
fn marks<'a>(
    places: &'a [Place],
    k8s: impl Fn(&'a Place) -> Option<&'a str>,
) -> HashMap<String, usize> {
    let mut marks = HashMap::new();
    for (at, place) in places.iter().enumerate() {
        let names = [Some(&*place.component.alias), k8s(place)];
        for mark in names.into_iter().flatten().filter_map(mark) {
            marks.entry(mark).or_insert(at);
        }
    }
    marks
}

/// What in a pod's name may be a mark: each piece from a dash to another one. Names that no
/// cluster has are left alone.
fn pieces(pod: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    if pod.len() > LONGEST {
        return pieces;
    }
    let dashes = pod.match_indices('-').map(|(at, _)| at).take(DASHES);
    let dashes: Vec<usize> = dashes.collect();
    for (at, from) in dashes.iter().enumerate() {
        let ends = dashes.iter().skip(at + 1);
        pieces.extend(ends.filter_map(|to| pod.get(*from..=*to)));
    }
    pieces
}

/// The component of a pod: the one of the longest mark that is in its name.
fn of_pod(marks: &HashMap<String, usize>, pod: &str) -> Option<usize> {
    let pieces = pieces(pod).into_iter();
    let found = pieces.filter_map(|piece| Some((piece.len(), Reverse(*marks.get(piece)?))));
    found.max().map(|(_, Reverse(at))| at)
}

/// The marks of components that pods have in their names.
fn told<'a>(places: &[Place], pods: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    let marks = marks(places, |_| None);
    let pieces = pods.flat_map(pieces);
    pieces.filter(|piece| marks.contains_key(*piece)).collect()
}

/// Series to their components: those with a `service_id` by that, those of pods by the longest
/// name that is in the pod's. `k8s` knows names in the cluster.
pub fn join<'a>(
    places: &'a [Place],
    k8s: impl Fn(&'a Place) -> Option<&'a str>,
    answers: &[(Metric, Measured)],
    window: Window,
) -> Vec<Usage> {
    let by_id: HashMap<&str, usize> = places
        .iter()
        .enumerate()
        .map(|(at, place)| (place.component.id.as_str(), at))
        .collect();
    let marks = marks(places, k8s);
    let mut known: HashMap<&str, Option<usize>> = HashMap::new();
    let mut usages: Vec<Usage> = places
        .iter()
        .map(|place| Usage {
            place: place.clone(),
            pods: 0,
            cells: vec![Cell::default(); METRICS.len()],
        })
        .collect();
    for (column, (metric, measured)) in answers.iter().enumerate() {
        for series in &measured.series {
            let at = match (series.labels.get("service_id"), series.labels.get("pod")) {
                (Some(id), _) => by_id.get(id).copied(),
                (None, Some(pod)) => *known.entry(pod).or_insert_with(|| of_pod(&marks, pod)),
                (None, None) => None,
            };
            let Some(usage) = at.and_then(|at| usages.get_mut(at)) else {
                continue;
            };
            if *metric == Metric::Memory {
                usage.pods += 1;
            }
            if let Some(cell) = usage.cells.get_mut(column) {
                add(cell, &series.samples, window);
            }
        }
    }
    usages
}

/// Adds the values of one more series.
fn add(cell: &mut Cell, samples: &[Sample], window: Window) {
    let step = i64::try_from(window.step.as_micros()).unwrap_or(1).max(1);
    let count = (window.to.0.saturating_sub(window.from.0) / step).clamp(0, 1000);
    let count = usize::try_from(count).unwrap_or(0) + 1;
    cell.trend.resize(count, f64::NAN);
    for sample in samples {
        let at = sample.at.0.saturating_sub(window.from.0);
        let slot = usize::try_from((at + step / 2).div_euclid(step)).ok();
        let slot = slot.and_then(|slot| cell.trend.get_mut(slot));
        if let Some(slot) = slot.filter(|_| sample.value.is_finite()) {
            *slot = if slot.is_nan() {
                sample.value
            } else {
                *slot + sample.value
            };
        }
    }
    // Two steps old is as good as now: not everything is scraped at once.
    let recent = cell.trend.iter().rev().take(3);
    cell.now = recent.copied().find(|value| !value.is_nan());
}

/// The window of what is told: the last ten minutes, a value each half.
pub fn window(now: Micros) -> Window {
    let step = Duration::from_secs(30);
    // Fresh to five seconds, whatever the pace.
    Window::last(now, Duration::from_secs(5), 20 * step, step)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::model::catalog::Component;
    use crate::model::context::Api;
    use crate::model::sample::{Labels, Series};

    fn places(names: &[(&str, &str)]) -> Vec<Place> {
        let context = Arc::new(Context::new(
            "c",
            Url::parse("http://h/").unwrap(),
            Api::Console,
        ));
        let place = |(id, alias): &(&str, &str)| {
            let component = Component {
                id: (*id).to_owned(),
                alias: (*alias).to_owned(),
                ..Component::default()
            };
            Place::of(&context, ("t", "r", "a"), component)
        };
        names.iter().map(place).collect()
    }

    fn series(label: (&str, &str), values: &[(i64, f64)]) -> Series {
        let labels = Labels::new(vec![(label.0.to_owned(), label.1.to_owned())]);
        let samples = values.iter().map(|(at, value)| Sample {
            at: Micros(at * 1_000_000),
            value: *value,
        });
        Series {
            labels,
            samples: samples.collect(),
        }
    }

    #[test]
    fn more_components_than_are_told_of_are_refused_with_a_way_out() {
        let context = Arc::clone(&places(&[("1", "a")])[0].context);
        assert!(bounded(&context, MOST).is_ok());
        let error = bounded(&context, MOST + 1).unwrap_err();
        assert!(!error.retry && error.fault.what == "c");
        assert!(!error.fault.next.is_empty(), "{}", error.fault);
    }

    #[test]
    fn a_pod_is_of_the_longest_name_in_it_and_of_the_first_of_equal_ones() {
        for (names, pod, want) in [
            (
                &["pay", "pay-gateway", "gateway"][..],
                "shop-pay-gateway-1",
                Some(1),
            ),
            (&["pay", "shop"], "x-shop-pay-1", Some(1)),
            (&["b-c", "a-b"], "x-a-b-c-1", Some(0)),
            (&["a-b", "a-b"], "x-a-b-1", Some(0)),
            (&["-a"], "x--a-1", Some(0)),
            (&["pay"], "pay-1", None),
            (&["pay"], "shop-pay", None),
            (&[""], "a--b", None),
        ] {
            let named: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
            let places = places(&named);
            let marks = marks(&places, |_| None);
            assert_eq!(of_pod(&marks, pod), want, "{names:?} {pod}");
        }
    }

    #[test]
    fn very_many_components_and_pods_find_each_other() {
        let names: Vec<String> = (0..20_000).map(|at| format!("c{at}x")).collect();
        let named: Vec<(&str, &str)> = names.iter().map(|name| (&**name, &**name)).collect();
        let places = places(&named);
        let window = window(Micros(1_000_000_000));
        let end = window.to.0 / 1_000_000;
        let pods = (0..SERIES).map(|at| format!("app-c{at}x-{}-1", "y-".repeat(9)));
        let pods: Vec<String> = pods.collect();
        let told = told(&places, pods.iter().map(String::as_str));
        assert_eq!(told.len(), SERIES);
        let series = pods.iter().map(|pod| series(("pod", pod), &[(end, 1.0)]));
        let measured = Measured {
            series: series.collect(),
            ..Measured::default()
        };
        let usages = join(&places, |_| None, &[(Metric::Memory, measured)], window);
        assert!(usages.iter().all(|usage| usage.pods == 1));
    }

    #[test]
    fn names_of_components_that_are_gone_are_forgotten_in_time() {
        let mut known: HashMap<String, String> = HashMap::new();
        for round in 0..3 {
            let ids: Vec<String> = (0..NAMES).map(|at| format!("{round}-{at}")).collect();
            known.extend(ids.iter().map(|id| (id.clone(), String::new())));
            let current: Vec<(&str, &str)> = ids.iter().map(|id| (&**id, "")).collect();
            forget(&mut known, places(&current).iter());
            assert_eq!(known.len(), NAMES, "{round}");
        }
        forget(&mut known, [].iter());
        assert_eq!(known.len(), NAMES, "another view may want them");
    }

    #[test]
    fn series_find_their_components() {
        let places = places(&[("1", "pay"), ("2", "pay-gateway"), ("3", "gr3")]);
        let window = window(Micros(1_000_000_000));
        let end = window.to.0 / 1_000_000;
        let memory = Measured {
            series: vec![
                series(("pod", "shop-pay-7d9-x"), &[(end, 1.0)]),
                series(("pod", "shop-pay-7d9-y"), &[(end - 30, 2.0), (end, 4.0)]),
                series(("pod", "shop-pay-gateway-1"), &[(end - 60, 8.0)]),
                series(("pod", "shop-web-1"), &[(end, 16.0)]),
                series(("pod", "other-thing-1"), &[(end, 32.0)]),
            ],
            ..Measured::default()
        };
        let time = Measured {
            series: vec![
                series(("service_id", "2"), &[(end - 90, 7.0)]),
                series(
                    ("service_id", "1"),
                    &[(end, f64::INFINITY), (end - 30, 3.0)],
                ),
            ],
            ..Measured::default()
        };
        let answers = [(Metric::Memory, memory), (Metric::ResponseTime, time)];
        let k8s = |place: &Place| (place.component.id == "3").then_some("web");
        let usages = join(&places, k8s, &answers, window);
        let now: Vec<_> = usages
            .iter()
            .map(|usage| (usage.pods, usage.cells[0].now, usage.cells[1].now))
            .collect();
        assert_eq!(
            now,
            [
                // Both pods together; an infinity is no value.
                (2, Some(5.0), Some(3.0)),
                // Two steps are recent, three are not.
                (1, Some(8.0), None),
                (1, Some(16.0), None),
            ]
        );
        let trend = &usages[0].cells[0].trend;
        assert_eq!((trend.len(), trend[19], trend[20]), (21, 2.0, 5.0));
        assert!(trend[18].is_nan());
    }
}
