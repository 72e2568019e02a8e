//! What rustc says about a cell, as it travels to the kernel.

use evcxr::CompilationError;
use tidebook_rust_protocol::{Diagnostic, Label, Place};

/// One error of the compiler.
pub(crate) fn diagnostic(error: &CompilationError) -> Diagnostic {
    let said = error.spanned_messages().iter();
    let advised = error.help_spanned().iter();
    let labels = said
        .map(|message| (message, false))
        .chain(advised.map(|message| (message, true)));
    Diagnostic {
        code: error.code().map(str::to_owned),
        message: error.message(),
        labels: labels
            .map(|(message, is_help)| Label {
                place: message.span.map(|span| Place {
                    start: (span.start_line, span.start_column),
                    end: (span.end_line, span.end_column),
                }),
                text: message.label.clone(),
                is_primary: message.is_primary,
                is_help,
            })
            .collect(),
        helps: error.help(),
        notes: plain_notes(error),
        rendered: error.rendered(),
    }
}

/// rustc's notes that belong to no place: evcxr does not pass them on.
fn plain_notes(error: &CompilationError) -> Vec<String> {
    // Said of a type's name that was too long to show; the file it names is gone by now.
    const ABOUT_NAMES: [&str; 2] = ["the full name for the type", "consider using `--verbose`"];
    let children = error.json.get("children");
    let children = children.and_then(|children| children.as_array());
    let notes = children.into_iter().flatten().filter(|child| {
        let has_place = child["spans"]
            .as_array()
            .is_some_and(|spans| !spans.is_empty());
        child["level"] == "note" && !has_place
    });
    let texts = notes.filter_map(|note| note["message"].as_str());
    let texts = texts.filter(|text| !ABOUT_NAMES.iter().any(|about| text.starts_with(about)));
    texts.map(str::to_owned).collect()
}
