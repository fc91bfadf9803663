//! Standard input and output, on threads of their own: both may wait without end.

use std::io::{self, Read, Write};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// What one read of standard input may bring, in bytes.
const READ: usize = 8 << 10;
/// Pieces that wait on either side. With a full queue the reader, or the connection, waits.
const WAITING: usize = 16;

/// Reads standard input to its end. Between two reads it stays interruptible by the process's
/// end alone.
pub(super) fn input() -> io::Result<mpsc::Receiver<Bytes>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new()
        .name("standard input".into())
        .spawn(move || {
            let mut stdin = io::stdin().lock();
            let mut buffer = vec![0; READ];
            loop {
                match stdin.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => {
                        let piece = buffer.get(..count).unwrap_or(&[]);
                        if sender.blocking_send(Bytes::copy_from_slice(piece)).is_err() {
                            return;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        })?;
    Ok(receiver)
}

/// Standard output: bytes in, in order, flushed after each piece.
pub(super) struct Output {
    pieces: mpsc::Sender<Bytes>,
    writer: JoinHandle<io::Result<()>>,
}

impl Output {
    /// Starts the writer.
    pub(super) fn start() -> Self {
        let (pieces, mut waiting) = mpsc::channel::<Bytes>(WAITING);
        let writer = tokio::task::spawn_blocking(move || {
            let mut stdout = io::stdout().lock();
            while let Some(piece) = waiting.blocking_recv() {
                stdout.write_all(&piece)?;
                stdout.flush()?;
            }
            Ok(())
        });
        Self { pieces, writer }
    }

    /// Waits for room and writes what waits; false when nobody reads any more. Cancel-safe.
    pub(super) async fn write(&self, waiting: &mut Option<Bytes>) -> bool {
        let Ok(permit) = self.pieces.reserve().await else {
            return false;
        };
        if let Some(piece) = waiting.take() {
            permit.send(piece);
        }
        true
    }

    /// Waits until everything is written, and this behind it.
    pub(super) async fn finish_with(self, last: Option<Bytes>) -> io::Result<()> {
        let mut last = last;
        if last.is_some() {
            self.write(&mut last).await;
        }
        self.finish().await
    }

    /// Waits until everything is written.
    pub(super) async fn finish(self) -> io::Result<()> {
        drop(self.pieces);
        self.writer.await.unwrap_or(Ok(()))
    }
}
