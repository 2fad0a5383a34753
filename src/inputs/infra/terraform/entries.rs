//! Lists of resources in plans and states: those of the four services are kept, the rest is counted as it
//! is skipped.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use crate::inputs::infra::{
    attributes::{Class, class},
    tree::Tree,
};

/// An entry that names the type of its resource.
pub(super) trait Typed {
    /// Returns its type and whether it is only read.
    fn type_name(&self) -> (&str, bool);
    /// Keeps what it is.
    fn set_class(&mut self, class: Class);
    /// How many resources it stands for.
    fn count(&self) -> u32 {
        1
    }
}

/// Entries of the four services, and how many of which other types there were.
#[derive(Debug)]
pub(super) struct Kept<T> {
    pub(super) kept: Vec<T>,
    pub(super) ignored: BTreeMap<String, u32>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            ignored: BTreeMap::new(),
        }
    }
}

impl<'de, T: Deserialize<'de> + Typed> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Typed> Visitor<'de> for Entries<T> {
            type Value = Kept<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of resources")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kept<T>, A::Error> {
                let mut found = Kept::default();
                while let Some(mut entry) = items.next_element::<T>()? {
                    let (name, is_read) = entry.type_name();
                    let of_aws = name.strip_prefix("aws_").or(name.strip_prefix("awscc_"));
                    if let Some(class) = of_aws.and_then(class).filter(|_| !is_read) {
                        entry.set_class(class);
                        found.kept.push(entry);
                        continue;
                    }
                    let name = if is_read {
                        format!("data.{name}")
                    } else {
                        name.to_owned()
                    };
                    *found.ignored.entry(name).or_default() += entry.count();
                }
                Ok(found)
            }

            fn visit_unit<E>(self) -> Result<Kept<T>, E> {
                Ok(Kept::default())
            }
        }
        from.deserialize_any(Entries(PhantomData))
    }
}

/// A module with its resources.
#[derive(Deserialize)]
pub(super) struct Module {
    pub(super) resources: Option<Kept<Planned>>,
    pub(super) child_modules: Option<Vec<Module>>,
}

/// A resource with its values.
#[derive(Deserialize, Debug)]
pub(super) struct Planned {
    #[serde(default)]
    pub(super) address: String,
    mode: Option<String>,
    #[serde(rename = "type", default)]
    pub(super) type_name: String,
    #[serde(default)]
    pub(super) values: Tree,
    pub(super) sensitive_values: Option<Tree>,
    #[serde(skip, default = "other")]
    pub(super) class: Class,
}

const fn other() -> Class {
    Class::Other
}

/// A resource with what happens to it.
#[derive(Deserialize, Debug)]
pub(super) struct Change {
    #[serde(default)]
    pub(super) address: String,
    pub(super) previous_address: Option<String>,
    mode: Option<String>,
    #[serde(rename = "type", default)]
    pub(super) type_name: String,
    pub(super) deposed: Option<String>,
    #[serde(rename = "change")]
    pub(super) values: Option<Values>,
    #[serde(skip, default = "other")]
    pub(super) class: Class,
}

/// Values before and after a change.
#[derive(Deserialize, Debug)]
pub(super) struct Values {
    pub(super) actions: Option<Vec<String>>,
    #[serde(default)]
    pub(super) before: Tree,
    #[serde(default)]
    pub(super) after: Tree,
    pub(super) after_unknown: Option<Tree>,
    pub(super) before_sensitive: Option<Tree>,
    pub(super) after_sensitive: Option<Tree>,
}

impl Typed for Planned {
    fn type_name(&self) -> (&str, bool) {
        (&self.type_name, self.mode.as_deref() == Some("data"))
    }

    fn set_class(&mut self, class: Class) {
        self.class = class;
    }
}

impl Typed for Change {
    fn type_name(&self) -> (&str, bool) {
        (&self.type_name, self.mode.as_deref() == Some("data"))
    }

    fn set_class(&mut self, class: Class) {
        self.class = class;
    }
}
