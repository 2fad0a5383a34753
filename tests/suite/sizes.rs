//! Sizes that rest on measurements: what is proposed fits, whatever was measured.

use std::collections::BTreeMap;

use pipebill::{
    app::{App, Baseline, DataSource, RatingTerms},
    domain::{
        catalog::Compute,
        collection::{Scope, Source},
        metering::events::AccountRegion,
        money::Money,
        optimize::{Assumption, Evidence, FindingKind, Optimization, Sizing},
        period::Month,
        scenario::{Change, Target, Term},
        utilization::{Measured, Utilization},
    },
    ledger::{Asked, Ledger},
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::support::{day, dec};

/// A project of the sample and where it is built.
type Project = (AccountRegion, String);

/// What is measured of a project on a day of October: memory at most and CPU, average and maximum.
type Day = (u32, i64, (i64, i64));

fn app() -> App {
    App::new(day("2026-11-21"), DataSource::Sample).unwrap()
}

/// The sample with its builds of October, and its projects.
fn october(app: &App) -> (Ledger, Vec<Project>) {
    let mut ledger = app.ledger().unwrap();
    let month: Month = "2026-10".parse().unwrap();
    app.add_sample_facts(&mut ledger, month).unwrap();
    let mut projects = Vec::new();
    ledger
        .each_build(month, |place, _, build| {
            let project = (place.clone(), build.project.clone());
            if !projects.contains(&project) {
                projects.push(project);
            }
        })
        .unwrap();
    projects.sort();
    (ledger, projects)
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
        memory_percent: None,
    }
}

fn keep(ledger: &mut Ledger, (place, project): &Project, days: &[Day]) {
    let scope = Scope {
        place: place.clone(),
        source: Source::Metrics,
    };
    let of: Vec<Utilization> = days.iter().map(|day| measured(project, *day)).collect();
    let asked = Asked { from: 0, until: 1 };
    ledger
        .keep_utilization(&scope, std::slice::from_ref(project), &of, asked)
        .unwrap();
}

fn found(app: &App, ledger: &Ledger) -> Optimization {
    let month: Month = "2026-10".parse().unwrap();
    let terms = RatingTerms::default();
    let baseline: Baseline = app.baseline(ledger, &[month], 1, &terms).unwrap();
    app.find_savings(&baseline, Money::ZERO).unwrap().found
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
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// However much memory is in use, and wherever it was measured: no machine that is proposed has less
    /// than the peak and a fifth of it, and each that is refused has less.
    #[test]
    fn no_proposed_machine_has_less_memory_than_the_peak_and_the_margin(
        days in prop::collection::vec(days(), 60),
    ) {
        let app = app();
        let (mut ledger, projects) = october(&app);
        prop_assume!(projects.len() <= days.len());
        let mut peaks: BTreeMap<&str, i64> = BTreeMap::new();
        for (project, days) in projects.iter().zip(&days) {
            keep(&mut ledger, project, days);
            // The last write of a day counts.
            let by_day: BTreeMap<u32, i64> = days.iter().map(|(day, memory, _)| (*day, *memory)).collect();
            if let Some(peak) = by_day.values().max() {
                peaks.insert(&project.1, *peak);
            }
        }
        let found = found(&app, &ledger);
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
fn large(app: &App, ledger: &Ledger, projects: &[Project]) -> Project {
    let found = found(app, ledger);
    let finding = found.findings.iter().find(|finding| {
        let to_medium = |(_, to): &(&str, &Compute)| to.name == "general1.medium";
        finding.kind == FindingKind::Downsize
            && machines(&finding.scenario.changes).iter().any(to_medium)
    });
    let name = &finding.unwrap().subject;
    projects.iter().find(|(_, of)| of == name).unwrap().clone()
}

#[test]
fn a_smaller_machine_is_proposed_by_what_was_measured_and_refused_with_both_numbers() {
    let app = app();
    let (mut ledger, projects) = october(&app);
    let project = large(&app, &ledger, &projects);
    let before = found(&app, &ledger);
    let of_project = |found: &Optimization| {
        let mut findings = found.findings.clone();
        findings.retain(|it| it.kind == FindingKind::Downsize && it.subject == project.1);
        findings.pop()
    };
    let guess = of_project(&before).unwrap();
    assert!(guess.assumptions.contains(&Assumption::NotMeasured));
    assert!(
        guess
            .assumptions
            .contains(&Assumption::SpeedHalfway { speed: dec("0.75") })
    );
    // 5 GB and a fifth are 6 GB of the 7 GB of general1.medium. Two of eight CPUs on average, all of them
    // at times: between 1 / (1 + 2 / 4 - 2 / 8) = 0.8 and 1.
    keep(
        &mut ledger,
        &project,
        &[(4, 5000, (25, 75)), (5, 1000, (25, 0))],
    );
    let fits = of_project(&found(&app, &ledger)).unwrap();
    assert_eq!(fits.sizing, Some(Sizing::Measured));
    let speed = fits.assumptions.iter().find_map(|it| match it {
        Assumption::SpeedMeasured(speed) => Some(speed.clone()),
        _ => None,
    });
    let speed = speed.unwrap();
    assert_eq!(
        [speed.slow, speed.speed, speed.fast],
        [dec("0.8"), dec("0.9"), dec("1")]
    );
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
    keep(&mut ledger, &project, &[(6, 5900, (10, 0))]);
    let found = found(&app, &ledger);
    assert_eq!(of_project(&found), None);
    let refused = found.refused.iter().find(|it| {
        let text = format!("{:?}", it.proposed);
        text.contains(&project.1) && text.contains("\"general1.medium\"")
    });
    let refused = refused.unwrap();
    assert_eq!(refused.memory.needed, dec("7.08"));
    assert_eq!(refused.memory.machine, dec("7"));
}
