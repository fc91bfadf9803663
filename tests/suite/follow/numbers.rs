//! Lines that their application numbers: what is missing is counted exactly, and what is not
//! missing is proved.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Era, Platform, Switches};
use rustix::process::Signal;

use crate::program::{CID, SERVICE, docker_url, messages, of_type, platform, program, unharmed};

const NUMBER: &str = r"\bseq=(\d+)";

async fn log(platform: &Platform, numbers: impl Iterator<Item = u32>) {
    let lines = numbers
        .map(|n| Bytes::from(format!("12:00 seq={n} order {}", n % 3)))
        .collect();
    platform.inject_logs(SERVICE, CID, lines).await;
}

#[tokio::test]
async fn dropped_lines_are_counted_and_a_strict_run_ends_with_6() {
    let mut input = String::new();
    for number in (1..=500).chain(601..=900).chain(902..=905) {
        writeln!(input, "seq={number} order").unwrap();
        input.push_str("a line without one: 7\n");
    }
    let words = ["logs", "-o", "json", "--seq-regex", NUMBER, "-"];
    let run = async |more: &[&str], code| {
        let start = program(words.iter().chain(more)).input(input.clone());
        start.end().await.expect(code)
    };
    let done = run(&[], 0).await;
    let rows = done.json();
    assert_eq!(messages(&rows).len(), 2 * 804);
    let gaps = of_type(&rows, "gap");
    let told: Vec<_> = gaps
        .iter()
        .map(|gap| (&gap["missing"], &gap["reason"]))
        .collect();
    let want = [
        (&100.into(), &"numbers 501 to 600".into()),
        // Behind it there were too few to tell before the end.
        (&1.into(), &"number 901".into()),
    ];
    assert_eq!(told, want);
    assert!(
        gaps.iter()
            .all(|gap| gap["certainty"] == "certain" && gap["hidden"] == 0)
    );
    let done = run(&["--strict"], 6).await;
    assert!(
        done.err
            .ends_with("gap: 100 lines are missing; numbers 501 to 600 (--strict)\n"),
        "{}",
        done.err
    );
    // Swapped lines are not missing, and without the option nothing is counted.
    let swapped = "seq=2\nseq=1\nseq=4\nseq=3\nseq=5\n";
    let start = program(words.iter().chain(&["--strict"])).input(swapped);
    assert!(of_type(&start.end().await.expect(0).json(), "gap").is_empty());
    let start = program(["logs", "-o", "json", "--strict", "-"]).input(input.clone());
    assert!(of_type(&start.end().await.expect(0).json(), "gap").is_empty());
}

#[tokio::test]
async fn the_end_of_a_history_is_an_end() {
    let platform = platform(Switches::default()).await;
    log(&platform, (0..30).chain(35..37)).await;
    let url = docker_url(&platform, SERVICE);
    let words = ["logs", "-o", "json", "--seq-regex", NUMBER, &url];
    let rows = program(words).end().await.expect(0).json();
    let gaps = of_type(&rows, "gap");
    assert_eq!((gaps.len(), &gaps[0]["missing"]), (1, &5.into()));
    assert_eq!(gaps[0]["reason"], format!("{CID}: numbers 30 to 34"));
    program(words.iter().chain(&["--strict"]))
        .end()
        .await
        .expect(6);
    unharmed(platform).await;
}

/// Too few lines came behind a hole to tell it at once; the run's end tells it.
#[tokio::test]
async fn the_end_of_a_run_is_an_end() {
    let platform = platform(Switches::default()).await;
    log(&platform, (0..30).chain(35..37)).await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "seq=1\nseq=3\n").unwrap();
    let file = format!("file:{}", path.display());
    let url = docker_url(&platform, SERVICE);
    for (target, missing, last) in [(&url, 5, "seq=36 "), (&file, 1, "seq=3\"")] {
        let words = [
            "logs",
            "-f",
            "-o",
            "json",
            "--seq-regex",
            NUMBER,
            "--strict",
            target,
        ];
        let mut run = program(words).start();
        run.until_out(last).await;
        run.signal(Signal::INT);
        let rows = run.end().await.expect(130).json();
        let gaps = of_type(&rows, "gap");
        assert_eq!((gaps.len(), &gaps[0]["missing"]), (1, &missing.into()));
        assert_eq!(of_type(&rows, "end").len(), 1);
        let start = program(words.iter().chain(&["--idle", "2s"]));
        start.end().await.expect(6);
    }
    unharmed(platform).await;
}

/// The history behind a return, which is not told from live lines, does not reach back to what was
/// seen; nothing was missed.
#[tokio::test]
async fn numbers_that_go_on_prove_that_a_return_lost_nothing() {
    let platform = platform(Switches::of(Era::Three)).await;
    log(&platform, 0..60).await;
    let url = docker_url(&platform, SERVICE);
    let words = ["logs", "-f", "-o", "json", &url];
    let mut blind = program(words).start();
    let mut run = program(words.iter().chain(&["--strict", "--seq-regex", NUMBER])).start();
    for run in [&mut blind, &mut run] {
        run.until_err("live").await;
        run.until_out("seq=59 ").await;
    }
    platform.set_switch(|switches| switches.history = 10);
    let back = platform.restart(Duration::from_millis(200));
    tokio::join!(back, log(&platform, 60..70));
    for run in [&mut blind, &mut run] {
        run.until_out("seq=69 ").await;
    }
    blind.signal(Signal::INT);
    let rows = blind.end().await.expect(130).json();
    let mark = &of_type(&rows, "reconnect")[0];
    assert_eq!(mark["certainty"], "possible", "{mark}");
    // The next one has lost lines, and how many is known.
    platform.set_switch(|switches| switches.history = 20);
    let back = platform.restart(Duration::from_millis(200));
    tokio::join!(back, log(&platform, 70..120));
    let rows = run.end().await.expect(6).json();
    let marks = of_type(&rows, "reconnect");
    let grades: Vec<_> = marks.iter().map(|mark| &mark["certainty"]).collect();
    assert_eq!(grades, ["none", "certain"]);
    assert_eq!(messages(&rows).len(), 70);
    unharmed(platform).await;
}
