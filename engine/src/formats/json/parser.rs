//! The tokens of one JSON text, one after the other, without building anything from them. Strict
//! about the grammar, but for what a [`Leniency`] allows.

mod strings;
#[cfg(test)]
mod tests;

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxError(pub(crate) &'static str);

type Result<T> = std::result::Result<T, SyntaxError>;

const END: SyntaxError = SyntaxError("it ends in the middle of a value");
/// Nothing may be nested deeper than this.
pub(crate) const MAX_DEPTH: usize = 1000;

/// What is taken for JSON although it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leniency {
    /// Names and strings in single quotes.
    pub single_quotes: bool,
    /// Names without quotes.
    pub unquoted_names: bool,
    /// `//` and `/* */`.
    pub comments: bool,
    /// `007`.
    pub leading_zeros: bool,
    /// `NaN`, `Infinity`, `+INF` and their like.
    pub non_numeric_numbers: bool,
    /// A backslash before any character.
    pub any_escape: bool,
    /// Control characters in strings.
    pub control_characters: bool,
}

impl Default for Leniency {
    /// Spark's.
    fn default() -> Self {
        Self {
            single_quotes: true,
            unquoted_names: false,
            comments: false,
            leading_zeros: false,
            non_numeric_numbers: true,
            any_escape: false,
            control_characters: false,
        }
    }
}

/// Goes through a text from its beginning.
#[derive(Debug)]
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    leniency: Leniency,
    has_duplicates: bool,
    /// The last string that had escapes.
    unescaped: String,
}

