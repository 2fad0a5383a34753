//! Scenarios as text: a TOML file, or `--set` on the command line. Both say the same words.
//!
//! An error points at line and column and names what was probably meant.

mod grammar;

use std::{fmt, ops::Range, path::Path};

use rust_decimal::Decimal;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use self::grammar::{At, Part, Read, change};
use crate::{
    domain::{
        catalog::Catalog,
        number::parse_quantity,
        scenario::{
            Change, Scenario,
            change::equals_sign,
            parameter::{Axis, Parameter},
        },
    },
    unknown_name::UnknownName,
};

/// What is wrong with a scenario.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{file}: {problem}")]
    Malformed {
        /// The file.
        file: String,
        /// What and where, as the TOML reader says it.
        problem: String,
    },
    /// Something in it is wrong.
    #[error("{0}")]
    Wrong(Wrong),
}

/// Something wrong, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The file or flag.
    pub source: String,
    /// The line, from 1; none on the command line.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: usize,
    /// How many characters it spans.
    pub width: usize,
    /// The line as it stands.
    pub text: String,
    /// What is wrong, and what was probably meant.
    pub problem: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            column,
            problem,
            text,
            ..
        } = self;
        let number = self.line.map(|line| line.to_string()).unwrap_or_default();
        let gutter = " ".repeat(number.len());
        match self.line {
            Some(line) => writeln!(f, "{source}, line {line}, column {column}: {problem}")?,
            None => writeln!(f, "{source}, column {column}: {problem}")?,
        }
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {text}")?;
        let (before, carets) = (" ".repeat(column - 1), "^".repeat(self.width.max(1)));
        write!(f, "{gutter} | {before}{carets}")
    }
}

/// Reads a scenario file.
pub fn read(path: &Path, catalog: &Catalog) -> Result<Scenario, ScenarioError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&file, &text, catalog),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            let problem = "this is not a text file".to_owned();
            Err(ScenarioError::Malformed { file, problem })
        }
        Err(source) => Err(ScenarioError::Unreadable { file, source }),
    }
}

/// Reads the text of a scenario file; `file` names it in errors, and the scenario if it has no name.
pub fn parse(file: &str, text: &str, catalog: &Catalog) -> Result<Scenario, ScenarioError> {
    let table = DeTable::parse(text).map_err(|error| ScenarioError::Malformed {
        file: file.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
    })?;
    let mut entries: Vec<_> = table.into_inner().into_iter().collect();
    // Changes hold in the order in which they are written.
    entries.sort_by_key(|(key, _)| key.span().start);
    let stem = Path::new(file).file_name().and_then(|name| name.to_str());
    let mut scenario = Scenario {
        name: stem.unwrap_or(file).trim_end_matches(".toml").to_owned(),
        ..Scenario::default()
    };
    let wrong = |At(range, problem)| locate(file, text, range, problem);
    for (key, value) in entries {
        let (key_span, value_span) = (key.span(), value.span());
        let stated = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            DeValue::Boolean(on) => (if *on { "on" } else { "off" }).to_owned(),
            _ => {
                let problem = "a change is text or a whole number, such as \"1.5\" or 12";
                return Err(wrong(At(value_span, problem.to_owned())));
            }
        };
        match key.get_ref().as_ref() {
            "name" => scenario.name = stated,
            "note" => scenario.note = Some(stated),
            _ => {
                let is_quoted =
                    |span: &Range<usize>| text[span.clone()].starts_with(['"', '\'']).into();
                let key_at: usize = is_quoted(&key_span);
                let value_at: usize = is_quoted(&value_span);
                let mut name = Part::new(key.get_ref(), key_span.start + key_at);
                let times = name.text.ends_with('*');
                if times {
                    name = Part::new(&name.text[..name.text.len() - 1], name.at);
                }
                let value = Part::new(&stated, value_span.start + value_at);
                let change = change(name, times, value, catalog).map_err(wrong)?;
                scenario.changes.push(change);
            }
        }
    }
    Ok(scenario)
}

/// Reads one change as `--set` has it.
pub fn parse_set(flag: &str, text: &str, catalog: &Catalog) -> Result<Change, ScenarioError> {
    let wrong = |At(range, problem)| locate(flag, text, range, problem);
    let whole = Part::new(text, 0);
    let Some(equals) = equals_sign(text) else {
        if let Some((before, rest)) = text.split_once('[')
            && rest.contains('=')
            && !rest.contains(']')
        {
            let problem = "the bracket is not closed".to_owned();
            return Err(wrong(At(before.len()..text.len(), problem)));
        }
        let problem = "a change is NAME=VALUE or NAME*=FACTOR, such as active_users=+10";
        return Err(wrong(At(whole.range(), problem.to_owned())));
    };
    let times = text[..equals].ends_with('*');
    let name = Part::new(text[..equals].trim_end_matches('*'), 0);
    let value = Part::new(&text[equals + 1..], equals + 1);
    change(name, times, value, catalog).map_err(wrong)
}

