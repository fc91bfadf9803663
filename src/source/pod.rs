//! The task that reads one pod's log, over as many connections as it takes, until the pod is
//! gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

use crate::clock;
use crate::codec::sse::{Decoder, Said};
use crate::model::context::Place;
use crate::model::{Certainty, Fault, FaultKind, Mark, RawBatch, words};
use crate::platform::Platform;
use crate::say;
use crate::session::backoff::{Backoff, Pace};
use crate::session::pod::PodLog;
use crate::session::port::Now;
use crate::text::SafeText;
use crate::transport::DialError;
use crate::transport::http::{self, Streaming};
use crate::word;

use super::drive::now;
use super::last_words::LastWords;

/// Lines of history that a new connection asks for.
const AGAIN: usize = 1000;

/// What a reader tells.
#[derive(Debug)]
pub(super) enum News {
    /// The first connection stands.
    Opened,
    /// Lines and marks.
    Lines(RawBatch),
    /// The history of the first connection is over.
    Live,
    /// Its stream can't be had, and asking again would not help.
    Refused(DialError),
    /// An attempt failed, or the stream was lost.
    Failed(Failure),
    /// The pod is gone and has said everything.
    Over,
}

/// An attempt that failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// The next attempt comes after this.
    pub(super) wait: Duration,
    /// Failures since the outage began.
    pub(super) failures: u32,
    pub(super) fault: Fault,
}

/// Reads one pod.
pub(super) struct Reader {
    pub(super) place: Arc<Place>,
    pub(super) pod: String,
    /// Lines of history that the first connection asks for.
    pub(super) lines: usize,
    pub(super) news: mpsc::Sender<(String, News)>,
    /// True once the pod is gone.
    pub(super) gone: watch::Receiver<bool>,
    pub(super) seed: u64,
}

impl Reader {
    pub(super) async fn run(mut self) {
        let mut platform = Platform::new(&self.place.context);
        let mut log = PodLog::new(&self.place.component.name, &self.pod);
        let mut backoff = Backoff::new(Pace::WebSocket, self.seed);
        let mut lost: Option<std::time::Instant> = None;
        let mut ever = false;
        loop {
            let asked = if ever {
                AGAIN.max(self.lines)
            } else {
                self.lines
            };
            let (wait, fault) = match platform.pod_log(&self.place, &self.pod, asked).await {
                Ok(stream) => {
                    backoff.opened(clock::now().into_std());
                    log.opened(now(), http::date(&stream.headers), asked);
                    if !std::mem::replace(&mut ever, true) {
                        self.tell(News::Opened).await;
                    }
                    let (lines, why) = self.read(stream, &mut log, lost.take()).await;
                    if *self.gone.borrow() {
                        break;
                    }
                    lost = Some(clock::now().into_std());
                    let wait = backoff.failed(clock::now().into_std(), lines);
                    (wait, self.lost(why))
                }
                Err(_) if *self.gone.borrow() => break,
                // A pod that has just come may not have a log yet.
                Err(error) if !error.retry && !ever => {
                    self.tell(News::Refused(error)).await;
                    return;
                }
                Err(error) => {
                    let wait = backoff.failed(clock::now().into_std(), 0);
                    (wait.max(error.after.unwrap_or_default()), error.fault)
                }
            };
            let failures = backoff.failures();
            self.tell(News::Failed(Failure {
                wait,
                failures,
                fault,
            }))
            .await;
            tokio::select! {
                () = sleep(wait) => {}
                _ = self.gone.wait_for(|gone| *gone) => break,
            }
        }
        self.tell(News::Over).await;
    }

    fn lost(&self, why: String) -> Fault {
        let next = word!(
            "look at the pod, then open the target again",
            "请检查实例，再重新打开目标"
        );
        Fault::new(FaultKind::Lost, self.pod.as_str(), why, next)
    }

    async fn tell(&self, news: News) {
        // Without a program there is nobody to tell.
        let _ = self.news.send((self.pod.clone(), news)).await;
    }

    /// Reads one connection to its end: how many lines it brought, and why it ended.
    async fn read(
        &self,
        mut stream: Streaming,
        log: &mut PodLog,
        mut lost: Option<std::time::Instant>,
    ) -> (u64, String) {
        let mut gone = self.gone.clone();
        let mut decoder = Decoder::default();
        let mut batch = RawBatch::default();
        let (mut count, mut told_live) = (0, false);
        let mut last: Option<LastWords> = None;
        let why = loop {
            // A server that always has bytes does not put off the end for ever.
            if last.is_some_and(|last| last.is_cut(clock::now())) {
                batch.push_mark(Mark::gap(Certainty::Possible, &self.cut()));
                self.hand_on(&mut batch, &mut count).await;
                break String::new();
            }
            let far = clock::now() + Duration::from_secs(3600);
            let check = log.deadline().map_or(far, Instant::from_std);
            let wake = check.min(last.map_or(far, |last| last.deadline()));
            let over = tokio::select! {
                biased;
                _ = gone.wait_for(|gone| *gone), if last.is_none() => {
                    last = Some(LastWords::begin(clock::now()));
                    None
                }
                chunk = stream.chunk() => {
                    let now = now();
                    match chunk {
                        Ok(Some(bytes)) => {
                            decoder.feed(&bytes, |said| {
                                if let Said::Event(event) = said {
                                    log.event(now, &event, &mut batch);
                                }
                            });
                            if !batch.is_empty() {
                                self.back(lost.take(), &mut batch, now);
                            }
                            None
                        }
                        Ok(None) => Some(say!("the server ended the stream", "服务器结束了数据流")),
                        Err(error) => Some(error.words()),
                    }
                }
                () = sleep_until(wake) => {
                    log.check(now());
                    last.is_some_and(|last| last.is_silent(clock::now())).then(String::new)
                }
            };
            let came = clock::now();
            if !batch.is_empty() {
                self.hand_on(&mut batch, &mut count).await;
                if let Some(last) = &mut last {
                    last.heard(came, clock::now());
                }
            }
            if log.is_live() && !std::mem::replace(&mut told_live, true) {
                self.tell(News::Live).await;
            }
            if let Some(why) = over {
                break why;
            }
        };
        (count, why)
    }

    fn cut(&self) -> String {
        let pod = &self.pod;
        say!(
            "{pod}: it is gone, and still says more than is read of one that is gone",
            "{pod}：该实例已消失，但仍有更多输出未读取"
        )
    }

    /// Says that the stream is back, before its first new line.
    fn back(&self, lost: Option<std::time::Instant>, batch: &mut RawBatch, now: Now) {
        let Some(since) = lost else { return };
        let away = words::duration(now.mono.saturating_duration_since(since));
        let pod = &self.pod;
        let text = say!(
            "{pod}: the stream is back after {away}",
            "{pod}：数据流在 {away} 后恢复"
        );
        batch.lead_mark(Mark::Notice(SafeText::of(&text).into_owned()));
    }

    async fn hand_on(&self, batch: &mut RawBatch, count: &mut u64) {
        *count += batch.len() as u64;
        let room = RawBatch::like(batch);
        let full = std::mem::replace(batch, room);
        self.tell(News::Lines(full)).await;
    }
}
