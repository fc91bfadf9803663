//! Teams, apps, components, pods and their logs: the same questions to a console and to a
//! region (protocols.md 3.2 to 3.4).

use std::collections::HashMap;

use crate::codec::rest;
use crate::model::catalog::{App, Component, ComponentDetail, EventEntry, Pod, Region, Team};
use crate::model::context::{Api, Place};
use crate::model::{FaultKind, Micros};
use crate::say;
use crate::text::redact::Secret;
use crate::transport::DialError;
use crate::transport::http::Streaming;

use super::{Platform, Query, aliases};

/// A region's page of apps or tenants.
const PAGE: &str = "1000";
/// A console's page of apps.
const APPS: usize = 100;

impl Platform {
    /// Logs in with name and password; the answer is a token (protocols.md 3.1).
    pub async fn login(&mut self, user: &str, password: &Secret) -> Result<Secret, DialError> {
        let mut query = Query::of(&["console", "users", "login"]);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("nick_name", user)
            .append_pair("password", password.expose())
            .finish();
        query.form = Some(form);
        // Nobody is to be asked who we are while we say it.
        self.looked = true;
        self.token = None;
        let payload = self.ask(query).await?;
        let Some(token) = rest::token(&payload) else {
            let what = self.context.server.to_string();
            let why = say!("it gave no token", "它没有给出令牌");
            let next = say!(
                "log in on its page once: it may want a captcha",
                "请先在网页上登录一次：它可能要求验证码"
            );
            return Err(DialError::never(FaultKind::Denied, &what, why, &next));
        };
        let token = Secret::new(token);
        self.token = Some(token.clone());
        Ok(token)
    }

    /// Tries a token: the teams that it sees.
    pub async fn try_token(&mut self, token: &Secret) -> Result<Vec<Team>, DialError> {
        self.looked = true;
        self.token = Some(token.clone());
        self.teams().await
    }

    /// The teams that we see.
    pub async fn teams(&mut self) -> Result<Vec<Team>, DialError> {
        match self.context.api {
            Api::Console => {
                let query = Query::of(&["console", "users", "details"]);
                Ok(rest::teams(&self.ask(query).await?))
            }
            Api::Region => {
                let query = Query::of(&["v2", "tenants"]).with("pageSize", PAGE);
                let mut teams = rest::tenants(&self.ask(query).await?);
                for team in &mut teams {
                    // A region is one by itself.
                    let name = self.context.region.clone().unwrap_or_default();
                    let alias = name.clone();
                    team.regions = vec![Region { name, alias }];
                }
                Ok(teams)
            }
            Api::Bare => Ok(Vec::new()),
        }
    }

    /// The apps of a team in a region, with their components, without status: cheap.
    pub async fn overview(&mut self, team: &str, region: &str) -> Result<Vec<App>, DialError> {
        match self.context.api {
            Api::Console => {
                let path = ["console", "teams", team, "overview", "groups"];
                let query = Query::of(&path).within(team, region).with("query", "");
                Ok(rest::overview(&self.ask(query).await?))
            }
            Api::Region => {
                let mut apps = self.apps(team, region).await?;
                for app in &mut apps {
                    app.components = self.components(team, region, &app.id).await?;
                }
                Ok(apps)
            }
            Api::Bare => Ok(Vec::new()),
        }
    }

    /// The apps of a team in a region, with status and usage.
    pub async fn apps(&mut self, team: &str, region: &str) -> Result<Vec<App>, DialError> {
        match self.context.api {
            Api::Console => {
                let mut all = Vec::new();
                for page in 1..=20 {
                    let path = ["console", "teams", team, "apps"];
                    let query = Query::of(&path)
                        .within(team, region)
                        .with("page", page.to_string())
                        .with("page_size", APPS.to_string());
                    let payload = self.ask(query).await?;
                    let apps = rest::apps(&payload);
                    let last = is_last(apps.len());
                    all.extend(apps);
                    if last || payload.total.is_some_and(|total| all.len() as u64 >= total) {
                        break;
                    }
                }
                Ok(all)
            }
            Api::Region => {
                let path = ["v2", "tenants", team, "apps"];
                let query = Query::of(&path).with("page", "1").with("pageSize", PAGE);
                Ok(rest::region_apps(&self.ask(query).await?))
            }
            Api::Bare => Ok(Vec::new()),
        }
    }

