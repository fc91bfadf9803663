//! What Prometheus measured (protocols.md 3.5): its own answers, and the console's envelope
//! around them. Ten megabytes of samples stream into place, without a tree of JSON and without
//! an allocation for each.

use std::collections::HashMap;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess};

use super::lenient::{As, By, Plain, Shape, text};
use crate::model::Micros;
use crate::model::sample::{Flaws, Labels, Measured, Sample, Series};
use crate::say;
use crate::word;

/// So many remarks of the server are kept: more than anybody reads beside a chart.
const NOTES: usize = 20;

/// Labels of a series: Prometheus' own have a dozen. A series with more is left out.
const PAIRS: usize = 64;

/// Bytes of a series' names and values of labels; with more it is left out.
const LABELS: usize = 16 << 10;

/// Envelopes are looked for so deep: `data`, `bean`, and Prometheus' own `data`.
const DEPTH: usize = 3;

/// An answer that says no, or none that can be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Prometheus' word for it, such as `bad_data`, or the console's code; empty if none is told.
    pub kind: String,
    /// What it says, or what is wrong with it.
    pub words: String,
}

/// Reads an answer to a query. At most `most` series are kept. Nothing that is half read is
/// given out.
pub fn decode(body: &[u8], most: usize) -> Result<Measured, Refusal> {
    let mut draft = Draft {
        most,
        ..Draft::default()
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let envelope = Envelope {
        draft: &mut draft,
        depth: 0,
    };
    let read = As(envelope).deserialize(&mut json);
    match read.and_then(|known| json.end().map(|()| known)) {
        Ok(true) => draft.finish(),
        Ok(false) => Err(Refusal::of(word!(
            "this is no answer to a query",
            "这不是查询的应答"
        ))),
        Err(error) if error.is_eof() && !body.is_empty() => Err(Refusal::of(word!(
            "the answer breaks off: its JSON has no end",
            "应答中断：JSON 不完整"
        ))),
        Err(_) => Err(Refusal::of(word!("the answer is no JSON", "应答不是 JSON"))),
    }
}

impl Refusal {
    fn of(words: &str) -> Self {
        Self {
            kind: String::new(),
            words: words.to_owned(),
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Draft {
    most: usize,
    /// Everything but the series.
    measured: Measured,
    series: Vec<(Labels, Line)>,
    /// Notes past [`NOTES`].
    more_notes: u64,
    /// There is a result, be it empty.
    result: bool,
    /// There is a `resultType`.
    typed: bool,
    /// `result` is `null`, as Go writes a list of nothing.
    null: bool,
    status: String,
    code: Option<i64>,
    kind: String,
    error: String,
    /// The console's `msg_show`, else `msg`.
    shown: String,
    said: String,
}

impl Draft {
    fn has_room(&self) -> bool {
        self.series.len() < self.most
    }

    fn finish(mut self) -> Result<Measured, Refusal> {
        let result = self.result || (self.typed && self.null);
        let code = self.code.filter(|code| *code != 0);
        let bad = code.filter(|code| !(200..300).contains(code));
        let silent = !result && code.is_none() && self.status.is_empty();
        let words = [self.error, self.shown, self.said];
        let words = words.into_iter().find(|words| !words.is_empty());
        let failed = match &*self.status {
            "error" => true,
            "" => silent && words.is_some(),
            "success" => false,
            _ => !result && code.is_none(),
        };
        if failed || bad.is_some() {
            let kind = match bad {
                Some(code) if self.kind.is_empty() => code.to_string(),
                _ => self.kind,
            };
            let words = words.unwrap_or_else(|| {
                word!(
                    "the server refuses, without a reason",
                    "服务器拒绝了，没有说明原因"
                )
                .into()
            });
            return Err(Refusal { kind, words });
        }
        if self.more_notes > 0 {
            let more = self.more_notes;
            let note = say!("and {more} more remarks", "另有 {more} 条说明");
            self.measured.notes.push(note);
        }
        self.measured.blank = !result;
        self.measured.series = united(self.series, &mut self.measured.flaws);
        Ok(self.measured)
    }

    fn note(&mut self, plain: Plain<'_>) {
        let note = text(plain).unwrap_or_default();
        if note.is_empty() {
            return;
        }
        if self.measured.notes.len() < NOTES {
            self.measured.notes.push(note);
        } else {
            self.more_notes += 1;
        }
    }
}

/// A member of an envelope.
enum Member {
    Inner,
    Result,
    ResultType,
    Status,
    Code,
    Kind,
    Error,
    Shown,
    Said,
    Notes,
    Other,
}

impl Member {
    fn of(plain: Plain<'_>) -> Self {
        let Plain::Text(name) = plain else {
            return Self::Other;
        };
        match name {
            "data" | "bean" => Self::Inner,
            "result" => Self::Result,
            "resultType" => Self::ResultType,
            "status" => Self::Status,
            "code" => Self::Code,
            "errorType" => Self::Kind,
            "error" => Self::Error,
            "msg_show" => Self::Shown,
            "msg" => Self::Said,
            "warnings" | "infos" => Self::Notes,
            _ => Self::Other,
        }
    }
}

/// An object around a result; whether it is one, or nothing at all.
struct Envelope<'a> {
    draft: &'a mut Draft,
    depth: usize,
}

impl<'de> Shape<'de> for Envelope<'_> {
    type Out = bool;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let Self { draft, depth } = self;
        while let Some(member) = members.next_key_seed(As(By(Member::of)))? {
            let words = |plain: Plain<'_>| text(plain).unwrap_or_default();
            match member {
                Member::Inner if depth < DEPTH => {
                    let depth = depth + 1;
                    members.next_value_seed(As(Envelope { draft, depth }))?;
                }
                Member::Result => members.next_value_seed(As(Results(draft)))?,
                Member::ResultType => {
                    let told = |plain: Plain<'_>| matches!(plain, Plain::Text(_));
                    draft.typed |= members.next_value_seed(As(By(told)))?;
                }
                Member::Status => draft.status = members.next_value_seed(As(By(words)))?,
                Member::Code => draft.code = members.next_value_seed(As(By(code)))?,
                Member::Kind => draft.kind = members.next_value_seed(As(By(words)))?,
                Member::Error => draft.error = members.next_value_seed(As(By(words)))?,
                Member::Shown => draft.shown = members.next_value_seed(As(By(words)))?,
                Member::Said => draft.said = members.next_value_seed(As(By(words)))?,
                Member::Notes => members.next_value_seed(As(Notes(draft)))?,
                Member::Inner | Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(true)
    }

    fn plain(self, plain: Plain<'_>) -> bool {
        matches!(plain, Plain::Null)
    }
}

/// What the server remarks: texts, or one.
struct Notes<'a>(&'a mut Draft);

impl<'de> Shape<'de> for Notes<'_> {
    type Out = ();

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(()) = items.next_element_seed(As(By(|note: Plain<'_>| self.0.note(note))))? {
        }
        Ok(())
    }

    fn plain(self, plain: Plain<'_>) {
        self.0.note(plain);
    }
}

/// A result: series, or the one `[time, value]` of a scalar or a string.
struct Results<'a>(&'a mut Draft);

/// What stands first in a result.
enum Head {
    /// A series.
    Series,
    /// A time: it is a scalar.
    Time(Option<Micros>),
}

impl<'de> Shape<'de> for Results<'_> {
    type Out = ();

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self(draft) = self;
        draft.result = true;
        let mut first = true;
        // What stands first tells what it all is, also where nothing is kept.
        while first || draft.has_room() {
            let element = Element { draft, first };
            match items.next_element_seed(As(element))? {
                Some(Head::Series) => first = false,
                Some(Head::Time(at)) => return scalar(draft, at, items),
                None => return Ok(()),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            draft.measured.flaws.left_out += 1;
        }
        Ok(())
    }

    fn plain(self, plain: Plain<'_>) {
        if matches!(plain, Plain::Null) {
            self.0.null = true;
        } else {
            self.0.result = true;
            self.0.measured.flaws.unreadable += 1;
        }
    }
}

