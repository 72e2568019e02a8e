//! What the SQL parser does not know of Spark's notation, told to it in words it knows: numbers
//! with a type behind them (`1L`, `2.5D`, `1e3`) and `struct(*)`.

use datafusion::sql::sqlparser::dialect::SparkSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer, Word};

use super::literals::ALL_COLUMNS;

/// The function that stands for a number with a type: `typed_literal('1', 'BIGINT')`.
pub(super) const TYPED_LITERAL: &str = "typed_literal";

/// A parser of `text`.
pub(super) fn parser(text: &str) -> Result<Parser<'static>, ParserError> {
    let tokens = Tokenizer::new(&SparkSqlDialect {}, text).tokenize_with_location()?;
    Ok(Parser::new(&SparkSqlDialect {}).with_tokens_with_locations(rewritten(tokens)))
}

/// Whether a comma stands right before FROM.
pub(super) fn has_trailing_comma(text: &str) -> bool {
    let tokens = Tokenizer::new(&SparkSqlDialect {}, text).tokenize();
    let tokens: Vec<Token> = tokens
        .unwrap_or_default()
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    tokens
        .windows(2)
        .any(|pair| pair[0] == Token::Comma && is_keyword(&pair[1], Keyword::FROM))
}

fn is_keyword(token: &Token, keyword: Keyword) -> bool {
    matches!(token, Token::Word(word) if word.keyword == keyword && word.quote_style.is_none())
}

fn rewritten(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut output = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let TokenWithSpan { token, span } = &tokens[at];
        at += 1;
        match token {
            Token::Number(number, long) => {
                let suffix = tokens.get(at).and_then(|next| number_type(&next.token));
                let data_type = match suffix {
                    _ if *long => Some("BIGINT"),
                    Some(data_type) => {
                        at += 1;
                        Some(data_type)
                    }
                    None if number.contains(['e', 'E']) => Some("DOUBLE"),
                    None => None,
                };
                match data_type {
                    Some(data_type) => output.extend(typed_literal(number, data_type, *span)),
                    None => output.push(tokens[at - 1].clone()),
                }
            }
            token if is_keyword(token, Keyword::STRUCT) && is_star(&tokens[at..]) => {
                output.push(word(ALL_COLUMNS, *span));
                at = skip_star(&tokens, at, &mut output);
            }
            _ => output.push(tokens[at - 1].clone()),
        }
    }
    output
}

/// A letter right behind a number.
fn number_type(next: &Token) -> Option<&'static str> {
    let Token::Word(word) = next else {
        return None;
    };
    if word.quote_style.is_some() {
        return None;
    }
    match word.value.to_ascii_uppercase().as_str() {
        "L" => Some("BIGINT"),
        "S" => Some("SMALLINT"),
        "Y" => Some("TINYINT"),
        "D" => Some("DOUBLE"),
        "F" => Some("FLOAT"),
        _ => None,
    }
}

fn typed_literal(number: &str, data_type: &str, span: Span) -> Vec<TokenWithSpan> {
    let text = |text: &str| Token::SingleQuotedString(text.to_string());
    let mut tokens = vec![word(TYPED_LITERAL, span)];
    let rest = [
        Token::LParen,
        text(number),
        Token::Comma,
        text(data_type),
        Token::RParen,
    ];
    tokens.extend(rest.map(|token| TokenWithSpan { token, span }));
    tokens
}

fn word(name: &str, span: Span) -> TokenWithSpan {
    let word = Word {
        value: name.to_string(),
        quote_style: None,
        keyword: Keyword::NoKeyword,
    };
    TokenWithSpan {
        token: Token::Word(word),
        span,
    }
}

fn is_star(tokens: &[TokenWithSpan]) -> bool {
    let mut tokens = tokens
        .iter()
        .map(|token| &token.token)
        .filter(|token| !matches!(token, Token::Whitespace(_)));
    [Token::LParen, Token::Mul, Token::RParen]
        .iter()
        .all(|expected| tokens.next() == Some(expected))
}

/// Passes over `(*)`, of which the parentheses stay.
fn skip_star(tokens: &[TokenWithSpan], mut at: usize, output: &mut Vec<TokenWithSpan>) -> usize {
    loop {
        let token = &tokens[at];
        at += 1;
        if token.token != Token::Mul {
            output.push(token.clone());
        }
        if token.token == Token::RParen {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        parser(text).unwrap().parse_expr().unwrap().to_string()
    }

    #[test]
    fn numbers_keep_their_types() {
        assert_eq!(
            parsed("1L + 2.5D"),
            "typed_literal('1', 'BIGINT') + typed_literal('2.5', 'DOUBLE')"
        );
        assert_eq!(parsed("1e3 * 7"), "typed_literal('1e3', 'DOUBLE') * 7");
        assert_eq!(parsed("1 * d"), "1 * d");
    }

    #[test]
    fn a_struct_of_everything() {
        assert_eq!(
            parsed("to_json(struct( * ))"),
            "to_json(struct_of_all_columns())"
        );
        assert!(has_trailing_comma("SELECT a, FROM t") && !has_trailing_comma("SELECT a FROM t"));
    }
}
