//! What a session is, and checks that fail on purpose.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, Int64Array, StringArray, new_null_array};
use arrow::datatypes::DataType;
use datafusion::logical_expr::Volatility;

use super::super::scalar::{Call, Returns, SCALAR, Scalar};
use super::super::takes::Takes;
use crate::error::{Error, Result};
use crate::type_names::simple_string;

/// The version of Spark that this is like, as Spark writes it.
const VERSION: &str = "4.3.0 98bc0212c94705434471627068f41e374ccab143";

/// Functions of the session.
pub(super) const TABLE: &[Scalar] = &[
    Scalar {
        name: "assert_true",
        forms: &[&[Takes::Boolean], &[Takes::Boolean, Takes::Text]],
        returns: Returns::By(|_| Ok(DataType::Null)),
        volatility: Volatility::Volatile,
        call: assert_true,
        doc: "NULL; it fails where a condition does not hold.",
        example: "SELECT assert_true(1 < 2)",
        ..SCALAR
    },
    Scalar {
        call: |call| text(call, "spark_catalog"),
        doc: "The name of the current catalog.",
        example: "SELECT current_catalog()",
        ..constant("current_catalog")
    },
    Scalar {
        aliases: &["current_schema"],
        call: |call| text(call, "default"),
        doc: "The name of the current database.",
        example: "SELECT current_database()",
        ..constant("current_database")
    },
    Scalar {
        call: |call| text(call, "system.builtin,system.session,spark_catalog.default"),
        doc: "Where names are looked up, in this order.",
        example: "SELECT current_path()",
        ..constant("current_path")
    },
    Scalar {
        aliases: &["user", "session_user"],
        call: |call| {
            let name = ["USER", "LOGNAME", "USERNAME"]
                .into_iter()
                .find_map(|key| std::env::var(key).ok());
            text(call, name.as_deref().unwrap_or("root"))
        },
        doc: "The name of the user.",
        example: "SELECT current_user()",
        ..constant("current_user")
    },
    Scalar {
        name: "file_url",
        forms: &[&[Takes::Text]],
        call: |call| {
            let url = |path: &str| match path.strip_prefix("file:/") {
                Some(path) => format!("file:///{}", path.trim_start_matches('/')),
                None => path.to_string(),
            };
            let urls = call.text(0)?.iter().map(|path| path.map(url));
            Ok(Arc::new(urls.collect::<StringArray>()))
        },
        ..SCALAR
    },
    Scalar {
        call: |call| text(call, ""),
        doc: "The file that the row is read from, as a URL, empty for none.",
        example: "SELECT input_file_name()",
        ..constant("input_file_name")
    },
    Scalar {
        returns: Returns::Long,
        call: |call| Ok(Arc::new(Int64Array::from(vec![-1; call.rows]))),
        doc: "The length of the block that is read, -1 for none.",
        example: "SELECT input_file_block_length()",
        ..constant("input_file_block_length")
    },
    Scalar {
        returns: Returns::Long,
        call: |call| Ok(Arc::new(Int64Array::from(vec![-1; call.rows]))),
        doc: "Where the block begins that is read, -1 for none.",
        example: "SELECT input_file_block_start()",
        ..constant("input_file_block_start")
    },
    Scalar {
        name: "raise_error",
        forms: &[&[Takes::Text]],
        returns: Returns::By(|_| Ok(DataType::Null)),
        volatility: Volatility::Volatile,
        call: raise_error,
        doc: "Nothing: it fails with this message.",
        example: "SELECT raise_error('no rows')",
        ..SCALAR
    },
    Scalar {
        returns: Returns::Int,
        volatility: Volatility::Stable,
        call: |call| Ok(Arc::new(Int32Array::from(vec![0; call.rows]))),
        doc: "The number of the partition.",
        example: "SELECT spark_partition_id()",
        ..constant("spark_partition_id")
    },
    Scalar {
        name: "typeof",
        forms: &[&[Takes::Any]],
        call: |call| text(call, &simple_string(call.argument(0)?.data_type())),
        doc: "The name of a value's type.",
        example: "SELECT typeof(array(1))",
        ..SCALAR
    },
    Scalar {
        name: "uuid",
        forms: &[&[], &[Takes::Long]],
        volatility: Volatility::Volatile,
        call: |call| {
            let ids = (0..call.rows).map(|_| uuid::Uuid::new_v4().to_string());
            Ok(Arc::new(StringArray::from_iter_values(ids)))
        },
        doc: "A text that no other row has.",
        example: "SELECT uuid()",
        ..SCALAR
    },
    Scalar {
        call: |call| text(call, VERSION),
        doc: "The version of Spark whose semantics these are.",
        example: "SELECT version()",
        ..constant("version")
    },
];

const fn constant(name: &'static str) -> Scalar {
    Scalar {
        name,
        forms: &[&[]],
        ..SCALAR
    }
}

fn text(call: &Call<'_>, text: &str) -> Result<ArrayRef> {
    Ok(Arc::new(StringArray::from(vec![text; call.rows])))
}

fn assert_true(call: &Call<'_>) -> Result<ArrayRef> {
    let conditions = call.boolean(0)?;
    let wrong = (0..call.rows).find(|row| conditions.is_null(*row) || !conditions.value(*row));
    match wrong {
        None => Ok(new_null_array(call.returns, call.rows)),
        Some(row) if call.len() > 1 => Err(raised(call.text(1)?, row)),
        Some(_) => Err(raised(
            &StringArray::from(vec!["the condition is not true!"]),
            0,
        )),
    }
}

fn raise_error(call: &Call<'_>) -> Result<ArrayRef> {
    match call.rows {
        0 => Ok(new_null_array(call.returns, 0)),
        _ => Err(raised(call.text(0)?, 0)),
    }
}

fn raised(messages: &StringArray, row: usize) -> Error {
    let message = if messages.is_valid(row) {
        messages.value(row)
    } else {
        "null"
    };
    Error::runtime(message)
        .with_condition("USER_RAISED_EXCEPTION")
        .with_parameter("errorMessage", message)
}
