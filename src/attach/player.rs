//! Playing a recording: what was shown, at its own times or others.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::clock;
use crate::codec::shell::RECORDING;
use crate::model::shell::{ShellEnd, ShellExit, ShellUpdate};
use crate::model::{Fault, FaultKind, words};
use crate::term::Screen;
use crate::term::record::{Event, Header, Item, Reader, What};
use crate::term::screen::Row;
use crate::text::SafeText;
use crate::word;

use super::no_output;

/// A line of a recording at most, in bytes.
const LINE: u64 = 8 << 20;
/// Lines of history that a recording is printed from.
const HISTORY: usize = Screen::MAX_HISTORY;

/// What a player may be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Stop, or go on.
    Pause,
    /// Twice as fast.
    Faster,
    /// Half as fast.
    Slower,
    /// Go five seconds of the recording further at once.
    Skip,
}

/// A recording's lines, one by one.
struct Lines {
    file: BufReader<File>,
    reader: Reader,
    path: PathBuf,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Fault> {
        let file = File::open(path).map_err(|error| {
            let what = SafeText::of(&path.display().to_string()).to_string();
            Fault::new(
                FaultKind::Usage,
                what,
                words::io_error(&error),
                word!("check the path", "请检查路径"),
            )
        })?;
        Ok(Self {
            file: BufReader::new(file),
            reader: Reader::new(),
            path: path.to_owned(),
        })
    }

    /// The next header or event; none at the end.
    fn next(&mut self) -> Result<Option<Item>, Fault> {
        loop {
            let mut line = Vec::new();
            let read = (&mut self.file).take(LINE).read_until(b'\n', &mut line);
            match read.map_err(|error| unreadable(&self.path, &words::io_error(&error)))? {
                0 => return Ok(None),
                _ => match self.reader.line(&line) {
                    Ok(Item::Nothing) => {}
                    Ok(item) => return Ok(Some(item)),
                    Err(error) => return Err(unreadable(&self.path, &error.to_string())),
                },
            }
        }
    }

    fn header(&mut self) -> Result<Header, Fault> {
        match self.next()? {
            Some(Item::Header(header)) => Ok(header),
            Some(Item::Event(_) | Item::Nothing) | None => Err(unreadable(
                &self.path,
                word!("it has no header", "没有文件头"),
            )),
        }
    }
}

fn unreadable(path: &Path, why: &str) -> Fault {
    let what = SafeText::of(&path.display().to_string()).to_string();
    Fault::new(
        FaultKind::Usage,
        what,
        why,
        word!(
            "a recording is an asciicast file of version 2",
            "录像须为 asciicast 第 2 版文件"
        ),
    )
}

/// Whether a file is a recording: a fault says why not.
pub fn check(path: &Path) -> Result<(), Fault> {
    Lines::open(path)?.header().map(drop)
}

/// Everything that a recording shows, as text: what had scrolled away and the last screen.
pub fn print(path: &Path, out: &mut impl io::Write) -> Result<(), Fault> {
    let mut lines = Lines::open(path)?;
    let header = lines.header()?;
    let mut screen = Screen::new(header.size, HISTORY);
    // What stands before a line that can't be read is shown all the same.
    let end = loop {
        let event = match lines.next() {
            Ok(Some(Item::Event(event))) => event,
            Ok(Some(Item::Header(_) | Item::Nothing)) => continue,
            Ok(None) => break Ok(()),
            Err(fault) => break Err(fault),
        };
        match event.what {
            What::Output(text) => drop(screen.advance(text.as_bytes())),
            What::Resize(size) => drop(screen.resize(size)),
            What::Input(_) | What::Marker(_) => {}
        }
    };
    let mut rows: Vec<String> = (screen.first_row()..screen.end_row())
        .filter_map(|number| screen.row(number))
        .map(Row::text)
        .collect();
    while rows.last().is_some_and(String::is_empty) {
        rows.pop();
    }
    for row in rows {
        writeln!(out, "{row}").map_err(|error| no_output(&error))?;
    }
    end
}

/// Plays a recording as if it were a shell, at `percent` of its own speed: its output goes to
/// `outlet`. Ends when nobody gives
/// orders any more.
pub async fn play<K: Copy>(
    path: PathBuf,
    percent: u32,
    mut orders: mpsc::Receiver<Order>,
    (name, outlet): (K, mpsc::Sender<(K, ShellUpdate)>),
) {
    let mut player = Player {
        speed: f64::from(percent.max(1)) / 100.0,
        paused: false,
        at: Duration::ZERO,
        since: clock::now(),
    };
    let how = match Lines::open(&path) {
        Err(fault) => ShellExit::Fault(fault),
        Ok(lines) => {
            let played = player.run(lines, &mut orders, (name, &outlet)).await;
            match played {
                Ok(true) => ShellExit::Exited {
                    failed: false,
                    words: SafeText::of(word!("the recording is over", "录像已播放完"))
                        .into_owned(),
                },
                Ok(false) => return,
                Err(fault) => ShellExit::Fault(fault),
            }
        }
    };
    let end = ShellEnd {
        how,
        unsent: 0,
        unconfirmed: 0,
    };
    let _ = outlet.send((name, ShellUpdate::Ended(end))).await;
}

struct Player {
    speed: f64,
    paused: bool,
    /// The recording's time at `since`.
    at: Duration,
    since: Instant,
}

impl Player {
    /// True at the recording's end, false when nobody wants it any more.
    async fn run<K: Copy>(
        &mut self,
        mut lines: Lines,
        orders: &mut mpsc::Receiver<Order>,
        (name, outlet): (K, &mpsc::Sender<(K, ShellUpdate)>),
    ) -> Result<bool, Fault> {
        let header = lines.header()?;
        let size = (header.size.columns(), header.size.rows());
        for update in [
            ShellUpdate::Sized(size.0, size.1),
            ShellUpdate::Ready(RECORDING),
        ] {
            if outlet.send((name, update)).await.is_err() {
                return Ok(false);
            }
        }
        self.since = clock::now();
        while let Some(item) = lines.next()? {
            let Item::Event(event) = item else { continue };
            if !self.wait(event.at, orders).await {
                return Ok(false);
            }
            let Some(update) = update(event) else {
                continue;
            };
            if outlet.send((name, update)).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Waits until the recording's time `until`. False if nobody wants it any more.
    async fn wait(&mut self, until: Duration, orders: &mut mpsc::Receiver<Order>) -> bool {
        loop {
            let left = until.saturating_sub(self.at).div_f64(self.speed);
            let wake = self.since + left;
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return false,
                },
                () = sleep_until(wake), if !self.paused => return true,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let now = clock::now();
        if !self.paused {
            self.at += now
                .saturating_duration_since(self.since)
                .mul_f64(self.speed);
        }
        self.since = now;
        match order {
            Order::Pause => self.paused = !self.paused,
            Order::Faster => self.speed = (self.speed * 2.0).min(64.0),
            Order::Slower => self.speed = (self.speed / 2.0).max(1.0 / 16.0),
            Order::Skip => self.at += Duration::from_secs(5),
        }
    }
}

fn update(event: Event) -> Option<ShellUpdate> {
    Some(match event.what {
        What::Output(text) => ShellUpdate::Output(Bytes::from(text)),
        What::Resize(size) => ShellUpdate::Sized(size.columns(), size.rows()),
        What::Input(_) | What::Marker(_) => return None,
    })
}
