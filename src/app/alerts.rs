//! Alerts in the interface: the pane turns, the bell rings, the terminal notifies if asked.

use crate::model::alert::{Alert, Change, Subject};
use crate::model::recipe::Recipe;
use crate::model::{PaneId, words};
use crate::say;
use crate::store::timeline::TickKind;

use super::App;
use super::chart::Panel;
use super::effect::Effect;

/// The alert's number, its pane, and the chart in there.
type Key = (usize, PaneId, usize);

impl App {
    /// What a configuration says of charts and alerts. Charts that are open stay as they are.
    pub fn use_alerts(&mut self, recipes: Vec<Recipe>, alerts: Vec<Alert>) {
        if alerts != self.alerts {
            self.watches.clear();
            for pane in self.panes.values_mut() {
                pane.alarm = None;
            }
            for pane in self.charts.values_mut() {
                pane.panels.iter_mut().for_each(|panel| panel.alarm = None);
            }
        }
        self.recipes = recipes;
        self.alerts = alerts;
    }

    /// Whether some alert looks at this, whether it is seen or not.
    pub(super) fn is_watched(alerts: &[Alert], recipe: &Recipe) -> bool {
        alerts.iter().any(|alert| alert.is_about(recipe))
    }

    /// A chart has new values.
    pub(super) fn watch_panel(&mut self, pane: PaneId, index: usize) {
        let Some(charts) = self.charts.get(&pane) else {
            return;
        };
        let Some(panel) = charts.panels.get(index) else {
            return;
        };
        let component = &charts.place.component;
        let names = [component.name.as_str(), component.alias.as_str()];
        let value = latest(panel);
        let title = format!("{}: {}", component.name, panel.title());
        let mut seen = Vec::new();
        for (number, alert) in self.alerts.iter().enumerate() {
            if alert.is_about(&panel.recipe) && alert.is_for(&names) {
                seen.push(((number, pane, index), value));
            }
        }
        let unit = panel.recipe.unit;
        for (key, value) in seen {
            let shown = value.map_or_else(String::new, |value| unit.show(value));
            self.see(key, value, &title, &shown);
        }
    }

    /// A second has passed: rates of lines have changed.
    pub(super) fn watch_rates(&mut self) {
        let now = self.now.wall;
        let mut seen = Vec::new();
        for (number, alert) in self.alerts.iter().enumerate() {
            let Subject::Rate(level) = alert.subject else {
                continue;
            };
            for pane in self.panes.values() {
                let title = self.title(pane);
                if !alert.is_for(&[&title]) {
                    continue;
                }
                let rate = pane.times.recent.per_second(level, now);
                seen.push(((number, pane.id, usize::MAX), rate, title));
            }
        }
        for (key, rate, title) in seen {
            self.see(key, Some(rate), &title, &words::lines_per_second(rate));
        }
    }

    /// Whether rates are watched: then each second counts.
    pub(super) fn watches_rates(&self) -> bool {
        let rate = |alert: &Alert| matches!(alert.subject, Subject::Rate(_));
        !self.panes.is_empty() && self.alerts.iter().any(rate)
    }

    fn see(&mut self, key: Key, value: Option<f64>, title: &str, shown: &str) {
        let now = self.now.wall;
        let Some(alert) = self.alerts.get(key.0) else {
            return;
        };
        let watch = self.watches.entry(key).or_default();
        let Some(change) = watch.see(alert, value, now) else {
            return;
        };
        let name = alert.name.clone();
        let (bell, notify) = (alert.bell, alert.notify);
        let on = change == Change::On;
        self.turn_pane(key, on.then(|| name.clone()));
        if !on {
            let told = say!("{title}: {name} is over", "{title}：{name} 已恢复");
            return self.tell(&told);
        }
        let words = say!("{title}: {name} ({shown})", "{title}：{name}（{shown}）");
        self.tick(now, TickKind::Alert, words.clone());
        self.fail(&words);
        if bell {
            self.wish(Effect::Ring);
        }
        if notify {
            self.wish(Effect::Notify(words));
        }
    }

    fn turn_pane(&mut self, (_, pane, index): Key, alarm: Option<String>) {
        if let Some(pane) = self.panes.get_mut(&pane) {
            pane.alarm = alarm;
        } else if let Some(panel) = self
            .charts
            .get_mut(&pane)
            .and_then(|charts| charts.panels.get_mut(index))
        {
            panel.alarm = alarm;
        }
    }
}

/// The highest of the latest values, of those that are no older than the newest by a minute.
fn latest(panel: &Panel) -> Option<f64> {
    let last: Vec<_> = panel
        .store
        .series()
        .iter()
        .filter_map(crate::store::series::Trace::last)
        .collect();
    let newest = last.iter().map(|sample| sample.at).max()?;
    let fresh = last.iter().filter(|sample| {
        newest.0.saturating_sub(sample.at.0) <= 60_000_000 && !sample.value.is_nan()
    });
    fresh.map(|sample| sample.value).reduce(f64::max)
}
