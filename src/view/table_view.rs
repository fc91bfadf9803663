//! The table of what costs most.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::App;
use crate::app::areas;
use crate::app::table::{Sort, TablePane};
use crate::codec::stamp;
use crate::lang::{Words, words};
use crate::model::metric::Unit;
use crate::model::sample::TopRow;
use crate::model::words as told;
use crate::say;
use crate::text::{spark, width};
use crate::word;

use super::theme::{Role, Theme};
use super::{paint, pane_view};

/// Columns of a row's line.
const TREND: usize = 16;
/// Columns of a number.
const NUMBER: usize = 9;

/// The columns behind the key, in the order in which they are left out when it is narrow: the
/// last ones first.
const COLUMNS: [(Sort, Words); 5] = [
    (Sort::Sum, words("total", "累计")),
    (Sort::Mean, words("mean", "平均")),
    (Sort::Count, words("count", "次数")),
    (Sort::Errors, words("failed", "异常")),
    (Sort::Max, words("longest", "最长")),
];

/// Paints a table.
pub(super) fn render(app: &App, table: &TablePane, theme: &Theme, rect: Rect, buf: &mut Buffer) {
    let rect = rect.intersection(buf.area);
    let title = areas::title_area(rect);
    let (x, style) = pane_view::title(app, table.id, theme, title, buf);
    paint::say(buf, paint::from(title, x), &app.name_of(table.id), style);
    let moment = app.table_moment(table);
    let rows = table.rows(moment, app.now.mono);
    let status_area = areas::status_area(rect);
    status(app, (table, rows.len()), theme, status_area, buf);
    let body = areas::body_area(rect);
    if body.height == 0 {
        return;
    }
    if rows.is_empty() {
        let words = if table.received == 0 {
            word!(
                "no list has come yet: requests are analysed where the plugin or the gateway does it",
                "尚未收到列表：需要启用性能分析插件或网关"
            )
        } else {
            word!(
                "no new list for 30 s: nobody asks, or the analysis has stopped",
                "30 秒内没有新的列表：没有请求，或分析已停止"
            )
        };
        return pane_view::instead(buf, body, words, theme.style(Role::Dim));
    }
    let columns = fitting(usize::from(body.width));
    head(table, theme, &columns, paint::row(body, 0), buf);
    let below = Rect {
        y: body.y + 1,
        height: body.height - 1,
        ..body
    };
    let at = table.at(&rows);
    let cursor = (app.tabs.now.focus == table.id).then_some(at);
    let seen = (pane_view::top(at, below), cursor);
    pane_view::list(&rows, seen, theme, below, buf, |row, line, buf| {
        paint_row(table, theme, (row, &columns), line, buf);
    });
}

/// Which columns there is room for beside the key, and whether its line is.
struct Fitting {
    columns: Vec<(Sort, Words)>,
    trend: bool,
    key: usize,
}

fn fitting(cols: usize) -> Fitting {
    let least = 16;
    let count = cols.saturating_sub(least + 2) / (NUMBER + 1);
    let columns: Vec<(Sort, Words)> = COLUMNS.into_iter().take(count).collect();
    let numbers = columns.len() * (NUMBER + 1);
    let trend = cols >= least + numbers + TREND + 12;
    let beside = if trend { TREND + 1 } else { 0 };
    Fitting {
        key: cols.saturating_sub(numbers + beside + 1),
        columns,
        trend,
    }
}

