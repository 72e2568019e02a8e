//! Formats of sources and sinks in words: the engine's tables as `%help` and the README show them.

use std::fmt::Write as _;

use tidebook_engine::options::OptionSpec;
use tidebook_engine::sinks::{SinkFormat, sink_format};
use tidebook_engine::sources::{Columns, SourceFormat, source_format};

use super::source;
use super::stream::sink;
use crate::display::MimeBundle;

/// The formats that the magic `magic` takes, as one names them.
pub(super) fn names(magic: &str) -> Vec<String> {
    match magic {
        "source" => source::formats()
            .map(|format| format.name.to_owned())
            .collect(),
        "stream" => sink::formats()
            .map(|format| format.name.to_owned())
            .collect(),
        _ => Vec::new(),
    }
}

/// Everything about one format of the magic `magic`.
pub(super) fn help(magic: &str, format: &str) -> Option<MimeBundle> {
    if !names(magic)
        .iter()
        .any(|name| name.eq_ignore_ascii_case(format))
    {
        return None;
    }
    let (title, doc, options) = match magic {
        "source" => {
            let format = source_format(format).ok()?;
            (
                format!("%%source NAME --format {}", format.name),
                source_sentence(format),
                source::all_options(format),
            )
        }
        _ => {
            let format = sink_format(format).ok()?;
            (
                format!("%%stream NAME --sink {}", sink::shown(format)),
                sink_sentence(format),
                sink::all_options(format),
            )
        }
    };
    let plain = format!("{title}\n\n{doc}\n{}", plain_options(&options));
    let markdown = format!("**`{title}`**\n\n{doc}\n\n{}", markdown_options(&options));
    Some(MimeBundle::text(plain).with("text/markdown", markdown))
}

/// The tables of the README: sources, sinks, and the options of each.
pub(crate) fn markdown_tables() -> String {
    let mut text = String::from("| source | rows |\n|---|---|\n");
    for format in source::formats() {
        let sentence = cell(&source_sentence(format));
        let _ = writeln!(text, "| `--format {}` | {sentence} |", format.name);
    }
    text.push_str("\n| sink | writes |\n|---|---|\n");
    for format in sink::formats() {
        let sentence = cell(&sink_sentence(format));
        let _ = writeln!(text, "| `--sink {}` | {sentence} |", sink::shown(format));
    }
    for format in source::formats() {
        let title = format!("source `{}`", format.name);
        options_section(&mut text, &title, &source::all_options(format));
    }
    for format in sink::formats() {
        let title = format!("sink `{}`", format.name);
        options_section(&mut text, &title, &sink::all_options(format));
    }
    text
}

/// Folded away: most readers look for one of them.
fn options_section(text: &mut String, title: &str, options: &[&OptionSpec]) {
    if !options.is_empty() {
        let title = title.replacen('`', "<code>", 1).replacen('`', "</code>", 1);
        let _ = write!(
            text,
            "\n<details><summary>Options of {title}</summary>\n\n{}\n</details>\n",
            markdown_options(options)
        );
    }
}

fn source_sentence(format: &SourceFormat) -> String {
    let columns = match format.columns {
        Columns::Given => "; the body names its columns",
        Columns::Optional => "; the body may name its columns",
        Columns::Fixed => "; its columns are its own, so the body stays empty",
    };
    format!("{}{columns}", format.doc)
}

fn sink_sentence(format: &SinkFormat) -> String {
    let modes = format.output_modes.iter().map(|mode| mode.as_str());
    let modes: Vec<_> = modes.collect();
    format!("{}; takes mode {}", format.doc, modes.join(", "))
}

fn plain_options(options: &[&OptionSpec]) -> String {
    let width = options.iter().map(|option| option.name.len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for option in options {
        let _ = write!(
            text,
            "\n  --option {:width$}  {}",
            format!("{}=", option.name),
            option.doc
        );
    }
    text
}

fn markdown_options(options: &[&OptionSpec]) -> String {
    if options.is_empty() {
        return "It takes no options.\n".to_owned();
    }
    let mut text = String::from("| option | meaning |\n|:---|:---|\n");
    for option in options {
        let _ = writeln!(text, "| `{}` | {} |", option.name, cell(option.doc));
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_explained_with_its_options() {
        for magic in ["source", "stream"] {
            for name in names(magic) {
                let help = help(magic, &name).unwrap();
                let plain = help.data["text/plain"].as_str().unwrap();
                assert!(plain.contains(&name), "{plain}");
            }
        }
        let csv = help("source", "CSV").unwrap();
        let plain = csv.data["text/plain"].as_str().unwrap();
        assert!(plain.contains("--option header="), "{plain}");
        assert!(!plain.contains("allowSingleQuotes"), "{plain}");
        assert!(help("source", "nothing").is_none() && help("sql", "csv").is_none());
    }

    #[test]
    fn the_tables_have_a_row_per_format() {
        let tables = markdown_tables();
        for name in names("source") {
            assert!(
                tables.contains(&format!("| `--format {name}` |")),
                "{tables}"
            );
        }
        assert!(tables.contains("| `--sink parquet:DIR` |"), "{tables}");
        assert!(
            !tables.contains("foreachBatch"),
            "a cell of SQL cannot name it"
        );
    }
}
