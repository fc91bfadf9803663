//! What costs most, as the platform's monitors tell it: the new list, the old one, and what
//! ZeroMQ carries of either (protocols.md 4, 5.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};

use super::lenient::{As, By, Plain, Shape, text};
use crate::model::sample::{TopList, TopRow};

/// So many rows of a list are kept: the server gives 20. The rest counts as unreadable.
const ROWS: usize = 1000;

/// Reads a frame; nothing if it is no list of any known kind. An empty list is one.
pub fn decode(frame: &str) -> Option<Vec<TopList>> {
    let frame = frame.trim();
    let list = match frame.as_bytes().first()? {
        b'[' | b'{' => match read(frame)? {
            Frame::List(list) => list,
            Frame::Wrapped(inner) => match read(inner.trim())? {
                Frame::List(list) => list,
                Frame::Wrapped(_) => return None,
            },
        },
        _ => spaced(frame)?,
    };
    Some(vec![list])
}

/// `DATE TIME TAG NAME JSONARRAY`.
fn spaced(frame: &str) -> Option<TopList> {
    let mut parts = frame.splitn(5, ' ');
    let (date, time, _) = (parts.next()?, parts.next()?, parts.next()?);
    let (name, rows) = (parts.next()?, parts.next()?.trim_start());
    let dated = is_digits(date, '-') && is_digits(time, ':');
    if !dated || !rows.starts_with('[') {
        return None;
    }
    let Frame::List(list) = read(rows)? else {
        return None;
    };
    Some(TopList {
        name: text(Plain::Text(name))?,
        updated: text(Plain::Text(&format!("{date} {time}")))?,
        ..list
    })
}

/// Whether a text is three numbers.
fn is_digits(text: &str, between: char) -> bool {
    let number = |part: &str| {
        part.bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_digit())
    };
    text.split(between).count() == 3 && text.split(between).all(number)
}

/// What a frame's JSON is.
enum Frame {
    List(TopList),
    /// The text of another frame is inside.
    Wrapped(String),
}

fn read(text: &str) -> Option<Frame> {
    let mut json = serde_json::Deserializer::from_str(text);
    let frame = As(Whole).deserialize(&mut json).ok()?;
    json.end().ok()?;
    frame
}

/// A whole frame.
struct Whole;

impl<'de> Shape<'de> for Whole {
    type Out = Option<Frame>;

