//! What is shown of the lines, and what is done with them.

use crate::app::mode::Mode;
use crate::app::pane::{Pane, SourceColumn, StampColumn};
use crate::app::prompt::Purpose;
use crate::app::state::App;
use crate::model::Level;

use super::Command;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "search",
        keys: &["/", "ctrl-] /"],
        help: "search (regex, smart case); Tab: filter, hide or mark instead; Alt-r: as it stands",
        run: |app| app.prompt(Purpose::Search, ""),
    },
    Command {
        name: "only",
        keys: &["&"],
        help: "add a layer that shows only matches; &! one that hides them",
        run: |app| app.prompt(Purpose::Include, ""),
    },
    Command {
        name: "fold",
        keys: &["x"],
        help: "all layers off and on; the place is kept",
        run: fold,
    },
    Command {
        name: "layers",
        keys: &["X"],
        help: "the layers: on, off, away",
        run: |app| app.mode = Mode::Layers { chosen: 0 },
    },
    Command {
        name: "level",
        keys: &["V"],
        help: "lowest level shown: all, info, warn, error; a line without one is debug",
        run: level,
    },
    Command {
        name: "clear-search",
        keys: &["backspace"],
        help: "end the search and its marks",
        run: |app| app.with_pane(|pane, _| pane.search = None),
    },
    Command {
        name: "wrap",
        keys: &["w"],
        help: "wrap long lines, or scroll sideways",
        run: wrap,
    },
    Command {
        name: "stamps",
        keys: &["t"],
        help: "time stamps: none, short, full, relative",
        run: stamps,
    },
    Command {
        name: "sources",
        keys: &["c"],
        help: "sources: none, short, full",
        run: sources,
    },
    Command {
        name: "json",
        keys: &["P"],
        help: "JSON over several rows, in place",
        run: |app| app.with_pane(|pane, _| pane.view.pretty = !pane.view.pretty),
    },
    Command {
        name: "record",
        keys: &["enter"],
        help: "the whole record: fields, bytes, source",
        run: record,
    },
    Command {
        name: "select",
        keys: &["v"],
        help: "select lines, or stop it",
        run: select,
    },
    Command {
        name: "copy",
        keys: &["y"],
        help: "copy the selected lines, or this one, as clean text",
        run: |app| app.copy(false),
    },
    Command {
        name: "copy-with-source",
        keys: &["Y"],
        help: "the same with time and source",
        run: |app| app.copy(true),
    },
    Command {
        name: "save",
        keys: &["ctrl-s"],
        help: "save this pane's lines to a file",
        run: |app| {
            let name = app.file_name("log");
            app.prompt(Purpose::Save, &name);
        },
    },
    Command {
        name: "clear",
        keys: &[],
        help: "forget the lines of this pane",
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
        app.tell("there is no layer yet: & adds one");
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
        "none" => "all levels".to_owned(),
        name => format!("{name} and above"),
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
