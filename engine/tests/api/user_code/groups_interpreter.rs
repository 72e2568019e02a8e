//! A function over groups that does what its rows say, as the recorder's does on Spark.

use serde_json::json;
use tidebook_engine::{BatchTimes, Cancellation, Error, Group, GroupResult, GroupsFunction};

/// As the recorder's interpreter of groups.
#[derive(Debug)]
pub(super) struct GroupsInterpreter {
    pub(super) timeout: String,
}

impl GroupsFunction for GroupsInterpreter {
    fn call(
        &self,
        groups: Vec<Group>,
        times: BatchTimes,
        _: &Cancellation,
    ) -> Result<Vec<GroupResult>, Error> {
        Ok(groups
            .into_iter()
            .map(|group| self.one(group, times))
            .collect())
    }
}

impl GroupsInterpreter {
    fn one(&self, group: Group, times: BatchTimes) -> GroupResult {
        let mut result = GroupResult {
            state: group.state,
            ..Default::default()
        };
        let mut said = Vec::new();
        if group.has_timed_out {
            let held = result.state.take();
            let shown = held.as_deref().unwrap_or("none");
            said.push(format!("timed out with {shown}"));
            result.state = held
                .filter(|held| held.starts_with("keep"))
                .map(|_| "kept".into());
        }
        for row in &group.rows {
            for command in row["todo"].as_str().unwrap().split("; ") {
                let (what, rest) = command.split_once(' ').unwrap_or((command, ""));
                match what {
                    "s=" => result.state = Some(rest.into()),
                    "s-" => result.state = None,
                    "s?" => {
                        let shown = result.state.as_deref().unwrap_or("none");
                        said.push(format!("s? -> {shown}"));
                    }
                    "w?" => said.push(format!("w? -> {}", times.watermark_ms)),
                    "t+" => {
                        let time: i64 = rest.parse().unwrap();
                        let now = match self.timeout.as_str() {
                            "ProcessingTimeTimeout" => times.batch_timestamp_ms,
                            _ => 0,
                        };
                        result.timeout_ms = Some(now + time);
                    }
                    other => panic!("{other}"),
                }
            }
        }
        let row = |said| json!({"user": group.key[0], "said": said});
        result.rows = said.into_iter().map(row).collect();
        result
    }
}
