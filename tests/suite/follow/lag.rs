//! A reader that is too slow: lines are dropped and counted, or nothing more is read, or the run
//! ends, as asked for; the platform's own truth is what the account is held against.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::time::Duration;

use bytes::Bytes;
use deckwatch::demo::{Fate, Origin, Platform, Switches};
use rustix::process::Signal;
use tokio::time::timeout;

use crate::program::{CID, Done, Run, SERVICE, docker_url, of_type, platform, program, unharmed};

/// Lines of 100 bytes, in batches, as fast as the platform takes them.
async fn flood(platform: &Platform, lines: u32) {
    for start in (0..lines).step_by(64) {
        let batch = (start..lines.min(start + 64))
            .map(|n| Bytes::from(format!("{n:0100}")))
            .collect();
        platform.inject_logs(SERVICE, CID, batch).await;
    }
}

/// Live lines that the platform put on the wire, and those that it lost by itself.
async fn truth(platform: &Platform) -> (u64, u64) {
    assert_eq!(platform.truth_gone().await, 0);
    let truth = platform.truth().await;
    let count = |fate| {
        let of = truth
            .iter()
            .filter(|one| one.origin == Origin::Live && one.fate == fate);
        of.count() as u64
    };
    (count(Fate::Sent), count(Fate::Dropped))
}

/// Printed lines and the sum of the drop marks.
fn account(done: &Done) -> (u64, u64) {
    let rows = done.json();
    let drops = of_type(&rows, "drop");
    let dropped = drops.iter().map(|row| row["lines"].as_u64().unwrap()).sum();
    (of_type(&rows, "line").len() as u64, dropped)
}

