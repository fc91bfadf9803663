//! The headless loop: sources in, a writing thread out, conditions in between.

use std::collections::HashMap;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::cli::args::OnLag;
use crate::cli::plan::LogsPlan;
use crate::cli::units::Retry;
use crate::clock;
use crate::codec::encoding::{self, Encoding};
use crate::codec::target::{FeedSpec, Target};
use crate::model::batch::Item;
use crate::model::{EndReason, FeedUpdate, LinkState, RawBatch, RowFlags, TargetId, words};
use crate::say;
use crate::source::{Command, Lag, Outlet, Policy, Reconnect, Source, as_received};
use crate::text::SafeText;
use crate::word;

use super::Stderr;
use super::alerts::{Alarm, Rates};
use super::exit;
use super::hold::Hold;
use super::printer::{Printer, Record};
use super::sink::{Block, Sink, WriteEnd, reader_gone};
use super::tee::Tee;

/// Batches between the sources and the loop, of up to 256 KiB each: 4 MiB in flight.
const INBOX: usize = 16;
/// Output is handed to the writing thread at this size, in bytes.
const BLOCK: usize = 256 << 10;

/// A signal that the process got, as an exit code; the caller owns the handlers.
pub type Signals = mpsc::Receiver<u8>;
/// What a run hears of besides its sources.
#[derive(Debug)]
pub struct Heard {
    /// Signals.
    pub signals: Signals,
    /// Alerts over metrics that begin and end.
    pub alarms: mpsc::Receiver<Alarm>,
}

pub(super) struct Stream {
    pub(super) target: Target,
    pub(super) source: Option<Source>,
    pub(super) hold: Option<Hold>,
    live: bool,
    pub(super) over: bool,
    /// Its link is lost, and not back yet.
    pub(super) away: bool,
    /// Its link was lost before.
    was_away: bool,
    /// Its source may hold lines until a history is over.
    pub(super) holds: bool,
    /// Lines that came.
    lines: u64,
    /// Lines that its outlet has dropped, and those of them that were told.
    pub(super) shed: Option<watch::Receiver<u64>>,
    pub(super) told_dropped: u64,
}

#[derive(Default)]
pub(super) struct Stats {
    pub(super) received: u64,
    pub(super) printed: u64,
    pub(super) filtered: u64,
    pub(super) dropped: u64,
    pub(super) bytes: u64,
}

pub(super) struct Follow {
    pub(super) plan: LogsPlan,
    pub(super) streams: Vec<Stream>,
    pub(super) printer: Printer,
    pub(super) block: Block,
    parts: HashMap<String, Vec<u8>>,
    pub(super) stats: Stats,
    pub(super) matched: u64,
    /// Decided exit code.
    pub(super) code: Option<u8>,
    /// Code of the first target that failed.
    pub(super) failed: Option<u8>,
    pub(super) last_line: Instant,
    pub(super) rates: Rates,
    /// When the rates were looked at.
    pub(super) looked: Instant,
    /// Time decided the end: what was read and is not whole is printed as well.
    pub(super) timed_out: bool,
    /// A signal decided it: what the sources hold is printed.
    pub(super) interrupted: bool,
    /// Lines that were dropped decided it.
    pub(super) lagged: bool,
    /// All that still comes is printed.
    pub(super) leaving: bool,
    pub(super) stderr: Stderr,
}

/// Prints lines until an end is reached; the answer is the exit code.
pub async fn run(plan: LogsPlan, mut heard: Heard, mut stderr: Stderr) -> u8 {
    let (sender, mut inbox) = mpsc::channel(INBOX);
    let tee = match plan.tee.clone().map(Tee::open).transpose() {
        Ok(tee) => tee,
        Err(error) => {
            let path = plan
                .tee
                .as_ref()
                .map_or(String::new(), |tee| tee.path.display().to_string());
            stderr.say(&say!(
                "-O {path}: it can't be written ({error}); choose another path",
                "-O {path}：无法写入（{error}）；请换一个路径"
            ));
            return exit::OUTPUT;
        }
    };
    let per_component = tee.as_ref().is_some_and(Tee::per_component);
    let mut sink = match Sink::start(tee) {
        Ok(sink) => sink,
        Err(error) => {
            stderr.say(&say!(
                "standard output: it can't be written ({error})",
                "标准输出：无法写入（{error}）"
            ));
            return exit::OUTPUT;
        }
    };
    let mut follow = Follow::new(plan, stderr);
    follow.start(&sender);
    drop(sender);
    let code = follow
        .pump(&mut inbox, &mut sink, &mut heard, per_component)
        .await;
    follow
        .leave((inbox, per_component), sink, heard.signals, code)
        .await
}

