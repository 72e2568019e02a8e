//! Options of sources and sinks: case-insensitive names, checked against a table, so that a
//! misspelt option is an error that names the right one instead of a query that ignores it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use datafusion::catalog::Session;
use parking_lot::RwLock;

use crate::error::{Error, Result};
use crate::nearest::nearest;

/// Options as the user gave them.
pub type OptionMap = BTreeMap<String, String>;

/// Values of options for all sources and sinks of a session, where the user gives none: each format
/// takes those it knows.
#[derive(Debug, Default)]
pub(crate) struct FormatDefaults(RwLock<OptionMap>);

impl FormatDefaults {
    /// Sets one, or takes it away.
    pub(crate) fn set(&self, name: &str, value: Option<&str>) {
        let mut values = self.0.write();
        match value {
            Some(value) => drop(values.insert(name.to_string(), value.to_string())),
            None => drop(values.remove(name)),
        }
    }

    /// All of them, as they are now.
    pub(crate) fn get(&self) -> OptionMap {
        self.0.read().clone()
    }

    /// Those of the session that `state` belongs to.
    pub(crate) fn of(state: &dyn Session) -> OptionMap {
        let defaults = state.config().get_extension::<Self>();
        defaults.map(|defaults| defaults.get()).unwrap_or_default()
    }
}

/// One option of a format.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Spark's name.
    pub name: &'static str,
    /// One sentence: what it does and what holds without it.
    pub doc: &'static str,
}

/// Checked options of one source or sink.
#[derive(Debug, Clone)]
pub struct Options {
    what: String,
    /// Lower-case name → name and value as given.
    values: BTreeMap<String, (String, String)>,
}

impl Options {
    /// Checks that each given option is one of `known`. Options in `absent` are Spark's, but not
    /// in this version, and are refused as such. `what` is for messages: `source format 'json'`.
    pub fn new<'a>(
        what: impl Into<String>,
        given: &OptionMap,
        known: impl IntoIterator<Item = &'a OptionSpec>,
        absent: &[&str],
    ) -> Result<Self> {
        let what = what.into();
        let known: Vec<&str> = known.into_iter().map(|spec| spec.name).collect();
        let mut values = BTreeMap::new();
        for (name, value) in given {
            if !contains(&known, name) {
                return Err(unknown(&what, name, &known, absent));
            }
            values.insert(name.to_ascii_lowercase(), (name.clone(), value.clone()));
        }
        Ok(Self { what, values })
    }

    /// The value of `name`, if it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        let given = self.values.get(&name.to_ascii_lowercase());
        given.map(|(_, value)| value.as_str())
    }

    /// The value of `name` as a `T`, if it was given; `expected` says what it should be.
    pub fn parsed<T: FromStr>(&self, name: &str, expected: &str) -> Result<Option<T>> {
        let text = self.get(name);
        text.map(|text| {
            text.trim()
                .parse()
                .map_err(|_| self.invalid(name, expected))
        })
        .transpose()
    }

    /// A number of at least 1, if it was given.
    pub fn positive(&self, name: &str) -> Result<Option<u64>> {
        match self.parsed(name, "a positive whole number")? {
            Some(0) => Err(self.invalid(name, "a positive whole number")),
            value => Ok(value),
        }
    }

    /// `true` or `false`; `default` if it was not given.
    pub fn boolean(&self, name: &str, default: bool) -> Result<bool> {
        match self.get(name).map(|text| text.trim().to_ascii_lowercase()) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| self.invalid(name, "true or false")),
        }
    }

    /// The value of `name` is not `expected`.
    pub fn invalid(&self, name: &str, expected: impl Display) -> Error {
        let value = self.get(name).unwrap_or_default();
        Error::illegal_argument(format!(
            "option '{name}' of {} must be {expected}, not '{value}'",
            self.what
        ))
    }
}

fn contains(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn unknown(what: &str, name: &str, known: &[&str], absent: &[&str]) -> Error {
    if contains(absent, name) {
        return Error::illegal_argument(format!(
            "option '{name}' of {what} is not supported in this version"
        ))
        .with_hint(format!("remove it; supported: {}", known.join(", ")));
    }
    let hint = match nearest(name, known.iter().copied()) {
        Some(name) => format!("did you mean '{name}'?"),
        None if known.is_empty() => "it takes no options".to_string(),
        None => format!("supported: {}", known.join(", ")),
    };
    Error::illegal_argument(format!("unknown option '{name}' of {what}")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [OptionSpec; 2] = [
        OptionSpec {
            name: "maxFilesPerTrigger",
            doc: "",
        },
        OptionSpec {
            name: "latestFirst",
            doc: "",
        },
    ];

    fn options(name: &str, value: &str) -> Result<Options> {
        let given = [(name.to_string(), value.to_string())].into();
        Options::new("source format 'json'", &given, &KNOWN, &["multiLine"])
    }

    #[test]
    fn names_ignore_case_and_values_are_checked() {
        let given = options("MAXFILESPERTRIGGER", "5").unwrap();
        assert_eq!(given.positive("maxFilesPerTrigger").unwrap(), Some(5));
        assert!(!given.boolean("latestFirst", false).unwrap());
        let given = options("latestFirst", "maybe").unwrap();
        let error = given.boolean("latestFirst", false).unwrap_err();
        assert!(
            error
                .message()
                .ends_with("must be true or false, not 'maybe'")
        );
        assert!(
            options("maxFilesPerTrigger", "0")
                .unwrap()
                .positive("maxFilesPerTrigger")
                .is_err()
        );
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_one() {
        let error = options("maxFilePerTriger", "1").unwrap_err();
        assert_eq!(error.hint(), Some("did you mean 'maxFilesPerTrigger'?"));
        let error = options("multiline", "true").unwrap_err();
        assert!(
            error.message().contains("not supported in this version"),
            "{error}"
        );
        let error = options("xyz", "1").unwrap_err();
        assert_eq!(
            error.hint(),
            Some("supported: maxFilesPerTrigger, latestFirst")
        );
    }
}
