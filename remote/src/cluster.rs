//! A session at a server: SQL, views, rows, streaming queries.

use std::sync::Arc;

use parking_lot::Mutex;
use tidebook_engine::Rows;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::execute_plan_response::ResponseType;
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::streaming_query_manager_command::Command as ManagerAsked;
use tidebook_engine::connect::proto::streaming_query_manager_command_result::ResultType as ManagerAnswer;
use tidebook_engine::connect::proto::{Command, Relation};
use uuid::Uuid;

use crate::address::Address;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::query::Query;
use crate::rows::decode;

/// What a statement of SQL gave.
#[derive(Debug)]
pub enum Output {
    /// Its rows.
    Rows(Rows),
    /// It was done, and there are no rows.
    Done,
}

/// A session at a server. Cheap to clone; all clones are the same session.
#[derive(Clone)]
pub struct Cluster(Arc<Shared>);

struct Shared {
    client: Client,
    version: String,
    /// The queries that were started or found, in that order.
    queries: Mutex<Vec<Query>>,
}

impl Cluster {
    /// Connects; the session is the one that the address names, or a new one.
    ///
    /// # Errors
    /// If the server is not there or does not let this client in.
    pub async fn connect(address: &Address, session_id: Option<Uuid>) -> Result<Self> {
        let session_id = address.session_id().or(session_id);
        let client = Client::new(address, session_id.unwrap_or_else(Uuid::new_v4))?;
        let version = client.version().await?;
        Ok(Self(Arc::new(Shared {
            client,
            version,
            queries: Mutex::default(),
        })))
    }

    /// Whether the server is there and still knows the session.
    ///
    /// # Errors
    /// If not.
    pub async fn check(&self) -> Result<()> {
        self.0.client.version().await.map(|_| ())
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        self.0.client.address()
    }

    /// The id by which another client finds the same session.
    pub fn session_id(&self) -> &str {
        self.0.client.session_id()
    }

    /// The version of Spark there.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// Changes a setting of the session.
    ///
    /// # Errors
    /// If there is no such setting or value.
    pub async fn set_conf(&self, key: &str, value: &str) -> Result<()> {
        self.0.client.set(key, value).await
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn sql(&self, text: &str) -> Result<Output> {
        let command = CommandType::SqlCommand(proto::SqlCommand {
            input: Some(relation(RelType::Sql(proto::Sql {
                query: text.to_string(),
                ..Default::default()
            }))),
            ..Default::default()
        });
        let answers = self.command(command).await?;
        let result = answers.into_iter().find_map(|answer| match answer {
            ResponseType::SqlCommandResult(result) => result.relation,
            _ => None,
        });
        let result = result.ok_or_else(|| Error::no_answer("a statement has no result"))?;
        let rows = match &result.rel_type {
            // What it gave is here already.
            Some(RelType::LocalRelation(proto::LocalRelation {
                data: Some(data), ..
            })) => decode([data.as_ref()])?,
            _ => Some(self.collect(&result).await?),
        };
        Ok(match rows {
            Some(rows) if !rows.schema.fields().is_empty() => Output::Rows(rows),
            _ => Output::Done,
        })
    }

    /// The rows of a relation.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn collect(&self, relation: &Relation) -> Result<Rows> {
        let answers = self
            .0
            .client
            .execute(OpType::Root(relation.clone()))
            .await?;
        let batches = answers.iter().filter_map(|answer| match answer {
            ResponseType::ArrowBatch(batch) => Some(batch.data.as_ref()),
            _ => None,
        });
        let rows = decode(batches)?;
        rows.ok_or_else(|| Error::no_answer("a query has no rows and no columns"))
    }

    /// Starts a streaming query.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn start(&self, start: proto::WriteStreamOperationStart) -> Result<Query> {
        let command = CommandType::WriteStreamOperationStart(start.clone());
        let started = self.command(command).await?;
        let started = started.into_iter().find_map(|answer| match answer {
            ResponseType::WriteStreamOperationStartResult(started) => Some(started),
            _ => None,
        });
        let started = started.ok_or_else(|| Error::no_answer("a query has no id"))?;
        let id = started.query_id.unwrap_or_default();
        let query = Query::of(&self.0.client, &id, Some(started.name), Some(&start)).await?;
        self.0.queries.lock().push(query.clone());
        Ok(query)
    }

    /// The queries that this client knows of, as they were seen last.
    pub fn known_queries(&self) -> Vec<Query> {
        self.0.queries.lock().clone()
    }

    /// The queries of the session: those that were started or found here, and those that run there
    /// whoever started them.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn queries(&self) -> Result<Vec<Query>> {
        let running = match self.ask_manager(ManagerAsked::Active(true)).await? {
            Some(ManagerAnswer::Active(running)) => running.active_queries,
            _ => Vec::new(),
        };
        for instance in running {
            let Some(id) = instance.id else { continue };
            let is_same = |query: &Query| query.run_id().to_string() == id.run_id;
            if self.known_queries().iter().any(is_same) {
                continue;
            }
            let query = Query::of(&self.0.client, &id, instance.name, None).await?;
            let mut known = self.0.queries.lock();
            if !known.iter().any(is_same) {
                known.push(query);
            }
        }
        Ok(self.known_queries())
    }

    /// What the session's manager of queries answers.
    pub(crate) async fn ask_manager(&self, asked: ManagerAsked) -> Result<Option<ManagerAnswer>> {
        let command = proto::StreamingQueryManagerCommand {
            command: Some(asked),
        };
        let answers = self.command(CommandType::StreamingQueryManagerCommand(command));
        Ok(answers.await?.into_iter().find_map(|answer| match answer {
            ResponseType::StreamingQueryManagerCommandResult(result) => result.result_type,
            _ => None,
        }))
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    /// All that comes of a command.
    pub(crate) async fn command(&self, command: CommandType) -> Result<Vec<ResponseType>> {
        let command = Command {
            command_type: Some(command),
        };
        self.0.client.execute(OpType::Command(command)).await
    }
}

/// A relation without an id.
pub(crate) fn relation(rel_type: RelType) -> Relation {
    Relation {
        common: None,
        rel_type: Some(rel_type),
    }
}
