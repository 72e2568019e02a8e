//! `spark.sql`: a query is answered with the frame it is, anything else is done at once.

use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::execute_plan_response::SqlCommandResult;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::connect::proto::{Relation, SqlCommand};
use tidebook_engine::{Error, Result, Rows, SqlKind, SqlOutput};

use crate::rows::local_relation;
use crate::sessions::Client;

/// Runs a statement; what it gives can be read as a relation.
pub(crate) async fn run(client: &Client, command: SqlCommand) -> Result<SqlCommandResult> {
    let input = relation(command);
    let text = text(&input)
        .ok_or_else(|| Error::illegal_argument("the command has no SQL text"))?
        .to_string();
    let relation = match client.session.sql_kind(&text)? {
        SqlKind::Query => {
            // What cannot be planned is refused here, as Spark does, not when the rows are asked for.
            client.session.schema(&input).await?;
            input
        }
        SqlKind::Command => match client.session.sql(&text).await? {
            SqlOutput::Rows(rows) => local_relation(&rows)?,
            SqlOutput::Done(_) => local_relation(&Rows {
                schema: std::sync::Arc::new(arrow::datatypes::Schema::empty()),
                batches: Vec::new(),
            })?,
        },
    };
    Ok(SqlCommandResult {
        relation: Some(relation),
    })
}

/// The statement as a relation; clients of Spark 3.4 and 3.5 give its parts.
#[allow(deprecated)]
fn relation(command: SqlCommand) -> Relation {
    if let Some(input) = command.input {
        return input;
    }
    Relation {
        common: None,
        rel_type: Some(RelType::Sql(proto::Sql {
            query: command.sql,
            args: command.args,
            pos_args: command.pos_args,
            named_arguments: command.named_arguments,
            pos_arguments: command.pos_arguments,
        })),
    }
}

fn text(relation: &Relation) -> Option<&str> {
    match relation.rel_type.as_ref()? {
        RelType::Sql(sql) => Some(&sql.query),
        RelType::WithRelations(with) => text(with.root.as_deref()?),
        _ => None,
    }
}
