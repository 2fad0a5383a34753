//! `prices update` against a server on the loopback that has both forms of AWS's lists: bulk files,
//! and the files behind the pricing pages.
//!
//! The files are made here in the form of AWS's, from QuinnyPig/aws-price-watcher@fed5321
//! `raw/codebuild.json` (the three keys of an entry, sets, names of places) and AWS's guide to bulk
//! files; the prices are made up.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

/// Files by path; what is not there is not found.
#[derive(Clone)]
struct Server {
    address: String,
    files: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            files: Arc::default(),
        };
        let files = server.files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let mut line = String::new();
                request.read_line(&mut line).unwrap();
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                while line != "\r\n" && !line.is_empty() {
                    line.clear();
                    request.read_line(&mut line).unwrap();
                }
                let file = files.lock().unwrap().get(&path).cloned();
                let (status, body) = match file {
                    Some(body) => ("200 OK", body),
                    None => ("404 Not Found", String::new()),
                };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        server
    }

    fn put(&self, path: &str, body: &impl ToString) {
        let mut files = self.files.lock().unwrap();
        files.insert(path.to_owned(), body.to_string());
    }
}

const CODEBUILD_PAGE: &str = "/pricing/2.0/meteredUnitMaps/codebuild/USD/current/codebuild.json";
const S3_PAGE: &str = "/pricing/2.0/meteredUnitMaps/s3/USD/current/s3.json";

/// A file behind a pricing page: entries by place, as (set, compute type, SKU, price).
fn codebuild_page(published: &str, entries: &[(&str, &str, &str, &str, &str)]) -> Value {
    let mut regions: BTreeMap<&str, serde_json::Map<String, Value>> = BTreeMap::new();
    let mut sets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (place, set, compute, sku, price) in entries {
        let code = format!("{sku}.JRTCKXETXF.6YS6EN2CT7");
        let entry = json!({"rateCode": code, "price": price, "CPU": "2", "Memory": "3 GB",
            "RegionlessRateCode": format!("{set}{compute}"), "Compute Type": compute});
        let of_place = regions.entry(place).or_default();
        // The same entry stands there under three names.
        of_place.insert(format!("{code} 1"), entry.clone());
        of_place.insert(format!("regionless-{set}-{compute}"), entry.clone());
        of_place.insert(format!("{set}-computetype-{compute}"), entry);
        sets.entry(set).or_default().push(format!("{code} 1"));
    }
    json!({
        "manifest": {"serviceId": "codebuild", "source": "codebuild", "currencyCode": "USD",
            "hawkFilePublicationDate": format!("{published}T15:58:55Z")},
        "sets": sets,
        "regions": regions,
    })
}

const LINUX: &str = "OnDemand-EC2 Linux";

struct Place {
    folder: tempfile::TempDir,
    base: String,
}

