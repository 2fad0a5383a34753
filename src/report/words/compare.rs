//! What there is to say of builds elsewhere.

use rust_decimal::Decimal;

use super::{Note, count, counted, number, price};
use crate::{
    domain::{
        alternatives::{Alternatives, BreakEven, Class, Family, Fit, Obstacle, Origin, Question},
        catalog::{Catalog, RunnerClass, Vendor},
        ids::{Currency, ServiceCode},
        quantity::{Quantity, Unit},
        scenario::Change,
    },
    report::{Cell, show_money, show_quantity},
};

/// Names a family of machines.
pub(crate) fn family(family: &Family, catalog: &Catalog) -> String {
    let kind = match family.class {
        Class::Ec2 => "CodeBuild",
        Class::Lambda => "CodeBuild Lambda",
        Class::Runner(RunnerClass::Standard) => "standard",
        Class::Runner(RunnerClass::Larger) => "larger",
        Class::Runner(RunnerClass::Premium) => "premium",
    };
    let system = if family.is_arm { " ARM" } else { "" };
    match &family.vendor {
        Some(vendor) => format!("{} {kind}{system}", catalog.service_name(vendor)),
        None if family.is_arm => format!("{kind} ARM"),
        None => format!("{kind} x86-64"),
    }
}

/// Says in a few words what builds need there, for a cell.
pub(crate) fn needs(obstacles: &[Obstacle]) -> String {
    let short = |obstacle: &Obstacle| match obstacle {
        Obstacle::Architecture { is_arm: true } => "ARM".to_owned(),
        Obstacle::Architecture { is_arm: false } => "x86-64".to_owned(),
        Obstacle::LessMemory {
            to,
            peak: Some(peak),
            fits: Some(false),
            ..
        } => format!("{} GB, peak {}", number(*to), number(peak.round_dp(1))),
        Obstacle::LessMemory { from, to, .. } => {
            format!("{} of {} GB", number(*to), number(*from))
        }
        Obstacle::FewerProcessors { from, to } => {
            format!("{} of {} vCPU", number(*to), number(*from))
        }
        Obstacle::NoDocker { .. } => "no Docker".to_owned(),
        Obstacle::DockerUnknown => "Docker?".to_owned(),
        Obstacle::TooLong { builds, .. } => format!("{} too long", count(*builds)),
        Obstacle::NotInPlan => "larger plan".to_owned(),
    };
    let short: Vec<String> = obstacles.iter().map(short).collect();
    short.join(", ")
}

/// Says the same of a whole family: no machine is smaller than that of the builds.
pub(crate) fn needs_of_all(obstacles: &[Obstacle]) -> String {
    let is_of_all = |obstacle: &&Obstacle| {
        matches!(
            obstacle,
            Obstacle::Architecture { .. } | Obstacle::NoDocker { .. } | Obstacle::DockerUnknown
        )
    };
    let mut short: Vec<String> = Vec::new();
    for obstacle in obstacles.iter().filter(is_of_all) {
        let text = needs(std::slice::from_ref(obstacle));
        if !short.contains(&text) {
            short.push(text);
        }
    }
    short.join(", ")
}

