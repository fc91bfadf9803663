//! Our emulator against tmux's, cell for cell (decision 19): both get the same bytes, and after
//! each step of a recording characters, widths, styles and the cursor are the same, but for
//! what [`DIFFERENCES`] names.

mod picture;

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use deckwatch::term::{Screen, Size};

use crate::recordings::{self, Recording};
use crate::tmux::Tmux;
use picture::{Picture, captured};

/// A pane that gets a recording step by step.
struct Stage {
    tmux: Tmux,
    /// A client of it, for what capture-pane does not tell.
    client: Tmux,
    step: usize,
}

impl Stage {
    /// The parts lie in files; each is written when its turn has come.
    fn new(recording: &Recording) -> Self {
        let command = "cd \"$TMPDIR\"; stty raw -echo; n=0; touch ready; while :; do \
             while [ ! -e go$n ]; do sleep 0.02; done; cat go$n; touch done$n; n=$((n+1)); done";
        let tmux = Tmux::with_history(2000, recording.columns, recording.rows, command);
        let client = tmux.watched(recording.columns, recording.rows);
        let stage = Self {
            tmux,
            client,
            step: 0,
        };
        stage.wait_for("ready");
        stage
    }

    fn wait_for(&self, name: &str) {
        let start = Instant::now();
        let path = self.tmux.dir.path().join(name);
        while !path.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{name} never came"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn resize(&self, columns: u16, rows: u16) {
        let (x, y) = (columns.to_string(), rows.to_string());
        for tmux in [&self.client, &self.tmux] {
            tmux.ask(&["resize-window", "-x", &x, "-y", &y]);
        }
    }

