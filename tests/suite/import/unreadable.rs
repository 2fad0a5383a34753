//! What cannot be read is named: file, line and column.

use std::io::Cursor;

use pipebill::exports::{ImportError, ImportOptions, RowFault};
use tempfile::TempDir;

use super::{BUILD, build_of, cost, cur2, gzip, import, import_bytes, import_text};

#[test]
fn a_malformed_row_names_file_line_and_column() {
    let text = cur2(&[BUILD, build_of("ten", "0.05"), BUILD]);
    for text in [text.clone(), text.replace('\n', "\r\n")] {
        let error = import_text("x.csv", &text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x.csv, line 3, column line_item_usage_amount: `ten` is not a number"
        );
        let options = ImportOptions {
            skip_bad_rows: true,
            ..ImportOptions::default()
        };
        let delivery = import_bytes("x.csv", &text, &options).unwrap();
        assert_eq!(cost(&delivery), "0.1");
        assert_eq!(
            delivery.notes,
            [
                "x.csv: 1 row skipped",
                "skipped: x.csv, line 3, column line_item_usage_amount: `ten` is not a number"
            ]
        );
    }
}

#[test]
fn a_row_after_an_embedded_newline_has_its_own_line_number() {
    let mut text = cur2(&[BUILD]);
    text = text.trim_end().to_owned() + "\"{\"\"user_note\"\":\"\"a\\nb\"\"}\"\n";
    text = text.replace("\\n", " \n ");
    let error = import_text("x.csv", &text).unwrap_err();
    assert!(matches!(
        error,
        ImportError::Row {
            line: 2,
            fault: RowFault::Tags(_),
            ..
        }
    ));
    let error = import_text("x.csv", cur2(&[BUILD]) + "1,2\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.csv, line 3: the header has 10 fields, the row 2"
    );
}

#[test]
fn a_truncated_gzip_names_the_file() {
    let rows: Vec<_> = (0..5000).map(|_| BUILD).collect();
    let mut zipped = gzip(cur2(&rows).as_bytes());
    zipped.truncate(zipped.len() - 20);
    let length = zipped.len();
    let error = import_text("october.csv.gz", zipped).unwrap_err();
    assert!(matches!(error, ImportError::Truncated { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("october.csv.gz ends at byte {length}, in the middle of its compressed data")
    );
}

#[test]
fn what_is_no_text_is_refused_by_what_it_is() {
    for (bytes, expected) in [
        (
            &b"PAR1\x15\x04"[..],
            "x is an Apache Parquet file, not CSV or JSON text",
        ),
        (
            b"\x7fELF\x00\x01\x02",
            "x is a binary file, not CSV or JSON text",
        ),
        (
            b"\xff\xfed\x00",
            "x is not a known billing export; its first columns are d",
        ),
        (b"", "x is empty"),
        (b" \n", "x is empty"),
        (
            b"a,b\n1,2\n",
            "x is not a known billing export; its first columns are a, b",
        ),
    ] {
        assert_eq!(import_text("x", bytes).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_missing_column_is_named_with_the_nearest_kind() {
    let text = cur2(&[BUILD]).replace("line_item_unblended_cost", "cost");
    let error = import_text("x.csv", text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "x.csv looks like Cost and Usage Report 2.0 but has no column line_item_unblended_cost"
    );
}

#[test]
fn a_directory_and_a_missing_file_are_named() {
    let directory = TempDir::new().unwrap();
    let error = import(&[directory.path().to_owned()]).unwrap_err();
    assert!(matches!(error, ImportError::Directory { .. }));
    let error = import(&[directory.path().join("none.csv")]).unwrap_err();
    assert!(matches!(error, ImportError::Open { .. }));
}

#[test]
fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
    let text = cur2(&[BUILD]) + "\"" + &"x".repeat(20 << 20);
    let error = import_text("x.csv", text).unwrap_err();
    assert!(
        matches!(error, ImportError::RecordTooLong { line: 3, .. }),
        "{error}"
    );
}

#[test]
fn a_zip_without_csv_is_an_error() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("readme.txt", options).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    let error = import_text("x.zip", archive).unwrap_err();
    assert_eq!(error.to_string(), "x.zip holds no .csv file");
}
