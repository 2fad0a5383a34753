//! Deliveries: what lies below a folder that AWS delivers an export to, and what of it counts.
//!
//! Data Exports write `data/BILLING_PERIOD=…/` and `metadata/BILLING_PERIOD=…/…-Manifest.json`, the
//! older reports `yyyymmdd-yyyymmdd/` or `year=…/month=…/`. A delivery that does not overwrite the
//! one before has a folder of its own in its month; its manifest comes last, so what has none where
//! others have one is still being written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    ImportError,
    file_names::{self, is_data, is_manifest, is_packed_otherwise, is_status},
    source::Input,
};
use crate::domain::period::Month;

/// A file below a folder.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Its path from the folder on, with slashes.
    pub path: String,
    /// How long it is.
    pub size: u64,
    /// What changes whenever its content does.
    pub tag: String,
}

/// A folder of exports, wherever it is.
pub trait Store {
    /// Returns what it is called.
    fn name(&self) -> String;
    /// Lists what is below it.
    fn list(&self) -> Result<Vec<Entry>, ImportError>;
    /// Reads a small file.
    fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError>;
    /// Describes a file that is to be imported.
    fn input(&self, entry: &Entry) -> Result<Input, ImportError>;
}

/// A folder on this machine.
pub struct Folder(pub PathBuf);

impl Folder {
    fn path(&self, entry: &Entry) -> PathBuf {
        self.0.join(&entry.path)
    }
}

fn open_error(path: &Path, source: io::Error) -> ImportError {
    ImportError::Open {
        file: path.display().to_string(),
        source,
    }
}

impl Store for Folder {
    fn name(&self) -> String {
        // With a slash at its end or without, it is the same folder.
        let name = self.0.display().to_string();
        let short = name.trim_end_matches(['/', '\\']);
        if short.is_empty() {
            name
        } else {
            short.to_owned()
        }
    }

    fn list(&self) -> Result<Vec<Entry>, ImportError> {
        let mut entries = Vec::new();
        let (mut open, mut links) = (vec![self.0.clone()], BTreeSet::new());
        let mut seen = BTreeSet::new();
        // Links to folders come last: what they lead to may be here already, or lead in a circle.
        while let Some(folder) = open.pop().or_else(|| links.pop_first()) {
            let real = fs::canonicalize(&folder).map_err(|source| open_error(&folder, source))?;
            if !seen.insert(real) {
                continue;
            }
            let listed = fs::read_dir(&folder).map_err(|source| open_error(&folder, source))?;
            for entry in listed {
                let entry = entry.map_err(|source| open_error(&folder, source))?;
                let path = entry.path();
                let kind = entry
                    .file_type()
                    .map_err(|source| open_error(&path, source))?;
                if kind.is_dir() {
                    open.push(path);
                    continue;
                }
                let metadata = fs::metadata(&path).map_err(|source| open_error(&path, source))?;
                if metadata.is_dir() {
                    links.insert(path);
                    continue;
                }
                if !metadata.is_file() {
                    continue;
                }
                let inside = path.strip_prefix(&self.0).unwrap_or(&path);
                entries.push(Entry {
                    path: inside.to_string_lossy().replace('\\', "/"),
                    size: metadata.len(),
                    tag: metadata.modified().map_or_else(
                        |_| String::new(),
                        |time| chrono::DateTime::<chrono::Utc>::from(time).to_rfc3339(),
                    ),
                });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn read(&self, entry: &Entry) -> Result<Vec<u8>, ImportError> {
        let path = self.path(entry);
        fs::read(&path).map_err(|source| open_error(&path, source))
    }

    fn input(&self, entry: &Entry) -> Result<Input, ImportError> {
        let path = self.path(entry);
        Input::local(&path).map_err(|source| open_error(&path, source))
    }
}

/// A month of an export, as it is delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Chosen {
    /// The files that count.
    pub(super) files: Vec<Entry>,
    /// What is another one as soon as anything of it is.
    pub(super) fingerprint: String,
}

/// Files of one delivery.
#[derive(Default)]
struct Execution {
    files: Vec<Entry>,
    manifest: Option<Entry>,
}

/// Where in a delivery a file lies.
pub(super) struct Spot {
    /// The folder of the export.
    pub(super) root: String,
    pub(super) month: Option<Month>,
    /// The folder of one delivery among several.
    pub(super) execution: Option<String>,
}

impl Spot {
    pub(super) fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split('/').collect();
        let folders = &parts[..parts.len() - 1];
        for (at, folder) in folders.iter().enumerate() {
            let next = folders.get(at + 1).copied();
            let Some((month, length)) = month_of(folder, next) else {
                continue;
            };
            let mut root = &folders[..at];
            if let [rest @ .., "data" | "metadata"] = root {
                root = rest;
            }
            return Self {
                root: root.join("/"),
                month: Some(month),
                // A folder by some value is a part of a delivery.
                execution: folders
                    .get(at + length)
                    .filter(|name| !name.contains('='))
                    .map(|&name| name.to_owned()),
            };
        }
        Self {
            root: folders.join("/"),
            month: None,
            execution: None,
        }
    }
}

/// Reads the month off a folder, or off one and the next, and says how many they are.
fn month_of(folder: &str, next: Option<&str>) -> Option<(Month, usize)> {
    let lower = folder.to_ascii_lowercase();
    if let Some(period) = lower.strip_prefix("billing_period=") {
        return Some((period.get(..7)?.parse().ok()?, 1));
    }
    if let Some(year) = lower.strip_prefix("year=") {
        let next = next?.to_ascii_lowercase();
        let month: u32 = next.strip_prefix("month=")?.parse().ok()?;
        return Some((format!("{year}-{month:02}").parse().ok()?, 2));
    }
    let (from, until) = lower.split_once('-')?;
    let is_day = |text: &str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_day(from) && is_day(until)).then_some(())?;
    Some((format!("{}-{}", &from[..4], &from[4..6]).parse().ok()?, 1))
}

