//! Formats of numbers as `to_number` and `to_char` take them: `S$999,990.99`.

use crate::error::{Error, Result};

/// A format, which is right.
pub(super) struct NumberFormat {
    tokens: Vec<Token>,
    /// Digits in all and behind the point.
    pub(super) precision: usize,
    pub(super) scale: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Groups of digits, the first first.
    Groups(Vec<Group>),
    Point,
    Dollar,
    /// `S`: a plus or minus sign.
    Sign,
    /// `MI`: a minus sign.
    Minus,
    /// `PR`: brackets around a negative number.
    Open,
    Close,
    Other(char),
}

/// Digits between commas.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    digits: usize,
    /// Whether there must be so many.
    is_exact: bool,
}

impl NumberFormat {
    pub(super) fn new(format: &str) -> Result<Self> {
        let text = format.to_uppercase();
        let tokens = tokens(&text).ok_or_else(|| wrong(format, "CONT_THOUSANDS_SEPS"))?;
        let tokens = ordered(tokens);
        check(format, &tokens)?;
        let point = tokens.iter().position(|token| *token == Token::Point);
        let digits = |tokens: &[Token]| tokens.iter().map(Token::digits).sum();
        let precision = digits(&tokens);
        if precision > 38 {
            return Err(wrong(format, "WRONG_NUM_DIGIT"));
        }
        let scale = point.map_or(0, |point| digits(tokens.split_at(point).1));
        Ok(Self {
            tokens,
            precision,
            scale,
        })
    }

    /// The number, without its point, that a text is in this format.
    pub(super) fn parse(&self, text: &str) -> Option<i128> {
        let mut rest = text;
        let (mut whole, mut fraction) = (String::new(), String::new());
        let mut is_negative = false;
        let mut is_behind_point = false;
        let (mut opened, mut closed) = (false, false);
        let eat = |rest: &mut &str, sign: char| {
            let stripped = rest.strip_prefix(sign);
            *rest = stripped.unwrap_or(rest);
            stripped.is_some()
        };
        for token in &self.tokens {
            match token {
                Token::Groups(groups) => {
                    let end =
                        rest.find(|c: char| !c.is_ascii_digit() && c != ',' && !c.is_whitespace());
                    let (given, more) = rest.split_at(end.unwrap_or(rest.len()));
                    rest = more;
                    let digits = if is_behind_point {
                        &mut fraction
                    } else {
                        &mut whole
                    };
                    digits.push_str(&matched(groups, given)?);
                }
                Token::Point => is_behind_point = eat(&mut rest, '.'),
                Token::Dollar if rest.is_empty() => {}
                Token::Dollar if !eat(&mut rest, '$') => return None,
                Token::Sign if eat(&mut rest, '+') => {}
                Token::Sign | Token::Minus => is_negative ^= eat(&mut rest, '-'),
                Token::Open => opened = eat(&mut rest, '<'),
                Token::Close => {
                    closed = eat(&mut rest, '>');
                    is_negative ^= closed;
                }
                Token::Dollar | Token::Other(_) => {}
            }
        }
        if !rest.is_empty() || opened != closed || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        // Without a point the digits that a format has behind it are missing.
        if fraction.len() > self.scale {
            return None;
        }
        let number = format!("{whole}{fraction:0<scale$}", scale = self.scale);
        let number: i128 = number.parse().ok()?;
        Some(if is_negative { -number } else { number })
    }

    /// A number in this format; `#` for digits that it has no place for.
    pub(super) fn print(&self, value: i128, scale: usize) -> String {
        let is_negative = value < 0;
        let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let (whole, fraction) = (
            whole.trim_start_matches('0'),
            fraction.trim_end_matches('0'),
        );
        let places = self.precision - self.scale;
        let (whole, fraction) = match whole.len() > places || fraction.len() > self.scale {
            true => ("#".repeat(places), "#".repeat(self.scale)),
            false => (
                format!("{whole:>places$}"),
                format!("{fraction:0<width$}", width = self.scale),
            ),
        };
        let mut printed = Printed(String::new());
        let (mut whole, mut fraction) = (whole.chars(), fraction.chars());
        let mut is_behind_point = false;
        for token in &self.tokens {
            match token {
                Token::Groups(groups) if is_behind_point => {
                    let count = groups.iter().map(|group| group.digits).sum();
                    printed.0.extend(fraction.by_ref().take(count));
                }
                Token::Groups(groups) => printed.groups(groups, &mut whole),
                Token::Point => {
                    if printed.0.ends_with(' ') {
                        printed.0.pop();
                        printed.0.push('0');
                    }
                    printed.0.push('.');
                    is_behind_point = true;
                }
                Token::Dollar => printed.0.push('$'),
                Token::Sign => {
                    printed.strip_point();
                    printed.sign(if is_negative { '-' } else { '+' });
                }
                Token::Minus if is_negative => {
                    printed.strip_point();
                    printed.sign('-');
                }
                Token::Minus => printed.0.push(' '),
                Token::Open if is_negative => printed.0.push('<'),
                Token::Close => {
                    printed.strip_point();
                    match is_negative {
                        true => printed.sign('>'),
                        false => printed.0.push_str("  "),
                    }
                }
                Token::Open | Token::Other(_) => {}
            }
        }
        printed.strip_point();
        match printed.0.as_str() {
            "" | "+" | "-" => "0".to_owned(),
            _ => printed.0,
        }
    }
}

