//! The shop's day on the platform: its past is there at once, its present comes in time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::brokers::{Brokers, Layout};
use super::cluster::{Cluster, Roll};
use super::gojson;
use super::hub::{Ask, Hub};
use super::metrics::Metrics;
use super::options::{Options, Switches};
use super::stamp::Stamp;
use super::times::later;
use super::world::{Happening, World, tenant_id};
use crate::clock;
use crate::model::Micros;

/// How long the shop has been open when the platform starts.
const PAST: Duration = Duration::from_secs(60);
/// Lines of each component that are there when it starts.
const HISTORY: usize = 200;

/// Where the shop's happenings go.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) hub: Hub,
    pub(super) brokers: Brokers,
    pub(super) cluster: Cluster,
    pub(super) metrics: Metrics,
    /// Where rolling restarts are asked for.
    pub(super) rolls: mpsc::Sender<Roll>,
    pub(super) switches: watch::Receiver<Switches>,
}

/// When the shop opened, of a platform that starts now.
pub(super) fn opened(now: Micros) -> Micros {
    let past = i64::try_from(PAST.as_micros()).unwrap_or(0);
    Micros(now.0.saturating_sub(past))
}

/// Puts the shop's past into the platform and starts its present.
pub(super) async fn raise(stage: Stage, options: &Options, now: Micros, tasks: &mut JoinSet<()>) {
    let opened = opened(now).0;
    // The past at the usual rate, whatever is asked for the present: it must hold some lines.
    let mut world = World::new(options.seed, Micros(opened));
    let mut logs: BTreeMap<String, VecDeque<(String, Micros, Vec<u8>)>> = BTreeMap::new();
    let next = loop {
        let (at, happenings) = world.beat();
        if at >= PAST {
            break (at, happenings);
        }
        for happening in happenings {
            match happening {
                Happening::Lines {
                    service,
                    source,
                    lines,
                } => {
                    let log = logs.entry(service).or_default();
                    let (container, at) = (stage.cluster.container(&source), moment(opened, at));
                    stage.metrics.said(at, &container, lines.len());
                    log.extend(lines.into_iter().map(|line| (container.clone(), at, line)));
                    log.drain(..log.len().saturating_sub(HISTORY));
                }
                // A report of a minute ago would have aged out.
                Happening::Report { .. } | Happening::OldReport { .. } => {}
                Happening::Entry { event, json } => {
                    stage.entry(event, json, moment(opened, at)).await;
                }
                Happening::Mood(mood) => stage.metrics.feel(moment(opened, at), mood),
                Happening::Dies(alias) => {
                    stage.cluster.die(alias);
                    stage.metrics.look(moment(opened, at));
                }
                Happening::Returns(alias) => {
                    stage.cluster.revive(alias, moment(opened, at));
                    stage.metrics.look(moment(opened, at));
                }
                Happening::Rolls(alias) => {
                    if stage.switches.borrow().rest.rolling_deploys {
                        stage.cluster.roll_at_once(alias, moment(opened, at));
                        stage.metrics.look(moment(opened, at));
                    }
                }
            }
        }
    };
    for (service, log) in logs {
        for (container, at, line) in log {
            let lines = vec![line.into()];
            stage.lines((service.clone(), container), lines, at).await;
        }
    }
    // An answer to this comes after all of the above.
    stage.hub.ask(Ask::Tally).await;
    world.set_rate(options.rate);
    tasks.spawn(run(stage, world, next, (tenant_id(options.seed), opened)));
}

async fn run(
    stage: Stage,
    mut world: World,
    first: (Duration, Vec<Happening>),
    (tenant, opened): (String, i64),
) {
    let start = clock::now();
    let (mut at, mut happenings) = first;
    loop {
        sleep_until(start + at.saturating_sub(PAST)).await;
        for happening in happenings {
            stage.perform(happening, &tenant, moment(opened, at)).await;
        }
        (at, happenings) = world.beat();
    }
}

fn moment(opened: i64, at: Duration) -> Micros {
    later(Micros(opened), at)
}

