//! What can stand at a cursor in SQL: tables behind FROM, columns and fields behind a dot, and
//! otherwise columns, functions and keywords.

use super::known_names::{KnownNames, View};

/// Words that a query is made of.
const KEYWORDS: [&str; 48] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS JOIN",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXISTS",
    "FALSE",
    "FROM",
    "FULL OUTER JOIN",
    "GROUP BY",
    "HAVING",
    "IN",
    "INNER JOIN",
    "INTERVAL",
    "IS",
    "JOIN",
    "LATERAL VIEW",
    "LEFT JOIN",
    "LEFT SEMI JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION BY",
    "RIGHT JOIN",
    "RLIKE",
    "SELECT",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "UNION ALL",
    "USING",
    "WHEN",
    "WHERE",
    "WITH",
];

/// What can stand at the end of `before` in the query `body`, and the part of it that is typed.
pub(super) fn candidates<'a>(
    body: &str,
    before: &'a str,
    names: &KnownNames,
) -> (Vec<String>, &'a str) {
    let typed = identifier(before);
    if let Some((path, field)) = typed.rsplit_once('.') {
        let path: Vec<&str> = path.split('.').collect();
        return (behind_dot(&path, body, names), field);
    }
    let views = || names.views.iter().map(|view| view.name.clone());
    if wants_table(&before[..before.len() - typed.len()]) {
        return (views().collect(), typed);
    }
    let mentioned = names.mentioned(body);
    let read: Vec<&View> = match mentioned.is_empty() {
        true => names.views.iter().collect(),
        false => mentioned,
    };
    let mut found: Vec<String> = read.iter().flat_map(|view| view.columns()).collect();
    found.extend(views());
    found.sort_unstable();
    found.dedup();
    if !typed.is_empty() {
        found.extend(names.functions.iter().map(|name| format!("{name}(")));
        found.extend(
            KEYWORDS.map(|word| match typed.starts_with(char::is_lowercase) {
                true => word.to_lowercase(),
                false => word.to_owned(),
            }),
        );
    }
    (found, typed)
}

/// The identifier, with dots, that ends the text.
pub(super) fn identifier(text: &str) -> &str {
    let rest = text.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
    &text[rest.len()..]
}

/// Columns of a view, also by its alias, or fields of a column.
fn behind_dot(path: &[&str], body: &str, names: &KnownNames) -> Vec<String> {
    let [first, rest @ ..] = path else {
        return Vec::new();
    };
    if let Some(view) = names.view(first).or_else(|| aliased(first, body, names)) {
        return view.fields(rest);
    }
    let mentioned = names.mentioned(body);
    let mut found = mentioned.iter().map(|view| view.fields(path));
    found.find(|fields| !fields.is_empty()).unwrap_or_default()
}

/// The view that the query calls by another name: `FROM view alias`, `JOIN view AS alias`.
fn aliased<'a>(alias: &str, body: &str, names: &'a KnownNames) -> Option<&'a View> {
    let words: Vec<&str> = body
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("as"))
        .collect();
    let mut pairs = words.array_windows();
    pairs.find_map(|[view, name]| {
        let view = names.view(view)?;
        name.eq_ignore_ascii_case(alias).then_some(view)
    })
}

/// Whether a table must follow.
fn wants_table(before: &str) -> bool {
    let last = before.trim_end();
    let word = identifier(last).to_lowercase();
    last.len() < before.len() && matches!(word.as_str(), "from" | "join" | "table" | "describe")
}
