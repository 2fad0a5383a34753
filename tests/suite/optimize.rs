//! Findings against the scenarios they are, against neighbours, and against what was billed.

use std::{collections::BTreeMap, sync::LazyLock};

use pipebill::{
    app::{App, Baseline, DataSource, ImportRequest, RatingTerms},
    domain::{
        ids::Meter,
        money::Money,
        optimize::{
            Finding, FindingKind, NotCompared, Observation, Optimization, Sizing, Worth, combine,
            split::Charges,
        },
        pattern::Pattern,
        percentiles::Percentiles,
        period::Month,
        plan::{PipelineType, PricingTerms},
        price_book::PriceBook,
        quantity::{Quantity, Unit},
        rating::{RatingOptions, rate},
        scenario::{
            Change, ScenarioRater, Selector, Target, Term, break_even::break_even,
            parameter::Parameter, unpriced,
        },
    },
    exports::Unwatched,
    forecast::ForecastOptions,
    inputs::scenario_file,
    report, sample,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{
    laws::cases,
    support::{catalog, day, dec, usage},
};

struct Demo {
    app: App,
    baseline: Baseline,
    found: Optimization,
}

/// The sample with its builds, and everything that would save anything.
static DEMO: LazyLock<Demo> = LazyLock::new(|| {
    let app = App::new(day("2026-11-21"), DataSource::Sample).unwrap();
    let baseline = gathered(&app);
    let found = app.find_savings(&baseline, Money::ZERO).unwrap().found;
    Demo {
        app,
        baseline,
        found,
    }
});

fn gathered(app: &App) -> Baseline {
    let mut ledger = app.ledger().unwrap();
    let last: Month = "2026-10".parse().unwrap();
    app.add_sample_facts(&mut ledger, last.previous().previous())
        .unwrap();
    app.baseline(&ledger, &[last], 3, &RatingTerms::default())
        .unwrap()
}

fn negative(spread: Percentiles) -> Percentiles {
    Percentiles {
        p10: -spread.p90,
        p50: -spread.p50,
        p90: -spread.p10,
    }
}

#[test]
fn every_finding_run_through_whatif_saves_the_same() {
    let Demo {
        app,
        baseline,
        found,
    } = &*DEMO;
    assert!(found.findings.len() > 30, "{}", found.findings.len());
    let baseline = &baseline.with_storage();
    let raters = baseline.past(app);
    let before: Vec<Money> = raters
        .iter()
        .map(|rater| rater.total(&[]).unwrap())
        .collect();
    let together = found.best_combination.as_ref().unwrap();
    let all = found
        .findings
        .iter()
        .map(|finding| (&finding.scenario, finding.saving));
    for (scenario, saving) in all.chain([(&together.scenario, together.saving)]) {
        let text = report::scenario_file::write(scenario, &["from a test".to_owned()]);
        let read = scenario_file::parse("finding.toml", &text, &app.catalog)
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, *scenario);
        // As the table prints it, each change goes through `--set` as well.
        for change in &scenario.changes {
            let set = scenario_file::parse_set("--set", &change.to_string(), &app.catalog);
            assert_eq!(set.unwrap(), *change);
        }
        app.check_names(baseline, &read).unwrap();
        let differences = raters
            .iter()
            .zip(&before)
            .map(|(rater, before)| rater.total_of(&read).unwrap() - *before);
        let whatif = Percentiles::of(differences.collect());
        assert_eq!(negative(whatif), saving, "{text}");
    }
}

#[test]
fn whatif_itself_says_what_the_first_findings_save() {
    let Demo {
        app,
        baseline,
        found,
    } = &*DEMO;
    for finding in found.findings.iter().take(3) {
        let mut scenario = finding.scenario.clone();
        scenario.changes.truncate(6);
        if scenario != finding.scenario {
            continue;
        }
        let answer = app.compare(baseline, &scenario).unwrap();
        assert_eq!(
            -answer.comparison.total.difference,
            *finding.by_month.last().unwrap()
        );
    }
}

/// A size that nobody measured.
fn is_assumed(finding: &Finding) -> bool {
    finding.sizing == Some(Sizing::Assumed)
}

/// By the middle, and what nobody measured below all others.
fn assert_ranked(found: &Optimization) {
    let (assumed, others): (Vec<_>, Vec<_>) = found.findings.iter().partition(|it| is_assumed(it));
    for ranked in [&others, &assumed] {
        assert!(ranked.is_sorted_by(|a, b| a.saving.p50 >= b.saving.p50));
    }
    assert!(!found.findings[..others.len()].iter().any(is_assumed));
}