/// Reads the value of a scalar.
fn scalar<'de, A: SeqAccess<'de>>(
    draft: &mut Draft,
    at: Option<Micros>,
    items: A,
) -> Result<(), A::Error> {
    let room = draft.has_room();
    let flaws = &mut draft.measured.flaws;
    match rest_of_pair(at, items)? {
        Some(_) if !room => flaws.left_out += 1,
        Some(sample) => {
            let mut line = Line::default();
            line.push(sample, flaws);
            draft.series.push((Labels::default(), line));
        }
        None => flaws.unreadable += 1,
    }
    Ok(())
}

/// One of a result's elements.
struct Element<'a> {
    draft: &'a mut Draft,
    /// It is the first: it may be a scalar's time.
    first: bool,
}

/// A member of a series.
enum Part {
    Metric,
    Value,
    Values,
    Other,
}

impl Part {
    fn of(plain: Plain<'_>) -> Self {
        match plain {
            Plain::Text("metric") => Self::Metric,
            Plain::Text("value") => Self::Value,
            Plain::Text("values") => Self::Values,
            _ => Self::Other,
        }
    }
}

impl<'de> Shape<'de> for Element<'_> {
    type Out = Head;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Head, A::Error> {
        let flaws = &mut self.draft.measured.flaws;
        let (mut named, mut line) = (Named::Labels(Labels::default()), Line::default());
        let mut floats = false;
        while let Some(part) = members.next_key_seed(As(By(Part::of)))? {
            floats |= matches!(part, Part::Value | Part::Values);
            match part {
                Part::Metric => named = members.next_value_seed(As(Metric(flaws)))?,
                Part::Value => match members.next_value_seed(As(Pair))? {
                    Some(sample) => line.push(sample, flaws),
                    None => flaws.unreadable += 1,
                },
                Part::Values => {
                    let line = &mut line;
                    members.next_value_seed(As(Values { line, flaws }))?;
                }
                Part::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        // Samples of nobody; or a histogram, or nothing, in the place of samples.
        flaws.unreadable += u64::from(matches!(named, Named::Nobody) || !floats);
        match named {
            Named::Labels(labels) if self.draft.has_room() => {
                self.draft.series.push((labels, line));
            }
            Named::Labels(_) | Named::TooMuch => self.draft.measured.flaws.left_out += 1,
            Named::Nobody => {}
        }
        Ok(Head::Series)
    }

    fn plain(self, plain: Plain<'_>) -> Head {
        if self.first && matches!(plain, Plain::Whole(_) | Plain::Float(_) | Plain::Text(_)) {
            return Head::Time(time(plain));
        }
        self.draft.measured.flaws.unreadable += 1;
        Head::Series
    }
}

/// The labels of a series; none if they are no such thing.
struct Metric<'a>(&'a mut Flaws);

