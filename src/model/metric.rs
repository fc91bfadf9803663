//! What can be measured of a component, and in which units people read it (protocols.md 3.5).

use crate::lang::{Words, words};

/// What the platform's own pages measure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Metric {
    /// CPU of each pod.
    Cpu,
    /// Resident memory of each pod.
    Memory,
    /// Bytes received by each pod.
    NetIn,
    /// Bytes sent by each pod.
    NetOut,
    /// Disk of the component.
    Disk,
    /// How long its requests take, in the mean.
    ResponseTime,
    /// Its requests.
    Throughput,
    /// Addresses that asked within five minutes.
    Online,
}

impl Metric {
    /// All of them, in the order of their charts.
    pub const ALL: [Self; 8] = [
        Self::Cpu,
        Self::Memory,
        Self::ResponseTime,
        Self::Throughput,
        Self::NetIn,
        Self::NetOut,
        Self::Online,
        Self::Disk,
    ];

    /// Its word in configurations, JSON and columns.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::NetIn => "net-in",
            Self::NetOut => "net-out",
            Self::Disk => "disk",
            Self::ResponseTime => "response-time",
            Self::Throughput => "throughput",
            Self::Online => "online",
        }
    }

    /// The metric of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.word() == word)
    }

    /// Its name for people.
    pub fn name(self) -> Words {
        match self {
            Self::Cpu => words("CPU", "CPU"),
            Self::Memory => words("memory", "内存"),
            Self::NetIn => words("network in", "网络流入"),
            Self::NetOut => words("network out", "网络流出"),
            Self::Disk => words("disk", "磁盘"),
            Self::ResponseTime => words("response time", "响应时间"),
            Self::Throughput => words("throughput", "吞吐率"),
            Self::Online => words("online users", "在线人数"),
        }
    }

    /// What its values count.
    pub fn unit(self) -> Unit {
        match self {
            Self::Cpu => Unit::Millicores,
            Self::Memory => Unit::Mebibytes,
            Self::NetIn | Self::NetOut => Unit::KibibytesPerSecond,
            Self::ResponseTime => Unit::Milliseconds,
            Self::Throughput => Unit::PerSecond,
            Self::Online => Unit::Count,
            Self::Disk => Unit::None,
        }
    }
}

/// What a value counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unit {
    /// Nothing that is known.
    #[default]
    None,
    /// Whole things.
    Count,
    /// Thousandths of a processor.
    Millicores,
    /// MiB, which the platform writes MB.
    Mebibytes,
    /// KiB a second, which the platform writes KB/s.
    KibibytesPerSecond,
    /// Milliseconds.
    Milliseconds,
    /// So many a second.
    PerSecond,
    /// Parts of a hundred.
    Percent,
}

