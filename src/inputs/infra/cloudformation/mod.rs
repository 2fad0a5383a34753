//! Templates of `CloudFormation` and SAM, evaluated: parameters, conditions, functions, loops, nested stacks.
//!
//! `document` has the tree, `stack` a template with its values, `evaluate` the expressions (`functions`,
//! `conditions`, `expand`), `world` how undecided conditions are tried both ways, `load` what lies beside a
//! template, `resources`, `pipeline` and `deployment` what the resources are.

mod conditions;
mod deployment;
mod document;
mod error;
mod evaluate;
mod expand;
mod functions;
mod load;
mod parameter_file;
mod parameters;
mod pipeline;
mod query;
mod resources;
mod stack;
mod value;
mod world;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use self::{
    document::{Kind, Node, decode},
    load::Loader,
};
use crate::domain::{
    ids::{AccountId, Region},
    infra::{Form, Infra},
};

pub(super) use self::load::file as load_file;
pub use self::{
    error::{Cause, Problem, TemplateError},
    parameter_file::read as read_parameters,
};

/// A template to read.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Its file.
    pub file: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The name of the stack it makes, where that is known.
    pub stack: Option<String>,
    /// The region of that stack.
    pub region: Option<Region>,
    /// The account of that stack.
    pub account: Option<AccountId>,
    /// Values of its parameters, besides those given for all.
    pub parameters: BTreeMap<String, String>,
}

/// What is stated for all templates.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Values of parameters.
    pub parameters: BTreeMap<String, String>,
    /// The region of stacks that state none.
    pub region: Option<Region>,
    /// The account of stacks that state none.
    pub account: Option<AccountId>,
}

/// What templates say.
#[derive(Debug)]
pub struct Reading {
    /// The resources.
    pub infra: Infra,
    /// Parameters that were given and that no template has.
    pub unused_parameters: BTreeSet<String>,
    /// Every parameter of the templates, for a word on one that is misspelt.
    pub parameters: BTreeSet<String>,
}

/// Reads the bytes of a file that lies beside a template.
pub type Load<'l> = &'l dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Reads templates that belong together: what one exports, another imports.
pub fn read(
    templates: &[Template],
    options: &Options,
    load: Load<'_>,
) -> Result<Reading, TemplateError> {
    let mut infra = Infra::new(Form::CloudFormation);
    let mut loader = Loader::new(options, load);
    loader.add(templates)?;
    loader.describe(&mut infra)?;
    Ok(Reading {
        infra,
        unused_parameters: loader.unused(),
        parameters: loader.names(),
    })
}

/// Reads templates from disk, with what lies beside them.
pub fn read_files(files: &[PathBuf], options: &Options) -> Result<Reading, TemplateError> {
    let templates: Result<Vec<Template>, TemplateError> = files
        .iter()
        .map(|file| {
            let bytes = load_file(file).map_err(|error| unreadable(file, &error))?;
            Ok(Template {
                file: file.clone(),
                bytes,
                ..Template::default()
            })
        })
        .collect();
    read(&templates?, options, &load_file)
}

/// Says that a file cannot be read.
pub(super) fn unreadable(file: &Path, error: &io::Error) -> TemplateError {
    let kind = error.kind().to_string();
    TemplateError::file(&file.display().to_string(), Problem::Unreadable(kind))
}

/// Tells whether bytes look like a template: a tree with resources of AWS's types, or with its version.
pub fn is_template(bytes: &[u8]) -> bool {
    let Ok(text) = decode("", bytes) else {
        return false;
    };
    match document::parse("", &text) {
        Ok(root) => looks_like_template(&root),
        // A broken one is named by its reader.
        Err(_) => text
            .lines()
            .map(|line| line.trim_start().trim_start_matches('"'))
            .any(|line| {
                line.starts_with("AWSTemplateFormatVersion") || line.starts_with("Resources")
            }),
    }
}

fn looks_like_template(root: &Node) -> bool {
    let has_type = |(key, resource): &(std::rc::Rc<str>, Node)| {
        key.starts_with("Fn::")
            || resource
                .get("Type")
                .and_then(Node::as_text)
                .is_some_and(|name| name.contains("::"))
    };
    let resources = root.get("Resources").map(Node::entries).unwrap_or_default();
    root.get("AWSTemplateFormatVersion").is_some() || resources.iter().any(has_type)
}

/// Reads the tree of a template, and looks whether it is one.
fn parse(file: &str, bytes: &[u8]) -> Result<Node, TemplateError> {
    let text = decode(file, bytes)?;
    let root = document::parse(file, &text)?;
    let shape = |line: usize, what: &str, expected: &'static str| {
        let what = what.to_owned();
        TemplateError::line(file, line, Problem::Shape { what, expected })
    };
    let Some(resources) = root.get("Resources") else {
        return Err(TemplateError::file(file, Problem::NoResources));
    };
    for section in [
        "Resources",
        "Parameters",
        "Conditions",
        "Mappings",
        "Outputs",
        "Globals",
    ] {
        if let Some(node) = root.get(section)
            && !matches!(node.kind, Kind::Map(_) | Kind::Null)
        {
            return Err(shape(node.line, section, "a mapping of names"));
        }
    }
    for (id, resource) in resources.entries() {
        if id.starts_with("Fn::") {
            continue;
        }
        if resource.get("Type").and_then(Node::as_text).is_none() {
            let what = format!("the Type of {id}");
            return Err(shape(
                resource.line,
                &what,
                "a text such as AWS::CodeBuild::Project",
            ));
        }
    }
    Ok(root)
}
