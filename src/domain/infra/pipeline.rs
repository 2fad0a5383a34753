//! Pipelines: which price model holds, and how many actions a run has.

use super::attribute::{Attribute, Exists, Range};
use crate::domain::{ids::Region, metering::codepipeline::ActionKind, plan::PipelineType};

/// A pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pipeline {
    /// Its price model; see [`TypeBasis`] for why.
    pub kind: Attribute<PipelineType>,
    /// What the price model rests on.
    pub basis: TypeBasis,
    /// Its actions, stage by stage.
    pub actions: Vec<PipelineAction>,
    /// How many there are in a run. A reader that decides conditions together says it better than
    /// [`ActionCounts::of`] can.
    pub counts: ActionCounts,
    /// Why stages or actions are not known, where they are not; then `counts` is at least that many.
    pub incomplete: Attribute<()>,
}

/// What the price model of a pipeline rests on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TypeBasis {
    /// The file states it.
    Stated,
    /// Terraform's provider writes V1 where nothing is stated; Pulumi's is the same.
    ProviderDefault,
    /// A state without the attribute: an old provider made it when nothing stated meant V1.
    BeforeTypes,
    /// AWS makes a new pipeline V2 since 2024-12-09; one that is older stays V1.
    NewStack,
    /// It has what only V2 has, whatever is stated.
    Forced(Feature),
    /// The user said so.
    Overridden,
}

impl TypeBasis {
    /// Returns the code used in JSON.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::ProviderDefault => "provider_default",
            Self::BeforeTypes => "before_types",
            Self::NewStack => "new_stack",
            Self::Forced(_) => "forced",
            Self::Overridden => "overridden",
        }
    }
}

/// What only V2 pipelines have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Feature {
    /// Triggers.
    Triggers,
    /// Variables of the pipeline.
    Variables,
    /// The execution mode `QUEUED` or `PARALLEL`.
    ExecutionMode,
    /// Conditions of a stage: on entry, on success, on failure.
    StageConditions,
    /// An action that runs commands.
    Commands,
    /// An action that builds an image and pushes it.
    EcrBuildAndPublish,
    /// An action that scans with Inspector.
    InspectorScan,
}

impl Feature {
    /// Returns the name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Triggers => "triggers",
            Self::Variables => "variables",
            Self::ExecutionMode => "execution_mode",
            Self::StageConditions => "stage_conditions",
            Self::Commands => "commands",
            Self::EcrBuildAndPublish => "ecr_build_and_publish",
            Self::InspectorScan => "inspector_scan",
        }
    }

    /// Returns the feature that an action of a provider is.
    pub fn of_provider(category: &str, provider: &str) -> Option<Self> {
        match (category, provider) {
            ("Compute", _) | (_, "Commands") => Some(Self::Commands),
            (_, "ECRBuildAndPublish") => Some(Self::EcrBuildAndPublish),
            (_, "InspectorScan") => Some(Self::InspectorScan),
            _ => None,
        }
    }
}

/// An action of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PipelineAction {
    /// The stage.
    pub stage: String,
    /// Its name.
    pub name: String,
    /// `Source`, `Build`, `Test`, `Deploy`, `Approval`, `Invoke`, `Compute`.
    pub category: Attribute<String>,
    /// `AWS`, `ThirdParty` or `Custom`.
    pub owner: Attribute<String>,
    /// `CodeBuild`, `S3`, `Manual`…
    pub provider: Attribute<String>,
    /// Where it runs; absent in the region of the pipeline.
    pub region: Attribute<Region>,
    /// The project it runs: its name, or the address of its resource.
    pub project: Attribute<String>,
    /// It runs a batch, so more builds than one.
    pub batch: Attribute<bool>,
    /// Whether it exists.
    pub exists: Exists,
}

impl PipelineAction {
    /// Tells whether V2 bills its minutes; none where its category and owner do not tell.
    pub fn is_billable(&self) -> Option<bool> {
        let (category, owner) = (self.category.known(), self.owner.known());
        let is_free =
            |category: &str, owner: &str| ActionKind::of(category, owner) != ActionKind::Standard;
        match (category, owner) {
            (Some(category), Some(owner)) => Some(!is_free(category, owner)),
            (Some(category), None) if is_free(category, "") => Some(false),
            (None, Some(owner)) if is_free("", owner) => Some(false),
            _ => None,
        }
    }
}

/// How many actions a run has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ActionCounts {
    /// All of them.
    pub all: Range,
    /// Those whose minutes V2 bills: no approvals, no custom actions.
    pub billable: Range,
}

impl ActionCounts {
    /// Counts actions that exist independently of one another.
    pub fn of(actions: &[PipelineAction]) -> Self {
        let mut counts = Self::default();
        for action in actions {
            counts.all.add(&action.exists);
            match action.is_billable() {
                Some(true) => counts.billable.add(&action.exists),
                Some(false) => {}
                None => counts.billable.high += 1,
            }
        }
        counts
    }
}
