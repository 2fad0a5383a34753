//! Answers that others gave: each file of `tests/cases` states usage and what it costs by a bill
//! line, a published example or a rule with its arithmetic. None of them was copied from our output.

use std::path::Path;

use chrono::NaiveDate;
use pipebill::{
    domain::{
        allowance::FreeTier,
        bill::{Bill, LineItem},
        ids::Region,
        number::plain,
        price_book::PriceBook,
        rating::{RatingOptions, rate},
        remark::Remark,
    },
    inputs::usage_file::{self, UsageFile},
};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::support::{catalog, dec, files_under, read, root, shown};

/// A case as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Who gave the answer, and when it was read there.
    source: Option<String>,
    read: Option<String>,
    /// The answer is our own arithmetic, from the rule named in `why`.
    #[serde(default)]
    own: bool,
    why: Option<String>,
    /// The text of a usage file, or the path of one.
    usage: Option<String>,
    usage_file: Option<String>,
    #[serde(default)]
    expect: Expect,
}

/// Amounts are text, exact.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Expect {
    total: Option<String>,
    /// The total when no free tier applies; what comes with paid users still does.
    list_total: Option<String>,
    /// Some usage has no price: left out means that none may be missing.
    #[serde(default)]
    partial: bool,
    #[serde(default)]
    lines: Vec<ExpectLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectLine {
    usage_type: String,
    region: Option<String>,
    billed: Option<String>,
    covered: Option<String>,
    cost: Option<String>,
    unpriced: Option<String>,
}

impl Case {
    fn read(text: &str) -> Result<Self, String> {
        let case: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match (&case.source, &case.read, case.own, &case.why) {
            (Some(_), Some(day), false, _) => {
                let day: Result<NaiveDate, _> = day.parse();
                day.map_err(|_| "`read` is no day".to_owned())?;
            }
            (None, None, true, Some(_)) => {}
            _ => return Err("name `source` and `read`, or `own = true` and `why`".to_owned()),
        }
        if case.expect.total.is_none() && case.expect.lines.is_empty() {
            return Err("expects nothing".to_owned());
        }
        let empty = |line: &ExpectLine| {
            [&line.billed, &line.covered, &line.cost, &line.unpriced]
                .iter()
                .all(|amount| amount.is_none())
        };
        if let Some(line) = case.expect.lines.iter().find(|line| empty(line)) {
            return Err(format!("expects nothing of {}", line.usage_type));
        }
        Ok(case)
    }

    fn usage(&self, name: &str) -> Result<UsageFile, String> {
        let (file, text) = match (&self.usage, &self.usage_file) {
            (Some(text), None) => (name.to_owned(), text.clone()),
            (None, Some(path)) => (path.clone(), read(&root().join(path))),
            _ => return Err("name either `usage` or `usage_file`".to_owned()),
        };
        usage_file::parse(&file, &text, catalog()).map_err(|error| error.to_string())
    }

