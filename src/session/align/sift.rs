//! What of a window is new: its lines laid over those that were given out, over each other, and
//! over those that were put off.

use crate::codec::docker_log::Line;
use crate::model::{Certainty, Micros};

use super::Held;
use super::fit::{Fit, Reach, counts, place};

/// A window's lines, each with whether it was given out, or is the twin of one that is.
pub(super) struct Sifted {
    pub(super) replayed: Vec<(Held, bool)>,
    pub(super) live: Vec<(Held, bool)>,
    /// How it met what was given out, and what was put off.
    pub(super) found: Found,
    pub(super) put_off: Found,
    pub(super) raw: bool,
    /// What was given out behind all that the window's history has: that one ended early, or is
    /// not over yet.
    pub(super) rest: Vec<u64>,
    /// The live lines follow the replayed ones without a hole.
    pub(super) joined: bool,
}

impl Sifted {
    /// Lines that were left out and may be others that say the same.
    pub(super) fn hidden(&self) -> u64 {
        self.found.hidden + self.put_off.hidden
    }
}

/// Which of the runs that were put off a window has lines of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Met {
    Nothing,
    /// Not of the first one.
    Later,
    First,
}

/// How a window met older lines.
#[derive(Default)]
pub(super) struct Found {
    pub(super) any: bool,
    pub(super) sure: bool,
    /// Much is missing inside of the overlap.
    pub(super) holed: bool,
    pub(super) hidden: u64,
}

impl Found {
    pub(super) fn add(&mut self, fit: Option<&Fit>) {
        let Some(fit) = fit else { return };
        self.any = true;
        self.sure |= fit.sure;
        self.holed |= !fit.close;
        self.hidden += (fit.pairs.len() - fit.least) as u64;
    }

    /// Whether lines are missing, by these.
    pub(super) fn grade(&self, full: bool) -> Certainty {
        // A history that is not full holds all there is, so that nothing is before it.
        if self.holed || full && !self.sure {
            Certainty::Possible
        } else {
            Certainty::None
        }
    }
}

pub(super) fn held(line: &Line<'_>, replay: bool, recv: Micros, print: u64) -> Held {
    Held {
        container: line.container.as_ref().map(|id| id.to_vec()),
        body: line.body.to_vec(),
        replay,
        recv,
        print,
    }
}

pub(super) fn prints(lines: &[Held]) -> Vec<u64> {
    lines.iter().map(|held| held.print).collect()
}

pub(super) fn fresh(lines: Vec<(Held, bool)>) -> impl Iterator<Item = Held> {
    let fresh = lines.into_iter().filter(|(_, known)| !known);
    fresh.map(|(held, _)| held)
}

/// Lays `run` over the lines of `prints` that are not marked yet, and marks those that it has.
pub(super) fn claim(run: &[u64], prints: &[u64], marked: &mut [bool], reach: Reach) -> Option<Fit> {
    let (places, free) = free(prints, marked);
    let fit = place(run, &free, reach)?;
    for (_, at) in &fit.pairs {
        mark(marked, places.get(*at));
    }
    Some(fit)
}

/// The lines that are not marked, and where they are.
fn free(prints: &[u64], marked: &[bool]) -> (Vec<usize>, Vec<u64>) {
    let free = prints.iter().zip(marked).enumerate();
    free.filter(|(_, (_, marked))| !**marked)
        .map(|(at, (print, _))| (at, *print))
        .unzip()
}

pub(super) fn mark(marked: &mut [bool], at: Option<&usize>) {
    if let Some(mark) = at.and_then(|at| marked.get_mut(*at)) {
        *mark = true;
    }
}

/// The live lines that are among the replayed ones as well, those of the replayed ones, and how
/// many of them may be others that say the same. A line is forwarded once it is in the file, so
/// twins stand at its end.
pub(super) fn twins(replayed: &[u64], given: &[bool], live: &[u64]) -> (Vec<bool>, Vec<bool>, u64) {
    let mut twin = vec![false; live.len()];
    let mut met = given.to_vec();
    let (places, free) = free(replayed, &met);
    let Some(fit) = place(&free, live, Reach::Twins) else {
        return (twin, met, 0);
    };
    for (at, index) in &fit.pairs {
        mark(&mut met, places.get(*at));
        mark(&mut twin, Some(index));
    }
    let mut hidden = (fit.pairs.len() - fit.least) as u64;
    if fit.close {
        // A queue that overran leaves a hole between twins: lines that stand alone are found.
        let unmet = |prints: &[u64], met: &[bool]| {
            let rest = prints.iter().zip(met).filter(|(_, met)| !**met);
            counts(&rest.map(|(print, _)| *print).collect::<Vec<_>>())
        };
        let (mut alone, others) = (unmet(replayed, &met), unmet(live, &twin));
        for (print, twin) in live.iter().zip(&mut twin) {
            if !*twin && others.get(print) == Some(&1) && alone.remove(print) == Some(1) {
                *twin = true;
                hidden += u64::from(!fit.sure);
                mark_last(replayed, &mut met, *print);
            }
        }
    }
    (twin, met, hidden)
}

/// Marks the last line of this fingerprint that is not marked.
fn mark_last(prints: &[u64], met: &mut [bool], print: u64) {
    let mut last = prints.iter().zip(met).rev();
    if let Some((_, met)) = last.find(|(one, met)| **one == print && !**met) {
        *met = true;
    }
}

/// A run of lines that was put off, and whether those came live.
pub(super) type Put = (Vec<Held>, bool);

/// Lays the runs that were put off over the window's new lines; the window's copy stays. What
/// is left of the runs stands before the window's replayed lines or, where those were cut off,
/// behind them.
pub(super) fn meet(
    pending: Vec<Put>,
    sifted: &mut Sifted,
    reach: Reach,
) -> (Vec<Put>, Vec<Put>, Met) {
    let history: Vec<u64> = sifted.replayed.iter().map(|(held, _)| held.print).collect();
    let mut marked: Vec<bool> = sifted.replayed.iter().map(|(_, given)| *given).collect();
    let (mut older, mut newer) = (Vec::new(), Vec::new());
    let (mut met, mut first) = (false, false);
    for (at, (run, live)) in pending.into_iter().enumerate() {
        let fit = claim(&prints(&run), &history, &mut marked, reach);
        sifted.put_off.add(fit.as_ref());
        let Some(fit) = fit else {
            // A history that was cut off has not come to the lines that were live then.
            let behind = met || live && sifted.found.any;
            if behind && reach == Reach::Anywhere {
                newer.push((run, live));
            } else {
                older.push((run, live));
            }
            continue;
        };
        (met, first) = (true, first || at == 0);
        let mut gone = vec![false; run.len()];
        let last = fit.last().unwrap_or(0);
        for (at, _) in &fit.pairs {
            mark(&mut gone, Some(at));
        }
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        for (at, (held, gone)) in run.into_iter().zip(gone).enumerate() {
            match (gone, at > last && reach == Reach::Anywhere) {
                (true, _) => {}
                (false, true) => behind.push(held),
                (false, false) => before.push(held),
            }
        }
        older.push((before, live));
        newer.push((behind, live));
    }
    let met = match (met, first) {
        (_, true) => Met::First,
        (true, false) => Met::Later,
        (false, false) => Met::Nothing,
    };
    (older, newer, met)
}
