//! The version of the protocol: a number made of all that it is written in.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::{env, fs, io};

const SOURCES: [&str; 4] = [
    "src/lib.rs",
    "src/told.rs",
    "src/work.rs",
    "../../prelude/src/wire.rs",
];

fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        fs::read_to_string(source)?.hash(&mut hasher);
    }
    let version = hasher.finish() as u32;
    let out = env::var("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("version.rs"), version.to_string())
}