/// Turns a place in a text into line and column.
fn locate(source: &str, text: &str, range: Range<usize>, problem: String) -> ScenarioError {
    let start = range.start.min(text.len());
    let start = (0..=start)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let is_file = !source.starts_with("--");
    let clean = |part: &str| -> String {
        part.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect()
    };
    let end = (range.start..=range.end.min(line_end).max(start))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(start);
    ScenarioError::Wrong(Wrong {
        source: source.to_owned(),
        line: is_file.then(|| text[..start].matches('\n').count() + 1),
        column: text[line_start..start].chars().count() + 1,
        width: text[start..end.max(start)].chars().count(),
        text: clean(&text[line_start..line_end]),
        problem,
    })
}

/// What a parameter may be called.
const KNOBS: [&str; 15] = [
    "speed",
    "machines",
    "pipeline_minutes",
    "builds",
    "minutes",
    "active_users",
    "git_requests",
    "storage_gb",
    "v1_pipelines",
    "v2_action_minutes",
    "on_premises_updates",
    "on_premises_targets",
    "usage",
    "log_retention",
    "artifact_retention",
];

/// Reads the name of something that can be turned: `speed`, `active_users`, `minutes[project:api]`.
pub fn parse_knob(flag: &str, text: &str, catalog: &Catalog) -> Result<Parameter, ScenarioError> {
    let wrong = |At(range, problem)| locate(flag, text, range, problem);
    let part = Part::new(text, 0);
    let parameter = match part.text {
        "speed" => return Ok(Parameter::Speed),
        "machines" => return Ok(Parameter::Machines),
        "pipeline_minutes" => return Ok(Parameter::PipelineMinutes),
        name if name.starts_with("builds") || name.starts_with("minutes") => {
            change(part, true, Part::new("1", text.len()), catalog)
        }
        name if name.starts_with("on_premises_targets") => {
            let value = Part::new("1,deployments=1", text.len());
            change(part, false, value, catalog)
        }
        _ => {
            let name = part.text.split('[').next().unwrap_or_default();
            if !KNOBS.contains(&name) {
                let unknown = UnknownName::new("quantity", name, KNOBS);
                return Err(wrong(At(part.range(), unknown.to_string())));
            }
            change(part, false, Part::new("1", text.len()), catalog)
        }
    };
    match parameter.map_err(wrong)? {
        Change::Builds { only, .. } => Ok(Parameter::Builds(only)),
        Change::Minutes { only, .. } => Ok(Parameter::Minutes(only)),
        Change::Total { of, only, .. } => Ok(Parameter::Total(of, only)),
        Change::Retention { left, only, .. } => Ok(Parameter::Retention(left, only)),
        _ => Err(wrong(At(
            part.range(),
            "this is not a parameter".to_owned(),
        ))),
    }
}

/// The most values of an axis.
const MOST_VALUES: usize = 1000;

/// Reads an axis: `active_users=5..50:5`, or values one by one: `speed=0.8,1,1.2`.
pub fn parse_axis(flag: &str, text: &str, catalog: &Catalog) -> Result<Axis, ScenarioError> {
    let wrong = |At(range, problem)| locate(flag, text, range, problem);
    let whole = Part::new(text, 0);
    let Some(equals) = equals_sign(text) else {
        let problem = "write NAME=FROM..TO:STEP, such as active_users=5..50:5";
        return Err(wrong(At(whole.range(), problem.to_owned())));
    };
    let parameter = parse_knob(flag, text[..equals].trim_end_matches('*'), catalog)?;
    let values = axis_values(Part::new(&text[equals + 1..], equals + 1)).map_err(wrong)?;
    if parameter.is_whole() && values.iter().any(|value| !value.fract().is_zero()) {
        let problem = format!("{} must be a whole number", parameter.name());
        return Err(wrong(At(equals + 1..text.len(), problem)));
    }
    Ok(Axis { parameter, values })
}

fn axis_values(part: Part<'_>) -> Read<Vec<Decimal>> {
    let number = |part: Part<'_>| {
        parse_quantity(part.text).or_else(|problem| part.wrong(problem.to_string()))
    };
    let Some(dots) = part.text.find("..") else {
        return part.parts(',').into_iter().map(number).collect();
    };
    let from = number(Part::new(&part.text[..dots], part.at))?;
    let rest = Part::new(&part.text[dots + 2..], part.at + dots + 2);
    let (to, step) = match rest.split(':') {
        Some((to, step)) => (number(to)?, number(step)?),
        None => (number(rest)?, Decimal::ONE),
    };
    if step.is_zero() || to < from {
        return part.wrong("write FROM..TO:STEP with FROM below TO and a step above 0");
    }
    if (to - from) / step >= Decimal::from(MOST_VALUES) {
        return part.wrong(format!(
            "more than {MOST_VALUES} values: take a larger step"
        ));
    }
    let mut values = Vec::new();
    let mut value = from;
    while value <= to {
        values.push(value);
        value += step;
    }
    Ok(values)
}

