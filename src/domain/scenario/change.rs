//! One change of a scenario, in the words of `docs/scenarios.md`.
//!
//! [`Display`](fmt::Display) writes a change the way `--set` and a scenario file read it.

mod selector;

use self::selector::bracketed;
pub use self::selector::{Selector, Subject, Term};
use std::{fmt, sync::Arc};

use rust_decimal::Decimal;

use crate::domain::{
    catalog::{Compute, Grain, Runner},
    ids::{Meter, Region, ServiceCode},
    number::plain,
    plan::PipelineType,
    price_book::StatedPrice,
    rating::Discount,
    services::{
        ACTION_MINUTE, ACTIVE_PIPELINE, CODEBUILD, CODECOMMIT, CODEDEPLOY, CODEPIPELINE,
        GIT_REQUESTS, ON_PREMISES_UPDATE, REPOSITORY_STORAGE, USER_MONTH,
    },
    storage::StorageKind,
};

/// The longest build that Lambda runs, in milliseconds.
pub(crate) const LAMBDA_LIMIT: i64 = 15 * 60 * 1000;

/// A set of changes with a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scenario {
    /// What it is called in tables.
    pub name: String,
    /// Why it is asked, if the file says so.
    pub note: Option<String>,
    /// What changes, in the order stated.
    pub changes: Vec<Change>,
}

impl Scenario {
    /// Tells whether it changes what lies in storage, which a baseline has only then.
    pub fn is_of_storage(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.storage_kind().is_some())
    }
}

/// What changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A total of the month.
    Total {
        /// Of what.
        of: Total,
        /// Where, if not everywhere.
        only: Selector,
        /// To what.
        to: Adjust,
    },
    /// More or fewer builds like those there are.
    Builds {
        /// Which.
        only: Selector,
        /// How many times as many.
        times: Decimal,
    },
    /// Longer or shorter builds: each one's duration, then rounded up again.
    Minutes {
        /// Which.
        only: Selector,
        /// How many times as long.
        times: Decimal,
    },
    /// Builds move to another compute type.
    Compute {
        /// Which.
        only: Selector,
        /// Where to.
        to: Target,
        /// How many times as fast they run there.
        speed: Decimal,
    },
    /// Pipelines change their type.
    PipelineType {
        /// Which, by name.
        only: Selector,
        /// To which type.
        to: PipelineType,
        /// V2 action minutes of each in a month, where they are stated.
        minutes: Option<Decimal>,
    },
    /// Usage moves to another region.
    Region {
        /// Which.
        only: Selector,
        /// Where to.
        to: Region,
    },
    /// Repositories are public or private, where builds move to a vendor that asks.
    Repository {
        /// Those of which builds.
        only: Selector,
        /// Public, else private.
        public: bool,
    },
    /// The plan at a vendor whose runners builds move to.
    Plan {
        /// Which vendor.
        vendor: ServiceCode,
        /// What scenarios call the vendor.
        vendor_id: Arc<str>,
        /// What scenarios call the plan; none for none.
        plan: Option<Arc<str>>,
    },
    /// Free tiers apply or not.
    FreeTier(bool),
    /// A private price.
    Price(StatedPrice),
    /// A negotiated discount.
    Discount(Discount),
    /// Another region's prices stand in for unknown ones.
    PriceLike(Region),
    /// The security services around pipelines are switched on.
    SecurityBaseline,
    /// Less, or more, in log groups or artifact buckets.
    Storage {
        /// Of what.
        left: StorageKind,
        /// Which, by name.
        only: Selector,
        /// How many times as much.
        times: Decimal,
    },
    /// Logs or artifacts are kept for some days.
    Retention {
        /// Of what.
        left: StorageKind,
        /// Which, by name.
        only: Selector,
        /// How many days.
        days: Decimal,
    },
}

/// A quantity that a month has one total of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Total {
    /// People who touch `CodeCommit`.
    ActiveUsers,
    /// Git pushes and pulls.
    GitRequests,
    /// Repository storage.
    StorageGb,
    /// Active V1 pipelines.
    V1Pipelines,
    /// V2 action minutes.
    V2ActionMinutes,
    /// Updates of on-premises instances.
    OnPremisesUpdates,
    /// Instances a deployment reaches; what is billed are their updates.
    OnPremisesTargets {
        /// Deployments in the month, where the instances are stated as a number.
        deployments: Option<Decimal>,
    },
    /// Any meter.
    Metered(Meter),
}

