//! An aggregate as one row of a table, as a function of single rows is one: its name, what it takes,
//! what it gives, how it counts, one sentence and one example. DISTINCT, ORDER BY and windows of any
//! frame come with the row.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, GroupsAccumulator, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;

use super::super::arguments::argument;
use super::super::scalar::{Inputs, Returns};
use super::super::takes::{Takes, coerced, list_of};
use super::distinct::Distinct;
use super::kept::{Finish, accumulator};
use super::sliding::Sliding;
use super::statistic::Statistic;
use crate::error::{Error, Result};

/// One aggregate.
pub(in super::super) struct Aggregate {
    /// Spark's name, in lower case.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// What it takes: one list for each number of arguments, or more where types differ.
    pub forms: &'static [&'static [Takes]],
    /// What it gives.
    pub returns: Returns,
    /// How it counts.
    pub counts: Counts,
    /// Its value for no rows at all; None is NULL.
    pub empty: Option<fn(&DataType) -> DataFusionResult<ScalarValue>>,
    /// Whether its values may be in an order: `f(x) WITHIN GROUP (ORDER BY y)`.
    pub is_ordered: bool,
    /// Whether it may be told to leave NULLs out.
    pub may_ignore_nulls: bool,
    /// What it gives, in one sentence: the documentation.
    pub doc: &'static str,
    /// A query that shows it.
    pub example: &'static str,
}

/// How an aggregate counts.
pub(in super::super) enum Counts {
    /// By a few numbers, of all groups at once.
    Statistic(&'static Statistic),
    /// By all rows: those arguments of each are kept whose numbers stand here, and made something of
    /// in the end. Rows in which the first of these is NULL do not count.
    All(&'static [usize], Finish),
    /// By an accumulator of its own, whose state has these types.
    Own {
        state: fn(&Setup) -> Vec<DataType>,
        accumulator: fn(&Setup) -> Result<Box<dyn Accumulator>>,
    },
    /// The same, with one of all groups at once.
    OwnAtOnce {
        state: fn(&Setup) -> Vec<DataType>,
        accumulator: fn(&Setup) -> Result<Box<dyn Accumulator>>,
        groups: fn(&Setup) -> Result<Box<dyn GroupsAccumulator>>,
    },
}

/// An aggregate without anything; the others say what they have: `Aggregate { name: …, ..AGGREGATE }`.
pub(super) const AGGREGATE: Aggregate = Aggregate {
    name: "",
    aliases: &[],
    forms: &[],
    returns: Returns::Double,
    counts: Counts::All(&[], |setup, _| {
        Err(Error::internal(format!("{} counts nothing", setup.name)))
    }),
    empty: None,
    is_ordered: false,
    may_ignore_nulls: false,
    doc: "",
    example: "",
};

/// What an accumulator is made for.
#[derive(Debug, Clone)]
pub(in super::super) struct Setup {
    pub name: &'static str,
    /// The types of the arguments.
    pub types: Vec<DataType>,
    /// The values of those that are the same for all rows; none are known where a state is described.
    pub constants: Vec<Option<ScalarValue>>,
    pub returns: DataType,
    /// The types of the values that give the order, and which way it goes.
    pub orders: Vec<(DataType, SortOptions)>,
    pub ignore_nulls: bool,
}

impl Setup {
    /// The types of the arguments and of what gives the order.
    fn all_types(&self) -> Vec<DataType> {
        let orders = self.orders.iter().map(|(data_type, _)| data_type.clone());
        self.types.iter().cloned().chain(orders).collect()
    }

    /// The type of an argument.
    pub(super) fn data_type(&self, index: usize) -> Result<&DataType> {
        argument(self.name, &self.types, index)
    }

    /// A constant as another type; NULL is none.
    pub(super) fn constant(&self, index: usize, as_type: &DataType) -> Result<Option<ScalarValue>> {
        let Some(Some(value)) = self.constants.get(index) else {
            let message = format!(
                "argument {} of {} must be the same for all rows",
                index + 1,
                self.name
            );
            return Err(Error::analysis(message)
                .with_condition("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT")
                .with_hint("write it as a literal"));
        };
        let value = value
            .cast_to(as_type)
            .map_err(crate::error::from_datafusion)?;
        Ok(Some(value).filter(|value| !value.is_null()))
    }

    /// A constant whole number.
    pub(super) fn integer(&self, index: usize) -> Result<Option<i64>> {
        Ok(match self.constant(index, &DataType::Int64)? {
            Some(ScalarValue::Int64(value)) => value,
            _ => None,
        })
    }
}

/// The aggregates of a table, as a session registers them.
pub(super) fn registered(table: &'static [Aggregate]) -> impl Iterator<Item = Arc<AggregateUDF>> {
    table.iter().map(|row| {
        Arc::new(AggregateUDF::new_from_impl(Registered {
            row,
            aliases: row.aliases.iter().map(ToString::to_string).collect(),
            signature: Signature::user_defined(Volatility::Immutable),
            orders: Vec::new(),
        }))
    })
}

/// The aggregate with an order of its own over windows, which pass only arguments on: the values that
/// give the order are the last ones. `None` if it takes no order.
pub(crate) fn in_order(
    function: &AggregateUDF,
    orders: Vec<SortOptions>,
) -> Option<Arc<AggregateUDF>> {
    let own: &Registered = function.inner().downcast_ref()?;
    own.row.is_ordered.then(|| {
        Arc::new(AggregateUDF::new_from_impl(Registered {
            orders,
            ..own.clone()
        }))
    })
}

#[derive(Clone)]
struct Registered {
    row: &'static Aggregate,
    aliases: Vec<String>,
    signature: Signature,
    /// The directions of those last arguments that give an order.
    orders: Vec<SortOptions>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row.name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row) && self.orders == other.orders
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.row.name.hash(state);
    }
}

