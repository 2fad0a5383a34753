//! The mapping from usage to accounts of a general ledger, as a file. It is written by hand, so
//! errors point at line and column.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

use super::resolve;
use crate::domain::{
    catalog::Catalog,
    gl::{DateStyle, GlMapping, Rule, Value},
    pattern::Pattern,
};

/// The mapping that is used where none is named.
const EMBEDDED: &str = include_str!("../../reports/gl-mapping.toml");

/// What is wrong with a mapping.
#[derive(Debug, Error)]
pub enum GlMappingError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what a mapping should be.
    #[error("{file}: {problem}")]
    Malformed {
        /// The file.
        file: String,
        /// What and where.
        problem: String,
    },
    /// A value is wrong.
    #[error("{file}, line {line}, column {column}: {problem}")]
    Value {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    suspense: Name,
    payable: Name,
    vendor: Option<Name>,
    entity: Option<Name>,
    tax_rate: Option<Name>,
    dates: Option<Spanned<String>>,
    open_accounts: Option<bool>,
    #[serde(default)]
    rule: Vec<FileRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    service: Option<Spanned<String>>,
    account: Option<Name>,
    region: Option<Name>,
    kind: Option<Name>,
    #[serde(default)]
    tag: BTreeMap<String, String>,
    gl_account: Name,
    cost_center: Option<FileValue>,
    entity: Option<FileValue>,
}

type Name = Spanned<String>;

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or { tag = \"KEY\" }")]
enum FileValue {
    Text(String),
    Tag { tag: String },
}

/// Returns the mapping that is used where none is named.
pub fn embedded(catalog: &Catalog) -> GlMapping {
    parse("reports/gl-mapping.toml", EMBEDDED, catalog).expect("a test reads the embedded mapping")
}

/// Reads a mapping.
pub fn read(path: &Path, catalog: &Catalog) -> Result<GlMapping, GlMappingError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&file, &text, catalog),
        Err(source) => Err(GlMappingError::Unreadable { file, source }),
    }
}

/// Reads the text of a mapping; `file` names it in errors.
pub fn parse(file: &str, text: &str, catalog: &Catalog) -> Result<GlMapping, GlMappingError> {
    let entry: File = toml::from_str(text).map_err(|error| GlMappingError::Malformed {
        file: file.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
    })?;
    let wrong = |value: &Name, problem: String| {
        let before = &text[..value.span().start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        GlMappingError::Value {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            problem,
        }
    };
    let name = |value: &Name| -> Result<Arc<str>, GlMappingError> {
        let text = value.get_ref().trim();
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(wrong(
                value,
                "a name without control characters is needed".to_owned(),
            ));
        }
        Ok(Arc::from(text))
    };
    let optional = |value: &Option<Name>| value.as_ref().map(name).transpose();
    let pattern = |value: Option<Name>| value.map(|value| Pattern(value.into_inner()));
    let rule = |rule: FileRule| -> Result<Rule, GlMappingError> {
        let service = rule.service.as_ref().map(|service| {
            resolve::service(catalog, service.get_ref())
                .map_err(|problem| wrong(service, problem.to_string()))
        });
        Ok(Rule {
            service: service.transpose()?,
            account: pattern(rule.account),
            region: pattern(rule.region),
            kind: pattern(rule.kind),
            tags: rule
                .tag
                .into_iter()
                .map(|(key, value)| (key, Pattern(value)))
                .collect(),
            gl_account: name(&rule.gl_account)?,
            cost_center: rule.cost_center.map(value),
            entity: rule.entity.map(value),
        })
    };
    let dates = entry
        .dates
        .as_ref()
        .map(|dates| match dates.get_ref().as_str() {
            "YYYY-MM-DD" => Ok(DateStyle::Iso),
            "MM/DD/YYYY" => Ok(DateStyle::MonthFirst),
            "DD/MM/YYYY" => Ok(DateStyle::DayFirst),
            _ => Err(wrong(
                dates,
                "choose YYYY-MM-DD, MM/DD/YYYY or DD/MM/YYYY".to_owned(),
            )),
        });
    Ok(GlMapping {
        suspense: name(&entry.suspense)?,
        payable: name(&entry.payable)?,
        vendor: optional(&entry.vendor)?.unwrap_or_else(|| Arc::from("AWS")),
        entity: optional(&entry.entity)?,
        tax_rate: optional(&entry.tax_rate)?.unwrap_or_else(|| Arc::from("Tax Exempt")),
        dates: dates.transpose()?,
        open_accounts: entry.open_accounts.unwrap_or(true),
        rules: entry.rule.into_iter().map(rule).collect::<Result<_, _>>()?,
    })
}

fn value(value: FileValue) -> Value {
    match value {
        FileValue::Text(text) => Value::Fixed(Arc::from(text)),
        FileValue::Tag { tag } => Value::Tag(tag),
    }
}
