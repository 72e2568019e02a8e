//! Aggregates that DataFusion counts right, under Spark's names, with Spark's implicit casts and
//! Spark's type of result.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::functions_aggregate::approx_distinct::approx_distinct_udaf;
use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::bool_and_or::{bool_and_udaf, bool_or_udaf};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use super::super::takes::{Takes, coerced};
use super::casting::Casting;
use super::counts::ZERO;

/// All of them.
pub(super) fn delegates() -> Vec<Arc<AggregateUDF>> {
    const TRUTH: &[&[Takes]] = &[&[Takes::Boolean]];
    const WHOLE: &[&[Takes]] = &[&[Takes::Integral]];
    let delegates = [
        Delegate::new("any", &["some", "bool_or"], TRUTH, bool_or_udaf()),
        Delegate::new("every", &["bool_and"], TRUTH, bool_and_udaf()),
        Delegate::new("bit_and", &[], WHOLE, bit_and_udaf()),
        Delegate::new("bit_or", &[], WHOLE, bit_or_udaf()),
        Delegate::new("bit_xor", &[], WHOLE, bit_xor_udaf()),
        // The error that the second argument allows is larger than the one there is.
        Delegate {
            counts: true,
            ..Delegate::new(
                "approx_count_distinct",
                &[],
                &[&[Takes::Any], &[Takes::Any, Takes::Double]],
                approx_distinct_udaf(),
            )
        },
    ];
    let delegates = delegates.into_iter();
    delegates
        .map(|delegate| Arc::new(AggregateUDF::new_from_impl(delegate)))
        .collect()
}

struct Delegate {
    name: &'static str,
    aliases: Vec<String>,
    forms: &'static [&'static [Takes]],
    inner: Arc<AggregateUDF>,
    /// Whether it gives a BIGINT that is never NULL.
    counts: bool,
    signature: Signature,
}

impl Delegate {
    fn new(
        name: &'static str,
        aliases: &[&str],
        forms: &'static [&'static [Takes]],
        inner: Arc<AggregateUDF>,
    ) -> Self {
        let aliases = aliases.iter().map(ToString::to_string).collect();
        let signature = Signature::user_defined(Volatility::Immutable);
        Self {
            name,
            aliases,
            forms,
            inner,
            counts: false,
            signature,
        }
    }
}

impl std::fmt::Debug for Delegate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Delegate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Delegate {}

impl Hash for Delegate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Delegate {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> DataFusionResult<Vec<DataType>> {
        let mut types = coerced(self.name, self.forms, types)?;
        if self.counts
            && let Some(counted) = types.first_mut()
            && counted.is_floating()
        {
            // Fractions are told apart as they are written.
            *counted = DataType::Utf8;
        }
        Ok(types)
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        match self.counts {
            true => Ok(DataType::Int64),
            false => self.inner.return_type(types),
        }
    }

    fn is_nullable(&self) -> bool {
        !self.counts
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DataFusionResult<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.inner.accumulator(first_only(args))?;
        Ok(match self.counts {
            true => Box::new(Casting { inner, data_type }),
            false => inner,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DataFusionResult<Vec<FieldRef>> {
        let input_fields = first(args.input_fields);
        self.inner.state_fields(StateFieldsArgs {
            input_fields,
            ..args
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.inner.groups_accumulator_supported(first_only(args))
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> DataFusionResult<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.inner.create_groups_accumulator(first_only(args))?;
        Ok(match self.counts {
            true => Box::new(Casting { inner, data_type }),
            false => inner,
        })
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> DataFusionResult<Box<dyn Accumulator>> {
        let data_type = args.return_type().clone();
        let inner = self.inner.create_sliding_accumulator(first_only(args))?;
        Ok(match self.counts {
            true => Box::new(Casting { inner, data_type }),
            false => inner,
        })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn default_value(&self, data_type: &DataType) -> DataFusionResult<ScalarValue> {
        match self.counts {
            true => ZERO(data_type),
            false => ScalarValue::try_from(data_type),
        }
    }
}

/// At most the first one.
fn first<T>(all: &[T]) -> &[T] {
    all.get(..1).unwrap_or_default()
}

fn first_only(args: AccumulatorArgs<'_>) -> AccumulatorArgs<'_> {
    AccumulatorArgs {
        exprs: first(args.exprs),
        expr_fields: first(args.expr_fields),
        ..args
    }
}
