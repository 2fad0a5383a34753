//! Sizes that rest on measurements: what is proposed fits, whatever was measured.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use pipebill::{
    app::{App, Baseline, DataSource, RatingTerms},
    domain::{
        catalog::Compute,
        metering::events::AccountRegion,
        money::Money,
        optimize::{Assumption, Evidence, FindingKind, Optimization, Sizing},
        period::Month,
        scenario::{Change, Target, Term, workload::BuildEvent},
        utilization::{Measured, Seen, Utilization},
    },
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::support::{day, dec};

/// A project of the sample and where it is built.
type Project = (AccountRegion, String);

/// What is measured of a project on a day of October: memory at most and CPU, average and maximum.
type Day = (u32, i64, (i64, i64));

/// The sample in October with its builds, of which nothing was measured, and its projects.
struct October {
    app: App,
    baseline: Baseline,
    projects: Vec<Project>,
}

static OCTOBER: LazyLock<October> = LazyLock::new(|| {
    let app = App::new(day("2026-11-21"), DataSource::Sample).unwrap();
    let mut ledger = app.ledger().unwrap();
    let month: Month = "2026-10".parse().unwrap();
    app.add_sample_facts(&mut ledger, month).unwrap();
    let terms = RatingTerms::default();
    let mut baseline = app.baseline(&ledger, &[month], 1, &terms).unwrap();
    let facts = Arc::make_mut(&mut baseline.history[0].facts);
    facts.utilization.clear();
    let project = |seen: &BuildEvent| (seen.place.clone(), seen.build.project.clone());
    let projects: BTreeSet<Project> = facts.builds.iter().map(project).collect();
    October {
        app,
        baseline,
        projects: projects.into_iter().collect(),
    }
});

/// Looks for savings where this was measured.
fn found(days: &[(&Project, &[Day])]) -> Optimization {
    OCTOBER
        .app
        .find_savings(&measured_baseline(days), Money::ZERO)
        .unwrap()
        .found
}

fn measured_baseline(days: &[(&Project, &[Day])]) -> Baseline {
    let mut baseline = OCTOBER.baseline.clone();
    let facts = Arc::make_mut(&mut baseline.history[0].facts);
    for ((place, project), days) in days {
        let seen = days.iter().map(|day| Seen {
            place: place.clone(),
            of: measured(project, *day),
        });
        facts.utilization.extend(seen);
    }
    baseline
}

fn measured(project: &str, (of_month, memory, (cpu, above)): Day) -> Utilization {
    let both = |average: i64, maximum: i64| {
        Some(Measured {
            average: Decimal::from(average),
            maximum: Decimal::from(maximum),
        })
    };
    Utilization {
        project: project.to_owned(),
        day: day("2026-10-01") + chrono::Days::new(of_month.into()),
        points: 10,
        cpu: both(cpu, (cpu + above).min(100)),
        memory: both(memory / 2, memory),
        memory_percent: (memory <= 15_000).then(|| Decimal::from(memory) / dec("150")),
    }
}

/// Returns the project and the machine of each change to another one.
fn machines(changes: &[Change]) -> Vec<(&str, &Compute)> {
    let machine = |change| match change {
        &Change::Compute {
            ref only,
            to: Target::OnDemand(ref to),
            ..
        } => only.terms.iter().find_map(|term| match term {
            Term::Project(name) => Some((name.0.as_str(), to)),
            _ => None,
        }),
        _ => None,
    };
    changes.iter().filter_map(machine).collect()
}

fn days() -> impl Strategy<Value = Vec<Day>> {
    let cpu = (0_i64..=100, 0_i64..=100);
    let day = (0_u32..31, 0_i64..20_000, cpu);
    prop::collection::vec(day, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However much memory is in use, and wherever it was measured: no machine that is proposed has less
    /// than the peak and a fifth of it, and each that is refused has less.
    #[test]
    fn no_proposed_machine_has_less_memory_than_the_peak_and_the_margin(
        days in prop::collection::vec(days(), 60),
    ) {
        let projects = &OCTOBER.projects;
        prop_assert!(projects.len() <= days.len());
        let measured: Vec<(&Project, &[Day])> =
            projects.iter().zip(days.iter().map(Vec::as_slice)).collect();
        let mut peaks: BTreeMap<&str, i64> = BTreeMap::new();
        for (project, days) in &measured {
            if let Some(peak) = days.iter().map(|(_, memory, _)| *memory).max() {
                peaks.insert(&project.1, peak);
            }
        }
        let found = found(&measured);
        let needed = |project: &str| {
            peaks.get(project).map(|peak| Decimal::from(*peak) * dec("1.2") / dec("1000"))
        };
        let together = found.best_combination.as_ref().map(|best| &best.scenario);
        let scenarios = found.findings.iter().map(|finding| &finding.scenario);
        for scenario in scenarios.chain(together) {
            for (project, machine) in machines(&scenario.changes) {
                if let Some(needed) = needed(project) {
                    prop_assert!(machine.memory.unwrap() >= needed, "{project} on {}: {needed}", machine.name);
                }
            }
        }
        for refused in &found.refused {
            prop_assert!(refused.memory.machine < refused.memory.needed);
            let expected = refused.memory.peak * dec("1.2") / dec("1000");
            prop_assert_eq!(refused.memory.needed, expected);
        }
        // A machine that is smaller is called measured where it was, and nowhere else.
        for finding in found.findings.iter().filter(|it| it.kind == FindingKind::Downsize) {
            let is_measured = peaks.contains_key(&*finding.subject);
            let expected = if is_measured { Sizing::Measured } else { Sizing::Assumed };
            prop_assert_eq!(finding.sizing, Some(expected), "{}", finding.subject);
        }
        // What rests on an assumption is below what was measured.
        let is = |sizing| move |finding: &pipebill::domain::optimize::Finding| finding.sizing == Some(sizing);
        let first = found.findings.iter().position(is(Sizing::Assumed));
        let last = found.findings.iter().rposition(is(Sizing::Measured));
        if let (Some(first), Some(last)) = (first, last) {
            prop_assert!(last < first);
        }
    }
}

/// The project on a large machine that saves most on a smaller one.
fn large() -> &'static Project {
    let found = found(&[]);
    let finding = found.findings.iter().find(|finding| {
        let to_medium = |(_, to): &(&str, &Compute)| to.name == "general1.medium";
        finding.kind == FindingKind::Downsize
            && machines(&finding.scenario.changes).iter().any(to_medium)
    });
    let name = &finding.unwrap().subject;
    OCTOBER.projects.iter().find(|(_, of)| of == name).unwrap()
}

