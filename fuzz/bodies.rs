//! What each fuzz target asserts, for `cargo fuzz` (`fuzz_targets/`) and for an ordinary test
//! that runs each of them over the corpora (`tests/suite/fuzzed.rs`). Total: a body returns for
//! any input, or has found a defect.

use deckwatch::codec::shell::DIALECTS;
use deckwatch::codec::zmtp::Checker;
use deckwatch::codec::{
    alert, docker_log, event_log, http_date, level, monitor, pod_log, prometheus, pubsub, rest,
    route, sse, stamp, zmq_layout,
};
use deckwatch::model::Micros;
use deckwatch::term::{Screen, Size};
use deckwatch::text::{SafeArena, SafeText, glob, width};

/// A target: its name and what it asserts.
pub(crate) type Body = (&'static str, fn(&[u8]));

/// All targets.
pub(crate) const BODIES: [Body; 14] = [
    ("sanitise", sanitise),
    ("sanitise_lines", sanitise_lines),
    ("docker_log", docker),
    ("event_log", event),
    ("pubsub", channels),
    ("monitor", lists),
    ("prometheus", measured),
    ("rest", answers),
    ("sse", sse_stream),
    ("shell_frames", shell_frames),
    ("zmtp", zmtp),
    ("zmq_layouts", zmq_layouts),
    ("emulator", emulator),
    ("texts", texts),
];

/// Runs the target of a name.
pub(crate) fn run(name: &str, data: &[u8]) {
    for (known, body) in BODIES {
        if known == name {
            body(data);
        }
    }
}

/// The input in two, cut where its first byte says.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((first, rest)) = data.split_first() else {
        return (&[], &[]);
    };
    rest.split_at(rest.len() * usize::from(*first) / 256)
}

/// No control reaches a screen, and what is safe stays as it is.
fn sanitise(data: &[u8]) {
    let safe = SafeText::new(data);
    assert!(!safe.as_str().chars().any(char::is_control), "{safe:?}");
    let again = SafeText::of(safe.as_str());
    assert_eq!(again.as_str(), safe.as_str(), "safe text is safe");
    let cells = width::cells(safe.as_str());
    let cut = width::cut(safe.as_str(), cells / 3, cells / 3 + 1);
    assert!(width::cells(cut.text) <= cells / 3 + 1);
}

/// An arena of lines holds what each line is by itself.
fn sanitise_lines(data: &[u8]) {
    let mut arena = SafeArena::with_capacity(0, 0);
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    for line in &lines {
        arena.push(line);
    }
    assert_eq!(arena.len(), lines.len());
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(arena.line(index), SafeText::new(line).as_str());
        for run in arena.runs(index) {
            assert!(run.start <= run.end && run.end as usize <= arena.line(index).len());
        }
    }
}

/// A frame is a line, whole: nothing of it is invented.
fn docker(data: &[u8]) {
    let frame = docker_log::decode(data, "0123456789abcdef0123456789abcdef");
    let (docker_log::LogFrame::Live(line) | docker_log::LogFrame::Replay(line)) = frame;
    let bytes: usize = docker_log::lines(&line.body).map(<[u8]>::len).sum();
    assert!(bytes <= line.body.len());
    let _ = level::detect(SafeText::new(&line.body).as_str());
    let _ = pod_log::decode(data);
}

/// An event's step says its severity and its end, whatever it holds.
fn event(data: &[u8]) {
    if let Some(step) = event_log::decode(data) {
        let _ = (step.outcome(), step.severity(), step.message.len());
    }
    let _ = event_log::is_rebuilt(data);
}

/// What a pub/sub message is; channels are named and read alike.
fn channels(data: &[u8]) {
    let _ = pubsub::decode(data);
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(channel) = pubsub::Channel::parse(text)
    {
        assert_eq!(channel.name(), text);
        assert!(pubsub::subscribe(&channel).starts_with('{'));
    }
}

/// Lists of what costs most: only finite numbers that are not negative.
fn lists(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for row in monitor::decode(&text)
        .iter()
        .flatten()
        .flat_map(|list| &list.rows)
    {
        for value in [Some(row.sum), Some(row.mean), row.max]
            .into_iter()
            .flatten()
        {
            assert!(value.is_finite() && value >= 0.0, "{row:?}");
        }
        assert!(!row.key.chars().any(char::is_control), "{row:?}");
    }
}

