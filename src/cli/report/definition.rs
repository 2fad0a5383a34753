//! Report definitions: the files of a report under a name. Those of `reports/definitions/` are in the
//! program; a file of the user's own may stand in for any of them.

use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use toml::Spanned;

use super::{FileArgs, names};
use crate::{
    cli::CommandError,
    domain::journal::Accrual,
    report::{
        focus::FocusVersion,
        formats::{self, Content},
    },
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/reports/definitions");

/// A set of files.
pub(super) struct Definition {
    /// What the manifest is named after.
    pub(super) name: String,
    /// The files, in order.
    pub(super) files: Vec<DefinedFile>,
}

/// One file of a definition.
pub(super) struct DefinedFile {
    pub(super) format: &'static formats::Format,
    pub(super) name: Option<String>,
    pub(super) args: FileArgs,
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
pub(super) fn embedded() -> Vec<(String, String)> {
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

/// Reads the text of a definition, and says how many files it names.
pub(in crate::cli) fn check(file: &str, text: &str) -> Result<usize, CommandError> {
    Definition::read(file, text).map(|definition| definition.files.len())
}

impl Definition {
    /// Returns the definition of this name, or the one in this file.
    pub(super) fn named(name: &str) -> Result<Self, CommandError> {
        if let Some(file) = EMBEDDED.get_file(format!("{name}.toml")) {
            return Self::read(name, file.contents_utf8().unwrap_or_default());
        }
        let path = Path::new(name);
        if path.extension().is_none() && !path.exists() {
            let known: Vec<String> = embedded().into_iter().map(|(name, _)| name).collect();
            return Err(CommandError::BadValue {
                flag: "--definition",
                problem: format!("choose {}, or name a TOML file", known.join(", ")),
            });
        }
        let text = std::fs::read_to_string(path).map_err(|error| CommandError::Definition {
            file: name.to_owned(),
            problem: format!("cannot be read: {error}"),
        })?;
        Self::read(name, &text)
    }

    fn read(file: &str, text: &str) -> Result<Self, CommandError> {
        let wrong = |problem: String| CommandError::Definition {
            file: file.to_owned(),
            problem,
        };
        let toml: Toml =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        let at = |value: &Spanned<String>, problem: &str| {
            let line = text[..value.span().start].matches('\n').count() + 1;
            wrong(format!("line {line}: `{}`: {problem}", value.get_ref()))
        };
        let file_of = |entry: TomlFile| {
            let known = || format!("choose {}", names().join(", "));
            let format = formats::by_name(entry.format.get_ref());
            let format = format.ok_or_else(|| at(&entry.format, &known()))?;
            if let Some(name) = &entry.name
                && name.get_ref().contains(['/', '\\'])
            {
                return Err(at(name, "a name without folder"));
            }
            let content = entry.content.as_ref().map(|content| {
                let names = Content::ALL.map(|(_, name, _)| name);
                let known = || format!("choose {}", names.join(", "));
                Content::named(content.get_ref()).ok_or_else(|| at(content, &known()))
            });
            let version = entry.focus_version.as_ref().map(|version| {
                let known = FocusVersion::ALL.iter();
                let mut named = known.filter(|(_, name)| name == version.get_ref());
                let found = named.next().map(|(version, _)| *version);
                found.ok_or_else(|| at(version, "choose \"1.2\" or \"1.4\""))
            });
            let accrue = entry.accrue.as_ref().map(|accrue| {
                let names = Accrual::ALL.map(|(_, name, _)| name);
                let known = || format!("choose {}", names.join(" or "));
                Accrual::named(accrue.get_ref()).ok_or_else(|| at(accrue, &known()))
            });
            let by = entry
                .by
                .iter()
                .map(|text| super::part(text.get_ref()).map_err(|problem| at(text, &problem)));
            Ok(DefinedFile {
                format,
                name: entry.name.map(Spanned::into_inner),
                args: FileArgs {
                    content: content.transpose()?,
                    by: by.collect::<Result<_, _>>()?,
                    columns: entry.columns,
                    bom: entry.bom,
                    chart: entry
                        .chart
                        .as_ref()
                        .map(|text| {
                            super::chart(text.get_ref()).map_err(|problem| at(text, &problem))
                        })
                        .transpose()?,
                    gl: entry.gl,
                    accrue: accrue.transpose()?.unwrap_or(Accrual::Expected),
                    focus_version: version.transpose()?.unwrap_or_default(),
                },
            })
        };
        if toml.file.is_empty() {
            return Err(wrong("there is no [[file]] in it".to_owned()));
        }
        let stem = Path::new(file).file_stem().unwrap_or_default();
        Ok(Self {
            name: stem.to_string_lossy().into_owned(),
            files: toml
                .file
                .into_iter()
                .map(file_of)
                .collect::<Result<_, _>>()?,
        })
    }
}
