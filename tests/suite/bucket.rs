//! Importing from S3, from moto's with faults (`tests/double/bucket.py`).

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use pipebill::ledger::Ledger;
use serde_json::{Value, json};

use crate::{
    cloud::{Exports, MONTH, allowed, import_files, rows},
    deliveries::month,
    double::{Double, place, said},
    support::interrupt,
};

/// S3 with everything below the folder of some exports.
pub(crate) fn bucket(exports: &Exports) -> Double {
    Double::serve("bucket.py", exports.folder.path().to_str().unwrap()).unwrap()
}

/// Imports a place of the bucket; it must end with this code.
pub(crate) fn from_s3(
    bucket: &Double,
    ledger: &Path,
    place: &str,
    more: &[&str],
    code: i32,
) -> String {
    let url = format!("s3://cur/{place}");
    let output = bucket.run(ledger, &[&["import", &url], more].concat());
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

/// The objects that were asked for, without listings.
pub(crate) fn read_objects(bucket: &Double) -> Vec<Value> {
    let log = bucket.log();
    let objects = log.into_iter().filter(|call| {
        let path = call["path"].as_str().unwrap();
        path.starts_with("/cur/") && path.len() > "/cur/".len()
    });
    objects.collect()
}

#[test]
fn an_export_says_the_same_from_s3() {
    let Some(exports) = Exports::of_each_kind() else {
        return;
    };
    let bucket = bucket(&exports);
    for name in ["sample", "cur2", "legacy", "focus"] {
        for format in ["csv", "parquet"] {
            let (_folder, by_file) = place();
            import_files(&by_file, &exports.files(name, name, format));
            let (_folder, ledger) = place();
            let from = format!("{name}/{format}/");
            from_s3(&bucket, &ledger, &from, &["--month", MONTH], 0);
            assert_eq!(rows(&ledger), rows(&by_file), "{from}");
            assert!(!rows(&ledger).0.is_empty());
        }
    }
}

#[test]
fn of_s3_only_the_month_is_read_and_only_once() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    let bucket = bucket(&exports);
    let (_folder, ledger) = place();
    bucket.faults(json!([]));
    from_s3(&bucket, &ledger, "sample/parquet", &["--month", MONTH], 0);
    let before = rows(&ledger);
    let read = read_objects(&bucket);
    assert!(!read.is_empty());
    let month = format!("/cur/sample/parquet/billing_period={MONTH}/");
    for call in &read {
        // Only stretches, and only of the object that was listed.
        assert!(call["path"].as_str().unwrap().starts_with(&month), "{call}");
        assert!(
            call["range"].is_string() && call["if_match"].is_string(),
            "{call}"
        );
        assert_eq!(call["signed"], true);
    }
    bucket.faults(json!([]));
    let said = from_s3(&bucket, &ledger, "sample/parquet", &["--month", MONTH], 0);
    assert!(said.contains("nothing changed"), "{said}");
    assert_eq!(read_objects(&bucket), Vec::<Value>::new());
    assert_eq!(rows(&ledger), before);
    // One object is a place, too.
    let (_folder, single) = place();
    let file = &exports.files("sample", "cur2", "csv")[0];
    let inside = file.strip_prefix(exports.folder.path()).unwrap();
    from_s3(&bucket, &single, inside.to_str().unwrap(), &[], 0);
    assert_eq!(rows(&single), before);
}

