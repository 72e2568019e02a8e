//! A line of CSV, cut into fields the way Spark's parser cuts it, mistakes included.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::options::{CsvOptions, CsvSyntax};

/// The fields of one line.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: Vec<Field>,
    /// Values that do not stand in the line as they are.
    unescaped: String,
}

#[derive(Debug)]
struct Field {
    range: Range<usize>,
    /// Whether the range is one of `unescaped`, not of the line.
    is_unescaped: bool,
    is_quoted: bool,
}

impl Fields {
    /// Cuts `line`; what was there before is forgotten.
    pub(super) fn split(&mut self, line: &str, syntax: &CsvSyntax) {
        self.fields.clear();
        self.unescaped.clear();
        let mut at = 0;
        loop {
            at = self.field(line, at, syntax);
            if at >= line.len() {
                return;
            }
            // Only a separator ends a field before the line does.
            at += syntax.separator.len();
        }
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// The text of field `index` of the line that was split, or `None` if it is NULL or missing.
    pub(super) fn value<'a>(
        &'a self,
        index: usize,
        line: &'a str,
        options: &'a CsvOptions,
    ) -> Option<&'a str> {
        let field = self.fields.get(index)?;
        let text = match field.is_unescaped {
            true => &self.unescaped[field.range.clone()],
            false => &line[field.range.clone()],
        };
        let value = match (text, field.is_quoted) {
            ("", false) => return None,
            ("", true) => options.empty_value.as_str(),
            (text, _) => text,
        };
        (value != options.null_value).then_some(value)
    }

    /// Reads the field that starts at `start`; where it ends.
    fn field(&mut self, line: &str, start: usize, syntax: &CsvSyntax) -> usize {
        let start = match syntax.ignore_leading_space {
            true => skip_space(line, start, syntax),
            false => start,
        };
        if let Some(quote) = syntax.quote
            && line.as_bytes().get(start) == Some(&quote)
        {
            return self.quoted(line, start, quote, syntax);
        }
        let end = end_of_field(line, start, syntax);
        self.fields.push(Field {
            range: start..trimmed(line, start, end, syntax),
            is_unescaped: false,
            is_quoted: false,
        });
        end
    }

    /// Reads the field whose quote is at `open`. If something stands between its second quote and
    /// the next separator, both quotes are part of the value, and so is all that follows.
    fn quoted(&mut self, line: &str, open: usize, quote: u8, syntax: &CsvSyntax) -> usize {
        let bytes = line.as_bytes();
        let escape = syntax.escape.unwrap_or(quote);
        let copied = self.unescaped.len();
        // From here on the line is not copied yet.
        let mut rest = open + 1;
        let mut at = rest;
        loop {
            let found = bytes
                .get(at..)
                .and_then(|rest| memchr2(quote, escape, rest));
            let Some(special) = found.map(|found| at + found) else {
                return self.end_quoted(line, copied, rest..line.len(), line.len());
            };
            let next = bytes.get(special + 1).copied();
            let is_escape =
                bytes.get(special) == Some(&escape) && (escape != quote || next == Some(quote));
            if is_escape {
                // A backslash before anything but a quote or a backslash is only that.
                let drops = next == Some(quote) || next == Some(escape);
                if drops {
                    self.unescaped.push_str(&line[rest..special]);
                    rest = special + 1;
                }
                at = special + 1 + usize::from(drops);
                continue;
            }
            let behind = skip_space(line, special + 1, syntax);
            if behind == line.len() || line[behind..].starts_with(&syntax.separator) {
                return self.end_quoted(line, copied, rest..special, behind);
            }
            if next == Some(quote) {
                // Doubled, but not by the escape character: one of them stays, and the other may
                // be the last.
                at = special + 1;
                continue;
            }
            let end = end_of_field(line, special, syntax);
            self.unescaped.insert(copied, quote as char);
            let end_of_value = trimmed(line, special, end, syntax);
            return self.end_quoted(line, copied, rest..end_of_value, end);
        }
    }

    /// The value is what was copied since `copied`, and `rest` of the line.
    fn end_quoted(&mut self, line: &str, copied: usize, rest: Range<usize>, end: usize) -> usize {
        let is_unescaped = self.unescaped.len() > copied;
        let range = match is_unescaped {
            true => {
                self.unescaped.push_str(&line[rest]);
                copied..self.unescaped.len()
            }
            false => rest,
        };
        self.fields.push(Field {
            range,
            is_unescaped,
            is_quoted: true,
        });
        end
    }
}

fn end_of_field(line: &str, start: usize, syntax: &CsvSyntax) -> usize {
    let rest = line.as_bytes().get(start..).unwrap_or_default();
    let found = match syntax.separator.as_bytes() {
        [separator] => memchr(*separator, rest),
        separator => memmem::find(rest, separator),
    };
    found.map_or(line.len(), |found| start + found)
}

/// White space is what Java's `trim` takes for it; a separator is none.
fn skip_space(line: &str, start: usize, syntax: &CsvSyntax) -> usize {
    let space = line.bytes().enumerate().skip(start);
    let is_space = |(index, byte): &(usize, u8)| {
        *byte <= b' ' && !line[*index..].starts_with(&syntax.separator)
    };
    start + space.take_while(is_space).count()
}

