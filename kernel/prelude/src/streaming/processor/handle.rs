//! What a processor asks for: its variables, and timers.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{Phase, Shared, wrong_phase};
use super::shape::shape_of;
use super::state::{ListState, MapState, Place, ValueState};
use crate::wire::{StateVariable, StateVariableKind};

/// How long what is written to a state variable is there, counted from the batch that writes it. Only
/// in [`TimeMode::ProcessingTime`](super::TimeMode::ProcessingTime).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TtlConfig(Option<i64>);

impl TtlConfig {
    /// For ever.
    pub const NONE: Self = Self(None);

    /// So long.
    pub fn new(duration: Duration) -> Self {
        Self(Some(
            i64::try_from(duration.as_millis()).unwrap_or(i64::MAX),
        ))
    }
}

impl From<Duration> for TtlConfig {
    fn from(duration: Duration) -> Self {
        Self::new(duration)
    }
}

/// Gives a processor its state variables, in [`init`](super::StatefulProcessor::init), and sets timers
/// for the key that it works on. Clones are the same handle; a processor keeps one.
#[derive(Debug, Clone, Default)]
pub struct StatefulProcessorHandle {
    pub(super) shared: Shared,
}

impl StatefulProcessorHandle {
    /// One value for each key.
    pub fn value_state<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        ttl: impl Into<TtlConfig>,
    ) -> ValueState<T> {
        let kind = StateVariableKind::Value;
        ValueState::at(self.declare(name, kind, shape_of::<T>(), ttl.into()))
    }

    /// Values in an order for each key.
    pub fn list_state<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        ttl: impl Into<TtlConfig>,
    ) -> ListState<T> {
        let kind = StateVariableKind::List;
        ListState::at(self.declare(name, kind, shape_of::<T>(), ttl.into()))
    }

    /// Values by keys of your own for each key.
    pub fn map_state<K, V>(&self, name: &str, ttl: impl Into<TtlConfig>) -> MapState<K, V>
    where
        K: Serialize + DeserializeOwned,
        V: Serialize + DeserializeOwned,
    {
        let holds = format!("{}: {}", shape_of::<K>(), shape_of::<V>());
        MapState::at(self.declare(name, StateVariableKind::Map, holds, ttl.into()))
    }

    /// Removes a state variable that an earlier run of the query declared and this one does not, with all
    /// that it holds, if it is there: in [`init`](super::StatefulProcessor::init). A later run may give its
    /// name to a variable of another type. What is neither declared nor deleted stays in the checkpoint.
    pub fn delete_if_exists(&self, name: &str) {
        let mut context = self.shared.lock();
        match context.phase {
            Phase::Init => context.deleted.push(name.to_string()),
            _ => context.fail(wrong_phase("deleting a state variable")),
        }
    }

    /// Has [`handle_expired_timer`](super::StatefulProcessor::handle_expired_timer) called for this key
    /// in the first batch whose time, or watermark, has come to this time, in ms since 1970. A time of
    /// this key that is registered already stays as it is.
    pub fn register_timer(&self, expiry_timestamp_ms: i64) {
        if let Some(timers) = self.shared.lock().timers("registering a timer") {
            timers.insert(expiry_timestamp_ms);
        }
    }

    /// Forgets a timer of this key, if it is there.
    pub fn delete_timer(&self, expiry_timestamp_ms: i64) {
        if let Some(timers) = self.shared.lock().timers("deleting a timer") {
            timers.remove(&expiry_timestamp_ms);
        }
    }

    /// The timers of this key, the earliest first.
    pub fn list_timers(&self) -> Vec<i64> {
        let mut context = self.shared.lock();
        let timers = context.timers("listing timers");
        timers.map_or_else(Vec::new, |timers| timers.iter().copied().collect())
    }

    fn declare(
        &self,
        name: &str,
        kind: StateVariableKind,
        value_type: String,
        ttl: TtlConfig,
    ) -> Place {
        let mut context = self.shared.lock();
        if context.phase != Phase::Init {
            context.fail(wrong_phase("declaring a state variable"));
            return Place::default();
        }
        context.declared.push(StateVariable {
            name: name.to_string(),
            kind,
            value_type,
            ttl_ms: ttl.0,
        });
        Place {
            shared: self.shared.clone(),
            number: context.declared.len() - 1,
        }
    }
}
