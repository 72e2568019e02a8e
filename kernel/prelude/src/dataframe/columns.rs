//! Lists of column names, where no name means all columns.

/// Names of columns, or none for all of them: `["a", "b"]`, `vec!["a"]`, `Some(vec!["a"])`, `None`.
pub trait ColumnNames {
    /// The names; `None` means all columns.
    fn into_names(self) -> Option<Vec<String>>;
}

fn owned(names: &[impl AsRef<str>]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| name.as_ref().to_string()).collect())
}

impl ColumnNames for Option<Vec<&str>> {
    fn into_names(self) -> Option<Vec<String>> {
        owned(&self?)
    }
}

impl ColumnNames for Vec<&str> {
    fn into_names(self) -> Option<Vec<String>> {
        owned(&self)
    }
}

impl ColumnNames for Vec<String> {
    fn into_names(self) -> Option<Vec<String>> {
        Some(self)
    }
}

impl<const N: usize> ColumnNames for [&str; N] {
    fn into_names(self) -> Option<Vec<String>> {
        owned(&self)
    }
}

impl ColumnNames for &[&str] {
    fn into_names(self) -> Option<Vec<String>> {
        owned(self)
    }
}
