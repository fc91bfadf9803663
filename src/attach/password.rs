//! Where a password comes from (decision 15): a file, standard input, or the terminal without
//! echo. Never from the command line, and never shown.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

use rustix::termios::{
    LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush, tcgetattr,
    tcsetattr,
};

use crate::cli::plan::PasswordFrom;
use crate::codec::shell::ShellSpec;
use crate::model::{Fault, FaultKind, words};
use crate::say;
use crate::text::SafeText;
use crate::text::redact::Secret;
use crate::word;

/// A password is not longer, in bytes.
const LONGEST: usize = 4096;

/// User and password for a shell, if its URL names a user.
pub fn login(spec: &ShellSpec, from: &PasswordFrom) -> Result<Option<(String, Secret)>, Fault> {
    let Some(user) = spec.user.clone() else {
        return match from {
            PasswordFrom::Prompt => Ok(None),
            PasswordFrom::File(_) | PasswordFrom::Stdin => Err(usage(
                word!("the password", "密码"),
                word!("the URL names no user", "URL 中没有用户名"),
                word!("write user@ before the host", "请在主机前写 user@"),
            )),
        };
    };
    let password = match from {
        PasswordFrom::File(path) => {
            let what = path.display().to_string();
            let file = File::open(path).map_err(|error| {
                usage(
                    &what,
                    words::io_error(&error),
                    word!("check the path", "请检查路径"),
                )
            })?;
            let open = file
                .metadata()
                .is_ok_and(|file| file.is_file() && file.mode() & 0o077 != 0);
            if open {
                complain(&say!(
                    "deckwatch: {what}: other users can read this password; chmod 600 it\n",
                    "deckwatch: {what}：其他用户可以读取此密码；请执行 chmod 600\n"
                ));
            }
            first_line(file).map_err(|error| {
                usage(
                    &what,
                    words::io_error(&error),
                    word!("check the file", "请检查文件"),
                )
            })?
        }
        PasswordFrom::Stdin => first_line(io::stdin().lock()).map_err(|error| {
            usage(
                word!("standard input", "标准输入"),
                words::io_error(&error),
                word!("write the password there", "请从标准输入提供密码"),
            )
        })?,
        PasswordFrom::Prompt => {
            let host = spec.url.host_str().unwrap_or(word!("the server", "服务端"));
            ask(
                &say!(
                    "password of {} at {host}: ",
                    "{} 在 {host} 的密码：",
                    SafeText::of(&user)
                ),
                word!(
                    "give it with --password-file or --password-stdin",
                    "请用 --password-file 或 --password-stdin 提供"
                ),
            )?
        }
    };
    Ok(Some((user, password)))
}

fn usage(what: &str, why: impl Into<String>, next: &str) -> Fault {
    Fault::new(FaultKind::Usage, what, why, next)
}

/// Reads one line and nothing behind it: the rest may be meant for the shell.
pub fn first_line(mut from: impl Read) -> io::Result<Secret> {
    let mut line = Vec::with_capacity(LONGEST);
    let mut byte = [0];
    while line.len() < LONGEST {
        match from.read(&mut byte) {
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            // What ends a line on a terminal where it was cancelled.
            Ok(_) if byte == [3] => {
                line.push(3);
                break;
            }
            Ok(_) => line.extend_from_slice(&byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line)
        .map(Secret::new)
        .map_err(|_| io::Error::other(word!("it is no UTF-8", "不是 UTF-8")))
}

/// The modes that a terminal has before it is asked on.
pub(super) struct Echo(File, Termios);

impl Echo {
    /// Those of now.
    pub(super) fn keep() -> io::Result<Self> {
        let tty = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(tty.as_fd())?;
        Ok(Self(tty, before))
    }

    /// Gives them back to whoever waits for an answer that does not come. What was typed of it is
    /// no input of whoever reads next.
    pub(super) fn restore(mut self) {
        let _ = tcflush(self.0.as_fd(), QueueSelector::IFlush);
        let _ = tcsetattr(self.0.as_fd(), OptionalActions::Now, &self.1);
        drop(self.0.write_all(b"\n"));
    }
}

/// Asks for a secret on the terminal, wherever standard input is; `next` is what to do where
/// there is none. Ctrl-C leaves, and the terminal echoes again in any case.
pub fn ask(prompt: &str, next: &str) -> Result<Secret, Fault> {
    const CTRL_C: u8 = 3;
    let failed = |error: io::Error| {
        let error = words::io_error(&error);
        let why = say!(
            "there is no terminal to ask on ({error})",
            "没有可以询问的终端（{error}）"
        );
        usage(prompt.trim_end_matches([':', ' ', '：']), why, next)
    };
    let Echo(mut tty, before) = Echo::keep().map_err(failed)?;
    let mut silent = before.clone();
    silent.local_modes -= LocalModes::ECHO | LocalModes::ISIG;
    // Ctrl-C ends the line, and is read.
    silent.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    tty.write_all(prompt.as_bytes()).map_err(failed)?;
    tcsetattr(tty.as_fd(), OptionalActions::Flush, &silent)
        .map_err(|error| failed(error.into()))?;
    let answer = first_line(&tty);
    let _ = tcsetattr(tty.as_fd(), OptionalActions::Flush, &before);
    drop(tty.write_all(b"\n"));
    let answer = answer.map_err(failed)?;
    if answer.expose().as_bytes().contains(&CTRL_C) {
        let why = say!("it was not given", "没有输入");
        return Err(Fault::new(FaultKind::Interrupted, prompt, why, ""));
    }
    Ok(answer)
}

fn complain(line: &str) {
    drop(io::stderr().lock().write_all(line.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_nothing_behind_it() {
        for (text, want, rest) in [
            ("secret\nls\n", "secret", "ls\n"),
            ("secret\r\nls", "secret", "ls"),
            ("secret", "secret", ""),
            ("", "", ""),
        ] {
            let mut from = text.as_bytes();
            let password = first_line(&mut from).unwrap();
            assert_eq!((password.expose(), from), (want, rest.as_bytes()));
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
