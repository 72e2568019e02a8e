//! Java's regular expressions as those of the crate: classes of ASCII, `\Q…\E`, line ends, POSIX names.

use std::iter::Peekable;
use std::str::Chars;

/// What ends a line in Java.
const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";
/// The end of a text, or in front of a line end there.
const AT_END: &str = r"(?=(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z)";

/// The pattern of the crate. `$` also stands in front of a line end at the end of the text if
/// `exact`, which costs time and makes no difference for a text without one.
pub(super) fn translated(pattern: &str, exact: bool) -> String {
    let mut translation = Translation {
        rest: pattern.chars().peekable(),
        text: String::with_capacity(pattern.len()),
        flags: vec![Flags::default()],
        exact,
    };
    translation.run();
    translation.text
}

/// The flags that change what signs stand for.
#[derive(Clone, Copy, Default)]
struct Flags {
    /// `.` is also a line end.
    s: bool,
    /// `$` is the end of every line.
    m: bool,
    /// Blanks do not count.
    x: bool,
}

struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    text: String,
    /// Those of each open group, the outermost first.
    flags: Vec<Flags>,
    exact: bool,
}

impl Translation<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.next() {
            let flags = self.flags.last().copied().unwrap_or_default();
            match c {
                '\\' => self.escape(),
                '[' => self.class(),
                '(' => self.group(flags),
                ')' => {
                    if self.flags.len() > 1 {
                        self.flags.pop();
                    }
                    self.text.push(c);
                }
                '.' if !flags.s => self.text.push_str(&format!("[^{LINE_ENDS}]")),
                '$' if !flags.m && self.exact => self.text.push_str(AT_END),
                '#' if flags.x => self.comment(),
                other => self.text.push(other),
            }
        }
    }

    /// A group may begin with flags: for itself, `(?i:…)`, or for what follows, `(?i)`.
    fn group(&mut self, mut flags: Flags) {
        self.text.push('(');
        self.flags.push(flags);
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('?') {
            return;
        }
        let mut given = String::new();
        let mut is_on = true;
        for c in ahead {
            match c {
                '-' => is_on = false,
                's' => flags.s = is_on,
                'm' => flags.m = is_on,
                'x' => flags.x = is_on,
                'i' | 'u' | 'U' | 'd' => {}
                ':' | ')' if !given.is_empty() => {
                    self.begin(&given, c, flags);
                    return;
                }
                _ => return,
            }
            given.push(c);
        }
    }

    /// Writes the flags of a group that begins with some.
    fn begin(&mut self, given: &str, end: char, flags: Flags) {
        for _ in 0..given.len() + 2 {
            self.rest.next();
        }
        // Those of Java alone make no difference here.
        let known: String = given.chars().filter(|c| !"uUd".contains(*c)).collect();
        let known = known.trim_end_matches('-');
        let opens = end == ':';
        match (known, opens) {
            ("", true) => self.text.push_str("?:"),
            ("", false) => self.text.push_str("?:)"),
            _ => self.text.push_str(&format!("?{known}{end}")),
        }
        if !opens {
            self.flags.pop();
        }
        if let Some(current) = self.flags.last_mut() {
            *current = flags;
        }
    }

    fn comment(&mut self) {
        for c in self.rest.by_ref() {
            if c == '\n' {
                break;
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) {
        let Some(c) = self.rest.next() else {
            self.text.push('\\');
            return;
        };
        // Also within a class, of which it is a part.
        let class = |inside: &str| format!("[{inside}]");
        let put = match c {
            'd' => class("0-9"),
            'D' => class("^0-9"),
            'w' => class("a-zA-Z0-9_"),
            'W' => class("^a-zA-Z0-9_"),
            's' => class(r"\t-\r\x20"),
            'S' => class(r"^\t-\r\x20"),
            'h' => class(r"\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}"),
            'H' => class(r"^\t\x20\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}"),
            'v' => class(r"\n-\r\x{85}\x{2028}\x{2029}"),
            'V' => class(r"^\n-\r\x{85}\x{2028}\x{2029}"),
            'R' => r"(?:\r\n|[\n-\r\x{85}\x{2028}\x{2029}])".to_owned(),
            'Z' => AT_END.to_owned(),
            'e' => r"\x1B".to_owned(),
            '0' => self.octal(),
            'c' => self
                .rest
                .next()
                .map_or(String::new(), |c| code(c as u32 ^ 64)),
            'u' => self.unicode(),
            'p' | 'P' => self.property(c),
            'Q' => self.quoted(),
            'E' => String::new(),
            c if c.is_ascii_alphanumeric() => format!("\\{c}"),
            c => literal(c),
        };
        self.text.push_str(&put);
    }

    fn octal(&mut self) -> String {
        let mut value = 0;
        for _ in 0..3 {
            match self.rest.peek().and_then(|c| c.to_digit(8)) {
                Some(digit) if value * 8 + digit <= 0o377 => value = value * 8 + digit,
                _ => break,
            }
            self.rest.next();
        }
        code(value)
    }

    /// `\u00e9`, which may be two for one character.
    fn unicode(&mut self) -> String {
        let unit = |rest: &mut Peekable<Chars<'_>>| {
            let digits: String = rest.by_ref().take(4).collect();
            u16::from_str_radix(&digits, 16).ok()
        };
        let Some(first) = unit(&mut self.rest) else {
            return r"\u".to_owned();
        };
        let mut ahead = self.rest.clone();
        if (0xd800..0xdc00).contains(&first)
            && ahead.next() == Some('\\')
            && ahead.next() == Some('u')
        {
            let second = unit(&mut ahead).unwrap_or(0);
            if let Some(Ok(c)) = char::decode_utf16([first, second]).next() {
                self.rest = ahead;
                return code(c as u32);
            }
        }
        code(u32::from(first))
    }

    /// `\p{Alpha}`, `\p{IsLatin}`, `\pL`.
    fn property(&mut self, sign: char) -> String {
        if self.rest.peek() != Some(&'{') {
            return self
                .rest
                .next()
                .map_or(String::new(), |c| format!("\\{sign}{c}"));
        }
        let name: String = self
            .rest
            .by_ref()
            .skip(1)
            .take_while(|c| *c != '}')
            .collect();
        let negated = sign == 'P';
        let posix = match name.as_str() {
            "Lower" | "Upper" | "Alpha" | "Digit" | "Alnum" | "Punct" | "Graph" | "Print"
            | "Blank" | "Cntrl" | "XDigit" | "Space" => name.to_lowercase(),
            "ASCII" => "ascii".to_owned(),
            "javaLowerCase" => return format!("\\{sign}{{Lowercase}}"),
            "javaUpperCase" => return format!("\\{sign}{{Uppercase}}"),
            "javaWhitespace" => return format!("\\{sign}{{White_Space}}"),
            _ => {
                let name = name.strip_prefix("Is").unwrap_or(&name);
                return format!("\\{sign}{{{name}}}");
            }
        };
        format!("[[:{}{posix}:]]", if negated { "^" } else { "" })
    }

    /// Everything up to `\E` as it is.
    fn quoted(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.peek() == Some(&'E') {
                self.rest.next();
                break;
            }
            text.push_str(&literal(c));
        }
        text
    }

    /// Up to the bracket that closes it; classes may stand in classes.
    fn class(&mut self) {
        self.text.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let mut is_first = true;
        while let Some(c) = self.rest.next() {
            match c {
                ']' if !is_first => {
                    self.text.push(c);
                    return;
                }
                '[' => self.class(),
                '\\' => self.escape(),
                '&' if self.rest.peek() == Some(&'&') => {
                    self.rest.next();
                    self.text.push_str("&&");
                }
                // Java knows no operators of these.
                '-' if self.rest.peek() == Some(&'-') => self.text.push_str("\\-"),
                '~' | '&' | ']' => self.text.push_str(&literal(c)),
                other => self.text.push(other),
            }
            is_first = false;
        }
    }
}

