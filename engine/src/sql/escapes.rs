//! What stands between quotes, as Spark reads it.

/// `raw` with quotes written twice read as one, as between backticks.
pub(super) fn doubled(raw: &str, quote: char) -> String {
    raw.replace(&format!("{quote}{quote}"), &quote.to_string())
}

/// The text that stands between two `quote`s: `\n` is a new line, `\'` and `''` a quote, `\u00e9` and
/// `\101` letters by their numbers; `\%` and `\_` stay for LIKE.
pub(super) fn unescaped(raw: &str, quote: char) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(char) = rest.chars().next() {
        rest = &rest[char.len_utf8()..];
        if char == quote {
            // Of two quotes the second one is left out.
            rest = rest.strip_prefix(quote).unwrap_or(rest);
        }
        if char != '\\' {
            text.push(char);
            continue;
        }
        match by_number(rest) {
            Some((char, length)) => {
                text.push(char);
                rest = &rest[length..];
            }
            None => rest = by_letter(rest, &mut text),
        }
    }
    text
}

/// What stands behind a backslash, and how long it is, if it is the number of a letter.
fn by_number(rest: &str) -> Option<(char, usize)> {
    let number = |from: usize, length: usize, radix: u32| {
        let digits = rest.get(from..from + length)?;
        let is_number = digits.chars().all(|digit| digit.is_digit(radix));
        let number = u32::from_str_radix(digits, radix)
            .ok()
            .filter(|_| is_number)?;
        Some((char::from_u32(number)?, from + length))
    };
    match rest.chars().next()? {
        'u' => number(1, 4, 16),
        'U' => number(1, 8, 16),
        '0'..='3' => number(0, 3, 8),
        _ => None,
    }
}

/// Reads the letter behind a backslash and gives what is behind that.
fn by_letter<'a>(rest: &'a str, text: &mut String) -> &'a str {
    let Some(letter) = rest.chars().next() else {
        text.push('\\');
        return rest;
    };
    match letter {
        '0' => text.push('\0'),
        'b' => text.push('\u{8}'),
        'n' => text.push('\n'),
        'r' => text.push('\r'),
        't' => text.push('\t'),
        'Z' => text.push('\u{1a}'),
        '%' | '_' => text.extend(['\\', letter]),
        other => text.push(other),
    }
    &rest[letter.len_utf8()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_spark_reads_them() {
        for (raw, text) in [
            (r"a\tb\n", "a\tb\n"),
            (r"it\'s it''s", "it's it's"),
            (r"\\d\d", r"\dd"),
            (r"\u00e9\U0001F600\101", "é😀A"),
            (r"50\% a\_b", r"50\% a\_b"),
            (r"\0\08\q\u12", "\0\08qu12"),
            (r#"say "hi""#, r#"say "hi""#),
        ] {
            assert_eq!(unescaped(raw, '\''), text, "{raw}");
        }
        assert_eq!(unescaped(r#"a""b''"#, '"'), r#"a"b''"#);
        assert_eq!(doubled("a``b", '`'), "a`b");
    }
}
