//! From the values of a resource to what it is. Terraform and Pulumi share the names, by way of
//! [`super::tree`].

use super::tree::{Node, Seen, Tree};
use crate::domain::{
    ids::{AccountId, Region},
    infra::{
        ActionCounts, Attribute, ComputeConfiguration, Exists, Feature, Fleet, Kind, Pipeline,
        PipelineAction, Project, Reason, TypeBasis,
    },
    plan::PipelineType,
};

/// What a resource of the four services is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Project,
    Fleet,
    Pipeline,
    DeploymentGroup,
    Repository,
    Free,
    Other,
}

/// What the four services charge nothing for, after the name of the service.
const FREE: [&str; 17] = [
    "codebuild_report_group",
    "codebuild_resource_policy",
    "codebuild_source_credential",
    "codebuild_webhook",
    "codecommit_approval_rule_template",
    "codecommit_approval_rule_template_association",
    "codecommit_trigger",
    "codeconnections_connection",
    "codeconnections_host",
    "codedeploy_app",
    "codedeploy_application",
    "codedeploy_deployment_config",
    "codepipeline_custom_action_type",
    "codepipeline_webhook",
    "codestarconnections_connection",
    "codestarconnections_host",
    "codestarnotifications_notification_rule",
];

/// Tells what a type is, written as Terraform does without the name of the provider; none for other
/// services.
pub(super) fn class(name: &str) -> Option<Class> {
    Some(match name {
        "codebuild_project" => Class::Project,
        "codebuild_fleet" => Class::Fleet,
        "codepipeline" | "codepipeline_pipeline" => Class::Pipeline,
        "codedeploy_deployment_group" => Class::DeploymentGroup,
        "codecommit_repository" => Class::Repository,
        name if FREE.contains(&name) => Class::Free,
        name => {
            let service = name.split('_').next().unwrap_or_default();
            let ours = ["codebuild", "codepipeline", "codecommit", "codedeploy"];
            return ours.contains(&service).then_some(Class::Other);
        }
    })
}

/// Reads a text; an empty one is none.
fn text(node: Node<'_>) -> Attribute<String> {
    match node.seen() {
        Seen::Value(Tree::Text(text)) if text.is_empty() => Attribute::Absent,
        Seen::Value(Tree::Text(text)) => Attribute::Known(text.clone()),
        Seen::Value(Tree::Bool(value)) => Attribute::Known(value.to_string()),
        Seen::Value(_) => Attribute::Unknown(Reason::Malformed),
        Seen::Nothing => Attribute::Absent,
        Seen::NotYet => Attribute::Unknown(Reason::AfterApply),
        Seen::Secret => Attribute::Unknown(Reason::Sensitive),
    }
}

/// Reads a text that AWS requires.
fn required(node: Node<'_>) -> Attribute<String> {
    match text(node) {
        Attribute::Absent => Attribute::Unknown(Reason::Missing),
        stated => stated,
    }
}

fn number(node: Node<'_>) -> Attribute<u32> {
    text(node).and_then(|text| text.parse().ok())
}

