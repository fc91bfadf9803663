//! Files that are read beside the tasks: a disk that does not answer holds up nothing else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

type Turns = HashMap<PathBuf, Arc<Mutex<()>>>;

/// Whose turn it is to read a file. One read of each stands at once, so that those that never
/// end take one thread and not all.
static TURNS: LazyLock<Mutex<Turns>> = LazyLock::new(Mutex::default);

/// What `read`, which reads the file at `path`, finds; none if that takes longer than `patience`.
pub async fn aside<T: Send + 'static>(
    path: &Path,
    patience: Duration,
    read: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let work = async {
        let turn = {
            let mut turns = TURNS.lock().await;
            Arc::clone(turns.entry(path.to_owned()).or_default())
        };
        let turn = turn.lock_owned().await;
        let reading = spawn_blocking(move || {
            let found = read();
            drop(turn);
            found
        });
        reading.await.ok()
    };
    timeout(patience, work).await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_file_that_does_not_come_takes_one_thread_and_no_others_turn() {
        let (end, ended) = mpsc::channel::<()>();
        let (begun, begins) = mpsc::channel();
        let path = Path::new("/a/file");
        let stuck = move || ended.recv().unwrap();
        assert_eq!(aside(path, Duration::from_millis(50), stuck).await, None);
        for _ in 0..3 {
            let begun = begun.clone();
            let more = move || begun.send(()).unwrap();
            assert_eq!(aside(path, Duration::from_millis(50), more).await, None);
        }
        assert!(begins.try_recv().is_err(), "no second one began");
        let other = Path::new("/b/file");
        assert_eq!(aside(other, Duration::from_secs(60), || 1).await, Some(1));
        end.send(()).unwrap();
        assert_eq!(aside(path, Duration::from_secs(60), || 2).await, Some(2));
    }
}