fn head(table: &TablePane, theme: &Theme, fit: &Fitting, line: Rect, buf: &mut Buffer) {
    let style = theme.style(Role::Dim).add_modifier(Modifier::BOLD);
    let look = |sort: Sort| {
        if sort == table.sort {
            theme.style(Role::Key)
        } else {
            style
        }
    };
    let mark = if table.ascending { "▴" } else { "▾" };
    let named = |sort: Sort, words: &str| {
        if sort == table.sort {
            format!("{words}{mark}")
        } else {
            words.to_owned()
        }
    };
    let key = named(Sort::Key, word!("URL or statement", "URL 或语句"));
    paint::say(buf, paint::columns(line, 1, fit.key), &key, look(Sort::Key));
    let mut x = fit.key + 1;
    for (sort, words) in &fit.columns {
        let text = named(*sort, words.get());
        paint::say_right(buf, paint::columns(line, x, NUMBER), &text, look(*sort));
        x += NUMBER + 1;
    }
    if fit.trend {
        let words = word!("mean over time", "平均走势");
        paint::say(buf, paint::columns(line, x + 1, TREND), words, style);
    }
}

fn paint_row(
    table: &TablePane,
    theme: &Theme,
    (row, fit): (&TopRow, &Fitting),
    line: Rect,
    buf: &mut Buffer,
) {
    let text = theme.style(Role::Text);
    let area = paint::columns(line, 1, fit.key.saturating_sub(2));
    paint::say_cut(buf, area, &row.key, text);
    let mut x = fit.key + 1;
    for (sort, _) in &fit.columns {
        let time = |value: f64| (Unit::Milliseconds.show(value), text);
        let none = || ("–".to_owned(), theme.style(Role::Dim));
        let (value, style) = match sort {
            Sort::Sum => time(row.sum),
            Sort::Mean => time(row.mean),
            Sort::Max => row.max.map_or_else(none, time),
            Sort::Count => (told::count(row.count), text),
            Sort::Errors => row.errors.map_or_else(none, |count| {
                let role = if count > 0 { Role::Bad } else { Role::Dim };
                (told::count(count), theme.style(role))
            }),
            Sort::Key => none(),
        };
        paint::say_right(buf, paint::columns(line, x, NUMBER), &value, style);
        x += NUMBER + 1;
    }
    if fit.trend {
        let trend = spark::line(&table.trend(&row.key), TREND);
        paint::say(
            buf,
            paint::columns(line, x + 1, TREND),
            &trend,
            theme.style(Role::Info),
        );
    }
}

fn status(
    app: &App,
    (table, rows): (&TablePane, usize),
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let style = theme.style(Role::Status);
    paint::fill(buf, area, style);
    let moment = app.table_moment(table);
    let mut facts = Vec::new();
    let state = table
        .targets
        .first()
        .and_then(|id| app.targets.get(usize::from(id.0)));
    facts.extend(state.map(|opened| told::state(&opened.state)));
    facts.push(say!("{rows} rows", "{rows} 行"));
    if let Some(age) = table.age(app.now.wall).filter(|_| moment.is_none()) {
        let age = told::duration(age);
        facts.push(say!("{age} old", "{age} 前"));
    }
    for updated in table.updated(moment, app.now.mono) {
        facts.push(say!("server: {updated}", "服务器：{updated}"));
    }
    let (strange, unreadable) = (table.strange, table.unreadable);
    let (dropped, left_out) = (table.dropped, table.left_out);
    if dropped > 0 {
        facts.push(say!("{dropped} messages dropped", "丢弃 {dropped} 条消息"));
    }
    if left_out > 0 {
        facts.push(say!("{left_out} lists left out", "{left_out} 个列表未显示"));
    }
    if strange > 0 {
        facts.push(say!(
            "{strange} messages are no lists",
            "{strange} 条消息不是列表"
        ));
    }
    if unreadable > 0 {
        facts.push(say!(
            "{unreadable} rows unreadable",
            "{unreadable} 行无法读取"
        ));
    }
    paint::say(
        buf,
        paint::from(area, area.x + 1),
        &facts.join(" · "),
        style,
    );
    let right_side = match moment.and_then(stamp::timestamp) {
        Some(at) => at
            .to_zoned_datetime(app.zone.clone())
            .strftime("%H:%M:%S ")
            .to_string(),
        None => word!("live ", "实时 ").to_owned(),
    };
    let cells = width::cells(&right_side);
    paint::say(buf, paint::right(area, cells), &right_side, style);
}
