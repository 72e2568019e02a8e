//! What the kernel has the compiler do, and what comes of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The version of this protocol: a program and a kernel of different versions do not understand
/// each other. It changes whenever a type does.
pub const VERSION: u32 = include!(concat!(env!("OUT_DIR"), "/version.rs"));

/// What the kernel asks for; one thing after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    /// The first thing: start evcxr. [`Answer::Building`] perhaps, then [`Answer::Started`].
    Start(Toolchain),
    /// Compile and run a cell. [`Answer::Finished`].
    Execute {
        /// Its text.
        code: String,
    },
    /// What can stand at a byte position. [`Answer::Completed`].
    Complete {
        /// The cell's text.
        code: String,
        /// The position.
        position: usize,
    },
    /// What is known of the expression that ends at a byte position. [`Answer::Inspected`].
    Inspect {
        /// The cell's text.
        code: String,
        /// The position.
        position: usize,
    },
}

/// What comes of [`Work`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer {
    /// What cells need is being built, which takes a minute; once per machine.
    Building,
    /// Cells can be compiled, or why they cannot.
    Started(Result<(), String>),
    /// A cell is over.
    Finished(Finished),
    /// Nothing if rust-analyzer failed.
    Completed(Option<Completions>),
    /// Text and HTML, if something is known.
    Inspected(Option<(String, String)>),
}

/// What compiles cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Toolchain {
    /// What `rustc --version` says.
    pub version: String,
    /// The folder of the source of the standard library.
    pub library: PathBuf,
    /// The folder of the libraries that compiled cells load; the path they carry themselves is
    /// relative and counts one folder too many.
    pub libraries: String,
}

/// What came of a cell, as evcxr sees it: that it has run says nothing on how its code ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finished {
    /// Whether it has run.
    pub outcome: Outcome,
    /// The variables that are there now: name and type, by name.
    pub variables: Vec<(String, String)>,
    /// Functions, types and other items defined by cells, by name.
    pub items: Vec<String>,
    /// The program that the cell was compiled as.
    pub source: String,
}

/// Whether a cell has run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It has; what evcxr's commands showed, by MIME type.
    Ran(BTreeMap<String, String>),
    /// It does not compile.
    DoesNotCompile(Vec<Diagnostic>),
    /// The process that ran it has ended; how, in words.
    ProcessEnded(String),
    /// evcxr could not run it; why.
    Refused(String),
}

/// One error of the Rust compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostic {
    /// rustc's code, such as `E0308`.
    pub code: Option<String>,
    /// The sentence.
    pub message: String,
    /// What is said of places in the cell.
    pub labels: Vec<Label>,
    /// Advice that belongs to no place.
    pub helps: Vec<String>,
    /// Remarks that belong to no place.
    pub notes: Vec<String>,
    /// All of it, as rustc prints it.
    pub rendered: String,
}

/// What a [`Diagnostic`] says of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// Where; nothing if it is not in the cell.
    pub place: Option<Place>,
    /// What.
    pub text: String,
    /// Whether it is where the error is.
    pub is_primary: bool,
    /// Whether it is advice.
    pub is_help: bool,
}

/// A range of a cell's text. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Line and column of its first character.
    pub start: (usize, usize),
    /// Line and column behind its last character.
    pub end: (usize, usize),
}

/// What can stand at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completions {
    /// Whole texts that replace what stands from `start` to `end`.
    pub texts: Vec<String>,
    /// A byte of the cell's text.
    pub start: usize,
    /// The byte behind.
    pub end: usize,
}