    /// The client draws when it comes to it: once it is right, it is right.
    fn other_ends(&self, ours: &Picture, theirs: &Picture, rows: u16) -> Vec<(usize, String)> {
        let start = Instant::now();
        loop {
            let found = ours.other_ends(theirs, &captured(&self.client, rows));
            if found.is_empty() || start.elapsed() > Duration::from_secs(2) {
                return found;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// tmux has written all of `bytes` to its screen.
    fn write(&mut self, bytes: &[u8]) {
        let dir: &Path = self.tmux.dir.path();
        let step = self.step;
        std::fs::write(dir.join("part"), bytes).unwrap();
        std::fs::rename(dir.join("part"), dir.join(format!("go{step}"))).unwrap();
        self.wait_for(&format!("done{step}"));
        self.step += 1;
        // The bytes are in the pseudo-terminal; tmux reads them before it sleeps.
        let look = || {
            let cursor = ["display", "-p", "#{cursor_x} #{cursor_y}"];
            self.tmux.ask(&["capture-pane", "-p", "-e", "-N"]) + &self.tmux.ask(&cursor)
        };
        let mut last = look();
        loop {
            std::thread::sleep(Duration::from_millis(25));
            let next = look();
            if next == last {
                return;
            }
            last = next;
        }
    }
}

/// Both emulators on one recording: what is not the same, by step and row.
fn compare(recording: &Recording) -> Vec<(usize, usize, String)> {
    let (mut columns, mut rows) = (recording.columns, recording.rows);
    let mut stage = Stage::new(recording);
    let mut screen = Screen::new(Size::new(columns, rows), 2000);
    let mut found = Vec::new();
    for (step, (bytes, resize)) in recording.pieces().enumerate() {
        stage.write(bytes);
        assert!(!screen.advance(bytes).failed);
        let ours = Picture::of(&screen);
        let theirs = Picture::of_tmux(&stage.tmux, columns, rows);
        let mut differences = ours.differences(&theirs);
        differences.extend(stage.other_ends(&ours, &theirs, rows));
        for (row, words) in differences {
            found.push((step, row, words));
        }
        if let Some(size) = resize {
            (columns, rows) = size;
            stage.resize(columns, rows);
            assert!(!screen.resize(Size::new(columns, rows)).failed);
        }
    }
    found
}

/// A difference that is meant to be: in which recording, in which steps and rows, and why.
struct Difference {
    recording: &'static str,
    steps: Range<usize>,
    rows: Range<usize>,
    why: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        recording: "alternate",
        steps: 6..7,
        rows: 0..9,
        why: "mode 1048 (save the cursor) is unknown to tmux 3.3",
    },
    Difference {
        recording: "bash",
        steps: 9..11,
        rows: 0..10,
        why: "reflow: lines of a narrower screen move up otherwise, until the program redraws",
    },
    Difference {
        recording: "cjk",
        steps: 2..3,
        rows: 1..4,
        why: "tmux leaves half a wide character standing: in column 0, at the end, and when one half is deleted",
    },
    Difference {
        recording: "emoji-zwj",
        steps: 0..4,
        rows: 0..4,
        why: "joined emoji have the width of one in tmux, and that of their parts here and in most terminals",
    },
    Difference {
        recording: "erase-at-edge",
        steps: 4..7,
        rows: 5..6,
        why: "after the last column tmux's cursor stands beyond it, so that a step left goes one column less far; ours is xterm's",
    },
    Difference {
        recording: "insert-delete-lines",
        steps: 5..6,
        rows: 1..4,
        why: "IL outside the margins does nothing on a VT100; tmux inserts",
    },
    Difference {
        recording: "invalid-utf8",
        steps: 0..2,
        rows: 0..2,
        why: "tmux leaves some invalid bytes out; each is shown as U+FFFD here",
    },
    Difference {
        recording: "motion",
        steps: 0..1,
        rows: 2..5,
        why: "HPR and VPR are unknown to tmux 3.3",
    },
    Difference {
        recording: "repeat",
        steps: 1..5,
        rows: 1..7,
        why: "tmux repeats no wide characters, and only to the row's end",
    },
    Difference {
        recording: "reset",
        steps: 2..4,
        rows: 0..9,
        why: "DECSTR is unknown to tmux 3.3",
    },
    Difference {
        recording: "save-restore",
        steps: 2..4,
        rows: 1..3,
        why: "DECSC saves that the next character wraps on a VT100; tmux forgets it",
    },
    Difference {
        recording: "sgr-true-colour",
        steps: 1..2,
        rows: 2..3,
        why: "of a colour with parts missing tmux takes the rest for attributes",
    },
    Difference {
        recording: "tabs",
        steps: 4..5,
        rows: 0..1,
        why: "CHT is unknown to tmux 3.3",
    },
    Difference {
        recording: "vttest-cursor",
        steps: 2..3,
        rows: 2..22,
        why: "132 columns on 80: the cursor beyond the last column again",
    },
    Difference {
        recording: "vttest-cursor",
        steps: 3..5,
        rows: 2..20,
        why: "vttest's page on wrapping is right here (I to Z in order) and wrong in tmux: the same cursor",
    },
    Difference {
        recording: "vttest-screen",
        steps: 11..12,
        rows: 1..24,
        why: "vttest's page on origin mode is right here (the line at the bottom) and wrong in tmux",
    },
    Difference {
        recording: "wide-edge",
        steps: 4..5,
        rows: 2..3,
        why: "tmux leaves half a wide character standing in column 0",
    },
    Difference {
        recording: "wrap-pending",
        steps: 0..4,
        rows: 0..1,
        why: "a step left from beyond the last column again",
    },
];

/// Compares the recordings whose number leaves this rest.
fn compare_all(rest: usize) {
    let mut faults = String::new();
    let mut steps = 0;
    for (index, recording) in recordings::all().iter().enumerate() {
        if index % 2 != rest {
            continue;
        }
        steps += recording.steps.len();
        let known: Vec<&Difference> = DIFFERENCES
            .iter()
            .filter(|known| known.recording == recording.name)
            .collect();
        let found = compare(recording);
        let named = |known: &Difference, step: usize, row: usize| {
            known.steps.contains(&step) && known.rows.contains(&row)
        };
        for (step, row, words) in &found {
            if !known.iter().any(|known| named(known, *step, *row)) {
                writeln!(faults, "{} step {step}: {words}", recording.name).unwrap();
            }
        }
        for known in known {
            if !found.iter().any(|(step, row, _)| named(known, *step, *row)) {
                let why = known.why;
                writeln!(faults, "{}: this is no more: {why}", recording.name).unwrap();
            }
        }
    }
    let version = std::process::Command::new("tmux").arg("-V").output();
    let version = String::from_utf8(version.unwrap().stdout).unwrap();
    assert!(
        steps > 0 && faults.is_empty(),
        "\n{faults}(this is {}; the list of differences is that of 3.3a)",
        version.trim()
    );
}

#[test]
fn half_of_the_recordings_looks_as_in_tmux() {
    compare_all(0);
}

#[test]
fn the_other_half_looks_as_in_tmux() {
    compare_all(1);
}
