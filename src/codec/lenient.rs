//! JSON read as it streams by, without a tree of it, whatever types its members have. A broken
//! text is an error; a member of the wrong type never is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::text::SafeText;

/// A text of the server may have so many characters.
const LONGEST: usize = 4096;

/// A value that is no list and no object, or a list or an object where none is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plain<'a> {
    Null,
    Flag(bool),
    Whole(i64),
    Float(f64),
    Text(&'a str),
    /// A list or an object, passed over.
    Nested,
}

/// What is wanted of one value. What is not wanted is passed over and told as plain.
pub(super) trait Shape<'de>: Sized {
    /// What comes of it.
    type Out;

    /// It is an object.
    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Out, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.plain(Plain::Nested))
    }

    /// It is a list.
    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Out, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.plain(Plain::Nested))
    }

    /// It is neither, or neither is wanted.
    fn plain(self, plain: Plain<'_>) -> Self::Out;
}

/// Reads a value of a shape.
pub(super) struct As<S>(pub(super) S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for As<S> {
    type Value = S::Out;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Out, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for As<S> {
    type Value = S::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<S::Out, A::Error> {
        self.0.object(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<S::Out, A::Error> {
        self.0.list(items)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<S::Out, E> {
        Ok(self.0.plain(Plain::Text(text)))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<S::Out, E> {
        Ok(self.0.plain(Plain::Float(float)))
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<S::Out, E> {
        Ok(self.0.plain(Plain::Whole(whole)))
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<S::Out, E> {
        let plain = i64::try_from(whole).map_or(Plain::Float(whole as f64), Plain::Whole);
        Ok(self.0.plain(plain))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<S::Out, E> {
        Ok(self.0.plain(Plain::Flag(flag)))
    }

    fn visit_unit<E: Error>(self) -> Result<S::Out, E> {
        Ok(self.0.plain(Plain::Null))
    }
}

/// A plain value, read by a function.
pub(super) struct By<F>(pub(super) F);

impl<T, F: FnOnce(Plain<'_>) -> T> Shape<'_> for By<F> {
    type Out = T;

    fn plain(self, plain: Plain<'_>) -> T {
        (self.0)(plain)
    }
}

/// A text, sanitised; numbers as they are written.
pub(super) fn text(plain: Plain<'_>) -> Option<String> {
    match plain {
        Plain::Text(text) => {
            let end = text.char_indices().nth(LONGEST).map(|(at, _)| at);
            let text = text.get(..end.unwrap_or(text.len())).unwrap_or("");
            Some(SafeText::of(text).to_string())
        }
        Plain::Whole(number) => Some(number.to_string()),
        Plain::Float(number) => Some(number.to_string()),
        Plain::Flag(flag) => Some(flag.to_string()),
        Plain::Null | Plain::Nested => None,
    }
}
