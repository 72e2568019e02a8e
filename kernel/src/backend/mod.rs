//! Where the notebook's statements and queries run: on the engine in this process, or on a cluster.
//!
//! Magics that can do without the engine's own abilities see a [`Backend`] and its [`Query`]s, whichever
//! they are.

mod connections;
mod growing_table;
mod plans;
mod query;

use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::{CommandOutput, Rows, Session, SqlOutput, nearest};
use tidebook_remote::{Cluster, Output};

pub(crate) use connections::{Connections, is_local};
pub(crate) use growing_table::GrowingTable;
pub(crate) use plans::Statement;
pub(crate) use query::Query;

use crate::error::{CellError, Result};

/// Where things run.
#[derive(Clone)]
pub(crate) enum Backend {
    /// On the engine in this process.
    Here(Session),
    /// On a cluster.
    There(Cluster),
}

/// A view that was registered.
pub(crate) struct Registered {
    /// Its name.
    pub name: String,
    /// How many columns it has.
    pub columns: usize,
    /// Whether it is a stream.
    pub is_streaming: bool,
}

impl Backend {
    /// The cluster, if it is one.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Here(_) => None,
            Self::There(cluster) => Some(cluster),
        }
    }

    /// Runs one statement.
    pub(crate) async fn sql(&self, text: &str) -> Result<SqlOutput> {
        Ok(match self {
            Self::Here(session) => session.sql(text).await?,
            Self::There(cluster) => match cluster.sql(text).await? {
                Output::Rows(rows) => SqlOutput::Rows(rows),
                Output::Done => SqlOutput::Done(format!("done on {}", cluster.address())),
            },
        })
    }

    /// The rows of a relation.
    pub(crate) async fn collect(&self, relation: &proto::Relation) -> Result<Rows> {
        Ok(match self {
            Self::Here(session) => session.collect(relation).await?,
            Self::There(cluster) => cluster.collect(relation).await?,
        })
    }

    /// Registers a view.
    pub(crate) async fn register(&self, command: &proto::Command) -> Result<Registered> {
        match (self, &command.command_type) {
            (Self::Here(session), _) => match session.execute(command).await? {
                CommandOutput::View(view) => Ok(Registered {
                    columns: view.schema.fields().len(),
                    is_streaming: view.is_streaming,
                    name: view.name,
                }),
                _ => Err(other("a view")),
            },
            (Self::There(cluster), Some(CommandType::CreateDataframeView(view))) => {
                let (columns, is_streaming) = cluster.create_view(view.clone()).await?;
                Ok(Registered {
                    name: view.name.clone(),
                    columns,
                    is_streaming,
                })
            }
            _ => Err(other("a view")),
        }
    }

    /// Forgets a view.
    pub(crate) async fn drop_view(&self, name: &str) -> Result<()> {
        match self {
            Self::Here(session) => {
                session.drop_view(name)?;
            }
            Self::There(cluster) => {
                let name = name.replace('`', "``");
                cluster.sql(&format!("DROP VIEW `{name}`")).await?;
            }
        }
        Ok(())
    }

    /// Starts a streaming query.
    pub(crate) async fn start(&self, command: &proto::Command) -> Result<Query> {
        match (self, &command.command_type) {
            (Self::Here(session), _) => match session.execute(command).await? {
                CommandOutput::Query(query) => Ok(Query::Here(query)),
                _ => Err(other("a query")),
            },
            (Self::There(cluster), Some(CommandType::WriteStreamOperationStart(start))) => {
                Ok(Query::There(cluster.start(start.clone()).await?))
            }
            _ => Err(other("a query")),
        }
    }

    /// All queries, running and ended, in the order of their starts.
    pub(crate) async fn queries(&self) -> Result<Vec<Query>> {
        Ok(match self {
            Self::Here(session) => session
                .streams()
                .all()
                .into_iter()
                .map(Query::Here)
                .collect(),
            Self::There(cluster) => {
                let queries = cluster.queries().await?;
                queries.into_iter().map(Query::There).collect()
            }
        })
    }

    /// The queries that run.
    pub(crate) async fn active(&self) -> Result<Vec<Query>> {
        let mut queries = self.queries().await?;
        queries.retain(Query::is_active);
        Ok(queries)
    }

    /// The query of this name: of several the one that was started last.
    pub(crate) async fn find(&self, name: &str) -> Result<Query> {
        if let Self::Here(session) = self {
            return Ok(Query::Here(session.streams().get(name)?));
        }
        let queries = self.queries().await?;
        let is_named = |query: &&Query| {
            let own = query.name();
            own.is_some_and(|own| own.eq_ignore_ascii_case(name)) || query.id().to_string() == name
        };
        if let Some(found) = queries.iter().rev().find(is_named) {
            return Ok(found.clone());
        }
        let error = CellError::new(
            "IllegalArgumentException",
            format!("there is no query '{name}' in this session of the cluster"),
        );
        Err(
            match nearest(name, queries.iter().filter_map(Query::name)) {
                Some(near) => error.hint(format!("did you mean '{near}'?")),
                None => error.hint("%queries lists all queries"),
            },
        )
    }

    /// Ends all queries that run; gives them.
    pub(crate) async fn stop_all(&self) -> Result<Vec<Query>> {
        let running = self.active().await?;
        match self {
            Self::Here(session) => session.streams().stop_all().await?,
            Self::There(_) => {
                for query in &running {
                    query.stop().await?;
                }
            }
        }
        Ok(running)
    }
}

fn other(wanted: &str) -> CellError {
    CellError::internal(format!("{wanted} was asked for, something else was done"))
}
