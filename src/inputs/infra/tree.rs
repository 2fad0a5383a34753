//! Values of resources, as far as anybody here asks for them.
//!
//! Plans hold whole machines, policies and secrets. What is kept is an allow-list of attribute names: the
//! rest is skipped as it is read, which bounds the memory and keeps no environment variable.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value; of objects the attributes that are asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Tree {
    #[default]
    Null,
    Bool(bool),
    /// Text, or a number as it is written.
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(&'static str, Tree)>),
    /// The tool knows it only when the change is applied.
    Unknown,
    /// The tool keeps it secret.
    Secret,
}

/// Names that are kept, each with the one it is kept by: Pulumi writes in camel case what Terraform writes
/// with underscores.
const KEPT: &[(&str, &str)] = &[
    ("action", "action"),
    ("action_type_id", "action_type_id"),
    ("actionTypeId", "action_type_id"),
    ("actions", "action"),
    ("arn", "arn"),
    ("auto_retry_limit", "auto_retry_limit"),
    ("autoRetryLimit", "auto_retry_limit"),
    ("base_capacity", "base_capacity"),
    ("baseCapacity", "base_capacity"),
    ("BatchEnabled", "BatchEnabled"),
    ("before_entry", "conditions"),
    ("beforeEntry", "conditions"),
    ("build_batch_config", "build_batch_config"),
    ("buildBatchConfig", "build_batch_config"),
    ("build_timeout", "build_timeout"),
    ("buildTimeout", "build_timeout"),
    ("timeoutInMinutes", "build_timeout"),
    ("category", "category"),
    ("compute_configuration", "compute_configuration"),
    ("computeConfiguration", "compute_configuration"),
    ("compute_platform", "compute_platform"),
    ("computePlatform", "compute_platform"),
    ("compute_type", "compute_type"),
    ("computeType", "compute_type"),
    ("condition", "conditions"),
    ("configuration", "configuration"),
    ("constant_value", "constant_value"),
    ("default", "default"),
    ("disk", "disk"),
    ("docker_server", "docker_server"),
    ("dockerServer", "docker_server"),
    ("ecs_service", "ecs_service"),
    ("ecsService", "ecs_service"),
    ("environment", "environment"),
    ("environment_type", "environment_type"),
    ("environmentType", "environment_type"),
    ("execution_mode", "execution_mode"),
    ("executionMode", "execution_mode"),
    ("fleet", "fleet"),
    ("fleet_arn", "fleet_arn"),
    ("fleetArn", "fleet_arn"),
    ("image", "image"),
    ("instance_type", "instance_type"),
    ("instanceType", "instance_type"),
    ("machine_type", "machine_type"),
    ("machineType", "machine_type"),
    ("max_capacity", "max_capacity"),
    ("maxCapacity", "max_capacity"),
    ("memory", "memory"),
    ("name", "name"),
    ("on_failure", "on_failure"),
    ("onFailure", "on_failure"),
    ("on_premises_instance_tag_filter", "on_premises"),
    ("onPremisesInstanceTagFilters", "on_premises"),
    ("on_success", "conditions"),
    ("onSuccess", "conditions"),
    ("overflow_behavior", "overflow_behavior"),
    ("overflowBehavior", "overflow_behavior"),
    ("owner", "owner"),
    ("pipeline_type", "pipeline_type"),
    ("pipelineType", "pipeline_type"),
    ("privileged_mode", "privileged_mode"),
    ("privilegedMode", "privileged_mode"),
    ("ProjectName", "ProjectName"),
    ("provider", "provider"),
    ("references", "references"),
    ("region", "region"),
    ("scaling_configuration", "scaling_configuration"),
    ("scalingConfiguration", "scaling_configuration"),
    ("stage", "stage"),
    ("stages", "stage"),
    ("trigger", "trigger"),
    ("triggers", "trigger"),
    ("type", "type"),
    ("value", "value"),
    ("variable", "variable"),
    ("variables", "variable"),
    ("vcpu", "vcpu"),
    ("vCpu", "vcpu"),
];

