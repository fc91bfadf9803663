//! The last row: what is typed, what is told, or the keys that matter now.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::key::PREFIX;
use crate::app::prompt::{Prompt, Purpose};
use crate::app::{App, Mode};
use crate::lang::{Words, words};
use crate::text::width;
use crate::word;

use super::paint;
use super::theme::{Role, Theme};

/// A notice takes no more rows.
const ROWS: usize = 4;

/// Paints the last row of `whole`, and for a long notice those above it; the answer is where the
/// cursor stands, while something is typed.
pub(super) fn render(app: &App, theme: &Theme, whole: Rect, buf: &mut Buffer) -> Option<Position> {
    let area = paint::bottom(whole, 1);
    paint::fill(buf, area, theme.style(Role::Hint));
    if let Mode::Prompt(prompt) = &app.mode {
        return Some(typed(prompt, theme, area, buf));
    }
    if let Some(notice) = &app.notice {
        let style = theme.style(if notice.fault {
            Role::Fault
        } else {
            Role::Notice
        });
        let rows = paint::broken(&notice.text, usize::from(area.width.saturating_sub(2)));
        let area = paint::bottom(whole, rows.len().min(ROWS));
        paint::fill(buf, area, style);
        let inside = paint::from(area, area.x + 1);
        for (index, row) in rows.iter().enumerate() {
            paint::put(buf, paint::row(inside, index), row, style);
        }
        return None;
    }
    hints(app, theme, area, buf);
    None
}

fn typed(prompt: &Prompt, theme: &Theme, area: Rect, buf: &mut Buffer) -> Position {
    let style = theme.style(Role::Text);
    let literal = if prompt.literal {
        word!(" as it stands", "（原文）")
    } else {
        ""
    };
    let x = paint::say(buf, area, prompt.purpose.label(), theme.style(Role::Key));
    let x = paint::say(buf, paint::from(area, x), literal, theme.style(Role::Dim));
    let note = prompt
        .note
        .as_deref()
        .map_or_else(String::new, |note| format!(" {note}"));
    let x = paint::say(buf, paint::from(area, x), &note, theme.style(Role::Dim));
    let x = paint::say(buf, paint::from(area, x), " ", style);
    let field = paint::from(area, x);
    let room = usize::from(field.width.saturating_sub(1)).max(1);
    let left = prompt.column().saturating_sub(room - 1);
    let hidden = "•".repeat(prompt.column());
    let text = if prompt.purpose == Purpose::Password {
        hidden.as_str()
    } else {
        prompt.text()
    };
    let window = width::cut(text, left, room);
    let end = paint::say(buf, field, window.text, style);
    if let Some(fault) = &prompt.fault {
        paint::say(
            buf,
            paint::from(field, end + 2),
            fault,
            theme.style(Role::Bad),
        );
    } else if prompt.purpose.is_pattern() && prompt.text().is_empty() {
        let help = word!(
            "Tab: search, only, hide, mark · Alt-r: as it stands · Esc",
            "Tab：搜索、只看、隐藏、标记 · Alt-r：原文 · Esc"
        );
        paint::say(
            buf,
            paint::from(field, end + 2),
            help,
            theme.style(Role::Dim),
        );
    }
    let column = u16::try_from(prompt.column() - left).unwrap_or(0);
    Position::new(
        (field.x + column).min(area.right().saturating_sub(1)),
        area.y,
    )
}

fn hints(app: &App, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let pending: Vec<String> = app.pending.iter().map(ToString::to_string).collect();
    let pending = if pending.is_empty() {
        String::new()
    } else {
        pending.join(" ") + " "
    };
    let hints = keys_that_matter(app);
    let mut x = paint::say(
        buf,
        paint::from(area, area.x + 1),
        &pending,
        theme.style(Role::Key),
    );
    for (key, deed) in hints {
        let deed = deed.get();
        if usize::from(area.right().saturating_sub(x)) < width::cells(key) + width::cells(deed) + 3
        {
            return;
        }
        x = paint::say(buf, paint::from(area, x), key, theme.style(Role::Key));
        x = paint::say(buf, paint::from(area, x + 1), deed, theme.style(Role::Hint)) + 2;
    }
}

/// Keys and what they do.
type Hints = &'static [(&'static str, Words)];

/// Keys of the tree.
const TREE: Hints = &[
    ("/", words("filter", "过滤")),
    ("l", words("logs", "日志")),
    ("s", words("shell", "终端")),
    ("v", words("events", "事件")),
    ("m", words("charts", "图表")),
    ("t", words("requests", "请求分析")),
    ("Enter", words("details", "详情")),
    ("Space", words("mark", "标记")),
    ("→ ←", words("open, close", "展开、折叠")),
    ("Ctrl-p", words("go to", "跳转")),
    ("?", words("help", "帮助")),
    ("q", words("quit", "退出")),
];

/// Keys of charts.
const CHARTS: Hints = &[
    ("← →", words("moment", "时刻")),
    ("Enter", words("its logs", "对应日志")),
    ("e", words("peak", "峰值")),
    ("( )", words("what happened", "事件")),
    ("< >", words("mark", "选择范围")),
    ("n", words("next chart", "下一图")),
    ("o", words("alone", "单图")),
    ("+ -", words("zoom", "缩放")),
    ("{ }", words("pan", "平移")),
    ("G", words("live", "实时")),
    ("j k", words("lines", "线")),
    ("Space S", words("hide, alone", "隐藏、独显")),
    ("y", words("copy", "复制")),
    ("p", words("freeze", "冻结")),
    ("u b Z", words("units, dots, from 0", "单位、点、从 0 起")),
    ("?", words("help", "帮助")),
];

