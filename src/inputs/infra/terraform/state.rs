//! States of Terraform and `OpenTofu`: their files of versions 3 and 4, and `show -json` of them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    Described, Values,
    config::{Configuration, Inputs},
    entries::{Kept, Typed},
    standing,
};
use crate::{
    domain::infra::{Action, Form, Infra, Kind, Note, TypeBasis},
    inputs::infra::{
        attributes::{Class, class},
        error::InfraError,
        text::Json,
        tree::{Tree, kept},
    },
};

/// Tells what every state has to say.
fn finished(mut infra: Infra, end: usize) -> (Infra, usize) {
    infra.note(Note::StateOnly);
    let unstated: Vec<String> = infra
        .after
        .iter()
        .filter(|it| it.region.is_absent() && !matches!(it.kind, Kind::Free))
        .map(|it| it.address.clone())
        .collect();
    for address in unstated {
        infra.notes.push(Note::RegionUnstated { address });
    }
    (infra, end)
}

/// Inputs of a file without configuration.
fn nothing(configuration: &Configuration) -> Inputs<'_> {
    Inputs {
        configuration,
        variables: BTreeMap::new(),
    }
}

/// `show -json` of a state.
pub(in super::super) fn values(json: Json<'_>) -> Result<(Infra, usize), InfraError> {
    #[derive(Deserialize)]
    struct Shown {
        values: Option<Values>,
    }
    let (shown, end) = json.read::<Shown>()?;
    let (resources, ignored) = shown.values.unwrap_or_default().resources();
    let configuration = Configuration::default();
    let inputs = nothing(&configuration);
    let mut infra = Infra::new(Form::TerraformState);
    infra.ignored = ignored;
    infra.after = resources
        .iter()
        .map(|entry| standing(entry, Action::NoOp, &inputs, TypeBasis::BeforeTypes))
        .collect();
    Ok(finished(infra, end))
}

#[derive(Deserialize)]
struct StateResource {
    module: Option<String>,
    mode: Option<String>,
    #[serde(rename = "type", default)]
    type_name: String,
    #[serde(default)]
    name: String,
    instances: Option<Vec<Instance>>,
    #[serde(skip, default = "other")]
    class: Class,
}

const fn other() -> Class {
    Class::Other
}

#[derive(Deserialize)]
struct Instance {
    index_key: Option<Key>,
    deposed: Option<String>,
    #[serde(default)]
    attributes: Tree,
    sensitive_attributes: Option<Vec<Vec<Step>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Number(u64),
    Text(String),
}

/// A step of the path to a sensitive value.
#[derive(Deserialize)]
struct Step {
    value: Option<serde_json::Value>,
}

impl Typed for StateResource {
    fn type_name(&self) -> (&str, bool) {
        (&self.type_name, self.mode.as_deref() == Some("data"))
    }

    fn set_class(&mut self, class: Class) {
        self.class = class;
    }

    fn count(&self) -> u32 {
        let instances = self.instances.as_ref().map_or(1, Vec::len);
        u32::try_from(instances).unwrap_or(u32::MAX)
    }
}

/// A state of version 4.
pub(in super::super) fn state_v4(json: Json<'_>) -> Result<(Infra, usize), InfraError> {
    #[derive(Deserialize)]
    struct State {
        resources: Option<Kept<StateResource>>,
    }
    let (state, end) = json.read::<State>()?;
    let resources = state.resources.unwrap_or_default();
    let configuration = Configuration::default();
    let inputs = nothing(&configuration);
    let mut infra = Infra::new(Form::TerraformState);
    infra.ignored = resources.ignored;
    for resource in &resources.kept {
        let of = Described {
            type_name: &resource.type_name,
            class: resource.class,
            action: Action::NoOp,
            previous_address: None,
        };
        for instance in resource.instances.iter().flatten() {
            let index = match &instance.index_key {
                Some(Key::Number(number)) => format!("[{number}]"),
                Some(Key::Text(text)) => format!("[{text:?}]"),
                None => String::new(),
            };
            let deposed = instance.deposed.as_ref().map_or("", |_| " (deposed)");
            let module = resource.module.as_ref().map(|module| format!("{module}."));
            let address = format!(
                "{}{}.{}{index}{deposed}",
                module.unwrap_or_default(),
                resource.type_name,
                resource.name
            );
            let sensitive = sensitive(instance);
            let marks = (None, Some(&sensitive));
            let default = TypeBasis::BeforeTypes;
            let read = of.resource(&address, &instance.attributes, marks, &inputs, default);
            infra.after.push(read);
        }
    }
    Ok(finished(infra, end))
}

