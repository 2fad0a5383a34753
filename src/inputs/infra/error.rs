//! Why a file cannot be read as infrastructure code.

use thiserror::Error;

/// Why a file cannot be read as infrastructure code.
#[derive(Debug, Error)]
pub enum InfraError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is larger than any plan should be.
    #[error("{file} is larger than {mebibytes} MiB")]
    TooLarge {
        /// The file.
        file: String,
        /// The limit.
        mebibytes: u64,
    },
    /// It is damaged.
    #[error("{file}, line {line}, column {column}: {}", problem.text())]
    Malformed {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        problem: Problem,
    },
    /// A template cannot be evaluated.
    #[error(transparent)]
    Template(#[from] super::cloudformation::TemplateError),
    /// A parameter was given that no template has.
    #[error("{file} has no parameter {name}{}", match &known[..] {
        [] => ": it has none".to_owned(),
        known => format!(": it has {}", known.join(", ")),
    })]
    NoParameter {
        /// The file.
        file: String,
        /// The parameter.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// It is something else than can be priced.
    #[error("{file}: {}", what.text())]
    Foreign {
        /// The file.
        file: String,
        /// What it is.
        what: Foreign,
    },
}

/// What is wrong with a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Problem {
    /// It ends in the middle.
    Cut,
    /// It is no JSON.
    NotJson,
    /// A value stands where the tool writes another kind of value.
    Shape,
    /// Values within values, deeper than any tool writes.
    Depth,
}

impl Problem {
    const fn text(self) -> &'static str {
        match self {
            Self::Cut => "the file ends here, in the middle of a value",
            Self::NotJson => "not valid JSON",
            Self::Shape => "not what the tool writes here",
            Self::Depth => "nested too deeply",
        }
    }
}

/// What a file is that cannot be priced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Foreign {
    /// Nothing at all.
    Empty,
    /// A plan as Terraform saves it.
    BinaryPlan,
    /// Code of Terraform.
    TerraformCode,
    /// Messages of `terraform plan -json`, one a line.
    PlanMessages,
    /// Steps of Pulumi without the states of the resources.
    PulumiWithoutStates,
    /// The state of a Pulumi stack.
    PulumiState,
    /// A template of a template.
    Jinja {
        /// The first line that says so.
        line: usize,
    },
    /// A template of `CloudFormation`.
    Template,
    /// A state of a version that is not known.
    StateVersion,
    /// Nothing that is known.
    Unknown,
}

impl Foreign {
    fn text(self) -> String {
        match self {
            Self::Empty => "the file is empty".to_owned(),
            Self::BinaryPlan => "a saved plan, which is binary".to_owned(),
            Self::TerraformCode => "Terraform code, not a plan of it".to_owned(),
            Self::PlanMessages => "the messages of `terraform plan -json`, not the plan".to_owned(),
            Self::PulumiWithoutStates => {
                "steps without the inputs of their resources, so nothing can be priced".to_owned()
            }
            Self::PulumiState => "the state of a Pulumi stack, not a preview".to_owned(),
            Self::Jinja { line } => {
                format!("line {line} has Jinja tags: the template has to be rendered first")
            }
            Self::Template => "a CloudFormation template with something else around it".to_owned(),
            Self::StateVersion => "a Terraform state of a version other than 3 and 4".to_owned(),
            Self::Unknown => "neither a plan, a state, a template nor a preview".to_owned(),
        }
    }

    /// Returns what to do next.
    pub const fn next_step(self) -> &'static str {
        match self {
            Self::BinaryPlan => "write it as JSON: `terraform show -json FILE > plan.json`",
            Self::TerraformCode | Self::PlanMessages => {
                "`terraform plan -out plan.bin`, then `terraform show -json plan.bin > plan.json`"
            }
            Self::PulumiWithoutStates | Self::PulumiState => {
                "`pulumi preview --json --show-sames > preview.json`"
            }
            Self::Jinja { .. } => "render it with its tool, then give the result",
            Self::StateVersion => "`terraform show -json > state.json` writes one that can be read",
            Self::Empty | Self::Template | Self::Unknown => {
                "`terraform show -json plan.bin > plan.json` or `pulumi preview --json > preview.json` \
                 writes a file that can be priced"
            }
        }
    }
}
