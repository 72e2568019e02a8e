//! What a name is: a magic, a flag of the magic on this line, a view, a query.

use tidebook_engine::Session;

use super::place::{self, Place};
use crate::display::MimeBundle;
use crate::magic;
use crate::names;

/// Explains what stands at a cursor given in code points.
pub fn position(code: &str, cursor: usize, session: Option<&Session>) -> Option<MimeBundle> {
    let offset = place::offset(code, cursor);
    let word = word_at(code, offset);
    if let Place::Arguments { magic, .. } = place::place(code, offset)
        && let Some(flag) = word.strip_prefix("--")
    {
        let command = magic::command(magic);
        let arg = command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(flag))?;
        let text = format!("{}\n\n{}", magic::shown(arg), magic::arg_help(arg));
        return Some(MimeBundle::text(text));
    }
    name(word.trim_start_matches('%'), session)
}

/// Explains a magic, a view or a query of this name.
pub fn name(name: &str, session: Option<&Session>) -> Option<MimeBundle> {
    if let Some(magic) = magic::named(name) {
        return Some(magic::help(magic));
    }
    names::explain(name, session?).map(MimeBundle::text)
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
        assert_eq!(explained("%%sql\nSELECT no|body"), None);
        assert_eq!(explained("|"), None);
    }
}
