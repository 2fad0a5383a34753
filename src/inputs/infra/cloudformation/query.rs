//! Questions about resources, answered over all worlds: what is the same in all of them is known.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    document::Node,
    evaluate::{Evaluator, Resolved, TooMuch},
    value::{Unknown, Value, Why},
    world::{Answers, Choices},
};
use crate::domain::infra::{Attribute, Exists, Reason};

/// Beyond so many, only what all of them share is kept.
const MAX_STARTS: usize = 16;

/// In which worlds something exists.
#[derive(Debug)]
pub(super) struct Presence {
    /// Whether in all.
    pub(super) exists: Exists,
    /// The choices of each.
    pub(super) starts: Vec<Choices>,
}

impl Presence {
    /// Keeps the choices of the worlds in which something exists.
    pub(super) fn starts(worlds: Vec<Choices>) -> Vec<Choices> {
        if worlds.len() <= MAX_STARTS {
            return worlds;
        }
        let mut worlds = worlds.into_iter();
        let mut shared = worlds.next().unwrap_or_default();
        for world in worlds {
            shared.retain(|atom, chosen| world.get(atom) == Some(chosen));
        }
        vec![shared]
    }
}

impl Evaluator {
    /// Tells in which worlds a resource exists; none if in none.
    pub(super) fn presence(
        &mut self,
        stack: usize,
        resource: &Node,
    ) -> Result<Option<Presence>, TooMuch> {
        let answers = self.ask(&[Choices::new()], |this| this.exists(stack, resource))?;
        let (mut is_always, mut worlds) = (!answers.is_cut, Vec::new());
        for (choices, exists) in answers.each {
            is_always &= exists;
            if exists {
                worlds.push(choices);
            }
        }
        if worlds.is_empty() && !answers.is_cut {
            return Ok(None);
        }
        if worlds.is_empty() {
            worlds.push(Choices::new());
        }
        let exists = if is_always {
            Exists::Yes
        } else {
            Exists::Maybe {
                conditions: self.condition_names(stack, resource),
                parameters: answers.parameters.into_iter().collect(),
            }
        };
        Ok(Some(Presence {
            exists,
            starts: Presence::starts(worlds),
        }))
    }

    /// Tells whether a resource exists in this world: by its condition and those of the stacks around it.
    fn exists(&mut self, stack: usize, resource: &Node) -> Result<bool, TooMuch> {
        let this = Rc::clone(&self.stacks[stack]);
        if let Some((outer, id)) = &this.parent {
            let outer_stack = Rc::clone(&self.stacks[*outer]);
            if let Some(around) = outer_stack.resource(id)
                && !self.exists(*outer, around)?
            {
                return Ok(false);
            }
        }
        match resource.get("Condition") {
            Some(condition) => self.condition(stack, condition),
            None => Ok(true),
        }
    }

