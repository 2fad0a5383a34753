//! Stated usage: what a team expects to use in a month, in its own words.
//!
//! Flags and `usage.toml` both become a [`Plan`]; a plan becomes usage records by the same metering
//! that real builds and actions go through.

mod metering;

use self::metering::{Metering, Stated};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use thiserror::Error;

use super::{
    allowance::FreeTier,
    catalog::{BaselineItem, Catalog, Compute, Plans},
    ids::{Region, ServiceCode},
    metering::codepipeline::ActionKind,
    number::{NumberError, parse_quantity},
    period::Month,
    price_book::StatedPrice,
    quantity::{Quantity, Unit},
    rating::Discount,
    remark::Remark,
    services::{ACTION_MINUTE, ACTIVE_PIPELINE},
    usage::UsageRecord,
};

/// What a team expects to use in a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Which month.
    pub month: Month,
    /// Where, unless an item says otherwise.
    pub region: Region,
    /// Totals, each with where it is stated.
    pub items: Vec<(Item, Arc<str>)>,
    /// Pipelines by their shape.
    pub pipelines: Vec<(Pipeline, Arc<str>)>,
}

/// Prices, free tier and discounts that a user states.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PricingTerms {
    /// Whether free tiers apply.
    pub free_tier: FreeTier,
    /// Drawn before, by allowance id.
    pub used: BTreeMap<Arc<str>, Decimal>,
    /// Own prices.
    pub prices: Vec<StatedPrice>,
    /// The region whose prices stand in for missing ones.
    pub price_like: Option<Region>,
    /// Percentages off.
    pub discounts: Vec<Discount>,
    /// Percentages off that bills show month after month; what is stated stands in their place.
    pub recurring: Vec<Discount>,
    /// Plans of other vendors, for builds that a scenario moves there.
    pub plans: Plans,
}

/// A total of one kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// `CodeCommit` users active in the month.
    ActiveUsers(Decimal),
    /// Git pushes and pulls that move objects.
    GitRequests(Decimal),
    /// Repository storage.
    RepositoryStorage(Decimal),
    /// V1 pipelines with a code change after their first 30 days.
    V1Pipelines(Decimal),
    /// V1 pipelines within their first 30 days.
    V1Trials(Decimal),
    /// V2 action minutes, each action already rounded up.
    V2ActionMinutes(Decimal),
    /// Builds on a compute type.
    Builds(Compute, BuildAmount),
    /// Updates of on-premises instances.
    OnPremisesUpdates(Decimal),
    /// Any meter.
    Metered {
        /// Whose.
        service: ServiceCode,
        /// As a bill writes it, with or without region prefix.
        usage_type: String,
        /// In the unit of its tariff.
        quantity: Decimal,
    },
}

/// How much was built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuildAmount {
    /// Billed units: minutes, or seconds on Lambda.
    Billed(Decimal),
    /// Builds of one length, metered build by build.
    Builds {
        /// How many.
        count: u32,
        /// How long each.
        duration: TimeDelta,
    },
}

/// A text that is no amount of builds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Not a number.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Neither minutes, nor a duration, nor builds times a duration.
    #[error("`{0}` is not an amount of builds: write 1200 (billed minutes), 90s, or 300x95s")]
    Shape(String),
}

impl FromStr for BuildAmount {
    type Err = AmountError;

    /// Reads `1200` (billed units), `90s` (one build) or `300x95s` (builds of one length).
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let shape =
            || AmountError::Shape(text.chars().filter(|c| !c.is_control()).take(40).collect());
        let text = text.trim();
        if let Some((count, duration)) = text.split_once(['x', 'X', '×']) {
            let count = count.trim().parse().map_err(|_| shape())?;
            return Ok(Self::Builds {
                count,
                duration: parse_duration(duration).ok_or_else(shape)?,
            });
        }
        if text.ends_with(|c: char| c.is_ascii_alphabetic()) && !text.eq_ignore_ascii_case("nan") {
            let duration = parse_duration(text).ok_or_else(shape)?;
            return Ok(Self::Builds { count: 1, duration });
        }
        Ok(Self::Billed(parse_quantity(text)?))
    }
}

