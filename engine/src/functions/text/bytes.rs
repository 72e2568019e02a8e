//! Texts and binaries as each other: lengths, base 32, base 64, hexadecimal digits.

use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use data_encoding::BASE32;

use crate::error::{Error, Result};
use crate::functions::numbers::radix::unhex;
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

const BINARY: &[&[Takes]] = &[&[Takes::Binary]];
const BYTES: &[&[Takes]] = &[&[Takes::Bytes]];
const TEXT: &[&[Takes]] = &[&[Takes::Text]];
const WITH_FORMAT: &[&[Takes]] = &[&[Takes::Text], &[Takes::Text, Takes::Text]];

/// Base 64 as mail has it: with or without the signs that fill it up.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) const BYTE: &[Scalar] = &[
    Scalar {
        name: "length",
        aliases: &["len", "char_length", "character_length"],
        forms: BYTES,
        returns: Returns::Int,
        call: |call| match call.is_binary(0)? {
            true => octets(call, 1),
            false => {
                call.numbers::<Int32Type>(|row| Ok(Some(call.str(0, row)?.chars().count() as i32)))
            }
        },
        doc: "How many characters a text has, or bytes a binary.",
        example: "SELECT length('tide')",
        ..SCALAR
    },
    Scalar {
        name: "octet_length",
        forms: BYTES,
        returns: Returns::Int,
        call: |call| octets(call, 1),
        doc: "How many bytes a text or binary has.",
        example: "SELECT octet_length('tide')",
        ..SCALAR
    },
    Scalar {
        name: "bit_length",
        forms: BYTES,
        returns: Returns::Int,
        call: |call| octets(call, 8),
        doc: "How many bits a text or binary has.",
        example: "SELECT bit_length('tide')",
        ..SCALAR
    },
    Scalar {
        name: "char",
        aliases: &["chr"],
        forms: &[&[Takes::Long]],
        call: |call| {
            call.strings(|row| {
                let number = call.primitive::<arrow::datatypes::Int64Type>(0)?.value(row);
                let character = (number >= 0).then_some(char::from((number & 0xff) as u8));
                Ok(Some(character.map(String::from).unwrap_or_default()))
            })
        },
        doc: "The character of a number, which counts modulo 256.",
        example: "SELECT char(84)",
        ..SCALAR
    },
    Scalar {
        name: "base64",
        forms: BINARY,
        call: |call| call.strings(|row| Ok(Some(STANDARD.encode(call.bytes(0, row)?)))),
        doc: "A binary in base 64.",
        example: "SELECT base64('tide')",
        ..SCALAR
    },
    Scalar {
        name: "unbase64",
        forms: TEXT,
        returns: Returns::Binary,
        call: |call| {
            call.binaries(|row| {
                let text = call.str(0, row)?;
                lenient(text)
                    .map(Some)
                    .ok_or_else(|| invalid(text, "base 64"))
            })
        },
        doc: "The binary of a text in base 64.",
        example: "SELECT unbase64('dGlkZQ==')",
        ..SCALAR
    },
    Scalar {
        name: "to_base32",
        forms: BINARY,
        call: |call| call.strings(|row| Ok(Some(BASE32.encode(call.bytes(0, row)?)))),
        doc: "A binary in base 32.",
        example: "SELECT to_base32('tide')",
        ..SCALAR
    },
    Scalar {
        name: "from_base32",
        forms: TEXT,
        returns: Returns::Binary,
        call: |call| call.binaries(|row| Ok(Some(base32(call.str(0, row)?)))),
        doc: "The binary of a text in base 32.",
        example: "SELECT from_base32('ORUWIZI=')",
        ..SCALAR
    },
    Scalar {
        name: "to_binary",
        forms: WITH_FORMAT,
        returns: Returns::Binary,
        call: |call| {
            call.binaries(|row| {
                let (text, format) = (call.str(0, row)?, call.str_or(1, row, "hex")?);
                let Some(format) = Format::of(format) else {
                    return Err(unknown(call.name, format));
                };
                let failed = || invalid(text, format.name());
                format.bytes(text).map(Some).ok_or_else(failed)
            })
        },
        doc: "The binary of a text in a format: 'hex', 'utf-8' or 'base64'.",
        example: "SELECT to_binary('74696465')",
        ..SCALAR
    },
    Scalar {
        name: "try_to_binary",
        forms: WITH_FORMAT,
        returns: Returns::Binary,
        call: |call| {
            call.binaries(|row| {
                let (text, format) = (call.str(0, row)?, call.str_or(1, row, "hex")?);
                Ok(Format::of(format).and_then(|format| format.bytes(text)))
            })
        },
        doc: "The binary of a text in a format: 'hex', 'utf-8' or 'base64'; NULL if it is not in it.",
        example: "SELECT try_to_binary('tide', 'base64')",
        ..SCALAR
    },
];

