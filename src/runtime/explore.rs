//! Questions of the tree to its platforms: a task for each context, and another one for what all
//! use, so that a slow one keeps no other waiting.

use std::collections::HashMap;

use tokio::sync::{mpsc, watch};

use crate::app::msg::Msg;
use crate::app::session::Saved;
use crate::app::ticks::EVENTS;
use crate::app::tree::{Answer, Question};
use crate::clock;
use crate::codec::name::Scope;
use crate::codec::target::Target;
use crate::doctor::{self, Check, Subject, report};
use crate::model::catalog::{App, Component};
use crate::model::context::Place;
use crate::model::usage::Usage;
use crate::model::{Fault, FaultKind, PaneId, TargetId};
use crate::platform::usage::{UsageReader, window};
use crate::platform::{Platform, shell};
use crate::say;

use super::reload;
use super::sessions;
use super::setup::{For, Setup};

/// Questions that wait for one platform; more are told to be lost, and come again.
const WAITING: usize = 256;

/// Asks platforms.
pub(super) struct Explorer {
    /// Read anew when a file of it changes.
    setup: Option<watch::Receiver<Setup>>,
    asked: HashMap<String, mpsc::Sender<Question>>,
    answers: mpsc::Sender<Msg>,
}

impl Explorer {
    pub(super) fn new(setup: Option<Setup>, answers: mpsc::Sender<Msg>) -> Self {
        let setup = setup.map(|setup| {
            let (sender, receiver) = watch::channel(setup);
            if !sender.borrow().fixed {
                tokio::spawn(reload::watch(sender, answers.clone()));
            }
            receiver
        });
        Self {
            setup,
            asked: HashMap::new(),
            answers,
        }
    }

    /// Asks; what can't be asked now is answered at once.
    pub(super) fn ask(&mut self, question: Question) -> Option<Msg> {
        let context = question.context();
        // What all use is asked for again and again, and takes its time: its own connection keeps
        // the tree from waiting.
        let kind = match &question {
            Question::Usage(..) => "usage",
            _ => "",
        };
        let name = format!("{} {} {kind}", context.name, context.server);
        let answers = self.answers.clone();
        let sender = self.asked.entry(name).or_insert_with(|| {
            let (sender, inbox) = mpsc::channel(WAITING);
            let platform = Platform::new(question.context());
            tokio::spawn(answer_all(platform, inbox, answers));
            sender
        });
        let question = sender.try_send(question).err()?.into_inner();
        let why = say!("too much is being asked already", "请求过多");
        let what = question.context().name.clone();
        let fault = Fault::new(FaultKind::Unreachable, what, why, "");
        Some(Msg::Explored(question, Err(fault)))
    }

    /// Keeps a view under a name.
    pub(super) fn save_view(&self, name: &str, saved: &Saved) -> Msg {
        let kept = match &self.setup {
            Some(setup) => sessions::save(&sessions::view(&setup.borrow().paths, name), saved),
            None => Ok(()),
        };
        match kept {
            Ok(()) => Msg::Told(say!(
                "saved: deckwatch --view {name} opens it",
                "已保存：用 deckwatch --view {name} 打开"
            )),
            Err(fault) => Msg::Failed(fault.to_string()),
        }
    }

    /// Keeps what was open for the next start.
    pub(super) fn remember(&self, saved: &Saved) {
        let setup = self.setup.as_ref().map(|setup| setup.borrow().clone());
        if let Some(setup) = setup.filter(|setup| setup.remembers) {
            // What can't be kept is no reason to stay.
            drop(sessions::save(&sessions::last(&setup.paths), saved));
        }
    }

    /// Finds out what stands in the way of a target.
    pub(super) fn examine(&self, pane: PaneId, target: Target) {
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let subject = Subject::Target(Box::new(target));
            let mut text = String::new();
            let mut tell = |check: &Check| text.push_str(&report::line(check));
            let verdict = doctor::examine(&subject, &mut tell).await;
            text.push_str(&report::last(&verdict));
            let lines = text.lines().map(str::to_owned).collect();
            // Without a program there is nobody to tell.
            let _ = answers
                .send(Msg::Examined(pane, subject.name(), lines))
                .await;
        });
    }

    /// Finds out what a target's name means.
    pub(super) fn look_up(&self, id: TargetId, target: Target) {
        let answers = self.answers.clone();
        let setup = self.setup.as_ref().map(|setup| setup.borrow().clone());
        tokio::spawn(async move {
            let found = match setup {
                Some(setup) => setup.look_up(vec![target], For::Logs).await,
                None => Err(Fault::new(
                    FaultKind::Usage,
                    target.text,
                    say!("there is no context here", "这里没有上下文"),
                    say!("name a URL", "请写 URL"),
                )),
            };
            // Without a program there is nobody to tell.
            let _ = answers.send(Msg::LookedUp(id, found)).await;
        });
    }
}

