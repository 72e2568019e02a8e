//! Text.

use super::functions;

functions! {
    /// In upper case.
    fn upper(column: column);
    /// In upper case.
    fn ucase(column: column) = "upper";
    /// In lower case.
    fn lower(column: column);
    /// In lower case.
    fn lcase(column: column) = "lower";
    /// Every word with a capital.
    fn initcap(column: column);
    /// How many characters.
    fn length(column: column);
    /// How many characters.
    fn char_length(column: column);
    /// How many characters.
    fn character_length(column: column);
    /// How many bytes.
    fn octet_length(column: column);
    /// How many bits.
    fn bit_length(column: column);
    /// Without spaces at both ends.
    fn trim(column: column);
    /// Without spaces at the start.
    fn ltrim(column: column);
    /// Without spaces at the end.
    fn rtrim(column: column);
    /// Without spaces at both ends.
    fn btrim(column: column);
    /// The characters the other way round; also of arrays.
    fn reverse(column: column);
    /// The number of the first character.
    fn ascii(column: column);
    /// The character with this number.
    fn chr(number: column);
    /// Bytes in base64.
    fn base64(column: column);
    /// Bytes from base64.
    fn unbase64(column: column);
    /// So many characters from `start`, counted from 1.
    fn substring(column: column, start: value, length: value);
    /// Characters from `start`, counted from 1.
    fn substr(column: column, start: value);
    /// Up to the n-th delimiter.
    fn substring_index(column: column, delimiter: value, count: value);
    /// The first characters.
    fn left(column: column, length: value);
    /// The last characters.
    fn right(column: column, length: value);
    /// Filled up at the start.
    fn lpad(column: column, length: value, pad: value);
    /// Filled up at the end.
    fn rpad(column: column, length: value, pad: value);
    /// So many times.
    fn repeat(column: column, times: value);
    /// Where the text is found first, from 1; 0 if not.
    fn instr(column: column, text: value);
    /// Where the text is found first, from 1; 0 if not.
    fn locate(text: value, column: column);
    /// Every occurrence removed.
    fn replace(column: column, text: value);
    /// Characters replaced one by one.
    fn translate(column: column, from: value, to: value);
    /// Parts between matches of a regular expression, as an array.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(explode(split("line", " ")).to_string(), "explode(split(line,  ))");
    /// ```
    fn split(column: column, pattern: value);
    /// The n-th part between delimiters, from 1.
    fn split_part(column: column, delimiter: value, part: value);
    /// A group of the first match of a regular expression.
    fn regexp_extract(column: column, pattern: value, group: value);
    /// Every match of a regular expression replaced.
    fn regexp_replace(column: column, pattern: value, replacement: value);
    /// Whether a regular expression matches.
    fn regexp_like(column: column, pattern: value);
    /// How many matches of a regular expression there are.
    fn regexp_count(column: column, pattern: value);
    /// The first match of a regular expression.
    fn regexp_substr(column: column, pattern: value);
    /// Whether a regular expression matches.
    fn rlike(column: column, pattern: value);
    /// Matches a pattern of SQL.
    fn like(column: column, pattern: value);
    /// Matches a pattern of SQL, whatever the case.
    fn ilike(column: column, pattern: value);
    /// Contains the text.
    fn contains(column: column, text: value);
    /// Begins with the text.
    fn startswith(column: column, text: value);
    /// Ends with the text.
    fn endswith(column: column, text: value);
    /// How many edits make one text the other.
    fn levenshtein(left: column, right: column);
    /// The Soundex code.
    fn soundex(column: column);
    /// A number with separators and so many decimals.
    fn format_number(column: column, decimals: value);
    /// Text as bytes of a character set.
    fn encode(column: column, charset: value);
    /// Bytes of a character set as text.
    fn decode(column: column, charset: value);
    /// A part of a URL: `HOST`, `PATH`, `QUERY`, …
    fn parse_url(url: column, part: value);
    /// Escaped for a URL.
    fn url_encode(column: column);
    /// Unescaped from a URL.
    fn url_decode(column: column);
}

super::variadic! {
    /// Texts one after the other; also arrays.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// assert_eq!(concat([col("a"), lit("-"), col("b")]).to_string(), "concat(a, -, b)");
    /// ```
    fn concat;
    /// Texts with the first of them in between.
    fn concat_ws;
    /// A text with values, by a format of `printf`.
    fn format_string;
    /// The text with this number, counted from 1.
    fn elt;
}