#[test]
fn the_ranking_is_by_the_middle_and_overlaps_are_mutual() {
    let found = &DEMO.found;
    assert_ranked(found);
    assert!(found.findings.iter().any(is_assumed));
    for (at, finding) in found.findings.iter().enumerate() {
        assert!(finding.saving.p50 > Money::ZERO);
        assert!(
            finding.saving.p10 <= finding.saving.p50 && finding.saving.p50 <= finding.saving.p90
        );
        for other in &finding.overlaps {
            assert!(found.findings[*other].overlaps.contains(&at));
        }
    }
    let together = &found.best_combination.as_ref().unwrap().findings;
    for at in together {
        let overlaps = &found.findings[*at].overlaps;
        assert!(!together.iter().any(|other| overlaps.contains(other)));
    }
}

/// The whole tariff, not the search, is the judge: no single pipeline of the other type is cheaper.
#[test]
fn no_pipeline_moved_back_or_along_makes_the_split_cheaper() {
    let Demo {
        app,
        baseline,
        found,
    } = &*DEMO;
    let is_split =
        |finding: &&pipebill::domain::optimize::Finding| finding.kind == FindingKind::PipelineTypes;
    let split = found.findings.iter().find(is_split).unwrap();
    let raters = baseline.past(app);
    let last: &ScenarioRater<'_> = raters.last().unwrap();
    let best = last.total_of(&split.scenario).unwrap();
    let mut types: BTreeMap<String, PipelineType> = BTreeMap::new();
    for pipeline in &last.workload.pipelines {
        types.insert(pipeline.name.clone().unwrap(), pipeline.kind);
    }
    assert!(types.len() >= 17);
    for change in &split.scenario.changes {
        let Change::PipelineType { only, to, .. } = change else {
            panic!("{change}")
        };
        let [Term::Pipeline(pattern)] = &only.terms[..] else {
            panic!("{change}")
        };
        for (name, kind) in &mut types {
            if pattern.matches(name) {
                *kind = *to;
            }
        }
    }
    let changes = |types: &BTreeMap<String, PipelineType>| -> Vec<Change> {
        let change = |(name, to): (&String, &PipelineType)| Change::PipelineType {
            only: Selector {
                terms: vec![Term::Pipeline(Pattern::exactly(name))],
            },
            to: *to,
            minutes: None,
        };
        types.iter().map(change).collect()
    };
    let total = |types: &BTreeMap<String, PipelineType>| {
        let changes = changes(types);
        last.total(&changes.iter().collect::<Vec<_>>()).unwrap()
    };
    assert_eq!(total(&types), best);
    for name in types.keys() {
        let mut other = types.clone();
        let kind = other.get_mut(name).unwrap();
        *kind = match kind {
            PipelineType::V1 => PipelineType::V2,
            PipelineType::V2 => PipelineType::V1,
        };
        assert!(total(&other) >= best, "{name}");
    }
}

/// The full tariff turns where the steps of the builds say, but for the cent by which it shares free
/// units in whole ones; bisection on it finds the same speed.
#[test]
fn break_even_speeds_are_where_the_full_tariff_has_them() {
    let Demo {
        app,
        baseline,
        found,
    } = &*DEMO;
    let raters = baseline.raters(app);
    let before = raters[0].total(&[]).unwrap();
    let mut count = 0;
    for finding in found.findings.iter().filter(|f| f.min_speed.is_some()) {
        let speed = finding.min_speed.unwrap();
        let at = |speed: Decimal| {
            let changes = Parameter::Speed.turned(&finding.scenario.changes, speed);
            raters[0]
                .total(&changes.iter().collect::<Vec<_>>())
                .unwrap()
        };
        let finest = dec("0.0001");
        let cent = Money::new(dec("0.01"));
        assert!(
            at(speed) <= before + cent,
            "{:?}: {speed}",
            finding.proposed
        );
        // At half that speed Lambda would end some builds: those stay, whatever they cost.
        if finding.kind == FindingKind::Lambda {
            continue;
        }
        let slower = at(speed - finest);
        assert!(slower > before - cent, "{:?}: {speed}", finding.proposed);
        count += 1;
        if count <= 3 {
            let range = (dec("0.2"), dec("2"));
            let even = break_even(&raters, &finding.scenario, &Parameter::Speed, range).unwrap();
            let crossing = even
                .sign_changes
                .iter()
                .find(|crossing| crossing.pays)
                .unwrap();
            let apart = (crossing.at - speed).abs();
            assert!(
                apart <= dec("0.001"),
                "{:?}: {} and {speed}",
                finding.proposed,
                crossing.at
            );
        }
    }
    assert!(count > 10, "{count}");
}