    fn list<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Out, A::Error> {
        let mut list = TopList::default();
        Rows(&mut list).list(items)?;
        Ok(Some(Frame::List(list)))
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Out, A::Error> {
        let (mut list, mut data, mut inner) = (TopList::default(), Some(false), None);
        let words = |plain: Plain<'_>| text(plain).unwrap_or_default();
        while let Some(member) = members.next_key_seed(As(By(Member::of)))? {
            match member {
                Member::Name => list.name = members.next_value_seed(As(By(words)))?,
                Member::Updated => list.updated = members.next_value_seed(As(By(words)))?,
                Member::Data => data = members.next_value_seed(As(Rows(&mut list)))?,
                Member::Inner => inner = members.next_value_seed(As(By(unwrapped)))?,
                Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        // Go writes a list of nothing as `null`; then the name tells that it is one.
        let is_list = data.unwrap_or(!list.name.is_empty());
        Ok(match inner {
            Some(inner) => Some(Frame::Wrapped(inner)),
            None => is_list.then_some(Frame::List(list)),
        })
    }

    fn plain(self, _: Plain<'_>) -> Self::Out {
        None
    }
}

/// The frame in the cluster's message, if there is one.
fn unwrapped(plain: Plain<'_>) -> Option<String> {
    let Plain::Text(text) = plain else {
        return None;
    };
    let bytes = STANDARD.decode(text).ok()?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}

/// A member of the old form, or of the cluster's message around it.
enum Member {
    Name,
    Updated,
    Data,
    Inner,
    Other,
}

impl Member {
    fn of(plain: Plain<'_>) -> Self {
        match plain {
            Plain::Text("name") => Self::Name,
            Plain::Text("update_time") => Self::Updated,
            Plain::Text("data") => Self::Data,
            Plain::Text("monitorData") => Self::Inner,
            _ => Self::Other,
        }
    }
}

/// The rows of a list; whether they are a list, nothing if it is `null`.
struct Rows<'a>(&'a mut TopList);

impl<'de> Shape<'de> for Rows<'_> {
    type Out = Option<bool>;

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Out, A::Error> {
        let Self(list) = self;
        while list.rows.len() < ROWS {
            match items.next_element_seed(As(Row))? {
                Some(Some(row)) => list.rows.push(row),
                Some(None) => list.unreadable += 1,
                None => return Ok(Some(true)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            list.unreadable += 1;
        }
        Ok(Some(true))
    }

    fn plain(self, plain: Plain<'_>) -> Self::Out {
        (!matches!(plain, Plain::Null)).then_some(false)
    }
}

/// A row of either form.
struct Row;

/// A member of a row.
enum Cell {
    /// The new form's key.
    Key,
    /// The old form's.
    OldKey,
    Kind,
    Host,
    Sum,
    Mean,
    Max,
    Count,
    Errors,
    Other,
}

impl Cell {
    fn of(plain: Plain<'_>) -> Self {
        let Plain::Text(name) = plain else {
            return Self::Other;
        };
        match name {
            "Key" => Self::Key,
            "url" | "sql" => Self::OldKey,
            "MessageType" => Self::Kind,
            "HostName" => Self::Host,
            "CumulativeTime" | "sumtime" => Self::Sum,
            "AverageTime" | "avgtime" => Self::Mean,
            "MaxTime" => Self::Max,
            "Count" | "counts" => Self::Count,
            "AbnormalCount" => Self::Errors,
            _ => Self::Other,
        }
    }
}

impl<'de> Shape<'de> for Row {
    type Out = Option<TopRow>;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Out, A::Error> {
        let mut row = TopRow::default();
        // A number that is none makes the row unreadable.
        let (mut sum, mut mean, mut max) = (Some(0.0), Some(0.0), Some(0.0));
        let (mut count, mut errors, mut new) = (Some(0.0), Some(0.0), false);
        let words = |plain: Plain<'_>| text(plain).unwrap_or_default();
        while let Some(cell) = members.next_key_seed(As(By(Cell::of)))? {
            match cell {
                Cell::Key | Cell::OldKey => {
                    row.key = members.next_value_seed(As(By(words)))?;
                    new = matches!(cell, Cell::Key);
                }
                Cell::Kind => row.kind = members.next_value_seed(As(By(words)))?,
                Cell::Host => row.host = members.next_value_seed(As(By(words)))?,
                Cell::Sum => sum = members.next_value_seed(As(By(number)))?,
                Cell::Mean => mean = members.next_value_seed(As(By(number)))?,
                Cell::Max => max = members.next_value_seed(As(By(number)))?,
                Cell::Count => count = members.next_value_seed(As(By(number)))?,
                Cell::Errors => errors = members.next_value_seed(As(By(number)))?,
                Cell::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        let (Some(sum), Some(mean), Some(max)) = (sum, mean, max) else {
            return Ok(None);
        };
        let (Some(count), Some(errors)) = (count, errors) else {
            return Ok(None);
        };
        let row = TopRow {
            sum,
            mean,
            max: new.then_some(max),
            count: whole(count),
            errors: new.then_some(whole(errors)),
            ..row
        };
        Ok(Some(row).filter(|row| !row.key.is_empty()))
    }

    fn plain(self, _: Plain<'_>) -> Self::Out {
        None
    }
}

/// A number that is not negative, also from a text; nothing is zero.
fn number(plain: Plain<'_>) -> Option<f64> {
    let number = match plain {
        Plain::Null => 0.0,
        Plain::Whole(number) => number as f64,
        Plain::Float(number) => number,
        Plain::Text(text) => text.trim().parse().ok()?,
        Plain::Flag(_) | Plain::Nested => return None,
    };
    // No negative zero either.
    (number.is_finite() && number >= 0.0).then_some(number + 0.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "finite and not negative, and saturating"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests;