#[test]
fn a_smaller_machine_is_proposed_by_what_was_measured_and_refused_with_both_numbers() {
    let project = large();
    let of_project = |found: &Optimization| {
        let mut findings = found.findings.clone();
        findings.retain(|it| it.kind == FindingKind::Downsize && it.subject == project.1);
        findings.pop()
    };
    let guess = of_project(&found(&[])).unwrap();
    assert!(guess.assumptions.contains(&Assumption::NotMeasured));
    let halfway = Assumption::SpeedHalfway { speed: dec("0.75") };
    assert!(guess.assumptions.contains(&halfway));
    // 5 GB and a fifth are 6 GB of the 7 GB of general1.medium. Two of eight CPUs on average, all of them
    // at times: between 1 / (1 + 2 / 4 - 2 / 8) = 0.8 and 1.
    let days: [Day; 2] = [(4, 5000, (25, 75)), (5, 1000, (25, 0))];
    let fits = of_project(&found(&[(project, &days)])).unwrap();
    assert_eq!(fits.sizing, Some(Sizing::Measured));
    let speed = fits.assumptions.iter().find_map(|it| match it {
        Assumption::SpeedMeasured(speed) => Some([speed.slow, speed.speed, speed.fast]),
        _ => None,
    });
    assert_eq!(speed, Some([dec("0.8"), dec("0.9"), dec("1")]));
    let memory = fits.evidence.iter().find_map(|it| match it {
        Evidence::Memory(memory) => Some(memory.clone()),
        _ => None,
    });
    let memory = memory.unwrap();
    assert_eq!(
        (memory.peak, memory.day, memory.days),
        (dec("5000"), day("2026-10-05"), 2)
    );
    assert_eq!((memory.needed, memory.machine), (dec("6"), dec("7")));
    // 5.9 GB and a fifth are 7.08 GB.
    let days: [Day; 3] = [days[0], days[1], (6, 5900, (10, 0))];
    let found = found(&[(project, &days)]);
    assert_eq!(of_project(&found), None);
    let refused = found.refused.iter().find(|it| {
        let text = format!("{:?}", it.proposed);
        text.contains(&project.1) && text.contains("\"general1.medium\"")
    });
    let refused = refused.unwrap();
    assert_eq!(refused.memory.needed, dec("7.08"));
    assert_eq!(refused.memory.machine, dec("7"));
}

#[test]
fn a_machine_that_is_nearly_full_gets_a_larger_one_that_no_sum_counts() {
    let project = large();
    // 10 % of 15 GB are no concern.
    let before = found(&[(project, &[(4, 1500, (25, 75))])]);
    assert_eq!(before.larger, []);
    // 14.1 of 15 GB are 94 %; with a fifth more, 16.92 GB: general1.xlarge has them.
    let days: [Day; 2] = [(6, 14_100, (25, 75)), (7, 3000, (25, 75))];
    let after = found(&[(project, &days)]);
    let [larger] = &after.larger[..] else {
        panic!("{:?}", after.larger);
    };
    assert_eq!(larger.kind, FindingKind::Upsize);
    assert_eq!(
        machines(&larger.scenario.changes)[0].1.name,
        "general1.xlarge"
    );
    assert!(larger.saving.p50 < Money::ZERO);
    assert!(larger.evidence.iter().any(|it| matches!(
        it,
        Evidence::NearlyFull { share, day: on, days: 1, of: 2 }
            if *share == dec("94") && *on == day("2026-10-07")
    )));
    // Failed builds of that day and no other, counted in the facts themselves.
    let baseline = measured_baseline(&[(project, &days)]);
    let of_day = baseline.history[0].facts.builds.iter().filter(|seen| {
        let day_of = seen.build.submitted.date_naive();
        seen.build.project == project.1 && day_of == day("2026-10-07")
    });
    let of_day: Vec<&BuildEvent> = of_day.collect();
    let is_failed = |seen: &&&BuildEvent| seen.build.status.as_deref() == Some("FAILED");
    let failures = of_day.iter().filter(is_failed).count() as u64;
    let counted = larger.evidence.iter().find_map(|it| match it {
        Evidence::FailedWhenFull { builds, failed, .. } => Some((*builds, *failed)),
        _ => None,
    });
    assert_eq!(counted, Some((of_day.len() as u64, failures)));
    // It is among no savings, and moving there costs what the scenario costs.
    assert!(
        after
            .findings
            .iter()
            .all(|it| it.kind != FindingKind::Upsize)
    );
    let baseline = baseline.with_storage();
    let rater = &baseline.past(&OCTOBER.app)[0];
    let cost = rater.total_of(&larger.scenario).unwrap() - rater.total(&[]).unwrap();
    assert_eq!(larger.by_month, [-cost]);
}
