//! All queries, one line each.

use super::MimeBundle;
use super::grid::aligned;
use super::html::{DIM, escape, table};
use super::number::thousands;
use super::query_card::QueryCard;
use crate::backend::Query;

/// Name, state, batches, rows, watermark and id of every query.
pub(crate) fn queries(queries: &[Query]) -> MimeBundle {
    let mut cards: Vec<QueryCard> = queries.iter().map(QueryCard::from_query).collect();
    // Those that run come first; the sort keeps the order of the starts.
    cards.sort_by_key(|card| !card.state.is_active());
    query_list(&cards)
}

fn query_list(cards: &[QueryCard]) -> MimeBundle {
    if cards.is_empty() {
        let message = "no queries yet: start one with %%stream NAME";
        return MimeBundle::html(format!("<div style=\"{DIM}\">{message}</div>"), message);
    }
    let headings = ["name", "state", "batches", "rows in", "watermark", "id"];
    let lines: Vec<Vec<String>> = cards
        .iter()
        .map(|card| {
            vec![
                card.name.clone().unwrap_or_else(|| "–".to_owned()),
                format!("{} {}", card.state.sign(), card.state.word()),
                thousands(card.batches),
                thousands(card.input_rows),
                card.watermark_text().unwrap_or_else(|| "–".to_owned()),
                card.id.to_string(),
            ]
        })
        .collect();

    let rows: Vec<Vec<String>> = cards
        .iter()
        .zip(&lines)
        .map(|(card, line)| {
            let mut cells: Vec<String> = line.iter().map(|cell| escape(cell)).collect();
            if let [name, state, .., id] = cells.as_mut_slice() {
                *name = format!("<b>{name}</b>");
                *state = format!(
                    "<span style=\"color:{}\">{}</span> {}",
                    card.state.color(),
                    card.state.sign(),
                    card.state.word()
                );
                *id = format!("<span style=\"font-size:11px;{DIM}\">{id}</span>");
            }
            cells
        })
        .collect();
    let html = table(&headings, &[false, false, true, true, false, false], &rows);

    MimeBundle::html(html, aligned(&headings, &lines).join("\n"))
}

#[cfg(test)]
mod tests {
    use super::super::query_card::QueryState;
    use super::*;
    use crate::display::gallery;

    #[test]
    fn queries_are_listed_with_their_state() {
        let bundle = query_list(&[
            gallery::card(QueryState::Running),
            gallery::card(QueryState::Failed),
        ]);
        let plain = bundle.data["text/plain"].as_str().unwrap();
        assert!(
            plain.starts_with("name        state      batches  rows in  watermark"),
            "{plain}"
        );
        assert!(plain.contains("departures  ▶ running  12"), "{plain}");
        assert!(plain.contains("departures  ✖ failed"), "{plain}");
        assert!(
            query_list(&[]).data["text/plain"]
                .as_str()
                .unwrap()
                .contains("%%stream")
        );
    }
}