    /// The components of an app, with status.
    pub async fn components(
        &mut self,
        team: &str,
        region: &str,
        app: &str,
    ) -> Result<Vec<Component>, DialError> {
        match self.context.api {
            Api::Console => {
                let path = ["console", "teams", team, "service", "group"];
                let query = Query::of(&path)
                    .within(team, region)
                    .with("group_id", app)
                    .with("page", "1")
                    .with("page_size", "-1");
                Ok(rest::components(&self.ask(query).await?))
            }
            Api::Region => {
                let path = ["v2", "tenants", team, "apps", app, "services"];
                let query = Query::of(&path).with("page", "1").with("pageSize", PAGE);
                let mut components: Vec<Component> = rest::region_services(&self.ask(query).await?)
                    .into_iter()
                    .map(|detail| detail.component)
                    .collect();
                self.add_statuses(team, &mut components).await?;
                Ok(components)
            }
            Api::Bare => Ok(Vec::new()),
        }
    }

    async fn add_statuses(
        &mut self,
        team: &str,
        components: &mut [Component],
    ) -> Result<(), DialError> {
        let ids: Vec<&str> = components.iter().map(|one| one.id.as_str()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let mut query = Query::of(&["v2", "tenants", team, "services_status"]);
        let body = serde_json::json!({ "service_ids": ids });
        query.json = Some(body.to_string().into_bytes());
        let statuses = rest::region_statuses(&self.ask(query).await?);
        put_statuses(components, &statuses);
        Ok(())
    }

    /// One component, whole; none where the API does not tell.
    pub async fn detail(&mut self, place: &Place) -> Result<Option<ComponentDetail>, DialError> {
        let (team, alias) = aliases(place);
        let query = match self.context.api {
            Api::Console => Query::of(&["console", "teams", team, "apps", alias, "detail"])
                .within(team, &place.region),
            Api::Region => Query::of(&["v2", "tenants", team, "services", alias]),
            Api::Bare => return Ok(None),
        };
        Ok(rest::detail(&self.ask(query).await?))
    }

    /// Everything that is told of a component, or of its pod: a line for each member.
    pub async fn facts(&mut self, place: &Place) -> Result<Vec<String>, DialError> {
        let (team, alias) = aliases(place);
        let mut path = match self.context.api {
            Api::Console => vec!["console", "teams", team, "apps", alias],
            Api::Region => vec!["v2", "tenants", team, "services", alias],
            Api::Bare => return Ok(Vec::new()),
        };
        match (&place.pod, self.context.api) {
            (Some(pod), _) => path.extend(["pods", pod, "detail"]),
            (None, Api::Console) => path.push("detail"),
            (None, Api::Region | Api::Bare) => {}
        }
        let mut query = Query::of(&path);
        if self.context.api == Api::Console {
            query = query.within(team, &place.region);
        }
        Ok(rest::facts(&self.ask(query).await?))
    }

    /// The pods of a component.
    pub async fn pods(&mut self, place: &Place) -> Result<Vec<Pod>, DialError> {
        let (team, alias) = aliases(place);
        let query = match self.context.api {
            Api::Console => Query::of(&["console", "teams", team, "apps", alias, "pods"])
                .within(team, &place.region),
            Api::Region => Query::of(&["v2", "tenants", team, "services", alias, "pods"]),
            Api::Bare => return Ok(Vec::new()),
        };
        Ok(rest::pods(&self.ask(query).await?))
    }

    /// The live log of a pod, its last `lines` first (protocols.md 3.2).
    pub async fn pod_log(
        &mut self,
        place: &Place,
        pod: &str,
        lines: usize,
    ) -> Result<Streaming, DialError> {
        let (team, alias) = aliases(place);
        let mut path = match self.context.api {
            Api::Console => vec!["console", "sse"],
            Api::Region | Api::Bare => Vec::new(),
        };
        path.extend([
            "v2", "tenants", team, "services", alias, "pods", pod, "logs",
        ]);
        let mut query = Query::of(&path);
        if self.context.api == Api::Console {
            query = query.within(team, &place.region);
        }
        query = query.with("lines", lines.to_string());
        if let Some(container) = &place.container {
            query = query.with("container", container.as_str());
        }
        self.open_stream(&query).await
    }

    /// The last lines that the event log keeps of a component, `cid:line` each.
    pub async fn stored_log(
        &mut self,
        place: &Place,
        lines: usize,
    ) -> Result<Vec<String>, DialError> {
        let (team, alias) = aliases(place);
        let query = match self.context.api {
            Api::Console => Query::of(&["console", "teams", team, "apps", alias, "log"])
                .within(team, &place.region)
                .with("action", "service")
                .with("lines", lines.to_string()),
            Api::Region | Api::Bare => {
                Query::of(&["v2", "tenants", team, "services", alias, "logs"])
                    .with("rows", lines.to_string())
            }
        };
        Ok(rest::log_lines(&self.ask(query).await?))
    }

    /// The last events of a component, newest first.
    pub async fn events(
        &mut self,
        place: &Place,
        size: usize,
    ) -> Result<Vec<EventEntry>, DialError> {
        let (team, alias) = aliases(place);
        let query = match self.context.api {
            Api::Console => Query::of(&["console", "teams", team, "events"])
                .within(team, &place.region)
                .with("target", "service")
                .with("targetAlias", alias)
                .with("page", "1")
                .with("page_size", size.to_string()),
            Api::Region | Api::Bare => Query::of(&["v2", "events"])
                .with("target", "service")
                .with("target-id", place.component.id.as_str())
                .with("page", "1")
                .with("size", size.to_string()),
        };
        Ok(rest::events(&self.ask(query).await?))
    }

    /// The steps of an event as they come, its history first (protocols.md 3.3).
    pub async fn event_stream(
        &mut self,
        place: &Place,
        event: &str,
    ) -> Result<Streaming, DialError> {
        let mut path = match self.context.api {
            Api::Console => vec!["console", "sse"],
            Api::Region | Api::Bare => Vec::new(),
        };
        path.extend(["v2", "events", event, "stream"]);
        let mut query = Query::of(&path);
        if self.context.api == Api::Console {
            query = query.within(&place.team, &place.region);
        }
        self.open_stream(&query).await
    }

    /// The stored log of an event: time and message.
    pub async fn event_log(
        &mut self,
        place: &Place,
        event: &str,
    ) -> Result<Vec<(Option<Micros>, String)>, DialError> {
        let team = place.team.as_str();
        let query = match self.context.api {
            Api::Console => Query::of(&["console", "teams", team, "events", event, "log"])
                .within(team, &place.region),
            Api::Region | Api::Bare => Query::of(&["v2", "events", event, "log"]),
        };
        Ok(rest::event_log(&self.ask(query).await?))
    }
}

/// Statuses, by id, into components.
fn put_statuses(components: &mut [Component], statuses: &[(String, String)]) {
    let statuses: HashMap<&str, &str> =
        statuses.iter().map(|(id, word)| (&**id, &**word)).collect();
    for component in components {
        if let Some(status) = statuses.get(&*component.id) {
            (*status).clone_into(&mut component.status);
        }
    }
}

/// Whether a page of so many apps is the last one: a server that gives more than it is asked for
/// does not give them by pages.
fn is_last(apps: usize) -> bool {
    apps != APPS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_a_long_list_find_their_components() {
        let id = |at: usize| format!("a component of a large platform {at}");
        let component = |at: usize| Component {
            id: id(at),
            ..Component::default()
        };
        let mut components: Vec<Component> = (0..50_000).map(component).collect();
        let statuses = (1..50_000).rev().map(|at| (id(at), format!("s{at}")));
        let statuses: Vec<_> = statuses.collect();
        put_statuses(&mut components, &statuses);
        for (at, component) in components.iter().enumerate() {
            let want = if at > 0 {
                format!("s{at}")
            } else {
                String::new()
            };
            assert_eq!(component.status, want);
        }
    }

    #[test]
    fn a_page_that_is_longer_than_was_asked_for_is_the_last_one() {
        let last: Vec<bool> = [0, 99, 100, 101, 300_000].map(is_last).to_vec();
        assert_eq!(last, [true, true, false, true, true]);
    }
}
