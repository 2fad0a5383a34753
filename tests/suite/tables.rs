//! Tables of Athena as people make them: types, folders and names other than AWS's own, views, columns
//! that some months do not have. Whatever the table is like, the month is the one in the files.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    cloud::{Exports, MONTH, ask, import_files, rows},
    double::{place, said},
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
    let by_file = ["sample", "cur2", "focus"].map(|name| {
        let (_folder, ledger) = place();
        import_files(&ledger, &exports.files(name, name, "parquet"));
        (name, rows(&ledger))
    });
    for (name, key) in variants {
        let (_, by_file) = by_file.iter().find(|found| found.0 == name).unwrap();
        let (_folder, ledger) = place();
        let said = ask(&double, &ledger, &key, &[], 0);
        assert_eq!(rows(&ledger), *by_file, "{key}");
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

/// The place of an export's results, and what else a workgroup says.
fn workgroup(more: &Value) -> Value {
    let mut group = json!({
        "configuration": {"ResultConfiguration": {"OutputLocation": "s3://theirs/results/"}}
    });
    for (key, value) in more.as_object().unwrap() {
        group[key] = value.clone();
    }
    group
}

#[test]
fn each_way_in_which_a_query_fails_has_its_advice() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    let reasons = [
        (
            "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://cur/x.parquet: Access Denied (Service: Amazon S3; Status Code: 403)",
            "pipebill policy --athena",
        ),
        (
            "Access denied when writing output to url: s3://theirs/results/1.csv",
            "pipebill policy --athena",
        ),
        (
            "PERMISSION_DENIED: User is not authorized to perform glue:GetPartitions",
            "pipebill policy --athena",
        ),
        (
            "Insufficient Lake Formation permission(s) on cur2_parquet",
            "SELECT",
        ),
        (
            "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas",
            "run its crawler again",
        ),
        (
            "HIVE_BAD_DATA: Field line_item_usage_amount's type INT64 is incompatible with type double",
            "run its crawler again",
        ),
        (
            "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR 'x' to DECIMAL(38, 18)",
            "run its crawler again",
        ),
        (
            "Query exhausted resources at this scale factor",
            "run the same again",
        ),
        ("Query timeout", "run the same again"),
        ("GENERIC_INTERNAL_ERROR: null", "run the same again"),
        (
            "COLUMN_NOT_FOUND: line 3:5: Column 'x' cannot be resolved",
            "--dry-run shows the query",
        ),
    ];
    for (at, (reason, _)) in reasons.iter().enumerate() {
        let group = workgroup(&json!({"ends": "FAILED", "reason": reason}));
        exports.tables["workgroups"][at.to_string()] = group;
    }
    let double = exports.athena();
    let (_folder, ledger) = place();
    for (at, (reason, hint)) in reasons.iter().enumerate() {
        let said = ask(
            &double,
            &ledger,
            "cur2_parquet",
            &["--workgroup", &at.to_string()],
            1,
        );
        let error = format!("error: the query failed: {reason}");
        assert!(
            said.contains(&error) && said.contains(hint),
            "{reason}: {said}"
        );
        assert!(!ledger.exists());
    }
}

