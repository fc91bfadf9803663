//! The logs of a component: a stream for each of its pods, opened when the pod comes and closed
//! when it goes; where the server has no such streams, its WebSockets; where those can't be had
//! either, what it has stored (newest first, protocols.md 3.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::clock;
use crate::codec::target::{FeedSpec, Target, WsSpec};
use crate::codec::{docker_log, target};
use crate::model::catalog::Pod;
use crate::model::context::Place;
use crate::model::{
    Cause, EndReason, Fault, FaultKind, LinkState, Mark, RawBatch, RowFlags, RowHead, SourceName,
};
use crate::platform::{Platform, sockets};
use crate::say;
use crate::session::backoff::{Backoff, Pace};
use crate::text::SafeText;
use crate::transport::DialError;

use super::archive::Archive;
use super::pod::{Failure, News, Reader};
use super::{Command, Outlet, Policy, Reconnect, drive};

/// How often a component's pods are looked up, as the platform's own page does.
const LOOK: Duration = Duration::from_secs(5);
/// Batches on their way from the pods' readers; a reader that waits loses nothing, since its
/// server reads from a file.
const NEWS: usize = 64;
/// Lines of history of each pod.
const HISTORY: usize = 1000;
/// Pods that are read at once.
const PODS: usize = 64;

/// Runs a component's logs to their end.
pub async fn run<B: Send + 'static>(
    target: Target,
    place: Place,
    policy: Policy,
    orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
) {
    let work = Component::new(target.text, place, policy, orders, outlet);
    work.run().await;
}

/// A pod that is read.
struct Known {
    /// Told true once the pod is gone.
    gone: watch::Sender<bool>,
    opened: bool,
    live: bool,
    /// It could not be had: the others don't wait for it.
    failed: bool,
}

struct Component<B> {
    name: String,
    platform: Platform,
    place: Arc<Place>,
    policy: Policy,
    orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
    pods: BTreeMap<String, Known>,
    readers: JoinSet<()>,
    sender: mpsc::Sender<(String, News)>,
    news: mpsc::Receiver<(String, News)>,
    /// Pods that are not asked again, as the policy wants it.
    given_up: BTreeSet<String>,
    state: Option<LinkState>,
    /// Some pod's stream was had: the server has such streams.
    ever_opened: bool,
    told_empty: bool,
    /// How many pods were told of that are not read.
    told_unread: usize,
}

/// What comes after the pods' streams.
enum Next {
    Stop,
    End(Fault),
    /// This server has no streams of pods.
    Sockets(DialError),
}

