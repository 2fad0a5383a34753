//! Rows with more or fewer fields than their header: which field is which cannot be told, so such a row
//! is refused, or set aside, in every format.

use std::fs;

use pipebill::{
    domain::import::Delivery,
    exports::{ImportOptions, Unwatched, import_files},
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{catalog, fixture, gzip, import_bytes, import_text, write};

/// Every format that is text with a header.
const FORMATS: [&str; 7] = [
    "cur2.csv",
    "legacy-cur.csv",
    "focus-1.0.csv",
    "focus-1.2.csv",
    "daily.csv",
    "ce-service-daily.csv",
    "ce-usage-type-monthly.csv",
];

type Fields = Vec<String>;

/// Returns the header and the rows of a fixture, as the `csv` crate reads them.
fn table(format: &str) -> Vec<Fields> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_path(fixture(format))
        .unwrap();
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// How a row is written.
#[derive(Clone, Copy, Debug)]
struct Hand {
    quotes: bool,
    crlf: bool,
    last_end: bool,
}

impl Hand {
    fn write(self, rows: &[Fields]) -> String {
        let style = if self.quotes {
            csv::QuoteStyle::Always
        } else {
            csv::QuoteStyle::Necessary
        };
        let terminator = if self.crlf {
            csv::Terminator::CRLF
        } else {
            csv::Terminator::Any(b'\n')
        };
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .quote_style(style)
            .terminator(terminator)
            .from_writer(Vec::new());
        for row in rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        if self.last_end {
            text
        } else {
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
    }
}

fn hands() -> impl Iterator<Item = Hand> {
    (0..8).map(|bits| Hand {
        quotes: bits & 1 != 0,
        crlf: bits & 2 != 0,
        last_end: bits & 4 != 0,
    })
}

/// Returns the row with so many fields.
fn resized(row: &Fields, width: usize) -> Fields {
    let mut row = row.clone();
    row.resize(width, "x".to_owned());
    row
}

fn skipping() -> ImportOptions {
    ImportOptions {
        skip_bad_rows: true,
        ..ImportOptions::default()
    }
}

/// Returns what a delivery says of money.
fn said(delivery: &Delivery) -> Vec<impl PartialEq + std::fmt::Debug + use<>> {
    let slices = delivery.slices.iter();
    slices
        .map(|slice| {
            let (records, outside) = (slice.records.clone(), slice.other_services.clone());
            (slice.month, records, outside, slice.storage.clone())
        })
        .collect()
}

#[test]
fn a_row_of_another_width_names_the_line_and_both_counts_and_can_be_set_aside() {
    for format in FORMATS {
        let whole = table(format);
        let width = whole[0].len();
        for hand in hands() {
            for at in [1, whole.len() - 1] {
                for found in [1, width - 1, width + 1, width + 70] {
                    let mut rows = whole.clone();
                    rows[at] = resized(&rows[at], found);
                    let text = hand.write(&rows);
                    let case = format!("{format}, row {at}, {found} fields, {hand:?}");
                    let fault = format!(
                        "{format}, line {}: the header has {width} fields, the row {found}",
                        at + 1
                    );
                    let error = import_text(format, &text).unwrap_err();
                    assert_eq!(error.to_string(), fault, "{case}");

                    let delivery = import_bytes(format, &text, &skipping()).unwrap();
                    assert_eq!(delivery.files[0].rows_skipped, 1, "{case}");
                    assert_eq!(delivery.bad_rows.len(), 1, "{case}");
                    assert_eq!(delivery.bad_rows[0].problem, fault, "{case}");
                    rows.remove(at);
                    let without = import_text(format, hand.write(&rows)).unwrap();
                    assert_eq!(said(&delivery), said(&without), "{case}");
                }
            }
        }
    }
}

#[test]
fn of_several_files_on_several_cores_the_first_with_such_a_row_is_named() {
    let folder = TempDir::new().unwrap();
    for found in [1, 200] {
        let paths: Vec<_> = (0..40)
            .map(|number| {
                let mut rows = table("cur2.csv");
                // Each file is a payer's of its own: two of one payer would state the same charges.
                let payer = rows[0].iter().position(|n| n == "bill_payer_account_id");
                for row in &mut rows[1..] {
                    row[payer.unwrap()] = format!("{number:012}");
                }
                if number % 10 == 7 {
                    rows[5] = resized(&rows[5], found);
                }
                let text = hands().nth(number % 8).unwrap().write(&rows);
                let (name, bytes) = if number % 3 == 0 {
                    (format!("{number:02}.csv.gz"), gzip(text.as_bytes()))
                } else {
                    (format!("{number:02}.csv"), text.into_bytes())
                };
                write(folder.path().join(name), bytes)
            })
            .collect();
        let read = |options| import_files(&paths, &catalog(), &options, &Unwatched);
        let error = read(ImportOptions::default()).unwrap_err().to_string();
        assert!(error.contains("07.csv, line 6: the header has"), "{error}");
        assert!(error.ends_with(&format!("fields, the row {found}")));
        let delivery = read(skipping()).unwrap();
        let skipped = delivery.files.iter().map(|file| file.rows_skipped);
        assert_eq!(skipped.sum::<u64>(), 4);
        for path in paths {
            fs::remove_file(path).unwrap();
        }
    }
}

/// A fixture's rows, each perhaps of another width, once more, or with a quote where none belongs.
fn any_table() -> impl Strategy<Value = (&'static str, Vec<Fields>, Hand, bool)> {
    let change = (0_usize..60, 0..4_u8, -3_isize..4);
    let hand = (any::<bool>(), any::<bool>(), any::<bool>());
    (
        prop::sample::select(&FORMATS[..]),
        prop::collection::vec(change, 0..12),
        hand,
        any::<bool>(),
    )
        .prop_map(|(format, changes, (quotes, crlf, last_end), is_odd)| {
            let mut rows = table(format);
            let width = rows[0].len();
            for (at, change, by) in changes {
                let at = 1 + at % (rows.len() - 1);
                let row = match change {
                    0 => resized(&rows[at], width.saturating_add_signed(by).max(1)),
                    1 => resized(&rows[at], by.unsigned_abs() * 70 + 1),
                    2 => vec![String::new(); width.saturating_add_signed(by).max(2)],
                    _ => rows[at].clone(),
                };
                rows.insert(at, row);
            }
            let hand = Hand {
                quotes,
                crlf,
                last_end,
            };
            (format, rows, hand, is_odd)
        })
}

proptest! {
    #![proptest_config(crate::laws::cases(128))]

    /// The rows set aside for their width are those whose width the `csv` crate finds to be another.
    #[test]
    fn every_row_of_another_width_is_set_aside(
        (format, rows, hand, is_odd) in any_table()
    ) {
        let mut text = hand.write(&rows);
        if is_odd && !hand.quotes {
            // From here on the crate reads the text; the field stays one.
            let end = text.find('\n').unwrap() + 1;
            text.insert_str(end, "5\"");
        }
        let width = rows[0].len();
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(text.as_bytes());
        let expected: Vec<String> = reader
            .byte_records()
            .map(|row| row.unwrap().len())
            .filter(|&found| found != width)
            .map(|found| format!("the header has {width} fields, the row {found}"))
            .collect();
        let delivery = import_bytes(format, &text, &skipping()).unwrap();
        let problems = delivery.bad_rows.iter().map(|row| &row.problem);
        let found: Vec<String> = problems
            .filter_map(|problem| problem.split_once(": ").map(|(_, fault)| fault.to_owned()))
            .filter(|fault| fault.starts_with("the header has"))
            .collect();
        prop_assert_eq!(found, expected);
        let is_good = delivery.bad_rows.is_empty();
        prop_assert_eq!(import_text(format, &text).is_ok(), is_good);
    }
}
