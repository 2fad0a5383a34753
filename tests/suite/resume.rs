//! Imports from S3 that are cut off, and go on: what was finished is not asked for again, and the ledger
//! is what an import in one go makes. An object that changes in between or meanwhile is noticed.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use serde_json::json;

use crate::{
    bucket::{bucket, contents, deliver_month, from_s3, read_objects, traffic},
    cloud::Exports,
    deliveries::month,
    double::{Double, place, said},
};

/// Every row of every table of a ledger, as it lies there.
fn dump(ledger: &Path) -> Vec<String> {
    let connection = Connection::open(ledger).unwrap();
    let mut rows = Vec::new();
    let list = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut tables = connection.prepare(list).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for table in tables.map(Result::unwrap) {
        let mut all = connection
            .prepare(&format!("SELECT * FROM {table}"))
            .unwrap();
        let columns = all.column_count();
        let mut found = all.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values = (0..columns).map(|at| row.get_ref(at).unwrap());
            rows.push(format!("{table} {:?}", values.collect::<Vec<_>>()));
        }
    }
    rows
}

/// The files that an import has finished and keeps, without drafts.
fn finished(ledger: &Path) -> BTreeSet<PathBuf> {
    let folder = ledger.with_extension("sqlite.unfinished");
    let kept = fs::read_dir(folder).into_iter().flatten();
    let kept = kept.map(|entry| entry.unwrap().path());
    kept.filter(|path| !path.to_string_lossy().contains("-draft"))
        .collect()
}

/// The objects that were asked for.
fn asked(bucket: &Double) -> BTreeSet<String> {
    let calls = read_objects(bucket).into_iter();
    calls
        .map(|call| call["path"].as_str().unwrap().to_owned())
        .collect()
}

