//! The writing thread: standard output and the tee may block, the loop that reads signals and
//! sources must not.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};

use crate::model::words;
use crate::say;

use super::tee::Tee;

/// Blocks of output that may wait for the thread, of up to 256 KiB each.
const BLOCKS: usize = 4;
/// A pipe that is ready for writing takes so much without blocking (POSIX's `PIPE_BUF`).
pub(super) const AT_ONCE: usize = 4096;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Block {
    /// For standard output, and for a tee that is one file.
    pub out: Vec<u8>,
    /// For the files of components.
    pub parts: Vec<(String, Vec<u8>)>,
}

/// Why writing ended.
#[derive(Debug)]
pub enum WriteEnd {
    /// The reader closed the pipe: no error.
    Closed,
    /// The disk is full, or the like; the text names the thing.
    Failed(String),
}

/// The way to the writing thread.
#[derive(Debug)]
pub struct Sink {
    /// Give blocks here; dropping it ends the thread after the last.
    pub blocks: Option<mpsc::Sender<Block>>,
    /// Standard output, where it is a pipe and there is no tee.
    pipe: Option<File>,
    /// Blocks that were given and are not written yet.
    waiting: Arc<AtomicUsize>,
    /// None once its end was told.
    ended: Option<oneshot::Receiver<Option<WriteEnd>>>,
    _thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts the thread.
    pub fn start(tee: Option<Tee>) -> io::Result<Self> {
        let stdout = File::from(rustix::io::dup(rustix::stdio::stdout())?);
        let is_pipe = rustix::fs::fstat(&stdout)
            .is_ok_and(|about| rustix::fs::FileType::from_raw_mode(about.st_mode).is_fifo());
        let pipe = (is_pipe && tee.is_none())
            .then(|| stdout.try_clone().ok())
            .flatten();
        let (blocks, inbox) = mpsc::channel(BLOCKS);
        let (done, ended) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || {
                drop(done.send(write_all(stdout, tee, inbox, &written)));
            })?;
        Ok(Self {
            blocks: Some(blocks),
            pipe,
            waiting,
            ended: Some(ended),
            _thread: Some(thread),
        })
    }

    /// A block that is given to [`Sink::blocks`] is on its way.
    pub fn given(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// Writes a few lines at once, without waking the thread: into a pipe that is ready, when
    /// nothing waits before them. False if that can't be; an error is left to the thread.
    pub fn write_now(&mut self, out: &[u8]) -> bool {
        let Some(pipe) = &mut self.pipe else {
            return false;
        };
        if out.len() > AT_ONCE || self.waiting.load(Ordering::Acquire) > 0 {
            return false;
        }
        let ready = writable(&*pipe, 0).is_ok_and(|found| found == PollFlags::OUT);
        // Up to PIPE_BUF is written whole or not at all.
        ready && pipe.write(out).is_ok_and(|written| written == out.len())
    }

    /// Waits for an end that the thread came to by itself, or for its last block after
    /// [`Sink::blocks`] is taken; an end is told once. Cancel-safe.
    pub async fn ended(&mut self) -> Option<WriteEnd> {
        let end = self.ended.as_mut()?.await.unwrap_or(None);
        self.ended = None;
        end
    }
}

/// What there is to know of writing to `fd`, within so many seconds: [`PollFlags::OUT`] if a
/// little can be written without blocking, an error or a reader that is gone beside it, nothing
/// if it has to be waited for still.
pub(super) fn writable(fd: impl AsFd, seconds: i64) -> Result<PollFlags, Errno> {
    let mut fds = [PollFd::new(&fd, PollFlags::OUT)];
    let patience = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&patience))?;
    let [fd] = fds;
    Ok(fd.revents())
}

fn write_all(
    mut stdout: File,
    mut tee: Option<Tee>,
    mut inbox: mpsc::Receiver<Block>,
    waiting: &AtomicUsize,
) -> Option<WriteEnd> {
    while let Some(block) = inbox.blocking_recv() {
        let failed = write(&mut stdout, tee.as_mut(), &block);
        waiting.fetch_sub(1, Ordering::AcqRel);
        if failed.is_some() {
            return failed;
        }
    }
    None
}

fn write(stdout: &mut File, tee: Option<&mut Tee>, block: &Block) -> Option<WriteEnd> {
    if let Err(error) = stdout.write_all(&block.out) {
        return Some(if error.kind() == io::ErrorKind::BrokenPipe {
            WriteEnd::Closed
        } else {
            WriteEnd::Failed(say!(
                "standard output: {}",
                "标准输出：{}",
                words::io_error(&error)
            ))
        });
    }
    let error = copy(tee?, block).err()?;
    Some(WriteEnd::Failed(say!(
        "the file of -O: {}",
        "-O 的文件：{}",
        words::io_error(&error)
    )))
}

fn copy(tee: &mut Tee, block: &Block) -> io::Result<()> {
    if !tee.per_component() {
        return tee.write("", &block.out);
    }
    block
        .parts
        .iter()
        .try_for_each(|(component, records)| tee.write(component, records))
}

/// Resolves when the reader of standard output is gone, without writing to it.
pub async fn reader_gone() {
    let (gone, told) = oneshot::channel();
    // The thread sleeps in poll(2) until the pipe breaks or the process ends.
    let watch = std::thread::Builder::new()
        .name("pipe".into())
        .spawn(move || {
            use rustix::event::{PollFd, PollFlags, poll};
            let stdout = rustix::stdio::stdout();
            loop {
                let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
                match poll(&mut fds, None) {
                    Ok(_) if fds.iter().any(|fd| fd.revents().intersects(PollFlags::ERR)) => {
                        let _ = gone.send(());
                        return;
                    }
                    Err(Errno::INTR) => {}
                    Ok(_) | Err(_) => return,
                }
            }
        });
    if watch.is_err() || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}
