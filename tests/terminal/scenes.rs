//! What a user sees, key by key.

use std::time::{Duration, Instant};

use rustix::fs::{self, FileType, Mode, OFlags};

use super::shop::Shop;
use super::tmux::{BIN, Tmux};

/// One pane on a component, live.
fn opened(shop: &Shop, cols: u16, rows: u16) -> Tmux {
    let tmux = Tmux::deckwatch(cols, rows, &shop.target("order"));
    tmux.see(" live");
    tmux
}

#[test]
fn it_opens_and_shows_the_lines_of_each_target() {
    let shop = Shop::open();
    let targets: Vec<String> = ["order", "web", "pay"].map(|name| shop.target(name)).into();
    let tmux = Tmux::deckwatch(120, 30, &targets.join(" "));
    tmux.wait("three live panes", |screen| {
        screen.matches("live  ").count() >= 3 && !screen.contains("conn")
    });
    for name in ["order", "web", "pay"] {
        shop.say(name, &format!("订单 from {name}"));
    }
    for name in ["order", "web", "pay"] {
        tmux.see(&format!("订单 from {name}"));
    }
    tmux.keys("M");
    let merged = tmux.see("3 targets");
    assert!(
        merged.contains("from web") && merged.contains("from pay"),
        "{merged}"
    );
    tmux.keys("q");
    assert_eq!(tmux.status(), "0");
}

#[test]
fn the_demo_needs_no_server() {
    let tmux = Tmux::deckwatch(160, 48, "demo --rate 5");
    tmux.wait("six panes", |screen| {
        (1..=6).all(|number| screen.contains(&format!(" {number} ")))
            && screen.matches(" live").count() >= 5
    });
    tmux.keys("?");
    tmux.see("one line down");
    tmux.keys("Escape");
    tmux.gone("one line down");
    tmux.keys("q");
    assert_eq!(tmux.status(), "0");
}

#[test]
fn scrolling_up_holds_while_lines_come_and_g_follows() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 12);
    shop.count("order", 30);
    tmux.see("line 0030");
    tmux.keys("k");
    let held = tmux.see("held");
    shop.say("order", "news");
    tmux.see("31 shown");
    let still = tmux.screen();
    assert_eq!(held.lines().nth(1), still.lines().nth(1));
    assert!(!still.contains("news"), "{still}");
    tmux.keys("G");
    tmux.see("news");
}

#[test]
fn pause_counts_what_comes() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 12);
    shop.count("order", 3);
    tmux.see("line 0003");
    tmux.keys("p");
    tmux.see("paused +0");
    shop.count("order", 12);
    let paused = tmux.see("paused +12");
    assert!(!paused.contains("line 0012"), "{paused}");
    tmux.keys("p");
    tmux.see("line 0012");
}

#[test]
fn a_search_is_highlighted_counted_and_walked() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 16);
    for line in [
        "first bank",
        "nothing",
        "second bank",
        "nothing",
        "third bank",
    ] {
        shop.say("order", line);
    }
    tmux.see("third bank");
    tmux.keys("/");
    tmux.type_in("bank");
    tmux.keys("Enter");
    tmux.see("/bank 3/3");
    tmux.keys("n");
    tmux.see("/bank 1/3");
    tmux.keys("N N");
    tmux.see("/bank 2/3");
    let colors = tmux.colors();
    assert!(colors.contains("48;2;230;180;80mbank"), "{colors:?}");
    assert!(colors.contains("48;2;255;158;59mbank"), "{colors:?}");
}

#[test]
fn layers_fold_and_the_line_stays() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 20);
    for number in 0..10 {
        shop.say("order", &format!("good {number}"));
        shop.say("order", &format!("bad {number}"));
    }
    tmux.see("20 shown");
    tmux.keys("k");
    tmux.keys("&");
    tmux.type_in("good");
    tmux.keys("Enter");
    tmux.gone("bad 5");
    tmux.keys("&");
    tmux.type_in("!good 3");
    tmux.keys("Enter");
    let folded = tmux.see("9 shown · 11 filtered");
    let row = |screen: &str| screen.lines().position(|line| line.contains("good 9"));
    tmux.keys("x");
    let open = tmux.see("bad 5");
    assert_eq!(row(&folded), row(&open));
    tmux.keys("x");
    tmux.gone("bad 5");
}

#[test]
fn levels_are_filtered_and_errors_are_walked() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 14);
    for line in [
        "ERROR one",
        "INFO two",
        "WARN three",
        "ERROR four",
        "INFO five",
    ] {
        shop.say("order", line);
    }
    tmux.see("five");
    tmux.keys("V V");
    tmux.gone("two");
    tmux.keys("V");
    tmux.gone("three");
    tmux.keys("V");
    tmux.see("three");
    tmux.keys("E E Enter");
    let record = tmux.see("level     error");
    assert!(record.contains("ERROR one"), "{record}");
}

