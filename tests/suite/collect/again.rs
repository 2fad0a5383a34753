//! Collecting again, after others, and after being killed.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::json;

use crate::{
    double::{Double, content, metered, place},
    support::check_references,
};

#[test]
fn collecting_again_changes_nothing_and_asks_little() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--deep"], 0);
    let before = content(&ledger);
    double.faults(json!({}));
    double.collect(&ledger, &["--deep"], 0);
    assert_eq!(content(&ledger), before);
    let asked = double.operations();
    // Closed months are not asked for again, ended builds not fetched again.
    assert_eq!(asked["ce.GetCostAndUsage"], 4, "{asked:?}");
    assert!(!asked.contains_key("codebuild.BatchGetBuilds"), "{asked:?}");
}

#[test]
fn builds_of_a_project_that_is_deleted_stay_and_are_found_once() {
    let Some(before) = Double::start("small") else {
        return;
    };
    let Some(after) = Double::start("later") else {
        return;
    };
    let (_folder, ledger) = place();
    before.collect(&ledger, &["--services", "codebuild"], 0);
    after.collect(&ledger, &["--services", "codebuild"], 0);
    let (_folder, anew) = place();
    after.collect(&anew, &["--services", "codebuild"], 0);
    let small = (
        "CodeBuild".to_owned(),
        "Build-Min:Linux:g1.small".to_owned(),
    );
    // Five minutes of before and a build of half a minute.
    for ledger in [&ledger, &anew] {
        assert_eq!(metered(ledger, "2026-10")[&small], "6");
        assert_eq!(content(ledger)["build"].len(), 11);
    }
    assert_eq!(content(&ledger)["build"], content(&anew)["build"]);
}

#[test]
fn the_list_of_all_builds_is_read_to_what_is_known_if_it_comes_in_order() {
    let Some(double) = Double::start("large:3,700,0,0") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--services", "codebuild"], 0);
    assert_eq!(double.operations()["codebuild.ListBuilds"], 21);
    double.faults(json!({}));
    double.collect(&ledger, &["--services", "codebuild"], 0);
    assert!(double.operations()["codebuild.ListBuilds"] <= 2);
}

/// Kills a collection at request `n`: with the request unanswered, or while it works on the answer.
fn killed(double: &Double, ledger: &Path, at: usize, hang: bool) -> usize {
    double.faults(if hang {
        json!({"*": {"kind": "hang", "after": at, "times": 1}})
    } else {
        json!({})
    });
    let mut child = double
        .command(ledger, &["collect", "--rate", "10000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if double.log().len() >= at || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    double.log().len()
}

#[test]
fn a_collection_killed_anywhere_goes_on_without_loss_or_double() {
    // More points and a larger world for the figures in the README.
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let points = number("PIPEBILL_KILL_POINTS", 8);
    let builds = number("PIPEBILL_KILL_BUILDS", 2_000);
    let runs = builds / 4;
    let world = format!("large:4,{},4,{}", builds / 4, runs / 4);
    let Some(double) = Double::start(&world) else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &[], 0);
    let whole = content(&ledger);
    assert_eq!(whole["build"].len() as u64, builds);
    assert_eq!(whole["execution"].len() as u64, runs);
    let requests = double.log().len();
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    for point in 0..points {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = 1 + usize::try_from(random % requests as u64).unwrap();
        let (_folder, ledger) = place();
        let first = killed(&double, &ledger, at, point % 2 == 0);
        double.faults(json!({}));
        double.collect(&ledger, &[], 0);
        let second = double.log().len();
        let mut resumed = content(&ledger);
        let mut whole = whole.clone();
        // A listing that was taken up again is read once more at its top, which moves nothing.
        for tables in [&mut resumed, &mut whole] {
            tables.remove("listing");
        }
        assert!(resumed == whole, "killed at request {at} of {requests}");
        check_references(&ledger);
        println!("killed at request {at}: {first} and {second} requests, {requests} without");
        let most = requests * 6 / 5 + 40;
        assert!(
            first + second <= most,
            "killed at {at}: {first} and {second} requests, {requests} without"
        );
    }
}
