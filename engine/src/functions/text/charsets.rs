//! Texts in other encodings, and whether bytes are a text at all.

use arrow::array::{Array, ArrayRef, BooleanArray, new_null_array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{cast, interleave};
use arrow::datatypes::DataType;

use crate::error::{Error, Result, from_datafusion};
use crate::functions::common_type::common_type;
use crate::functions::scalar::{Call, Inputs, Returns, SCALAR, Scalar};
use crate::functions::takes::Takes;

/// What may be no text: strings are always one.
const BYTES: &[&[Takes]] = &[&[Takes::Bytes]];

pub(super) const CHARSETS: &[Scalar] = &[
    Scalar {
        name: "encode",
        forms: &[&[Takes::Text, Takes::Text]],
        returns: Returns::Binary,
        call: |call| {
            call.binaries(|row| {
                let (text, charset) = (call.str(0, row)?, call.str(1, row)?);
                Charset::of(call.name, charset)?
                    .encode(text)
                    .map(Some)
                    .ok_or_else(|| malformed(call, charset))
            })
        },
        doc: "A text as a binary in an encoding.",
        example: "SELECT encode('tide', 'UTF-16BE')",
        ..SCALAR
    },
    Scalar {
        name: "decode",
        forms: &[
            &[Takes::Binary, Takes::Text],
            &[Takes::Any, Takes::Any, Takes::Any, Takes::Rest(&Takes::Any)],
        ],
        returns: Returns::By(decoded_type),
        call: |call| match call.len() {
            2 => call.strings(|row| {
                let charset = call.str(1, row)?;
                let text = Charset::of(call.name, charset)?.decode(call.bytes(0, row)?);
                text.map(Some).ok_or_else(|| malformed(call, charset))
            }),
            _ => chosen(call),
        },
        doc: "A binary in an encoding as text; or the value that stands behind the first of some that \
              is equal, or the last if none is.",
        example: "SELECT decode(2, 1, 'ebb', 2, 'flood', 'slack')",
        ..SCALAR
    },
    Scalar {
        name: "is_valid_utf8",
        forms: BYTES,
        returns: Returns::Boolean,
        call: |call| call.truths(|row| Ok(Some(std::str::from_utf8(call.bytes(0, row)?).is_ok()))),
        doc: "Whether bytes are a text in UTF-8.",
        example: "SELECT is_valid_utf8(x'80')",
        ..SCALAR
    },
    Scalar {
        name: "make_valid_utf8",
        forms: BYTES,
        call: |call| call.strings(|row| Ok(Some(String::from_utf8_lossy(call.bytes(0, row)?)))),
        doc: "Bytes as text, with U+FFFD for what is not UTF-8.",
        example: "SELECT make_valid_utf8(x'61C262')",
        ..SCALAR
    },
    Scalar {
        name: "validate_utf8",
        forms: BYTES,
        call: |call| {
            call.strings(|row| {
                std::str::from_utf8(call.bytes(0, row)?)
                    .map(Some)
                    .map_err(|_| {
                        Error::runtime("a binary is no text in UTF-8")
                            .with_condition("INVALID_UTF8_STRING")
                            .with_hint("use try_validate_utf8 to get NULL instead")
                    })
            })
        },
        doc: "Bytes as text; an error if they are not UTF-8.",
        example: "SELECT validate_utf8(x'61')",
        ..SCALAR
    },
    Scalar {
        name: "try_validate_utf8",
        forms: BYTES,
        call: |call| call.strings(|row| Ok(std::str::from_utf8(call.bytes(0, row)?).ok())),
        doc: "Bytes as text; NULL if they are not UTF-8.",
        example: "SELECT try_validate_utf8(x'80')",
        ..SCALAR
    },
    Scalar {
        name: "collation",
        forms: &[&[Takes::Text]],
        call: |call| call.strings(|_| Ok(Some("SYSTEM.BUILTIN.UTF8_BINARY"))),
        doc: "The collation of a text, which is that of its bytes.",
        example: "SELECT collation('tide')",
        ..SCALAR
    },
    Scalar {
        name: "collate",
        forms: &[&[Takes::Text, Takes::Text]],
        call: |call| {
            call.strings(|row| {
                let name = call.str(1, row)?.to_uppercase();
                match name.strip_prefix("SYSTEM.BUILTIN.").unwrap_or(&name) {
                    "UTF8_BINARY" => Ok(Some(call.str(0, row)?)),
                    _ => Err(Error::analysis(format!("there is no collation {name}"))
                        .with_condition("COLLATION_INVALID_NAME")
                        .with_hint("the only collation is UTF8_BINARY")),
                }
            })
        },
        doc: "A text with the collation UTF8_BINARY, which every text has.",
        example: "SELECT collate('tide', 'UTF8_BINARY')",
        ..SCALAR
    },
];

#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    Utf16 { is_little: bool, has_mark: bool },
    Utf32,
}

impl Charset {
    fn of(function: &str, name: &str) -> Result<Self> {
        let utf16 = |is_little, has_mark| Self::Utf16 {
            is_little,
            has_mark,
        };
        Ok(match name.to_uppercase().as_str() {
            "US-ASCII" => Self::Ascii,
            "ISO-8859-1" => Self::Latin1,
            "UTF-8" => Self::Utf8,
            "UTF-16BE" => utf16(false, false),
            "UTF-16LE" => utf16(true, false),
            "UTF-16" => utf16(false, true),
            "UTF-32" => Self::Utf32,
            _ => {
                return Err(Error::runtime(format!("{function} knows no encoding '{name}'"))
                    .with_condition("INVALID_PARAMETER_VALUE.CHARSET")
                    .with_hint(
                        "the encodings are US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE, UTF-16 \
                         and UTF-32",
                    ));
            }
        })
    }

