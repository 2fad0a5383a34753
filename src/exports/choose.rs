//! Which of the files given count: AWS keeps older deliveries beside newer ones, and shells make
//! it easy to name a file twice.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    ImportError,
    file_names::{self, is_dated},
};
use crate::domain::export::ExportKind;

/// Returns the files that count, in the order given, and says which are left out.
///
/// Shells name whatever lies in a folder: what is known by its name to be beside exports is left out,
/// unless it `is_alone`.
pub(super) fn choose(
    paths: &[PathBuf],
    is_alone: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<PathBuf>, ImportError> {
    let mut files = Vec::new();
    for path in paths {
        let file = path.display().to_string();
        if let Some(what) = file_names::beside(&file.replace('\\', "/")).filter(|_| !is_alone)
            && path.exists()
        {
            notes.push(format!("{file}: left out, {what}"));
            continue;
        }
        let real = fs::canonicalize(path).and_then(|real| Ok((fs::metadata(&real)?, real)));
        match real {
            Ok((metadata, _)) if metadata.is_dir() => return Err(ImportError::Directory { file }),
            Ok((metadata, real)) => files.push((path.clone(), real, metadata.len())),
            Err(source) => return Err(ImportError::Open { file, source }),
        }
    }
    let files = without_repeats(files, notes)?;
    newest_deliveries(files, notes)
}

fn without_repeats(
    files: Vec<(PathBuf, PathBuf, u64)>,
    notes: &mut Vec<String>,
) -> Result<Vec<(PathBuf, PathBuf)>, ImportError> {
    let mut kept: Vec<(PathBuf, PathBuf, u64)> = Vec::new();
    for (path, real, size) in files {
        let mut same = None;
        for (other_path, other, other_size) in &kept {
            let alike = *other_size == size && other.file_name() == real.file_name();
            if *other == real || (alike && hash(other)? == hash(&real)?) {
                same = Some(other_path);
                break;
            }
        }
        if let Some(same) = same {
            notes.push(format!(
                "{}: left out, the same file as {}",
                path.display(),
                same.display()
            ));
        } else {
            kept.push((path, real, size));
        }
    }
    Ok(kept.into_iter().map(|file| (file.0, file.1)).collect())
}

fn hash(path: &Path) -> Result<[u8; 32], ImportError> {
    let fail = |source| ImportError::Read {
        file: path.display().to_string(),
        source,
    };
    let mut hasher = Sha256::new();
    let mut file = BufReader::with_capacity(1 << 16, File::open(path).map_err(fail)?);
    loop {
        let chunk = file.fill_buf().map_err(fail)?;
        if chunk.is_empty() {
            return Ok(hasher.finalize().into());
        }
        hasher.update(chunk);
        let count = chunk.len();
        file.consume(count);
    }
}

/// A delivery that AWS wrote beside others of the same month.
struct Delivery {
    /// The folder of the month.
    month: PathBuf,
    /// The folder of this delivery in it; none where deliveries overwrite each other.
    name: Option<String>,
}

fn newest_deliveries(
    files: Vec<(PathBuf, PathBuf)>,
    notes: &mut Vec<String>,
) -> Result<Vec<PathBuf>, ImportError> {
    let mut months: BTreeMap<PathBuf, Vec<Option<String>>> = BTreeMap::new();
    let deliveries: Vec<Option<Delivery>> =
        files.iter().map(|(_, real)| delivery_of(real)).collect();
    for delivery in deliveries.iter().flatten() {
        let names = months.entry(delivery.month.clone()).or_default();
        if !names.contains(&delivery.name) {
            names.push(delivery.name.clone());
        }
    }
    let mut newest = HashMap::new();
    for (month, mut names) in months {
        if names.len() > 1 {
            names.sort();
            let name = newest_of(&month, &names)?;
            newest.insert(month, name);
        }
    }
    let mut chosen = Vec::new();
    for ((path, _), delivery) in files.into_iter().zip(deliveries) {
        let left_out = delivery.as_ref().and_then(|delivery| {
            let newest = newest.get(&delivery.month)?;
            (*newest != delivery.name).then_some(newest)
        });
        match left_out {
            Some(newest) => notes.push(format!(
                "{}: left out, delivery {} of the same month is newer",
                path.display(),
                newest.as_deref().unwrap_or_default()
            )),
            None => chosen.push(path),
        }
    }
    Ok(chosen)
}

/// Finds the folder of a month in a path, and the folder of one delivery in that.
fn delivery_of(file: &Path) -> Option<Delivery> {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let folder = file.parent()?;
    if is_month_folder(&name(folder)?) {
        return Some(Delivery {
            month: folder.to_owned(),
            name: None,
        });
    }
    let month = folder.parent()?;
    is_month_folder(&name(month)?).then_some(Delivery {
        month: month.to_owned(),
        name: Some(name(folder)?),
    })
}

fn is_month_folder(name: &str) -> bool {
    if name
        .get(..15)
        .is_some_and(|start| start.eq_ignore_ascii_case("billing_period="))
    {
        return true;
    }
    let all_digits = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
    name.split_once('-')
        .is_some_and(|(from, until)| all_digits(from) && all_digits(until))
}

/// Returns the newest of several deliveries: by the time in their names, else the one that the
/// manifest beside them names.
fn newest_of(month: &Path, names: &[Option<String>]) -> Result<Option<String>, ImportError> {
    let last = names.last().cloned().flatten();
    if names.iter().all(|name| is_dated(name.as_deref())) {
        return Ok(last);
    }
    let stated = assembly_in_manifest(month);
    if names.contains(&stated) && stated.is_some() {
        return Ok(stated);
    }
    let shown = |name: &Option<String>| {
        let folder = name
            .as_ref()
            .map_or(month.to_owned(), |name| month.join(name));
        folder.display().to_string()
    };
    Err(ImportError::AmbiguousDelivery {
        first: shown(&names[0]),
        second: shown(&names[1]),
    })
}

fn assembly_in_manifest(month: &Path) -> Option<String> {
    let mut manifests: Vec<PathBuf> = fs::read_dir(month)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with("-Manifest.json"))
        .collect();
    manifests.sort();
    let text = fs::read_to_string(manifests.first()?).ok()?;
    let manifest: serde_json::Value = serde_json::from_str(&text).ok()?;
    Some(manifest.get("assemblyId")?.as_str()?.to_owned())
}

