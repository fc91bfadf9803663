//! Lines from standard input and from files. They are never dropped: they are read as fast as
//! they are taken (decision 3).

use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::clock;
use crate::model::{
    EndReason, Fault, FaultKind, LinkState, Mark, Micros, RawBatch, RowFlags, RowHead, words,
};
use crate::say;
use crate::text::SafeText;
use crate::transport::MAX_MESSAGE;
use crate::word;

use super::{Command, Outlet};

const CHUNK: usize = 128 << 10;
/// Chunks of a pipe that wait.
const CHUNKS: usize = 4;
/// A followed file is looked at this often just after it grew, and then less and less.
const SOON: Duration = Duration::from_millis(50);
const LATE: Duration = Duration::from_secs(1);

/// Cuts a byte stream into lines. A line over 4 MiB is cut into pieces that are marked as going
/// on, so that no byte is lost.
#[derive(Debug, Default)]
pub struct LineCutter {
    open: Vec<u8>,
    continued: bool,
}

impl LineCutter {
    /// Appends the lines that `bytes` completes.
    pub fn feed(&mut self, bytes: &[u8], recv: Micros, batch: &mut RawBatch) {
        let head = RowHead {
            recv,
            ..RowHead::default()
        };
        let mut rest = bytes;
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(at);
            if self.open.is_empty() {
                Self::whole(line, &head, batch);
            } else {
                self.open.extend_from_slice(line);
                let line = std::mem::take(&mut self.open);
                Self::whole(&line, &head, batch);
                self.open = line;
                self.open.clear();
            }
            self.continued = false;
            rest = after.get(1..).unwrap_or(&[]);
        }
        self.open.extend_from_slice(rest);
        if self.open.len() > MAX_MESSAGE {
            let line = std::mem::take(&mut self.open);
            let (pieces, last) = line.split_at(line.len() / MAX_MESSAGE * MAX_MESSAGE);
            for piece in pieces.chunks(MAX_MESSAGE) {
                batch.push(
                    piece,
                    &RowHead {
                        flags: RowFlags(RowFlags::CONTINUES),
                        ..head
                    },
                );
            }
            self.open = last.to_vec();
            self.continued = true;
        }
    }

    /// The last line, if it has no newline.
    pub fn finish(&mut self, recv: Micros, batch: &mut RawBatch) {
        if !self.open.is_empty() || self.continued {
            batch.push(
                &self.open,
                &RowHead {
                    recv,
                    ..RowHead::default()
                },
            );
        }
        self.open.clear();
        self.continued = false;
    }

    fn whole(line: &[u8], head: &RowHead<'_>, batch: &mut RawBatch) {
        let last = line.len().saturating_sub(1) / MAX_MESSAGE * MAX_MESSAGE;
        let (pieces, line) = line.split_at(last);
        for piece in pieces.chunks(MAX_MESSAGE) {
            batch.push(
                piece,
                &RowHead {
                    flags: RowFlags(RowFlags::CONTINUES),
                    ..*head
                },
            );
        }
        batch.push(line, head);
    }
}

/// Reads standard input to its end.
pub async fn run_stdin<B>(follow: bool, orders: mpsc::Receiver<Command>, outlet: Outlet<B>) {
    let what = word!("standard input", "标准输入").to_owned();
    let open = || Ok(std::io::stdin().lock());
    run_pipe((what, follow), open, orders, outlet).await;
}

