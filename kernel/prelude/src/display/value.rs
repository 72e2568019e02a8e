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
        let text = format!("{self:?}");
        match OFFER.take().and_then(|offer| offer.show) {
            Some(show) => show(),
            None if text.len() <= ONE_LINE => value_text(&text),
            None => value_text(&one_per_line(&text).unwrap_or_else(|| format!("{self:#?}"))),
        }
    }
}

/// A list with one element per line; `None` if it is not a list.
fn one_per_line(text: &str) -> Option<String> {
    let elements = text.strip_prefix('[')?.strip_suffix(']')?;
    let mut lines = String::from("[\n    ");
    let (mut depth, mut in_text, mut is_escaped) = (0, false, false);
    for character in elements.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_text => is_escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ' ' if depth == 0 && lines.ends_with(',') => {
                lines.push_str("\n    ");
                continue;
            }
            _ => {}
        }
        lines.push(character);
    }
    Some(lines + ",\n]")
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

#[cfg(test)]
mod tests {
    use super::one_per_line;

    #[test]
    fn lists_are_spread_over_lines() {
        let text = format!("{:?}", [("a, \"b", vec![1, 2]), ("c", vec![])]);
        let lines = "[\n    (\"a, \\\"b\", [1, 2]),\n    (\"c\", []),\n]";
        assert_eq!(one_per_line(&text).unwrap(), lines);
        assert_eq!(one_per_line("Some([1])"), None);
    }
}