#[test]
fn faults_of_s3_are_waited_out_or_named() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    let bucket = bucket(&exports);
    let (_folder, quiet) = place();
    bucket.faults(json!([]));
    from_s3(&bucket, &quiet, "cur2/parquet", &[], 0);
    for (status, code) in [(503, "SlowDown"), (500, "InternalError")] {
        let (_folder, ledger) = place();
        bucket.faults(
            json!([{"path": "/cur", "after": 1, "times": 2, "status": status, "code": code}]),
        );
        from_s3(&bucket, &ledger, "cur2/parquet", &[], 0);
        assert_eq!(rows(&ledger), rows(&quiet));
    }
    let (_folder, ledger) = place();
    for (fault, place, error, hint) in [
        (
            json!([{"path": "/cur", "status": 403, "code": "AccessDenied"}]),
            "cur2/parquet",
            "access denied to s3://cur/cur2/parquet",
            "pipebill policy --exports",
        ),
        (
            json!([{"path": "data_0.parquet", "status": 403, "code": "AccessDenied"}]),
            "cur2/parquet",
            "data_0.parquet",
            "pipebill policy --exports",
        ),
        // What S3 says of a resource control policy:
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        (
            json!([{"path": "/cur", "status": 403, "code": "AccessDenied", "more":
                "<Message>x is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::cur\" with \
                 an explicit deny in a resource control policy</Message><HostId>arn:aws:x/PLANTED</HostId>"}]),
            "cur2/parquet",
            "access denied to s3://cur/cur2/parquet: a resource control policy of the organization denies it",
            "have to change its resource control policy; attaching a policy that allows it does not help",
        ),
        (
            json!([{"path": "data_0.parquet", "times": 1, "replace": true}]),
            "cur2/parquet",
            "replaced while it was read",
            "run the same again",
        ),
        (
            json!([]),
            "nothing/here",
            "has no export",
            "name the folder",
        ),
    ] {
        bucket.faults(fault);
        let said = from_s3(&bucket, &ledger, place, &[], 1);
        assert!(
            said.contains(error) && said.contains(hint),
            "{error}:\n{said}"
        );
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
        assert!(!ledger.exists());
    }
    bucket.faults(json!([]));
    for (key, url, error) in [
        ("EXPIRED", "s3://cur/cur2/csv", "credentials have expired"),
        ("AKIDTEST", "s3://gone/cur2", "is not there"),
    ] {
        let mut command = bucket.command(&ledger, &["import", url]);
        let output = command.env("AWS_ACCESS_KEY_ID", key).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(error), "{}", said(&output));
        assert!(!ledger.exists());
    }
}

#[test]
fn the_policy_for_s3_is_what_is_called() {
    let (_folder, ledger) = place();
    let policy = allowed(&ledger, &["--exports", "s3://cur/exports"]);
    let of = |action: &str| BTreeSet::from([action.to_owned()]);
    // A listing asks the bucket, a stretch its object: the log of the tests above has no other call.
    assert_eq!(
        policy,
        [
            (
                "PipebillExports".to_owned(),
                of("s3:ListBucket"),
                "arn:aws:s3:::cur".to_owned()
            ),
            (
                "PipebillExportObjects".to_owned(),
                of("s3:GetObject"),
                "arn:aws:s3:::cur/exports/*".to_owned()
            ),
        ]
    );
}

/// Everything that a ledger says, month by month.
pub(crate) fn contents(ledger: &Path) -> Vec<String> {
    let ledger = Ledger::open_existing(ledger).unwrap();
    let months = ledger.months().unwrap().into_iter();
    months
        .map(|month| {
            let (records, outside) = (ledger.records(month), ledger.outside(month));
            format!("{:?} {:?}", records.unwrap(), outside.unwrap())
        })
        .collect()
}

/// What was read of objects: in how many requests, and how many bytes came.
pub(crate) fn traffic(bucket: &Double) -> (usize, u64) {
    let read = read_objects(bucket);
    let bytes = read.iter().filter_map(|call| call["bytes"].as_u64());
    (read.len(), bytes.sum())
}

#[test]
fn an_interrupted_import_goes_on_where_it_was() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    let bucket = bucket(&exports);
    let at_once = thread::available_parallelism().unwrap().get() + 2;
    for format in ["csv", "parquet"] {
        let from = format!("sample/{format}");
        let (_folder, whole) = place();
        bucket.faults(json!([]));
        from_s3(&bucket, &whole, &from, &[], 0);
        let (requests, bytes) = traffic(&bucket);
        assert!(requests > 12, "{requests}");
        let read = read_objects(&bucket);
        let largest = read.iter().filter_map(|call| call["bytes"].as_u64()).max();
        for after in (1..requests).step_by(6) {
            let (folder, ledger) = place();
            // Credentials end after some requests.
            bucket.faults(
                json!([{"path": "/cur/", "after": after, "status": 403, "code": "ExpiredToken"}]),
            );
            let said = from_s3(&bucket, &ledger, &from, &[], 1);
            assert!(said.contains("have expired"), "{said}");
            assert!(!ledger.exists());
            let before = traffic(&bucket).1;
            bucket.faults(json!([]));
            let said = from_s3(&bucket, &ledger, &from, &[], 0);
            assert_eq!(contents(&ledger), contents(&whole), "{from}, {after}");
            // What was on its way when the import ended is all that was read twice.
            let again = before + traffic(&bucket).1 - bytes;
            assert!(again <= 6 * largest.unwrap(), "{again}, {after}:\n{said}");
            // Before any file is finished, as many as are read at once have been asked for.
            let is_one_finished = said.contains(" not read again");
            assert!(is_one_finished || after < at_once, "{after}:\n{said}");
            let left = fs::read_dir(folder.path()).unwrap();
            let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, [ledger.file_name().unwrap()], "nothing is left over");
        }
    }
}