/// What is printed so far.
struct Printed(String);

impl Printed {
    fn groups(&mut self, groups: &[Group], digits: &mut std::str::Chars<'_>) {
        for (place, group) in groups.iter().enumerate() {
            if place > 0 {
                match self.0.ends_with(|c: char| c.is_ascii_digit()) {
                    true => self.0.push(','),
                    false => self.space(),
                }
            }
            for digit in digits.by_ref().take(group.digits) {
                match digit {
                    ' ' if group.is_exact => self.0.push('0'),
                    ' ' => self.space(),
                    digit => self.0.push(digit),
                }
            }
        }
    }

    /// A space in front of the signs that stand at the end.
    fn space(&mut self) {
        let end = self.0.trim_end_matches(['+', '-', '<']).len();
        self.0.insert(end, ' ');
    }

    /// A sign in front of the spaces that stand at the end.
    fn sign(&mut self, sign: char) {
        let end = self.0.trim_end_matches(' ').len();
        self.0.insert(end, sign);
    }

    /// A space for a point without digits behind it.
    fn strip_point(&mut self) {
        if let Some(at) = self.0.find('.')
            && matches!(self.0.as_bytes().get(at + 1), None | Some(b' '))
        {
            self.0.replace_range(at..=at, " ");
        }
    }
}

impl Token {
    fn digits(&self) -> usize {
        match self {
            Self::Groups(groups) => groups.iter().map(|group| group.digits).sum(),
            _ => 0,
        }
    }

    /// The place at which it may stand in a format: in front of, in and behind the digits.
    fn may_stand_at(&self, place: usize) -> bool {
        match self {
            Self::Open => place == 0,
            Self::Sign | Self::Minus => matches!(place, 1 | 7),
            Self::Dollar => matches!(place, 2 | 6),
            Self::Groups(_) => matches!(place, 3 | 5),
            Self::Point => place == 4,
            Self::Close => place == 7,
            Self::Other(_) => false,
        }
    }
}

/// The tokens of a format, `None` if a comma does not stand between digits.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut is_behind_point = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '0' | '9' | ',' | 'G' => {
                let end = rest.find(|c| !matches!(c, '0' | '9' | ',' | 'G'));
                let end = end.unwrap_or(rest.len());
                let group = |digits: &str| {
                    let is_exact = digits.starts_with('0') && !is_behind_point;
                    (!digits.is_empty()).then_some(Group {
                        digits: digits.len(),
                        is_exact,
                    })
                };
                let groups = rest[..end].split([',', 'G']).map(group);
                tokens.push(Token::Groups(groups.collect::<Option<_>>()?));
                end
            }
            '.' | 'D' => {
                tokens.push(Token::Point);
                is_behind_point = true;
                1
            }
            '$' => {
                tokens.push(Token::Dollar);
                1
            }
            'S' => {
                tokens.push(Token::Sign);
                1
            }
            _ if rest.starts_with("MI") => {
                tokens.push(Token::Minus);
                2
            }
            _ if rest.starts_with("PR") => {
                tokens.push(Token::Close);
                2
            }
            other => {
                tokens.push(Token::Other(other));
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Some(tokens)
}

/// Brackets begin in front of everything.
fn ordered(mut tokens: Vec<Token>) -> Vec<Token> {
    let brackets = tokens
        .iter()
        .filter(|token| **token == Token::Close)
        .count();
    tokens.splice(0..0, std::iter::repeat_n(Token::Open, brackets));
    tokens
}

