//! The tokens of one JSON text, one after the other, without building anything from them. Strict
//! about the grammar, with Spark's one addition: `NaN`, `Infinity` and `-Infinity` are numbers.

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SyntaxError(pub(super) &'static str);

type Result<T> = std::result::Result<T, SyntaxError>;

const END: SyntaxError = SyntaxError("it ends in the middle of a value");
const MAX_DEPTH: usize = 1000;

/// Goes through a text from its beginning.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// The last string that had escapes.
    unescaped: String,
}

/// A number as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number<'a> {
    pub(super) text: &'a str,
    /// Neither a fraction nor an exponent.
    pub(super) whole: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            unescaped: String::new(),
        }
    }

    /// The first byte of the next token; it tells which token it is.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8> {
        self.skip_space().ok_or(END)
    }

    /// Whether nothing but space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_space().is_none()
    }

    /// Where the next byte is.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The text from `start` to here.
    pub(super) fn text_from(&self, start: usize) -> &'a str {
        &self.text[start..self.at]
    }

    /// Reads `null`, `true` or `false`, of which the first byte was seen.
    pub(super) fn literal(&mut self, word: &str) -> Result<()> {
        if self.rest().starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(SyntaxError("a word is not null, true or false"))
    }

    /// Reads a number.
    pub(super) fn number(&mut self) -> Result<Number<'a>> {
        let start = self.at;
        self.eat(b'-');
        let mut whole = true;
        match self.byte() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            Some(b'I') => return self.word("Infinity", start),
            Some(b'N') if start == self.at => return self.word("NaN", start),
            _ => return Err(SyntaxError("a number has no digits")),
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

    /// Reads a string.
    pub(super) fn string(&mut self) -> Result<&str> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        if self.byte() == Some(b'"') {
            self.at += 1;
            return Ok(&self.text[start..self.at - 1]);
        }
        self.unescaped.clear();
        self.unescaped.push_str(self.text_from(start));
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.unescaped);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    self.unescaped.push(character);
                }
                Some(_) => return Err(SyntaxError("a string contains a control character")),
                None => return Err(END),
            }
            let start = self.at;
            self.skip_plain();
            self.unescaped.push_str(&self.text[start..self.at]);
        }
    }

    /// Enters an object. Whether a field follows, whose name is to be read next.
    #[inline]
    pub(super) fn enter_object(&mut self) -> Result<bool> {
        self.at += 1;
        let empty = self.peek()? == b'}';
        self.at += usize::from(empty);
        Ok(!empty)
    }

    /// Goes on behind the value of a field. Whether another one follows; if not, the object is
    /// left.
    #[inline]
    pub(super) fn next_field(&mut self) -> Result<bool> {
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => self.peek().map(|_| true),
            b'}' => Ok(false),
            _ => Err(SyntaxError("there is no comma between two fields")),
        }
    }

    /// Reads the name of a field and the colon behind it.
    pub(super) fn name(&mut self) -> Result<&str> {
        if self.byte() != Some(b'"') {
            return Err(SyntaxError("the name of a field is not in double quotes"));
        }
        let start = self.at + 1;
        self.at = start;
        self.skip_plain();
        let end = self.at;
        if self.eat(b'"') {
            self.colon()?;
            return Ok(&self.text[start..end]);
        }
        self.at = start - 1;
        self.string()?;
        self.colon()?;
        Ok(&self.unescaped)
    }

    /// Reads the name of a field if it is `name`, which must be one that is written without
    /// escapes.
    #[inline]
    pub(super) fn eat_name(&mut self, name: &str) -> Result<bool> {
        let rest = self.rest();
        let end = name.len() + 1;
        let found = rest.first() == Some(&b'"')
            && rest.get(end) == Some(&b'"')
            && &rest[1..end] == name.as_bytes();
        if found {
            self.at += end + 1;
            self.colon()?;
        }
        Ok(found)
    }

    /// Enters an array: the first byte of its first element, if it has one.
    pub(super) fn first_element(&mut self) -> Result<Option<u8>> {
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
    pub(super) fn next_element(&mut self) -> Result<Option<u8>> {
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
    pub(super) fn skip(&mut self) -> Result<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(SyntaxError("it is nested too deeply"));
        }
        match self.peek()? {
            b'"' => self.skip_string(),
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

    fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        self.skip_plain();
        while self.byte() != Some(b'"') {
            match self.byte() {
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => return Err(SyntaxError("a string contains a control character")),
                None => return Err(END),
            }
            self.skip_plain();
        }
        self.at += 1;
        Ok(())
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

    fn word(&mut self, word: &str, start: usize) -> Result<Number<'a>> {
        self.literal(word)?;
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

    /// Reads what follows a backslash. Half a surrogate pair becomes `?`, as in Spark.
    fn escape(&mut self) -> Result<char> {
        let byte = self.byte().ok_or(END)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                let behind = self.at;
                if (0xD800..0xDC00).contains(&high) && self.eat(b'\\') && self.eat(b'u') {
                    let low = self.hex()?;
                    if (0xDC00..0xE000).contains(&low) {
                        let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or('?'));
                    }
                    // What follows is a character of its own.
                }
                self.at = behind;
                char::from_u32(high).unwrap_or('?')
            }
            _ => return Err(SyntaxError("a string contains an unknown escape")),
        })
    }

    fn hex(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(END)?;
        let mut code = 0;
        for digit in digits {
            let digit = (*digit as char).to_digit(16);
            let digit = digit.ok_or(SyntaxError("\\u is not followed by four hex digits"))?;
            code = code * 16 + digit;
        }
        self.at += 4;
        Ok(code)
    }

    /// Skips to the next quote, backslash or control character.
    #[inline]
    fn skip_plain(&mut self) {
        let rest = self.rest();
        let mut skipped = 0;
        // Eight bytes at a time, as long as all of them are plain.
        while let Some(word) = rest.get(skipped..skipped + 8) {
            let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
            let special = special_bytes(word);
            if special != 0 {
                self.at += skipped + special.trailing_zeros() as usize / 8;
                return;
            }
            skipped += 8;
        }
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
        let tail = rest[skipped..].iter().position(is_special);
        self.at += tail.map_or(rest.len(), |tail| skipped + tail);
    }

    #[inline]
    fn skip_space(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                byte => return byte,
            }
        }
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
        &self.text.as_bytes()[self.at..]
    }
}

