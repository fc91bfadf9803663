//! The log server's own stored history, beside its WebSockets (protocols.md 1.1, 3.2).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The newest `most` lines of the log server's own answer, `{"list":["cid:line",…]}`, whose list
/// may be null (protocols.md 3.2); `None` if it is something else. However much it holds, no more
/// is kept.
pub fn stored_lines(body: &[u8], most: usize) -> Option<Vec<String>> {
    let mut newest = VecDeque::new();
    let mut reader = serde_json::Deserializer::from_slice(body);
    Stored(&mut newest, most).deserialize(&mut reader).ok()?;
    Some(newest.into())
}

/// Reads the answer's object; its list goes to the deque.
struct Stored<'a>(&'a mut VecDeque<String>, usize);

impl<'de> DeserializeSeed<'de> for Stored<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Stored<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{list}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut any = false;
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            if name == "list" {
                any = true;
                members.next_value_seed(Newest(&mut *self.0, self.1))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if any {
            Ok(())
        } else {
            Err(de::Error::missing_field("list"))
        }
    }
}

/// Keeps the last strings of a list; null is an empty one.
struct Newest<'a>(&'a mut VecDeque<String>, usize);

impl<'de> DeserializeSeed<'de> for Newest<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Newest<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[line]")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(line) = items.next_element::<String>()? {
            if self.0.len() >= self.1 {
                self.0.pop_front();
            }
            self.0.push_back(line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_nothing_else_is_taken() {
        let read = |body: &str, most| stored_lines(body.as_bytes(), most);
        let lines = |lines: &[&str]| Some(lines.iter().map(|line| (*line).to_owned()).collect());
        let three = r#"{"x":{"list":[1]},"list":["a:1","b\u4e2d","c"],"y":[[]]}"#;
        assert_eq!(read(three, 9), lines(&["a:1", "b中", "c"]));
        assert_eq!(read(three, 2), lines(&["b中", "c"]));
        assert_eq!(read(r#"{"list":null}"#, 9), lines(&[]));
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"list":[1]}"#,
            r#"{"list":{}}"#,
            r#"{"list":["a""#,
            "<html>",
            r#"{"list":"a"}"#,
        ] {
            assert_eq!(read(bad, 9), None, "{bad}");
        }
        // Deeper than any server's answer: passed over.
        let deep = format!(
            r#"{{"x":{}{},"list":["a"]}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(read(&deep, 9), lines(&["a"]));
    }
}
