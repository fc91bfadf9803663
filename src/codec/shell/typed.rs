//! What was typed and not sent yet, cut into messages. Input is never split inside a character:
//! strict peers and proxies want each text message to be valid UTF-8 (protocols.md 6.1).

use super::Carriage;

/// Input that waits.
#[derive(Debug, Default)]
pub struct Typed {
    bytes: Vec<u8>,
    /// Of these so many are gone.
    start: usize,
    /// Bytes that are no UTF-8 and were left out.
    refused: u64,
}

impl Typed {
    /// Puts input at the end.
    pub fn push(&mut self, input: &[u8]) {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(input);
    }

    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what waits; how many bytes that was.
    pub fn clear(&mut self) -> usize {
        let gone = self.len();
        self.bytes.clear();
        self.start = 0;
        gone
    }

    /// How many bytes [`Typed::take_refused`] would tell of.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// How many bytes could not be sent since the last call, being no UTF-8.
    pub fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// The next message's input, of 1 to `most` bytes (at least 4 for [`Carriage::Text`]); none
    /// if nothing can go: the begin of a character waits for its rest.
    pub fn next(&mut self, carriage: Carriage, most: usize) -> Option<Vec<u8>> {
        match carriage {
            Carriage::Bytes | Carriage::Base64 => self.take(most),
            Carriage::Text => loop {
                let waiting = self.bytes.get(self.start..)?;
                let piece = waiting.get(..most).unwrap_or(waiting);
                let (whole, wrong) = match std::str::from_utf8(piece) {
                    Ok(text) => (text.len(), None),
                    Err(error) => (error.valid_up_to(), error.error_len()),
                };
                if whole > 0 {
                    return self.take(whole);
                }
                let wrong = wrong?;
                self.start += wrong;
                self.refused += wrong as u64;
            },
        }
    }

    fn take(&mut self, most: usize) -> Option<Vec<u8>> {
        let waiting = self.bytes.get(self.start..)?;
        let piece = waiting.get(..most).unwrap_or(waiting);
        if piece.is_empty() {
            return None;
        }
        let piece = piece.to_vec();
        self.start += piece.len();
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(typed: &mut Typed, carriage: Carriage, most: usize) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| typed.next(carriage, most)).collect()
    }

    #[test]
    fn characters_stay_whole() {
        let mut typed = Typed::default();
        typed.push("ab中文".as_bytes());
        let pieces = all(&mut typed, Carriage::Text, 4);
        assert_eq!(pieces, [b"ab".to_vec(), "中".into(), "文".into()]);
        // The begin of a character waits; what can't be one is left out and counted.
        typed.push(&[0xe4, 0xb8]);
        assert_eq!((typed.next(Carriage::Text, 1000), typed.len()), (None, 2));
        typed.push(&[0xad, b'x', 0xff, b'y']);
        let pieces = all(&mut typed, Carriage::Text, 1000);
        assert_eq!(pieces, ["中x".as_bytes().to_vec(), b"y".to_vec()]);
        assert_eq!((typed.take_refused(), typed.len()), (1, 0));
    }

    #[test]
    fn bytes_go_as_they_are() {
        let mut typed = Typed::default();
        typed.push(&[0xff; 10]);
        assert_eq!(all(&mut typed, Carriage::Bytes, 4).concat(), [0xff; 10]);
        assert!(typed.next(Carriage::Bytes, 4).is_none());
        typed.push(b"abc");
        assert_eq!((typed.clear(), typed.len()), (3, 0));
    }

    proptest! {
        #[test]
        fn what_goes_out_is_what_came_in(text in ".{0,200}", cuts in prop::collection::vec(0usize..9, 0..99), most in 4usize..40) {
            let mut typed = Typed::default();
            let mut rest = text.as_bytes();
            let mut sent = Vec::new();
            for cut in cuts {
                let (head, tail) = rest.split_at(cut.min(rest.len()));
                typed.push(head);
                rest = tail;
                for piece in all(&mut typed, Carriage::Text, most) {
                    prop_assert!(!piece.is_empty() && piece.len() <= most);
                    prop_assert!(std::str::from_utf8(&piece).is_ok());
                    sent.extend(piece);
                }
            }
            typed.push(rest);
            sent.extend(all(&mut typed, Carriage::Text, most).concat());
            prop_assert_eq!(sent, text.as_bytes());
            prop_assert_eq!(typed.take_refused(), 0);
        }
    }
}
