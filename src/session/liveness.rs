//! Whether the peer still answers: our ping each 15 s, stale when a pong is 5 s overdue, dead
//! after two are missed (reliability.md 2.2). The server's own pings prove nothing.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(15);
const OVERDUE: Duration = Duration::from_secs(5);
const DEAD: Duration = Duration::from_secs(35);
/// It has so long for the first ping that it does not answer: the two are 15 s apart.
const ANSWER: Duration = Duration::from_secs(20);

/// What the connection needs now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pulse {
    /// Send a ping.
    Ping,
    /// The pong is overdue.
    Stale,
    /// It came after all.
    Revived,
    /// Give the connection up.
    Dead,
}

/// One WebSocket connection's pulse.
#[derive(Debug)]
pub struct Liveness {
    pong: Instant,
    next_ping: Instant,
    asked: Option<Instant>,
    stale: bool,
    paused: bool,
}

impl Liveness {
    /// A connection that stands since `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            pong: now,
            next_ping: now + EVERY,
            asked: None,
            stale: false,
            paused: false,
        }
    }

    /// While it is paused nothing is read, by our own choice: a silence proves nothing then. To be
    /// told again and again.
    pub fn pause(&mut self, paused: bool, now: Instant) {
        if std::mem::replace(&mut self.paused, paused) || paused {
            self.pong = now;
            self.asked = None;
        }
    }

    /// The next ping is due now.
    pub fn ask(&mut self, now: Instant) {
        self.next_ping = now;
    }

    /// A pong came.
    pub fn pong(&mut self, now: Instant) -> Option<Pulse> {
        self.pong = now;
        self.asked = None;
        std::mem::take(&mut self.stale).then_some(Pulse::Revived)
    }

    /// What is due at `now`; ask until there is nothing.
    pub fn poll(&mut self, now: Instant) -> Option<Pulse> {
        if !self.paused && self.dead_at().is_some_and(|at| now >= at) {
            return Some(Pulse::Dead);
        }
        if now >= self.next_ping {
            self.next_ping = now + EVERY;
            self.asked.get_or_insert(now);
            return Some(Pulse::Ping);
        }
        if !self.stale && self.asked.is_some_and(|asked| now >= asked + OVERDUE) {
            self.stale = true;
            return Some(Pulse::Stale);
        }
        None
    }

    /// When something will be due.
    pub fn deadline(&self) -> Instant {
        let stale = self
            .asked
            .filter(|_| !self.stale)
            .map(|asked| asked + OVERDUE);
        let others = [stale, self.dead_at()].into_iter().flatten();
        others.fold(self.next_ping, Instant::min)
    }

    /// When it is dead: not before it had its time to answer, however long we were stopped.
    fn dead_at(&self) -> Option<Instant> {
        let asked = self.asked?;
        Some((self.pong + DEAD).max(asked + ANSWER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a connection for `seconds`, answering pings while `answers`; gives what happened.
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn run(seconds: u64, answers: impl Fn(u64) -> bool) -> Vec<(u64, Pulse)> {
        let start = Instant::now();
        let mut life = Liveness::new(start);
        let mut seen = Vec::new();
        loop {
            let now = life.deadline();
            let at = now.duration_since(start).as_secs();
            if at > seconds {
                return seen;
            }
            while let Some(pulse) = life.poll(now) {
                seen.push((at, pulse));
                if pulse == Pulse::Dead {
                    return seen;
                }
                if pulse == Pulse::Ping && answers(at) {
                    seen.extend(life.pong(now).map(|pulse| (at, pulse)));
                }
            }
        }
    }

    #[test]
    fn a_dead_peer_is_stale_after_20_seconds_and_given_up_after_35() {
        let seen = run(100, |_| false);
        assert_eq!(
            seen,
            [
                (15, Pulse::Ping),
                (20, Pulse::Stale),
                (30, Pulse::Ping),
                (35, Pulse::Dead)
            ]
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn a_silence_that_we_want_is_no_sign_and_is_not_counted_later() {
        let start = Instant::now();
        let mut life = Liveness::new(start);
        for second in 1..=100 {
            let now = start + Duration::from_secs(second);
            life.pause(true, now);
            while let Some(pulse) = life.poll(now) {
                assert_eq!(pulse, Pulse::Ping, "{second}");
            }
        }
        for second in 101..=130 {
            let now = start + Duration::from_secs(second);
            life.pause(false, now);
            while let Some(pulse) = life.poll(now) {
                assert_ne!(pulse, Pulse::Dead, "{second}");
            }
        }
        assert_eq!(
            life.poll(start + Duration::from_secs(140)),
            Some(Pulse::Dead)
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn a_peer_that_was_not_asked_while_we_were_stopped_has_its_time_to_answer() {
        let start = Instant::now();
        let mut life = Liveness::new(start);
        let woken = start + Duration::from_secs(3600);
        assert_eq!(life.poll(woken), Some(Pulse::Ping));
        assert_eq!(life.poll(woken), None);
        let at = |seconds| woken + Duration::from_secs(seconds);
        assert_eq!(life.poll(at(5)), Some(Pulse::Stale));
        assert_eq!(life.poll(at(15)), Some(Pulse::Ping));
        assert_eq!((life.poll(at(19)), life.deadline()), (None, at(20)));
        assert_eq!(life.poll(at(20)), Some(Pulse::Dead));
    }

    #[test]
    fn a_peer_that_answers_lives() {
        let seen = run(300, |_| true);
        assert_eq!(seen.len(), 20);
        assert!(seen.iter().all(|(_, pulse)| *pulse == Pulse::Ping));
    }

    #[test]
    fn a_late_pong_revives() {
        let seen = run(40, |at| at >= 30);
        assert_eq!(
            seen,
            [
                (15, Pulse::Ping),
                (20, Pulse::Stale),
                (30, Pulse::Ping),
                (30, Pulse::Revived)
            ]
        );
    }
}
