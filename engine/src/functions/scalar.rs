//! A function of single rows as one row of a table: its name, what it takes, what it gives, what it
//! computes, one sentence and one example.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, FieldRef, TimeUnit};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;

use super::ansi::{is_ansi, null_where_it_fails};
use super::arguments::{argument, arguments};
use super::takes::{Takes, coerced};
use crate::datetime::TIME_ZONE;
use crate::error::{Error, Result};

/// One function.
pub(super) struct Scalar {
    /// Spark's name, in lower case.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// What it takes: one list for each number of arguments, or more where types differ.
    pub forms: &'static [&'static [Takes]],
    /// What it gives.
    pub returns: Returns,
    /// Computes all rows; NULLs too are its own matter.
    pub call: fn(&Call<'_>) -> Result<ArrayRef>,
    /// Whether the same arguments give the same value.
    pub volatility: Volatility,
    /// What it gives, in one sentence: the documentation.
    pub doc: &'static str,
    /// A query that shows it.
    pub example: &'static str,
}

/// The type of a function's value.
#[derive(Clone, Copy)]
pub(super) enum Returns {
    /// `BOOLEAN`.
    Boolean,
    /// `INT`.
    Int,
    /// `BIGINT`.
    Long,
    /// `DOUBLE`.
    Double,
    /// `STRING`.
    Text,
    /// `BINARY`.
    Binary,
    /// `DATE`.
    Date,
    /// `TIMESTAMP`.
    Timestamp,
    /// `TIMESTAMP_NTZ`.
    TimestampNtz,
    /// `INTERVAL DAY TO SECOND`.
    DayTime,
    /// That of an argument, after it was cast.
    Like(usize),
    /// What the arguments ask for.
    By(fn(&Inputs<'_>) -> Result<DataType>),
}

/// What is known of the arguments before any row: their types, after they were cast, and the values of
/// those that are the same for all rows.
pub(super) struct Inputs<'a> {
    pub name: &'static str,
    pub types: Vec<DataType>,
    pub constants: &'a [Option<&'a ScalarValue>],
}

impl Inputs<'_> {
    /// The type of one of them.
    pub(super) fn data_type(&self, index: usize) -> Result<&DataType> {
        argument(self.name, &self.types, index)
    }

    /// The types of the first ones.
    pub(super) fn first<const N: usize>(&self) -> Result<&[DataType; N]> {
        arguments(self.name, &self.types)
    }

    /// A constant text.
    pub(super) fn text(&self, index: usize) -> Option<&str> {
        let value = self.constants.get(index).copied().flatten()?;
        value.try_as_str().flatten()
    }

    /// A constant whole number.
    pub(super) fn integer(&self, index: usize) -> Option<i64> {
        match self.constants.get(index).copied().flatten()? {
            ScalarValue::Int8(value) => value.map(i64::from),
            ScalarValue::Int16(value) => value.map(i64::from),
            ScalarValue::Int32(value) => value.map(i64::from),
            ScalarValue::Int64(value) => *value,
            _ => None,
        }
    }
}

/// The arguments of one batch.
pub(super) struct Call<'a> {
    pub name: &'static str,
    /// Arrays of `rows` values, also of arguments that are the same for all rows.
    pub arguments: Vec<ArrayRef>,
    /// The values of those that are the same for all rows.
    pub constants: Vec<Option<ScalarValue>>,
    pub rows: usize,
    /// The type that the value must have.
    pub returns: &'a DataType,
    /// The session's time zone, by name.
    pub zone: Cow<'a, str>,
    /// Whether what cannot be computed fails; else it is NULL, and whole numbers begin again.
    pub ansi: bool,
}

impl Call<'_> {
    /// The same call of one row.
    fn of_row(&self, row: usize) -> Call<'_> {
        let arguments = self.arguments.iter().map(|values| values.slice(row, 1));
        Call {
            name: self.name,
            arguments: arguments.collect(),
            constants: self.constants.clone(),
            rows: 1,
            returns: self.returns,
            zone: Cow::Borrowed(&self.zone),
            ansi: self.ansi,
        }
    }

    /// How many arguments there are.
    pub(super) fn len(&self) -> usize {
        self.arguments.len()
    }

    /// One of them.
    pub(super) fn argument(&self, index: usize) -> Result<&ArrayRef> {
        argument(self.name, &self.arguments, index)
    }

    /// The first ones.
    pub(super) fn first<const N: usize>(&self) -> Result<&[ArrayRef; N]> {
        arguments(self.name, &self.arguments)
    }

    /// An argument of text.
    pub(super) fn text(&self, index: usize) -> Result<&StringArray> {
        Ok(self.argument(index)?.as_string())
    }

    /// All arguments, which are texts.
    pub(super) fn texts(&self) -> Vec<&StringArray> {
        let texts = self.arguments.iter().map(|values| values.as_string());
        texts.collect()
    }

    /// An argument of numbers or times.
    pub(super) fn primitive<T: ArrowPrimitiveType>(
        &self,
        index: usize,
    ) -> Result<&PrimitiveArray<T>> {
        Ok(self.argument(index)?.as_primitive())
    }

    /// The first ones, of numbers or times.
    pub(super) fn primitives<T: ArrowPrimitiveType, const N: usize>(
        &self,
    ) -> Result<[&PrimitiveArray<T>; N]> {
        Ok(self
            .first::<N>()?
            .each_ref()
            .map(|values| values.as_primitive()))
    }

    /// An argument of truths.
    pub(super) fn boolean(&self, index: usize) -> Result<&BooleanArray> {
        Ok(self.argument(index)?.as_boolean())
    }

    /// A text that is the same for all rows.
    pub(super) fn constant_text(&self, index: usize) -> Option<&str> {
        self.constants.get(index)?.as_ref()?.try_as_str().flatten()
    }
}