impl Follow {
    fn new(plan: LogsPlan, stderr: Stderr) -> Self {
        let stream = |target: &Target| {
            // Without following, all that comes is history.
            let all = !plan.follow || matches!(target.feed, FeedSpec::File(_) | FeedSpec::Stdin);
            Stream {
                target: target.clone(),
                source: None,
                hold: plan.tail.map(|keep| Hold::new(keep, all, plan.buffer)),
                live: false,
                over: false,
                away: false,
                was_away: false,
                holds: false,
                lines: 0,
                shed: None,
                told_dropped: 0,
            }
        };
        let streams: Vec<Stream> = plan.targets.iter().map(stream).collect();
        let names: Vec<(String, String)> = streams
            .iter()
            .map(|stream| (stream.target.text.clone(), stream.target.name.clone()))
            .collect();
        let rates = Rates::new(&plan.alerts, &names);
        let printer = Printer::new(plan.print.clone(), streams.len() > 1, clock::wall());
        Self {
            plan,
            streams,
            printer,
            block: Block::default(),
            parts: HashMap::new(),
            stats: Stats::default(),
            matched: 0,
            code: None,
            failed: None,
            last_line: clock::now(),
            rates,
            looked: clock::now(),
            timed_out: false,
            interrupted: false,
            lagged: false,
            leaving: false,
            stderr,
        }
    }

    fn start(&mut self, sender: &mpsc::Sender<(TargetId, FeedUpdate<RawBatch>)>) {
        let lag = match self.plan.on_lag {
            OnLag::Drop | OnLag::Exit => Lag::Drop(self.plan.buffer),
            OnLag::Block => {
                self.tell(word!("--on-lag block: while the output is slow nothing is read, and the server drops lines without telling", "--on-lag block：输出慢时不读取，服务端会悄悄丢弃日志行"));
                Lag::Block
            }
        };
        let reconnect = match self.plan.retry {
            Retry::Auto => Reconnect::Auto,
            Retry::Never => Reconnect::Never,
            Retry::Times(most) => Reconnect::Times(most),
        };
        let prepare = match self.plan.encoding {
            Encoding::Utf8 => as_received,
            Encoding::Gb18030 => encoding::gb18030,
        };
        let brief = !self.plan.follow && self.streams_end_with_history();
        for (index, stream) in self.streams.iter_mut().enumerate() {
            let id = TargetId::at(index);
            let outlet = Outlet::new(id, sender.clone(), prepare, lag)
                .numbered(self.plan.seq_regex.clone(), brief);
            let policy = Policy {
                reconnect,
                follow: self.plan.follow,
                seed: fastrand::u64(..),
            };
            stream.shed = Some(outlet.shed_count());
            stream.source = Some(Source::start(&stream.target, policy, outlet));
        }
    }

    /// Takes updates until something decides the end. The answer is the exit code.
    async fn pump(
        &mut self,
        inbox: &mut mpsc::Receiver<(TargetId, FeedUpdate<RawBatch>)>,
        sink: &mut Sink,
        heard: &mut Heard,
        per_component: bool,
    ) -> u8 {
        let Heard { signals, alarms } = heard;
        let deadline = self.plan.stop.lasting.map(|time| clock::now() + time);
        let gone = reader_gone();
        tokio::pin!(gone);
        loop {
            // What was said and not read may go now.
            self.stderr.say("");
            if let Some(code) = self.code {
                return code;
            }
            // What is printed goes out before anything else comes in, unless nothing waits.
            let due =
                self.block.out.len() >= BLOCK || inbox.is_empty() && !self.block.out.is_empty();
            if due && sink.write_now(&self.block.out) {
                self.stats.bytes += self.block.out.len() as u64;
                self.block.out.clear();
            } else if due {
                let Some(blocks) = sink.blocks.clone() else {
                    return exit::OUTPUT;
                };
                let exits = self.plan.on_lag == OnLag::Exit;
                let end = self.time_end(deadline, inbox.is_empty());
                tokio::select! {
                    biased;
                    Some(code) = signals.recv() => return self.interrupt(code),
                    ended = sink.ended() => return self.write_ended(ended),
                    () = sleep_until(end.unwrap_or_else(clock::now)), if end.is_some() => {
                        let end = self.time_end(deadline, inbox.is_empty());
                        if end.is_some_and(|end| clock::now() >= end) {
                            self.time_is_up(per_component);
                        }
                        continue;
                    }
                    () = self.drops(), if exits => {
                        self.lagged = true;
                        return exit::LOST;
                    }
                    permit = blocks.reserve_owned() => {
                        if let Ok(permit) = permit {
                            sink.given();
                            permit.send(self.take_block());
                        }
                    }
                }
            }
            let wake = self.wake(deadline);
            tokio::select! {
                biased;
                Some(code) = signals.recv() => return self.interrupt(code),
                ended = sink.ended() => return self.write_ended(ended),
                () = &mut gone => return exit::OK,
                update = inbox.recv() => match update {
                    Some((id, update)) => self.take(id, update, per_component),
                    None => return self.all_over(),
                },
                Some(alarm) = alarms.recv() => self.alarm(&alarm),
                () = sleep_until(wake) => {
                    let now = clock::now();
                    self.look_at_rates(now);
                    if self.time_end(deadline, true).is_some_and(|end| now >= end) {
                        self.time_is_up(per_component);
                    }
                }
            }
            if self.streams.iter().all(|stream| stream.over) {
                self.code.get_or_insert(self.plain_end());
            }
        }
    }

