//! The one function that changes the state.

mod mouse;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ratatui::layout::Rect;

use crate::codec::target::Target;
use crate::model::words;
use crate::model::{EndReason, Fault, FeedUpdate, LinkState, Mark, TargetId};
use crate::say;
use crate::store::LayerKind;
use crate::text::SafeText;
use crate::word;

use super::command;
use super::effect::Effect;
use super::help::Help;
use super::key::{Code, Key, PREFIX, Phase};
use super::keymap::Found;
use super::mode::Mode;
use super::msg::{Msg, Now};
use super::pane::Pane;
use super::prompt::{Prompt, Purpose, Typed};
use super::record::{self, Record};
use super::state::App;
use super::state::pattern;
use super::table::TablePane;

impl App {
    /// Takes in what happened; the answer is what is to be done.
    #[must_use = "what is left out is not done: a shell would keep its old size"]
    pub fn update(&mut self, msg: Msg, now: Now) -> Vec<Effect> {
        self.now = now;
        match msg {
            Msg::Feed(target, update) => self.on_feed(target, update),
            Msg::Shell(pane, update) => self.on_shell(pane, update),
            Msg::Recording(pane, name) => self.on_recording(pane, name),
            Msg::ShellBusy(pane, bytes) => self.on_busy(pane, bytes),
            Msg::Explored(question, answer) => self.on_explored(&question, answer),
            Msg::Measured(ask, answer) => self.on_measured(&ask, answer),
            Msg::LookedUp(target, found) => self.on_looked_up(target, found),
            Msg::Configured(read) => self.on_configured(read),
            Msg::Examined(pane, title, lines) => self.on_details(pane, title, lines),
            Msg::Key(key) => self.on_key(key),
            Msg::Paste(text) => self.on_paste(&text),
            Msg::Mouse(pointer) => self.on_mouse(pointer),
            Msg::Resize(width, height) => self.area = Rect::new(0, 0, width, height),
            Msg::Tick => self.on_tick(now.mono),
            Msg::Scanned {
                pane,
                scan,
                generation,
                first,
                rows,
            } => {
                if let Some(pane) = self.panes.get_mut(&pane) {
                    pane.scanned(scan, generation, first, rows);
                }
            }
            Msg::Told(text) => self.tell(&text),
            Msg::Failed(text) => self.fail(&text),
            Msg::Themed(name) => {
                self.tell(&say!("theme {name}", "主题 {name}"));
                self.theme = name;
            }
        }
        self.read_moment();
        self.measure();
        // Whatever was done, the shells that are seen have the size at which they are.
        self.fit_shells();
        self.follow_focus();
        self.take_wishes()
    }

    fn on_feed(&mut self, target: TargetId, update: FeedUpdate) {
        match update {
            FeedUpdate::Lines(batch) => {
                let now = self.now;
                for pane in self
                    .panes
                    .values_mut()
                    .filter(|pane| pane.targets.contains(&target))
                {
                    pane.on_lines(target, &batch, now);
                }
                self.feed_tables(target, &batch);
                self.tick_marks(target, &batch);
                self.seek_again();
                self.evict();
            }
            FeedUpdate::State(state) => self.on_state(target, state),
        }
    }

    /// Lets the oldest lines of the largest pane go until all fit the budget, but for the
    /// segment that is being filled: the newest lines are always there.
    fn evict(&mut self) {
        while self.held() > self.budget {
            let full = self.panes.values_mut();
            let full = full.filter(|pane| pane.store.sealed().next().is_some());
            let largest = full.max_by_key(|pane| pane.heap_bytes());
            if !largest.is_some_and(Pane::evict) {
                return;
            }
        }
    }

