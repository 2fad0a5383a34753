//! What is wrong with a template, and where.

use std::fmt;

use thiserror::Error;

/// Why a template cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}{}: {problem}", place(*line, *column))]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where it is the whole file.
    pub line: usize,
    /// The column, from 1; 0 where it is the whole line.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

fn place(line: usize, column: usize) -> String {
    match (line, column) {
        (0, _) => String::new(),
        (line, 0) => format!(", line {line}"),
        (line, column) => format!(", line {line}, column {column}"),
    }
}

impl TemplateError {
    pub(super) fn file(file: &str, problem: Problem) -> Self {
        Self::at(file, 0, 0, problem)
    }

    pub(super) fn line(file: &str, line: usize, problem: Problem) -> Self {
        Self::at(file, line, 0, problem)
    }

    pub(super) fn at(file: &str, line: usize, column: usize, problem: Problem) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column,
            problem,
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    /// The file cannot be opened.
    #[error("cannot be read ({0})")]
    Unreadable(String),
    /// Bytes that are no text.
    #[error("is neither UTF-8 nor UTF-16 text")]
    NotText,
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// Larger than any template.
    #[error("is larger than 16 MB, and AWS takes templates of 1 MB")]
    TooLong,
    /// A template of a template.
    #[error(
        "looks like a Jinja or cookiecutter template: render it first, and give the file that comes out"
    )]
    NotRendered,
    /// No YAML and no JSON.
    #[error("is not valid YAML or JSON{0}")]
    Syntax(Cause),
    /// Several documents in one file.
    #[error("a second document begins (`---`): a template is a single one")]
    SeveralDocuments,
    /// An anchor, alias or merge key.
    #[error(
        "anchors, aliases and merge keys (&, *, <<) are not supported by CloudFormation: write the value out"
    )]
    Alias,
    /// A tag that `CloudFormation` does not take.
    #[error("the YAML tag {0} is not supported by CloudFormation")]
    Tag(String),
    /// A key that is a mapping or a list.
    #[error("a key must be text: `{{{{ … }}}}` needs quotes, or the file is to be rendered first")]
    KeyNotText,
    /// A key twice in a mapping.
    #[error("{name} is already defined (line {first})")]
    KeyTwice {
        /// The key.
        name: String,
        /// Where it is first.
        first: usize,
    },
    /// Too deep.
    #[error("values are nested more than 100 deep")]
    TooDeep,
    /// Too many values.
    #[error("has more than 1,000,000 values")]
    TooMany,
    /// Evaluating takes too long or makes too much.
    #[error(
        "is too much to evaluate: its loops, nested stacks or texts multiply beyond what any stack may have"
    )]
    TooMuch,
    /// No template.
    #[error("is not a CloudFormation template: it has no Resources")]
    NoResources,
    /// A part that is not what it has to be.
    #[error("{what} must be {expected}")]
    Shape {
        /// The part.
        what: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Nested stacks contain each other.
    #[error("nested stacks contain each other")]
    Circle,
    /// A file of parameters in no known shape.
    #[error(
        "is not a parameter file: a list of {{\"ParameterKey\", \"ParameterValue\"}}, or {{\"Parameters\": {{\"NAME\": \"VALUE\"}}}}"
    )]
    NotParameters,
    /// No `manifest.json` where one is needed, or a broken one.
    #[error("is not the manifest of a CDK output folder: run `cdk synth`, and give its cdk.out")]
    NotAManifest,
}

impl Problem {
    /// Tells whether the parser stumbled, so that a look at the text may tell why.
    pub(super) fn is_of_syntax(&self) -> bool {
        matches!(
            self,
            Self::Syntax(_)
                | Self::KeyNotText
                | Self::SeveralDocuments
                | Self::Alias
                | Self::Tag(_)
        )
    }

    /// Tells from the line where the parser stumbled what is wrong with it.
    pub(super) fn syntax(text: &str, line: usize) -> Self {
        let at = line.max(1) - 1;
        let near: Vec<&str> = text.lines().skip(at.saturating_sub(1)).take(2).collect();
        let cause = if text.lines().any(|line| line.starts_with("<<<<<<< ")) {
            Cause::MergeConflict
        } else if near.iter().any(|line| {
            let blank = line.len() - line.trim_start().len();
            line[..blank].contains('\t')
        }) {
            Cause::Tab
        } else {
            Cause::Other
        };
        Self::Syntax(cause)
    }
}

/// Why text is no YAML, where a look at it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Markers of a merge.
    MergeConflict,
    /// A tab in the indentation.
    Tab,
    /// Anything else.
    Other,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MergeConflict => ": it has the markers of an unfinished merge (<<<<<<<)",
            Self::Tab => ": a tab is in the indentation, and YAML takes spaces only",
            Self::Other => ": look at the indentation, quotes and brackets here and just before",
        })
    }
}