    /// Returns everything that is not as expected.
    fn check(&self, name: &str) -> Result<(), Vec<String>> {
        let file = self.usage(name).map_err(|problem| vec![problem])?;
        let bill = estimate(&file, file.terms.free_tier);
        let mut wrong = Vec::new();
        let mut compare = |what: String, expected: Option<&String>, found: Option<Decimal>| {
            let Some(expected) = expected else { return };
            if found != Some(dec(expected)) {
                let found = found.map_or("nothing".to_owned(), plain);
                wrong.push(format!("{what}: {expected} expected, {found} found"));
            }
        };
        let expect = &self.expect;
        compare(
            "total".to_owned(),
            expect.total.as_ref(),
            Some(bill.total().amount()),
        );
        compare(
            "total without free tier".to_owned(),
            expect.list_total.as_ref(),
            Some(estimate(&file, FreeTier::None).total().amount()),
        );
        for line in &expect.lines {
            let found = line_of(&bill, line);
            let usage = found.and_then(|found| found.usage.as_ref());
            let what = |part: &str| format!("{part} of {}", line.usage_type);
            compare(
                what("billed"),
                line.billed.as_ref(),
                usage.map(|u| u.billed.value),
            );
            compare(
                what("covered"),
                line.covered.as_ref(),
                usage.map(|u| u.covered),
            );
            compare(
                what("cost"),
                line.cost.as_ref(),
                found.map(|found| found.cost.amount()),
            );
            compare(
                what("unpriced"),
                line.unpriced.as_ref(),
                found
                    .and_then(|found| found.unpriced.as_ref())
                    .map(|(quantity, _)| quantity.value),
            );
        }
        if bill.is_complete() == expect.partial {
            wrong.push(format!("partial: {} expected", expect.partial));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

fn line_of<'b>(bill: &'b Bill, expected: &ExpectLine) -> Option<&'b LineItem> {
    bill.lines.iter().find(|line| {
        let region = expected
            .region
            .as_ref()
            .is_none_or(|r| line.key.region.as_str() == r);
        region && line.key.meter.usage_type.as_str() == expected.usage_type
    })
}

fn estimate(file: &UsageFile, free_tier: FreeTier) -> Bill {
    let month = file
        .month
        .unwrap_or_else(|| "2026-11".parse().expect("a month"));
    let region = file
        .region
        .clone()
        .unwrap_or_else(|| Region::new("us-east-1"));
    let records = file.plan(month, region).records(catalog());
    let book = PriceBook {
        stated: file.terms.prices.clone(),
        like: file.terms.price_like.clone(),
        ..PriceBook::new(catalog())
    };
    let options = RatingOptions {
        free_tier,
        used: file.terms.used.clone(),
        discounts: file.terms.discounts.clone(),
        ..RatingOptions::new(month)
    };
    rate(&records, &book, &options).expect("one currency").bill
}

fn run(path: &Path) -> Vec<String> {
    let name = shown(path);
    let result = match Case::read(&read(path)) {
        Ok(case) => case.check(&name),
        Err(problem) => Err(vec![problem]),
    };
    let wrong = result.err().unwrap_or_default();
    wrong
        .iter()
        .map(|problem| format!("{name}: {problem}"))
        .collect()
}

#[test]
fn every_case_costs_what_its_source_says() {
    let files = files_under("tests/cases");
    assert!(files.len() >= 30, "only {} cases are left", files.len());
    let wrong: Vec<String> = files.iter().flat_map(|path| run(path)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_of_money_has_a_case_from_outside() {
    let cited = |directory: &str| {
        let files = files_under(&format!("tests/cases/{directory}"));
        files
            .iter()
            .filter_map(|path| Case::read(&read(path)).ok())
            .any(|case| case.source.is_some())
    };
    for service in ["codebuild", "codepipeline", "codecommit", "codedeploy"] {
        assert!(
            cited(service),
            "tests/cases/{service} has no case with a `source`"
        );
    }
}

#[test]
fn a_case_without_expectation_or_source_is_refused() {
    for (text, problem) in [
        (
            "own = true\nwhy = \"a rule\"\nusage = \"\"",
            "expects nothing",
        ),
        (
            "own = true\nwhy = \"a rule\"\n[expect]\nlist_total = \"1\"",
            "expects nothing",
        ),
        (
            "own = true\nwhy = \"a rule\"\n[[expect.lines]]\nusage_type = \"User-Month\"",
            "expects nothing of User-Month",
        ),
        ("usage = \"\"\n[expect]\ntotal = \"0\"", "name `source`"),
        ("own = true\n[expect]\ntotal = \"0\"", "name `source`"),
        (
            "source = \"a page\"\n[expect]\ntotal = \"0\"",
            "name `source`",
        ),
        (
            "source = \"a page\"\nread = \"lately\"\n[expect]\ntotal = \"0\"",
            "`read` is no day",
        ),
        (
            "surce = \"a page\"\n[expect]\ntotal = \"0\"",
            "unknown field",
        ),
    ] {
        let error = Case::read(text).err().unwrap_or_default();
        assert!(error.contains(problem), "{text}: {error}");
    }
}

#[test]
fn a_case_that_is_wrong_fails() {
    let text = "own = true\nwhy = \"a rule\"\nusage = \"[codecommit]\\nactive_users = 6\"\n";
    let case = |expect: &str| Case::read(&format!("{text}[expect]\n{expect}")).unwrap();
    assert!(case("total = \"1\"").check("a case").is_ok());
    for expect in [
        "total = \"2\"",
        "total = \"1\"\npartial = true",
        "total = \"1\"\nlist_total = \"1\"",
        "total = \"1\"\n[[expect.lines]]\nusage_type = \"User-Month\"\nbilled = \"5\"",
        "total = \"1\"\n[[expect.lines]]\nusage_type = \"Users\"\ncost = \"0\"",
        "total = \"1\"\n[[expect.lines]]\nusage_type = \"User-Month\"\nunpriced = \"1\"",
    ] {
        assert!(case(expect).check("a case").is_err(), "{expect}");
    }
}

#[test]
fn a_million_developers_with_a_million_pushes_are_refused_not_cut_off() {
    let text = "[[pipeline]]\nname = \"a\"\ntype = \"V2\"\ndevelopers = 1000000\npushes_per_day = 1000000\n\
                [[pipeline.stage]]\nname = \"build\"\nseconds = 60\n";
    let error = usage_file::parse("usage.toml", text, catalog()).unwrap_err();
    assert!(error.to_string().contains("more than a million"), "{error}");
}

/// The stages of a pipeline with one of this name and fields.
fn with_stage(stage: &str) -> String {
    format!(
        "[[pipeline]]\nname = \"api\"\ntype = \"V2\"\nruns = 1\n[[pipeline.stage]]\nseconds = 10800\n{stage}\n"
    )
}

#[test]
fn a_stage_is_an_approval_by_its_action_or_says_that_its_name_is_all_it_has() {
    for (stage, minutes, is_assumed) in [
        ("name = 'approval'\naction = 'manual-approval'", 0, false),
        // AWS's name of the category.
        ("name = 'wait'\naction = 'Approval'", 0, false),
        ("name = 'worker'\naction = 'custom'", 0, false),
        ("name = 'approval'\naction = 'invoke'", 180, false),
        ("name = 'wait'", 180, false),
        ("name = 'approval'", 0, true),
        ("name = 'Approve'", 0, true),
        ("name = 'prod-approval-2'", 0, true),
        ("name = 'ManualApproval'", 0, true),
        // What builds or deploys there is no approval, and neither are these.
        ("name = 'approval'\ncompute = 'general1.small'", 180, false),
        ("name = 'approval'\non_premises_targets = 1", 180, false),
        ("name = 'approved-images'", 180, false),
        ("name = 'preapprovals'", 180, false),
    ] {
        let file = usage_file::parse("usage.toml", &with_stage(stage), catalog()).unwrap();
        let plan = file.plan("2026-11".parse().unwrap(), Region::new("us-east-1"));
        let records = plan.records(catalog());
        let is_action = |usage_type: &str| usage_type == "actionExecutionMinute";
        let billed = records
            .iter()
            .filter(|r| is_action(r.key.meter.usage_type.as_str()));
        let billed: rust_decimal::Decimal = billed.filter_map(|r| Some(r.quantity?.value)).sum();
        assert_eq!(billed, minutes.into(), "{stage}");
        let notes = plan.assumptions();
        assert_eq!(notes.len(), usize::from(is_assumed), "{stage}: {notes:?}");
        assert!(
            notes
                .iter()
                .all(|note| matches!(note, Remark::AssumedApproval { .. })),
            "{notes:?}"
        );
    }
}

#[test]
fn an_action_that_nobody_knows_is_refused_with_those_there_are() {
    for (action, expected) in [
        (
            "manual",
            "line 8: unknown action `manual`: did you mean `manual-approval`? choose from source, build,",
        ),
        (
            "",
            "unknown action ``: choose from source, build, test, deploy, invoke, compute, manual-approval, custom",
        ),
        ("\\u001b[31mx", "unknown action `[31mx`: choose from"),
    ] {
        let stage = format!("name = \"gate\"\naction = \"{action}\"");
        let error = usage_file::parse("usage.toml", &with_stage(&stage), catalog()).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn the_security_baseline_counts_any_number_of_failed_runs() {
    let text = "[[pipeline]]\nname = \"a\"\ntype = \"V2\"\nruns = 1\n\
                [[pipeline.stage]]\nname = \"build\"\nseconds = 60\n\
                [[pipeline.failed_runs]]\ncount = 4000000000\nstage = \"build\"\n\
                [[pipeline.failed_runs]]\ncount = 4000000000\nstage = \"build\"\n";
    let file = usage_file::parse("usage.toml", text, catalog()).unwrap();
    let plan = file.plan("2026-11".parse().unwrap(), Region::new("us-east-1"));
    let (_, counted) = plan.security_baseline(catalog());
    let expected = Remark::SecurityBaseline {
        pipelines: dec("1"),
        runs: dec("8000000001"),
    };
    assert_eq!(counted, expected);
}
