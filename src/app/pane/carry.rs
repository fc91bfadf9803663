//! Lines that move from panes to other panes when these are merged or parted.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::level;
use crate::model::{LineBatch, Micros, PaneId, RawBatch, RowFlags, RowHead, TargetId};
use crate::store::volume::Recent;
use crate::store::{LineId, LineRef, LogStore, Row};
use crate::text::SafeText;

use super::Pane;

/// Rows go over in batches of this weight, in bytes.
const BATCH: usize = 1 << 20;

/// Which rows of which old panes a new pane takes over, oldest first.
pub struct Rows<'a> {
    rows: Vec<(&'a LogStore, LineId)>,
}

/// For each new pane the rows of its targets, by arrival. A target that several old panes
/// showed is taken from the first of them.
pub fn sorted<'a>(old: &'a [Pane], new: &BTreeMap<PaneId, Pane>) -> Vec<(PaneId, Rows<'a>)> {
    let mut taken = BTreeSet::new();
    let mut lines: Vec<(Micros, &LogStore, LineId, TargetId)> = Vec::new();
    for pane in old {
        let fresh: BTreeSet<_> = pane
            .targets
            .iter()
            .copied()
            .filter(|target| !taken.contains(target))
            .collect();
        let mut last = Micros(0);
        for row in pane.store.rows(pane.store.first()..pane.store.end()) {
            let (at, target) = match &row {
                Row::Line(line) => (line.recv(), line.target()),
                Row::Mark(mark) => (mark.recv.unwrap_or(last), mark.target),
            };
            last = at;
            if fresh.contains(&target) {
                lines.push((at, &pane.store, row.id(), target));
            }
        }
        taken.extend(fresh);
    }
    // Stable: rows of one moment keep their order.
    lines.sort_by_key(|(at, ..)| *at);
    let rows_of = |pane: &Pane| {
        let mine = lines
            .iter()
            .filter(|(.., target)| pane.targets.contains(target));
        Rows {
            rows: mine.map(|(_, store, id, _)| (*store, *id)).collect(),
        }
    };
    new.iter().map(|(id, pane)| (*id, rows_of(pane))).collect()
}

impl Pane {
    /// Takes rows over from other stores.
    pub fn take_over(&mut self, rows: Rows<'_>) {
        let mut batch = RawBatch::default();
        let mut target = None;
        for (store, id) in rows.rows {
            let Some(row) = store.get(id) else { continue };
            let of = match &row {
                Row::Line(line) => line.target(),
                Row::Mark(mark) => mark.target,
            };
            if target.is_some_and(|target| target != of) || batch.weight() > BATCH {
                self.take_batch(target, &mut batch);
            }
            target = Some(of);
            match row {
                Row::Mark(mark) => batch.push_mark(mark.mark.clone()),
                Row::Line(line) => push(&mut batch, &line),
            }
        }
        self.take_batch(target, &mut batch);
    }

    fn take_batch(&mut self, target: Option<TargetId>, batch: &mut RawBatch) {
        if let Some(target) = target {
            let fine = LineBatch::refine(batch, level::detect);
            self.received += fine.len() as u64;
            self.count_dropped(&fine);
            self.sourced |= fine.rows().iter().any(|row| fine.source(row).is_some());
            let appended = self.store.push_batch(target, &fine);
            self.times.add(&fine, appended.first);
            batch.clear();
        }
    }

    /// Forgets all lines.
    pub fn clear(&mut self) {
        while self.evict() {}
        self.view.select = None;
        self.times.volume.clear();
        self.times.recent = Recent::default();
        self.follow();
    }
}

/// A stored line as it was received. Where the received bytes are a whole frame that the line
/// was read out of, the line is its text and the frame goes along.
fn push(batch: &mut RawBatch, line: &LineRef<'_>) {
    let received = line.bytes();
    let head = RowHead {
        source: line.source(),
        flags: RowFlags(line.flags().0 & !RowFlags::CHANGED),
        level: line.level(),
        recv: line.recv(),
        stamp: line.stamp(),
    };
    let shown = received.strip_suffix(b"\r").unwrap_or(&received);
    if SafeText::new(shown).as_str() == line.as_str() {
        batch.push(&received, &head);
    } else {
        batch.push(line.as_str().as_bytes(), &head);
        batch.keep_frame(&received);
    }
}