    /// Bytes of memory that panes and tables hold. Halves of a split pane share their segments,
    /// which count once.
    pub fn held(&self) -> usize {
        let panes = || self.panes.values();
        let tables = self.tables.values().map(TablePane::heap_bytes);
        let all = panes().map(Pane::heap_bytes).sum::<usize>() + tables.sum::<usize>();
        if all <= self.budget {
            return all;
        }
        let mut seen = BTreeSet::new();
        let segments = panes().flat_map(|pane| pane.store.sealed());
        let again = segments.filter(|(_, segment)| !seen.insert(Arc::as_ptr(segment)));
        all - again
            .map(|(_, segment)| segment.heap_bytes())
            .sum::<usize>()
    }

    fn on_state(&mut self, target: TargetId, state: LinkState) {
        if let LinkState::Ended(reason) = &state {
            let text = say!(
                "{}: {}",
                "{}：{}",
                self.target_name(target),
                words::end(reason)
            );
            if matches!(reason, EndReason::Fault(_) | EndReason::Failure(_)) {
                self.fail(&text);
            }
            let mark = Mark::Notice(SafeText::of(&text).into_owned());
            for pane in self
                .panes
                .values_mut()
                .filter(|pane| pane.targets.contains(&target))
            {
                pane.push_mark(target, &mark);
            }
        }
        let Some(opened) = self.targets.get_mut(usize::from(target.0)) else {
            return;
        };
        opened.retry_at = match &state {
            LinkState::Waiting { retry_in, .. } => Some(self.now.mono + *retry_in),
            LinkState::Connecting(_)
            | LinkState::Open
            | LinkState::Replaying
            | LinkState::Live
            | LinkState::Stale
            | LinkState::Ended(_) => None,
        };
        opened.state = state;
    }

    /// What a name means: the target itself, and others that join it.
    fn on_looked_up(&mut self, id: TargetId, found: Result<Vec<Target>, Fault>) {
        let mut targets = match found {
            Ok(targets) => targets.into_iter(),
            Err(fault) => {
                return self.on_state(id, LinkState::Ended(EndReason::Fault(fault)));
            }
        };
        let Some(first) = targets.next() else { return };
        if self.become_charts(id, &first) {
            return;
        }
        if let Some(opened) = self.targets.get_mut(usize::from(id.0)) {
            opened.target = first.clone();
        }
        self.wish(Effect::Open(id, first));
        let others: Vec<TargetId> = targets.map(|target| self.open_target(target)).collect();
        let panes = self.panes.values_mut();
        for pane in panes.filter(|pane| pane.targets.contains(&id)) {
            pane.targets.extend(&others);
        }
    }

    fn on_tick(&mut self, now: Instant) {
        if self
            .notice
            .as_ref()
            .is_some_and(|notice| now >= notice.until)
        {
            self.notice = None;
        }
        self.release_shells();
        self.tick_bursts();
        self.watch_rates();
        self.overlook();
        self.explore();
        for pane in self.panes.values_mut() {
            pane.rate.forget(now);
        }
    }

    fn on_key(&mut self, whole: Key) {
        let key = whole.chord();
        let to_shell = matches!(self.mode, Mode::Normal)
            && self.pending.is_empty()
            && self.shell().is_some()
            && key != PREFIX;
        if to_shell {
            return self.shell_key(whole);
        }
        if whole.phase == Phase::Release {
            return;
        }
        let interrupt = key == Key::ctrl('c');
        match std::mem::take(&mut self.mode) {
            Mode::Prompt(prompt) => self.prompt_key(prompt, key),
            Mode::Jump(jump) => self.jump_key(jump, key),
            Mode::Confirm(confirm) => self.confirm_key(confirm, key),
            _ if interrupt => {
                self.pending.clear();
                self.interrupt();
            }
            Mode::Normal if self.pending.is_empty() && self.pane_key(whole) => {}
            Mode::Normal => self.normal_key(key),
            Mode::Help { top } => {
                let last = Help::of(self.body(), &self.keymap).last_top();
                self.mode = self.reading_key(key, (top, last), |top| Mode::Help { top });
            }
            Mode::Record { line, top } => self.record_key(key, line, top),
            Mode::Layers { chosen } => self.layers_key(key, chosen),
            Mode::Details { title, lines, top } => {
                let rows = usize::from(self.body().height).saturating_sub(2);
                let last = lines.len().saturating_sub(rows);
                self.mode = self.reading_key(key, (top, last), |top| Mode::Details {
                    title: title.clone(),
                    lines: lines.clone(),
                    top,
                });
            }
        }
    }

