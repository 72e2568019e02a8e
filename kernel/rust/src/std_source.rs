//! The source of the standard library, as rust-analyzer gets to see it.
//!
//! evcxr has rust-analyzer load a project twice, an empty one when it starts and then one with the
//! dependencies. Reading all of the library takes more than a second and 200 MB each time. So the
//! first project finds an empty library, and the second the crates that cells use, without what is
//! large and hardly ever looked up: tests, benchmarks and the intrinsics of every processor.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context as _, Result};

use crate::home::move_into_place;

const CRATES: [&str; 4] = ["core", "alloc", "std", "proc_macro"];
const LEFT_OUT: [&str; 2] = ["tests", "benches"];

/// The library of one kernel.
#[derive(Debug, Clone)]
pub(crate) struct StdSource {
    /// What is copied from: the toolchain's `library`.
    original: PathBuf,
    /// The copy, shared by all kernels with this toolchain.
    copy: PathBuf,
    /// Where rust-analyzer looks.
    link: PathBuf,
}

impl StdSource {
    /// For a kernel that compiles in `cells`; the copy is kept in `shared`.
    pub(crate) fn new(original: &Path, shared: &Path, cells: &Path) -> Self {
        Self {
            original: original.to_owned(),
            copy: shared.join("library"),
            link: link(cells),
        }
    }

    /// Makes the copy if there is none yet, and lets rust-analyzer see an empty library.
    pub(crate) fn prepare(&self) -> Result<()> {
        self.write_copy()
            .context("copy the source of the standard library")?;
        fs::create_dir_all(self.link.join(CRATES[0]))
            .with_context(|| format!("make the folder '{}'", self.link.display()))
    }

    /// Lets rust-analyzer see the library from its next project on.
    pub(crate) fn show(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.link)?;
        std::os::unix::fs::symlink(&self.copy, &self.link)
    }

    fn write_copy(&self) -> Result<()> {
        if self.copy.is_dir() {
            return Ok(());
        }
        let draft = self
            .copy
            .with_file_name(format!("library-{}", uuid::Uuid::new_v4()));
        for name in CRATES {
            copy_sources(&self.original.join(name), &draft.join(name))?;
        }
        move_into_place(&draft, &self.copy)
    }
}

/// Where the kernel that compiles in `cells` has its library.
pub(crate) fn link(cells: &Path) -> PathBuf {
    cells.join("library")
}

fn copy_sources(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                copy_sources(&path, &to.join(name))?;
            }
        } else if path.extension() == Some(OsStr::new("rs")) {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_empty_until_it_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("original");
        for path in [
            "std/src/lib.rs",
            "std/src/tests/lib.rs",
            "core/README.md",
            "test/src/lib.rs",
        ] {
            let path = original.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "//! text").unwrap();
        }
        for name in ["alloc", "proc_macro"] {
            fs::create_dir_all(original.join(name)).unwrap();
        }
        let [shared, cells] = ["shared", "cells"].map(|name| folder.path().join(name));
        fs::create_dir_all(&shared).unwrap();
        for _ in 0..2 {
            let cells = cells.join(uuid::Uuid::new_v4().to_string());
            let source = StdSource::new(&original, &shared, &cells);
            source.prepare().unwrap();
            assert!(cells.join("library/core").is_dir());
            assert!(!cells.join("library/std").exists());
            source.show().unwrap();
            assert!(cells.join("library/std/src/lib.rs").is_file());
            for left_out in ["std/src/tests", "core/README.md", "test"] {
                assert!(!cells.join("library").join(left_out).exists(), "{left_out}");
            }
        }
        let kept: Vec<_> = fs::read_dir(&shared).unwrap().collect();
        assert_eq!(kept.len(), 1, "no draft is left");
    }
}
