//! Evaluates the expressions of a template: references, functions, conditions.

use std::rc::Rc;

use super::{
    document::{Kind, Node},
    stack::Stack,
    value::{Unknown, Value, Why},
    world::{Answers, Choices, MAX_WORLDS, World},
};
use crate::domain::infra::Reason;

/// How many expressions may be evaluated for all stacks together.
const MAX_STEPS: u64 = 5_000_000;

/// How much text they may make.
const MAX_TEXT: usize = 64 << 20;

/// How deep expressions may refer to one another.
const MAX_DEPTH: usize = 160;

/// Evaluation has used up what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

/// An expression whose `Fn::If` are decided.
#[derive(Debug, Clone)]
pub(super) enum Resolved {
    /// What stands there, in which stack.
    Node(usize, Node),
    /// Nothing.
    Absent,
    /// Something that is not written out.
    Value(Value),
}

/// An element of a list, and the names of the conditions in front of it.
pub(super) type Element = (Resolved, Vec<Rc<str>>);

/// Evaluates expressions of all the stacks that are read together.
#[derive(Debug, Default)]
pub(super) struct Evaluator {
    /// The stacks; nested ones among them.
    pub(super) stacks: Vec<Rc<Stack>>,
    /// What is chosen for the unknown at the moment.
    pub(super) world: World,
    /// What stacks export: name, stack, value.
    pub(super) exports: Vec<(Node, usize, Node)>,
    /// Values of secrets may be compared, and are never handed out.
    pub(super) in_condition: bool,
    /// The names of the conditions that `resolve` decided.
    decided: Vec<Rc<str>>,
    steps: u64,
    text: usize,
    depth: usize,
}

