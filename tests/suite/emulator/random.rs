//! Random bytes, random sequences, random sizes.

use deckwatch::term::{Screen, Size};
use proptest::prelude::*;

use super::{picture, rows, screen};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn random_bytes_and_sizes_leave_a_safe_screen(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), 0_u16..40, 0_u16..20), 1..20),
    ) {
        let mut screen = screen(20, 5);
        for (bytes, columns, rows) in pieces {
            let told = screen.advance(&bytes);
            prop_assert!(!told.failed && told.replies.len() <= 4096);
            let told = screen.resize(Size::new(columns, rows));
            prop_assert!(!told.failed);
            safe(&screen)?;
        }
    }

    #[test]
    fn random_sequences_and_sizes_leave_a_safe_screen(
        pieces in prop::collection::vec((sequences(), 0_u16..40, 0_u16..20), 1..20),
    ) {
        let mut screen = screen(20, 5);
        for (text, columns, rows) in pieces {
            let told = screen.advance(text.as_bytes());
            prop_assert!(!told.failed, "{:?}", text);
            let told = screen.resize(Size::new(columns, rows));
            prop_assert!(!told.failed);
            safe(&screen)?;
        }
    }

    #[test]
    fn every_split_gives_the_same_screen(text in sequences(), cuts in prop::collection::vec(0_usize..400, 0..6)) {
        let bytes = text.as_bytes();
        let mut whole = screen(20, 5);
        whole.advance(bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let mut split = screen(20, 5);
        for pair in cuts.windows(2) {
            split.advance(&bytes[pair[0]..pair[1]]);
        }
        prop_assert_eq!(rows(&whole), rows(&split));
        prop_assert_eq!(whole.cursor(), split.cursor());
        prop_assert_eq!(whole.modes(), split.modes());
        prop_assert_eq!((whole.first_row(), whole.top_row()), (split.first_row(), split.top_row()));
    }
}

/// Sequences that exist, with numbers that need not make sense, between pieces of text.
fn sequences() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just(String::new()),
        (0_u32..30).prop_map(|n| n.to_string()),
        Just("65535".into())
    ];
    let csi = (
        prop::sample::select(vec!["", "?", ">", "<", "=", "!"]),
        number.clone(),
        number,
        prop::sample::select(
            "@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstu"
                .chars()
                .collect::<Vec<_>>(),
        ),
    )
        .prop_map(|(mark, a, b, action)| format!("\x1b[{mark}{a};{b}{action}"));
    let mode = (
        prop::sample::select(vec![1, 3, 6, 7, 25, 47, 1000, 1047, 1048, 1049, 2004, 2026]),
        prop::bool::ANY,
    )
        .prop_map(|(mode, on)| format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }));
    let other = prop::sample::select(vec![
        "\x1b7",
        "\x1b8",
        "\x1bM",
        "\x1bD",
        "\x1bE",
        "\x1bH",
        "\x1bc",
        "\x1b#8",
        "\x1b(0",
        "\x1b(B",
        "\x0e",
        "\x0f",
        "\r\n",
        "\n",
        "\t",
        "\x08",
        "字",
        "e\u{301}",
        "\u{1f468}\u{200d}\u{1f469}",
        "\x1b]2;t\x07",
        "\x1b[4h",
        "\x1b[4l",
        "text",
        "字字字字字字字字字字字字",
        "a long line of text that wraps",
    ])
    .prop_map(String::from);
    prop::collection::vec(prop_oneof![2 => csi, 1 => mode, 4 => other], 0..30)
        .prop_map(|all| all.concat())
}

fn safe(screen: &Screen) -> Result<(), TestCaseError> {
    picture::check(screen).map_err(TestCaseError::fail)?;
    if let Some(cursor) = screen.cursor() {
        prop_assert!(cursor.line < screen.size().rows() && cursor.column < screen.size().columns());
    }
    Ok(())
}
