//! Questions about the body of a Python cell, which Python answers: positions there are positions in
//! the cell, and back.

use serde_json::{Value, json};

use super::place::{self, Place};
use crate::magic::PYSPARK;

/// A position in the body of a Python cell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InPython {
    /// The body.
    body: String,
    /// The cursor in it, in code points.
    cursor: usize,
    /// Code points before it.
    before: usize,
}

/// The position in the Python of a cell; nothing elsewhere.
pub(crate) fn in_python(code: &str, cursor: usize) -> Option<InPython> {
    let offset = place::offset(code, cursor);
    let Place::Body { magic, body } = place::place(code, offset) else {
        return None;
    };
    let start = code.len() - body.len();
    if magic.spec().name != PYSPARK || offset < start {
        return None;
    }
    let before = place::cursor(code, start);
    Some(InPython {
        body: body.to_owned(),
        cursor: cursor - before,
        before,
    })
}

impl InPython {
    /// The content of the request to Python.
    pub(crate) fn request(&self, detail_level: u64) -> Value {
        json!({"code": self.body, "cursor_pos": self.cursor, "detail_level": detail_level})
    }

    /// Python's completion, as one of the cell.
    pub(crate) fn completed(&self, mut reply: Value) -> Value {
        for name in ["cursor_start", "cursor_end"] {
            if let Some(position) = reply.get_mut(name)
                && let Some(number) = position.as_u64()
            {
                *position = json!(number + self.before as u64);
            }
        }
        // It speaks of positions too, and nobody needs it.
        if let Some(metadata) = reply.get_mut("metadata") {
            *metadata = json!({});
        }
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_there_and_back() {
        let code = "%%pyspark\nspark.é\nspark.re";
        let place = in_python(code, 26).unwrap();
        assert_eq!(
            place.request(0),
            json!({"code": "spark.é\nspark.re", "cursor_pos": 16, "detail_level": 0})
        );
        let reply = json!({"matches": ["read"], "cursor_start": 14, "cursor_end": 16, "metadata": {"x": 1}});
        let expected =
            json!({"matches": ["read"], "cursor_start": 24, "cursor_end": 26, "metadata": {}});
        assert_eq!(place.completed(reply), expected);
    }

    #[test]
    fn only_in_the_body_of_a_python_cell() {
        assert_eq!(in_python("%%pyspark", 5), None);
        assert_eq!(in_python("%%sql\nSELECT 1", 8), None);
        assert_eq!(in_python("let x = 1;", 3), None);
    }
}
