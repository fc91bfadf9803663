//! Four kinds of output (performance.md 3).

use std::fmt::Write;

use crate::ROWS;

/// A kind of output: its name, its maker, gate and goal of row 12.
pub(crate) type Kind = (&'static str, fn(usize, &mut String), f64, f64);

/// All of them.
pub(crate) const KINDS: [Kind; 4] = [
    ("plain", plain, 1.5, 2.0),
    ("SGR", sgr, 3.0, 5.0),
    ("redraw", redraw, 3.0, 4.5),
    ("CJK", cjk, 4.0, 8.0),
];

/// At least so many bytes of a kind.
pub(crate) fn corpus(make: fn(usize, &mut String), bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 64 * 1024);
    let mut number = 0;
    while text.len() < bytes {
        make(number, &mut text);
        number += 1;
    }
    text
}

/// Lines of a log.
fn plain(number: usize, out: &mut String) {
    let ms = number % 997;
    writeln!(out, "2026-11-24T14:03:{:02}.{ms:03}Z INFO gateway GET /api/v1/orders/{number} 200 {ms}ms 10.1.{}.{}\r", number % 60, number % 250, number % 99).unwrap();
}

/// A colour or more for each word.
fn sgr(number: usize, out: &mut String) {
    for word in 0..12 {
        let n = (number * 7 + word * 13) % 256;
        write!(
            out,
            "\x1b[38;5;{n}mab{word}\x1b[1;48;2;{n};{};9mcd\x1b[0m ",
            255 - n
        )
        .unwrap();
    }
    out.push_str("\r\n");
}

/// A full-screen program that draws everything anew.
fn redraw(number: usize, out: &mut String) {
    out.push_str("\x1b[H");
    for row in 1..=ROWS {
        let n = (number + usize::from(row)) % 8;
        write!(
            out,
            "\x1b[{row};1H\x1b[3{n}m{:>5} root \x1b[7m{:<60}\x1b[27m {:>8}\x1b[K",
            number + usize::from(row),
            "/usr/bin/program --with arguments",
            number
        )
        .unwrap();
    }
}

/// Ideographs, kana and emoji.
fn cjk(number: usize, out: &mut String) {
    writeln!(out, "订单 {number} 已支付，金额 ¥128.50，用户 张三 ありがとうございます 👍🚀 配送状态：已发货，预计三日内送达。\r").unwrap();
}