impl Place {
    fn new(server: &Server) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            base: format!("{}/pricing/2.0", server.address),
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(cargo_bin("pipebill"))
            .args(arguments)
            .arg("--ledger")
            .arg(self.folder.path().join("ledger.sqlite"))
            .args(["--as-of", "2026-11-21"])
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .output()
            .unwrap()
    }

    fn update(&self, more: &[&str]) -> (Option<i32>, String) {
        let arguments = [&["prices", "update", "--base-url", &self.base], more].concat();
        let (code, text) = said(&self.run(&arguments));
        // Wherever lines are broken.
        let words: Vec<&str> = text.split_whitespace().collect();
        (code, words.join(" "))
    }

    /// What an estimate of 1,000 minutes costs without free tier, or why not.
    fn cost(&self, region: &str, compute: &str, month: &str) -> String {
        let builds = format!("{compute}=1000");
        let (_, text) = said(&self.run(&[
            "estimate",
            "--month",
            month,
            "--region",
            region,
            "--codebuild",
            &builds,
            "--no-free-tier",
            "--format",
            "json",
        ]));
        let start = text.find('{').unwrap_or_else(|| panic!("{text}"));
        let end = text.rfind('}').unwrap();
        let bill: Value = serde_json::from_str(&text[start..=end]).unwrap();
        match bill["unpriced"].as_array().and_then(|all| all.first()) {
            Some(unpriced) => unpriced.to_string(),
            None => bill["total"].as_str().unwrap().to_owned(),
        }
    }

    fn is_untouched(&self) -> bool {
        std::fs::read_dir(self.folder.path()).unwrap().count() == 0
    }

    fn kept(&self) -> String {
        let kept = Path::new("price-lists.csv");
        std::fs::read_to_string(self.folder.path().join(kept)).unwrap()
    }
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn a_page_brings_all_regions_in_one_request() {
    let server = Server::start();
    let place = Place::new(&server);
    server.put(
        CODEBUILD_PAGE,
        &codebuild_page(
            "2026-11-10",
            &[
                (
                    "EU (London)",
                    LINUX,
                    "general1.small",
                    "NEWSKU",
                    "0.0050000000",
                ),
                (
                    "EU (London)",
                    LINUX,
                    "general1.medium",
                    "MEDIUM",
                    "0.0110000000",
                ),
                (
                    "Canada West (Calgary)",
                    LINUX,
                    "general1.small",
                    "CALGARY",
                    "0.0060000000",
                ),
                ("EU (Paris)", LINUX, "gpu1.small", "PARIS", "0.0700000000"),
                (
                    "EU (Paris)",
                    "Sandbox Linux",
                    "general1.small",
                    "PARISBOX",
                    "0.0000400000",
                ),
                (
                    "US West (Denver)",
                    LINUX,
                    "general1.small",
                    "DENVER",
                    "0.0090000000",
                ),
            ],
        ),
    );
    assert!(
        place
            .cost("ca-west-1", "general1.small", "2026-11")
            .contains("price-unknown")
    );
    let elsewhere = Place::new(&server);
    let update = [
        "prices",
        "update",
        "--base-url",
        &elsewhere.base,
        "--service",
        "codebuild",
    ];
    let update = [&update[..], &["--format", "json"]].concat();
    crate::json::assert_schema("prices-updated", &elsewhere.run(&update));
    let (code, text) = place.update(&["--service", "codebuild"]);
    assert_eq!(code, Some(0), "{text}");
    // 0.005 in London is as before; the others are changed or new.
    assert!(
        text.contains("5 prices read from 1 lists: 4 changed, 1 as before"),
        "{text}"
    );
    assert!(text.contains("2026-11-10"), "since when: {text}");
    assert!(
        text.contains("which stay as they were"),
        "a list of a few: {text}"
    );
    // A region that no list had: in force as far back as any price.
    assert_eq!(place.cost("ca-west-1", "general1.small", "2026-11"), "6");
    // What was not offered by the list of 2025-11-04 is since then.
    assert_eq!(place.cost("eu-west-3", "gpu1.small", "2026-11"), "70");
    // Days before a change keep the old price.
    assert_eq!(place.cost("eu-west-2", "general1.medium", "2026-11"), "10");
    assert_eq!(place.cost("eu-west-2", "general1.medium", "2026-12"), "11");
    assert_eq!(place.cost("eu-west-2", "general1.small", "2026-11"), "5");
    // The same list again changes nothing.
    let before = place.kept();
    let (_, text) = place.update(&["--service", "codebuild"]);
    assert!(text.contains("0 changed, 5 as before"), "{text}");
    assert_eq!(place.kept(), before);
}

