//! Connections that are lost: each loss is marked once, and what comes after it arrives.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use deckwatch::codec::target::Target;
use deckwatch::demo::hostile::{Act, Hostile};
use deckwatch::demo::{Fate, Origin, Platform, Switches};
use deckwatch::model::{EndReason, FeedUpdate, LinkState, RawBatch, TargetId};
use deckwatch::source::{Command, Lag, Outlet, Policy, Reconnect, Source, as_received};
use rustix::process::Signal;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::program::{
    CID, Run, SERVICE, docker_url, event_url, messages, of_type, platform, program, unharmed,
};

async fn log(platform: &Platform, lines: std::ops::Range<u32>) {
    let lines = lines.map(|n| Bytes::from(format!("line {n}"))).collect();
    platform.inject_logs(SERVICE, CID, lines).await;
}

fn start(url: &str) -> Run {
    program(["logs", "-f", "-o", "json", url]).start()
}

async fn stopped(run: Run) -> Vec<Value> {
    run.signal(Signal::INT);
    run.end().await.expect(130).json()
}

/// What the platform put on the wires, each line once, in order: its text, and whether it was
/// replayed when it came first.
async fn wire(platform: &Platform) -> Vec<(String, bool)> {
    assert_eq!(platform.truth_gone().await, 0);
    let (mut seen, mut known) = (Vec::new(), HashSet::new());
    for record in platform.truth().await {
        if record.fate != Fate::Sent || record.origin == Origin::Server {
            continue;
        }
        if !known.insert(record.number) {
            continue;
        }
        let replay = record.origin == Origin::Replay;
        let text = String::from_utf8_lossy(&record.payload).into_owned();
        let text = if replay {
            let object: Value = serde_json::from_str(&text).unwrap();
            object["message"].as_str().unwrap().to_owned()
        } else {
            text
        };
        seen.push((text.split_once(':').unwrap().1.to_owned(), replay));
    }
    seen
}

fn printed(rows: &[Value]) -> Vec<(String, bool)> {
    let lines = of_type(rows, "line").into_iter();
    lines
        .map(|row| {
            (
                row["msg"].as_str().unwrap().to_owned(),
                row["replay"] == true,
            )
        })
        .collect()
}

/// How a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Loss {
    End,
    Reset,
    MidFrame,
    Restart,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_each_kind_of_loss_the_stream_is_marked_once_and_goes_on() {
    let losses = [Loss::End, Loss::Reset, Loss::MidFrame, Loss::Restart].map(|loss| async move {
        let platform = platform(Switches::default()).await;
        log(&platform, 0..3).await;
        let mut run = start(&docker_url(&platform, SERVICE));
        run.until_lines(4).await;
        log(&platform, 3..5).await;
        run.until_out("line 4\"").await;
        match loss {
            Loss::End => platform.drop_connections(),
            Loss::Reset => platform.reset_connections(),
            Loss::MidFrame => {
                // After the next message, in the middle of the one behind it.
                platform.set_switch(|switches| switches.cut_in_frame = Some(6));
                log(&platform, 5..7).await;
                run.until_err("no connection: ").await;
                platform.set_switch(|switches| switches.cut_in_frame = None);
            }
            Loss::Restart => platform.restart(Duration::from_millis(300)).await,
        }
        run.until_out("\"reconnect\"").await;
        log(&platform, 7..9).await;
        run.until_out("line 8\"").await;
        let rows = stopped(run).await;
        let marks = of_type(&rows, "reconnect");
        assert_eq!(marks.len(), 1, "{loss:?}");
        assert_eq!(marks[0]["certainty"], "none");
        assert_eq!(marks[0]["hidden"], 0);
        assert!(marks[0]["away_ms"].is_u64() && marks[0]["reason"].is_string());
        // Everything that was whole on a wire is printed once, in its order.
        let texts = |lines: Vec<(String, bool)>| -> Vec<String> {
            lines.into_iter().map(|(text, _)| text).collect()
        };
        let want = texts(wire(&platform).await);
        assert_eq!(texts(printed(&rows)), want, "{loss:?}");
        // The mark stands between the old connection's lines and the new one's.
        let at = rows.iter().position(|row| row["type"] == "reconnect");
        let after = messages(&rows[at.unwrap()..]);
        let first = if loss == Loss::MidFrame {
            "line 6"
        } else {
            "line 7"
        };
        assert_eq!(after[0], first, "{loss:?}");
        assert_eq!(*after.last().unwrap(), "line 8", "{loss:?}");
        unharmed(platform).await;
    });
    futures_util::future::join_all(losses).await;
}

