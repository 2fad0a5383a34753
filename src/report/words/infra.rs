//! What there is to say of infrastructure code: what is assumed, what is needed, how it was read.

use super::{Note, count};
use crate::{
    domain::{
        infra::{
            self, Feature, Reason, TypeBasis,
            needs::{Assumption, Need},
        },
        period::Month,
        plan::PipelineType,
        usage::Gap,
    },
    report::{Cell, counted, infra::InfraAnswer, value::Amount},
};

/// Says how a file was read.
pub(crate) fn of_file(note: &infra::Note) -> Note {
    match note {
        infra::Note::PlanErrored => Note::new(
            "plan_errored",
            "The plan ended in an error, so resources are missing: fix it and plan again.",
        ),
        infra::Note::LogCut { line } => Note::new(
            "log_cut",
            format!(
                "The log ends before the preview does (line {}), so resources are missing: run it again.",
                count(*line)
            ),
        )
        .with("line", *line),
        infra::Note::UnchangedHidden { count: hidden } => Note::new(
            "unchanged_hidden",
            format!(
                "The preview leaves {} unchanged resources out: add --show-sames to see their cost.",
                count(*hidden)
            ),
        )
        .with("count", *hidden),
        infra::Note::Targeted => Note::new(
            "targeted",
            "Only some resources were planned (-target); the others stay as the state has them.",
        ),
        infra::Note::NotCreated { address, condition } => Note::new(
            "not_created",
            format!("{address} is not created: condition {condition} is false."),
        )
        .with("address", address.as_str())
        .with("condition", condition.as_str()),
        infra::Note::StateOnly => Note::new(
            "state_only",
            "This is a state, so it has no change: plan one to compare.",
        ),
        infra::Note::Wrapped => {
            Note::new("wrapped", "Text around the JSON was ignored.")
        }
        infra::Note::TrailingCommas => Note::new(
            "trailing_commas",
            "Commas at the end of lists, which JSON does not have, were ignored.",
        ),
        infra::Note::RegionUnstated { address } => Note::new(
            "region_unstated",
            format!("{address} states no region: name it with --region."),
        )
        .with("address", address.as_str()),
        infra::Note::TypeAlias {
            address,
            written,
            read,
        } => Note::new(
            "type_alias",
            format!("{address} has the type {written}, read as {read}."),
        )
        .with("address", address.as_str())
        .with("written", written.as_str())
        .with("read", read.as_str()),
        infra::Note::Macro { name } => Note::new(
            "macro",
            format!("The macro {name} changes the template: what AWS makes of it may differ."),
        )
        .with("macro", name.as_str()),
        infra::Note::NestedElsewhere { address, location } => Note::new(
            "nested_elsewhere",
            format!("{address} brings a template that is not on disk ({location}): not priced."),
        )
        .with("address", address.as_str())
        .with("location", location.as_str()),
        infra::Note::LoopUnknown { address } => Note::new(
            "loop_unknown",
            format!("How many resources {address} makes is not known."),
        )
        .with("address", address.as_str()),
        infra::Note::Malformed { address, attribute } => Note::new(
            "malformed",
            format!("{address} has no readable {attribute}: not priced."),
        )
        .with("address", address.as_str())
        .with("attribute", attribute.as_str()),
        infra::Note::ParameterUnset { name, allowed } => Note::new(
            "parameter_unset",
            format!("The parameter {name} has no value: state it with --param {name}=VALUE."),
        )
        .with("parameter", name.as_str())
        .with("allowed", allowed.join(", ")),
    }
}

/// Says what is missing of the usage beside the code.
pub(crate) fn of_ledger(month: Month, gap: &Gap) -> Note {
    super::of_gap(&format!("Missing of {month}"), gap)
}

/// Says what it comes to, and counts every resource.
pub(crate) fn totals(answer: &InfraAnswer) -> Vec<String> {
    let is_known = answer.complete || answer.counts.priced > 0;
    // Nothing priced is no total of nothing.
    let shown = |amount: &Amount| {
        if is_known {
            amount.shown()
        } else {
            "not known".to_owned()
        }
    };
    let mut first = format!("Total in {}: {}", answer.period.0, shown(&answer.total));
    if let (Some(before), Some(difference)) = (&answer.before, &answer.difference) {
        let change = match (answer.complete, is_known) {
            (true, _) => format!("change: {}", difference.signed()),
            (false, true) => format!("change of what is priced: {}", difference.signed()),
            (false, false) => "change: not known".to_owned(),
        };
        first = format!("{first}; before: {}; {change}", shown(before));
    }
    first.push('.');
    let counts = &answer.counts;
    let named = [
        (counts.priced, "priced"),
        (counts.needs_usage, "without usage"),
        (counts.free, "free"),
        (counts.unknown, "unknown"),
        (counts.not_offered, "not offered"),
    ];
    let named = named.iter().filter(|(number, _)| *number > 0);
    let mut parts: Vec<String> = named
        .map(|(number, what)| format!("{} {what}", count(*number)))
        .collect();
    if counts.ignored > 0 {
        parts.push(format!(
            "{} of other services ignored",
            count(counts.ignored)
        ));
    }
    let read = counted(counts.read, "resource");
    let rest = if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    };
    vec![
        first,
        format!(
            "Without free units, at list prices: {}.",
            shown(&answer.list_total)
        ),
        format!("{read}{rest}."),
    ]
}

/// Names a price model.
const fn model(kind: PipelineType) -> &'static str {
    match kind {
        PipelineType::V1 => "V1",
        PipelineType::V2 => "V2",
    }
}

