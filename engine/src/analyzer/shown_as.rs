//! Expressions that columns are not named by as they are written, because they were planned as something
//! else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::output_names::output_name;
use crate::tree::{Expression, Window, WindowSpec};

/// What was planned as something else than it is written as, which shows in names: a date and a number
/// are no sum but a `date_add`.
#[derive(Debug, Clone, Default)]
pub(super) struct ShownAs(Rc<RefCell<HashMap<*const Expression, Shown>>>);

/// As what an expression is shown.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Shown {
    /// A call of another function, its arguments turned round or not.
    Call(&'static str, bool),
    /// `s['a']` as `s.a`.
    Field(String),
    /// The field of a struct as `column.field`, but where it stands alone.
    Path(String),
    /// A call over this window, which the query has a name for.
    Window(WindowSpec),
}

impl ShownAs {
    /// Shows an expression as something else.
    pub(super) fn put(&self, expression: &Expression, shown: Shown) {
        let mut others = self.0.borrow_mut();
        others.insert(std::ptr::from_ref(expression), shown);
    }

    /// Spark's name for an unnamed select item that was planned.
    pub(super) fn output_name(&self, expression: &Expression) -> String {
        let others = self.0.borrow();
        if others.is_empty() {
            return output_name(expression);
        }
        let mut shown = expression.clone();
        replace(expression, &mut shown, &others, true);
        output_name(&shown)
    }
}

/// Makes of `shown`, a copy of `written`, what it is shown as.
fn replace(
    written: &Expression,
    shown: &mut Expression,
    others: &HashMap<*const Expression, Shown>,
    is_alone: bool,
) {
    let pairs = written.children().into_iter().zip(shown.children_mut());
    pairs.for_each(|(written, shown)| replace(written, shown, others, false));
    match (others.get(&std::ptr::from_ref(written)), &mut *shown) {
        (Some(Shown::Call(name, is_turned)), Expression::Call(call)) => {
            call.name = (*name).to_string();
            if *is_turned {
                call.arguments.reverse();
            }
        }
        (Some(Shown::Field(name)), Expression::Item { of, .. }) => {
            let nothing = Expression::Parameter(String::new());
            *shown = Expression::Field {
                of: Box::new(std::mem::replace(of, nothing)),
                name: name.clone(),
            };
        }
        (Some(Shown::Path(path)), Expression::Name(name)) if !is_alone => {
            name.parts = vec![path.clone()];
        }
        (Some(Shown::Window(spec)), Expression::Over(over)) => {
            over.window = Window::Spec(Box::new(spec.clone()));
        }
        _ => {}
    }
}