/// Reads a duration such as `95s`, `1.5m` or `2h`, to the millisecond.
pub fn parse_duration(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let (number, milliseconds) = if let Some(number) = text.strip_suffix("ms") {
        (number, 1)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1_000)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60_000)
    } else {
        (text.strip_suffix('h')?, 3_600_000)
    };
    // A thousand years of building is a slip of the keyboard.
    let value = parse_quantity(number)
        .ok()
        .filter(|v| *v < Decimal::from(9_000_000))?;
    let exact = value * Decimal::from(milliseconds);
    if !exact.fract().is_zero() {
        return None;
    }
    TimeDelta::try_milliseconds(i64::try_from(exact).ok()?)
}

/// Generation of a pipeline. One with no stated type is V1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PipelineType {
    /// Billed whole while active.
    #[default]
    V1,
    /// Billed by action minutes.
    V2,
}

/// A pipeline described by its shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// V1 or V2.
    pub kind: PipelineType,
    /// When it was made; long ago if not stated.
    pub created: Option<NaiveDate>,
    /// How often it runs through.
    pub runs: Runs,
    /// What happens in a run, in order.
    pub stages: Vec<Stage>,
    /// Runs that stop early, on top of the others.
    pub failed: Vec<FailedRuns>,
}

/// How often a pipeline runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Runs {
    /// In the month.
    PerMonth(Decimal),
    /// Monday to Friday.
    PerWorkingDay(Decimal),
    /// Each developer pushes so often on a working day.
    Developers {
        /// How many people.
        developers: Decimal,
        /// Pushes of each on a working day.
        pushes_per_day: Decimal,
    },
}

impl Runs {
    /// Returns the runs of a month, a started one counting whole.
    fn in_month(&self, month: Month) -> Decimal {
        let days = Decimal::from(month.working_days());
        match self {
            Self::PerMonth(runs) => *runs,
            Self::PerWorkingDay(runs) => *runs * days,
            Self::Developers {
                developers,
                pushes_per_day,
            } => *developers * *pushes_per_day * days,
        }
        .ceil()
    }
}

/// One action of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// How long it takes.
    pub duration: TimeDelta,
    /// Where it builds, if it does.
    pub compute: Option<Compute>,
    /// Whether its minutes are billed.
    pub action: ActionKind,
    /// It does not say what it does, and is read as an approval for its name.
    pub is_assumed: bool,
    /// On-premises instances it deploys to.
    pub on_premises_targets: u32,
}

/// Runs that end in failure at a stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailedRuns {
    /// How many.
    pub count: u32,
    /// Which stage, by its place.
    pub stage: usize,
    /// How long that stage takes then.
    pub duration: TimeDelta,
}

impl Plan {
    /// Returns the plan as usage records of its month.
    pub fn records(&self, catalog: &Catalog) -> Vec<UsageRecord> {
        let metered = self.metered(catalog);
        metered.into_iter().map(|(record, _)| record).collect()
    }

    /// Returns the same, each record of builds with how many they are and how long each takes.
    pub fn metered(&self, catalog: &Catalog) -> Vec<(UsageRecord, Option<(u32, TimeDelta)>)> {
        let mut meter = Metering::new(self, catalog);
        for (item, origin) in &self.items {
            meter.item(item, origin);
        }
        for (pipeline, origin) in &self.pipelines {
            meter.pipeline(pipeline, origin);
        }
        meter.records
    }

    /// Tells what a pipeline counts as either type: whether it is active as V1, and its action
    /// minutes as V2.
    pub fn as_either(&self, pipeline: &Pipeline, catalog: &Catalog) -> (bool, Decimal) {
        let sum = |kind: PipelineType, usage_type: &str| -> Decimal {
            let mut meter = Metering::new(self, catalog);
            let pipeline = Pipeline {
                kind,
                ..pipeline.clone()
            };
            meter.pipeline(&pipeline, &Arc::from(""));
            let counts = |record: &&UsageRecord| record.key.meter.usage_type.as_str() == usage_type;
            let records = meter.records.iter().map(|(record, _)| record);
            records
                .filter(counts)
                .filter_map(|record| record.quantity)
                .map(|quantity| quantity.value)
                .sum()
        };
        (
            !sum(PipelineType::V1, ACTIVE_PIPELINE).is_zero(),
            sum(PipelineType::V2, ACTION_MINUTE),
        )
    }

