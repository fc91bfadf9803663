//! Every codec has an answer for every input, and the same answer from every split of it.

use std::borrow::Cow;

use deckwatch::codec::docker_log::{self, LogFrame};
use deckwatch::codec::target::Target;
use deckwatch::codec::zmq_layout::{self, LAYOUTS, Layout};
use deckwatch::codec::zmtp::Checker;
use deckwatch::codec::{event_log, level, pubsub, stamp};
use deckwatch::model::{Micros, RawBatch};
use deckwatch::source::lines::LineCutter;
use deckwatch::transport::opcodes::Walker;
use jiff::tz::TimeZone;
use proptest::prelude::*;

const SERVICE: &str = "a1b2c3d4e5f60718293a4b5c6d7e8f90";

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// What looks like a frame of the platform, with anything in its members.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let text = any::<String>();
    prop_oneof![
        bytes(),
        bytes().prop_map(|line| [b"0123456789ab:".to_vec(), line].concat()),
        (text, any::<String>()).prop_map(|(a, b)| {
            serde_json::json!({"event_id": SERVICE, "message": a, "step": b, "data": b, "event": a, "channel": b}).to_string().into_bytes()
        }),
        any::<String>().prop_map(|text| format!("{{\"event\":\"service:log\",\"data\":{text:?}").into_bytes()),
    ]
}

proptest! {
    #[test]
    fn a_container_frame_gives_back_what_it_was_made_of(line in bytes()) {
        let frame = [b"0123456789ab:".to_vec(), line.clone()].concat();
        let LogFrame::Live(read) = docker_log::decode(&frame, SERVICE) else { panic!("it is live") };
        prop_assert_eq!(read.container.as_deref(), Some(&b"0123456789ab"[..]));
        prop_assert_eq!(&*read.body, &line[..]);
        let joined = docker_log::lines(&line).collect::<Vec<_>>().join(&b"\n"[..]);
        prop_assert_eq!(&joined[..], line.strip_suffix(b"\n").unwrap_or(&line));
    }

    #[test]
    fn a_replayed_line_is_the_line(text in any::<String>()) {
        let message = format!("0123456789ab:{text}");
        let frame = serde_json::json!({"event_id": SERVICE, "level": "", "message": message, "status": "", "step": "", "time": ""}).to_string();
        let LogFrame::Replay(read) = docker_log::decode(frame.as_bytes(), SERVICE) else { panic!("it is a replay") };
        prop_assert_eq!(&*read.body, text.as_bytes());
    }

    #[test]
    fn no_frame_is_without_an_answer(frame in frames()) {
        let _ = docker_log::decode(&frame, SERVICE);
        let _ = event_log::decode(&frame).and_then(|step| step.outcome());
        let _ = event_log::is_rebuilt(&frame);
        let _ = pubsub::decode(&frame);
        let text = String::from_utf8_lossy(&frame);
        let _ = level::detect(&text);
        let _ = stamp::of_line(&text, &TimeZone::UTC, Micros(0));
        let _ = stamp::of_wire(&text);
        let _ = Target::parse(&text);
    }

    #[test]
    fn no_layout_loses_a_body(parts in prop::collection::vec(bytes(), 0..6), which in 0..LAYOUTS.len()) {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let line = zmq_layout::decode(&parts, LAYOUTS[which].1);
        if line.misfit || LAYOUTS[which].1 == Layout::Raw {
            let whole: Cow<'_, [u8]> = Cow::Owned(parts.join(&b" | "[..]));
            prop_assert_eq!(line.body, whole);
        }
    }

    #[test]
    fn the_guard_says_the_same_of_every_split(greeting in any::<bool>(), rest in bytes(), cuts in prop::collection::vec(0usize..400, 0..6)) {
        let mut stream = if greeting { sound_start() } else { Vec::new() };
        stream.extend(rest);
        let whole = run(&[&stream]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&stream[from..cut]);
            from = cut;
        }
        pieces.push(&stream[from..]);
        prop_assert_eq!(run(&pieces), whole);
    }

    #[test]
    fn the_walker_never_changes_a_length_and_only_first_bytes(body in bytes(), cut in 0usize..400) {
        let mut stream = b"HTTP/1.1 101 x\r\n\r\n".to_vec();
        stream.extend(&body);
        let mut whole = stream.clone();
        Walker::default().walk(&mut whole);
        let mut split = stream.clone();
        let mut walker = Walker::default();
        let (one, two) = split.split_at_mut(cut.min(stream.len()));
        walker.walk(one);
        walker.walk(two);
        prop_assert_eq!(&split, &whole);
        for (before, after) in stream.iter().zip(&whole) {
            prop_assert!(before == after || before & 0x0f == 1 && *after == before & 0xf0 | 2);
        }
    }

    #[test]
    fn lines_are_the_same_from_every_split(text in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200), cut in 0usize..200) {
        let cut = cut.min(text.len());
        prop_assert_eq!(cut_lines(&[&text[..cut], &text[cut..]]), cut_lines(&[&text]));
        let mut want: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if want.last().is_some_and(Vec::is_empty) {
            want.pop();
        }
        prop_assert_eq!(cut_lines(&[&text]), want);
    }
}

fn sound_start() -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0];
    bytes.extend_from_slice(b"NULL");
    bytes.resize(64, 0);
    bytes.extend_from_slice(b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03PUB");
    bytes
}

fn run(pieces: &[&[u8]]) -> (Option<String>, Vec<u8>) {
    let (mut checker, mut out) = (Checker::default(), Vec::new());
    for piece in pieces {
        if let Err(fault) = checker.feed(piece, &mut out) {
            // Which fault it is does not depend on the split; the bytes that it quotes may.
            let fault = format!("{fault:?}");
            return (fault.split('(').next().map(str::to_owned), out);
        }
    }
    (None, out)
}

fn cut_lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut cutter, mut batch) = (LineCutter::default(), RawBatch::default());
    for piece in pieces {
        cutter.feed(piece, Micros(0), &mut batch);
    }
    cutter.finish(Micros(0), &mut batch);
    (0..batch.len())
        .map(|row| batch.line(row).to_vec())
        .collect()
}