impl Total {
    /// Every total with a name of its own, with that name.
    pub const NAMED: [(&'static str, Self); 7] = [
        ("active_users", Self::ActiveUsers),
        ("git_requests", Self::GitRequests),
        ("storage_gb", Self::StorageGb),
        ("v1_pipelines", Self::V1Pipelines),
        ("v2_action_minutes", Self::V2ActionMinutes),
        ("on_premises_updates", Self::OnPremisesUpdates),
        (
            "on_premises_targets",
            Self::OnPremisesTargets { deployments: None },
        ),
    ];

    /// Returns what is metered.
    pub fn meter(&self) -> Meter {
        match self {
            Self::ActiveUsers => Meter::new(CODECOMMIT, USER_MONTH),
            Self::GitRequests => Meter::new(CODECOMMIT, GIT_REQUESTS),
            Self::StorageGb => Meter::new(CODECOMMIT, REPOSITORY_STORAGE),
            Self::V1Pipelines => Meter::new(CODEPIPELINE, ACTIVE_PIPELINE),
            Self::V2ActionMinutes => Meter::new(CODEPIPELINE, ACTION_MINUTE),
            Self::OnPremisesUpdates | Self::OnPremisesTargets { .. } => {
                Meter::new(CODEDEPLOY, ON_PREMISES_UPDATE)
            }
            Self::Metered(meter) => meter.clone(),
        }
    }

    /// Tells whether there are no halves of it.
    pub fn is_whole(&self) -> bool {
        matches!(
            self,
            Self::ActiveUsers
                | Self::V1Pipelines
                | Self::OnPremisesUpdates
                | Self::OnPremisesTargets { .. }
        )
    }

    fn name(&self) -> &'static str {
        Self::NAMED
            .iter()
            .find(|(_, named)| std::mem::discriminant(named) == std::mem::discriminant(self))
            .map_or("usage", |(name, _)| name)
    }
}

/// How a total changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adjust {
    /// To this.
    To(Decimal),
    /// By this much, more or less.
    By(Decimal),
    /// To so many times as much.
    Times(Decimal),
}

impl Adjust {
    /// Returns the new total; never below zero.
    pub fn of(self, total: Decimal) -> Decimal {
        match self {
            Self::To(value) => value,
            Self::By(value) => total + value,
            Self::Times(factor) => total * factor,
        }
        .max(Decimal::ZERO)
    }
}

/// Where builds move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// To another compute type on demand.
    OnDemand(Compute),
    /// To a reserved fleet in each account and region where they ran.
    Fleet {
        /// What its machines are.
        compute: Compute,
        /// How many.
        machines: u32,
        /// Builds that find no free machine run on demand; else they wait.
        overflow: bool,
    },
    /// To a machine of another vendor: its cost is none of AWS's.
    Elsewhere(Runner),
}

impl Target {
    /// Returns what runs the builds there.
    pub fn compute(&self) -> &Compute {
        match self {
            Self::OnDemand(compute) | Self::Fleet { compute, .. } => compute,
            Self::Elsewhere(runner) => &runner.compute,
        }
    }

    /// Returns the longest build that runs there, in milliseconds, if there is a limit.
    pub(crate) fn limit(&self) -> Option<i64> {
        match self {
            Self::OnDemand(compute) => (compute.grain == Grain::Second).then_some(LAMBDA_LIMIT),
            Self::Fleet { .. } => None,
            Self::Elsewhere(runner) => runner.limit(),
        }
    }
}

impl Change {
    /// Returns the selector, if the change has one.
    pub fn selector(&self) -> Option<&Selector> {
        match self {
            Self::Total { only, .. }
            | Self::Builds { only, .. }
            | Self::Minutes { only, .. }
            | Self::Compute { only, .. }
            | Self::PipelineType { only, .. }
            | Self::Region { only, .. }
            | Self::Repository { only, .. }
            | Self::Storage { only, .. }
            | Self::Retention { only, .. } => Some(only),
            _ => None,
        }
    }

    /// Returns what the change stores less or more of, if that is what it is about.
    pub fn storage_kind(&self) -> Option<StorageKind> {
        match self {
            Self::Storage { left, .. } | Self::Retention { left, .. } => Some(*left),
            _ => None,
        }
    }

    /// Returns the one service whose cost the change can move, if there is no other.
    pub fn service(&self) -> Option<ServiceCode> {
        match self {
            Self::Total { of, .. } => Some(of.meter().service),
            // Two sides move: CodeBuild's and the vendor's.
            Self::Compute {
                to: Target::Elsewhere(_),
                ..
            } => None,
            Self::Builds { .. } | Self::Minutes { .. } | Self::Compute { .. } => {
                Some(ServiceCode::new(CODEBUILD))
            }
            Self::Plan { vendor, .. } => Some(vendor.clone()),
            Self::PipelineType { .. } => Some(ServiceCode::new(CODEPIPELINE)),
            Self::Price(price) => price.service.clone(),
            Self::Discount(discount) => discount.service.clone(),
            _ => None,
        }
    }

