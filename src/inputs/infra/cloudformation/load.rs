//! Which templates are read: those given, and the nested ones that lie beside them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Component, Path, PathBuf},
    rc::Rc,
};

use super::{
    Load, Options, Template,
    document::{MAX_BYTES, Node},
    error::{Problem, TemplateError},
    evaluate::{Evaluator, TooMuch},
    expand::Expansion,
    parse,
    stack::{Source, Stack, parameters},
    unreadable,
    value::Value,
    world::Choices,
};
use crate::domain::infra::{Infra, Note};

/// How deep stacks nest.
const MAX_NESTING: usize = 20;

/// How many stacks are read together.
const MAX_STACKS: usize = 500;

/// Macros of AWS's own that leave the four services' resources as they are.
const HARMLESS: [&str; 4] = [
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-2020-07-23",
];

/// Reads a file, if it is one and no larger than a template may be.
pub(in crate::inputs::infra) fn file(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if about.len() > MAX_BYTES as u64 {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    fs::read(path)
}

/// Reads templates and what they bring.
pub(super) struct Loader<'l> {
    options: &'l Options,
    load: Load<'l>,
    pub(super) evaluator: Evaluator,
    /// Templates that were given, by their file's name, and whether another one brings them.
    given: BTreeMap<PathBuf, (Vec<u8>, bool)>,
    used: BTreeSet<String>,
    notes: Vec<Note>,
}

impl<'l> Loader<'l> {
    pub(super) fn new(options: &'l Options, load: Load<'l>) -> Self {
        Self {
            options,
            load,
            evaluator: Evaluator::default(),
            given: BTreeMap::new(),
            used: BTreeSet::new(),
            notes: Vec::new(),
        }
    }

    /// Adds the templates that were given, and those they bring.
    pub(super) fn add(&mut self, templates: &[Template]) -> Result<(), TemplateError> {
        for template in templates {
            let file = plain(&template.file);
            self.given.insert(file, (template.bytes.clone(), false));
        }
        let is_alone = templates.len() == 1;
        for template in templates {
            let name = template.file.display().to_string();
            let root = parse(&name, &template.bytes)?;
            let prefix = match &template.stack {
                Some(stack) => stack.clone(),
                None if is_alone => String::new(),
                None => template
                    .file
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default(),
            };
            let source = |parameter: &str| {
                let own = template.parameters.get(parameter);
                match own.or_else(|| self.options.parameters.get(parameter)) {
                    Some(value) => Source::Given(Rc::from(value.as_str())),
                    None => Source::Default,
                }
            };
            let (parameters, used) = parameters(&root, source);
            self.used.extend(used);
            self.push(Stack {
                file: name,
                prefix,
                root,
                parameters,
                region: template
                    .region
                    .clone()
                    .or_else(|| self.options.region.clone()),
                account: template
                    .account
                    .clone()
                    .or_else(|| self.options.account.clone()),
                name: template.stack.clone(),
                parent: None,
                children: std::cell::RefCell::default(),
            })?;
        }
        // Nested ones last, when every export is known: their parameters may import.
        for (stack, template) in templates.iter().enumerate() {
            self.nest(stack, &mut vec![plain(&template.file)])?;
        }
        Ok(())
    }