/// What names a value of Pulumi that is wrapped, and the two kinds of wrapping.
const PULUMI_SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
/// Stands for a value that Pulumi knows only after the change.
const PULUMI_UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(match value {
            PULUMI_UNKNOWN => Tree::Unknown,
            "[secret]" => Tree::Secret,
            text => Tree::Text(text.to_owned()),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let (mut map, mut is_wrapped) = (Vec::new(), false);
        while let Some(Name { kept, is_signature }) = entries.next_key()? {
            is_wrapped |= is_signature;
            match kept {
                Some(kept) => map.push((kept, entries.next_value()?)),
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(if is_wrapped {
            Tree::Secret
        } else {
            Tree::Map(map)
        })
    }
}

/// A name of an attribute: whether it is kept, and by which name.
struct Name {
    kept: Option<&'static str>,
    is_signature: bool,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OfName;
        impl Visitor<'_> for OfName {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name {
                    kept: kept(name),
                    is_signature: name == PULUMI_SIGNATURE,
                })
            }
        }
        from.deserialize_str(OfName)
    }
}

/// Returns the name by which an attribute is kept, if it is.
pub(super) fn kept(name: &str) -> Option<&'static str> {
    let mut known = KEPT.iter();
    known
        .find(|(written, _)| *written == name)
        .map(|(_, kept)| *kept)
}

impl Tree {
    /// Returns an attribute of an object, or of the only object of a list: Terraform writes a block as one.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.iter().find(|(key, _)| *key == name).map(|(_, it)| it),
            Self::List(items) => items.first()?.get(name),
            _ => None,
        }
    }

    /// Returns an element of a list; an object is a list of one.
    fn at(&self, index: usize) -> Option<&Self> {
        match self {
            Self::List(items) => items.get(index),
            Self::Map(_) if index == 0 => Some(self),
            _ => None,
        }
    }

    /// Returns the text.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the names that an expression of Terraform refers to.
    pub(super) fn references(&self) -> impl Iterator<Item = &str> {
        let listed = match self.get("references") {
            Some(Self::List(items)) => &items[..],
            _ => &[],
        };
        listed.iter().filter_map(Self::text)
    }
}

/// A value with what its tool says beside it: which parts are not known yet, and which are secret.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: Option<&'a Tree>,
    unknown: Option<&'a Tree>,
    sensitive: Option<&'a Tree>,
}

/// What is known of a value.
pub(super) enum Seen<'a> {
    Value(&'a Tree),
    Nothing,
    NotYet,
    Secret,
}

impl<'a> Node<'a> {
    pub(super) const fn new(
        value: &'a Tree,
        unknown: Option<&'a Tree>,
        sensitive: Option<&'a Tree>,
    ) -> Self {
        Self {
            value: Some(value),
            unknown,
            sensitive,
        }
    }

    /// Marks of a part: where the whole is marked, each part is.
    fn step(
        marks: Option<&'a Tree>,
        into: impl Fn(&'a Tree) -> Option<&'a Tree>,
    ) -> Option<&'a Tree> {
        match marks {
            Some(Tree::Bool(true)) => marks,
            Some(tree) => into(tree),
            None => None,
        }
    }

    fn part(self, into: impl Fn(&'a Tree) -> Option<&'a Tree>) -> Self {
        let value = match self.value {
            // A whole that is not known has no part that is.
            Some(Tree::Unknown | Tree::Secret) => self.value,
            value => value.and_then(&into),
        };
        Self {
            value,
            unknown: Self::step(self.unknown, &into),
            sensitive: Self::step(self.sensitive, &into),
        }
    }

    pub(super) fn get(self, name: &str) -> Self {
        self.part(|tree| tree.get(name))
    }

    /// Returns every object of a list.
    pub(super) fn items(self) -> Vec<Self> {
        let length = match self.value {
            Some(Tree::List(items)) => items.len(),
            Some(Tree::Map(_)) => 1,
            _ => 0,
        };
        (0..length)
            .map(|at| self.part(|tree| tree.at(at)))
            .collect()
    }

    pub(super) fn seen(self) -> Seen<'a> {
        if matches!(self.sensitive, Some(Tree::Bool(true))) {
            return Seen::Secret;
        }
        if matches!(self.unknown, Some(Tree::Bool(true))) {
            return Seen::NotYet;
        }
        match self.value {
            None | Some(Tree::Null) => Seen::Nothing,
            Some(Tree::Unknown) => Seen::NotYet,
            Some(Tree::Secret) => Seen::Secret,
            Some(value) => Seen::Value(value),
        }
    }
}
