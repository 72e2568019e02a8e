//! Parameters of a text, `:name` and `?`, and their values.

use std::collections::BTreeMap;

use super::parser::Parser;
use crate::error::Result;
use crate::tree::Expression;

/// Values for the parameters of a text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    /// Those with a name.
    pub(crate) named: BTreeMap<String, Expression>,
    /// Those without one, in their order.
    pub(crate) positional: Vec<Expression>,
}

impl Parser<'_> {
    /// The parameter that comes next, or its value if values were given; `None` if none comes next.
    pub(super) fn parameter(&mut self) -> Result<Option<Expression>> {
        let place = self.place();
        let name = if self.eat("?") {
            self.parameters += 1;
            (self.parameters - 1).to_string()
        } else if self.eat(":") {
            self.identifier()?
        } else {
            return Ok(None);
        };
        let Some(values) = self.values_of_parameters.as_ref() else {
            return Ok(Some(Expression::Parameter(name)));
        };
        let value = match name.parse::<usize>() {
            Ok(number) => values.positional.get(number),
            Err(_) => values.named.get(&name),
        };
        let value = value.cloned().ok_or_else(|| {
            self.error_at(&format!("the parameter '{name}' has no value"), place)
                .with_condition("UNBOUND_SQL_PARAMETER")
                .with_hint("give it among the arguments of sql()")
        })?;
        Ok(Some(value))
    }
}
