//! Relations that a client can only ask for as a whole: `show()`, a frame in a page, the catalog, the
//! last rows.

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::Relation;
use tidebook_engine::connect::proto::relation::RelType;
use tidebook_engine::{Error, Result, Rows, ShowForm, show};

use crate::catalog;
use crate::rows::texts;
use crate::sessions::Client;

/// The rows of a relation of this kind; `None` for all others, which the engine plans.
pub(crate) fn shown<'a>(
    client: &'a Client,
    relation: &'a Relation,
) -> Option<BoxFuture<'a, Result<Rows>>> {
    match relation.rel_type.as_ref()? {
        RelType::ShowString(asked) => Some(
            async move {
                let (rows, form) = first_rows(
                    client,
                    asked.input.as_deref(),
                    (asked.num_rows, asked.truncate, asked.vertical),
                )
                .await?;
                texts("show_string", vec![show(&rows.schema, &rows.batches, form)])
            }
            .boxed(),
        ),
        RelType::HtmlString(asked) => Some(
            async move {
                let form = (asked.num_rows, asked.truncate, false);
                let (rows, form) = first_rows(client, asked.input.as_deref(), form).await?;
                texts("html_string", vec![html(&rows, form)])
            }
            .boxed(),
        ),
        RelType::Tail(asked) => Some(
            async move {
                let rows = client
                    .session
                    .collect(input(asked.input.as_deref())?)
                    .await?;
                Ok(last_rows(rows, usize::try_from(asked.limit).unwrap_or(0)))
            }
            .boxed(),
        ),
        RelType::Catalog(asked) => {
            let answer = catalog::answer(client, asked);
            Some(std::future::ready(answer).boxed())
        }
        _ => None,
    }
}

/// The relation whose columns a relation has.
pub(crate) fn planned(relation: &Relation) -> &Relation {
    match &relation.rel_type {
        Some(RelType::Tail(tail)) => tail.input.as_deref().unwrap_or(relation),
        _ => relation,
    }
}

fn input(input: Option<&Relation>) -> Result<&Relation> {
    input.ok_or_else(|| Error::illegal_argument("the relation has no input"))
}

async fn first_rows(
    client: &Client,
    from: Option<&Relation>,
    (rows, truncate, vertical): (i32, i32, bool),
) -> Result<(Rows, ShowForm)> {
    // One more tells whether there are more.
    let limit = Relation {
        common: None,
        rel_type: Some(RelType::Limit(Box::new(proto::Limit {
            input: Some(Box::new(input(from)?.clone())),
            limit: rows.max(0).saturating_add(1),
        }))),
    };
    let form = ShowForm {
        rows: usize::try_from(rows).unwrap_or(0),
        truncate: usize::try_from(truncate).unwrap_or(0),
        vertical,
    };
    Ok((client.session.collect(&limit).await?, form))
}

fn last_rows(rows: Rows, limit: usize) -> Rows {
    let mut left = limit;
    let mut batches = Vec::new();
    for batch in rows.batches.iter().rev() {
        let count = left.min(batch.num_rows());
        batches.push(batch.slice(batch.num_rows() - count, count));
        left -= count;
    }
    batches.reverse();
    Rows {
        schema: rows.schema,
        batches,
    }
}

/// A table as a page shows it.
fn html(rows: &Rows, form: ShowForm) -> String {
    let cut = |text: String| {
        let most = form.truncate;
        match most {
            0 => text,
            _ if text.chars().count() <= most => text,
            1..=3 => text.chars().take(most).collect(),
            _ => text.chars().take(most - 3).chain("...".chars()).collect(),
        }
    };
    let escaped = |text: String| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let mut text = "<table border='1'>\n<tr>".to_string();
    for field in rows.schema.fields() {
        text.push_str(&format!("<th>{}</th>", escaped(field.name().clone())));
    }
    text.push_str("</tr>\n");
    let all = rows.batches.iter();
    let all = all.flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    for (batch, row) in all.take(form.rows) {
        text.push_str("<tr>");
        for column in batch.columns() {
            let value = tidebook_engine::format_value(column, row);
            text.push_str(&format!("<td>{}</td>", escaped(cut(value))));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</table>\n");
    if rows.num_rows() > form.rows {
        let plural = if form.rows == 1 { "" } else { "s" };
        text.push_str(&format!("only showing top {} row{plural}\n", form.rows));
    }
    text
}
