//! All queries, one line each.

use super::MimeBundle;
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
    let lines: Vec<[String; 6]> = cards
        .iter()
        .map(|card| {
            [
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
            cells[0] = format!("<b>{}</b>", cells[0]);
            cells[1] = format!(
                "<span style=\"color:{}\">{}</span> {}",
                card.state.color(),
                card.state.sign(),
                card.state.word()
            );
            cells[5] = format!("<span style=\"font-size:11px;{DIM}\">{}</span>", cells[5]);
            cells
        })
        .collect();
    let html = table(&headings, &[false, false, true, true, false, false], &rows);

    let widths: Vec<usize> = (0..headings.len())
        .map(|i| {
            let cells = lines.iter().map(|line| line[i].chars().count());
            cells.chain([headings[i].len()]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: Vec<&str>| -> String {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut plain = vec![line(headings.to_vec())];
    plain.extend(
        lines
            .iter()
            .map(|cells| line(cells.iter().map(String::as_str).collect())),
    );
    MimeBundle::html(html, plain.join("\n"))
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
