//! What ill shell servers put on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dialect::Dialect;
use super::switches::ShellIll;
use crate::demo::wire::{self, Op};

const HUGE: usize = 64 << 20;
const TITLES: u32 = 100_000;

/// The bytes of an illness.
pub(super) fn bytes(ill: ShellIll, dialect: Dialect) -> Vec<u8> {
    let mut out = Vec::new();
    match ill {
        ShellIll::BadBase64 if dialect.is_binary() => {
            dialect.message(&mut out, b'9', b"what", None);
        }
        ShellIll::BadBase64 => dialect.message(&mut out, dialect.output, b"YWJj=ZGVm!\n", None),
        ShellIll::Foreign => {
            let kind = if dialect.is_v2() { b"0" } else { b"1" };
            let body = STANDARD.encode("foreign\r\n");
            wire::message(&mut out, Op::Text, &[kind, body.as_bytes()].concat(), None);
        }
        ShellIll::Huge => {
            let mut body = vec![b'A'; HUGE];
            if let Some(first) = body.first_mut() {
                *first = dialect.output;
            }
            wire::frame(&mut out, true, Op::Text, &body);
        }
        ShellIll::TitleFlood => {
            for number in 0..TITLES {
                let title = format!("title {number}");
                dialect.message(&mut out, dialect.title, title.as_bytes(), None);
            }
        }
        ShellIll::OpenEscape => dialect.output(&mut out, b"\x1b]0;a title without end", None),
        ShellIll::Empty => wire::frame(&mut out, true, Op::Text, b""),
    }
    out
}