/// Reads what may keep its reader waiting, to its end.
async fn run_pipe<B, R: Read>(
    (what, follow): (String, bool),
    open: impl FnOnce() -> std::io::Result<R> + Send + 'static,
    mut orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
) {
    let mut outlet = outlet.blocking();
    // Without following, all of it is history, up to its end.
    outlet.state(if follow {
        LinkState::Live
    } else {
        LinkState::Replaying
    });
    let (chunks, mut inbox) = mpsc::channel::<std::io::Result<Vec<u8>>>(CHUNKS);
    // A thread of its own: a blocked read can't be cancelled, and must not keep the runtime.
    let reader = std::thread::Builder::new()
        .name("pipe".into())
        .spawn(move || read_pipe(open, &chunks));
    if let Err(error) = reader {
        return end(&mut outlet, Some(fault(&what, &error))).await;
    }
    let mut cutter = LineCutter::default();
    loop {
        let chunk = tokio::select! {
            biased;
            () = stopped(&mut orders) => break,
            chunk = inbox.recv() => chunk,
        };
        let mut batch = RawBatch::default();
        let failed = match chunk {
            Some(Ok(bytes)) => {
                cutter.feed(&bytes, clock::wall(), &mut batch);
                None
            }
            Some(Err(error)) => Some(Some(fault(&what, &error))),
            None => Some(None),
        };
        if failed.is_some() {
            cutter.finish(clock::wall(), &mut batch);
        }
        outlet.lines(batch);
        if let Some(fault) = failed {
            return end(&mut outlet, fault).await;
        }
        if !flush(&mut outlet, &mut orders).await {
            break;
        }
    }
    // What was read comes before the end. With a full queue there is more of the last line.
    let is_all = inbox.len() < CHUNKS;
    inbox.close();
    let mut batch = RawBatch::default();
    while let Ok(Ok(bytes)) = inbox.try_recv() {
        cutter.feed(&bytes, clock::wall(), &mut batch);
    }
    outlet.lines(batch);
    last_words(is_all.then_some(&mut cutter), &mut outlet).await;
}

