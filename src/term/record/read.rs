//! Reading a recording, line by line: v2, and v3, which counts time from event to event.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;

use crate::say;
use crate::term::screen::Size;
use crate::text::SafeText;
use crate::word;

use super::{Event, Header, What};

/// Bytes of one line at most; ours have 6 bytes for each of the 64 KiB of a piece of output.
pub const MAX_LINE: usize = 4 * 1024 * 1024;

/// Longest time since the start; farther is taken for this (a year).
const MAX_TIME: Duration = Duration::from_secs(366 * 86_400);

/// One line of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// The first.
    Header(Header),
    /// One of the others.
    Event(Event),
    /// Nothing that we know: a blank line, a comment, an event of another kind.
    Nothing,
}

/// Why a line can't be read.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{}", say!("line {line}: {reason}", "第 {line} 行：{reason}"))]
pub struct Unreadable {
    /// Its number, from 1.
    pub line: usize,
    /// The reason.
    pub reason: String,
}

/// Follows a recording.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    line: usize,
    /// 0 before the header.
    version: u64,
    now: Duration,
}

impl Reader {
    /// At the start of a recording.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next line, with or without its newline.
    pub fn line(&mut self, line: &[u8]) -> Result<Item, Unreadable> {
        self.line += 1;
        let number = self.line;
        self.item(line).map_err(|reason| Unreadable {
            line: number,
            reason,
        })
    }

    fn item(&mut self, line: &[u8]) -> Result<Item, String> {
        let length = line.len();
        if length > MAX_LINE {
            return Err(say!(
                "{length} bytes are over the limit of {MAX_LINE}",
                "{length} 字节超过上限 {MAX_LINE}"
            ));
        }
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(Item::Nothing);
        }
        let value: Value = serde_json::from_slice(line)
            .map_err(|error| say!("it is no JSON: {error}", "不是 JSON：{error}"))?;
        if self.version == 0 {
            return self.header(&value).map(Item::Header);
        }
        let Value::Array(parts) = value else {
            return Err(word!(
                "an event is a list: [time, code, text]",
                "事件应为列表：[time, code, text]"
            )
            .to_owned());
        };
        self.event(&parts)
    }

    fn header(&mut self, value: &Value) -> Result<Header, String> {
        let version = value.get("version").and_then(Value::as_u64);
        let (size, term) = match version {
            Some(2) => (size(value, "width", "height")?, text(value, "/env/TERM")),
            Some(3) => {
                let terminal = value.get("term").unwrap_or(&Value::Null);
                (size(terminal, "cols", "rows")?, text(value, "/term/type"))
            }
            Some(1) => {
                return Err(word!("version 1 of asciicast is not read here; asciinema convert makes a version 2 of it", "不支持 asciicast 第 1 版；可用 asciinema convert 转为第 2 版").to_owned());
            }
            Some(other) => {
                return Err(say!(
                    "version {other} of asciicast is not known here",
                    "不支持 asciicast 第 {other} 版"
                ));
            }
            None => {
                return Err(word!(
                    "it is no asciicast: there is no version",
                    "不是 asciicast：没有版本号"
                )
                .to_owned());
            }
        };
        self.version = version.unwrap_or(0);
        Ok(Header {
            size,
            began: value.get("timestamp").and_then(Value::as_u64),
            title: text(value, "/title"),
            term,
            shell: text(value, "/env/SHELL"),
        })
    }

    fn event(&mut self, parts: &[Value]) -> Result<Item, String> {
        let [time, code, data, ..] = parts else {
            return Err(say!(
                "an event has three parts, not {}",
                "事件应有三项，而不是 {} 项",
                parts.len()
            ));
        };
        let seconds = time
            .as_f64()
            .ok_or(word!("the time is no number", "时间不是数字"))?;
        let code = code
            .as_str()
            .ok_or(word!("the code is no text", "类型不是文本"))?;
        self.pass(seconds);
        let data = data.as_str();
        let text = || {
            data.ok_or(word!("the event's text is none", "事件的文本不是文本"))
                .map(str::to_owned)
        };
        let what = match code {
            "o" => What::Output(text()?),
            "i" => What::Input(text()?),
            "r" => What::Resize(resized(&text()?)?),
            "m" => What::Marker(SafeText::of(&text()?).into_owned()),
            _ => return Ok(Item::Nothing),
        };
        Ok(Item::Event(Event { at: self.now, what }))
    }

    /// Time never goes back, and not beyond [`MAX_TIME`].
    fn pass(&mut self, seconds: f64) {
        let time = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(MAX_TIME);
        let time = if self.version == 3 {
            self.now.saturating_add(time)
        } else {
            time
        };
        self.now = time.clamp(self.now, MAX_TIME.max(self.now));
    }
}