/// Marks the attributes in which anything is sensitive: the whole of each.
fn sensitive(instance: &Instance) -> Tree {
    let paths = instance.sensitive_attributes.iter().flatten();
    let first = paths.filter_map(|path| path.first()?.value.as_ref()?.as_str());
    let marked = first.filter_map(kept).map(|name| (name, Tree::Bool(true)));
    Tree::Map(marked.collect())
}

/// A state of version 3, as Terraform wrote until 0.11: every value is a text below a flat name.
pub(in super::super) fn state_v3(json: Json<'_>) -> Result<(Infra, usize), InfraError> {
    #[derive(Deserialize)]
    struct State {
        modules: Option<Vec<OldModule>>,
    }
    #[derive(Deserialize)]
    struct OldModule {
        path: Option<Vec<String>>,
        resources: Option<BTreeMap<String, OldResource>>,
    }
    #[derive(Deserialize)]
    struct OldResource {
        #[serde(rename = "type", default)]
        type_name: String,
        primary: Option<Primary>,
    }
    #[derive(Deserialize)]
    struct Primary {
        attributes: Option<BTreeMap<String, Option<String>>>,
    }
    let (state, end) = json.read::<State>()?;
    let configuration = Configuration::default();
    let inputs = nothing(&configuration);
    let mut infra = Infra::new(Form::TerraformState);
    for module in state.modules.into_iter().flatten() {
        let path = module.path.unwrap_or_default();
        let prefix: String = path
            .iter()
            .skip(1)
            .map(|name| format!("module.{name}."))
            .collect();
        for (name, resource) in module.resources.into_iter().flatten() {
            let of_aws = resource.type_name.strip_prefix("aws_").and_then(class);
            let Some(class) = of_aws.filter(|_| !name.starts_with("data.")) else {
                let data = if name.starts_with("data.") {
                    "data."
                } else {
                    ""
                };
                infra.ignore(&format!("{data}{}", resource.type_name));
                continue;
            };
            let flat = resource.primary.and_then(|primary| primary.attributes);
            let flat = flat.unwrap_or_default();
            let paths: Vec<(Vec<&str>, &str)> = flat
                .iter()
                .map(|(name, value)| {
                    (
                        name.split('.').collect(),
                        value.as_deref().unwrap_or_default(),
                    )
                })
                .collect();
            let of = Described {
                type_name: &resource.type_name,
                class,
                action: Action::NoOp,
                previous_address: None,
            };
            let address = format!("{prefix}{name}");
            let values = nested(&paths, 0);
            let default = TypeBasis::BeforeTypes;
            infra
                .after
                .push(of.resource(&address, &values, (None, None), &inputs, default));
        }
    }
    Ok(finished(infra, end))
}

/// Flat names, cut at their points, each with its value.
type Paths<'p> = Vec<(Vec<&'p str>, &'p str)>;

/// Makes a tree of flat names: `environment.#` is how long a list is, `environment.1509741452.type` a part of
/// an element, whose number is its place or a hash.
fn nested(paths: &[(Vec<&str>, &str)], depth: usize) -> Tree {
    if let [(path, value)] = paths
        && path.len() == depth
    {
        return Tree::Text((*value).to_owned());
    }
    let mut parts: BTreeMap<(u64, &str), Paths<'_>> = BTreeMap::new();
    let mut is_list = false;
    for (path, value) in paths {
        match path.get(depth) {
            Some(&"#") => is_list = true,
            Some(&"%") | None => {}
            Some(part) => {
                let place = part.parse().unwrap_or_default();
                let entry = parts.entry((place, part)).or_default();
                entry.push((path.clone(), value));
            }
        }
    }
    // Names deeper than any resource has are none.
    let part = |paths: &[(Vec<&str>, &str)]| match depth {
        0..32 => nested(paths, depth + 1),
        _ => Tree::Null,
    };
    if is_list {
        return Tree::List(parts.values().map(|paths| part(paths)).collect());
    }
    let entries = parts.iter();
    Tree::Map(
        entries
            .filter_map(|((_, name), paths)| Some((kept(name)?, part(paths))))
            .collect(),
    )
}
