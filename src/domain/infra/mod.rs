//! Infrastructure as code describes it: resources of the four services, before and after a change.
//!
//! A file says what will exist, never how much of it will be used. What it does not say is kept
//! apart from what it says is nothing: see [`Attribute`].

mod attribute;
pub mod needs;
mod pipeline;
mod project;

use std::collections::BTreeMap;

use super::ids::{AccountId, Region};

pub use self::{
    attribute::{Attribute, Exists, Range, Reason},
    pipeline::{ActionCounts, Feature, Pipeline, PipelineAction, TypeBasis},
    project::{ComputeConfiguration, Fleet, Project},
};

/// What a file of infrastructure code says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Infra {
    /// Which tool wrote it, and what it is.
    pub form: Form,
    /// What exists before the change; none where the file does not say.
    pub before: Option<Vec<Resource>>,
    /// What will exist.
    pub after: Vec<Resource>,
    /// Resources that belong to other services, by type: how many were read and left out.
    pub ignored: BTreeMap<String, u32>,
    /// What its reader should know.
    pub notes: Vec<Note>,
}

impl Infra {
    /// Returns an empty one.
    pub fn new(form: Form) -> Self {
        Self {
            form,
            before: None,
            after: Vec::new(),
            ignored: BTreeMap::new(),
            notes: Vec::new(),
        }
    }

    /// Counts a resource that none of the four services has.
    pub fn ignore(&mut self, type_name: &str) {
        *self.ignored.entry(type_name.to_owned()).or_default() += 1;
    }

    /// Adds a note, once.
    pub fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// What kind of file it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Form {
    /// A plan of Terraform or `OpenTofu`, as JSON.
    TerraformPlan,
    /// A state of Terraform or `OpenTofu`: its file, or `show -json` of it.
    TerraformState,
    /// A template of `CloudFormation`, SAM included.
    CloudFormation,
    /// What `cdk synth` wrote: a folder of templates.
    Cdk,
    /// A preview of Pulumi, as JSON or as its event log.
    Pulumi,
}

impl Form {
    /// Returns the name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TerraformPlan => "terraform-plan",
            Self::TerraformState => "terraform-state",
            Self::CloudFormation => "cloudformation",
            Self::Cdk => "cdk",
            Self::Pulumi => "pulumi",
        }
    }
}

/// A resource of one of the four services.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resource {
    /// Where it stands in the code: `module.ci.aws_codebuild_project.api`, a logical id with its
    /// stack, a URN.
    pub address: String,
    /// Its type in the words of the tool: `aws_codebuild_project`, `AWS::CodeBuild::Project`.
    pub type_name: String,
    /// What AWS calls it.
    pub name: Attribute<String>,
    /// Its account.
    pub account: Option<AccountId>,
    /// Its region.
    pub region: Attribute<Region>,
    /// What the change does to it.
    pub action: Action,
    /// Where it stood before it was moved.
    pub previous_address: Option<String>,
    /// Whether it exists at all.
    pub exists: Exists,
    /// What it is.
    pub kind: Kind,
}

/// What a change does to a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is deleted and made anew, in either order.
    Replace,
    /// It is deleted.
    Delete,
    /// It is only read: it belongs to someone else.
    Read,
}

impl Action {
    /// Returns the name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoOp => "no-op",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Read => "read",
        }
    }
}

/// What a resource is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A `CodeBuild` project.
    Project(Box<Project>),
    /// A reserved fleet of `CodeBuild`.
    Fleet(Box<Fleet>),
    /// A `CodePipeline` pipeline.
    Pipeline(Box<Pipeline>),
    /// A `CodeDeploy` deployment group.
    DeploymentGroup {
        /// `Server`, `Lambda` or `ECS`.
        platform: Attribute<String>,
        /// Tags of on-premises instances are stated, so it deploys to some.
        on_premises: Attribute<bool>,
    },
    /// A `CodeCommit` repository.
    Repository,
    /// A resource of the four services that costs nothing: a report group, a webhook, an application.
    Free,
    /// A resource of the four services that nobody here knows how to price.
    Other,
}

/// What the reader of a file should know.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Note {
    /// The plan ended in an error: what it lists is not all.
    PlanErrored,
    /// The log ends before the preview does: what it lists is not all.
    LogCut {
        /// The last line that was read.
        line: u64,
    },
    /// The preview lists what changes alone: so many resources that stay as they are were left out.
    UnchangedHidden {
        /// How many.
        count: u64,
    },
    /// Only some resources were planned (`-target`); the rest are taken from the state.
    Targeted,
    /// The file is a state: it says what exists, and no change.
    StateOnly,
    /// Text that stood around the JSON was left out.
    Wrapped,
    /// Lists ended in commas, which JSON does not have.
    TrailingCommas,
    /// The region is stated nowhere in the file.
    RegionUnstated {
        /// Of which resources.
        address: String,
    },
    /// The environment type is spelt in a way that AWS's API does not know, and read as another.
    TypeAlias {
        /// Of which resource.
        address: String,
        /// As written.
        written: String,
        /// As read.
        read: String,
    },
    /// A template is changed by a macro before it is used: what AWS makes may differ.
    Macro {
        /// Its name.
        name: String,
    },
    /// A nested template is not on disk, so what it makes is not counted.
    NestedElsewhere {
        /// The resource that brings it.
        address: String,
        /// Where it lies, as far as that is known.
        location: String,
    },
    /// A condition is false, so a resource of the four services is not made.
    NotCreated {
        /// Which.
        address: String,
        /// The condition.
        condition: String,
    },
    /// How many copies of something there are is not known.
    LoopUnknown {
        /// The loop.
        address: String,
    },
    /// A resource has a shape that its tool does not write; it is listed and not priced.
    Malformed {
        /// Which.
        address: String,
        /// The attribute.
        attribute: String,
    },
    /// A parameter has no value, and something depends on it.
    ParameterUnset {
        /// Its name.
        name: String,
        /// What it may be, where the template says so.
        allowed: Vec<String>,
    },
}

impl Note {
    /// Tells whether there may be resources that were not read, so that no total is whole.
    pub fn leaves_out(&self) -> bool {
        matches!(
            self,
            Self::PlanErrored
                | Self::LogCut { .. }
                | Self::UnchangedHidden { .. }
                | Self::Macro { .. }
                | Self::NestedElsewhere { .. }
                | Self::LoopUnknown { .. }
                | Self::Malformed { .. }
        )
    }
}
