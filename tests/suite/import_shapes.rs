//! Shapes that exports come in besides those that AWS writes: packed otherwise, written again by other
//! tools, laid out by hand.

use std::{fs, path::Path};

use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    deliveries::{HEADER, Place, gzip, month},
    support::root,
};

const ROW: &str = "999988887777,2026-10-01T00:00:00Z,2026-10-05T01:00:00Z,Usage,CodeBuild,\
    EUW2-Build-Min:Linux:g1.small,10,0.05,USD\n";

fn fixture(name: &str) -> String {
    let path = root().join("tests/fixtures/import").join(name);
    path.display().to_string()
}

#[test]
fn a_packing_that_is_not_read_is_named_and_no_row_is_skipped_for_it() {
    let place = Place::new();
    let file = fixture("cur2.brotli.parquet");
    for arguments in [&[&*file][..], &[&*file, "--skip-bad-rows"]] {
        let said = place.import(arguments, 1);
        assert!(
            said.contains("cur2.brotli.parquet is packed with Brotli")
                && said.contains("write it again with Snappy, gzip or Zstandard"),
            "{said}"
        );
    }
    assert!(!place.path("ledger").exists());
}

#[test]
fn what_a_file_is_shows_in_its_bytes_and_not_in_its_name() {
    let place = Place::new();
    place.write("a.parquet", month("2026-10", "0.05"));
    place.write("b.parquet", gzip(month("2026-09", "0.07").as_bytes()));
    let bytes = fs::read(fixture("cur2.snappy.parquet")).expect("the fixture");
    place.write("c.csv.gz", bytes);
    let said = place.import(&["a.parquet", "b.parquet"], 0);
    assert!(said.contains("$0.05") && said.contains("$0.07"), "{said}");
    assert!(place.import(&["c.csv.gz"], 0).contains("33 rows, 33 kept"));
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in entries {
        let options = SimpleFileOptions::default();
        archive.start_file(*name, options).expect("it begins");
        std::io::Write::write_all(&mut archive, content).expect("it is written");
    }
    archive.finish().expect("it ends").into_inner()
}

#[test]
fn what_an_archive_holds_and_nobody_reads_is_not_left_out_silently() {
    let place = Place::new();
    let (first, second) = (
        month("2026-10", "1"),
        gzip(month("2026-10", "2").as_bytes()),
    );
    let both = [
        ("x-00001.csv", first.as_bytes()),
        ("x-00002.csv.gz", &second[..]),
    ];
    place.write("both.zip", archive(&both));
    let said = place.import(&["both.zip"], 1);
    assert!(
        said.contains("both.zip holds x-00002.csv.gz") && said.contains("unpack the archive"),
        "{said}"
    );
    place.write("nested.zip", archive(&[("in.zip", &archive(&both))]));
    assert!(place.import(&["nested.zip"], 1).contains("holds in.zip"));

    // Another method than deflate, and a password: in the header of the file and that of the archive.
    let plain = archive(&both[..1]);
    let central = plain
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .expect("a directory");
    let changed = |at: usize, value: u8| {
        let mut bytes = plain.clone();
        (bytes[at], bytes[central + at + 2]) = (value, value);
        bytes
    };
    for (bytes, why) in [
        (changed(8, 12), "is packed with another method than deflate"),
        (changed(6, 1), "is packed with a password"),
    ] {
        place.write("odd.zip", bytes);
        let said = place.import(&["odd.zip"], 1);
        assert!(
            said.contains("odd.zip/x-00001.csv") && said.contains(why),
            "{said}"
        );
    }
}

#[test]
fn a_cost_without_a_currency_is_refused_whatever_its_service() {
    let place = Place::new();
    for service in ["CodeBuild", "AmazonEC2"] {
        let row = ROW.replace("CodeBuild", service);
        let bare = row.replace("USD", "");
        place.write("x.csv", format!("{HEADER}{row}{bare}"));
        let said = place.import(&["x.csv"], 1);
        assert!(
            said.contains("x.csv, line 3, column line_item_currency_code: there is no value"),
            "{said}"
        );
    }
}

#[test]
fn a_column_that_stands_there_twice_is_refused() {
    let place = Place::new();
    let header = HEADER.trim_end();
    let row = ROW.trim_end();
    place.write(
        "x.csv",
        format!("{header},Line_Item_Unblended_Cost\n{row},7\n"),
    );
    let said = place.import(&["x.csv"], 1);
    assert!(
        said.contains("x.csv has more than one column line_item_unblended_cost"),
        "{said}"
    );
}