fn code(value: u32) -> String {
    format!("\\x{{{value:X}}}")
}

/// A character that stands for itself.
fn literal(c: char) -> String {
    match c {
        ' ' | '#' | '<' | '>' => code(c as u32),
        c if c.is_ascii_punctuation() => format!("\\{c}"),
        c => c.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_java_become_those_of_the_crate() {
        let plain = |pattern: &str| translated(pattern, false);
        assert_eq!(plain(r"\d+"), "[0-9]+");
        assert_eq!(plain(r"[\w.-]"), "[[a-zA-Z0-9_].-]");
        assert_eq!(plain(r"\Qa.b\E+"), r"a\.b+");
        assert_eq!(plain(r"(?s)."), "(?s).");
        assert_eq!(plain(r"(?:(?s).).x"), format!(r"(?:(?s).)[^{LINE_ENDS}]x"));
        assert_eq!(plain(r"\p{Alpha}\pL"), r"[[:alpha:]]\pL");
        assert_eq!(plain(r"\u00e9\/"), r"\x{E9}\/");
        assert_eq!(plain(r"[a-z&&[^b]]"), "[a-z&&[^b]]");
        assert_eq!(plain("^a$"), "^a$");
        assert_eq!(translated("a$", true), format!("a{AT_END}"));
    }
}
