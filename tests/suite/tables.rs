//! Tables of Athena as people make them: types, folders and names other than AWS's own, views, columns
//! that some months do not have. Whatever the table is like, the month is the one in the files.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    cloud::{Exports, MONTH, ask, import_files, rows},
    collect::place,
};

/// Changes the types of columns.
fn retyped(table: &mut Value, to: &str, is_one: impl Fn(&str, &str) -> bool) {
    let mut count = 0;
    for column in table["columns"].as_array_mut().unwrap() {
        if is_one(column[0].as_str().unwrap(), column[1].as_str().unwrap()) {
            column[1] = json!(to);
            count += 1;
        }
    }
    assert!(count > 0, "{to}");
}

/// Renames the folders of months.
fn refolded(folder: &Path, to: impl Fn(&str) -> String) {
    for entry in fs::read_dir(folder).unwrap() {
        let from = entry.unwrap().path();
        let name = from.file_name().unwrap().to_str().unwrap().to_owned();
        let to = folder.join(to(name.strip_prefix("billing_period=").unwrap()));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(from, to).unwrap();
    }
}

#[test]
fn a_table_of_any_types_says_the_same() {
    let Some(mut exports) = Exports::of_each_kind() else {
        return;
    };
    let mut variants = Vec::new();
    for name in ["sample", "cur2", "focus"] {
        let plain = exports.tables[format!("billing.{name}_parquet")].clone();
        for (at, variant) in ["decimal", "text", "days", "upper", "view", "none"]
            .into_iter()
            .enumerate()
        {
            let mut table = plain.clone();
            match variant {
                "decimal" => retyped(&mut table, "decimal(30,12)", |_, of| of == "double"),
                "text" => retyped(&mut table, "string", |_, of| {
                    of == "double" || of == "timestamp"
                }),
                "days" => retyped(&mut table, "date", |_, of| of == "timestamp"),
                "upper" => {
                    for column in table["columns"].as_array_mut().unwrap() {
                        column[0] = json!(column[0].as_str().unwrap().to_uppercase());
                    }
                }
                "view" => {
                    table["type"] = json!("VIRTUAL_VIEW");
                    let mut columns = table["columns"].as_array().unwrap().clone();
                    columns.extend(table["partitions"].as_array().unwrap().clone());
                    table["columns"] = json!(columns);
                    table["partitions"] = json!([]);
                    retyped(&mut table, "varchar", |_, of| of == "string");
                }
                _ => table["partitions"] = json!([]),
            }
            let key = format!("{name}_{at}_{variant}");
            exports.tables[format!("billing.{key}")] = table;
            variants.push((name, key));
        }
    }
    let double = exports.athena();
    for (name, key) in variants {
        let (_folder, by_file) = place();
        import_files(&by_file, &exports.files(name, name, "parquet"));
        let (_folder, ledger) = place();
        let said = ask(&double, &ledger, &key, &[], 0);
        assert_eq!(rows(&ledger), rows(&by_file), "{key}");
        let is_pruned = said.contains("only the folders of that month");
        assert_eq!(
            is_pruned,
            !key.ends_with("view") && !key.ends_with("none"),
            "{said}"
        );
    }
}

#[test]
fn folders_of_any_kind_are_the_only_ones_opened() {
    for (partitions, folder) in [
        (
            json!([["billing_period", "date"]]),
            "billing_period={month}-01",
        ),
        (
            json!([["BILLING_PERIOD", "varchar(7)"]]),
            "billing_period={month}",
        ),
        (
            json!([["year", "int"], ["month", "bigint"]]),
            "year={year}/month={number}",
        ),
        (
            json!([["year", "string"], ["month", "string"]]),
            "year={year}/month={number}",
        ),
    ] {
        let Some(mut exports) = Exports::new() else {
            return;
        };
        exports.deliver_sample();
        let (_folder, by_file) = place();
        import_files(&by_file, &exports.files("sample", "cur2", "parquet"));
        refolded(&exports.path("sample/parquet"), |month| {
            let (year, number) = month.split_once('-').unwrap();
            folder
                .replace("{month}", month)
                .replace("{year}", year)
                .replace("{number}", number)
        });
        exports.tables["billing.sample_parquet"]["partitions"] = partitions.clone();
        let double = exports.athena();
        let (_folder, ledger) = place();
        let said = ask(&double, &ledger, "sample_parquet", &[], 0);
        assert_eq!(rows(&ledger), rows(&by_file), "{partitions}");
        assert!(said.contains("only the folders of that month"), "{said}");
        let opened = double.ask("GET", "/_opened", "");
        let opened = opened.as_array().unwrap();
        let (year, number) = MONTH.split_once('-').unwrap();
        let of_month = folder
            .replace("{month}", MONTH)
            .replace("{year}", year)
            .replace("{number}", number);
        assert_eq!(opened.len(), 1, "{opened:?}");
        assert!(
            opened[0].as_str().unwrap().contains(&of_month),
            "{opened:?}"
        );
    }
}

#[test]
fn columns_that_the_files_of_a_month_do_not_have_are_empty() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    // The month has no tags, resources or rates, which the table knows of later months.
    let optional = [
        "resource_tags",
        "line_item_resource_id",
        "line_item_unblended_rate",
        "pricing_unit",
    ];
    exports.deliver_sample();
    let plain = exports.tables["billing.sample_parquet"].clone();
    let sample = fs::read_to_string(exports.path("sample.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(sample.as_bytes());
    let header = reader.headers().unwrap().clone();
    let is_kept: Vec<bool> = header
        .iter()
        .map(|name| !optional.contains(&name))
        .collect();
    assert_eq!(
        is_kept.iter().filter(|kept| !**kept).count(),
        optional.len()
    );
    let mut writer = csv::Writer::from_path(exports.path("less.csv")).unwrap();
    let part = |row: &csv::StringRecord| -> csv::StringRecord {
        let fields = row.iter().zip(&is_kept).filter(|(_, kept)| **kept);
        fields.map(|(field, _)| field).collect()
    };
    writer.write_record(&part(&header)).unwrap();
    for row in reader.records() {
        writer.write_record(&part(&row.unwrap())).unwrap();
    }
    writer.flush().unwrap();
    exports.deliver("less", "cur2", &exports.path("less.csv"));
    exports.tables["billing.less_parquet"]["columns"] = plain["columns"].clone();
    let double = exports.athena();
    let (_folder, by_file) = place();
    import_files(&by_file, &exports.files("less", "cur2", "parquet"));
    let (_folder, ledger) = place();
    ask(&double, &ledger, "less_parquet", &[], 0);
    assert_eq!(rows(&ledger), rows(&by_file));
    assert!(!rows(&ledger).0.is_empty());
}