#[test]
fn what_a_later_list_no_longer_has_is_not_offered_from_then_on() {
    let server = Server::start();
    let place = Place::new(&server);
    let small = ("EU (London)", LINUX, "general1.small", "SMALL", "0.005");
    let medium = ("EU (London)", LINUX, "general1.medium", "MEDIUM", "0.01");
    let large = ("EU (London)", LINUX, "general1.large", "LARGE", "0.02");
    server.put(
        CODEBUILD_PAGE,
        &codebuild_page("2026-10-01", &[small, medium, large]),
    );
    let (code, text) = place.update(&["--service", "codebuild"]);
    assert_eq!(code, Some(0), "{text}");
    // Another SKU of the same machine is the same machine.
    let other = ("EU (London)", LINUX, "general1.small", "OTHERSKU", "0.005");
    server.put(
        CODEBUILD_PAGE,
        &codebuild_page("2026-10-20", &[other, large]),
    );
    let (code, text) = place.update(&["--service", "codebuild"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("not offered"), "{text}");
    assert_eq!(place.cost("eu-west-2", "general1.small", "2026-11"), "5");
    assert_eq!(place.cost("eu-west-2", "general1.medium", "2026-10"), "10");
    let gone = place.cost("eu-west-2", "general1.medium", "2026-11");
    assert!(
        gone.contains("not offered in eu-west-2 (AWS list of 2026-10-20)"),
        "{gone}"
    );
}

#[test]
fn a_broken_list_changes_nothing() {
    let server = Server::start();
    let whole = codebuild_page(
        "2026-11-10",
        &[(
            "EU (London)",
            LINUX,
            "general1.small",
            "SMALL",
            "0.0070000000",
        )],
    );
    let whole_text = whole.to_string();
    let mut wrong_price = whole.clone();
    wrong_price["regions"]["EU (London)"]["SMALL.JRTCKXETXF.6YS6EN2CT7 1"]["price"] = json!("free");
    let mut yuan = whole.clone();
    yuan["manifest"]["currencyCode"] = json!("CNY");
    let mut no_day = whole.clone();
    no_day["manifest"]["hawkFilePublicationDate"] = json!("soon");
    for (body, problem) in [
        (
            whole_text[..whole_text.len() / 2].to_owned(),
            "ends in the middle",
        ),
        (
            whole_text.replace("\"price\":", "\"price\" "),
            "is not as AWS writes it",
        ),
        (wrong_price.to_string(), "`free` is not a number"),
        (yuan.to_string(), "another currency"),
        (no_day.to_string(), "not a date"),
        ("<html>".to_owned(), "not an AWS price list"),
    ] {
        let place = Place::new(&server);
        // The second of two: the first is not kept either.
        server.put(CODEBUILD_PAGE, &whole_text);
        server.put(S3_PAGE, &body.replace("codebuild", "s3"));
        if body.contains("OnDemand") {
            server.put(CODEBUILD_PAGE, &body);
        }
        let (code, text) = place.update(&["--service", "codebuild", "--service", "s3"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(problem), "{problem}: {text}");
        for phrase in ["expected", "missing field", "invalid type", "EOF"] {
            assert!(!text.contains(phrase), "{text}");
        }
        assert!(place.is_untouched(), "{text}");
    }
}

#[test]
fn tiers_and_bulk_files_are_read_as_the_pages_are() {
    let server = Server::start();
    let place = Place::new(&server);
    // Names and rate codes of QuinnyPig/aws-price-watcher@fed5321 raw/s3.json; prices made up.
    let tier = |dimension: &str, price: &str| json!({"rateCode": format!("LONDONSTORE.JRTCKXETXF.{dimension}"), "price": price});
    let mut page = json!({
        "manifest": {"serviceId": "s3", "source": "s3", "currencyCode": "USD",
            "hawkFilePublicationDate": "2026-11-01T00:00:00Z"},
        "sets": {},
        "regions": {"EU (London)": {
            "Standard Storage First 50 TB per GB Mo": tier("PGHJ3S3EYE", "0.0300000000"),
            "Standard Storage Next 450 TB per GB Mo": tier("D42MF2PVJS", "0.0290000000"),
            "Standard Storage Over 500 TB per GB Mo": tier("PXJDJ3YRG3", "0.0280000000"),
        }},
    });
    server.put(S3_PAGE, &page);
    let (code, text) = place.update(&["--service", "s3"]);
    assert_eq!(code, Some(0), "{text}");
    let (_, text) = said(&place.run(&[
        "estimate",
        "--month",
        "2026-12",
        "--region",
        "eu-west-2",
        "--usage",
        "s3:TimedStorage-ByteHrs=600000",
    ]));
    // 51,200 x 0.03 + 460,800 x 0.029 + 88,000 x 0.028
    assert!(text.contains("$17,363.20"), "{text}");
    // A tier that is missing is no price of everything above.
    page["regions"]["EU (London)"]
        .as_object_mut()
        .unwrap()
        .remove("Standard Storage Next 450 TB per GB Mo");
    server.put(S3_PAGE, &page);
    let before = place.kept();
    let (code, text) = place.update(&["--service", "s3"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(place.kept(), before, "{text}");

    // The bulk form of the same change, one region asked for.
    let bulk = "/offers/v1.0/aws/CodeBuild";
    server.put(
        &format!("{bulk}/current/region_index.json"),
        &json!({"regions": {"eu-west-2": {"regionCode": "eu-west-2",
            "currentVersionUrl": format!("{bulk}/20261101/eu-west-2/index.json")}}}),
    );
    let dimension = json!({"unit": "minutes", "beginRange": "0", "endRange": "Inf",
        "pricePerUnit": {"USD": "0.0110000000"}});
    server.put(
        &format!("{bulk}/20261101/eu-west-2/index.json"),
        &json!({"publicationDate": "2026-11-01T00:00:00Z",
            "products": {"A": {"attributes": {"servicecode": "CodeBuild",
                "regionCode": "eu-west-2", "usagetype": "EUW2-Build-Min:Linux:g1.medium"}}},
            "terms": {"OnDemand": {"A": {"A.T": {"effectiveDate": "2026-10-01T00:00:00Z",
                "priceDimensions": {"A.T.D": dimension}}}}}}),
    );
    let base = format!("{}/offers/v1.0/aws", server.address);
    let (code, text) = said(&place.run(&[
        "prices",
        "update",
        "--from",
        "bulk",
        "--base-url",
        &base,
        "--service",
        "codebuild",
        "--region",
        "eu-west-2",
    ]));
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(place.cost("eu-west-2", "general1.medium", "2026-09"), "10");
    assert_eq!(place.cost("eu-west-2", "general1.medium", "2026-11"), "11");
    let (_, shown) = said(&place.run(&["prices", "show", "general1.medium"]));
    assert!(shown.contains("0.011"), "{shown}");
}
