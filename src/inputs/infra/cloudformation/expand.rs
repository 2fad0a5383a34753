//! `Fn::ForEach`: a key whose value is a loop. Loops are written out before anything else is read; one whose
//! list is not known stays, and is named.

use std::rc::Rc;

use super::{
    document::{Kind, Node},
    evaluate::{Evaluator, TooMuch},
    value::Value,
    world::Choices,
};

/// How many values a template may have after its loops are written out.
const MAX_NODES: usize = 1_000_000;

/// The name of a loop's variable, and its value.
type Binding = (Rc<str>, Rc<str>);

/// Writes out the loops of one template.
pub(super) struct Expansion<'e> {
    evaluator: &'e mut Evaluator,
    stack: usize,
    nodes: usize,
}

impl<'e> Expansion<'e> {
    /// Begins with a stack whose parameters are known.
    pub(super) fn new(evaluator: &'e mut Evaluator, stack: usize) -> Self {
        Self {
            evaluator,
            stack,
            nodes: 0,
        }
    }

    /// Returns the template without loops.
    pub(super) fn expand(&mut self, node: &Node) -> Result<Node, TooMuch> {
        if has_loop(node) {
            self.node(node, &[])
        } else {
            Ok(node.clone())
        }
    }

    fn node(&mut self, node: &Node, bindings: &[Binding]) -> Result<Node, TooMuch> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(TooMuch);
        }
        let kind = match &node.kind {
            Kind::Null => Kind::Null,
            Kind::Text(text) => Kind::Text(self.text(text, bindings)?),
            Kind::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items.iter() {
                    list.push(self.node(item, bindings)?);
                }
                Kind::List(list.into())
            }
            Kind::Map(entries) => {
                if let Some(("Ref", argument)) = node.function()
                    && let Some(bound) = argument.as_text().and_then(|name| find(bindings, name))
                {
                    return Ok(Node::of_text(node.line, bound));
                }
                let mut map = Vec::with_capacity(entries.len());
                for (key, value) in entries.iter() {
                    if key.starts_with("Fn::ForEach::") {
                        self.repeat(key, value, bindings, &mut map)?;
                    } else {
                        let key = self.text(key, bindings)?;
                        map.push((key, self.node(value, bindings)?));
                    }
                }
                Kind::Map(map.into())
            }
        };
        Ok(Node {
            line: node.line,
            kind,
        })
    }

    /// Writes out one loop.
    fn repeat(
        &mut self,
        key: &Rc<str>,
        value: &Node,
        bindings: &[Binding],
        map: &mut Vec<(Rc<str>, Node)>,
    ) -> Result<(), TooMuch> {
        if let [variable, list, body] = value.items()
            && let Some(variable) = variable.as_text()
        {
            let list = self.node(list, bindings)?;
            if let Some(values) = self.values(&list)? {
                for value in values {
                    let mut inner = bindings.to_vec();
                    inner.push((Rc::from(variable), value));
                    let Node {
                        kind: Kind::Map(made),
                        ..
                    } = self.node(body, &inner)?
                    else {
                        continue;
                    };
                    map.extend(made.iter().cloned());
                }
                return Ok(());
            }
        }
        let key = self.text(key, bindings)?;
        map.push((key, value.clone()));
        Ok(())
    }

    /// Evaluates the list of a loop; none where it is not known, or not the same in every case.
    fn values(&mut self, list: &Node) -> Result<Option<Vec<Rc<str>>>, TooMuch> {
        let stack = self.stack;
        let answers = self
            .evaluator
            .ask(&[Choices::new()], |evaluator| evaluator.value(stack, list))?;
        let [(_, first), rest @ ..] = answers.each.as_slice() else {
            return Ok(None);
        };
        if answers.is_cut || rest.iter().any(|(_, other)| other != first) {
            return Ok(None);
        }
        let Value::List(items) = first else {
            return Ok(None);
        };
        let mut values = Vec::new();
        for item in items.iter() {
            match item {
                Value::Text(text) => values.push(Rc::clone(text)),
                // A list within the list, as a parameter that is one of several collections.
                Value::List(inner) => {
                    for item in inner.iter() {
                        let Value::Text(text) = item else {
                            return Ok(None);
                        };
                        values.push(Rc::clone(text));
                    }
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(values))
    }

    /// Puts the loops' variables into a text: `${Name}` as it is, `&{Name}` without what ids cannot have.
    fn text(&mut self, text: &Rc<str>, bindings: &[Binding]) -> Result<Rc<str>, TooMuch> {
        if bindings.is_empty() || !text.contains('{') {
            return Ok(Rc::clone(text));
        }
        let mut made = text.to_string();
        for (name, value) in bindings {
            made = made.replace(&format!("${{{name}}}"), value);
            let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            made = made.replace(&format!("&{{{name}}}"), &plain);
            self.evaluator.made(made.len())?;
        }
        Ok(Rc::from(made))
    }
}

fn find<'b>(bindings: &'b [Binding], name: &str) -> Option<&'b Rc<str>> {
    let mut inner = bindings.iter().rev();
    inner
        .find(|(bound, _)| &**bound == name)
        .map(|(_, value)| value)
}

/// Tells whether there is a loop anywhere.
fn has_loop(node: &Node) -> bool {
    match &node.kind {
        Kind::Null | Kind::Text(_) => false,
        Kind::List(items) => items.iter().any(has_loop),
        Kind::Map(entries) => entries
            .iter()
            .any(|(key, value)| key.starts_with("Fn::ForEach::") || has_loop(value)),
    }
}
