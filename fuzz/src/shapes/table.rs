//! Changed tables: cells, rows and columns that are odd, missing, doubled or moved.

use arbitrary::Unstructured;

use super::word;

/// What a cell may hold.
const CELLS: [&str; 26] = [
    "CodeBuild",
    "AWSCodePipeline",
    "AmazonS3",
    "AmazonCloudWatch",
    "Usage",
    "Tax",
    "Credit",
    "SavingsPlanCoveredUsage",
    "EUW2-Build-Min:Linux:g1.small",
    "EUW2-TimedStorage-ByteHrs",
    "EU-DataProcessing-Bytes",
    "Global-Build-Min:Linux:g1.small",
    "arn:aws:s3:::codepipeline-eu-west-2-1",
    "arn:aws:codebuild:eu-west-2:111122223333:build/api:0f6e",
    "USD",
    "EUR",
    "Minutes",
    "GB-Mo",
    "Inf",
    "OnDemand",
    "eu-west-2",
    "Service total",
    "Total costs($)",
    "CodeBuild($)",
    "line_item_unblended_cost",
    "resource_tags",
];

/// Of each table so many rows: what is odd is the same in all of them.
const ROWS: usize = 6;

pub(super) type Table = Vec<Vec<String>>;

/// Takes a table apart.
pub(super) fn parsed(text: &str) -> Table {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    reader
        .records()
        .take(ROWS)
        .filter_map(Result::ok)
        .map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// Returns one of the tables with some changes.
pub(super) fn changed(u: &mut Unstructured<'_>, tables: &[Table]) -> arbitrary::Result<Vec<u8>> {
    let mut rows = u.choose(tables)?.clone();
    let (quotes, ends): (u8, u8) = (u.arbitrary()?, u.arbitrary()?);
    for _ in 0..u.int_in_range(0..=24)? {
        change(u, &mut rows)?;
    }
    let end = ["\n", "\r\n", "\r", "\n\n"][usize::from(ends % 8).saturating_sub(4)];
    let mut text = String::new();
    if ends & 64 != 0 {
        text.push('\u{feff}');
    }
    for (at, row) in rows.iter().enumerate() {
        for (field, cell) in row.iter().enumerate() {
            if field > 0 {
                text.push(',');
            }
            let needed = cell.contains([',', '"', '\n', '\r']);
            // Quotes where the format wants them, everywhere, or by chance: not everybody keeps to it.
            let is_quoted = match quotes % 8 {
                0..=3 => needed,
                4 | 5 => true,
                6 => needed ^ (field % 5 == 0),
                _ => false,
            };
            if is_quoted {
                text.push('"');
                text += &cell.replace('"', "\"\"");
                text.push('"');
            } else {
                text += cell;
            }
        }
        if at + 1 < rows.len() || ends & 128 == 0 {
            text += end;
        }
    }
    Ok(text.into_bytes())
}

fn change(u: &mut Unstructured<'_>, rows: &mut Vec<Vec<String>>) -> arbitrary::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let at = u.int_in_range(0..=rows.len() - 1)?;
    let width = rows[at].len();
    let field = u.int_in_range(0..=width.max(1) - 1)?;
    match u.int_in_range(0..=15)? {
        0..=6 => {
            let cell = word(u, &CELLS)?;
            if let Some(place) = rows[at].get_mut(field) {
                *place = cell;
            }
        }
        7 => rows[at].insert(field.min(width), word(u, &CELLS)?),
        8 if width > 1 => drop(rows[at].remove(field)),
        9 => {
            let more = u.int_in_range(0..=70)?;
            rows[at].extend(std::iter::repeat_n("x".to_owned(), more));
        }
        10 => rows[at].truncate(field + 1),
        11 if width > 0 => {
            let other = u.int_in_range(0..=width - 1)?;
            for row in rows.iter_mut().filter(|row| row.len() == width) {
                row.swap(field, other);
            }
        }
        12 => {
            let row = rows[at].clone();
            for _ in 0..u.int_in_range(1..=16)? {
                rows.insert(at, row.clone());
            }
        }
        13 => drop(rows.remove(at)),
        14 => {
            for row in rows.iter_mut().filter(|row| row.len() > field) {
                row.remove(field);
            }
        }
        _ => {
            let other = u.int_in_range(0..=rows.len() - 1)?;
            rows.swap(at, other);
        }
    }
    Ok(())
}
