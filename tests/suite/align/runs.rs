//! Whole runs against the oracle (reliability.md 8, rows 1 to 4).

use deckwatch::model::Certainty;
use proptest::prelude::*;

use super::HISTORY;
use super::oracle::{Plan, Run, plan};

#[test]
fn numbered_lines_are_given_out_once_and_in_order() {
    for seed in 0..40 {
        let missed = if seed % 2 == 0 { 150 } else { 900 };
        let run = Run::new(Plan {
            missed,
            ..plan(seed)
        })
        .run();
        run.exact();
        run.ordered();
        assert_eq!(run.hidden, 0, "{:?}", run.plan);
    }
}

#[test]
fn clean_returns_are_never_called_a_loss() {
    for seed in 0..20 {
        let plan = Plan {
            cuts: 0,
            rounds: 8,
            ..plan(seed)
        };
        let mut run = Run::new(plan);
        run.race = 20;
        let run = run.run();
        assert!(
            run.marks.iter().all(|mark| *mark == Certainty::None),
            "{:?} {:?}",
            run.marks,
            run.plan
        );
        run.exact();
    }
}

#[test]
fn lines_that_a_server_dropped_are_given_out_when_its_history_brings_them() {
    for seed in 0..30 {
        let plan = Plan {
            drops: 400,
            ..plan(seed)
        };
        Run::new(plan).run().exact();
    }
}

/// 100 restarts in a stream of a million lines, 1000 lines missed each time at most.
#[test]
fn row_01_a_hundred_restarts_in_a_million_lines_lose_and_double_none() {
    let plan = Plan {
        rounds: 100,
        alive: 20_000,
        missed: 900,
        cuts: 0,
        ..plan(1)
    };
    let run = Run::new(plan).run();
    assert!(run.written > 900_000, "{} lines", run.written);
    assert_eq!(run.marks.len(), 100);
    assert_eq!(run.hidden, 0);
    run.exact();
    run.ordered();
}

/// 30 outages of more than the history: 20 that the stored one fills, 10 after which the file
/// was begun anew. None of those marks is too good, and none of the others too bad.
#[test]
fn row_02_holes_are_filled_from_the_stored_history_or_marked() {
    let mut run = Run::new(plan(1));
    let mut want = Vec::new();
    for _ in 0..1200 {
        run.write();
    }
    run.race = 20;
    run.connect();
    run.read(usize::MAX);
    run.settle();
    for round in 0..30 {
        for _ in 0..run.random.usize(..400) {
            run.write();
        }
        run.read(usize::MAX);
        run.lose(false);
        let lost = round % 3 == 2;
        let missed = run
            .random
            .usize(1100..if round % 3 == 1 { 18_000 } else { 3000 });
        for _ in 0..missed {
            run.write();
        }
        run.lagging.clear();
        if lost {
            run.oldest = run.written - 1050;
        }
        let (asks, marks) = (run.asks, run.marks.len());
        run.connect();
        run.read(usize::MAX);
        run.settle();
        assert_eq!(run.marks.len(), marks + 1);
        let asked = run.asks - asks;
        assert!((1..=3).contains(&asked), "{asked} times");
        want.push(if lost {
            Certainty::Certain
        } else {
            Certainty::None
        });
    }
    assert_eq!(run.marks, want, "{:?}", run.plan);
    assert_eq!(run.hidden, 0);
    run.exact();
    run.ordered();
    assert!(want.iter().filter(|mark| **mark == Certainty::None).count() == 20);
}

#[test]
fn more_than_the_history_is_a_certain_gap() {
    for seed in 0..10 {
        let plan = Plan {
            cuts: 0,
            missed: 1,
            rounds: 3,
            ..plan(seed)
        };
        let mut run = Run::new(plan);
        // The file was begun anew meanwhile.
        let begun = |run: &mut Run| run.oldest = run.written - HISTORY;
        for _ in 0..1500 {
            run.write();
        }
        run.connect();
        run.read(usize::MAX);
        run.settle();
        run.lose(false);
        for _ in 0..1100 + seed {
            run.write();
        }
        begun(&mut run);
        run.lagging.clear();
        run.connect();
        run.read(usize::MAX);
        run.settle();
        assert_eq!(run.marks, [Certainty::Certain]);
        run.exact();
    }
}