/// The numbers printed rise: what is left of the order is the wire's.
fn assert_in_order(done: &Done) {
    let rows = done.json();
    let numbers: Vec<u64> = of_type(&rows, "line")
        .iter()
        .map(|row| row["msg"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

/// So many lines have left the platform while nobody reads the program's output; it is far more
/// than sockets hold.
async fn all_sent(platform: &Platform, lines: u64) {
    let sent = async {
        while truth(platform).await.0 < lines {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let sent = timeout(Duration::from_secs(90), sent).await;
    assert!(sent.is_ok(), "the program holds the platform up");
}

async fn started(platform: &Platform, args: &[&str]) -> Run {
    let url = docker_url(platform, SERVICE);
    let words = ["logs", "-f", "-o", "json", "--stats", &url];
    let mut run = program(words.iter().chain(args)).unread().start();
    run.until_err("live").await;
    run
}

/// A run with 1 MiB of buffer whose reader has read none of 200,000 lines.
async fn behind() -> (Platform, Run) {
    let platform = platform(Switches {
        docker_queue: 300_000,
        ..Switches::default()
    })
    .await;
    let run = started(&platform, &["--buffer", "1MiB"]).await;
    flood(&platform, 200_000).await;
    all_sent(&platform, 200_000).await;
    (platform, run)
}

/// The last thing that is said is a sum that is right.
fn assert_sum(done: &Done, (printed, dropped): (u64, u64)) {
    let summary = done.err.lines().last().unwrap().replace(',', "");
    let received = printed + dropped;
    let want =
        format!("received {received} lines = printed {printed} + filtered 0 + dropped {dropped}");
    assert!(summary.contains(&want), "{summary} is not {want}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_sleeps_never_pushes_back_and_every_line_is_accounted_for() {
    let (platform, mut run) = behind().await;
    let peak = run.peak();
    run.read_on();
    // When this one is out, so is everything before it.
    platform.inject_log(SERVICE, CID, b"99999999").await;
    run.until_out("\"99999999\"").await;
    run.signal(Signal::INT);
    let done = run.end().await.expect(130);
    let (printed, dropped) = account(&done);
    assert_eq!(printed + dropped, 200_001, "{}", done.err);
    assert!(
        dropped > 0 && printed > 0,
        "{printed} printed, {dropped} dropped"
    );
    assert_in_order(&done);
    assert!(peak < 64 << 20, "{} MiB", peak >> 20);
    assert_sum(&done, (printed, dropped));
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_dropped_is_told_when_the_run_ends_before_its_place_is_reached() {
    let (platform, mut run) = behind().await;
    run.signal(Signal::INT);
    // Said while the output waits for its reader.
    run.until_err("were not kept").await;
    run.read_on();
    let done = run.end().await.expect(130);
    let (printed, dropped) = account(&done);
    assert!(
        dropped > 100_000 && printed + dropped <= 200_000,
        "{printed} printed, {dropped} dropped"
    );
    assert_sum(&done, (printed, dropped));
    unharmed(platform).await;
}

/// More lines than all that waits for the output holds.
async fn flood_of_long_lines(platform: &Platform) {
    for _ in 0..160 {
        let line = Bytes::from(vec![b'x'; 100_000]);
        platform.inject_log(SERVICE, CID, &line).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_is_heard_while_the_output_waits_for_its_reader() {
    let platform = platform(Switches::default()).await;
    let mut run = started(&platform, &["--buffer", "64KiB", "--for", "5s"]).await;
    flood_of_long_lines(&platform).await;
    // Nobody reads: what the end tells comes before anything is read.
    run.until_err("were not kept").await;
    run.read_on();
    let done = run.end().await.expect(0);
    assert!(account(&done).1 > 0, "{}", done.err);
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_ends_with_6_even_if_the_reader_never_reads_again() {
    let platform = platform(Switches::default()).await;
    let run = started(&platform, &["--on-lag", "exit", "--buffer", "64KiB"]).await;
    flood_of_long_lines(&platform).await;
    let done = run.end().await.expect(6);
    for told in ["were not kept", "the rest is lost"] {
        assert!(done.err.contains(told), "{}", done.err);
    }
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_loses_nothing_here_and_says_what_it_costs() {
    let platform = platform(Switches::default()).await;
    let mut run = started(&platform, &["--on-lag", "block"]).await;
    run.until_err("the server drops lines").await;
    // Until the platform itself loses lines, which is what blocking costs. The truth has the
    // lines that were handed to the socket before that.
    let mut lines = 0;
    while platform.tally().await.dropped == 0 {
        flood(&platform, 2000).await;
        lines += 2000;
        assert!(lines < 2_000_000, "it reads on");
    }
    run.read_on();
    let mut last = (0, 0);
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = truth(&platform).await;
        if now == last {
            break;
        }
        last = now;
    }
    platform.inject_log(SERVICE, CID, b"the last one").await;
    run.until_out("the last one").await;
    run.signal(Signal::INT);
    let done = run.end().await.expect(130);
    let (sent, lost) = truth(&platform).await;
    assert_eq!(account(&done), (sent, 0), "{lost} lost by the platform");
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_ends_with_6_at_the_first_drop() {
    let platform = platform(Switches {
        docker_queue: 300_000,
        ..Switches::default()
    })
    .await;
    let mut run = started(&platform, &["--on-lag", "exit", "--buffer", "64KiB"]).await;
    let url = docker_url(&platform, SERVICE);
    let args = [
        "logs", "-f", "-o", "json", "--stats", "--strict", "--buffer", "64KiB", &url,
    ];
    let mut strict = program(args).unread().start();
    strict.until_err("live").await;
    flood(&platform, 100_000).await;
    run.read_on();
    strict.read_on();
    let (done, strict) = tokio::join!(run.end(), strict.end());
    for done in [done.expect(6), strict.expect(6)] {
        let (printed, dropped) = account(&done);
        assert!(
            dropped > 0,
            "{printed} printed, {dropped} dropped; {}",
            done.err
        );
        assert_in_order(&done);
    }
    unharmed(platform).await;
}
