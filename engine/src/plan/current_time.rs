//! `current_timestamp()`, `current_date()` and `localtimestamp()`: one value per batch, the batch's timestamp, which
//! is logged with its offsets and so is the same when the batch is executed again.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::datetime::{TIME_ZONE, Zone};
use crate::error::Error;
use crate::operators::BatchContext;

const CURRENT_TIMESTAMP: &str = "current_timestamp";
const CURRENT_DATE: &str = "current_date";
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
    [CURRENT_TIMESTAMP, CURRENT_DATE, LOCAL_TIMESTAMP]
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
                Ok(match current(&expr) {
                    Some(name) => Transformed::yes(bound(name, time)),
                    None => Transformed::no(expr),
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

fn bound(name: &'static str, time: &TimeSource) -> Expr {
    ScalarUDF::from(CurrentTime::new(name, Some(time.clone()))).call(Vec::new())
}

fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(TIME_ZONE.into()))
}

fn type_of(name: &str) -> DataType {
    match name {
        CURRENT_DATE => DataType::Date32,
        LOCAL_TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        UNIX_TIMESTAMP => DataType::Int64,
        _ => timestamp_type(),
    }
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
            signature: Signature::nullary(volatility),
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

    fn value(&self, time_ms: i64, zone: Zone) -> ScalarValue {
        let utc = time_ms * 1_000;
        let local = zone.to_local(utc).unwrap_or(utc);
        match self.name {
            CURRENT_DATE => {
                let days = local.div_euclid(MICROS_PER_DAY);
                ScalarValue::Date32(i32::try_from(days).ok())
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
        Ok(ColumnarValue::Scalar(self.value(time_ms, zone)))
    }
}
