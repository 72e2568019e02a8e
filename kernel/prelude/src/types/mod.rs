//! Spark's data types.

mod ddl;
mod json;
mod names;

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::protobuf::Message;

/// A type of Spark SQL.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the parameters of a type say what they are")]
pub enum DataType {
    /// The type of a bare `NULL`.
    Null,
    /// `BOOLEAN`.
    Boolean,
    /// `TINYINT`.
    Byte,
    /// `SMALLINT`.
    Short,
    /// `INT`.
    Integer,
    /// `BIGINT`.
    Long,
    /// `FLOAT`.
    Float,
    /// `DOUBLE`.
    Double,
    /// `DECIMAL(precision, scale)`.
    Decimal { precision: i32, scale: i32 },
    /// `STRING`.
    String { collation: String },
    /// `CHAR(length)`.
    Char { length: i32 },
    /// `VARCHAR(length)`.
    Varchar { length: i32 },
    /// `BINARY`.
    Binary,
    /// `DATE`.
    Date,
    /// `TIMESTAMP`: a point in time.
    Timestamp,
    /// `TIMESTAMP_NTZ`: a date and a time of day, wherever.
    TimestampNtz,
    /// `ARRAY<element>`.
    Array {
        element_type: Box<DataType>,
        contains_null: bool,
    },
    /// `MAP<key, value>`.
    Map {
        key_type: Box<DataType>,
        value_type: Box<DataType>,
        value_contains_null: bool,
    },
    /// `STRUCT<name: type, …>`; also the schema of a data frame.
    Struct { fields: Vec<StructField> },
    /// Any other type, by its DDL name.
    Unparsed { data_type_string: String },
}

/// A column of a schema, or a field of a struct.
#[derive(Debug, Clone, PartialEq)]
pub struct StructField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// What else is known about it.
    pub metadata: BTreeMap<String, serde_json::Value>,
}

impl DataType {
    /// Reads a DDL name such as `array<int>`, or a schema such as `user STRING, ts TIMESTAMP`.
    ///
    /// ```
    /// use tidebook::prelude::*;
    ///
    /// let schema = DataType::from_ddl("user STRING, amounts ARRAY<DOUBLE>")?;
    /// assert_eq!(schema.simple_string(), "struct<user:string,amounts:array<double>>");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_ddl(text: &str) -> Result<Self> {
        ddl::parse(text)
    }

    /// Reads Spark's JSON form.
    pub fn from_json(value: &serde_json::Value) -> Result<Self> {
        json::parse(value)
    }

    /// Fields of a struct; none of any other type.
    pub fn fields(&self) -> &[StructField] {
        match self {
            Self::Struct { fields } => fields,
            _ => &[],
        }
    }

    /// Names of the fields of a struct.
    ///
    /// # Errors
    /// If this is not a struct.
    pub fn field_names(&self) -> Result<Vec<String>> {
        match self {
            Self::Struct { fields } => Ok(fields.iter().map(|field| field.name.clone()).collect()),
            other => Err(Error::new(format!(
                "{} has no fields",
                other.simple_string()
            ))),
        }
    }

    /// Spark's short name, e.g. `struct<a:int>`.
    pub fn simple_string(&self) -> String {
        names::simple(self)
    }

    /// The tree that `print_schema` prints.
    ///
    /// # Errors
    /// If this is not a struct.
    pub fn tree_string(&self) -> Result<String> {
        self.field_names()?;
        Ok(names::tree(self))
    }

    /// The message `spark.connect.DataType`.
    pub(crate) fn to_message(&self) -> Message {
        let kind = |field: u32| Message::new().message(field, Message::new());
        match self {
            Self::Null => kind(1),
            Self::Binary => kind(2),
            Self::Boolean => kind(3),
            Self::Byte => kind(4),
            Self::Short => kind(5),
            Self::Integer => kind(6),
            Self::Long => kind(7),
            Self::Float => kind(8),
            Self::Double => kind(9),
            Self::Decimal { precision, scale } => {
                Message::new().message(10, Message::new().int(1, *scale).int(2, *precision))
            }
            Self::String { collation } if collation.is_empty() => kind(11),
            Self::String { collation } => {
                Message::new().message(11, Message::new().string(2, collation))
            }
            Self::Char { length } => Message::new().message(12, Message::new().int(1, *length)),
            Self::Varchar { length } => Message::new().message(13, Message::new().int(1, *length)),
            Self::Date => kind(14),
            Self::Timestamp => kind(15),
            Self::TimestampNtz => kind(16),
            Self::Array {
                element_type,
                contains_null,
            } => {
                let element = Message::new().message(1, element_type.to_message());
                Message::new().message(20, element.bool(2, *contains_null))
            }
            Self::Struct { fields } => {
                let fields = fields.iter().map(StructField::to_message);
                Message::new().message(21, Message::new().messages(1, fields))
            }
            Self::Map {
                key_type,
                value_type,
                value_contains_null,
            } => {
                let key = Message::new().message(1, key_type.to_message());
                let map = key.message(2, value_type.to_message());
                Message::new().message(22, map.bool(3, *value_contains_null))
            }
            Self::Unparsed { data_type_string } => {
                Message::new().message(24, Message::new().string(1, data_type_string))
            }
        }
    }
}

/// Spark's short name.
impl std::fmt::Display for DataType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.simple_string())
    }
}

impl StructField {
    /// A field that can be NULL.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self {
            name: name.into(),
            data_type,
            nullable: true,
            metadata: BTreeMap::new(),
        }
    }

    fn to_message(&self) -> Message {
        let metadata = || serde_json::to_string(&self.metadata).unwrap_or_default();
        Message::new()
            .string(1, &self.name)
            .message(2, self.data_type.to_message())
            .bool(3, self.nullable)
            .maybe((!self.metadata.is_empty()).then(metadata), |field, text| {
                field.string(4, text)
            })
    }
}
