//! Rows as a server sends them: Arrow IPC.

use std::io::Cursor;

use arrow::ipc::reader::StreamReader;
use tidebook_engine::Rows;

use crate::error::{Error, Result};

/// The rows of several messages, each of them a whole stream.
pub(crate) fn decode<'a>(messages: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Rows>> {
    let mut rows: Option<Rows> = None;
    for message in messages {
        let reader = StreamReader::try_new(Cursor::new(message), None);
        let reader = reader.map_err(Error::no_answer)?;
        let all = rows.get_or_insert_with(|| Rows {
            schema: reader.schema(),
            batches: Vec::new(),
        });
        for batch in reader {
            let batch = batch.map_err(Error::no_answer)?;
            if batch.num_rows() > 0 {
                all.batches.push(batch);
            }
        }
    }
    Ok(rows)
}