    /// Keys that a pane of its kind has for itself.
    fn pane_key(&mut self, whole: Key) -> bool {
        let key = whole.chord();
        self.chart_key(whole)
            || self.table_key(key)
            || self.overview_key(key)
            || self.strip_key(key)
    }

    fn normal_key(&mut self, key: Key) {
        if self.pending.is_empty() && self.tree_key(key) {
            return;
        }
        self.pending.push(key);
        match self.keymap.lookup(&self.pending) {
            Found::Command(command) => {
                self.pending.clear();
                (command.run)(self);
            }
            // What can follow is seen where a notice stood.
            Found::Prefix => self.notice = None,
            Found::Nothing => {
                let whole = self.pending.len() == 1;
                let keys: Vec<String> = self.pending.iter().map(Key::to_string).collect();
                self.pending.clear();
                if !whole || key.code != Code::Esc {
                    self.tell(&say!(
                        "{} does nothing here; ? shows the keys",
                        "{} 在此无作用；按 ? 查看按键",
                        keys.join(" ")
                    ));
                }
            }
        }
    }

    /// Keys of a text that is only read.
    fn reading_key(
        &self,
        key: Key,
        (top, last): (usize, usize),
        stay: impl Fn(usize) -> Mode,
    ) -> Mode {
        let top = top.min(last);
        let stay = |top: usize| stay(top.min(last));
        let page = usize::from(self.area.height).saturating_sub(4).max(1);
        match (key.ctrl, key.code) {
            (_, Code::Esc | Code::Enter) | (false, Code::Char('q' | '?')) => Mode::Normal,
            (_, Code::Down) | (false, Code::Char('j')) => stay(top.saturating_add(1)),
            (_, Code::Up) | (false, Code::Char('k')) => stay(top.saturating_sub(1)),
            (_, Code::PageDown) | (false, Code::Char(' ')) => stay(top.saturating_add(page)),
            (_, Code::PageUp) => stay(top.saturating_sub(page)),
            (_, Code::Char('d')) => stay(top.saturating_add(page / 2)),
            (_, Code::Char('u')) => stay(top.saturating_sub(page / 2)),
            (_, Code::Home) | (false, Code::Char('g')) => stay(0),
            (_, Code::End) | (false, Code::Char('G')) => stay(last),
            _ => stay(top),
        }
    }

    fn record_key(&mut self, key: Key, line: crate::store::LineId, top: usize) {
        let forward = match key.code {
            Code::Char('j') | Code::Down => true,
            Code::Char('k') | Code::Up => false,
            Code::Char('y') => {
                self.mode = Mode::Record { line, top };
                return self.copy(false);
            }
            _ => {
                let inside = record::inside(record::place(self.body()));
                let last = Record::of(self, line, inside).map_or(0, |record| record.last_top());
                self.mode = self.reading_key(key, (top, last), |top| Mode::Record { line, top });
                return;
            }
        };
        let mut flipped = line;
        self.with_pane(|pane, size| {
            let mut next = Some(line);
            // Marks are no records.
            while let Some(id) = next {
                next = if forward {
                    pane.next(id)
                } else {
                    pane.prev(id)
                };
                if next
                    .and_then(|id| pane.store.get(id))
                    .is_some_and(|row| row.line().is_some())
                {
                    break;
                }
            }
            if let Some(id) = next {
                pane.look_at(id, size);
                flipped = id;
            }
        });
        self.mode = Mode::Record {
            line: flipped,
            top: if flipped == line { top } else { 0 },
        };
    }

