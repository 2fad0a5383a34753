//! JSON: a schema name, exact decimals as text, stable keys. `docs/json.md` lists the schemas.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Cell, Note, answer::AnswerFormat, value::object};
use crate::domain::{catalog::Catalog, ids::Meter, usage};

/// For programs: one document, one of our schemas.
pub(super) const FORMAT: AnswerFormat = AnswerFormat {
    name: "json",
    extension: "json",
    about: "For programs: exact decimals as text",
    render: |answer, _| Ok(answer.json().into()),
};

/// Its code, its sentence, and beside them its facts.
impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 + self.facts.len()))?;
        map.serialize_entry("code", self.code)?;
        map.serialize_entry("text", &self.text)?;
        for (name, fact) in &self.facts {
            map.serialize_entry(name, fact)?;
        }
        map.end()
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Note {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Note".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Something a reader should know. Beside code and text stand the facts of the \
                            sentence, exact; which ones, the code decides.",
            "type": "object",
            "properties": {
                "code": {
                    "description": "What programs match on: it stays when the sentence changes.",
                    "type": "string",
                    "pattern": "^[a-z0-9_]+$",
                },
                "text": {"description": "The sentence.", "type": "string"},
            },
            "required": ["code", "text"],
            "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
        })
    }
}

/// The exact value, null where there is none.
impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty | Self::Unknown(_) => serializer.serialize_none(),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            cell => serializer.serialize_str(&cell.exact()),
        }
    }
}

object! {
    /// Something that should be known and is not: what it is, and why.
    pub struct Gap {
        /// What programs match on.
        code: &'static str,
        /// The sentence.
        text: String,
        /// What is missing.
        what: String,
        /// Why, or since when.
        reason: String,
    }
}

impl Gap {
    /// Returns a gap as programs read it.
    pub(super) fn of(gap: &usage::Gap) -> Self {
        Self {
            code: "missing",
            text: format!("{}: {}", gap.what, gap.reason),
            what: gap.what.clone(),
            reason: gap.reason.clone(),
        }
    }
}

/// Returns the name of a meter: the catalogue's, else AWS's usage type.
pub(super) fn meter_name(catalog: &Catalog, meter: &Meter) -> String {
    let known = catalog.meter(&meter.service, meter.usage_type.as_str());
    known.map_or_else(|| meter.usage_type.to_string(), |info| info.name.clone())
}
