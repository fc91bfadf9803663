//! L3: bounded facts. Log lines in segments of about 1 MiB that are evicted whole, what filters
//! and searches find in them, and a queue with a byte budget. No thread, no clock, no socket:
//! long scans are jobs that the caller runs where it likes ([`matching`]).

pub mod filter;
mod folded;
pub mod line;
pub mod log;
pub mod matches;
pub mod matching;
mod patch;
pub mod pattern;
pub mod scan;
pub mod segment;
pub mod series;
mod slices;
pub mod timeline;
pub mod volume;

pub use filter::{FilterSet, Layer, LayerKind, Who};
pub use line::{LineId, LineRef, MarkRef, Origin, Row};
pub use log::{Appended, Evicted, LogStore, SEGMENT_BYTES};
pub use matches::MatchList;
pub use matching::{Matching, ScanJob};
pub use pattern::{Case, Pattern};
pub use scan::Predicate;
pub use segment::Segment;
pub use series::{Column, Limits, SeriesStore};
pub use timeline::{Tick, TickKind, Timeline};
pub use volume::Volume;
