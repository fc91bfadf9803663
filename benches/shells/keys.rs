//! Row 14, and what is pasted.

use std::thread;
use std::time::{Duration, Instant};

use crate::anchors::{Bare, Tmux};
use crate::pty::{Program, Shop};
use crate::{ROUNDS, at, median, missed, ms};

/// Letters that nothing else on the screen has.
pub(crate) const LETTERS: [u8; 4] = *b"ZQXJ";
/// Between two keys: more than a frame.
pub(crate) const REST: Duration = Duration::from_millis(45);
/// Keys of a round.
const KEYS: usize = 60;

/// From a key's byte in the PTY to its letter out of it, typed into `cat`; beside it the same
/// with tmux around `cat`, and a bare WebSocket client of the same shell.
pub(crate) fn echo() {
    println!(
        "\nRow 14, echo of a key after a rest of {} ms, {} keys",
        REST.as_millis(),
        KEYS * ROUNDS
    );
    let shop = Shop::open();
    let mut bare = Bare::open(&shop, &shop.shell(1), "platform");
    bare.type_in(&shop, b"clear; exec cat\r");
    let mut program = Program::deckwatch(&[&shop.shell(0)]);
    program.see("pod$");
    program.type_in(b"clear; exec cat\r");
    let mut tmux = Tmux::start("cat");
    thread::sleep(Duration::from_secs(1));
    // Two keys within a frame of each other: what a fast typist does, and a repeated key.
    for rest in [REST, Duration::from_millis(15)] {
        let (mut ours, mut bares, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            program.type_in(b"\r");
            program.settle(Duration::from_millis(200));
            ours.extend(letters(rest).map(|key| program.key(key)));
            if let Some(tmux) = &mut tmux {
                tmux.program.type_in(b"\r");
                tmux.program.settle(Duration::from_millis(200));
                theirs.extend(letters(rest).map(|key| tmux.program.key(key)));
            }
            bares.extend(letters(rest).map(|key| {
                let sent = Instant::now();
                bare.type_in(&shop, &[key]);
                bare.until(&shop, &[key]);
                ms(sent.elapsed())
            }));
        }
        println!("  a key each {} ms or so", rest.as_millis());
        tell("deckwatch", &ours);
        tell("bare client", &bares);
        if theirs.is_empty() {
            println!("    tmux is not here");
            continue;
        }
        tell("tmux", &theirs);
        let (half, most) = (
            at(&ours, 50) / at(&theirs, 50),
            at(&ours, 99) / at(&theirs, 99),
        );
        println!(
            "    {half:.2}x tmux's median, {most:.2}x its 99 % (gate 1.5, goal 1.0){}",
            missed(half > 1.5 || most > 1.5)
        );
    }
}

/// Letters with rests between them.
pub(crate) fn letters(rest: Duration) -> impl Iterator<Item = u8> {
    let keys = LETTERS.into_iter().cycle().take(KEYS);
    keys.enumerate().map(move |(number, key)| {
        // Not in step with any clock.
        thread::sleep(rest + Duration::from_micros(number as u64 * 397 % 9000));
        key
    })
}

pub(crate) fn tell(who: &str, times: &[f64]) {
    println!(
        "    {who:<14}p50 {:.3} ms, p99 {:.3} ms",
        at(times, 50),
        at(times, 99)
    );
}

/// A paste of 256 KB into a program that reads it, over the platform's protocol, one message at
/// a time; from the yes to its last byte in the shell. Beside it a bare client.
pub(crate) fn paste() {
    const BYTES: usize = 256_000;
    let shop = Shop::open();
    let text =
        "paste of a line, as long as lines are, 64 bytes with what ends \n".repeat(BYTES / 64);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut program = Program::deckwatch(&[&shop.shell(0)]);
    program.see("pod$");
    let mut bare = Bare::open(&shop, &shop.shell(1), "platform");
    let command = b"stty raw -echo; echo set-$((6*7)); exec cat > /dev/null\r";
    program.type_in(command);
    program.see("set-42");
    bare.type_in(&shop, command);
    bare.until(&shop, b"set-42");
    let input = |pod: &str| {
        let shells = shop.platform.shells();
        shells.iter().find(|shell| shell.pod == pod).unwrap().input
    };
    let arrived = |pod: &'static str, wanted: u64| {
        let there = shop.platform.shells_until(|all| {
            all.iter()
                .any(|shell| shell.pod == pod && shell.input >= wanted)
        });
        drop(shop.runtime.block_on(there));
    };
    for _ in 0..ROUNDS {
        let wanted = input("pod-0") + text.len() as u64;
        program.type_in(format!("\x1b[200~{text}\x1b[201~").as_bytes());
        program.see("y yes");
        let start = Instant::now();
        program.type_in(b"y");
        arrived("pod-0", wanted);
        ours.push(text.len() as f64 / start.elapsed().as_secs_f64() / 1e3);
        program.settle(Duration::from_millis(300));
        let wanted = input("pod-1") + text.len() as u64;
        let start = Instant::now();
        bare.stop_and_wait(&shop, text.as_bytes());
        arrived("pod-1", wanted);
        theirs.push(text.len() as f64 / start.elapsed().as_secs_f64() / 1e3);
    }
    let (ours, theirs) = (median(&ours), median(&theirs));
    println!(
        "\nA paste of {} KB to the platform, one message at a time, medians of {ROUNDS}: {ours:.0} KB/s; a bare client {theirs:.0} KB/s ({:.2}x)",
        text.len() / 1000,
        ours / theirs
    );
}
