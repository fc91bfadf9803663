use super::*;

const GOTTY1: &[(&[u8], FromShell<'static>)] = &[
    (b"0aGk=", FromShell::Output(b"hi")),
    (b"0", FromShell::Output(b"")),
    (b"1", FromShell::Pong),
    (b"2t", FromShell::Title(b"t")),
    (b"3{}", FromShell::Hint),
    (b"410", FromShell::Hint),
];
const WEBTTY: &[(&[u8], FromShell<'static>)] = &[
    (b"1aGk=", FromShell::Output(b"hi")),
    (b"2", FromShell::Pong),
    (b"3t", FromShell::Title(b"t")),
    (b"4{}", FromShell::Hint),
    (b"560", FromShell::Hint),
];
const TTYD: &[(&[u8], FromShell<'static>)] = &[
    (b"0\xff\x1b", FromShell::Output(b"\xff\x1b")),
    (b"1t", FromShell::Title(b"t")),
    (b"2{ }", FromShell::Hint),
    (b"37", FromShell::Hint),
];

#[test]
fn every_dialect_reads_its_own_and_names_what_is_not() {
    for dialect in DIALECTS {
        let own = match (dialect.from.output, dialect.binary) {
            (_, true) => TTYD,
            (b'0', false) => GOTTY1,
            _ => WEBTTY,
        };
        let mut scratch = Vec::new();
        for (message, want) in own {
            assert_eq!(
                dialect.decode(message, &mut scratch),
                *want,
                "{}",
                dialect.name
            );
        }
        for words in [&b"Auth is not allowed!"[..], b"", b"\xff"] {
            let read = dialect.decode(words, &mut scratch);
            assert_eq!(read, FromShell::Plain(words), "{}", dialect.name);
        }
        assert_eq!(
            dialect.decode(b"9x", &mut scratch),
            FromShell::Foreign(b'9')
        );
    }
}

#[test]
fn another_dialects_output_is_foreign_and_wrong_base64_malformed() {
    let mut scratch = Vec::new();
    for (name, message, want) in [
        ("gotty1", &b"1aGk="[..], FromShell::Foreign(b'1')),
        ("gotty2", b"0aGk=", FromShell::Foreign(b'0')),
        ("gotty2", b"2title", FromShell::Foreign(b'2')),
        ("gotty2", b"61024", FromShell::Foreign(b'6')),
        ("gottysor", b"61024", FromShell::Hint),
        ("platform", b"1aGk", FromShell::Malformed),
        ("platform", b"1a=Gk", FromShell::Malformed),
        ("platform-v1", b"0\xff\xff\xff\xff", FromShell::Malformed),
    ] {
        let dialect = Dialect::named(name).unwrap();
        assert_eq!(dialect.decode(message, &mut scratch), want, "{name}");
    }
}

#[test]
fn what_we_say_has_each_dialects_numbers() {
    let said = |packet: Option<Packet>| packet.and_then(|p| p.payload().map(<[u8]>::to_vec));
    for (name, typed, ping, resized) in [
        (
            "gotty1",
            &b"0ls\r"[..],
            Some(&b"1"[..]),
            &br#"2{"columns":80,"rows":24}"#[..],
        ),
        (
            "gotty2",
            b"1ls\r",
            Some(b"2"),
            br#"3{"columns":80,"rows":24}"#,
        ),
        (
            "gottysor",
            b"1bHMN",
            Some(b"2"),
            br#"3{"columns":80,"rows":24}"#,
        ),
        (
            "platform",
            b"1ls\r",
            Some(b"2"),
            br#"3{"columns":80,"rows":24}"#,
        ),
        (
            "platform-v1",
            b"0ls\r",
            Some(b"1"),
            br#"2{"columns":80,"rows":24}"#,
        ),
        ("ttyd", b"0ls\r", None, br#"1{"columns":80,"rows":24}"#),
    ] {
        let dialect = Dialect::named(name).unwrap();
        assert_eq!(said(Some(dialect.typed(b"ls\r"))).unwrap(), typed, "{name}");
        assert_eq!(said(dialect.ping()).as_deref(), ping, "{name}");
        assert_eq!(said(Some(dialect.resized(80, 24))).unwrap(), resized);
        let pause = [true, false].map(|paused| said(dialect.paused(paused)));
        let held = [Some(b"2".to_vec()), Some(b"3".to_vec())];
        assert_eq!(pause, if name == "ttyd" { held } else { [None, None] });
        let binary = matches!(dialect.typed(b"x"), Packet::Binary(_));
        assert_eq!(binary, name == "ttyd");
        // No message is longer than the strictest server takes.
        let longest = said(Some(dialect.typed(&vec![b'x'; dialect.chunk]))).unwrap();
        assert!(longest.len() <= 1024, "{name}");
    }
}