#[test]
fn single_keys_beside_the_maps_take_nothing_from_them() {
    let place = Place::new();
    let header = HEADER.trim_end();
    let row = ROW.trim_end();
    for (column, tag) in [
        ("resource_tags_user_stage", "stage=prod"),
        ("cost_category_unit", "cost_category/unit=prod"),
        ("product_product_name", ""),
    ] {
        let text =
            format!("{header},{column},resource_tags\n{row},prod,{{\"user_team\":\"web\"}}\n");
        place.write(
            "x.csv",
            text.replace(
                "{\"user_team\":\"web\"}",
                "\"{\"\"user_team\"\":\"\"web\"\"}\"",
            ),
        );
        let said = place.import(&["x.csv"], 0);
        assert!(said.contains("cur2"), "{said}");
        let by = |tag: &str| {
            let (key, _) = tag.split_once('=').expect("a tag");
            let by = format!("tag:{key}");
            let output = place.run(&["usage", "--by", &by, "--format", "csv"]);
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert!(
            by("team=web").contains("web"),
            "{column}: {}",
            by("team=web")
        );
        if !tag.is_empty() {
            assert!(by(tag).contains("prod"), "{column}: {}", by(tag));
        }
    }
}

#[test]
fn a_month_that_a_file_does_not_have_is_no_import() {
    let place = Place::new();
    place.write("x.csv", month("2026-10", "1"));
    let said = place.import(&["x.csv", "--month", "2026-03"], 1);
    assert!(
        said.contains("x.csv has no export of 2026-03, only of 2026-10"),
        "{said}"
    );
    assert!(!place.path("ledger").exists());
}

#[test]
fn the_same_charges_from_two_places_are_refused() {
    let place = Place::new();
    place.write(
        "a/BILLING_PERIOD=2026-10/x-00001.csv",
        month("2026-10", "1"),
    );
    place.write(
        "b/BILLING_PERIOD=2026-10/y-00001.csv",
        month("2026-10", "1"),
    );
    place.write(
        "c/BILLING_PERIOD=2026-09/y-00001.csv",
        month("2026-09", "1"),
    );
    let file = "b/BILLING_PERIOD=2026-10/y-00001.csv";
    for arguments in [["a", "b"], ["a", "a"], ["a", file], ["b", file]] {
        let said = place.import(&arguments, 1);
        assert!(said.contains("state the same charges of 2026-10"), "{said}");
    }
    place.import(&["a", "c"], 0);
}

#[test]
fn costs_in_two_currencies_are_not_added_in_a_note() {
    let place = Place::new();
    let odd = ROW.replace("Usage,CodeBuild", "Surcharge,CodeBuild");
    let yuan = odd.replace("USD", "CNY").replace("0.05", "3");
    place.write("x.csv", format!("{HEADER}{odd}{yuan}{yuan}"));
    let said = place.import(&["x.csv"], 0);
    assert!(
        said.contains("1 row, cost 0.05 USD") && said.contains("2 rows, cost 6 CNY"),
        "{said}"
    );
}

#[test]
fn what_other_tools_write_in_parts_is_one_export() {
    for names in [
        ["data_0.csv", "data_1.csv"],
        ["part-0.csv", "part-1.csv"],
        ["part-00000-6f0b-c000.csv", "part-00001-6f0b-c000.csv"],
    ] {
        let place = Place::new();
        for (name, cost) in names.iter().zip(["1", "2"]) {
            place.write(
                &format!("x/billing_period=2026-10/{name}"),
                month("2026-10", cost),
            );
        }
        let said = place.import(&["x"], 0);
        assert!(said.contains("$3.00"), "{said}");
    }
    // Two jobs are two exports.
    let place = Place::new();
    place.write("x/part-00000-6f0b-c000.csv", month("2026-10", "1"));
    place.write("x/part-00001-77aa-c000.csv", month("2026-10", "1"));
    assert!(place.import(&["x"], 1).contains("state the same charges"));
}

#[test]
fn a_folder_tells_the_month_where_no_column_does() {
    let place = Place::new();
    let without = |text: &str| {
        let lines = text.lines().map(|line| {
            let mut fields: Vec<&str> = line.split(',').collect();
            fields.remove(1);
            fields.join(",") + "\n"
        });
        lines.collect::<String>()
    };
    // Usage of the first hour of November that October is billed for, and a refund for September.
    let late = ROW.replace("2026-10-05T01", "2026-11-01T00");
    let refund = ROW
        .replace("2026-10-05T01", "2026-09-30T00")
        .replace("0.05", "0.02");
    let text = without(&format!("{HEADER}{ROW}{late}{refund}"));
    place.write("e/data/BILLING_PERIOD=2026-10/x-00001.csv", &text);
    let said = place.import(&["e"], 0);
    assert!(
        said.contains("$0.12") && !said.contains("2026-11"),
        "{said}"
    );
    assert!(!said.contains("no billing period is stated"), "{said}");

    let place = Place::new();
    place.write("flat.csv", &text);
    let said = place.import(&["flat.csv"], 0);
    assert!(
        said.contains("2026-11") && said.contains("no billing period is stated"),
        "{said}"
    );
}

#[test]
fn a_folder_is_read_whole_and_what_is_left_out_is_named() {
    let place = Place::new();
    let path = "r/r/year=2026/month=10/r-00001.csv";
    place.write(path, month("2026-10", "1"));
    place.write("r/r/old.csv.zst", "packed");
    let status = fixture("cur2.brotli.parquet");
    let status = fs::read(Path::new(&status)).expect("the fixture");
    place.write("r/r/cost_and_usage_data_status/status.parquet", status);
    let said = place.import(&["r"], 0);
    assert!(said.contains("$1.00"), "{said}");
    assert!(said.contains("old.csv.zst: left out"), "{said}");
    assert!(!said.contains("cost_and_usage_data_status"), "{said}");
}

#[cfg(unix)]
#[test]
fn links_to_folders_are_followed_once() {
    use std::os::unix::fs::symlink;

    let place = Place::new();
    place.write(
        "e/BILLING_PERIOD=2026-10/x-00001.csv",
        month("2026-10", "1"),
    );
    place.write("away/x-00001.csv", month("2026-09", "2"));
    symlink(place.path("away"), place.path("e/BILLING_PERIOD=2026-09")).expect("a link");
    symlink(
        place.path("e"),
        place.path("e/BILLING_PERIOD=2026-10/circle"),
    )
    .expect("a link");
    symlink(
        place.path("e/BILLING_PERIOD=2026-10"),
        place.path("e/BILLING_PERIOD=2026-08"),
    )
    .expect("a link");
    let said = place.import(&["e"], 0);
    assert!(said.contains("$1.00") && said.contains("$2.00"), "{said}");
    assert!(!said.contains("2026-08"), "{said}");
}