/// Writes texts into one archive.
fn archive(folder: &Path, texts: &[String], how: zip::CompressionMethod) {
    fs::create_dir_all(folder).unwrap();
    let mut archive = zip::ZipWriter::new(File::create(folder.join("x.zip")).unwrap());
    let options = zip::write::SimpleFileOptions::default().compression_method(how);
    for (number, text) in (1..).zip(texts) {
        archive
            .start_file(format!("x-{number:05}.csv"), options)
            .unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
}

fn begin(bucket: &Double, ledger: &Path, place: &str) -> Child {
    let url = format!("s3://cur/{place}");
    let mut command = bucket.command(ledger, &["import", &url]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(child: Child, signal: &str) -> Output {
    let killed = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    child.wait_with_output().unwrap()
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_import_that_is_killed_or_stopped_goes_on_where_it_was() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    for at in ["2026-09", "2026-10"] {
        let folder = exports.path(&format!("zips/data/BILLING_PERIOD={at}"));
        let texts = [month(at, "1.25"), month(at, "2.50")];
        archive(&folder, &texts, zip::CompressionMethod::Deflated);
    }
    let bucket = bucket(&exports);
    for from in ["sample/csv", "sample/parquet", "zips"] {
        let (_folder, whole) = place();
        bucket.faults(json!([]));
        from_s3(&bucket, &whole, from, &[], 0);
        let files = asked(&bucket);
        let again = from_s3(&bucket, &whole, from, &[], 0);
        let unchanged = format!("{} files not read, nothing changed", files.len());
        assert!(again.contains(&unchanged), "{again}");
        let last = files.last().unwrap();
        let texts = if from == "zips" { 2 } else { 1 };
        for (signal, code) in [("-KILL", None), ("-INT", Some(130))] {
            let (folder, ledger) = place();
            // The last object does not come, the others do.
            bucket.faults(json!([{"path": last, "delay": 600}]));
            let child = begin(&bucket, &ledger, from);
            wait_for("the other files", || {
                finished(&ledger).len() == (files.len() - 1) * texts
                    && asked(&bucket).contains(last)
            });
            let output = end(child, signal);
            assert_eq!(output.status.code(), code, "{}", said(&output));
            assert!(!ledger.exists());
            bucket.faults(json!([]));
            let said = from_s3(&bucket, &ledger, from, &[], 0);
            assert_eq!(asked(&bucket), BTreeSet::from([last.clone()]), "{said}");
            let not_again = match files.len() - 1 {
                1 => "1 file not read again".to_owned(),
                more => format!("{more} files not read again"),
            };
            assert!(said.contains(&not_again), "{said}");
            assert!(dump(&ledger) == dump(&whole), "{from} {signal}:\n{said}");
            let left = fs::read_dir(folder.path()).unwrap();
            let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, [ledger.file_name().unwrap()], "nothing is left over");
        }
    }
}

#[test]
fn a_kill_at_any_time_leaves_the_ledger_as_it_was_or_as_it_will_be() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    let bucket = bucket(&exports);
    // Before, it has one month, and of that only a part: all of it is to be replaced.
    let (_folder, old) = place();
    let sample = fs::read_to_string(exports.path("sample.csv")).unwrap();
    let part: String = (0..)
        .zip(sample.lines())
        .filter(|(at, _)| at % 3 == 0)
        .fold(String::new(), |text, (_, line)| text + line + "\n");
    let file = exports.path("part.csv");
    fs::write(&file, part).unwrap();
    let output = bucket.run(&old, &["import", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let whole_of = |ledger: &Path| {
        fs::copy(&old, ledger).unwrap();
        from_s3(&bucket, ledger, "sample/parquet", &[], 0)
    };
    let (_folder, whole) = place();
    let begun = Instant::now();
    whole_of(&whole);
    let time = begun.elapsed();
    let (before, after) = (contents(&old), contents(&whole));
    assert_ne!(before, after);
    for step in 1..=5 {
        let (_folder, ledger) = place();
        fs::copy(&old, &ledger).unwrap();
        let child = begin(&bucket, &ledger, "sample/parquet");
        // The second half is where the ledger is written.
        thread::sleep(time * (4 + step) / 9);
        end(child, "-KILL");
        let found = contents(&ledger);
        assert!(found == before || found == after, "{step}");
        from_s3(&bucket, &ledger, "sample/parquet", &[], 0);
        assert_eq!(contents(&ledger), after);
        assert!(finished(&ledger).is_empty());
    }
}

#[test]
fn an_object_that_is_replaced_between_two_tries_is_read_anew() {
    let Some(exports) = Exports::new() else {
        return;
    };
    // Same names, same sizes.
    deliver_month(&exports, "cur", "2026-09", "1.25");
    deliver_month(&exports, "cur", "2026-10", "2.50");
    deliver_month(&exports, "new", "2026-09", "7.75");
    let bucket = bucket(&exports);
    let key = |at: &str| format!("cur/data/BILLING_PERIOD={at}/x-00001.csv");
    let (_folder, ledger) = place();
    bucket.faults(json!([{"path": key("2026-10"), "status": 403, "code": "ExpiredToken"}]));
    from_s3(&bucket, &ledger, "cur", &[], 1);
    assert_eq!(finished(&ledger).len(), 1);
    let new = exports.path("new/data/BILLING_PERIOD=2026-09/x-00001.csv");
    bucket.ask(
        "POST",
        "/_put",
        &json!({"key": key("2026-09"), "file": new}).to_string(),
    );
    bucket.faults(json!([]));
    let said = from_s3(&bucket, &ledger, "cur", &[], 0);
    assert!(!said.contains("not read again"), "{said}");
    assert!(
        said.contains("$7.75") && said.contains("$2.50") && !said.contains("$1.25"),
        "{said}"
    );
    assert_eq!(asked(&bucket).len(), 2);
    let (_folder, whole) = place();
    from_s3(&bucket, &whole, "cur", &[], 0);
    assert_eq!(contents(&ledger), contents(&whole));
}

/// A month of so many builds whose names do not pack.
fn long(rows: u64) -> String {
    let mut csv =
        "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_start_date,\
                   line_item_line_item_type,line_item_product_code,line_item_usage_type,\
                   line_item_usage_amount,line_item_unblended_cost,line_item_currency_code,\
                   line_item_resource_id\n"
            .to_owned();
    for row in 0..rows {
        let name = row.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        let more = name.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        writeln!(
            csv,
            "999988887777,2026-10-01T00:00:00Z,2026-10-05T01:00:00Z,Usage,CodeBuild,\
             Build-Min:Linux:g1.small,1,0.005,USD,\
             arn:aws:codebuild:us-east-1:1:build/p-{}:{name:016x}{more:016x}",
            row % 50
        )
        .unwrap();
    }
    csv
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_is_noticed() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    let export = exports.path("long.csv");
    fs::write(&export, long(20_000)).unwrap();
    exports.deliver("long", "cur2", &export);
    fs::create_dir(exports.path("plain")).unwrap();
    fs::copy(&export, exports.path("plain/long-00001.csv")).unwrap();
    let text = fs::read_to_string(&export).unwrap();
    archive(
        &exports.path("zip"),
        &[text],
        zip::CompressionMethod::Stored,
    );
    let bucket = bucket(&exports);
    for from in ["plain", "zip", "long/csv", "long/parquet"] {
        let (_folder, whole) = place();
        bucket.faults(json!([]));
        from_s3(&bucket, &whole, from, &[], 0);
        let (requests, _) = traffic(&bucket);
        let key = asked(&bucket).pop_first().unwrap();
        let original = exports.path(key.strip_prefix("/cur/").unwrap());
        let put = json!({"key": key.strip_prefix("/cur/").unwrap(), "file": original}).to_string();
        if from != "long/csv" {
            assert!(requests > 1, "{from}: {requests}");
        }
        for after in 0..requests {
            let (folder, ledger) = place();
            bucket.faults(json!([{"path": key, "after": after, "times": 1, "replace": true}]));
            let said = from_s3(&bucket, &ledger, from, &[], 1);
            let error = format!("error: s3:/{key} was replaced while it was read");
            assert!(said.contains(&error), "{from}, {after}: {said}");
            assert!(said.contains("run the same again"), "{said}");
            assert_eq!(said.matches("error: ").count(), 1, "{said}");
            let left = fs::read_dir(folder.path()).unwrap();
            assert_eq!(left.count(), 0, "{from}, {after}: nothing of it is kept");
            bucket.ask("POST", "/_put", &put);
        }
        bucket.faults(json!([]));
        let (_folder, again) = place();
        from_s3(&bucket, &again, from, &[], 0);
        assert_eq!(contents(&again), contents(&whole));
    }
}
