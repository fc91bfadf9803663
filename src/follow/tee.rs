//! `-O`: a copy of the output in a file, or in a directory with a file per component, rotated
//! at a size.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::cli::plan::TeePlan;
use crate::word;

/// Files that are open at once; a hostile stream may name a new component each line.
const OPEN: usize = 64;

/// Components with a file of their own; what more there are share one.
const NAMES: usize = 1000;
/// Their file; no component's name becomes this.
const OTHERS: &str = "%others.log";

/// Bytes of a file's name, which may have 255 with what rotating appends.
const LONGEST: usize = 200;

/// The files of a tee.
#[derive(Debug)]
pub struct Tee {
    plan: TeePlan,
    files: HashMap<String, Open>,
    /// The names that have a file.
    names: HashSet<String>,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// A device or a pipe is not: it has no size, and is not moved away.
    rotates: bool,
}

impl Tee {
    /// Opens the file, or makes the directory.
    pub fn open(plan: TeePlan) -> io::Result<Self> {
        let mut tee = Self {
            plan,
            files: HashMap::new(),
            names: HashSet::new(),
        };
        if tee.plan.per_component {
            std::fs::create_dir_all(&tee.plan.path)?;
        } else {
            tee.file("")?;
        }
        Ok(tee)
    }

    /// Whether each component has its own file.
    pub fn per_component(&self) -> bool {
        self.plan.per_component
    }

    /// Appends whole records of `component`.
    pub fn write(&mut self, component: &str, records: &[u8]) -> io::Result<()> {
        let key = if self.plan.per_component {
            self.named(component)
        } else {
            String::new()
        };
        let mut rest = records;
        while !rest.is_empty() {
            let most = self.plan.rotate_size;
            let open = self.file(&key)?;
            let fits = if open.rotates {
                fitting(rest, most.saturating_sub(open.size), open.size == 0)
            } else {
                rest.len()
            };
            if fits == 0 {
                self.files.remove(&key);
                rotate(&self.path(&key), self.plan.keep)?;
                continue;
            }
            let (now, later) = rest.split_at(fits);
            let open = self.file(&key)?;
            open.file.write_all(now)?;
            open.size += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    /// A component's file name.
    fn named(&mut self, component: &str) -> String {
        let name = file_name(component);
        if self.names.len() >= NAMES && !self.names.contains(&name) {
            return OTHERS.to_owned();
        }
        if !self.names.contains(&name) {
            self.names.insert(name.clone());
        }
        name
    }

    fn file(&mut self, key: &str) -> io::Result<&mut Open> {
        if !self.files.contains_key(key) {
            if self.files.len() >= OPEN {
                self.files.clear();
            }
            // A pipe that nobody reads is refused and not waited for.
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .custom_flags(flags)
                .open(self.path(key))?;
            fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
            let meta = file.metadata()?;
            let (size, rotates) = (meta.len(), meta.is_file());
            let open = Open {
                file,
                size,
                rotates,
            };
            self.files.insert(key.to_owned(), open);
        }
        self.files
            .get_mut(key)
            .ok_or_else(|| io::Error::other(word!("the file is gone", "文件已不存在")))
    }

    fn path(&self, key: &str) -> PathBuf {
        if key.is_empty() {
            self.plan.path.clone()
        } else {
            self.plan.path.join(key)
        }
    }
}

/// How many bytes of `records`, in whole lines, go into a file that has so much `room`. An empty
/// file takes one line of any length.
fn fitting(records: &[u8], room: u64, empty: bool) -> usize {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if records.len() <= room {
        return records.len();
    }
    let start = records.get(..room).unwrap_or(records);
    match memchr::memrchr(b'\n', start) {
        Some(at) => at + 1,
        None if empty => memchr::memchr(b'\n', records).map_or(records.len(), |at| at + 1),
        None => 0,
    }
}

/// `x` → `x.1` → `x.2` …; the oldest goes. Files that someone else took away are gone.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    let gone = |done: io::Result<()>| match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    if keep == 0 {
        return gone(std::fs::remove_file(path));
    }
    for number in (1..keep).rev() {
        gone(std::fs::rename(numbered(number), numbered(number + 1)))?;
    }
    gone(std::fs::rename(path, numbered(1)))
}

