//! Tokens: read from a file, from what a command prints, from what `login` stored; and stored
//! (reliability.md 5). A file that others can read is refused.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use crate::model::context::Credential;
use crate::model::{Fault, FaultKind, words};
use crate::say;
use crate::text::SafeText;
use crate::text::redact::Secret;
use crate::transport::aside::aside;

use super::keyring;

/// A command, or a file, may take so long.
const COMMAND: Duration = Duration::from_secs(10);
/// A token is short.
const LONGEST: u64 = 64 << 10;

/// The token of a source; none where there is none.
pub async fn read(source: &Credential) -> Result<Option<Secret>, Fault> {
    match source {
        Credential::None => Ok(None),
        Credential::Given(token) => Ok(Some(token.clone())),
        Credential::File(path) => in_time(path, |path| file(path).map(Some)).await,
        Credential::Command(words) => command(words).await.map(Some),
        Credential::Stored { name, file: path } => {
            if let Some(token) = keyring::read(name).await? {
                return Ok(Some(token));
            }
            let stored = |path: &Path| match fs::symlink_metadata(path) {
                Ok(_) => file(path).map(Some),
                Err(_) => Ok(None),
            };
            in_time(path, stored).await
        }
    }
}

/// Reads a file so that a disk that does not answer holds up nothing else.
async fn in_time(
    path: &Path,
    read: fn(&Path) -> Result<Option<Secret>, Fault>,
) -> Result<Option<Secret>, Fault> {
    let of = path.to_owned();
    if let Some(read) = aside(path, COMMAND, move || read(&of)).await {
        return read;
    }
    let why = say!("it was not read in 10 s", "10 秒内没有读完");
    let next = say!("check the disk that it is on", "请检查它所在的磁盘");
    Err(denied(&name(path), why, next))
}

fn name(path: &Path) -> String {
    say!("the token's file {}", "令牌文件 {}", path.display())
}

fn denied(what: &str, why: String, next: String) -> Fault {
    Fault::new(FaultKind::Denied, what, why, next)
}

/// The first line of a file that is ours alone.
fn file(path: &Path) -> Result<Secret, Fault> {
    let what = name(path);
    let unreadable = |error: std::io::Error| {
        let error = words::io_error(&error);
        let why = say!("it can't be read ({error})", "无法读取（{error}）");
        denied(&what, why, say!("check the path", "请检查路径"))
    };
    let mut open = File::options();
    // A link could lead anywhere, and a pipe would be waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let file = open
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    let mode = meta.mode() & 0o777;
    if !meta.is_file() {
        let why = say!("it is no plain file", "它不是普通文件");
        return Err(denied(&what, why, say!("name a file", "请指定一个文件")));
    }
    if mode & 0o077 != 0 {
        let why = say!(
            "others can read it (mode {mode:o})",
            "其他用户可以读取它（权限 {mode:o}）"
        );
        let next = format!("chmod 600 {}", path.display());
        return Err(denied(&what, why, next));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        let why = say!("it belongs to another user", "它属于另一个用户");
        let next = say!("make it yours", "请改为归您所有");
        return Err(denied(&what, why, next));
    }
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    first_line(&what, text)
}

fn first_line(what: &str, mut text: String) -> Result<Secret, Fault> {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    text.truncate(end);
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let why = say!("it holds no token", "其中没有令牌");
        let next = say!("the first line is the token", "第一行应当是令牌");
        return Err(denied(what, why, next));
    }
    Ok(Secret::new(token))
}

/// What a command prints; it runs without a shell, and gets none of our secrets.
async fn command(line: &[String]) -> Result<Secret, Fault> {
    let name = line.first().map_or("", String::as_str);
    let what = format!("credential-command {name}");
    let check = || say!("run it by hand", "请手动运行它检查");
    let mut child = Command::new(name)
        .args(line.get(1..).unwrap_or(&[]))
        .env_remove("DECKWATCH_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let error = words::io_error(&error);
            let why = say!("it can't be run ({error})", "无法运行（{error}）");
            denied(&what, why, check())
        })?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let read = async {
        let (mut text, mut told) = (String::new(), Vec::new());
        if let Some(out) = out {
            let _ = out.take(LONGEST).read_to_string(&mut text).await;
        }
        if let Some(err) = err {
            let _ = err.take(500).read_to_end(&mut told).await;
        }
        (child.wait().await, text, told)
    };
    let Ok((status, text, told)) = timeout(COMMAND, read).await else {
        let why = say!("it did not end in 10 s", "10 秒内没有结束");
        return Err(denied(&what, why, check()));
    };
    let ended_well = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    if !ended_well {
        let told = SafeText::new(&told).to_string().trim().to_owned();
        let why = say!("it failed: {told}", "它失败了：{told}");
        return Err(denied(&what, why, check()));
    }
    first_line(&what, text)
}

/// Writes a token where only we can read it: a new file of mode 0600 takes the old one's place.
pub fn store(path: &Path, token: &Secret) -> Result<(), Fault> {
    let unwritable = |error: std::io::Error| {
        let error = words::io_error(&error);
        Fault::new(
            FaultKind::Output,
            path.display().to_string(),
            say!("it can't be written ({error})", "无法写入（{error}）"),
            say!("check the directory", "请检查目录"),
        )
    };
    if let Some(folder) = path.parent() {
        private_folder(folder).map_err(unwritable)?;
    }
    let fresh = path.with_extension(format!("{:08x}.new", fastrand::u32(..)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| {
            file.write_all(token.expose().as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        drop(fs::remove_file(&fresh));
    }
    written.map_err(unwritable)
}

/// A directory for us alone.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Forgets what [`store`] wrote; whether there was something.
pub fn forget(path: &Path) -> Result<bool, Fault> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            let error = words::io_error(&error);
            Err(Fault::new(
                FaultKind::Output,
                path.display().to_string(),
                say!("it can't be removed ({error})", "无法删除（{error}）"),
                say!("remove it by hand", "请手动删除"),
            ))
        }
    }
}
