//! Why a month costs more than another, in words.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::{Note, count, number, of_gap, price};
use crate::{
    domain::{
        catalog::Catalog,
        ids::{Currency, Meter, ServiceCode},
        metering::events::StartedBy,
        money::Money,
        period::Month,
        services::{CODEBUILD, CODEPIPELINE},
        usage::ChargeKind,
        why::{Cause, CauseOf, Evidence, MonthChange, Spike},
    },
    report::{counted, show_money, show_quantity, signed_money},
};

/// Names a cause.
pub(crate) fn cause(row: &CauseOf) -> String {
    let is_more = row.amount > Money::ZERO;
    let more = |more: &str, less: &str| (if is_more { more } else { less }).to_owned();
    match &row.cause {
        Cause::New => "new".to_owned(),
        Cause::Gone => "gone".to_owned(),
        Cause::Count => more("more work", "less work"),
        Cause::Failures => more("more failures", "fewer failures"),
        Cause::SizeMix => more("larger sizes", "smaller sizes"),
        Cause::Duration => more("longer", "shorter"),
        Cause::Rounding => more("rounded up more", "rounded up less"),
        Cause::Price => more("higher price", "lower price"),
        Cause::Quantity => more("more usage", "less usage"),
        Cause::Cost => more("higher cost", "lower cost"),
        Cause::People => more("more users", "fewer users"),
        Cause::Pipelines => more("more active pipelines", "fewer active pipelines"),
        Cause::FreeUnits => more("fewer free units", "more free units"),
        Cause::Discounts => more("smaller discounts", "larger discounts"),
        Cause::Charge(ChargeKind::Refund) => more("no such refund", "refund"),
        Cause::Charge(ChargeKind::Credit) => more("fewer credits", "credits"),
        Cause::Charge(kind) => kind.to_string(),
        Cause::NotInBuilds => "beside known builds".to_owned(),
    }
}