impl Unit {
    /// The unit of a word in a configuration.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "" => Self::None,
            "count" => Self::Count,
            "m" => Self::Millicores,
            "MiB" => Self::Mebibytes,
            "KB/s" => Self::KibibytesPerSecond,
            "ms" => Self::Milliseconds,
            "/s" => Self::PerSecond,
            "%" => Self::Percent,
            _ => return None,
        })
    }

    /// Its word, the one that [`Unit::parse`] takes.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Count => "count",
            Self::Millicores => "m",
            Self::Mebibytes => "MiB",
            Self::KibibytesPerSecond => "KB/s",
            Self::Milliseconds => "ms",
            Self::PerSecond => "/s",
            Self::Percent => "%",
        }
    }

    /// A value in it, as people read it: three digits, and the next unit where that is shorter.
    pub fn show(self, value: f64) -> String {
        if value.is_infinite() {
            return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
        }
        if value.is_nan() {
            return "–".to_owned();
        }
        let size = value.abs();
        match self {
            Self::None | Self::Count => thousands(value),
            Self::Millicores if size >= 10_000.0 => format!("{} c", digits(value / 1000.0)),
            Self::Millicores => format!("{} m", digits(value)),
            Self::Mebibytes if size >= 1024.0 * 1024.0 => {
                format!("{} TiB", digits(value / 1024.0 / 1024.0))
            }
            Self::Mebibytes if size >= 1024.0 => format!("{} GiB", digits(value / 1024.0)),
            Self::Mebibytes if size > 0.0 && size < 1.0 => {
                format!("{} KiB", digits(value * 1024.0))
            }
            Self::Mebibytes => format!("{} MiB", digits(value)),
            Self::KibibytesPerSecond if size >= 1024.0 * 1024.0 => {
                format!("{} GB/s", digits(value / 1024.0 / 1024.0))
            }
            Self::KibibytesPerSecond if size >= 1024.0 => {
                format!("{} MB/s", digits(value / 1024.0))
            }
            Self::KibibytesPerSecond if size > 0.0 && size < 1.0 => {
                format!("{} B/s", digits(value * 1024.0))
            }
            Self::KibibytesPerSecond => format!("{} KB/s", digits(value)),
            Self::Milliseconds if size >= 60_000.0 => format!("{} min", digits(value / 60_000.0)),
            Self::Milliseconds if size >= 1000.0 => format!("{} s", digits(value / 1000.0)),
            Self::Milliseconds => format!("{} ms", digits(value)),
            Self::PerSecond => format!("{}/s", thousands(value)),
            Self::Percent => format!("{} %", digits(value)),
        }
    }

    /// The same without another unit than its own, for those who compare (`u`).
    pub fn show_plain(self, value: f64) -> String {
        if !value.is_finite() {
            return self.show(value);
        }
        let gap = if matches!(self, Self::None | Self::Count | Self::PerSecond) {
            ""
        } else {
            " "
        };
        let word = if self == Self::Count { "" } else { self.word() };
        format!("{}{gap}{word}", digits(value))
    }
}

/// Three digits that count; whole numbers from 100 on.
fn digits(value: f64) -> String {
    let size = value.abs();
    let places = match size {
        _ if size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    if !text.contains('.') {
        return text;
    }
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0" } else { short }.to_owned()
}

fn thousands(value: f64) -> String {
    for (limit, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")] {
        if value.abs() >= limit {
            let one = if limit < 1e6 { 1e3 } else { limit };
            return format!("{}{letter}", digits(value / one));
        }
    }
    digits(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_people() {
        for (unit, value, want) in [
            (Unit::Millicores, 230.4, "230 m"),
            (Unit::Millicores, 1500.0, "1500 m"),
            (Unit::Millicores, 12_000.0, "12 c"),
            (Unit::Mebibytes, 0.5, "512 KiB"),
            (Unit::Mebibytes, 512.25, "512 MiB"),
            (Unit::Mebibytes, 1536.0, "1.5 GiB"),
            (Unit::KibibytesPerSecond, 0.25, "256 B/s"),
            (Unit::KibibytesPerSecond, 12.34, "12.3 KB/s"),
            (Unit::KibibytesPerSecond, 4096.0, "4 MB/s"),
            (Unit::Milliseconds, 3.456, "3.46 ms"),
            (Unit::Milliseconds, 1234.0, "1.23 s"),
            (Unit::Milliseconds, 90_000.0, "1.5 min"),
            (Unit::PerSecond, 12.5, "12.5/s"),
            (Unit::PerSecond, 12_500.0, "12.5k/s"),
            (Unit::Count, 7.0, "7"),
            (Unit::None, 1.5e9, "1.5G"),
            (Unit::Percent, 99.99, "100 %"),
            (Unit::Count, -0.001, "0"),
            (Unit::Milliseconds, f64::INFINITY, "∞"),
            (Unit::Milliseconds, f64::NEG_INFINITY, "-∞"),
            (Unit::Milliseconds, f64::NAN, "–"),
        ] {
            assert_eq!(unit.show(value), want, "{unit:?} {value}");
        }
        assert_eq!(Unit::Mebibytes.show_plain(1536.0), "1536 MiB");
        for metric in Metric::ALL {
            assert_eq!(Metric::parse(metric.word()), Some(metric));
            assert_eq!(Unit::parse(metric.unit().word()), Some(metric.unit()));
        }
    }
}
