//! States and marks in words, for standard error and for panes.

use crate::lang::{self, Lang};
use crate::say;
use crate::word;

use std::time::Duration;

use super::{Certainty, EndReason, LinkState, Mark};

/// A duration as people read it: `350 ms`, `4.2 s`, `3 m 20 s`.
pub fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0..1000 => format!("{millis} ms"),
        1000..100_000 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} m {} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// An input or output error's own words, without the error number behind them. The system says
/// them in English alone; those that are met most are said in Chinese here.
pub fn io_error(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let from_system = error.raw_os_error().is_some();
    if from_system && lang::current() == Lang::Zh {
        let words = match error.kind() {
            ErrorKind::NotFound => "没有那个文件或目录",
            ErrorKind::PermissionDenied => "没有权限",
            ErrorKind::AlreadyExists => "文件已存在",
            ErrorKind::IsADirectory => "这是目录",
            ErrorKind::NotADirectory => "不是目录",
            ErrorKind::StorageFull => "设备上没有剩余空间",
            ErrorKind::ReadOnlyFilesystem => "文件系统只读",
            ErrorKind::BrokenPipe => "管道已断开",
            ErrorKind::ConnectionRefused => "连接被拒绝",
            ErrorKind::ConnectionReset => "连接被重置",
            ErrorKind::ConnectionAborted => "连接被中止",
            ErrorKind::AddrInUse => "地址已被占用",
            ErrorKind::AddrNotAvailable => "地址不可用",
            ErrorKind::HostUnreachable => "主机不可达",
            ErrorKind::NetworkUnreachable => "网络不可达",
            ErrorKind::NetworkDown => "网络已断开",
            ErrorKind::TimedOut => "超时",
            _ => "",
        };
        if !words.is_empty() {
            return words.to_owned();
        }
    }
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A number with thousands separated.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as people read them.
pub fn bytes(number: u64) -> String {
    match number {
        0..1024 => format!("{number} B"),
        1024..1_048_576 => format!("{} KiB", number >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", number >> 20),
        _ => format!(
            "{}.{} GiB",
            number >> 30,
            ((number >> 20) % 1024) * 10 / 1024
        ),
    }
}

/// A rate of lines.
pub fn lines_per_second(rate: f64) -> String {
    say!("{rate:.1} lines/s", "{rate:.1} 行/s")
}

/// A mark in one line of words.
pub fn mark(mark: &Mark) -> String {
    match mark {
        Mark::Reconnected {
            away,
            why,
            certainty,
            hidden,
        } => {
            let away = duration(*away);
            let loss = loss(*certainty);
            let text = say!(
                "reconnected after {away} ({why}), {loss}",
                "{away} 后重连（{why}），{loss}"
            );
            with_hidden(text, *hidden)
        }
        Mark::Gap {
            why,
            certainty,
            hidden,
            missing,
        } => {
            let text = match (certainty, missing) {
                (Certainty::None, _) => why.to_string(),
                (Certainty::Possible, _) => say!("possible gap: {why}", "可能有缺口：{why}"),
                (Certainty::Certain, None) => say!("gap: {why}", "缺口：{why}"),
                (Certainty::Certain, Some(1)) => {
                    say!("gap: 1 line is missing; {why}", "缺口：缺失 1 行；{why}")
                }
                (Certainty::Certain, Some(lines)) => {
                    let lines = count(*lines);
                    say!(
                        "gap: {lines} lines are missing; {why}",
                        "缺口：缺失 {lines} 行；{why}"
                    )
                }
            };
            with_hidden(text, *hidden)
        }
        Mark::Dropped { lines } => say!(
            "{} lines were not kept: they came faster than they were taken",
            "{} 行未保留：到达快于接收",
            count(*lines)
        ),
        Mark::Join(name) => format!("+ {}", name.text()),
        Mark::Leave(name) => format!("- {}", name.text()),
        Mark::Notice(text) => text.to_string(),
    }
}

/// A grade in words.
fn loss(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::None => word!("no loss seen", "未见缺失"),
        Certainty::Possible => {
            word!(
                "possible gap: lines may be missing",
                "可能有缺口：可能有缺失的行"
            )
        }
        Certainty::Certain => word!(
            "gap: lines are missing, how many is unknown",
            "缺口：有缺失的行，数量未知"
        ),
    }
}

fn with_hidden(text: String, hidden: u64) -> String {
    if hidden == 0 {
        return text;
    }
    let hidden = count(hidden);
    say!(
        "{text}; ~{hidden} identical lines may have been hidden",
        "{text}；可能隐去了约 {hidden} 行相同的内容"
    )
}

/// A link's state in words.
pub fn state(state: &LinkState) -> String {
    match state {
        LinkState::Connecting(step) => step.to_string(),
        LinkState::Open => word!("connected, waiting for lines", "已连接，等待日志").into(),
        LinkState::Replaying => word!("reading the history", "正在读取历史").into(),
        LinkState::Live => word!("live", "实时").into(),
        LinkState::Stale => word!(
            "connected, but the server does not answer",
            "已连接，但服务端没有应答"
        )
        .into(),
        LinkState::Waiting {
            retry_in,
            attempt,
            why,
        } => {
            say!(
                "no connection: {why}; attempt {attempt} in {}",
                "未连接：{why}；{} 后第 {attempt} 次重试",
                duration(*retry_in)
            )
        }
        LinkState::Ended(reason) => end(reason),
    }
}

/// An end in words.
pub fn end(reason: &EndReason) -> String {
    match reason {
        EndReason::Finished => word!("ended", "已结束").into(),
        EndReason::Success(words) if words.as_str().is_empty() => {
            word!("ended well", "已成功结束").into()
        }
        EndReason::Success(words) => say!("ended well: {words}", "已成功结束：{words}"),
        EndReason::Failure(words) if words.as_str().is_empty() => word!("failed", "失败").into(),
        EndReason::Failure(words) => say!("failed: {words}", "失败：{words}"),
        EndReason::Fault(fault) => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_readable() {
        for (number, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), want);
        }
        for (number, want) in [
            (5, "5 B"),
            (2048, "2 KiB"),
            (640 << 20, "640 MiB"),
            (3 << 29, "1.5 GiB"),
        ] {
            assert_eq!(bytes(number), want);
        }
        for (millis, want) in [(0, "0 ms"), (4230, "4.2 s"), (200_000, "3 m 20 s")] {
            assert_eq!(duration(Duration::from_millis(millis)), want);
        }
    }
}
