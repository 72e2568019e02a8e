//! The live cards of a query and of an alert on one.

use std::sync::Arc;

use futures::FutureExt as _;
use tidebook_engine::StreamingQuery;

use super::Draw;
use super::alerts::{Alert, Alerts};
use crate::backend::Query;
use crate::display::{self, AlertCard, QueryCard};

/// Draws a query's card, its alerts included.
pub(crate) fn query_card(query: &Query, alerts: &Arc<Alerts>) -> Draw {
    let (query, alerts) = (query.clone(), Arc::clone(alerts));
    Box::new(move || {
        let (query, alerts) = (query.clone(), Arc::clone(&alerts));
        async move {
            let mut card = QueryCard::from_query(&query);
            card.as_of = Some(now());
            for alert in alerts.of(query.run_id()) {
                alert.settle().await;
                card.alerts.push(shown(&query.label(), &alert));
            }
            Ok(display::query_card(&card))
        }
        .boxed()
    })
}

/// Draws an alert.
pub(crate) fn alert_card(query: &StreamingQuery, alert: &Arc<Alert>) -> Draw {
    let (query, alert) = (query.clone(), Arc::clone(alert));
    Box::new(move || {
        let (query, alert) = (query.clone(), Arc::clone(&alert));
        async move {
            alert.settle().await;
            Ok(display::alert(&shown(&query.label(), &alert)))
        }
        .boxed()
    })
}

/// The time on the wall of the kernel's machine.
pub(crate) fn now() -> String {
    chrono::Local::now().format("%H:%M:%S").to_string()
}

fn shown(query: &str, alert: &Alert) -> AlertCard {
    let said = alert.said();
    let crossings = said.crossings.into_iter();
    AlertCard {
        query: query.to_owned(),
        condition: alert.condition.clone(),
        is_true: said.is_true,
        computed: said.computed,
        crossings: crossings
            .map(|crossing| (crossing.batch_id, crossing.timestamp, crossing.seen))
            .collect(),
        error: said.error,
    }
}
