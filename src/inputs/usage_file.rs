//! `usage.toml`: stated usage in a file, with names in place of flags.
//!
//! Errors point at the line: the file is written by hand, and mostly wrong in one place.

mod entries;

use self::entries::{
    Entry, FreeTierEntry, Number, Parsed, PipelineEntry, PriceEntry, ScopeEntry, StageEntry,
    TypeEntry,
};
use std::{path::Path, sync::Arc};

use rust_decimal::Decimal;
use thiserror::Error;
use toml::Spanned;

use crate::{
    domain::{
        allowance::FreeTier,
        catalog::{Catalog, Compute},
        ids::{Region, ServiceCode},
        metering::codepipeline::ActionKind,
        period::Month,
        plan::{
            BuildAmount, FailedRuns, Item, Pipeline, PipelineType, Plan, PricingTerms, Runs, Stage,
        },
        rating::Discount,
    },
    unknown_name::UnknownName,
};

use super::resolve;

/// What is wrong with a usage file.
#[derive(Debug, Error)]
pub enum UsageFileError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML of the expected shape, or a value is wrong.
    #[error("{file}: {problem}")]
    Malformed {
        /// The file.
        file: String,
        /// What and where, with the line.
        problem: String,
    },
    /// A name that the catalogue does not know.
    #[error("{file}, line {line}: {problem}")]
    Unknown {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is not known.
        problem: UnknownName,
    },
    /// A value that contradicts another.
    #[error("{file}, line {line}: {problem}")]
    Contradiction {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What does not fit.
        problem: String,
    },
}

/// A usage file as it was read. The month and region may be left to the command line.
#[derive(Debug, Default)]
pub struct UsageFile {
    /// Which month.
    pub month: Option<Month>,
    /// Where.
    pub region: Option<Region>,
    /// Totals.
    pub items: Vec<(Item, Arc<str>)>,
    /// Pipelines by shape.
    pub pipelines: Vec<(Pipeline, Arc<str>)>,
    /// Prices, free tier and discounts.
    pub terms: PricingTerms,
}

impl UsageFile {
    /// Returns the plan, with defaults for what the file leaves open.
    pub fn plan(&self, month: Month, region: Region) -> Plan {
        Plan {
            month,
            region,
            items: self.items.clone(),
            pipelines: self.pipelines.clone(),
        }
    }
}

/// Reads a usage file.
pub fn read(path: &Path, catalog: &Catalog) -> Result<UsageFile, UsageFileError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&file, &text, catalog),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            let problem = "this is not a text file".to_owned();
            Err(UsageFileError::Malformed { file, problem })
        }
        Err(source) => Err(UsageFileError::Unreadable { file, source }),
    }
}

/// Reads the text of a usage file; `file` names it in errors.
pub fn parse(file: &str, text: &str, catalog: &Catalog) -> Result<UsageFile, UsageFileError> {
    let entry: Entry = toml::from_str(text).map_err(|error| UsageFileError::Malformed {
        file: file.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
    })?;
    let reader = Reader {
        file,
        text,
        catalog,
        name: Arc::from(short_name(file)),
    };
    reader.read(entry)
}

fn short_name(file: &str) -> &str {
    Path::new(file)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(file)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    catalog: &'a Catalog,
    name: Arc<str>,
}

