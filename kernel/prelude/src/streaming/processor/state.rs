//! The three kinds of state variables.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::context::{Context, Shared, Variable, illegal};
use crate::wire::StateEntry;

/// Where a variable is.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) shared: Shared,
    pub(super) number: usize,
}

/// One value for each key. Until [`init`](super::StatefulProcessor::init) has set it, it holds nothing
/// and may not be used.
#[derive(Debug)]
pub struct ValueState<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

/// Values in an order for each key. With a TTL, every element has its own.
#[derive(Debug)]
pub struct ListState<T> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> T>,
}

/// Values by keys of your own, for each key of the stream. With a TTL, every entry has its own.
#[derive(Debug)]
pub struct MapState<K, V> {
    pub(super) place: Place,
    pub(super) of: PhantomData<fn() -> (K, V)>,
}

macro_rules! place {
    ($($name:ident<$($of:ident),*>)*) => {$(
        impl<$($of),*> Default for $name<$($of),*> {
            fn default() -> Self {
                Self { place: Place::default(), of: PhantomData }
            }
        }

        impl<$($of),*> $name<$($of),*> {
            pub(super) fn at(place: Place) -> Self {
                Self { place, of: PhantomData }
            }
        }
    )*};
}

place!(ValueState<T> ListState<T> MapState<K, V>);

impl Place {
    fn contents(&self) -> Vec<StateEntry> {
        let mut context = self.shared.lock();
        let variable = context.variable(self.number);
        variable.map_or_else(Vec::new, |variable| variable.contents().cloned().collect())
    }

    fn exists(&self) -> bool {
        !self.contents().is_empty()
    }

    fn change(&self, change: impl FnOnce(&mut Variable)) {
        if let Some(variable) = self.shared.lock().variable(self.number) {
            change(variable);
        }
    }

    fn text(&self, value: &impl Serialize) -> Option<String> {
        self.shared.lock().text(self.number, value)
    }

    fn value<T: DeserializeOwned>(&self, text: &str) -> Option<T> {
        self.shared.lock().value(self.number, text)
    }

    fn fail(&self, fail: impl FnOnce(&mut Context)) {
        fail(&mut self.shared.lock());
    }
}

impl<T: Serialize + DeserializeOwned> ValueState<T> {
    /// Whether there is a value.
    pub fn exists(&self) -> bool {
        self.place.exists()
    }

    /// The value, if there is one.
    pub fn get(&self) -> Option<T> {
        let held = self.place.contents();
        self.place.value(&held.first()?.value)
    }

    /// Keeps this value from now on; a TTL begins anew.
    pub fn update(&self, value: T) {
        if let Some(text) = self.place.text(&value) {
            self.place.change(|variable| variable.write(None, text));
        }
    }

    /// Removes the value.
    pub fn clear(&self) {
        self.place.change(Variable::clear);
    }
}

impl<T: Serialize + DeserializeOwned> ListState<T> {
    /// Whether there is an element.
    pub fn exists(&self) -> bool {
        self.place.exists()
    }

    /// The elements, in their order.
    pub fn get(&self) -> Vec<T> {
        let held = self.place.contents();
        let values = held.iter().map(|entry| self.place.value(&entry.value));
        values.collect::<Option<_>>().unwrap_or_default()
    }

    /// Keeps these elements, at least one, in the place of all that there are.
    pub fn put(&self, elements: impl IntoIterator<Item = T>) {
        self.add(elements, true);
    }

    /// Adds an element at the end.
    pub fn append_value(&self, element: T) {
        self.add([element], false);
    }

    /// Adds elements, at least one, at the end.
    pub fn append_list(&self, elements: impl IntoIterator<Item = T>) {
        self.add(elements, false);
    }

    /// Removes all elements.
    pub fn clear(&self) {
        self.place.change(Variable::clear);
    }

    fn add(&self, elements: impl IntoIterator<Item = T>, instead: bool) {
        let texts = elements
            .into_iter()
            .map(|element| self.place.text(&element));
        let Some(texts) = texts.collect::<Option<Vec<_>>>() else {
            return;
        };
        if texts.is_empty() {
            let number = self.place.number;
            return self.place.fail(|context| {
                let name = context.name(number);
                let error = illegal(format!("the list '{name}' was given no element"))
                    .with_condition("ILLEGAL_STATE_STORE_VALUE.EMPTY_LIST_VALUE")
                    .with_hint("to remove all elements, clear it");
                context.fail(error);
            });
        }
        self.place.change(|variable| {
            if instead {
                variable.clear();
            }
            for value in texts {
                variable.append(StateEntry { key: None, value });
            }
        });
    }
}

impl<K, V> MapState<K, V>
where
    K: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    /// Whether there is an entry.
    pub fn exists(&self) -> bool {
        self.place.exists()
    }

    /// The value of a key, if it has one.
    pub fn get_value(&self, key: &K) -> Option<V> {
        let key = self.place.text(key);
        let held = self.place.contents();
        let found = held.iter().find(|entry| entry.key == key)?;
        self.place.value(&found.value)
    }

    /// Whether the key has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        let key = self.place.text(key);
        self.place.contents().iter().any(|entry| entry.key == key)
    }

    /// Keeps a value for a key from now on; a TTL of this entry begins anew.
    pub fn update_value(&self, key: K, value: V) {
        if let (Some(key), Some(value)) = (self.place.text(&key), self.place.text(&value)) {
            self.place
                .change(|variable| variable.write(Some(key), value));
        }
    }

    /// All entries, in the order in which their keys came.
    pub fn iterator(&self) -> Vec<(K, V)> {
        let held = self.place.contents();
        let entries = held.iter().map(|entry| {
            let key = self.place.value(entry.key.as_deref()?)?;
            Some((key, self.place.value(&entry.value)?))
        });
        entries.collect::<Option<_>>().unwrap_or_default()
    }

    /// All keys.
    pub fn keys(&self) -> Vec<K> {
        self.iterator().into_iter().map(|(key, _)| key).collect()
    }

    /// All values.
    pub fn values(&self) -> Vec<V> {
        self.iterator()
            .into_iter()
            .map(|(_, value)| value)
            .collect()
    }

    /// Removes a key, if it is there.
    pub fn remove_key(&self, key: &K) {
        if let Some(key) = self.place.text(key) {
            self.place.change(|variable| variable.remove(&key));
        }
    }

    /// Removes all entries.
    pub fn clear(&self) {
        self.place.change(Variable::clear);
    }
}
