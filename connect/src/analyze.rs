//! Questions about a plan that run nothing: its schema, its explanation, whether it is a stream.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use prost::Message as _;
use tidebook_engine::connect::proto::analyze_plan_request::Analyze;
use tidebook_engine::connect::proto::analyze_plan_response as answers;
use tidebook_engine::connect::proto::analyze_plan_response::Result as Answer;
use tidebook_engine::connect::proto::plan::OpType;
use tidebook_engine::connect::proto::{DataType, Plan, Relation, StorageLevel};
use tidebook_engine::{Error, Result, parse_schema_of_columns, parse_type, sql_type};

use crate::schema::{of_schema, of_type, tree_string};
use crate::sessions::Client;
use crate::shown::{planned, shown};

/// The version of Spark whose semantics this is.
const SPARK_VERSION: &str = "4.3.0";

/// Answers one question.
pub(crate) async fn answer(client: &Client, question: &Analyze) -> Result<Answer> {
    let session = &client.session;
    Ok(match question {
        Analyze::Schema(asked) => {
            let relation = relation(asked.plan.as_ref())?;
            let schema = match shown(client, relation) {
                Some(shown) => shown.await?.schema,
                None => session.schema(planned(relation)).await?,
            };
            let schema = Some(of_schema(&schema));
            Answer::Schema(answers::Schema { schema })
        }
        Analyze::Explain(asked) => {
            let explain_string = session.explain(relation(asked.plan.as_ref())?).await?;
            Answer::Explain(answers::Explain { explain_string })
        }
        Analyze::TreeString(asked) => {
            let schema = session.schema(relation(asked.plan.as_ref())?).await?;
            let tree_string = tree_string(&schema, asked.level);
            Answer::TreeString(answers::TreeString { tree_string })
        }
        Analyze::IsLocal(_) => Answer::IsLocal(answers::IsLocal { is_local: false }),
        Analyze::IsStreaming(asked) => {
            let is_streaming = session.is_streaming(relation(asked.plan.as_ref())?).await?;
            Answer::IsStreaming(answers::IsStreaming { is_streaming })
        }
        Analyze::InputFiles(_) => {
            return Err(
                Error::analysis("inputFiles is not supported in this version")
                    .with_condition("UNSUPPORTED_FEATURE"),
            );
        }
        Analyze::SparkVersion(_) => Answer::SparkVersion(answers::SparkVersion {
            version: SPARK_VERSION.to_string(),
        }),
        Analyze::DdlParse(asked) => {
            let parsed = Some(parsed(&asked.ddl_string)?);
            Answer::DdlParse(answers::DdlParse { parsed })
        }
        Analyze::JsonToDdl(asked) => {
            let schema = parse_schema_of_columns(&asked.json_string)?;
            let fields = schema.fields().iter();
            let fields = fields.map(|field| {
                let not_null = if field.is_nullable() { "" } else { " NOT NULL" };
                format!("{} {}{not_null}", field.name(), sql_type(field.data_type()))
            });
            let ddl_string = fields.collect::<Vec<_>>().join(",");
            Answer::JsonToDdl(answers::JsonToDdl { ddl_string })
        }
        Analyze::SameSemantics(asked) => {
            let target = hash(relation(asked.target_plan.as_ref())?);
            let result = target == hash(relation(asked.other_plan.as_ref())?);
            Answer::SameSemantics(answers::SameSemantics { result })
        }
        Analyze::SemanticHash(asked) => {
            let result = hash(relation(asked.plan.as_ref())?);
            Answer::SemanticHash(answers::SemanticHash { result })
        }
        // Rows are computed when they are asked for; nothing is kept and nothing depends on it.
        Analyze::Persist(_) => Answer::Persist(answers::Persist {}),
        Analyze::Unpersist(_) => Answer::Unpersist(answers::Unpersist {}),
        Analyze::GetStorageLevel(_) => Answer::GetStorageLevel(answers::GetStorageLevel {
            storage_level: Some(StorageLevel {
                replication: 1,
                ..Default::default()
            }),
        }),
    })
}

/// One type, or a list of columns.
fn parsed(text: &str) -> Result<DataType> {
    parse_type(text)
        .map(|data_type| of_type(&data_type))
        .or_else(|_| Ok(of_schema(parse_schema_of_columns(text)?.as_ref())))
}

fn relation(plan: Option<&Plan>) -> Result<&Relation> {
    match plan.and_then(|plan| plan.op_type.as_ref()) {
        Some(OpType::Root(relation)) => Ok(relation),
        _ => Err(Error::illegal_argument("the request has no relation")),
    }
}

/// The same for plans that a client built in the same way, whatever numbers it gave their parts.
fn hash(relation: &Relation) -> i32 {
    let mut relation = relation.clone();
    relation.common = None;
    let mut hasher = DefaultHasher::new();
    relation.encode_to_vec().hash(&mut hasher);
    let [a, b, c, d, ..] = hasher.finish().to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}