/// What stands in the place of labels.
enum Named {
    Labels(Labels),
    /// More than anybody has.
    TooMuch,
    /// No such thing.
    Nobody,
}

impl<'de> Shape<'de> for Metric<'_> {
    type Out = Named;

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Out, A::Error> {
        let (mut pairs, mut bytes) = (Vec::new(), 0);
        while let Some(name) = members.next_key_seed(As(By(text)))? {
            match (name, members.next_value_seed(As(By(text)))?) {
                (Some(name), Some(value)) => {
                    bytes += name.len() + value.len();
                    if pairs.len() <= PAIRS && bytes <= LABELS {
                        pairs.push((name, value));
                    }
                }
                _ => self.0.unreadable += 1,
            }
        }
        if pairs.len() > PAIRS || bytes > LABELS {
            return Ok(Named::TooMuch);
        }
        Ok(Named::Labels(Labels::new(pairs)))
    }

    fn plain(self, plain: Plain<'_>) -> Self::Out {
        match plain {
            Plain::Null => Named::Labels(Labels::default()),
            _ => Named::Nobody,
        }
    }
}

/// Samples of one series.
struct Values<'a> {
    line: &'a mut Line,
    flaws: &'a mut Flaws,
}

impl<'de> Shape<'de> for Values<'_> {
    type Out = ();

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(sample) = items.next_element_seed(As(Pair))? {
            match sample {
                Some(sample) => self.line.push(sample, self.flaws),
                None => self.flaws.unreadable += 1,
            }
        }
        Ok(())
    }

    fn plain(self, _: Plain<'_>) {
        self.flaws.unreadable += 1;
    }
}

