//! Dependencies point one way: in the engine vocabulary ← {storage ← formats, kafka} ←
//! {checkpointing ← state ← sources, sinks} ← operators ← plan ← functions ← analyzer ← api, tree ← sql ← {functions, connect}, plan ← runtime ← api;
//! in the kernel error ← {backend ← display, sockets, kafka} ← outputs ←
//! live ← context ← magic ← language ← rust ← session; in the broker {log, topic_config} ← topics,
//! {topics, groups} ← transactions ← state ← {apis, housekeeping} ← server ← broker; in the
//! door {errors, rows, schema, wire, wording} ← operation ← sessions ← {config, artifacts, catalog ← shown ← analyze,
//! sql, listener_bus ← streams} ← execute ← service; in the client of clusters {address, error, progress, rows} ← channel ← client ← query ← cluster; and the kernel sees the engine only through its api. The compiler does not check that inside a crate, so this reads the sources. Tests may use
//! anything.

use std::fs;
use std::path::{Path, PathBuf};

/// What everybody in the engine may use.
const VOCABULARY: [&str; 16] = [
    "cancellation",
    "clock",
    "datetime",
    "depth",
    "error",
    "interval",
    "json",
    "nearest",
    "options",
    "output_mode",
    "streaming_query_listener",
    "streaming_query_progress",
    "text",
    "trigger",
    "type_names",
    "why",
];

/// Modules and what they stand on.
type Layers = &'static [(&'static str, &'static [&'static str])];

/// Each module of the engine, and the highest layers it stands on: it may use those, what they stand
/// on, and the vocabulary. A module that is in neither table belongs to no layer.
const LAYERS: Layers = &[
    ("user_functions", &[]),
    ("storage", &[]),
    ("checkpointing", &["storage"]),
    ("state", &["checkpointing"]),
    ("formats", &["storage"]),
    ("kafka", &[]),
    ("sources", &["state", "formats", "kafka"]),
    ("sinks", &["checkpointing", "formats", "kafka"]),
    (
        "operators",
        &["state", "sources", "sinks", "user_functions"],
    ),
    ("plan", &["operators"]),
    ("tree", &[]),
    ("sql", &["tree"]),
    ("functions", &["plan", "sql"]),
    ("analyzer", &["functions"]),
    ("connect", &["sql", "formats"]),
    ("runtime", &["plan"]),
    ("api", &["runtime", "connect", "analyzer"]),
];

/// What everybody in the kernel may use.
const VOCABULARY_OF_THE_KERNEL: [&str; 1] = ["error"];

/// The same for the modules of the kernel; `main` uses them all.
const LAYERS_OF_THE_KERNEL: Layers = &[
    ("backend", &[]),
    ("sockets", &[]),
    ("display", &["backend"]),
    ("cell", &[]),
    ("names", &[]),
    ("outputs", &["display", "sockets"]),
    ("live", &["outputs"]),
    ("engine", &["live"]),
    ("kafka", &["cell"]),
    ("scratch", &[]),
    ("interpreter", &["install"]),
    ("process_group", &[]),
    ("door", &["interpreter"]),
    ("python", &["live", "door", "process_group"]),
    ("context", &["python", "kafka", "scratch"]),
    ("magic", &["context", "names", "cell"]),
    ("language", &["magic", "cell"]),
    ("rust", &["language"]),
    ("install", &[]),
    ("serve", &["interpreter"]),
    ("course", &[]),
    ("doctor", &["install", "rust"]),
    ("session", &["rust", "engine"]),
];

/// What everybody in the broker for lessons may use.
const VOCABULARY_OF_THE_BROKER: [&str; 4] = ["clock", "error", "memory", "options"];

/// The same for its modules.
const LAYERS_OF_THE_BROKER: Layers = &[
    ("topic_config", &[]),
    ("log", &[]),
    ("topics", &["log", "topic_config"]),
    ("groups", &[]),
    ("transactions", &["topics", "groups"]),
    ("state", &["transactions"]),
    ("housekeeping", &["state"]),
    ("apis", &["state"]),
    ("server", &["apis", "housekeeping"]),
    ("broker", &["server"]),
];