fn trimmed(line: &str, start: usize, end: usize, syntax: &CsvSyntax) -> usize {
    match syntax.ignore_trailing_space {
        true => start + line[start..end].trim_end_matches(|char| char <= ' ').len(),
        false => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::csv::CSV_OPTIONS;
    use crate::options::{OptionMap, Options};

    fn split(line: &str, given: &[(&str, &str)]) -> Vec<Option<String>> {
        let given: OptionMap = given
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let options = Options::new("test", &given, &CSV_OPTIONS, &[]).unwrap();
        let options = CsvOptions::new(&options).unwrap();
        let mut fields = Fields::default();
        fields.split("what was \"before\"", &options.syntax);
        fields.split(line, &options.syntax);
        let value = |index| fields.value(index, line, &options).map(str::to_string);
        (0..fields.len()).map(value).collect()
    }

    fn check(given: &[(&str, &str)], cases: &[(&str, &[Option<&str>])]) {
        for (line, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|value| value.map(str::to_string))
                .collect();
            assert_eq!(split(line, given), expected, "{line}");
        }
    }

    /// What Spark 4.3 made of these lines.
    #[test]
    fn lines_as_spark_cuts_them() {
        check(
            &[],
            &[
                ("1,2", &[Some("1"), Some("2")]),
                (r#""a ""b"" c",x"#, &[Some(r#""a ""b"" c""#), Some("x")]),
                (r#""a""",x"#, &[Some(r#"a"""#), Some("x")]),
                (r#""a\"b",x"#, &[Some(r#"a"b"#), Some("x")]),
                (r#""a\\",x"#, &[Some(r"a\"), Some("x")]),
                (r#""\\\"",x"#, &[Some(r#"\""#), Some("x")]),
                (r#""C:\new\t",x"#, &[Some(r"C:\new\t"), Some("x")]),
                (r#""abc,x"#, &[Some("abc,x")]),
                (r#""a"b,x"#, &[Some(r#""a"b"#), Some("x")]),
                (r#""a" ,x"#, &[Some("a"), Some("x")]),
                (r#""a"  b,x"#, &[Some(r#""a"  b"#), Some("x")]),
                (r#" "a",x"#, &[Some(r#" "a""#), Some("x")]),
                (" a , b ", &[Some(" a "), Some(" b ")]),
                ("a,", &[Some("a"), None]),
                (",", &[None, None]),
                (r#""",x"#, &[None, Some("x")]),
                (r#""a,b",c,d"#, &[Some("a,b"), Some("c"), Some("d")]),
                (r#""a""b""",x"#, &[Some(r#""a""b""""#), Some("x")]),
                (r#"""a"",x"#, &[Some(r#"""a"""#), Some("x")]),
                (r#"a"b,x"#, &[Some(r#"a"b"#), Some("x")]),
                (r#""a\""b",x"#, &[Some(r#""a""b""#), Some("x")]),
                (r#""a"","b""#, &[Some(r#"a""#), Some("b")]),
                (r#"x,"y" "#, &[Some("x"), Some("y")]),
            ],
        );
        check(
            &[("escape", "\"")],
            &[
                (r#""a ""b"" c",x"#, &[Some(r#"a "b" c"#), Some("x")]),
                (r#""a\"b",x"#, &[Some(r#""a\"b""#), Some("x")]),
                (r#""a"","b""#, &[Some(r#""a","b""#)]),
                (r#""\\\"",x"#, &[Some(r#"\\\",x"#)]),
            ],
        );
        let trimming = [
            ("ignoreLeadingWhiteSpace", "true"),
            ("ignoreTrailingWhiteSpace", "true"),
        ];
        check(
            &trimming,
            &[
                (r#" "a",x"#, &[Some("a"), Some("x")]),
                (" a , b ", &[Some("a"), Some("b")]),
                (r#""a"  b ,x"#, &[Some(r#""a"  b"#), Some("x")]),
            ],
        );
    }

    #[test]
    fn separators_quotes_and_nulls_may_be_others() {
        let semicolon = [("sep", ";"), ("quote", "'")];
        check(&semicolon, &[("'q;r';s", &[Some("q;r"), Some("s")])]);
        check(
            &[("sep", "::")],
            &[
                ("a:b", &[Some("a:b")]),
                (r#""x::y"::z"#, &[Some("x::y"), Some("z")]),
            ],
        );
        check(&[("sep", "\\t")], &[("\"1\"\t2", &[Some("1"), Some("2")])]);
        check(
            &[("quote", "")],
            &[(r#""1",2"#, &[Some(r#""1""#), Some("2")])],
        );
        let nulls = [("nullValue", "-")];
        check(
            &nulls,
            &[(r#"-,"-","",,"#, &[None, None, Some(""), None, None])],
        );
        check(&[("emptyValue", "E")], &[(r#","""#, &[None, Some("E")])]);
    }
}
