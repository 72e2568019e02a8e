//! Slips in SQL that the engine reads as something else, and refuses for a reason that does not help.

use crate::error::CellError;

/// What the engine says to `a = 1 || b = 2`, which it must read as `a = (1 || b) = 2`.
const ABOUT_TYPES: [&str; 3] = [
    "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES]",
    "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN]",
    "[CAST_INVALID_INPUT]",
];

/// The error of a cell with SQL, with a better hint if `||` was meant as OR.
pub(crate) fn explained(error: CellError, sql: &str) -> CellError {
    let is_about_types = ABOUT_TYPES
        .iter()
        .any(|condition| error.evalue.contains(condition));
    if is_about_types && joins_conditions(sql) {
        return error.hint("|| joins texts; between two conditions write OR");
    }
    error
}

/// Whether something is compared on both sides of a `||`.
fn joins_conditions(sql: &str) -> bool {
    let sql = without_texts(sql);
    let compares = |text: &str| text.contains(['=', '<', '>']);
    sql.match_indices("||").any(|(at, _)| {
        sql.split_at_checked(at)
            .is_some_and(|(before, after)| compares(before) && compares(after))
    })
}

/// The text without what stands between quotes.
fn without_texts(sql: &str) -> String {
    sql.split('\'').step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn or_is_told_where_conditions_are_joined() {
        let refused = || {
            CellError::new(
                "AnalysisException",
                "[CAST_INVALID_INPUT] 'u2' is no BOOLEAN",
            )
        };
        let hint = |sql: &str| explained(refused(), sql).hint;
        assert!(
            hint("SELECT * FROM t WHERE a = 'x' || a = 'y'")
                .is_some_and(|hint| hint.contains("write OR"))
        );
        assert!(hint("SELECT * FROM t WHERE (a > 1) || (a < 0)").is_some());
        assert_eq!(hint("SELECT a || b FROM t WHERE a = 1"), None);
        assert_eq!(hint("SELECT * FROM t WHERE a = 'x || y = z'"), None);
        let other = CellError::new("AnalysisException", "[X] a");
        assert_eq!(explained(other, "WHERE a = 1 || a = 2").hint, None);
    }
}