/// A text of a row.
pub(super) fn text_at(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// A plain function; the others say what is special about them: `Scalar { name: …, ..SCALAR }`.
pub(super) const SCALAR: Scalar = Scalar {
    name: "",
    aliases: &[],
    forms: &[],
    returns: Returns::Text,
    call: |call| Err(Error::internal(format!("{} computes nothing", call.name))),
    volatility: Volatility::Immutable,
    doc: "",
    example: "",
};

/// The functions of a table, as a session registers them.
pub(super) fn registered(table: &'static [Scalar]) -> impl Iterator<Item = ScalarUDF> {
    table.iter().map(udf)
}

/// One of them.
pub(super) fn udf(row: &'static Scalar) -> ScalarUDF {
    ScalarUDF::from(Registered {
        row,
        aliases: row.aliases.iter().map(ToString::to_string).collect(),
        signature: Signature::user_defined(row.volatility),
    })
}

struct Registered {
    row: &'static Scalar,
    aliases: Vec<String>,
    signature: Signature,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row.name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row)
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.row.name.hash(state);
    }
}

impl ScalarUDFImpl for Registered {
    fn name(&self) -> &str {
        self.row.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        Ok(coerced(self.row.name, self.row.forms, types)?)
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        let constants = vec![None; types.len()];
        let inputs = Inputs {
            name: self.row.name,
            types: types.to_vec(),
            constants: &constants,
        };
        Ok(self.row.returns.data_type(&inputs)?)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DataFusionResult<FieldRef> {
        let types = args
            .arg_fields
            .iter()
            .map(|field| field.data_type().clone());
        let inputs = Inputs {
            name: self.row.name,
            types: types.collect(),
            constants: args.scalar_arguments,
        };
        let data_type = self.row.returns.data_type(&inputs)?;
        Ok(Arc::new(Field::new(self.row.name, data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let is_constant = |argument: &ColumnarValue| matches!(argument, ColumnarValue::Scalar(_));
        // A constant is computed once.
        let once = self.row.volatility != Volatility::Volatile
            && args.number_rows > 0
            && args.args.iter().all(is_constant);
        let rows = if once { 1 } else { args.number_rows };
        let arguments = args.args.iter().map(|argument| argument.to_array(rows));
        let constants = args.args.iter().map(|argument| match argument {
            ColumnarValue::Scalar(value) => Some(value.clone()),
            ColumnarValue::Array(_) => None,
        });
        let zone = args.config_options.execution.time_zone.as_deref();
        let call = Call {
            name: self.row.name,
            arguments: arguments.collect::<DataFusionResult<_>>()?,
            constants: constants.collect(),
            rows,
            returns: args.return_field.data_type(),
            zone: Cow::Borrowed(zone.unwrap_or(TIME_ZONE)),
            ansi: is_ansi(&args.config_options),
        };
        let mut values = (self.row.call)(&call);
        if !call.ansi {
            let of_row = |row| (self.row.call)(&call.of_row(row));
            values = null_where_it_fails(values, rows, call.returns, of_row);
        }
        let values = values?;
        Ok(match once {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&values, 0)?),
            false => ColumnarValue::Array(values),
        })
    }
}

impl Returns {
    /// The type itself, for these arguments.
    pub(super) fn data_type(&self, inputs: &Inputs<'_>) -> Result<DataType> {
        Ok(match self {
            Self::Boolean => DataType::Boolean,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Binary => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::TimestampNtz => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::DayTime => DataType::Duration(TimeUnit::Microsecond),
            Self::Timestamp => timestamp_type(),
            Self::Like(index) => inputs.types.get(*index).cloned().unwrap_or(DataType::Null),
            Self::By(returns) => returns(inputs)?,
        })
    }
}

/// `TIME`.
pub(super) fn time_type() -> DataType {
    DataType::Time64(TimeUnit::Microsecond)
}

/// `TIMESTAMP`.
pub(super) fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
}
