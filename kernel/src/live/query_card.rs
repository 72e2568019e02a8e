//! The live card of a query.

use futures::FutureExt as _;
use tidebook_engine::StreamingQuery;

use super::Draw;
use crate::display::{self, QueryCard};

/// Draws a query's card.
pub fn query_card(query: &StreamingQuery) -> Draw {
    let query = query.clone();
    Box::new(move || {
        let query = query.clone();
        async move { Ok(display::query_card(&QueryCard::from_query(&query))) }.boxed()
    })
}
