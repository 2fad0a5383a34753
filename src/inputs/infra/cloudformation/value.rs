//! What an expression of a template comes to.

use std::{collections::BTreeSet, rc::Rc};

use crate::domain::infra::Reason;

/// A value under one choice of everything that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `AWS::NoValue`, `null`, or a key that is not there.
    Absent,
    /// A scalar.
    Text(Rc<str>),
    /// A list.
    List(Rc<[Value]>),
    /// A mapping.
    Map(Rc<[(Rc<str>, Value)]>),
    /// Something that the template cannot tell.
    Unknown(Unknown),
}

/// Why a value is not known, and the expression it is: two of the same expression are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown {
    /// Why.
    pub(super) why: Why,
    /// Parameters without a value in it.
    pub(super) parameters: Rc<BTreeSet<String>>,
    /// Text with `${…}` in the place of what is not known.
    pub(super) sketch: Rc<str>,
}

/// Why a value is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// A parameter, or a pseudo parameter, has no value.
    Parameter,
    /// It is a resource of a stack: what `Ref` gives, or one of its attributes.
    Resource {
        /// Which stack.
        stack: usize,
        /// Its logical id.
        id: Rc<str>,
        /// It is the resource itself and no part of a longer text.
        is_whole: bool,
    },
    /// Anything else.
    Other(Reason),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a parameter without value.
    pub(super) fn parameter(name: &str) -> Self {
        Self::Unknown(Unknown {
            why: Why::Parameter,
            parameters: Rc::new(BTreeSet::from([name.to_owned()])),
            sketch: Rc::from(format!("${{{name}}}")),
        })
    }

    /// Returns a resource, or an attribute of one.
    pub(super) fn resource(stack: usize, id: &str, attribute: Option<&str>) -> Self {
        let sketch = match attribute {
            Some(attribute) => format!("${{{id}.{attribute}}}"),
            None => format!("${{{id}}}"),
        };
        let why = Why::Resource {
            stack,
            id: Rc::from(id),
            is_whole: true,
        };
        Self::Unknown(Unknown {
            why,
            parameters: Rc::default(),
            sketch: Rc::from(sketch),
        })
    }

    /// Returns what cannot be known for a reason.
    pub(super) fn unknown(reason: Reason, sketch: &str) -> Self {
        Self::Unknown(Unknown {
            why: Why::Other(reason),
            parameters: Rc::default(),
            sketch: Rc::from(sketch),
        })
    }

    /// Returns what a function of something malformed is.
    pub(super) fn malformed(function: &str) -> Self {
        Self::unknown(Reason::Malformed, &format!("${{{function}}}"))
    }

    /// Returns a value of a mapping, or of an unknown one.
    pub(super) fn get(&self, key: &str) -> Value {
        match self {
            Self::Map(entries) => entries
                .iter()
                .find(|(name, _)| &**name == key)
                .map_or(Self::Absent, |(_, value)| value.clone()),
            Self::Unknown(_) => self.clone(),
            _ => Self::Absent,
        }
    }

    /// Finds the first thing within that is not known.
    pub(super) fn first_unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::List(items) => items.iter().find_map(Self::first_unknown),
            Self::Map(entries) => entries.iter().find_map(|(_, value)| value.first_unknown()),
            Self::Absent | Self::Text(_) => None,
        }
    }

    /// Writes it as one text: two values are equal if these are.
    pub(super) fn sketch(&self) -> String {
        match self {
            Self::Absent => "null".to_owned(),
            Self::Text(text) => text.to_string(),
            Self::Unknown(unknown) => unknown.sketch.to_string(),
            list_or_map => list_or_map.to_json(),
        }
    }

    /// Writes it as JSON, every scalar as text.
    pub(super) fn to_json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Absent => "null".to_owned(),
            Self::Text(text) => quoted(text),
            Self::Unknown(unknown) => quoted(&unknown.sketch),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Map(entries) => {
                let entry = |(key, value): &(Rc<str>, Value)| {
                    format!("{}:{}", quoted(key), value.to_json())
                };
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }
}

/// Parts of a text, some of them unknown.
#[derive(Default)]
pub(super) struct Pieces {
    text: String,
    unknown: Option<Unknown>,
    parameters: BTreeSet<String>,
    count: usize,
}

impl Pieces {
    /// Adds text that is known.
    pub(super) fn push(&mut self, text: &str) {
        if !text.is_empty() {
            self.count += 1;
            self.text.push_str(text);
        }
    }

    /// Adds a value.
    pub(super) fn add(&mut self, value: &Value) {
        match value {
            Value::Text(text) => self.push(text),
            Value::Absent => {}
            other => {
                self.count += 1;
                self.text.push_str(&other.sketch());
                if let Some(unknown) = other.first_unknown() {
                    self.parameters.extend(unknown.parameters.iter().cloned());
                    self.unknown.get_or_insert_with(|| unknown.clone());
                }
            }
        }
    }

    /// Returns how long it is so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Returns the text, or why it is not known.
    pub(super) fn finish(self) -> Value {
        let Some(mut unknown) = self.unknown else {
            return Value::Text(Rc::from(self.text));
        };
        if self.count > 1
            && let Why::Resource { is_whole, .. } = &mut unknown.why
        {
            *is_whole = false;
        }
        Value::Unknown(Unknown {
            why: unknown.why,
            parameters: Rc::new(self.parameters),
            sketch: Rc::from(self.text),
        })
    }
}
