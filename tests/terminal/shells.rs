//! Shells in the interface and beside it, with real programs in them.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::shop::Shop;
use super::tmux::{BIN, Tmux};

/// A shell in the interface, at its prompt.
fn opened(shop: &Shop, cols: u16, rows: u16) -> Tmux {
    let tmux = Tmux::deckwatch(cols, rows, &shop.shell(0));
    tmux.see("pod$");
    tmux.see("Ctrl-] prefix");
    tmux
}

/// Types a line into the shell.
fn line(tmux: &Tmux, text: &str) {
    tmux.type_in(text);
    tmux.keys("Enter");
}

/// Waits until a shell has been typed something.
fn typed(shop: &Shop, what: &str, seen: impl Fn(&[String]) -> bool) -> Vec<String> {
    let start = Instant::now();
    loop {
        let typed = shop.typed();
        if seen(&typed) {
            return typed;
        }
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{what}: {typed:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the container's terminal has this size.
fn sized(shop: &Shop, size: (u16, u16)) {
    let start = Instant::now();
    while shop.size() != size {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{:?}",
            shop.size()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn needs(program: &str) {
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .unwrap();
    assert!(
        found.status.success(),
        "this test needs {program}; install it: apt-get install {program}"
    );
}

#[test]
fn a_shell_is_typed_into_beside_the_logs_and_has_the_size_of_its_pane() {
    let shop = Shop::open();
    let targets = format!("{} {}", shop.target("order"), shop.shell(0));
    let tmux = Tmux::deckwatch(120, 30, &targets);
    tmux.see("pod$");
    tmux.keys("2");
    line(&tmux, "stty size; echo 中文 🚀 $((6*7))");
    tmux.see("中文 🚀 42");
    let shown = tmux.see("60x27 ·");
    assert!(shown.contains("27 60"), "{shown}");
    shop.say("order", "a line beside it");
    tmux.see("a line beside it");
    tmux.keys("C-] z");
    tmux.see("120x27 ·");
    sized(&shop, (120, 27));
    line(&tmux, "stty size");
    tmux.see("27 120");
    tmux.ask(&["resize-window", "-x", "100", "-y", "24"]);
    tmux.see("100x21 ·");
    sized(&shop, (100, 21));
    line(&tmux, "stty size");
    tmux.see("21 100");
}

#[test]
fn a_shell_has_the_size_of_its_pane_after_a_stop_too() {
    let shop = Shop::open();
    let tmux = Tmux::run(120, 30, "PS1='ready> ' exec bash --norc --noprofile -i");
    tmux.see("ready>");
    let targets = format!("{} {}", shop.target("order"), shop.shell(0));
    line(&tmux, &format!("{BIN} {targets}"));
    tmux.see("pod$");
    sized(&shop, (60, 27));
    tmux.keys("C-z");
    tmux.see("Stopped");
    tmux.ask(&["resize-window", "-x", "100", "-y", "24"]);
    line(&tmux, "fg");
    sized(&shop, (50, 21));
}

#[test]
fn keys_reach_the_program_as_a_terminal_sends_them() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 24);
    line(
        &tmux,
        "clear; stty raw -echo; echo set; exec od -An -tx1 -v -w64",
    );
    tmux.see("set");
    // Each ends with od's line only when enough came, so that they go together.
    for (keys, bytes) in [
        ("Up", "1b 5b 41"),
        ("F5", "1b 5b 31 35 7e"),
        ("C-c", "03"),
        ("M-x", "1b 78"),
        ("S-Right", "1b 5b 31 3b 32 43"),
        ("BSpace", "7f"),
        ("BTab", "1b 5b 5a"),
        ("C-z", "1a"),
        ("q", "71"),
        ("Escape", "1b"),
    ] {
        tmux.keys(keys);
        let wanted: Vec<u8> = bytes
            .split(' ')
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        let wanted = String::from_utf8_lossy(&wanted).into_owned();
        typed(&shop, keys, |all| all[0].ends_with(&wanted));
    }
    tmux.type_in("订");
    typed(&shop, "订", |all| all[0].ends_with('订'));
    tmux.keys("C-] C-]");
    typed(&shop, "the prefix itself", |all| all[0].ends_with('\x1d'));
}

#[test]
fn vim_is_at_home_in_a_tab() {
    needs("vim");
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 30);
    let file = tmux.dir.path().join("text");
    line(
        &tmux,
        &format!("vim -u NONE -N -c 'set mouse=a' {}", file.display()),
    );
    tmux.see("[New");
    tmux.type_in("ihello 中文");
    tmux.keys("Escape");
    tmux.type_in(":split");
    tmux.keys("Enter");
    tmux.type_in(":w");
    tmux.keys("Enter");
    tmux.see("written");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hello 中文\n");
    let split = tmux.screen();
    assert_eq!(split.matches("hello 中文").count(), 2, "{split}");
    tmux.type_in(":qa");
    tmux.keys("Enter");
    // The main screen is back.
    tmux.see("vim -u NONE");
    tmux.gone("hello 中文");
}

#[test]
fn less_and_top_draw_what_they_draw_elsewhere() {
    needs("less");
    needs("htop");
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 30);
    line(&tmux, "seq 1 500 | less");
    tmux.see("\n:");
    tmux.keys("G");
    tmux.see("500");
    tmux.keys("q");
    tmux.see("less\n");
    line(&tmux, "HTOPRC=/dev/null htop -C");
    tmux.see("F10Quit");
    tmux.keys("F10");
    tmux.gone("F10Quit");
    line(&tmux, "echo back-$((6*7))");
    tmux.see("back-42");
}

#[test]
fn the_history_is_looked_through_searched_and_copied() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 24);
    line(&tmux, "seq -f 'row %g' 1 300");
    tmux.see("row 300");
    tmux.keys("C-] [");
    tmux.see("back to the shell");
    tmux.keys("g");
    tmux.see("row 1\n");
    tmux.keys("G");
    tmux.see("row 300");
    tmux.keys("/");
    tmux.type_in("row 15$");
    tmux.keys("Enter");
    // Not of the prompt: that too shows the words, before their `$` is typed.
    let found = tmux.see("history -");
    assert!(found.contains("row 15\n"), "{found}");
    // What comes meanwhile does not move the view.
    tmux.keys("V j j y");
    tmux.see("bytes copied");
    let copied = tmux.ask(&["show-buffer"]);
    assert_eq!(copied, "row 15\nrow 16\nrow 17");
    // Pasting it back asks first, and only y is a yes.
    tmux.keys("C-] ]");
    tmux.see("paste 3 lines");
    tmux.keys("Enter x n");
    tmux.gone("paste 3 lines");
    tmux.keys("C-] ] y");
    tmux.see("pod$ row 15");
}

