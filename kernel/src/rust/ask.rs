//! Questions about Rust code: what can stand at the cursor, and what a name is.
//!
//! rust-analyzer answers while no cell is compiled or run; meanwhile the names that earlier cells
//! have defined are offered.

use tidebook_engine::Session;

use super::RustCells;
use crate::display::MimeBundle;
use crate::language::{complete, place};

/// Names that every cell can use, for the time before rust-analyzer runs.
const ALWAYS: [&str; 14] = [
    "Trigger",
    "avg",
    "col",
    "count",
    "current_timestamp",
    "expr",
    "lit",
    "max",
    "min",
    "session_window",
    "spark",
    "sum",
    "udf",
    "window",
];

impl RustCells {
    /// Completions at a cursor given in code points: the texts, and what they replace.
    pub(crate) async fn complete(
        &self,
        code: &str,
        cursor: usize,
        session: Option<&Session>,
    ) -> complete::Completion {
        let offset = place::offset(code, cursor);
        if in_string(&code[..offset]) {
            return complete::in_string(code, cursor, session);
        }
        let typed = typed_word(&code[..offset]);
        let found = match self.idle_compiler() {
            Some(compiler) => compiler.complete(code.to_owned(), offset).await,
            None => None,
        };
        if let Some(found) = found.filter(|found| !found.texts.is_empty()) {
            return complete::Completion::new(
                sorted(found.texts.into_iter()),
                place::cursor(code, found.start),
                place::cursor(code, found.end),
            );
        }
        let known = self.known();
        let names = known
            .variables
            .into_iter()
            .map(|(name, _)| name)
            .chain(known.items);
        let names = names.chain(ALWAYS.map(str::to_owned));
        let is_member = code[..offset - typed.len()].ends_with(['.', ':']);
        let names = names.filter(|name| !is_member && name.starts_with(typed));
        complete::Completion::new(
            sorted(names),
            place::cursor(code, offset - typed.len()),
            cursor,
        )
    }

    /// Type and documentation of what stands at a cursor given in code points.
    pub(crate) async fn inspect(&self, code: &str, cursor: usize) -> Option<MimeBundle> {
        let offset = place::offset(code, cursor);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let rest = code[offset..]
            .find(|c| !is_word(c))
            .unwrap_or(code.len() - offset);
        let end = offset + rest;
        let word = typed_word(&code[..end]);
        if word.is_empty() {
            return None;
        }
        if let Some(compiler) = self.idle_compiler()
            && let Some((text, html)) = compiler.inspect(code.to_owned(), end).await
            && text != NOTHING_FOUND
        {
            return Some(MimeBundle::html(html, text));
        }
        let variables = self.known().variables;
        let known = variables.iter().find(|(name, _)| name == word);
        known.map(|(name, kind)| MimeBundle::text(format!("let {name}: {kind}")))
    }
}

/// What evcxr says where rust-analyzer knows nothing.
const NOTHING_FOUND: &str = "No documentation found";

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    names
}

fn typed_word(before: &str) -> &str {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    &before[before.trim_end_matches(is_word).len()..]
}

/// Whether the text ends inside a string literal that began on its last line.
fn in_string(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before);
    let mut open = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if open => drop(chars.next()),
            '"' => open = !open,
            '/' if !open && chars.as_str().starts_with('/') => return false,
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_told_from_code() {
        assert!(in_string("let x = col(\"us"));
        assert!(!in_string("let x = col(\"us\")"));
        assert!(in_string(r#"f("a \" b"#));
        assert!(!in_string("// it is \"so"));
        assert!(!in_string("let s = \"\nnext"));
    }

    #[test]
    fn the_word_before_the_cursor() {
        assert_eq!(typed_word("spark.read_st"), "read_st");
        assert_eq!(typed_word("spark."), "");
    }
}