/// Says what may keep builds from running on a machine.
pub(crate) fn obstacle(obstacle: &Obstacle) -> Note {
    match obstacle {
        Obstacle::Architecture { is_arm } => {
            let name = if *is_arm { "ARM" } else { "x86-64" };
            Note::new(
                "architecture",
                format!("Images, tools and tests must run on {name}."),
            )
            .with("architecture", name)
        }
        Obstacle::LessMemory {
            from,
            to,
            peak,
            fits,
        } => {
            let measured = peak.map(|peak| number(peak.round_dp(1)));
            let use_of_it = match (measured, fits) {
                (Some(peak), Some(true)) => format!("The builds used at most {peak} GB."),
                (Some(peak), Some(false)) => {
                    format!("The builds used {peak} GB: too much with a margin of 20 %.")
                }
                (Some(peak), None) => {
                    format!("Some builds used {peak} GB; not all projects were measured.")
                }
                (None, _) => "What the builds use is not measured.".to_owned(),
            };
            let note = Note::new(
                "less_memory",
                format!(
                    "{} GB of memory in place of {} GB. {use_of_it}",
                    number(*to),
                    number(*from)
                ),
            );
            note.with("from_gb", *from)
                .with("to_gb", *to)
                .with("peak_gb", peak.map_or(Cell::Empty, Cell::Number))
                .with("fits", fits.map_or(Cell::Empty, Cell::Flag))
        }
        Obstacle::FewerProcessors { from, to } => Note::new(
            "fewer_processors",
            format!(
                "{} processors in place of {}: expect slower builds.",
                number(*to),
                number(*from)
            ),
        )
        .with("from", *from)
        .with("to", *to),
        Obstacle::NoDocker { is_used } => Note::new(
            "no_docker",
            if *is_used {
                "No Docker, and some of these builds used a Docker server."
            } else {
                "No Docker. Whether the builds need it is not recorded."
            },
        )
        .with("used", Cell::Flag(*is_used)),
        Obstacle::DockerUnknown => Note::new(
            "docker_unknown",
            "Whether it runs Docker is not known, nor whether the builds need it.",
        ),
        Obstacle::TooLong {
            builds, minutes, ..
        } => Note::new(
            "too_long",
            format!(
                "{} over {minutes} minutes would stay.",
                counted(*builds, "build")
            ),
        )
        .with("builds", *builds)
        .with("minutes", Cell::Number(Decimal::from(*minutes))),
        Obstacle::NotInPlan => Note::new("not_in_plan", "The plan stated does not offer it."),
    }
}

/// Says from which speed it costs no more, for a cell.
pub(crate) fn break_even(at: BreakEven) -> Cell {
    match at {
        BreakEven::From(speed) => Cell::text(format!("{speed} ×")),
        BreakEven::Always => Cell::text("any"),
        BreakEven::Never => Cell::text("none"),
        BreakEven::Unknown => Cell::Unknown("unknown".to_owned()),
    }
}

/// Heads the builds of a compute type.
pub(crate) fn origin(origin: &Origin, currency: &Currency) -> String {
    let mut parts = Vec::new();
    if origin.builds > 0 {
        parts.push(counted(origin.builds, "build"));
    }
    parts.push(show_quantity(origin.quantity));
    if origin.complete {
        parts.push(show_money(origin.cost, currency));
    }
    format!(
        "{} ({}): {}",
        origin.compute.name,
        origin.compute.size,
        parts.join(", ")
    )
}

/// Says how the figures come about and what they leave out, the most important first.
pub(crate) fn notes(found: &Alternatives, question: &Question, catalog: &Catalog) -> Vec<Note> {
    let currency = &found.currency;
    let mut notes = vec![basis(found, currency)];
    notes.extend(elsewhere(found, catalog));
    notes.extend(terms(found, question, catalog));
    if let Some(pipelines) = &found.pipelines {
        let cost = show_money(pipelines.cost, currency);
        let mut note = Note::new(
            "pipelines",
            format!(
                "Not in these figures: CodePipeline around the builds, {cost}. It falls away only if the \
                 jobs are started elsewhere."
            ),
        )
        .with("cost", Cell::Money(pipelines.cost, currency.clone()))
        .with("complete", Cell::Flag(pipelines.complete));
        if !pipelines.names.is_empty() {
            note = note.with("pipelines", pipelines.names.join(", "));
        }
        notes.push(note);
    }
    notes.push(Note::new(
        "break_even",
        "Break-even: the speed, as a multiple of today's, from which it costs no more. Speeds are \
         assumed, not measured: set --speed MACHINE=FACTOR.",
    ));
    if !found.reserved.is_zero() {
        notes.push(
            Note::new(
                "reserved_excluded",
                format!(
                    "Reserved fleets ({}) are billed whether builds run or not and are not compared: \
                     `pipebill optimize`.",
                    show_money(found.reserved, currency)
                ),
            )
            .with("cost", Cell::Money(found.reserved, currency.clone())),
        );
    }
    notes
}

/// Returns the vendors whose machines were compared.
fn vendors<'c>(found: &Alternatives, catalog: &'c Catalog) -> Vec<(&'c ServiceCode, &'c Vendor)> {
    let is_used = |code: &ServiceCode| {
        let mut choices = found.origins.iter().flat_map(|origin| &origin.choices);
        choices.any(|choice| choice.machine.vendor() == Some(code))
    };
    let all = catalog.runners.vendors.iter();
    all.filter(|(code, _)| is_used(code)).collect()
}