/// A month with one row of this cost, as Data Exports lays it out.
pub(crate) fn deliver_month(exports: &Exports, root: &str, at: &str, cost: &str) {
    let folder = exports.path(&format!("{root}/data/BILLING_PERIOD={at}"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("x-00001.csv"), month(at, cost)).unwrap();
}

#[test]
fn of_24_months_one_is_opened() {
    let Some(exports) = Exports::new() else {
        return;
    };
    for year in [2025, 2026] {
        for number in 1..=12 {
            deliver_month(&exports, "cur", &format!("{year}-{number:02}"), "1.25");
        }
    }
    let bucket = bucket(&exports);
    let (_folder, ledger) = place();
    bucket.faults(json!([]));
    let said = from_s3(&bucket, &ledger, "cur", &["--month", MONTH], 0);
    assert!(said.contains("$1.25"), "{said}");
    let keys: Vec<Value> = read_objects(&bucket)
        .iter()
        .map(|call| call["path"].clone())
        .collect();
    let only = format!("/cur/cur/data/BILLING_PERIOD={MONTH}/x-00001.csv");
    assert_eq!(keys, [only.as_str()]);
    // What would be read is shown before, and nothing is.
    let (_folder, other) = place();
    bucket.faults(json!([]));
    let said = from_s3(&bucket, &other, "cur", &["--month", MONTH, "--dry-run"], 0);
    assert!(
        said.contains(&format!("s3:/{only}")) && said.contains("to read"),
        "{said}"
    );
    assert!(said.contains("1 of 1 files would be read"), "{said}");
    assert!(read_objects(&bucket).is_empty() && !other.exists());
    let said = from_s3(&bucket, &ledger, "cur", &["--dry-run"], 0);
    assert!(said.contains("23 of 24 files would be read"), "{said}");
    assert_eq!(said.matches("unchanged").count(), 1, "{said}");
    let file = exports.path(only.strip_prefix("/cur/").unwrap());
    let output = bucket.run(&ledger, &["import", file.to_str().unwrap(), "--dry-run"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn names_of_any_kind_are_found_again() {
    let Some(exports) = Exports::new() else {
        return;
    };
    for root in ["a b+c (1)/ü%20&'x", "plain"] {
        deliver_month(&exports, root, MONTH, "1.25");
    }
    let bucket = bucket(&exports);
    for root in ["a b+c (1)/ü%20&'x", "plain/", "a b+c (1)"] {
        let (_folder, ledger) = place();
        let said = from_s3(&bucket, &ledger, root, &[], 0);
        assert!(said.contains("$1.25"), "{root}: {said}");
    }
    // A part of a name is no folder, and the bucket itself is one.
    let (_folder, ledger) = place();
    let said = from_s3(&bucket, &ledger, "plai", &[], 1);
    assert!(said.contains("has no export"), "{said}");
    let said = from_s3(&bucket, &ledger, "", &[], 1);
    assert!(said.contains("state the same charges"), "{said}");
    assert!(!ledger.exists());
}

#[test]
fn what_s3_says_is_told_in_words_of_use() {
    let Some(exports) = Exports::new() else {
        return;
    };
    deliver_month(&exports, "cur", MONTH, "1.25");
    let bucket = bucket(&exports);
    let (_folder, ledger) = place();
    let kms = "<Resource>is not authorized to perform: kms:Decrypt on resource</Resource>";
    for (path, status, code, more, error, hint) in [
        (
            "/cur",
            301,
            "PermanentRedirect",
            "",
            "its bucket is in another region",
            "--region",
        ),
        (
            "/cur",
            400,
            "AuthorizationHeaderMalformed",
            "<Region>eu-west-1</Region>",
            "its bucket is in eu-west-1",
            "--region",
        ),
        (
            "x-00001",
            403,
            "AccessDenied",
            kms,
            "kms:Decrypt",
            "nothing was imported",
        ),
        (
            "x-00001",
            403,
            "InvalidObjectState",
            "<StorageClass>GLACIER</StorageClass>",
            "it is archived, and has to be restored first",
            "nothing was imported",
        ),
        (
            "x-00001",
            404,
            "NoSuchKey",
            "",
            "is not there",
            "check the bucket",
        ),
        (
            "x-00001",
            403,
            "SignatureDoesNotMatch",
            "",
            "access denied",
            "pipebill policy",
        ),
    ] {
        bucket.faults(json!([{"path": path, "status": status, "code": code, "more": more}]));
        let said = from_s3(&bucket, &ledger, "cur", &[], 1);
        assert!(
            said.contains(error) && said.contains(hint),
            "{code}:\n{said}"
        );
        assert!(said.contains("s3://cur/cur"), "{said}");
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
        assert!(!said.contains('<'), "{said}");
        assert!(!ledger.exists());
    }
    // Answers that end in their middle are asked for again.
    bucket.faults(json!([{"path": "x-00001", "times": 2, "cut": true}]));
    let said = from_s3(&bucket, &ledger, "cur", &[], 0);
    assert!(said.contains("$1.25"), "{said}");
    assert!(read_objects(&bucket).len() >= 3);
}

#[test]
fn a_bucket_whose_requesters_pay_is_read_by_who_says_so() {
    let Some(exports) = Exports::new() else {
        return;
    };
    deliver_month(&exports, "cur", MONTH, "1.25");
    let bucket = bucket(&exports);
    let (_folder, ledger) = place();
    let refused =
        json!([{"path": "/cur", "requester_pays": true, "status": 403, "code": "AccessDenied"}]);
    bucket.faults(refused.clone());
    let said = from_s3(&bucket, &ledger, "cur", &[], 1);
    assert!(said.contains("takes --requester-pays"), "{said}");
    assert!(!said.contains("S3 bills") && !ledger.exists(), "{said}");
    assert!(bucket.log().iter().all(|call| call["pays"] == false));
    for more in [
        &["--requester-pays", "--dry-run"][..],
        &["--requester-pays"],
    ] {
        bucket.faults(refused.clone());
        let said = from_s3(&bucket, &ledger, "cur", more, 0);
        let announced = "S3 bills each listing and read of cur, and the data it sends";
        assert_eq!(said.matches(announced).count(), 1, "{said}");
    }
    let log = bucket.log();
    let calls = log.iter().filter(|call| call["path"] != "/");
    assert!(calls.clone().all(|call| call["pays"] == true), "{log:?}");
    assert!(calls.count() > 1);
    // The object itself is looked for with it, too.
    let (_folder, single) = place();
    let object = format!("cur/data/BILLING_PERIOD={MONTH}/x-00001.csv");
    from_s3(&bucket, &single, &object, &["--requester-pays"], 0);
    assert_eq!(contents(&single), contents(&ledger));
    let file = exports.path(&object);
    for place in [file.to_str().unwrap(), "athena://billing.cur"] {
        let output = bucket.run(&ledger, &["import", place, "--requester-pays"]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{}",
            crate::double::said(&output)
        );
        assert!(
            crate::double::said(&output).contains("it goes with s3://"),
            "{}",
            crate::double::said(&output)
        );
    }
}

#[test]
fn ctrl_c_is_heard_while_s3_does_not_answer() {
    let Some(exports) = Exports::new() else {
        return;
    };
    deliver_month(&exports, "cur", MONTH, "1.25");
    let bucket = bucket(&exports);
    for slow in ["/cur", "x-00001"] {
        let (_folder, ledger) = place();
        bucket.faults(json!([{"path": slow, "delay": 20}]));
        let child = bucket
            .command(&ledger, &["import", "s3://cur/cur"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !bucket.log().iter().any(|call| {
            let path = call["path"].as_str();
            path.is_some_and(|path| path.contains(slow))
        }) {
            assert!(begun.elapsed() < Duration::from_secs(15));
            thread::sleep(Duration::from_millis(20));
        }
        interrupt(child);
        assert!(begun.elapsed() < Duration::from_secs(18));
        assert!(!ledger.exists());
    }
}