const fn feature(feature: Feature) -> &'static str {
    match feature {
        Feature::Triggers => "triggers",
        Feature::Variables => "variables",
        Feature::ExecutionMode => "its execution mode",
        Feature::StageConditions => "conditions of stages",
        Feature::Commands => "a Commands action",
        Feature::EcrBuildAndPublish => "an ECRBuildAndPublish action",
        Feature::InspectorScan => "an InspectorScan action",
    }
}

/// Says what is assumed of a resource.
pub(crate) fn assumption(assumption: &Assumption) -> Note {
    match assumption {
        Assumption::Region(region) => Note::new(
            "region_assumed",
            format!("Priced in {region}: the file states no region."),
        )
        .with("region", region.as_str()),
        Assumption::PipelineType(kind, basis) => {
            let model = model(*kind);
            let why = match basis {
                TypeBasis::Stated => "as stated".to_owned(),
                TypeBasis::ProviderDefault => "the provider's default".to_owned(),
                TypeBasis::BeforeTypes => "made before there were types".to_owned(),
                TypeBasis::NewStack => "AWS's default since 2024-12-09".to_owned(),
                TypeBasis::Forced(of) => format!("it has {}", feature(*of)),
                TypeBasis::Overridden => "--pipeline-type".to_owned(),
            };
            Note::new("pipeline_type", format!("A {model} pipeline: {why}."))
                .with("type", model)
                .with("basis", basis.code())
        }
        Assumption::SameDuration { from } => Note::new(
            "same_duration",
            format!("Builds take as long as on {from}."),
        )
        .with("from", from.as_str()),
        Assumption::OnFleet(fleet) => {
            let name = if fleet.is_empty() {
                "a reserved fleet"
            } else {
                fleet
            };
            Note::new(
                "on_fleet",
                format!("Runs on {name}, whose machines are what costs."),
            )
            .with("fleet", fleet.as_str())
        }
        Assumption::Overflow { on_demand } => Note::new(
            "overflow",
            "Builds that find no free machine are billed on demand, which is not included.",
        )
        .with("on_demand", Cell::Flag(*on_demand)),
        Assumption::BaseCapacity { base, max } => Note::new(
            "base_capacity",
            format!(
                "Only the base capacity of {base} is included; scaling may add up to {max} in all."
            ),
        )
        .with("base", u64::from(*base))
        .with("max", u64::from(*max)),
        Assumption::Batch => Note::new(
            "batch",
            "May run batches: each starts as many builds as its buildspec says.",
        ),
        Assumption::PastTrial => Note::new(
            "past_trial",
            "Counted as older than 30 days; until then it is free.",
        ),
    }
}

const fn why(reason: &Reason) -> &'static str {
    match reason {
        Reason::AfterApply => "known after apply",
        Reason::Sensitive => "marked as sensitive",
        Reason::Malformed => "not a value it can have",
        Reason::Missing => "not stated",
        Reason::SsmParameter(_) => "in the parameter store",
        Reason::DynamicReference(_) => "looked up at deployment",
        Reason::Import(_) => "exported by another stack",
        Reason::ResourceAttribute(_) => "decided by AWS",
        Reason::Macro(_) => "made by a macro",
        Reason::Function(_) => "computed",
        Reason::ChosenByAws => "chosen by AWS",
    }
}

/// Says what is needed to price a resource.
pub(crate) fn need(need: &Need) -> Note {
    match need {
        Need::Builds(name) => Note::new(
            "builds",
            format!("No builds of {name} are known: state them, e.g. --usage-of '{name}=300x5m'."),
        )
        .with("name", name.as_str()),
        Need::ActionMinutes(name) => Note::new(
            "action_minutes",
            format!(
                "No action minutes of {name} are known: state them, e.g. --usage-of '{name}=900'."
            ),
        )
        .with("name", name.as_str()),
        Need::Active(name) => Note::new(
            "active_pipeline",
            format!("Whether {name} is active is not known: state it with --usage-of '{name}=1'."),
        )
        .with("name", name.as_str()),
        Need::Attribute(name, reason) => {
            let reason = reason.as_ref();
            Note::new(
                "attribute",
                format!(
                    "The {name} is not known ({}).",
                    reason.map_or("not stated", why)
                ),
            )
            .with("attribute", *name)
            .with("reason", reason.map_or("missing", Reason::code))
        }
        Need::Parameters(names) => Note::new(
            "parameters",
            format!(
                "It depends on {}: state it with --param NAME=VALUE.",
                names.join(", ")
            ),
        )
        .with("parameters", names.join(", ")),
        Need::Machine(name) => Note::new("machine", format!("No price is known of {name}."))
            .with("machine", name.as_str()),
        Need::NotOffered { machine, listed } => Note::new(
            "not_offered",
            format!(
                "AWS does not offer {machine} there (list of {listed}): `pipebill prices regions` shows where."
            ),
        )
        .with("machine", machine.as_str())
        .with("listed", *listed),
        Need::DockerServer => Note::new(
            "docker_server",
            "Its Docker server bills apart, at a price that is not known.",
        ),
        Need::ManagedCompute(of) => Note::new(
            "managed_compute",
            format!(
                "It has {}, whose build minutes are not included.",
                feature(*of)
            ),
        )
        .with("feature", of.name()),
        Need::OnPremisesUpdates => Note::new(
            "on_premises_updates",
            "It may deploy to on-premises instances, whose updates are not included.",
        ),
        Need::ActiveUsers => Note::new(
            "active_users",
            "Users of repositories are billed once each, which no code states.",
        ),
        Need::Type => Note::new("type", "This type of resource is not known."),
    }
}
