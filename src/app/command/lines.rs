//! What is shown of the lines, and what is done with them.

use crate::app::mode::Mode;
use crate::app::pane::{Pane, SourceColumn, StampColumn};
use crate::app::prompt::Purpose;
use crate::app::state::App;
use crate::lang::words;
use crate::model::Level;
use crate::say;
use crate::word;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "search",
        keys: &["/", "ctrl-] /"],
        help: words(
            "search (regex, smart case); Tab: filter, hide or mark instead; Alt-r: as it stands",
            "搜索（正则，智能大小写）；Tab：改为过滤、隐藏或标记；Alt-r：按原文匹配",
        ),
        run: |app| app.prompt(Purpose::Search, ""),
    },
    Command {
        name: "only",
        keys: &["&"],
        help: words(
            "add a layer that shows only matches; &! one that hides them",
            "添加过滤层，只显示匹配的行；&! 则隐藏匹配的行",
        ),
        run: |app| app.prompt(Purpose::Include, ""),
    },
    Command {
        name: "fold",
        keys: &["x"],
        help: words(
            "all layers off and on; the place is kept",
            "停用或启用全部过滤层；位置不变",
        ),
        run: fold,
    },
    Command {
        name: "layers",
        keys: &["X"],
        help: words("the layers: on, off, away", "过滤层列表：启用、停用、移除"),
        run: |app| app.mode = Mode::Layers { chosen: 0 },
    },
    Command {
        name: "level",
        keys: &["V"],
        help: words(
            "lowest level shown: all, info, warn, error; a line without one is debug",
            "显示的最低级别：全部、info、warn、error；无级别的行算 debug",
        ),
        run: level,
    },
    Command {
        name: "clear-search",
        keys: &["backspace"],
        help: words("end the search and its marks", "结束搜索并清除其标记"),
        run: |app| app.with_pane(|pane, _| pane.search = None),
    },
    Command {
        name: "wrap",
        keys: &["w"],
        help: words(
            "wrap long lines, or scroll sideways",
            "长行折行，或横向滚动",
        ),
        run: wrap,
    },
    Command {
        name: "stamps",
        keys: &["t"],
        help: words(
            "time stamps: none, short, full, relative",
            "时间戳：无、短、完整、相对",
        ),
        run: stamps,
    },
    Command {
        name: "sources",
        keys: &["c"],
        help: words("sources: none, short, full", "来源：无、短、完整"),
        run: sources,
    },
    Command {
        name: "json",
        keys: &["P"],
        help: words("JSON over several rows, in place", "JSON 原位展开为多行"),
        run: |app| app.with_pane(|pane, _| pane.view.pretty = !pane.view.pretty),
    },
    Command {
        name: "record",
        keys: &["enter"],
        help: words(
            "the whole record: fields, bytes, source",
            "完整记录：字段、字节、来源",
        ),
        run: record,
    },
    Command {
        name: "select",
        keys: &["v"],
        help: words("select lines, or stop it", "选择行，或结束选择"),
        run: select,
    },
    Command {
        name: "copy",
        keys: &["y"],
        help: words(
            "copy the selected lines, or this one, as clean text",
            "将选中的行（或当前行）复制为纯文本",
        ),
        run: |app| app.copy(false),
    },
    Command {
        name: "copy-with-source",
        keys: &["Y"],
        help: words("the same with time and source", "同上，并带时间和来源"),
        run: |app| app.copy(true),
    },
    Command {
        name: "save",
        keys: &["ctrl-s"],
        help: words("save this pane's lines to a file", "将此窗格的行保存到文件"),
        run: |app| {
            let name = app.file_name("log");
            app.prompt(Purpose::Save, &name);
        },
    },
    Command {
        name: "clear",
        keys: &[],
        help: words("forget the lines of this pane", "清空此窗格的行"),
        run: |app| app.with_pane(|pane, _| pane.clear()),
    },
];

fn fold(app: &mut App) {
    let mut layers = 0;
    app.with_pane(|pane, _| {
        layers = pane.filter.layers.len();
        pane.unfolded = !pane.unfolded;
    });
    if layers == 0 {
        app.tell(word!(
            "there is no layer yet: & adds one",
            "还没有过滤层：按 & 添加"
        ));
    }
    app.refilter();
}

fn level(app: &mut App) {
    let mut name = "";
    app.with_pane(|pane, _| {
        pane.filter.min_level = match pane.filter.min_level {
            Level::None => Level::Info,
            Level::Debug | Level::Info => Level::Warn,
            Level::Warn => Level::Error,
            Level::Error => Level::None,
        };
        name = pane.filter.min_level.name();
    });
    app.refilter();
    app.tell(&match name {
        "none" => word!("all levels", "所有级别").to_owned(),
        name => say!("{name} and above", "{name} 及以上"),
    });
}

fn wrap(app: &mut App) {
    app.with_pane(|pane, _| {
        pane.view.wrap = !pane.view.wrap;
        pane.view.left = 0;
    });
}

fn stamps(app: &mut App) {
    app.with_pane(|pane, _| {
        pane.view.stamps = match pane.view.stamps {
            StampColumn::None => StampColumn::Short,
            StampColumn::Short => StampColumn::Full,
            StampColumn::Full => StampColumn::Relative,
            StampColumn::Relative => StampColumn::None,
        };
    });
}

fn sources(app: &mut App) {
    app.with_pane(|pane, _| {
        pane.view.sources = match pane.view.sources {
            SourceColumn::None => SourceColumn::Short,
            SourceColumn::Short => SourceColumn::Full,
            SourceColumn::Full => SourceColumn::None,
        };
    });
}

fn record(app: &mut App) {
    if let Some(line) = app.pane().and_then(Pane::cursor) {
        app.with_pane(Pane::hold);
        app.mode = Mode::Record { line, top: 0 };
    }
}

fn select(app: &mut App) {
    app.with_pane(|pane, size| {
        pane.hold(size);
        pane.view.select = if pane.view.select.is_some() {
            None
        } else {
            pane.cursor()
        };
    });
}