#[test]
fn nothing_is_recommended_at_a_price_that_is_not_known() {
    let Demo {
        app,
        baseline,
        found,
    } = &*DEMO;
    let raters = baseline.past(app);
    for finding in &found.findings {
        let changes: Vec<&Change> = finding.scenario.changes.iter().collect();
        for rater in &raters {
            let before = unpriced(&rater.value(&[]).unwrap());
            assert!(unpriced(&rater.value(&changes).unwrap()).is_subset(&before));
        }
    }
    // Every compute type has a price where the sample builds, or is not sold there.
    let is_unpriced = |it: &NotCompared| matches!(it, NotCompared::Unpriced { .. });
    assert!(
        !found.not_compared.iter().any(is_unpriced),
        "{:?}",
        found.not_compared
    );
}

/// With a price for reserved machines, a fleet is the cheapest of its neighbours under the full tariff.
#[test]
fn a_priced_fleet_is_no_larger_or_smaller_than_pays() {
    let app = App::new(day("2026-11-21"), DataSource::Sample).unwrap();
    let mut baseline = gathered(&app);
    for size in ["small", "medium", "large"] {
        let price = pipebill::inputs::resolve::price(
            &app.catalog,
            &format!("Reserved:Linux:x86-64.g1.{size}"),
            dec("0.0004"),
            std::sync::Arc::from("a test"),
        );
        baseline.terms.prices.push(price.unwrap());
    }
    let found = app.find_savings(&baseline, Money::ZERO).unwrap().found;
    let fleets: Vec<_> = found
        .findings
        .iter()
        .filter(|f| f.kind == FindingKind::Fleet)
        .collect();
    assert!(!fleets.is_empty());
    let raters = baseline.raters(&app);
    for finding in fleets {
        let total = |machines: u32| {
            let mut changes = finding.scenario.changes.clone();
            let [
                Change::Compute {
                    to:
                        Target::Fleet {
                            machines: sized, ..
                        },
                    ..
                },
            ] = &mut changes[..]
            else {
                panic!("{:?}", finding.proposed)
            };
            let best = *sized;
            *sized = machines.saturating_add(best).saturating_sub(1);
            raters[0]
                .total(&changes.iter().collect::<Vec<_>>())
                .unwrap()
        };
        // One machine less, as many, one and two more.
        let costs = [0, 1, 2, 3].map(total);
        assert_eq!(
            costs.iter().min(),
            Some(&costs[1]),
            "{:?}",
            finding.proposed
        );
    }
}

/// What a finding saves over futures is what `whatif --against forecast` says of its scenario.
#[test]
fn savings_to_come_are_those_of_whatif_over_the_same_futures() {
    let Demo { app, baseline, .. } = &*DEMO;
    let ledger = app.ledger().unwrap();
    let request = RatingTerms::default();
    let found = app.find_savings_ahead(&ledger, baseline, Money::new(Decimal::ONE), &request);
    let found = found.unwrap().found;
    let question = ForecastOptions {
        months: 1,
        paths: 2000,
        ..ForecastOptions::default()
    };
    let mut asked = 0;
    for finding in found.findings.iter().take(4) {
        let ahead = app.compare_ahead(&ledger, baseline, &finding.scenario, &question, &request);
        let [.., difference] = ahead.unwrap().sum;
        assert_eq!(
            finding.saving.p10, -difference.p90,
            "{:?}",
            finding.proposed
        );
        assert_eq!(
            finding.saving.p50, -difference.p50,
            "{:?}",
            finding.proposed
        );
        asked += u32::from(finding.of_future);
    }
    assert_eq!(asked, 4);
    assert_ranked(&found);
    // What lies in storage is not forecast: those savings are the past's.
    let storage = found.findings.iter().filter(|finding| !finding.of_future);
    let kinds: Vec<FindingKind> = storage.map(|finding| finding.kind).collect();
    assert!(
        kinds.contains(&FindingKind::LogRetention) && !kinds.contains(&FindingKind::Arm),
        "{kinds:?}"
    );
    let together = found.best_combination.unwrap();
    assert!(together.proven && together.saving.p50 > found.findings[0].saving.p50);
}