    fn interrupt(&mut self, code: u8) -> u8 {
        self.interrupted = true;
        code
    }

    fn all_over(&self) -> u8 {
        self.code.unwrap_or_else(|| self.plain_end())
    }

    fn write_ended(&mut self, ended: Option<WriteEnd>) -> u8 {
        match ended {
            Some(WriteEnd::Closed) => exit::OK,
            Some(WriteEnd::Failed(what)) => {
                self.always(&say!(
                    "{what}; free some space, or write elsewhere",
                    "{what}；请腾出空间，或写到别处"
                ));
                exit::OUTPUT
            }
            None => exit::OUTPUT,
        }
    }

    pub(super) fn take(&mut self, id: TargetId, update: FeedUpdate<RawBatch>, per_component: bool) {
        match update {
            FeedUpdate::Lines(batch) => {
                if !batch.is_empty() {
                    self.last_line = clock::now();
                }
                let Some(stream) = self.streams.get_mut(usize::from(id.0)) else {
                    return;
                };
                stream.lines += batch.len() as u64;
                if !self.rates.is_empty() {
                    self.rates.count(usize::from(id.0), &batch);
                    // Lines that never pause must not keep time from being looked at.
                    self.look_at_rates(clock::now());
                }
                let Some(stream) = self.streams.get_mut(usize::from(id.0)) else {
                    return;
                };
                match &mut stream.hold {
                    Some(hold) => {
                        if !hold.push(batch) {
                            self.release(id, per_component);
                        }
                    }
                    None => self.print(id, &batch, (0, false), per_component),
                }
            }
            FeedUpdate::State(state) => self.state(id, &state, per_component),
        }
    }

    fn state(&mut self, id: TargetId, state: &LinkState, per_component: bool) {
        let stream = self.streams.get(usize::from(id.0));
        if stream.is_none_or(|stream| stream.over) {
            return;
        }
        let over = matches!(state, LinkState::Ended(_));
        if over || *state == LinkState::Live {
            self.release(id, per_component);
        }
        let Some(stream) = self.streams.get_mut(usize::from(id.0)) else {
            return;
        };
        let target = stream.target.text.clone();
        match state {
            LinkState::Live => {
                if std::mem::take(&mut stream.holds) {
                    // The time without a line runs from here.
                    self.last_line = clock::now();
                }
                let first = !std::mem::replace(&mut stream.live, true);
                let nothing = stream.lines == 0;
                if !self.plan.follow && self.streams_end_with_history() {
                    self.finish_stream(id);
                    self.end_record(id, EndReason::Finished);
                    if nothing {
                        self.tell(&say!(
                            "{target}: its history is empty; check the id, or follow with -f",
                            "{target}：历史为空；请检查 ID，或用 -f 跟随"
                        ));
                    }
                }
                if first && self.plan.follow {
                    self.tell(&say!("{target}: live", "{target}：实时"));
                }
            }
            LinkState::Ended(reason) => {
                self.finish_stream(id);
                self.ended(&target, reason);
            }
            LinkState::Waiting { .. } => {
                let fresh = !std::mem::replace(&mut stream.away, true);
                stream.was_away = true;
                self.tell(&say!("{target}: {}", "{target}：{}", words::state(state)));
                if !fresh {
                    return;
                }
            }
            LinkState::Stale => {
                self.tell(&say!("{target}: {}", "{target}：{}", words::state(state)));
            }
            LinkState::Open => stream.away = false,
            LinkState::Replaying => stream.holds = stream.was_away,
            LinkState::Connecting(_) => {}
        }
        self.printer
            .state(&target, state, clock::wall(), &mut self.block.out);
    }

    /// Without -f a target ends with its history, unless a condition keeps it open.
    fn streams_end_with_history(&self) -> bool {
        let stop = &self.plan.stop;
        let waits = stop.lasting.is_some() || stop.idle.is_some() || stop.max_lines.is_some();
        !waits && stop.until.is_none() && stop.fail.is_none()
    }

