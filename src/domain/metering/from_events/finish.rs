//! What was counted, made into records.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::{Group, Metered, Metering, PIPELINE_TAG, Sum, shown};
use crate::domain::metering::codecommit::{Identity, active_users};
use crate::domain::metering::events::AccountRegion;
use crate::domain::{
    ids::{AccountId, Meter, Region, ResourceId},
    quantity::{Quantity, Unit},
    remark::Remark,
    services::{CODEBUILD, CODECOMMIT, USER_MONTH},
    usage::{ChargeKind, Gap, Tags, UsageKey, UsageRecord},
};

impl Metering<'_> {
    /// Returns the records in order, the gaps and what should be known about both.
    pub fn finish(mut self) -> Metered {
        for (account, identities) in std::mem::take(&mut self.identities) {
            self.users(&account, &identities);
        }
        for fleet in std::mem::take(&mut self.overflowing) {
            if let Some(builds) = self.built_on.get(&fleet) {
                let name = fleet.rsplit('/').next().unwrap_or(&fleet);
                self.gaps.insert(
                    (
                        format!("CodeBuild builds that overflowed fleet {name}"),
                        "they bill on demand, but which of its builds did is not stated".to_owned(),
                    ),
                    *builds,
                );
            }
        }
        for (place, minutes) in std::mem::take(&mut self.commands) {
            self.gap(
                format!(
                    "CodeBuild time of {minutes} minutes of pipeline commands in {}",
                    shown(&place)
                ),
                "AWS bills it as builds, on a compute type that its API does not state".to_owned(),
            );
        }
        for (place, count) in &self.v1 {
            if count.by_any_run != count.by_code_change {
                self.notes.push(Remark::ActivePipelines {
                    place: place.clone(),
                    by_code_change: count.by_code_change,
                    by_any_run: count.by_any_run,
                });
            }
        }
        if self.groups.keys().any(|group| group.service == CODEBUILD) {
            let counted = Remark::QueuedTime(self.options.queued_time);
            self.notes.push(counted);
        }
        let gaps = std::mem::take(&mut self.gaps);
        let gaps = gaps.into_iter().map(|((what, reason), count)| Gap {
            what: if count > 1 {
                format!("{count} {what}")
            } else {
                what
            },
            reason,
        });
        let gaps: Vec<Gap> = gaps.collect();
        let groups = std::mem::take(&mut self.groups);
        let records = groups
            .into_iter()
            .map(|(group, sum)| self.record(group, &sum))
            .collect();
        Metered {
            records,
            gaps,
            notes: self.notes,
        }
    }

    /// AWS counts users over all regions; a role is one of them, as the rule says, and its sessions
    /// are the high end.
    pub(super) fn users(&mut self, account: &AccountId, identities: &BTreeSet<Identity>) {
        let (low, high) = active_users(identities);
        let place = AccountRegion {
            account: account.clone(),
            region: Region::global(),
        };
        let group = Group {
            day: self.month.first_day(),
            place,
            service: CODECOMMIT,
            usage_type: Arc::from(USER_MONTH),
            resource: None,
            pipeline: None,
        };
        if low != high {
            self.notes.push(Remark::Users {
                account: account.clone(),
                low: low.value,
                high: high.value,
            });
        }
        self.add(
            group,
            low,
            TimeDelta::zero(),
            ("count", "identities in CloudTrail"),
        );
    }

    pub(super) fn record(&self, group: Group, sum: &Sum) -> UsageRecord {
        let plural = if sum.things == 1 { "" } else { "s" };
        let tags = group
            .pipeline
            .iter()
            .map(|name| (PIPELINE_TAG.to_owned(), name.to_string()))
            .collect();
        let consumed = (sum.milliseconds > 0).then(|| {
            let seconds = Decimal::new(sum.milliseconds, 3).normalize();
            Quantity::new(seconds, Unit::Second)
        });
        let currency = self.catalog.currency(&group.place.region);
        UsageRecord {
            month: self.month,
            day: group.day,
            last_day: group.day,
            key: UsageKey {
                payer: None,
                account: Some(group.place.account),
                region: group.place.region,
                meter: Meter::new(group.service, &*group.usage_type),
            },
            kind: ChargeKind::Usage,
            resource: group.resource.map(ResourceId::new),
            tags: Tags::new(tags),
            quantity: Some(sum.billed),
            consumed,
            metering: Some(Arc::from(format!(
                "{} {}{plural}, {}",
                sum.things, sum.noun, sum.how
            ))),
            billed: None,
            currency,
            origin: Arc::from("metered from AWS's API"),
        }
    }
}