/// Returns the name of an export without the number of its part and its endings.
pub(super) fn stem(kind: ExportKind, file_name: &str) -> &str {
    split_part(kind, file_name).0
}

/// Returns the number of a file among those of its export; 0 where it has none.
pub(super) fn part_number(kind: ExportKind, file_name: &str) -> u32 {
    split_part(kind, file_name).1
}

/// Data Exports count `-00001`, the older reports `-1`. A month at the end of a name is no part.
fn split_part(kind: ExportKind, file_name: &str) -> (&str, u32) {
    let stem = file_name.split('.').next().unwrap_or(file_name);
    if let Some(found) = split_task(stem).filter(|_| kind.is_bill()) {
        return found;
    }
    let Some((export, number)) = stem.rsplit_once('-') else {
        return (stem, 0);
    };
    let is_part = number.bytes().all(|b| b.is_ascii_digit())
        && match kind {
            ExportKind::Cur2 | ExportKind::Focus => number.len() == 5,
            ExportKind::LegacyCur => {
                let after_a_year = export
                    .rsplit(|c: char| !c.is_ascii_digit())
                    .next()
                    .is_some_and(|digits| digits.len() == 4);
                let counts_from_one =
                    (1..=4).contains(&number.len()) && !number.starts_with('0') && !after_a_year;
                // As Parquet, for Athena, it counts in five digits too.
                counts_from_one || number.len() == 5
            }
            _ => false,
        };
    match number.parse() {
        Ok(part) if is_part => (export, part),
        _ => (stem, 0),
    }
}

/// Who writes a table again numbers its files from 0: Spark `part-00000-` and what names the job, `DuckDB`
/// `data_0`, pyarrow `part-0`.
fn split_task(stem: &str) -> Option<(&str, u32)> {
    let (number, job) = match (stem.strip_prefix("part-"), stem.strip_prefix("data_")) {
        (Some(rest), _) => rest.split_once('-').unwrap_or((rest, "part")),
        (None, Some(number)) => (number, "data"),
        (None, None) => return None,
    };
    let is_number = (1..=5).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let number: u32 = number.parse().ok().filter(|_| is_number)?;
    Some((job, number + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_numbered_as_each_export_numbers_them() {
        for (kind, name, expected) in [
            (ExportKind::Cur2, "x-00002.csv.gz", ("x", 2)),
            (ExportKind::Focus, "x-00002.csv", ("x", 2)),
            (ExportKind::Cur2, "cur-2026-10.csv", ("cur-2026-10", 0)),
            (ExportKind::LegacyCur, "x-2.csv.gz", ("x", 2)),
            (ExportKind::LegacyCur, "x-00002.snappy.parquet", ("x", 2)),
            (ExportKind::LegacyCur, "x-2026-10.csv", ("x-2026-10", 0)),
            (ExportKind::DailyCsv, "x-2.csv", ("x-2", 0)),
            (ExportKind::Cur2, "x.csv", ("x", 0)),
            (ExportKind::Cur2, "data_0.parquet", ("data", 1)),
            (ExportKind::Focus, "part-1.parquet", ("part", 2)),
            (ExportKind::Cur2, "part-x.parquet", ("part-x", 0)),
            (
                ExportKind::LegacyCur,
                "part-00003-1f2e-4a5b-c000.snappy.parquet",
                ("1f2e-4a5b-c000", 4),
            ),
        ] {
            assert_eq!(split_part(kind, name), expected, "{name}");
        }
    }

    #[test]
    fn the_folder_of_a_delivery_is_found() {
        let found = |path: &str| {
            delivery_of(Path::new(path)).map(|d| (d.month.display().to_string(), d.name))
        };
        let month = "/b/x/data/BILLING_PERIOD=2026-10";
        assert_eq!(
            found("/b/x/data/BILLING_PERIOD=2026-10/2026-11-01T00:00:00.000Z-1/x-00001.csv.gz"),
            Some((
                month.to_owned(),
                Some("2026-11-01T00:00:00.000Z-1".to_owned())
            ))
        );
        assert_eq!(
            found("/b/x/data/BILLING_PERIOD=2026-10/x-00001.csv.gz"),
            Some((month.to_owned(), None))
        );
        assert_eq!(
            found("/b/x/20261001-20261101/aaaa/x-1.csv.gz"),
            Some(("/b/x/20261001-20261101".to_owned(), Some("aaaa".to_owned())))
        );
        assert_eq!(found("/downloads/x.csv"), None);
    }
}