/// Returns the month that a file is delivered for, where the folders it lies in tell.
pub(super) fn month_of_file(path: &str) -> Option<Month> {
    Spot::of(&path.replace('\\', "/")).month
}

/// Chooses what counts of a folder, and says what is left out.
pub(super) fn choose(
    store: &dyn Store,
    month: Option<Month>,
    options: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<Chosen>, ImportError> {
    let mut found: BTreeMap<(String, Option<Month>), BTreeMap<Option<String>, Execution>> =
        BTreeMap::new();
    let mut other_months = BTreeSet::new();
    let mut others = Vec::new();
    for entry in store.list()? {
        let is_manifest = is_manifest(&entry.path);
        if is_packed_otherwise(&entry.path) {
            notes.push(format!(
                "{}/{}: left out, exports end in .csv, .csv.gz, .zip or .parquet",
                store.name(),
                entry.path
            ));
        } else if !is_manifest && !is_data(&entry.path) && !is_status(&entry.path) {
            others.push(entry.path.clone());
        }
        if !is_manifest && !is_data(&entry.path) {
            continue;
        }
        let spot = Spot::of(&entry.path);
        if month.is_some() && spot.month.is_some() && spot.month != month {
            other_months.extend(spot.month);
            continue;
        }
        let execution = found
            .entry((spot.root, spot.month))
            .or_default()
            .entry(spot.execution)
            .or_default();
        if is_manifest {
            execution.manifest.get_or_insert(entry);
        } else {
            execution.files.push(entry);
        }
    }
    note_the_others(&store.name(), &others, notes);
    let mut chosen = Vec::new();
    for ((root, month), executions) in found {
        let place = match month {
            Some(month) => format!("{}/{root} of {month}", store.name()),
            None => format!("{}/{root}", store.name()),
        };
        let files = of_month(store, &place, executions, notes)?;
        if files.is_empty() {
            continue;
        }
        let mut text = format!("{place}\n{options}\n{}\n", env!("CARGO_PKG_VERSION"));
        for file in &files {
            text.push_str(&format!("{} {} {}\n", file.path, file.size, file.tag));
        }
        chosen.push(Chosen {
            files,
            fingerprint: fingerprint(&text),
        });
    }
    if chosen.is_empty() {
        return Err(ImportError::NothingDelivered {
            place: store.name(),
            month,
            others: other_months.into_iter().collect(),
        });
    }
    Ok(chosen)
}

/// How many files are named that have not the name of an export, before they are only counted.
const NAMED: usize = 10;

/// Says which files are left out for their names.
fn note_the_others(place: &str, others: &[String], notes: &mut Vec<String>) {
    let named = others[..others.len().min(NAMED)].join(", ");
    match others.len() {
        0 => {}
        1 => notes.push(format!(
            "{place}: {named} left out, not named as exports are"
        )),
        count => {
            let more = match count - count.min(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            notes.push(format!(
                "{place}: {count} files left out, not named as exports are: {named}{more}"
            ));
        }
    }
}

/// Returns what marks one file, as it is and as it is read.
pub(super) fn mark(store: &dyn Store, file: &Entry, options: &str) -> String {
    let (place, version) = (store.name(), env!("CARGO_PKG_VERSION"));
    let Entry { path, size, tag } = file;
    fingerprint(&format!(
        "{place}\n{options}\n{version}\n{path} {size} {tag}\n"
    ))
}

fn fingerprint(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns the files of the delivery that counts among those of one month.
fn of_month(
    store: &dyn Store,
    place: &str,
    mut executions: BTreeMap<Option<String>, Execution>,
    notes: &mut Vec<String>,
) -> Result<Vec<Entry>, ImportError> {
    let above = executions
        .get_mut(&None)
        .and_then(|execution| execution.manifest.take());
    let stated = above
        .as_ref()
        .map(|entry| manifest(store, entry))
        .transpose()?;
    executions.retain(|_, execution| !execution.files.is_empty() || execution.manifest.is_some());
    let name = newest(place, &executions, stated.as_ref())?;
    for (other, execution) in &executions {
        if *other != name && !execution.files.is_empty() {
            let why = if *other > name && execution.manifest.is_none() {
                "it is still being written"
            } else {
                "a newer delivery of the month is there"
            };
            notes.push(format!(
                "{place}: {} is ignored: {why}",
                other.as_deref().unwrap_or(BESIDE)
            ));
        }
    }
    let Some(execution) = executions.remove(&name) else {
        return Ok(Vec::new());
    };
    let own = execution.manifest.as_ref();
    let listed = match (own, stated) {
        (Some(own), _) => manifest(store, own)?.files,
        (None, Some(stated)) => stated.files,
        (None, None) => return Ok(execution.files),
    };
    if listed.is_empty() {
        return Ok(execution.files);
    }
    let base = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let (counted, others): (Vec<Entry>, Vec<Entry>) = execution
        .files
        .into_iter()
        .partition(|file| listed.contains(&base(&file.path)));
    for file in others {
        notes.push(format!(
            "{place}: {} left out, its manifest does not list it",
            file.path
        ));
    }
    if let Some(missing) = listed
        .iter()
        .find(|name| !counted.iter().any(|file| base(&file.path) == **name))
    {
        return Err(ImportError::Incomplete {
            place: place.to_owned(),
            missing: missing.clone(),
        });
    }
    Ok(counted)
}

/// What a manifest says.
struct Manifest {
    /// The names of the files.
    files: BTreeSet<String>,
    /// Which delivery it is of.
    assembly: Option<String>,
}

/// Reads a manifest: the older reports list `reportKeys`, Data Exports their files under another
/// name; whatever ends like a data file is one.
fn manifest(store: &dyn Store, entry: &Entry) -> Result<Manifest, ImportError> {
    let bytes = store.read(entry)?;
    let json: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| ImportError::Manifest {
            file: format!("{}/{}", store.name(), entry.path),
            line: error.line(),
        })?;
    let assembly = json.get("assemblyId").and_then(|id| id.as_str());
    let mut found = Manifest {
        files: BTreeSet::new(),
        assembly: assembly.map(str::to_owned),
    };
    collect_files(&json, &mut found.files);
    Ok(found)
}

fn collect_files(value: &serde_json::Value, files: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) if is_data(text) => {
            files.insert(text.rsplit('/').next().unwrap_or(text).to_owned());
        }
        serde_json::Value::Array(values) => values.iter().for_each(|v| collect_files(v, files)),
        serde_json::Value::Object(map) => map.values().for_each(|v| collect_files(v, files)),
        _ => {}
    }
}

