//! The grammar of one change: a name, which usage it means, and a value.

mod values;

use std::{ops::Range, sync::Arc};

use rust_decimal::Decimal;

use crate::{
    domain::{
        catalog::{Catalog, Grain},
        ids::ServiceCode,
        number::parse_price,
        pattern::Pattern,
        plan::PipelineType,
        rating::Discount,
        scenario::{Adjust, Change, Selector, Target, Term, Total},
        storage::StorageKind,
    },
    inputs::resolve::{self, Percent},
    unknown_name::UnknownName,
};

/// A problem at a place of the text that is being read.
pub(super) struct At(pub(super) Range<usize>, pub(super) String);

pub(super) type Read<T> = Result<T, At>;

/// A part of a text, with where it begins.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Part<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }.trimmed()
    }

    fn trimmed(self) -> Self {
        let lead = self.text.len() - self.text.trim_start().len();
        Self {
            text: self.text.trim(),
            at: self.at + lead,
        }
    }

    pub(super) fn range(self) -> Range<usize> {
        self.at..self.at + self.text.len().max(1)
    }

    pub(super) fn wrong<T>(self, problem: impl Into<String>) -> Read<T> {
        Err(At(self.range(), problem.into()))
    }

    pub(super) fn split(self, separator: char) -> Option<(Self, Self)> {
        let (left, right) = self.text.split_once(separator)?;
        let after = self.at + left.len() + separator.len_utf8();
        Some((Self::new(left, self.at), Self::new(right, after)))
    }

    pub(super) fn parts(self, separator: char) -> Vec<Self> {
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
const NAMES: [&str; 23] = [
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
    "repository",
    "free_tier",
    "price",
    "discount",
    "price_like",
    "security_baseline",
    "log_storage",
    "log_retention",
    "artifact_storage",
    "artifact_retention",
];

/// Reads a change from its three parts.
pub(super) fn change(
    name: Part<'_>,
    times: bool,
    value: Part<'_>,
    catalog: &Catalog,
) -> Read<Change> {
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

impl Reader<'_> {
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
                let to = resolve::region(self.catalog, self.value.text);
                let to = to.or_else(|problem| self.value.wrong(problem.to_string()))?;
                Ok(Change::Region { only, to })
            }
            "repository" => {
                self.no_times()?;
                let only = self.selector("project")?;
                let public = match self.value.text {
                    "public" => true,
                    "private" => false,
                    _ => return self.value.wrong("a repository is public or private"),
                };
                Ok(Change::Repository { only, public })
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
                let region = resolve::region(self.catalog, self.value.text);
                let region = region.or_else(|problem| self.value.wrong(problem.to_string()))?;
                Ok(Change::PriceLike(region))
            }
            "price" => self.price(),
            "log_storage" | "artifact_storage" => {
                self.only_times()?;
                let left = self.storage_kind();
                let only = self.selector(left.usual())?;
                let times = self.factor(self.value)?;
                Ok(Change::Storage { left, only, times })
            }
            "log_retention" | "artifact_retention" => {
                self.no_times()?;
                let left = self.storage_kind();
                let (only, days) = (self.selector(left.usual())?, self.quantity(self.value)?);
                if days.is_zero() || !days.fract().is_zero() {
                    return self.value.wrong("a whole number of days, from 1");
                }
                Ok(Change::Retention { left, only, days })
            }
            "discount" => {
                self.no_times()?;
                let service = match self.selected {
                    Some(name) => {
                        let known = resolve::service(self.catalog, name.text);
                        Some(known.or_else(|problem| name.wrong(problem.to_string()))?)
                    }
                    None => None,
                };
                let percent: Result<Percent, String> = self.value.text.parse();
                let percent = percent.or_else(|problem| self.value.wrong(problem))?.0;
                Ok(Change::Discount(Discount { service, percent }))
            }
            "" => self
                .name
                .wrong("a change has a name, such as active_users=+10"),
            name => {
                if let Some(vendor) = resolve::vendor_of_plan(self.catalog, name) {
                    self.plain()?;
                    let change = resolve::plan(vendor, self.value.text);
                    return change.or_else(|problem| self.value.wrong(problem.to_string()));
                }
                let plans = resolve::plan_names(self.catalog);
                let names = NAMES.into_iter().chain(plans.iter().map(String::as_str));
                let unknown = UnknownName::new("change", name, names);
                self.name.wrong(unknown.to_string())
            }
        }
    }

    fn total(&mut self, of: Total) -> Read<Change> {
        let only = self.selector("pipeline")?;
        self.split_options(&["deployments"])?;
        let deployments = self.option("deployments");
        let to = self.adjust()?;
        if let Adjust::To(value) | Adjust::By(value) = to
            && of.is_whole()
            && !value.fract().is_zero()
        {
            let name = self.name.text;
            return self.value.wrong(format!("{name} must be a whole number"));
        }
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
            ) = resolve::service(self.catalog, service.text)
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
        let to = resolve::target(self.catalog, self.value.text)
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
        let is_fleet = matches!(&to, Target::OnDemand(to) if to.grain == Grain::Provisioned);
        let to = if is_fleet {
            let Some(machines) = machines else {
                return self
                    .value
                    .wrong("a reserved fleet has a size: add machines=3");
            };
            let number = machines.text.parse();
            let number = number.or_else(|_| machines.wrong("machines are a whole number"))?;
            if number == 0 {
                return machines.wrong("a fleet has at least one machine");
            }
            Target::Fleet {
                compute: to.compute().clone(),
                machines: number,
                overflow: overflow.unwrap_or(true),
            }
        } else if machines.is_some() || overflow.is_some() {
            return self.value.wrong(
                "machines and overflow belong to a reserved fleet: \
                 compute[…]=reserved,machines=3",
            );
        } else {
            to
        };
        Ok(Change::Compute { only, to, speed })
    }

    fn pipeline_type(&mut self) -> Read<Change> {
        self.no_times()?;
        let mut only = self.selector("pipeline")?;
        // All of them, and also those that a file only counts.
        only.terms
            .retain(|term| !matches!(term, Term::Pipeline(Pattern(name)) if name == "*"));
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

    fn storage_kind(&self) -> StorageKind {
        if self.name.text.starts_with("log") {
            StorageKind::Logs
        } else {
            StorageKind::Artifacts
        }
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
        let stated = resolve::price(self.catalog, name.text, price, Arc::from("scenario"));
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
                    let known = resolve::region(self.catalog, name.text);
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
}
