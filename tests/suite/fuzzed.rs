//! The fuzz targets (fuzz/bodies.rs) in CI: each over the corpora and over what a seeded hand makes
//! of them, at a bounded count. A failure prints the target, the seed's number and the input.

#![expect(clippy::unwrap_used, reason = "test helper")]

#[path = "../../fuzz/bodies.rs"]
#[expect(dead_code, reason = "what libFuzzer alone calls")]
mod bodies;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use bodies::BODIES;

/// Inputs that are made of each seed.
const MADE: u64 = 24;
/// No input of CI is longer.
const LONGEST: usize = 16 << 10;

/// Hostile inputs, recorded traffic, recorded programs.
fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut seeds = vec![Vec::new()];
    for (folder, ending) in [
        ("corpus/hostile", "bin"),
        ("recordings", "bytes"),
        ("transcripts", "jsonl"),
    ] {
        let mut found = 0;
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != ending) {
                continue;
            }
            found += 1;
            let bytes = std::fs::read(&path).unwrap();
            if ending == "jsonl" {
                seeds.extend(frames(&bytes));
            } else {
                seeds.push(bytes);
            }
        }
        assert!(found > 10, "{folder} was found");
    }
    for seed in &mut seeds {
        seed.truncate(LONGEST);
    }
    seeds.sort();
    seeds.dedup();
    seeds
}

/// The frames of a transcript, a few of each.
fn frames(transcript: &[u8]) -> Vec<Vec<u8>> {
    let lines = transcript.split(|byte| *byte == b'\n');
    let mut frames = Vec::new();
    for line in lines.take(200).step_by(3) {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
            continue;
        };
        let texts = ["text", "data", "payload", "body"];
        let texts = texts.iter().filter_map(|name| value.get(name)?.as_str());
        frames.extend(texts.map(|text| text.as_bytes().to_vec()));
        frames.push(line.to_vec());
    }
    frames
}

/// Another input from one or two: bytes that change, go, come, or are doubled.
fn made(seed: &[u8], other: &[u8], number: u64) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(number);
    let mut data = seed.to_vec();
    for _ in 0..=rng.usize(..4) {
        let at = rng.usize(..=data.len());
        match rng.u8(..6) {
            0 if at < data.len() => {
                if let Some(byte) = data.get_mut(at) {
                    *byte ^= 1 << rng.u8(..8);
                }
            }
            1 => data.truncate(at),
            2 => data.insert(at, rng.u8(..)),
            3 => {
                let part = other
                    .get(..rng.usize(..=other.len().min(64)))
                    .unwrap_or(&[]);
                drop(data.splice(at..at, part.iter().copied()));
            }
            4 => {
                let odd = [
                    &b"\x1b["[..],
                    b"\xff\xfe",
                    b"9999999999999999999",
                    b"\x00",
                    b"\xe2\x80\xae",
                    b"{\"data\":[",
                ];
                let part = odd.get(rng.usize(..odd.len())).unwrap_or(&odd[0]);
                drop(data.splice(at..at, part.iter().copied()));
            }
            _ => {
                let end = (at + rng.usize(..32)).min(data.len());
                data.drain(at..end);
            }
        }
    }
    data.truncate(LONGEST);
    data
}

#[test]
fn every_target_survives_the_corpora_and_what_is_made_of_them() {
    let seeds = seeds();
    let others: Vec<&Vec<u8>> = seeds.iter().rev().collect();
    for (name, body) in BODIES {
        for (index, (seed, other)) in seeds.iter().zip(&others).enumerate() {
            let try_one = |data: &[u8], what: &str| {
                let tried = std::panic::catch_unwind(AssertUnwindSafe(|| body(data)));
                assert!(tried.is_ok(), "{name}, seed {index}, {what}: {data:?}");
            };
            try_one(seed, "as it is");
            let count = if seed.len() > 1024 { 2 } else { MADE };
            for number in 0..count {
                let number = number + (index as u64) * MADE;
                try_one(&made(seed, other, number), &format!("number {number}"));
            }
        }
    }
}

#[test]
fn every_target_has_a_file_and_every_file_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names: Vec<&str> = BODIES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert_eq!(files, names);
    let manifest = include_str!("../../fuzz/Cargo.toml");
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
