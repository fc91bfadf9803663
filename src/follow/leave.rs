//! The way out: what is printed is settled, the statistics are told, the sources let go.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout, timeout_at};

use crate::clock;
use crate::codec::target::FeedSpec;
use crate::model::{EndReason, FeedUpdate, RawBatch, TargetId, words};
use crate::say;
use crate::source::{Command, Source};

use super::exit;
use super::run::{Follow, Signals, Stats};
use super::sink::{Sink, WriteEnd};

/// How long the last words of a file or of standard input are waited for.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// And those of a source that holds lines; it is asked nothing but to let them go.
const HELD_WORDS: Duration = Duration::from_secs(1);
/// How long a reader that was too slow, so that the run ends, is waited for.
const SLOW_READER: Duration = Duration::from_secs(5);

/// What the sources send.
type Inbox = mpsc::Receiver<(TargetId, FeedUpdate<RawBatch>)>;

impl Follow {
    /// When time, a signal or the lines that were dropped ended the run, all that was dropped is
    /// told, after what the sources still have to say. True if a loss shows by that which ends
    /// the run with a code of its own.
    async fn last_words(&mut self, inbox: &mut Inbox, per_component: bool) -> bool {
        if !self.timed_out && !self.interrupted && !self.lagged {
            return false;
        }
        self.code = None;
        if !self.lagged {
            self.hear_out(inbox, per_component).await;
        }
        self.tell_drops();
        self.code == Some(exit::LOST)
    }

    /// Lines that a source holds, or that `--tail` does, are printed, and numbers that are waited
    /// for are told missing; when time ended the run, a line that a file or standard input has
    /// begun is printed as well.
    async fn hear_out(&mut self, inbox: &mut Inbox, per_component: bool) {
        let numbered = self.plan.seq_regex.is_some();
        let local = |feed: &FeedSpec| matches!(feed, FeedSpec::File(_) | FeedSpec::Stdin);
        let mut asked = Vec::new();
        let mut patience = Duration::ZERO;
        for (index, stream) in self.streams.iter().enumerate() {
            let begun = self.timed_out && local(&stream.target.feed);
            if let Some(source) = &stream.source
                && !stream.over
                && (begun || stream.holds || stream.hold.is_some() || numbered)
            {
                source.tell(Command::Stop);
                patience = patience.max(if begun { LAST_WORDS } else { HELD_WORDS });
                asked.push(index);
            }
        }
        self.leaving = true;
        let until = clock::now() + patience;
        let mut waits = !asked.is_empty();
        while waits && let Ok(Some((id, update))) = timeout_at(until, inbox.recv()).await {
            if asked.contains(&usize::from(id.0)) {
                self.take(id, update, per_component);
            }
            let over = |index: &usize| self.streams.get(*index).is_none_or(|one| one.over);
            waits = !asked.iter().all(over);
        }
        self.release_all(per_component);
    }

    /// Each target that goes on has its end told in JSON: that it was ours.
    pub(super) fn end_records(&mut self) {
        for index in 0..self.streams.len() {
            if self.streams.get(index).is_some_and(|stream| !stream.over) {
                self.end_record(TargetId::at(index), EndReason::Finished);
            }
        }
    }

    /// Settles the output, tells the statistics and lets the sources go.
    pub(super) async fn leave(
        mut self,
        (mut inbox, per_component): (Inbox, bool),
        mut sink: Sink,
        mut signals: Signals,
        code: u8,
    ) -> u8 {
        let mut code = code;
        let lost = self.last_words(&mut inbox, per_component).await;
        if lost && code == exit::OK {
            code = exit::LOST;
        }
        self.end_records();
        let slow = self.lagged;
        let (mut insisted, mut late) = (false, false);
        let settled = tokio::select! {
            ended = self.settle(&mut sink) => ended,
            Some(_) = signals.recv() => {
                insisted = true;
                self.stderr.let_go();
                None
            }
            () = sleep(SLOW_READER), if slow => {
                late = true;
                None
            }
        };
        if late {
            self.always(&say!(
                "--on-lag exit: the reader has not taken all of the output in time; the rest is lost",
                "--on-lag exit：读取方未及时取走全部输出；其余已丢失"
            ));
        }
        if let Some(WriteEnd::Failed(what)) = settled {
            self.always(&say!(
                "{what}; free some space, or write elsewhere",
                "{what}；请腾出空间，或写到别处"
            ));
            code = exit::OUTPUT;
        }
        if self.plan.stats {
            self.summary();
        }
        drop(inbox);
        if insisted {
            return code;
        }
        let sources = self
            .streams
            .iter_mut()
            .filter_map(|stream| stream.source.take())
            .collect();
        if drain(sources, signals).await {
            self.stderr.let_go();
        }
        code
    }

    /// Hands the last block on and waits for the writer, for as long as the reader takes.
    async fn settle(&mut self, sink: &mut Sink) -> Option<WriteEnd> {
        if let Some(blocks) = sink.blocks.take()
            && !self.block.out.is_empty()
        {
            // A writer that has ended takes nothing, and has told why.
            drop(blocks.send(self.take_block()).await);
        }
        sink.ended().await
    }

    fn summary(&mut self) {
        let Stats {
            received,
            printed,
            filtered,
            dropped,
            bytes,
        } = self.stats;
        let (received, printed) = (words::count(received), words::count(printed));
        let (filtered, dropped, bytes) = (
            words::count(filtered),
            words::count(dropped),
            words::count(bytes),
        );
        self.always(&say!(
            "received {received} lines = printed {printed} + filtered {filtered} + dropped {dropped}; {bytes} bytes written", "收到 {received} 行 = 打印 {printed} + 过滤 {filtered} + 丢弃 {dropped}；写出 {bytes} 字节"
        ));
    }
}

/// Stops the sources. Those that are still in a server's replay are drained (decision 2), for
/// 10 s at most or until the user insists: true then.
async fn drain(sources: Vec<Source>, mut signals: Signals) -> bool {
    let all = async {
        let mut waiting: tokio::task::JoinSet<()> = tokio::task::JoinSet::new();
        for source in sources {
            waiting.spawn(source.finish());
        }
        while waiting.join_next().await.is_some() {}
    };
    tokio::select! {
        _ = timeout(Duration::from_secs(12), all) => false,
        Some(_) = signals.recv() => true,
    }
}