/// Samples are in order, no time twice, no more series than asked for.
fn measured(data: &[u8]) {
    let Ok(measured) = prometheus::decode(data, 10) else {
        return;
    };
    assert!(measured.series.len() <= 10);
    for series in &measured.series {
        let pairs = series.samples.iter().zip(series.samples.iter().skip(1));
        for (one, next) in pairs {
            assert!(one.at < next.at, "{series:?}");
        }
    }
}

/// Envelopes and pages of REST, the dates of HTTP.
fn answers(data: &[u8]) {
    let (first, second) = halves(data);
    let _ = rest::envelope(200, first);
    let _ = rest::envelope(404, second);
    let text = String::from_utf8_lossy(data);
    let _ = http_date::moment(&text);
    let _ = http_date::retry_after(&text, Micros(0));
}

/// A stream says the same however it is cut.
fn sse_stream(data: &[u8]) {
    let mut whole = Vec::new();
    sse::Decoder::default().feed(data, |said| whole.push(said));
    let (mut parts, mut decoder) = (Vec::new(), sse::Decoder::default());
    let step = usize::from(data.first().copied().unwrap_or(1)) % 7 + 1;
    for part in data.chunks(step) {
        decoder.feed(part, |said| parts.push(said));
    }
    assert_eq!(whole, parts);
}

/// Every dialect reads every message.
fn shell_frames(data: &[u8]) {
    let mut scratch = Vec::new();
    for dialect in DIALECTS {
        let _ = dialect.decode(data, &mut scratch);
    }
}

/// A peer's bytes pass the same however they come, and never more than came.
fn zmtp(data: &[u8]) {
    let (mut whole, mut out) = (Checker::default(), Vec::new());
    let verdict = whole.feed(data, &mut out);
    let (mut parts, mut pieces) = (Checker::default(), Vec::new());
    let one_by_one = data
        .iter()
        .try_for_each(|byte| parts.feed(std::slice::from_ref(byte), &mut pieces));
    assert_eq!(verdict.is_ok(), one_by_one.is_ok());
    assert!(out.len() <= data.len() && pieces.len() <= data.len());
    if verdict.is_ok() {
        assert_eq!(out, pieces);
    }
}

/// Any parts have a layout, and a forced one loses nothing.
fn zmq_layouts(data: &[u8]) {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0).take(8).collect();
    let layout = zmq_layout::detect(&parts);
    let found = zmq_layout::decode(&parts, zmq_layout::Layout::Auto);
    assert!(!found.misfit, "{layout:?}");
    for (_, forced) in zmq_layout::LAYOUTS {
        let line = zmq_layout::decode(&parts, forced);
        let bytes: usize = zmq_layout::lines(&line).map(<[u8]>::len).sum();
        assert!(bytes <= line.body.len());
    }
}

/// The emulator survives everything, in any size, and shows no control.
fn emulator(data: &[u8]) {
    let (first, second) = halves(data);
    let mut screen = Screen::new(Size::new(20, 6), 100);
    let told = screen.advance(first);
    assert!(!told.failed && told.replies.len() <= 4096, "{told:?}");
    let size = second.get(..2).map_or((1, 1), |size| match size {
        [columns, rows] => (u16::from(*columns), u16::from(*rows) % 60),
        _ => (1, 1),
    });
    assert!(!screen.resize(Size::new(size.0, size.1)).failed);
    assert!(!screen.advance(second).failed);
    assert!(!screen.release().failed);
    for number in screen.first_row()..screen.end_row() {
        let text = screen
            .row(number)
            .map(deckwatch::term::screen::Row::text)
            .unwrap_or_default();
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

/// What users and files write is read or refused.
fn texts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = deckwatch::codec::target::Target::parse(&text);
    let _ = deckwatch::codec::name::Name::parse(&text);
    let _ = deckwatch::app::key::Key::parse(&text);
    let _ = deckwatch::cli::config::Config::parse(std::path::Path::new("x"), &text);
    let _ = deckwatch::app::keymap::Keymap::parse(std::path::Path::new("x"), &text);
    let _ = route::proxy(&text, "test");
    if let Ok(alert) = alert::parse(&text) {
        assert!(alert.value.is_finite());
    }
    let mut reader = stamp::Reader::default();
    let (near, zone) = (Micros(0), jiff::tz::TimeZone::UTC);
    let once = reader.read(&text, &zone, near);
    assert_eq!(once, reader.read(&text, &zone, near), "from memory alike");
    assert_eq!(once, stamp::of_line(&text, &zone, near));
    if let Some((pattern, name)) = text.split_once('\n') {
        let _ = glob::fits(pattern, name);
    }
}