fn read_pipe<R: Read>(
    open: impl FnOnce() -> std::io::Result<R>,
    chunks: &mpsc::Sender<std::io::Result<Vec<u8>>>,
) {
    let mut pipe = match open() {
        Ok(pipe) => pipe,
        Err(error) => return drop(chunks.blocking_send(Err(error))),
    };
    let mut buffer = vec![0; CHUNK];
    loop {
        let sent = match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => chunks.blocking_send(Ok(buffer.get(..read).unwrap_or(&[]).to_vec())),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(()),
            Err(error) => return drop(chunks.blocking_send(Err(error))),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads a file to its end, and past it with `follow`: through truncation and rotation.
pub async fn run_file<B>(
    path: PathBuf,
    follow: bool,
    mut orders: mpsc::Receiver<Command>,
    outlet: Outlet<B>,
) {
    let mut outlet = outlet.blocking();
    let shown = path.display().to_string();
    let opened = tokio::select! {
        biased;
        () = stopped(&mut orders) => {
            return last_words(None, &mut outlet).await;
        }
        opened = Tail::open_file(&path) => opened,
    };
    let mut tail = match opened {
        Ok(Some(tail)) => tail,
        Ok(None) => {
            let open = move || open_pipe(&path, follow);
            return run_pipe((shown, follow), open, orders, outlet).await;
        }
        Err(error) => {
            let kind = if error.kind() == std::io::ErrorKind::NotFound {
                FaultKind::NotFound
            } else {
                FaultKind::Denied
            };
            let why = words::io_error(&error).to_lowercase();
            let fault = Fault::new(
                kind,
                shown,
                why,
                word!("check the path and its permissions", "请检查路径及其权限"),
            );
            return end(&mut outlet, Some(fault)).await;
        }
    };
    // What stands in the file is its history.
    outlet.state(LinkState::Replaying);
    let (mut pause, mut live, mut at_end) = (SOON, false, false);
    loop {
        let mut batch = RawBatch::default();
        let read = tokio::select! {
            biased;
            () = stopped(&mut orders) => {
                return last_words(at_end.then_some(&mut tail.cutter), &mut outlet).await;
            }
            read = tail.read(&mut batch) => read,
        };
        at_end = matches!(read, Ok(0));
        match read {
            Err(error) => return end(&mut outlet, Some(fault(&shown, &error))).await,
            Ok(0) if !follow => {
                tail.cutter.finish(clock::wall(), &mut batch);
                outlet.lines(batch);
                return end(&mut outlet, None).await;
            }
            Ok(0) => {
                if !std::mem::replace(&mut live, true) {
                    outlet.state(LinkState::Live);
                }
                let next = async {
                    let renewed = tail.renew(&path, &mut batch).await;
                    if !renewed {
                        sleep(pause).await;
                    }
                    renewed
                };
                let renewed = tokio::select! {
                    biased;
                    () = stopped(&mut orders) => {
                        return last_words(Some(&mut tail.cutter), &mut outlet).await;
                    }
                    renewed = next => renewed,
                };
                pause = if renewed { SOON } else { (pause * 2).min(LATE) };
            }
            Ok(_) => pause = SOON,
        }
        outlet.lines(batch);
        if !flush(&mut outlet, &mut orders).await {
            return last_words(at_end.then_some(&mut tail.cutter), &mut outlet).await;
        }
    }
}

/// Opens a pipe. With `follow` it has no end: we are a writer ourselves, where we may be.
fn open_pipe(path: &Path, follow: bool) -> std::io::Result<std::fs::File> {
    let as_writer = std::fs::File::options().read(true).write(follow).open(path);
    as_writer.or_else(|_| std::fs::File::open(path))
}

/// A file that is read along.
struct Tail {
    file: File,
    inode: u64,
    position: u64,
    buffer: Vec<u8>,
    cutter: LineCutter,
}

impl Tail {
    /// The file, if it is one: pipes and devices may keep whoever opens or reads them waiting.
    async fn open_file(path: &Path) -> std::io::Result<Option<Self>> {
        let kind = tokio::fs::metadata(path).await?.file_type();
        if kind.is_fifo() || kind.is_char_device() {
            return Ok(None);
        }
        Self::open(path).await.map(Some)
    }

    async fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(path).await?;
        file.set_max_buf_size(CHUNK);
        let about = file.metadata().await?;
        if about.is_dir() {
            return Err(std::io::Error::other(word!(
                "it is a directory",
                "这是目录"
            )));
        }
        Ok(Self {
            file,
            inode: about.ino(),
            position: 0,
            buffer: vec![0; CHUNK],
            cutter: LineCutter::default(),
        })
    }

    async fn read(&mut self, batch: &mut RawBatch) -> std::io::Result<usize> {
        let read = self.file.read(&mut self.buffer).await?;
        self.position += read as u64;
        self.cutter
            .feed(self.buffer.get(..read).unwrap_or(&[]), clock::wall(), batch);
        Ok(read)
    }

    /// At the end of the file: is it shorter now, or another one under the same name? True if
    /// there is something new to read.
    async fn renew(&mut self, path: &Path, batch: &mut RawBatch) -> bool {
        let Ok(about) = tokio::fs::metadata(path).await else {
            return false;
        };
        let words = if about.ino() != self.inode {
            // What was written to the old one since the last look comes first.
            if self.read(batch).await.is_ok_and(|read| read > 0) {
                return true;
            }
            let Ok(mut fresh) = Self::open(path).await else {
                return false;
            };
            self.cutter.finish(clock::wall(), batch);
            std::mem::swap(&mut self.buffer, &mut fresh.buffer);
            *self = fresh;
            word!(
                "the file was replaced by a new one (rotation)",
                "文件已被新文件替换（轮转）"
            )
        } else if about.len() < self.position {
            if self.file.seek(std::io::SeekFrom::Start(0)).await.is_err() {
                return false;
            }
            self.cutter.finish(clock::wall(), batch);
            self.position = 0;
            word!(
                "the file was truncated and is read from its start",
                "文件被截断，从头读取"
            )
        } else {
            return false;
        };
        batch.push_mark(Mark::Notice(SafeText::of(words).into_owned()));
        true
    }
}

fn fault(what: &str, why: &std::io::Error) -> Fault {
    Fault::new(
        FaultKind::Lost,
        what,
        say!("it can't be read: {why}", "无法读取：{why}"),
        word!("check the file and the disk", "请检查文件和磁盘"),
    )
}

async fn end<B>(outlet: &mut Outlet<B>, fault: Option<Fault>) {
    let reason = fault.map_or(EndReason::Finished, EndReason::Fault);
    outlet.state(LinkState::Ended(reason));
    outlet.flush().await;
}

/// The program wants no more: what waits is handed on, and of a line that is not whole all that
/// there is yet. A piece of one that goes on is no line.
async fn last_words<B>(open: Option<&mut LineCutter>, outlet: &mut Outlet<B>) {
    if let Some(cutter) = open {
        let mut batch = RawBatch::default();
        cutter.finish(clock::wall(), &mut batch);
        outlet.lines(batch);
    }
    end(outlet, None).await;
}

/// Waits until everything is taken. False if the program wants no more.
async fn flush<B>(outlet: &mut Outlet<B>, orders: &mut mpsc::Receiver<Command>) -> bool {
    tokio::select! {
        biased;
        () = stopped(orders) => false,
        () = outlet.flush() => true,
    }
}

async fn stopped(orders: &mut mpsc::Receiver<Command>) {
    loop {
        match orders.recv().await {
            Some(Command::Reconnect) => {}
            Some(Command::Stop) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FeedUpdate, TargetId};
    use crate::source::Lag;

    fn cut(pieces: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
        let (mut cutter, mut batch) = (LineCutter::default(), RawBatch::default());
        for piece in pieces {
            cutter.feed(piece, Micros(0), &mut batch);
        }
        cutter.finish(Micros(0), &mut batch);
        let row = |(index, row): (usize, &crate::model::RawRow)| {
            (
                batch.line(index).to_vec(),
                row.flags.has(RowFlags::CONTINUES),
            )
        };
        batch.rows().iter().enumerate().map(row).collect()
    }

    #[tokio::test]
    async fn what_was_read_before_a_stop_is_handed_on_to_its_last_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let numbers: Vec<String> = (0..40_000).map(|n| format!("line {n}")).collect();
        // The first read ends inside of a line.
        let text = numbers.join("\n");
        assert_ne!(text.as_bytes()[CHUNK - 1], b'\n');
        std::fs::write(&path, &text).unwrap();
        let (sender, mut inbox) = mpsc::channel(1);
        let outlet = Outlet::new(TargetId(0), sender, crate::source::as_received, Lag::Block);
        let (orders, receiver) = mpsc::channel(1);
        let work = tokio::spawn(run_file(path, true, receiver, outlet));
        // Its first lines stand in the way of what it reads then; it is told to stop.
        let first = inbox.recv().await.map(|(_, update)| update);
        assert!(matches!(
            first,
            Some(FeedUpdate::State(LinkState::Replaying))
        ));
        while inbox.is_empty() {
            tokio::task::yield_now().await;
        }
        orders.send(Command::Stop).await.unwrap();
        let (mut lines, mut ended) = (0u32, false);
        while let Some((_, update)) = inbox.recv().await {
            match update {
                FeedUpdate::Lines(batch) => {
                    for at in 0..batch.rows().len() {
                        assert_eq!(batch.line(at), format!("line {lines}").as_bytes());
                        lines += 1;
                    }
                }
                FeedUpdate::State(state) => ended |= matches!(state, LinkState::Ended(_)),
            }
        }
        assert!(ended && lines > 0, "{lines}");
        work.await.unwrap();
    }

    #[test]
    fn lines_are_the_same_from_every_split() {
        let text = b"a\n\nbc\r\n\xff\x00\nlast";
        let want = cut(&[text]);
        let lines: Vec<&[u8]> = want.iter().map(|(line, _)| line.as_slice()).collect();
        assert_eq!(lines, [&b"a"[..], b"", b"bc\r", b"\xff\x00", b"last"]);
        for at in 0..text.len() {
            assert_eq!(cut(&[&text[..at], &text[at..]]), want, "split at {at}");
        }
        assert_eq!(cut(&[b"a\n"]).len(), 1);
        assert_eq!(cut(&[b""]).len(), 0);
    }

    #[test]
    fn a_line_of_64_mib_is_cut_into_pieces_that_make_it_whole() {
        let long = vec![b'x'; 64 << 20];
        for chunk in [1 << 20, 64 << 20] {
            let mut pieces: Vec<&[u8]> = long.chunks(chunk).collect();
            pieces.push(b"tail\nnext\n");
            let lines = cut(&pieces);
            let total: usize = lines.iter().map(|(line, _)| line.len()).sum();
            assert_eq!(total, (64 << 20) + 8);
            assert!(lines.iter().all(|(line, _)| line.len() <= MAX_MESSAGE));
            let ends = lines.iter().filter(|(_, continues)| !continues).count();
            assert_eq!(ends, 2, "two newlines were read");
            assert_eq!(lines.last().unwrap().0, b"next");
        }
    }
}