impl<B: Send + 'static> Component<B> {
    fn new(
        name: String,
        place: Place,
        policy: Policy,
        orders: mpsc::Receiver<Command>,
        outlet: Outlet<B>,
    ) -> Self {
        let (sender, news) = mpsc::channel(NEWS);
        Self {
            name,
            platform: Platform::new(&place.context),
            place: Arc::new(place),
            policy,
            orders,
            outlet,
            pods: BTreeMap::new(),
            readers: JoinSet::new(),
            sender,
            news,
            given_up: BTreeSet::new(),
            state: None,
            ever_opened: false,
            told_empty: false,
            told_unread: 0,
        }
    }

    async fn run(mut self) {
        let next = match self.first_look().await {
            Ok(Some(pods)) => self.follow(pods).await,
            Ok(None) => Next::Stop,
            Err(fault) => Next::End(fault),
        };
        // What the readers have handed on comes before the end.
        for _ in 0..self.news.len() {
            if let Ok((_, News::Lines(batch))) = self.news.try_recv() {
                self.outlet.lines(batch);
            }
        }
        match next {
            Next::Stop => self.state(LinkState::Ended(EndReason::Finished)),
            Next::End(fault) => self.state(LinkState::Ended(EndReason::Fault(fault))),
            Next::Sockets(error) => return self.sockets(error).await,
        }
        self.outlet.flush().await;
    }

    fn state(&mut self, state: LinkState) {
        if self.state.as_ref() != Some(&state) {
            self.outlet.state(state.clone());
            self.state = Some(state);
        }
    }

    /// The pods at the start; `None` if the program wants no more before they are known.
    async fn first_look(&mut self) -> Result<Option<Vec<Pod>>, Fault> {
        let mut backoff = Backoff::new(Pace::WebSocket, self.policy.seed);
        loop {
            let step = say!("looking up its pods", "正在查找实例");
            self.state(LinkState::Connecting(SafeText::of(&step).into_owned()));
            let looked = tokio::select! {
                biased;
                () = drive::stop_order(&mut self.orders) => return Ok(None),
                looked = self.platform.pods(&self.place) => looked,
            };
            let error = match looked {
                Ok(pods) => return Ok(Some(pods)),
                Err(error) => error,
            };
            let wait = backoff.failed(clock::now().into_std(), 0);
            let wait = wait.max(error.after.unwrap_or_default());
            let patient = match self.policy.reconnect {
                Reconnect::Patient => true,
                Reconnect::Times(most) => backoff.failures() <= most,
                Reconnect::Auto | Reconnect::Never => false,
            };
            if !error.retry || !patient {
                return Err(self.named(error.fault));
            }
            self.state(LinkState::Waiting {
                retry_in: wait,
                attempt: backoff.failures(),
                why: SafeText::of(&error.fault.why).into_owned(),
            });
            let until = clock::now() + wait;
            tokio::select! {
                biased;
                () = drive::stop_order(&mut self.orders) => return Ok(None),
                () = sleep_until(until) => {}
            }
        }
    }

    /// A fault of ours, told with the target's name.
    fn named(&self, fault: Fault) -> Fault {
        let what = format!("{} ({})", self.name, fault.what);
        Fault { what, ..fault }
    }

    /// Reads the pods, and looks for others from time to time.
    async fn follow(&mut self, pods: Vec<Pod>) -> Next {
        self.take_pods(&pods);
        let mut look = clock::now() + LOOK;
        let mut looking = false;
        let (answer, mut answers) = mpsc::channel(1);
        loop {
            self.settle();
            if !looking && clock::now() >= look {
                looking = true;
                self.look_again(answer.clone());
            }
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(Command::Reconnect) => look = clock::now(),
                    Some(Command::Stop) | None => return Next::Stop,
                },
                news = self.news.recv(), if !self.outlet.must_wait() => {
                    if let Some((pod, news)) = news
                        && let Some(next) = self.hear(&pod, news)
                    {
                        return next;
                    }
                }
                looked = answers.recv() => {
                    looking = false;
                    look = clock::now() + LOOK;
                    match looked {
                        Some(Ok(pods)) => self.take_pods(&pods),
                        Some(Err(error)) if !error.retry => return Next::End(self.named(error.fault)),
                        // The streams go on; the next look may be answered.
                        Some(Err(error)) => look += error.after.unwrap_or_default(),
                        None => {}
                    }
                }
                Some(_) = self.readers.join_next() => {}
                () = self.outlet.make_room(), if self.outlet.is_waiting() => {}
                () = sleep_until(look), if !looking => {}
            }
        }
    }

    /// Asks for the pods on a task of its own: lines don't wait for the answer.
    fn look_again(&mut self, answer: mpsc::Sender<Result<Vec<Pod>, DialError>>) {
        let place = Arc::clone(&self.place);
        let fresh = Platform::new(&place.context);
        let mut platform = std::mem::replace(&mut self.platform, fresh);
        self.readers.spawn(async move {
            let looked = platform.pods(&place).await;
            // Whoever asked is gone with the source.
            let _ = answer.send(looked).await;
        });
    }

    /// Starts readers for pods that came, and tells those of pods that went.
    fn take_pods(&mut self, pods: &[Pod]) {
        let wanted = |pod: &&Pod| self.place.pod.as_ref().is_none_or(|only| *only == pod.name);
        let names: Vec<&str> = pods
            .iter()
            .filter(wanted)
            .map(|pod| pod.name.as_str())
            .collect();
        for (name, known) in &self.pods {
            if !names.contains(&name.as_str()) {
                // A reader that has ended needs no telling.
                let _ = known.gone.send(true);
            }
        }
        self.given_up.retain(|name| names.contains(&name.as_str()));
        let mut unread = 0;
        for name in names {
            if self.pods.contains_key(name) || self.given_up.contains(name) {
                continue;
            }
            if self.pods.len() < PODS {
                self.start(name.to_owned());
            } else {
                unread += 1;
            }
        }
        if unread != std::mem::replace(&mut self.told_unread, unread) && unread > 0 {
            let text = say!(
                "{unread} more pods are not read: {PODS} are read at once",
                "另有 {unread} 个实例未读取：最多同时读取 {PODS} 个"
            );
            self.notice(&text);
        }
        if self.pods.is_empty() && !std::mem::replace(&mut self.told_empty, true) {
            let text = say!(
                "no pods: it is not deployed, or the platform's backend is down; new ones are waited for",
                "没有实例：尚未部署，或平台后端不可用；等待新实例"
            );
            self.notice(&text);
        }
    }

    fn start(&mut self, pod: String) {
        let (gone, watch) = watch::channel(false);
        let reader = Reader {
            place: Arc::clone(&self.place),
            pod: pod.clone(),
            lines: HISTORY,
            news: self.sender.clone(),
            gone: watch,
            seed: self.policy.seed ^ self.pods.len() as u64,
        };
        self.readers.spawn(reader.run());
        let known = Known {
            gone,
            opened: false,
            live: false,
            failed: false,
        };
        self.pods.insert(pod, known);
        self.told_empty = false;
    }

    fn source(&self, pod: &str) -> SourceName {
        SourceName::within(self.place.component.name.as_bytes(), pod.as_bytes())
    }

    fn mark(&mut self, mark: Mark) {
        let mut batch = RawBatch::default();
        batch.push_mark(mark);
        self.outlet.lines(batch);
    }

    fn notice(&mut self, text: &str) {
        self.mark(Mark::Notice(SafeText::of(text).into_owned()));
    }

    /// What a reader tells.
    fn hear(&mut self, pod: &str, news: News) -> Option<Next> {
        match news {
            News::Lines(batch) => self.outlet.lines(batch),
            News::Opened => {
                self.ever_opened = true;
                if let Some(known) = self.pods.get_mut(pod) {
                    known.opened = true;
                }
                self.mark(Mark::Join(self.source(pod)));
            }
            News::Live => {
                if let Some(known) = self.pods.get_mut(pod) {
                    known.live = true;
                }
            }
            News::Failed(failure) => return self.failed(pod, failure),
            News::Over => {
                let opened = self.pods.remove(pod).is_some_and(|known| known.opened);
                if opened {
                    self.mark(Mark::Leave(self.source(pod)));
                }
            }
            News::Refused(error) => return self.refused(pod, error),
        }
        None
    }

    /// A pod's stream failed: it is asked for again, as often as the policy wants it. Without any
    /// pod left, that is the end.
    fn failed(&mut self, pod: &str, failure: Failure) -> Option<Next> {
        let known = self.pods.get_mut(pod)?;
        let last = match self.policy.reconnect {
            Reconnect::Auto | Reconnect::Patient => false,
            Reconnect::Never => true,
            Reconnect::Times(most) => failure.failures > most,
        };
        // A stream that is cut once comes back at once, mostly.
        if !last && known.opened && failure.failures < 2 {
            return None;
        }
        known.failed = true;
        if last {
            self.given_up.insert(pod.to_owned());
            // Its reader waits for this.
            let _ = known.gone.send(true);
        }
        let hopeless = match self.policy.reconnect {
            // Whoever follows a component whose pods begin to run waits for them.
            Reconnect::Auto => {
                let failed = self.pods.values().all(|known| known.failed);
                failed && !self.ever_opened && !self.policy.follow
            }
            Reconnect::Patient => false,
            Reconnect::Never | Reconnect::Times(_) => {
                self.pods.keys().all(|pod| self.given_up.contains(pod))
            }
        };
        if hopeless {
            return Some(Next::End(self.named(failure.fault)));
        }
        let why = failure.fault.why;
        let text = if last {
            say!(
                "{pod}: {why}; it is not read any more",
                "{pod}：{why}；不再读取"
            )
        } else {
            let wait = crate::model::words::duration(failure.wait);
            say!(
                "{pod}: {why}; the next attempt comes in {wait}",
                "{pod}：{why}；{wait} 后重试"
            )
        };
        self.notice(&text);
        None
    }

    /// A pod's stream can't be had. If no pod's ever could, the server has none.
    fn refused(&mut self, pod: &str, error: DialError) -> Option<Next> {
        self.pods.remove(pod);
        let ever = self.ever_opened;
        match error.cause {
            Cause::NotFound | Cause::Status | Cause::OtherProtocol if !ever => {
                Some(Next::Sockets(error))
            }
            Cause::NotFound | Cause::Status | Cause::OtherProtocol => {
                let why = &error.fault.why;
                let text = say!(
                    "{pod}: it has no log yet: {why}",
                    "{pod}：还没有日志：{why}"
                );
                self.notice(&text);
                None
            }
            _ => Some(Next::End(self.named(error.fault))),
        }
    }

    /// The state that all pods are in together, but for those that can't be had.
    fn settle(&mut self) {
        let settled = |known: &Known| known.live || known.failed;
        let opened = self.pods.values().any(|known| known.opened);
        let some = self.ever_opened || self.pods.is_empty();
        let live = some && self.pods.values().all(settled);
        if live || self.state == Some(LinkState::Live) {
            self.state(LinkState::Live);
        } else if opened {
            self.state(LinkState::Replaying);
        } else {
            self.state(LinkState::Open);
        }
    }

    /// The way without streams of pods: the platform's WebSockets, the newest kind first.
    async fn sockets(mut self, first: DialError) {
        self.readers.shutdown().await;
        let way = self.platform.socket_way();
        let mut last = first;
        let id = self.place.component.id.clone();
        for base in sockets::bases(&mut self.platform, &self.place).await {
            let (url, feed) =
                match sockets::first(target::component_sockets(&base, &id), &way).await {
                    Ok(found) => found,
                    Err(error) => {
                        last = error;
                        continue;
                    }
                };
            let path = url.path().rsplit('/').next().unwrap_or("").to_owned();
            let text = say!(
                "this server has no streams of pods; its {path} is read instead",
                "该服务器没有实例日志流；改为读取 {path}"
            );
            self.notice(&text);
            if self.place.pod.is_some() || self.place.container.is_some() {
                self.notice(&say!(
                    "it does not tell pods apart: all of them are shown",
                    "它不区分实例：显示全部实例的日志"
                ));
            }
            let target = Target::new(self.name, "", FeedSpec::Ws(WsSpec { url, feed })).by(&way);
            let archive = Some(Archive::Component(self.place));
            return drive::run(target, (self.policy, archive), self.orders, self.outlet).await;
        }
        self.stored(last).await;
    }

    /// The last way: what the server has stored, and an end.
    async fn stored(mut self, error: DialError) {
        let lines = self.platform.stored_log(&self.place, HISTORY).await;
        let lines = lines.unwrap_or_default();
        let mut batch = RawBatch::default();
        for line in &lines {
            let decoded = match docker_log::decode(line.as_bytes(), "") {
                docker_log::LogFrame::Live(line) | docker_log::LogFrame::Replay(line) => line,
            };
            let source = decoded.container.as_ref().map(|id| SourceName::new(id));
            let head = RowHead {
                source: source.as_ref(),
                flags: RowFlags(RowFlags::REPLAY),
                recv: clock::wall(),
                ..RowHead::default()
            };
            for text in docker_log::lines(&decoded.body) {
                batch.push(text, &head);
            }
        }
        self.outlet.lines(batch);
        let fault = self.named(error.fault);
        let end = if lines.is_empty() {
            EndReason::Fault(fault)
        } else {
            let text = say!(
                "only its stored lines could be had: {fault}",
                "只能读取已存储的行：{fault}"
            );
            self.notice(&text);
            EndReason::Fault(Fault {
                kind: FaultKind::Lost,
                ..fault
            })
        };
        self.state(LinkState::Ended(end));
        self.outlet.flush().await;
    }
}

#[cfg(test)]
mod tests;
