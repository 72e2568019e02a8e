//! How many rows went into the nodes of a plan that was executed and how many came out: of nodes that
//! can take rows away. DataFusion's nodes count anyway; ours do where nobody else would.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec,
};
use datafusion::physical_plan::limit::{GlobalLimitExec, LocalLimitExec};
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use crate::operators::{
    EventTimeWatermarkExec, InputPart, StatefulExec, StreamingSourceExec, WatermarkObserver,
};
use crate::why::{NodeInput, NodeKind, NodeRows};

/// What the sources gave to the batch.
type Inputs = [Option<Arc<InputPart>>];

/// The nodes of `plan` that can take away rows of streams, from the sources to the sink.
pub(super) fn rows_of_nodes(plan: &Arc<dyn ExecutionPlan>, inputs: &Inputs) -> Vec<NodeRows> {
    let mut walk = Walk {
        inputs,
        operators: 0,
        nodes: Vec::new(),
    };
    walk.visit(plan);
    walk.nodes
}

/// The column of a watermark, and the sources that it looks at.
pub(super) fn watermark_column(
    plan: &Arc<dyn ExecutionPlan>,
    observer: &Arc<WatermarkObserver>,
) -> Option<(String, Vec<usize>)> {
    let found = plan
        .downcast_ref::<EventTimeWatermarkExec>()
        .filter(|node| Arc::ptr_eq(node.observer(), observer));
    if let Some(node) = found {
        let mut sources = Vec::new();
        sources_below(plan, &mut sources);
        return Some((node.column_name(), sources));
    }
    let mut children = plan.children().into_iter();
    children.find_map(|child| watermark_column(child, observer))
}

fn sources_below(plan: &Arc<dyn ExecutionPlan>, sources: &mut Vec<usize>) {
    if let Some(source) = plan.downcast_ref::<StreamingSourceExec>() {
        sources.push(source.source());
    }
    for child in plan.children() {
        sources_below(child, sources);
    }
}

struct Walk<'a> {
    inputs: &'a Inputs,
    /// How many operators were met: each before what it reads, as they are numbered.
    operators: usize,
    nodes: Vec<NodeRows>,
}

impl Walk<'_> {
    /// What comes out of `plan`.
    fn visit(&mut self, plan: &Arc<dyn ExecutionPlan>) -> NodeInput {
        if let Some(source) = plan.downcast_ref::<StreamingSourceExec>() {
            let input = self.inputs.get(source.source()).and_then(Option::as_ref);
            let rows = input.map_or(0, |input| input.num_rows.load(Ordering::Relaxed));
            return NodeInput {
                num_rows: Some(rows),
                is_stream: true,
                sources: vec![source.source()],
            };
        }
        let number = self.number(plan);
        let children = plan.children().into_iter();
        let inputs: Vec<NodeInput> = children.map(|child| self.visit(child)).collect();
        let is_stream = inputs.iter().any(|input| input.is_stream);
        let sources = inputs.iter().flat_map(|input| input.sources.clone());
        let sources = sources.collect();
        let num_rows = match plan.downcast_ref::<StatefulExec>() {
            Some(stateful) => Some(stateful.num_rows()),
            // What an operator counts as its input is what its first half reads.
            None if plan.is::<AggregateExec>() && is_stream => sum(&inputs),
            None => counted(plan).or_else(|| sum(&inputs)),
        };
        if let Some((node, detail)) = described(plan)
            && let Some(num_output_rows) = num_rows
            && is_stream
        {
            self.nodes.push(NodeRows {
                node,
                detail,
                inputs,
                num_output_rows,
                operator: number,
            });
        }
        NodeInput {
            num_rows,
            is_stream,
            sources,
        }
    }

    fn number(&mut self, plan: &Arc<dyn ExecutionPlan>) -> Option<usize> {
        plan.is::<StatefulExec>().then(|| {
            self.operators += 1;
            self.operators - 1
        })
    }
}

