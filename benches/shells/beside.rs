//! What a shell costs the panes beside it, and what shells cost that rest.

use std::time::{Duration, Instant};

use crate::keys::{REST, letters, tell};
use crate::pty::{Program, Shop};
use crate::{ROUNDS, at, median, ms, resident};

/// A pane of lines beside a shell that rests, and beside one that floods: from a line's being
/// said until it is drawn, from a key until it is, and whether all lines are counted.
pub(crate) fn logs() {
    println!("\nA pane of lines beside a shell");
    let shop = Shop::open();
    let mut program = Program::deckwatch(&[&shop.log("order"), &shop.shell(0)]);
    program.see("pod$");
    let mut said = 0;
    for flood in ["", "yes", "cat /dev/urandom | base64 -w 0"] {
        let what = if flood.is_empty() { "at rest" } else { flood };
        if !flood.is_empty() {
            program.type_in(format!("{flood}\r").as_bytes());
        }
        program.type_in(b"\x1dh");
        program.watch(Duration::from_secs(1));
        let (_, frames) = program.watch(Duration::from_secs(2));
        println!("  the shell: {what}; {} frames a second", frames / 2);
        // base64 writes these letters too.
        if !flood.contains("base64") {
            let lines: Vec<f64> = letters(REST)
                .map(|letter| {
                    said += 1;
                    program.settle(Duration::ZERO);
                    let sent = Instant::now();
                    shop.say("order", &String::from(char::from(letter)).repeat(8));
                    program.until(letter, sent)
                })
                .collect();
            tell("a line", &lines);
            program.type_in(b"/");
            program.watch(Duration::from_millis(300));
            let keys: Vec<f64> = letters(REST).map(|key| program.key(key)).collect();
            tell("a key", &keys);
            program.type_in(b"\x1b");
            program.watch(Duration::from_millis(300));
        }
        for batch in 0..200 {
            for line in 0..50 {
                shop.say("order", &format!("line {batch} {line}"));
                said += 1;
            }
            program.watch(Duration::from_millis(5));
        }
        program.watch(Duration::from_secs(1));
        println!("    {said} lines said; {}", counted(&program.shown()));
        program.type_in(b"\x1dl\x03");
        program.wait("a prompt", |shown| shown.contains("^C"));
        program.settle(Duration::from_millis(500));
    }
}

/// The pane's own count.
fn counted(shown: &str) -> String {
    let last = shown.lines().rev().find(|line| line.contains(" shown"));
    last.unwrap_or(shown).trim().chars().take(100).collect()
}

/// Keys in a shell beside one that floods, and how long a Ctrl-C takes to stop that.
pub(crate) fn shells() {
    println!("\nA shell beside another that floods");
    let shop = Shop::open();
    let mut program = Program::deckwatch(&[&shop.shell(0), &shop.shell(1)]);
    program.wait("two prompts", |shown| shown.matches("pod$").count() >= 2);
    program.type_in(b"\x1dh\x1dl");
    program.type_in(b"exec cat\r");
    program.settle(Duration::from_millis(300));
    let calm: Vec<f64> = letters(REST).map(|key| program.key(key)).collect();
    tell("at rest", &calm);
    program.type_in(b"\r\x1dhyes\r\x1dl");
    program.watch(Duration::from_secs(1));
    let flooded: Vec<f64> = letters(REST).map(|key| program.key(key)).collect();
    tell("yes", &flooded);
    let stops = (0..ROUNDS).map(|_| {
        program.type_in(b"\x1dh");
        program.watch(Duration::from_millis(300));
        let start = Instant::now();
        program.type_in(b"\x03");
        let end = program.wait("a prompt", |shown| shown.contains("^C"));
        program.type_in(b"yes\r");
        program.watch(Duration::from_secs(1));
        ms(end.duration_since(start))
    });
    let stops: Vec<f64> = stops.collect();
    println!(
        "    Ctrl-C until the flood stands still: median {:.1} ms, at most {:.1} ms",
        median(&stops),
        at(&stops, 100)
    );
}

/// Five shells at their prompts, 10 s.
pub(crate) fn idle() {
    let shop = Shop::open();
    let targets: Vec<String> = (0..5).map(|pod| shop.shell(pod)).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let mut program = Program::deckwatch(&targets);
    program.wait("five prompts", |shown| shown.matches("pod$").count() >= 5);
    program.settle(Duration::from_secs(6));
    let pid = program.pid();
    let (cpu, switches) = usage(pid);
    let (bytes, _) = program.watch(Duration::from_secs(10));
    let (cpu_after, switches_after) = usage(pid);
    println!(
        "\nIdle for 10 s with five shells: {:.0} ms of CPU, {:.1} wake-ups/s, {bytes} bytes written, {:.1} MiB resident",
        (cpu_after - cpu) * 1e3,
        (switches_after - switches) / 10.0,
        f64::from(u32::try_from(resident(pid) >> 10).unwrap()) / 1024.0
    );
}

/// Seconds of CPU, and voluntary context switches of all threads.
fn usage(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let cpu: f64 = ticks.map(|field| field.parse::<f64>().unwrap()).sum();
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let status = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("status")).ok());
    let switches = status.filter_map(|status| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<f64>().ok()
    });
    (cpu / 100.0, switches.sum())
}