    /// Tells whether the change is about prices, not about usage.
    pub fn is_of_terms(&self) -> bool {
        matches!(
            self,
            Self::FreeTier(_)
                | Self::Price(_)
                | Self::Discount(_)
                | Self::PriceLike(_)
                | Self::Plan { .. }
        )
    }
}

/// Returns where the first equals sign outside of brackets is, in a change as it is written.
pub fn equals_sign(text: &str) -> Option<usize> {
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

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Total { of, only, to } => {
                let mut only = only.to_string();
                if let Total::Metered(meter) = of {
                    only = format!("{}:{}{}", meter.service, meter.usage_type, {
                        if only.is_empty() { "" } else { "," }
                    }) + &only;
                }
                write!(f, "{}{}{to}", of.name(), bracketed(&only))?;
                match of {
                    Total::OnPremisesTargets {
                        deployments: Some(deployments),
                    } => write!(f, ",deployments={}", plain(*deployments)),
                    _ => Ok(()),
                }
            }
            Self::Builds { only, times } => {
                write!(f, "builds{}*={}", bracketed(only), plain(*times))
            }
            Self::Minutes { only, times } => {
                write!(f, "minutes{}*={}", bracketed(only), plain(*times))
            }
            Self::Compute { only, to, speed } => {
                write!(f, "compute{}=", bracketed(only))?;
                match to {
                    Target::OnDemand(compute) => write!(f, "{}", compute.name)?,
                    Target::Elsewhere(runner) => write!(f, "{}", runner.compute.name)?,
                    Target::Fleet {
                        compute,
                        machines,
                        overflow,
                    } => write!(
                        f,
                        "{},machines={machines},overflow={}",
                        compute.name,
                        if *overflow { "on-demand" } else { "queue" }
                    )?,
                }
                if *speed == Decimal::ONE {
                    Ok(())
                } else {
                    write!(f, ",speed={}", plain(*speed))
                }
            }
            Self::PipelineType { only, to, minutes } => {
                write!(f, "pipeline_type{}={to:?}", bracketed(only))?;
                minutes.map_or(Ok(()), |minutes| write!(f, ",minutes={}", plain(minutes)))
            }
            Self::Region { only, to } => write!(f, "region{}={to}", bracketed(only)),
            Self::Repository { only, public } => {
                let visibility = if *public { "public" } else { "private" };
                write!(f, "repository{}={visibility}", bracketed(only))
            }
            Self::Plan {
                vendor_id, plan, ..
            } => write!(f, "{vendor_id}_plan={}", plan.as_deref().unwrap_or("none")),
            Self::FreeTier(on) => write!(f, "free_tier={}", if *on { "on" } else { "off" }),
            Self::Price(price) => {
                let service = price.service.as_ref().map(|s| format!("{s}:"));
                let region = price.region.as_ref().map(|r| format!("{r}-"));
                write!(
                    f,
                    "price[{}{}{}]={}",
                    service.unwrap_or_default(),
                    region.unwrap_or_default(),
                    price.usage_type,
                    plain(price.unit_price)
                )
            }
            Self::Discount(discount) => {
                let service = discount.service.as_ref().map(ServiceCode::as_str);
                let service = service.map(|service| format!("[{service}]"));
                write!(
                    f,
                    "discount{}={}%",
                    service.unwrap_or_default(),
                    plain(discount.percent)
                )
            }
            Self::PriceLike(region) => write!(f, "price_like={region}"),
            Self::SecurityBaseline => f.write_str("security_baseline=on"),
            Self::Storage { left, only, times } => {
                let (name, times) = (left.name(), plain(*times));
                write!(f, "{name}_storage{}*={times}", bracketed(only))
            }
            Self::Retention { left, only, days } => {
                let (name, days) = (left.name(), plain(*days));
                write!(f, "{name}_retention{}={days}", bracketed(only))
            }
        }
    }
}

impl fmt::Display for Adjust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(value) => write!(f, "={}", plain(*value)),
            Self::By(value) if value.is_sign_negative() => write!(f, "={}", plain(*value)),
            Self::By(value) => write!(f, "=+{}", plain(*value)),
            Self::Times(value) => write!(f, "*={}", plain(*value)),
        }
    }
}
