//! What a name of the session stands for: a view, a query.

use std::fmt::Write as _;

use tidebook_engine::{Session, StreamingQuery, ViewInfo, sql_type};

/// Explains a view or a query of this name.
pub(crate) fn explain(name: &str, session: &Session) -> Option<String> {
    let views = session.views();
    let view = views
        .iter()
        .find(|view| view.name.eq_ignore_ascii_case(name));
    let queries = session.streams().all();
    let query = queries.iter().find(|query| query.name() == Some(name));
    match (view, query) {
        (None, None) => None,
        (Some(view), None) => Some(view_text(view)),
        (None, Some(query)) => Some(query_line(query)),
        (Some(view), Some(query)) => Some(format!("{}\n{}", query_line(query), view_text(view))),
    }
}

/// What kind of view it is.
pub(crate) fn kind(view: &ViewInfo) -> &'static str {
    match view.is_streaming {
        true => "stream",
        false => "table",
    }
}

/// `name TYPE` of each column.
pub(crate) fn columns(view: &ViewInfo) -> Vec<String> {
    let fields = view.schema.fields().iter();
    fields
        .map(|field| format!("{} {}", field.name(), sql_type(field.data_type())))
        .collect()
}

fn view_text(view: &ViewInfo) -> String {
    let mut text = format!("{} '{}'\n", kind(view), view.name);
    for column in columns(view) {
        let _ = writeln!(text, "  {column}");
    }
    text
}

fn query_line(query: &StreamingQuery) -> String {
    let name = query.name().unwrap_or_default();
    match (query.exception(), query.is_active()) {
        (Some(error), _) => format!("query '{name}': failed: {}", error.message()),
        (None, true) => format!("query '{name}': {}", query.status().message),
        (None, false) => format!("query '{name}': ended"),
    }
}
