//! What a parameter of a template is worth.

use std::rc::Rc;

use super::{
    evaluate::{Evaluator, TooMuch, comma_list, literal},
    stack::{Parameter, Source, Stack},
    value::Value,
    world::Atom,
};
use crate::domain::infra::Reason;

/// Parameters with more allowed values are not tried one by one.
const MAX_ALLOWED: usize = 64;

impl Evaluator {
    /// Evaluates a parameter.
    pub(super) fn parameter(
        &mut self,
        stack: usize,
        this: &Stack,
        parameter: &Parameter,
    ) -> Result<Value, TooMuch> {
        let mut value = match &parameter.source {
            Source::Default => Value::Absent,
            Source::Given(text) => literal(text),
            Source::Expression(outer, node) => {
                let outer = *outer;
                self.deeper(
                    || Value::parameter(&parameter.name),
                    |this| this.value(outer, node),
                )?
            }
        };
        if value == Value::Absent
            && let Some(default) = &parameter.default
        {
            value = literal(default);
        }
        if value == Value::Absent {
            let count = parameter.allowed.len();
            let may_try = (1..=MAX_ALLOWED).contains(&count)
                && !parameter.is_list()
                && !parameter.is_in_store();
            if !may_try || parameter.no_echo {
                let qualified = this.address(&parameter.name);
                let is_nested = this.parent.is_some();
                return Ok(Value::parameter(if is_nested {
                    &qualified
                } else {
                    &parameter.name
                }));
            }
            let name = Rc::clone(&parameter.name);
            let chosen = self.world.choose(Atom::Parameter { stack, name }, count);
            self.world.parameters.insert(parameter.name.to_string());
            return Ok(literal(&parameter.allowed[chosen]));
        }
        if parameter.is_in_store() {
            return Ok(Value::unknown(
                Reason::SsmParameter(value.sketch()),
                &format!("${{ssm:{}}}", value.sketch()),
            ));
        }
        if parameter.no_echo && !self.in_condition {
            return Ok(Value::unknown(
                Reason::Sensitive,
                &format!("${{{}}}", parameter.name),
            ));
        }
        Ok(match value {
            Value::Text(text) if parameter.is_list() => comma_list(&text),
            value => value,
        })
    }
}
