//! Which column plays which part.

use arrow::datatypes::{DataType, Schema};
use tidebook_engine::Error;
use tidebook_engine::nearest;

use super::options::ChartOptions;
use crate::display::windows::is_window;

/// Column names that are the measure more often than not.
const MEASURES: [&str; 7] = ["n", "count", "cnt", "total", "sum", "value", "amount"];

/// Indices into the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    /// Along the bottom; without one, rows are counted off.
    pub x: Option<usize>,
    /// The heights.
    pub y: usize,
    /// The series.
    pub by: Option<usize>,
}

/// The parts the options name, the others by type and name: x is a window, else a time, else a
/// text; y is a number that is not x; by is a text that is not x.
pub(super) fn choose(schema: &Schema, options: &ChartOptions) -> Result<Columns, Error> {
    let named = |name: &Option<String>| name.as_deref().map(|name| find(schema, name)).transpose();
    let (x, y, by) = (named(&options.x)?, named(&options.y)?, named(&options.by)?);
    let taken = [x, y, by];
    let x = x.or_else(|| default_x(schema, &taken));
    let y = match y {
        Some(y) => numeric(schema, y)?,
        None => default_y(schema, x, by)?,
    };
    let by = by.or_else(|| first(schema, |i, kind| is_text(kind) && Some(i) != x && i != y));
    Ok(Columns { x, y, by })
}

/// The column of this name, letter case aside where that is needed.
fn find(schema: &Schema, name: &str) -> Result<usize, Error> {
    let exact = schema
        .fields()
        .iter()
        .position(|field| field.name() == name);
    let loose = || {
        let same = |field: &&str| field.eq_ignore_ascii_case(name);
        names(schema).iter().position(|field| same(&field.as_str()))
    };
    exact.or_else(loose).ok_or_else(|| missing(schema, name))
}

fn missing(schema: &Schema, name: &str) -> Error {
    let names = names(schema);
    let nearest = nearest(name, names.iter().map(String::as_str))
        .map(|name| format!("did you mean '{name}'? "))
        .unwrap_or_default();
    Error::analysis(format!("there is no column '{name}' to chart"))
        .with_condition("UNRESOLVED_COLUMN.WITH_SUGGESTION")
        .with_hint(format!("{nearest}columns: {}", names.join(", ")))
}

fn numeric(schema: &Schema, column: usize) -> Result<usize, Error> {
    let field = schema.field(column);
    if field.data_type().is_numeric() {
        return Ok(column);
    }
    let others: Vec<_> = schema
        .fields()
        .iter()
        .filter(|field| field.data_type().is_numeric())
        .map(|field| field.name().as_str())
        .collect();
    let hint = match others.first() {
        Some(first) => format!("use --y {first}; numeric columns: {}", others.join(", ")),
        None => "add one to the query, e.g. count(*) AS n".to_owned(),
    };
    Err(Error::analysis(format!(
        "column '{}' is not numeric, so it has no height",
        field.name()
    ))
    .with_hint(hint))
}

fn default_x(schema: &Schema, taken: &[Option<usize>; 3]) -> Option<usize> {
    let free = |i: usize| !taken.contains(&Some(i));
    let numbers = schema
        .fields()
        .iter()
        .filter(|field| field.data_type().is_numeric())
        .count();
    first(schema, |i, kind| free(i) && is_window(kind))
        .or_else(|| first(schema, |i, kind| free(i) && is_time(kind)))
        .or_else(|| first(schema, |i, kind| free(i) && is_text(kind)))
        .or_else(|| first(schema, |i, kind| free(i) && !kind.is_numeric()))
        .or_else(|| first(schema, |i, _| free(i) && numbers > 1))
}

fn default_y(schema: &Schema, x: Option<usize>, by: Option<usize>) -> Result<usize, Error> {
    let fits = |i: usize, kind: &DataType| kind.is_numeric() && Some(i) != x && Some(i) != by;
    let is_measure = |i: usize| is_measure_name(schema.field(i).name());
    first(schema, |i, kind| fits(i, kind) && is_measure(i))
        .or_else(|| first(schema, fits))
        .ok_or_else(|| {
            let columns = names(schema).join(", ");
            Error::analysis(format!(
                "there is no numeric column to chart among: {columns}"
            ))
            .with_hint("add one to the query, e.g. count(*) AS n")
        })
}

