//! The page and its pictures: in a browser, on paper, and number by number.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, LazyLock},
};

use assert_cmd::cargo::cargo_bin;
use pipebill::{
    app::{App, DataSource, RatingTerms},
    domain::{
        allocation::{Dimension, Policy, allocate},
        bill::Bill,
        discounts::Discounts,
        ids::{Currency, Meter, Region, ResourceId},
        money::Money,
        optimize::{
            Assumption, BestCombination, Evidence, Finding, NotCompared, Optimization, Proposed,
            Risk,
        },
        overview::{
            Overview, Sensitivities, build_minutes, largest, reconciled, sensitivities, trend,
        },
        pattern::Pattern,
        percentiles::Percentiles,
        period::Month,
        price_book::{BilledPrices, PriceBook},
        quantity::Unit,
        rating::{RatedMonth, RatingError, RatingOptions, rate},
        reconcile::reconcile,
        scenario::{
            Change, Completeness, Scenario, Selector, Term, Totals,
            remark::Warning,
            waterfall::{Waterfall, WaterfallStep},
        },
        scenario_summary::ScenarioSummary,
        usage::UsageRecord,
        why::{self, By, MonthChange, Work, explain},
    },
    report::{
        input::{Options, ReportInput},
        page,
    },
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    browser::{self, Browser},
    support::{catalog, day, dec, read, root, skipped, usage},
};

/// The page of the sample and its pictures, made once for all tests.
pub(crate) static TEAM: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let output = pipebill(
        &[
            "report",
            "--demo",
            "--definition",
            "team",
            "--budget",
            "450",
            "--out",
            "./",
        ],
        folder.path(),
        &[],
    );
    assert!(output.status.success(), "{}", said(&output));
    folder
});

