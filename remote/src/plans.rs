//! What is asked about a plan at a server without running it, and commands that have no rows.

use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use tidebook_engine::connect::proto::analyze_plan_request::explain::ExplainMode;
use tidebook_engine::connect::proto::analyze_plan_request::{
    Analyze, Explain, IsStreaming, Schema as AskedSchema,
};
use tidebook_engine::connect::proto::analyze_plan_response::Result as Analyzed;
use tidebook_engine::connect::proto::command::CommandType;
use tidebook_engine::connect::proto::data_type::Kind as TypeKind;
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::streaming_query_manager_command::{
    AwaitAnyTerminationCommand, Command as ManagerAsked,
};
use tidebook_engine::connect::proto::streaming_query_manager_command_result::ResultType as ManagerAnswer;
use tidebook_engine::connect::proto::{self, Relation};
use tidebook_engine::connect::type_of;
use tidebook_engine::{Rows, ShowForm, format_value};

use crate::cluster::{Cluster, relation};
use crate::error::{Error, Result};

impl Cluster {
    /// The columns of a relation.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn schema(&self, relation: &Relation) -> Result<SchemaRef> {
        let asked = Analyze::Schema(AskedSchema {
            plan: Some(plan(relation)),
        });
        let columns = match self.client().analyze(asked).await? {
            Analyzed::Schema(schema) => schema.schema.and_then(|schema| schema.kind),
            _ => None,
        };
        let Some(TypeKind::Struct(columns)) = columns else {
            return Err(Error::no_answer("a relation has no columns"));
        };
        let fields = columns.fields.iter().map(|column| {
            let data_type = match &column.data_type {
                Some(data_type) => type_of(data_type).map_err(Error::no_answer)?,
                None => DataType::Null,
            };
            Ok(Field::new(&column.name, data_type, column.nullable))
        });
        Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<_>>>()?)))
    }

    /// Registers a view; gives its number of columns, and whether it is a stream.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn create_view(
        &self,
        view: proto::CreateDataFrameViewCommand,
    ) -> Result<(usize, bool)> {
        let named = named_table(&view.name);
        self.command(CommandType::CreateDataframeView(view)).await?;
        let columns = self.schema(&named).await?.fields().len();
        Ok((columns, self.is_streaming(&named).await?))
    }

    /// Whether a relation reads a stream.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn is_streaming(&self, relation: &Relation) -> Result<bool> {
        let asked = Analyze::IsStreaming(IsStreaming {
            plan: Some(plan(relation)),
        });
        let answer = self.client().analyze(asked).await?;
        Ok(matches!(answer, Analyzed::IsStreaming(answer) if answer.is_streaming))
    }

    /// How the server would run a relation, as text.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn explain(&self, relation: &Relation) -> Result<String> {
        let asked = Analyze::Explain(Explain {
            plan: Some(plan(relation)),
            explain_mode: ExplainMode::Simple.into(),
        });
        match self.client().analyze(asked).await? {
            Analyzed::Explain(explained) => Ok(explained.explain_string),
            _ => Err(Error::no_answer("a plan is not explained")),
        }
    }

    /// The first rows of a relation as `show()` prints them; only the text travels.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn show(&self, of: &Relation, form: ShowForm) -> Result<String> {
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let shown = relation(RelType::ShowString(Box::new(proto::ShowString {
            input: Some(Box::new(of.clone())),
            num_rows: count(form.rows),
            truncate: count(form.truncate),
            vertical: form.vertical,
        })));
        let rows = self.collect(&shown).await?;
        let text = rows
            .batches
            .iter()
            .find(|batch| batch.num_rows() > 0)
            .and_then(|batch| {
                batch
                    .columns()
                    .first()
                    .map(|column| format_value(column, 0))
            });
        text.ok_or_else(|| Error::no_answer("a frame is not shown"))
    }

    /// The first rows of a relation.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn first_rows(&self, of: &Relation, limit: i32) -> Result<Rows> {
        let limited = relation(RelType::Limit(Box::new(proto::Limit {
            input: Some(Box::new(of.clone())),
            limit,
        })));
        self.collect(&limited).await
    }

    /// Runs a command that has no rows.
    ///
    /// # Errors
    /// What the server says of it.
    pub async fn execute(&self, command: CommandType) -> Result<()> {
        self.command(command).await.map(|_| ())
    }

    /// A setting of the session; none if it has no value.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn conf(&self, key: &str) -> Result<Option<String>> {
        self.client().get(key).await
    }

    /// Waits until any query of the session has ended; whether one did in time.
    ///
    /// # Errors
    /// If it failed.
    pub async fn await_any_termination(&self, timeout: Option<Duration>) -> Result<bool> {
        let timeout_ms =
            timeout.map(|timeout| i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
        let asked = ManagerAsked::AwaitAnyTermination(AwaitAnyTerminationCommand { timeout_ms });
        Ok(match self.ask_manager(asked).await? {
            Some(ManagerAnswer::AwaitAnyTermination(answer)) => answer.terminated,
            _ => true,
        })
    }

    /// Forgets the queries that have ended, for [`Self::await_any_termination`].
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn reset_terminated(&self) -> Result<()> {
        let asked = ManagerAsked::ResetTerminated(true);
        self.ask_manager(asked).await.map(|_| ())
    }
}

fn plan(relation: &Relation) -> proto::Plan {
    proto::Plan {
        op_type: Some(OpType::Root(relation.clone())),
    }
}

fn named_table(name: &str) -> Relation {
    relation(RelType::Read(proto::Read {
        is_streaming: false,
        read_type: Some(proto::read::ReadType::NamedTable(proto::read::NamedTable {
            unparsed_identifier: name.to_string(),
            ..Default::default()
        })),
    }))
}
