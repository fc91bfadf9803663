//! What the platform's gateway counts of a component's requests, and what it may use.

use super::book::{Book, Id};
use super::noise;
use crate::demo::cluster::{Phase, View};
use crate::demo::teams::Place;
use crate::demo::world::{self, SHOP};

/// Who asks whom, by aliases; `public` are people.
const EDGES: [(&str, &str); 3] = [
    ("public", "gateway"),
    ("gateway", "order-center"),
    ("order-center", "payment"),
];
/// Bytes on the disk at the beginning, and with each line.
const DISK: (f64, f64) = (41_943_040.0, 180.0);

/// A component's counters.
#[derive(Debug)]
pub(super) struct Component {
    seed: u64,
    pub(super) alias: &'static str,
    service: String,
    /// Megabytes that each of its pods may use, and how many run.
    memory: f64,
    pods: usize,
    lines: u64,
    ids: (Id, Id),
    /// If the gateway watches it.
    traffic: Option<Traffic>,
}

/// Requests.
#[derive(Debug)]
struct Traffic {
    /// Milliseconds that one takes, and how many clients there are, on a usual day.
    takes: f64,
    clients: f64,
    requests: u64,
    /// Time, requests, clients. Nothing is exported before the first request.
    ids: Option<[Id; 3]>,
    edges: Vec<Edge>,
}

/// Requests of one client.
#[derive(Debug)]
struct Edge {
    client: String,
    requests: u64,
    /// Time and requests.
    ids: Option<[Id; 2]>,
}

impl Component {
    pub(super) fn new(seed: u64, place: Place, book: &mut Book) -> Self {
        let alias = place.part.alias;
        let service = world::service_id(seed, alias);
        let labels = [("service_id", service.as_str())];
        let ids = (
            book.open("app_resource_appfs", &labels),
            book.open("app_resource_appmemory", &labels),
        );
        let watched = SHOP.iter().any(|one| one.alias == alias && one.monitored);
        let traffic = watched.then(|| Traffic {
            takes: 20.0 + 60.0 * noise(seed, alias, 0),
            clients: 40.0 + 160.0 * noise(seed, alias, 1),
            requests: 0,
            ids: None,
            edges: Vec::new(),
        });
        Self {
            seed,
            alias,
            memory: f64::from(place.part.memory),
            pods: 0,
            lines: 0,
            ids,
            traffic,
            service,
        }
    }

    /// It served so many requests and wrote so many lines.
    pub(super) fn asked(&mut self, requests: u64, lines: u64, book: &mut Book) {
        self.lines += lines;
        let Some(traffic) = &mut self.traffic else {
            return;
        };
        let service = ("service_id", self.service.as_str());
        traffic.ids.get_or_insert_with(|| {
            [
                book.open("app_requesttime", &[("mode", "avg"), service]),
                book.open("app_request", &[("method", "total"), service]),
                book.open("app_requestclient", &[service]),
            ]
        });
        // Clients take turns.
        let number = traffic.requests;
        traffic.requests += requests;
        let count = u64::try_from(traffic.edges.len()).unwrap_or(0).max(1);
        let up_to = |total: u64, turn: u64| (total + count - 1 - turn) / count;
        for (turn, edge) in (0..count).zip(&mut traffic.edges) {
            edge.requests += up_to(number + requests, turn) - up_to(number, turn);
            if edge.requests == 0 {
                continue;
            }
            edge.ids.get_or_insert_with(|| {
                let labels = [("client", edge.client.as_str()), service];
                [
                    book.open("app_client_requesttime", &labels),
                    book.open("app_client_request", &labels),
                ]
            });
        }
    }

    /// How many of its pods run, and who its clients are now.
    pub(super) fn meet(&mut self, now: i64, view: &View, book: &mut Book) {
        let running = |alias| {
            let pods = view.of(alias);
            pods.filter(|pod| pod.phase == Phase::Running)
        };
        self.pods = running(self.alias).count();
        let Some(traffic) = &mut self.traffic else {
            return;
        };
        let from = EDGES.iter().find(|(_, to)| *to == self.alias);
        let clients: Vec<String> = match from {
            None => Vec::new(),
            Some(("public", _)) => vec!["public".to_owned()],
            Some((alias, _)) => running(*alias).map(|pod| pod.ip.replace('.', "")).collect(),
        };
        traffic.edges.retain(|edge| {
            let stays = clients.contains(&edge.client);
            for id in edge.ids.into_iter().flatten().filter(|_| !stays) {
                book.end(id, now);
            }
            stays
        });
        for client in clients {
            if traffic.edges.iter().all(|edge| edge.client != client) {
                let (requests, ids) = (0, None);
                traffic.edges.push(Edge {
                    client,
                    requests,
                    ids,
                });
            }
        }
    }

    /// Writes all values down; requests take so many times the usual.
    pub(super) fn sample(&self, (now, slot): (i64, i64), slower: f64, book: &mut Book) {
        let disk = DISK.0 + DISK.1 * self.lines as f64;
        book.push(self.ids.0, now, disk);
        book.push(self.ids.1, now, self.memory * self.pods as f64);
        let Some(traffic) = &self.traffic else { return };
        let wobble = |name: &str| 0.85 + 0.3 * noise(self.seed, name, slot);
        let takes = traffic.takes * slower;
        if let Some([time, requests, clients]) = traffic.ids {
            book.push(time, now, cents(takes * wobble(self.alias)));
            book.push(requests, now, traffic.requests as f64);
            book.push(clients, now, (traffic.clients * wobble("clients")).round());
        }
        for edge in &traffic.edges {
            if let Some([time, requests]) = edge.ids {
                book.push(time, now, cents(takes * wobble(&edge.client)));
                book.push(requests, now, edge.requests as f64);
            }
        }
    }
}

/// Two digits behind the point.
fn cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