#[test]
fn pipelines_at_another_price_are_named_and_left_out() {
    let Demo { app, baseline, .. } = &*DEMO;
    let mut baseline = baseline.clone();
    let minute = "CodePipeline:eu-west-1-actionExecutionMinute";
    let price = pipebill::inputs::resolve::price(
        &app.catalog,
        minute,
        dec("0.009"),
        std::sync::Arc::from("a test"),
    );
    baseline.terms.prices.push(price.unwrap());
    let found = app.find_savings(&baseline, Money::ZERO).unwrap().found;
    let named = found.not_compared.iter().find_map(|it| match it {
        NotCompared::OtherPrices { region, pipelines } if region.as_str() == "eu-west-1" => {
            Some(pipelines)
        }
        _ => None,
    });
    let named = named.unwrap();
    for pipeline in [
        "help-centre",
        "merchant-portal",
        "psd2-gateway",
        "reporting-api",
    ] {
        assert!(named.iter().any(|name| name == pipeline), "{named:?}");
    }
}

#[test]
fn unused_free_units_are_worth_what_the_like_of_them_costs() {
    let app = App::new(day("2026-11-21"), DataSource::Sample).unwrap();
    let file = crate::support::root().join("examples/team.usage.toml");
    let file = pipebill::inputs::usage_file::read(&file, &app.catalog).unwrap();
    let region = file.region.clone().unwrap();
    let plan = file.plan("2026-10".parse().unwrap(), region);
    let baseline = app.stated_baseline("team".to_owned(), &plan, PricingTerms::default());
    let found = app
        .find_savings(&baseline.unwrap(), Money::ZERO)
        .unwrap()
        .found;
    // 6,000 s are 100 minutes; the cheapest paid builds are on arm1.small, at 0.0034 each.
    let worth = found.observations.iter().find_map(|it| match it {
        Observation::Unused {
            quantity, worth, ..
        } if *quantity == Quantity::new(dec("6000"), Unit::Second) => Some(worth),
        _ => None,
    });
    let expected = Worth::AtMost {
        minutes: dec("100"),
        compute: "arm1.small".to_owned(),
        cost: Money::new(dec("0.34")),
    };
    assert_eq!(worth, Some(&expected));
}

/// What AWS's APIs say stands beside the bill and is never added to it.
#[test]
fn the_bill_of_the_sample_is_the_same_with_its_builds() {
    let app = App::new(day("2026-11-21"), DataSource::Sample).unwrap();
    let mut ledger = app.ledger().unwrap();
    let month: Month = "2026-10".parse().unwrap();
    let total = |ledger: &pipebill::ledger::Ledger| {
        let rated = app
            .rate_month(ledger, month, &RatingTerms::default())
            .unwrap();
        rated.rated.bill.total()
    };
    let without = total(&ledger);
    app.add_sample_facts(&mut ledger, month).unwrap();
    assert_eq!(total(&ledger), without);
}

proptest! {
    #![proptest_config(cases(64))]

    /// What a split costs is what the whole tariff makes of its pipelines and minutes.
    #[test]
    fn the_charges_of_a_split_are_those_of_the_tariff(pipelines in 0_u32..6, minutes in 0_u32..3000) {
        let charges = Charges {
            pipeline: Decimal::ONE,
            minute: dec("0.002"),
            free_pipelines: Decimal::ONE,
            free_minutes: Decimal::ONE_HUNDRED,
        };
        let (pipelines, minutes) = (Decimal::from(pipelines), Decimal::from(minutes));
        let record = |usage_type: &str, value, unit| {
            let meter = Meter::new("AWSCodePipeline", usage_type);
            usage(&meter, "us-east-1", day("2026-10-01"), value, unit)
        };
        let records = [
            record("activePipeline", pipelines, Unit::Pipeline),
            record("actionExecutionMinute", minutes, Unit::Minute),
        ];
        let options = RatingOptions::new("2026-10".parse().unwrap());
        let bill = rate(&records, &PriceBook::new(catalog()), &options).unwrap().bill;
        prop_assert_eq!(bill.total(), charges.cost(pipelines, minutes));
    }
}

proptest! {
    #![proptest_config(cases(300))]

    /// Every subset of up to twelve findings, the slow way.
    #[test]
    fn no_combination_saves_more_than_the_one_that_is_named(
        savings in prop::collection::vec(1_i64..50, 1..13),
        pairs in prop::collection::vec((0_usize..12, 0_usize..12), 0..30),
    ) {
        let count = savings.len();
        let money: Vec<Money> = savings.iter().map(|value| Money::new(Decimal::from(*value))).collect();
        let mut overlaps = vec![Vec::new(); count];
        for (a, b) in pairs {
            if a != b && a < count && b < count && !overlaps[a].contains(&b) {
                overlaps[a].push(b);
                overlaps[b].push(a);
            }
        }
        let lists: Vec<&[usize]> = overlaps.iter().map(Vec::as_slice).collect();
        let (chosen, proven) = combine::best(&money, &lists);
        let is_allowed = |set: usize| {
            (0..count).all(|at| {
                set & (1 << at) == 0 || overlaps[at].iter().all(|other| set & (1 << other) == 0)
            })
        };
        let sum = |set: usize| (0..count).filter(|at| set & (1 << at) != 0).map(|at| savings[at]).sum::<i64>();
        let most = (0..1_usize << count).filter(|set| is_allowed(*set)).map(sum).max();
        let set: usize = chosen.iter().map(|at| 1 << at).sum();
        prop_assert!(proven && is_allowed(set));
        prop_assert_eq!(Some(sum(set)), most);
    }
}

