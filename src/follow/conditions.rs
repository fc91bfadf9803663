//! What decides the end of a run: lines that match, lines that are lost.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use crate::cli::args::OnLag;
use crate::clock;
use crate::model::{Mark, TargetId, words};
use crate::say;

use super::alerts;
use super::exit;
use super::run::Follow;

impl Follow {
    pub(super) fn conditions(&mut self, shown: &str) {
        let stop = &self.plan.stop;
        if stop
            .fail
            .as_ref()
            .is_some_and(|re| re.is_match(shown.as_bytes()))
        {
            self.code = Some(exit::NO);
        } else if stop
            .until
            .as_ref()
            .is_some_and(|re| re.is_match(shown.as_bytes()))
        {
            self.matched += 1;
            if self.matched >= stop.count {
                self.code = Some(exit::OK);
            }
        }
        if self.code.is_none()
            && stop
                .max_lines
                .is_some_and(|most| self.stats.printed >= most)
        {
            self.code = Some(if stop.until.is_some() {
                exit::NO
            } else {
                self.failed.unwrap_or(exit::OK)
            });
        }
    }

    pub(super) fn mark(&mut self, id: TargetId, mark: &Mark) {
        let Some(stream) = self.streams.get_mut(usize::from(id.0)) else {
            return;
        };
        let target = &stream.target;
        self.printer
            .mark(target, mark, clock::wall(), &mut self.block.out);
        if let Mark::Dropped { lines } = mark {
            stream.told_dropped += lines;
            self.stats.received += lines;
            self.stats.dropped += lines;
            if self.plan.on_lag == OnLag::Exit {
                self.code = Some(exit::LOST);
                self.lagged = true;
            }
        }
        let target = target.text.clone();
        if mark.is_loss() && self.plan.stop.strict {
            self.code = Some(exit::LOST);
            self.always(&say!(
                "{target}: {} (--strict)",
                "{target}：{}（--strict）",
                words::mark(mark)
            ));
        } else {
            self.tell(&say!("{target}: {}", "{target}：{}", words::mark(mark)));
        }
    }

    /// Resolves when a source has dropped lines that were not told.
    pub(super) async fn drops(&mut self) {
        let told = self.streams.iter_mut().filter_map(|stream| {
            let (shed, told) = (stream.shed.as_mut()?, stream.told_dropped);
            Some(async move { shed.wait_for(|all| *all > told).await.is_ok() })
        });
        let mut told: FuturesUnordered<_> = told.collect();
        while let Some(dropped) = told.next().await {
            if dropped {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Tells of lines that were dropped and whose mark has not come.
    pub(super) fn tell_drops(&mut self) {
        for index in 0..self.streams.len() {
            let Some(stream) = self.streams.get(index) else {
                return;
            };
            let all = stream.shed.as_ref().map_or(0, |shed| *shed.borrow());
            let lines = all.saturating_sub(stream.told_dropped);
            if lines > 0 {
                self.mark(TargetId::at(index), &Mark::Dropped { lines });
            }
        }
    }

    /// When time ends the run; silence can only if no line waits to be taken.
    pub(super) fn time_end(&self, deadline: Option<Instant>, silent: bool) -> Option<Instant> {
        let idle = if silent { self.idle_end() } else { None };
        idle.into_iter().chain(deadline).min()
    }

    /// Time has ended the run.
    pub(super) fn time_is_up(&mut self, per_component: bool) {
        self.release_all(per_component);
        self.code.get_or_insert(if self.plan.stop.until.is_some() {
            exit::TIMEOUT
        } else {
            self.plain_end()
        });
        self.timed_out = true;
    }

    /// When silence ends the run. A source that holds lines is not silent.
    fn idle_end(&self) -> Option<Instant> {
        let mut holding = self.streams.iter().filter(|stream| stream.holds);
        if holding.any(|stream| !stream.away && !stream.over) {
            return None;
        }
        self.plan.stop.idle.map(|idle| self.last_line + idle)
    }

    pub(super) fn wake(&self, deadline: Option<Instant>) -> Instant {
        let far = clock::now() + Duration::from_secs(3600);
        let end = self.time_end(deadline, true).unwrap_or(far);
        let look = if self.rates.is_empty() {
            far
        } else {
            self.looked + alerts::LOOK
        };
        end.min(look)
    }

    /// The code of an end that no match decided: that of the first target to fail, or of one
    /// that is lost and not back (decision 6).
    pub(super) fn plain_end(&self) -> u8 {
        let away = self.streams.iter().any(|stream| stream.away);
        self.failed
            .or(away.then_some(exit::LOST))
            .unwrap_or_else(|| self.quiet_end())
    }

    /// The code of an end without an error.
    fn quiet_end(&self) -> u8 {
        let unmet = self.plan.stop.until.is_some();
        let nothing = self.plan.stop.require_match && self.stats.printed == 0;
        if unmet || nothing { exit::NO } else { exit::OK }
    }
}