    /// The record of an end that is ours.
    pub(super) fn end_record(&mut self, id: TargetId, reason: EndReason) {
        let Some(stream) = self.streams.get(usize::from(id.0)) else {
            return;
        };
        let ended = LinkState::Ended(reason);
        self.printer.state(
            &stream.target.text,
            &ended,
            clock::wall(),
            &mut self.block.out,
        );
    }

    fn finish_stream(&mut self, id: TargetId) {
        if let Some(stream) = self.streams.get_mut(usize::from(id.0)) {
            stream.over = true;
            if let Some(source) = &stream.source {
                source.tell(Command::Stop);
            }
        }
    }

    fn ended(&mut self, target: &str, reason: &EndReason) {
        match reason {
            EndReason::Finished => {}
            EndReason::Success(_) => {
                self.tell(&say!("{target}: {}", "{target}：{}", words::end(reason)));
            }
            EndReason::Failure(_) => {
                self.failed.get_or_insert(exit::NO);
                self.tell(&say!("{target}: {}", "{target}：{}", words::end(reason)));
            }
            EndReason::Fault(fault) => {
                self.failed.get_or_insert(fault.kind.exit_code());
                self.always(&fault.to_string());
            }
        }
    }

    pub(super) fn release_all(&mut self, per_component: bool) {
        for index in 0..self.streams.len() {
            self.release(TargetId::at(index), per_component);
        }
    }

    fn release(&mut self, id: TargetId, per_component: bool) {
        let hold = self
            .streams
            .get_mut(usize::from(id.0))
            .and_then(|stream| stream.hold.take());
        let Some(hold) = hold else { return };
        self.stats.received += hold.forgotten();
        self.stats.filtered += hold.forgotten();
        let (batches, all) = hold.release();
        for (batch, skip) in batches {
            self.print(id, &batch, (skip, all), per_component);
        }
    }

    /// Prints a batch without its first `skip` lines of history.
    fn print(
        &mut self,
        id: TargetId,
        batch: &RawBatch,
        (mut skip, all): (usize, bool),
        per_component: bool,
    ) {
        let Some(stream) = self.streams.get(usize::from(id.0)) else {
            return;
        };
        let target = stream.target.clone();
        let mut printed_frame = None;
        for item in batch.iter() {
            if self.code.is_some() && !self.leaving {
                return;
            }
            match item {
                Item::Mark(mark) => self.mark(id, mark),
                Item::Line(_, row) if skip > 0 && (all || row.flags.has(RowFlags::REPLAY)) => {
                    skip -= 1;
                    self.stats.received += 1;
                    self.stats.filtered += 1;
                }
                Item::Line(index, row) => {
                    self.stats.received += 1;
                    let line = batch.line(index);
                    let (frame_row, frame) = batch.whole_frame(index).unzip();
                    let framed = frame_row.is_some() && frame_row == printed_frame;
                    let record = Record {
                        target: &target.text,
                        name: &target.name,
                        place: target.place(),
                        row,
                        source: batch.source(row),
                        line,
                        frame: frame.filter(|_| !framed),
                        framed,
                    };
                    if self.line(&record, per_component) {
                        printed_frame = frame_row;
                    }
                }
            }
        }
    }

    /// True if the line was printed, and not filtered.
    fn line(&mut self, record: &Record<'_>, per_component: bool) -> bool {
        let stop = &self.plan.stop;
        let looks = !self.plan.filter.is_empty() || stop.until.is_some() || stop.fail.is_some();
        let shown = if looks {
            SafeText::new(record.line)
        } else {
            SafeText::default()
        };
        let accepted = !looks || self.plan.filter.accepts(shown.as_str());
        if accepted {
            let from = self.block.out.len();
            self.printer.line(record, &mut self.block.out);
            if per_component {
                let component = record.source.and_then(|source| source.component());
                let component = component.map_or(record.name, |component| component.as_str());
                let bytes = self.block.out.get(from..).unwrap_or(&[]);
                match self.parts.get_mut(component) {
                    Some(part) => part.extend_from_slice(bytes),
                    None => drop(self.parts.insert(component.to_owned(), bytes.to_vec())),
                }
            }
            self.stats.printed += 1;
        } else {
            self.stats.filtered += 1;
        }
        if !self.leaving {
            self.conditions(shown.as_str());
        }
        accepted
    }

    pub(super) fn take_block(&mut self) -> Block {
        let mut block = std::mem::take(&mut self.block);
        self.stats.bytes += block.out.len() as u64;
        block.parts.extend(self.parts.drain());
        self.block.out.reserve(BLOCK);
        block
    }

    /// Says something that `-q` silences.
    pub(super) fn tell(&mut self, text: &str) {
        if !self.plan.quiet {
            self.always(text);
        }
    }

    pub(super) fn always(&mut self, text: &str) {
        self.stderr.say(text);
    }
}
