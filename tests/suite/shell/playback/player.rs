//! The server that plays a recorded shell: its pages, its answer to the upgrade, and then its
//! frames, byte for byte; what it hears is checked and kept. Between its words it has the user
//! type what was typed, and waits until that has come.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test helper"
)]

use std::time::Duration;

use deckwatch::demo::ShellServer as Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::expected::{End, Expected};
use super::heard::{Heard, Takes};
use super::pages;
use super::recording::{Answer, Recorded, Recording, Step, header};
use crate::playback::player::encoded;
use crate::playback::recording::Frame;
use crate::raw_client::{CLOSE, PING, PONG, TEXT};

const PATIENCE: Duration = Duration::from_secs(60);

/// How the frames are put on the wire; to the program all must be the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// A write for each frame.
    Recorded,
    /// What was said between two keys in one write.
    Glued,
    /// Three bytes a write.
    Sliced,
    /// A WebSocket ping before every frame, between the fragments too.
    Pinged,
    /// Everything in one write, with the end behind it; nothing is typed.
    AtOnce,
}

pub(super) const MANNERS: [Manner; 5] = [
    Manner::Recorded,
    Manner::Glued,
    Manner::Sliced,
    Manner::Pinged,
    Manner::AtOnce,
];

/// What the user is to do.
#[derive(Clone, Debug)]
pub(super) enum Order {
    Types(Vec<u8>),
    Resizes(u16, u16),
    Closes,
}

/// Plays for every client that comes, until one has had the whole recording.
pub(super) async fn play(
    listener: TcpListener,
    recorded: Recorded,
    recording: Recording,
    manner: Manner,
    orders: mpsc::Sender<Order>,
) -> Heard {
    loop {
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        stream.set_nodelay(true).unwrap();
        let Some((head, rest)) = request(&mut stream).await else {
            continue;
        };
        if header(&head, "upgrade").is_none() {
            let page = pages::page(&recorded, &recording, &head);
            stream.write_all(&page).await.unwrap();
            finish(stream).await;
            continue;
        }
        match &recorded.answer {
            Answer::Upgrades(answer) => {
                let key = header(&head, "sec-websocket-key").unwrap();
                let accept = derive_accept_key(key.as_bytes());
                let old = header(answer, "sec-websocket-accept").unwrap();
                let answer = answer.replace(&old, &accept);
                stream.write_all(answer.as_bytes()).await.unwrap();
                let mut player = Player {
                    stream,
                    buffer: rest,
                    heard: Heard::new(recorded.server, head),
                    takes: Takes::default(),
                    orders: orders.clone(),
                };
                if player.session(&recorded, manner).await {
                    return player.heard;
                }
            }
            Answer::Refuses(answer) => {
                stream.write_all(answer).await.unwrap();
                finish(stream).await;
            }
            Answer::Hangs | Answer::Gone => finish(stream).await,
        }
    }
}

/// The head of a request, and what came behind it.
async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut buffer = Vec::new();
    loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = buffer.split_off(at + 4);
            return Some((String::from_utf8(buffer).unwrap(), rest));
        }
        let read = timeout(PATIENCE, stream.read_buf(&mut buffer))
            .await
            .unwrap();
        if read.unwrap_or(0) == 0 {
            return None;
        }
    }
}

async fn finish(mut stream: TcpStream) {
    drop(stream.shutdown().await);
    let mut rest = [0; 1024];
    while matches!(timeout(PATIENCE, stream.read(&mut rest)).await, Ok(Ok(1..))) {}
}

struct Player {
    stream: TcpStream,
    buffer: Vec<u8>,
    heard: Heard,
    takes: Takes,
    orders: mpsc::Sender<Order>,
}

impl Player {
    /// False if the client left before it said anything: it asks again in another way.
    async fn session(&mut self, recorded: &Recorded, manner: Manner) -> bool {
        self.until(|heard| heard.hello.is_some()).await;
        if self.heard.hello.is_none() {
            return false;
        }
        if manner == Manner::AtOnce {
            self.at_once(recorded).await;
        } else {
            self.steps(recorded, manner).await;
        }
        if recorded.closed {
            drop(self.stream.shutdown().await);
        } else if Expected::of(recorded).end == End::Open {
            self.order(Order::Closes).await;
        }
        // A server that does not close waits for the client's end of TCP.
        while !self.heard.gone {
            self.until(|heard| heard.gone).await;
        }
        true
    }

    async fn steps(&mut self, recorded: &Recorded, manner: Manner) {
        let expected = Expected::of(recorded);
        let steps = recorded.steps.iter().enumerate();
        for (number, step) in steps.take_while(|(number, _)| *number <= expected.last) {
            self.heard.mute |= number >= expected.mute_from;
            if self.heard.gone || self.heard.closed {
                self.last(step).await;
                continue;
            }
            match step {
                Step::Says(frames) => self.says(frames, manner).await,
                Step::Types(input) => {
                    self.takes.typed.extend(input);
                    self.order(Order::Types(input.clone())).await;
                    let wanted = self.takes.sendable(recorded.server).len();
                    // Its ping belongs to it: a shell that has ended answers none.
                    self.until(|heard| heard.input.len() >= wanted && heard.landed())
                        .await;
                }
                Step::Resizes(columns, rows) => {
                    self.order(Order::Resizes(*columns, *rows)).await;
                    if let Some(count) = self.takes.size((*columns, *rows), recorded.size) {
                        self.until(|heard| heard.sizes.len() > count).await;
                    }
                }
                Step::Closes => {
                    self.order(Order::Closes).await;
                    self.until(|heard| heard.closed).await;
                }
            }
        }
    }

