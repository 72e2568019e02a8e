//! What a plan needs before its types are settled: whole numbers that are INT where they fit, as
//! in Spark, the columns that `struct(*)` stands for, and comparisons of what can be compared.

use arrow::datatypes::{DataType, Fields};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as DataFusionResult;
use datafusion::functions::core::named_struct;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{expand_wildcard, merge_schema};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};
use datafusion::scalar::ScalarValue;

use super::comparisons::make_comparable;
use crate::error::{Result, from_datafusion};

/// The name of the function that `struct(*)` is planned as.
pub(super) const ALL_COLUMNS: &str = "struct_of_all_columns";

/// Settles the literals and stars of a plan that DataFusion has just made of SQL.
pub(super) fn settle_literals(plan: LogicalPlan) -> Result<LogicalPlan> {
    let settled = plan.transform_up_with_subqueries(|node| {
        if matches!(node, LogicalPlan::Limit(_) | LogicalPlan::Values(_)) {
            return Ok(Transformed::no(node));
        }
        let all = all_columns(&node)?;
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            rewrite_named(expr, &names, |expr| {
                settle(expr, all.as_ref())?.transform_data(|expr| make_comparable(expr, &schema))
            })
        })?
        .map_data(LogicalPlan::recompute_schema)
    });
    Ok(settled.map_err(from_datafusion)?.data)
}

/// Settles the literals of one expression over the columns of `schema`.
pub(super) fn settle_expression(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let settled = settle(expr, None);
    let settled = settled.and_then(|settled| make_comparable(settled.data, schema));
    Ok(settled.map_err(from_datafusion)?.data)
}

/// `rewrite` of an expression of a plan, which keeps its name; of grouping sets, each key does.
pub(super) fn rewrite_named(
    expr: Expr,
    names: &NamePreserver,
    rewrite: impl Fn(Expr) -> DataFusionResult<Transformed<Expr>> + Copy,
) -> DataFusionResult<Transformed<Expr>> {
    if matches!(expr, Expr::GroupingSet(_)) {
        return expr.map_children(|key| rewrite_named(key, names, rewrite));
    }
    let name = names.save(&expr);
    Ok(rewrite(expr)?.update_data(|expr| name.restore(expr)))
}

fn settle(expr: Expr, all: Option<&Expr>) -> DataFusionResult<Transformed<Expr>> {
    expr.transform_down(|expr| match &expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), _) => Ok(match i32::try_from(*value) {
            Ok(value) => Transformed::yes(lit(value)),
            Err(_) => Transformed::no(expr),
        }),
        // `count(*)` is recognised by its argument.
        Expr::AggregateFunction(call) if call.func.name() == "count" => {
            let is_literal = matches!(call.params.args.as_slice(), [Expr::Literal(..)]);
            let recursion = if is_literal && call.params.filter.is_none() {
                TreeNodeRecursion::Jump
            } else {
                TreeNodeRecursion::Continue
            };
            Ok(Transformed::new(expr, false, recursion))
        }
        Expr::ScalarFunction(call) if call.name() == ALL_COLUMNS => Ok(match all {
            Some(all) => Transformed::new(all.clone(), true, TreeNodeRecursion::Jump),
            None => Transformed::no(expr),
        }),
        _ => Ok(Transformed::no(expr)),
    })
}

/// A struct of a node's input, if the node has one input and asks for it.
fn all_columns(node: &LogicalPlan) -> DataFusionResult<Option<Expr>> {
    let mut asks = false;
    node.apply_expressions(|expr| {
        asks |= expr.exists(|expr| {
            Ok(matches!(expr, Expr::ScalarFunction(call) if call.name() == ALL_COLUMNS))
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    let inputs = node.inputs();
    let (true, &[input]) = (asks, inputs.as_slice()) else {
        return Ok(None);
    };
    let columns = expand_wildcard(input.schema(), input, None)?;
    let named = columns.into_iter().flat_map(|column| {
        let (_, name) = column.qualified_name();
        [lit(name), column]
    });
    Ok(Some(named_struct().call(named.collect())))
}

/// Stands for `struct(*)` until the columns are known.
pub(super) fn all_columns_function() -> ScalarUDF {
    ScalarUDF::from(AllColumns(Signature::nullary(Volatility::Immutable)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AllColumns(Signature);

impl ScalarUDFImpl for AllColumns {
    fn name(&self) -> &str {
        ALL_COLUMNS
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Struct(Fields::empty()))
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        datafusion::common::internal_err!("struct(*) was not resolved")
    }
}
