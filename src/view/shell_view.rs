//! A shell's pane.
//!
//! ```text
//! ┌ 7 web-0 · vim main.rs ─────────── REC read-only ┐
//! │ the container's screen, or its history          │
//! └ the platform · 80x24 ───────────── Ctrl-] prefix ┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use crate::app::areas;
use crate::app::shell::{Clipboard, Link, Look, ShellPane, end_words};
use crate::app::{App, Mode};
use crate::codec::shell::shown;
use crate::model::shell::ShellExit;
use crate::model::words;
use crate::say;
use crate::text::width;
use crate::word;

use super::grid_view::{self, GridView};
use super::paint;
use super::theme::{Role, Theme};

/// Paints a shell; the answer is where its cursor stands, if it has the focus and is shown.
pub(super) fn render(
    app: &App,
    shell: &ShellPane,
    theme: &Theme,
    rect: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    let rect = rect.intersection(buf.area);
    title(app, shell, theme, areas::title_area(rect), buf);
    let body = areas::body_area(rect);
    let rows = usize::from(body.height);
    let look = shell.look.as_ref();
    let top = look.map_or(shell.screen.top_row(), |look| look.top);
    let hits = look
        .and_then(|look| look.pattern.as_ref())
        .map_or_else(Vec::new, |pattern| shell.screen.hits(pattern, top, rows));
    let view = GridView {
        screen: &shell.screen,
        top,
        selection: look.and_then(Look::selection),
        hits: &hits,
        current: look.and_then(|look| look.hit),
        cursor: look.map(|look| look.cursor),
    };
    grid_view::grid(buf, body, &view, theme);
    status(app, shell, theme, areas::status_area(rect), buf);
    let typing = matches!(app.mode, Mode::Normal) && app.tabs.now.focus == shell.id;
    (typing && look.is_none() && shell.is_running())
        .then(|| grid_view::cursor(body, &view))
        .flatten()
}

fn title(app: &App, shell: &ShellPane, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let focused = app.tabs.now.focus == shell.id;
    let style = theme.style(if focused {
        Role::TitleFocus
    } else {
        Role::Title
    });
    paint::fill(buf, area, style);
    let flags = flags(app, shell);
    let cells = (width::cells(&flags) + 1).min(usize::from(area.width).saturating_sub(4));
    let room = if flags.is_empty() {
        area
    } else {
        paint::but_right(area, cells + 1)
    };
    let name = format!(" {} {}", app.number(shell.id), shell.target.name);
    let x = paint::say(buf, room, &name, style);
    if let Some(title) = &shell.title {
        let x = paint::say(buf, paint::from(room, x), " · ", style);
        paint::put(buf, paint::from(room, x), title, style);
    }
    if !flags.is_empty() {
        paint::say(
            buf,
            paint::right(area, cells),
            width::fit(&flags, cells),
            style,
        );
    }
}

/// What is special about the pane, in short words.
fn flags(app: &App, shell: &ShellPane) -> String {
    let mut flags = Vec::new();
    if app.together.contains(&shell.id) {
        flags.push(say!(
            "typed into {} at once",
            "同步输入 {} 个",
            app.together.len()
        ));
    }
    if shell.recording.is_some() {
        flags.push("REC".into());
    }
    if shell.read_only {
        flags.push(word!("read-only", "只读").into());
    }
    if matches!(shell.clipboard, Clipboard::Wanted(_)) {
        flags.push(word!("clipboard?", "剪贴板？").into());
    }
    if shell.is_exposed() {
        flags.push(word!("not encrypted", "未加密").into());
    }
    if let Some(look) = &shell.look {
        let back = shell.screen.top_row().saturating_sub(look.top);
        flags.push(match back {
            0 => word!("history", "历史").into(),
            back => say!("history -{}", "历史 -{}", words::count(back)),
        });
    }
    if shell.count > 1 {
        flags.push(say!("shell no. {}", "第 {} 个终端", shell.count));
    }
    flags.join("  ")
}

fn status(app: &App, shell: &ShellPane, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let base = theme.style(Role::Status);
    paint::fill(buf, area, base);
    let area = paint::from(area, area.x + 1);
    let prefix = word!("Ctrl-] prefix ", "Ctrl-] 前缀 ");
    let size = shell.screen.size();
    let right = format!("{}x{} · {prefix}", size.columns(), size.rows());
    let (text, role) = link(app, shell);
    let right = if width::cells(&text) + width::cells(&right) + 2 <= usize::from(area.width) {
        right.as_str()
    } else {
        prefix
    };
    let role = theme.style(role);
    let style = Style {
        fg: role.fg.or(base.fg),
        add_modifier: role.add_modifier | base.add_modifier,
        ..base
    };
    let room = paint::but_right(area, width::cells(right) + 1);
    paint::say(buf, room, &text, style);
    paint::say(buf, paint::right(area, width::cells(right)), right, base);
}

/// The connection in words.
fn link(app: &App, shell: &ShellPane) -> (String, Role) {
    match &shell.link {
        Link::Opening(step, since) => {
            let waited = app.now.mono.saturating_duration_since(*since).as_secs();
            let waited = if waited > 0 {
                format!(" · {waited} s")
            } else {
                String::new()
            };
            (format!("{step}{waited}"), Role::Warn)
        }
        Link::Open(_) | Link::Stale(_) if shell.queued > 0 => {
            let bytes = words::count(shell.queued as u64);
            (
                say!(
                    "{bytes} bytes to send; Ctrl-] c stops",
                    "待发送 {bytes} 字节；按 Ctrl-] c 中止"
                ),
                Role::Warn,
            )
        }
        Link::Open(server) => (shown(server).to_owned(), Role::Good),
        Link::Stale(server) => {
            let server = shown(server);
            (
                say!(
                    "{server}: no answer; if the shell has ended, a key tells",
                    "{server}：没有应答；终端是否已结束，按任意键便知"
                ),
                Role::Warn,
            )
        }
        Link::Over(end) => {
            let role = match end.how {
                ShellExit::Exited { .. } | ShellExit::Closed => Role::Dim,
                ShellExit::Lost(_) | ShellExit::Fault(_) => Role::Bad,
            };
            let again = if shell.spec().is_some() {
                word!("Enter: a new shell", "Enter：新终端")
            } else {
                word!("Enter: once more, q: close", "Enter：重播，q：关闭")
            };
            (format!("{again} · {}", end_words(end)), role)
        }
    }
}