    /// Says what is read into stages that do not say what they do.
    pub fn assumptions(&self) -> Vec<Remark> {
        let pipelines = self.pipelines.iter().map(|(pipeline, _)| pipeline);
        let stages = pipelines.flat_map(|pipeline| {
            let assumed = pipeline.stages.iter().filter(|stage| stage.is_assumed);
            assumed.map(|stage| (&pipeline.name, &stage.name))
        });
        let notes = stages.map(|(pipeline, stage)| Remark::AssumedApproval {
            pipeline: pipeline.clone(),
            stage: stage.clone(),
        });
        notes.collect()
    }

    /// Returns what the security services around the pipelines would use: assumptions, each with
    /// its reason. The second value says what was counted.
    pub fn security_baseline(&self, catalog: &Catalog) -> (Vec<UsageRecord>, Remark) {
        let (pipelines, runs) = self.pipelines_and_runs();
        let mut meter = Metering::new(self, catalog);
        for (item, quantity) in baseline_use(catalog, pipelines, runs) {
            let metering = format!("assumed: {}. {}", item.name, item.basis);
            let stated = Stated {
                metering: Some(metering),
                ..Stated::new(&Arc::from("security baseline"))
            };
            meter.push(item.meter.clone(), quantity, stated);
        }
        let counted = Remark::SecurityBaseline { pipelines, runs };
        let records = meter.records.into_iter().map(|(record, _)| record);
        (records.collect(), counted)
    }

    /// Counts pipelines and runs as far as the plan tells them; at least one pipeline, and a run
    /// for each stated build or, where only minutes are stated, for every five of them.
    pub fn pipelines_and_runs(&self) -> (Decimal, Decimal) {
        let mut pipelines = Decimal::from(self.pipelines.len());
        let mut builds = Decimal::ZERO;
        let mut minutes = Decimal::ZERO;
        for (item, _) in &self.items {
            match item {
                Item::V1Pipelines(n) | Item::V1Trials(n) => pipelines += *n,
                Item::Builds(_, BuildAmount::Builds { count, .. }) => {
                    builds += Decimal::from(*count);
                }
                Item::Builds(_, BuildAmount::Billed(n)) | Item::V2ActionMinutes(n) => minutes += *n,
                _ => {}
            }
        }
        let shaped: Decimal = self
            .pipelines
            .iter()
            .map(|(p, _)| {
                let failed = p.failed.iter().map(|failed| Decimal::from(failed.count));
                p.runs.in_month(self.month) + failed.sum::<Decimal>()
            })
            .sum();
        let runs = if builds.is_zero() {
            (minutes / Decimal::from(5)).ceil()
        } else {
            builds
        };
        (pipelines.max(Decimal::ONE), shaped + runs)
    }
}

/// Returns what each item of the security baseline would use for so many pipelines and runs.
pub fn baseline_use(
    catalog: &Catalog,
    pipelines: Decimal,
    runs: Decimal,
) -> impl Iterator<Item = (&BaselineItem, Quantity)> {
    catalog.baseline.iter().map(move |item| {
        let quantity = item.fixed + item.per_pipeline * pipelines + item.per_run * runs;
        let unit = catalog
            .meter(&item.meter.service, item.meter.usage_type.as_str())
            .map_or(Unit::Unspecified, |info| info.unit);
        (item, Quantity::new(quantity, unit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_builds() {
        let billed = |n: i64| BuildAmount::Billed(Decimal::from(n));
        let builds = |count, s| BuildAmount::Builds {
            count,
            duration: TimeDelta::seconds(s),
        };
        for (text, expected) in [
            ("1200", billed(1200)),
            ("2.0", billed(2)),
            ("300x95s", builds(300, 95)),
            ("10x1.5m", builds(10, 90)),
            ("9000s", builds(1, 9000)),
            ("2h", builds(1, 7200)),
        ] {
            assert_eq!(text.parse::<BuildAmount>(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "x",
            "x95s",
            "3x",
            "3x95",
            "1.5x3s",
            "-3x9s",
            "3x-9s",
            "-1",
            "NaN",
            "inf",
            "5d",
            "1e40",
            "0.0001s",
            "99999999999x5s",
        ] {
            assert!(text.parse::<BuildAmount>().is_err(), "{text}");
        }
    }
}
