//! Strings and names: where a text spends most of its bytes.

use super::{END, Parser, Result, SyntaxError};

impl<'a> Parser<'a> {
    /// Reads a string, of which the quote was seen.
    pub(crate) fn string(&mut self) -> Result<&str> {
        match self.byte() {
            Some(b'\'') => self.quoted::<b'\''>(),
            _ => self.quoted::<b'"'>(),
        }
    }

    fn quoted<const QUOTE: u8>(&mut self) -> Result<&str> {
        self.check_quote::<QUOTE>()?;
        self.at += 1;
        let start = self.at;
        self.skip_plain::<QUOTE>();
        if self.byte() == Some(QUOTE) {
            self.at += 1;
            return Ok(&self.text[start..self.at - 1]);
        }
        self.unescaped.clear();
        self.unescaped.push_str(self.text_from(start));
        loop {
            match self.byte() {
                Some(byte) if byte == QUOTE => {
                    self.at += 1;
                    return Ok(&self.unescaped);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let character = self.escape()?;
                    self.unescaped.push(character);
                }
                Some(control) => {
                    self.control_character()?;
                    self.unescaped.push(control as char);
                }
                None => return Err(END),
            }
            let start = self.at;
            self.skip_plain::<QUOTE>();
            self.unescaped.push_str(&self.text[start..self.at]);
        }
    }

    fn check_quote<const QUOTE: u8>(&self) -> Result<()> {
        match QUOTE == b'"' || self.leniency.single_quotes {
            true => Ok(()),
            false => Err(SyntaxError("a string is in single quotes")),
        }
    }

    fn control_character(&mut self) -> Result<()> {
        if !self.leniency.control_characters {
            return Err(SyntaxError("a string contains a control character"));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads the name of a field and the colon behind it.
    pub(crate) fn name(&mut self) -> Result<&str> {
        let start = self.at;
        let plain = match self.byte() {
            Some(b'"') => self.plain_string::<b'"'>()?,
            Some(b'\'') => self.plain_string::<b'\''>()?,
            _ => Some(self.bare_name()?),
        };
        match plain {
            Some(name) => {
                self.colon()?;
                Ok(name)
            }
            None => {
                self.at = start;
                self.string()?;
                self.colon()?;
                Ok(&self.unescaped)
            }
        }
    }

    /// Reads a string, if it is written without escapes.
    #[inline]
    fn plain_string<const QUOTE: u8>(&mut self) -> Result<Option<&'a str>> {
        self.check_quote::<QUOTE>()?;
        self.at += 1;
        let start = self.at;
        self.skip_plain::<QUOTE>();
        let string = self.text_from(start);
        Ok(self.eat(QUOTE).then_some(string))
    }

    fn bare_name(&mut self) -> Result<&'a str> {
        let start = self.at;
        let part = |byte: &u8| {
            byte.is_ascii_alphanumeric() || b"_$@#*+-".contains(byte) || !byte.is_ascii()
        };
        if self.leniency.unquoted_names {
            self.at += self.rest().iter().take_while(|byte| part(byte)).count();
        }
        match self.at > start {
            true => Ok(self.text_from(start)),
            false => Err(SyntaxError("the name of a field is not in double quotes")),
        }
    }

    pub(super) fn skip_string<const QUOTE: u8>(&mut self) -> Result<()> {
        self.check_quote::<QUOTE>()?;
        self.at += 1;
        self.skip_plain::<QUOTE>();
        while self.byte() != Some(QUOTE) {
            match self.byte() {
                Some(b'\\') => {
                    self.at += 1;
                    self.escape()?;
                }
                Some(_) => self.control_character()?,
                None => return Err(END),
            }
            self.skip_plain::<QUOTE>();
        }
        self.at += 1;
        Ok(())
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
            b'\'' if self.leniency.single_quotes => '\'',
            _ if self.leniency.any_escape => {
                self.at -= 1;
                let escaped = self.text[self.at..].chars().next().ok_or(END)?;
                self.at += escaped.len_utf8();
                escaped
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
    fn skip_plain<const QUOTE: u8>(&mut self) {
        let rest = self.rest();
        let mut skipped = 0;
        // Eight bytes at a time, as long as all of them are plain.
        while let Some(word) = rest.get(skipped..skipped + 8) {
            let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
            let special = special_bytes::<QUOTE>(word);
            if special != 0 {
                self.at += skipped + special.trailing_zeros() as usize / 8;
                return;
            }
            skipped += 8;
        }
        let is_special = |byte: &u8| *byte == QUOTE || matches!(byte, b'\\' | 0..0x20);
        let tail = rest.iter().skip(skipped).position(is_special);
        self.at += tail.map_or(rest.len(), |tail| skipped + tail);
    }
}

/// Marks, in the highest bit of each byte, quotes, backslashes and control characters. Above the
/// first of them a mark may be wrong, which does not matter to who looks for the first.
fn special_bytes<const QUOTE: u8>(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let less_than = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let quotes = less_than(word ^ (ONES * u64::from(QUOTE)), 1);
    let backslashes = less_than(word ^ (ONES * u64::from(b'\\')), 1);
    quotes | backslashes | less_than(word, 0x20)
}