/// The rows of all inputs.
fn sum(inputs: &[NodeInput]) -> Option<i64> {
    inputs.iter().map(|input| input.num_rows).sum()
}

/// The rows that the node itself has counted.
fn counted(plan: &Arc<dyn ExecutionPlan>) -> Option<i64> {
    let rows = plan.metrics()?.output_rows()?;
    i64::try_from(rows).ok()
}

/// What a node does, if it can take rows away, and what it was made with.
fn described(plan: &Arc<dyn ExecutionPlan>) -> Option<(NodeKind, String)> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        return Some((NodeKind::Filter, condition(filter.predicate())));
    }
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let on = join.on().iter();
        let on =
            on.map(|(left, right)| [left, right].map(|side| fmt_sql(side.as_ref()).to_string()));
        let on = on_columns(&on.collect::<Vec<_>>());
        return Some((NodeKind::Join, joined(*join.join_type(), &on)));
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        return Some((NodeKind::Join, joined(*join.join_type(), "")));
    }
    if let Some(join) = plan.downcast_ref::<SortMergeJoinExec>() {
        return Some((NodeKind::Join, joined(join.join_type(), "")));
    }
    if let Some(stateful) = plan.downcast_ref::<StatefulExec>() {
        let detail = stateful.operator().in_sql();
        let detail = detail.unwrap_or_else(|| Described(stateful).to_string());
        return Some((NodeKind::Stateful, detail));
    }
    let kind = if plan.is::<CrossJoinExec>() {
        NodeKind::Join
    } else if plan.is::<UnnestExec>() {
        NodeKind::Explode
    } else if plan.is::<GlobalLimitExec>() || plan.is::<LocalLimitExec>() {
        NodeKind::Limit
    } else {
        return None;
    };
    Some((kind, String::new()))
}

/// The function that the analyzer puts around fractions which are compared.
const CANONICAL: &str = "canonical";

/// A condition as it might have been typed.
fn condition(predicate: &Arc<dyn PhysicalExpr>) -> String {
    let quoted = Arc::clone(predicate).transform_up(|expr| {
        // What makes 0.0 equal to -0.0 was not typed.
        if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>()
            && call.name() == CANONICAL
            && let [argument] = call.args()
        {
            return Ok(Transformed::yes(Arc::clone(argument)));
        }
        let text = expr
            .downcast_ref::<Literal>()
            .and_then(|literal| literal.value().try_as_str().flatten());
        Ok(match text {
            Some(text) => {
                let quoted = format!("'{}'", text.replace('\'', "''"));
                let quoted = Literal::new(ScalarValue::Utf8(Some(quoted)));
                Transformed::yes(Arc::new(quoted) as Arc<dyn PhysicalExpr>)
            }
            None => Transformed::no(expr),
        })
    });
    let shown = quoted.map_or_else(|_| Arc::clone(predicate), |quoted| quoted.data);
    fmt_sql(shown.as_ref()).to_string()
}

/// What a stateful node was made with.
struct Described<'a>(&'a StatefulExec);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.operator().describe(&self.0.schema(), f)
    }
}

fn joined(join_type: JoinType, on: &str) -> String {
    let join_type = join_type.to_string().to_uppercase();
    format!("{join_type} {on}").trim_end().to_string()
}

/// What must be equal. A physical plan does not know the tables' names: columns that are called alike are
/// told by the one name.
fn on_columns(pairs: &[[String; 2]]) -> String {
    let is_using = pairs.iter().all(|[left, right]| left == right);
    let names = pairs.iter().map(|[left, right]| match is_using {
        true => left.clone(),
        false => format!("{left} = {right}"),
    });
    let names = names.collect::<Vec<_>>();
    match (is_using, names.is_empty()) {
        (_, true) => String::new(),
        (true, _) => format!("USING ({})", names.join(", ")),
        (false, _) => format!("ON {}", names.join(" AND ")),
    }
}
