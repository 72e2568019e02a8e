//! The value of a cell's last expression, of any type that can be debugged.

use std::any::type_name;
use std::cell::RefCell;
use std::fmt::Debug;

use super::value_text;

/// Longer values are spread over lines.
const ONE_LINE: usize = 100;

/// Shows the value of the last expression of a cell. Types with a form of their own have a method
/// of the same name, which wins over this one; so no cell needs a second compile.
pub trait DisplayValue {
    /// Shows it as the value of the cell.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> DisplayValue for T {
    fn evcxr_display(&self) {
        if type_name::<T>() == type_name::<()>() {
            return;
        }
        let is_maybe = type_name::<T>().starts_with("core::option::Option<tidebook::");
        OFFER.set(is_maybe.then(Offer::default));
        let mut text = format!("{self:?}");
        match OFFER.take().and_then(|offer| offer.show) {
            Some(show) => show(),
            None => {
                if text.len() > ONE_LINE {
                    text = format!("{self:#?}");
                }
                value_text(&text);
            }
        }
    }
}

/// What a value inside an `Option` would rather be shown as.
#[derive(Default)]
struct Offer {
    show: Option<Box<dyn FnOnce()>>,
}

thread_local! {
    /// There is one while an `Option` of a type of this crate is shown. The value inside can be
    /// reached by nothing but its `Debug`, since its type is not known there.
    static OFFER: RefCell<Option<Offer>> = const { RefCell::new(None) };
}

/// Called by `Debug` of types with a form of their own: how to show that.
pub(crate) fn offer(show: impl FnOnce() + 'static) {
    OFFER.with_borrow_mut(|offer| {
        if let Some(offer) = offer {
            offer.show = Some(Box::new(show));
        }
    });
}
