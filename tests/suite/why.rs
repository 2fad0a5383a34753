//! Why months differ: laws for any two months, the story that was planted in the sample, and arithmetic by hand.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use pipebill::{
    app::{App, DataSource, WhyAgainst, WhyRequest},
    domain::{
        allocation::{Dimension, allocate},
        ids::{AccountId, Region, UsageType},
        metering::{
            events::{AccountRegion, Build, StartedBy},
            from_events::{Metering, MeteringOptions},
        },
        money::Money,
        period::Month,
        price_book::{PriceBook, StatedPrice},
        rating::{RatedMonth, RatingOptions, rate},
        share_out::Policy,
        usage::UsageRecord,
        why::{self, By, Cause, CauseOf, Why, Work, explain},
    },
    ledger::Ledger,
};
use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

use crate::{
    laws::{cases, month_of_charges, options, policy, rated},
    support::{catalog, day, dec},
};

const PROJECTS: [&str; 3] = ["api", "web", "batch"];
const SIZES: [&str; 4] = [
    "LINUX_CONTAINER/BUILD_GENERAL1_SMALL",
    "LINUX_CONTAINER/BUILD_GENERAL1_MEDIUM",
    "LINUX_CONTAINER/BUILD_GENERAL1_LARGE",
    "ARM_LAMBDA_CONTAINER/BUILD_LAMBDA_1GB",
];

/// A month as rated, with what is known one by one.
struct Made {
    month: RatedMonth,
    work: Work,
}

impl Made {
    fn side(&self, sharing: Policy) -> why::Month<'_> {
        why::Month {
            rated: &self.month,
            work: &self.work,
            sharing,
        }
    }

    fn total(&self) -> Money {
        self.month.rated.bill.total()
    }
}

fn place() -> AccountRegion {
    AccountRegion {
        account: AccountId::new("111122223333"),
        region: Region::new("us-east-1"),
    }
}

/// Project, size, seconds, whether it succeeds, day, and whether a pipeline started it.
type Drawn = (usize, usize, i64, bool, u32, bool);

fn builds(month: Month, drawn: &[Drawn]) -> Vec<Build> {
    let build = |(project, size, seconds, succeeds, at, piped): &Drawn| {
        let day = month.first_day() + chrono::Days::new(u64::from(*at));
        let submitted: DateTime<Utc> = day.and_hms_opt(9, 0, 0).unwrap().and_utc();
        Build {
            project: PROJECTS[*project].to_owned(),
            submitted,
            provisioned: None,
            ended: Some(submitted + TimeDelta::milliseconds(*seconds * 997)),
            compute: SIZES[*size].to_owned(),
            fleet: None,
            pipeline: piped.then(|| "release".to_owned()),
            docker_server: false,
            status: Some((if *succeeds { "SUCCEEDED" } else { "FAILED" }).to_owned()),
            started_by: Some(StartedBy::Webhook),
            auto_retry: false,
        }
    };
    drawn.iter().map(build).collect()
}

fn of_builds(month: &str, drawn: &[Drawn], price: Option<&str>) -> Made {
    let month: Month = month.parse().unwrap();
    let mut metering = Metering::new(catalog(), month, MeteringOptions::default());
    let mut work = Work::default();
    for build in builds(month, drawn) {
        metering.build(&place(), &build);
        work.build(catalog(), &place(), &build);
    }
    let records = metering.finish().records;
    let mut book = PriceBook::new(catalog());
    book.stated = price
        .map(|price| StatedPrice {
            service: None,
            region: None,
            usage_type: UsageType::new("Build-Min:Linux:g1.small"),
            unit_price: dec(price),
            origin: std::sync::Arc::from("a test"),
        })
        .into_iter()
        .collect();
    let rated = rate(&records, &book, &RatingOptions::new(month)).unwrap();
    Made {
        month: RatedMonth { rated, records },
        work,
    }
}

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let one = (
        0..PROJECTS.len(),
        0..SIZES.len(),
        1_i64..4_000,
        prop::bool::weighted(0.8),
        0_u32..28,
        any::<bool>(),
    );
    vec(one, 0..60)
}