fn octets(call: &Call<'_>, times: usize) -> Result<ArrayRef> {
    call.numbers::<Int32Type>(|row| Ok(Some((call.bytes(0, row)?.len() * times) as i32)))
}

/// How a text stands for a binary.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// Hexadecimal digits.
    Hex,
    /// The text's own bytes.
    Utf8,
    /// Base 64.
    Base64,
}

impl Format {
    /// By name, in small or capital letters.
    pub(super) fn of(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "hex" => Some(Self::Hex),
            "utf-8" | "utf8" => Some(Self::Utf8),
            "base64" => Some(Self::Base64),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hex => "hexadecimal digits",
            Self::Utf8 => "UTF-8",
            Self::Base64 => "base 64",
        }
    }

    fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => unhex(text),
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Base64 => strict(text),
        }
    }

    /// A binary as text.
    pub(super) fn text(self, bytes: &[u8]) -> Result<String> {
        match self {
            Self::Hex => Ok(bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
            Self::Base64 => Ok(STANDARD.encode(bytes)),
            Self::Utf8 => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(text.to_owned()),
                Err(_) => Err(Error::runtime("a binary is no text in UTF-8")
                    .with_condition("MALFORMED_CHARACTER_CODING")),
            },
        }
    }
}

/// The refusal of a format's name.
pub(super) fn unknown(function: &str, format: &str) -> Error {
    Error::analysis(format!("{function} knows no format '{format}'"))
        .with_condition("DATATYPE_MISMATCH.INVALID_ARG_VALUE")
        .with_hint("the formats are 'hex', 'utf-8', 'utf8' and 'base64'")
}

fn invalid(text: &str, what: &str) -> Error {
    Error::runtime(format!("'{text}' is not {what}"))
        .with_condition("CONVERSION_INVALID_INPUT")
        .with_hint("use try_to_binary to get NULL instead")
}

/// What is no digit of base 32 does not count, nor do bits that make no byte.
fn base32(text: &str) -> Vec<u8> {
    let digit = |c: char| match c.to_ascii_uppercase() {
        c @ 'A'..='Z' => Some(c as u64 - u64::from(b'A')),
        c @ '2'..='7' => Some(c as u64 - u64::from(b'2') + 26),
        _ => None,
    };
    let text = text.split('=').next().unwrap_or("");
    let digits: Vec<u64> = text.chars().filter_map(digit).collect();
    let eights = digits.chunks(8).flat_map(|digits| {
        let bits = digits.iter().fold(0, |bits, digit| bits << 5 | digit);
        let bytes = (bits << (64 - 5 * digits.len())).to_be_bytes();
        bytes.into_iter().take(digits.len() * 5 / 8)
    });
    eights.collect()
}

/// What is no digit of base 64 does not count, and the first `=` is the end.
fn lenient(text: &str) -> Option<Vec<u8>> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let text = text.split('=').next().unwrap_or("");
    let digits: Vec<u8> = text.bytes().filter(is_digit).collect();
    LENIENT.decode(digits).ok()
}

fn strict(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    let is_whole = !text.contains('=') || text.len().is_multiple_of(4);
    is_whole.then(|| LENIENT.decode(text).ok()).flatten()
}