/// What everybody in the door may use.
const VOCABULARY_OF_THE_DOOR: [&str; 5] = ["errors", "rows", "schema", "wire", "wording"];

/// The same for the modules of the door for clients of Spark Connect.
const LAYERS_OF_THE_DOOR: Layers = &[
    ("token", &[]),
    ("generated", &[]),
    ("operation", &[]),
    ("python", &[]),
    ("sessions", &["operation", "python"]),
    ("foreach", &["sessions"]),
    ("artifacts", &["sessions"]),
    ("catalog", &["sessions"]),
    ("config", &["sessions"]),
    ("listener_bus", &["sessions"]),
    ("shown", &["catalog"]),
    ("sql", &["sessions"]),
    ("analyze", &["shown"]),
    ("streams", &["listener_bus"]),
    ("execute", &["foreach", "shown", "sql", "streams"]),
    (
        "service",
        &[
            "analyze",
            "artifacts",
            "config",
            "execute",
            "generated",
            "token",
        ],
    ),
];

/// What everybody in the client of clusters may use.
const VOCABULARY_OF_THE_CLIENT: [&str; 4] = ["address", "error", "progress", "rows"];

/// The same for its modules.
const LAYERS_OF_THE_CLIENT: Layers = &[
    ("channel", &[]),
    ("client", &["channel"]),
    ("query", &["client"]),
    ("cluster", &["query"]),
    ("plans", &["cluster"]),
];

/// The engine's modules that its api shows: the plan language, the tables of formats and options, the
/// facts of silent batches.
const SHOWN_TO_THE_KERNEL: [&str; 5] = ["connect", "options", "sinks", "sources", "why"];

#[test]
fn the_modules_of_the_engine_use_only_lower_layers() {
    only_lower_layers("engine/src", &VOCABULARY, LAYERS);
}

#[test]
fn the_modules_of_the_kernel_use_only_lower_layers() {
    only_lower_layers(
        "kernel/src",
        &VOCABULARY_OF_THE_KERNEL,
        LAYERS_OF_THE_KERNEL,
    );
}

#[test]
fn the_modules_of_the_broker_use_only_lower_layers() {
    only_lower_layers(
        "broker/src",
        &VOCABULARY_OF_THE_BROKER,
        LAYERS_OF_THE_BROKER,
    );
}

#[test]
fn the_modules_of_the_door_use_only_lower_layers() {
    only_lower_layers("connect/src", &VOCABULARY_OF_THE_DOOR, LAYERS_OF_THE_DOOR);
}

#[test]
fn the_modules_of_the_client_use_only_lower_layers() {
    only_lower_layers(
        "remote/src",
        &VOCABULARY_OF_THE_CLIENT,
        LAYERS_OF_THE_CLIENT,
    );
}

