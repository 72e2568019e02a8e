//! Codes of names and numbers, masks, words of sentences, and texts of chance.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::Volatility;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

use super::random::XorShift;
use crate::error::{Error, Result};
use crate::functions::scalar::{Call, Returns, SCALAR, Scalar};
use crate::functions::takes::{Takes, list_of};

pub(super) const CODES: &[Scalar] = &[
    Scalar {
        name: "soundex",
        forms: &[&[Takes::Text]],
        call: |call| call.strings(|row| Ok(Some(soundex(call.str(0, row)?)))),
        doc: "A code of four signs of how an English name sounds.",
        example: "SELECT soundex('Tidebook')",
        ..SCALAR
    },
    Scalar {
        name: "luhn_check",
        forms: &[&[Takes::Text]],
        returns: Returns::Boolean,
        call: |call| call.truths(|row| Ok(Some(luhn(call.str(0, row)?)))),
        doc: "Whether the last digit of a number checks the others, as on bank cards.",
        example: "SELECT luhn_check('79927398713')",
        ..SCALAR
    },
    Scalar {
        name: "mask",
        forms: &[
            &[Takes::Text],
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Text, Takes::Text],
            &[
                Takes::Text,
                Takes::Text,
                Takes::Text,
                Takes::Text,
                Takes::Text,
            ],
        ],
        call: mask,
        doc: "A text with other characters for capital letters, small letters, digits and all others; \
              NULL leaves those of a kind as they are.",
        example: "SELECT mask('AB-12', 'Q')",
        ..SCALAR
    },
    Scalar {
        name: "sentences",
        forms: &[
            &[Takes::Text],
            &[Takes::Text, Takes::Text],
            &[Takes::Text, Takes::Text, Takes::Text],
        ],
        returns: Returns::By(|_| Ok(list_of(list_of(DataType::Utf8)))),
        call: sentences,
        doc: "The words of each sentence of a text.",
        example: "SELECT sentences('The tide turns. Look!')",
        ..SCALAR
    },
    Scalar {
        name: "randstr",
        forms: &[&[Takes::Int], &[Takes::Int, Takes::Long]],
        call: randstr,
        volatility: Volatility::Volatile,
        doc: "A text of so many letters and digits by chance, the same for the same seed.",
        example: "SELECT randstr(5, 42)",
        ..SCALAR
    },
];

/// The digits of the letters A to Z: 0 separates two of a kind, 7 does not.
const SOUNDS: &[u8; 26] = b"01230127022455012623017202";

fn soundex(text: &str) -> String {
    let letter = |byte: u8| {
        let upper = byte.to_ascii_uppercase();
        let place = usize::from(upper.checked_sub(b'A')?);
        Some((upper, *SOUNDS.get(place)?))
    };
    let mut bytes = text.bytes();
    let Some((first, mut last)) = bytes.next().and_then(letter) else {
        return text.to_owned();
    };
    let mut code = String::from(char::from(first));
    for sound in bytes.map(|byte| letter(byte).map_or(b'0', |(_, sound)| sound)) {
        if sound == b'7' {
            continue;
        }
        if sound != b'0' && sound != last {
            code.push(char::from(sound));
        }
        last = sound;
        if code.len() == 4 {
            break;
        }
    }
    format!("{code:0<4}")
}

fn luhn(text: &str) -> bool {
    let digits = text
        .chars()
        .rev()
        .map(|c| c.to_digit(10))
        .collect::<Option<Vec<u32>>>();
    let Some(digits) = digits.filter(|digits| !digits.is_empty()) else {
        return false;
    };
    let weighed = digits
        .iter()
        .enumerate()
        .map(|(place, digit)| match place % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        });
    weighed.sum::<u32>().is_multiple_of(10)
}

fn mask(call: &Call<'_>) -> Result<ArrayRef> {
    let mut masked = StringBuilder::new();
    for row in 0..call.rows {
        if call.text(0)?.is_null(row) {
            masked.append_null();
            continue;
        }
        let mut others = [Some('X'), Some('x'), Some('n'), None];
        for (index, other) in others.iter_mut().enumerate().take(call.len() - 1) {
            *other = match call.text(index + 1)?.is_null(row) {
                true => None,
                false => Some(one_character(call.str(index + 1, row)?)?),
            };
        }
        let [upper, lower, digit, rest] = others;
        let text = call.str(0, row)?.chars().map(|c| {
            let other = match c.general_category() {
                GeneralCategory::UppercaseLetter => upper,
                GeneralCategory::LowercaseLetter => lower,
                GeneralCategory::DecimalNumber => digit,
                _ => rest,
            };
            other.unwrap_or(c)
        });
        masked.append_value(text.collect::<String>());
    }
    Ok(Arc::new(masked.finish()))
}

fn one_character(text: &str) -> Result<char> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(
            Error::analysis(format!("mask puts one character, not '{text}'"))
                .with_condition("DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE")
                .with_hint("give one character, or NULL to leave characters as they are"),
        ),
    }
}

fn sentences(call: &Call<'_>) -> Result<ArrayRef> {
    let mut texts = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for text in call.text(0)? {
        for sentence in text.unwrap_or("").unicode_sentences() {
            let words = texts.values();
            for word in sentence.unicode_words() {
                words.values().append_value(word);
            }
            words.append(true);
        }
        texts.append(text.is_some());
    }
    Ok(Arc::new(texts.finish()))
}

fn randstr(call: &Call<'_>) -> Result<ArrayRef> {
    let seed = match call.len() {
        2 if call.rows > 0 && call.argument(1)?.is_valid(0) => {
            call.primitive::<Int64Type>(1)?.value(0)
        }
        _ => uuid::Uuid::new_v4().as_u64_pair().0 as i64,
    };
    let mut chance = XorShift::new(seed);
    call.strings(|row| {
        let length = call.int(0, row)?;
        let length = usize::try_from(length).map_err(|_| {
            Error::analysis(format!("randstr cannot give {length} characters"))
                .with_condition("INVALID_PARAMETER_VALUE.LENGTH")
                .with_hint("give a length of 0 or more")
        })?;
        Ok(Some(chance.letters(length)))
    })
}
