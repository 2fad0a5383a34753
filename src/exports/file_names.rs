//! What the name of a file or folder tells: an export, what lies beside one, a delivery in order of time.

use chrono::NaiveDate;

pub(super) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with("-Manifest.json") || name.eq_ignore_ascii_case("manifest.json")
}

/// Says what a file is that lies beside exports, where its name tells.
pub(super) fn beside(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if is_manifest(path) {
        return Some("a manifest");
    }
    if is_status(path) {
        return Some("the status of a report for Athena");
    }
    name.starts_with(['.', '_'])
        .then_some("a file of another program")
}

/// The folder in which AWS tells Athena whether a report is being written, as a table of its own.
const STATUS: &str = "cost_and_usage_data_status";

pub(super) fn is_data(path: &str) -> bool {
    ends_in(path, &[".csv", ".csv.gz", ".csv.zip", ".zip", ".parquet"]) && !is_status(path)
}

pub(super) fn is_status(path: &str) -> bool {
    path.split('/').any(|folder| folder == STATUS)
}

/// Tells whether a file may be meant as an export, and is none by its name.
pub(super) fn is_packed_otherwise(path: &str) -> bool {
    let endings = [
        ".7z", ".avro", ".br", ".bz2", ".gz", ".lz4", ".orc", ".parq", ".tar", ".tgz", ".tsv",
        ".xls", ".xlsx", ".xz", ".zst",
    ];
    !is_data(path) && ends_in(path, &endings)
}

fn ends_in(path: &str, endings: &[&str]) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    !name.starts_with(['.', '_']) && endings.iter().any(|ending| name.ends_with(ending))
}

/// Tells whether names of deliveries are in order of time. What lies beside them is the oldest.
pub(super) fn is_dated(name: Option<&str>) -> bool {
    name.is_none_or(|name| {
        name.get(..10)
            .is_some_and(|day| day.parse::<NaiveDate>().is_ok())
    })
}
