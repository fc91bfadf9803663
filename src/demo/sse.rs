//! Streams over HTTP: pods' logs and events as server-sent events, a container's log as plain
//! text (protocols.md 3.2, 3.3). Chunked, without numbers, and without a heartbeat but in events.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::files::{Row, Wanted};
use super::gojson;
use super::hub::{Ask, Item, Kind, Subscription};
use super::link::End;
use super::record::Stage;
use super::rest::{Line, Rest, RestSwitches};
use super::stamp::Stamp;
use super::truth::{Fate, Origin, TruthRecord};
use crate::clock;

/// Lines that are read at one time.
const BATCH: usize = 256;
/// A longer line ends the stream.
const LINE_LIMIT: usize = 1 << 20;

/// What is streamed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Feed {
    Pod(PodFeed),
    Event(String),
}

/// The log of a pod's containers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PodFeed {
    /// Name and id of each.
    pub(super) containers: Vec<(String, String)>,
    /// How many lines of the past.
    pub(super) lines: usize,
    pub(super) follow: bool,
    /// As text: no events, no stamps.
    pub(super) plain: bool,
}

/// A stream, and whether the console hands it on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stream {
    pub(super) feed: Feed,
    pub(super) console: bool,
}

impl Stream {
    fn head(&self) -> String {
        let plain = matches!(&self.feed, Feed::Pod(pod) if pod.plain);
        let kind = if plain {
            "text/plain"
        } else {
            "text/event-stream"
        };
        let mut head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n");
        if !plain {
            head.push_str("Cache-Control: no-cache\r\n");
        }
        if matches!(self.feed, Feed::Event(_)) {
            head.push_str("X-Accel-Buffering: no\r\n");
        }
        if self.console {
            head.push_str("Content-Encoding: identity\r\n");
        }
        head.push_str("Transfer-Encoding: chunked\r\n\r\n");
        head
    }
}

/// Serves a stream to its end; `Ok` if it ended so that the connection may go on.
pub(super) async fn serve<S>(rest: &Rest, line: &mut Line<'_, S>, stream: Stream) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    line.write(stream.head().as_bytes()).await?;
    let deadline = clock::now() + rest.switches.borrow().rest.stream_limit;
    let mut tap = Tap {
        rest,
        line,
        deadline,
        sent: 0,
    };
    match stream.feed {
        Feed::Pod(feed) => tap.pod(&feed).await?,
        Feed::Event(id) => tap.event(id).await?,
    }
    tap.line.write(b"0\r\n\r\n").await
}

/// One running stream.
struct Tap<'a, 'b, S> {
    rest: &'a Rest,
    line: &'a mut Line<'b, S>,
    deadline: Instant,
    /// Lines, or entries, so far.
    sent: u64,
}

