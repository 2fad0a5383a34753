//! What an import through Athena will take, and what it took.

use super::{
    Answer, Block, Document, Note, Table, show_money,
    value::{object, row},
    words::imported as words,
};
use crate::domain::{
    ids::Currency,
    import::{Planned, Scan, TableAnnouncement},
};

/// Says what a query will take, in a few lines.
pub fn announcement(plan: &TableAnnouncement) -> String {
    let mut text = format!(
        "athena: {} of {}, a {} table",
        plan.month,
        plan.table,
        plan.kind.title()
    );
    text += if plan.is_pruned {
        "; only the folders of that month are read"
    } else {
        "; it has no folders by month, so that all of it is read"
    };
    text += match (&plan.table_size, plan.is_pruned) {
        (Some(_), true) => "\nathena: all months together have at most ",
        (Some(_), false) => "\nathena: it has at most ",
        (None, _) => {
            "\nathena: how much is scanned is not known before: the table has no statistics"
        }
    };
    if let Some(size) = &plan.table_size {
        text += &cost(size);
    }
    if let Some(limit) = &plan.limit {
        text += &format!("\nathena: the workgroup stops a query at {}", cost(limit));
    }
    if plan.ignores_output {
        text += "\nathena: the workgroup has its own place for results; --output is not used";
    }
    text += &format!(
        "\nathena: every query bills {} at least",
        cost_of(&plan.least, "10 MB")
    );
    text
}

/// Says what a query took.
pub fn scanned(scan: &Scan) -> String {
    format!("athena: scanned {}", cost(scan))
}

/// Says what asking a bucket costs that charges its requesters.
pub fn requester_pays(bucket: &str) -> String {
    format!(
        "s3: --requester-pays: S3 bills each listing and read of {bucket}, and the data it sends, to the account \
         of these credentials, at S3's prices for requests and data transfer"
    )
}

object! {
    /// Which files an import would read.
    pub struct ImportPlanAnswer = "pipebill.import-plan/1" {
        /// The files.
        rows: Vec<PlannedFile>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One file.
    pub struct PlannedFile {
        /// Its name.
        file: String = shown("File", 0),
        /// How long it is.
        bytes: u64 = shown("Bytes", 0),
        /// `to read`, or `unchanged` since it was read.
        status: &'static str = shown("", 0),
    }
}

/// Lays out which files of a place would be read.
pub fn plan(place: &str, files: &[Planned], read_notes: &[String]) -> Answer<'static> {
    let row = |file: &Planned| PlannedFile {
        file: file.name.clone(),
        bytes: file.bytes,
        status: if file.is_known {
            "unchanged"
        } else {
            "to read"
        },
    };
    let rows: Vec<PlannedFile> = files.iter().map(row).collect();
    let to_read = files.iter().filter(|file| !file.is_known);
    let bytes = to_read.clone().map(|file| file.bytes).sum();
    let (count, most) = (to_read.count() as u64, size(bytes));
    let notes = read_notes
        .iter()
        .map(|text| words::reading(text))
        .chain([words::plan(place, files.len() as u64, count, bytes, &most)]);
    let notes: Vec<Note> = notes.collect();
    let document = Document {
        title: "Files to import".to_owned(),
        blocks: vec![Block::Table(Table::of(&rows)), Block::All(notes.clone())],
    };
    Answer::new(document, ImportPlanAnswer { rows, notes })
}

object! {
    /// What an import would ask of Athena.
    pub struct AthenaQueryAnswer = "pipebill.athena-query/1" {
        /// The query, as Athena takes it.
        query: String,
    }
}

/// Lays out a query, to be read and to be pasted.
pub fn query(query: String) -> Answer<'static> {
    let document = Document {
        title: String::new(),
        blocks: vec![Block::Verdict(query.clone())],
    };
    Answer::new(document, AthenaQueryAnswer { query })
}

fn cost(scan: &Scan) -> String {
    cost_of(scan, &size(scan.bytes))
}

fn cost_of(scan: &Scan, size: &str) -> String {
    let price = scan.cost.map_or_else(
        || "price unknown".to_owned(),
        |cost| show_money(cost, &Currency::new("USD")),
    );
    let place = if scan.is_of_another_region {
        format!(" at the price of {}", scan.region)
    } else {
        String::new()
    };
    format!("{size} ({price}{place})")
}

/// Writes a number of bytes in whole units of 1,024.
fn size(bytes: u64) -> String {
    let mut size = bytes;
    for unit in ["bytes", "KB", "MB", "GB"] {
        if size < 10_240 {
            return format!("{size} {unit}");
        }
        size = size.div_ceil(1024);
    }
    format!("{size} TB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_whole_and_rounded_up() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_241, "11 KB"),
            (100 << 20, "100 MB"),
            (1 << 40, "1024 GB"),
            (1 << 60, "1048576 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
