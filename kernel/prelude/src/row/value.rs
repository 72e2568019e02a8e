//! One value of a row, or of a literal.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::timestamp::{Timestamp, date_of, parse_date};
use crate::types::DataType;

/// A value of any of Spark's types.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the parts of a decimal say what they are")]
pub enum Value {
    /// `NULL`.
    Null,
    /// `BOOLEAN`.
    Bool(bool),
    /// `TINYINT`.
    Byte(i8),
    /// `SMALLINT`.
    Short(i16),
    /// `INT`.
    Integer(i32),
    /// `BIGINT`.
    Long(i64),
    /// `FLOAT`.
    Float(f32),
    /// `DOUBLE`.
    Double(f64),
    /// `STRING`.
    String(String),
    /// `BINARY`.
    Binary(Vec<u8>),
    /// `DATE`: days since 1970.
    Date(i32),
    /// `TIMESTAMP`: microseconds since 1970.
    Timestamp(i64),
    /// `DECIMAL`, as digits.
    Decimal {
        value: String,
        precision: Option<i32>,
        scale: Option<i32>,
    },
    /// `ARRAY`.
    List(Vec<Value>),
    /// `MAP`.
    Map(BTreeMap<String, Value>),
    /// `STRUCT`.
    Struct(Vec<(String, Value)>),
}

impl Value {
    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, of whatever width.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Byte(value) => Some(value.into()),
            Self::Short(value) => Some(value.into()),
            Self::Integer(value) => Some(value.into()),
            Self::Long(value) => Some(value),
            _ => None,
        }
    }

    /// The number.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Float(value) => Some(value.into()),
            Self::Double(value) => Some(value),
            _ => self.as_i64().map(|value| value as f64),
        }
    }

    /// The text, if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// The bytes, if it is binary.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Binary(value) => Some(value),
            _ => None,
        }
    }

    /// The point in time.
    pub fn as_timestamp(&self) -> Option<Timestamp> {
        match self {
            Self::Timestamp(micros) => Some(Timestamp(*micros)),
            _ => None,
        }
    }

    /// Whether it is `NULL`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Reads what the kernel sends for a value of `data_type`: numbers as numbers, but those that
    /// are not finite as `"NaN"`, `"Infinity"` and `"-Infinity"`; decimals, dates and timestamps as
    /// text, timestamps also as microseconds; binary in base64; a struct as an object or a list, a
    /// map as an object or a list of pairs.
    pub(crate) fn from_json(json: Json, data_type: &DataType) -> Result<Self> {
        let value = match (data_type, &json) {
            (_, Json::Null) => Some(Self::Null),
            (DataType::Boolean, _) => json.as_bool().map(Self::Bool),
            (DataType::Byte, _) => whole(&json).map(Self::Byte),
            (DataType::Short, _) => whole(&json).map(Self::Short),
            (DataType::Integer, _) => whole(&json).map(Self::Integer),
            (DataType::Long, _) => whole(&json).map(Self::Long),
            (DataType::Float, _) => float(&json).map(|value| Self::Float(value as f32)),
            (DataType::Double, _) => float(&json).map(Self::Double),
            (DataType::Date, Json::String(text)) => {
                parse_date(text).map(|days| Self::Date(days as i32))
            }
            (DataType::Timestamp | DataType::TimestampNtz, _) => micros(&json).map(Self::Timestamp),
            (DataType::Decimal { precision, scale }, Json::String(_) | Json::Number(_)) => {
                Some(Self::Decimal {
                    value: plain(json.clone()),
                    precision: Some(*precision),
                    scale: Some(*scale),
                })
            }
            (DataType::Binary, Json::String(text)) => STANDARD.decode(text).ok().map(Self::Binary),
            (DataType::Array { element_type, .. }, Json::Array(_)) => {
                return items(json, element_type).map(Self::List);
            }
            (DataType::Map { value_type, .. }, _) => return map(json, value_type),
            (DataType::Struct { .. }, _) => return structure(json, data_type),
            _ => Some(Self::String(plain(json.clone()))),
        };
        value.ok_or_else(|| unreadable(&json, data_type))
    }
}