#[test]
fn lines_wrap_and_scroll_sideways_with_stamps_and_json() {
    let shop = Shop::open();
    let tmux = opened(&shop, 40, 16);
    shop.say("order", &format!("start {} finish", "-".repeat(40)));
    shop.say("order", "{\"level\":\"warn\",\"name\":\"张三\"}");
    let cut = tmux.see("start");
    assert!(!cut.contains("finish"), "{cut}");
    tmux.keys("w");
    tmux.see("finish");
    tmux.keys("w k $");
    tmux.see("finish");
    tmux.keys("^ P");
    tmux.see("\"name\": \"张三\"");
    let stamped = |screen: &str| {
        screen
            .lines()
            .any(|line| line.matches(':').count() >= 2 && line.contains("start"))
    };
    tmux.keys("t");
    tmux.wait("a time", stamped);
    tmux.keys("j Enter");
    tmux.see("张三");
    tmux.keys("k");
    tmux.see("Text");
}

#[test]
fn panes_are_opened_split_sized_zoomed_and_closed() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 24);
    tmux.keys("o");
    tmux.type_in(shop.target("web").trim_matches('\''));
    tmux.keys("Enter");
    tmux.see(" 2 web");
    shop.say("web", "from the web");
    tmux.see("from the web");
    tmux.keys("C-w s");
    tmux.see(" 3 web");
    let column = |screen: &str| screen.lines().next().and_then(|line| line.find(" 2 "));
    let before = column(&tmux.screen());
    tmux.keys("C-w <");
    tmux.wait("a narrower pane", |screen| column(screen) > before);
    tmux.keys("C-w =");
    tmux.wait("equal panes", |screen| column(screen) == before);
    tmux.keys("f");
    tmux.see("3/3 web");
    tmux.keys("f C-w c");
    tmux.gone(" 3 web");
    tmux.keys("C-w o");
    let alone = tmux.gone("order");
    assert!(alone.contains(" 1 web"), "{alone}");
}

#[test]
fn copies_reach_the_clipboard_or_a_file() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 12);
    shop.say("order", "\u{1b}[31mfirst\u{1b}[0m 订单");
    shop.say("order", "second");
    tmux.see("second");
    tmux.keys("v k y");
    tmux.see("copied 2 lines");
    tmux.wait("the copy", |_| {
        tmux.ask(&["list-buffers"]).contains("bytes")
            && tmux.ask(&["show-buffer"]) == "first 订单\nsecond\n"
    });
    for _ in 0..30 {
        shop.say("order", &"long ".repeat(800));
    }
    tmux.see("32 shown");
    tmux.keys("G v g y");
    tmux.see("too long for the terminal");
    let copied = std::fs::read_dir(tmux.dir.path())
        .unwrap()
        .find_map(|entry| {
            let path = entry.unwrap().path();
            path.to_str()?.contains("deckwatch-copy").then_some(path)
        });
    let text = std::fs::read_to_string(copied.unwrap()).unwrap();
    assert_eq!((text.lines().count(), text.contains('\u{1b}')), (32, false));
}

#[test]
fn a_pane_is_saved_to_a_new_file() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 12);
    shop.count("order", 5);
    tmux.see("line 0005");
    let path = tmux.dir.path().join("saved.log");
    for words in ["5 lines saved to", "it exists already"] {
        tmux.keys("C-s C-u");
        tmux.type_in(path.to_str().unwrap());
        tmux.keys("Enter");
        tmux.see(words);
    }
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), 5);
    assert!(
        text.lines()
            .all(|line| line.contains(" 5f2a9c01d7e4 line 000")),
        "{text}"
    );
}

#[test]
fn themes_change_and_unknown_ones_are_named() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 12);
    tmux.keys(":");
    tmux.type_in("theme light");
    tmux.keys("Enter");
    tmux.see("theme light");
    assert!(
        tmux.colors().contains("48;2;31;111;181"),
        "the title's blue"
    );
    tmux.keys(":");
    tmux.type_in("theme nowhere");
    tmux.keys("Enter");
    tmux.see("there is none of that name");
}

#[test]
fn the_mouse_scrolls_and_focuses_when_it_is_on() {
    let shop = Shop::open();
    let targets = [shop.target("order"), shop.target("web")].join(" ");
    let tmux = Tmux::deckwatch(80, 12, &format!("--mouse {targets}"));
    tmux.wait("two live panes", |screen| {
        screen.matches("live  ").count() >= 2 && !screen.contains("conn")
    });
    shop.count("order", 30);
    tmux.see("line 0030");
    let on = tmux.ask(&[
        "display-message",
        "-p",
        "#{mouse_button_flag}#{mouse_sgr_flag}",
    ]);
    assert_eq!(on.trim(), "11");
    tmux.type_in("\u{1b}[<64;10;5M");
    tmux.see("held");
    tmux.type_in("\u{1b}[<0;60;5M\u{1b}[<0;60;5m");
    tmux.keys("f");
    tmux.see("2/2 web");
}