fn size(value: &Value, columns: &str, rows: &str) -> Result<Size, String> {
    let number = |name: &str| {
        let number = value.get(name).and_then(Value::as_u64);
        number.ok_or_else(|| say!("the header has no {name}", "文件头没有 {name}"))
    };
    Ok(clamped(number(columns)?, number(rows)?))
}

fn resized(text: &str) -> Result<Size, String> {
    let (columns, rows) = text
        .split_once('x')
        .ok_or(word!("a size is COLUMNSxROWS", "尺寸应写成 COLUMNSxROWS"))?;
    match (columns.parse(), rows.parse()) {
        (Ok(columns), Ok(rows)) => Ok(clamped(columns, rows)),
        _ => Err(word!("a size is COLUMNSxROWS", "尺寸应写成 COLUMNSxROWS").to_owned()),
    }
}

fn clamped(columns: u64, rows: u64) -> Size {
    let narrow = |value| u16::try_from(value).unwrap_or(u16::MAX);
    Size::new(narrow(columns), narrow(rows))
}

fn text(value: &Value, pointer: &str) -> Option<SafeText<'static>> {
    let text = value.pointer(pointer)?.as_str()?;
    Some(SafeText::of(text).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::term::record::Recorder;

    fn header() -> Header {
        Header {
            size: Size::new(80, 24),
            began: Some(1_732_464_000),
            title: Some(SafeText::of("a \"shell\"").into_owned()),
            term: Some(SafeText::of("xterm-256color").into_owned()),
            shell: None,
        }
    }

    fn read(bytes: &[u8]) -> Vec<Result<Item, Unreadable>> {
        let mut reader = Reader::new();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        lines.map(|line| reader.line(line)).collect()
    }

    fn output_of(bytes: &[u8]) -> String {
        let items = read(bytes).into_iter().map(Result::unwrap);
        let output = items.filter_map(|item| match item {
            Item::Event(Event {
                what: What::Output(text),
                ..
            }) => Some(text),
            _ => None,
        });
        output.collect()
    }

    #[test]
    fn a_recording_is_what_asciinema_writes() {
        let mut out = Vec::new();
        let mut recorder = Recorder::begin(&header(), false, &mut out);
        recorder.output(
            Duration::from_micros(248_848),
            b"\x1b[1m$ \xe5\xad",
            &mut out,
        );
        recorder.output(Duration::from_millis(300), b"\x97\xff", &mut out);
        recorder.input(Duration::from_millis(400), b"secret", &mut out);
        recorder.resize(Duration::from_secs(1), Size::new(100, 30), &mut out);
        recorder.marker(Duration::from_secs(2), "here", &mut out);
        recorder.output(Duration::from_secs(3), b"\xe5", &mut out);
        recorder.finish(Duration::from_secs(4), &mut out);
        let want = [
            r#"{"version":2,"width":80,"height":24,"timestamp":1732464000,"title":"a \"shell\"","env":{"TERM":"xterm-256color"}}"#,
            r#"[0.248848,"o","\u001b[1m$ "]"#,
            "[0.300000,\"o\",\"字\u{fffd}\"]",
            r#"[1.000000,"r","100x30"]"#,
            r#"[2.000000,"m","here"]"#,
            "[4.000000,\"o\",\"\u{fffd}\"]",
            "",
        ];
        assert_eq!(String::from_utf8(out.clone()).unwrap(), want.join("\n"));
        let items: Result<Vec<Item>, Unreadable> = read(&out).into_iter().collect();
        let items = items.unwrap();
        assert_eq!(items[0], Item::Header(header()));
        let resize = What::Resize(Size::new(100, 30));
        let at = Duration::from_secs(1);
        assert_eq!(items[3], Item::Event(Event { at, what: resize }));
    }

    #[test]
    fn output_of_megabytes_is_read_back() {
        let text = "\0中".repeat(1 << 20);
        let mut out = Vec::new();
        let mut recorder = Recorder::begin(&header(), false, &mut out);
        recorder.output(Duration::ZERO, text.as_bytes(), &mut out);
        recorder.finish(Duration::ZERO, &mut out);
        let read_back = output_of(&out);
        assert!(read_back == text, "{} bytes", read_back.len());
    }

    #[test]
    fn other_versions_are_read_or_named() {
        let third = b"{\"version\":3,\"term\":{\"cols\":80,\"rows\":24,\"type\":\"xterm\"}}\n# a comment\n[0.5,\"o\",\"a\"]\n[0.25,\"o\",\"b\"]\n[1,\"x\",\"0\"]\n";
        let items = read(third);
        let event = |millis, text: &str| {
            Ok(Item::Event(Event {
                at: Duration::from_millis(millis),
                what: What::Output(text.into()),
            }))
        };
        assert_eq!(
            items[1..],
            [
                Ok(Item::Nothing),
                event(500, "a"),
                event(750, "b"),
                Ok(Item::Nothing)
            ]
        );
        for (line, want) in [
            (
                &b"{\"version\":1,\"stdout\":[]}"[..],
                "version 1 of asciicast is not read here",
            ),
            (
                b"{\"version\":9}",
                "version 9 of asciicast is not known here",
            ),
            (b"{}", "there is no version"),
            (b"hello", "it is no JSON"),
            (b"{\"version\":2,\"width\":80}", "the header has no height"),
        ] {
            let fault = Reader::new().line(line).unwrap_err().to_string();
            assert!(
                fault.starts_with("line 1: ") && fault.contains(want),
                "{fault}"
            );
        }
    }

    #[test]
    fn a_bad_line_is_named_and_the_rest_is_read() {
        let head = "{\"version\":2,\"width\":70000,\"height\":0}\n";
        let lines = format!(
            "{head}\n[1,\"o\"]\n[-5,\"o\",\"a\"]\n[1e300,\"o\",\"b\"]\n[2,\"r\",\"80\"]\n[\"x\",\"o\",\"c\"]\n{{}}\n[3,\"o\",\"d\"]\n"
        );
        let items = read(lines.as_bytes());
        let faults: Vec<String> = items
            .iter()
            .filter_map(|item| item.as_ref().err().map(ToString::to_string))
            .collect();
        assert_eq!(
            faults,
            [
                "line 3: an event has three parts, not 2",
                "line 6: a size is COLUMNSxROWS",
                "line 7: the time is no number",
                "line 8: an event is a list: [time, code, text]",
            ]
        );
        assert!(
            matches!(&items[0], Ok(Item::Header(header)) if header.size == Size::new(u16::MAX, 0))
        );
        let last = Event {
            at: MAX_TIME,
            what: What::Output("d".into()),
        };
        assert_eq!(items.last(), Some(&Ok(Item::Event(last))));
        let long = vec![b' '; MAX_LINE + 1];
        assert!(Reader::new().line(&long).is_err());
    }

    proptest! {
        #[test]
        fn any_lines_are_read_or_refused(
            lines in prop::collection::vec(
                prop_oneof![
                    Just(br#"{"version":2,"width":80,"height":24}"#.to_vec()),
                    prop::collection::vec(any::<u8>(), 0..40),
                    r#"\[[-0-9.e]{1,8},"[oirmx]","[^"\\]{0,8}"\]"#.prop_map(String::into_bytes),
                ],
                0..10,
            ),
        ) {
            let mut reader = Reader::new();
            let mut last = Duration::ZERO;
            for line in lines {
                if let Ok(Item::Event(event)) = reader.line(&line) {
                    prop_assert!(event.at >= last && event.at <= MAX_TIME);
                    last = event.at;
                }
            }
        }

        #[test]
        fn what_is_written_is_read_back_from_every_split(
            text in "(?s).{0,200}",
            cuts in prop::collection::vec(0_usize..800, 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut out = Vec::new();
            let mut recorder = Recorder::begin(&header(), true, &mut out);
            for pair in cuts.windows(2) {
                recorder.output(Duration::from_millis(5), &bytes[pair[0]..pair[1]], &mut out);
            }
            recorder.finish(Duration::from_millis(6), &mut out);
            prop_assert_eq!(output_of(&out), text);
        }
    }
}
