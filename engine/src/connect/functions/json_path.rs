//! The paths of `get_json_object`: `$.name`, `$['name']`, `$.list[0]`.

use serde_json::Value;

use crate::error::{Error, Result};

/// Steps from a value to one inside of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl JsonPath {
    /// `None` for a text that is no path, which in Spark finds nothing.
    pub(super) fn parse(text: &str) -> Result<Option<Self>> {
        let Some(mut rest) = text.strip_prefix('$') else {
            return Ok(None);
        };
        if rest.contains('*') {
            let message = format!("the path '{text}' has a wildcard, which is not supported");
            return Err(Error::analysis(message)
                .with_hint("read the array with from_json(text, 'schema') instead"));
        }
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let Some((step, after)) = step(rest) else {
                return Ok(None);
            };
            steps.push(step);
            rest = after;
        }
        Ok(Some(Self(steps)))
    }

    /// The value as text: a string as it is, anything else as JSON.
    pub(super) fn find(&self, json: &str) -> Option<String> {
        let value: Value = serde_json::from_str(json).ok()?;
        let found = self.0.iter().try_fold(&value, |value, step| match step {
            Step::Name(name) => value.as_object()?.get(name),
            Step::Index(index) => value.as_array()?.get(*index),
        })?;
        match found {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

fn step(rest: &str) -> Option<(Step, &str)> {
    if let Some(rest) = rest.strip_prefix("['") {
        let (name, rest) = rest.split_once("']")?;
        return Some((Step::Name(name.to_string()), rest));
    }
    if let Some(rest) = rest.strip_prefix('[') {
        let (index, rest) = rest.split_once(']')?;
        return Some((Step::Index(index.trim().parse().ok()?), rest));
    }
    let rest = rest.strip_prefix('.')?;
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    (!name.is_empty()).then(|| (Step::Name(name.to_string()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, json: &str) -> Option<String> {
        JsonPath::parse(path).unwrap()?.find(json)
    }

    #[test]
    fn paths_lead_to_values() {
        let json = r#"{"a":{"b c":[1,{"d":"x"}]},"n":null,"t":[true, 1.5]}"#;
        assert_eq!(find("$.a['b c'][1].d", json).as_deref(), Some("x"));
        assert_eq!(find("$.t", json).as_deref(), Some("[true,1.5]"));
        assert_eq!(find("$.n", json), None);
        assert_eq!(find("$.t[2]", json), None);
        assert_eq!(find("a", json), None);
        assert_eq!(find("$", "7").as_deref(), Some("7"));
        assert!(JsonPath::parse("$.t[*]").is_err());
    }
}
