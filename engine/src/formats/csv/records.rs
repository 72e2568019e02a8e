//! Where a record of CSV ends that may go on over the ends of lines: at the first end of a line that
//! stands in no quotes. It reads quotes the way fields are cut (see `fields.rs`).

use memchr::{memchr2, memmem};

use super::options::CsvSyntax;

/// Where the record at the beginning of `text` ends, and where the next one begins. None if the end
/// is not in `text`; at the end of a file, that is the end of the record. `separator` is what ends
/// lines if that is nothing usual.
pub(crate) fn end_of_record(
    text: &[u8],
    syntax: &CsvSyntax,
    separator: Option<&[u8]>,
    is_all: bool,
) -> Option<(usize, usize)> {
    let scan = Scan {
        text,
        syntax,
        separator,
        is_all,
    };
    let mut at = 0;
    loop {
        match scan.field(at)? {
            End::Field(next) => at = next,
            End::Record(end, next) => return Some((end, next)),
        }
    }
}

struct Scan<'a> {
    text: &'a [u8],
    syntax: &'a CsvSyntax,
    separator: Option<&'a [u8]>,
    /// Whether nothing follows the text.
    is_all: bool,
}

enum End {
    /// A field ends, and the next one begins there.
    Field(usize),
    /// The record ends there, and the next one begins there.
    Record(usize, usize),
}

impl Scan<'_> {
    fn field(&self, start: usize) -> Option<End> {
        let start = match self.syntax.ignore_leading_space {
            true => self.skip_space(start),
            false => start,
        };
        match (self.text.get(start), self.syntax.quote) {
            (Some(first), Some(quote)) if *first == quote => self.quoted(start, quote),
            _ => self.plain(start),
        }
    }

    fn quoted(&self, open: usize, quote: u8) -> Option<End> {
        let escape = self.syntax.escape.unwrap_or(quote);
        let mut at = open + 1;
        loop {
            let special = at + memchr2(quote, escape, self.text.get(at..)?)?;
            let next = self.text.get(special + 1).copied();
            if next.is_none() && !self.is_all {
                return None;
            }
            let found = self.text.get(special).copied();
            let is_escape = found == Some(escape) && (escape != quote || next == Some(quote));
            if is_escape {
                let drops = next == Some(quote) || next == Some(escape);
                at = special + 1 + usize::from(drops);
                continue;
            }
            let behind = self.skip_space(special + 1);
            if let Some(end) = self.end_at(behind) {
                return Some(end);
            }
            if behind == self.text.len() {
                return None;
            }
            if next == Some(quote) {
                at = special + 1;
                continue;
            }
            return self.plain(special);
        }
    }

    /// The end of a field that is in no quotes, from `at` on.
    fn plain(&self, at: usize) -> Option<End> {
        let rest = self.text.get(at..)?;
        let field = memmem::find(rest, self.syntax.separator.as_bytes());
        let line = match self.separator {
            Some(separator) => memmem::find(rest, separator),
            None => memchr2(b'\n', b'\r', rest),
        };
        match (field, line) {
            (Some(field), line) if line.is_none_or(|line| field < line) => {
                Some(End::Field(at + field + self.syntax.separator.len()))
            }
            (_, line) => self.end_at(at + line?),
        }
    }

    /// Whether a field or a record ends exactly at `at`.
    fn end_at(&self, at: usize) -> Option<End> {
        let rest = self.text.get(at..)?;
        if rest.starts_with(self.syntax.separator.as_bytes()) {
            return Some(End::Field(at + self.syntax.separator.len()));
        }
        let length = match self.separator {
            Some(separator) => rest.starts_with(separator).then_some(separator.len()),
            None => match rest {
                [b'\r', b'\n', ..] => Some(2),
                // Whether a line feed follows is not known yet.
                [b'\r'] if !self.is_all => None,
                [b'\n' | b'\r', ..] => Some(1),
                _ => None,
            },
        };
        length.map(|length| End::Record(at, at + length))
    }

    /// White space, but no end of a line.
    fn skip_space(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default().iter();
        let is_space = |(index, byte): &(usize, &u8)| {
            **byte <= b' ' && self.end_at(start + index).is_none() && !b"\r\n".contains(byte)
        };
        start + rest.enumerate().take_while(is_space).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::csv::{CSV_OPTIONS, CsvOptions};
    use crate::options::{OptionMap, Options};

    fn syntax(given: &[(&str, &str)]) -> CsvSyntax {
        let given: OptionMap = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let options = Options::new("test", &given, &CSV_OPTIONS, &[]).unwrap();
        CsvOptions::new(&options).unwrap().syntax
    }

    fn records<'a>(text: &'a str, syntax: &CsvSyntax) -> Vec<&'a str> {
        let mut records = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let bytes = &text.as_bytes()[at..];
            let (end, next) =
                end_of_record(bytes, syntax, None, true).unwrap_or((bytes.len(), bytes.len()));
            records.push(&text[at..at + end]);
            at += next;
        }
        records
    }

    #[test]
    fn quotes_go_on_over_lines() {
        let plain = syntax(&[]);
        for (text, expected) in [
            ("a,b\nc\r\nd\re", vec!["a,b", "c", "d", "e"]),
            ("\"a\nb\",c\nd", vec!["\"a\nb\",c", "d"]),
            (
                "a,\"b\r\n\r\nc\"\r\nd,e\r\n",
                vec!["a,\"b\r\n\r\nc\"", "d,e"],
            ),
            ("\"a\\\"\nb\" \nc", vec!["\"a\\\"\nb\" ", "c"]),
            ("\"a\"b\nc", vec!["\"a\"b", "c"]),
            ("x\"y\nz", vec!["x\"y", "z"]),
            ("\"never\nclosed", vec!["\"never\nclosed"]),
            ("\"a\"\"b\n\"c\"\nd", vec!["\"a\"\"b", "\"c\"", "d"]),
        ] {
            assert_eq!(records(text, &plain), expected, "{text:?}");
        }
        let doubled = syntax(&[("escape", "\""), ("sep", "::")]);
        assert_eq!(
            records("\"a\"\"\nb\"::c\nd", &doubled),
            ["\"a\"\"\nb\"::c", "d"]
        );
    }

    #[test]
    fn what_is_not_there_yet_decides_nothing() {
        let text = "\"a\\\"\nb\" ,\"c\"\r\nd";
        let plain = syntax(&[]);
        let whole = end_of_record(text.as_bytes(), &plain, None, true);
        for cut in 0..text.len() {
            let found = end_of_record(&text.as_bytes()[..cut], &plain, None, false);
            assert!(found.is_none() || found == whole, "cut at {cut}: {found:?}");
        }
        assert_eq!(whole, Some((12, 14)));
    }
}
