//! How rows become files: in which folders, and what is in them.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::formats::FileFormat;
use crate::options::Options;
use crate::type_names::sql_type;

/// How rows become files.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub format: FileFormat,
    /// The columns whose values are folders.
    pub folders: Vec<usize>,
    /// The columns that are in the files.
    pub in_files: Vec<usize>,
    /// Their schema.
    pub schema: SchemaRef,
    /// So many rows are in a file at most.
    pub max_rows: Option<u64>,
    /// Whether a file must survive a power cut.
    pub durable: bool,
}

impl Layout {
    /// Files of rows of `schema`, in folders by the columns `partition_by`.
    pub(super) fn new(
        format: FileFormat,
        schema: &Schema,
        partition_by: &[String],
        options: &Options,
        durable: bool,
    ) -> Result<Self> {
        let mut folders = Vec::new();
        for name in partition_by {
            let index = column(schema, name)?;
            if folders.contains(&index) {
                return Err(Error::analysis(format!("partitionBy names '{name}' twice"))
                    .with_condition("COLUMN_ALREADY_EXISTS"));
            }
            let data_type = schema.field(index).data_type();
            if data_type.is_nested() {
                return Err(Error::analysis(format!(
                    "column '{name}' is {}, whose values cannot be folders",
                    sql_type(data_type)
                ))
                .with_condition("INVALID_PARTITION_COLUMN_DATA_TYPE")
                .with_hint("select a part of it under a name of its own"));
            }
            folders.push(index);
        }
        if !folders.is_empty() && folders.len() == schema.fields().len() {
            return Err(Error::analysis(
                "partitionBy names all columns, and none is left for the files",
            )
            .with_condition("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
            .with_hint("leave out one of them, or add a column"));
        }
        let all = schema.fields().iter().cloned().enumerate();
        let (in_files, fields): (Vec<usize>, Vec<FieldRef>) =
            all.filter(|(index, _)| !folders.contains(index)).unzip();
        let schema = Schema::new(fields);
        format.check(&schema)?;
        Ok(Self {
            format,
            folders,
            in_files,
            schema: Arc::new(schema),
            max_rows: options.positive("maxRecordsPerFile")?,
            durable,
        })
    }
}

/// A column by its name in any case.
fn column(schema: &Schema, name: &str) -> Result<usize> {
    let fields = schema.fields();
    let found = fields.iter().position(|field| field.name() == name);
    let found = found.or_else(|| {
        let mut fields = fields.iter();
        fields.position(|field| field.name().eq_ignore_ascii_case(name))
    });
    found.ok_or_else(|| {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        Error::analysis(format!(
            "partitionBy names '{name}', which is not one of the columns {}",
            names.join(", ")
        ))
        .with_condition("_LEGACY_ERROR_TEMP_1196")
    })
}