impl Reader<'_> {
    fn read(&self, entry: Entry) -> Result<UsageFile, UsageFileError> {
        let mut read = UsageFile {
            month: entry.month.map(|month| month.0),
            region: entry
                .region
                .map(|region| self.region(&region))
                .transpose()?,
            terms: self.terms(
                entry.free_tier,
                entry.discount,
                entry.price,
                entry.price_like,
            )?,
            ..UsageFile::default()
        };
        let value = |number: Number| number.0;
        let codecommit = entry.codecommit.unwrap_or_default();
        let codepipeline = entry.codepipeline.unwrap_or_default();
        let codedeploy = entry.codedeploy.unwrap_or_default();
        let totals = [
            codecommit.active_users.map(value).map(Item::ActiveUsers),
            codecommit.git_requests.map(value).map(Item::GitRequests),
            codecommit
                .storage_gb
                .map(value)
                .map(Item::RepositoryStorage),
            codepipeline.v1_pipelines.map(value).map(Item::V1Pipelines),
            codepipeline
                .v1_trial_pipelines
                .map(value)
                .map(Item::V1Trials),
            codepipeline
                .v2_action_minutes
                .map(value)
                .map(Item::V2ActionMinutes),
            codedeploy
                .on_premises_updates
                .map(value)
                .map(Item::OnPremisesUpdates),
        ];
        let mut item = |item: Item| read.items.push((item, self.name.clone()));
        totals.into_iter().flatten().for_each(&mut item);
        for builds in entry.codebuild {
            let compute = self.compute(&builds.compute)?;
            let amount = match (builds.minutes, builds.seconds, builds.builds) {
                (Some(minutes), None, None) => BuildAmount::Billed(minutes.0),
                (None, Some(seconds), Some(count)) => BuildAmount::Builds {
                    count,
                    duration: seconds.0,
                },
                (None, Some(seconds), None) => BuildAmount::Builds {
                    count: 1,
                    duration: seconds.0,
                },
                _ => {
                    return self.contradiction(
                        builds.compute.span().start,
                        "state either `minutes` (billed), or `builds` with `seconds` each",
                    );
                }
            };
            item(Item::Builds(compute, amount));
        }
        for usage in entry.usage {
            let name = usage.service.get_ref();
            let service = self.catalog.service(name);
            item(Item::Metered {
                service: service.map_or_else(|| ServiceCode::new(name), |s| s.code.clone()),
                usage_type: usage.usage_type,
                quantity: usage.quantity.0,
            });
        }
        for pipeline in entry.pipeline {
            let shape = self.pipeline(pipeline)?;
            read.pipelines.push((shape, self.name.clone()));
        }
        Ok(read)
    }

    fn pipeline(&self, entry: PipelineEntry) -> Result<Pipeline, UsageFileError> {
        let at = entry.name.span().start;
        let runs = match (
            entry.runs,
            entry.runs_per_working_day,
            entry.developers,
            entry.pushes_per_day,
        ) {
            (Some(runs), None, None, None) => Runs::PerMonth(runs.0),
            (None, Some(runs), None, None) => Runs::PerWorkingDay(runs.0),
            (None, None, Some(developers), Some(pushes)) => Runs::Developers {
                developers: developers.0,
                pushes_per_day: pushes.0,
            },
            _ => {
                return self.contradiction(
                    at,
                    "state how often it runs: `runs` a month, `runs_per_working_day`, or \
                     `developers` with `pushes_per_day`",
                );
            }
        };
        let largest = Decimal::from(1_000_000);
        let too_many = match &runs {
            Runs::PerMonth(n) | Runs::PerWorkingDay(n) => *n > largest,
            Runs::Developers {
                developers,
                pushes_per_day,
            } => {
                let larger = (*developers).max(*pushes_per_day);
                larger > largest || *developers * *pushes_per_day > largest
            }
        };
        if too_many {
            return self.contradiction(at, "more than a million runs, people or pushes");
        }
        let stages = entry.stage.into_iter().map(|stage| self.stage(stage));
        let stages = stages.collect::<Result<Vec<Stage>, UsageFileError>>()?;
        let mut failed = Vec::new();
        for runs in entry.failed_runs {
            let named = runs.stage.get_ref();
            let Some(stage) = stages.iter().position(|stage| stage.name == *named) else {
                let known: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
                return self.unknown(
                    runs.stage.span().start,
                    UnknownName::new("stage", named, known),
                );
            };
            let duration = runs
                .seconds
                .map_or(stages[stage].duration, |seconds| seconds.0);
            failed.push(FailedRuns {
                count: runs.count,
                stage,
                duration,
            });
        }
        Ok(Pipeline {
            name: entry.name.into_inner(),
            kind: match entry.kind {
                TypeEntry::V1 => PipelineType::V1,
                TypeEntry::V2 => PipelineType::V2,
            },
            created: entry.created.map(|day| day.0),
            runs,
            stages,
            failed,
        })
    }

    fn stage(&self, entry: StageEntry) -> Result<Stage, UsageFileError> {
        let stated = match &entry.action {
            Some(name) => Some(
                resolve::action(name.get_ref())
                    .or_else(|problem| self.contradiction(name.span().start, &problem))?,
            ),
            None => None,
        };
        let does_something = entry.compute.is_some() || entry.on_premises_targets > 0;
        let is_assumed = stated.is_none() && !does_something && resolve::says_approval(&entry.name);
        Ok(Stage {
            compute: entry.compute.map(|name| self.compute(&name)).transpose()?,
            name: entry.name,
            duration: entry.seconds.0,
            action: match stated {
                Some(kind) => kind,
                None if is_assumed => ActionKind::ManualApproval,
                None => ActionKind::Standard,
            },
            is_assumed,
            on_premises_targets: entry.on_premises_targets,
        })
    }

    fn terms(
        &self,
        free_tier: Option<FreeTierEntry>,
        discount: Option<Parsed<resolve::Percent>>,
        prices: Vec<PriceEntry>,
        price_like: Option<Spanned<String>>,
    ) -> Result<PricingTerms, UsageFileError> {
        let mut terms = PricingTerms {
            price_like: price_like.map(|region| self.region(&region)).transpose()?,
            ..PricingTerms::default()
        };
        if let Some(free_tier) = free_tier {
            terms.free_tier = match free_tier.scope {
                ScopeEntry::Payer => FreeTier::Payer,
                ScopeEntry::None => FreeTier::None,
            };
            for (name, used) in free_tier.used {
                let at = name.span().start;
                let allowance = resolve::allowance(self.catalog, name.get_ref())
                    .or_else(|problem| self.unknown(at, problem))?;
                terms.used.insert(allowance, used.0);
            }
        }
        terms.discounts.extend(discount.map(|p| Discount {
            service: None,
            percent: p.0.0,
        }));
        for price in prices {
            let name = price.usage_type.get_ref();
            let stated = resolve::price(self.catalog, name, price.price.0, self.name.clone())
                .or_else(|problem| self.unknown(price.usage_type.span().start, problem))?;
            terms.prices.push(stated);
        }
        Ok(terms)
    }

    fn region(&self, name: &Spanned<String>) -> Result<Region, UsageFileError> {
        resolve::region(self.catalog, name.get_ref())
            .or_else(|problem| self.unknown(name.span().start, problem))
    }

    fn compute(&self, name: &Spanned<String>) -> Result<Compute, UsageFileError> {
        resolve::compute(self.catalog, name.get_ref())
            .or_else(|problem| self.unknown(name.span().start, problem))
    }

    fn unknown<T>(&self, at: usize, problem: UnknownName) -> Result<T, UsageFileError> {
        Err(UsageFileError::Unknown {
            file: self.file.to_owned(),
            line: self.line(at),
            problem,
        })
    }

    fn contradiction<T>(&self, at: usize, problem: &str) -> Result<T, UsageFileError> {
        let problem = problem.to_owned();
        Err(UsageFileError::Contradiction {
            file: self.file.to_owned(),
            line: self.line(at),
            problem,
        })
    }

    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|&b| b == b'\n').count() + 1
    }
}