/// More was said while it was away than the replay has; the platform has it stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_that_the_replay_leaves_is_filled_from_the_stored_history() {
    for (missed, whole) in [(2500, true), (4500, true), (5200, false)] {
        let platform = platform(Switches::default()).await;
        log(&platform, 0..50).await;
        let mut run = start(&docker_url(&platform, SERVICE));
        run.until_out("line 49\"").await;
        tokio::join!(
            platform.restart(Duration::from_millis(100)),
            log(&platform, 50..50 + missed)
        );
        run.until_out("\"reconnect\"").await;
        log(&platform, 9000..9002).await;
        run.until_out("line 9001\"").await;
        let rows = stopped(run).await;
        let marks = of_type(&rows, "reconnect");
        assert_eq!(marks.len(), 1);
        assert_eq!(
            marks[0]["certainty"],
            if whole { "none" } else { "certain" }
        );
        let texts: Vec<String> = printed(&rows).into_iter().map(|(text, _)| text).collect();
        // The platform has 5000 lines, so that the last hole stays: the replay's lines are all.
        let first = if whole { 50 } else { 50 + missed - 1000 };
        let want = (0..50).chain(first..50 + missed).chain(9000..9002);
        let want: Vec<String> = want.map(|number| format!("line {number}")).collect();
        assert_eq!(texts, want, "{missed}");
        assert_eq!(messages(&rows).len(), want.len());
        let said = of_type(&rows, "notice");
        assert_eq!(said.len(), usize::from(whole), "{said:?}");
        unharmed(platform).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_losses_have_as_many_marks() {
    let platform = platform(Switches::default()).await;
    let mut run = start(&docker_url(&platform, SERVICE));
    run.until_err("live").await;
    for round in 0..4 {
        log(&platform, round..round + 1).await;
        run.until_out(&format!("line {round}\"")).await;
        if round % 2 == 0 {
            platform.drop_connections();
        } else {
            platform.reset_connections();
        }
        let marks = usize::try_from(round).unwrap() + 1;
        run.until_count("\"reconnect\"", marks).await;
    }
    log(&platform, 100..101).await;
    run.until_out("line 100\"").await;
    let rows = stopped(run).await;
    assert_eq!(of_type(&rows, "reconnect").len(), 4);
    assert_eq!(printed(&rows), wire(&platform).await);
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_channels_come_back_too() {
    let platform = platform(Switches::default()).await;
    let entry = |step: &str| {
        format!(
            r#"{{"event_id":"e","message":"{step} done","status":"","step":"{step}","level":"info","time":""}}"#
        )
    };
    platform.inject_event("e", entry("build").as_bytes()).await;
    let pubsub = format!("{}#e-e,l-{SERVICE}", platform.ws_url("/services/x/pubsub"));
    let mut event = start(&event_url(&platform, "e"));
    let mut channels = start(&pubsub);
    event.until_out("build done").await;
    channels.until_out("build done").await;
    log(&platform, 0..1).await;
    channels.until_out("line 0").await;
    platform.restart(Duration::from_millis(100)).await;
    event.until_out("\"reconnect\"").await;
    channels.until_out("\"reconnect\"").await;
    platform.inject_event("e", entry("push").as_bytes()).await;
    log(&platform, 1..2).await;
    channels.until_out("push done").await;
    channels.until_out("line 1").await;
    platform.inject_event("e", entry("last").as_bytes()).await;
    // The event ends its own target, and not the socket that has a log as well.
    let rows = event.end().await.expect(0).json();
    let want = ["build done", "push done", "last done"];
    assert_eq!(messages(&rows), want);
    assert_eq!(of_type(&rows, "reconnect")[0]["certainty"], "none");
    channels.until_out("last done").await;
    let rows = stopped(channels).await;
    let marks = of_type(&rows, "reconnect");
    assert_eq!((marks.len(), &marks[0]["certainty"]), (1, &"none".into()));
    let mut lines = messages(&rows);
    lines.sort_unstable();
    assert_eq!(
        lines,
        ["build done", "last done", "line 0", "line 1", "push done"]
    );
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_ended_while_we_were_away_ends_after_the_return() {
    let platform = platform(Switches::default()).await;
    let entry = |step: &str, status: &str| {
        format!(r#"{{"event_id":"e","message":"{step}","status":"{status}","step":"{step}"}}"#)
    };
    platform
        .inject_event("e", entry("build", "").as_bytes())
        .await;
    let mut run = start(&event_url(&platform, "e"));
    run.until_out("\"build\"").await;
    let restart = platform.restart(Duration::from_millis(500));
    let rest = async {
        run.until_err("no connection: ").await;
        platform
            .inject_event("e", entry("callback", "failure").as_bytes())
            .await;
    };
    tokio::join!(restart, rest);
    let rows = run.end().await.expect(1).json();
    assert_eq!(messages(&rows), ["build", "callback"]);
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_come_in_the_replay_are_printed_where_they_came() {
    let platform = platform(Switches {
        history_pace: Duration::from_millis(1),
        swap_every: std::num::NonZeroU32::new(7),
        fragment: Some(5),
        ..Switches::default()
    })
    .await;
    log(&platform, 0..500).await;
    let mut run = start(&docker_url(&platform, SERVICE));
    run.until_lines(3).await;
    for number in 500..600 {
        log(&platform, number..number + 1).await;
    }
    run.until_err("live").await;
    log(&platform, 600..602).await;
    run.until_out("line 601\"").await;
    let rows = stopped(run).await;
    assert_eq!(printed(&rows), wire(&platform).await);
    unharmed(platform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mute_server_has_an_empty_history() {
    let platform = platform(Switches {
        answer: deckwatch::demo::Answer::Mute,
        ..Switches::default()
    })
    .await;
    let run = program(["logs", &docker_url(&platform, SERVICE)]).start();
    let done = run.end().await.expect(0);
    assert_eq!(done.text(), "");
    assert!(done.err.contains("its history is empty"), "{}", done.err);
    assert_eq!(done.err.lines().count(), 1, "{}", done.err);
    unharmed(platform).await;
}

/// The updates of a source that runs inside of this test, up to one that is wanted.
async fn until_state(
    inbox: &mut mpsc::Receiver<(TargetId, FeedUpdate<RawBatch>)>,
    wanted: impl Fn(&LinkState) -> bool,
) -> (Vec<String>, LinkState) {
    let mut lines = Vec::new();
    loop {
        let update = timeout(Duration::from_secs(60), inbox.recv())
            .await
            .unwrap();
        match update.unwrap().1 {
            FeedUpdate::Lines(batch) => lines.extend(
                (0..batch.len()).map(|row| String::from_utf8_lossy(batch.line(row)).into_owned()),
            ),
            FeedUpdate::State(state) if wanted(&state) => return (lines, state),
            FeedUpdate::State(_) => {}
        }
    }
}

fn policy() -> Policy {
    Policy {
        reconnect: Reconnect::Patient,
        follow: true,
        seed: 1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_connection_that_is_asked_for_in_the_replay_does_not_leave_it() {
    let platform = platform(Switches {
        history_pace: Duration::from_millis(2),
        ..Switches::default()
    })
    .await;
    log(&platform, 0..500).await;
    let target = Target::parse(&docker_url(&platform, SERVICE)).unwrap();
    let (sender, mut inbox) = mpsc::channel(64);
    let outlet = Outlet::new(TargetId(0), sender, as_received, Lag::Drop(1 << 20));
    let source = Source::start(&target, policy(), outlet);
    let (first, _) = until_state(&mut inbox, |state| *state == LinkState::Replaying).await;
    source.tell(Command::Reconnect);
    let (lines, _) = until_state(&mut inbox, |state| *state == LinkState::Live).await;
    let all = first.len() + lines.len();
    assert_eq!(all, 500, "the replay is read to its end");
    assert_eq!(platform.tally().await.connections, 1);
    // Past it, the order is obeyed.
    source.tell(Command::Reconnect);
    until_state(&mut inbox, |state| *state == LinkState::Live).await;
    assert_eq!(platform.tally().await.connections, 2);
    source.finish().await;
    unharmed(platform).await;
}

#[tokio::test]
async fn a_program_that_is_waited_for_costs_no_link() {
    let line = Bytes::from_static(b"\x81\x110123456789ab:line");
    let script = vec![Act::Upgrade, Act::Write(line), Act::Hold];
    let server = Hostile::start(script).await.unwrap();
    let url = format!("ws://{}/docker_log#{SERVICE}", server.addr());
    let (sender, mut inbox) = mpsc::channel(1);
    let outlet = Outlet::new(TargetId(0), sender.clone(), as_received, Lag::Block);
    let source = Source::start(&Target::parse(&url).unwrap(), policy(), outlet);
    while !matches!(inbox.recv().await, Some((_, FeedUpdate::Lines(_)))) {}
    // Nothing more is taken for two minutes: what comes next, which is that it is live, waits.
    tokio::time::pause();
    sender
        .try_send((TargetId(1), FeedUpdate::State(LinkState::Open)))
        .unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    tokio::time::resume();
    drop(sender);
    let leaving = tokio::spawn(source.finish());
    let mut states = Vec::new();
    while let Some((_, update)) = inbox.recv().await {
        if let FeedUpdate::State(state) = update {
            states.push(state);
        }
    }
    let ended = LinkState::Ended(EndReason::Finished);
    assert_eq!(states, [LinkState::Open, LinkState::Live, ended]);
    assert_eq!(server.accepted(), 1);
    leaving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_panics_is_the_end_of_its_target_and_of_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    std::fs::write(&path, "one\n").unwrap();
    let target = Target::parse(&format!("file:{}", path.display())).unwrap();
    let (sender, mut inbox) = mpsc::channel(64);
    let broken = Outlet::new(TargetId(0), sender, |_| panic!("a defect"), Lag::Block);
    let source = Source::start(&target, policy(), broken);
    let (_, state) = until_state(&mut inbox, |state| matches!(state, LinkState::Ended(_))).await;
    let LinkState::Ended(EndReason::Fault(fault)) = state else {
        panic!("{state:?}");
    };
    assert_eq!(fault.kind.exit_code(), 70);
    source.finish().await;
}

#[tokio::test]
async fn a_message_that_is_too_long_leaves_a_gap_that_is_told() {
    let line = Bytes::from_static(b"\x81\x110123456789ab:line");
    // The header of a text frame of 5 MiB; more of it is never wanted.
    let long = Bytes::from_static(b"\x81\x7f\0\0\0\0\0\x50\0\0");
    let server = Hostile::start(vec![
        Act::Upgrade,
        Act::Write(line),
        Act::Write(long),
        Act::Hold,
    ])
    .await
    .unwrap();
    let url = format!("ws://{}/docker_log#{SERVICE}", server.addr());
    let done = program(["logs", "-f", "-o", "json", &url]).end().await;
    let rows = done.expect(7).json();
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row["type"].as_str()).collect();
    // The same line again is taken for the history; a window that is cut off is told at the end.
    let round = ["gap", "leave"];
    let want: Vec<&str> = ["join", "line"]
        .into_iter()
        .chain(round)
        .chain(round)
        .chain(["gap", "reconnect", "reconnect", "end"])
        .collect();
    assert_eq!(kinds, want);
    for gap in of_type(&rows, "gap") {
        assert_eq!(gap["reason"], "a message over 4 MiB came; it was not kept");
    }
}

#[tokio::test]
async fn a_stream_that_is_lost_when_time_runs_out_ends_with_6_and_is_told_in_json() {
    let platform = platform(Switches::default()).await;
    log(&platform, 0..3).await;
    let url = docker_url(&platform, SERVICE);
    let mut run = program(["logs", "-f", "-o", "json", "--for", "6s", &url]).start();
    run.until_lines(4).await;
    // Past the replay, so that leaving harms nobody.
    run.until_err("live").await;
    unharmed(platform).await;
    let rows = run.end().await.expect(6).json();
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row["type"].as_str()).collect();
    assert_eq!(kinds, ["join", "line", "line", "line", "leave", "end"]);
}

#[tokio::test]
async fn the_first_target_to_fail_decides_the_code_when_time_ends_the_rest() {
    let platform = platform(Switches::default()).await;
    let url = docker_url(&platform, SERVICE);
    let dead = "ws://127.0.0.1:1/docker_log#x";
    let done = program(["logs", "-fq", "--for", "4s", &url, dead])
        .end()
        .await;
    assert!(done.expect(5).err.contains("nothing listens"));
    unharmed(platform).await;
}

#[tokio::test]
async fn a_line_that_is_not_whole_when_time_runs_out_is_printed_and_counted() {
    let mut run = program(["logs", "-", "--for", "2s", "--stats"])
        .open_input()
        .start();
    run.feed(b"one\npart");
    let done = run.end().await.expect(0);
    assert_eq!(done.text(), "one\npart\n");
    assert!(
        done.err.contains("received 2 lines = printed 2"),
        "{}",
        done.err
    );
}
