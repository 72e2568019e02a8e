//! `df.write`: the rows of a batch query to files.

use super::Session;
use crate::connect::proto::WriteOperation;
use crate::error::{Error, Result};

/// Runs a query and writes its rows.
pub(super) async fn write(_session: &Session, _write: &WriteOperation) -> Result<()> {
    Err(Error::analysis("batch writes are under way"))
}
