//! A template's text as a tree. Every scalar stays text, as `CloudFormation` compares it: an account number
//! keeps its zeros, `Yes` is no boolean. Every node knows its line, for errors.

use std::rc::Rc;

use saphyr_parser::{Event, Parser, Tag};

use super::error::{Problem, TemplateError};
use crate::inputs::infra::text;

/// How deep a template may nest. `CloudFormation`'s own are far below; what is deeper is no template.
const MAX_DEPTH: usize = 100;

/// How many values a template may have: fifty for each of the 20,000 lines of a large one.
const MAX_NODES: usize = 1_000_000;

/// How large a template may be. AWS takes 1 MB.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// A value of a template, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// The line, from 1; 0 where it is not known.
    pub(super) line: usize,
    /// What it is.
    pub(super) kind: Kind,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: an empty value, `null` or `~`.
    Null,
    /// Any scalar.
    Text(Rc<str>),
    /// A sequence.
    List(Rc<[Node]>),
    /// A mapping in its order. Short forms (`!Ref x`) are mappings by their long names.
    Map(Rc<[(Rc<str>, Node)]>),
}

impl Node {
    /// Returns a text without a place.
    pub(super) fn of_text(line: usize, text: &str) -> Self {
        Self {
            line,
            kind: Kind::Text(Rc::from(text)),
        }
    }

    /// Returns the value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(name, _)| &**name == key)
            .map(|(_, node)| node)
    }

    /// Returns the entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(Rc<str>, Node)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the elements of a sequence; none of anything else.
    pub(super) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the text of a scalar.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the name and argument of an intrinsic function: a mapping of a single `Fn::…`, `Ref` or
    /// `Condition`.
    pub(super) fn function(&self) -> Option<(&str, &Node)> {
        match self.entries() {
            [(name, argument)]
                if name.starts_with("Fn::") || &**name == "Ref" || &**name == "Condition" =>
            {
                Some((name, argument))
            }
            _ => None,
        }
    }
}

/// Returns the text of a file: UTF-8, or UTF-16 with its mark, as PowerShell writes it.
pub(super) fn decode(file: &str, bytes: &[u8]) -> Result<String, TemplateError> {
    if bytes.len() > MAX_BYTES {
        return Err(TemplateError::file(file, Problem::TooLong));
    }
    let text = text::decode(bytes.to_vec());
    if text.contains('\0') {
        return Err(TemplateError::file(file, Problem::NotText));
    }
    Ok(text)
}

