//! The files that a relation reads, looked at before it is planned: that takes time, planning does not.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::context::SessionState;

use crate::error::Result;
use crate::options::OptionMap;
use crate::plan::StreamingRelation;
use crate::sources::{SOURCE_FORMATS, define_stream, open_table};
use crate::tree::Relation;

/// Tables by the relation that reads them.
#[derive(Default)]
pub(super) struct Sources(HashMap<usize, Arc<dyn TableProvider>>);

impl Sources {
    /// Opens every [`Relation::Source`] in `relation`, and every table that is a format and a path.
    pub(super) async fn load(session: &SessionState, relation: &Relation) -> Result<Self> {
        let mut sources = Self::default();
        // One frame is one stream, however often a plan repeats it.
        let mut frames: HashMap<i64, &Relation> = HashMap::new();
        let mut open = vec![(relation, None)];
        while let Some((relation, frame)) = open.pop() {
            open.extend(inputs(relation).into_iter().map(|input| match relation {
                Relation::Numbered { plan_id, .. } => (input, Some(*plan_id)),
                _ => (input, None),
            }));
            if let Some((format, path)) = files_named(relation) {
                let paths = [path.to_string()];
                let table = open_table(session, format, None, &paths, &OptionMap::new()).await?;
                sources.0.insert(address(relation), table);
                continue;
            }
            let Relation::Source {
                is_streaming,
                format,
                schema,
                paths,
                options,
            } = relation
            else {
                continue;
            };
            let same = frame.map(|frame| *frames.entry(frame).or_insert(relation));
            let same = same.filter(|same| *is_streaming && *same == relation);
            if let Some(table) = same.and_then(|same| sources.get(same)) {
                sources.0.insert(address(relation), table);
                continue;
            }
            let (schema, options) = (schema.clone(), options.clone());
            let table: Arc<dyn TableProvider> = if *is_streaming {
                let stream = define_stream(session, format, schema, paths, options)?;
                Arc::new(StreamingRelation::new(stream))
            } else {
                open_table(session, format, schema, paths, &options).await?
            };
            sources.0.insert(address(relation), table);
        }
        Ok(sources)
    }

    /// The table of a source.
    pub(super) fn get(&self, relation: &Relation) -> Option<Arc<dyn TableProvider>> {
        self.0.get(&address(relation)).cloned()
    }
}

/// Format and path of ``json.`/data/in` ``, if a relation is such a name.
fn files_named(relation: &Relation) -> Option<(&str, &str)> {
    let Relation::Table { name, .. } = relation else {
        return None;
    };
    let [format, path] = name.as_slice() else {
        return None;
    };
    let mut files = SOURCE_FORMATS
        .iter()
        .filter(|row| row.needs_path && row.table.is_some());
    let found = files.find(|row| row.name.eq_ignore_ascii_case(format))?;
    Some((found.name, path))
}

fn address(relation: &Relation) -> usize {
    std::ptr::from_ref(relation).addr()
}

/// The relations that a relation is made of, as far as sources may stand there: not in subqueries of
/// expressions.
pub(super) fn inputs(relation: &Relation) -> Vec<&Relation> {
    match relation {
        Relation::Query(query) => {
            let named = query.with.iter().map(|named| &named.query.body);
            named.chain([&query.body]).collect()
        }
        Relation::Select(select) => select.from.iter().collect(),
        Relation::Lateral(input)
        | Relation::Alias { input, .. }
        | Relation::Numbered { input, .. }
        | Relation::Filter { input, .. }
        | Relation::WithColumns { input, .. }
        | Relation::Renamed { input, .. }
        | Relation::Drop { input, .. }
        | Relation::ToDf { input, .. }
        | Relation::Sort { input, .. }
        | Relation::Limit { input, .. }
        | Relation::Offset { input, .. }
        | Relation::Sample { input, .. }
        | Relation::FillNa { input, .. }
        | Relation::DropNa { input, .. }
        | Relation::Replace { input, .. }
        | Relation::ToSchema { input, .. }
        | Relation::Describe { input, .. }
        | Relation::WithWatermark { input, .. }
        | Relation::Deduplicate { input, .. } => vec![input],
        Relation::GroupMap { input, initial, .. } => {
            let initial = initial.iter().map(|(initial, _)| initial.as_ref());
            std::iter::once(input.as_ref()).chain(initial).collect()
        }
        Relation::Project { input, .. } => input.iter().map(AsRef::as_ref).collect(),
        Relation::SetOperation(set) => vec![&set.left, &set.right],
        Relation::Join(join) => vec![&join.left, &join.right],
        Relation::LateralView(view) => vec![&view.input],
        Relation::Pivot(pivot) => vec![&pivot.input],
        Relation::Unpivot(unpivot) => vec![&unpivot.input],
        Relation::Aggregate(aggregate) => vec![&aggregate.input],
        Relation::Table { .. }
        | Relation::TableFunction(_)
        | Relation::Values(_)
        | Relation::Source { .. }
        | Relation::Local { .. }
        | Relation::Range { .. } => Vec::new(),
    }
}