#[test]
fn a_storm_of_resizes_ends_in_the_last_size() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 30);
    shop.count("order", 50);
    tmux.see("line 0050");
    for round in 0..30u16 {
        let (cols, rows) = (
            (20 + round * 37 % 150).to_string(),
            (2 + round * 13 % 50).to_string(),
        );
        tmux.ask(&["resize-window", "-x", &cols, "-y", &rows]);
    }
    tmux.ask(&["resize-window", "-x", "90", "-y", "20"]);
    tmux.wait("the last size", |screen| {
        let rows: Vec<&str> = screen.lines().collect();
        rows.len() == 20
            && rows[0].starts_with(" 1 order")
            && rows[17].contains("line 0050")
            && rows[18].starts_with(" live")
            && rows[19].starts_with(" ? help")
    });
}

#[test]
fn a_lost_server_is_told_in_words_and_comes_back() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 14);
    shop.say("order", "before");
    tmux.see("before");
    shop.restart(Duration::from_secs(3));
    tmux.keys("R");
    tmux.see("reconnected after");
    tmux.see(" live");
    shop.say("order", "after it");
    tmux.see("after it");
}

#[test]
fn an_unreachable_target_tells_why_and_the_others_go_on() {
    let shop = Shop::open();
    let tmux = Tmux::deckwatch(
        120,
        14,
        &format!("'ws://127.0.0.1:1/docker_log#x' {}", shop.target("order")),
    );
    tmux.see("refused");
    tmux.see(" live");
    shop.say("order", "still here");
    tmux.see("still here");
}

#[test]
fn piped_lines_are_read_with_keys_from_the_terminal() {
    let tmux = Tmux::run(80, 12, &format!("printf 'one\\ntwo\\nthree\\n' | {BIN} -"));
    tmux.see("three");
    tmux.see("ended");
    tmux.keys("/");
    tmux.type_in("two");
    tmux.keys("Enter");
    tmux.see("/two 1/1");
    tmux.keys("q");
    assert_eq!(tmux.status(), "0");
}

#[test]
fn a_wrong_theme_file_is_one_line_and_code_2() {
    let tmux = Tmux::run(
        200,
        12,
        &format!(
            "echo; echo 'name = 3' >\"$TMPDIR\"/x.toml; {BIN} demo --theme \"$TMPDIR\"/x.toml"
        ),
    );
    assert_eq!(tmux.status(), "2");
    let screen = tmux.screen();
    let told: Vec<&str> = screen
        .lines()
        .filter(|line| line.contains("x.toml"))
        .collect();
    assert!(
        told.len() == 1 && told[0].starts_with("deckwatch: theme "),
        "{screen}"
    );
}

#[test]
fn no_color_means_none() {
    let shop = Shop::open();
    let tmux = Tmux::run(
        80,
        12,
        &format!("NO_COLOR=1 exec {BIN} {}", shop.target("order")),
    );
    tmux.see(" live");
    shop.say("order", "\u{1b}[31mred\u{1b}[0m ERROR");
    tmux.see("red ERROR");
    tmux.keys("/");
    tmux.type_in("red");
    tmux.keys("Enter");
    tmux.see("/red 1/1");
    let screen = tmux.colors();
    for part in screen.split("\u{1b}[").skip(1) {
        let sgr = part.split('m').next().unwrap();
        for code in sgr.split(';').filter(|code| !code.is_empty()) {
            let code: u8 = code.parse().unwrap();
            assert!(
                !(30..=38).contains(&code) && !(40..=48).contains(&code) && code < 90,
                "{sgr}"
            );
        }
    }
}

/// Some terminals count a mouse at their edge from 0, where 1 is the first.
#[test]
fn a_mouse_beyond_the_edge_ends_nothing() {
    let shop = Shop::open();
    let tmux = Tmux::deckwatch(80, 12, &format!("--mouse {}", shop.target("order")));
    tmux.see(" live");
    for report in ["\x1b[<0;0;0M", "\x1b[<64;0;5M", "\x1b[<0;0;0m"] {
        tmux.type_in(report);
    }
    tmux.keys("?");
    tmux.see("one line down");
    tmux.keys("Escape q");
    assert_eq!(tmux.status(), "0");
}

/// The interface looks at its files now and then; a disk that does not answer is like a pipe.
#[test]
fn a_configuration_that_does_not_come_holds_up_nothing() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 12);
    let place = tmux.dir.path().join("deckwatch");
    std::fs::create_dir_all(&place).unwrap();
    let keys = place.join("keys.toml");
    fs::mknodat(fs::CWD, &keys, FileType::Fifo, Mode::RWXU, 0).unwrap();
    // It opens once someone reads.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    let start = Instant::now();
    let _writer = loop {
        match fs::open(&keys, flags, Mode::empty()) {
            Ok(writer) => break writer,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(40));
    };
    shop.say("order", "after that");
    tmux.see("after that");
    tmux.keys("q");
    assert_eq!(tmux.status(), "0");
}
