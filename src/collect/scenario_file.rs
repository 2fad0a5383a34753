//! Scenarios as text: a TOML file, or `--set` on the command line. Both say the same words.
//!
//! An error points at line and column and names what was probably meant.

use std::{fmt, ops::Range, path::Path, sync::Arc};

use rust_decimal::Decimal;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::stated::{self, Percent, UnknownName};
use crate::domain::{
    catalog::{Catalog, Grain},
    ids::ServiceCode,
    number::{parse_decimal, parse_price, parse_quantity},
    plan::PipelineType,
    rating::Discount,
    scenario::{
        Adjust, Change, Pattern, Scenario, Selector, Target, Term, Total,
        knob::{Axis, Knob},
    },
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

/// A problem at a place of the text that is being read.
struct At(Range<usize>, String);

type Read<T> = Result<T, At>;

/// A part of a text, with where it begins.
#[derive(Clone, Copy)]
struct Part<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Part<'a> {
    fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }.trimmed()
    }

    fn trimmed(self) -> Self {
        let lead = self.text.len() - self.text.trim_start().len();
        Self {
            text: self.text.trim(),
            at: self.at + lead,
        }
    }

    fn range(self) -> Range<usize> {
        self.at..self.at + self.text.len().max(1)
    }

    fn wrong<T>(self, problem: impl Into<String>) -> Read<T> {
        Err(At(self.range(), problem.into()))
    }

    fn split(self, separator: char) -> Option<(Self, Self)> {
        let (left, right) = self.text.split_once(separator)?;
        let after = self.at + left.len() + separator.len_utf8();
        Some((Self::new(left, self.at), Self::new(right, after)))
    }

    fn parts(self, separator: char) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut at = self.at;
        for text in self.text.split(separator) {
            parts.push(Self::new(text, at));
            at += text.len() + separator.len_utf8();
        }
        parts
    }
}

/// The names of changes, as `docs/scenarios.md` lists them.
const NAMES: [&str; 18] = [
    "active_users",
    "git_requests",
    "storage_gb",
    "v1_pipelines",
    "v2_action_minutes",
    "on_premises_updates",
    "on_premises_targets",
    "usage",
    "builds",
    "minutes",
    "compute",
    "pipeline_type",
    "region",
    "free_tier",
    "price",
    "discount",
    "price_like",
    "security_baseline",
];

/// Reads a scenario file.
pub fn read(path: &Path, catalog: &Catalog) -> Result<Scenario, ScenarioError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&file, &text, catalog),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            let problem = "this is no text file".to_owned();
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
        let problem = "a change is NAME=VALUE or NAME*=FACTOR, such as active_users=+10";
        return Err(wrong(At(whole.range(), problem.to_owned())));
    };
    let times = text[..equals].ends_with('*');
    let name = Part::new(text[..equals].trim_end_matches('*'), 0);
    let value = Part::new(&text[equals + 1..], equals + 1);
    change(name, times, value, catalog).map_err(wrong)
}

/// Returns where the first equals sign outside of brackets is.
fn equals_sign(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
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

/// Reads a change from its three parts.
fn change(name: Part<'_>, times: bool, value: Part<'_>, catalog: &Catalog) -> Read<Change> {
    let (name, selected) = match name.split('[') {
        Some((name, rest)) => match rest.text.strip_suffix(']') {
            Some(inside) => (name, Some(Part::new(inside, rest.at))),
            None => return rest.wrong("the bracket is not closed"),
        },
        None => (name, None),
    };
    let mut reader = Reader {
        catalog,
        name,
        times,
        selected,
        value,
        options: Vec::new(),
    };
    reader.change()
}

struct Reader<'a> {
    catalog: &'a Catalog,
    name: Part<'a>,
    times: bool,
    selected: Option<Part<'a>>,
    value: Part<'a>,
    options: Vec<(Part<'a>, Part<'a>)>,
}