fn sum(why: &Why) -> Money {
    why.causes.iter().map(|row| row.amount).sum()
}

/// Causes with what they are about; new and gone are one another's mirror.
fn by_cause(why: &Why, mirrored: bool) -> BTreeMap<(Cause, why::About), Money> {
    let mirror = |cause: &Cause| match (cause, mirrored) {
        (Cause::New, true) => Cause::Gone,
        (Cause::Gone, true) => Cause::New,
        (other, _) => other.clone(),
    };
    let row = |row: &CauseOf| {
        let amount = if mirrored { -row.amount } else { row.amount };
        ((mirror(&row.cause), row.about.clone()), amount)
    };
    why.causes.iter().map(row).collect()
}

fn all_laws(before: &Made, after: &Made, sharing: Policy) -> Result<(), TestCaseError> {
    let (a, b) = (before.side(sharing), after.side(sharing));
    let ways = [
        By::Each,
        By::Pipeline,
        By::Dimension(Dimension::Resource),
        By::Dimension(Dimension::Account),
        By::Dimension(Dimension::Tag("team".to_owned())),
    ];
    for by in ways {
        let there = explain(catalog(), &a, &b, &by);
        prop_assert_eq!(there.difference, after.total() - before.total());
        prop_assert_eq!(sum(&there), there.difference, "{:?}", by);
        let back = explain(catalog(), &b, &a, &by);
        prop_assert_eq!(by_cause(&there, false), by_cause(&back, true), "{:?}", by);
        let same = explain(catalog(), &a, &a, &by);
        prop_assert!(same.causes.is_empty(), "{:?}", same.causes);
        // The causes of each part sum to what the part costs more, as the bill is shared. Shares are
        // rounded to the tenth decimal, and a project's are finer than a tag's.
        if let By::Dimension(dimension) = &by {
            let parts = |made: &Made| -> BTreeMap<Option<String>, Money> {
                let shared = allocate(&made.month.rated, &made.month.records, dimension, sharing);
                let part = |share: pipebill::domain::allocation::Share| {
                    ((!share.residual).then_some(share.part), share.cost)
                };
                shared.shares.into_iter().map(part).collect()
            };
            let (old, new) = (parts(before), parts(after));
            let mut causes: BTreeMap<Option<String>, Money> = BTreeMap::new();
            for row in &there.causes {
                *causes.entry(row.about.part.clone()).or_default() += row.amount;
            }
            for part in old.keys().chain(new.keys()).chain(causes.keys()) {
                let of = |parts: &BTreeMap<Option<String>, Money>| {
                    parts.get(part).copied().unwrap_or_default()
                };
                let off = of(&causes) - (of(&new) - of(&old));
                prop_assert!(
                    off.amount().abs() < dec("0.00000001"),
                    "{:?}: {}",
                    part,
                    off
                );
            }
        }
    }
    Ok(())
}

/// The records of November as those of October.
fn a_month_earlier(records: Vec<UsageRecord>) -> Vec<UsageRecord> {
    let month = "2026-10".parse().unwrap();
    let earlier = |record: UsageRecord| UsageRecord {
        month,
        day: record.day - chrono::Days::new(30),
        last_day: record.last_day - chrono::Days::new(30),
        ..record
    };
    records.into_iter().map(earlier).collect()
}

