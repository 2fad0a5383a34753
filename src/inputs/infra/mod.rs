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

pub use self::error::{Foreign, InfraError, Problem};

/// A file that is larger is no plan.
const LIMIT_MIB: u64 = 512;

/// Reads a file.
pub fn read(path: &Path) -> Result<Infra, InfraError> {
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
    parse(&file, bytes)
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
        Err(InfraError::Malformed { problem, .. }) if problem == Problem::NotJson => {
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
