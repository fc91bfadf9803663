//! Server-sent events, as bytes become them (the HTML standard's 9.2.6, protocols.md 3.2, 3.3).
//! Lines end at LF, CRLF or CR; an event ends at an empty line. What a cut stream leaves
//! unfinished is no event, so that a character that was cut in two never becomes a line.

use bytes::Bytes;

/// A field or an event may have so many bytes; more of it is left out, and said.
const LONGEST: usize = 4 << 20;

/// One event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Event {
    /// `event`; empty is `message`.
    pub name: String,
    /// `data`, its lines joined by LF; as it came, which may be no UTF-8.
    pub data: Bytes,
    /// `id`, where the event has one.
    pub id: Option<String>,
    /// Bytes of `data` were left out: it was too long.
    pub cut: bool,
}

/// What a stream says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    /// An event.
    Event(Event),
    /// A comment, which keeps the stream alive: `connected`, `ping`.
    Comment(String),
    /// How long to wait before the next connection, in milliseconds.
    Retry(u64),
}

/// Reads one connection's stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The line so far.
    line: Vec<u8>,
    /// Bytes of the line were left out.
    line_cut: bool,
    /// The last byte was a CR: a LF behind it belongs to it.
    after_cr: bool,
    /// Something came before: a byte order mark is one at the very start alone.
    begun: bool,
    name: String,
    data: Vec<u8>,
    has_data: bool,
    id: Option<String>,
    cut: bool,
}

impl Decoder {
    /// Takes what came; `tell` gets what it completes.
    pub fn feed(&mut self, bytes: &[u8], mut tell: impl FnMut(Said)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
                rest = rest.get(1..).unwrap_or(&[]);
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.append(rest);
                return;
            };
            let (line, after) = rest.split_at(end);
            self.after_cr = after.first() == Some(&b'\r');
            rest = after.get(1..).unwrap_or(&[]);
            self.append(line);
            let line = std::mem::take(&mut self.line);
            self.line_ends(&line, &mut tell);
            // Its room is used again.
            self.line = line;
            self.line.clear();
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.line.len());
        self.line_cut |= bytes.len() > room;
        self.line
            .extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or(bytes));
    }

    fn line_ends(&mut self, line: &[u8], tell: &mut impl FnMut(Said)) {
        let mut line = line;
        let line_cut = std::mem::take(&mut self.line_cut);
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch(tell);
        }
        let (name, value) = match memchr::memchr(b':', line) {
            Some(at) => {
                let (name, value) = line.split_at(at);
                let value = value.get(1..).unwrap_or(&[]);
                (name, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[][..]),
        };
        match name {
            b"" => tell(Said::Comment(lossy(value))),
            b"data" => {
                let joint = if self.has_data { &b"\n"[..] } else { &[] };
                self.has_data = true;
                self.cut |= line_cut;
                for part in [joint, value] {
                    let room = LONGEST.saturating_sub(self.data.len());
                    self.cut |= part.len() > room;
                    self.data
                        .extend_from_slice(part.get(..room).unwrap_or(part));
                }
            }
            b"event" => self.name = lossy(value),
            b"id" if !value.contains(&0) => self.id = Some(lossy(value)),
            b"retry" => {
                if let Ok(millis) = lossy(value).parse() {
                    tell(Said::Retry(millis));
                }
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, tell: &mut impl FnMut(Said)) {
        let name = std::mem::take(&mut self.name);
        let data = Bytes::from(std::mem::take(&mut self.data));
        let (id, cut) = (self.id.take(), std::mem::take(&mut self.cut));
        if std::mem::take(&mut self.has_data) {
            tell(Said::Event(Event {
                name,
                data,
                id,
                cut,
            }));
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<Said> {
        let (mut decoder, mut said) = (Decoder::default(), Vec::new());
        for piece in pieces {
            decoder.feed(piece, |one| said.push(one));
        }
        said
    }

    fn data(text: &str) -> Said {
        Said::Event(Event {
            data: Bytes::copy_from_slice(text.as_bytes()),
            ..Event::default()
        })
    }

    #[test]
    fn events_are_read_as_the_platform_and_the_standard_write_them() {
        let cases: [(&[u8], Vec<Said>); 13] = [
            (b"data: a b\n\ndata: c\n\n", vec![data("a b"), data("c")]),
            (
                b"data:a\r\n\r\ndata:  b\r\n\r\n",
                vec![data("a"), data(" b")],
            ),
            (b"data: a\r\rdata: b\r\r", vec![data("a"), data("b")]),
            (b"data: a\ndata: b\ndata\n\n", vec![data("a\nb\n")]),
            (b": connected\n\n", vec![Said::Comment("connected".into())]),
            (b":\n", vec![Said::Comment(String::new())]),
            (
                b"event: replay-complete\ndata: {}\n\n",
                vec![Said::Event(Event {
                    name: "replay-complete".into(),
                    data: Bytes::from_static(b"{}"),
                    ..Event::default()
                })],
            ),
            (
                b"id: 7\ndata: x\n\n",
                vec![Said::Event(Event {
                    id: Some("7".into()),
                    data: Bytes::from_static(b"x"),
                    ..Event::default()
                })],
            ),
            (b"retry: 3000\nretry: x\n\n", vec![Said::Retry(3000)]),
            // Nothing to dispatch, unknown fields, an unfinished event.
            (b"event: x\n\n\n\nfield: y\n\ndata: half", vec![]),
            ("\u{feff}data: a\n\n".as_bytes(), vec![data("a")]),
            (b"data: a:b: c\n\n", vec![data("a:b: c")]),
            (
                b"data: \xff\xfe\n\n",
                vec![Said::Event(Event {
                    data: Bytes::from_static(b"\xff\xfe"),
                    ..Event::default()
                })],
            ),
        ];
        for (bytes, want) in cases {
            assert_eq!(read(&[bytes]), want, "{:?}", String::from_utf8_lossy(bytes));
            let each: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(&each), want, "byte by byte");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_said() {
        let line = vec![b'x'; LONGEST + 10];
        let said = read(&[b"data: ", &line, b"\n\ndata: b\n\n"]);
        let [Said::Event(long), short] = said.as_slice() else {
            panic!("{} events", said.len());
        };
        assert!(long.cut && long.data.len() <= LONGEST);
        assert_eq!(*short, data("b"));
        // What is left out of a comment is of no event.
        assert_eq!(
            read(&[b":", &line, b"\ndata: c\n\n"]).last(),
            Some(&data("c"))
        );
    }

    #[test]
    fn empty_lines_of_an_event_without_end_take_bounded_memory() {
        let mut decoder = Decoder::default();
        let many = b"data\n".repeat(1 << 16);
        for _ in 0..80 {
            decoder.feed(&many, |_| {});
        }
        assert!(decoder.data.len() <= LONGEST && decoder.cut);
    }

    proptest! {
        /// However a stream is cut into pieces, it says the same.
        #[test]
        fn pieces_do_not_matter(
            text in "(data|event|id|:|retry|x)?(: ?[a-z\u{4e2d}]{0,3})?(\r\n|\n|\r){0,3}(data: [a-z]{0,3}(\r\n|\n|\r){1,2}){0,4}",
            cuts in proptest::collection::vec(0..80usize, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.insert(0, 0);
            cuts.push(bytes.len());
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[bytes]));
        }

        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            read(&[&bytes]);
        }
    }
}