proptest! {
    #![proptest_config(cases(120))]

    #[test]
    fn causes_of_any_two_bills_sum_to_their_difference(
        before in month_of_charges(),
        after in month_of_charges(),
        sharing in policy(),
    ) {
        let before = a_month_earlier(before);
        let october = RatingOptions { sharing, ..RatingOptions::new("2026-10".parse().unwrap()) };
        let november = RatingOptions { sharing, ..options() };
        let made = |records: Vec<UsageRecord>, options: &RatingOptions| Made {
            month: RatedMonth { rated: rated(&records, options), records },
            work: Work::default(),
        };
        all_laws(&made(before, &october), &made(after, &november), sharing)?;
    }

    #[test]
    fn causes_of_any_builds_sum_to_their_difference(
        before in drawn(),
        after in drawn(),
        price in prop::option::of(prop::sample::select(vec!["0.003", "0.0047", "0.01"])),
    ) {
        let (before, after) = (of_builds("2026-09", &before, None), of_builds("2026-10", &after, price));
        all_laws(&before, &after, Policy::Proportional)?;
        // Nothing is billed beside builds that were metered from themselves.
        let why = explain(
            catalog(),
            &before.side(Policy::Proportional),
            &after.side(Policy::Proportional),
            &By::Each,
        );
        prop_assert!(why.causes.iter().all(|row| row.cause != Cause::NotInBuilds));
        prop_assert!(why.by_quantity.is_empty(), "{:?}", why.by_quantity);
    }
}

fn only(why: &Why) -> &CauseOf {
    assert_eq!(why.causes.len(), 1, "{:#?}", why.causes);
    &why.causes[0]
}

fn compare(before: &Made, after: &Made) -> Why {
    let sharing = Policy::Proportional;
    explain(
        catalog(),
        &before.side(sharing),
        &after.side(sharing),
        &By::Each,
    )
}

/// Ten builds of a project, all of one size, length and outcome.
fn ten(size: usize, seconds: i64) -> Vec<Drawn> {
    (0..10)
        .map(|at| (0, size, seconds, true, at, false))
        .collect()
}

/// Each change alone is one cause, with the amount that arithmetic gives. Medium is $0.01 a minute, large
/// $0.02; builds are of whole minutes less a little.
#[test]
fn one_change_is_one_cause() {
    let before = of_builds("2026-09", &ten(1, 600), None); // 10 builds of 10 min, $1.00
    let usd = |text: &str| Money::new(dec(text));
    for (after, cause, amount) in [
        (ten(2, 600), Cause::SizeMix, "1.00"),
        ([ten(1, 600), ten(1, 600)].concat(), Cause::Count, "1.00"),
        (Vec::new(), Cause::Gone, "-1.00"),
    ] {
        let why = compare(&before, &of_builds("2026-10", &after, None));
        let row = only(&why);
        assert_eq!((&row.cause, row.amount), (&cause, usd(amount)));
        assert_eq!(row.about.project.as_deref(), Some("api"));
    }
    // Twice as long: what is rounded up of each is another amount, and a cause of its own.
    let why = compare(&before, &of_builds("2026-10", &ten(1, 1200), None));
    let of = |cause: Cause| {
        let row = why.causes.iter().find(|row| row.cause == cause);
        row.map_or(Money::ZERO, |row| row.amount)
    };
    assert_eq!(of(Cause::Duration) + of(Cause::Rounding), usd("1.00"));
    assert_eq!(of(Cause::Duration), usd("0.997")); // 10 × 598.2 s more at $0.01 a minute
    // As many that succeed, and five beside them that fail.
    let failing: Vec<Drawn> = (0..5).map(|at| (0, 1, 600, false, at, false)).collect();
    let why = compare(
        &before,
        &of_builds("2026-10", &[ten(1, 600), failing].concat(), None),
    );
    let row = only(&why);
    assert_eq!((&row.cause, row.amount), (&Cause::Failures, usd("0.50")));
    assert_eq!(row.evidence.failed, Some([0, 5]));
}

/// 200 minutes of general1.small, of which 100 are free: at $0.005, then at $0.0075.
#[test]
fn a_price_is_a_cause_and_what_it_makes_free_units_worth_another() {
    let twenty: Vec<Drawn> = [ten(0, 600), ten(0, 600)].concat();
    let before = of_builds("2026-09", &twenty, None);
    let after = of_builds("2026-10", &twenty, Some("0.0075"));
    let why = compare(&before, &after);
    let amounts: Vec<(&Cause, Decimal)> = why
        .causes
        .iter()
        .map(|row| (&row.cause, row.amount.amount()))
        .collect();
    assert_eq!(
        amounts,
        [
            (&Cause::Price, dec("0.5")),
            (&Cause::FreeUnits, dec("-0.25"))
        ]
    );
    assert_eq!(why.difference, Money::new(dec("0.25")));
}

