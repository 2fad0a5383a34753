//! Jobs of GitHub Actions: the answers of "list jobs for a workflow run", in every form in which `gh`
//! writes them. Pages stand one after the other or in a list; jobs stand in pages, in lists, or each in
//! a line of its own, as deliveries of a webhook do.

use std::{
    fmt,
    io::{BufReader, Read},
};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::{
    ImportError, ImportOptions, RowFault,
    open::{Guarded, Stream},
    skip::Skipped,
    stranger::{Stranger, near_miss, outer_keys},
    values::shown,
};
use crate::domain::{
    ci_jobs::CiJob,
    export::{ExportKind, FileRead},
};

/// Tells by how a JSON text begins whether it lists jobs.
pub(super) fn is_one(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    // Lists of lists are what `jq --slurp` makes of lists.
    let inner = text.trim_start_matches(|c: char| c == '[' || c.is_whitespace());
    let keys = outer_keys(inner);
    let has = |key: &str| keys.iter().any(|known| known == key);
    let is_page = has("jobs") && (has("total_count") || keys.len() == 1);
    let is_job = has("run_id") && has("name") || has("run_url") || has("runner_name");
    let is_delivery = has("workflow_job");
    (is_page || is_job || is_delivery) && near_miss(&keys, inner).is_none()
}

