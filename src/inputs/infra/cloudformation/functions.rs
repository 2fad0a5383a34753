//! The intrinsic functions that make values.

use std::rc::Rc;

use super::{
    document::Node,
    evaluate::{Evaluator, TooMuch, because, literal},
    value::{Pieces, Value},
    world::Atom,
};
use crate::domain::infra::Reason;

/// The longest text a function may make: ten times what a stack takes as a template.
const MAX_TEXT: usize = 8 << 20;

/// The most parts that `Fn::Cidr` makes.
const MAX_SUBNETS: u32 = 256;

impl Evaluator {
    /// Evaluates a function.
    pub(super) fn call(
        &mut self,
        stack: usize,
        name: &str,
        argument: &Node,
    ) -> Result<Value, TooMuch> {
        match name {
            "Ref" => match argument.as_text() {
                Some(target) => self.reference(stack, target),
                None => Ok(Value::malformed(name)),
            },
            "Condition" => self.statement(stack, argument),
            "Fn::If" => match argument.items() {
                [condition, yes, no] => {
                    let branch = if self.condition(stack, condition)? {
                        yes
                    } else {
                        no
                    };
                    self.value(stack, branch)
                }
                _ => Ok(Value::malformed(name)),
            },
            "Fn::And" | "Fn::Or" | "Fn::Not" | "Fn::Equals" => {
                let node = Node {
                    line: argument.line,
                    kind: super::document::Kind::Map([(Rc::from(name), argument.clone())].into()),
                };
                let holds = self.condition(stack, &node)?;
                Ok(Value::text(if holds { "true" } else { "false" }))
            }
            "Fn::Sub" => self.substitute(stack, argument),
            "Fn::Join" => self.join(stack, argument),
            "Fn::Select" => self.select(stack, argument),
            "Fn::Split" => self.split(stack, argument),
            "Fn::GetAtt" => self.get_attribute(stack, argument),
            "Fn::FindInMap" => self.find_in_map(stack, argument),
            "Fn::ImportValue" => {
                let name = self.value(stack, argument)?;
                self.import(&name)
            }
            "Fn::Base64" => Ok(match self.value(stack, argument)? {
                Value::Text(text) => {
                    self.made(text.len() / 3 * 4)?;
                    Value::text(&base64(text.as_bytes()))
                }
                other => other,
            }),
            "Fn::Length" => Ok(match self.value(stack, argument)? {
                Value::List(items) => Value::text(&items.len().to_string()),
                Value::Unknown(unknown) => Value::Unknown(unknown),
                _ => Value::malformed(name),
            }),
            "Fn::ToJsonString" => {
                let value = self.value(stack, argument)?;
                let text = value.to_json();
                self.made(text.len())?;
                Ok(match value.first_unknown() {
                    Some(unknown) => Value::Unknown(super::value::Unknown {
                        sketch: Rc::from(text),
                        ..unknown.clone()
                    }),
                    None => Value::text(&text),
                })
            }
            "Fn::Cidr" => self.subnets(stack, argument),
            "Fn::GetAZs" => Ok(Value::unknown(Reason::ChosenByAws, "${zones}")),
            "Fn::Transform" => {
                let macro_name = argument.get("Name").and_then(Node::as_text);
                let macro_name = macro_name.unwrap_or("Fn::Transform").to_owned();
                Ok(Value::unknown(Reason::Macro(macro_name), "${macro}"))
            }
            other => Ok(Value::unknown(
                Reason::Function(other.to_owned()),
                &format!("${{{other}}}"),
            )),
        }
    }

    /// A mapping of the single key `Condition`: a condition by its name, or a policy's.
    fn statement(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        if argument.as_text().is_some() {
            let holds = self.condition(stack, argument)?;
            return Ok(Value::text(if holds { "true" } else { "false" }));
        }
        let inner = self.value(stack, argument)?;
        Ok(Value::Map([(Rc::from("Condition"), inner)].into()))
    }