#[test]
fn streams_that_repeat_themselves_are_never_printed_twice() {
    for distinct in [1, 2, 7] {
        for seed in 0..12 {
            let drops = if seed % 3 == 0 { 500 } else { 0 };
            let plan = Plan {
                distinct,
                drops,
                ..plan(seed)
            };
            Run::new(plan).run().honest();
        }
    }
}

/// A run of lines drawn from so many different ones.
fn drawn(distinct: u64, seed: u64, missed: usize, cuts: usize) -> Run {
    let plan = Plan {
        distinct,
        alive: 888,
        missed,
        cuts,
        ..plan(seed)
    };
    Run::new(plan).run()
}

/// Lines drawn from 34 to 3000 different ones, with holes that the history does not reach over: a
/// mark that says "none" is right (which each run asserts), and hides none that it does not tell.
#[test]
fn streams_that_repeat_themselves_lose_nothing_in_silence() {
    for distinct in [34, 60, 100, 300] {
        for (seed, missed) in (0..8).zip([1400, 3000].into_iter().cycle()) {
            let run = drawn(distinct, seed, missed, 0);
            assert_eq!(run.faults().1, 0, "{:?}", run.plan);
        }
    }
    // Each of these said "none" once, and lost lines.
    for (distinct, seed, missed, cuts) in [
        (34, 17, 1400, 2),
        (45, 20, 1400, 2),
        (100, 40, 1400, 2),
        (300, 37, 1400, 2),
        (1000, 53, 367, 3),
        (1000, 57, 1400, 2),
        (1000, 4, 3000, 0),
        (3000, 4, 3000, 0),
    ] {
        drawn(distinct, seed, missed, cuts);
    }
}

/// The table of docs/reliability.md, "What repeated lines cost".
#[test]
#[ignore = "a minute, optimised: cargo test --release -- --ignored long_repeated"]
fn long_repeated_lines_cost_what_the_docs_say() {
    for cut in [false, true] {
        let outages: &[(usize, usize)] = if cut {
            &[(367, 3), (1400, 2)]
        } else {
            &[(367, 0), (1400, 0), (3000, 0)]
        };
        for distinct in [30, 45, 100, 300, 1000, 3000] {
            let (mut lines, mut twice, mut untold, mut runs) = (0, 0, 0, 0);
            for (missed, cuts) in outages.iter().copied() {
                for seed in 0..60 {
                    let run = drawn(distinct, seed, missed, cuts);
                    let faults = run.faults();
                    lines += run.written as u64;
                    twice += faults.0;
                    untold += faults.1;
                    runs += u32::from(faults.1 > 0);
                }
            }
            println!(
                "cut {cut}: {distinct} different: {twice} twice, {untold} hidden untold in {runs} runs, of {lines}"
            );
            assert!(twice * 40 < lines && untold * 1000 < lines);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_run_is_exact(
        seed in any::<u64>(),
        alive in 0..2000usize,
        missed in 0..980usize,
        cuts in 0..5usize,
        drops in prop::sample::select(vec![0, 0, 300, 1000]),
    ) {
        let run = Run::new(Plan { alive, missed, cuts, drops, ..plan(seed) }).run();
        run.exact();
        if drops == 0 {
            run.ordered();
        }
    }

    #[test]
    fn any_holes_that_the_stored_history_has_are_filled(
        seed in any::<u64>(),
        missed in 1000..4000usize,
        cuts in 0..5usize,
    ) {
        let run = Run::new(Plan { missed, cuts, alive: 500, ..plan(seed) }).run();
        run.exact();
        prop_assert!(run.marks.iter().all(|mark| *mark < Certainty::Certain), "{:?}", run.marks);
    }
}

proptest! {
    // Of sixteen cases none told when `fit` took any place of a short alphabet for the right one.
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_repeating_run_is_honest(
        seed in any::<u64>(),
        distinct in 1..30u64,
        alive in 0..1200usize,
        missed in 0..1500usize,
        cuts in 0..5usize,
    ) {
        Run::new(Plan { distinct, alive, missed, cuts, ..plan(seed) }).run().honest();
    }
}
