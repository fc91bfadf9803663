//! Bad input: said in words, with the right kind, and nothing else is harmed.

use std::time::Duration;

use deckwatch::codec::shell::Dialect;
use deckwatch::demo::{Options, Platform};
use deckwatch::demo::{ShellError, ShellIll, ShellServer as Server};
use deckwatch::model::FaultKind;
use deckwatch::model::shell::{ShellExit, ShellUpdate};
use deckwatch::source::shell::Control;

use super::desk::{Desk, SERVERS, exited, platform, platform_with, url};

#[tokio::test(flavor = "multi_thread")]
async fn every_server_is_found_out_and_typed_into() {
    let platform = platform(&["/bin/sh"]).await;
    for (server, name) in SERVERS.into_iter().zip([
        "the platform",
        "GoTTY 1",
        "GoTTY 2",
        "GoTTY (sorenisanerd's)",
        "ttyd",
    ]) {
        let mut desk = Desk::open(&url(&platform, server));
        desk.ready().await;
        desk.types("stty size; echo a-$((6*7))-z\r").await;
        desk.shows("24 80\r\na-42-z").await;
        assert_eq!(desk.ready().await, name);
        desk.tells(Control::Resized(101, 31));
        desk.tells(Control::Resized(100, 30));
        platform
            .shells_until(|all| all.last().is_some_and(|shell| shell.size == (100, 30)))
            .await;
        desk.types("stty size\r").await;
        desk.shows("30 100").await;
        desk.types("exit\r").await;
        if server == Server::Platform {
            // It says nothing before a key comes.
            desk.shows("exit").await;
            desk.told.clear();
            while !desk.told.contains(&ShellUpdate::Stale(true)) {
                assert!(desk.more().await);
            }
            desk.types("x").await;
        }
        assert!(exited(&desk.end().await), "{server:?}");
    }
    assert_eq!(platform.shells().len(), SERVERS.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_first_shell_is_told_from_its_second_by_its_first_word() {
    let platform = platform_with(&["/bin/sh"], |s| s.shell.v1_numbering = true).await;
    let mut desk = Desk::open(&url(&platform, Server::Platform));
    assert_eq!(desk.ready().await, "the platform (up to V5.1)");
    desk.types("echo a-$((6*7))-z\r").await;
    desk.shows("a-42-z").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platforms_refusals_are_said_as_what_they_are() {
    let platform = platform(&["/bin/sh"]).await;
    for (error, kind) in [
        (ShellError::EmptyPod, FaultKind::NotFound),
        (ShellError::Auth, FaultKind::Denied),
        (ShellError::Container, FaultKind::NotFound),
        (ShellError::NotReady, FaultKind::Unreachable),
        (ShellError::OpenTty, FaultKind::NotFound),
        (ShellError::RunTty, FaultKind::Lost),
    ] {
        platform.set_switch(|switches| switches.shell.error = Some(error));
        let mut desk = Desk::open(&url(&platform, Server::Platform));
        desk.fails(kind, error.text()).await;
        desk.close().await;
    }
    platform.set_switch(|switches| switches.shell.error = None);
    let pod = |name: &str| format!("{}#ten/svc/{name}", platform.server_url(Server::Platform));
    Desk::open(&pod("nobody"))
        .fails(FaultKind::NotFound, "no running pod")
        .await;
    Desk::open(&pod("noexec-0"))
        .fails(FaultKind::NotFound, "/bin/sh")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_takes_its_time_is_waited_for_and_said_to_be() {
    let wait = Duration::from_secs(3);
    let platform = platform_with(&["/bin/sh"], |s| s.shell.ready_after = wait).await;
    let mut desk = Desk::open(&url(&platform, Server::Platform));
    desk.types("echo typed-$((6*7))-early\r").await;
    desk.shows("typed-42-early").await;
    let said = desk.told.iter().any(|told| {
        matches!(told, ShellUpdate::Opening(words) if words.as_str().contains("waiting for the container"))
    });
    assert!(said, "{:?}", desk.told);
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ill_servers_end_one_shell_and_say_why() {
    for (ill, server, kind, words) in [
        (
            ShellIll::BadBase64,
            Server::Platform,
            FaultKind::Protocol,
            "base64",
        ),
        (
            ShellIll::Foreign,
            Server::Gotty2,
            FaultKind::Protocol,
            "another dialect",
        ),
        (
            ShellIll::Foreign,
            Server::Gotty1,
            FaultKind::Protocol,
            "another dialect",
        ),
    ] {
        let platform = platform(&["/bin/sh"]).await;
        let mut desk = Desk::open(&url(&platform, server));
        desk.ready().await;
        desk.types("echo before-$((6*7))\r").await;
        desk.shows("before-42").await;
        platform.set_switch(|switches| switches.shell.ill = Some(ill));
        desk.types("echo after\r").await;
        desk.fails(kind, words).await;
        // What was on the screen is still there.
        assert!(String::from_utf8_lossy(&desk.output).contains("before-42"));
    }
    let platform = platform_with(&["/bin/sh"], |s| s.shell.ill = Some(ShellIll::Huge)).await;
    let mut desk = Desk::open(&url(&platform, Server::Platform));
    let end = desk.end().await;
    assert!(
        matches!(&end.how, ShellExit::Lost(why) if why.as_str().contains("4 MiB")),
        "{end:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_refusal_and_the_right_one_opens() {
    let options = Options {
        world: false,
        zmq: false,
        credential: Some("user:pa'ss".into()),
        ..Options::default()
    };
    let platform = Platform::start(options).await.unwrap();
    for server in [
        Server::Gotty1,
        Server::Gotty2,
        Server::Sorenisanerd,
        Server::Ttyd,
    ] {
        let url = url(&platform, server);
        Desk::open(&url)
            .fails(FaultKind::Denied, "wants a user and a password")
            .await;
        Desk::open_as(&url, Some(("user", "wrong")), None)
            .fails(FaultKind::Denied, "does not accept")
            .await;
        let mut desk = Desk::open_as(&url, Some(("user", "pa'ss")), None);
        desk.types("echo a-$((6*7))-z\r").await;
        desk.shows("a-42-z").await;
        desk.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_shows_is_told_apart_by_nothing_and_loses_nothing() {
    let platform = platform_with(&["sh", "-c", "echo shown; exec sleep 30"], |s| {
        s.shell.read_only = true;
    })
    .await;
    for server in [
        Server::Gotty1,
        Server::Gotty2,
        Server::Sorenisanerd,
        Server::Ttyd,
    ] {
        let mut desk = Desk::open(&url(&platform, server));
        desk.shows("shown").await;
        desk.types("ignored\r").await;
        desk.close().await;
        assert_eq!(platform.shells().pop().unwrap().input, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_is_said_to_be_full() {
    let platform = platform_with(&["/bin/sh"], |s| s.shell.max_connections = Some(1)).await;
    for server in [
        Server::Gotty1,
        Server::Gotty2,
        Server::Sorenisanerd,
        Server::Ttyd,
    ] {
        let mut first = Desk::open(&url(&platform, server));
        first.ready().await;
        Desk::open(&url(&platform, server))
            .fails(FaultKind::Unreachable, "as many clients as it takes")
            .await;
        first.types("echo a-$((6*7))-z\r").await;
        first.shows("a-42-z").await;
        first.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_may_know_better_who_it_is() {
    let platform = platform(&["/bin/sh"]).await;
    let mut desk = Desk::open_as(
        &url(&platform, Server::Gotty2),
        None,
        Dialect::named("gotty2"),
    );
    desk.types("echo a-$((6*7))-z\r").await;
    desk.shows("a-42-z").await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_split_at_every_byte_is_the_same() {
    let platform = platform_with(
        &[
            "sh",
            "-c",
            "printf '\\344\\270\\255\\033[31m\\360\\237\\232\\200 end\\n'; exec sleep 30",
        ],
        |s| s.shell.split_output = true,
    )
    .await;
    for server in SERVERS {
        let mut desk = Desk::open(&url(&platform, server));
        desk.shows("中\x1b[31m🚀 end").await;
        desk.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_not_sent_where_they_can_not_be_and_that_is_said() {
    let script = [
        "sh",
        "-c",
        "stty raw -echo; echo set; exec od -An -tx1 -N4 -v",
    ];
    let platform = platform(&script).await;
    for server in [Server::Platform, Server::Gotty1, Server::Gotty2] {
        let mut desk = Desk::open(&url(&platform, server));
        desk.shows("set").await;
        desk.types(b"a\xff\xe4\xb8\xad").await;
        desk.shows("61 e4 b8 ad").await;
        assert!(
            desk.told.contains(&ShellUpdate::Refused(1)),
            "{:?}",
            desk.told
        );
        desk.close().await;
    }
    for server in [Server::Sorenisanerd, Server::Ttyd] {
        let mut desk = Desk::open(&url(&platform, server));
        desk.shows("set").await;
        // The fork's server is told apart by its second message; keys wait for that here.
        while desk
            .told
            .iter()
            .filter(|t| matches!(t, ShellUpdate::Ready(_)))
            .count()
            < 2
            && server == Server::Sorenisanerd
        {
            assert!(desk.more().await);
        }
        desk.types(b"a\xff\xe4\xb8").await;
        desk.shows("61 ff e4 b8").await;
        desk.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_takes_nothing_holds_the_container_up_and_its_keys_still_go_out() {
    let script = ["sh", "-c", "stty raw -echo; yes 0123456789 & exec sleep 30"];
    let platform = platform(&script).await;
    for server in SERVERS {
        let mut desk = Desk::open(&url(&platform, server));
        desk.shows("0123456789").await;
        // Nothing more is read here; what waits on the way is bounded, and then nothing comes.
        let mut sent = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = platform.shells().pop().unwrap().output;
            if now == sent {
                break;
            }
            sent = now;
        }
        desk.types("\x03stop").await;
        if matches!(server, Server::Gotty1 | Server::Sorenisanerd | Server::Ttyd) {
            platform
                .shells_until(|all| all.last().is_some_and(|shell| shell.input == 5))
                .await;
        }
        let before = desk.output.len();
        while desk.output.len() < before + (1 << 20) {
            assert!(desk.more().await);
        }
        desk.close().await;
    }
}
