//! A place among the tokens of a text, and how it moves on.

use super::parameters::Parameters;
use super::tokens::{Token, TokenKind, tokens};
use crate::depth::deeper;
use crate::error::{Error, Result, syntax_error};
use crate::tree::Place;

/// So deep may expressions and queries stand in each other.
const MAX_NESTING: usize = 100;

/// So many operators may follow each other, each with the result of the one before.
const MAX_CHAIN: usize = 2_000;

/// So often a part of a text is read a second time.
const MAX_RETRIES: usize = 2_000;

/// Reads tokens one after the other.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    /// All but the last.
    tokens: Vec<Token>,
    /// The last, which is the end.
    end: Token,
    pub(super) at: usize,
    /// How many expressions and queries surround the place.
    nesting: usize,
    /// The longest chain of operators in what was read last.
    pub(super) chain: usize,
    /// How many CASE surround the place.
    pub(super) cases: usize,
    /// How many `?` there were.
    pub(super) parameters: usize,
    /// How often something was read a second time.
    retries: usize,
    /// What parameters stand for, if that is known.
    pub(super) values_of_parameters: Option<Parameters>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        let mut tokens = tokens(text)?;
        let end = tokens.pop();
        Ok(Self {
            text,
            tokens,
            end: end.ok_or_else(|| Error::internal("a text has no end"))?,
            at: 0,
            nesting: 0,
            chain: 0,
            cases: 0,
            parameters: 0,
            retries: 0,
            values_of_parameters: None,
        })
    }

    /// The next token; behind the last one it is the end for ever.
    pub(super) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens.get(self.at + ahead).unwrap_or(&self.end)
    }

    pub(super) fn place(&self) -> Place {
        self.peek().place
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// Whether the next token is this keyword or symbol.
    pub(super) fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    pub(super) fn is_at(&self, ahead: usize, word: &str) -> bool {
        match &self.peek_at(ahead).kind {
            TokenKind::Word { text, quoted } => !quoted && text.eq_ignore_ascii_case(word),
            TokenKind::Symbol(symbol) => symbol == word,
            _ => false,
        }
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(word))
    }

    /// Whether these keywords and symbols come next.
    pub(super) fn are(&self, words: &[&str]) -> bool {
        let mut words = words.iter().enumerate();
        words.all(|(ahead, word)| self.is_at(ahead, word))
    }

    /// Passes over a keyword or symbol, if it is the next one.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        self.eat_all(&[word])
    }

    /// Passes over keywords and symbols, if all of them come next.
    pub(super) fn eat_all(&mut self, words: &[&str]) -> bool {
        let are = self.are(words);
        self.at += if are { words.len() } else { 0 };
        are
    }

    /// The one of some keywords that is next, passed over.
    pub(super) fn eat_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().copied().find(|word| self.eat(word))
    }

    pub(super) fn expect(&mut self, word: &str) -> Result<()> {
        match self.eat(word) {
            true => Ok(()),
            false => Err(self.expected(word)),
        }
    }

    pub(super) fn expect_all(&mut self, words: &[&str]) -> Result<()> {
        words.iter().try_for_each(|word| self.expect(word))
    }

    pub(super) fn is_end(&self) -> bool {
        self.peek().kind == TokenKind::End
    }

    pub(super) fn expect_end(&self) -> Result<()> {
        match self.is_end() {
            true => Ok(()),
            false => Err(self.expected("end of statement")),
        }
    }

    pub(super) fn expected(&self, what: &str) -> Error {
        let error = self.error(&format!("Expected: {what}, found: {}", self.peek().kind));
        if self.is("FROM") && self.is_behind(",") {
            return error
                .with_condition("TRAILING_COMMA_IN_SELECT")
                .with_hint("remove the comma before FROM");
        }
        let found = match &self.peek().kind {
            TokenKind::End => "end of input".to_string(),
            kind => format!("'{kind}'"),
        };
        error
            .with_parameter("error", found)
            .with_parameter("hint", "")
    }

    /// Whether the token before is this symbol.
    pub(super) fn is_behind(&self, symbol: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.is_some_and(|token| matches!(&token.kind, TokenKind::Symbol(text) if text == symbol))
    }

    /// An error at the next token.
    pub(super) fn error(&self, message: &str) -> Error {
        self.error_at(message, self.place())
    }

    pub(super) fn error_at(&self, message: &str, place: Place) -> Error {
        syntax_error(message, place, self.text)
    }

    /// What `read` gives, one level deeper.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            return Err(self
                .error(&format!(
                    "more than {MAX_NESTING} levels stand in each other"
                ))
                .with_condition("PARSE_SYNTAX_ERROR")
                .with_hint("name the inner parts in WITH"));
        }
        self.nesting += 1;
        let value = deeper(self.nesting, || read(self));
        self.nesting -= 1;
        value
    }

    /// One more operator has what was read so far, whose longest chain is `before`, as its operand.
    pub(super) fn lengthen(&mut self, before: usize) -> Result<()> {
        self.chain = self.chain.max(before) + 1;
        match self.chain > MAX_CHAIN {
            true => Err(self
                .error(&format!(
                    "more than {MAX_CHAIN} operators follow each other"
                ))
                .with_hint("use a function of many values, such as concat or aggregate")),
            false => Ok(()),
        }
    }

    /// What `first` reads, or if it cannot, what `second` reads; the error is that of the one that
    /// came farther.
    pub(super) fn either<T>(
        &mut self,
        first: impl FnOnce(&mut Self) -> Result<T>,
        second: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let (at, chain, cases, parameters) = (self.at, self.chain, self.cases, self.parameters);
        let error = match first(self) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        self.retries += 1;
        if self.retries > MAX_RETRIES {
            return Err(error);
        }
        let reached = self.at;
        (self.at, self.chain, self.cases, self.parameters) = (at, chain, cases, parameters);
        let value = second(self);
        match value {
            Err(_) if reached > self.at => Err(error),
            value => value,
        }
    }

    /// Things with commas between them.
    pub(super) fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.eat(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// `(a, b)`, with `item` for each.
    pub(super) fn in_parens<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect("(")?;
        let items = self.list(item)?;
        self.expect(")")?;
        Ok(items)
    }

    /// A name, whatever word it is.
    pub(super) fn identifier(&mut self) -> Result<String> {
        let TokenKind::Word { text, .. } = &self.peek().kind else {
            return Err(self.expected("an identifier"));
        };
        let text = text.clone();
        self.advance();
        Ok(text)
    }

    /// `a.b.c`.
    pub(super) fn qualified(&mut self) -> Result<Vec<String>> {
        let mut parts = vec![self.identifier()?];
        while self.eat(".") {
            parts.push(self.identifier()?);
        }
        Ok(parts)
    }

    pub(super) fn is_word(&self) -> bool {
        matches!(self.peek().kind, TokenKind::Word { .. })
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.peek().kind, TokenKind::Text(_))
    }

    /// A text; several side by side are one.
    pub(super) fn string(&mut self) -> Result<String> {
        if !self.is_text() {
            return Err(self.expected("a text"));
        }
        let mut string = String::new();
        while let TokenKind::Text(text) = &self.peek().kind {
            string.push_str(text);
            self.at += 1;
        }
        Ok(string)
    }
}