#[test]
fn a_paste_of_one_line_goes_in_and_one_of_several_asks() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 24);
    let file = tmux.dir.path().join("paste");
    let paste = |text: &str| {
        fs::write(&file, text).unwrap();
        tmux.ask(&["load-buffer", file.to_str().unwrap()]);
        tmux.ask(&["paste-buffer", "-p"]);
    };
    paste("echo one-$((6*7))");
    tmux.see("echo one-$((6*7))");
    tmux.keys("Enter");
    tmux.see("one-42");
    paste("echo two\necho three\n");
    tmux.see("paste 2 lines");
    tmux.keys("n");
    tmux.gone("y yes");
    assert!(!tmux.screen().contains("three"));
    paste("echo two\necho three\n");
    tmux.see("paste 2 lines");
    tmux.keys("y");
    tmux.see("echo two\necho three");
}

#[test]
fn a_shell_is_left_running_and_come_back_to() {
    let shop = Shop::open();
    let targets = format!("{} {}", shop.target("order"), shop.shell(0));
    let tmux = Tmux::deckwatch(100, 30, &targets);
    tmux.see("pod$");
    tmux.keys("2");
    line(
        &tmux,
        "n=0; while sleep 0.1; do n=$((n+1)); echo tick $n; done",
    );
    tmux.see("tick 2");
    tmux.keys("C-] d");
    tmux.see("it runs on");
    tmux.gone("tick");
    tmux.keys("2");
    tmux.see("tick 9");
    tmux.keys("C-c");
    line(&tmux, "echo done-$((6*7))");
    tmux.see("done-42");
    tmux.keys("C-] x");
    tmux.see("close the shell of pod-0?");
    tmux.keys("y");
    tmux.gone("done-42");
    tmux.keys("q");
    assert_eq!(tmux.status(), "0");
}