    /// Returns the names of the conditions that a resource stands under.
    fn condition_names(&self, stack: usize, resource: &Node) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(name) = resource.get("Condition").and_then(Node::as_text) {
            names.push(name.to_owned());
        }
        if let Some((outer, id)) = &self.stacks[stack].parent
            && let Some(around) = self.stacks[*outer].resource(id)
        {
            names.extend(self.condition_names(*outer, around));
        }
        names
    }

    /// Returns a text that stands at the end of a path.
    pub(super) fn text_at(
        &mut self,
        from: &Resolved,
        path: &[&str],
        starts: &[Choices],
    ) -> Result<Attribute<String>, TooMuch> {
        let answers = self.values_at(from, path, starts)?;
        Ok(self.merge(answers, None, |value| value.as_text().map(str::to_owned)))
    }

    /// Returns a number that stands at the end of a path.
    pub(super) fn number_at(
        &mut self,
        from: &Resolved,
        path: &[&str],
        starts: &[Choices],
        default: Option<u32>,
    ) -> Result<Attribute<u32>, TooMuch> {
        let answers = self.values_at(from, path, starts)?;
        Ok(self.merge(answers, default, |value| number(value.as_text()?)))
    }

    /// Returns a boolean that stands at the end of a path; text counts as `CloudFormation` takes it.
    pub(super) fn flag_at(
        &mut self,
        from: &Resolved,
        path: &[&str],
        starts: &[Choices],
    ) -> Result<Attribute<bool>, TooMuch> {
        let answers = self.values_at(from, path, starts)?;
        Ok(self.merge(answers, Some(false), |value| {
            let text = value.as_text()?;
            let is_true = ["true", "yes", "on", "1"]
                .iter()
                .any(|one| text.eq_ignore_ascii_case(one));
            let is_false = ["false", "no", "off", "0"]
                .iter()
                .any(|one| text.eq_ignore_ascii_case(one));
            (is_true || is_false).then_some(is_true)
        }))
    }

    /// Tells whether anything stands at the end of a path; an empty list or mapping is nothing.
    pub(super) fn presence_at(
        &mut self,
        from: &Resolved,
        path: &[&str],
        starts: &[Choices],
    ) -> Result<Attribute<bool>, TooMuch> {
        let mut answers = self.values_at(from, path, starts)?;
        for (_, value) in &mut answers.each {
            let is_there = match value {
                Value::Absent => false,
                Value::List(items) => !items.is_empty(),
                Value::Unknown(_) => continue,
                Value::Text(_) | Value::Map(_) => true,
            };
            *value = if is_there {
                Value::text("true")
            } else {
                Value::Absent
            };
        }
        Ok(self.merge(answers, Some(false), |value| {
            Some(value.as_text() == Some("true"))
        }))
    }

    /// Returns the resource of a type that a value names: its address; else the text of the value.
    pub(super) fn target_at(
        &mut self,
        from: &Resolved,
        path: &[&str],
        starts: &[Choices],
        type_name: &str,
    ) -> Result<Attribute<String>, TooMuch> {
        let mut answers = self.values_at(from, path, starts)?;
        for (_, value) in &mut answers.each {
            if let Some(address) = self.address_of(value, type_name) {
                *value = Value::text(&address);
            }
        }
        Ok(self.merge(answers, None, |value| value.as_text().map(str::to_owned)))
    }

    /// Returns the address of the resource of a type that an unknown value is.
    pub(super) fn address_of(&self, value: &Value, type_name: &str) -> Option<String> {
        let Value::Unknown(Unknown {
            why: Why::Resource { stack, id, .. },
            ..
        }) = value
        else {
            return None;
        };
        let stack = self.stacks.get(*stack)?;
        let named = stack.resource(id)?.get("Type")?.as_text()?;
        (named == type_name).then(|| stack.address(id))
    }

    /// Evaluates what stands at the end of a path, in every world.
    pub(super) fn values_at(
        &mut self,
        from: &Resolved,
        path: &[&str],
        starts: &[Choices],
    ) -> Result<Answers<Value>, TooMuch> {
        self.ask(starts, |this| {
            let mut at = match from {
                Resolved::Node(stack, node) => this.resolve(*stack, node)?,
                other => other.clone(),
            };
            for key in path {
                at = this.at(&at, key)?;
            }
            this.finish(&at)
        })
    }

    /// Makes one attribute of the values in every world.
    pub(super) fn merge<T: PartialEq>(
        &self,
        answers: Answers<Value>,
        default: Option<T>,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Attribute<T> {
        let mut parameters: BTreeSet<String> = answers.parameters;
        let mut distinct: Vec<Value> = Vec::new();
        for (_, value) in answers.each {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        let depends = |parameters: BTreeSet<String>, choices| Attribute::Depends {
            parameters: parameters.into_iter().collect(),
            choices,
        };
        if answers.is_cut {
            return depends(parameters, Vec::new());
        }
        if let [only] = distinct.as_slice() {
            return match only {
                Value::Absent => Attribute::Absent,
                Value::Unknown(unknown) => match &unknown.why {
                    Why::Parameter => depends((*unknown.parameters).clone(), Vec::new()),
                    Why::Other(reason) => Attribute::Unknown(reason.clone()),
                    Why::Resource { stack, id, .. } => {
                        let address = self.stacks.get(*stack).map(|stack| stack.address(id));
                        Attribute::Unknown(Reason::ResourceAttribute(address.unwrap_or_default()))
                    }
                },
                known => match convert(known) {
                    Some(value) => Attribute::Known(value),
                    None => Attribute::Unknown(Reason::Malformed),
                },
            };
        }
        let unknown = distinct.iter().filter_map(Value::first_unknown);
        let mut is_complete = true;
        for unknown in unknown {
            is_complete = false;
            parameters.extend(unknown.parameters.iter().cloned());
        }
        let mut choices: Vec<T> = Vec::new();
        let mut default = default;
        if is_complete {
            for value in &distinct {
                let choice = match value {
                    Value::Absent => default.take(),
                    value => convert(value),
                };
                if let Some(choice) = choice
                    && !choices.contains(&choice)
                {
                    choices.push(choice);
                }
            }
        }
        if is_complete && choices.len() == 1 && !distinct.contains(&Value::Absent) {
            // Written differently, and the same.
            if let Some(choice) = choices.pop() {
                return Attribute::Known(choice);
            }
        }
        depends(parameters, choices)
    }
}

/// Reads a whole number, as YAML may write it: `60`, `60.0`.
fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let whole = text.split_once('.').map_or(text, |(whole, rest)| {
        if rest.bytes().all(|byte| byte == b'0') {
            whole
        } else {
            text
        }
    });
    whole.parse().ok()
}
