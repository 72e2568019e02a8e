//! Text: searching, cutting, joining, formatting, encoding, URLs, hashes.

mod aes;
mod bytes;
mod charsets;
mod codes;
mod cut;
mod decimals;
mod format_number;
mod format_string;
mod hashes;
mod hmac;
mod java_regex;
mod likes;
mod murmur;
mod number_format;
mod numbers;
mod pattern;
mod random;
mod regexes;
mod replacement;
mod rows;
mod search;
mod shape;
mod urls;

use super::scalar::Scalar;

/// The tables of this theme.
pub(super) const TABLES: &[&[Scalar]] = &[
    aes::AES,
    bytes::BYTE,
    charsets::CHARSETS,
    codes::CODES,
    cut::CUT,
    format_number::FORMAT_NUMBER,
    format_string::FORMAT_STRING,
    hashes::HASHES,
    hmac::HMAC,
    likes::LIKES,
    numbers::NUMBERS,
    regexes::REGEXES,
    search::SEARCH,
    shape::SHAPE,
    urls::URLS,
];
