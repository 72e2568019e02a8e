//! What there is to do about an error, in calls of PySpark.

use tidebook_engine::{Act, Wording};

/// Calls of PySpark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PySpark;

impl Wording for PySpark {
    fn words(&self, act: &Act) -> String {
        match act {
            Act::OutputMode(mode) => format!(".outputMode(\"{mode}\")"),
            Act::AddWatermark { column, on } => {
                format!("add .withWatermark(\"{column}\", \"10 minutes\") to {on}")
            }
            Act::Checkpoint => "checkpointLocation".to_string(),
            Act::SetCheckpoint => ".option(\"checkpointLocation\", DIR)".to_string(),
            Act::Option { name, value } => format!(".option({name:?}, {value:?})"),
            Act::OptionName(name) => name.clone(),
            Act::ProcessingTime(interval) => format!(".trigger(processingTime=\"{interval}\")"),
            Act::RealTime(duration) => format!(
                ".trigger(realTime=\"{}\")",
                duration.as_deref().unwrap_or("5 minutes")
            ),
            Act::Sink { format, target } => match target.as_str() {
                "TOPIC" => format!(".format(\"{format}\").option(\"topic\", TOPIC)"),
                _ => format!(".format(\"{format}\").start({target})"),
            },
            Act::Format(format) => format!(".format(\"{format}\")"),
            Act::SourcePath => ".load(DIR)".to_string(),
            Act::SourceSchema => {
                "give the columns: .schema(\"user STRING, ts TIMESTAMP\")".to_string()
            }
            Act::Stop { query } => format!("stop() the query '{query}'"),
            Act::DefineStream { format, .. } => match format {
                Some(format) => format!("spark.readStream.format(\"{format}\")"),
                None => "spark.readStream".to_string(),
            },
            Act::StartQuery => ".writeStream".to_string(),
            Act::RunBatch => "spark.read".to_string(),
            Act::Conf { key, value } => format!("spark.conf.set({key:?}, {value:?})"),
            Act::GiveFunction(method) => format!("start the query with .{method}(…)"),
            Act::CreateTopic(_) | Act::StartBroker | Act::ShowState => act.to_string(),
        }
    }
}
