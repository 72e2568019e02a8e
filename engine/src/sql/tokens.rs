//! Spark SQL text to tokens: sqlparser's, with Spark's own rules for texts and numbers.

use std::fmt;

use sqlparser::tokenizer::{Location, Token as RawToken, TokenWithSpan, Tokenizer, Whitespace};

use super::dialect::SparkTokens;
use super::escapes::{doubled, unescaped};
use crate::error::{Error, Result, syntax_error};
use crate::tree::Place;

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) place: Place,
    /// Nothing stands between it and the token before it.
    pub(super) glued: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name or keyword; in backticks it is never a keyword.
    Word { text: String, quoted: bool },
    /// A text, its escapes read.
    Text(String),
    /// A number as written, and the letters behind it that say its type.
    Number { digits: String, suffix: String },
    /// The digits of `X'1F'`.
    Hex(String),
    /// Anything else.
    Symbol(String),
    /// Behind the last one.
    End,
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenKind::Word { text, quoted: true } => write!(f, "`{text}`"),
            TokenKind::Word { text, .. } | TokenKind::Symbol(text) => f.write_str(text),
            TokenKind::Text(text) => write!(f, "'{text}'"),
            TokenKind::Number { digits, suffix } => write!(f, "{digits}{suffix}"),
            TokenKind::Hex(digits) => write!(f, "X'{digits}'"),
            TokenKind::End => f.write_str("EOF"),
        }
    }
}

/// The tokens of `text`; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    let raw = Tokenizer::new(&SparkTokens, text)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| syntax_error(&error.message, place_of(error.location), text))?;
    let mut output: Vec<Token> = Vec::with_capacity(raw.len() + 1);
    let mut glued = false;
    for token in raw {
        if let RawToken::Whitespace(space) = &token.token {
            if matches!(space, Whitespace::SingleLineComment { prefix, .. } if prefix == "#") {
                return Err(unexpected("#", &token, text));
            }
            glued = false;
            continue;
        }
        add(&mut output, token, glued, text)?;
        glued = true;
    }
    let end = text.lines().last().unwrap_or_default();
    output.push(Token {
        kind: TokenKind::End,
        place: Place {
            line: text.lines().count().max(1),
            column: end.chars().count() + 1,
        },
        glued: false,
    });
    Ok(output)
}

fn add(output: &mut Vec<Token>, raw: TokenWithSpan, glued: bool, text: &str) -> Result<()> {
    let before = output
        .last_mut()
        .filter(|_| glued)
        .map(|last| &mut last.kind);
    let kind = match (&raw.token, before) {
        (RawToken::Word(word), Some(TokenKind::Number { suffix, .. }))
            if suffix.is_empty() && word.quote_style.is_none() =>
        {
            *suffix = word.value.to_uppercase();
            return Ok(());
        }
        // X"1F"
        (RawToken::DoubleQuotedString(digits), Some(kind)) if is_x(kind) => {
            *kind = TokenKind::Hex(digits.clone());
            return Ok(());
        }
        _ => kind(&raw).ok_or_else(|| unexpected(&raw.token.to_string(), &raw, text))?,
    };
    // `>>` ends two types, so it is a shift only where one is expected.
    let (kinds, count) = match kind {
        TokenKind::Symbol(symbol) if symbol == ">>" => (TokenKind::Symbol(">".to_string()), 2),
        kind => (kind, 1),
    };
    let start = place_of(raw.span.start);
    for number in 0..count {
        output.push(Token {
            kind: kinds.clone(),
            place: Place {
                column: start.column + number,
                ..start
            },
            glued: glued || number > 0,
        });
    }
    Ok(())
}

fn is_without_quotes(raw: &TokenWithSpan, digits: &str) -> bool {
    let (start, end) = (raw.span.start, raw.span.end);
    start.line == end.line && end.column - start.column == digits.chars().count() as u64 + 2
}

fn is_x(kind: &TokenKind) -> bool {
    matches!(kind, TokenKind::Word { text, quoted: false } if text.eq_ignore_ascii_case("x"))
}