    /// Adds a stack, its loops written out.
    fn push(&mut self, stack: Stack) -> Result<usize, TemplateError> {
        let at = self.evaluator.stacks.len();
        let file = stack.file.clone();
        if at >= MAX_STACKS {
            return Err(too_much(&file));
        }
        self.transforms(&stack.root);
        let root = stack.root.clone();
        self.evaluator.stacks.push(Rc::new(stack));
        let expanded = Expansion::new(&mut self.evaluator, at).expand(&root);
        let root = expanded.map_err(|TooMuch| too_much(&file))?;
        if let Some(stack) = Rc::get_mut(&mut self.evaluator.stacks[at]) {
            stack.root = root;
        }
        let stack = Rc::clone(&self.evaluator.stacks[at]);
        for (_, output) in stack
            .root
            .get("Outputs")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let export = output.get("Export").and_then(|export| export.get("Name"));
            if let (Some(export), Some(value)) = (export, output.get("Value")) {
                self.evaluator
                    .exports
                    .push((export.clone(), at, value.clone()));
            }
        }
        Ok(at)
    }

    /// Notes the macros that change a template before it is used.
    fn transforms(&mut self, root: &Node) {
        let Some(transform) = root.get("Transform") else {
            return;
        };
        let alone = std::slice::from_ref(transform);
        let all = if transform.items().is_empty() {
            alone
        } else {
            transform.items()
        };
        for one in all {
            let name = one
                .as_text()
                .or_else(|| one.get("Name").and_then(Node::as_text));
            let Some(name) = name.filter(|name| !HARMLESS.contains(name)) else {
                continue;
            };
            self.notes.push(Note::Macro {
                name: name.to_owned(),
            });
        }
    }

    /// Reads the nested stacks of a stack.
    fn nest(&mut self, stack: usize, path: &mut Vec<PathBuf>) -> Result<(), TemplateError> {
        let this = Rc::clone(&self.evaluator.stacks[stack]);
        for (id, resource) in this
            .root
            .get("Resources")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let key = match resource.get("Type").and_then(Node::as_text) {
                Some("AWS::CloudFormation::Stack") => "TemplateURL",
                Some("AWS::Serverless::Application") => "Location",
                _ => continue,
            };
            let place = match cdk_asset(resource) {
                Some(place) => Ok(place.to_owned()),
                None => self.place(stack, &this.file, resource, key)?,
            };
            let found = match place {
                Ok(place) => self.open(&this.file, &place, path)?.ok_or(place),
                Err(unknown) => Err(unknown),
            };
            let (file, bytes) = match found {
                Ok(found) => found,
                Err(location) => {
                    self.notes.push(Note::NestedElsewhere {
                        address: this.address(id),
                        location,
                    });
                    continue;
                }
            };
            if path.contains(&file) {
                let error = TemplateError::line(&this.file, resource.line, Problem::Circle);
                return Err(error);
            }
            if path.len() >= MAX_NESTING {
                return Err(too_much(&this.file));
            }
            let name = file.display().to_string();
            let root = parse(&name, &bytes)?;
            let passed = resource
                .get("Properties")
                .and_then(|all| all.get("Parameters"));
            let source = |parameter: &str| match passed.and_then(|passed| passed.get(parameter)) {
                Some(node) => Source::Expression(stack, node.clone()),
                None => Source::Default,
            };
            let (parameters, _) = parameters(&root, source);
            let child = self.push(Stack {
                file: name,
                prefix: this.address(id),
                root,
                parameters,
                region: this.region.clone(),
                account: this.account.clone(),
                name: None,
                parent: Some((stack, Rc::clone(id))),
                children: std::cell::RefCell::default(),
            })?;
            this.children.borrow_mut().insert(Rc::clone(id), child);
            path.push(file);
            self.nest(child, path)?;
            path.pop();
        }
        Ok(())
    }

    /// Returns where a nested template lies, or why that is not known.
    fn place(
        &mut self,
        stack: usize,
        file: &str,
        resource: &Node,
        key: &str,
    ) -> Result<Result<String, String>, TemplateError> {
        let answers = self
            .evaluator
            .ask(&[Choices::new()], |evaluator| {
                let place = evaluator.along(stack, resource, &["Properties", key])?;
                evaluator.finish(&place)
            })
            .map_err(|TooMuch| too_much(file))?;
        let mut each = answers.each.iter().map(|(_, value)| value);
        let first = each.next().cloned().unwrap_or(Value::Absent);
        Ok(match first {
            Value::Text(text) if each.all(|other| other.as_text() == Some(&text)) => {
                Ok(text.to_string())
            }
            // An application of the Serverless Application Repository.
            Value::Map(_) => Err(first.get("ApplicationId").sketch()),
            other => Err(other.sketch()),
        })
    }

    /// Opens a nested template: beside the one that brings it, or among those given by its file's name.
    fn open(
        &mut self,
        from: &str,
        place: &str,
        path: &[PathBuf],
    ) -> Result<Option<(PathBuf, Vec<u8>)>, TemplateError> {
        let is_far = place.contains("://");
        if is_far {
            let name = place.split(['?', '#']).next().unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            let found = self.given.iter_mut().find(|(file, _)| {
                file.file_name().is_some_and(|other| other == name) && !path.contains(file)
            });
            return Ok(found.map(|(file, (bytes, is_nested))| {
                *is_nested = true;
                (file.clone(), bytes.clone())
            }));
        }
        let beside = Path::new(from).parent().unwrap_or_else(|| Path::new(""));
        let file = plain(&beside.join(place));
        if let Some((bytes, is_nested)) = self.given.get_mut(&file) {
            *is_nested = true;
            return Ok(Some((file, bytes.clone())));
        }
        match (self.load)(&file) {
            Ok(bytes) => Ok(Some((file, bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&file, &error)),
        }
    }

    /// Writes down every resource of every stack.
    pub(super) fn describe(&mut self, infra: &mut Infra) -> Result<(), TemplateError> {
        for note in std::mem::take(&mut self.notes) {
            infra.note(note);
        }
        for stack in 0..self.evaluator.stacks.len() {
            let this = Rc::clone(&self.evaluator.stacks[stack]);
            let is_nested = this.parent.is_none()
                && self
                    .given
                    .get(&plain(Path::new(&this.file)))
                    .is_some_and(|(_, is_nested)| *is_nested);
            if !is_nested {
                self.evaluator
                    .describe(stack, infra)
                    .map_err(|TooMuch| too_much(&this.file))?;
            }
        }
        Ok(())
    }

    /// Returns the parameters that were given and that no template has.
    pub(super) fn unused(&self) -> BTreeSet<String> {
        let given = self.options.parameters.keys();
        given
            .filter(|name| !self.used.contains(*name))
            .cloned()
            .collect()
    }

    /// Returns the parameters of the templates that were given.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let roots = self
            .evaluator
            .stacks
            .iter()
            .filter(|stack| stack.parent.is_none());
        roots
            .flat_map(|stack| stack.parameters.keys().cloned())
            .collect()
    }
}

fn too_much(file: &str) -> TemplateError {
    TemplateError::file(file, Problem::TooMuch)
}

/// Returns the file of a nested template that CDK wrote beside its parent.
fn cdk_asset(resource: &Node) -> Option<&str> {
    let metadata = resource.get("Metadata")?;
    let is_template = metadata.get("aws:asset:property")?.as_text()? == "TemplateURL";
    let place = metadata.get("aws:asset:path")?.as_text()?;
    is_template.then_some(place)
}

/// Takes `.` and `x/..` out of a path.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