/// Names what a cause is about.
pub(crate) fn subject(row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> String {
    let about = &row.about;
    if let Some(part) = &about.part {
        return part.clone();
    }
    if let Some(name) = about.project.as_ref().or(about.allowance.as_ref()) {
        return name.to_string();
    }
    if let Some(residual) = change.by.residual() {
        return residual;
    }
    let service = about
        .service
        .as_ref()
        .map(|code| catalog.service_name(code));
    let account = about
        .account
        .as_ref()
        .map(|account| format!("account {account}"));
    match (service, account) {
        (Some(service), Some(account)) => format!("{service}, {account}"),
        (Some(service), None) => service.to_owned(),
        (None, account) => account.unwrap_or_default(),
    }
}

/// Names a cause with what it is about.
pub(crate) fn title(row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> String {
    let (subject, cause) = (subject(row, change, catalog), cause(row));
    if subject.is_empty() {
        cause
    } else {
        format!("{subject}: {cause}")
    }
}

/// Says what a cause rests on, in a few words.
pub(crate) fn in_short(row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> String {
    let evidence = &row.evidence;
    let things = things(row);
    let counts = |now: u64, before: u64, what: &str| {
        format!("{} {what}, before {}", count(now), count(before))
    };
    let text = match &row.cause {
        Cause::Count => match succeeded(evidence) {
            Some([before, now]) => Some(counts(now, before, &format!("{things} succeeded"))),
            None => evidence
                .count
                .map(|[before, now]| counts(now, before, things)),
        },
        Cause::Failures => evidence
            .failed
            .map(|[before, now]| counts(now, before, "failed")),
        Cause::Duration => evidence
            .mean_seconds()
            .map(|[before, now]| format!("{} each, before {}", length(now), length(before))),
        Cause::SizeMix => sizes(evidence, catalog),
        Cause::Price => evidence.price.map(|[before, now]| {
            let currency = &change.currency;
            let unit = evidence.quantity.map_or("unit", |[_, now]| now.unit.name());
            format!(
                "{} a {unit}, before {}",
                price(now, currency),
                price(before, currency)
            )
        }),
        Cause::New | Cause::Gone => evidence.count.map(|counts| {
            let there = counts[usize::from(row.cause == Cause::New)];
            format!("{} {things}", count(there))
        }),
        _ => None,
    };
    let text = text.or_else(|| {
        let [before, now] = evidence.quantity?;
        let free = if row.cause == Cause::FreeUnits {
            " free"
        } else {
            ""
        };
        let before = number(before.value);
        Some(format!("{}{free}, before {before}", show_quantity(now)))
    });
    [text, days(row, change.to)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Says everything a cause rests on.
pub(crate) fn evidence(row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> Vec<Note> {
    let evidence = &row.evidence;
    let mut notes = vec![Note::new("evidence", in_short(row, change, catalog))];
    let is_said = |cause: Cause| row.cause == cause;
    if let Some([before, now]) = evidence.count.filter(|_| !is_said(Cause::Count)) {
        let things = things(row);
        notes.push(
            Note::new(
                "count",
                format!("{} {things}, before {}", count(now), count(before)),
            )
            .with("before", before)
            .with("after", now),
        );
    }
    if let Some([before, now]) = evidence
        .mean_seconds()
        .filter(|_| !is_said(Cause::Duration))
    {
        let text = format!("{} each, before {}", length(now), length(before));
        notes.push(Note::new("duration", text));
    }
    if let Some([before, now]) = evidence.failed.filter(|_| !is_said(Cause::Failures)) {
        let text = format!("{} failed, before {}", count(now), count(before));
        notes.push(
            Note::new("failed", text)
                .with("before", before)
                .with("after", now),
        );
    }
    let ways: Vec<String> = evidence
        .started_by
        .iter()
        .filter(|(_, [_, now])| *now > 0)
        .map(|(way, [_, now])| format!("{} by {}", count(*now), started_by(*way)))
        .collect();
    if !ways.is_empty() {
        notes.push(Note::new(
            "started_by",
            format!("started: {}", ways.join(", ")),
        ));
    }
    notes.retain(|note| !note.text.is_empty());
    notes
}

/// The command that looks closer.
pub(crate) fn look(row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> String {
    let month = change.to;
    let by = match change.by.key().as_deref() {
        None | Some("pipeline") => "project".to_owned(),
        Some(key) => key.to_owned(),
    };
    let is_quoted = |c: char| !(c.is_ascii_alphanumeric() || "-_.:/=[],".contains(c));
    let shell = |text: String| {
        if text.contains(is_quoted) || text.contains('[') {
            format!("'{}'", text.replace('\'', "'\\''"))
        } else {
            text
        }
    };
    match (&row.cause, &row.about.project) {
        (Cause::SizeMix, Some(project)) => {
            let before = main_size(&row.evidence, catalog, 0);
            let now = main_size(&row.evidence, catalog, 1);
            if let (Some(before), Some(now)) = (before, now)
                && before != now
            {
                let set = shell(format!("compute[{now},project:{project}]={before}"));
                return format!("pipebill whatif --month {month} --set {set}");
            }
            format!("pipebill bill --month {month} --by meter")
        }
        (Cause::FreeUnits | Cause::Price | Cause::Discounts, _) => {
            format!("pipebill bill --month {month} --explain")
        }
        (Cause::Failures, _) => format!("pipebill optimize --month {month}"),
        (Cause::Cost, _) => format!("pipebill bill --month {month}"),
        (Cause::New | Cause::Gone, _) => format!("pipebill bill --month {month} --by {by}"),
        (Cause::Charge(_) | Cause::NotInBuilds, _) => {
            format!("pipebill bill --month {month} --reconcile")
        }
        (Cause::Count | Cause::Duration | Cause::Rounding, _) => {
            format!("pipebill usage --month {month} --metered --by {by} --by day")
        }
        _ => format!("pipebill usage --month {month} --by {by} --by day"),
    }
}

/// Says what a spike cost and who made it.
pub(crate) fn spike(spike: &Spike, currency: &Currency) -> String {
    let projects: Vec<String> = spike
        .projects
        .iter()
        .map(|(project, more)| format!("{project} {}", signed_money(*more, currency)))
        .collect();
    projects.join(", ")
}

/// What a reader should know.
pub(crate) fn notes(change: &MonthChange, catalog: &Catalog) -> Vec<Note> {
    let mut notes = Vec::new();
    for (month, gap) in &change.gaps {
        notes.push(of_gap(&format!("Missing of {month}"), gap));
    }
    if let Some(open) = change.open {
        let known = open.until.map_or_else(
            || "nothing of it is known".to_owned(),
            |day| format!("known to {day}"),
        );
        notes.push(Note::new(
            "not_over",
            format!(
                "{} is not over ({known}): less of everything is no saving.",
                change.to
            ),
        ));
    }
    for (service, subjects) in &change.why.by_quantity {
        let (things, what) = match *service {
            CODEBUILD => ("builds", "project"),
            _ => ("actions", "pipeline"),
        };
        let service = catalog
            .service(service)
            .map_or(*service, |it| it.name.as_str());
        notes.push(
            Note::new(
                "by_quantity",
                format!(
                    "The {things} of {} of {service} are not known one by one in both months: \
                     their causes are quantity, size and price. `pipebill collect` reads {things}.",
                    counted(*subjects, what)
                ),
            )
            .with("service", service)
            .with("subjects", *subjects),
        );
    }
    if !change.metered.is_empty() {
        let months: Vec<String> = change.metered.iter().map(Month::to_string).collect();
        notes.push(
            Note::new(
                "metered",
                format!(
                    "Metered from AWS's APIs, as no bill is in the ledger: {}.",
                    months.join(", ")
                ),
            )
            .with("months", months.join(" ")),
        );
    }
    if change.by.is_of_jobs() {
        notes.push(Note::new(
            "by_jobs",
            "Of CI jobs, causes are quantity, size and price: builds are not compared one by one. \
             `pipebill bill --by job` says which jobs were joined to a build.",
        ));
    }
    if let [_, .., last] = &change.from[..] {
        notes.push(
            Note::new(
                "mean_evidence",
                format!("Amounts compare with the mean, evidence with {last}."),
            )
            .with("month", last.to_string()),
        );
    }
    if change.spikes.is_none() {
        notes.push(Note::new(
            "no_spikes",
            "Single days are not judged: that takes 14 weeks of daily usage before the month.",
        ));
    }
    notes
}

fn things(row: &CauseOf) -> &'static str {
    match row.about.service.as_ref().map(ServiceCode::as_str) {
        Some(CODEPIPELINE) => "actions",
        Some(CODEBUILD) => "builds",
        _ => "builds and actions",
    }
}

/// Shows seconds as people say them.
fn length(seconds: Decimal) -> String {
    let minute = Decimal::from(60);
    if seconds < Decimal::from(90) {
        format!("{} s", number(seconds.round_dp(0)))
    } else {
        format!("{} min", number((seconds / minute).round_dp(1)))
    }
}

fn size<'c>(meter: &'c Meter, catalog: &'c Catalog) -> &'c str {
    let compute = catalog
        .computes
        .iter()
        .find(|compute| compute.meter == *meter);
    compute.map_or(meter.usage_type.as_str(), |compute| &compute.name)
}

/// The size that most builds ran on.
fn main_size<'c>(evidence: &'c Evidence, catalog: &'c Catalog, at: usize) -> Option<&'c str> {
    let used = evidence.sizes.iter().filter(|(_, counts)| counts[at] > 0);
    let (meter, _) = used.max_by_key(|(_, counts)| counts[at])?;
    Some(size(meter, catalog))
}

fn sizes(evidence: &Evidence, catalog: &Catalog) -> Option<String> {
    let before = main_size(evidence, catalog, 0)?;
    let now = main_size(evidence, catalog, 1)?;
    if before != now {
        return Some(format!("{now}, before {before}"));
    }
    let used = |at: usize| {
        let shares = evidence.sizes.iter().filter(|(_, counts)| counts[at] > 0);
        let shares =
            shares.map(|(meter, counts)| format!("{} {}", count(counts[at]), size(meter, catalog)));
        shares.collect::<Vec<_>>().join(" + ")
    };
    Some(format!("{}, before {}", used(1), used(0)))
}

fn days(row: &CauseOf, month: Month) -> Option<String> {
    let (first, last) = row.evidence.days?;
    let day = |day: NaiveDate| format!("{} {}", day.day(), day.format("%b"));
    Some(match row.cause {
        Cause::Gone => format!("last on {}", day(last)),
        _ if last >= month.last_day() => format!("since {}", day(first)),
        _ if first == last => format!("on {}", day(first)),
        _ => format!("{} to {}", first.day(), day(last)),
    })
}

fn started_by(way: StartedBy) -> &'static str {
    match way {
        StartedBy::Pipeline => "a pipeline",
        StartedBy::Webhook => "a webhook",
        StartedBy::Rule => "a rule",
        StartedBy::Caller => "a person or a program",
    }
}

/// Says what the steps of a picture sum to.
pub(crate) fn sum(change: &MonthChange) -> String {
    let known = if change.complete {
        "The steps sum to the difference"
    } else {
        "A month is partial: the steps sum to the difference of what is known"
    };
    format!("{known}. More: pipebill why {}", change.to)
}

/// Says in a line how much more a month costs.
pub(crate) fn headline(change: &MonthChange) -> String {
    let difference = change.why.difference;
    let shown = |amount: Money| show_money(amount, &change.currency);
    let against = match &change.from[..] {
        [one] => one.to_string(),
        all => format!("the mean of {} months", all.len()),
    };
    let to = change.to;
    let [before, after] = change.costs;
    if difference.is_zero() {
        return format!("{to} costs as much as {against}: {}", shown(after));
    }
    let (size, how) = if difference > Money::ZERO {
        (difference, "more")
    } else {
        (-difference, "less")
    };
    format!(
        "{to} costs {} {how} than {against} ({}, before {})",
        shown(size),
        shown(after),
        shown(before)
    )
}

/// How many succeeded, where some failed.
fn succeeded(evidence: &Evidence) -> Option<[u64; 2]> {
    let (count, failed) = (evidence.count?, evidence.failed?);
    let succeeded = [0, 1].map(|at| count[at].saturating_sub(failed[at]));
    (failed != [0, 0]).then_some(succeeded)
}
