//! Bytes each way, compared by sum: every one arrives, once, in order (decision 18).

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helper")]

use std::fmt::Write as _;

use bytes::Bytes;
use deckwatch::codec::shell::Carriage;
use deckwatch::demo::ShellServer as Server;
use md5::{Digest, Md5};

use super::desk::{Desk, SERVERS, dialect, platform, url};

/// Bytes each way, of each server.
const SIZE: usize = 64 << 20;

fn sum(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Md5::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Random bytes; of `text` random UTF-8 with characters of all lengths.
fn random(seed: u64, length: usize, text: bool) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = Vec::with_capacity(length + 4);
    while bytes.len() < length {
        if text {
            let kind = random.u8(..4);
            let range = match kind {
                0 => 0x20..0x7f,
                1 => 0xa1..0x7ff,
                2 => 0x4e00..0x9fff,
                _ => 0x1f300..0x1f6ff_u32,
            };
            let c = char::from_u32(random.u32(range)).unwrap_or('x');
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            bytes.extend_from_slice(&random.u64(..).to_le_bytes());
        }
    }
    bytes
}

async fn output(server: Server, length: usize) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let bytes = random(7, length, false);
    std::fs::write(file.path(), &bytes).unwrap();
    let script = format!("stty raw -echo; cat {}; sleep 30", file.path().display());
    let platform = platform(&["sh", "-c", &script]).await;
    let mut desk = Desk::open(&url(&platform, server));
    while desk.output.len() < bytes.len() {
        assert!(desk.more().await);
    }
    assert_eq!(sum(&desk.output), sum(&bytes), "{server:?}");
    desk.close().await;
}

async fn input(server: Server, length: usize) {
    let text = dialect(server).input == Carriage::Text;
    let bytes = Bytes::from(random(9, length, text));
    let script = format!(
        "stty raw -echo; echo set; head -c {} | md5sum; sleep 30",
        bytes.len()
    );
    let platform = platform(&["sh", "-c", &script]).await;
    let mut desk = Desk::open(&url(&platform, server));
    desk.shows("set").await;
    desk.feeds(bytes.clone());
    desk.shows(&sum(&bytes)).await;
    let records = platform.shells();
    assert_eq!(records[0].input, bytes.len() as u64, "{server:?}");
    assert_eq!(records[0].input_md5, sum(&bytes), "{server:?}");
    let tally = platform.tally().await.shell;
    let harmless = deckwatch::demo::ShellTally {
        shells: tally.shells,
        ..Default::default()
    };
    assert_eq!(tally, harmless, "nothing that harms a real server");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_output_arrives_in_order() {
    for server in SERVERS {
        output(server, SIZE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_input_arrives_in_order_where_servers_take_any_pace() {
    for server in [Server::Gotty1, Server::Sorenisanerd, Server::Ttyd] {
        input(server, SIZE).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_byte_of_input_arrives_at_the_servers_that_lose_what_comes_back_to_back() {
    for server in [Server::Platform, Server::Gotty2] {
        input(server, SIZE).await;
    }
}

/// 1 GiB each way of each server: the long run of reliability.md 8, row 34.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the long run: cargo test --release -- --ignored long_"]
async fn long_shell_bytes_are_exact() {
    for server in SERVERS {
        output(server, 1 << 30).await;
        input(server, 1 << 30).await;
    }
}