/// A number as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number<'a> {
    pub(crate) text: &'a str,
    /// Neither a fraction nor an exponent.
    pub(crate) whole: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, leniency: Leniency) -> Self {
        Self {
            text,
            at: 0,
            leniency,
            has_duplicates: false,
            unescaped: String::new(),
        }
    }

    /// The first byte of the next token; it tells which token it is.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8> {
        self.skip_space().ok_or(END)
    }

    /// Whether nothing but space is left.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.skip_space().is_none()
    }

    /// The same for a text in which an object has two fields of one name.
    pub(crate) fn with_duplicates(self) -> Self {
        Self {
            has_duplicates: true,
            ..self
        }
    }

    /// See [`Parser::with_duplicates`].
    pub(crate) fn has_duplicates(&self) -> bool {
        self.has_duplicates
    }

    /// What the text may contain.
    pub(crate) fn leniency(&self) -> Leniency {
        self.leniency
    }

    /// Goes back to a position.
    pub(crate) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    /// Where the next byte is.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    pub(crate) fn text_from(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Reads `null`, `true` or `false`, of which the first byte was seen.
    pub(crate) fn literal(&mut self, word: &str) -> Result<()> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(SyntaxError("a word is not null, true or false"))
    }

    /// Reads a number.
    pub(crate) fn number(&mut self) -> Result<Number<'a>> {
        let start = self.at;
        self.eat(b'-');
        let mut whole = true;
        match self.byte() {
            Some(b'1'..=b'9') => self.digits()?,
            Some(b'0') if !self.leniency.leading_zeros => self.at += 1,
            Some(b'0') => self.digits()?,
            _ => return self.word(start),
        }
        if self.eat(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            whole = false;
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        match self.byte() {
            Some(b'0'..=b'9') => Err(SyntaxError("a number starts with 0")),
            _ => Ok(Number {
                text: self.text_from(start),
                whole,
            }),
        }
    }

    /// Enters an object. Whether a field follows, whose name is to be read next.
    #[inline]
    pub(crate) fn enter_object(&mut self) -> Result<bool> {
        self.at += 1;
        let empty = self.peek()? == b'}';
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// Goes on behind the value of a field. Whether another one follows; if not, the object is
    /// left.
    #[inline]
    pub(crate) fn next_field(&mut self) -> Result<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => self.peek().map(|_| true),
            b'}' => Ok(false),
            _ => Err(SyntaxError("there is no comma between two fields")),
        }
    }

    /// Reads the name of a field if it is `name`, which must be one that is written without
    /// escapes.
    #[inline]
    pub(crate) fn eat_name(&mut self, name: &str) -> Result<bool> {
        let rest = self.rest();
        let end = name.len() + 1;
        let found = rest.first() == Some(&b'"')
            && rest.get(end) == Some(&b'"')
            && rest.get(1..end) == Some(name.as_bytes());
        if found {
            self.at += end + 1;
            self.colon()?;
        }
        Ok(found)
    }

    /// Enters an array: the first byte of its first element, if it has one.
    pub(crate) fn first_element(&mut self) -> Result<Option<u8>> {
        self.at += 1;
        match self.peek()? {
            b']' => {
                self.at += 1;
                Ok(None)
            }
            first => Ok(Some(first)),
        }
    }

    /// The first byte of the next element of an array; leaves the array at its end.
    pub(crate) fn next_element(&mut self) -> Result<Option<u8>> {
        match self.peek()? {
            b',' => {
                self.at += 1;
                self.peek().map(Some)
            }
            b']' => {
                self.at += 1;
                Ok(None)
            }
            _ => Err(SyntaxError("there is no comma between two elements")),
        }
    }

    /// Reads any value and forgets it.
    pub(crate) fn skip(&mut self) -> Result<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(SyntaxError("it is nested too deeply"));
        }
        match self.peek()? {
            b'"' => self.skip_string::<b'"'>(),
            b'\'' => self.skip_string::<b'\''>(),
            b'{' => {
                let mut more = self.enter_object()?;
                while more {
                    self.name()?;
                    self.skip_nested(depth + 1)?;
                    more = self.next_field()?;
                }
                Ok(())
            }
            b'[' => {
                let mut next = self.first_element()?;
                while next.is_some() {
                    self.skip_nested(depth + 1)?;
                    next = self.next_element()?;
                }
                Ok(())
            }
            b'n' => self.literal("null"),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            first if is_number(first) => self.number().map(drop),
            _ => Err(SyntaxError("a value is missing, or not JSON")),
        }
    }

    #[inline]
    fn colon(&mut self) -> Result<()> {
        match self.peek()? {
            b':' => {
                self.at += 1;
                Ok(())
            }
            _ => Err(SyntaxError("there is no colon after the name of a field")),
        }
    }

    /// Reads what stands for a number that has no digits; `INF` only with a sign, `NaN` only
    /// without.
    #[cold]
    fn word(&mut self, start: usize) -> Result<Number<'a>> {
        let signed = self.at > start || self.eat(b'+');
        let words = match signed {
            true => ["Infinity", "INF"],
            false => ["Infinity", "NaN"],
        };
        let rest = self.rest();
        let word = words.iter().find(|word| rest.starts_with(word.as_bytes()));
        match word.filter(|_| self.leniency.non_numeric_numbers) {
            Some(word) => self.at += word.len(),
            None => return Err(SyntaxError("a number has no digits")),
        }
        Ok(Number {
            text: self.text_from(start),
            whole: false,
        })
    }

    #[inline]
    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        match self.at > start {
            true => Ok(()),
            false => Err(SyntaxError("a number has no digits where it needs some")),
        }
    }

    /// The first byte that is no space; it is the next one, mostly.
    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        match self.byte() {
            Some(byte) if byte > b' ' && byte != b'/' => Some(byte),
            _ => self.skip_some_space(),
        }
    }

    fn skip_some_space(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.leniency.comments && self.skip_comment() => {}
                byte => return byte,
            }
        }
    }

    /// Whether a comment begins here; then it is passed over.
    fn skip_comment(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let length = if rest.starts_with("//") {
            rest.find('\n').or(Some(rest.len()))
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.find("*/").map(|end| end + 4)
        } else {
            None
        };
        self.at += length.unwrap_or(0);
        length.is_some()
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.byte() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

/// Whether a token that begins like this is a number.
pub(crate) fn is_number(first: u8) -> bool {
    matches!(first, b'0'..=b'9' | b'-' | b'+' | b'I' | b'N')
}