#[test]
fn several_shells_are_typed_into_only_after_their_list_was_confirmed() {
    let shop = Shop::open();
    let targets = format!("{} {} {}", shop.shell(0), shop.shell(1), shop.shell(2));
    let tmux = Tmux::deckwatch(150, 30, &targets);
    tmux.wait("three prompts", |screen| {
        screen.matches("pod$").count() >= 3
    });
    line(&tmux, "one");
    typed(&shop, "one shell", |all| {
        all.iter().filter(|text| text.contains("one")).count() == 1
    });
    tmux.keys("C-] b");
    let asked = tmux.see("type into these 3 shells at once?");
    for pod in ["pod-0", "pod-1", "pod-2"] {
        assert!(asked.contains(&format!("svc/{pod}")), "{asked}");
    }
    tmux.keys("n");
    line(&tmux, "two");
    typed(&shop, "still one", |all| {
        all.iter().filter(|text| text.contains("two")).count() == 1
    });
    tmux.keys("C-] b");
    tmux.see("type into these 3 shells at once?");
    tmux.keys("y");
    tmux.see("typed into 3 at once");
    line(&tmux, "all");
    typed(&shop, "all three", |all| {
        all.iter().all(|text| text.contains("all\r"))
    });
    tmux.keys("C-] b");
    tmux.gone("at once");
    line(&tmux, "four");
    typed(&shop, "one again", |all| {
        all.iter().filter(|text| text.contains("four")).count() == 1
    });
}

#[test]
fn a_lost_shell_keeps_its_screen_and_a_new_one_is_said_to_be_new() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 24);
    line(&tmux, "echo before-$((6*7))");
    tmux.see("before-42");
    shop.restart(Duration::from_millis(100));
    let lost = tmux.see("Enter: a new shell");
    assert!(lost.contains("before-42"), "{lost}");
    tmux.type_in("rm -rf /");
    tmux.see("this shell is over");
    tmux.keys("Enter");
    let fresh = tmux.see("new shell: what was typed before did not reach it");
    assert!(fresh.contains("before-42"), "{fresh}");
    tmux.see("shell no. 2");
    line(&tmux, "echo after-$((6*7))");
    tmux.see("after-42");
    let typed = shop.typed();
    assert_eq!(typed.len(), 2);
    assert!(!typed[1].contains("rm"), "{typed:?}");
}

#[test]
fn read_only_lets_nothing_through() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 24);
    tmux.keys("C-] w");
    tmux.see("read-only");
    line(&tmux, "echo never");
    tmux.see("this shell is read-only here");
    tmux.keys("C-] w");
    line(&tmux, "echo now-$((6*7))");
    tmux.see("now-42");
    assert!(!shop.typed()[0].contains("never"));
}

