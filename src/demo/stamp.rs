//! The shop's wall clock in the shapes that logs write it in. The shop keeps China's time.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ZonedDateTime};

use crate::model::Micros;

/// One moment.
#[derive(Clone, Debug)]
pub(super) struct Stamp(ZonedDateTime);

impl Stamp {
    pub(super) fn new(at: Micros) -> Self {
        let moment = Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        Self(moment.to_zoned_datetime(TimeZone::fixed(Offset::constant(8))))
    }

    fn write(&self, shape: &str) -> String {
        self.0.strftime(shape).to_string()
    }

    /// `2026-11-24T09:58:48+08:00`, as the platform's events have it.
    pub(super) fn rfc3339(&self) -> String {
        self.write("%Y-%m-%dT%H:%M:%S%:z")
    }

    /// The same with milliseconds.
    pub(super) fn rfc3339_millis(&self) -> String {
        self.write("%Y-%m-%dT%H:%M:%S%.3f%:z")
    }

    /// `2026-11-24T01:58:48.123456789Z`, as a node writes it before each line; what is behind the
    /// microsecond follows from the line's number.
    pub(super) fn nanos(&self, number: u64) -> String {
        let moment = self
            .0
            .timestamp()
            .strftime("%Y-%m-%dT%H:%M:%S%.6f")
            .to_string();
        format!("{moment}{:03}Z", number % 1000)
    }

    /// `24/Nov/2026:09:58:48 +0800`, as nginx has it.
    pub(super) fn access(&self) -> String {
        self.write("%d/%b/%Y:%H:%M:%S %z")
    }

    /// `2026-11-24 09:58:48.123`, as logback has it.
    pub(super) fn logback(&self) -> String {
        self.write("%Y-%m-%d %H:%M:%S%.3f")
    }

    /// `2026-11-24 09:58:48,123`, as Python has it.
    pub(super) fn python(&self) -> String {
        self.logback().replace('.', ",")
    }

    /// `2026-11-24 09:58:48`.
    pub(super) fn plain(&self) -> String {
        self.write("%Y-%m-%d %H:%M:%S")
    }

    /// `1124 09:58:48.123456`, as klog has it behind its letter.
    pub(super) fn klog(&self) -> String {
        self.write("%m%d %H:%M:%S%.6f")
    }

    /// `9:58AM`, as the old monitor has it.
    pub(super) fn kitchen(&self) -> String {
        self.write("%-I:%M%p")
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;
    use crate::model::Micros;

    #[test]
    fn one_moment_in_all_shapes() {
        let stamp = Stamp::new(Micros(1_795_485_528_123_456));
        for (got, want) in [
            (stamp.rfc3339(), "2026-11-24T09:58:48+08:00"),
            (stamp.rfc3339_millis(), "2026-11-24T09:58:48.123+08:00"),
            (stamp.nanos(1007), "2026-11-24T01:58:48.123456007Z"),
            (stamp.access(), "24/Nov/2026:09:58:48 +0800"),
            (stamp.logback(), "2026-11-24 09:58:48.123"),
            (stamp.python(), "2026-11-24 09:58:48,123"),
            (stamp.plain(), "2026-11-24 09:58:48"),
            (stamp.klog(), "1124 09:58:48.123456"),
            (stamp.kitchen(), "9:58AM"),
        ] {
            assert_eq!(got, want);
        }
    }
}
