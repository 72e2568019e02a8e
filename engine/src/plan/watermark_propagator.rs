//! From the watermark of a query to that of each stateful operator.
//!
//! What comes out of an operator can be older than what went in: a join holds rows back for as long
//! as they may still match. Operators above it have to wait for those, so they see an earlier
//! watermark. As in Spark nothing is sent from operator to operator; it is computed from the plan.

use std::sync::Arc;

use datafusion::physical_plan::ExecutionPlan;

use crate::operators::{EventTimeWatermarkExec, StatefulExec, StatefulOperator};

/// What a physical plan does to watermarks.
#[derive(Debug)]
pub(super) struct WatermarkPropagator {
    root: Node,
    operators: usize,
}

#[derive(Debug)]
enum Node {
    /// Where the query's watermark comes in.
    Watermark,
    /// What goes through a node that remembers nothing, the lowest of its inputs.
    Stateless(Vec<Node>),
    /// What a stateful operator, with its number, makes of the lowest of its inputs.
    Stateful(usize, Arc<dyn StatefulOperator>, Vec<Node>),
}

impl WatermarkPropagator {
    /// That of `plan`, with the plan's operators, the one nearest the sink first.
    pub(super) fn new(plan: &Arc<dyn ExecutionPlan>) -> (Self, Vec<Arc<dyn StatefulOperator>>) {
        let mut operators = Vec::new();
        let root = Node::of(plan, &mut operators);
        let propagator = Self {
            root,
            operators: operators.len(),
        };
        (propagator, operators)
    }

    /// The watermark of what each operator reads, in the operators' order, when that of the query is
    /// `origin_ms`; 0 where there is none.
    pub(super) fn input_watermarks(&self, origin_ms: i64) -> Vec<i64> {
        let mut inputs = vec![0; self.operators];
        if origin_ms > 0 {
            self.root.output(origin_ms, &mut inputs);
        }
        inputs
    }
}

impl Node {
    fn of(plan: &Arc<dyn ExecutionPlan>, operators: &mut Vec<Arc<dyn StatefulOperator>>) -> Self {
        if plan.is::<EventTimeWatermarkExec>() {
            plan.children().into_iter().for_each(|child| {
                Self::of(child, operators);
            });
            return Self::Watermark;
        }
        let stateful = plan.downcast_ref::<StatefulExec>();
        let stateful = stateful.map(|node| {
            operators.push(Arc::clone(node.operator()));
            (operators.len() - 1, Arc::clone(node.operator()))
        });
        let children = plan.children().into_iter();
        let inputs = children.map(|child| Self::of(child, operators)).collect();
        match stateful {
            Some((number, operator)) => Self::Stateful(number, operator, inputs),
            None => Self::Stateless(inputs),
        }
    }

    /// The watermark of what the node gives; notes what each operator reads.
    #[expect(
        clippy::indexing_slicing,
        reason = "`of` numbers the operators, and there is a place for each"
    )]
    fn output(&self, origin_ms: i64, read: &mut [i64]) -> Option<i64> {
        let mut lowest = |inputs: &[Self]| {
            let inputs = inputs.iter();
            inputs
                .filter_map(|input| input.output(origin_ms, read))
                .min()
        };
        match self {
            Self::Watermark => Some(origin_ms),
            Self::Stateless(inputs) => lowest(inputs),
            Self::Stateful(number, operator, inputs) => {
                let input_ms = lowest(inputs)?;
                read[*number] = input_ms.max(0);
                operator.output_watermark(input_ms)
            }
        }
    }
}
