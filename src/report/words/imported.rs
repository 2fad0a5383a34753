//! What an import read, left out and replaced.

use std::path::Path;

use super::{Note, count, counted};
use crate::{
    domain::{
        export::{ImportedPeriod, Larger},
        finality::size,
        import::{FileSummary, OtherServicesRead},
        period::Month,
    },
    report::show_money,
};

/// Says that an import made a month smaller.
pub(crate) fn smaller(month: Month, larger: &Larger) -> Note {
    Note::new(
        "smaller_than_before",
        format!(
            "{month}: {} replaced {}. The month is incomplete until the larger export is imported again. \
             To accept the smaller one, import it with --allow-smaller.",
            size(larger.days_now, &larger.cost_now),
            size(larger.days, &larger.cost),
        ),
    )
    .with("month", month.to_string())
    .with("days", u64::from(larger.days_now))
    .with("days_before", u64::from(larger.days))
}

/// Says that a sum was read before its days were over.
pub(crate) fn reach_unknown(slice: &ImportedPeriod) -> Option<Note> {
    let day = slice.standing.read_while_open?;
    let note = Note::new(
        "reach_unknown",
        format!(
            "{}: the {} does not say how far it reaches into the month ({day} at the latest). If you \
             know, add --known-until DAY.",
            slice.month,
            slice.kind.title()
        ),
    );
    Some(
        note.with("month", slice.month.to_string())
            .with("kind", slice.kind.name())
            .with("at_most", day),
    )
}

/// Says what a file gave.
pub(crate) fn file(file: &FileSummary) -> Note {
    let path = file.path.display().to_string();
    Note::new(
        "file",
        format!(
            "{path}: {}, {}, {} kept.",
            file.kind.title(),
            counted(file.rows_read, "row"),
            count(file.rows_kept)
        ),
    )
    .with("file", path)
    .with("kind", file.kind.name())
    .with("rows", file.rows_read)
    .with("kept", file.rows_kept)
    .with("skipped", file.rows_skipped)
}

/// Says what is counted of services that are not kept in detail.
pub(crate) fn other_services(other: &OtherServicesRead<'_>) -> Option<Note> {
    if other.services.is_empty() {
        return None;
    }
    let costs = other.costs.iter();
    let costs: Vec<String> = costs.map(|(of, cost)| show_money(*cost, of)).collect();
    let services = other.services.len() as u64;
    let note = Note::new(
        "other_services",
        format!(
            "Counted, not kept in detail: {} of {} ({}). To keep a service: --include SERVICE.",
            counted(other.rows, "row"),
            counted(services, "other service"),
            costs.join(" and ")
        ),
    );
    Some(
        note.with("rows", other.rows)
            .with("services", services)
            .with("cost", costs.join(" and ")),
    )
}

/// Says where the rows are that could not be read.
pub(crate) fn quarantine(path: &Path) -> Note {
    let path = path.display().to_string();
    Note::new("quarantine", format!("Unreadable rows saved to {path}.")).with("file", path)
}

/// Says where the cost of imported jobs is.
pub(crate) fn jobs() -> Note {
    Note::new("jobs", "Cost per job: `pipebill bill --by job`.")
}

/// Says what a reader of an export found.
pub(crate) fn reading(text: &str) -> Note {
    Note::new("reading", text)
}

/// Says what an import of a place would read.
#[cfg(feature = "aws")]
pub(crate) fn plan(place: &str, files: u64, to_read: u64, bytes: u64, most: &str) -> Note {
    Note::new(
        "plan",
        format!("{place}: {to_read} of {files} files would be read, {most} at most; nothing was imported."),
    )
    .with("place", place)
    .with("files", files)
    .with("to_read", to_read)
    .with("bytes", bytes)
}
