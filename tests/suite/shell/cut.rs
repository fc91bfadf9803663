//! A link that is cut while somebody types: nothing is typed twice, and what did not arrive is
//! told (reliability.md 8, row 35).

#![expect(clippy::unwrap_used, reason = "test helper")]

use deckwatch::demo::Platform;
use deckwatch::demo::ShellServer as Server;
use deckwatch::model::shell::ShellExit;

use super::desk::{Desk, SERVERS, platform_with, url};
use crate::program::ClosedPort;

const COMMAND: usize = 200;

/// Types the command; the server cuts after `after` bytes of input.
async fn cut(platform: &Platform, server: Server, after: u64) {
    let reset = after.is_multiple_of(2);
    platform.set_switch(|switches| {
        switches.shell.end_after = (!reset).then_some(after);
        switches.shell.reset_after = reset.then_some(after);
    });
    let mut desk = Desk::open(&url(platform, server));
    desk.shows("set").await;
    let command: String = (0..COMMAND)
        .map(|n| char::from(b'a' + u8::try_from(n % 26).unwrap()))
        .collect();
    let mut typed = 0;
    for piece in command.as_bytes().chunks(7) {
        if !desk.tries(piece).await {
            break;
        }
        typed += piece.len();
    }
    let end = desk.end().await;
    desk.close().await;
    let arrived = usize::try_from(platform.shells().pop().unwrap().input).unwrap();
    assert!(
        arrived >= usize::try_from(after).unwrap(),
        "{server:?} {after}"
    );
    // What is said never claims more than is true: typed = arrived + unsent + in doubt, where
    // the server confirms: of what was taken from the user, every byte is accounted for.
    if matches!(server, Server::Platform | Server::Gotty2) {
        let told = end.unsent + end.unconfirmed;
        assert!(
            arrived + told >= typed,
            "{server:?} {after}: {arrived} + {told}"
        );
        assert!(arrived + end.unsent <= typed, "{server:?} {after}");
    }
    let lost = matches!(end.how, ShellExit::Lost(_));
    let exited = matches!(end.how, ShellExit::Exited { .. });
    assert!(
        lost || exited && server != Server::Platform,
        "{server:?} {after}: {end:?}"
    );
    // The next one is another shell, into which nothing is typed.
    platform.set_switch(|switches| {
        switches.shell.end_after = None;
        switches.shell.reset_after = None;
    });
    let mut desk = Desk::open(&url(platform, server));
    desk.shows("set").await;
    desk.close().await;
    let fresh = platform.shells().pop().unwrap();
    assert_eq!(fresh.input, 0, "{server:?} {after}: typed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_every_byte_of_a_command_never_types_it_twice() {
    let script = ["sh", "-c", "stty raw -echo; echo set; exec sleep 30"];
    for server in SERVERS {
        let platform = platform_with(&script, |_| {}).await;
        let step = if server == Server::Platform { 1 } else { 13 };
        for after in (1..=u64::try_from(COMMAND).unwrap()).step_by(step) {
            cut(&platform, server, after).await;
        }
    }
}

#[tokio::test]
async fn a_paste_that_has_no_room_is_refused_whole() {
    const MIB: usize = 1 << 20;
    let port = ClosedPort::new();
    // Its task has not run yet, and takes nothing.
    let mut desk = Desk::open(&format!(
        "ws://127.0.0.1:{}/docker_console#ten/svc/pod-0",
        port.number()
    ));
    assert!(desk.takes(15 * MIB));
    assert!(!desk.takes(2 * MIB) && !desk.takes(17 * MIB));
    assert!(desk.takes(1));
    let end = desk.end().await;
    assert_eq!((end.unsent, end.unconfirmed), (15 * MIB + 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_before_there_was_a_connection_is_counted_as_not_sent() {
    // It takes the connection, says nothing, and goes.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut desk = Desk::open(&format!("ws://{address}/docker_console#ten/svc/pod-0"));
    let (taken, _) = listener.accept().await.unwrap();
    desk.types("rm -rf /\r").await;
    drop(taken);
    let end = desk.end().await;
    assert!(matches!(end.how, ShellExit::Fault(_)), "{end:?}");
    assert_eq!((end.unsent, end.unconfirmed), (9, 0));
}