#[test]
fn the_clipboard_is_asked_for_once_and_titles_can_not_harm() {
    let shop = Shop::open();
    let tmux = opened(&shop, 100, 24);
    tmux.ask(&["set-buffer", "mine"]);
    line(
        &tmux,
        r"printf '\033]52;c;c3RvbGVu\a\033]0;evil\033[2Jtitle\a'",
    );
    tmux.see("wants to set the clipboard");
    assert_eq!(tmux.ask(&["show-buffer"]), "mine");
    tmux.see("clipboard?");
    tmux.keys("C-] y");
    let asked = tmux.see("set the clipboard to this");
    assert!(asked.contains("stolen"), "{asked}");
    tmux.keys("y");
    tmux.wait("the copy", |_| tmux.ask(&["show-buffer"]) == "stolen");
    line(&tmux, r"printf '\033]52;c;YWdhaW4=\a'");
    tmux.wait("the next copy", |_| tmux.ask(&["show-buffer"]) == "again");
}

#[test]
fn a_recording_is_made_in_a_tab_and_played_again() {
    let shop = Shop::open();
    let tmux = opened(&shop, 80, 24);
    let cast = tmux.dir.path().join("a.cast");
    tmux.keys("C-] R C-u");
    tmux.type_in(cast.to_str().unwrap());
    tmux.keys("Enter");
    tmux.see("REC");
    line(&tmux, "echo played-$((6*7))");
    tmux.see("played-42");
    tmux.keys("C-] R");
    tmux.see("deckwatch replay");
    tmux.gone("REC");
    // What comes later is not in it.
    line(&tmux, "echo later-$((6*7))");
    tmux.see("later-42");
    let replay = Tmux::deckwatch(100, 30, &format!("replay --speed 20x {}", cast.display()));
    replay.see("played-42");
    let over = replay.see("the recording is over");
    assert!(!over.contains("later-42"), "{over}");
    replay.keys("C-] x");
    assert_eq!(replay.status(), "0");
}

#[test]
fn quitting_asks_while_shells_run() {
    let shop = Shop::open();
    let targets = format!("{} {}", shop.target("order"), shop.shell(0));
    let tmux = Tmux::deckwatch(100, 30, &targets);
    tmux.see("pod$");
    tmux.keys("q");
    tmux.see("quit? One shell runs");
    tmux.keys("n q");
    tmux.see("quit? One shell runs");
    tmux.keys("y");
    assert_eq!(tmux.status(), "0");
}

#[test]
fn the_raw_shell_gives_its_terminal_back_and_can_be_left() {
    needs("vim");
    let shop = Shop::open();
    let command = format!(
        "stty -g > before; {BIN} shell {}; code=$?; stty -g > after; cmp before after && echo same $code",
        shop.shell(0)
    );
    let tmux = Tmux::run(100, 24, "cd $TMPDIR; PS1='here> ' exec sh");
    tmux.see("here>");
    line(&tmux, &command);
    tmux.see("Enter ~. disconnects");
    tmux.see("pod$");
    line(&tmux, "stty size; echo raw-$((6*7))");
    tmux.see("raw-42");
    tmux.see("24 100");
    tmux.ask(&["resize-window", "-x", "90", "-y", "20"]);
    sized(&shop, (90, 20));
    line(&tmux, "stty size");
    tmux.see("20 90");
    line(&tmux, "vim -u NONE");
    tmux.see("~\n~");
    // Left in its midst: the alternate screen goes too.
    tmux.keys("Enter");
    tmux.type_in("~.");
    tmux.see("same 0");
    tmux.gone("~\n~");
    // Lost in its midst: said in words.
    line(
        &tmux,
        &format!("{BIN} shell {}; echo code $?", shop.shell(1)),
    );
    tmux.see("Enter ~. disconnects");
    line(&tmux, "echo there-$((6*7))");
    tmux.see("there-42");
    shop.restart(Duration::from_millis(100));
    tmux.see("the connection was lost");
    tmux.see("code 6");
}

#[test]
fn a_raw_shell_that_is_waited_for_can_be_interrupted() {
    let shop = Shop::open();
    shop.switch(|switches| switches.shell.silent = true);
    let tmux = Tmux::run(
        100,
        24,
        &format!("{BIN} shell {}; echo code $?; read x", shop.shell(0)),
    );
    tmux.see("waiting for the container");
    tmux.keys("C-c");
    tmux.see("code 130");
}
