//! Errors as a client's exceptions: their class, condition and sentence.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use tidebook_engine::connect::proto::fetch_error_details_response::{
    Error as Detail, SparkThrowable,
};
use tidebook_engine::{Error, ErrorKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

use crate::wording::PySpark;

/// So many errors of a session can be asked about.
const KEPT: usize = 100;

/// The errors of one session, by the ids that its client has seen.
#[derive(Default)]
pub(crate) struct Errors(Mutex<VecDeque<(String, Error)>>);

impl Errors {
    /// The status that tells a client of an error, which it can then ask about.
    pub(crate) fn status(&self, error: &Error) -> Status {
        let id = Uuid::new_v4().to_string();
        let mut kept = self.0.lock();
        kept.push_back((id.clone(), error.clone()));
        while kept.len() > KEPT {
            kept.pop_front();
        }
        status(error, Some(id))
    }

    /// What there is to say about an error, its cause last.
    pub(crate) fn details(&self, id: &str) -> Vec<Detail> {
        let kept = self.0.lock();
        let found = kept.iter().find(|(kept, _)| kept == id);
        found
            .map(|(_, error)| vec![detail(error)])
            .unwrap_or_default()
    }
}

/// An error about a request itself, of no session.
pub(crate) fn refused(condition: &str, message: &str) -> Status {
    let error = Error::illegal_argument(message).with_condition(condition);
    status(&error, None)
}

fn status(error: &Error, id: Option<String>) -> Status {
    let classes: Vec<String> = classes(error).iter().map(ToString::to_string).collect();
    let class = classes.first().cloned().unwrap_or_default();
    let mut metadata = HashMap::new();
    let list = serde_json::to_string(&classes).unwrap_or_default();
    metadata.insert("classes".to_string(), list);
    if let Some(id) = id {
        metadata.insert("errorId".to_string(), id);
    }
    if let Some(condition) = error.condition() {
        metadata.insert("errorClass".to_string(), condition.to_string());
        let parameters: HashMap<_, _> = error.parameters().iter().cloned().collect();
        let parameters = serde_json::to_string(&parameters).unwrap_or_default();
        metadata.insert("messageParameters".to_string(), parameters);
    }
    if let Some(state) = error.sql_state() {
        metadata.insert("sqlState".to_string(), state.to_string());
    }
    let details = ErrorDetails::with_error_info(class, "org.apache.spark", metadata);
    let code = match error.is_cancelled() {
        true => Code::Cancelled,
        false => Code::Internal,
    };
    Status::with_error_details(code, sentence(error), details)
}

fn detail(error: &Error) -> Detail {
    let classes = classes(error).iter().map(ToString::to_string);
    let parameters = error.parameters().iter();
    let parameters = parameters.map(|(name, value)| ((*name).to_string(), value.clone()));
    let throwable = error.condition().map(|condition| SparkThrowable {
        error_class: Some(condition.to_string()),
        message_parameters: parameters.collect(),
        sql_state: error.sql_state().map(str::to_string),
        ..Default::default()
    });
    Detail {
        error_type_hierarchy: classes.collect(),
        message: sentence(error),
        spark_throwable: throwable,
        ..Default::default()
    }
}

/// The error in a sentence, with what there is to do in the client's words.
pub(crate) fn sentence(error: &Error) -> String {
    let mut text = match error.condition() {
        Some(condition) => format!("[{condition}] {}", error.message()),
        None => error.message().to_string(),
    };
    if let Some(hint) = error.advice() {
        text.push_str("\nhint: ");
        text.push_str(&hint.worded(&PySpark));
    }
    text
}

/// The exception's class and those above it, as far as clients look.
fn classes(error: &Error) -> &'static [&'static str] {
    let condition = error.condition().unwrap_or_default();
    match error.kind() {
        ErrorKind::Analysis => &["org.apache.spark.sql.AnalysisException"],
        ErrorKind::Parse => &[
            "org.apache.spark.sql.catalyst.parser.ParseException",
            "org.apache.spark.sql.AnalysisException",
        ],
        ErrorKind::IllegalArgument => &["java.lang.IllegalArgumentException"],
        ErrorKind::StreamingQuery => &["org.apache.spark.sql.streaming.StreamingQueryException"],
        ErrorKind::Runtime if condition.starts_with("DIVIDE_BY_ZERO") => &[
            "org.apache.spark.SparkArithmeticException",
            "java.lang.ArithmeticException",
        ],
        ErrorKind::Runtime if condition.contains("OVERFLOW") => &[
            "org.apache.spark.SparkArithmeticException",
            "java.lang.ArithmeticException",
        ],
        ErrorKind::Runtime if condition == "CAST_INVALID_INPUT" => &[
            "org.apache.spark.SparkNumberFormatException",
            "java.lang.NumberFormatException",
        ],
        ErrorKind::Runtime if condition.starts_with("CANNOT_PARSE_TIMESTAMP") => &[
            "org.apache.spark.SparkDateTimeException",
            "java.time.DateTimeException",
        ],
        ErrorKind::Runtime if condition.starts_with("INVALID_ARRAY_INDEX") => &[
            "org.apache.spark.SparkArrayIndexOutOfBoundsException",
            "java.lang.ArrayIndexOutOfBoundsException",
        ],
        ErrorKind::Runtime => &["org.apache.spark.SparkRuntimeException"],
        ErrorKind::Io => &["org.apache.spark.SparkException", "java.io.IOException"],
        ErrorKind::Internal => &["org.apache.spark.SparkException"],
    }
}