impl AggregateUDFImpl for Registered {
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
        if !self.orders.is_empty() {
            // They were cast before the order was put behind them.
            return Ok(types.to_vec());
        }
        Ok(coerced(self.row.name, self.row.forms, types)?)
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        let arguments = types.len().saturating_sub(self.orders.len());
        let (types, _) = types.split_at(arguments);
        let constants = vec![None; types.len()];
        let inputs = Inputs {
            name: self.row.name,
            types: types.to_vec(),
            constants: &constants,
        };
        Ok(self.row.returns.data_type(&inputs)?)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> DataFusionResult<Vec<FieldRef>> {
        let orders = args.ordering_fields.iter();
        let setup = Setup {
            name: self.row.name,
            types: args
                .input_fields
                .iter()
                .map(|field| field.data_type().clone())
                .collect(),
            constants: Vec::new(),
            returns: args.return_type().clone(),
            orders: orders
                .map(|field| (field.data_type().clone(), SortOptions::default()))
                .collect(),
            ignore_nulls: false,
        };
        let types = match args.is_distinct {
            true => setup.all_types().into_iter().map(list_of).collect(),
            false => self.row.counts.state(&setup),
        };
        let fields = types.into_iter().enumerate().map(|(index, data_type)| {
            let name = format_state_name(args.name, &index.to_string());
            Arc::new(Field::new(name, data_type, true))
        });
        Ok(fields.collect())
    }

    fn accumulator(&self, args: AccumulatorArgs) -> DataFusionResult<Box<dyn Accumulator>> {
        let is_distinct = args.is_distinct;
        let setup = self.setup(args)?;
        let inner = self.row.counts.accumulator(&setup)?;
        Ok(match is_distinct {
            true => Box::new(Distinct::new(inner, setup.all_types(), setup.types.len())?),
            false => inner,
        })
    }

    fn create_sliding_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> DataFusionResult<Box<dyn Accumulator>> {
        Ok(Box::new(Sliding::new(self.row, self.setup(args)?)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        let counts = &self.row.counts;
        matches!(counts, Counts::Statistic(_) | Counts::OwnAtOnce { .. }) && !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> DataFusionResult<Box<dyn GroupsAccumulator>> {
        match self.row.counts {
            Counts::Statistic(statistic) => Ok(statistic.groups(args.return_type().clone())),
            Counts::OwnAtOnce { groups, .. } => Ok(groups(&self.setup(args)?)?),
            _ => datafusion::common::internal_err!("{} counts each group alone", self.row.name),
        }
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        _: bool,
    ) -> DataFusionResult<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    /// The values are put in order in the end.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Beneficial
    }

    fn default_value(&self, data_type: &DataType) -> DataFusionResult<ScalarValue> {
        match self.row.empty {
            Some(empty) => empty(data_type),
            None => ScalarValue::try_from(data_type),
        }
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.row.may_ignore_nulls
    }

    fn supports_within_group_clause(&self) -> bool {
        self.row.is_ordered
    }
}

impl Registered {
    fn setup(&self, args: AccumulatorArgs) -> DataFusionResult<Setup> {
        let nothing = RecordBatch::new_empty(Arc::new(args.schema.clone()));
        let constants = args.exprs.iter().map(|expr| match expr.evaluate(&nothing) {
            Ok(ColumnarValue::Scalar(value)) => Some(value),
            _ => None,
        });
        let orders = args
            .order_bys
            .iter()
            .map(|order| Ok((order.expr.data_type(args.schema)?, order.options)));
        let types = args.expr_fields.iter();
        let mut types: Vec<DataType> = types.map(|field| field.data_type().clone()).collect();
        let mut orders = orders.collect::<DataFusionResult<Vec<_>>>()?;
        let own = types.split_off(types.len().saturating_sub(self.orders.len()));
        orders.extend(own.into_iter().zip(self.orders.iter().copied()));
        Ok(Setup {
            name: self.row.name,
            constants: constants.take(types.len()).collect(),
            types,
            returns: args.return_type().clone(),
            orders,
            ignore_nulls: args.ignore_nulls,
        })
    }
}

impl Counts {
    fn state(&self, setup: &Setup) -> Vec<DataType> {
        match self {
            Self::Statistic(statistic) => vec![DataType::Float64; statistic.size],
            Self::All(kept, _) => {
                let kept = kept
                    .iter()
                    .filter_map(|index| setup.types.get(*index).cloned());
                let orders = setup.orders.iter().map(|(data_type, _)| data_type.clone());
                kept.chain(orders).map(list_of).collect()
            }
            Self::Own { state, .. } | Self::OwnAtOnce { state, .. } => state(setup),
        }
    }

    pub(super) fn accumulator(&self, setup: &Setup) -> Result<Box<dyn Accumulator>> {
        match self {
            Self::Statistic(statistic) => Ok(statistic.one(setup.returns.clone())),
            Self::All(kept, finish) => Ok(accumulator(*finish, kept, setup.clone())),
            Self::Own { accumulator, .. } | Self::OwnAtOnce { accumulator, .. } => {
                accumulator(setup)
            }
        }
    }
}
