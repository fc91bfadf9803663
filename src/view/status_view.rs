//! A pane's title row and status row.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::pane::Pane;
use crate::model::{Level, LinkState, words};
use crate::say;
use crate::text::{SafeText, width};
use crate::word;

use super::log_view::role_of;
use super::paint;
use super::theme::{Role, Theme};
use super::tree_view;

/// Of a pattern no more is shown in a title.
const PATTERN: usize = 20;

/// Number, name and what is special about the view.
pub(super) fn title(app: &App, pane: &Pane, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let focused = app.tabs.now.focus == pane.id;
    let style = theme.style(match (&pane.alarm, focused) {
        (Some(_), _) => Role::Fault,
        (None, true) => Role::TitleFocus,
        (None, false) => Role::Title,
    });
    paint::fill(buf, area, style);
    let number = app.number(pane.id);
    let panes = app.tabs.panes().len();
    let alone = app.places().len() == 1 && panes > 1;
    let number = if alone {
        format!(" {number}/{panes} ")
    } else {
        format!(" {number} ")
    };
    let flags = flags(pane);
    let x = paint::say(buf, area, &number, style);
    // The colour of the platform that it is of, so that production is not mistaken.
    let place = pane
        .targets
        .first()
        .and_then(|id| app.targets.get(usize::from(id.0)));
    let colour = place.and_then(|one| one.target.place()?.context.colour.clone());
    let style = match colour {
        Some(colour) => style.patch(tree_view::context_style(theme, Some(&colour))),
        None => style,
    };
    let room = paint::but_right(
        area,
        if flags.is_empty() {
            0
        } else {
            width::cells(&flags) + 1
        },
    );
    paint::say(buf, paint::from(room, x), &app.title(pane), style);
    if !flags.is_empty() {
        let cells = (width::cells(&flags) + 1).min(usize::from(area.width).saturating_sub(4));
        paint::say(
            buf,
            paint::right(area, cells),
            width::fit(&flags, cells),
            style,
        );
    }
}

/// Follow or not, pause, filters and search, in short words.
fn flags(pane: &Pane) -> String {
    let mut flags = Vec::new();
    flags.extend(pane.alarm.as_ref().map(|alarm| format!("! {alarm}")));
    if let Some(search) = &pane.search {
        let hits = search.hits.list();
        let at = pane
            .cursor()
            .and_then(|id| hits.position(id).ok())
            .map(|at| at + 1);
        let total = words::count(hits.len() as u64);
        let more = if search.hits.done() { "" } else { "+" };
        let place = at.map_or_else(String::new, |at| format!("{}/", words::count(at as u64)));
        let source = SafeText::of(search.pattern.source());
        let shown = width::fit(source.as_str(), PATTERN);
        let cut = if shown.len() < source.as_str().len() {
            "…"
        } else {
            ""
        };
        flags.push(format!("/{shown}{cut} {place}{total}{more}"));
    }
    let on = pane.filter.layers.iter().filter(|layer| layer.on).count();
    if on > 0 {
        flags.push(if pane.unfolded {
            say!("{on} off", "{on} 层停用")
        } else {
            match on {
                1 => say!("{on} layer", "{on} 层过滤"),
                _ => say!("{on} layers", "{on} 层过滤"),
            }
        });
    }
    if pane.filter.min_level > Level::Debug {
        flags.push(format!("≥{}", pane.filter.min_level.name()));
    }
    if pane.view.paused.is_some() {
        flags.push(say!("paused +{}", "暂停 +{}", words::count(pane.fresh())));
    } else if !pane.view.follow {
        flags.push(word!("held", "停住").into());
    }
    flags.join("  ")
}

/// Link, rate and the account of all lines.
pub(super) fn status(app: &App, pane: &Pane, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let base = theme.style(Role::Status);
    paint::fill(buf, area, base);
    let area = paint::from(area, area.x + 1);
    let Some(link) = Link::of(app, pane) else {
        return;
    };
    let width = usize::from(area.width);
    let beside = width.saturating_sub(width::cells(&link.long) + 3);
    let figures = figures(app, pane, beside.max(width / 2));
    let room = paint::but_right(area, width::cells(&figures) + 2);
    let fits = width::cells(&link.long) <= usize::from(room.width);
    let role = theme.style(link.role);
    let style = Style {
        fg: role.fg.or(base.fg),
        add_modifier: role.add_modifier | base.add_modifier,
        ..base
    };
    let text = if fits { &link.long } else { &link.short };
    paint::say(buf, room, text, style);
    paint::say(
        buf,
        paint::right(area, width::cells(&figures) + 1),
        &figures,
        base,
    );
}