/// Says what a price says nothing of, where builds leave AWS.
fn elsewhere(found: &Alternatives, catalog: &Catalog) -> Option<Note> {
    let vendors = vendors(found, catalog);
    let names: Vec<&str> = vendors
        .iter()
        .map(|(code, _)| catalog.service_name(code))
        .collect();
    let (is, all) = match &names[..] {
        [] => return None,
        [only] => ("is", (*only).to_owned()),
        [first @ .., last] => ("are", format!("{} and {last}", first.join(", "))),
    };
    let note = Note::new("not_comparable", super::runners::beyond_price(&all, is));
    Some(note.with("vendors", names.join(", ")))
}

/// Says under which terms vendors with plans are rated.
fn terms(found: &Alternatives, question: &Question, catalog: &Catalog) -> Vec<Note> {
    let kind = if question.public { "public" } else { "private" };
    let with_plans = vendors(found, catalog).into_iter();
    let with_plans = with_plans.filter(|(_, vendor)| !vendor.plans.is_empty());
    let note = |(code, vendor): (&ServiceCode, &Vendor)| {
        let stated = question.plans.iter().find_map(|change| match change {
            Change::Plan { vendor, plan, .. } if vendor == code => plan.as_deref(),
            _ => None,
        });
        let plan = stated.and_then(|plan| catalog.runners.plan(code, plan));
        let name = catalog.service_name(code);
        let note = match plan {
            Some(plan) => Note::new(
                "terms",
                format!(
                    "{name}: {kind} repositories, {} minutes included in {}. If others use some: \
                     --free-tier-used {}=…",
                    number(plan.included.grant),
                    plan.name,
                    plan.included.id
                ),
            )
            .with("plan", &*plan.id)
            .with("included_minutes", plan.included.grant),
            None => Note::new(
                "terms",
                format!(
                    "{name}: {kind} repositories, no included minutes (--repository, --{}-plan).",
                    vendor.id
                ),
            ),
        };
        note.with("vendor", name).with("visibility", kind)
    };
    with_plans.map(note).collect()
}

fn basis(found: &Alternatives, currency: &Currency) -> Note {
    let minutes = |value| show_quantity(Quantity::new(value, Unit::Minute));
    let rate = found.per_minute();
    let average = rate.map_or_else(String::new, |rate| {
        format!(", {} a minute", price(rate, currency))
    });
    let how = match (found.builds, found.rest.is_zero()) {
        (0, _) => "no build is known by itself, so quantities are scaled without rounding each up"
            .to_owned(),
        (builds, true) => format!("{} rounded up individually", counted(builds, "build")),
        (builds, false) => format!(
            "{} rounded up individually, {} known only as a total",
            counted(builds, "build"),
            minutes(found.rest)
        ),
    };
    let mut note = Note::new(
        "basis",
        format!("As they are: {}{average}; {how}.", minutes(found.minutes)),
    )
    .with("builds", found.builds)
    .with("minutes", found.minutes)
    .with("total_minutes", found.rest);
    if let Some(rate) = rate {
        note = note.with("per_minute", Cell::Price(rate));
    }
    note
}

/// Says that something that does not fit or is of another size is left out of a table.
pub(crate) fn not_shown(origin: &Origin) -> Option<String> {
    let of = |fit: Option<Fit>| {
        let choices = origin.choices.iter();
        let meant = choices.filter(|choice| match fit {
            Some(fit) => choice.fit() == fit,
            None => choice.fit() != Fit::No && !choice.is_near,
        });
        meant.count() as u64
    };
    let (no, sizes) = (of(Some(Fit::No)), of(None));
    let mut parts = Vec::new();
    if sizes > 0 {
        parts.push(format!("{} of other sizes", count(sizes)));
    }
    if no > 0 {
        parts.push(format!("{} that cannot run these builds", count(no)));
    }
    (!parts.is_empty()).then(|| format!("  Not shown: {} (--all).", parts.join(", ")))
}

/// Names what nothing changes.
pub(crate) const AS_THEY_ARE: &str = "as they are";
