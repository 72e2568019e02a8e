//! Between the codec's texts and ours.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::StrBytes;

use crate::error::Failure;

/// A text for an answer.
pub(super) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

/// The name of a topic for an answer.
pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// Kafka's number for how something ended.
pub(super) fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}

/// Number and words for how something ended.
pub(super) fn outcome<T>(result: Result<T, Failure>) -> (i16, Option<StrBytes>) {
    match result {
        Ok(_) => (0, None),
        Err(failure) => (failure.code.code(), Some(text(failure.message))),
    }
}
