//! `state/<operator>/_metadata/metadata`: which stores a stateful operator has.
//!
//! ```text
//! v1
//! {"operatorInfo":{"operatorId":0,"operatorName":"dedupe"},"stateStoreInfo":[{"storeName":"default","numColsPrefixKey":0,"numPartitions":1}]}
//! ```

use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::checkpointing::CheckpointFileManager;
use crate::error::{Error, ErrorKind, Result};

/// The folder of a checkpoint that holds the state, one folder per operator in it.
pub const STATE_DIR: &str = "state";

/// The store whose files are directly in the partition's folder.
pub const DEFAULT_STORE: &str = "default";

const DIR: &str = "_metadata";
const FILE: &str = "metadata";
const VERSION: &str = "v1";

/// What is known of an operator's state without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorStateMetadata {
    /// The operator.
    pub operator_info: OperatorInfo,
    /// Its stores.
    pub state_store_info: Vec<StateStoreInfo>,
}

/// Which operator of the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorInfo {
    /// Its number in the query, which is the name of its folder.
    pub operator_id: i64,
    /// Spark's name for it.
    pub operator_name: String,
}

/// One store of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateStoreInfo {
    /// Its name; but for [`DEFAULT_STORE`], that of its folder.
    pub store_name: String,
    /// How many of the key's columns many rows share; 0 where a key has one row.
    pub num_cols_prefix_key: i32,
    /// How many partitions it has.
    pub num_partitions: i32,
}

impl OperatorStateMetadata {
    /// What the checkpoint in the directory of `checkpoint` says of operator `operator_id`, if anything.
    pub fn read(checkpoint: &CheckpointFileManager, operator_id: i64) -> Result<Option<Self>> {
        let files = files(checkpoint, operator_id);
        let Some(text) = files.read(FILE)? else {
            return Ok(None);
        };
        let malformed = |why: String| {
            let path = files.root().join(FILE);
            let message = format!("'{path}' is malformed: {why}");
            Error::new(ErrorKind::StreamingQuery, message)
                .with_condition("MALFORMED_LOG_FILE")
                .with_hint("delete the file: the next start of the query writes it anew")
        };
        match text.trim_end().split_once('\n') {
            Some((VERSION, json)) => {
                let read = serde_json::from_str(json).map_err(|error| malformed(error.to_string()));
                read.map(Some)
            }
            _ => Err(malformed(format!("its first line is not '{VERSION}'"))),
        }
    }

    /// Writes it, unless the same stands there already.
    pub fn write(&self, checkpoint: &CheckpointFileManager) -> Result<()> {
        let operator_id = self.operator_info.operator_id;
        if Self::read(checkpoint, operator_id).is_ok_and(|old| old.as_ref() == Some(self)) {
            return Ok(());
        }
        let json =
            serde_json::to_string(self).map_err(|error| Error::internal(error.to_string()))?;
        let text = format!("{VERSION}\n{json}");
        let content = |file: &mut dyn Write| file.write_all(text.as_bytes());
        files(checkpoint, operator_id).replace(FILE, &content)
    }

    /// Those of all operators, by id.
    pub fn read_all(checkpoint: &CheckpointFileManager) -> Result<Vec<Self>> {
        let ids = checkpoint.subdirectory(STATE_DIR).list_ids()?;
        let read = ids.into_iter().map(|id| Self::read(checkpoint, id));
        read.filter_map(Result::transpose).collect()
    }
}

fn files(checkpoint: &CheckpointFileManager, operator_id: i64) -> CheckpointFileManager {
    let state = checkpoint.subdirectory(STATE_DIR);
    state
        .subdirectory(&operator_id.to_string())
        .subdirectory(DIR)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_written_as_spark_writes_it_and_a_broken_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let checkpoint = CheckpointFileManager::new(dir.path(), false);
        let metadata = OperatorStateMetadata {
            operator_info: OperatorInfo {
                operator_id: 1,
                operator_name: "dedupe".into(),
            },
            state_store_info: vec![StateStoreInfo {
                store_name: DEFAULT_STORE.into(),
                num_cols_prefix_key: 0,
                num_partitions: 1,
            }],
        };
        metadata.write(&checkpoint).unwrap();
        let path = dir.path().join("state/1/_metadata/metadata");
        let text = "v1\n{\"operatorInfo\":{\"operatorId\":1,\"operatorName\":\"dedupe\"},\
            \"stateStoreInfo\":[{\"storeName\":\"default\",\"numColsPrefixKey\":0,\"numPartitions\":1}]}";
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(OperatorStateMetadata::read(&checkpoint, 0).unwrap(), None);
        let all = OperatorStateMetadata::read_all(&checkpoint).unwrap();
        assert_eq!(all, std::slice::from_ref(&metadata));

        fs::write(&path, "v9\n{}").unwrap();
        let error = OperatorStateMetadata::read(&checkpoint, 1).unwrap_err();
        assert_eq!(error.condition(), Some("MALFORMED_LOG_FILE"));
        metadata.write(&checkpoint).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
