//! What a name is: a magic, a flag or an option of the magic on this line, a view, a query, a
//! column, a function.

use tidebook_engine::{Session, sql_type};

use super::known_names::{KnownNames, described_function};
use super::place::{self, Place};
use crate::display::MimeBundle;
use crate::magic::{self, Kind, Magic};
use crate::names;

/// Explains what stands at a cursor given in code points.
pub(crate) fn position(code: &str, cursor: usize, session: Option<&Session>) -> Option<MimeBundle> {
    let offset = place::offset(code, cursor);
    let word = word_at(code, offset);
    match place::place(code, offset) {
        Place::Arguments { magic, words, .. } => {
            if let Some(flag) = word.strip_prefix("--") {
                return flag_help(magic, flag);
            }
            let option = option_help(magic, &words, word);
            option.or_else(|| name(word.trim_start_matches('%'), session))
        }
        Place::Body { magic, body } if magic.spec().kind == Kind::Cell => {
            in_body(body, word.trim_start_matches('%'), session)
        }
        _ => name(word.trim_start_matches('%'), session),
    }
}

fn flag_help(magic: &dyn Magic, flag: &str) -> Option<MimeBundle> {
    let command = magic::command(magic);
    let mut args = command.get_arguments();
    let arg = args.find(|arg| arg.get_long() == Some(flag))?;
    let text = format!("{}\n\n{}", magic::shown(arg), magic::arg_help(arg));
    Some(MimeBundle::text(text))
}

/// What an option does that stands behind `--option`.
fn option_help(magic: &dyn Magic, words: &[&str], word: &str) -> Option<MimeBundle> {
    let is_option = words.last().is_some_and(|word| *word == "--option");
    let options = is_option.then(|| magic.options(words))?;
    let mut options = options.into_iter();
    let option = options.find(|option| option.name.eq_ignore_ascii_case(word))?;
    Some(MimeBundle::text(format!(
        "{}\n\n{}",
        option.name, option.doc
    )))
}

/// Explains a word of a query: a column of what it reads, or else a name.
fn in_body(body: &str, word: &str, session: Option<&Session>) -> Option<MimeBundle> {
    let names = KnownNames::of(session);
    let read = names.mentioned(body);
    let column = read.iter().find_map(|view| {
        let (_, field) = view.schema.column_with_name(word)?;
        let kind = sql_type(field.data_type());
        let of = if view.is_streaming { "stream" } else { "table" };
        Some(format!("column {word} {kind} of {of} '{}'", view.name))
    });
    match column {
        Some(text) => Some(MimeBundle::text(text)),
        None => name(word, session),
    }
}

/// Explains a magic, a view, a query or a function of this name.
pub(crate) fn name(name: &str, session: Option<&Session>) -> Option<MimeBundle> {
    if let Some(magic) = magic::named(name) {
        return Some(magic::help(magic));
    }
    let session = session?;
    let known = names::explain(name, session);
    let found = known.or_else(|| described_function(session, name));
    found.map(MimeBundle::text)
}

/// The word around a byte offset, with the signs that begin magics and flags.
fn word_at(code: &str, offset: usize) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '%');
    let start = code[..offset].trim_end_matches(is_word).len();
    let length = code[offset..]
        .find(|c| !is_word(c))
        .unwrap_or(code.len() - offset);
    &code[start..offset + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(code: &str) -> Option<String> {
        let cursor = code.find('|').unwrap();
        let bundle = position(&code.replacen('|', "", 1), cursor, None)?;
        Some(bundle.data["text/plain"].as_str().unwrap().to_owned())
    }

    #[test]
    fn magics_and_flags() {
        assert!(
            explained("%sta|tus counts")
                .unwrap()
                .starts_with("%status [NAME]")
        );
        assert!(
            explained("%%stream|\nSELECT 1")
                .unwrap()
                .starts_with("%%stream NAME")
        );
        assert!(
            explained("%%stream a --mo|de update")
                .unwrap()
                .starts_with("--mode MODE")
        );
        let option = explained("%%source a --format csv --option hea|der=true").unwrap();
        assert!(
            option.starts_with("header\n\ntrue: the first line"),
            "{option}"
        );
        assert_eq!(explained("%%sql\nSELECT no|body"), None);
        assert_eq!(explained("|"), None);
    }
}
