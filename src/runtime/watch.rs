//! Metrics that follow mode watches: measured from time to time, told when an alert begins or
//! ends.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::clock;
use crate::codec::promql;
use crate::codec::target::Target;
use crate::follow::alerts::Alarm;
use crate::model::alert::{Alert, Change, Subject, Watch};
use crate::model::context::Place;
use crate::model::metric::Unit;
use crate::model::recipe::{Recipe, What};
use crate::model::sample::{Measured, Window};
use crate::model::{Fault, FaultKind};
use crate::platform::Platform;
use crate::say;
use crate::word;

/// Metrics are measured so often.
const LOOK: Duration = Duration::from_secs(15);
/// How much is measured, and how finely.
const MINUTE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_secs(5);
/// After a failure, so many times as long.
const PATIENCE: u32 = 4;
/// Alarms that wait to be printed.
const WAITING: usize = 64;

/// Watches the metrics of the components among `targets`; what is to be told comes out here. The
/// end of it all is the end of the run.
pub(super) fn metrics(
    targets: &[Target],
    alerts: &[Alert],
    recipes: &[Recipe],
) -> mpsc::Receiver<Alarm> {
    let (sender, receiver) = mpsc::channel(WAITING);
    for target in targets {
        let Some(place) = target.place() else {
            continue;
        };
        let names = [&*place.component.name, &place.component.alias];
        let mine: Vec<(Alert, What, Unit)> = alerts
            .iter()
            .filter(|alert| alert.is_for(&names))
            .filter_map(|alert| {
                let recipe = of(alert, recipes)?;
                Some((alert.clone(), recipe.what.clone(), recipe.unit))
            })
            .collect();
        if !mine.is_empty() {
            let work = watch(target.text.clone(), place.clone(), mine, sender.clone());
            tokio::spawn(work);
        }
    }
    receiver
}

/// Whether all of these alerts can ever be told, here.
pub(super) fn check(targets: &[Target], alerts: &[Alert], recipes: &[Recipe]) -> Result<(), Fault> {
    let measured = targets.iter().any(|target| target.place().is_some());
    for alert in alerts {
        let (why, next) = match &alert.subject {
            Subject::Rate(_) => continue,
            Subject::Chart(title) if of(alert, recipes).is_none() => (
                say!(
                    "no chart has the title {title:?}",
                    "没有标题为 {title:?} 的图表"
                ),
                word!(
                    "give it to one of [[charts]] in config.toml",
                    "请在 config.toml 的 [[charts]] 中设置"
                ),
            ),
            Subject::Metric(_) | Subject::Chart(_) if measured => continue,
            Subject::Metric(_) | Subject::Chart(_) => (
                say!(
                    "no target is a component of a platform that measures it",
                    "没有目标是平台上的组件，无法测量"
                ),
                word!(
                    "name one as TEAM/APP/COMPONENT, or watch rate(LEVEL)",
                    "请写 团队/应用/组件，或监视 rate(级别)"
                ),
            ),
        };
        let what = format!("--alert {}", alert.name);
        return Err(Fault::new(FaultKind::Usage, what, why, next));
    }
    Ok(())
}

/// What an alert is measured by.
fn of<'a>(alert: &Alert, recipes: &'a [Recipe]) -> Option<&'a Recipe> {
    recipes.iter().find(|recipe| alert.is_about(recipe))
}

async fn watch(
    target: String,
    place: Place,
    mine: Vec<(Alert, What, Unit)>,
    sender: mpsc::Sender<Alarm>,
) {
    let mut platform = Platform::new(&place.context);
    let mut watches = vec![Watch::default(); mine.len()];
    let mut names = None;
    loop {
        if names.is_none() {
            names = platform.names(&place).await.ok();
        }
        let mut pause = LOOK;
        for ((alert, what, unit), watch) in mine.iter().zip(&mut watches) {
            let Some(names) = &names else {
                pause = LOOK * PATIENCE;
                break;
            };
            let query = promql::of(what, names);
            let now = clock::wall();
            let window = Window::last(now, STEP, MINUTE, STEP);
            let reading = platform.measure(&place, &query, window).await;
            let Ok(reading) = reading else {
                pause = LOOK * PATIENCE;
                break;
            };
            let value = latest(&reading.measured);
            let Some(change) = watch.see(alert, value, now) else {
                continue;
            };
            let alarm = Alarm {
                target: target.clone(),
                name: alert.name.clone(),
                on: change == Change::On,
                shown: value.map_or_else(String::new, |value| unit.show(value)),
            };
            if sender.send(alarm).await.is_err() {
                return;
            }
        }
        sleep(pause).await;
    }
}

/// The highest of the series' latest values.
fn latest(measured: &Measured) -> Option<f64> {
    let last = measured
        .series
        .iter()
        .filter_map(|series| series.samples.last());
    let values = last.map(|sample| sample.value);
    values.filter(|value| !value.is_nan()).reduce(f64::max)
}