impl<'a> Reader<'a> {
    fn change(&mut self) -> Read<Change> {
        let named = Total::NAMED
            .into_iter()
            .find(|(name, _)| *name == self.name.text);
        if let Some((_, of)) = named {
            return self.total(of);
        }
        match self.name.text {
            "usage" => self.metered(),
            "builds" | "minutes" => {
                self.only_times()?;
                let (only, times) = (self.selector("compute")?, self.factor(self.value)?);
                Ok(if self.name.text == "builds" {
                    Change::Builds { only, times }
                } else {
                    Change::Minutes { only, times }
                })
            }
            "compute" => self.compute(),
            "pipeline_type" => self.pipeline_type(),
            "region" => {
                self.no_times()?;
                let only = self.selector("region")?;
                let to = stated::region(self.catalog, self.value.text);
                let to = to.or_else(|problem| self.value.wrong(problem.to_string()))?;
                Ok(Change::Region { only, to })
            }
            "free_tier" => {
                self.plain()?;
                Ok(Change::FreeTier(self.on_or_off()?))
            }
            "security_baseline" => {
                self.plain()?;
                if self.on_or_off()? {
                    Ok(Change::SecurityBaseline)
                } else {
                    self.value
                        .wrong("it is off unless a scenario switches it on")
                }
            }
            "price_like" => {
                self.plain()?;
                let region = stated::region(self.catalog, self.value.text);
                let region = region.or_else(|problem| self.value.wrong(problem.to_string()))?;
                Ok(Change::PriceLike(region))
            }
            "price" => self.price(),
            "discount" => {
                self.no_times()?;
                let service = match self.selected {
                    Some(name) => {
                        let known = stated::service(self.catalog, name.text);
                        Some(known.or_else(|problem| name.wrong(problem.to_string()))?)
                    }
                    None => None,
                };
                let percent: Result<Percent, String> = self.value.text.parse();
                let percent = percent.or_else(|problem| self.value.wrong(problem))?.0;
                Ok(Change::Discount(Discount { service, percent }))
            }
            name => {
                let unknown = UnknownName::new("change", name, NAMES);
                self.name.wrong(unknown.to_string())
            }
        }
    }

    fn total(&mut self, of: Total) -> Read<Change> {
        let only = self.selector("pipeline")?;
        self.split_options(&["deployments"])?;
        let deployments = self.option("deployments");
        let to = self.adjust()?;
        let is_targets = matches!(of, Total::OnPremisesTargets { .. });
        let of = match (is_targets, deployments, to) {
            (true, Some(deployments), Adjust::To(_)) => Total::OnPremisesTargets {
                deployments: Some(self.quantity(deployments)?),
            },
            (true, None, Adjust::To(_) | Adjust::By(_)) => {
                return self.value.wrong(
                    "how many updates that is depends on the deployments: write \
                     on_premises_targets=20,deployments=30, or on_premises_targets*=2",
                );
            }
            (_, Some(deployments), _) => {
                return deployments.wrong("deployments go with on_premises_targets=NUMBER only");
            }
            (_, None, _) => of,
        };
        Ok(Change::Total { of, only, to })
    }

    fn metered(&mut self) -> Read<Change> {
        let example = "usage[AmazonS3:TimedStorage-ByteHrs]*=0.5";
        let Some(inside) = self.selected else {
            return self.name.wrong(format!("name the meter: {example}"));
        };
        let (meter, rest) = match inside.split(',') {
            Some((meter, rest)) => (meter, Some(rest)),
            None => (inside, None),
        };
        let Some((service, usage_type)) = meter.split(':') else {
            return meter.wrong(format!("a meter is SERVICE:USAGE_TYPE, as in {example}"));
        };
        let known = self.catalog.service(service.text);
        let code = known.map_or_else(|| ServiceCode::new(service.text), |s| s.code.clone());
        if known.is_none() {
            // A service nobody knows is unpriced, unless it is a slip of the keyboard.
            if let Err(
                unknown @ UnknownName {
                    nearest: Some(_), ..
                },
            ) = stated::service(self.catalog, service.text)
            {
                return service.wrong(unknown.to_string());
            }
        }
        let (_, meter) = self.catalog.locate(&code, usage_type.text, None);
        self.selected = rest;
        let only = self.selector("resource")?;
        let to = self.adjust()?;
        Ok(Change::Total {
            of: Total::Metered(meter),
            only,
            to,
        })
    }

