//! What there is to say of builds elsewhere.

use rust_decimal::Decimal;

use super::{Note, count, counted, number, price};
use crate::{
    domain::{
        alternatives::{Alternatives, BreakEven, Class, Family, Fit, Obstacle, Origin},
        catalog::Catalog,
        ids::Currency,
        quantity::{Quantity, Unit},
    },
    report::{Cell, show_money, show_quantity},
};

/// Names a family of machines.
pub(crate) fn family(family: &Family, catalog: &Catalog) -> String {
    let kind = match family.class {
        Class::Ec2 => "CodeBuild",
        Class::Lambda => "CodeBuild Lambda",
        Class::Standard => "standard",
        Class::Larger => "larger",
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
        Obstacle::LessMemory { from, to } => format!("{} of {} GB", number(*to), number(*from)),
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
        Obstacle::LessMemory { from, to } => Note::new(
            "less_memory",
            format!(
                "{} GB of memory in place of {} GB. What the builds use is not measured.",
                number(*to),
                number(*from)
            ),
        )
        .with("from_gb", *from)
        .with("to_gb", *to),
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
pub(crate) fn notes(found: &Alternatives, currency: &Currency) -> Vec<Note> {
    let mut notes = vec![basis(found, currency)];
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
    notes.push(Note::new(
        "break_even",
        "Break-even: the speed, as a multiple of today's, from which it costs no more. Speeds are \
         assumed, not measured: set --speed MACHINE=FACTOR.",
    ));
    notes.push(Note::new(
        "not_comparable",
        "A price is not all: access to a VPC, region, images, disk, concurrency, queues, and who pays \
         for data transfer differ and are not in these figures.",
    ));
    notes
}

fn basis(found: &Alternatives, currency: &Currency) -> Note {
    let minutes = |value| show_quantity(Quantity::new(value, Unit::Minute));
    let rate = found.cost.amount().checked_div(found.minutes);
    let rate = rate.filter(|_| found.complete).map(|rate| rate.round_dp(5));
    let average = rate.map_or_else(String::new, |rate| {
        format!(", {} a minute", price(rate.normalize(), currency))
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
