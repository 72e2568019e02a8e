//! `current_timestamp()` and `current_date()`: one value per batch, the batch's timestamp, which
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

use crate::error::Error;
use crate::operators::BatchContext;

const CURRENT_TIMESTAMP: &str = "current_timestamp";
const CURRENT_DATE: &str = "current_date";
const MS_PER_DAY: i64 = 86_400_000;

/// Where the time comes from.
#[derive(Debug, Clone)]
pub enum TimeSource {
    /// A batch query: one moment.
    Fixed(i64),
    /// A streaming query: the timestamp of the batch that is executed.
    Batch(Arc<BatchContext>),
}

/// The functions as SQL finds them; [`resolve_current_time`] gives them their time.
pub fn current_time_functions() -> Vec<ScalarUDF> {
    [CURRENT_TIMESTAMP, CURRENT_DATE]
        .into_iter()
        .map(|name| ScalarUDF::from(CurrentTime::new(name, None)))
        .collect()
}

/// Binds every `current_timestamp()` and `current_date()` of a plan to a time.
pub fn resolve_current_time(plan: LogicalPlan, time: &TimeSource) -> Result<LogicalPlan> {
    let resolved = plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let name = names.save(&expr);
            let resolved = expr.transform_up(|expr| {
                let Expr::ScalarFunction(call) = &expr else {
                    return Ok(Transformed::no(expr));
                };
                let Some(function) = call.func.inner().downcast_ref::<CurrentTime>() else {
                    return Ok(Transformed::no(expr));
                };
                let resolved = match time {
                    TimeSource::Fixed(ms) => Expr::Literal(function.value(*ms), None),
                    TimeSource::Batch(context) => {
                        let bound = CurrentTime::new(function.name, Some(Arc::clone(context)));
                        ScalarUDF::from(bound).call(Vec::new())
                    }
                };
                Ok(Transformed::yes(resolved))
            })?;
            Ok(resolved.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(resolved.data)
}

#[derive(Debug)]
struct CurrentTime {
    name: &'static str,
    context: Option<Arc<BatchContext>>,
    signature: Signature,
    aliases: Vec<String>,
}

impl CurrentTime {
    fn new(name: &'static str, context: Option<Arc<BatchContext>>) -> Self {
        let aliases = match name {
            CURRENT_TIMESTAMP => vec!["now".to_string()],
            _ => vec!["curdate".to_string()],
        };
        Self {
            name,
            context,
            signature: Signature::nullary(Volatility::Volatile),
            aliases,
        }
    }

    fn value(&self, time_ms: i64) -> ScalarValue {
        if self.name == CURRENT_DATE {
            ScalarValue::Date32(Some(time_ms.div_euclid(MS_PER_DAY) as i32))
        } else {
            ScalarValue::TimestampMicrosecond(Some(time_ms * 1000), Some("UTC".into()))
        }
    }

    fn context_address(&self) -> usize {
        let context = self.context.as_ref();
        context.map_or(0, |context| Arc::as_ptr(context).addr())
    }
}

impl PartialEq for CurrentTime {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.context_address() == other.context_address()
    }
}

impl Eq for CurrentTime {}

impl Hash for CurrentTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.context_address().hash(state);
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
        Ok(match self.name {
            CURRENT_DATE => DataType::Date32,
            _ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        })
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &self.context {
            Some(context) => Ok(ColumnarValue::Scalar(self.value(context.timestamp_ms()))),
            None => Err(Error::internal("the current time was not resolved").into()),
        }
    }
}
