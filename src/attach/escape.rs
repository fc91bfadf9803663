//! `~.` at the start of a line disconnects, as with ssh: the one thing that the user can say to
//! us and not to the container. `~~` sends a tilde.

/// What the bytes that were typed mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Send these.
    Send(Vec<u8>),
    /// Send these, then go.
    Leave(Vec<u8>),
}

/// Looks for the escape in what is typed.
#[derive(Debug)]
pub(super) struct Escape {
    on: bool,
    /// The next byte is the first of a line.
    fresh: bool,
    /// A tilde is held back.
    tilde: bool,
}

impl Escape {
    /// The watcher; off it lets everything pass.
    pub(super) fn new(on: bool) -> Self {
        Self {
            on,
            fresh: true,
            tilde: false,
        }
    }

    /// Takes what was typed.
    pub(super) fn take(&mut self, typed: &[u8]) -> Typed {
        if !self.on {
            return Typed::Send(typed.to_vec());
        }
        let mut out = Vec::with_capacity(typed.len() + 1);
        for byte in typed {
            let held = std::mem::take(&mut self.tilde);
            match byte {
                b'.' if held => return Typed::Leave(out),
                b'~' if held => out.push(b'~'),
                b'~' if self.fresh => self.tilde = true,
                byte => {
                    if held {
                        out.push(b'~');
                    }
                    out.push(*byte);
                }
            }
            self.fresh = matches!(byte, b'\r' | b'\n');
        }
        Typed::Send(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_at_the_start_of_a_line_and_split_anywhere() {
        for (typed, sent, leaves) in [
            (&b"~."[..], &b""[..], true),
            (b"ls\r~.x", b"ls\r", true),
            (b"ls\n~.", b"ls\n", true),
            (b"cd ~.\r", b"cd ~.\r", false),
            (b"~~.", b"~.", false),
            (b"~a~.", b"~a~.", false),
            (b"\r~/bin\r", b"\r~/bin\r", false),
            (b"~\r~.", b"~\r", true),
        ] {
            let mut escape = Escape::new(true);
            let mut out = Vec::new();
            let mut left = false;
            for byte in typed {
                match escape.take(&[*byte]) {
                    Typed::Send(bytes) => out.extend(bytes),
                    Typed::Leave(bytes) => {
                        out.extend(bytes);
                        left = true;
                        break;
                    }
                }
            }
            assert_eq!((out.as_slice(), left), (sent, leaves), "{typed:?}");
            let whole = match Escape::new(true).take(typed) {
                Typed::Send(bytes) => (bytes, false),
                Typed::Leave(bytes) => (bytes, true),
            };
            assert_eq!(whole, (sent.to_vec(), leaves));
        }
        let all = Typed::Send(b"~.".to_vec());
        assert_eq!(Escape::new(false).take(b"~."), all);
    }
}