    fn compute(&mut self) -> Read<Change> {
        self.no_times()?;
        if self.selected.is_none() {
            return self
                .name
                .wrong("say which builds move: compute[general1.medium]=arm1.medium");
        }
        let only = self.selector("compute")?;
        self.split_options(&["speed", "machines", "overflow"])?;
        let to = stated::compute(self.catalog, self.value.text)
            .or_else(|problem| self.value.wrong(problem.to_string()))?;
        let speed = match self.option("speed") {
            Some(speed) => {
                let value = self.factor(speed)?;
                if value.is_zero() {
                    return speed.wrong("at no speed nothing is ever built");
                }
                value
            }
            None => Decimal::ONE,
        };
        let overflow = match self.option("overflow") {
            None => None,
            Some(value) => match value.text {
                "on-demand" | "on" => Some(true),
                "queue" | "off" => Some(false),
                _ => return value.wrong("overflow is `on-demand` or `queue`"),
            },
        };
        let machines = self.option("machines");
        let to = if to.grain == Grain::Provisioned {
            let Some(machines) = machines else {
                return self
                    .value
                    .wrong("a reserved fleet has a size: add machines=3");
            };
            let number = machines.text.parse();
            let number = number.or_else(|_| machines.wrong("machines are a whole number"))?;
            Target::Fleet {
                compute: to,
                machines: number,
                overflow: overflow.unwrap_or(true),
            }
        } else if machines.is_some() || overflow.is_some() {
            return self.value.wrong(
                "machines and overflow belong to a reserved fleet: \
                 compute[…]=reserved,machines=3",
            );
        } else {
            Target::OnDemand(to)
        };
        Ok(Change::Compute { only, to, speed })
    }

    fn pipeline_type(&mut self) -> Read<Change> {
        self.no_times()?;
        let only = self.selector("pipeline")?;
        self.split_options(&["minutes"])?;
        let to = match self.value.text {
            "V1" | "v1" => PipelineType::V1,
            "V2" | "v2" => PipelineType::V2,
            _ => return self.value.wrong("a pipeline's type is V1 or V2"),
        };
        let minutes = match self.option("minutes") {
            Some(minutes) if to == PipelineType::V1 => {
                return minutes.wrong("V1 bills no minutes");
            }
            Some(minutes) => Some(self.quantity(minutes)?),
            None => None,
        };
        Ok(Change::PipelineType { only, to, minutes })
    }

    fn price(&mut self) -> Read<Change> {
        self.no_times()?;
        let Some(name) = self.selected else {
            return self
                .name
                .wrong("name the usage type: price[Build-Min:Linux:g1.small]=0.0045");
        };
        let price = parse_price(self.value.text);
        let price = price.or_else(|problem| self.value.wrong(problem.to_string()))?;
        let stated = stated::price(self.catalog, name.text, price, Arc::from("scenario"));
        let stated = stated.or_else(|problem| name.wrong(problem.to_string()))?;
        let is_known = self.catalog.services.values().any(|service| {
            let of_service = stated.service.as_ref().is_none_or(|s| *s == service.code);
            let usage_type = stated.usage_type.as_str();
            of_service && self.catalog.meter(&service.code, usage_type).is_some()
        });
        if !is_known {
            let all = self.catalog.services.values().flat_map(|s| &s.meters);
            let names = all.map(|info| info.meter.usage_type.as_str());
            let unknown = UnknownName::new("usage type", stated.usage_type.as_str(), names);
            if unknown.nearest.is_some() {
                return name.wrong(unknown.to_string());
            }
        }
        Ok(Change::Price(stated))
    }

    /// Reads which usage is meant. A term without a word before it is about `usual`.
    fn selector(&self, usual: &str) -> Read<Selector> {
        let Some(inside) = self.selected else {
            return Ok(Selector::default());
        };
        let mut terms = Vec::new();
        for part in inside.parts(',') {
            if part.text.is_empty() {
                return inside.wrong("nothing stands between the brackets");
            }
            terms.push(self.term(part, usual)?);
        }
        Ok(Selector { terms })
    }

