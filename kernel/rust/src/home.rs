//! Where the Rust cells of a kernel are compiled, and how the first of them comes to be fast.
//!
//! The prelude's source travels in this program and is written out once per version. A kernel
//! compiles in a folder of its own; its dependencies are built once, kept beside the prelude and
//! copied from there, with their times, so that cargo takes them for its own.

use std::collections::hash_map::DefaultHasher;
use std::fs::File;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, fs, io};

use anyhow::{Context as _, Result};

use tidebook_rust_protocol::Toolchain;

use crate::std_source::{self, StdSource};

/// The files of the prelude: path below its folder → text.
const PRELUDE: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/prelude.rs"));
/// Where evcxr compiles; it reads this when it starts.
const EVCXR_TMPDIR: &str = "EVCXR_TMPDIR";
/// Where rust-analyzer looks for the standard library; it takes a folder that has a `core`.
const RUST_SRC_PATH: &str = "RUST_SRC_PATH";
/// Locked by the process that uses a folder, for as long as it lives.
const OWNER: &str = "owner.lock";
/// No start takes longer to lock its folder.
const A_START: Duration = Duration::from_secs(3600);

/// The folders of one kernel.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Shared by all kernels of this version: the prelude, and what was built of it.
    shared: PathBuf,
    /// This kernel's own.
    cells: PathBuf,
    library: StdSource,
    libraries: String,
}

/// A new folder to compile in.
pub(crate) fn choose() -> Result<PathBuf> {
    let cells = cells_folder(&cache_folder()?);
    Ok(cells.join(uuid::Uuid::new_v4().to_string()))
}

/// What evcxr and its rust-analyzer look for in the environment, and nowhere else: where to compile,
/// and where the standard library is.
pub(crate) fn variables(cells: &Path) -> [(&'static str, PathBuf); 2] {
    let library = std_source::link(cells);
    [(EVCXR_TMPDIR, cells.to_owned()), (RUST_SRC_PATH, library)]
}

/// The program that was compiled last.
pub(crate) fn program() -> Option<String> {
    let cells = env::var_os(EVCXR_TMPDIR)?;
    fs::read_to_string(Path::new(&cells).join("src/lib.rs")).ok()
}

/// The folder that holds one for each kernel. evcxr tells its runtime paths that end at a blank, so
/// a cache with a blank in its path cannot hold it.
fn cells_folder(cache: &Path) -> PathBuf {
    let is_plain = |path: &Path| {
        let text = path.to_str();
        text.is_some_and(|text| !text.contains(char::is_whitespace))
    };
    if is_plain(cache) {
        return cache.join("cells");
    }
    let mut hasher = DefaultHasher::new();
    cache.hash(&mut hasher);
    env::temp_dir().join(format!("tidebook-cells-{:016x}", hasher.finish()))
}

/// `$XDG_CACHE_HOME/tidebook`, or the folder for caches in the user's home.
fn cache_folder() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = cache.filter(|path| path.is_absolute()).or_else(home);
    let cache = cache.context("neither HOME nor XDG_CACHE_HOME is set")?;
    Ok(cache.join("tidebook"))
}

impl Home {
    /// The folders that are in the environment, for this toolchain.
    pub(crate) fn new(toolchain: Toolchain) -> Result<Self> {
        let cache = cache_folder()?;
        let cells = env::var_os(EVCXR_TMPDIR).context("no folder to compile in was chosen")?;
        let cells = PathBuf::from(cells);
        let mut hasher = DefaultHasher::new();
        (PRELUDE, &toolchain.version, env!("CARGO_PKG_VERSION")).hash(&mut hasher);
        let shared = cache.join(format!("rust-{:016x}", hasher.finish()));
        let library = StdSource::new(&toolchain.library, &shared, &cells);
        Ok(Self {
            shared,
            cells,
            library,
            libraries: toolchain.libraries,
        })
    }

    /// Writes the prelude out if that was not done yet, and takes over what was built of it.
    pub(crate) fn prepare(&self) -> Result<()> {
        remove_abandoned(self.cells.parent());
        fs::create_dir_all(&self.cells)
            .with_context(|| format!("make the folder '{}'", self.cells.display()))?;
        own(&self.cells).context("lock the folder")?;
        self.write_prelude().context("write the prelude")?;
        self.library.prepare()?;
        if self.is_warm() {
            copy(&self.warm(), &self.cells).context("copy what was built before")?;
        }
        Ok(())
    }

    /// Whether the dependencies were built before.
    pub(crate) fn is_warm(&self) -> bool {
        self.warm().is_dir()
    }

    /// The folder of the toolchain's libraries, which compiled cells load.
    pub(crate) fn libraries(&self) -> &str {
        &self.libraries
    }

    /// Lets rust-analyzer see the standard library from the next dependency on.
    pub(crate) fn show_library(&self) -> io::Result<()> {
        self.library.show()
    }

    /// The commands by which evcxr learns of the dependencies.
    pub(crate) fn dependencies(&self) -> String {
        let prelude = self.prelude();
        format!(
            ":dep tidebook = {{ path = {:?} }}\n\
             :dep serde = {{ version = \"1\", features = [\"derive\"] }}\n\
             :dep serde_json = \"1\"\n",
            prelude.display().to_string()
        )
    }

