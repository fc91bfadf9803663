//! The times of a pane's lines (decision 8): the server's stamp, else one read from the line's
//! own start, else its arrival. A replayed line with neither stamp stands before the axis.

use std::collections::VecDeque;

use jiff::tz::TimeZone;

use crate::codec::stamp;
use crate::model::batch::Item;
use crate::model::{LineBatch, Micros, RowFlags};
use crate::store::volume::{Recent, Volume};
use crate::store::{LineId, LineRef, Row};

use super::Pane;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// How the strip of volume over the lines is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strip {
    /// Not at all.
    #[default]
    Off,
    /// Bars, by level.
    Bars,
    /// A row for each level, the more lines the brighter.
    Heat,
}

/// When the lines of a pane were said.
#[derive(Clone, Debug)]
pub struct Times {
    /// How many lines came when.
    pub volume: Volume,
    /// How many came within the last seconds.
    pub recent: Recent,
    /// The first line of each second.
    pub seconds: Seconds,
    /// A moment whose lines are not here yet.
    pub sought: Option<Micros>,
    /// The strip over the lines.
    pub strip: Strip,
    /// The zone of stamps without one.
    pub zone: TimeZone,
    /// Microseconds that the server's clock is ahead of ours.
    pub ahead: i64,
    reader: stamp::Reader,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            volume: Volume::new(),
            recent: Recent::default(),
            seconds: Seconds::default(),
            sought: None,
            strip: Strip::default(),
            zone: TimeZone::UTC,
            ahead: 0,
            reader: stamp::Reader::default(),
        }
    }
}

impl Times {
    /// When a line was said.
    fn of(&self, line: &LineRef<'_>) -> Option<Micros> {
        let own = || stamp::of_line(line.as_str(), &self.zone, line.recv());
        let arrived = arrived(line.flags(), line.recv(), self.ahead);
        let can_be = |at: &Micros| self.can_be(*at, line.recv());
        line.stamp().or_else(own).filter(can_be).or(arrived)
    }

    /// A line says nothing that is a day and more ahead: such a stamp means something else.
    fn can_be(&self, at: Micros, recv: Micros) -> bool {
        let latest = recv.0.saturating_add(self.ahead.max(0)).saturating_add(DAY);
        at.0 <= latest
    }

    /// Lines came; the first item of the batch has this number.
    pub(super) fn add(&mut self, batch: &LineBatch, first: LineId) {
        let mut id = first;
        for item in batch.iter() {
            if let Item::Line(index, row) = item {
                let text = batch.text().line(index);
                let own = || self.reader.read(text, &self.zone, row.recv);
                let arrived = arrived(row.flags, row.recv, self.ahead);
                if !row.flags.has(RowFlags::REPLAY) {
                    self.recent.add(row.recv, row.level, 1);
                }
                let stamp = row.stamp.or_else(own);
                let stamp = stamp.filter(|at| self.can_be(*at, row.recv));
                if let Some(at) = stamp.or(arrived) {
                    self.volume.add(at, row.level, 1);
                    self.seconds.add(at, id);
                }
            }
            id.0 += 1;
        }
    }
}

/// When a line came, by the server's clock; a replayed one came at another time.
fn arrived(flags: RowFlags, recv: Micros, ahead: i64) -> Option<Micros> {
    (!flags.has(RowFlags::REPLAY)).then_some(Micros(recv.0.saturating_add(ahead)))
}

/// Which line is the first of each second, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Seconds {
    /// A second that had not been reached before, and its first line.
    firsts: VecDeque<(i64, LineId)>,
}

impl Seconds {
    /// A line of this time comes.
    pub fn add(&mut self, at: Micros, line: LineId) {
        let second = at.0.div_euclid(1_000_000);
        if self.firsts.back().is_none_or(|(last, _)| second > *last) {
            self.firsts.push_back((second, line));
        }
    }

    /// Lines before this one are gone.
    pub fn evict(&mut self, first: LineId) {
        // Of the second that the first line is in, the beginning stays.
        while self.firsts.get(1).is_some_and(|(_, line)| *line <= first) {
            self.firsts.pop_front();
        }
        if let Some(front) = self.firsts.front_mut() {
            front.1 = front.1.max(first);
        }
        if self.firsts.len() < self.firsts.capacity() / 4 {
            self.firsts.shrink_to(self.firsts.len() * 2);
        }
    }

    /// Where to begin to look for the first line at or after a moment; none if all are earlier
    /// by a second or more.
    pub fn before(&self, at: Micros) -> Option<LineId> {
        let second = at.0.div_euclid(1_000_000);
        if self.firsts.back().is_none_or(|(last, _)| second > *last) {
            return None;
        }
        let index = self.firsts.partition_point(|(known, _)| *known < second);
        self.firsts.get(index).map(|(_, line)| *line)
    }

    /// Bytes of memory held.
    pub fn heap_bytes(&self) -> usize {
        self.firsts.capacity() * size_of::<(i64, LineId)>()
    }
}

impl Pane {
    /// When a row was said; a mark stands where the line before it does.
    pub fn time_of(&self, id: LineId) -> Option<Micros> {
        match self.store.get(id)? {
            Row::Line(line) => self.times.of(&line),
            Row::Mark(mark) => mark.recv,
        }
    }

    /// The first line at or after a moment, in the order in which they came.
    pub fn line_at(&self, moment: Micros) -> Option<LineId> {
        let begin = self.times.seconds.before(moment)?;
        let mut line = Some(begin);
        // Within one second; lines that are out of order cost no more than this.
        for _ in 0..100_000 {
            let here = line?;
            if self.time_of(here).is_some_and(|at| at >= moment) {
                return Some(here);
            }
            line = (here.0 + 1 < self.store.end().0).then_some(LineId(here.0 + 1));
        }
        line
    }
}