impl Evaluator {
    /// Asks a question in every world that it tells apart, below each of some choices.
    pub(super) fn ask<T>(
        &mut self,
        starts: &[Choices],
        mut question: impl FnMut(&mut Self) -> Result<T, TooMuch>,
    ) -> Result<Answers<T>, TooMuch> {
        let mut answers = Answers {
            each: Vec::new(),
            parameters: std::collections::BTreeSet::new(),
            is_cut: false,
        };
        'starts: for start in starts {
            let before = std::mem::replace(&mut self.world, World::begin(start));
            loop {
                if answers.each.len() >= MAX_WORLDS {
                    answers.is_cut = true;
                    answers.parameters.append(&mut self.world.parameters);
                    self.world = before;
                    break 'starts;
                }
                let answer = question(self)?;
                answers.each.push((self.world.choices.clone(), answer));
                if !self.world.next() {
                    break;
                }
            }
            let world = std::mem::replace(&mut self.world, before);
            let was_asked = world.was_asked;
            answers.parameters.extend(world.parameters);
            if !was_asked {
                // No choice matters, so the other starts answer the same.
                break;
            }
        }
        Ok(answers)
    }

    /// Counts one step of evaluation.
    pub(super) fn step(&mut self) -> Result<(), TooMuch> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(TooMuch);
        }
        Ok(())
    }

    /// Counts text that was made.
    pub(super) fn made(&mut self, length: usize) -> Result<(), TooMuch> {
        self.text += length;
        if self.text > MAX_TEXT {
            return Err(TooMuch);
        }
        Ok(())
    }

    /// Goes one level deeper, unless that is too deep: then the answer is `otherwise`.
    pub(super) fn deeper<T>(
        &mut self,
        otherwise: impl FnOnce() -> T,
        inner: impl FnOnce(&mut Self) -> Result<T, TooMuch>,
    ) -> Result<T, TooMuch> {
        self.step()?;
        if self.depth >= MAX_DEPTH {
            return Ok(otherwise());
        }
        self.depth += 1;
        let answer = inner(self);
        self.depth -= 1;
        answer
    }

    /// Evaluates an expression of a stack.
    pub(super) fn value(&mut self, stack: usize, node: &Node) -> Result<Value, TooMuch> {
        self.deeper(
            || Value::unknown(Reason::Function("a circle".to_owned()), "${circle}"),
            |this| match &node.kind {
                Kind::Null => Ok(Value::Absent),
                Kind::Text(text) => Ok(literal(text)),
                Kind::List(items) => this.list(stack, items),
                Kind::Map(entries) => match node.function() {
                    Some((name, argument)) => this.call(stack, name, argument),
                    None => this.map(stack, entries),
                },
            },
        )
    }

    fn list(&mut self, stack: usize, items: &[Node]) -> Result<Value, TooMuch> {
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            match self.value(stack, item)? {
                Value::Absent => {}
                value => values.push(value),
            }
        }
        Ok(Value::List(values.into()))
    }

    fn map(&mut self, stack: usize, entries: &[(Rc<str>, Node)]) -> Result<Value, TooMuch> {
        let mut values = Vec::with_capacity(entries.len());
        for (key, node) in entries {
            match self.value(stack, node)? {
                Value::Absent => {}
                value => values.push((Rc::clone(key), value)),
            }
        }
        Ok(Value::Map(values.into()))
    }

    /// Decides the conditions in front of a value, and leaves the value as it is written.
    pub(super) fn resolve(&mut self, stack: usize, node: &Node) -> Result<Resolved, TooMuch> {
        let mut node = node.clone();
        loop {
            self.step()?;
            if node.kind == Kind::Null {
                return Ok(Resolved::Absent);
            }
            let Some((name, argument)) = node.function() else {
                return Ok(Resolved::Node(stack, node));
            };
            match (name, argument.items(), argument.as_text()) {
                ("Fn::If", [condition, yes, no], _) => {
                    let holds = self.condition(stack, condition)?;
                    if let Kind::Text(name) = &condition.kind {
                        self.decided.push(Rc::clone(name));
                    }
                    let branch = if holds { yes } else { no };
                    node = branch.clone();
                }
                ("Ref", _, Some("AWS::NoValue")) => return Ok(Resolved::Absent),
                _ => {
                    return Ok(match self.value(stack, &node)? {
                        Value::Absent => Resolved::Absent,
                        value => Resolved::Value(value),
                    });
                }
            }
        }
    }

    /// Returns what stands at a key of a value.
    pub(super) fn at(&mut self, from: &Resolved, key: &str) -> Result<Resolved, TooMuch> {
        match from {
            Resolved::Absent => Ok(Resolved::Absent),
            Resolved::Value(value) => Ok(match value.get(key) {
                Value::Absent => Resolved::Absent,
                value => Resolved::Value(value),
            }),
            Resolved::Node(stack, node) => match node.get(key) {
                Some(found) => self.resolve(*stack, found),
                None => Ok(added_by_macro(node)),
            },
        }
    }

    /// Returns what stands at the end of a path.
    pub(super) fn along(
        &mut self,
        stack: usize,
        node: &Node,
        path: &[&str],
    ) -> Result<Resolved, TooMuch> {
        let mut at = self.resolve(stack, node)?;
        for key in path {
            at = self.at(&at, key)?;
        }
        Ok(at)
    }

    /// Evaluates what was resolved.
    pub(super) fn finish(&mut self, resolved: &Resolved) -> Result<Value, TooMuch> {
        match resolved {
            Resolved::Absent => Ok(Value::Absent),
            Resolved::Value(value) => Ok(value.clone()),
            Resolved::Node(stack, node) => self.value(*stack, node),
        }
    }

    /// Returns the elements of a list, each as it is written; none if nobody can tell what they are.
    pub(super) fn elements(
        &mut self,
        from: &Resolved,
    ) -> Result<Result<Vec<Element>, Unknown>, TooMuch> {
        let mut found = Vec::new();
        match from {
            Resolved::Absent => {}
            Resolved::Value(Value::Unknown(unknown)) => return Ok(Err(unknown.clone())),
            Resolved::Value(Value::List(values)) => {
                let made = values.iter().cloned().map(Resolved::Value);
                found.extend(made.map(|value| (value, Vec::new())));
            }
            Resolved::Value(_) => return Ok(Err(no_list())),
            Resolved::Node(stack, node) => {
                if !matches!(node.kind, Kind::List(_)) {
                    return Ok(Err(no_list()));
                }
                for item in node.items() {
                    self.decided.clear();
                    match self.resolve(*stack, item)? {
                        Resolved::Absent => {}
                        item => found.push((item, std::mem::take(&mut self.decided))),
                    }
                }
            }
        }
        Ok(Ok(found))
    }

    /// Evaluates `Ref`, and a `${NAME}` of `Fn::Sub`.
    pub(super) fn reference(&mut self, stack: usize, name: &str) -> Result<Value, TooMuch> {
        let this = Rc::clone(&self.stacks[stack]);
        if let Some(parameter) = this.parameters.get(name) {
            return self.parameter(stack, &this, parameter);
        }
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return Ok(this.pseudo(pseudo));
        }
        match this.resource(name) {
            Some(resource) => self.named(stack, name, resource),
            None => Ok(Value::unknown(
                Reason::ResourceAttribute(name.to_owned()),
                &format!("${{{name}}}"),
            )),
        }
    }

    /// Returns the name of a resource whose `Ref` is its name, where it has one.
    fn named(&mut self, stack: usize, id: &str, resource: &Node) -> Result<Value, TooMuch> {
        let key = match resource.get("Type").and_then(Node::as_text) {
            Some("AWS::CodeBuild::Project" | "AWS::CodePipeline::Pipeline") => "Name",
            Some("AWS::CodeDeploy::Application") => "ApplicationName",
            Some("AWS::CodeDeploy::DeploymentGroup") => "DeploymentGroupName",
            _ => return Ok(Value::resource(stack, id, None)),
        };
        let name = self.along(stack, resource, &["Properties", key])?;
        Ok(match self.finish(&name)? {
            Value::Text(text) => Value::Text(text),
            _ => Value::resource(stack, id, None),
        })
    }

    /// Evaluates an attribute of a resource; outputs of a nested stack that is on disk are evaluated there.
    pub(super) fn attribute(
        &mut self,
        stack: usize,
        id: &str,
        attribute: &str,
    ) -> Result<Value, TooMuch> {
        let this = Rc::clone(&self.stacks[stack]);
        if let (Some(output), Some(child)) = (attribute.strip_prefix("Outputs."), this.child(id)) {
            let nested = Rc::clone(&self.stacks[child]);
            let value = nested
                .root
                .get("Outputs")
                .and_then(|all| all.get(output)?.get("Value"));
            if let Some(value) = value {
                return self.deeper(
                    || Value::resource(stack, id, Some(attribute)),
                    |this| this.value(child, value),
                );
            }
        }
        Ok(Value::resource(stack, id, Some(attribute)))
    }

    /// Evaluates `Fn::ImportValue` across the stacks that were given.
    pub(super) fn import(&mut self, name: &Value) -> Result<Value, TooMuch> {
        let unknown = Value::unknown(
            Reason::Import(name.sketch()),
            &format!("${{import:{}}}", name.sketch()),
        );
        let wanted = name.sketch();
        for (export, stack, value) in self.exports.clone() {
            let exported = self.deeper(|| Value::Absent, |this| this.value(stack, &export))?;
            // Two expressions that are not known are the same only within one stack.
            if exported != Value::Absent && exported.sketch() == wanted {
                return self.deeper(|| unknown, |this| this.value(stack, &value));
            }
        }
        Ok(unknown)
    }
}