    fn term(&self, part: Part<'_>, usual: &str) -> Read<Term> {
        let (what, name) = match part.split(':') {
            Some((what, name)) => (what.text, name),
            None => (usual, part),
        };
        let pattern = Pattern(name.text.to_owned());
        Ok(match what {
            "compute" => {
                let is_known = || {
                    let mut computes = self.catalog.computes.iter();
                    computes.any(|compute| {
                        let mut aliases = compute.aliases.iter();
                        pattern.matches(&compute.name) || aliases.any(|a| pattern.matches(a))
                    })
                };
                if let Some(compute) = self.catalog.compute(name.text) {
                    return Ok(Term::Compute(Pattern(compute.name.clone())));
                }
                if !is_known() {
                    let computes = &self.catalog.computes;
                    let names = computes.iter().map(|compute| compute.name.as_str());
                    let unknown = UnknownName::new("compute type", name.text, names);
                    return name.wrong(unknown.to_string());
                }
                Term::Compute(pattern)
            }
            "project" => Term::Project(pattern),
            "pipeline" => Term::Pipeline(pattern),
            "resource" => Term::Resource(pattern),
            "account" => Term::Account(pattern),
            "region" => {
                if !pattern.is_glob() {
                    let known = stated::region(self.catalog, name.text);
                    known.or_else(|problem| name.wrong(problem.to_string()))?;
                }
                Term::Region(pattern)
            }
            "tag" => match name.split(':') {
                Some((key, value)) => {
                    Term::Tag(key.text.to_owned(), Pattern(value.text.to_owned()))
                }
                None => return part.wrong("a tag is tag:KEY:VALUE, as in tag:team:payments"),
            },
            other => {
                let known = [
                    "compute", "project", "pipeline", "resource", "account", "region", "tag",
                ];
                let unknown = UnknownName::new("word before the colon", other, known);
                return part.wrong(unknown.to_string());
            }
        })
    }

    /// Takes `,key=value` off the end of the value.
    fn split_options(&mut self, known: &[&str]) -> Read<()> {
        let mut parts = self.value.parts(',').into_iter();
        if let Some(value) = parts.next() {
            self.value = value;
        }
        for part in parts {
            let Some((key, value)) = part.split('=') else {
                return part.wrong(format!("write {}=…", known.join("=… or ")));
            };
            if !known.contains(&key.text) {
                let unknown = UnknownName::new("option", key.text, known.iter().copied());
                return key.wrong(unknown.to_string());
            }
            self.options.push((key, value));
        }
        Ok(())
    }

    fn option(&self, name: &str) -> Option<Part<'a>> {
        let option = self.options.iter().rev().find(|(key, _)| key.text == name);
        option.map(|(_, value)| *value)
    }

    fn adjust(&self) -> Read<Adjust> {
        if self.times {
            return Ok(Adjust::Times(self.factor(self.value)?));
        }
        let text = self.value.text;
        let value = parse_decimal(text).or_else(|problem| self.value.wrong(problem.to_string()))?;
        Ok(if text.starts_with(['+', '-']) {
            Adjust::By(value)
        } else {
            Adjust::To(value)
        })
    }

    fn factor(&self, part: Part<'_>) -> Read<Decimal> {
        let value = self.quantity(part)?;
        if value > Decimal::from(1_000_000) {
            return part.wrong("more than a million times as much is a slip of the keyboard");
        }
        Ok(value)
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn quantity(&self, part: Part<'_>) -> Read<Decimal> {
        parse_quantity(part.text).or_else(|problem| part.wrong(problem.to_string()))
    }

    fn on_or_off(&self) -> Read<bool> {
        match self.value.text {
            "on" | "true" => Ok(true),
            "off" | "false" => Ok(false),
            _ => self.value.wrong("write on or off"),
        }
    }

    fn only_times(&self) -> Read<()> {
        if self.times {
            return Ok(());
        }
        let name = self.name.text;
        self.value
            .wrong(format!("write how many times as many: {name}*=1.5"))
    }

    fn no_times(&self) -> Read<()> {
        if self.times {
            return self
                .value
                .wrong(format!("{} is set with =, not *=", self.name.text));
        }
        Ok(())
    }

    fn plain(&self) -> Read<()> {
        self.no_times()?;
        match self.selected {
            Some(part) => part.wrong(format!("{} holds for everything", self.name.text)),
            None => Ok(()),
        }
    }
}