fn pipebill(arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Output {
    Command::new(cargo_bin("pipebill"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("PIPEBILL_AS_OF")
        .env_remove("PIPEBILL_LEDGER")
        .env("LC_ALL", "C.UTF-8")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn page_file() -> PathBuf {
    TEAM.path().join("report.html")
}

/// The part of a page from a section's beginning to its end.
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let begin = page
        .find(&format!("<section id=\"{id}\""))
        .unwrap_or_else(|| panic!("no section {id}"));
    let end = page[begin..].find("</section>").unwrap();
    &page[begin..begin + end]
}

/// The exact numbers of a piece of the page, row by row.
fn numbers(piece: &str) -> Vec<Vec<Decimal>> {
    let rows = piece.split("<tr>").skip(2);
    rows.map(|row| {
        let values = row.split("<data value=\"").skip(1);
        values
            .map(|value| dec(value.split('"').next().unwrap()))
            .collect()
    })
    .collect()
}

/// What the bills of the sample come to.
fn totals(months: &[&str]) -> Vec<Decimal> {
    let app = App::new(day("2026-11-22"), DataSource::Sample).unwrap();
    let ledger = app.ledger().unwrap();
    let total = |month: &&str| {
        let bill = app.rate_month(&ledger, month.parse().unwrap(), &RatingTerms::default());
        bill.unwrap().rated.bill.total().amount()
    };
    months.iter().map(total).collect()
}

/// A small ledger that is soon read: a month of a bill.
fn small_ledger(folder: &Path) -> [(&'static str, &'static str); 2] {
    let export = root().join("tests/fixtures/import/cur2.csv");
    let ledger = [
        ("PIPEBILL_LEDGER", "l.sqlite"),
        ("PIPEBILL_AS_OF", "2026-11-22"),
    ];
    let imported = pipebill(&["import", export.to_str().unwrap()], folder, &ledger);
    assert!(imported.status.success(), "{}", said(&imported));
    ledger
}

/// Why a month differs from another, without builds.
fn change_between(before: &RatedMonth, after: &RatedMonth) -> MonthChange {
    let work = Work::default();
    let side = |rated| why::Month {
        rated,
        work: &work,
        sharing: Policy::AsBilled,
    };
    let why = explain(catalog(), &side(before), &side(after), &By::Each);
    let bills = [&before.rated.bill, &after.rated.bill];
    MonthChange {
        from: vec![bills[0].month],
        to: bills[1].month,
        costs: bills.map(Bill::total),
        currency: bills[1].currency.clone(),
        by: By::Each,
        why,
        spikes: None,
        complete: true,
        gaps: Vec::new(),
        metered: Vec::new(),
        open: None,
    }
}

#[test]
fn the_page_is_small_and_whole() {
    let page = read(&page_file());
    assert!(page.len() < 300_000, "{} bytes", page.len());
    for id in [
        "fan",
        "services",
        "waterfall",
        "tornado",
        "savings",
        "scenario",
        "calendar",
        "parts",
        "bill",
        "reconciliation",
        "method",
    ] {
        section(&page, id);
    }
    for wrong in [
        "<script",
        "http-equiv=\"refresh\"",
        "src=",
        "@import",
        " style=\"",
        "url(http",
    ] {
        assert!(!page.contains(wrong), "{wrong}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_bills_to_the_last_digit() {
    let page = read(&page_file());
    // Each month of the picture, its services and its total.
    let services = section(&page, "services");
    let months: Vec<&str> = services
        .split("<th scope=\"row\"><bdi>")
        .skip(1)
        .map(|cell| &cell[..7])
        .collect();
    assert_eq!(months.len(), 13);
    let bills = totals(&months);
    for ((month, row), bill) in months.iter().zip(numbers(services)).zip(&bills) {
        let (total, parts) = row.split_last().unwrap();
        assert_eq!(parts.iter().sum::<Decimal>(), *total, "{month}");
        assert_eq!(total, bill, "{month}");
    }
    // The bill, the parts and our side of the reconciliation come to the same total.
    let expected = bills[12];
    for (id, column) in [("bill", 2), ("parts", 0)] {
        let rows = numbers(section(&page, id));
        let (total, lines) = rows.split_last().unwrap();
        assert_eq!(*total.last().unwrap(), expected, "{id}");
        // A row with a free quantity has a number more; the cost is the last, a share follows it.
        let cost = |row: &Vec<Decimal>| match id {
            "bill" => *row.last().unwrap(),
            _ => row[column],
        };
        assert_eq!(lines.iter().map(cost).sum::<Decimal>(), expected, "{id}");
    }
    let rows = numbers(section(&page, "reconciliation"));
    let (total, services) = rows.split_last().unwrap();
    assert_eq!(total[0], expected);
    for (column, sum) in total.iter().enumerate() {
        let parts: Decimal = services.iter().map(|row| row[column]).sum();
        assert_eq!(parts, *sum, "column {column}");
    }
    // The steps of the waterfall lead from one bill to the other.
    let steps: Vec<Decimal> = numbers(section(&page, "waterfall")).concat();
    let (to, before) = steps.split_last().unwrap();
    assert_eq!(before.iter().sum::<Decimal>(), *to);
    assert_eq!((steps[0], *to), (bills[10], bills[11]));
}

#[test]
fn savings_are_those_of_optimize_and_the_scenario_is_all_of_them() {
    let page = read(&page_file());
    let run = |arguments: &[&str]| -> serde_json::Value {
        let output = pipebill(arguments, TEAM.path(), &[]);
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let found = run(&["optimize", "--demo", "--format", "json"]);
    let taken: Vec<&serde_json::Value> = found["together"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|number| &found["findings"][usize::try_from(number.as_u64().unwrap()).unwrap() - 1])
        .collect();
    let savings = section(&page, "savings");
    let amounts: Vec<Decimal> = numbers(savings).concat();
    assert_eq!(amounts.len(), 5);
    for (finding, amount) in taken.iter().zip(&amounts) {
        assert_eq!(dec(finding["saving"]["p50"].as_str().unwrap()), *amount);
        let change = finding["changes"][0].as_str().unwrap();
        let name = change.rsplit_once("]=").unwrap().0;
        assert!(savings.contains(&format!("{name}]")), "{name}");
        assert!(savings.contains(finding["title"].as_str().unwrap()));
    }
    // The waterfall ends where `whatif` puts the scenario of all of them.
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("s");
    let written = pipebill(
        &["optimize", "--demo", "--write", to.to_str().unwrap()],
        folder.path(),
        &[],
    );
    assert!(written.status.success(), "{}", said(&written));
    let file = to.join("together.toml");
    let whatif = run(&[
        "whatif",
        "--demo",
        file.to_str().unwrap(),
        "--format",
        "json",
    ]);
    let steps: Vec<Decimal> = numbers(section(&page, "scenario")).concat();
    let (scenario, before) = steps.split_last().unwrap();
    assert_eq!(before.iter().sum::<Decimal>(), *scenario);
    for (key, amount) in [("baseline", steps[0]), ("scenario", *scenario)] {
        assert_eq!(
            dec(whatif["scenarios"][0][key].as_str().unwrap()),
            amount,
            "{key}"
        );
    }
    // A file of the user's own takes their place.
    let own = pipebill(
        &[
            "report",
            "--demo",
            "--months",
            "0",
            "--format",
            "html",
            "--set",
            "active_users=+10",
        ],
        folder.path(),
        &[],
    );
    let page = String::from_utf8(own.stdout).unwrap();
    let scenario = section(&page, "scenario");
    assert!(scenario.contains("October 2026 with active_users=+10"));
    // Ten users at a dollar each: the first five are free, and used up.
    let steps: Vec<Decimal> = numbers(scenario).concat();
    assert_eq!(steps[1], dec("10"));
    assert_eq!(steps[2] - steps[0], dec("10"));
}

#[test]
fn a_scenario_without_a_price_says_so_and_one_that_nothing_shows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = "compute[general1.medium]=reserved.custom,machines=1";
    let output = pipebill(
        &["report", "--demo", "--chart", "scenario", "--set", unknown],
        folder.path(),
        &[],
    );
    assert!(output.stdout.is_empty());
    let text = said(&output);
    assert!(text.contains("some usage has no known price"), "{text}");
    let output = pipebill(
        &["report", "--demo", "--format", "csv", "--set", unknown],
        folder.path(),
        &[],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(said(&output).contains("only pages and --chart scenario"));
}

#[test]
fn the_days_of_the_calendar_are_the_build_minutes_of_the_usage() {
    let page = read(&page_file());
    let shown: Decimal = numbers(section(&page, "calendar"))
        .concat()
        .into_iter()
        .sum();
    // Counted again from what `usage` adds up, meter by meter.
    let app = App::new(day("2026-11-22"), DataSource::Sample).unwrap();
    let ledger = app.ledger().unwrap();
    let first: Month = "2025-11".parse().unwrap();
    let months: Vec<Month> = std::iter::successors(Some(first), |month| Some(month.next()))
        .take(13)
        .collect();
    let mut counted = Decimal::ZERO;
    for sum in app.usage_of(&ledger, &months, &[]).unwrap().0 {
        if sum.meter.service.as_str() == "CodeBuild"
            && let Some(quantity) = sum.quantity
        {
            counted += match quantity.unit {
                Unit::Minute => quantity.value,
                Unit::Second => quantity.value / dec("60"),
                other => panic!("{other}"),
            };
        }
    }
    assert!(
        (shown - counted).abs() < dec("0.000001"),
        "{shown} {counted}"
    );
}

/// What axe-core finds wrong, its names and where.
fn violations(browser: &mut Browser) -> Option<Vec<String>> {
    let axe = root().join("target/axe/node_modules/axe-core/axe.min.js");
    if !axe.is_file() {
        skipped("no axe-core");
        return None;
    }
    browser.eval(&format!("{};null", read(&axe)));
    let found = browser.eval(
        "axe.run(document,{runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})\
         .then(r=>({passes:r.passes.length,violations:r.violations.map(v=>v.id+' '+v.nodes.map(n=>n.target).join(' | '))}))",
    );
    assert!(found["passes"].as_u64() > Some(20), "{found}");
    let texts = found["violations"].as_array().unwrap().iter();
    Some(
        texts
            .map(|text| text.as_str().unwrap().to_owned())
            .collect(),
    )
}

#[test]
fn the_page_holds_in_a_browser_light_dark_small_and_on_paper() {
    let Some(program) = browser::find() else {
        return;
    };
    let file = page_file();
    let mut browser = Browser::launch(&program);
    let background = "getComputedStyle(document.body).backgroundColor";
    let mut grounds = Vec::new();
    for (width, scheme, media) in [
        (1000, "light", "screen"),
        (1000, "dark", "screen"),
        (360, "light", "screen"),
        (360, "dark", "screen"),
        (760, "dark", "print"),
    ] {
        browser.width(width);
        browser.media(scheme, media);
        browser.open(&file);
        browser.is_quiet(&file);
        grounds.push(browser.eval(background));
        // Folded tables are looked at too.
        browser.eval("document.querySelectorAll('details').forEach(d=>d.open=true)");
        let wide = browser.eval("document.documentElement.scrollWidth-innerWidth");
        assert!(
            wide.as_i64() <= Some(0),
            "{width} {scheme}: {wide} too wide"
        );
        if media == "screen"
            && let Some(found) = violations(&mut browser)
        {
            assert!(found.is_empty(), "{width} {scheme}: {found:#?}");
        }
        // Words in a picture stay legible on a telephone: the picture scrolls in its frame.
        let scale = browser.eval(
            "(()=>{const s=document.querySelector('svg.chart');return s.getBoundingClientRect().width/s.viewBox.baseVal.width})()",
        );
        if media == "screen" {
            assert!(scale.as_f64() > Some(0.65), "{width}: pictures at {scale}");
        }
    }
    assert_ne!(grounds[0], grounds[1], "dark is another page than light");
    assert_ne!(grounds[1], grounds[4], "paper is never dark");
    // Every picture is named and described, and can be reached by the keyboard.
    let named = browser.eval(
        "[...document.querySelectorAll('svg.chart')].every(s=>s.getAttribute('aria-labelledby').split(' ').every(i=>document.getElementById(i).textContent.length>3)&&s.closest('[tabindex]'))",
    );
    assert_eq!(named, json!(true));
    let ids = browser.eval(
        "(()=>{const a=[...document.querySelectorAll('[id]')].map(e=>e.id);return a.length-new Set(a).size})()",
    );
    assert_eq!(ids, json!(0), "an id stands twice");
}

#[test]
fn a_picture_stands_alone_in_a_browser() {
    let Some(program) = browser::find() else {
        return;
    };
    let mut browser = Browser::launch(&program);
    for kind in page::pictures::KINDS {
        let file = TEAM.path().join(format!("report-{}.svg", kind.name));
        browser.open(&file);
        browser.is_quiet(&file);
        let root = browser.eval("document.documentElement.namespaceURI+' '+document.querySelectorAll('parsererror').length");
        assert_eq!(root, json!("http://www.w3.org/2000/svg 0"), "{}", kind.name);
    }
}

#[test]
fn whatif_draws_its_answers_as_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let common = ["whatif", "--demo", "--history", "1", "--format", "svg"];
        pipebill(&[&common[..], arguments].concat(), folder.path(), &[])
    };
    let builds = ["--sweep", "builds*=0.5,1,2"];
    let mut pictures = Vec::new();
    for (arguments, says) in [
        (
            &["--set", "active_users=+10"][..],
            "active_users=+10, +$10.00",
        ),
        (&["--tornado", "10%"], "has the largest effect"),
        (&["--sweep", "active_users=5,10,50"], "The lowest bill is"),
        (
            &[&builds[..], &["--sweep", "active_users=5,50"]].concat(),
            "The lowest bill is",
        ),
        (
            &[
                &builds[..],
                &[
                    "--sweep",
                    "speed=0.3,1",
                    "--set",
                    "compute[general1.medium]=general1.small",
                ],
            ]
            .concat(),
            "The scenario saves most at speed 1 and builds 2",
        ),
    ] {
        let output = run(arguments);
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(output.status.success(), "{}", said(&output));
        assert!(text.contains(says), "{arguments:?}: {text}");
        pictures.push(text);
    }
    // Two answers are not one picture; a break-even point is none.
    std::fs::write(
        folder.path().join("a.toml"),
        "name = \"a\"\nactive_users = 3\n",
    )
    .unwrap();
    for arguments in [
        &["a.toml", "a.toml", "--tornado"][..],
        &["a.toml", "a.toml"],
        &["a.toml", "--breakeven", "active_users"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let Some(program) = browser::find() else {
        return;
    };
    let mut browser = Browser::launch(&program);
    for (at, picture) in pictures.iter().enumerate() {
        let file = folder.path().join(format!("{at}.svg"));
        std::fs::write(&file, picture).unwrap();
        browser.open(&file);
        browser.is_quiet(&file);
        let errors = browser.eval("document.querySelectorAll('parsererror').length");
        assert_eq!(errors, json!(0), "{at}");
    }
}

const HOSTILE: [&str; 6] = [
    "</title><script>document.title='pwned'</script>",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "line\nbreak\0nul\ttab",
    "\u{202e}gnp.exe\u{200f} right to left",
    "🚀 emoji & \"quotes\" 'single' <b>bold</b>",
    "<img src=x onerror=alert(1)>",
];

/// A finding and a scenario for each hostile name.
fn hostile_prospects() -> (Optimization, ScenarioSummary) {
    let month: Month = "2026-10".parse().unwrap();
    let scenario = |name: &str| Scenario {
        name: name.to_owned(),
        note: Some(name.to_owned()),
        changes: vec![Change::Builds {
            only: Selector {
                terms: vec![Term::Project(Pattern(name.to_owned()))],
            },
            times: dec("2"),
        }],
    };
    let saving = Percentiles {
        p10: Money::new(dec("1")),
        p50: Money::new(dec("2")),
        p90: Money::new(dec("3")),
    };
    let too_long = |name: &str| Warning::TooLong {
        month,
        compute: "lambda.arm.1GB".to_owned(),
        minutes: 15,
        project: Some(name.to_owned()),
        builds: 2,
    };
    let findings = HOSTILE.map(|name| Finding {
        kind: pipebill::domain::optimize::FindingKind::Downsize,
        subject: name.to_owned(),
        proposed: Proposed::Compute {
            builds: name.to_owned(),
            from: name.to_owned(),
            to: name.to_owned(),
        },
        evidence: vec![Evidence::IdlePipeline {
            pipeline: name.to_owned(),
            code_changes: 0,
            runs: 0,
        }],
        saving,
        of_future: false,
        by_month: vec![saving.p50],
        min_speed: None,
        sizing: None,
        build_by_build: false,
        assumptions: vec![Assumption::Machines {
            compute: name.to_owned(),
            size: name.to_owned(),
        }],
        risks: vec![Risk::Scenario(too_long(name))],
        scenario: scenario(name),
        overlaps: Vec::new(),
        oldest_price: None,
    });
    let all = Scenario {
        changes: HOSTILE
            .iter()
            .flat_map(|name| scenario(name).changes)
            .collect(),
        ..scenario(HOSTILE[0])
    };
    let currency = Currency::new("USD");
    let waterfall = Waterfall {
        baseline: Money::new(dec("20")),
        steps: HOSTILE
            .iter()
            .map(|name| WaterfallStep {
                label: (*name).to_owned(),
                amount: Money::new(dec("-2")),
                is_rest: false,
            })
            .collect(),
        scenario: Money::new(dec("8")),
        order_free: true,
        every_order: true,
    };
    let prospect = ScenarioSummary {
        scenario: all.clone(),
        found: false,
        month,
        total: Totals {
            baseline: waterfall.baseline,
            scenario: waterfall.scenario,
            difference: Money::new(dec("-12")),
            whole: Completeness {
                baseline: true,
                scenario: true,
            },
        },
        waterfall,
        stored: Money::ZERO,
        range: Some((saving, 3)),
        unknown: Vec::new(),
        warnings: HOSTILE.map(too_long).to_vec(),
        assumptions: Vec::new(),
        discounts: Discounts::default(),
        currency: currency.clone(),
    };
    let savings = Optimization {
        currency,
        months: vec![month.previous(), month],
        cost: Money::new(dec("20")),
        complete: true,
        ahead: false,
        builds: 0,
        findings: findings.to_vec(),
        best_combination: Some(BestCombination {
            findings: (0..HOSTILE.len()).collect(),
            proven: true,
            saving,
            scenario: all,
        }),
        larger: Vec::new(),
        refused: Vec::new(),
        not_compared: vec![NotCompared::OtherPrices {
            region: Region::new("us-east-1"),
            pipelines: vec![HOSTILE[0].to_owned()],
        }],
        observations: Vec::new(),
        below_min_saving: 0,
        unrated: 0,
    };
    (savings, prospect)
}

/// Two months of usage with hostile names everywhere a name can come from.
fn hostile_page() -> String {
    let catalog = catalog();
    let mut records: Vec<UsageRecord> = Vec::new();
    for month in ["2026-09", "2026-10"] {
        for (at, name) in (1..).zip(HOSTILE) {
            let when = day(&format!("{month}-0{at}"));
            let known = Meter::new("CodeBuild", "Build-Min:Linux:g1.small");
            let unknown = Meter::new("CodeBuild", format!("Build-Min:{name}"));
            for meter in [known, unknown] {
                let mut record = usage(&meter, "us-east-1", when, dec("500"), Unit::Minute);
                record.resource = Some(ResourceId::new(name));
                record.tags = Arc::new(BTreeMap::from([("team".to_owned(), name.to_owned())]));
                record.origin = Arc::from(name);
                records.push(record);
            }
        }
        let mut odd = usage(
            &Meter::new(HOSTILE[0], HOSTILE[5]),
            "us-east-1",
            day(&format!("{month}-09")),
            dec("1"),
            Unit::Request,
        );
        odd.key.region = Region::new(HOSTILE[4]);
        records.push(odd);
    }
    let rated = |text: &str| -> Result<RatedMonth, RatingError> {
        let month: Month = text.parse().unwrap();
        let of_month: Vec<UsageRecord> = records
            .iter()
            .filter(|r| r.month == month)
            .cloned()
            .collect();
        let book = PriceBook {
            stated: Vec::new(),
            observed: BilledPrices::default(),
            catalog,
            like: None,
        };
        let rated = rate(&of_month, &book, &RatingOptions::new(month))?;
        Ok(RatedMonth {
            rated,
            records: of_month,
        })
    };
    let months = [rated("2026-09").unwrap(), rated("2026-10").unwrap()];
    let [before, after] = &months;
    let bills = [&before.rated.bill, &after.rated.bill];
    let shares = allocate(
        &after.rated,
        &after.records,
        &Dimension::Resource,
        Policy::AsBilled,
    );
    let total = |records: &[UsageRecord]| -> Result<Money, RatingError> {
        Ok(Money::new(
            records
                .iter()
                .filter_map(|r| r.quantity)
                .map(|q| q.value)
                .sum(),
        ))
    };
    let overview = Overview {
        months: bills.map(|bill| (bill.month, Some(bill.clone()))).to_vec(),
        change: Some(change_between(before, after)),
        sensitivity: Some(Sensitivities {
            month: bills[1].month,
            baseline: bills[1].total(),
            percent: dec("20"),
            meters: sensitivities(&after.records, dec("20"), total).unwrap(),
        }),
        build_minutes: build_minutes(&after.records),
        parts: largest(&shares.shares, 15),
        reconciled: reconciled(bills[1], &reconcile(&after.rated, &after.records)),
        before: None,
        discounts: pipebill::domain::discounts::Discounts::default(),
        unknown_services: std::collections::BTreeSet::new(),
    };
    let (savings, prospect) = hostile_prospects();
    let material = ReportInput {
        catalog,
        today: day("2026-11-22"),
        months: &months[1..],
        by_jobs: &[],
        forecast: None,
        overview: Some(&overview),
        savings: Some(&savings),
        scenario: Some(&prospect),
        sample: false,
    };
    page::render(&material, &Options::default()).unwrap()
}

#[test]
fn hostile_names_are_words_and_nothing_else() {
    let page = hostile_page();
    for wrong in ["<script", "<img", "<b>", "\0", "\u{202e}", "\u{200f}"] {
        assert!(!page.contains(wrong), "{wrong:?}");
    }
    assert!(section(&page, "absent").contains("Forecast: the ledger has no continuing usage"));
    let Some(program) = browser::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.html");
    std::fs::write(&file, &page).unwrap();
    let mut browser = Browser::launch(&program);
    browser.width(360);
    browser.open(&file);
    browser.is_quiet(&file);
    assert_eq!(
        browser.eval("document.querySelectorAll('script,img,iframe,object,b').length"),
        json!(0)
    );
    assert_ne!(browser.eval("document.title"), json!("pwned"));
    let words = browser.eval("document.body.textContent");
    for name in [
        HOSTILE[0],
        HOSTILE[1],
        HOSTILE[4],
        HOSTILE[5],
        "line breaknul tab",
        "gnp.exe right to left",
    ] {
        assert!(
            words.as_str().unwrap().contains(name),
            "{name} is not to be read"
        );
    }
    let wide = browser.eval("document.documentElement.scrollWidth-innerWidth");
    assert!(wide.as_i64() <= Some(0), "{wide} too wide");
}

#[test]
fn what_is_not_known_is_absent_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let export = root().join("tests/fixtures/import/ce-service-daily.csv");
    let ledger = [
        ("PIPEBILL_LEDGER", "l.sqlite"),
        ("PIPEBILL_AS_OF", "2026-11-22"),
    ];
    let imported = pipebill(
        &["import", export.to_str().unwrap()],
        folder.path(),
        &ledger,
    );
    assert!(imported.status.success(), "{}", said(&imported));
    let output = pipebill(&["report", "--out", "page.html"], folder.path(), &ledger);
    assert!(output.status.success(), "{}", said(&output));
    let page = read(&folder.path().join("page.html"));
    let absent = section(&page, "absent");
    // Costs go on as costs; what moves them nobody can say without quantities.
    assert!(page.contains("<section id=\"fan\""), "{absent}");
    let why = "the export of October 2026 has costs but no quantities";
    for what in ["Cost drivers", "Savings", "Scenario"] {
        assert!(absent.contains(&format!("{what}: {why}")), "{absent}");
    }
    assert!(!page.contains("<section id=\"calendar\""));
}

#[test]
fn the_page_prints_on_a_few_sheets() {
    let Some(program) = browser::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = pipebill(
        &[
            "report", "--demo", "--months", "1", "--format", "pdf", "--out", "r.pdf",
        ],
        folder.path(),
        &[("CHROME", program.to_str().unwrap())],
    );
    assert!(output.status.success(), "{}", said(&output));
    let pdf = std::fs::read(folder.path().join("r.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    let text = String::from_utf8_lossy(&pdf);
    let sheets = text.matches("/Type /Page\n").count();
    assert!((2..=3).contains(&sheets), "{sheets} sheets");
    assert!(pdf.len() < 400_000, "{} bytes", pdf.len());
}

#[test]
fn no_browser_a_broken_one_and_a_broken_template_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("own.html"),
        "<p>{{ title }}</p>\n{{ nobody }}\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("syntax.html"), "<p>\n{% for x %}\n").unwrap();
    std::fs::write(folder.path().join("empty.html"), "\n").unwrap();
    let ledger = small_ledger(folder.path());
    let count = || std::fs::read_dir(folder.path()).unwrap().count();
    let before = count();
    let pdf = ["report", "--format", "pdf", "--out", "r.pdf"];
    let html = ["report", "--out", "r.html", "--template"];
    for (arguments, chrome, problem) in [
        (&pdf[..], ("PATH", ""), "there is no Chromium to print with"),
        (&pdf[..], ("CHROME", "nowhere"), "$CHROME names no file"),
        (
            &pdf[..],
            ("CHROME", "/bin/false"),
            "/bin/false does not print: exit status: 1",
        ),
        (
            &[&html[..], &["own.html"]].concat(),
            ("CHROME", ""),
            "own.html:2: the report has no `nobody`",
        ),
        (
            &[&html[..], &["syntax.html"]].concat(),
            ("CHROME", ""),
            "syntax.html:2: syntax error",
        ),
        (
            &[&html[..], &["none.html"]].concat(),
            ("CHROME", ""),
            "none.html: cannot be read",
        ),
        (
            &[&html[..], &["empty.html"]].concat(),
            ("CHROME", ""),
            "empty.html: is empty",
        ),
    ] {
        let output = pipebill(arguments, folder.path(), &[chrome, ledger[0], ledger[1]]);
        assert_eq!(output.status.code(), Some(1), "{problem}");
        assert!(said(&output).contains(problem), "{}", said(&output));
        assert!(said(&output).contains("hint:"), "{}", said(&output));
        assert_eq!(count(), before, "{problem}");
    }
}

#[test]
fn a_template_of_ones_own_is_escaped_too() {
    let folder = tempfile::tempdir().unwrap();
    let own = "{% for s in sections if s.id == 'parts' %}{% for r in s.table.rows %}{{ r[0].text }};{% endfor %}{% endfor %}";
    std::fs::write(folder.path().join("own.txt"), own).unwrap();
    let output = pipebill(
        &[
            "report",
            "--demo",
            "--month",
            "2025-10",
            "--months",
            "0",
            "--format",
            "html",
            "--template",
            "own.txt",
        ],
        folder.path(),
        &[],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("checkout-api"),
        "{text} {}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!text.contains(['<', '"']), "{text}");
}

proptest! {
    #![proptest_config(crate::laws::cases(256))]

    /// Months by service add up to their bills, named and taken together alike.
    #[test]
    fn sums_over_months_are_those_of_the_bills(
        amounts in prop::collection::vec(prop::collection::vec(0_i64..5_000_000, 9), 2..4),
        most in 1_usize..9,
    ) {
        let catalog = catalog();
        let bills: Vec<_> = amounts.iter().map(|month| {
            let records: Vec<UsageRecord> = (0..).zip(month).map(|(at, amount)| {
                let meter = Meter::new(format!("Service{at}"), "Thing");
                let mut record = usage(&meter, "us-east-1", day("2026-10-05"), dec("1"), Unit::Request);
                record.billed = Some(pipebill::domain::usage::Billed {
                    cost: Money::new(Decimal::new(*amount, 4)),
                    rate: Some(Decimal::new(*amount, 4)),
                    ..Default::default()
                });
                record
            }).collect();
            let book = PriceBook {
                stated: Vec::new(),
                observed: BilledPrices::collect(&records),
                catalog,
                like: None,
            };
            rate(&records, &book, &RatingOptions::new("2026-10".parse().unwrap())).unwrap().bill
        }).collect();
        let shown: Vec<_> = bills.iter().map(Some).collect();
        let trend = trend(&shown, most);
        prop_assert!(trend.services.len() + usize::from(trend.rest.is_some()) <= most);
        for (at, bill) in bills.iter().enumerate() {
            let named: Money = trend.services.iter().map(|(_, costs)| costs[at]).sum();
            let rest = trend.rest.as_ref().map_or(Money::ZERO, |rest| rest[at]);
            prop_assert_eq!(named + rest, bill.total());
        }
    }
}