    fn substitute(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        let (text, variables) = match argument.items() {
            [] => (argument.as_text(), None),
            [text] => (text.as_text(), None),
            [text, variables, ..] => (text.as_text(), Some(variables)),
        };
        let Some(text) = text else {
            return Ok(Value::malformed("Fn::Sub"));
        };
        let mut pieces = Pieces::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            pieces.push(before);
            let Some((name, after)) = after.split_once('}') else {
                pieces.push("${");
                rest = after;
                continue;
            };
            rest = after;
            let name = name.trim();
            if let Some(verbatim) = name.strip_prefix('!') {
                pieces.push(&format!("${{{verbatim}}}"));
                continue;
            }
            let variable = variables.and_then(|variables| variables.get(name));
            let value = match (variable, name.split_once('.')) {
                (Some(variable), _) => self.value(stack, variable)?,
                (None, Some((id, attribute))) => self.attribute(stack, id, attribute)?,
                (None, None) => self.reference(stack, name)?,
            };
            pieces.add(&value);
            if pieces.len() > MAX_TEXT {
                return Err(TooMuch);
            }
        }
        pieces.push(rest);
        self.made(pieces.len())?;
        Ok(resolved(pieces.finish()))
    }

    fn join(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        let [delimiter, list] = argument.items() else {
            return Ok(Value::malformed("Fn::Join"));
        };
        let delimiter = delimiter.as_text().unwrap_or_default();
        let items = match self.value(stack, list)? {
            Value::List(items) => items,
            Value::Unknown(unknown) => {
                return Ok(Value::Unknown(super::value::Unknown {
                    sketch: Rc::from(format!("${{join:{}}}", unknown.sketch)),
                    ..unknown
                }));
            }
            _ => return Ok(Value::malformed("Fn::Join")),
        };
        let mut pieces = Pieces::default();
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                pieces.push(delimiter);
            }
            pieces.add(item);
            if pieces.len() > MAX_TEXT {
                return Err(TooMuch);
            }
        }
        self.made(pieces.len())?;
        Ok(resolved(pieces.finish()))
    }

    fn select(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        let [index, list] = argument.items() else {
            return Ok(Value::malformed("Fn::Select"));
        };
        let index = self.value(stack, index)?;
        Ok(match (index, self.value(stack, list)?) {
            (Value::Text(index), Value::List(items)) => {
                let index: Option<usize> = index.trim().parse().ok();
                index
                    .and_then(|index| items.get(index).cloned())
                    .unwrap_or_else(|| Value::malformed("Fn::Select"))
            }
            (Value::Unknown(unknown), _) => Value::Unknown(unknown),
            (index, Value::Unknown(unknown)) => Value::Unknown(super::value::Unknown {
                sketch: Rc::from(format!("${{select:{}:{}}}", index.sketch(), unknown.sketch)),
                ..unknown
            }),
            _ => Value::malformed("Fn::Select"),
        })
    }

    fn split(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        let [delimiter, text] = argument.items() else {
            return Ok(Value::malformed("Fn::Split"));
        };
        let Some(delimiter) = delimiter.as_text().filter(|text| !text.is_empty()) else {
            return Ok(Value::malformed("Fn::Split"));
        };
        Ok(match self.value(stack, text)? {
            Value::Text(text) => {
                self.made(text.len())?;
                Value::List(text.split(delimiter).map(Value::text).collect())
            }
            Value::Unknown(unknown) => Value::Unknown(super::value::Unknown {
                sketch: Rc::from(format!("${{split:{delimiter}:{}}}", unknown.sketch)),
                ..unknown
            }),
            _ => Value::malformed("Fn::Split"),
        })
    }

    fn get_attribute(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        if let Some(text) = argument.as_text() {
            let (id, attribute) = text.split_once('.').unwrap_or((text, ""));
            return self.attribute(stack, id, attribute);
        }
        let [id, attribute @ ..] = argument.items() else {
            return Ok(Value::malformed("Fn::GetAtt"));
        };
        let id = self.value(stack, id)?;
        let mut names = Vec::new();
        for part in attribute {
            names.push(self.value(stack, part)?.sketch());
        }
        match id {
            Value::Text(id) => self.attribute(stack, &id, &names.join(".")),
            other => Ok(other),
        }
    }

    fn find_in_map(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        let [map, first, second, options @ ..] = argument.items() else {
            return Ok(Value::malformed("Fn::FindInMap"));
        };
        let map = self.value(stack, map)?;
        let this = Rc::clone(&self.stacks[stack]);
        let Some(map_name) = map.as_text() else {
            return Ok(map);
        };
        let otherwise = options
            .iter()
            .find_map(|options| options.get("DefaultValue"));
        let missing = |this: &mut Self| match otherwise {
            Some(default) => this.value(stack, default),
            None => Ok(Value::malformed("Fn::FindInMap")),
        };
        let Some(mut at) = this.root.get("Mappings").and_then(|all| all.get(map_name)) else {
            return missing(self);
        };
        for key in [first, second] {
            let key = self.value(stack, key)?;
            let found = match &key {
                Value::Text(key) => at.get(key),
                Value::Unknown(unknown) => {
                    self.world
                        .parameters
                        .extend(unknown.parameters.iter().cloned());
                    // With a single key, the key is still not known: it is not guessed.
                    let is_alone = at.entries().len() < 2 && otherwise.is_none();
                    let count = at.entries().len()
                        + usize::from(otherwise.is_some())
                        + usize::from(is_alone);
                    let atom = Atom::Key {
                        stack,
                        map: Rc::from(map_name),
                        text: Rc::clone(&unknown.sketch),
                    };
                    let chosen = self.world.choose(atom, count);
                    match at.entries().get(chosen) {
                        Some((_, node)) => Some(node),
                        None if is_alone => return Ok(key),
                        None => None,
                    }
                }
                _ => return Ok(Value::malformed("Fn::FindInMap")),
            };
            match found {
                Some(found) => at = found,
                None => return missing(self),
            }
        }
        self.value(stack, at)
    }

    fn subnets(&mut self, stack: usize, argument: &Node) -> Result<Value, TooMuch> {
        let unknown = || Value::unknown(Reason::Function("Fn::Cidr".to_owned()), "${cidr}");
        let mut parts = Vec::new();
        for part in argument.items() {
            parts.push(self.value(stack, part)?);
        }
        if let Some(unknown) = parts.iter().find_map(Value::first_unknown) {
            return Ok(because(unknown, Reason::Function("Fn::Cidr".to_owned())));
        }
        let text = |at: usize| parts.get(at).and_then(Value::as_text).map(str::trim);
        let (Some(block), Some(Ok(count))) = (text(0), text(1).map(str::parse::<u32>)) else {
            return Ok(Value::malformed("Fn::Cidr"));
        };
        let bits = text(2).and_then(|text| text.parse::<u32>().ok());
        let subnets = subnets_of(block, count, bits.unwrap_or(8));
        Ok(subnets.map_or_else(unknown, |list| Value::List(list.into())))
    }
}

/// Parts of an IPv4 block, each of 2 to the `bits` addresses.
fn subnets_of(block: &str, count: u32, bits: u32) -> Option<Vec<Value>> {
    let (address, length) = block.split_once('/')?;
    let address: u32 = address.parse::<std::net::Ipv4Addr>().ok()?.into();
    let length: u32 = length.parse().ok()?;
    if count > MAX_SUBNETS || length > 32 || bits >= 32 || bits + length > 32 {
        return None;
    }
    let size = 1u32 << bits;
    (0..count)
        .map(|at| {
            let first = address.checked_add(at.checked_mul(size)?)?;
            let first = std::net::Ipv4Addr::from(first);
            Some(Value::text(&format!("{first}/{}", 32 - bits)))
        })
        .collect()
}

/// A text that was put together may name a store.
fn resolved(value: Value) -> Value {
    match value {
        Value::Text(text) => literal(&text),
        other => other,
    }
}

/// Encodes in base64.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let all = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            if digit > three.len() {
                text.push('=');
            } else {
                let index = (all >> (18 - 6 * digit)) & 63;
                text.push(char::from(DIGITS[index as usize]));
            }
        }
    }
    text
}