async fn answer_all(
    platform: Platform,
    mut inbox: mpsc::Receiver<Question>,
    answers: mpsc::Sender<Msg>,
) {
    let mut reader = UsageReader::new(platform);
    while let Some(question) = inbox.recv().await {
        let answer = answer(&mut reader, &question).await;
        if answers.send(Msg::Explored(question, answer)).await.is_err() {
            return;
        }
    }
}

async fn answer(reader: &mut UsageReader, question: &Question) -> Result<Answer, Fault> {
    let platform = reader.platform();
    Ok(match question {
        Question::Teams(_) => Answer::Teams(platform.teams().await.map_err(|e| e.fault)?),
        Question::Apps(_, team, region) => {
            let mut apps = platform.apps(team, region).await.map_err(|e| e.fault)?;
            // Their components' names are a convenience: without them the tree still grows.
            let named = platform.overview(team, region).await.unwrap_or_default();
            name_components(&mut apps, named);
            Answer::Apps(apps)
        }
        Question::Components(_, team, region, app) => {
            let components = platform.components(team, region, app).await;
            Answer::Components(components.map_err(|e| e.fault)?)
        }
        Question::Pods(place) => Answer::Pods(platform.pods(place).await.map_err(|e| e.fault)?),
        Question::Details(_, place) => Answer::Details(details(platform, place).await?),
        Question::Happened(place) => {
            let events = platform.events(place, EVENTS).await;
            Answer::Happened(events.map_err(|e| e.fault)?)
        }
        Question::Usage(_, _, scopes) => Answer::Usage(usage(reader, scopes).await?),
        Question::Shell(_, place) => Answer::Shell(Box::new(shell::target(platform, place).await?)),
    })
}

/// The components that another list names, into apps.
fn name_components(apps: &mut [App], named: Vec<App>) {
    let named = named.into_iter().map(|known| (known.id, known.components));
    let mut named: HashMap<String, Vec<Component>> = named.collect();
    for app in apps {
        app.components = named.remove(&app.id).unwrap_or_default();
    }
}

/// What components of these names use; of all in the context's team, where none is named.
async fn usage(reader: &mut UsageReader, scopes: &[Scope]) -> Result<Vec<Usage>, Fault> {
    let named = !scopes.is_empty();
    let wanted = |path: &[&[&str]]| !named || scopes.iter().any(|scope| scope.leads_to(path));
    let window = window(clock::wall());
    let usages = reader.read(named, &wanted, window).await;
    usages.map_err(|error| error.fault)
}

/// What the platform tells of a component or a pod, a line each.
async fn details(platform: &mut Platform, place: &Place) -> Result<Vec<String>, Fault> {
    let told = platform.facts(place).await.map_err(|error| error.fault)?;
    Ok(if told.is_empty() {
        vec![say!(
            "the platform tells nothing: its backend may be down",
            "平台没有返回内容：后端可能不可用"
        )]
    } else {
        told
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::demo::{self, Options};
    use crate::model::context::{Api, Context, Credential};
    use crate::text::redact::Secret;

    #[test]
    fn apps_of_two_long_lists_find_each_other() {
        let app = |at: usize, components: Vec<Component>| App {
            id: format!("an app of a large platform {at}"),
            components,
            ..App::default()
        };
        let component = |at: usize| Component {
            alias: format!("gr{at}"),
            ..Component::default()
        };
        let mut apps: Vec<App> = (0..50_000).map(|at| app(at, Vec::new())).collect();
        let named = (1..50_000).rev().map(|at| app(at, vec![component(at)]));
        name_components(&mut apps, named.collect());
        for (at, app) in apps.iter().enumerate() {
            let aliases = app.components.iter().map(|one| one.alias.clone());
            let want = (at > 0).then(|| format!("gr{at}"));
            assert_eq!(aliases.collect::<Vec<_>>(), Vec::from_iter(want));
        }
    }

    #[tokio::test]
    async fn the_tree_does_not_wait_for_what_all_use() {
        let mut options = Options {
            zmq: false,
            ..Options::default()
        };
        // Usages are many answers, the teams one.
        options.switches.rest.answer_after = Duration::from_millis(20);
        let platform = demo::Platform::start(options).await.unwrap();
        let server = platform.http_url("").parse().unwrap();
        let mut context = Context::new("demo", server, Api::Console);
        let password = Secret::new(platform.password());
        let mut client = Platform::new(&Arc::new(context.clone()));
        let token = client.login(platform.user(), &password).await.unwrap();
        context.credential = Credential::Given(token);
        let context = Arc::new(context);
        let (sender, mut answers) = mpsc::channel(4);
        let mut explorer = Explorer::new(None, sender);
        let usage = Question::Usage(PaneId(0), Arc::clone(&context), Vec::new());
        assert!(explorer.ask(usage).is_none());
        assert!(explorer.ask(Question::Teams(context)).is_none());
        for want in ["teams", "usage"] {
            let got = match answers.recv().await {
                Some(Msg::Explored(_, Ok(Answer::Teams(_)))) => "teams",
                Some(Msg::Explored(_, Ok(Answer::Usage(rows)))) if !rows.is_empty() => "usage",
                other => panic!("{other:?}"),
            };
            assert_eq!(got, want);
        }
    }
}