    /// What is said to a client that has closed: the answer to it.
    async fn last(&mut self, step: &Step) {
        let Step::Says(frames) = step else { return };
        for frame in frames.iter().filter(|frame| frame.op == CLOSE) {
            drop(self.stream.write_all(&encoded(frame)).await);
        }
    }

    async fn at_once(&mut self, recorded: &Recorded) {
        let said = recorded.steps.iter().take_while(|step| !closes(step));
        let frames = said.filter_map(|step| match step {
            Step::Says(frames) => Some(frames),
            _ => None,
        });
        let bytes: Vec<u8> = frames.flatten().flat_map(encoded).collect();
        self.heard.mute = true;
        drop(self.stream.write_all(&bytes).await);
        if Expected::of(recorded).end == End::Open {
            let end = ping(b"end");
            drop(self.stream.write_all(&encoded(&end)).await);
            self.until(|heard| heard.pongs.last() == Some(&end.payload))
                .await;
            self.order(Order::Closes).await;
            self.until(|heard| heard.closed).await;
        }
    }

    async fn order(&self, order: Order) {
        // A client that is over takes no orders.
        drop(self.orders.send(order).await);
    }

    async fn says(&mut self, frames: &[Frame], manner: Manner) {
        let pinged: Vec<Frame> = match manner {
            Manner::Pinged => frames
                .iter()
                .flat_map(|frame| [ping(b"between"), frame.clone()])
                .collect(),
            _ => frames.to_vec(),
        };
        let writes: Vec<Vec<u8>> = match manner {
            Manner::Recorded | Manner::Pinged => pinged.iter().map(encoded).collect(),
            Manner::Glued | Manner::AtOnce => vec![pinged.iter().flat_map(encoded).collect()],
            Manner::Sliced => {
                let bytes: Vec<u8> = pinged.iter().flat_map(encoded).collect();
                // Of a burst only the beginning, so that it stays a test of the program.
                let (start, rest) = bytes.split_at(bytes.len().min(9000));
                let all = start.chunks(3).chain(rest.chunks(1021));
                all.map(<[u8]>::to_vec).collect()
            }
        };
        for bytes in writes {
            // The client may leave at last words.
            if self.stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
        self.heard.spoken = true;
        // A pong that the recorded client had asked for confirms what ours has out, too.
        if frames
            .iter()
            .any(|frame| frame.op == TEXT && frame.payload == b"2")
        {
            self.heard.flying = false;
        }
        let asked = pinged.iter().rev().find(|frame| frame.op == PING);
        let ends = frames.iter().any(|frame| frame.op == CLOSE)
            || frames
                .iter()
                .any(|frame| words(&frame.payload, self.heard.server));
        if let Some(asked) = asked.filter(|_| !ends) {
            let before = self.heard.pongs.len();
            self.until(|heard| heard.pongs[before..].contains(&asked.payload))
                .await;
        }
    }

    /// Reads, and answers pings, until it is enough or the client is gone.
    async fn until(&mut self, enough: impl Fn(&Heard) -> bool) {
        loop {
            self.heard.take(&mut self.buffer);
            self.answer().await;
            if enough(&self.heard) || self.heard.gone {
                return;
            }
            let more = timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await;
            match more {
                Ok(Ok(0) | Err(_)) => self.heard.gone = true,
                Ok(Ok(_)) => {}
                Err(late) => panic!("{late}: {:?}", self.heard),
            }
        }
    }

    async fn answer(&mut self) {
        while self.heard.unanswered > 0 {
            self.heard.unanswered -= 1;
            if self.heard.mute {
                continue;
            }
            // Time for a client that does not wait to show it.
            sleep(Duration::from_millis(2)).await;
            self.heard.take(&mut self.buffer);
            let (op, payload) = match self.heard.server {
                Server::Ttyd => (PONG, Vec::new()),
                Server::Gotty1 => (TEXT, b"1".to_vec()),
                _ => (TEXT, b"2".to_vec()),
            };
            let pong = Frame {
                fin: true,
                op,
                payload,
                batched: false,
            };
            self.heard.flying = false;
            drop(self.stream.write_all(&encoded(&pong)).await);
        }
    }
}

fn closes(step: &Step) -> bool {
    matches!(step, Step::Closes)
}

fn words(payload: &[u8], server: Server) -> bool {
    server == Server::Platform && payload.first().is_some_and(|first| !first.is_ascii_digit())
}

fn ping(payload: &[u8]) -> Frame {
    Frame {
        fin: true,
        op: PING,
        payload: payload.to_vec(),
        batched: false,
    }
}
