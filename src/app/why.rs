//! Why a month costs more than another, and which of its days stand out.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{App, AppError, RatingTerms, Terms};
use crate::{
    domain::{
        allocation::{Dimension, portions},
        finality::NotFinal,
        metering::options::MeteringOptions,
        money::Money,
        period::Month,
        rating::RatedMonth,
        services::{CODEBUILD, CODEDEPLOY, CODEPIPELINE},
        usage::{ChargeKind, Gap, UsageRecord},
        why::{self, By, MonthChange, OpenMonth, Spike, SpikeDay, Work, explain, explain_mean},
    },
    forecast::{ForecastOptions, spikes},
    ledger::Ledger,
};

/// The months that a mean is of, at most, and that spikes are judged by.
const YEAR: usize = 12;

/// What a month is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhyAgainst {
    /// The month before.
    #[default]
    Previous,
    /// This month.
    Month(Month),
    /// The mean of the months before, of twelve at most.
    Mean,
}

/// Which months to compare, and by what to tell causes apart.
#[derive(Clone, Debug, Default)]
pub struct WhyRequest {
    /// Which month; else the last one that is over.
    pub month: Option<Month>,
    /// What it is compared with.
    pub against: WhyAgainst,
    /// What causes are told apart by.
    pub by: By,
    /// Which currency, where the ledger has several.
    pub currency: Option<String>,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

/// Projects that are named with a day.
const NAMED: usize = 3;

type Daily = BTreeMap<NaiveDate, BTreeMap<Option<String>, Money>>;

impl App {
    /// Explains why a month costs more than another.
    pub fn why(&self, request: &WhyRequest) -> Result<MonthChange, AppError> {
        let rating = self.rating_terms(&request.terms, request.currency.as_deref())?;
        let mut ledger = self.ledger()?;
        let to = match request.month {
            Some(month) => month,
            None => self.last_whole_month(&ledger)?,
        };
        let from = self.months_before(&ledger, to, request.against)?;
        self.add_sample_facts(&mut ledger, from[0].min(to))?;
        let after = self.billed_or_metered(&ledger, to, &rating)?;
        let rating = RatingTerms {
            currency: Some(after.rated.bill.currency.clone()),
            ..rating
        };
        let before = from
            .iter()
            .map(|month| self.billed_or_metered(&ledger, *month, &rating));
        let mut before = before.collect::<Result<Vec<_>, _>>()?;
        let mut after = after;
        if let By::Dimension(by) = &request.by
            && by.is_of_jobs()
        {
            for month in before.iter_mut().chain([&mut after]) {
                if let Some((by_jobs, _)) = self.month_by_jobs(&ledger, month, Some(by), None)? {
                    *month = by_jobs;
                }
            }
        }
        let change = self.explain_rated(&ledger, &before, &after, &request.by, &rating)?;
        Ok(MonthChange {
            spikes: self.spikes(&ledger, &after, &rating)?,
            ..change
        })
    }

    /// Explains why a rated month costs more than others; its days are not judged.
    pub(super) fn explain_rated(
        &self,
        ledger: &Ledger,
        before: &[RatedMonth],
        after: &RatedMonth,
        by: &By,
        rating: &RatingTerms,
    ) -> Result<MonthChange, AppError> {
        let of = |rated: &RatedMonth| rated.rated.bill.month;
        let works = before.iter().map(|rated| self.work(ledger, of(rated)));
        let works = works.collect::<Result<Vec<_>, _>>()?;
        let work = self.work(ledger, of(after))?;
        let side = |(rated, work)| why::Month {
            rated,
            work,
            sharing: rating.sharing,
        };
        let sides: Vec<why::Month<'_>> = before.iter().zip(&works).map(side).collect();
        let this = side((after, &work));
        let why = match &sides[..] {
            [one] => explain(&self.catalog, one, &this, by),
            all => explain_mean(&self.catalog, all, &this, by),
        };
        let all = || before.iter().chain([after]);
        let known = ledger.months()?;
        let cost = after.rated.bill.total();
        Ok(MonthChange {
            from: before.iter().map(of).collect(),
            to: of(after),
            costs: [cost - why.difference, cost],
            currency: after.rated.bill.currency.clone(),
            by: by.clone(),
            open: open_until(after),
            complete: all().all(|month| month.rated.bill.is_complete()),
            gaps: all().flat_map(gaps).collect(),
            spikes: None,
            metered: all()
                .map(of)
                .filter(|month| !known.contains(month))
                .collect(),
            why,
        })
    }

    fn months_before(
        &self,
        ledger: &Ledger,
        to: Month,
        against: WhyAgainst,
    ) -> Result<Vec<Month>, AppError> {
        let mut known = ledger.months()?;
        known.extend(self.metered_months(ledger)?);
        known.sort();
        known.dedup();
        let is_known = |month: Month| {
            known
                .contains(&month)
                .then_some(month)
                .ok_or(AppError::NoUsage {
                    month,
                    known: known.clone(),
                })
        };
        is_known(to)?;
        Ok(match against {
            WhyAgainst::Previous => vec![is_known(to.previous())?],
            WhyAgainst::Month(month) => vec![is_known(month)?],
            WhyAgainst::Mean => {
                let before = known.iter().copied().filter(|month| *month < to);
                let before: Vec<Month> = before.collect();
                is_known(before.last().copied().unwrap_or(to.previous()))?;
                before[before.len().saturating_sub(YEAR)..].to_vec()
            }
        })
    }

