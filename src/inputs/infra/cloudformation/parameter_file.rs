//! Files with values of parameters, in the shapes of the AWS CLI and of `CodePipeline`.

use std::collections::BTreeMap;

use super::{
    document::{Kind, Node, decode, parse},
    error::{Problem, TemplateError},
};

/// Reads a file of parameters. A value that is no text, such as `Fn::GetParam` of `CodePipeline`, is left out:
/// the parameter then has its default, or none.
pub fn read(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, String>, TemplateError> {
    let root = parse(file, &decode(file, bytes)?)?;
    let wrong = |line: usize| TemplateError::line(file, line, Problem::NotParameters);
    let mut values = BTreeMap::new();
    match &root.kind {
        Kind::List(items) => {
            for item in items.iter() {
                if let Some(text) = item.as_text() {
                    // `aws cloudformation deploy --parameter-overrides file://…`
                    let (name, value) = text.split_once('=').ok_or_else(|| wrong(item.line))?;
                    values.insert(name.to_owned(), value.to_owned());
                    continue;
                }
                let name = item.get("ParameterKey").and_then(Node::as_text);
                let name = name.ok_or_else(|| wrong(item.line))?;
                // `UsePreviousValue` says that only AWS has it.
                if let Some(value) = item.get("ParameterValue").and_then(value_of) {
                    values.insert(name.to_owned(), value);
                }
            }
        }
        Kind::Map(entries) => {
            let inner = root.get("Parameters").map(Node::entries);
            for (name, node) in inner.unwrap_or(entries) {
                if let Some(value) = value_of(node) {
                    values.insert(name.to_string(), value);
                } else if inner.is_none() && node.function().is_none() {
                    return Err(wrong(node.line));
                }
            }
        }
        Kind::Null | Kind::Text(_) => return Err(wrong(root.line)),
    }
    Ok(values)
}

/// Returns a value as text; a list is joined, as `CommaDelimitedList` takes it.
fn value_of(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) => Some(text.to_string()),
        Kind::List(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Node::as_text).collect();
            items.map(|items| items.join(","))
        }
        Kind::Null | Kind::Map(_) => None,
    }
}