fn only_lower_layers(root: &str, vocabulary: &[&str], layers: Layers) {
    let root = repository().join(root);
    let mut wrong = Vec::new();
    for file in rust_files(&root) {
        let module = module_path(&root, &file);
        let top = module.first().map(String::as_str);
        let Some(layer) = top.filter(|name| !["lib", "main"].contains(name)) else {
            continue;
        };
        assert!(
            vocabulary.contains(&layer) || layers.iter().any(|(name, _)| *name == layer),
            "'{layer}' is in no layer"
        );
        let below = below(layer, layers);
        for (line, used) in top_level_modules(&file, module.len()) {
            let used = used.as_str();
            let allowed = used == layer || below.contains(&used) || vocabulary.contains(&used);
            if !allowed {
                wrong.push(format!("{}:{line}: {layer} uses {used}", shown(&file)));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "against the direction:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_kernel_uses_only_the_api_of_the_engine() {
    let mut wrong = Vec::new();
    for file in rust_files(&repository().join("kernel")) {
        let code = code(&file);
        for (line, used) in paths_after(&code, "tidebook_engine::") {
            let modules = match used.as_str() {
                "{" => modules_of_group(&code, line),
                name if code.contains(&format!("tidebook_engine::{name}::")) => vec![used],
                // An item that the engine shows.
                _ => Vec::new(),
            };
            for module in modules {
                if !SHOWN_TO_THE_KERNEL.contains(&module.as_str()) {
                    wrong.push(format!("{}:{line}: {module}", shown(&file)));
                }
            }
        }
        for (line, _) in paths_after(&code, "datafusion::") {
            wrong.push(format!("{}:{line}: datafusion", shown(&file)));
        }
    }
    assert!(
        wrong.is_empty(),
        "not the engine's api:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn only_the_compiler_of_rust_cells_depends_on_evcxr() {
    for folder in [
        "engine",
        "kernel",
        "kernel/prelude",
        "kernel/rust/protocol",
        "tests",
    ] {
        let manifest = repository().join(folder).join("Cargo.toml");
        let text = fs::read_to_string(manifest).expect("a manifest");
        let names = text
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next());
        let wrong: Vec<&str> = names
            .filter(|name| ["evcxr", "tidebook-rust"].contains(name))
            .collect();
        assert!(wrong.is_empty(), "{folder} depends on {wrong:?}");
    }
}

/// All layers below one.
fn below(layer: &str, layers: Layers) -> Vec<&'static str> {
    let of_layer = layers.iter().filter(|(name, _)| *name == layer);
    let next = of_layer.flat_map(|(_, next)| next.iter());
    next.flat_map(|next| below(next, layers).into_iter().chain([*next]))
        .collect()
}

/// The modules named in a `use tidebook_engine::{…};` that begins in this line.
fn modules_of_group(code: &str, line: usize) -> Vec<String> {
    let from_here: Vec<_> = code.lines().skip(line - 1).collect();
    let text = from_here.join(" ");
    let group = text.split(';').next().unwrap_or_default();
    let names = group.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    names
        .filter_map(|path| path.split_once("::"))
        .map(|(module, _)| module.to_owned())
        .filter(|module| module != "tidebook_engine")
        .collect()
}

/// The modules at the top of the crate that a file names; it stands `depth` levels below the top.
fn top_level_modules(file: &Path, depth: usize) -> Vec<(usize, String)> {
    let code = code(file);
    let mut found = paths_after(&code, "crate::");
    // Inside a function or a macro a path may begin with any number of `super`.
    let to_the_top = "super::".repeat(depth);
    found.extend(
        paths_after(&code, &to_the_top)
            .into_iter()
            .filter(|(_, used)| used != "super"),
    );
    for (line, used) in &found {
        assert!(
            used != "{",
            "{}:{line}: write one `use crate::…` per module",
            shown(file)
        );
    }
    found
}

/// What stands behind each `prefix`: a name or `{`, and the number of its line.
fn paths_after(code: &str, prefix: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for (at, _) in line.match_indices(prefix) {
            let before = line[..at].chars().next_back();
            if before
                .is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
            {
                continue;
            }
            let rest = &line[at + prefix.len()..];
            let length = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            found.push((number + 1, rest[..length.max(1).min(rest.len())].to_owned()));
        }
    }
    found
}

/// A file without its comments and without its tests, which stand at its end.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = code
        .lines()
        .map(|line| match line.trim_start().starts_with("//") {
            true => "",
            false => line,
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// `engine/src/sources/file/mod.rs` is `[sources, file]`.
fn module_path(root: &Path, file: &Path) -> Vec<String> {
    let relative = file
        .strip_prefix(root)
        .expect("a file below the root")
        .with_extension("");
    let names = relative
        .iter()
        .map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "mod").collect()
}

/// The sources below a folder; what only tests see is left out.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "tests" && name != "target" {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" {
            files.push(path);
        }
    }
    files.sort();
    assert!(
        !files.is_empty() || !folder.ends_with("src"),
        "no sources in {}",
        folder.display()
    );
    files
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn shown(file: &Path) -> String {
    let repository = repository();
    file.strip_prefix(&repository)
        .unwrap_or(file)
        .display()
        .to_string()
}