/// Reads YAML or JSON, with or without trailing commas.
pub(super) fn parse(file: &str, text: &str) -> Result<Node, TemplateError> {
    match Builder::new(file).build(text) {
        Ok(node) => Ok(node),
        Err(error) if error.problem.is_of_syntax() => {
            if let Some(line) = template_language(text) {
                return Err(TemplateError::line(file, line, Problem::NotRendered));
            }
            if !text.trim_start().starts_with(['{', '[']) {
                return Err(error);
            }
            // JSON that YAML does not know: pairs of surrogates, tabs between tokens.
            match serde_json::from_str(text) {
                Ok(value) => Ok(from_json(&value)),
                Err(_) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Finds the first line of a template language: a statement of Jinja, or an expression of one outside of
/// quotes, where YAML stumbles over it.
fn template_language(text: &str) -> Option<usize> {
    let is_one = |line: &str| {
        let line = line.trim_start();
        !line.starts_with('#')
            && (line.contains("{%")
                || line.contains("{#")
                || line.starts_with("{{")
                || line.contains(": {{")
                || line.contains("<%"))
    };
    text.lines().position(is_one).map(|at| at + 1)
}

fn from_json(value: &serde_json::Value) -> Node {
    let kind = match value {
        serde_json::Value::Null => Kind::Null,
        serde_json::Value::String(text) => Kind::Text(Rc::from(text.as_str())),
        serde_json::Value::Array(items) => Kind::List(items.iter().map(from_json).collect()),
        serde_json::Value::Object(entries) => Kind::Map(
            entries
                .iter()
                .map(|(key, value)| (Rc::from(key.as_str()), from_json(value)))
                .collect(),
        ),
        scalar => Kind::Text(Rc::from(scalar.to_string())),
    };
    Node { line: 0, kind }
}

/// A collection that is still open.
struct Open {
    line: usize,
    tag: Option<String>,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<(Rc<str>, Node)>,
        key: Option<(Rc<str>, usize)>,
    },
}

/// Builds the tree from the parser's events, without recursion.
struct Builder<'f> {
    file: &'f str,
    stack: Vec<Open>,
    nodes: usize,
    root: Option<Node>,
}

impl<'f> Builder<'f> {
    fn new(file: &'f str) -> Self {
        Self {
            file,
            stack: Vec::new(),
            nodes: 0,
            root: None,
        }
    }

    fn build(mut self, text: &str) -> Result<Node, TemplateError> {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let (line, column) = (error.marker().line(), error.marker().col() + 1);
                let problem = match error.info() {
                    "recursion limit exceeded" => Problem::TooDeep,
                    "while parsing node, found unknown anchor" => Problem::Alias,
                    _ => Problem::syntax(text, line),
                };
                TemplateError::at(self.file, line, column, problem)
            })?;
            let line = span.start.line();
            match event {
                Event::DocumentStart(_) if self.root.is_some() => {
                    return Err(TemplateError::line(
                        self.file,
                        line,
                        Problem::SeveralDocuments,
                    ));
                }
                Event::Alias(_) => return Err(self.refused(line, Problem::Alias)),
                Event::Scalar(value, style, anchor, tag) => {
                    if anchor > 0 {
                        return Err(self.refused(line, Problem::Alias));
                    }
                    let is_plain = style == saphyr_parser::ScalarStyle::Plain;
                    self.scalar(line, value.as_ref(), is_plain, tag.as_deref())?;
                }
                Event::SequenceStart(anchor, tag) => {
                    let content = Content::List(Vec::new());
                    self.open(line, anchor, tag.as_deref(), content)?;
                }
                Event::MappingStart(anchor, tag) => {
                    let content = Content::Map {
                        entries: Vec::new(),
                        key: None,
                    };
                    self.open(line, anchor, tag.as_deref(), content)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close()?,
                _ => {}
            }
        }
        self.root
            .ok_or_else(|| TemplateError::file(self.file, Problem::Empty))
    }

    fn refused(&self, line: usize, problem: Problem) -> TemplateError {
        TemplateError::line(self.file, line, problem)
    }

    fn open(
        &mut self,
        line: usize,
        anchor: usize,
        tag: Option<&Tag>,
        content: Content,
    ) -> Result<(), TemplateError> {
        if anchor > 0 {
            return Err(self.refused(line, Problem::Alias));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.refused(line, Problem::TooDeep));
        }
        if let Some(Open {
            content: Content::Map { key: None, .. },
            ..
        }) = self.stack.last()
        {
            // A mapping or list in place of a key, as in `{{ name }}`.
            return Err(self.refused(line, Problem::KeyNotText));
        }
        let tag = self.tag(line, tag)?;
        self.stack.push(Open { line, tag, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), TemplateError> {
        let Some(Open { line, tag, content }) = self.stack.pop() else {
            return Ok(());
        };
        let kind = match content {
            Content::List(items) => Kind::List(items.into()),
            Content::Map { mut entries, .. } => {
                let mut names: Vec<&Rc<str>> = entries.iter().map(|(name, _)| name).collect();
                names.sort_unstable();
                if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                    let name = Rc::clone(twice[0]);
                    let mut same = entries.iter().filter(|(other, _)| *other == name);
                    let first = same.next().map_or(line, |(_, node)| node.line);
                    let second = same.next().map_or(line, |(_, node)| node.line);
                    let name = name.to_string();
                    return Err(self.refused(second, Problem::KeyTwice { name, first }));
                }
                entries.shrink_to_fit();
                Kind::Map(entries.into())
            }
        };
        self.push(line, tag, kind)
    }

    fn scalar(
        &mut self,
        line: usize,
        text: &str,
        is_plain: bool,
        tag: Option<&Tag>,
    ) -> Result<(), TemplateError> {
        if let Some(Open {
            content: Content::Map { key, .. },
            ..
        }) = self.stack.last_mut()
            && key.is_none()
        {
            if text == "<<" && is_plain {
                return Err(self.refused(line, Problem::Alias));
            }
            *key = Some((Rc::from(text), line));
            return Ok(());
        }
        let tag = self.tag(line, tag)?;
        let is_null =
            is_plain && tag.is_none() && matches!(text, "" | "~" | "null" | "Null" | "NULL");
        let kind = if is_null {
            Kind::Null
        } else {
            Kind::Text(Rc::from(text))
        };
        self.push(line, tag, kind)
    }

    /// Adds a finished value to what is open.
    fn push(&mut self, line: usize, tag: Option<String>, kind: Kind) -> Result<(), TemplateError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.refused(line, Problem::TooMany));
        }
        let mut node = Node { line, kind };
        if let Some(name) = tag {
            node = Node {
                line,
                kind: Kind::Map([(Rc::from(name), node)].into()),
            };
        }
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key }) => {
                if let Some((name, line)) = key.take() {
                    // The line of an entry is that of its key.
                    node.line = if node.line == 0 {
                        line
                    } else {
                        node.line.min(line).max(1)
                    };
                    entries.push((name, node));
                }
            }
        }
        Ok(())
    }

    /// Returns the long name of a short form: `!Sub` is `Fn::Sub`. Tags of YAML's own say nothing here.
    fn tag(&self, line: usize, tag: Option<&Tag>) -> Result<Option<String>, TemplateError> {
        let Some(tag) = tag else { return Ok(None) };
        if tag.is_yaml_core_schema() || (tag.handle == "!" && tag.suffix.is_empty()) {
            let is_odd =
                ["binary", "omap", "pairs", "set", "timestamp"].contains(&tag.suffix.as_str());
            return if is_odd {
                Err(self.refused(line, Problem::Tag(tag.suffix.clone())))
            } else {
                Ok(None)
            };
        }
        if tag.handle != "!" {
            return Err(self.refused(line, Problem::Tag(tag.to_string())));
        }
        Ok(Some(match tag.suffix.as_str() {
            "Ref" | "Condition" => tag.suffix.clone(),
            name if name.starts_with("Fn::") => name.to_owned(),
            name => format!("Fn::{name}"),
        }))
    }
}
