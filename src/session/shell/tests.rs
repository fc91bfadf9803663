use url::Url;

use super::*;
use crate::model::FaultKind;

const POD: &str = "ws://h:6060/docker_console#t/s/p";
const PAGES: &str = "http://h:8080/";

struct Run {
    session: ShellSession,
    now: Instant,
    told: Vec<ShellUpdate>,
}

impl Run {
    #[expect(clippy::disallowed_methods, reason = "a test's own clock")]
    fn new(url: &str, known: Option<&str>) -> Self {
        let spec = ShellSpec::parse(url, &Url::parse(url).unwrap())
            .unwrap()
            .unwrap();
        let known = known.and_then(Dialect::named);
        let mut run = Self {
            session: ShellSession::new(&spec, known, Secret::new(""), (80, 24)),
            now: Instant::now(),
            told: Vec::new(),
        };
        run.input(Input::Opened(None));
        let sent = run.sent();
        assert_eq!(
            sent.len(),
            1,
            "nothing but the hello goes out first: {sent:?}"
        );
        run
    }

    /// A run whose server has said its first word, and has the size.
    fn ready(url: &str, known: Option<&str>, first: &[u8]) -> Self {
        let mut run = Self::new(url, known);
        run.hears(first);
        let sent = run.sent();
        assert!(
            sent.iter().any(|message| message.contains("columns")),
            "{sent:?}"
        );
        run.pongs();
        assert_eq!(run.sent(), Vec::<String>::new());
        run
    }

    fn input(&mut self, input: Input<'_>) {
        let mut told = Told::default();
        self.session.handle(self.now, input, &mut told);
        self.told.extend(told.take());
    }

    fn hears(&mut self, message: &[u8]) {
        let packet = Packet::Text(bytes::Bytes::copy_from_slice(message));
        self.input(Input::Packet(&packet));
    }

    /// The server answers all pings so far.
    fn pongs(&mut self) {
        if let Some(ping) = self.session.dialect().and_then(Dialect::ping) {
            while self.session.pongs < self.session.pings {
                self.input(Input::Packet(&ping));
            }
        }
    }

    /// Everything that may go out now.
    fn sent(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(packet) = self.session.poll_transmit(self.now) {
            let payload = packet.payload().unwrap_or(b"(ping)").to_vec();
            sent.push(String::from_utf8_lossy(&payload).into_owned());
            self.input(Input::Sent);
        }
        sent
    }

    fn passes(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.session.poll_timeout().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.input(Input::Timeout);
            if self.session.poll_timeout() == Some(at) {
                break;
            }
        }
        self.now = end;
    }

    fn lost(&mut self, orderly: bool, code: Option<u16>) {
        let why = "gone".to_owned();
        self.input(Input::Lost(&Loss { why, orderly, code }));
    }

    fn end(&self) -> &ShellEnd {
        match self.told.last() {
            Some(ShellUpdate::Ended(end)) => end,
            other => panic!("{other:?}"),
        }
    }

    fn fault(&self) -> (FaultKind, &str) {
        match &self.end().how {
            ShellExit::Fault(fault) => (fault.kind, &fault.why),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_platform_gets_one_message_at_a_time_each_with_a_ping_behind_it() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(&[b'x'; 2500]));
    let mut whole = 0;
    for round in 0..3 {
        let sent = run.sent();
        assert_eq!(sent.len(), 2, "round {round}");
        assert_eq!(sent[1], "2", "the ping follows");
        assert!(sent[0].len() <= 1001);
        whole += sent[0].len() - 1;
        run.input(Input::Typed(b""));
        assert!(run.sent().is_empty(), "nothing before the pong");
        run.hears(b"2");
    }
    assert_eq!((whole, run.sent().len()), (2500, 0));
    // What is typed meanwhile goes out together.
    run.input(Input::Typed(b"a"));
    assert_eq!(run.sent(), ["1a", "2"]);
    run.input(Input::Typed(b"b"));
    run.input(Input::Typed(b"c"));
    run.hears(b"2");
    assert_eq!(run.sent(), ["1bc", "2"]);
}

