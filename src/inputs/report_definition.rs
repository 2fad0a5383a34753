//! Report definitions: the files of a report under a name. Those of `reports/definitions/` are in the
//! program; a file of the user's own may stand in for any of them. What its words mean is the report's.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/reports/definitions");

/// Why a definition cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{file}: {problem}")]
pub struct DefinitionError {
    /// Which.
    pub file: String,
    /// What is wrong and where.
    pub problem: String,
}

/// A set of files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReportDefinition {
    /// What the manifest is named after.
    pub name: String,
    /// Where it stands.
    file: String,
    /// The files, in order.
    pub files: Vec<DefinedFile>,
}

/// One file of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DefinedFile {
    /// Its format.
    pub format: Word,
    /// Its name, if not the usual one.
    pub name: Option<String>,
    /// What it is about.
    pub content: Option<Word>,
    /// What costs are shared by.
    pub by: Vec<Word>,
    /// Which columns.
    pub columns: Vec<String>,
    /// It begins with a byte-order mark.
    pub bom: bool,
    /// Which chart it shows.
    pub chart: Option<Word>,
    /// The file of the accounts that costs are posted to.
    pub gl: Option<PathBuf>,
    /// Which version of FOCUS.
    pub focus_version: Option<Word>,
    /// What a journal accrues.
    pub accrue: Option<Word>,
}

/// A word of a definition, and its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The word.
    pub text: String,
    line: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    about: String,
    file: Vec<TomlFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TomlFile {
    format: Spanned<String>,
    name: Option<Spanned<String>>,
    content: Option<Spanned<String>>,
    #[serde(default)]
    by: Vec<Spanned<String>>,
    #[serde(default)]
    columns: Vec<String>,
    #[serde(default)]
    bom: bool,
    chart: Option<Spanned<String>>,
    gl: Option<PathBuf>,
    focus_version: Option<Spanned<String>>,
    accrue: Option<Spanned<String>>,
}

/// Returns the definitions in the program and what each is for.
pub fn embedded() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = EMBEDDED
        .files()
        .filter_map(|file| {
            let name = file.path().file_stem()?.to_str()?.to_owned();
            let toml: Toml = toml::from_str(file.contents_utf8()?).ok()?;
            Some((name, toml.about))
        })
        .collect();
    found.sort();
    found
}

impl ReportDefinition {
    /// Returns the definition of this name, or the one in this file; none if there is neither.
    pub fn named(name: &str) -> Result<Option<Self>, DefinitionError> {
        if let Some(file) = EMBEDDED.get_file(format!("{name}.toml")) {
            return Self::parse(name, file.contents_utf8().unwrap_or_default()).map(Some);
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(path).map_err(|error| DefinitionError {
            file: name.to_owned(),
            problem: format!("cannot be read: {error}"),
        })?;
        Self::parse(name, &text).map(Some)
    }

    /// Reads a definition; `file` is where it stands.
    pub fn parse(file: &str, text: &str) -> Result<Self, DefinitionError> {
        let wrong = |problem: String| DefinitionError {
            file: file.to_owned(),
            problem,
        };
        let toml: Toml =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        if toml.file.is_empty() {
            return Err(wrong("there is no [[file]] in it".to_owned()));
        }
        let word = |value: Spanned<String>| Word {
            line: text[..value.span().start].matches('\n').count() + 1,
            text: value.into_inner(),
        };
        let stem = Path::new(file).file_stem().unwrap_or_default();
        let mut definition = Self {
            name: stem.to_string_lossy().into_owned(),
            file: file.to_owned(),
            files: Vec::new(),
        };
        for entry in toml.file {
            let name = entry.name.map(word);
            if let Some(name) = name.as_ref().filter(|name| name.text.contains(['/', '\\'])) {
                return Err(definition.wrong(name, "a name without folder"));
            }
            definition.files.push(DefinedFile {
                format: word(entry.format),
                name: name.map(|name| name.text),
                content: entry.content.map(word),
                by: entry.by.into_iter().map(word).collect(),
                columns: entry.columns,
                bom: entry.bom,
                chart: entry.chart.map(word),
                gl: entry.gl,
                focus_version: entry.focus_version.map(word),
                accrue: entry.accrue.map(word),
            });
        }
        Ok(definition)
    }

    /// Says what is wrong with a word of it.
    pub fn wrong(&self, word: &Word, problem: &str) -> DefinitionError {
        let Word { text, line } = word;
        DefinitionError {
            file: self.file.clone(),
            problem: format!("line {line}: `{text}`: {problem}"),
        }
    }
}
