//! Discounts that recur: what a bill takes off a service's usage month after month.
//!
//! A negotiated discount (EDP, private rates, bundles) stands on the bill as rows of its own, so usage
//! alone says too much. What each of the last months took off at a similar share will be taken off again;
//! what one month alone took off will not. Credits and refunds are no discounts.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{
    bill::{Bill, LineItem},
    ids::ServiceCode,
    money::Money,
    period::Month,
    rating,
    usage::{ChargeKind, UsageRecord},
};

/// Whole months that are looked at, at most.
const MONTHS: usize = 3;

/// Shares are alike if they lie no further apart than this part of the largest.
const APART: Decimal = Decimal::from_parts(25, 0, 0, false, 2);

/// How the origin of a discount ends that is the difference between net unblended and unblended costs.
pub const NET_COST: &str = ": net unblended cost";

/// Tells whether a record is a discount that stands in a column of usage, and in no row of its own.
pub fn is_of_net_cost(record: &UsageRecord) -> bool {
    record.kind == ChargeKind::Discount
        && record.key.meter.usage_type.as_str().is_empty()
        && record.origin.ends_with(NET_COST)
}

/// Drops the discounts of net costs where rows of the same payer and service tell them: files of one report
/// may have been imported one by one.
pub fn count_once(records: &mut Vec<UsageRecord>) {
    if !records.iter().any(is_of_net_cost) {
        return;
    }
    let place = |record: &UsageRecord| {
        let (payer, service) = (&record.key.payer, &record.key.meter.service);
        (record.month, payer.clone(), service.clone())
    };
    let told: BTreeSet<_> = records
        .iter()
        .filter(|record| record.kind == ChargeKind::Discount && !is_of_net_cost(record))
        .map(place)
        .collect();
    records.retain(|record| !is_of_net_cost(record) || !told.contains(&place(record)));
}

/// What a bill charges for a service in a month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Charged {
    /// Its usage.
    pub usage: Money,
    /// Its discounts, below zero.
    pub discounts: Money,
    /// The part of the usage whose source states costs only; none where there is no such row.
    pub costs_only: Option<Money>,
}

/// What a bill charges for each service in each month.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Charges(BTreeMap<Month, BTreeMap<ServiceCode, Charged>>);

impl Charges {
    /// Adds records up.
    pub fn of<'r>(records: impl IntoIterator<Item = &'r UsageRecord>) -> Self {
        let mut charges = Self::default();
        for record in records {
            let Some(billed) = &record.billed else {
                continue;
            };
            let months = charges.0.entry(record.month).or_default();
            let service = record.key.meter.service.clone();
            let sums = months.entry(service).or_default();
            match record.kind {
                ChargeKind::Usage => {
                    sums.usage += billed.cost;
                    if record.quantity.is_none() {
                        *sums.costs_only.get_or_insert_default() += billed.cost;
                    }
                }
                ChargeKind::Discount => sums.discounts += billed.cost,
                _ => {}
            }
        }
        charges
    }

    /// Adds the months of others; a month that is there already stays as it is.
    pub fn extend(&mut self, other: &Self) {
        for (month, services) in &other.0 {
            self.0.entry(*month).or_insert_with(|| services.clone());
        }
    }

    /// Returns the services of a month.
    pub fn month(&self, month: Month) -> impl Iterator<Item = (&ServiceCode, &Charged)> {
        self.0.get(&month).into_iter().flatten()
    }

    /// Returns what the discounts of some services take off a month, below zero.
    pub fn taken_off(&self, month: Month, recurring: &[Recurring]) -> Money {
        let is_carried = |service: &ServiceCode| recurring.iter().any(|r| r.service == *service);
        let carried = self.month(month).filter(|(service, _)| is_carried(service));
        carried.map(|(_, charged)| charged.discounts).sum()
    }

    /// Learns which discounts recur, from the last months up to one: at most three, of those that used
    /// the service.
    pub fn learn(&self, until: Month) -> Discounts {
        let known = || self.0.range(..=until).rev();
        let mut services: Vec<&ServiceCode> = known()
            .take(MONTHS)
            .flat_map(|(_, services)| services.keys())
            .collect();
        services.sort();
        services.dedup();
        let mut learnt = Discounts::default();
        for service in services {
            let months: Vec<(Month, Charged)> = known()
                .filter_map(|(month, services)| Some((*month, *services.get(service)?)))
                .filter(|(_, charged)| charged.usage > Money::ZERO)
                .take(MONTHS)
                .collect();
            learnt.add(service, &months);
        }
        learnt
    }
}

