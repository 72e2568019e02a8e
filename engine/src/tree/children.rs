//! What an expression directly consists of, for those who look for something in all of it.

use super::expression::{Bound, Expression, SortKey, SubqueryKind, Window};

impl Expression {
    /// The expressions inside of this one; of a subquery only the values that it is asked about.
    pub(crate) fn children(&self) -> Vec<&Expression> {
        match self {
            Self::Literal(_)
            | Self::Name(_)
            | Self::Star(_)
            | Self::Parameter(_)
            | Self::Matching(_) => Vec::new(),
            Self::Call(call) => {
                let keys = call.order_by.iter().map(|key| &key.expression);
                call.arguments
                    .iter()
                    .chain(&call.filter)
                    .chain(keys)
                    .collect()
            }
            Self::Cast(cast) => vec![&cast.expression],
            Self::Case(case) => {
                let branches = case.branches.iter().flat_map(|(when, then)| [when, then]);
                let parts = case.operand.iter().chain(branches);
                parts.chain(&case.otherwise).collect()
            }
            Self::Alias { expression, .. } => vec![expression],
            Self::Lambda(lambda) => vec![&lambda.body],
            Self::Field { of, .. } => vec![of],
            Self::Item { of, key } => vec![of, key],
            Self::Over(over) => {
                let mut parts = vec![&over.call];
                if let Window::Spec(spec) = &over.window {
                    parts.extend(&spec.partition_by);
                    parts.extend(spec.order_by.iter().map(|key| &key.expression));
                    let bounds = spec
                        .frame
                        .iter()
                        .flat_map(|frame| [&frame.start, &frame.end]);
                    parts.extend(bounds.filter_map(|bound| match bound {
                        Bound::Preceding(distance) | Bound::Following(distance) => Some(distance),
                        _ => None,
                    }));
                }
                parts
            }
            Self::Subquery(subquery) => match &subquery.kind {
                SubqueryKind::In(values) => values.iter().collect(),
                SubqueryKind::Scalar | SubqueryKind::Exists => Vec::new(),
            },
            Self::Argument { value, .. } => vec![value],
            Self::UpdateFields { of, value, .. } => {
                let value = value.iter().map(AsRef::as_ref);
                std::iter::once(of.as_ref()).chain(value).collect()
            }
        }
    }

    /// The same, to be changed.
    pub(crate) fn children_mut(&mut self) -> Vec<&mut Expression> {
        fn of_keys(keys: &mut [SortKey]) -> impl Iterator<Item = &mut Expression> {
            keys.iter_mut().map(|key| &mut key.expression)
        }
        match self {
            Self::Literal(_)
            | Self::Name(_)
            | Self::Star(_)
            | Self::Parameter(_)
            | Self::Matching(_) => Vec::new(),
            Self::Call(call) => {
                let call = call.as_mut();
                call.arguments
                    .iter_mut()
                    .chain(&mut call.filter)
                    .chain(of_keys(&mut call.order_by))
                    .collect()
            }
            Self::Cast(cast) => vec![&mut cast.expression],
            Self::Case(case) => {
                let case = case.as_mut();
                let branches = case.branches.iter_mut();
                let branches = branches.flat_map(|(when, then)| [when, then]);
                let parts = case.operand.iter_mut().chain(branches);
                parts.chain(&mut case.otherwise).collect()
            }
            Self::Alias { expression, .. } => vec![expression],
            Self::Lambda(lambda) => vec![&mut lambda.body],
            Self::Field { of, .. } => vec![of],
            Self::Item { of, key } => vec![of, key],
            Self::Over(over) => {
                let over = over.as_mut();
                let mut parts = vec![&mut over.call];
                if let Window::Spec(spec) = &mut over.window {
                    let spec = spec.as_mut();
                    parts.extend(&mut spec.partition_by);
                    parts.extend(of_keys(&mut spec.order_by));
                    let bounds = spec.frame.iter_mut();
                    let bounds = bounds.flat_map(|frame| [&mut frame.start, &mut frame.end]);
                    parts.extend(bounds.filter_map(|bound| match bound {
                        Bound::Preceding(distance) | Bound::Following(distance) => Some(distance),
                        _ => None,
                    }));
                }
                parts
            }
            Self::Subquery(subquery) => match &mut subquery.kind {
                SubqueryKind::In(values) => values.iter_mut().collect(),
                SubqueryKind::Scalar | SubqueryKind::Exists => Vec::new(),
            },
            Self::Argument { value, .. } => vec![value],
            Self::UpdateFields { of, value, .. } => {
                let value = value.iter_mut().map(AsMut::as_mut);
                std::iter::once(of.as_mut()).chain(value).collect()
            }
        }
    }
}
