//! What the table says, in words: the usage line, the help of one magic, the README's table.

use std::fmt::Write as _;

use clap::Arg;

use super::{Kind, MAGICS, Magic, arguments};
use crate::display::MimeBundle;

/// The first line of a use: `%%stream NAME [--mode MODE] …`.
pub(crate) fn usage(magic: &dyn Magic) -> String {
    let command = arguments::command(magic);
    let mut line = magic.spec().title();
    for arg in command.get_arguments() {
        let shown = shown(arg);
        let repeated = match arg.get_action() {
            clap::ArgAction::Append => "…",
            _ => "",
        };
        let _ = match arg.is_required_set() {
            true => write!(line, " {shown}{repeated}"),
            false => write!(line, " [{shown}]{repeated}"),
        };
    }
    line
}

/// Everything about one magic, as Markdown and as plain text.
pub(crate) fn help(magic: &dyn Magic) -> MimeBundle {
    MimeBundle::text(help_text(magic)).with("text/markdown", help_markdown(magic))
}

/// The table of all magics for the README.
pub(crate) fn markdown_table() -> String {
    let mut table = String::from("| magic | does |\n|---|---|\n");
    for magic in MAGICS {
        let usage = usage(*magic).replace('|', "\\|");
        let about = sentence(*magic).replace('|', "\\|");
        let _ = writeln!(table, "| `{usage}` | {about} |");
    }
    table
}

/// What a magic does and what its body holds.
pub(super) fn sentence(magic: &dyn Magic) -> String {
    let spec = magic.spec();
    match spec.body {
        "" => spec.about.to_owned(),
        body => format!("{}; the body holds {body}", spec.about),
    }
}

/// What an argument does: its help, its values, its default.
pub(crate) fn arg_help(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if takes_value(arg) && !values.is_empty() {
        let _ = write!(text, " ({})", values.join(", "));
    }
    if let (true, [default]) = (takes_value(arg), arg.get_default_values()) {
        let _ = write!(text, " [default: {}]", default.to_string_lossy());
    }
    text
}

/// Whether an argument is followed by a value.
pub(super) fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// `NAME`, `--flag`, `--flag VALUE`.
pub(crate) fn shown(arg: &Arg) -> String {
    let value = arg
        .get_value_names()
        .and_then(|names| names.first())
        .map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string);
    match arg.get_long() {
        None => value,
        Some(long) if takes_value(arg) => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
    }
}

/// Where a magic works.
fn place(magic: &dyn Magic) -> &'static str {
    match magic.runs_anywhere() {
        true => "Works on a cluster too.",
        false => "Works on the engine in this process only, not on a cluster.",
    }
}

fn help_text(magic: &dyn Magic) -> String {
    let spec = magic.spec();
    let command = arguments::command(magic);
    let args: Vec<_> = command
        .get_arguments()
        .map(|arg| (shown(arg), arg_help(arg)))
        .collect();
    let width = args
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = format!("{}\n\n{}\n", usage(magic), sentence(magic));
    if !args.is_empty() {
        text.push('\n');
    }
    for (name, help) in args {
        let _ = writeln!(text, "  {name:width$}  {help}");
    }
    let _ = writeln!(text, "\n{}", place(magic));
    let _ = writeln!(text, "\nexample:\n{}", indented(spec.example));
    text
}

fn help_markdown(magic: &dyn Magic) -> String {
    let spec = magic.spec();
    let command = arguments::command(magic);
    let mut text = format!("**`{}`**\n\n{}\n", usage(magic), sentence(magic));
    let mut args = command.get_arguments().peekable();
    if args.peek().is_some() {
        text.push_str("\n| argument | meaning |\n|:---|:---|\n");
    }
    for arg in args {
        let help = arg_help(arg).replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {help} |", shown(arg).replace('|', "\\|"));
    }
    let _ = writeln!(text, "\n{}", place(magic));
    let language = match (spec.kind, spec.name) {
        (Kind::Cell, "sql" | "stream") => "sql",
        _ => "",
    };
    let _ = writeln!(text, "\n```{language}\n{}\n```", spec.example);
    text
}

fn indented(example: &str) -> String {
    let lines = example.lines().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magic::named;

    #[test]
    fn usage_shows_what_is_required() {
        assert_eq!(usage(named("status").unwrap()), "%status [NAME]");
        assert!(usage(named("stream").unwrap()).starts_with("%%stream NAME [--mode MODE]"));
        assert!(usage(named("source").unwrap()).ends_with("[--option KEY=VALUE]…"));
    }

    #[test]
    fn help_says_values_and_defaults() {
        let text = help_text(named("stream").unwrap());
        assert!(
            text.contains("(append, update, complete) [default: append]"),
            "{text}"
        );
        assert!(text.contains("example:"), "{text}");
    }

    #[test]
    fn the_table_has_a_row_per_magic() {
        let table = markdown_table();
        assert_eq!(table.lines().count(), MAGICS.len() + 2, "{table}");
        assert!(
            table
                .lines()
                .all(|line| line.starts_with('|') && line.ends_with('|'))
        );
    }
}
