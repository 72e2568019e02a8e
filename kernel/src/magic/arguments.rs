//! The argument line of a magic: words as a shell would split them, then clap.
//!
//! What clap complains about is said in our words, with a line that can be pasted.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, ColorChoice, Command};
use tidebook_engine::nearest;

use super::Magic;
use crate::error::{CellError, Result};

/// The definition of a magic's arguments.
pub(crate) fn command(magic: &dyn Magic) -> Command {
    let spec = magic.spec();
    Command::new(spec.name)
        .about(spec.about)
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .color(ColorChoice::Never)
        .args(magic.args())
}

/// Checks an argument line against the definition.
pub(super) fn parse(magic: &dyn Magic, line: &str) -> Result<ArgMatches> {
    let words = words(line).ok_or_else(|| {
        CellError::usage(format!("a quote is not closed in '{}'", line.trim()))
            .hint("close it; to give a quote as such, write \\\"")
    })?;
    command(magic)
        .try_get_matches_from(words)
        .map_err(|error| explain(magic, line, &error))
}

/// Whether every quote of an argument line is closed.
pub(crate) fn is_closed(line: &str) -> bool {
    words(line).is_some()
}

/// The words of a line, unless a quote is not closed. A `#` is a character as any other: magics have
/// no comments.
fn words(line: &str) -> Option<Vec<String>> {
    const NO_COMMENT: &str = "\u{f8ff}";
    let words = shlex::split(&line.replace('#', NO_COMMENT))?;
    let words = words.into_iter();
    Some(words.map(|word| word.replace(NO_COMMENT, "#")).collect())
}

fn explain(magic: &dyn Magic, line: &str, error: &clap::Error) -> CellError {
    let title = magic.spec().title();
    let arg = text(error, ContextKind::InvalidArg);
    let flag = arg.split_whitespace().next().unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue);
    let suggested_value = text(error, ContextKind::SuggestedValue);
    let help = format!("%help {} lists what {title} takes", magic.spec().name);
    let pasteable = |wrong: &str, right: &str| match right {
        "" => help.clone(),
        right => format!("{title} {}", line.trim().replacen(wrong, right, 1)),
    };
    match error.kind() {
        ErrorKind::UnknownArgument if arg.starts_with('-') => {
            CellError::usage(format!("{title} has no flag '{flag}'"))
                .hint(pasteable(flag, &nearest_flag(magic, error, flag)))
        }
        ErrorKind::UnknownArgument => {
            let error = CellError::usage(format!("{title} does not take '{arg}'"));
            match quoted(magic, line, &arg) {
                Some(quoted) => error.hint(format!("put it in quotes: {quoted}")),
                None => error.hint(help),
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            CellError::usage(format!("'{flag}' needs a value")).hint(help)
        }
        ErrorKind::InvalidValue => {
            let valid = text(error, ContextKind::ValidValue);
            let error =
                CellError::usage(format!("'{flag}' cannot be '{value}': use one of {valid}"));
            error.hint(pasteable(&value, &suggested_value))
        }
        ErrorKind::ValueValidation => CellError::usage(format!(
            "'{flag}' cannot be '{value}': {}",
            std::error::Error::source(error)
                .map_or_else(String::new, |why| expected(&why.to_string()))
        ))
        .hint(help),
        ErrorKind::MissingRequiredArgument => {
            CellError::usage(format!("{title} needs {}", arg.replace(['<', '>'], "")))
                .hint(format!("write {}", super::usage(magic)))
        }
        ErrorKind::ArgumentConflict => {
            let other = text(error, ContextKind::PriorArg);
            match arg == other {
                true => CellError::usage(format!("'{flag}' was given twice")).hint(help),
                false => {
                    CellError::usage(format!("'{arg}' and '{other}' exclude each other")).hint(help)
                }
            }
        }
        _ => {
            let shown = error.to_string();
            let first = shown.lines().next().unwrap_or_default();
            CellError::usage(first.trim_start_matches("error: ")).hint(help)
        }
    }
}

