//! `-O`: a copy of the output in a file, or in a directory with a file per component, rotated
//! at a size.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::plan::TeePlan;
use crate::word;

/// Files that are open at once; a hostile stream may name a new component each line.
const OPEN: usize = 64;

/// The files of a tee.
#[derive(Debug)]
pub struct Tee {
    plan: TeePlan,
    files: HashMap<String, (File, u64)>,
}

impl Tee {
    /// Opens the file, or makes the directory.
    pub fn open(plan: TeePlan) -> io::Result<Self> {
        let mut tee = Self {
            plan,
            files: HashMap::new(),
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
            file_name(component)
        } else {
            String::new()
        };
        let mut rest = records;
        while !rest.is_empty() {
            let size = self.file(&key)?.1;
            let fits = fitting(rest, self.plan.rotate_size.saturating_sub(size), size == 0);
            if fits == 0 {
                self.files.remove(&key);
                rotate(&self.path(&key), self.plan.keep)?;
                continue;
            }
            let (now, later) = rest.split_at(fits);
            let (file, size) = self.file(&key)?;
            file.write_all(now)?;
            *size += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn file(&mut self, key: &str) -> io::Result<&mut (File, u64)> {
        if !self.files.contains_key(key) {
            if self.files.len() >= OPEN {
                self.files.clear();
            }
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(self.path(key))?;
            let size = file.metadata()?.len();
            self.files.insert(key.to_owned(), (file, size));
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

/// `x` → `x.1` → `x.2` …; the oldest goes.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return std::fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        if numbered(number).exists() {
            std::fs::rename(numbered(number), numbered(number + 1))?;
        }
    }
    std::fs::rename(path, numbered(1))
}

/// A component's file name: what a server names can't leave the directory.
fn file_name(component: &str) -> String {
    let mut name = String::new();
    for byte in component.bytes().take(100) {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || byte == b'.' && !name.is_empty()
        {
            name.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
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