    /// Keeps what was built of the dependencies for the kernels to come.
    pub(crate) fn keep_warm(&self) {
        if self.is_warm() {
            return;
        }
        if let Err(error) = self.save() {
            eprintln!("the first Rust cell of the next kernel will be slow again: {error:#}");
        }
    }

    fn prelude(&self) -> PathBuf {
        self.shared.join("prelude")
    }

    fn warm(&self) -> PathBuf {
        self.shared.join("built")
    }

    fn write_prelude(&self) -> Result<()> {
        let prelude = self.prelude();
        if prelude.is_dir() {
            return Ok(());
        }
        // Written beside its place and moved, so that no other kernel sees half of it.
        let draft = self
            .shared
            .join(format!("prelude-{}", uuid::Uuid::new_v4()));
        for (path, text) in PRELUDE {
            let path = draft.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&draft))?;
            fs::write(path, text)?;
        }
        move_into_place(&draft, &prelude)
    }

    fn save(&self) -> Result<()> {
        let draft = self.shared.join(format!("built-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(&draft)?;
        for part in ["target", "Cargo.lock"] {
            run(
                "cp",
                &[
                    "-a".as_ref(),
                    self.cells.join(part).as_ref(),
                    draft.as_ref(),
                ],
            )?;
        }
        forget_cells(&draft.join("target"))?;
        move_into_place(&draft, &self.warm())
    }
}

/// Removes what belongs to cells rather than to their dependencies.
fn forget_cells(target: &Path) -> io::Result<()> {
    for entry in fs::read_dir(target)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let of_a_cell = name == "incremental"
            || ["ctx-", "libctx", "ctx.", "code_", "libcode_"]
                .iter()
                .any(|prefix| name.starts_with(prefix));
        match (of_a_cell, path.is_dir()) {
            (true, true) => fs::remove_dir_all(&path)?,
            (true, false) => fs::remove_file(&path)?,
            (false, true) => forget_cells(&path)?,
            (false, false) => {}
        }
    }
    Ok(())
}

/// If another process was faster, its result serves as well.
pub(crate) fn move_into_place(draft: &Path, place: &Path) -> Result<()> {
    if let Err(error) = fs::rename(draft, place) {
        fs::remove_dir_all(draft)?;
        if !place.is_dir() {
            return Err(error).with_context(|| format!("make '{}'", place.display()));
        }
    }
    Ok(())
}

/// With the files' times: by them cargo knows that nothing has changed.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let contents = from.join(".");
    let arguments = ["-a", "--reflink=auto"].map(Path::new);
    run("cp", &[arguments[0], arguments[1], &contents, to])
}

fn run(program: &str, arguments: &[&Path]) -> Result<()> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("run {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{program} failed: {}", said.trim());
    Ok(())
}

/// Marks a folder as in use until this process ends.
fn own(cells: &Path) -> io::Result<()> {
    static LOCK: OnceLock<File> = OnceLock::new();
    if LOCK.get().is_some() {
        return Ok(());
    }
    // Locked before it has its name, so that nobody finds it without.
    let draft = cells.join("owner.new");
    let lock = File::create(&draft)?;
    lock.lock()?;
    fs::rename(&draft, cells.join(OWNER))?;
    let _ = LOCK.set(lock);
    Ok(())
}

/// Removes the folders that were left behind when the machine went down.
fn remove_abandoned(cells: Option<&Path>) {
    let Some(Ok(folders)) = cells.map(fs::read_dir) else {
        return;
    };
    for folder in folders.flatten() {
        let is_abandoned = match File::open(folder.path().join(OWNER)) {
            Ok(owner) => owner.try_lock().is_ok(),
            // Its owner has not come to lock it, or will not come any more.
            Err(_) => age(&folder).is_some_and(|age| age > A_START),
        };
        if is_abandoned {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

fn age(folder: &fs::DirEntry) -> Option<Duration> {
    folder.metadata().ok()?.modified().ok()?.elapsed().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_folders_are_removed() {
        let cells = tempfile::tempdir().unwrap();
        let [abandoned, used, new] =
            ["abandoned", "used", "new"].map(|name| cells.path().join(name));
        for folder in [&abandoned, &used, &new] {
            fs::create_dir(folder).unwrap();
        }
        File::create(abandoned.join(OWNER)).unwrap();
        let lock = File::create(used.join(OWNER)).unwrap();
        lock.lock().unwrap();
        remove_abandoned(Some(cells.path()));
        assert!(!abandoned.exists() && used.exists() && new.exists());
    }

    #[test]
    fn cells_are_compiled_in_a_path_without_blanks() {
        assert_eq!(
            cells_folder(Path::new("/a/cache")),
            Path::new("/a/cache/cells")
        );
        let elsewhere = cells_folder(Path::new("/home/a user/cache"));
        assert!(elsewhere.starts_with(env::temp_dir()));
        assert_ne!(elsewhere, cells_folder(Path::new("/home/b user/cache")));
    }
}