    fn layers_key(&mut self, key: Key, chosen: usize) {
        let count = self.pane().map_or(0, |pane| pane.filter.layers.len());
        let last = count.saturating_sub(1);
        let mut chosen = chosen.min(last);
        match key.code {
            Code::Esc | Code::Char('q' | 'X') => return,
            Code::Down | Code::Char('j') => chosen = (chosen + 1).min(last),
            Code::Up | Code::Char('k') => chosen = chosen.saturating_sub(1),
            Code::Char(' ') | Code::Enter => self.change_layers(|pane| {
                pane.unfolded = false;
                if let Some(layer) = pane.filter.layers.get_mut(chosen) {
                    layer.on = !layer.on;
                }
            }),
            Code::Char('d') | Code::Delete if count > 0 => {
                self.change_layers(|pane| drop(pane.filter.layers.remove(chosen)));
            }
            Code::Char('J') if chosen < last => {
                self.change_layers(|pane| pane.filter.layers.swap(chosen, chosen + 1));
                chosen += 1;
            }
            Code::Char('K') if chosen > 0 => {
                self.change_layers(|pane| pane.filter.layers.swap(chosen, chosen - 1));
                chosen -= 1;
            }
            _ => {}
        }
        self.mode = Mode::Layers { chosen };
    }

    fn change_layers(&mut self, deed: impl FnOnce(&mut Pane)) {
        self.with_pane(|pane, _| deed(pane));
        self.refilter();
    }

    fn prompt_key(&mut self, mut prompt: Prompt, key: Key) {
        match prompt.key(key) {
            Typed::Edited => {
                if prompt.purpose == Purpose::Include && prompt.text() == "!" {
                    prompt = Prompt::new(Purpose::Exclude, "", &[]);
                }
                self.mode = Mode::Prompt(prompt);
            }
            Typed::Cancel if prompt.purpose == Purpose::Password => self.on_password(None),
            Typed::Cancel => {}
            Typed::Accept => {
                let text = prompt.text().to_owned();
                let fault = prompt
                    .purpose
                    .is_pattern()
                    .then(|| pattern(&text, prompt.literal).err());
                if let Some(fault) = fault.flatten().filter(|_| !text.is_empty()) {
                    // What was typed stays, to be mended.
                    prompt.fault = Some(fault.why);
                    self.mode = Mode::Prompt(prompt);
                } else if !text.is_empty() || prompt.purpose == Purpose::Password {
                    if prompt.purpose != Purpose::Password {
                        self.remember(prompt.purpose, &text);
                    }
                    self.accept(prompt.purpose, &text, prompt.literal);
                }
            }
        }
    }

    fn accept(&mut self, purpose: Purpose, text: &str, literal: bool) {
        match purpose {
            Purpose::Search => self.begin_search(text, literal),
            Purpose::Include | Purpose::Exclude | Purpose::Highlight => {
                let kind = match purpose {
                    Purpose::Exclude => LayerKind::Exclude,
                    Purpose::Highlight => LayerKind::Highlight,
                    _ => LayerKind::Include,
                };
                if let Some(pattern) = self.pattern(text, literal) {
                    self.add_layer(kind, pattern);
                }
            }
            Purpose::Command => self.run_command(text),
            Purpose::Password => self.on_password(Some(text)),
            Purpose::Record => self.begin_recording(text),
            Purpose::Shell => self.with_target(text, |app, target| match target.shell() {
                Some(_) => app.open_shell(target),
                None => app.fail(word!(
                    "that is no shell: o opens logs",
                    "这不是终端：按 o 打开日志"
                )),
            }),
            Purpose::Open => self.with_target(text, App::open_pane),
            Purpose::Add => self.with_target(text, |app, target| {
                if target.is_terminal() || app.pane().is_none() {
                    return app.fail(word!(
                        "only lines can be added to a pane of lines; o opens a pane",
                        "日志窗格只能添加日志；按 o 打开新窗格"
                    ));
                }
                let id = app.open_target(target);
                app.with_pane(|pane, _| pane.targets.push(id));
            }),
            Purpose::Save => self.save(text),
        }
    }