#[test]
fn others_take_messages_as_they_come() {
    for (known, first, message) in [
        ("gotty1", &b"2GoTTY"[..], "0"),
        ("gottysor", b"3bash@vm", "1"),
    ] {
        let mut run = Run::new(PAGES, Some(known));
        run.hears(first);
        run.sent();
        run.input(Input::Typed(&[b'x'; 2500]));
        let sent = run.sent();
        assert!(sent.len() >= 3, "{known}: {}", sent.len());
        assert!(
            sent.iter()
                .all(|one| one.starts_with(message) && one.len() <= 1024)
        );
    }
}

#[test]
fn a_gotty_2_that_tells_its_buffer_is_sorenisanerds_and_takes_base64() {
    let mut run = Run::ready(PAGES, None, b"3bash@vm");
    run.hears(b"61024");
    assert_eq!(run.sent(), ["4base64"]);
    run.input(Input::Typed(b"\xff\xfe"));
    assert_eq!(run.sent(), ["1//4="]);
}

#[test]
fn input_that_is_no_text_is_told_of_at_once() {
    let mut run = Run::ready(PAGES, None, b"2GoTTY");
    run.sent();
    run.input(Input::Typed(b"\x80"));
    assert!(run.sent().is_empty());
    run.passes(0);
    assert!(matches!(run.told.last(), Some(ShellUpdate::Refused(1))));
}

#[test]
fn sizes_are_sent_once_they_stand_and_never_as_nothing() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    for width in 81..120 {
        run.input(Input::Resized(width, 24));
        assert!(run.sent().is_empty());
        run.passes(10);
    }
    run.input(Input::Resized(0, 24));
    run.input(Input::Resized(80, 0));
    run.passes(100);
    assert_eq!(run.sent(), [r#"3{"columns":119,"rows":24}"#, "2"]);
}

#[test]
fn a_platform_that_falls_silent_is_found_out_and_silence_before_the_shell_is_not_held_against_it() {
    let mut run = Run::new(POD, None);
    run.passes(120_000);
    assert!(run.sent().is_empty());
    assert!(
        !run.told
            .iter()
            .any(|told| matches!(told, ShellUpdate::Ended(_)))
    );
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.passes(15_000);
    assert_eq!(run.sent(), ["2"]);
    run.passes(5_000);
    assert_eq!(run.told.last(), Some(&ShellUpdate::Stale(true)));
    run.hears(b"2");
    assert_eq!(run.told.last(), Some(&ShellUpdate::Stale(false)));
    run.passes(36_000);
    assert!(matches!(run.end().how, ShellExit::Lost(_)));
}

#[test]
fn a_container_that_does_not_read_is_not_given_up() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(b"x"));
    run.sent();
    run.passes(300_000);
    assert_eq!(run.told.last(), Some(&ShellUpdate::Stale(true)));
    run.hears(b"2");
    assert!(run.session.flight.is_none());
}

#[test]
fn a_shell_that_ended_without_a_word_is_asked_and_the_next_key_finds_out() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(b"exit\r"));
    assert_eq!(run.sent(), ["1exit\r", "2"]);
    run.hears(b"2");
    run.hears(b"1ZXhpdA0K");
    run.passes(1_000);
    assert_eq!(run.sent(), ["2"], "a ping asks");
    run.passes(5_000);
    assert_eq!(run.told.last(), Some(&ShellUpdate::Stale(true)));
    // Input is not kept back by a ping that nobody answers.
    run.input(Input::Typed(b"x"));
    assert_eq!(run.sent(), ["1x", "2"]);
    run.hears(b"run tty failure!");
    assert!(matches!(
        run.end().how,
        ShellExit::Exited { failed: false, .. }
    ));
    // And where the server lives on, its one pong frees the way in the end.
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.passes(15_000);
    assert_eq!(run.sent(), ["2"]);
    run.passes(2_000);
    run.input(Input::Typed(b"x"));
    assert_eq!(run.sent(), ["1x", "2"]);
    run.hears(b"2");
    run.input(Input::Typed(b"y"));
    assert!(run.sent().is_empty());
    run.passes(5_000);
    assert_eq!(run.sent(), ["1y", "2"]);
}