/// Keys of all components at a glance.
const OVERVIEW: Hints = &[
    ("o O", words("sort, turn", "排序、反转")),
    ("Enter", words("charts", "图表")),
    ("l", words("logs", "日志")),
    ("y", words("copy", "复制")),
    ("Ctrl-r", words("anew", "刷新")),
    ("?", words("help", "帮助")),
];

/// Keys of a table.
const TABLE: Hints = &[
    ("o O", words("sort, turn", "排序、反转")),
    ("← →", words("moment", "时刻")),
    ("Enter", words("details", "详情")),
    ("y", words("copy", "复制")),
    ("p", words("freeze", "冻结")),
    ("G", words("live", "实时")),
    ("?", words("help", "帮助")),
];

/// Keys while the tree is filtered.
const FILTER: Hints = &[
    ("Enter", words("keep it", "保留过滤")),
    ("Esc", words("all again", "显示全部")),
    ("↑ ↓", words("move", "移动")),
];

/// Keys of the list of Ctrl-p.
const JUMP: Hints = &[
    ("↑ ↓", words("choose", "选择")),
    ("Enter", words("go there", "跳转")),
    ("Esc", words("back", "返回")),
];

/// The keys that matter, by what keys mean now.
fn keys_that_matter(app: &App) -> Hints {
    let in_tree = matches!(app.mode, Mode::Normal) && app.pending.is_empty();
    if let Some(tree) = app.focused_tree().filter(|_| in_tree) {
        return if tree.typing { FILTER } else { TREE };
    }
    if app.focused_charts().is_some() && in_tree {
        return CHARTS;
    }
    if app.focused_overview().is_some() && in_tree {
        return OVERVIEW;
    }
    if app.focused_table().is_some() && in_tree {
        return TABLE;
    }
    match &app.mode {
        Mode::Help { .. } | Mode::Details { .. } => HELP,
        Mode::Jump(_) => JUMP,
        Mode::Record { .. } => RECORD,
        Mode::Layers { .. } => LAYERS,
        Mode::Confirm(_) => CONFIRM,
        Mode::Normal | Mode::Prompt(_) => match (app.pending.first(), app.shell()) {
            (Some(&PREFIX), _) => PREFIXED,
            (Some(_), _) => WINDOWS,
            (None, Some(shell)) if shell.look.is_some() => LOOKING,
            (None, Some(shell)) if shell.spec().is_none() => PLAYING,
            (None, Some(_)) => TYPING,
            (None, None) => LINES,
        },
    }
}

/// In the help.
const HELP: Hints = &[
    ("j k", words("scroll", "滚动")),
    ("Esc", words("back", "返回")),
];

/// In a record.
const RECORD: Hints = &[
    ("j k", words("next, previous", "下一条、上一条")),
    ("d u", words("scroll", "滚动")),
    ("y", words("copy", "复制")),
    ("Esc", words("back", "返回")),
];

/// In the panel of layers.
const LAYERS: Hints = &[
    ("Space", words("on, off", "启用、停用")),
    ("d", words("away", "移除")),
    ("J K", words("order", "调序")),
    ("Esc", words("back", "返回")),
];

/// While a question stands.
const CONFIRM: Hints = &[("y", words("yes", "是")), ("n", words("no", "否"))];

/// Behind the prefix.
const PREFIXED: Hints = &[
    ("?", words("help", "帮助")),
    ("[", words("history", "历史")),
    ("/", words("search", "搜索")),
    ("d", words("leave it running", "留其运行")),
    ("1-9 n p", words("go", "切换")),
    ("s v", words("split", "拆分")),
    ("z", words("zoom", "放大")),
    ("x", words("close", "关闭")),
    ("r", words("new shell", "新终端")),
    ("R", words("record", "录制")),
    ("b", words("type into all", "同步输入")),
    ("w", words("read-only", "只读")),
    ("Ctrl-]", words("itself", "发送其本身")),
];

/// Behind Ctrl-w.
const WINDOWS: Hints = &[
    ("h j k l", words("go", "切换")),
    ("s v", words("split", "拆分")),
    ("c", words("close", "关闭")),
    ("o", words("only", "只留此格")),
    ("< > + -", words("size", "大小")),
    ("=", words("equal", "等大")),
];

/// In a shell's history.
const LOOKING: Hints = &[
    ("j k ^u ^d g G", words("move", "移动")),
    ("/ n N", words("search", "搜索")),
    ("v V", words("select", "选择")),
    ("y", words("copy", "复制")),
    ("q", words("back to the shell", "回到终端")),
];

/// While a recording is played.
const PLAYING: Hints = &[
    ("Space", words("stop, go on", "暂停、继续")),
    ("+ -", words("speed", "速度")),
    ("→", words("5 s further", "快进 5 s")),
    ("Ctrl-] [", words("history", "历史")),
    ("q", words("quit", "退出")),
];

/// While keys go to the container.
const TYPING: Hints = &[
    ("Ctrl-] ?", words("help", "帮助")),
    ("Ctrl-] d", words("leave it running", "留其运行")),
    ("Ctrl-] x", words("close", "关闭")),
    (
        "",
        words("all other keys go to the container", "其他按键都发给容器"),
    ),
];

/// Over lines of a log.
const LINES: Hints = &[
    ("?", words("help", "帮助")),
    ("/", words("search", "搜索")),
    ("&", words("filter", "过滤")),
    ("Tab", words("pane", "窗格")),
    ("f", words("zoom", "放大")),
    ("p", words("pause", "暂停")),
    ("Enter", words("record", "详情")),
    ("w", words("wrap", "折行")),
    ("t", words("time", "时间")),
    ("V", words("level", "级别")),
    ("s", words("shell", "终端")),
    ("o", words("open", "打开")),
    ("q", words("quit", "退出")),
];
