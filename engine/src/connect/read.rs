//! Plans as bytes: read as deep as they may be nested, which is deeper than the library that reads them
//! would go by itself, and than an ordinary stack allows.

use std::ops::Deref;

use prost::Message;

use super::proto;
use crate::depth::MAX_DEPTH;
use crate::error::{Error, Result};

/// A step of a plan is a message in a message.
const MAX_NESTED: usize = 2 * MAX_DEPTH + 100;
/// Enough for that many, with room to spare.
const STACK: usize = 64 * 1024 * 1024;

/// What kind of value follows a field's number.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH: u64 = 2;
const GROUP: u64 = 3;
const FIXED_32: u64 = 5;

/// A message that may be nested more deeply than it could be dropped where it is.
#[derive(Debug)]
pub struct Deep<T>(Option<T>);

impl<T> Deref for Deep<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T> Drop for Deep<T> {
    fn drop(&mut self) {
        let message = self.0.take();
        stacker::grow(STACK, || drop(message));
    }
}

/// The plan that some bytes are.
///
/// # Errors
/// If they are none, or if it is nested too deeply.
pub fn read_plan(bytes: &[u8]) -> Result<Deep<proto::Plan>> {
    read_message(bytes)
}

/// The message with a plan in it that some bytes are.
///
/// # Errors
/// If they are none, or if it is nested too deeply.
pub fn read_message<T: Message + Default>(bytes: &[u8]) -> Result<Deep<T>> {
    if nesting(bytes) > MAX_NESTED {
        return Err(Error::analysis(format!(
            "the query is nested more than {MAX_DEPTH} levels deep"
        ))
        .with_condition("EXCEED_LIMIT_LENGTH")
        .with_hint("make a view of a part of it"));
    }
    let message = stacker::grow(STACK, || T::decode(bytes));
    let message = message.map_err(|error| {
        Error::illegal_argument(format!("the plan cannot be read: {error}")).with_source(error)
    })?;
    Ok(Deep(Some(message)))
}

/// How deep messages stand in each other, at most: a text that could be a message counts as one.
fn nesting(bytes: &[u8]) -> usize {
    // What there is up to the ends of the messages that stand around `at`.
    let mut around = vec![bytes];
    let (mut at, mut deepest, mut groups) = (0, 1, 0);
    while let Some(within) = around.last().copied() {
        let end = within.len();
        if at >= end {
            around.pop();
            continue;
        }
        let next = varint(within, &mut at).and_then(|tag| match tag & 7 {
            VARINT => varint(within, &mut at).map(|_| at),
            FIXED_64 => Some(at + 8),
            FIXED_32 => Some(at + 4),
            LENGTH => {
                let length = varint(within, &mut at)?;
                let inner = at.checked_add(usize::try_from(length).ok()?)?;
                around.push(within.get(..inner)?);
                Some(at)
            }
            GROUP => {
                groups += 1;
                Some(at)
            }
            _ => None,
        });
        match next {
            Some(next) if next <= end => at = next,
            // No message, but a text or numbers.
            _ => {
                at = end;
                around.pop();
            }
        }
        deepest = deepest.max(around.len());
    }
    deepest + groups
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many messages, each in field 1 of the next.
    fn nested(levels: usize) -> Vec<u8> {
        (0..levels).fold(Vec::new(), |inner, _| {
            let mut message = vec![0x0a];
            let mut length = inner.len();
            while length > 0x7f {
                message.push(length as u8 | 0x80);
                length >>= 7;
            }
            message.push(length as u8);
            message.extend(inner);
            message
        })
    }

    #[test]
    fn nesting_is_counted_and_bounded() {
        assert_eq!(nesting(&[]), 1);
        assert_eq!(nesting(&nested(1)), 2);
        assert_eq!(nesting(&nested(300)), 301);
        // A text in a message is no more than a message in it.
        assert_eq!(nesting(b"\x0a\x05hello"), 2);
        let error = read_plan(&nested(100_000)).unwrap_err();
        assert!(error.message().contains("levels deep"), "{error}");
        let error = read_plan(&[0x0b; 1_000_000]).unwrap_err();
        assert!(error.message().contains("levels deep"), "{error}");
        assert!(read_plan(b"no plan at all").is_err());
    }
}
