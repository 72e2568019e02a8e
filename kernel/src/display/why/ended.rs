//! A query that runs no more gives nothing more.

use tidebook_engine::Trigger;

use super::{Asked, Reason};
use crate::display::query_card::QueryState;
use crate::error::Magics;

pub(super) fn reasons(asked: &Asked) -> Vec<Reason> {
    let reason = match asked.state {
        QueryState::Failed => {
            let error = asked.error.as_ref();
            let condition = error.and_then(|error| error.condition());
            let condition = condition.map(|condition| format!("[{condition}] "));
            let message = error.map_or_else(String::new, |error| error.message().to_owned());
            let reason = Reason::new(format!(
                "The query has failed, so nothing more comes: {}{message}",
                condition.unwrap_or_default()
            ));
            match error.and_then(|error| error.advice()) {
                Some(hint) => reason.figure(format!("hint: {}", hint.worded(&Magics))),
                None => reason,
            }
        }
        QueryState::Stopped => {
            Reason::new("The query was stopped, so nothing more comes until it is started again.")
        }
        QueryState::Finished => {
            let trigger = match asked.trigger {
                Trigger::Once => "once",
                _ => "available-now",
            };
            Reason::new(format!(
                "The query has done what its trigger {trigger} asks for and has ended: what arrives later is read when it is started again."
            ))
        }
        QueryState::Running | QueryState::Waiting => return Vec::new(),
    };
    vec![reason]
}
