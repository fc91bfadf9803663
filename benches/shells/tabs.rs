//! Row 12 end to end and row 13: the program with the demo's shells.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::anchors::{Bare, tmux};
use crate::corpora::{KINDS, corpus};
use crate::pty::{Program, Shop};
use crate::{COLUMNS, HISTORY, ROUNDS, ROWS, median, missed, rate, resident};

/// Bytes of each kind of output: 100 MB together.
const BYTES: usize = 25_000_000;

/// `cat` of a file in a shell's tab, from its Enter until what follows it is drawn; beside it
/// tmux with the same file, and a client of the same server that decodes and throws away, which
/// is what PTY, server and network let through.
pub(crate) fn throughput() {
    println!(
        "\nRow 12, cat of {} MB in a tab of {COLUMNS}x{ROWS}, medians of {ROUNDS}, MB/s",
        BYTES / 1_000_000
    );
    println!(
        "  {:<18}{:>10}{:>14}{:>8}",
        "", "deckwatch", "bare client", "tmux"
    );
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open();
    for (name, make, gate, goal) in KINDS {
        let file = dir.path().join(name);
        std::fs::write(&file, corpus(make, BYTES)).unwrap();
        pour(&shop, &shop.shell(0), "platform", &file, (gate, goal));
    }
    let (name, _, gate, goal) = KINDS[0];
    pour(
        &shop,
        &shop.ttyd(),
        "ttyd",
        &dir.path().join(name),
        (gate, goal),
    );
}

fn pour(shop: &Shop, target: &str, dialect: &str, file: &Path, (gate, goal): (f64, f64)) {
    let dir = file.parent().unwrap();
    let length = usize::try_from(std::fs::metadata(file).unwrap().len()).unwrap();
    let mut program = Program::deckwatch(&[target]);
    program.see("$");
    let mut bare = Bare::open(shop, target, dialect);
    let (mut ours, mut bares, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // The mark is not in the command's own echo.
        let mark = format!("all-of-it-{round}");
        let command = format!(
            "cat '{}'; printf '\\033[m\\033[2J\\033[H%s-{round}\\n' all-of-it\r",
            file.display()
        );
        program.settle(Duration::from_millis(200));
        let start = Instant::now();
        program.type_in(command.as_bytes());
        let end = program.see(&mark);
        ours.push(rate(length, end.duration_since(start)));
        let start = Instant::now();
        bare.type_in(shop, command.as_bytes());
        bare.until(shop, mark.as_bytes());
        bares.push(rate(length, start.elapsed()));
        theirs.extend(tmux(dir, file));
    }
    let kind = format!("{} {dialect}", file.file_name().unwrap().to_string_lossy());
    let (ours, bare) = (median(ours), median(bares));
    if theirs.len() < ROUNDS {
        println!("  {kind:<18}{ours:>10.1}{bare:>14.1}  tmux is not here");
        return;
    }
    let theirs = median(theirs);
    let ratio = ours / theirs;
    println!(
        "  {kind:<18}{ours:>10.1}{bare:>14.1}{theirs:>8.1}  {ratio:>5.2}x (gate {gate}, goal {goal}){}",
        missed(ratio < gate)
    );
}

/// Five tabs, whose histories fill one after the other.
pub(crate) fn growth() {
    println!(
        "\nRow 13, the program's memory for each tab that fills, {HISTORY} lines of {COLUMNS} columns (gate 28 MB, goal 26 MB)"
    );
    let shop = Shop::open();
    let targets: Vec<String> = (0..5).map(|pod| shop.shell(pod)).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let mut program = Program::deckwatch(&targets);
    program.wait("five prompts", |shown| shown.matches("pod$").count() >= 5);
    // A tab of its own for each, in which it has the whole width. Panes are numbered through all
    // tabs: the second is always the next of those that share the first tab.
    for _ in 1..5 {
        program.type_in(b"\x1d2\x1dt");
        program.settle(Duration::from_millis(300));
    }
    let mut before = resident(program.pid());
    println!("  five empty tabs: {:.1} MB resident", mb(before));
    let mut grown = Vec::new();
    for pane in 1..=5 {
        program.type_in(format!("\x1d{pane}").as_bytes());
        program.settle(Duration::from_millis(500));
        fill(&mut program, pane);
        let now = resident(program.pid());
        grown.push(mb(now.saturating_sub(before)));
        before = now;
    }
    let sizes = shop.platform.shells();
    assert!(
        sizes.iter().all(|shell| shell.size.0 == COLUMNS),
        "{:?}",
        sizes.iter().map(|shell| shell.size).collect::<Vec<_>>()
    );
    let list: Vec<String> = grown.iter().map(|mb| format!("{mb:.1}")).collect();
    let middle = median(grown);
    println!(
        "  each filled: {} MB, median {middle:.1}{}",
        list.join(", "),
        missed(middle > 28.0)
    );
}

fn mb(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap()) / 1e6
}

/// Fills a tab's history with lines that take a row each.
fn fill(program: &mut Program, tab: usize) {
    program.type_in(format!("seq -f %0199g 12000; echo full-$(({tab}+10))\r").as_bytes());
    program.see(&format!("full-{}", tab + 10));
    program.settle(Duration::from_millis(500));
}