/// What lies within the free units in both months is no cause, however much it changes.
#[test]
fn what_stays_free_is_no_cause() {
    let before = of_builds("2026-09", &ten(0, 60), None);
    let after = of_builds("2026-10", &ten(0, 480), None);
    assert_eq!(after.total(), Money::ZERO);
    assert!(compare(&before, &after).causes.is_empty());
}

fn sample() -> App {
    App::new(day("2026-11-21"), DataSource::Sample).unwrap()
}

/// October of the sample organization lost a cache for five days, doubled a project, and found its free
/// users taken. What each of these cost is worked out from the builds alone.
#[test]
fn the_story_of_the_sample_is_told() {
    let app = sample();
    let change = app.why(&WhyRequest::default()).unwrap();
    let october: Month = "2026-10".parse().unwrap();
    assert_eq!(
        (&change.from[..], change.to),
        (&[october.previous()][..], october)
    );
    assert_eq!(sum(&change.why), change.why.difference);
    let mut ledger: Ledger = app.ledger().unwrap();
    app.add_sample_facts(&mut ledger, october).unwrap();
    let (mut doubled, mut slow) = (Decimal::ZERO, Decimal::ZERO);
    let minutes = |seconds: Decimal| (seconds / dec("60")).ceil();
    ledger
        .each_build(october, |_, _, build| {
            let ended = build.ended.unwrap();
            let seconds = Decimal::from((ended - build.provisioned.unwrap()).num_seconds());
            let day_of = build.submitted.date_naive();
            match build.project.as_str() {
                // A minute of general1.large costs a cent more than one of general1.medium.
                "storefront-build" => doubled += minutes(seconds) * dec("0.01"),
                "ledger-core-build" if (day("2026-10-12")..day("2026-10-17")).contains(&day_of) => {
                    slow += (minutes(seconds) - minutes(seconds / dec("3.5"))) * dec("0.01");
                }
                _ => {}
            }
        })
        .unwrap();
    let planted = [
        (Cause::SizeMix, Some("storefront-build"), doubled),
        (Cause::Duration, Some("ledger-core-build"), slow),
        (Cause::FreeUnits, None, dec("5")),
    ];
    for (row, (cause, project, amount)) in change.why.causes.iter().zip(&planted) {
        assert_eq!(
            (&row.cause, row.about.project.as_deref()),
            (cause, *project)
        );
        let off = (row.amount.amount() - amount).abs() / amount;
        assert!(
            off < dec("0.02"),
            "{cause:?}: {} planted {amount}",
            row.amount
        );
    }
    let days = change.why.causes[1].evidence.days;
    assert_eq!(days, Some((day("2026-10-12"), day("2026-10-16"))));
    // The days that stand out are among those five, and the project is named first.
    let spikes = change.spikes.unwrap();
    assert!(spikes.len() >= 3, "{spikes:?}");
    for spike in &spikes {
        assert!(
            (day("2026-10-12")..day("2026-10-17")).contains(&spike.of.day),
            "{spike:?}"
        );
        assert_eq!(spike.projects[0].0, "ledger-core-build");
    }
}

#[test]
fn a_mean_is_explained_to_the_last_digit() {
    for by in [By::Each, By::Dimension(Dimension::Account)] {
        let request = WhyRequest {
            against: WhyAgainst::Mean,
            by,
            ..WhyRequest::default()
        };
        let change = sample().why(&request).unwrap();
        assert_eq!(change.from.len(), 12);
        assert_eq!(sum(&change.why), change.why.difference);
        assert_eq!(change.costs[1] - change.costs[0], change.why.difference);
    }
}
