//! Functions of regular expressions that DataFusion lacks: `split` and `regexp_extract`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use regex::Regex;

use crate::error::{Error, ErrorKind, Result};

/// `split(text, pattern, limit)` and `regexp_extract(text, pattern, group)`.
pub(super) fn regex_functions() -> Vec<ScalarUDF> {
    [Function::Split, Function::Extract]
        .into_iter()
        .map(|function| {
            let types = vec![DataType::Utf8, DataType::Utf8, DataType::Int64];
            ScalarUDF::from(RegexFunction {
                function,
                signature: Signature::exact(types, Volatility::Immutable),
            })
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    Split,
    Extract,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RegexFunction {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for RegexFunction {
    fn name(&self) -> &str {
        match self.function {
            Function::Split => "split",
            Function::Extract => "regexp_extract",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(match self.function {
            Function::Split => DataType::List(Arc::new(text_item())),
            Function::Extract => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = arrays[0].as_string::<i32>();
        let patterns = arrays[1].as_string::<i32>();
        let numbers = arrays[2].as_primitive::<Int64Type>();
        let rows = (0..texts.len()).map(|row| {
            let valid = texts.is_valid(row) && patterns.is_valid(row) && numbers.is_valid(row);
            valid.then(|| (texts.value(row), patterns.value(row), numbers.value(row)))
        });
        let mut compiled = Compiled::default();
        let values: ArrayRef = match self.function {
            Function::Split => {
                let mut lists =
                    ListBuilder::new(StringBuilder::new()).with_field(Arc::new(text_item()));
                for row in rows {
                    if let Some((text, pattern, limit)) = row {
                        for part in split(compiled.get(pattern)?, text, limit) {
                            lists.values().append_value(part);
                        }
                    }
                    lists.append(row.is_some());
                }
                Arc::new(lists.finish())
            }
            Function::Extract => {
                let mut texts = StringBuilder::new();
                for row in rows {
                    match row {
                        Some((text, pattern, group)) => {
                            texts.append_value(extract(compiled.get(pattern)?, text, group)?);
                        }
                        None => texts.append_null(),
                    }
                }
                Arc::new(texts.finish())
            }
        };
        Ok(ColumnarValue::Array(values))
    }
}

fn text_item() -> Field {
    Field::new_list_field(DataType::Utf8, true)
}

/// The last pattern, which is mostly that of every row.
#[derive(Default)]
struct Compiled(Option<(String, Regex)>);

impl Compiled {
    fn get(&mut self, pattern: &str) -> Result<&Regex> {
        let known = self.0.take().filter(|(known, _)| known == pattern);
        let compiled = match known {
            Some(compiled) => compiled,
            None => (pattern.to_string(), compile(pattern)?),
        };
        Ok(&self.0.insert(compiled).1)
    }
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let message = format!("'{pattern}' is not a regular expression: {error}");
        Error::new(ErrorKind::Runtime, message)
            .with_condition("INVALID_PARAMETER_VALUE.PATTERN")
            .with_source(error)
    })
}

/// With a positive limit at most so many parts; with zero, empty parts at the end do not count.
fn split<'a>(pattern: &Regex, text: &'a str, limit: i64) -> Vec<&'a str> {
    let mut parts: Vec<&str> = match usize::try_from(limit) {
        Ok(limit) if limit > 0 => pattern.splitn(text, limit).collect(),
        _ => pattern.split(text).collect(),
    };
    // A match without characters does not cut something empty off the front.
    if parts.len() > 1
        && parts[0].is_empty()
        && pattern.find(text).is_some_and(|found| found.is_empty())
    {
        parts.remove(0);
    }
    if limit == 0 {
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
    }
    parts
}

fn extract<'a>(pattern: &Regex, text: &'a str, group: i64) -> Result<&'a str> {
    let groups = pattern.captures_len() - 1;
    let Some(group) = usize::try_from(group).ok().filter(|group| *group <= groups) else {
        let message = format!("'{pattern}' has {groups} groups, there is no group {group}");
        return Err(Error::new(ErrorKind::Runtime, message)
            .with_condition("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX"));
    };
    let found = pattern.captures(text).and_then(|found| found.get(group));
    Ok(found.map_or("", |found| found.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split() {
        let parts = |pattern: &str, text: &'static str, limit| {
            split(&Regex::new(pattern).unwrap(), text, limit).join("|")
        };
        assert_eq!(parts("[,;]", "a,b;c", -1), "a|b|c");
        assert_eq!(parts(",", "a,b,c,,", 2), "a|b,c,,");
        assert_eq!(parts(",", "a,b,,", 0), "a|b");
        assert_eq!(parts("", "ab", 0), "a|b");
        assert_eq!(parts(",", "", -1), "");
    }

    #[test]
    fn groups_are_extracted() {
        let pattern = Regex::new("([a-z]+)=([0-9]+)").unwrap();
        assert_eq!(extract(&pattern, "x a=1", 2).unwrap(), "1");
        assert_eq!(extract(&pattern, "x a=1", 0).unwrap(), "a=1");
        assert_eq!(extract(&pattern, "none", 1).unwrap(), "");
        assert!(extract(&pattern, "a=1", 3).is_err());
    }
}