/// Text as it stands; one that a store holds is not known, and what it names is not kept.
pub(super) fn literal(text: &Rc<str>) -> Value {
    let Some((_, rest)) = text.split_once("{{resolve:") else {
        return Value::Text(Rc::clone(text));
    };
    let service = rest.split(':').next().unwrap_or_default();
    let is_known = ["ssm", "ssm-secure", "secretsmanager"].contains(&service);
    let service = if is_known { service } else { "resolve" };
    Value::unknown(
        Reason::DynamicReference(service.to_owned()),
        &format!("${{{service}}}"),
    )
}

/// What stands where a list has to be, and is none.
fn no_list() -> Unknown {
    Unknown {
        why: Why::Other(Reason::Malformed),
        parameters: Rc::default(),
        sketch: Rc::from("${list}"),
    }
}

/// What a key that is not there is: nothing, or unknown where a macro may add it.
fn added_by_macro(node: &Node) -> Resolved {
    let added = node.entries().iter().find_map(|(key, _)| {
        if &**key == "Fn::Transform" {
            return Some(Reason::Macro("Fn::Transform".to_owned()));
        }
        key.starts_with("Fn::ForEach::")
            .then(|| Reason::Function(key.to_string()))
    });
    match added {
        Some(reason) => Resolved::Value(Value::unknown(reason, "${macro}")),
        None => Resolved::Absent,
    }
}

/// What a parameter of a text list comes to: parts without the spaces around them.
pub(super) fn comma_list(text: &str) -> Value {
    if text.is_empty() {
        return Value::List(Rc::from([]));
    }
    Value::List(
        text.split(',')
            .map(|part| Value::text(part.trim()))
            .collect(),
    )
}

/// Returns an unknown of a reason in place of another's, with the same text.
pub(super) fn because(unknown: &Unknown, reason: Reason) -> Value {
    Value::Unknown(Unknown {
        why: Why::Other(reason),
        parameters: Rc::clone(&unknown.parameters),
        sketch: Rc::clone(&unknown.sketch),
    })
}