    fn encode(self, text: &str) -> Option<Vec<u8>> {
        let up_to = |last: u32| {
            let bytes = text
                .chars()
                .map(|c| (c as u32 <= last).then_some(c as u32 as u8));
            bytes.collect()
        };
        match self {
            Self::Ascii => up_to(0x7f),
            Self::Latin1 => up_to(0xff),
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Utf16 {
                is_little,
                has_mark,
            } => {
                let mark = has_mark && !text.is_empty();
                let units = mark
                    .then_some(0xfeff)
                    .into_iter()
                    .chain(text.encode_utf16());
                Some(units.flat_map(|unit| in_order(unit, is_little)).collect())
            }
            Self::Utf32 => Some(
                text.chars()
                    .flat_map(|c| (c as u32).to_be_bytes())
                    .collect(),
            ),
        }
    }

    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Ascii => bytes
                .is_ascii()
                .then(|| bytes.iter().copied().map(char::from).collect()),
            Self::Latin1 => Some(bytes.iter().copied().map(char::from).collect()),
            Self::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Self::Utf16 {
                is_little,
                has_mark,
            } => {
                let (is_little, bytes) = match bytes {
                    [0xfe, 0xff, rest @ ..] if has_mark => (false, rest),
                    [0xff, 0xfe, rest @ ..] if has_mark => (true, rest),
                    _ => (is_little, bytes),
                };
                let (units, rest) = bytes.as_chunks::<2>();
                let unit = |pair: &[u8; 2]| match is_little {
                    true => u16::from_le_bytes(*pair),
                    false => u16::from_be_bytes(*pair),
                };
                let units: Vec<u16> = units.iter().map(unit).collect();
                rest.is_empty()
                    .then(|| String::from_utf16(&units).ok())
                    .flatten()
            }
            Self::Utf32 => {
                let (is_little, bytes) = match bytes {
                    [0, 0, 0xfe, 0xff, rest @ ..] => (false, rest),
                    [0xff, 0xfe, 0, 0, rest @ ..] => (true, rest),
                    _ => (false, bytes),
                };
                let (units, rest) = bytes.as_chunks::<4>();
                let character = |unit: &[u8; 4]| match is_little {
                    true => char::from_u32(u32::from_le_bytes(*unit)),
                    false => char::from_u32(u32::from_be_bytes(*unit)),
                };
                let text = units.iter().map(character).collect();
                rest.is_empty().then_some(text).flatten()
            }
        }
    }
}

fn in_order(unit: u16, is_little: bool) -> [u8; 2] {
    match is_little {
        true => unit.to_le_bytes(),
        false => unit.to_be_bytes(),
    }
}

fn malformed(call: &Call<'_>, charset: &str) -> Error {
    Error::runtime(format!("{} met what is not in {charset}", call.name))
        .with_condition("MALFORMED_CHARACTER_CODING")
        .with_hint("name another encoding")
}

/// The arguments of `decode` that are its value, and those to which it compares.
fn results(count: usize) -> impl Iterator<Item = usize> {
    let default = count.is_multiple_of(2).then_some(count - 1);
    (2..count).step_by(2).chain(default)
}

fn decoded_type(inputs: &Inputs<'_>) -> Result<DataType> {
    if inputs.types.len() == 2 {
        return Ok(DataType::Utf8);
    }
    let types = results(inputs.types.len()).map(|index| inputs.data_type(index));
    let types = types.collect::<Result<Vec<_>>>()?;
    common_type(types).ok_or_else(|| different("the results"))
}

fn different(what: &str) -> Error {
    Error::analysis(format!("{what} of decode must have one type"))
        .with_condition("DATATYPE_MISMATCH.DATA_DIFF_TYPES")
        .with_hint("cast them: CAST(x AS type)")
}

/// For each row the first result whose search value is equal, NULL to NULL too.
fn chosen(call: &Call<'_>) -> Result<ArrayRef> {
    let types = call.arguments.iter().map(|argument| argument.data_type());
    let types: Vec<&DataType> = types.collect();
    let searches: Vec<usize> = (1..call.len() - 1).step_by(2).collect();
    let searched = types.iter().take(call.len() - 1).skip(1).step_by(2);
    let compared = searched.chain(types.first()).copied();
    let compared = common_type(compared).ok_or_else(|| different("the values"))?;
    let as_type = |index: usize, to: &DataType| {
        cast(call.argument(index)?, to).map_err(|error| from_datafusion(error.into()))
    };
    let value = as_type(0, &compared)?;
    let mut choices: Vec<ArrayRef> = vec![new_null_array(call.returns, call.rows)];
    let mut choice = vec![None; call.rows];
    for index in searches {
        choices.push(as_type(index + 1, call.returns)?);
        let searched = as_type(index, &compared)?;
        let equal: BooleanArray = match compared {
            DataType::Null => vec![true; call.rows].into(),
            _ => not_distinct(&value, &searched).map_err(|error| from_datafusion(error.into()))?,
        };
        for (row, choice) in choice.iter_mut().enumerate() {
            if choice.is_none() && equal.value(row) {
                *choice = Some(choices.len() - 1);
            }
        }
    }
    if call.len().is_multiple_of(2) {
        choices.push(as_type(call.len() - 1, call.returns)?);
    }
    let default = if call.len().is_multiple_of(2) {
        choices.len() - 1
    } else {
        0
    };
    let places = choice.iter().enumerate();
    let places: Vec<(usize, usize)> = places
        .map(|(row, choice)| (choice.unwrap_or(default), row))
        .collect();
    let choices: Vec<&dyn Array> = choices.iter().map(AsRef::as_ref).collect();
    interleave(&choices, &places).map_err(|error| from_datafusion(error.into()))
}
