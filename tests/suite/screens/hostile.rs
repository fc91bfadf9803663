//! Hostile text on screens: whatever a server says, in whatever place, the terminal is sent
//! nothing but printable characters and what the drawing itself makes.

use std::path::Path;
use std::time::Duration;

use deckwatch::app::Msg;
use deckwatch::model::{EndReason, LinkState, Mark, SourceName};
use deckwatch::text::SafeText;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;

use super::{Say, Stage};

/// What the drawing may send: cursor moves, SGR, and showing or hiding the cursor.
pub(crate) fn only_drawing(mut bytes: &[u8]) -> Result<(), String> {
    while let Some((first, rest)) = bytes.split_first() {
        if *first != 0x1b {
            let control = *first < 0x20 || *first == 0x7f;
            // C1 in UTF-8.
            let c1 = *first == 0xc2 && rest.first().is_some_and(|next| (0x80..0xa0).contains(next));
            if control || c1 {
                return Err(format!("{first:#04x} {rest:?}"));
            }
            bytes = rest;
            continue;
        }
        let end = rest
            .iter()
            .position(u8::is_ascii_alphabetic)
            .ok_or("an open sequence")?;
        let (sequence, after) = rest.split_at(end + 1);
        let digits = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
        let known = match sequence {
            [b'[', b'?', b'2', b'5', b'l' | b'h'] => true,
            [b'[', inner @ .., b'm' | b'H'] => inner.iter().all(digits),
            _ => false,
        };
        if !known {
            return Err(String::from_utf8_lossy(sequence).into_owned());
        }
        bytes = after;
    }
    Ok(())
}

fn check(stage: &Stage, what: &str) {
    let (buf, _) = stage.paint();
    for cell in buf.content() {
        let symbol = cell.symbol();
        assert!(
            symbol.len() <= 128,
            "{what}: {} bytes in a cell",
            symbol.len()
        );
        for c in symbol.chars() {
            assert!(!c.is_control(), "{what}: {c:?} in a cell");
        }
    }
    let mut bytes = Vec::new();
    let mut backend = CrosstermBackend::new(&mut bytes);
    let blank = Buffer::empty(buf.area);
    backend.draw(blank.diff(&buf).into_iter()).unwrap();
    Backend::flush(&mut backend).unwrap();
    if let Err(wrong) = only_drawing(&bytes) {
        panic!("{what}: {wrong}");
    }
}

#[test]
fn the_corpus_in_every_place_of_the_screen() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/hostile");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "bin") {
            continue;
        }
        count += 1;
        let name = path.display().to_string();
        let bytes = std::fs::read(&path).unwrap();
        let foreign = String::from_utf8_lossy(&bytes).into_owned();
        let safe = || SafeText::new(&bytes).into_owned();
        let mut stage = Stage::new(100, 30, 2);
        stage.app.targets[0].target.name.clone_from(&foreign);
        for line in bytes.split(|byte| *byte == b'\n').take(200) {
            let mut raw = deckwatch::model::RawBatch::default();
            let source = SourceName::within(&bytes, &bytes);
            let head = deckwatch::model::RowHead {
                source: Some(&source),
                ..Default::default()
            };
            raw.push(line, &head);
            raw.push_mark(Mark::Notice(safe()));
            raw.push_mark(Mark::Join(source.clone()));
            raw.push_mark(Mark::Reconnected {
                away: Duration::ZERO,
                why: safe(),
                certainty: deckwatch::model::Certainty::Possible,
                hidden: 3,
            });
            stage.batch(0, &raw);
        }
        check(&stage, &name);
        for state in [
            LinkState::Connecting(safe()),
            LinkState::Waiting {
                retry_in: Duration::ZERO,
                attempt: 1,
                why: safe(),
            },
            LinkState::Ended(EndReason::Failure(safe())),
        ] {
            stage.state(0, state.clone());
            stage.state(1, state);
            check(&stage, &name);
        }
        stage.tell(Msg::Failed(foreign.clone()));
        check(&stage, &name);
        stage.keys("w P c t k k");
        check(&stage, &name);
        stage.keys("enter");
        check(&stage, &name);
        stage.keys("esc /");
        stage.tell(Msg::Paste(foreign.clone()));
        check(&stage, &name);
        stage.keys("enter X");
        check(&stage, &name);
    }
    assert!(count >= 60, "{count} files");
}

#[test]
fn a_line_that_looks_like_a_mark_stands_in_another_column() {
    let mut stage = Stage::new(60, 8, 1);
    stage.keys("c c");
    let mark = Mark::Gap {
        why: SafeText::of("forged").into_owned(),
        certainty: deckwatch::model::Certainty::Certain,
        hidden: 0,
        missing: None,
    };
    stage.mark(0, mark);
    stage.lines(
        0,
        &[Say {
            source: "",
            text: "─── gap: forged ──",
        }],
    );
    let screen = stage.screen();
    let rows: Vec<&str> = screen.lines().skip(1).take(2).collect();
    assert!(
        rows[0].starts_with('─') && rows[1].starts_with(' '),
        "{screen}"
    );
}
