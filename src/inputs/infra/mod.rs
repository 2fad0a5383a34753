//! Infrastructure code, as its tools write it: plans and states of Terraform and `OpenTofu`, previews of
//! Pulumi, templates of `CloudFormation` and SAM, what `cdk synth` writes.
//!
//! The kind of a file is told by its content. Everything ends in the one model of
//! [`crate::domain::infra`].

mod attributes;
pub mod cdk;
pub mod cloudformation;
mod error;
mod pulumi;
mod sniff;
mod terraform;
mod text;
mod tree;

use std::{fs::File, io::Read, path::Path};

use self::{
    sniff::Sniffed,
    text::{Json, without_trailing_commas},
};
use crate::domain::infra::{Infra, Note};

pub use self::cloudformation::Options;
pub use self::error::{Foreign, InfraError, Problem};

/// What stated usage never ends with.
const NAMED: [&str; 6] = ["json", "jsonl", "tfstate", "yaml", "yml", "template"];

/// A file that is larger is no plan.
const LIMIT_MIB: u64 = 512;

/// Reads a file, or the folder that `cdk synth` writes.
pub fn read(path: &Path, options: &Options) -> Result<Infra, InfraError> {
    if path.is_dir() || cdk::is_output(path) {
        return of_templates(cdk::read(path, options)?, path);
    }
    let file = text::shown(path).into_owned();
    let unreadable = |source| InfraError::Unreadable {
        file: file.clone(),
        source,
    };
    let input = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let limit = LIMIT_MIB * 1024 * 1024;
    let count = input
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if count as u64 > limit {
        let mebibytes = LIMIT_MIB;
        return Err(InfraError::TooLarge { file, mebibytes });
    }
    if !is_ours(&bytes) && cloudformation::is_template(&bytes) {
        let reading = cloudformation::read_files(&[path.to_owned()], options)?;
        return of_templates(reading, path);
    }
    parse(&file, bytes)
}

/// A parameter that no template has is a mistake: nothing is priced beside what was meant.
fn of_templates(reading: cloudformation::Reading, path: &Path) -> Result<Infra, InfraError> {
    match reading.unused_parameters.first() {
        None => Ok(reading.infra),
        Some(name) => Err(InfraError::NoParameter {
            file: text::shown(path).into_owned(),
            name: name.clone(),
            known: reading.parameters.into_iter().collect(),
        }),
    }
}

/// Tells whether a file begins as a plan, a state or a preview does.
fn is_ours(bytes: &[u8]) -> bool {
    let text = text::decode(bytes.to_vec());
    text::find("", &text).is_some_and(
        |json| matches!(sniff::json(json), Ok(sniffed) if !matches!(sniffed, Sniffed::Foreign(_))),
    )
}

/// Tells whether a file is infrastructure code rather than stated usage: by its beginning, or, where it is
/// nothing that can be priced, by its name.
pub fn is_infra(path: &Path) -> bool {
    let extension = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let is_named = extension.is_some_and(|it| NAMED.iter().any(|named| it == *named));
    if is_named || path.is_dir() {
        return true;
    }
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
    if read.is_err() {
        return false;
    }
    let text = text::decode(head);
    text::find("", &text).is_some()
        || matches!(
            sniff::other(&text),
            Foreign::BinaryPlan
                | Foreign::TerraformCode
                | Foreign::Jinja { .. }
                | Foreign::Template
        )
}

/// Reads the bytes of a file.
pub fn parse(file: &str, bytes: Vec<u8>) -> Result<Infra, InfraError> {
    let text = text::decode(bytes);
    let foreign = |what| InfraError::Foreign {
        file: file.to_owned(),
        what,
    };
    let Some(json) = text::find(file, &text).filter(|json| !json.text.starts_with("{%")) else {
        return Err(foreign(sniff::other(&text)));
    };
    match read_json(json) {
        Err(InfraError::Malformed {
            problem: Problem::NotJson,
            ..
        }) => {
            if let Foreign::Jinja { line } = sniff::other(json.text) {
                let line = json.lines_before + line;
                return Err(foreign(Foreign::Jinja { line }));
            }
            let Some(repaired) = without_trailing_commas(json.text) else {
                return read_json(json);
            };
            let mut infra = read_json(Json {
                text: &repaired,
                ..json
            })?;
            infra.note(Note::TrailingCommas);
            Ok(infra)
        }
        read => read,
    }
}

fn read_json(json: Json<'_>) -> Result<Infra, InfraError> {
    let foreign = |what| InfraError::Foreign {
        file: json.file.to_owned(),
        what,
    };
    let (mut infra, end) = match sniff::json(json)? {
        Sniffed::Plan => terraform::plan(json)?,
        Sniffed::StateValues => terraform::values(json)?,
        Sniffed::StateV4 => terraform::state_v4(json)?,
        Sniffed::StateV3 => terraform::state_v3(json)?,
        Sniffed::Preview => {
            pulumi::preview(json)?.ok_or_else(|| foreign(Foreign::PulumiWithoutStates))?
        }
        Sniffed::EventLog => (pulumi::event_log(json)?, json.text.len()),
        Sniffed::Foreign(what) => return Err(foreign(what)),
    };
    if json.is_wrapped || !json.text[end..].trim().is_empty() {
        infra.note(Note::Wrapped);
    }
    Ok(infra)
}