/// One line on its way.
struct Out {
    number: u64,
    kind: Kind,
    origin: Origin,
    text: String,
    /// The bytes around it.
    plain: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tap<'_, '_, S> {
    fn switches(&self) -> RestSwitches {
        self.rest.switches.borrow().rest.clone()
    }

    async fn chunk(&mut self, text: &str) -> Result<(), End> {
        self.line.write(chunk(text.as_bytes()).as_slice()).await
    }

    /// Sends lines in one write; `false` if a switch says that the stream ends here.
    async fn send(&mut self, outs: Vec<Out>) -> Result<bool, End> {
        let switches = self.switches();
        let (mut bytes, mut records, mut goes_on, mut torn) = (Vec::new(), Vec::new(), true, false);
        for out in outs {
            if switches
                .stream_end_after
                .is_some_and(|limit| self.sent >= limit)
            {
                goes_on = false;
                break;
            }
            let whole = if out.plain {
                format!("{}\n", out.text)
            } else {
                format!("data: {}\n\n", out.text)
            };
            let due = switches
                .cut_in_character
                .is_some_and(|limit| self.sent >= limit);
            if let (true, Some(half)) = (due, torn_at(&whole)) {
                bytes.extend(chunk(whole.as_bytes().get(..half).unwrap_or(&[])));
                torn = true;
                break;
            }
            bytes.extend(chunk(whole.as_bytes()));
            self.sent += 1;
            if self.line.recorder.is_on() {
                records.push(TruthRecord {
                    conn: self.line.conn,
                    number: out.number,
                    kind: Some(out.kind),
                    origin: out.origin,
                    fate: Fate::Sent,
                    payload: out.text.into(),
                });
            }
        }
        // Before the bytes: what a client has, the log has.
        self.line.recorder.note(records).await;
        self.line.write(&bytes).await?;
        if torn {
            return Err(End::Server);
        }
        let full = switches.stream_end_after;
        Ok(goes_on && full.is_none_or(|limit| self.sent < limit))
    }

    /// The lines of containers as their nodes keep them. It ends when none of them can write any
    /// more; a pod's next container has a stream of its own (protocols.md 7, #2241).
    async fn pod(&mut self, feed: &PodFeed) -> Result<(), End> {
        let (mut grown, mut cluster) = (self.rest.hub.grown(), self.rest.cluster.watch());
        let ids: Vec<String> = feed.containers.iter().map(|(_, id)| id.clone()).collect();
        let mut wanted = Wanted {
            containers: ids.clone(),
            after: 0,
            tail: feed.lines,
            limit: usize::MAX,
        };
        let mut origin = Origin::Replay;
        loop {
            grown.borrow_and_update();
            let over = {
                let view = cluster.borrow_and_update();
                !ids.iter().any(|id| view.writes(id))
            };
            let rows = self.read(&wanted).await?;
            if let Some(last) = rows.last() {
                wanted.after = last.number;
            }
            let empty = rows.is_empty();
            let mut outs = Vec::with_capacity(rows.len());
            for row in rows {
                if row.line.len() > LINE_LIMIT {
                    self.send(outs).await?;
                    return Ok(());
                }
                outs.extend(texts(feed, &row).into_iter().map(|text| Out {
                    number: row.number,
                    kind: Kind::Docker,
                    origin,
                    text,
                    plain: feed.plain,
                }));
            }
            if !self.send(outs).await? {
                return Ok(());
            }
            let first = origin == Origin::Replay;
            origin = Origin::Live;
            (wanted.tail, wanted.limit) = (usize::MAX, BATCH);
            if first && !feed.follow {
                // Several streams are merged into one that nobody closes (protocols.md 3.2).
                return if ids.len() > 1 {
                    self.idle().await
                } else {
                    Ok(())
                };
            }
            if !empty {
                continue;
            }
            if over {
                return Ok(());
            }
            tokio::select! {
                biased;
                end = self.line.over() => return Err(end),
                () = sleep_until(self.deadline) => return Ok(()),
                changed = grown.changed() => changed.map_err(|_| End::Server)?,
                changed = cluster.changed() => changed.map_err(|_| End::Server)?,
            }
        }
    }

    async fn read(&self, wanted: &Wanted) -> Result<Vec<Row>, End> {
        let wanted = wanted.clone();
        let rows = self.rest.hub.ask(|reply| Ask::File { wanted, reply });
        rows.await.ok_or(End::Server)
    }

    async fn idle(&mut self) -> Result<(), End> {
        tokio::select! {
            biased;
            end = self.line.over() => Err(end),
            () = sleep_until(self.deadline) => Ok(()),
        }
    }

    async fn event(&mut self, id: String) -> Result<(), End> {
        let hub = &self.rest.hub;
        let mut listening = hub
            .subscribe(self.line.conn, Kind::Event, id, true)
            .await
            .ok_or(End::Server)?;
        let result = self.entries(&mut listening).await;
        let by_client = result == Err(End::Client);
        self.rest.hub.leave(listening.id, by_client).await;
        result
    }

    /// The history, its mark, then what comes; a terminal entry ends it at once, in the history
    /// behind the mark (protocols.md 3.3).
    async fn entries(&mut self, listening: &mut Subscription) -> Result<(), End> {
        // An answer to this comes after the history is in the queue.
        self.rest.hub.ask(Ask::Tally).await;
        let mut past = Vec::new();
        let mut next = None;
        while let Ok(item) = listening.queue.try_recv() {
            if item.origin != Origin::Replay {
                next = Some(item);
                break;
            }
            let ends = item.ending.is_some();
            past.push(item);
            if ends {
                break;
            }
        }
        self.chunk(": connected\n\n").await?;
        let ended = past.last().is_some_and(|item| item.ending.is_some());
        let goes_on = self.send(past.iter().map(entry).collect()).await?;
        if goes_on {
            self.chunk("event: replay-complete\ndata: {}\n\n").await?;
        }
        if ended || !goes_on {
            return Ok(());
        }
        let period = self
            .switches()
            .stream_ping
            .max(std::time::Duration::from_millis(1));
        let mut ping = interval_at(clock::now() + period, period);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Some(item) = next.take() {
                let goes_on = self.send(vec![entry(&item)]).await?;
                if !goes_on || item.ending.is_some() {
                    return Ok(());
                }
            }
            tokio::select! {
                biased;
                end = self.line.over() => return Err(end),
                () = sleep_until(self.deadline) => return Ok(()),
                _ = ping.tick() => self.chunk(": ping\n\n").await?,
                item = listening.queue.recv() => match item {
                    Some(item) => next = Some(item),
                    None => return Ok(()),
                },
            }
        }
    }
}

/// An entry with its six members in the stream's order.
fn entry(item: &Item) -> Out {
    let value: serde_json::Value = serde_json::from_slice(&item.payload).unwrap_or_default();
    let members = ["event_id", "step", "status", "message", "level", "time"].map(|name| {
        (
            name,
            value.get(name).and_then(|one| one.as_str()).unwrap_or(""),
        )
    });
    let mut text = String::new();
    gojson::object(
        &mut text,
        &members.map(|(name, text)| (name, text.as_bytes())),
    );
    Out {
        number: item.number,
        kind: Kind::Event,
        origin: item.origin,
        text,
        plain: false,
    }
}

/// The lines of one record, since a node knows no newline inside of a line.
fn texts(feed: &PodFeed, row: &Row) -> Vec<String> {
    let line = row.line.strip_suffix(b"\n").unwrap_or(&row.line);
    let parts = line.split(|byte| *byte == b'\n').map(gojson::lossy);
    if feed.plain {
        return parts.collect();
    }
    let stamp = Stamp::new(row.at).nanos(row.number);
    let name = feed.containers.iter().find(|(_, id)| *id == row.container);
    let prefix = match name {
        Some((name, _)) if feed.containers.len() > 1 => format!("[{name}] "),
        Some(_) | None => String::new(),
    };
    parts
        .map(|text| format!("{prefix}{stamp} {text}"))
        .collect()
}

/// A chunk of the transfer.
fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{:x}\r\n", bytes.len()).into_bytes();
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    out
}

/// Behind the first byte of the first character that has several.
fn torn_at(text: &str) -> Option<usize> {
    let wide = text.char_indices().find(|(_, symbol)| !symbol.is_ascii());
    wide.map(|(at, _)| at + 1)
}

/// Whether an event has ended, and how: the console's words.
pub(super) fn verdict(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Running => ("", ""),
        Stage::Success => ("success", "complete"),
        Stage::Failure => ("failure", "complete"),
    }
}