/// The flag whose value goes on to `stray`, with its value in quotes: `--watermark "ts 10 minutes"`.
fn quoted(magic: &dyn Magic, line: &str, stray: &str) -> Option<String> {
    let words = words(line)?;
    let stray = words.iter().position(|word| word == stray)?;
    let is_flag = |word: &String| word.starts_with("--");
    let (before, behind) = words.split_at_checked(stray)?;
    let flag = before.iter().rposition(is_flag)?;
    let (flag, values) = before.get(flag..)?.split_first()?;
    let strays = behind.iter().take_while(|word| !is_flag(word));
    let command = command(magic);
    let mut flags = command.get_opts().filter_map(|arg| arg.get_long());
    let named = flag.trim_start_matches("--");
    let takes_value = flags.any(|flag| flag == named);
    (takes_value && !values.is_empty()).then(|| {
        let value: Vec<&str> = values.iter().chain(strays).map(String::as_str).collect();
        format!("{flag} \"{}\"", value.join(" "))
    })
}

/// What a number has to be, in words instead of the ends of its type.
fn expected(why: &str) -> String {
    match why.split_once(" is not in ") {
        Some((_, range)) => match range.split_once("..") {
            Some((from, to)) => match to.trim_start_matches('=') {
                to if to.len() < ENDLESS => format!("it has to be a number from {from} to {to}"),
                _ => format!("it has to be a number from {from} up"),
            },
            None => why.to_owned(),
        },
        None if why == "invalid digit found in string" => "it is no whole number".to_owned(),
        None => why.to_owned(),
    }
}

/// A bound with so many digits is that of a type and no limit that anybody meant.
const ENDLESS: usize = 10;

fn nearest_flag(magic: &dyn Magic, error: &clap::Error, flag: &str) -> String {
    let suggested = text(error, ContextKind::SuggestedArg);
    if !suggested.is_empty() {
        return suggested
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned();
    }
    let command = command(magic);
    let flags = command.get_opts().filter_map(|arg| arg.get_long());
    nearest(flag.trim_start_matches('-'), flags)
        .map_or_else(String::new, |near| format!("--{near}"))
}

/// What clap noted under this heading, as words.
fn text(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magic::{Kind, find, named};

    fn check(line: &str, evalue: &str, hint: &str) {
        let (name, args) = line.trim_start_matches('%').split_once(' ').unwrap();
        let error = parse(named(name).unwrap(), args).unwrap_err();
        assert_eq!(error.ename, "UsageError", "{line}");
        assert_eq!(error.evalue, evalue, "{line}");
        assert_eq!(error.hint.as_deref(), Some(hint), "{line}");
    }

    #[test]
    fn words_are_split_as_in_a_shell() {
        let source = find("source", Kind::Cell).unwrap();
        let args = parse(source, r#"events --path 'a b' --watermark "ts 10 minutes""#).unwrap();
        assert_eq!(args.get_one::<String>("path").unwrap(), "a b");
        assert_eq!(
            args.get_one::<String>("watermark").unwrap(),
            "ts 10 minutes"
        );
        let args = parse(source, "events --path #1/'a #2'").unwrap();
        assert_eq!(args.get_one::<String>("path").unwrap(), "#1/a #2");
    }

    #[test]
    fn mistakes_name_the_thing_and_the_nearest_right_one() {
        check(
            "%%source events --format json --paht data",
            "%%source has no flag '--paht'",
            "%%source events --format json --path data",
        );
        check(
            "%%stream counts --mode updte",
            "'--mode' cannot be 'updte': use one of append, update, complete",
            "%%stream counts --mode update",
        );
        check(
            "%%stream counts --mode",
            "'--mode' needs a value",
            "%help stream lists what %%stream takes",
        );
        check(
            "%progress counts --recent many",
            "'--recent' cannot be 'many': it is no whole number",
            "%help progress lists what %progress takes",
        );
        check(
            "%%source events --watermark timestamp 10 minutes --format json",
            "%%source does not take '10'",
            "put it in quotes: --watermark \"timestamp 10 minutes\"",
        );
        check(
            "%%source events --max-files-per-trigger 0",
            "'--max-files-per-trigger' cannot be '0': it has to be a number from 1 up",
            "%help source lists what %%source takes",
        );
        check(
            "%status counts more",
            "%status does not take 'more'",
            "%help status lists what %status takes",
        );
        check(
            "%status 'counts",
            "a quote is not closed in ''counts'",
            "close it; to give a quote as such, write \\\"",
        );
        check(
            "%%stream counts --mode append --mode update",
            "'--mode' was given twice",
            "%help stream lists what %%stream takes",
        );
    }

    #[test]
    fn a_missing_name_is_asked_for() {
        let error = parse(named("source").unwrap(), "--format json").unwrap_err();
        assert_eq!(error.evalue, "%%source needs NAME");
        assert!(error.hint.unwrap().starts_with("write %%source NAME"));
    }
}
