//! What of a client's input arrives (protocols.md 9.1.1): a client that does not wait loses
//! bytes to the demo as it does to the real servers.

use deckwatch::demo::{ShellServer, ShellSwitches};

use super::seat::{RAW, Said, Seat, platform, sum};
use crate::raw_client::{BINARY, Seen, TEXT, masked};

const READ_ONCE: [ShellServer; 2] = [ShellServer::Platform, ShellServer::Gotty2];

#[tokio::test]
async fn back_to_back_messages_are_cut_as_measured() {
    // How many messages of how many bytes, and what the real servers gave of them.
    for server in READ_ONCE {
        for (count, size, least, most) in [
            (5, 1000, 1114, 1114),
            (20, 100, 1862, 1862),
            (300, 10, 2985, 2990),
            (1, 3014, 1015, 1015),
        ] {
            let platform = platform(&RAW, ShellSwitches::default()).await;
            let mut seat = Seat::open(&platform, server).await;
            seat.until("ready\n").await;
            let frames = seat.framed(b'1', &vec![b'x'; size]).repeat(count);
            seat.client.write(&frames).await;
            seat.ping().await;
            let shells = platform.shells_until(|all| all[0].input >= least).await;
            let arrived = shells[0].input;
            assert!(arrived <= most, "{server:?}: {count} × {size}: {arrived}");
            let tally = platform.tally().await.shell;
            let lost = u64::try_from(count * size).unwrap() - arrived;
            assert!(tally.lost >= lost, "{tally:?}");
            assert_eq!(tally.too_long, u64::from(size > 1015));
        }
    }
}

#[tokio::test]
async fn who_waits_for_each_pong_loses_nothing() {
    for server in [
        ShellServer::Platform,
        ShellServer::Gotty1,
        ShellServer::Gotty2,
        ShellServer::Sorenisanerd,
    ] {
        let platform = platform(&RAW, ShellSwitches::default()).await;
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        let mut all = Vec::new();
        for round in 0..20_u8 {
            let chunk: Vec<u8> = (0..1000)
                .map(|n: u32| b' ' + ((n + u32::from(round)) % 90) as u8)
                .collect();
            seat.type_in(&chunk).await;
            seat.ping().await;
            all.extend(chunk);
        }
        let shells = platform
            .shells_until(|shells| shells[0].input >= 20_000)
            .await;
        assert_eq!(shells[0].input_md5, sum(&all), "{server:?}");
        assert_eq!(shells[0].input_head, all);
        // And all of it comes back.
        seat.until_length(20_000 + "ready\n".len()).await;
        assert!(seat.output.ends_with(&all), "{server:?}");
        assert_eq!(platform.tally().await.shell.lost, 0);
    }
}

#[tokio::test]
async fn further_parts_and_binary_messages_are_passed_over() {
    for server in READ_ONCE {
        let platform = platform(&RAW, ShellSwitches::default()).await;
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        let mut first = masked(TEXT, b"1one");
        first[0] &= 0x7f;
        seat.client.write(&first).await;
        seat.client.write(&masked(0, b"two")).await;
        seat.client.send(BINARY, b"1three").await;
        seat.type_in(b"four").await;
        seat.until("onefour").await;
    }
}

#[tokio::test]
async fn some_take_any_size_and_one_ends() {
    for server in [ShellServer::Gotty1, ShellServer::Ttyd] {
        let platform = platform(&RAW, ShellSwitches::default()).await;
        let mut seat = Seat::open(&platform, server).await;
        seat.until("ready\n").await;
        let long = vec![b'y'; 70_000];
        seat.type_in(&long).await;
        seat.until_length(70_006).await;
        assert!(seat.output.ends_with(&long), "{server:?}");
    }
    let platform = platform(&RAW, ShellSwitches::default()).await;
    let mut seat = Seat::open(&platform, ShellServer::Sorenisanerd).await;
    seat.until("ready\n").await;
    // Without a wait nothing is lost, up to 1024 bytes with the type.
    let frames = seat.framed(b'1', &[b'z'; 1023]).repeat(3);
    seat.client.write(&frames).await;
    seat.until_length(3 * 1023 + 6).await;
    seat.type_in(&[b'z'; 1024]).await;
    assert_eq!(seat.hear().await, Said::End(Seen::End));
    assert_eq!(platform.tally().await.shell.too_long, 1);
}

#[tokio::test]
async fn base64_carries_every_byte() {
    let platform = platform(&RAW, ShellSwitches::default()).await;
    let mut seat = Seat::open(&platform, ShellServer::Sorenisanerd).await;
    seat.until("ready\n").await;
    seat.tell(b'4', b"base64").await;
    seat.type_in(b"AP8KDf4=").await;
    seat.tell(b'4', b"null").await;
    seat.type_in(b"AP8K").await;
    seat.until_length(6 + 5 + 4).await;
    assert!(seat.output.ends_with(b"\0\xff\n\r\xfeAP8K"));
}

#[tokio::test]
async fn a_full_terminal_stops_the_reading_and_nothing_else() {
    let deaf = ["/bin/sh", "-c", "stty raw -echo; echo ready; sleep 1000"];
    let platform = platform(&deaf, ShellSwitches::default()).await;
    let mut seat = Seat::open(&platform, ShellServer::Gotty1).await;
    seat.until("ready\n").await;
    seat.ping().await;
    seat.type_in(&vec![b'x'; 100_000]).await;
    seat.tell(b'1', b"").await;
    seat.quiet().await;
    // Others go on, and so does the platform's end.
    let mut other = Seat::open(&platform, ShellServer::Gotty1).await;
    other.until("ready\n").await;
    other.ping().await;
    drop(platform);
    while !matches!(seat.hear().await, Said::End(_)) {}
}

#[tokio::test]
async fn megabytes_come_out_whole() {
    let flood = "stty raw -echo; seq 1 1000000";
    let platform = platform(&["/bin/sh", "-c", flood], ShellSwitches::default()).await;
    let want: Vec<String> = (1..=1_000_000).map(|n| n.to_string()).collect();
    let want = want.join("\n") + "\n";
    for server in ShellServer::ALL {
        let mut seat = Seat::open(&platform, server).await;
        seat.until_length(want.len()).await;
        assert!(seat.output == want.as_bytes(), "{server:?}");
        let shells = platform
            .shells_until(|all| all.last().unwrap().exit.is_some())
            .await;
        assert_eq!(shells.last().unwrap().output_md5, sum(&want));
    }
}