/// `[time, value]`.
struct Pair;

impl<'de> Shape<'de> for Pair {
    type Out = Option<Sample>;

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Out, A::Error> {
        let at = items.next_element_seed(As(By(time)))?;
        rest_of_pair(at.flatten(), items)
    }

    fn plain(self, _: Plain<'_>) -> Self::Out {
        None
    }
}

/// A value, and nothing behind it.
fn rest_of_pair<'de, A: SeqAccess<'de>>(
    at: Option<Micros>,
    mut items: A,
) -> Result<Option<Sample>, A::Error> {
    let value = items.next_element_seed(As(By(value)))?.flatten();
    let mut alone = true;
    while items.next_element::<IgnoredAny>()?.is_some() {
        alone = false;
    }
    let sample = at.zip(value).filter(|_| alone);
    Ok(sample.map(|(at, value)| Sample { at, value }))
}

/// Samples of one series as they come.
#[derive(Default)]
struct Line {
    samples: Vec<Sample>,
    newest: Option<Micros>,
}

impl Line {
    /// Appends a sample. One that is not later than all before is out of order; [`united`] sorts
    /// them.
    fn push(&mut self, sample: Sample, flaws: &mut Flaws) {
        flaws.disordered += u64::from(self.newest >= Some(sample.at));
        self.newest = self.newest.max(Some(sample.at));
        self.samples.push(sample);
    }
}

/// One series for each labels, each in the order of time; of two samples for one time the later
/// one.
fn united(series: Vec<(Labels, Line)>, flaws: &mut Flaws) -> Vec<Series> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut lines: Vec<(Labels, Line)> = Vec::new();
    for (labels, line) in series {
        let known = places.get(&labels).and_then(|place| lines.get_mut(*place));
        if let Some((_, known)) = known {
            for sample in line.samples {
                known.push(sample, flaws);
            }
        } else {
            places.insert(labels.clone(), lines.len());
            lines.push((labels, line));
        }
    }
    let series = lines.into_iter().map(|(labels, line)| Series {
        labels,
        samples: in_order(line.samples),
    });
    series.collect()
}

fn in_order(mut samples: Vec<Sample>) -> Vec<Sample> {
    if samples.is_sorted_by(|a, b| a.at < b.at) {
        return samples;
    }
    samples.sort_by_key(|sample| sample.at);
    // The first of two is the one that stays.
    samples.reverse();
    samples.dedup_by_key(|sample| sample.at);
    samples.reverse();
    samples
}

/// The console's code.
fn code(plain: Plain<'_>) -> Option<i64> {
    match plain {
        Plain::Whole(code) => Some(code),
        Plain::Text(text) => text.trim().parse().ok(),
        Plain::Float(_) | Plain::Flag(_) | Plain::Null | Plain::Nested => None,
    }
}

/// A time in seconds.
fn time(plain: Plain<'_>) -> Option<Micros> {
    match plain {
        Plain::Whole(seconds) => seconds.checked_mul(1_000_000).map(Micros),
        Plain::Float(seconds) => micros(seconds),
        Plain::Text(text) => micros(text.parse().ok()?),
        Plain::Flag(_) | Plain::Null | Plain::Nested => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be in the range, and rounded"
)]
fn micros(seconds: f64) -> Option<Micros> {
    let micros = (seconds * 1e6).round();
    // The range's end is the power of two above the largest number.
    let limit = -(i64::MIN as f64);
    (-limit..limit)
        .contains(&micros)
        .then_some(Micros(micros as i64))
}

/// A sample's value.
fn value(plain: Plain<'_>) -> Option<f64> {
    match plain {
        Plain::Text(text) => text.parse().ok(),
        Plain::Whole(number) => Some(number as f64),
        Plain::Float(number) => Some(number),
        Plain::Flag(_) | Plain::Null | Plain::Nested => None,
    }
}

#[cfg(test)]
mod tests;