fn items(json: Json, element_type: &DataType) -> Result<Vec<Value>> {
    let Json::Array(items) = json else {
        return Err(unreadable(&json, element_type));
    };
    items
        .into_iter()
        .map(|item| Value::from_json(item, element_type))
        .collect()
}

fn map(json: Json, value_type: &DataType) -> Result<Value> {
    let pairs: Vec<(String, Json)> = match json {
        Json::Object(map) => map.into_iter().collect(),
        Json::Array(pairs) => {
            let pairs = pairs
                .iter()
                .map(|pair| match pair.as_array().map(Vec::as_slice) {
                    Some([key, value]) => Ok((plain(key.clone()), value.clone())),
                    _ => Err(unreadable(pair, value_type)),
                });
            pairs.collect::<Result<_>>()?
        }
        other => return Err(unreadable(&other, value_type)),
    };
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| Ok((key, Value::from_json(value, value_type)?)));
    pairs.collect::<Result<_>>().map(Value::Map)
}

fn structure(mut json: Json, data_type: &DataType) -> Result<Value> {
    let fields = data_type.fields().iter().enumerate().map(|(index, field)| {
        let value = match &mut json {
            Json::Object(map) => map.remove(&field.name).unwrap_or_default(),
            Json::Array(items) => items.get_mut(index).map(Json::take).unwrap_or_default(),
            other => return Err(unreadable(other, data_type)),
        };
        Ok((
            field.name.clone(),
            Value::from_json(value, &field.data_type)?,
        ))
    });
    fields.collect::<Result<_>>().map(Value::Struct)
}

fn whole<T: TryFrom<i64>>(json: &Json) -> Option<T> {
    json.as_i64().and_then(|value| T::try_from(value).ok())
}

fn float(json: &Json) -> Option<f64> {
    json.as_f64()
        .or_else(|| json.as_str()?.replace("Infinity", "inf").parse().ok())
}

fn micros(json: &Json) -> Option<i64> {
    let text = || {
        json.as_str()?
            .parse::<Timestamp>()
            .ok()
            .map(Timestamp::micros)
    };
    json.as_i64().or_else(text)
}

fn plain(json: Json) -> String {
    match json {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

fn unreadable(json: &Json, data_type: &DataType) -> Error {
    Error::of(
        "InternalError",
        format!("{json} is not a value of type {data_type}"),
    )
}

/// Values look as Spark's `show` prints them.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(value) => value.fmt(f),
            Self::Byte(value) => value.fmt(f),
            Self::Short(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Long(value) => value.fmt(f),
            // `{:?}` keeps the `.0` of a whole number, as Spark does.
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Double(value) => write!(f, "{value:?}"),
            Self::String(value) => value.fmt(f),
            Self::Binary(bytes) => {
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                write!(f, "[{}]", hex.join(" "))
            }
            Self::Date(days) => {
                let (year, month, day) = date_of((*days).into());
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
            Self::Timestamp(micros) => {
                let text = Timestamp(*micros).to_string().replace('T', " ");
                f.write_str(text.trim_end_matches('Z'))
            }
            Self::Decimal { value, .. } => value.fmt(f),
            Self::List(items) => list(f, '[', items.iter(), ']'),
            Self::Map(map) => {
                let pairs = map.iter().map(|(key, value)| format!("{key} -> {value}"));
                list(f, '{', pairs, '}')
            }
            Self::Struct(fields) => list(f, '{', fields.iter().map(|(_, value)| value), '}'),
        }
    }
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    open: char,
    items: impl Iterator<Item = T>,
    close: char,
) -> fmt::Result {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    write!(f, "{open}{}{close}", items.join(", "))
}