fn flag(node: Node<'_>) -> Attribute<bool> {
    text(node).and_then(|text| match text.as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

/// Tells whether a block is there.
fn block(node: Node<'_>) -> Attribute<bool> {
    match node.seen() {
        Seen::Value(Tree::List(items)) => Attribute::Known(!items.is_empty()),
        Seen::Value(Tree::Map(_)) => Attribute::Known(true),
        Seen::Value(_) => Attribute::Unknown(Reason::Malformed),
        Seen::Nothing => Attribute::Absent,
        Seen::NotYet => Attribute::Unknown(Reason::AfterApply),
        Seen::Secret => Attribute::Unknown(Reason::Sensitive),
    }
}

/// Returns what a resource is called.
pub(super) fn name(values: Node<'_>) -> Attribute<String> {
    text(values.get("name"))
}

/// Returns the region and the account that a resource states: its own region, else its ARN.
pub(super) fn place(values: Node<'_>) -> (Attribute<Region>, Option<AccountId>) {
    let arn = text(values.get("arn"));
    let parts: Vec<&str> = arn
        .known()
        .map_or_else(Vec::new, |arn| arn.split(':').collect());
    let part = |at: usize| {
        let part = parts.get(at).copied().filter(|part| !part.is_empty());
        part.filter(|_| parts.len() > 5 && parts[0] == "arn")
    };
    let stated = text(values.get("region")).and_then(|name| Some(Region::new(name)));
    let region = match stated {
        Attribute::Absent => part(3).map(Region::new).into(),
        stated => stated,
    };
    (region, part(4).map(AccountId::new))
}

/// Reads a resource. `default` is what the tool writes for a pipeline of no stated type.
pub(super) fn kind(class: Class, values: Node<'_>, default: TypeBasis) -> Kind {
    match class {
        Class::Project => Kind::Project(Box::new(project(values))),
        Class::Fleet => Kind::Fleet(Box::new(fleet(values))),
        Class::Pipeline => Kind::Pipeline(Box::new(pipeline(values, default))),
        Class::DeploymentGroup => Kind::DeploymentGroup {
            platform: match (
                text(values.get("compute_platform")),
                block(values.get("ecs_service")),
            ) {
                (Attribute::Absent, Attribute::Known(true)) => Attribute::Known("ECS".to_owned()),
                (platform, _) => platform,
            },
            on_premises: block(values.get("on_premises")),
        },
        Class::Repository => Kind::Repository,
        Class::Free => Kind::Free,
        Class::Other => Kind::Other,
    }
}

fn project(values: Node<'_>) -> Project {
    let environment = values.get("environment");
    let fleet = environment.get("fleet");
    Project {
        environment_type: required(environment.get("type")),
        compute_type: required(environment.get("compute_type")),
        image: text(environment.get("image")),
        fleet: match (text(fleet.get("fleet_arn")), block(fleet)) {
            // A block whose ARN is left out by the plan is one that is not known yet.
            (Attribute::Absent, Attribute::Known(true)) => Attribute::Unknown(Reason::AfterApply),
            (arn, _) => arn,
        },
        timeout: number(values.get("build_timeout")),
        batch: block(values.get("build_batch_config")),
        docker_server: match (
            text(environment.get("docker_server").get("compute_type")),
            block(environment.get("docker_server")),
        ) {
            (Attribute::Absent, Attribute::Known(true)) => Attribute::Unknown(Reason::Missing),
            (size, _) => size,
        },
        auto_retry: number(values.get("auto_retry_limit")),
        privileged: flag(environment.get("privileged_mode")),
    }
}

fn fleet(values: Node<'_>) -> Fleet {
    let machine = values.get("compute_configuration");
    let configuration = block(machine).and_then(|is_there| is_there.then_some(()));
    Fleet {
        environment_type: required(values.get("environment_type")),
        compute_type: required(values.get("compute_type")),
        configuration: match configuration {
            Attribute::Known(()) => Attribute::Known(ComputeConfiguration {
                vcpu: number(machine.get("vcpu")),
                memory: number(machine.get("memory")),
                disk: number(machine.get("disk")),
                machine_type: text(machine.get("machine_type")),
                instance_type: text(machine.get("instance_type")),
            }),
            Attribute::Unknown(reason) if reason != Reason::Malformed => Attribute::Unknown(reason),
            _ => Attribute::Absent,
        },
        base_capacity: number(values.get("base_capacity")),
        max_capacity: number(values.get("scaling_configuration").get("max_capacity")),
        overflow: text(values.get("overflow_behavior")),
    }
}

fn pipeline(values: Node<'_>, default: TypeBasis) -> Pipeline {
    let stages = values.get("stage");
    let mut actions = Vec::new();
    let mut feature = None;
    let mut incomplete = match stages.seen() {
        Seen::Value(_) => Attribute::Absent,
        Seen::Nothing => Attribute::Unknown(Reason::Missing),
        Seen::NotYet => Attribute::Unknown(Reason::AfterApply),
        Seen::Secret => Attribute::Unknown(Reason::Sensitive),
    };
    let has = |node: Node<'_>| block(node) == Attribute::Known(true);
    for stage in stages.items() {
        let conditions = [
            stage.get("conditions"),
            stage.get("on_failure").get("conditions"),
        ];
        if conditions.into_iter().any(has) {
            feature.get_or_insert(Feature::StageConditions);
        }
        let listed = stage.get("action");
        match listed.seen() {
            Seen::NotYet => incomplete = Attribute::Unknown(Reason::AfterApply),
            Seen::Secret => incomplete = Attribute::Unknown(Reason::Sensitive),
            Seen::Value(_) | Seen::Nothing => {}
        }
        let stage = shown(text(stage.get("name")));
        for action in listed.items() {
            actions.push(self::action(&stage, action));
        }
    }
    for action in &actions {
        if let (Some(category), Some(provider)) = (action.category.known(), action.provider.known())
            && let Some(of_action) = Feature::of_provider(category, provider)
        {
            feature.get_or_insert(of_action);
        }
    }
    if has(values.get("trigger")) {
        feature = Some(Feature::Triggers);
    } else if has(values.get("variable")) {
        feature = Some(Feature::Variables);
    } else if let Attribute::Known(mode) = text(values.get("execution_mode"))
        && mode != "SUPERSEDED"
    {
        feature = Some(Feature::ExecutionMode);
    }
    let stated = text(values.get("pipeline_type")).and_then(|kind| match kind.as_str() {
        "V1" => Some(PipelineType::V1),
        "V2" => Some(PipelineType::V2),
        _ => None,
    });
    let (kind, basis) = match (stated, feature) {
        (Attribute::Known(PipelineType::V2), _) => {
            (Attribute::Known(PipelineType::V2), TypeBasis::Stated)
        }
        (_, Some(feature)) => (
            Attribute::Known(PipelineType::V2),
            TypeBasis::Forced(feature),
        ),
        (Attribute::Absent, None) => (Attribute::Known(PipelineType::V1), default),
        (stated, None) => (stated, TypeBasis::Stated),
    };
    Pipeline {
        kind,
        basis,
        counts: ActionCounts::of(&actions),
        actions,
        incomplete,
    }
}

fn action(stage: &str, values: Node<'_>) -> PipelineAction {
    // CloudFormation's shape, which other tools take over, has a level more.
    let typed = values.get("action_type_id");
    let stated = |name: &str| match text(values.get(name)) {
        Attribute::Absent => text(typed.get(name)),
        stated => stated,
    };
    let configuration = values.get("configuration");
    let provider = stated("provider");
    let runs_project = provider.known().is_some_and(|name| name == "CodeBuild");
    PipelineAction {
        stage: stage.to_owned(),
        name: shown(text(values.get("name"))),
        category: stated("category"),
        owner: stated("owner"),
        provider,
        region: text(values.get("region")).and_then(|name| Some(Region::new(name))),
        project: if runs_project {
            required(configuration.get("ProjectName"))
        } else {
            Attribute::Absent
        },
        batch: flag(configuration.get("BatchEnabled")),
        exists: Exists::Yes,
    }
}

fn shown(name: Attribute<String>) -> String {
    name.known().cloned().unwrap_or_default()
}
