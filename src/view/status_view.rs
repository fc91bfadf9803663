//! A pane's title row and status row.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::app::App;
use crate::app::pane::Pane;
use crate::model::{Level, LinkState, words};
use crate::text::width;

use super::log_view::role_of;
use super::paint;
use super::theme::{Role, Theme};

/// Number, name and what is special about the view.
pub(super) fn title(app: &App, pane: &Pane, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let focused = app.focus == pane.id;
    let style = theme.style(if focused {
        Role::TitleFocus
    } else {
        Role::Title
    });
    paint::fill(buf, area, style);
    let number = app
        .tree
        .panes()
        .iter()
        .position(|id| *id == pane.id)
        .map_or(0, |at| at + 1);
    let alone = app.places().len() == 1 && app.panes.len() > 1;
    let number = if alone {
        format!(" {number}/{} ", app.panes.len())
    } else {
        format!(" {number} ")
    };
    let flags = flags(pane);
    let x = paint::say(buf, area, &number, style);
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
    if let Some(search) = &pane.search {
        let hits = search.hits.list();
        let at = pane
            .cursor()
            .and_then(|id| hits.position(id).ok())
            .map(|at| at + 1);
        let total = words::count(hits.len() as u64);
        let more = if search.hits.done() { "" } else { "+" };
        let place = at.map_or_else(String::new, |at| format!("{}/", words::count(at as u64)));
        flags.push(format!("/{} {place}{total}{more}", search.pattern.source()));
    }
    let on = pane.filter.layers.iter().filter(|layer| layer.on).count();
    if on > 0 {
        flags.push(if pane.unfolded {
            format!("{on} off")
        } else {
            format!("{on} layer{}", if on == 1 { "" } else { "s" })
        });
    }
    if pane.filter.min_level > Level::Debug {
        flags.push(format!("≥{}", pane.filter.min_level.name()));
    }
    if pane.view.paused.is_some() {
        flags.push(format!("paused +{}", words::count(pane.fresh())));
    } else if !pane.view.follow {
        flags.push("held".into());
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
    let figures = figures(app, pane, usize::from(area.width) / 2);
    let room = paint::but_right(area, width::cells(&figures) + 2);
    link(app, pane, theme, base, room, buf);
    paint::say(
        buf,
        paint::right(area, width::cells(&figures) + 1),
        &figures,
        base,
    );
}

fn link(app: &App, pane: &Pane, theme: &Theme, base: Style, area: Rect, buf: &mut Buffer) {
    let states = || {
        pane.targets
            .iter()
            .filter_map(|id| app.targets.get(usize::from(id.0)))
    };
    let live = states()
        .filter(|opened| opened.state == LinkState::Live)
        .count();
    let total = pane.targets.len();
    let worst = states().max_by_key(|opened| gravity(&opened.state));
    let Some(worst) = worst else { return };
    let text = match (&worst.state, worst.retry_at) {
        (LinkState::Waiting { why, attempt, .. }, Some(at)) => {
            let left = at.saturating_duration_since(app.now.mono).as_secs();
            format!("lost: {why}; attempt {attempt} in {left} s (R: now)")
        }
        (state, _) => words::state(state),
    };
    let text = if total > 1 {
        format!(
            "{live}/{total} live{}",
            if live == total {
                String::new()
            } else {
                format!("; {text}")
            }
        )
    } else {
        text
    };
    let role = theme.style(role_of(&worst.state));
    let style = Style {
        fg: role.fg.or(base.fg),
        add_modifier: role.add_modifier | base.add_modifier,
        ..base
    };
    paint::say(buf, area, &text, style);
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

/// Rate, shown, filtered, dropped, lag; the most that fits into about `room` columns.
fn figures(app: &App, pane: &Pane, room: usize) -> String {
    let rate = pane.rate.per_second(app.now.mono);
    let kept = pane.store.len();
    let shown = pane.shown_count();
    let hidden = kept.saturating_sub(shown);
    let rate = format!("{}/s", words::count(rate));
    let shown = format!("{} shown", words::count(shown));
    let filtered = format!("{} filtered", words::count(hidden));
    let dropped = format!("{} dropped", words::count(pane.dropped));
    let evicted = pane.store.evicted();
    let lag = format!("lag {}", words::duration(pane.lag));
    let mut parts = vec![rate, shown];
    if hidden > 0 || room > 40 {
        parts.push(filtered);
    }
    if pane.dropped > 0 || room > 40 {
        parts.push(dropped);
    }
    if evicted > 0 {
        parts.push(format!("{} aged out", words::count(evicted)));
    }
    if room > 40 {
        parts.push(lag);
    }
    while parts.len() > 1 && width::cells(&parts.join(" · ")) > room.max(8) {
        // Losses stay; the rate goes last.
        let at = parts
            .iter()
            .rposition(|part| !part.ends_with("dropped") || part.starts_with("0 "))
            .unwrap_or(1)
            .max(1);
        parts.remove(at);
    }
    parts.join(" · ")
}
