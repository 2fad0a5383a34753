//! Conditions. In each world they are true or false; what differs over all worlds is undecided.

use std::rc::Rc;

use super::{
    document::{Kind, Node},
    evaluate::{Evaluator, TooMuch},
    value::Value,
    world::Atom,
};

impl Evaluator {
    /// Decides a condition: its name, `{Condition: name}`, or a function of conditions.
    pub(super) fn condition(&mut self, stack: usize, node: &Node) -> Result<bool, TooMuch> {
        let before = std::mem::replace(&mut self.in_condition, true);
        let holds = self.deeper(|| None, |this| this.decide(stack, node).map(Some));
        self.in_condition = before;
        Ok(match holds? {
            Some(holds) => holds,
            None => self.undefined(stack, "circle"),
        })
    }

    fn decide(&mut self, stack: usize, node: &Node) -> Result<bool, TooMuch> {
        if let Kind::Text(name) = &node.kind {
            let key = (stack, Rc::clone(name));
            if let Some(holds) = self.world.decided.get(&key) {
                return Ok(*holds);
            }
            let this = Rc::clone(&self.stacks[stack]);
            let defined = this.root.get("Conditions").and_then(|all| all.get(name));
            let holds = match (defined, &**name) {
                (Some(defined), _) => self.condition(stack, defined)?,
                (None, "true") => true,
                (None, "false") => false,
                (None, name) => self.undefined(stack, name),
            };
            self.world.decided.insert(key, holds);
            return Ok(holds);
        }
        let Some((name, argument)) = node.function() else {
            return Ok(self.undefined(stack, "malformed"));
        };
        match (name, argument.items()) {
            ("Condition", _) => self.condition(stack, argument),
            ("Fn::Not", [inner]) => Ok(!self.condition(stack, inner)?),
            ("Fn::And", conditions) => {
                let mut all = true;
                for inner in conditions {
                    all &= self.condition(stack, inner)?;
                    if !all {
                        break;
                    }
                }
                Ok(all)
            }
            ("Fn::Or", conditions) => {
                let mut any = false;
                for inner in conditions {
                    any |= self.condition(stack, inner)?;
                    if any {
                        break;
                    }
                }
                Ok(any)
            }
            ("Fn::Equals", [left, right]) => {
                let left = self.value(stack, left)?;
                let right = self.value(stack, right)?;
                self.equal(&left, &right)
            }
            // A function that gives `true` or `false` as text: `Fn::FindInMap`, `Ref`, `Fn::If`.
            _ => {
                let value = self.value(stack, node)?;
                self.equal(&value, &Value::text("true"))
            }
        }
    }

    /// Compares as text. What is not known is the same as itself, and may be the same as anything else.
    fn equal(&mut self, left: &Value, right: &Value) -> Result<bool, TooMuch> {
        let (left_text, right_text) = (left.sketch(), right.sketch());
        self.made(left_text.len() + right_text.len())?;
        let (unknown, is_one_known) = match (left.first_unknown(), right.first_unknown()) {
            (None, None) => return Ok(left_text == right_text),
            (Some(unknown), None) | (None, Some(unknown)) => (unknown, true),
            (Some(unknown), Some(_)) => (unknown, false),
        };
        if left_text == right_text {
            return Ok(true);
        }
        for one in [left, right].into_iter().filter_map(Value::first_unknown) {
            self.world.parameters.extend(one.parameters.iter().cloned());
        }
        // The unknown text first, so that the same comparison written either way is the same.
        let is_left = left.first_unknown().is_some_and(|first| first == unknown);
        let (mut text, mut other) = if is_left {
            (left_text, right_text)
        } else {
            (right_text, left_text)
        };
        if !is_one_known && other < text {
            std::mem::swap(&mut text, &mut other);
        }
        let (text, other): (Rc<str>, Rc<str>) = (Rc::from(text), Rc::from(other));
        if is_one_known && self.is_another(&text, &other) {
            return Ok(false);
        }
        let atom = Atom::Equal {
            left: text,
            right: other,
        };
        Ok(self.world.choose(atom, 2) == 1)
    }

    /// Tells whether an unknown text is already taken to be another than this.
    fn is_another(&mut self, text: &Rc<str>, other: &Rc<str>) -> bool {
        let taken = self.world.choices.iter().any(|(atom, chosen)| {
            matches!(atom, Atom::Equal { left, right } if left == text && right != other)
                && *chosen == 1
        });
        self.world.was_asked |= taken;
        taken
    }

    /// Leaves a condition undecided.
    fn undefined(&mut self, stack: usize, name: &str) -> bool {
        let name = Rc::from(name);
        self.world.choose(Atom::Condition { stack, name }, 2) == 1
    }
}