/// A bill alone is enough for what does not hang on single builds.
#[test]
fn a_bill_without_builds_has_findings_on_totals() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("cur.csv");
    sample::write_cur(&mut std::fs::File::create(&export).unwrap()).unwrap();
    let books = DataSource::File(folder.path().join("ledger.sqlite"));
    let app = App::new(day("2026-11-21"), books).unwrap();
    app.import(&[export], &ImportRequest::default(), &Unwatched)
        .unwrap();
    let ledger = app.ledger().unwrap();
    let month = app.last_whole_month(&ledger).unwrap();
    let baseline = app
        .baseline(&ledger, &[month], 12, &RatingTerms::default())
        .unwrap();
    let found = app
        .find_savings(&baseline, Money::new(Decimal::ONE))
        .unwrap()
        .found;
    assert_eq!((found.months.len(), found.builds), (12, 0));
    let kinds: Vec<FindingKind> = found.findings.iter().map(|finding| finding.kind).collect();
    assert!(
        kinds.contains(&FindingKind::Arm) && kinds.contains(&FindingKind::Downsize),
        "{kinds:?}"
    );
    let by_build = [
        FindingKind::Rounding,
        FindingKind::Retries,
        FindingKind::Fleet,
        FindingKind::Lambda,
        FindingKind::IdlePipelines,
    ];
    assert!(
        !kinds.iter().any(|kind| by_build.contains(kind)),
        "{kinds:?}"
    );
    assert!(found.findings.iter().all(|f| !f.build_by_build));
    let shown = report::optimize::answer(&found, usize::MAX, true);
    let text = format!("{:?}", shown.document.blocks);
    assert!(text.contains("From the totals of 12 months"), "{text}");
    // Dearer as V2, whatever the V1 pipelines' minutes would be: those are not guessed.
    assert!(
        found
            .not_compared
            .iter()
            .any(|it| matches!(it, NotCompared::UnknownMinutes { .. }))
    );
}

#[test]
fn files_carry_exact_amounts_and_no_formulas() {
    let found = &DEMO.found;
    let json: serde_json::Value =
        serde_json::from_str(&report::optimize::answer(found, 4, false).json()).unwrap();
    assert_eq!(json["schema"], "pipebill.optimize/1");
    let first = &json["findings"][0];
    let p50 = first["saving"]["p50"].as_str().unwrap();
    assert_eq!(dec(p50), found.findings[0].saving.p50.amount());
    assert_eq!(
        json["findings"].as_array().unwrap().len(),
        found.findings.len()
    );
    let hostile = r#"=HYPERLINK("http://evil.example","x")"#;
    assert!(
        found
            .findings
            .iter()
            .any(|finding| finding.subject == hostile)
    );
    let answer = report::optimize::answer(found, usize::MAX, true);
    let mut formats = report::answer_formats::ANSWER_FORMATS.iter();
    let csv = formats.find(|format| format.name == "csv").unwrap();
    let terminal = report::answer::Terminal {
        width: 80,
        unicode: false,
        colour: false,
    };
    let csv = report::answer_formats::render(&answer, csv, terminal)
        .unwrap()
        .text;
    assert!(
        csv.contains("'=HYPERLINK") && !csv.contains(",=HYPERLINK"),
        "{csv}"
    );
    assert!(
        report::optimize::slug(hostile)
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-')
    );
    let markdown = report::markdown::render(&answer.document);
    assert!(markdown.starts_with("### Savings"));
}

#[test]
fn scenario_files_are_written_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    // The last of them cannot be: a directory is in its place.
    std::fs::create_dir(folder.path().join("together.toml")).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("pipebill").unwrap();
    command.args(["optimize", "--demo", "--force", "--write"]);
    let refused = command.arg(folder.path()).assert().code(1);
    let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
    assert!(said.contains("together.toml"), "{said}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "{said}");
}