/// A discount that recurs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recurring {
    /// Of which service.
    pub service: ServiceCode,
    /// What it takes off the service's usage, in percent.
    pub percent: Decimal,
    /// The first and the last month it was learnt from.
    pub months: (Month, Month),
}

/// A discount that is not expected to come again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passing {
    /// Of which service.
    pub service: ServiceCode,
    /// The last month that had it.
    pub month: Month,
    /// What it took off in that month, below zero.
    pub amount: Money,
}

/// What a bill's discounts say of months to come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Discounts {
    /// Those that recur.
    pub recurring: Vec<Recurring>,
    /// Those that recur, in whose place the user states one.
    pub replaced: Vec<Recurring>,
    /// Those that came and went.
    pub passing: Vec<Passing>,
}

impl Discounts {
    /// Judges a service by its months, the latest first.
    fn add(&mut self, service: &ServiceCode, months: &[(Month, Charged)]) {
        let shares: Vec<Decimal> = months
            .iter()
            .map(|(_, charged)| -charged.discounts.amount() / charged.usage.amount())
            .collect();
        let is_share = |share: Decimal| share > Decimal::ZERO && share <= Decimal::ONE;
        let are_alike = |some: &[Decimal]| {
            let most = some.iter().max().copied().unwrap_or_default();
            let least = some.iter().min().copied().unwrap_or_default();
            some.iter().all(|share| is_share(*share)) && most - least <= most * APART
        };
        let alike = (1..=months.len()).rev().find(|n| are_alike(&shares[..*n]));
        let pooled = |some: &[(Month, Charged)]| {
            let sum = |of: fn(&Charged) -> Money| some.iter().map(|(_, c)| of(c)).sum::<Money>();
            -sum(|c| c.discounts).amount() / sum(|c| c.usage).amount()
        };
        // Two months that differ have at least the smaller share in common.
        let in_common = shares
            .get(..2)
            .filter(|two| two.iter().all(|s| is_share(*s)));
        let (share, count) = match alike {
            Some(count) if count > 1 || months.len() == 1 => (pooled(&months[..count]), count),
            _ => match in_common.and_then(|two| two.iter().min()) {
                Some(least) => (*least, 2),
                None => (Decimal::ZERO, 0),
            },
        };
        if count > 0 {
            self.recurring.push(Recurring {
                service: service.clone(),
                percent: (share * Decimal::ONE_HUNDRED).round_dp(6).normalize(),
                months: (months[count - 1].0, months[0].0),
            });
        }
        // What a month took off beyond that is named.
        let mut passing = months
            .iter()
            .zip(&shares)
            .filter(|(_, own)| **own > Decimal::ZERO && **own - share > *own * APART);
        if let Some(((month, charged), _)) = passing.next() {
            let carried = Money::of(charged.usage.amount(), share);
            self.passing.push(Passing {
                service: service.clone(),
                month: *month,
                amount: charged.discounts + carried,
            });
        }
    }

    /// Lets what the user states stand in place of what was learnt.
    #[must_use]
    pub fn beside(mut self, stated: &[rating::Discount]) -> Self {
        let is_replaced = |of: &Recurring| {
            let mut services = stated.iter().map(|discount| discount.service.as_ref());
            services.any(|service| service.is_none_or(|service| *service == of.service))
        };
        (self.replaced, self.recurring) = self.recurring.into_iter().partition(is_replaced);
        self
    }

