//! Rows that are typed into a memory stream, by the name that SQL reads it by.

use std::any::Any;
use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::{Session, StreamingQuery};
use crate::error::{Error, Result, hint};
use crate::formats::{RowFormat, typed_rows};
use crate::plan::{StreamingRelation, streaming_relations};
use crate::sources::{MemoryStream, SourceDefinition};

/// What was added to a memory stream.
#[derive(Debug, Clone)]
pub struct Fed {
    /// Rows that were added.
    pub rows: usize,
    /// Rows that were added so far, these included.
    pub total: usize,
    /// The queries that are running and read the stream, by start.
    pub readers: Vec<StreamingQuery>,
}

impl Session {
    /// Adds the rows of a text to the memory stream that the view `name` reads. A row that does
    /// not fit is an error that says where, and then none is added.
    pub fn feed(&self, name: &str, format: RowFormat, text: &str) -> Result<Fed> {
        let stream = self.fed_stream(name)?;
        let rows = typed_rows(text, format, stream.schema())?;
        let added = rows.num_rows();
        if added > 0 {
            stream.add_data(rows)?;
        }
        let mut readers = self.streams().active();
        readers.retain(|query| {
            query
                .streams()
                .iter()
                .any(|other| is_stream(other, &stream))
        });
        Ok(Fed {
            rows: added,
            total: stream.num_rows(),
            readers,
        })
    }

    /// The view that each of `streams` is read by; of several, one with the stream's own columns.
    pub(super) fn stream_names(
        &self,
        streams: &[Arc<dyn SourceDefinition>],
    ) -> Vec<Option<String>> {
        let views = self.views().into_iter().filter(|view| view.is_streaming);
        let views: Vec<_> = views
            .filter_map(|view| {
                let read = streams_of(self.table(&view.name)?.as_ref());
                let [stream] = <[_; 1]>::try_from(read).ok()?;
                Some((view, stream))
            })
            .collect();
        let name = |wanted: &Arc<dyn SourceDefinition>| {
            let same = |stream: &Arc<dyn SourceDefinition>| Arc::ptr_eq(stream, wanted);
            let found = views.iter().filter(|(_, stream)| same(stream));
            // Of equal ones the first is taken.
            let best = found.min_by_key(|(view, stream)| {
                let (columns, own) = (view.schema.fields(), stream.schema());
                let names = columns.iter().map(|field| field.name());
                !names.eq(own.fields().iter().map(|field| field.name()))
            });
            best.map(|(view, _)| view.name.clone())
        };
        streams.iter().map(name).collect()
    }

    fn fed_stream(&self, name: &str) -> Result<MemoryStream> {
        let table = self.table(name).ok_or_else(|| self.unknown_view(name))?;
        let read = streams_of(table.as_ref());
        let mut memory: Vec<MemoryStream> = Vec::new();
        for stream in read.iter().filter_map(memory_stream) {
            if !memory.iter().any(|known| known.is(stream)) {
                memory.push(stream.clone());
            }
        }
        match (memory.pop(), memory.is_empty(), read.first()) {
            (Some(stream), true, _) => Ok(stream),
            (Some(_), false, _) => Err(Error::illegal_argument(format!(
                "'{name}' reads more than one memory stream"
            ))
            .with_hint("feed each of them by its own name")),
            (None, _, Some(stream)) => Err(Error::illegal_argument(format!(
                "'{name}' reads {}; only a memory source takes rows by hand",
                stream.description()
            ))
            .with_hint([
                hint::say("declare one: "),
                hint::define_stream(Some(name), Some("memory")),
            ])),
            (None, _, None) => Err(Error::illegal_argument(format!(
                "'{name}' is a table and takes no rows by hand"
            ))
            .with_hint([
                hint::say("declare a stream: "),
                hint::define_stream(Some("NAME"), Some("memory")),
            ])),
        }
    }
}

/// The streams that a table reads.
fn streams_of(table: &dyn TableProvider) -> Vec<Arc<dyn SourceDefinition>> {
    match table.downcast_ref::<StreamingRelation>() {
        Some(relation) => vec![Arc::clone(relation.spec())],
        None => table
            .get_logical_plan()
            .map(|plan| streaming_relations(&plan))
            .unwrap_or_default(),
    }
}

fn memory_stream(stream: &Arc<dyn SourceDefinition>) -> Option<&MemoryStream> {
    (stream.as_ref() as &dyn Any).downcast_ref()
}

fn is_stream(stream: &Arc<dyn SourceDefinition>, fed: &MemoryStream) -> bool {
    memory_stream(stream).is_some_and(|stream| stream.is(fed))
}