fn check(format: &str, tokens: &[Token]) -> Result<()> {
    let place = |wanted: &dyn Fn(&Token) -> bool| tokens.iter().position(wanted);
    let is_groups = |token: &Token| matches!(token, Token::Groups(_));
    let (digits, point) = (place(&is_groups), place(&|token| *token == Token::Point));
    let dollar = place(&|token| *token == Token::Dollar);
    let why = match () {
        () if format.is_empty() => Some("EMPTY"),
        () if digits.is_none() => Some("WRONG_NUM_DIGIT"),
        () if dollar.is_some() && digits < dollar => Some("CUR_MUST_BEFORE_DIGIT"),
        () if dollar.is_some() && point.is_some() && point < dollar => Some("CUR_MUST_BEFORE_DEC"),
        () if tokens
            .iter()
            .skip(point.unwrap_or(tokens.len()))
            .any(|token| match token {
                Token::Groups(groups) => groups.len() > 1,
                _ => false,
            }) =>
        {
            Some("THOUSANDS_SEPS_MUST_BEFORE_DEC")
        }
        () if [
            Token::Point,
            Token::Sign,
            Token::Minus,
            Token::Dollar,
            Token::Close,
        ]
        .iter()
        .any(|once| tokens.iter().filter(|token| *token == once).count() > 1) =>
        {
            Some("WRONG_NUM_TOKEN")
        }
        () => None,
    };
    if let Some(why) = why {
        return Err(wrong(format, why));
    }
    let mut rest = tokens;
    for allowed in 0..8 {
        if let [first, more @ ..] = rest
            && first.may_stand_at(allowed)
        {
            rest = more;
        }
    }
    match rest.is_empty() {
        true => Ok(()),
        false => Err(wrong(format, "UNEXPECTED_TOKEN")),
    }
}

/// The digits of a text, if they fit the groups from the last on.
fn matched(groups: &[Group], text: &str) -> Option<String> {
    let digits = |part: &str| {
        part.chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    };
    let given: Vec<String> = text.split(',').map(digits).collect();
    let mut sizes = given.iter().rev().map(String::len);
    for group in groups.iter().rev() {
        let size = sizes.next().unwrap_or(0);
        if size > group.digits || (group.is_exact && size != group.digits) {
            return None;
        }
    }
    sizes.next().is_none().then(|| given.concat())
}

fn wrong(format: &str, why: &str) -> Error {
    Error::analysis(format!("'{format}' is not the format of a number"))
        .with_condition(format!("INVALID_FORMAT.{why}"))
        .with_hint("a format is [MI|S] [$] digits of 0 and 9 with commas, [.digits], [MI|S|PR]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        let parse = |text: &str, format: &str| NumberFormat::new(format).unwrap().parse(text);
        assert_eq!(parse("454", "999"), Some(454));
        assert_eq!(parse("454.00", "000.00"), Some(45_400));
        assert_eq!(parse("12,454", "99,999"), Some(12_454));
        assert_eq!(parse("$78.12", "$99.99"), Some(7_812));
        assert_eq!(parse("12,454.8-", "99,999.9S"), Some(-124_548));
        assert_eq!(parse("<12>", "99PR"), Some(-12));
        assert_eq!(parse("45", "000"), None);
        assert_eq!(parse("4545", "999"), None);
        assert_eq!(parse("x", "999"), None);
        assert_eq!(parse("454", "999,999"), Some(454));
    }

    #[test]
    fn numbers_are_printed() {
        let print =
            |value, scale, format: &str| NumberFormat::new(format).unwrap().print(value, scale);
        assert_eq!(print(454, 0, "999"), "454");
        assert_eq!(print(45_400, 2, "000D00"), "454.00");
        assert_eq!(print(12_454, 0, "99G999"), "12,454");
        assert_eq!(print(7_812, 2, "$99.99"), "$78.12");
        assert_eq!(print(-124_548, 1, "99G999D9S"), "12,454.8-");
        assert_eq!(print(12_345, 0, "999"), "###");
        assert_eq!(print(7, 0, "S999"), "  +7");
        assert_eq!(print(-7, 0, "999PR"), "  <7>");
    }

    #[test]
    fn wrong_formats_are_refused() {
        for format in ["", "$", "9$", "9.9.9", "9,,9", ",9", "9.9,9", "x9", "S9S"] {
            assert!(NumberFormat::new(format).is_err(), "{format}");
        }
    }
}
