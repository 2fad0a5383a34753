//! A stack: a template with the values it is given.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    document::{Kind, Node},
    value::Value,
};
use crate::domain::{
    ids::{AccountId, Region},
    infra::Reason,
};

/// Names of nested stacks by logical id.
pub(super) type Children = BTreeMap<Rc<str>, usize>;

/// A template, and what is known of the stack it makes.
#[derive(Debug)]
pub(super) struct Stack {
    /// The file, for errors and for what lies beside it.
    pub(super) file: String,
    /// What stands before its resources' ids: the ids of the stacks around it, or the name CDK gives it.
    pub(super) prefix: String,
    /// The template, its loops written out.
    pub(super) root: Node,
    /// Its parameters.
    pub(super) parameters: BTreeMap<String, Parameter>,
    /// Where it is created.
    pub(super) region: Option<Region>,
    /// In which account.
    pub(super) account: Option<AccountId>,
    /// The stack's name.
    pub(super) name: Option<String>,
    /// The stack and the resource that bring it.
    pub(super) parent: Option<(usize, Rc<str>)>,
    /// Its nested stacks that are on disk.
    pub(super) children: std::cell::RefCell<Children>,
}

/// A parameter of a template.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    pub(super) name: Rc<str>,
    /// Its type as written.
    pub(super) kind: String,
    /// What it may be.
    pub(super) allowed: Vec<Rc<str>>,
    /// It is a secret.
    pub(super) no_echo: bool,
    /// Where its value comes from.
    pub(super) source: Source,
    /// Its value where the source has none.
    pub(super) default: Option<Rc<str>>,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Nobody gives one.
    Default,
    /// The user gives it.
    Given(Rc<str>),
    /// The stack around it does.
    Expression(usize, Node),
}

impl Parameter {
    /// Reads one from a template.
    pub(super) fn new(name: &Rc<str>, node: &Node, source: Source) -> Self {
        let text = |node: &Node| match &node.kind {
            Kind::Text(text) => Some(Rc::clone(text)),
            // A list is what `CommaDelimitedList` takes as text.
            Kind::List(items) => {
                let items: Option<Vec<&str>> = items.iter().map(Node::as_text).collect();
                items.map(|items| Rc::from(items.join(",")))
            }
            Kind::Null | Kind::Map(_) => None,
        };
        let allowed = node.get("AllowedValues").map(Node::items);
        Self {
            name: Rc::clone(name),
            kind: node
                .get("Type")
                .and_then(Node::as_text)
                .unwrap_or("String")
                .to_owned(),
            allowed: allowed
                .unwrap_or_default()
                .iter()
                .filter_map(text)
                .collect(),
            no_echo: node
                .get("NoEcho")
                .and_then(Node::as_text)
                .is_some_and(|text| text.eq_ignore_ascii_case("true")),
            source,
            default: node.get("Default").and_then(text),
        }
    }

    pub(super) fn is_list(&self) -> bool {
        self.kind == "CommaDelimitedList" || self.kind.starts_with("List<")
    }

    pub(super) fn is_in_store(&self) -> bool {
        self.kind.starts_with("AWS::SSM::Parameter::Value")
    }
}

impl Stack {
    /// Returns a resource by its logical id.
    pub(super) fn resource(&self, id: &str) -> Option<&Node> {
        self.root.get("Resources")?.get(id)
    }

    /// Returns a nested stack by its logical id.
    pub(super) fn child(&self, id: &str) -> Option<usize> {
        self.children.borrow().get(id).copied()
    }

    /// Returns the address of one of its resources.
    pub(super) fn address(&self, id: &str) -> String {
        if self.prefix.is_empty() {
            id.to_owned()
        } else {
            format!("{}/{id}", self.prefix)
        }
    }

    /// Returns a pseudo parameter, named without `AWS::`.
    pub(super) fn pseudo(&self, name: &str) -> Value {
        let region = self.region.as_ref().map(Region::as_str);
        let partition = region.map(|region| {
            if region.starts_with("cn-") {
                ("aws-cn", "amazonaws.com.cn")
            } else if region.starts_with("us-gov-") {
                ("aws-us-gov", "amazonaws.com")
            } else {
                ("aws", "amazonaws.com")
            }
        });
        let known = match name {
            "NoValue" => return Value::Absent,
            "Region" => region,
            "AccountId" => self.account.as_ref().map(AccountId::as_str),
            "Partition" => partition.map(|(name, _)| name),
            "URLSuffix" => partition.map(|(_, suffix)| suffix),
            "StackName" => self.name.as_deref(),
            _ => None,
        };
        match (known, name) {
            (Some(text), _) => Value::text(text),
            (None, "StackName" | "StackId" | "NotificationARNs") => Value::unknown(
                Reason::ResourceAttribute(format!("AWS::{name}")),
                &format!("${{AWS::{name}}}"),
            ),
            (None, _) => Value::parameter(&format!("AWS::{name}")),
        }
    }
}

/// Reads the parameters of a template; returns them, and which of the given ones it has.
pub(super) fn parameters(
    root: &Node,
    given: impl Fn(&str) -> Source,
) -> (BTreeMap<String, Parameter>, BTreeSet<String>) {
    let mut used = BTreeSet::new();
    let mut parameters = BTreeMap::new();
    for (name, node) in root
        .get("Parameters")
        .map(Node::entries)
        .unwrap_or_default()
    {
        let source = given(name);
        if matches!(source, Source::Given(_)) {
            used.insert(name.to_string());
        }
        parameters.insert(name.to_string(), Parameter::new(name, node, source));
    }
    (parameters, used)
}