/// A component's file name: what a server names can't leave the directory. A name that is cut
/// ends with a number of the whole.
fn file_name(component: &str) -> String {
    let mut name = String::new();
    for byte in component.bytes() {
        if name.len() >= LONGEST {
            let mut whole = DefaultHasher::new();
            component.hash(&mut whole);
            // Writing to a string can't fail.
            let _ = write!(name, "~{:016x}", whole.finish());
            break;
        }
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || byte == b'.' && !name.is_empty()
        {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    if name.is_empty() {
        name.push('_');
    }
    name + ".log"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(path: &Path, per_component: bool) -> TeePlan {
        TeePlan {
            path: path.to_owned(),
            per_component,
            rotate_size: 10,
            keep: 2,
        }
    }

    #[test]
    fn a_file_is_rotated_at_its_size_and_only_whole_records_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        let mut tee = Tee::open(plan(&path, false)).unwrap();
        for record in ["111111\n", "222222\n", "333333\n", "444444\n"] {
            tee.write("any", record.as_bytes()).unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).ok();
        assert_eq!(read("x.log").as_deref(), Some("444444\n"));
        assert_eq!(read("x.log.1").as_deref(), Some("333333\n"));
        assert_eq!(read("x.log.2").as_deref(), Some("222222\n"));
        assert_eq!(read("x.log.3"), None);
    }

    #[test]
    fn long_names_and_any_number_of_them_have_files() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("d");
        let plan = TeePlan {
            rotate_size: 1000,
            ..plan(&inside, true)
        };
        let mut tee = Tee::open(plan).unwrap();
        let long = "订单".repeat(50);
        for name in [&long, &format!("{long}1"), &format!("{long}2"), &long] {
            tee.write(name, b"a\n").unwrap();
        }
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), 3);
        for number in 0..NAMES + 5 {
            tee.write(&number.to_string(), b"b\n").unwrap();
        }
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), NAMES + 1);
        let others = std::fs::read_to_string(inside.join(OTHERS)).unwrap();
        assert_eq!(others, "b\n".repeat(5 + 3));
    }

    #[test]
    fn only_files_are_rotated_and_one_that_was_moved_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let device = dir.path().join("device");
        std::os::unix::fs::symlink("/dev/null", &device).unwrap();
        let mut tee = Tee::open(plan(&device, false)).unwrap();
        for _ in 0..4 {
            tee.write("any", b"111111\n").unwrap();
        }
        let names = || std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(names(), 1);
        let path = dir.path().join("x.log");
        let mut tee = Tee::open(plan(&path, false)).unwrap();
        tee.write("any", b"111111\n").unwrap();
        std::fs::rename(&path, dir.path().join("elsewhere")).unwrap();
        tee.write("any", b"222222\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "222222\n");
        assert_eq!(names(), 3);
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let mode = rustix::fs::Mode::RWXU;
        let kind = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
        assert!(Tee::open(plan(&pipe, false)).is_err());
        let mut reader = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe)
            .unwrap();
        let mut tee = Tee::open(plan(&pipe, false)).unwrap();
        tee.write("any", b"111111\n222222\n").unwrap();
        let mut read = [0; 14];
        io::Read::read_exact(&mut reader, &mut read).unwrap();
        assert_eq!(&read, b"111111\n222222\n");
    }

    #[test]
    fn no_component_leaves_the_directory_and_files_are_reopened() {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("d");
        let mut tee = Tee::open(plan(&inside, true)).unwrap();
        for index in 0..OPEN + 5 {
            tee.write(&format!("c{index}"), b"a\n").unwrap();
        }
        tee.write("c0", b"b\n").unwrap();
        for name in ["../../etc/passwd", "..", "", "a/b", "\u{0}"] {
            tee.write(name, b"x\n").unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(inside.join("c0.log")).unwrap(),
            "a\nb\n"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(std::fs::read_dir(&inside).unwrap().count(), OPEN + 5 + 5);
    }
}