    fn begin_search(&mut self, text: &str, literal: bool) {
        if self.shell().is_some() {
            return self.search_shell(text, literal);
        }
        let Some(pattern) = self.pattern(text, literal) else {
            return;
        };
        let Some(pane) = self.panes.get_mut(&self.tabs.now.focus) else {
            return;
        };
        let (id, (scan, job)) = (pane.id, pane.search(pattern));
        self.wish(Effect::Scan(id, scan, job));
        self.jump_to_hit();
    }

    /// A fresh search looks at the hit nearest to the cursor that is known already: upwards
    /// from the newest lines, where one mostly is.
    fn jump_to_hit(&mut self) {
        self.with_pane(|pane, size| {
            let Some(cursor) = pane.cursor() else { return };
            let Some(hits) = pane.search.as_ref().map(|search| search.hits.list()) else {
                return;
            };
            let here = hits.position(cursor).is_ok().then_some(cursor);
            if let Some(hit) = here
                .or_else(|| hits.prev_before(cursor))
                .or_else(|| hits.next_after(cursor))
            {
                pane.look_at(hit, size);
                pane.reveal(hit, size);
            }
        });
    }

    fn with_target(&mut self, text: &str, deed: impl FnOnce(&mut Self, Target)) {
        match Target::parse(text) {
            Ok(target) => {
                let target = target.by(&self.way);
                deed(self, target);
            }
            Err(fault) => self.fail(&fault.to_string()),
        }
    }

    /// `:` takes the name of any command, and a few with an argument.
    fn run_command(&mut self, text: &str) {
        let text = text.trim();
        let (name, argument) = text
            .split_once(' ')
            .map_or((text, ""), |(name, rest)| (name, rest.trim()));
        match (name, argument) {
            ("open", target) if !target.is_empty() => self.with_target(target, App::open_pane),
            ("add", target) if !target.is_empty() => self.accept(Purpose::Add, target, false),
            ("shell", target) if !target.is_empty() => self.accept(Purpose::Shell, target, false),
            ("save", path) if !path.is_empty() => self.save(path),
            ("theme", name) if !name.is_empty() => self.wish(Effect::Theme(name.to_owned())),
            ("mouse", "on") if self.mouse => {}
            ("mouse", "off") if !self.mouse => {}
            ("mouse", "on" | "off") => self.run_named("mouse"),
            ("view", name) if !name.is_empty() => self.save_view(name),
            ("q", _) => self.quit(),
            ("q!", _) => self.wish(Effect::Quit),
            (name, "") => self.run_named(name),
            (name, _) if command::all().any(|command| command.name == name) => {
                self.fail(&say!(
                    "{name}: it takes no argument; ? lists the commands",
                    "{name}：不接受参数；按 ? 查看命令"
                ));
            }
            (name, _) => self.run_named(name),
        }
    }

    fn run_named(&mut self, name: &str) {
        match command::all().find(|command| command.name == name) {
            Some(command) => (command.run)(self),
            None => self.fail(&say!(
                "{name}: no such command; ? lists them",
                "{name}：没有此命令；按 ? 查看命令"
            )),
        }
    }

    fn save(&mut self, path: &str) {
        let Some(pane) = self.pane() else { return };
        let (from, to) = (pane.store.first(), pane.store.end());
        let (mut text, count) = self.lines_text(pane, from, to, true);
        if count == 1 {
            text.push('\n');
        }
        self.wish(Effect::Save(PathBuf::from(path), text));
    }

    fn on_paste(&mut self, text: &str) {
        let to_shell = self.shell().is_some();
        match &mut self.mode {
            Mode::Prompt(prompt) => prompt.insert(text),
            Mode::Jump(jump) => jump.text.extend(text.chars().filter(|c| !c.is_control())),
            Mode::Normal if to_shell => self.paste_into_shell(text),
            Mode::Normal
            | Mode::Confirm(_)
            | Mode::Help { .. }
            | Mode::Record { .. }
            | Mode::Details { .. }
            | Mode::Layers { .. } => {}
        }
    }
}
