//! Lines of the pod log stream (protocols.md 3.2): a Kubernetes time stamp, a blank, the line;
//! where a pod has several containers, `[container] ` in front of all that.

use jiff::Timestamp;

/// One line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PodLine<'a> {
    /// Its container, where the server names it.
    pub container: Option<&'a [u8]>,
    /// When the container wrote it, to the nanosecond; none where there is no stamp.
    pub stamp: Option<Timestamp>,
    /// What the container wrote.
    pub text: &'a [u8],
}

/// Reads the data of one event.
pub fn decode(data: &[u8]) -> PodLine<'_> {
    if let Some((stamp, text)) = stamped(data) {
        return PodLine {
            container: None,
            stamp: Some(stamp),
            text,
        };
    }
    // A line of a container that begins with a bracket has its stamp before it.
    if let Some(rest) = data.strip_prefix(b"[")
        && let Some(end) = memchr::memmem::find(rest, b"] ")
        && let (name, rest) = rest.split_at(end)
        && let Some((stamp, text)) = stamped(rest.get(2..).unwrap_or(&[]))
    {
        return PodLine {
            container: Some(name),
            stamp: Some(stamp),
            text,
        };
    }
    PodLine {
        container: None,
        stamp: None,
        text: data,
    }
}

/// The longest stamp: `2006-01-02T15:04:05.000000000+08:00`.
const STAMP: usize = 35;

fn stamped(data: &[u8]) -> Option<(Timestamp, &[u8])> {
    let head = data.get(..data.len().min(STAMP + 1))?;
    let end = memchr::memchr(b' ', head).unwrap_or(data.len());
    let (stamp, rest) = data.split_at(end);
    let shaped = stamp.len() >= 20 && stamp.get(10) == Some(&b'T');
    let stamp = std::str::from_utf8(stamp).ok().filter(|_| shaped)?;
    let stamp = stamp.parse().ok()?;
    Some((stamp, rest.get(1..).unwrap_or(&[])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_and_without_container_and_stamp_are_read() {
        let stamp: Timestamp = "2026-11-24T10:00:00.123456789Z".parse().unwrap();
        for (data, container, has_stamp, text) in [
            ("2026-11-24T10:00:00.123456789Z hello", None, true, "hello"),
            ("2026-11-24T10:00:00.123456789Z ", None, true, ""),
            ("2026-11-24T10:00:00.123456789Z", None, true, ""),
            (
                "2026-11-24T18:00:00.123456789+08:00  two",
                None,
                true,
                " two",
            ),
            (
                "[web] 2026-11-24T10:00:00.123456789Z hello",
                Some("web"),
                true,
                "hello",
            ),
            (
                "2026-11-24T10:00:00.123456789Z [web] x",
                None,
                true,
                "[web] x",
            ),
            ("[web] hello", None, false, "[web] hello"),
            ("hello", None, false, "hello"),
            ("", None, false, ""),
            (
                "2026-11-24 10:00:00 hello",
                None,
                false,
                "2026-11-24 10:00:00 hello",
            ),
            (
                "2026-99-24T10:00:00Z hello",
                None,
                false,
                "2026-99-24T10:00:00Z hello",
            ),
        ] {
            let line = decode(data.as_bytes());
            assert_eq!(line.container, container.map(str::as_bytes), "{data}");
            assert_eq!(line.stamp, has_stamp.then_some(stamp), "{data}");
            assert_eq!(line.text, text.as_bytes(), "{data}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_and_none_is_lost(data: Vec<u8>) {
            let line = decode(&data);
            proptest::prop_assert!(data.ends_with(line.text));
        }
    }
}
