//! What decides the end of a run: lines that match, lines that are lost.

use crate::cli::args::OnLag;
use crate::clock;
use crate::codec::target::Target;
use crate::model::{Mark, words};
use crate::say;

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

    pub(super) fn mark(&mut self, target: &Target, mark: &Mark) {
        self.printer
            .mark(target, mark, clock::wall(), &mut self.block.out);
        if let Mark::Dropped { lines } = mark {
            self.stats.received += lines;
            self.stats.dropped += lines;
            if self.plan.on_lag == OnLag::Exit {
                self.code = Some(exit::LOST);
            }
        }
        if mark.is_loss() && self.plan.stop.strict {
            self.code = Some(exit::LOST);
            self.always(&say!(
                "{}: {} (--strict)",
                "{}：{}（--strict）",
                target.text,
                words::mark(mark)
            ));
        } else {
            self.tell(&say!("{}: {}", "{}：{}", target.text, words::mark(mark)));
        }
    }
}