/// What a knob may be called.
const KNOBS: [&str; 13] = [
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
];

/// Reads the name of something that can be turned: `speed`, `active_users`, `minutes[project:api]`.
pub fn parse_knob(flag: &str, text: &str, catalog: &Catalog) -> Result<Knob, ScenarioError> {
    let wrong = |At(range, problem)| locate(flag, text, range, problem);
    let part = Part::new(text, 0);
    let knob = match part.text {
        "speed" => return Ok(Knob::Speed),
        "machines" => return Ok(Knob::Machines),
        "pipeline_minutes" => return Ok(Knob::PipelineMinutes),
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
    match knob.map_err(wrong)? {
        Change::Builds { only, .. } => Ok(Knob::Builds(only)),
        Change::Minutes { only, .. } => Ok(Knob::Minutes(only)),
        Change::Total { of, only, .. } => Ok(Knob::Total(of, only)),
        _ => Err(wrong(At(part.range(), "this cannot be turned".to_owned()))),
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
    let knob = parse_knob(flag, text[..equals].trim_end_matches('*'), catalog)?;
    let values = axis_values(Part::new(&text[equals + 1..], equals + 1)).map_err(wrong)?;
    if knob.is_whole() && values.iter().any(|value| !value.fract().is_zero()) {
        let problem = format!("there are no halves of {}", knob.name());
        return Err(wrong(At(equals + 1..text.len(), problem)));
    }
    Ok(Axis { knob, values })
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
) -> Result<(Knob, Option<(Decimal, Decimal)>), ScenarioError> {
    let Some(equals) = equals_sign(text) else {
        return Ok((parse_knob(flag, text, catalog)?, None));
    };
    let wrong = |At(range, problem)| locate(flag, text, range, problem);
    let knob = parse_knob(flag, &text[..equals], catalog)?;
    let range = Part::new(&text[equals + 1..], equals + 1);
    let ends = range.text.split_once("..").and_then(|(from, to)| {
        let (from, to) = (parse_quantity(from).ok()?, parse_quantity(to).ok()?);
        (from < to).then_some((from, to))
    });
    match ends {
        Some(ends) => Ok((knob, Some(ends))),
        None => Err(wrong(At(
            range.range(),
            "write FROM..TO, such as speed=0.5..2".to_owned(),
        ))),
    }
}

/// Writes a scenario as a file that [`parse`] reads.
pub fn write(scenario: &Scenario, comments: &[String]) -> String {
    let quoted = |text: &str| {
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        serde_json::to_string(&clean).expect("text is JSON, and TOML reads it")
    };
    let mut out = String::new();
    for comment in comments {
        let clean: String = comment.chars().filter(|c| !c.is_control()).collect();
        out += &format!("# {clean}\n");
    }
    out += &format!("name = {}\n", quoted(&scenario.name));
    if let Some(note) = &scenario.note {
        out += &format!("note = {}\n", quoted(note));
    }
    for change in &scenario.changes {
        let text = change.to_string();
        let equals = equals_sign(&text).unwrap_or(text.len());
        let (name, value) = text.split_at(equals);
        out += &format!(
            "{} = {}\n",
            quoted(name),
            quoted(value.trim_start_matches('='))
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing;

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
        assert_eq!(axis.knob.name(), "active_users");
        let axis = parse_axis("--sweep", "minutes[project:api]=0.5,1", &catalog).unwrap();
        assert_eq!(axis.knob.name(), "minutes[project:api]");
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
