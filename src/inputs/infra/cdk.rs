//! What `cdk synth` writes: a folder of templates, with a manifest that says which stacks they are, and where.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::cloudformation::{
    self, Options, Problem, Reading, Template, TemplateError, load_file, unreadable,
};
use crate::domain::{
    ids::{AccountId, Region},
    infra::Form,
};

/// How deep assemblies nest: an application's stages, and theirs.
const MAX_NESTING: usize = 10;

/// How many stacks an application may have.
const MAX_STACKS: usize = 500;

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    artifacts: BTreeMap<String, Artifact>,
}

#[derive(Deserialize)]
struct Artifact {
    #[serde(rename = "type")]
    kind: String,
    environment: Option<String>,
    #[serde(default)]
    properties: Properties,
    #[serde(rename = "displayName")]
    display_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Properties {
    template_file: Option<String>,
    directory_name: Option<String>,
    stack_name: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, serde_json::Value>,
}

/// Tells whether a path is a folder that CDK wrote, or its manifest.
pub fn is_output(path: &Path) -> bool {
    manifest_of(path).is_file()
}

fn manifest_of(path: &Path) -> PathBuf {
    if path.file_name().is_some_and(|name| name == "manifest.json") {
        path.to_owned()
    } else {
        path.join("manifest.json")
    }
}

/// Reads every stack of the folder, those of nested assemblies included.
pub fn read(path: &Path, options: &Options) -> Result<Reading, TemplateError> {
    let mut templates = Vec::new();
    collect(&manifest_of(path), 0, &mut templates)?;
    let mut reading = cloudformation::read(&templates, options, &load_file)?;
    reading.infra.form = Form::Cdk;
    Ok(reading)
}

fn collect(
    manifest: &Path,
    depth: usize,
    templates: &mut Vec<Template>,
) -> Result<(), TemplateError> {
    let wrong = || TemplateError {
        file: manifest.display().to_string(),
        line: 0,
        column: 0,
        problem: Problem::NotAManifest,
    };
    let bytes = load_file(manifest).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => wrong(),
        _ => unreadable(manifest, &error),
    })?;
    let read: Manifest = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
    let folder = manifest.parent().unwrap_or_else(|| Path::new(""));
    for (id, artifact) in read.artifacts {
        let Artifact {
            kind,
            environment,
            properties,
            display_name,
        } = artifact;
        match (
            kind.as_str(),
            &properties.template_file,
            &properties.directory_name,
        ) {
            ("aws:cloudformation:stack", Some(file), _) => {
                let file = folder.join(file);
                let bytes = load_file(&file).map_err(|error| unreadable(&file, &error))?;
                if templates.len() >= MAX_STACKS {
                    return Err(wrong());
                }
                let (account, region) = environment.as_deref().map(place).unwrap_or_default();
                let text = |value: serde_json::Value| match value {
                    serde_json::Value::String(text) => Some(text),
                    serde_json::Value::Null | serde_json::Value::Object(_) => None,
                    other => Some(other.to_string()),
                };
                let parameters = properties.parameters.into_iter();
                templates.push(Template {
                    file,
                    bytes,
                    stack: properties.stack_name.or(display_name).or(Some(id)),
                    region,
                    account,
                    parameters: parameters
                        .filter_map(|(name, value)| Some((name, text(value)?)))
                        .collect(),
                });
            }
            ("cdk:cloud-assembly", _, Some(directory)) => {
                if depth >= MAX_NESTING {
                    return Err(wrong());
                }
                collect(
                    &folder.join(directory).join("manifest.json"),
                    depth + 1,
                    templates,
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads `aws://ACCOUNT/REGION`, either of which may be left open.
fn place(environment: &str) -> (Option<AccountId>, Option<Region>) {
    let path = environment.strip_prefix("aws://").unwrap_or(environment);
    let (account, region) = path.split_once('/').unwrap_or((path, ""));
    let stated = |part: &str, open: &str| !part.is_empty() && part != open;
    (
        stated(account, "unknown-account").then(|| AccountId::new(account)),
        stated(region, "unknown-region").then(|| Region::new(region)),
    )
}
