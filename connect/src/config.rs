//! `spark.conf`: the engine's settings, and those that only a client looks at.

use tidebook_engine::connect::proto::config_request::Operation;
use tidebook_engine::connect::proto::config_request::operation::OpType;
use tidebook_engine::connect::proto::{ConfigResponse, KeyValue};
use tidebook_engine::{Error, Result};

use crate::sessions::Client;

/// What clients ask about and only they use, with Spark's defaults. Rows that a client has are sent
/// with its plan, up to the size of a message.
const OF_CLIENTS: &[(&str, &str)] = &[
    ("spark.sql.execution.arrow.pyspark.enabled", "true"),
    (
        "spark.sql.execution.arrow.pyspark.selfDestruct.enabled",
        "false",
    ),
    ("spark.sql.execution.arrow.useLargeVarTypes", "false"),
    (
        "spark.sql.execution.pandas.convertToArrowArraySafely",
        "false",
    ),
    ("spark.sql.execution.pandas.inferPandasDictAsMap", "false"),
    ("spark.sql.execution.pandas.structHandlingMode", "legacy"),
    ("spark.sql.execution.pyspark.binaryAsBytes", "true"),
    ("spark.sql.execution.pythonUDF.arrow.enabled", "false"),
    ("spark.sql.execution.pythonUDTF.arrow.enabled", "false"),
    ("spark.sql.pyspark.inferNestedDictAsStruct.enabled", "false"),
    ("spark.sql.pyspark.jvmStacktrace.enabled", "false"),
    ("spark.sql.connect.serverStacktrace.enabled", "false"),
    (
        "spark.sql.pyspark.legacy.inferArrayTypeFromFirstElement.enabled",
        "false",
    ),
    (
        "spark.sql.pyspark.legacy.inferMapTypeFromFirstPair.enabled",
        "false",
    ),
    ("spark.sql.repl.eagerEval.enabled", "false"),
    ("spark.sql.repl.eagerEval.maxNumRows", "20"),
    ("spark.sql.repl.eagerEval.truncate", "20"),
    ("spark.sql.session.localRelationCacheThreshold", "134217728"),
    ("spark.sql.session.localRelationSizeLimit", "134217728"),
    ("spark.sql.session.localRelationChunkSizeRows", "10000"),
    ("spark.sql.session.localRelationChunkSizeBytes", "16777216"),
    (
        "spark.sql.session.localRelationBatchOfChunksSizeBytes",
        "134217728",
    ),
    ("spark.sql.timestampType", "TIMESTAMP_LTZ"),
    ("spark.sql.caseSensitive", "false"),
    ("spark.sql.artifact.isolation.enabled", "false"),
    (
        "spark.sql.artifact.isolation.alwaysApplyClassloader",
        "false",
    ),
    ("spark.connect.session.planCompression.threshold", "-1"),
    (
        "spark.connect.session.planCompression.defaultAlgorithm",
        "NONE",
    ),
];

/// Answers one request.
pub(crate) fn answer(client: &Client, operation: Option<Operation>) -> Result<ConfigResponse> {
    let asked = operation.and_then(|operation| operation.op_type);
    let asked = asked.ok_or_else(|| Error::illegal_argument("the request asks for nothing"))?;
    let mut response = ConfigResponse {
        session_id: client.id.clone(),
        server_side_session_id: client.server_side_id.clone(),
        ..Default::default()
    };
    match asked {
        OpType::Set(set) => {
            let is_silent = set.silent();
            for pair in set.pairs {
                let value = pair.value.unwrap_or_default();
                match (put(client, &pair.key, &value), is_silent) {
                    (Err(error), true) => response.warnings.push(error.to_string()),
                    (result, _) => result?,
                }
            }
        }
        OpType::Get(get) => {
            for key in get.keys {
                let value = value(client, &key).ok_or_else(|| absent(&key))?;
                response.pairs.push(pair(key, Some(value)));
            }
        }
        OpType::GetWithDefault(get) => {
            for asked in get.pairs {
                let value = value(client, &asked.key).or(asked.value);
                response.pairs.push(pair(asked.key, value));
            }
        }
        OpType::GetOption(get) => {
            for key in get.keys {
                let value = value(client, &key);
                response.pairs.push(pair(key, value));
            }
        }
        OpType::GetAll(get) => {
            let prefix = get.prefix();
            for (key, value) in all(client) {
                if let Some(rest) = key.strip_prefix(prefix) {
                    response.pairs.push(pair(rest.to_string(), Some(value)));
                }
            }
        }
        OpType::Unset(unset) => {
            for key in unset.keys {
                if client.settings.lock().remove(&key).is_none() {
                    client.session.unset_conf(&key);
                }
            }
        }
        OpType::IsModifiable(asked) => {
            for key in asked.keys {
                let known = client.session.conf(&key).is_some();
                response.pairs.push(pair(key, Some(known.to_string())));
            }
        }
    }
    Ok(response)
}

fn pair(key: String, value: Option<String>) -> KeyValue {
    KeyValue { key, value }
}

fn absent(key: &str) -> Error {
    Error::illegal_argument(format!("there is no setting '{key}'"))
        .with_condition("SQL_CONF_NOT_FOUND")
}

/// Settings of Spark's SQL are the engine's to judge; others are kept for the client.
fn put(client: &Client, key: &str, value: &str) -> Result<()> {
    let is_of_client = OF_CLIENTS.iter().any(|(name, _)| *name == key);
    if !is_of_client && (key.starts_with("spark.sql.") || client.session.conf(key).is_some()) {
        return client.session.set_conf(key, value);
    }
    let mut settings = client.settings.lock();
    settings.insert(key.to_string(), value.to_string());
    Ok(())
}

fn value(client: &Client, key: &str) -> Option<String> {
    let kept = client.settings.lock().get(key).cloned();
    let default = || OF_CLIENTS.iter().find(|(name, _)| *name == key);
    kept.or_else(|| client.session.conf(key))
        .or_else(|| default().map(|(_, value)| (*value).to_string()))
}

fn all(client: &Client) -> Vec<(String, String)> {
    let mut all = client.session.all_conf();
    all.extend(
        OF_CLIENTS
            .iter()
            .map(|(key, value)| ((*key).to_string(), (*value).to_string())),
    );
    let kept = client.settings.lock();
    all.retain(|(key, _)| !kept.contains_key(key));
    all.extend(kept.iter().map(|(key, value)| (key.clone(), value.clone())));
    all.sort();
    all
}
