//! Goes through a text from its beginning.

/// What is left of the text.
pub(super) struct Scanner<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// A number of `min` to `max` digits; more digits are none.
    pub(super) fn digits(&mut self, min: usize, max: usize) -> Option<u32> {
        let digits = self.run_of_digits(max);
        let more = self.rest.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let number = digits
            .bytes()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
        (digits.len() >= min && !more).then_some(number)
    }

    /// The digits that come next, `max` at most.
    pub(super) fn run_of_digits(&mut self, max: usize) -> &'a str {
        let digits = self.rest.bytes().take(max);
        let count = digits.take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        digits
    }

    /// Reads `byte`, if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.as_bytes().first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }
}