/// Whether a token that begins like this is a number.
pub(super) fn is_number(first: u8) -> bool {
    matches!(first, b'0'..=b'9' | b'-' | b'I' | b'N')
}

/// Marks, in the highest bit of each byte, quotes, backslashes and control characters. Above the
/// first of them a mark may be wrong, which does not matter to who looks for the first.
fn special_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let less_than = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let quotes = less_than(word ^ (ONES * u64::from(b'"')), 1);
    let backslashes = less_than(word ^ (ONES * u64::from(b'\\')), 1);
    quotes | backslashes | less_than(word, 0x20)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn is_json(text: &str) -> bool {
        let mut parser = Parser::new(text);
        parser.skip().is_ok() && parser.is_at_end()
    }

    #[test]
    fn strings() {
        for (text, expected) in [
            (r#""""#, ""),
            (
                r#""plain text of some length""#,
                "plain text of some length",
            ),
            (r#""a\"b\\\/\b\f\n\r\t""#, "a\"b\\/\u{8}\u{c}\n\r\t"),
            (r#""ü\u00fc\ud83d\ude00\ud800x""#, "üü😀?x"),
        ] {
            assert_eq!(Parser::new(text).string(), Ok(expected), "{text}");
        }
        for text in [
            "\"",
            "\"a",
            "\"a\nb\"",
            r#""\x""#,
            r#""\u12g4""#,
            "\"long enough for a word\u{1}\"",
        ] {
            assert!(Parser::new(text).string().is_err(), "{text}");
            assert!(Parser::new(text).skip().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, whole) in [
            ("0", true),
            ("-12", true),
            ("1.50", false),
            ("1e3", false),
            ("NaN", false),
            ("-Infinity", false),
        ] {
            let number = Parser::new(text).number();
            assert_eq!(number, Ok(Number { text, whole }));
        }
        for text in ["-", "01", "1.", ".5", "1e", "-NaN", "+1"] {
            assert!(Parser::new(text).number().is_err(), "{text}");
        }
    }

    /// Every text one mistake away from JSON is judged as serde_json judges it.
    #[test]
    fn the_grammar_is_that_of_serde_json() {
        let text =
            r#"{"a\n":[1,-2.5e+3,true,null],"b":{"c":"x\u00e9","d":[]},"e":{}, "f" : false}"#;
        assert!(is_json(text));
        let insertions = [
            "", ",", ":", "\"", "\\", "{", "]", "0", "-", "e", ".", "n", " ", "\u{1}", "é",
        ];
        let mut accepted = 0;
        for at in 0..text.len() {
            for removed in 0..2 {
                for inserted in insertions {
                    let changed = format!("{}{inserted}{}", &text[..at], &text[at + removed..]);
                    let expected = serde_json::from_str::<Value>(&changed).is_ok();
                    // serde_json refuses numbers that are too large for it.
                    assert_eq!(is_json(&changed), expected, "{changed}");
                    accepted += usize::from(expected);
                }
            }
            assert!(!is_json(&text[..at]), "cut at {at}");
        }
        assert!(accepted > 100);
        assert!(!is_json(&"[".repeat(100_000)));
    }
}