impl Stage {
    async fn perform(&self, happening: Happening, tenant: &str, at: Micros) {
        let now = &Stamp::new(at);
        match happening {
            Happening::Lines {
                service,
                source,
                lines,
            } => {
                let container = self.cluster.container(&source);
                self.metrics.said(at, &container, lines.len());
                for line in &lines {
                    self.broadcast(tenant, &service, &container, (line, now));
                }
                let lines = lines.into_iter().map(Bytes::from).collect();
                self.lines((service, container), lines, at).await;
            }
            Happening::Dies(alias) => {
                // What it said last stands in its file before its stream ends.
                self.hub.ask(Ask::Tally).await;
                self.cluster.die(alias);
                self.metrics.look(at);
            }
            Happening::Returns(alias) => {
                self.cluster.revive(alias, at);
                self.metrics.look(at);
            }
            Happening::Mood(mood) => self.metrics.feel(at, mood),
            Happening::Rolls(alias) => {
                if self.switches.borrow().rest.rolling_deploys {
                    let name = alias.to_owned();
                    // One that waits already will do.
                    let _ = self.rolls.try_send(Roll { name, done: None });
                }
            }
            Happening::Entry { event, json } => {
                self.brokers.offer(
                    Layout::Cluster2,
                    vec![Bytes::from_static(b"event_log"), json.clone().into()],
                );
                self.labor(&json);
                self.entry(event, json, at).await;
            }
            Happening::Report { service, json } => {
                let json = Bytes::from(json);
                self.brokers.offer(
                    Layout::Cluster2,
                    vec![Bytes::from_static(b"new_monitor_message"), json.clone()],
                );
                self.hub
                    .tell(Ask::Monitor {
                        service,
                        json,
                        done: None,
                    })
                    .await;
            }
            Happening::OldReport { topic, name, rows } => {
                self.old_report(topic, name, &rows, now).await;
            }
        }
    }

    async fn lines(&self, (service, container): (String, String), lines: Vec<Bytes>, at: Micros) {
        self.hub
            .tell(Ask::Lines {
                service,
                container,
                lines,
                at: Some(at),
                done: None,
            })
            .await;
    }

    async fn entry(&self, id: String, json: String, at: Micros) {
        self.hub
            .tell(Ask::Event {
                id,
                json: json.into(),
                at: Some(at),
                done: None,
            })
            .await;
    }

    /// A container's line in the three layouts (protocols.md 5.2, Z1 to Z3).
    fn broadcast(
        &self,
        tenant: &str,
        service: &str,
        container: &str,
        (line, now): (&[u8], &Stamp),
    ) {
        let mut text = format!("{container}: ").into_bytes();
        text.extend_from_slice(line);
        let text = Bytes::from(text);
        let id = Bytes::copy_from_slice(service.as_bytes());
        let tenant = Bytes::copy_from_slice(tenant.as_bytes());
        self.brokers
            .offer(Layout::Docker3, vec![tenant, id.clone(), text.clone()]);
        self.brokers.offer(Layout::Docker2, vec![id, text]);
        let now = now.rfc3339();
        let mut json = String::new();
        gojson::object(
            &mut json,
            &[
                ("container_id", container.as_bytes()),
                ("msg", line),
                ("time", now.as_bytes()),
                ("service_id", service.as_bytes()),
            ],
        );
        self.brokers.offer(Layout::DockerJson, vec![json.into()]);
    }

    /// A build's entry as its worker logs it (Z5).
    fn labor(&self, json: &str) {
        let Ok(entry) = serde_json::from_str::<serde_json::Value>(json) else {
            return;
        };
        let text = |name: &str| entry.get(name).and_then(|one| one.as_str()).unwrap_or("");
        let level = text("level").to_uppercase();
        let time = text("time").get(..19).unwrap_or("").replace('T', " ");
        let line = format!(
            "{time} [{level}] builder-0 [run] /app/builder/build.py:212 {} :: {}",
            text("step"),
            text("message")
        );
        let topic = format!("labor.{}", text("step"));
        self.brokers.offer(
            Layout::Labor3,
            vec![topic.into(), level.into(), line.into()],
        );
    }

    /// A list of the old monitor: to its socket, to the cep broker (Z6), to the cluster (Z7).
    async fn old_report(&self, topic: String, name: &str, rows: &str, at: &Stamp) {
        let frame = format!(
            "{{\"name\":\"{name}\",\"data\":{rows},\"update_time\":\"{}\"}}",
            at.kitchen()
        );
        let cep = format!("{} APPS {name} {rows}", at.plain());
        self.brokers.offer(
            Layout::Ceptop2,
            vec![Bytes::from_static(b"ceptop"), cep.into()],
        );
        let mut message = String::new();
        let packed = STANDARD.encode(&frame);
        let names = [
            "event_id",
            "step",
            "status",
            "message",
            "level",
            "time",
            "monitorData",
        ];
        let texts = [topic.as_str(), "", "", "", "", "", &packed];
        let members: Vec<_> = names.into_iter().zip(texts.map(str::as_bytes)).collect();
        gojson::object(&mut message, &members);
        let mode = Bytes::from_static(b"monitor_message");
        self.brokers
            .offer(Layout::Cluster2, vec![mode, message.into()]);
        // Which instance serves how many components and takes how many lines a minute.
        let load = Bytes::from_static(b"eventlog-0,8,6000");
        self.brokers
            .offer(Layout::Cluster2, vec![Bytes::from_static(b"monitor"), load]);
        self.hub
            .tell(Ask::OldMonitor {
                topic,
                json: frame.into(),
                done: None,
            })
            .await;
    }
}