    /// Returns what a bill charges for usage, less its discounts that recur: what a forecast is comparable with.
    pub fn net_usage(&self, bill: &Bill) -> Money {
        let is_carried = |line: &&LineItem| {
            let mut recurring = self.recurring.iter();
            line.kind == ChargeKind::Discount
                && recurring.any(|of| of.service == line.key.meter.service)
        };
        let discounts = bill.lines.iter().filter(is_carried);
        bill.usage_total() + discounts.map(|line| line.cost).sum()
    }

    /// Returns the recurring ones as a rating takes them off.
    pub fn rated(&self) -> impl Iterator<Item = rating::Discount> {
        self.recurring.iter().map(|of| rating::Discount {
            service: Some(of.service.clone()),
            percent: of.percent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(number: u32) -> Month {
        format!("2026-{number:02}").parse().unwrap()
    }

    /// Usage of 100.00 in each month, and what was taken off it; the months end in October.
    fn learnt(taken_off: &[i64]) -> Discounts {
        let mut charges = Charges::default();
        for (number, off) in (1..=10).rev().zip(taken_off.iter().rev()) {
            let sums = Charged {
                usage: Money::new(Decimal::ONE_HUNDRED),
                discounts: Money::new(Decimal::from(-off)),
                costs_only: None,
            };
            let services = BTreeMap::from([(ServiceCode::new("CodeBuild"), sums)]);
            charges.0.insert(month(number), services);
        }
        charges.learn(month(10))
    }

    /// Returns the share carried, the months it is from, and what is named as gone.
    fn verdict(taken_off: &[i64]) -> (Option<String>, Option<String>) {
        let learnt = learnt(taken_off);
        let carried = learnt.recurring.first().map(|of| {
            let (first, last) = of.months;
            format!("{} {first} {last}", of.percent)
        });
        let gone = learnt.passing.first();
        (
            carried,
            gone.map(|of| format!("{} {}", of.amount, of.month)),
        )
    }

    #[test]
    fn what_each_of_the_last_months_had_is_carried() {
        let says = |carried: &str| (Some(carried.to_owned()), None);
        assert_eq!(verdict(&[24, 24, 24]), says("24 2026-08 2026-10"));
        assert_eq!(verdict(&[9, 24, 24, 24]), says("24 2026-08 2026-10"));
        assert_eq!(verdict(&[20, 22, 24]), says("22 2026-08 2026-10"));
        assert_eq!(verdict(&[0, 24, 24]), says("24 2026-09 2026-10"));
        assert_eq!(verdict(&[24]), says("24 2026-10 2026-10"));
        assert_eq!(verdict(&[100, 100]), says("100 2026-09 2026-10"));
        assert_eq!(verdict(&[0, 0, 0]), (None, None));
    }

    #[test]
    fn what_one_month_had_is_named_and_not_carried() {
        let gone = |gone: &str| (None, Some(gone.to_owned()));
        assert_eq!(verdict(&[0, 0, 24]), gone("-24 2026-10"));
        assert_eq!(verdict(&[0, 24, 0]), gone("-24 2026-09"));
        assert_eq!(verdict(&[24, 24, 0]), gone("-24 2026-09"));
        // A rebate of 40.00 on top of 10 % every month.
        assert_eq!(
            verdict(&[10, 10, 50]),
            (
                Some("10 2026-09 2026-10".to_owned()),
                Some("-40 2026-10".to_owned())
            )
        );
        // More than all of it is no discount on usage.
        assert_eq!(verdict(&[150, 150]).0, None);
    }

    #[test]
    fn what_the_user_states_stands_in_its_place() {
        let stated = |service: Option<&str>| rating::Discount {
            service: service.map(ServiceCode::new),
            percent: Decimal::from(5),
        };
        let replaced = |stated| learnt(&[24, 24]).beside(&[stated]).replaced.len();
        assert_eq!(replaced(stated(None)), 1);
        assert_eq!(replaced(stated(Some("CodeBuild"))), 1);
        assert_eq!(replaced(stated(Some("AWSCodePipeline"))), 0);
    }
}