#[test]
fn keys_behind_a_message_that_nobody_confirms_find_out_and_lose_nothing() {
    // The shell ended between its last message and the ping behind it.
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.hears(b"1aGk=");
    run.input(Input::Typed(b"exit\r"));
    assert_eq!(run.sent(), ["1exit\r", "2"]);
    run.passes(4_900);
    run.input(Input::Typed(b"x"));
    assert!(run.sent().is_empty(), "not before it is slow");
    run.passes(200);
    assert_eq!(run.sent(), ["1x", "2"]);
    run.hears(b"run tty failure!");
    assert!(matches!(
        run.end().how,
        ShellExit::Exited { failed: false, .. }
    ));
    // All that goes out unconfirmed fits into what the server reads at once.
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(b"first"));
    run.sent();
    run.passes(6_000);
    run.input(Input::Typed(&[b'y'; 5000]));
    let sent: usize = run.sent().iter().map(|message| message.len() + 7).sum();
    assert!((100..1024 - 20).contains(&sent), "{sent}");
    let before = run.told.len();
    for _ in run.session.pongs..run.session.pings {
        run.hears(b"2");
    }
    assert!(run.told[before..].contains(&ShellUpdate::Stale(false)));
    assert_eq!(run.sent().len(), 2, "and on as before");
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(&[b'y'; 5000]));
    run.sent();
    run.passes(60_000);
    assert!(run.sent().is_empty(), "no room behind a long one");
}

#[test]
fn the_platforms_words_end_a_shell_and_say_why() {
    for (words, kind) in [
        ("Auth is not allowed!", FaultKind::Denied),
        ("pod name can not be empty", FaultKind::NotFound),
        ("Get default container name failure!", FaultKind::NotFound),
        (
            "Container is not ready, please try again later!",
            FaultKind::Unreachable,
        ),
        ("open tty failure!", FaultKind::NotFound),
        ("run tty failure!", FaultKind::Lost),
        ("something new", FaultKind::Protocol),
    ] {
        let mut run = Run::new(POD, None);
        run.hears(words.as_bytes());
        let (found, why) = run.fault();
        assert_eq!(found, kind, "{words}");
        assert!(why.contains(words), "{why}");
    }
    // After output it is how a shell ends there.
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.hears(b"1aGk=");
    run.hears(b"run tty failure!");
    assert!(matches!(
        run.end().how,
        ShellExit::Exited { failed: false, .. }
    ));
    assert!(
        run.told
            .contains(&ShellUpdate::Output(bytes::Bytes::from_static(b"hi")))
    );
}

#[test]
fn what_breaks_the_dialect_ends_it_and_nothing_is_sent_any_more() {
    for (message, want) in [
        (&b"1a=b"[..], "malformed base64"),
        (b"0aGk=", "another dialect"),
        (b"9", "another dialect"),
        (b"2title", "another dialect"),
        (b"", "an empty message"),
    ] {
        let mut run = Run::new(PAGES, Some("gotty2"));
        run.hears(b"3bash@vm");
        run.sent();
        run.pongs();
        run.input(Input::Typed(b"typed"));
        run.hears(message);
        let (kind, why) = run.fault();
        assert_eq!(kind, FaultKind::Protocol);
        assert!(why.contains(want), "{why}");
        assert_eq!(run.end().unsent, 5, "{message:?}");
        run.input(Input::Typed(b"more"));
        assert!(run.sent().is_empty());
    }
}

#[test]
fn a_lost_connection_tells_what_became_of_the_input() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(&[b'x'; 1500]));
    run.sent();
    run.lost(false, None);
    let end = run.end();
    assert!(matches!(end.how, ShellExit::Lost(_)));
    assert_eq!((end.unsent, end.unconfirmed), (500, 1000));
}

#[test]
fn a_closed_connection_is_an_exit_where_servers_close_at_exits() {
    for (url, first, orderly, code, exits) in [
        (PAGES, &b"2GoTTY"[..], true, None, Some(false)),
        (PAGES, b"2GoTTY", true, Some(1000), Some(false)),
        (PAGES, b"2GoTTY", true, Some(1006), Some(true)),
        (PAGES, b"2GoTTY", false, None, None),
        (POD, b"310.0.0.1", true, None, None),
        (POD, b"2GRTTY", true, None, Some(false)),
    ] {
        let mut run = Run::ready(url, None, first);
        run.lost(orderly, code);
        match (&run.end().how, exits) {
            (ShellExit::Exited { failed, .. }, Some(want)) => assert_eq!(*failed, want),
            (ShellExit::Lost(_), None) => {}
            other => panic!("{url} {code:?}: {other:?}"),
        }
    }
    // Before a word, GoTTY's way of refusing a password.
    let mut run = Run::new(PAGES, Some("gotty1"));
    run.lost(true, None);
    assert_eq!(run.fault().0, FaultKind::Denied);
}

