//! What user code asks of where it runs: plans, settings, the queries that there are.

use std::time::Duration;

use arrow::datatypes::SchemaRef;
use tidebook_engine::connect::proto;
use tidebook_engine::{Rows, Session, ShowForm, SqlKind, SqlOutput, show};

use super::{Backend, Query};
use crate::error::{CellError, Result};

/// What a statement of SQL is to the one who asks for it.
pub(crate) enum Statement {
    /// A query, which was only looked at.
    Query,
    /// It was executed, and says so.
    Done(String),
    /// It was executed, and has rows.
    Rows(Rows),
}

impl Backend {
    /// Executes a statement unless it is a query. `here` reads it.
    pub(crate) async fn statement(&self, here: &Session, text: &str) -> Result<Statement> {
        let kind = match (self, here.sql_kind(text)) {
            (_, Ok(kind)) => kind,
            (Self::Here(_), Err(error)) => return Err(error.into()),
            // The cluster may know what this engine does not.
            (Self::There(_), Err(_)) => SqlKind::Query,
        };
        if let SqlKind::Query = kind {
            return Ok(Statement::Query);
        }
        Ok(match self.sql(text).await? {
            SqlOutput::Done(sentence) => Statement::Done(sentence),
            SqlOutput::Rows(rows) => Statement::Rows(rows),
        })
    }

    /// The columns of a relation.
    pub(crate) async fn schema(&self, relation: &proto::Relation) -> Result<SchemaRef> {
        Ok(match self {
            Self::Here(session) => session.schema(relation).await?,
            Self::There(cluster) => cluster.schema(relation).await?,
        })
    }

    /// Whether a relation reads a stream.
    pub(crate) async fn is_streaming(&self, relation: &proto::Relation) -> Result<bool> {
        Ok(match self {
            Self::Here(session) => session.is_streaming(relation).await?,
            Self::There(cluster) => cluster.is_streaming(relation).await?,
        })
    }

    /// The first rows of a relation, as `show()` prints them.
    pub(crate) async fn show(&self, relation: &proto::Relation, form: ShowForm) -> Result<String> {
        Ok(match self {
            Self::Here(session) => {
                let all = session.collect(relation).await?;
                show(&all.schema, &all.batches, form)
            }
            Self::There(cluster) => cluster.show(relation, form).await?,
        })
    }

    /// The rows of a relation; a cluster is asked for no more than `limit` of them.
    pub(crate) async fn rows(&self, of: &proto::Relation, limit: Option<u64>) -> Result<Rows> {
        match (self, limit.and_then(|limit| i32::try_from(limit).ok())) {
            (Self::There(cluster), Some(limit)) => Ok(cluster.first_rows(of, limit).await?),
            _ => self.collect(of).await,
        }
    }

    /// How a relation is run, as text.
    pub(crate) async fn explain(&self, relation: &proto::Relation) -> Result<String> {
        Ok(match self {
            Self::Here(session) => session.explain(relation).await?,
            Self::There(cluster) => cluster.explain(relation).await?,
        })
    }

    /// Runs a command that has no answer.
    pub(crate) async fn execute(&self, command: &proto::Command) -> Result<()> {
        match (self, &command.command_type) {
            (Self::Here(session), _) => {
                session.execute(command).await?;
            }
            (Self::There(cluster), Some(command)) => cluster.execute(command.clone()).await?,
            (Self::There(_), None) => return Err(CellError::internal("an empty command was sent")),
        }
        Ok(())
    }

    /// A setting of the session.
    pub(crate) async fn conf(&self, key: &str) -> Result<Option<String>> {
        Ok(match self {
            Self::Here(session) => session.conf(key),
            Self::There(cluster) => cluster.conf(key).await?,
        })
    }

    /// Changes a setting of the session.
    pub(crate) async fn set_conf(&self, key: &str, value: &str) -> Result<()> {
        match self {
            Self::Here(session) => session.set_conf(key, value)?,
            Self::There(cluster) => cluster.set_conf(key, value).await?,
        }
        Ok(())
    }

    /// The query of a name, an id or the id of a run, running or ended.
    pub(crate) async fn find_by_any(&self, name: &str) -> Result<Query> {
        match self {
            Self::Here(session) => Ok(session.streams().find(name)?.into()),
            Self::There(cluster) => {
                let is_it = |query: &tidebook_remote::Query| query.run_id().to_string() == name;
                match cluster.known_queries().into_iter().find(is_it) {
                    Some(query) => Ok(Query::There(query)),
                    None => self.find(name).await,
                }
            }
        }
    }

    /// Waits until any query has ended; whether one did in time. Fails if it failed.
    pub(crate) async fn await_any_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        Ok(match self {
            Self::Here(session) => session.streams().await_any_termination(timeout).await?,
            Self::There(cluster) => cluster.await_any_termination(timeout).await?,
        })
    }

    /// Forgets the queries that have ended, for [`Self::await_any_termination`].
    pub(crate) async fn reset_terminated(&self) -> Result<()> {
        match self {
            Self::Here(session) => session.streams().reset_terminated(),
            Self::There(cluster) => cluster.reset_terminated().await?,
        }
        Ok(())
    }
}