/// Reads the range of a break-even: `speed=0.5..2`, or the name alone.
pub fn parse_range(
    flag: &str,
    text: &str,
    catalog: &Catalog,
) -> Result<(Parameter, Option<(Decimal, Decimal)>), ScenarioError> {
    let Some(equals) = equals_sign(text) else {
        return Ok((parse_knob(flag, text, catalog)?, None));
    };
    let wrong = |At(range, problem)| locate(flag, text, range, problem);
    let parameter = parse_knob(flag, &text[..equals], catalog)?;
    let range = Part::new(&text[equals + 1..], equals + 1);
    let ends = range.text.split_once("..").and_then(|(from, to)| {
        let (from, to) = (parse_quantity(from).ok()?, parse_quantity(to).ok()?);
        (from < to).then_some((from, to))
    });
    match ends {
        Some(ends) => Ok((parameter, Some(ends))),
        None => Err(wrong(At(
            range.range(),
            "write FROM..TO, such as speed=0.5..2".to_owned(),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pricing, report::scenario_file::write};

    #[test]
    fn what_a_change_writes_reads_back() {
        let catalog = pricing::embedded().unwrap();
        for text in [
            "active_users=+10",
            "active_users=-3",
            "active_users=50",
            "v1_pipelines=12",
            "v2_action_minutes[pipeline:checkout-*]*=0.8",
            "pipeline_type[pipeline:team-*]=V2,minutes=120",
            "pipeline_type=V1",
            "builds*=1.5",
            "minutes[project:api,region:eu-west-1]*=0.7",
            "compute[general1.medium]=arm1.medium,speed=1.2",
            "compute[project:api*,tag:team:payments]=lambda.arm.4GB",
            "compute[general1.large]=reserved,machines=3,overflow=queue",
            "compute[general1.medium]=github.linux.4core,speed=1.1",
            "github_plan=team",
            "github_plan=none",
            "repository=public",
            "repository[project:internal-*]=private",
            "region[region:us-east-1]=eu-west-1",
            "on_premises_targets*=2",
            "on_premises_targets=20,deployments=30",
            "usage[AmazonS3:TimedStorage-ByteHrs]*=0.5",
            "free_tier=off",
            "price[CodeBuild:Build-Min:Linux:g1.small]=0.0045",
            "discount=5%",
            "discount[CodeBuild]=7.5%",
            "price_like=us-east-1",
            "security_baseline=on",
            "log_storage*=0.5",
            "artifact_storage[resource:codepipeline-*]*=0",
            "log_retention[resource:/aws/codebuild/api]=30",
            "artifact_retention=90",
        ] {
            let change = parse_set("--set", text, &catalog).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(change.to_string(), text);
            let scenario = Scenario {
                name: "a \"name\"".to_owned(),
                note: Some("why".to_owned()),
                changes: vec![change],
            };
            let file = write(&scenario, &["from a test".to_owned()]);
            let read = parse("x.toml", &file, &catalog).unwrap_or_else(|e| panic!("{e}\n{file}"));
            assert_eq!(read, scenario);
        }
    }

    #[test]
    fn an_error_points_at_what_is_wrong_and_says_what_was_meant() {
        let catalog = pricing::embedded().unwrap();
        let text = "name = \"x\"\n\n\"compute[general1.medum]\" = \"arm1.medium\"\n";
        let error = parse("s.toml", text, &catalog).unwrap_err().to_string();
        assert_eq!(
            error,
            "s.toml, line 3, column 10: unknown compute type `general1.medum`: did you mean \
             `general1.medium`?\n  |\n3 | \"compute[general1.medum]\" = \"arm1.medium\"\n  |          \
             ^^^^^^^^^^^^^^"
        );
        let error = parse_set("--set", "activ_users=+10", &catalog).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--set, column 1: unknown change `activ_users`: did you mean `active_users`?\n |\n | \
             activ_users=+10\n | ^^^^^^^^^^^"
        );
    }

    #[test]
    fn changes_hold_in_the_order_they_are_written() {
        let catalog = pricing::embedded().unwrap();
        let text =
            "v1_pipelines = 2\n\"builds*\" = \"1.5\"\nactive_users = \"+3\"\nfree_tier = false\n";
        let read = parse("order.toml", text, &catalog).unwrap();
        let written: Vec<String> = read.changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            written,
            [
                "v1_pipelines=2",
                "builds*=1.5",
                "active_users=+3",
                "free_tier=off"
            ]
        );
        assert_eq!(read.name, "order");
    }

    #[test]
    fn axes_are_ranges_or_lists() {
        let catalog = pricing::embedded().unwrap();
        let axis = parse_axis("--sweep", "active_users=5..20:5", &catalog).unwrap();
        assert_eq!(axis.values, [5, 10, 15, 20].map(Decimal::from));
        assert_eq!(axis.parameter.name(), "active_users");
        let axis = parse_axis("--sweep", "minutes[project:api]=0.5,1", &catalog).unwrap();
        assert_eq!(axis.parameter.name(), "minutes[project:api]");
        for wrong in [
            "active_users",
            "activ=1..2",
            "active_users=2..1",
            "active_users=1..9:0",
            "active_users=1.5",
            "active_users=0..1000000:1",
        ] {
            assert!(parse_axis("--sweep", wrong, &catalog).is_err(), "{wrong}");
        }
    }
}