#[test]
fn a_flood_of_titles_is_told_twice_a_second_and_the_last_one_stays() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.told.clear();
    for number in 0..10_000 {
        run.hears(format!("3title {number}\x1b]0;x\x07").as_bytes());
        if number % 100 == 0 {
            run.passes(10);
        }
    }
    run.passes(1000);
    let titles: Vec<&str> = run
        .told
        .iter()
        .filter_map(|told| match told {
            ShellUpdate::Title(title) => Some(title.as_str()),
            _ => None,
        })
        .collect();
    assert!((2..=5).contains(&titles.len()), "{titles:?}");
    assert!(titles.iter().all(|title| !title.contains('\x1b')));
    assert!(titles.last().unwrap().starts_with("title 9999"));
}

#[test]
fn a_long_paste_tells_its_progress_and_can_be_stopped() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    run.input(Input::Typed(&vec![b'x'; 100_000]));
    let mut seen = Vec::new();
    for _ in 0..40 {
        run.sent();
        run.hears(b"2");
    }
    for told in &run.told {
        if let ShellUpdate::Queued(bytes) = told {
            seen.push(*bytes);
        }
    }
    assert_eq!(seen.first(), Some(&100_000));
    assert!(
        seen.len() > 2 && seen.is_sorted_by(|a, b| a > b),
        "{seen:?}"
    );
    let waiting = run.session.waiting();
    run.input(Input::Stop);
    assert!(run.told.contains(&ShellUpdate::Stopped(waiting)));
    assert_eq!(run.session.waiting(), 0);
}

#[test]
fn a_pong_that_nobody_asked_for_confirms_nothing() {
    let mut run = Run::ready(POD, None, b"310.0.0.1");
    for _ in 0..3 {
        run.hears(b"2");
    }
    // A keepalive ping is out: the key waits for its pong.
    run.passes(15_000);
    assert_eq!(run.sent(), ["2"]);
    run.input(Input::Typed(b"x"));
    assert!(run.sent().is_empty());
    run.hears(b"2");
    assert_eq!(run.sent(), ["1x", "2"]);
}

#[test]
fn output_counts_until_it_is_taken_whatever_comes_between() {
    let mut run = Run::ready(PAGES, Some("gotty1"), b"2GoTTY");
    let mut told = Told::default();
    let hears = |run: &mut Run, message: Vec<u8>, told: &mut Told| {
        let packet = Packet::Text(message.into());
        run.session.handle(run.now, Input::Packet(&packet), told);
    };
    let output = [&b"0"[..], "A".repeat(4000).as_bytes()].concat();
    for round in 1..=5 {
        hears(&mut run, output.clone(), &mut told);
        hears(&mut run, format!("2title {round}").into_bytes(), &mut told);
        run.now += Duration::from_secs(1);
        assert_eq!(told.pending(), round * 3000);
    }
    assert!(told.has_news());
    told.take();
    assert_eq!(told.pending(), 0);
}

#[test]
fn a_silence_that_we_want_ends_no_shell() {
    let mut run = Run::ready(PAGES, Some("gotty1"), b"2GoTTY");
    for _ in 0..100 {
        run.now += Duration::from_secs(1);
        run.session.reads(run.now, false);
        run.input(Input::Timeout);
        run.sent();
    }
    let ended = |update: &ShellUpdate| matches!(update, ShellUpdate::Ended(_));
    assert!(!run.told.iter().any(ended));
    for _ in 0..40 {
        run.now += Duration::from_secs(1);
        run.session.reads(run.now, true);
        run.input(Input::Timeout);
        run.sent();
    }
    assert!(run.told.iter().any(ended));
}
