//! The interface in Chinese: nothing is cut, and what has columns stays in them.

use deckwatch::app::Msg;
use deckwatch::codec::target::Target;
use deckwatch::lang::{self, Lang};
use deckwatch::model::shell::ShellUpdate;
use deckwatch::model::{EndReason, Fault, FaultKind, LinkState, Mark};
use deckwatch::text::SafeText;
use deckwatch::word;
use insta::assert_snapshot;

use super::{Stage, shop};

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 10)];

fn staged(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, 2);
    stage.state(0, LinkState::Live);
    stage.lines(0, &shop());
    stage
}

fn in_chinese(name: &str, scene: impl Fn(u16, u16) -> String) {
    for (width, height) in SIZES {
        let screen = lang::within(Lang::Zh, || scene(width, height));
        assert_snapshot!(format!("{name}_{width}x{height}"), screen);
    }
}

#[test]
fn the_panes() {
    in_chinese("zh_panes", |width, height| {
        let mut stage = staged(width, height);
        stage.mark(0, Mark::Dropped { lines: 1234 });
        let why = SafeText::of("服务端关闭了连接").into_owned();
        stage.state(
            1,
            LinkState::Waiting {
                retry_in: std::time::Duration::from_secs(4),
                attempt: 2,
                why,
            },
        );
        let first = stage.screen();
        stage.enter("&", "订单");
        stage.keys("p V");
        format!("{first}\n{}", stage.screen())
    });
}

#[test]
fn the_help() {
    in_chinese("zh_help", |width, height| {
        let mut stage = staged(width, height);
        stage.keys("?");
        let first = stage.screen();
        for _ in 0..20 {
            stage.keys("d");
        }
        format!("{first}\n{}", stage.screen())
    });
}

#[test]
fn an_error_and_a_prompt() {
    in_chinese("zh_error", |width, height| {
        let mut stage = staged(width, height);
        let fault = Fault::new(
            FaultKind::Unreachable,
            "ws://10.0.0.1:6060/docker_log",
            word!(
                "the connection was refused: nothing listens there",
                "连接被拒绝：那里没有服务在监听"
            ),
            word!(
                "check the address and that the server runs",
                "请检查地址，并确认服务端在运行"
            ),
        );
        stage.state(1, LinkState::Ended(EndReason::Fault(fault)));
        let first = stage.screen();
        stage.enter(":", "open nowhere");
        let second = stage.screen();
        stage.keys("/");
        format!("{first}\n{second}\n{}", stage.screen())
    });
}

#[test]
fn a_record_and_the_layers() {
    in_chinese("zh_record", |width, height| {
        let mut stage = staged(width, height);
        stage.keys("k enter");
        let record = stage.screen();
        stage.keys("esc X");
        let none = stage.screen();
        stage.keys("esc");
        stage.enter("&", "INFO");
        stage.keys("X");
        format!("{record}\n{none}\n{}", stage.screen())
    });
}

#[test]
fn a_shell_and_a_question() {
    in_chinese("zh_shell", |width, height| {
        let mut stage = staged(width, height);
        let target = Target::parse("ws://10.0.0.1:6060/docker_console#t/s/web-0").unwrap();
        let text = target.text.clone();
        stage.enter("s", "");
        stage.keys("esc");
        stage.enter(":", &format!("shell {text}#t/s/web-0"));
        let pane = stage.app.tabs.now.focus;
        let tell = |stage: &mut Stage, update| stage.tell(Msg::Shell(pane, update));
        let opening = stage.screen();
        tell(&mut stage, ShellUpdate::Ready("the platform"));
        tell(&mut stage, ShellUpdate::Stale(true));
        let open = stage.screen();
        stage.keys("ctrl-]");
        let keys = stage.screen();
        stage.keys("x");
        format!("{opening}\n{open}\n{keys}\n{}", stage.screen())
    });
}