    /// Rates what was billed of a month, or what was metered where no bill is there.
    fn billed_or_metered(
        &self,
        ledger: &Ledger,
        month: Month,
        rating: &RatingTerms,
    ) -> Result<RatedMonth, AppError> {
        if ledger.months()?.contains(&month) {
            return self.rate_month(ledger, month, rating);
        }
        self.metered_bill(ledger, month, rating, MeteringOptions::default())
    }

    /// Returns what of a month is known one by one.
    fn work(&self, ledger: &Ledger, month: Month) -> Result<Work, AppError> {
        let mut work = Work::default();
        ledger.each_build(month, |place, _, build| {
            work.build(&self.catalog, place, build);
        })?;
        ledger.each_action(month, |place, action| work.action(place, action, month))?;
        Ok(work)
    }

    /// Looks for days of a month outside the range that the days before them give.
    fn spikes(
        &self,
        ledger: &Ledger,
        month: &RatedMonth,
        rating: &RatingTerms,
    ) -> Result<Option<Vec<Spike>>, AppError> {
        let of = month.rated.bill.month;
        let known = ledger.months()?;
        let Some(mut days) = daily(month, rating) else {
            return Ok(None);
        };
        let mut at = of.previous();
        for _ in 0..YEAR {
            if !known.contains(&at) {
                break;
            }
            let rated = self.rate_month(ledger, at, rating)?;
            let Some(more) = daily(&rated, rating) else {
                break;
            };
            days.extend(more);
            at = at.previous();
        }
        let costs = days
            .iter()
            .map(|(day, of)| (*day, of.values().copied().sum()));
        let calendar = ForecastOptions::default().calendar;
        let found = spikes(&costs.collect(), of, &calendar);
        Ok(found.map(|found| {
            found
                .into_iter()
                .map(|of| Spike {
                    of,
                    projects: who_made(&of, &days),
                })
                .collect()
        }))
    }
}

/// The last day that is known of a month that is not over.
fn open_until(month: &RatedMonth) -> Option<OpenMonth> {
    let why = &month.rated.bill.finality.reasons;
    why.iter().find_map(|why| match why {
        NotFinal::Open { until } => Some(OpenMonth { until: *until }),
        _ => None,
    })
}

fn gaps(month: &RatedMonth) -> Vec<(Month, Gap)> {
    let bill = &month.rated.bill;
    bill.gaps
        .iter()
        .map(|gap| (bill.month, gap.clone()))
        .collect()
}

/// What builds, actions and updates cost by day and project, at list prices; none where the days of a month
/// are not known.
fn daily(month: &RatedMonth, rating: &RatingTerms) -> Option<Daily> {
    let of = month.rated.bill.month;
    let is_daily = |record: &UsageRecord| {
        let service = record.key.meter.service.as_str();
        record.kind == ChargeKind::Usage
            && [CODEBUILD, CODEPIPELINE, CODEDEPLOY].contains(&service)
            && record
                .quantity
                .is_some_and(|quantity| !quantity.unit.is_counted_by_month())
    };
    let mut daily = month.records.iter().filter(|record| is_daily(record));
    let mut known = daily.clone();
    if daily.any(|record| record.last_day != record.day)
        || known.all(|record| record.day == of.first_day())
    {
        return None;
    }
    let key = |record: &UsageRecord| {
        is_daily(record).then(|| (record.day, Dimension::Resource.of(record)))
    };
    let mut days = Daily::new();
    for day in of.days() {
        days.entry(day).or_default();
    }
    for portion in portions(&month.rated, &month.records, rating.sharing, key, |_| None) {
        if let Some((day, project)) = portion.key {
            *days.entry(day).or_default().entry(project).or_default() += portion.list_cost;
        }
    }
    let last = month.records.iter().map(|record| record.day).max();
    days.retain(|day, _| Some(*day) <= last);
    Some(days)
}

/// The projects that lay furthest from the mean of the same weekday of the eight weeks before.
fn who_made(spike: &SpikeDay, days: &Daily) -> Vec<(String, Money)> {
    let weeks: Vec<&BTreeMap<Option<String>, Money>> = (1..=8)
        .filter_map(|week| days.get(&(spike.day - chrono::Days::new(7 * week))))
        .collect();
    let Some(day) = days.get(&spike.day).filter(|_| !weeks.is_empty()) else {
        return Vec::new();
    };
    let is_above = spike.cost > spike.range[1];
    let mut projects: Vec<(String, Money)> = day
        .keys()
        .chain(weeks.iter().flat_map(|week| week.keys()))
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .filter_map(|project| {
            let of = |day: &BTreeMap<Option<String>, Money>| {
                day.get(project).copied().unwrap_or_default()
            };
            let usual: Money = weeks.iter().map(|week| of(week)).sum();
            let more = of(day) - usual.per(weeks.len() as u64);
            Some((project.clone()?, more))
        })
        .filter(|(_, more)| (*more > Money::ZERO) == is_above && !more.is_zero())
        .collect();
    projects.sort_by_key(|(_, more)| std::cmp::Reverse((*more).max(-*more)));
    projects.truncate(NAMED);
    projects
}
