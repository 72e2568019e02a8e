//! `current_timestamp()`, `current_date()`, `current_time()` and `localtimestamp()`: one value per batch, the
//! batch's timestamp, which is logged with its offsets and so is the same when the batch is executed again.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::datetime::{TIME_ZONE, Zone};
use crate::error::Error;
use crate::operators::BatchContext;

const CURRENT_TIMESTAMP: &str = "current_timestamp";
const CURRENT_DATE: &str = "current_date";
const CURRENT_TIME: &str = "current_time";
const LOCAL_TIMESTAMP: &str = "localtimestamp";
const UNIX_TIMESTAMP: &str = "unix_timestamp";
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Where the time comes from.
#[derive(Debug, Clone)]
pub(crate) enum TimeSource {
    /// A batch query: one moment.
    Fixed(i64),
    /// A streaming query: the timestamp of the batch that is executed.
    Batch(Arc<BatchContext>),
}

/// The functions as SQL finds them; [`resolve_current_time`] gives them their time.
pub(crate) fn current_time_functions() -> Vec<ScalarUDF> {
    [
        CURRENT_TIMESTAMP,
        CURRENT_DATE,
        CURRENT_TIME,
        LOCAL_TIMESTAMP,
    ]
    .into_iter()
    .map(|name| ScalarUDF::from(CurrentTime::new(name, None)))
    .collect()
}

/// Binds every function of the current time in a plan to a time; the date and the local time are
/// those of the session's zone.
pub(crate) fn resolve_current_time(plan: LogicalPlan, time: &TimeSource) -> Result<LogicalPlan> {
    let resolved = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let resolved = expr.transform_up(|expr| {
                Ok(match (current(&expr), expr) {
                    (Some(name), Expr::ScalarFunction(call)) => {
                        Transformed::yes(bound(name, time, call.args))
                    }
                    (_, expr) => Transformed::no(expr),
                })
            })?;
            Ok(resolved.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(resolved.data)
}

/// The name of a call for the current time.
pub(super) fn current(expr: &Expr) -> Option<&'static str> {
    let Expr::ScalarFunction(call) = expr else {
        return None;
    };
    match call.func.inner().downcast_ref::<CurrentTime>() {
        Some(function) => Some(function.name),
        None => (call.args.is_empty() && call.name() == UNIX_TIMESTAMP).then_some(UNIX_TIMESTAMP),
    }
}

fn bound(name: &'static str, time: &TimeSource, arguments: Vec<Expr>) -> Expr {
    ScalarUDF::from(CurrentTime::new(name, Some(time.clone()))).call(arguments)
}

fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
}

fn type_of(name: &str) -> DataType {
    match name {
        CURRENT_DATE => DataType::Date32,
        CURRENT_TIME => DataType::Time64(TimeUnit::Microsecond),
        LOCAL_TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        UNIX_TIMESTAMP => DataType::Int64,
        _ => timestamp_type(),
    }
}

/// The microseconds that the last of so many digits behind the point counts.
fn unit_of(digits: i32) -> Result<i64> {
    let power = u32::try_from(6 - i64::from(digits)).ok();
    let unit = power
        .filter(|power| *power <= 6)
        .map(|power| 10_i64.pow(power));
    unit.ok_or_else(|| {
        Error::illegal_argument(format!("a time has no {digits} digits behind the point"))
            .with_condition("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE")
            .with_hint("use 0 to 6")
            .into()
    })
}

#[derive(Debug)]
struct CurrentTime {
    name: &'static str,
    time: Option<TimeSource>,
    signature: Signature,
    aliases: Vec<String>,
}

impl CurrentTime {
    fn new(name: &'static str, time: Option<TimeSource>) -> Self {
        let aliases = match name {
            CURRENT_TIMESTAMP => vec!["now".to_string()],
            CURRENT_DATE => vec!["curdate".to_string()],
            _ => Vec::new(),
        };
        let volatility = match time {
            // One moment for the whole query.
            Some(TimeSource::Fixed(_)) => Volatility::Stable,
            _ => Volatility::Volatile,
        };
        Self {
            name,
            time,
            signature: match name {
                // The digits behind the point.
                CURRENT_TIME => {
                    let forms = vec![
                        TypeSignature::Nullary,
                        TypeSignature::Exact(vec![DataType::Int32]),
                    ];
                    Signature::one_of(forms, volatility)
                }
                _ => Signature::nullary(volatility),
            },
            aliases,
        }
    }

    /// What tells bound functions apart: the moment, or whose batches they are of.
    fn key(&self) -> (&'static str, Option<i64>, usize) {
        match &self.time {
            None => (self.name, None, 0),
            Some(TimeSource::Fixed(ms)) => (self.name, Some(*ms), 0),
            Some(TimeSource::Batch(context)) => (self.name, None, Arc::as_ptr(context).addr()),
        }
    }

    fn value(&self, time_ms: i64, zone: Zone, unit: i64) -> ScalarValue {
        let utc = time_ms * 1_000;
        let local = zone.to_local(utc).unwrap_or(utc);
        match self.name {
            CURRENT_DATE => {
                let days = local.div_euclid(MICROS_PER_DAY);
                ScalarValue::Date32(i32::try_from(days).ok())
            }
            CURRENT_TIME => {
                let time = local.rem_euclid(MICROS_PER_DAY);
                ScalarValue::Time64Microsecond(Some(time - time % unit))
            }
            LOCAL_TIMESTAMP => ScalarValue::TimestampMicrosecond(Some(local), None),
            UNIX_TIMESTAMP => ScalarValue::Int64(Some(utc.div_euclid(1_000_000))),
            _ => ScalarValue::TimestampMicrosecond(Some(utc), Some(TIME_ZONE.into())),
        }
    }
}

impl PartialEq for CurrentTime {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for CurrentTime {}

impl Hash for CurrentTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl ScalarUDFImpl for CurrentTime {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(type_of(self.name))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = args.config_options.execution.time_zone.as_deref();
        let zone = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Zone::UTC);
        let time_ms = match &self.time {
            Some(TimeSource::Fixed(ms)) => *ms,
            Some(TimeSource::Batch(context)) => context.timestamp_ms(),
            None => return Err(Error::internal("the current time was not resolved").into()),
        };
        let unit = match args.args.first() {
            Some(ColumnarValue::Scalar(ScalarValue::Int32(Some(digits)))) => unit_of(*digits)?,
            _ => 1,
        };
        Ok(ColumnarValue::Scalar(self.value(time_ms, zone, unit)))
    }
}