#[test]
fn a_query_may_wait_long_and_a_workgroup_may_insist_on_its_own_place() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    let their = json!({"OutputLocation": "s3://theirs/results/"});
    exports.tables["workgroups"] = json!({
        "queued": workgroup(&json!({"queued": 6, "looks": 2})),
        "strict": workgroup(&json!({"configuration": {
            "ResultConfiguration": their, "EnforceWorkGroupConfiguration": true,
        }})),
        "managed": workgroup(&json!({"configuration": {
            "ResultConfiguration": their, "ManagedQueryResultsConfiguration": {"Enabled": true},
        }})),
        "bare": {"configuration": {"EnforceWorkGroupConfiguration": true}},
    });
    let double = exports.athena();
    let (_folder, by_file) = place();
    import_files(&by_file, &exports.files("cur2", "cur2", "parquet"));
    let places = |double: &crate::double::Double| -> Vec<Value> {
        let log = double.log().into_iter();
        let begun = log.filter(|call| call["op"] == "athena.StartQueryExecution");
        begun
            .map(|call| call["request"]["ResultConfiguration"]["OutputLocation"].clone())
            .collect()
    };
    for (group, is_used) in [("queued", true), ("strict", false), ("managed", false)] {
        let (_folder, ledger) = place();
        double.faults(json!({}));
        let more = ["--workgroup", group, "--output", "s3://mine/results/"];
        let before = places(&double).len();
        let said = ask(&double, &ledger, "cur2_parquet", &more, 0);
        assert_eq!(rows(&ledger), rows(&by_file), "{group}");
        assert_eq!(said.contains("--output is not used"), !is_used, "{said}");
        let named = &places(&double)[before];
        assert_eq!(named == "s3://mine/results/", is_used, "{named}");
        let (_folder, ledger) = place();
        let said = ask(&double, &ledger, "cur2_parquet", &more[..2], 0);
        assert!(!said.contains("--output is not used"), "{said}");
    }
    // It insists, and has none.
    let (_folder, ledger) = place();
    for more in [
        &["--workgroup", "bare"][..],
        &["--workgroup", "bare", "--output", "s3://mine/"],
    ] {
        let said = ask(&double, &ledger, "cur2_parquet", more, 1);
        assert!(
            said.contains("does not say where results are written"),
            "{said}"
        );
        assert!(said.contains("or in the workgroup"), "{said}");
        assert!(!ledger.exists());
    }
}

#[test]
fn rows_without_values_are_told_apart_as_in_files() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    let mut csv =
        "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_start_date,\
                   line_item_line_item_type,line_item_product_code,line_item_usage_type,\
                   line_item_usage_amount,line_item_unblended_cost,line_item_currency_code,\
                   line_item_usage_account_id,line_item_resource_id,resource_tags\n"
            .to_owned();
    for row in [
        "100000000001,{m}-01T00:00:00Z,{m}-05T01:00:00Z,Usage,CodeBuild,Build-Min:Linux:g1.small,1,0.005,USD,200000000002,arn:x,\"{\"\"user:a\"\":\"\"b\"\"}\"",
        ",{m}-01T00:00:00Z,{m}-05T01:00:00Z,Usage,CodeBuild,Build-Min:Linux:g1.small,2,0.01,USD,,,",
        "100000000001,{m}-01T00:00:00Z,{m}-05T01:00:00Z,Usage,CodeBuild,Build-Min:Linux:g1.small,,0.02,USD,200000000002,,{}",
        "100000000001,{m}-01T00:00:00Z,{m}-05T01:00:00Z,Tax,CodeBuild,,,0.04,USD,200000000002,,",
        "100000000001,{m}-01T00:00:00Z,{m}-05T01:00:00Z,Tax,,,,0.08,USD,200000000002,,",
        "100000000001,{m}-01T00:00:00Z,,Usage,AmazonEC2,,,0.16,USD,,,",
        "100000000001,{m}-01T00:00:00Z,{m}-05T01:00:00Z,Usage,CodeBuild,Build-Min:Linux:g1.small,3,,USD,200000000002,,",
        "100000000001,{m}-01T00:00:00Z,,Usage,CodeBuild,Build-Min:Linux:g1.small,3,0.32,USD,200000000002,,",
    ] {
        csv += &row.replace("{m}", MONTH);
        csv.push('\n');
    }
    let export = exports.path("holes.csv");
    fs::write(&export, csv).unwrap();
    exports.deliver("holes", "cur2", &export);
    let double = exports.athena();
    for format in ["csv", "parquet"] {
        let (_folder, by_file) = place();
        let files = exports.files("holes", "cur2", format);
        let arguments = ["import", files[0].to_str().unwrap(), "--skip-bad-rows"];
        let output = double.run(&by_file, &arguments);
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains("2 rows"), "{}", said(&output));
        let (_folder, ledger) = place();
        let table = format!("holes_{format}");
        let by_query = ask(&double, &ledger, &table, &["--skip-bad-rows"], 0);
        assert!(by_query.contains("2 rows"), "{by_query}");
        assert_eq!(rows(&ledger), rows(&by_file), "{format}");
        let (_folder, other) = place();
        let strict = ask(&double, &other, &table, &[], 1);
        assert!(strict.contains("error: ") && !other.exists(), "{strict}");
    }
}