/// What stands in the text: lists, pages, jobs.
enum Node {
    List(Vec<Node>),
    Object(Box<Object>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("jobs")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node, A::Error> {
                Object::deserialize(MapAccessDeserializer::new(map))
                    .map(|object| Node::Object(Box::new(object)))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A page, or a job. What is of the wrong type is nothing.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Object {
    /// Or the job that a webhook delivered.
    #[serde(alias = "workflow_job")]
    jobs: Option<Node>,
    message: Scalar,
    id: Scalar,
    run_id: Scalar,
    run_attempt: Scalar,
    run_url: Scalar,
    url: Scalar,
    html_url: Scalar,
    workflow_name: Scalar,
    name: Scalar,
    runner_name: Scalar,
    labels: Labels,
    created_at: Scalar,
    started_at: Scalar,
    completed_at: Scalar,
    status: Scalar,
    conclusion: Scalar,
}

/// A text or a number.
#[derive(Default)]
struct Scalar(Option<String>);

/// Texts in a list.
#[derive(Default)]
struct Labels(Vec<String>);

/// Reads anything: its text if it is one, a number as text.
struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar((!text.trim().is_empty()).then(|| text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar(Some(number.to_string())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar(None))
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = Option::<Vec<Scalar>>::deserialize(deserializer)?;
        let texts = found.unwrap_or_default().into_iter();
        Ok(Self(texts.filter_map(|text| text.0).collect()))
    }
}

/// Reads every job of a text.
pub(super) fn read(
    stream: &mut Stream<'_>,
    reader: Guarded<'_>,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let mut found = Found {
        file: stream.name().to_owned(),
        jobs: Vec::new(),
        rows: 0,
        skipped: Skipped::new(options.skip_bad_rows),
    };
    stream.begin_record();
    documents(stream, reader, &mut |stream, node| found.node(stream, node))?;
    let mut notes = Vec::new();
    let (skipped, bad_rows) = found.skipped.note(&found.file, &mut notes);
    Ok(FileRead {
        kind: ExportKind::GitHubJobs,
        grouping: String::new(),
        slices: Vec::new(),
        rows: found.rows,
        kept: found.jobs.len() as u64,
        jobs: found.jobs,
        skipped,
        bad_rows,
        notes,
        name: found.file,
    })
}

/// Calls `take` with each document of a text.
fn documents(
    stream: &mut Stream<'_>,
    reader: impl Read,
    take: &mut dyn FnMut(&Stream<'_>, Node) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let documents = serde_json::Deserializer::from_reader(BufReader::new(reader)).into_iter();
    for document in documents {
        let document = document.map_err(|error: serde_json::Error| {
            let file = stream.name().to_owned();
            let line = error.line();
            if error.is_io() {
                stream.error(error.into())
            } else if error.is_data() {
                ImportError::NotJobs { file, line }
            } else {
                let is_cut = error.is_eof();
                ImportError::BrokenJson { file, line, is_cut }
            }
        })?;
        stream.begin_record();
        take(stream, document)?;
    }
    Ok(())
}

struct Found {
    file: String,
    jobs: Vec<CiJob>,
    rows: u64,
    skipped: Skipped,
}

impl Found {
    fn node(&mut self, stream: &Stream<'_>, node: Node) -> Result<(), ImportError> {
        let object = match node {
            Node::List(nodes) => {
                return nodes
                    .into_iter()
                    .try_for_each(|node| self.node(stream, node));
            }
            Node::Object(object) => *object,
        };
        if let Some(jobs) = object.jobs {
            return self.node(stream, jobs);
        }
        if let (Some(message), None) = (&object.message.0, &object.id.0) {
            return Err(ImportError::Stranger {
                file: self.file.clone(),
                what: Stranger::Refusal(message.chars().filter(|c| !c.is_control()).collect()),
            });
        }
        self.rows += 1;
        stream.tick(self.rows)?;
        let name = match (&object.name.0, &object.id.0) {
            (Some(name), Some(id)) => format!("job {} ({})", shown(id), shown(name)),
            (None, Some(id)) => format!("job {}", shown(id)),
            (Some(name), None) => format!("job {} ({})", self.rows, shown(name)),
            (None, None) => format!("job {}", self.rows),
        };
        match job(object) {
            Ok(job) => self.jobs.push(job),
            Err((key, fault)) => {
                let error = ImportError::Value {
                    file: self.file.clone(),
                    place: format!("{key} of {name}"),
                    fault,
                };
                self.skipped.add(error, 1, name)?;
            }
        }
        Ok(())
    }
}

/// Makes a job of what its object says, or tells which key is wrong.
fn job(object: Object) -> Result<CiJob, (&'static str, RowFault)> {
    let whole = |key: &'static str, text: &str| {
        let number = text
            .parse::<u64>()
            .ok()
            .filter(|n| i64::try_from(*n).is_ok());
        number.ok_or_else(|| (key, RowFault::Whole(shown(text))))
    };
    let time = |key: &'static str, text: &Scalar| -> Result<Option<DateTime<Utc>>, _> {
        let Some(text) = &text.0 else {
            return Ok(None);
        };
        match DateTime::parse_from_rfc3339(text) {
            Ok(at) => Ok(Some(at.to_utc())),
            Err(_) => Err((key, RowFault::Time(shown(text)))),
        }
    };
    let missing = |key: &'static str| (key, RowFault::Missing);
    let urls = [&object.url, &object.run_url, &object.html_url];
    let urls: Vec<&str> = urls
        .into_iter()
        .filter_map(|url| url.0.as_deref())
        .collect();
    let repository = urls.iter().find_map(|url| repository(url));
    let run = urls.iter().find_map(|url| run(url));
    let (host, repository) = repository.ok_or(missing("url"))?;
    let found = CiJob {
        host,
        repository,
        run: match (&object.run_id.0, run) {
            (Some(run), _) => whole("run_id", run)?,
            (None, Some(run)) => whole("run_url", run)?,
            (None, None) => return Err(missing("run_id")),
        },
        attempt: match &object.run_attempt.0 {
            Some(attempt) => whole("run_attempt", attempt)?,
            None => 1,
        },
        id: whole("id", object.id.0.as_deref().ok_or(missing("id"))?)?,
        created: time("created_at", &object.created_at)?,
        started: time("started_at", &object.started_at)?,
        completed: time("completed_at", &object.completed_at)?,
        workflow: object.workflow_name.0,
        name: object.name.0.ok_or(missing("name"))?,
        runner: object.runner_name.0,
        labels: object.labels.0,
        status: object.status.0,
        conclusion: object.conclusion.0,
    };
    // What has no time is of no month.
    found.when().ok_or(missing("started_at"))?;
    Ok(found)
}

/// Returns the host and the repository of an address of GitHub's API or site.
fn repository(url: &str) -> Option<(String, String)> {
    let (host, path) = url.split_once("://")?.1.split_once('/')?;
    let (path, is_api) = match path.strip_prefix("api/v3/").unwrap_or(path) {
        api if api.starts_with("repos/") => (&api["repos/".len()..], true),
        site => (site, false),
    };
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    let host = if is_api {
        host.strip_prefix("api.").unwrap_or(host)
    } else {
        host
    };
    Some((host.to_owned(), format!("{owner}/{name}")))
}

/// Returns the run that an address names.
fn run(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("/actions/runs/")?;
    let run = rest.split(['/', '?']).next()?;
    (!run.is_empty()).then_some(run)
}

#[cfg(test)]
mod tests;
