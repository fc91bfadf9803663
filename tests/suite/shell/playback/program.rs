//! The same with the real program: its standard output is the recorded output, byte for byte,
//! and its code is the documented one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helper")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use deckwatch::demo::ShellServer as Server;
use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::expected::{End, Expected};
use super::player::{Manner, Order, play};
use super::recording::{Answer, Recorded, Recording};
use super::{Hint, all, dialect, upgrades, url};
use crate::program::{Run, program};

/// The documented exit code (`model::FaultKind`).
fn code(end: &End) -> i32 {
    match end {
        End::Exited | End::Open => 0,
        End::Lost => 6,
        End::Fault(kind, _) => i32::from(kind.exit_code()),
    }
}

/// Does what is ordered: the terminal's size is not the program's in a pipe.
async fn follow(run: &mut Run, mut orders: mpsc::Receiver<Order>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Types(input) => run.feed(&input),
            Order::Resizes(..) => {}
            Order::Closes => panic!("only what ends by itself is played"),
        }
    }
}

async fn one(recorded: &Recorded, recording: &Recording, state: &Path, said: bool) {
    let about = format!("{} {said}", recorded.name);
    let expected = Expected::of(recorded);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url = url(recorded, listener.local_addr().unwrap());
    let mut args = vec!["shell".to_owned()];
    if said {
        args.extend(["--dialect".into(), dialect(recorded.server).name.into()]);
    }
    if let Some((user, password)) = &recorded.login {
        let file = state.join(format!("password-{password}"));
        std::fs::write(&file, password).unwrap();
        args.extend(["--password-file".into(), file.to_str().unwrap().to_owned()]);
        url = url.replace("http://", &format!("http://{user}@"));
    }
    args.push(url);
    let (sender, orders) = mpsc::channel(1);
    let server = if let Answer::Gone = recorded.answer {
        drop((listener, sender));
        None
    } else {
        let (recorded, recording) = (recorded.clone(), recording.clone());
        let server = play(listener, recorded, recording, Manner::Recorded, sender);
        Some(tokio::spawn(server))
    };
    let mut run = program(args)
        .env("XDG_STATE_HOME", state)
        .open_input()
        .start();
    if upgrades(recorded, Hint::None) {
        follow(&mut run, orders).await;
        server.unwrap().await.unwrap();
    } else if let Some(server) = server {
        // Until it has ended; then nobody comes any more.
        let done = run.end().await.expect(code(&expected.end));
        assert_eq!((done.out, server.abort()), (Vec::new(), ()), "{about}");
        return;
    }
    let done = run.end().await;
    assert_eq!(
        done.code,
        Some(code(&expected.end)),
        "{about}: {}",
        done.err
    );
    assert!(done.out == expected.output, "{about}: {:?}", done.text());
    if let End::Fault(_, words) = &expected.end {
        assert!(done.err.contains(words.as_str()), "{about}: {}", done.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_prints_what_was_recorded_and_ends_with_the_documented_code() {
    let (plays, _, recording) = all();
    let mut seen = BTreeSet::new();
    let chosen: Vec<&Recorded> = plays
        .iter()
        .filter(|recorded| {
            let resizes = recorded
                .steps
                .iter()
                .any(|step| matches!(step, super::Step::Resizes(..)));
            let own = Expected::of(recorded).end != End::Open && !resizes;
            own && seen.insert(format!(
                "{:?} {:?} {:?} {:?}",
                recorded.server, recorded.login, recorded.steps, recorded.answer
            ))
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for recorded in &chosen {
        *counts.entry(dialect(recorded.server).name).or_default() += 1;
    }
    assert!(
        counts.len() == 5 && counts.values().all(|count| *count >= 7),
        "{counts:?}"
    );
    let state = tempfile::tempdir().unwrap();
    let runs = chosen.iter().flat_map(|recorded| {
        let said = recorded.server != Server::Platform && upgrades(recorded, Hint::None);
        let both = if said { &[false, true][..] } else { &[false] };
        both.iter().map(move |said| (*recorded, *said))
    });
    let mut running = futures_util::stream::iter(runs)
        .map(|(recorded, said)| one(recorded, &recording, state.path(), said))
        .buffer_unordered(4);
    while running.next().await.is_some() {}
}