pub(super) fn ambiguous<'n>(
    place: &str,
    mut names: impl Iterator<Item = &'n Option<String>>,
) -> ImportError {
    let mut shown = || {
        let name = names.next().cloned().flatten();
        format!("{place}: {}", name.as_deref().unwrap_or(BESIDE))
    };
    ImportError::AmbiguousDelivery {
        first: shown(),
        second: shown(),
    }
}

/// What lies in the folder of a month itself.
pub(super) const BESIDE: &str = "files beside the deliveries";

/// Returns the newest of several deliveries that is complete.
fn newest(
    place: &str,
    executions: &BTreeMap<Option<String>, Execution>,
    stated: Option<&Manifest>,
) -> Result<Option<String>, ImportError> {
    if executions.len() <= 1 {
        return Ok(executions.keys().next().cloned().flatten());
    }
    if let Some(assembly) = stated.and_then(|stated| stated.assembly.clone())
        && executions.contains_key(&Some(assembly.clone()))
    {
        return Ok(Some(assembly));
    }
    if !executions
        .keys()
        .all(|name| file_names::is_dated(name.as_deref()))
    {
        return Err(ambiguous(place, executions.keys()));
    }
    let complete = executions.iter().rfind(|(_, e)| e.manifest.is_some());
    let last = complete.or_else(|| executions.iter().next_back());
    Ok(last.and_then(|(name, _)| name.clone()))
}
