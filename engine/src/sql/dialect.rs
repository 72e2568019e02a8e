//! How sqlparser's tokenizer reads Spark's text.

use std::any::TypeId;

use sqlparser::dialect::{BigQueryDialect, Dialect};

/// Spark's tokens: names in backticks, texts in both quotes, raw texts.
#[derive(Debug)]
pub(super) struct SparkTokens;

impl Dialect for SparkTokens {
    // The one family of dialects with raw texts: r'\d'.
    fn dialect(&self) -> TypeId {
        TypeId::of::<BigQueryDialect>()
    }

    fn is_delimited_identifier_start(&self, char: char) -> bool {
        char == '`'
    }

    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || char == '_'
    }

    fn is_identifier_part(&self, char: char) -> bool {
        char.is_alphanumeric() || char == '_'
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        true
    }

    fn supports_nested_comments(&self) -> bool {
        true
    }
}
