//! A connection that speaks HTTP: request bodies in, answers and streams out, one after the other.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::demo::cut::Cut;
use crate::demo::link::End;
use crate::demo::truth::Recorder;

/// Bytes that cannot be written for so long end the connection.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// One connection.
pub(crate) struct Line<'a, S> {
    pub(crate) conn: u64,
    pub(crate) stream: &'a mut S,
    /// What the client sent behind the request.
    pub(crate) buffer: &'a mut BytesMut,
    pub(crate) cut: &'a mut watch::Receiver<Cut>,
    pub(crate) recorder: Recorder,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<'_, S> {
    /// A request's body; `None` if it is longer than it may be.
    pub(super) async fn body(
        &mut self,
        length: usize,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, End> {
        if length > limit {
            return Ok(None);
        }
        while self.buffer.len() < length {
            self.more().await?;
        }
        Ok(Some(self.buffer.split_to(length).to_vec()))
    }

    async fn more(&mut self) -> Result<(), End> {
        self.buffer.reserve(4096);
        tokio::select! {
            biased;
            _ = self.cut.changed() => Err(End::Cut(*self.cut.borrow())),
            read = self.stream.read_buf(self.buffer) => match read {
                Ok(0) | Err(_) => Err(End::Client),
                Ok(_) => Ok(()),
            },
        }
    }

    /// Waits until the client leaves or everybody is cut; what comes from it meanwhile is thrown
    /// away, so that it costs nothing.
    pub(crate) async fn over(&mut self) -> End {
        loop {
            if let Err(end) = self.more().await {
                return end;
            }
            self.buffer.clear();
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        tokio::select! {
            biased;
            _ = self.cut.changed() => Err(End::Cut(*self.cut.borrow())),
            wrote = timeout(WRITE_DEADLINE, self.stream.write_all(bytes)) => match wrote {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Client),
                Err(_) => Err(End::Server),
            },
        }
    }
}
