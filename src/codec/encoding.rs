//! Lines that are no UTF-8: GB 18030, with GBK and GB 2312 in it (decision 7). What is valid
//! UTF-8 stays as it is; of the rest the text is read anew, and the bytes are kept beside it.

use std::borrow::Cow;

use crate::model::batch::Item;
use crate::model::{RawBatch, RowHead};

/// How the bytes of lines are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// As UTF-8.
    #[default]
    Utf8,
    /// As GB 18030, which GBK is a part of.
    Gb18030,
}

impl Encoding {
    /// A batch whose lines are UTF-8.
    pub fn read(self, batch: RawBatch) -> RawBatch {
        match self {
            Self::Utf8 => batch,
            Self::Gb18030 => gb18030(batch),
        }
    }
}

/// A batch with its lines read as GB 18030 where they are no UTF-8.
pub fn gb18030(batch: RawBatch) -> RawBatch {
    let plain = (0..batch.len()).all(|row| std::str::from_utf8(batch.line(row)).is_ok());
    if plain {
        return batch;
    }
    let mut fresh = RawBatch::like(&batch);
    for item in batch.iter() {
        match item {
            Item::Mark(mark) => fresh.push_mark(mark.clone()),
            Item::Line(index, row) => {
                let line = batch.line(index);
                let text = decode(line);
                let head = RowHead {
                    source: batch.source(row),
                    flags: row.flags,
                    level: row.level,
                    recv: row.recv,
                    stamp: row.stamp,
                };
                fresh.push(&text, &head);
                let changed = matches!(text, Cow::Owned(_)).then_some(line);
                if let Some(frame) = batch.frame(index).or(changed) {
                    fresh.keep_frame(frame);
                }
            }
        }
    }
    fresh
}

fn decode(line: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(line).is_ok() {
        return Cow::Borrowed(line);
    }
    let (text, _) = encoding_rs::GB18030.decode_without_bom_handling(line);
    Cow::Owned(text.into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gbk_lines_become_text_and_keep_their_bytes() {
        let mut batch = RawBatch::default();
        let gbk = b"\xb6\xa9\xb5\xa5\xd6\xd0\xd0\xc4 ok";
        for line in [&b"plain"[..], gbk, "订单".as_bytes()] {
            batch.push(line, &RowHead::default());
        }
        let read = gb18030(batch);
        let lines: Vec<&[u8]> = (0..read.len()).map(|row| read.line(row)).collect();
        assert_eq!(
            lines,
            [&b"plain"[..], "订单中心 ok".as_bytes(), "订单".as_bytes()]
        );
        assert_eq!(read.frame(1), Some(&gbk[..]));
        assert_eq!((read.frame(0), read.frame(2)), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(line: Vec<u8>) {
            let mut batch = RawBatch::default();
            batch.push(&line, &RowHead::default());
            let read = gb18030(batch);
            proptest::prop_assert_eq!(read.frame(0).unwrap_or(read.line(0)), line.as_slice());
        }
    }
}