/// The link in words, and in fewer words for narrow panes.
struct Link {
    long: String,
    short: String,
    role: Role,
}

impl Link {
    /// Of several targets the worst one's.
    fn of(app: &App, pane: &Pane) -> Option<Self> {
        let states = || {
            pane.targets
                .iter()
                .filter_map(|id| app.targets.get(usize::from(id.0)))
        };
        let worst = states().max_by_key(|opened| gravity(&opened.state))?;
        let (long, short) = match (&worst.state, worst.retry_at) {
            (LinkState::Waiting { why, attempt, .. }, Some(at)) => {
                let left = at.saturating_duration_since(app.now.mono).as_secs();
                (
                    say!(
                        "no connection: {why}; attempt {attempt} in {left} s (R: now)",
                        "未连接：{why}；{left} s 后第 {attempt} 次重试（R：立即）"
                    ),
                    say!("lost; again in {left} s", "已断开；{left} s 后重连"),
                )
            }
            (LinkState::Stale, _) => (
                words::state(&worst.state),
                word!("no answer", "没有应答").to_owned(),
            ),
            (state, _) => (words::state(state), words::state(state)),
        };
        let role = role_of(&worst.state);
        let total = pane.targets.len();
        if total < 2 {
            return Some(Self { long, short, role });
        }
        let live = states()
            .filter(|opened| opened.state == LinkState::Live)
            .count();
        let of = say!("{live}/{total} live", "{live}/{total} 实时");
        if live == total {
            let short = of.clone();
            return Some(Self {
                long: of,
                short,
                role,
            });
        }
        Some(Self {
            long: say!("{of}; {long}", "{of}；{long}"),
            short: say!("{of}; {short}", "{of}；{short}"),
            role,
        })
    }
}

fn gravity(state: &LinkState) -> u8 {
    match state {
        LinkState::Live => 0,
        LinkState::Replaying => 1,
        LinkState::Open => 2,
        LinkState::Connecting(_) => 3,
        LinkState::Ended(_) => 4,
        LinkState::Stale => 5,
        LinkState::Waiting { .. } => 6,
    }
}

/// Rate, shown, filtered, dropped, lag; the most that fits into about `room` columns. Losses go
/// last.
fn figures(app: &App, pane: &Pane, room: usize) -> String {
    let (hidden, dropped, evicted) = (pane.hidden_count(), pane.dropped, pane.store.evicted());
    let count = words::count;
    let wide = room > 40;
    let rank = |number: u64, rank: u8| if number == 0 { 1 } else { rank };
    let parts = [
        (
            true,
            4,
            format!("{}/s", count(pane.rate.per_second(app.now.mono))),
        ),
        (
            true,
            3,
            say!("{} shown", "显示 {}", count(pane.shown_count())),
        ),
        (
            hidden > 0 || wide,
            rank(hidden, 2),
            say!("{} filtered", "过滤 {}", count(hidden)),
        ),
        (
            dropped > 0 || wide,
            rank(dropped, 6),
            say!("{} dropped", "丢弃 {}", count(dropped)),
        ),
        (
            evicted > 0,
            5,
            say!("{} aged out", "淘汰 {}", count(evicted)),
        ),
        (
            wide,
            0,
            say!("lag {}", "延迟 {}", words::duration(pane.lag)),
        ),
    ];
    let mut parts: Vec<(u8, String)> = parts
        .into_iter()
        .filter_map(|(is, rank, text)| is.then_some((rank, text)))
        .collect();
    let joined = |parts: &[(u8, String)]| {
        let texts: Vec<&str> = parts.iter().map(|(_, text)| text.as_str()).collect();
        texts.join(" · ")
    };
    while parts.len() > 1 && width::cells(&joined(&parts)) > room.max(8) {
        let least = parts.iter().map(|(rank, _)| *rank).min();
        let Some(at) = parts.iter().rposition(|(rank, _)| Some(*rank) == least) else {
            break;
        };
        parts.remove(at);
    }
    joined(&parts)
}
