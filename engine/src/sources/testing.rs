//! What tests of sources share.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;

use super::{SourceContext, SourceDefinition, SourceFormat, StreamRequest};
use crate::cancellation::Cancellation;
use crate::clock::ManualClock;
use crate::error::Result;
use crate::options::OptionMap;

/// The answer of a source that has nothing to wait for.
pub(super) fn now<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("the source waits")
}

/// A stream of this format with these options.
pub(super) fn defined(
    format: &SourceFormat,
    options: &[(&str, &str)],
) -> Result<Arc<dyn SourceDefinition>> {
    let options = options
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let define = format.stream.expect("a stream");
    define(StreamRequest {
        format: format.name,
        schema: None,
        options: options.collect(),
        defaults: OptionMap::new(),
        stores: Arc::default(),
    })
}

/// What a source is made with that keeps no files.
pub(super) fn context() -> SourceContext {
    SourceContext {
        metadata_path: PathBuf::from("/nowhere").into(),
        durable: false,
        batches_to_retain: 100,
        clock: Arc::new(ManualClock::new(0)),
        cancellation: Cancellation::new(),
    }
}
