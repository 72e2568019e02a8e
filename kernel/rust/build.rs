//! Packs the source of the prelude into the program: a list of `(path, text)`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let prelude = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../prelude");
    println!("cargo::rerun-if-changed={}", prelude.display());
    let mut files = vec![prelude.join("Cargo.toml")];
    collect(&prelude.join("src"), &mut files)?;
    files.sort();
    let mut list = String::from("[\n");
    for file in files {
        let name = file.strip_prefix(&prelude).unwrap_or(&file).display();
        let _ = writeln!(list, "({:?}, include_str!({file:?})),", name.to_string());
    }
    list.push(']');
    fs::write(
        Path::new(&env::var("OUT_DIR").unwrap_or_default()).join("prelude.rs"),
        list,
    )
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