fn first(schema: &Schema, fits: impl Fn(usize, &DataType) -> bool) -> Option<usize> {
    let mut fields = schema.fields().iter().enumerate();
    fields
        .find(|(i, field)| fits(*i, field.data_type()))
        .map(|(i, _)| i)
}

fn names(schema: &Schema) -> Vec<String> {
    schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

/// Whether values of this type are instants or days.
pub(super) fn is_time(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
    )
}

/// Whether a number of this name is a measure more often than not.
pub(super) fn is_measure_name(name: &str) -> bool {
    let name = name.to_lowercase();
    MEASURES.contains(&name.as_str()) || name.starts_with("count(")
}

/// Whether values of this type are texts.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    fn schema(columns: &[(&str, DataType)]) -> Schema {
        let field = |(name, kind): &(&str, DataType)| Field::new(*name, kind.clone(), true);
        Schema::new(columns.iter().map(field).collect::<Vec<_>>())
    }

    fn time() -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, None)
    }

    fn window() -> DataType {
        let bound = |name: &str| Field::new(name, time(), true);
        DataType::Struct(vec![bound("start"), bound("end")].into())
    }

    fn departures() -> Schema {
        schema(&[
            ("origin", DataType::Utf8),
            ("delay", DataType::Float64),
            ("seen", time()),
            ("window", window()),
            ("n", DataType::Int64),
        ])
    }

    fn options(x: Option<&str>, y: Option<&str>, by: Option<&str>) -> ChartOptions {
        let owned = |name: Option<&str>| name.map(str::to_owned);
        ChartOptions {
            x: owned(x),
            y: owned(y),
            by: owned(by),
            ..Default::default()
        }
    }

    #[test]
    fn parts_follow_from_types_and_names() {
        let chosen = choose(&departures(), &ChartOptions::default()).unwrap();
        assert_eq!(
            chosen,
            Columns {
                x: Some(3),
                y: 4,
                by: Some(0)
            }
        );
    }

    #[test]
    fn named_parts_are_taken_whatever_their_case() {
        let chosen = choose(&departures(), &options(Some("SEEN"), Some("delay"), None)).unwrap();
        assert_eq!(
            chosen,
            Columns {
                x: Some(2),
                y: 1,
                by: Some(0)
            }
        );
        let by_origin = choose(&departures(), &options(Some("origin"), None, None)).unwrap();
        assert_eq!(
            by_origin,
            Columns {
                x: Some(0),
                y: 4,
                by: None
            }
        );
    }

    #[test]
    fn few_columns_are_enough() {
        let one = schema(&[("count(1)", DataType::Int64)]);
        let chosen = choose(&one, &ChartOptions::default()).unwrap();
        assert_eq!(
            chosen,
            Columns {
                x: None,
                y: 0,
                by: None
            }
        );
        let two = schema(&[("hour", DataType::Int32), ("n", DataType::Int64)]);
        let chosen = choose(&two, &ChartOptions::default()).unwrap();
        assert_eq!(
            chosen,
            Columns {
                x: Some(0),
                y: 1,
                by: None
            }
        );
    }

    #[test]
    fn a_missing_column_names_the_nearest_and_all() {
        let error = choose(&departures(), &options(None, None, Some("orgin"))).unwrap_err();
        assert_eq!(error.ename(), "AnalysisException");
        assert_eq!(error.condition(), Some("UNRESOLVED_COLUMN.WITH_SUGGESTION"));
        assert_eq!(
            error.hint(),
            Some("did you mean 'origin'? columns: origin, delay, seen, window, n")
        );
    }

    #[test]
    fn heights_must_be_numbers() {
        let error = choose(&departures(), &options(None, Some("origin"), None)).unwrap_err();
        assert_eq!(
            error.message(),
            "column 'origin' is not numeric, so it has no height"
        );
        assert_eq!(
            error.hint(),
            Some("use --y delay; numeric columns: delay, n")
        );
        let texts = schema(&[("a", DataType::Utf8), ("b", DataType::Utf8)]);
        let error = choose(&texts, &ChartOptions::default()).unwrap_err();
        assert!(error.message().contains("among: a, b"));
    }
}
