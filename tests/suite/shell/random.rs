//! Random servers, users and times: a session never panics, never says what harms a server, and
//! knows of every typed byte what became of it.

#![expect(clippy::unwrap_used, reason = "test helper")]

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use deckwatch::codec::Packet;
use deckwatch::codec::shell::Dialect;
use deckwatch::codec::target::Target;
use deckwatch::model::shell::ShellUpdate;
use deckwatch::session::shell::{Input, Loss, ShellSession, Told};
use deckwatch::text::redact::Secret;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Event {
    Says(bool, Vec<u8>),
    Pongs,
    Types(Vec<u8>),
    Resizes(u16, u16),
    Stops,
    Passes(u32),
    Loses(bool, Option<u16>),
}

const FRAMES: [&[u8]; 16] = [
    b"310.0.0.1",
    b"2GoTTY",
    b"3bash@vm",
    b"1bash (vm)",
    b"61024",
    b"560",
    b"47",
    b"3{}",
    b"1aGk=",
    b"0aGk=",
    b"0hi",
    b"1a=b",
    b"2",
    b"1",
    b"run tty failure!",
    b"",
];

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<bool>(), 0..14_usize).prop_map(|(binary, at)| {
            Event::Says(binary, FRAMES.get(at).unwrap().to_vec())
        }),
        1 => (any::<bool>(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(binary, bytes)| Event::Says(binary, bytes)),
        1 => (14..16_usize).prop_map(|at| Event::Says(false, FRAMES.get(at).unwrap().to_vec())),
        6 => Just(Event::Pongs),
        4 => ".{0,900}".prop_map(|text| Event::Types(text.into_bytes())),
        3 => prop::collection::vec(any::<u8>(), 0..3000).prop_map(Event::Types),
        2 => (0..200_u16, 0..100_u16).prop_map(|(columns, rows)| Event::Resizes(columns, rows)),
        1 => Just(Event::Stops),
        4 => (0..40_000_u32).prop_map(Event::Passes),
        1 => (any::<bool>(), prop::option::of(1000..1016_u16))
            .prop_map(|(orderly, code)| Event::Loses(orderly, code)),
    ]
}

struct World {
    session: ShellSession,
    now: Instant,
    greeted: bool,
    base64: bool,
    typed: usize,
    sent: usize,
    stopped: usize,
    refused: usize,
    unsent: Option<usize>,
}

impl World {
    fn new(url: &str, known: Option<&'static Dialect>) -> Self {
        let spec = Target::parse(url).unwrap().shell().unwrap().clone();
        let mut world = Self {
            session: ShellSession::new(&spec, known, Secret::new("u:p"), (80, 24)),
            now: deckwatch::clock::now().into_std(),
            greeted: false,
            base64: false,
            typed: 0,
            sent: 0,
            stopped: 0,
            refused: 0,
            unsent: None,
        };
        world.input(Input::Opened(None));
        world
    }

    fn input(&mut self, input: Input<'_>) {
        let mut told = Told::default();
        self.session.handle(self.now, input, &mut told);
        for update in told.take() {
            match update {
                ShellUpdate::Stopped(bytes) => self.stopped += bytes,
                ShellUpdate::Refused(bytes) => self.refused += usize::try_from(bytes).unwrap(),
                ShellUpdate::Ended(end) => {
                    assert!(self.unsent.is_none(), "it ends once");
                    assert!(end.unconfirmed <= self.sent);
                    self.unsent = Some(end.unsent);
                }
                _ => {}
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Says(binary, bytes) => {
                let bytes = Bytes::copy_from_slice(bytes);
                let packet = if *binary {
                    Packet::Binary(bytes)
                } else {
                    Packet::Text(bytes)
                };
                self.input(Input::Packet(&packet));
            }
            Event::Pongs => {
                if let Some(pong) = self.session.dialect().and_then(Dialect::ping) {
                    self.input(Input::Packet(&pong));
                }
            }
            Event::Types(bytes) => {
                self.typed += bytes.len();
                self.input(Input::Typed(bytes));
            }
            Event::Resizes(columns, rows) => self.input(Input::Resized(*columns, *rows)),
            Event::Stops => self.input(Input::Stop),
            Event::Passes(millis) => {
                self.now += Duration::from_millis(u64::from(*millis));
                self.input(Input::Timeout);
            }
            Event::Loses(orderly, code) => {
                let loss = Loss {
                    why: "gone".into(),
                    orderly: *orderly,
                    code: *code,
                };
                self.input(Input::Lost(&loss));
            }
        }
    }

    /// Everything that may go out now.
    fn sends(&mut self) {
        loop {
            let dialect = self.session.dialect();
            let Some(packet) = self.session.poll_transmit(self.now) else {
                return;
            };
            if let Some(message) = packet.payload() {
                self.message(dialect, message);
            }
            self.input(Input::Sent);
        }
    }

    /// What it wants to say at once.
    fn due(&mut self) {
        if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
            self.input(Input::Timeout);
        }
    }

    fn message(&mut self, dialect: Option<&Dialect>, message: &[u8]) {
        assert!(
            (1..=1024).contains(&message.len()),
            "{} bytes",
            message.len()
        );
        if !std::mem::replace(&mut self.greeted, true) {
            assert_eq!(message.first(), Some(&b'{'));
            return;
        }
        let dialect = dialect.unwrap();
        let (kind, body) = message.split_first().unwrap();
        let (input, resize) = match dialect.name {
            "gotty1" | "platform-v1" => (b'0', b'2'),
            "ttyd" => (b'0', b'1'),
            _ => (b'1', b'3'),
        };
        if message == b"4base64" {
            assert!(!std::mem::replace(&mut self.base64, true));
        } else if *kind == input {
            let bytes = if self.base64 {
                STANDARD.decode(body).unwrap()
            } else {
                body.to_vec()
            };
            assert!((1..=1000).contains(&bytes.len()));
            self.sent += bytes.len();
        } else if *kind == resize && !body.is_empty() {
            assert!(
                !body
                    .windows(3)
                    .any(|three| three == b":0," || three == b":0}")
            );
        } else {
            // A ping, or ttyd's pause and its end.
            assert!(body.is_empty(), "{message:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_session_survives_everything_and_loses_no_count(
        platform in any::<bool>(),
        known in prop::option::of(0..6_usize),
        first in 0..4_usize,
        lazy in any::<bool>(),
        events in prop::collection::vec(event(), 0..80),
    ) {
        let url = if platform { "ws://h:1/docker_console#t/s/p" } else { "http://h:1/" };
        let names = ["platform", "platform-v1", "gotty1", "gotty2", "gottysor", "ttyd"];
        let known = known.and_then(|at| Dialect::named(names.get(at).unwrap()));
        let mut world = World::new(url, known);
        // Mostly a server that begins as one does.
        let greeting = Event::Says(first == 3, FRAMES.get(first).unwrap().to_vec());
        for (number, event) in std::iter::once(&greeting).chain(&events).enumerate() {
            if !lazy || number % 3 == 0 {
                world.sends();
            }
            world.event(event);
            if world.unsent.is_some() {
                break;
            }
        }
        if world.unsent.is_none() {
            world.sends();
            world.due();
        } else {
            prop_assert!(world.session.poll_transmit(world.now).is_none());
        }
        let unsent = world.unsent.unwrap_or_else(|| world.session.waiting());
        prop_assert_eq!(world.typed, world.sent + world.stopped + world.refused + unsent);
    }
}