fn place_of(location: Location) -> Place {
    Place {
        line: location.line as usize,
        column: location.column as usize,
    }
}

/// What a token of sqlparser's is, if Spark has it.
fn kind(raw: &TokenWithSpan) -> Option<TokenKind> {
    Some(match &raw.token {
        RawToken::Word(word) => match word.quote_style {
            Some(quote) => TokenKind::Word {
                text: doubled(&word.value, quote),
                quoted: true,
            },
            None => TokenKind::Word {
                text: word.value.clone(),
                quoted: false,
            },
        },
        RawToken::Number(digits, long) => TokenKind::Number {
            digits: digits.clone(),
            suffix: if *long { "L" } else { "" }.to_string(),
        },
        RawToken::SingleQuotedString(raw) => TokenKind::Text(unescaped(raw, '\'')),
        RawToken::DoubleQuotedString(raw) => TokenKind::Text(unescaped(raw, '"')),
        RawToken::SingleQuotedRawStringLiteral(text)
        | RawToken::DoubleQuotedRawStringLiteral(text) => TokenKind::Text(text.clone()),
        // `0x1F` is a name in Spark.
        RawToken::HexStringLiteral(digits) if is_without_quotes(raw, digits) => TokenKind::Word {
            text: format!("0x{digits}"),
            quoted: false,
        },
        RawToken::HexStringLiteral(digits) => TokenKind::Hex(digits.clone()),
        RawToken::Placeholder(mark) if mark == "?" => TokenKind::Symbol("?".to_string()),
        RawToken::DoubleExclamationMark => TokenKind::Symbol("!!".to_string()),
        RawToken::Neq => TokenKind::Symbol("!=".to_string()),
        RawToken::DoubleEq => TokenKind::Symbol("=".to_string()),
        RawToken::Comma
        | RawToken::Eq
        | RawToken::Lt
        | RawToken::Gt
        | RawToken::LtEq
        | RawToken::GtEq
        | RawToken::Spaceship
        | RawToken::Plus
        | RawToken::Minus
        | RawToken::Mul
        | RawToken::Div
        | RawToken::Mod
        | RawToken::StringConcat
        | RawToken::LParen
        | RawToken::RParen
        | RawToken::Period
        | RawToken::Colon
        | RawToken::DoubleColon
        | RawToken::SemiColon
        | RawToken::LBracket
        | RawToken::RBracket
        | RawToken::Ampersand
        | RawToken::Pipe
        | RawToken::Caret
        | RawToken::RArrow
        | RawToken::Tilde
        | RawToken::ShiftLeft
        | RawToken::ShiftRight
        | RawToken::ExclamationMark
        | RawToken::Arrow => TokenKind::Symbol(raw.token.to_string()),
        _ => return None,
    })
}

fn unexpected(token: &str, raw: &TokenWithSpan, text: &str) -> Error {
    let message = format!("'{token}' means nothing here");
    let error = syntax_error(&message, place_of(raw.span.start), text);
    match token {
        "&&" => error.with_hint("write AND"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let tokens = tokens(text).unwrap();
        let tokens: Vec<String> = tokens.iter().map(|token| token.kind.to_string()).collect();
        tokens.join(" ")
    }

    #[test]
    fn tokens_as_spark_has_them() {
        assert_eq!(
            shown("1L 2.5d 1e3BD .5 5. 1e3"),
            "1L 2.5D 1e3BD .5 5. 1e3 EOF"
        );
        assert_eq!(shown(r"'a' 'b' r'\d' X'1F' x"), r"'a' 'b' '\d' X'1F' x EOF");
        assert_eq!(shown("a/* x /* y */ */--z\n<=>`b``c`"), "a <=> `b`c` EOF");
        assert_eq!(shown("x >> 1 == 2 <> 3"), "x > > 1 = 2 != 3 EOF");
        assert!(tokens("a # b").is_err());
        let and = tokens("a && b").unwrap_err();
        assert_eq!(and.hint(), Some("write AND"));
        assert!(tokens("'a").is_err());
    }
}
