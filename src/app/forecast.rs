//! Where usage goes: the use cases around the forecast.

use chrono::NaiveDate;

use super::{
    App, AppError, Baseline, RatingTerms, Savings, Terms, choose_currency,
    discounts::{as_given, others},
    quantities::nothing_ahead,
    rating_options,
};
use crate::{
    domain::{
        allocation::Dimension,
        costs::CostsOnly,
        discounts::Charges,
        export::ExportKind,
        ids::Currency,
        money::Money,
        percentiles::Percentiles,
        period::Month,
        plan::PricingTerms,
        price_book::{BilledPrices, PriceBook},
        scenario::{
            Change, Scenario, ScenarioRater,
            mapping::{UsageMapping, mapping},
        },
        spread::spread,
        usage::UsageRecord,
    },
    forecast::{
        self, Backtest, Compared, Coverage, Forecast, ForecastOptions, Rating, ScenarioRating,
        Unplaced,
    },
    ledger::{Ledger, SourceInfo, Stretch},
};

/// Futures that savings are rated over: fewer than of a forecast, for each is rated again for every
/// finding.
const FUTURES: usize = 2000;

/// Months that a ledger may end before the current one, and still say something of it.
const MOST_BEHIND: u32 = 12;

/// What to forecast.
#[derive(Clone, Debug, Default)]
pub struct ForecastRequest {
    /// How far, with which growth, events, holidays and budget.
    pub options: ForecastOptions,
    /// Which currency, where the ledger has several.
    pub currency: Option<String>,
    /// Prices, free tier and discounts.
    pub terms: Terms,
}

impl App {
    /// Forecasts the end of this month and those after it.
    pub fn forecast(&self, request: &ForecastRequest) -> Result<Forecast, AppError> {
        let rating = self.rating_terms(&request.terms, request.currency.as_deref())?;
        let mut ledger = self.ledger()?;
        if request
            .options
            .by
            .as_ref()
            .is_some_and(Dimension::is_of_jobs)
            && let Some(first) = ledger.months()?.first()
        {
            self.add_sample_facts(&mut ledger, *first)?;
        }
        self.forecast_usage(&ledger, &request.options, &rating)
    }

    /// Forecasts the past again and compares it with what came.
    pub fn backtest(&self, request: &ForecastRequest) -> Result<(Backtest, Currency), AppError> {
        let rating = self.rating_terms(&request.terms, request.currency.as_deref())?;
        self.backtest_usage(&self.ledger()?, &request.options, &rating)
    }

    /// Continues usage and rates what may come of it.
    pub fn forecast_usage(
        &self,
        ledger: &Ledger,
        options: &ForecastOptions,
        request: &RatingTerms,
    ) -> Result<Forecast, AppError> {
        let mut past = self.past(ledger, request)?;
        if options.by.as_ref().is_some_and(Dimension::is_of_jobs) {
            past.records = self.records_by_jobs(ledger, &past.records)?;
        }
        let options = &ForecastOptions {
            months: options.months + self.behind(past.coverage.last_day),
            ..options.clone()
        };
        let over = self.last_over(past.records.iter().map(|record| record.month));
        let charges = Charges::of(&past.records);
        let until = over.unwrap_or(past.last_month);
        let (discounts, request) = Self::carry_discounts(&charges, until, request);
        let forecast = self.rating(&past, &request, |rating| {
            forecast::forecast(&past.records, &past.coverage, options, rating)
        })?;
        let mut forecast = forecast.ok_or_else(|| nothing_ahead(ledger))?;
        if let Some(month) = forecast.months.first_mut() {
            as_given(month, &past.records, &discounts);
        }
        if let Some(unplaced) = past.unplaced {
            forecast.at_least(unplaced);
        }
        forecast.begin_with(Month::of(self.today));
        Ok(Forecast {
            result: forecast,
            other_charges: others(&past.records, past.last_month, &discounts),
            currency: past.currency,
            discounts,
            costs: past.costs,
        })
    }

    /// Counts the months that usage ends before the current one: what follows is asked for from today on.
    fn behind(&self, last_day: NaiveDate) -> u32 {
        let months = std::iter::successors(Some(Month::of(last_day)), |month| Some(month.next()));
        let behind = months.take_while(|month| month.end() <= self.today);
        let behind = u32::try_from(behind.count()).unwrap_or(u32::MAX);
        if behind > MOST_BEHIND { 0 } else { behind }
    }

    /// Forecasts the past again and compares it with what came.
    pub fn backtest_usage(
        &self,
        ledger: &Ledger,
        options: &ForecastOptions,
        request: &RatingTerms,
    ) -> Result<(Backtest, Currency), AppError> {
        let past = self.past(ledger, request)?;
        let backtest = self.rating(&past, request, |rating| {
            forecast::backtest(&past.records, &past.coverage, options, rating)
        })?;
        Ok((backtest, past.currency))
    }

    /// Compares a scenario with the months to come: the same futures under both.
    pub fn compare_ahead(
        &self,
        ledger: &Ledger,
        baseline: &Baseline,
        scenario: &Scenario,
        options: &ForecastOptions,
        request: &RatingTerms,
    ) -> Result<Compared, AppError> {
        if scenario.is_of_storage() {
            return Err(AppError::StorageAhead);
        }
        self.check_names(baseline, scenario)?;
        let mapping = mapping(&baseline.raters(self), &scenario.changes);
        let past = self.past(ledger, request)?;
        // The baseline carries the discounts that recur.
        let request = &baseline.request(request);
        let sharing = request.sharing;
        let before = self.price_book(&request.terms, past.observed());
        let after = self.price_book(&mapping.terms, past.observed());
        let currency = || past.currency.clone();
        let as_is = |month| rating_options(month, currency(), &request.terms, sharing);
        let changed = |month| rating_options(month, currency(), &mapping.terms, sharing);
        let scenario = ScenarioRating {
            rating: Rating {
                book: &after,
                options: &changed,
            },
            mapping: &mapping,
        };
        let compared = forecast::compared(
            &past.records,
            &past.coverage,
            options,
            &Rating {
                book: &before,
                options: &as_is,
            },
            &[scenario],
        );
        let mut compared = compared.ok_or_else(|| nothing_ahead(ledger))?;
        compared.pop().ok_or_else(|| nothing_ahead(ledger))
    }

    /// Looks for savings as [`App::find_savings`] does, and has their range from joint futures of the next
    /// whole month, each rated with and without the change, in place of the months that were.
    pub fn find_savings_ahead(
        &self,
        ledger: &Ledger,
        baseline: &Baseline,
        least: Money,
        request: &RatingTerms,
    ) -> Result<Savings, AppError> {
        let past = self.past(ledger, request)?;
        let request = &baseline.request(request);
        let options = ForecastOptions {
            months: 1,
            paths: FUTURES,
            ..ForecastOptions::default()
        };
        let raters = baseline.raters(self);
        let savings = |scenarios: &[&[Change]]| {
            let spreads = self.savings_ahead(&past, &raters, scenarios, &options, request);
            spreads.unwrap_or_else(|| vec![None; scenarios.len()])
        };
        self.find_savings_by(baseline, least, Some(&savings))
    }

    /// Returns what each scenario saves over futures; none of those that no future knows.
    fn savings_ahead(
        &self,
        past: &Past,
        raters: &[ScenarioRater<'_>],
        scenarios: &[&[Change]],
        options: &ForecastOptions,
        request: &RatingTerms,
    ) -> Option<Vec<Option<Percentiles>>> {
        let currency = || past.currency.clone();
        let known: Vec<usize> = (0..scenarios.len())
            .filter(|at| {
                scenarios[*at]
                    .iter()
                    .all(|change| change.storage_kind().is_none())
            })
            .collect();
        let mappings: Vec<UsageMapping> = known
            .iter()
            .map(|at| mapping(raters, scenarios[*at]))
            .collect();
        let books: Vec<PriceBook<'_>> = mappings
            .iter()
            .map(|mapping| self.price_book(&mapping.terms, past.observed()))
            .collect();
        let under = |terms: PricingTerms| {
            move |month| rating_options(month, past.currency.clone(), &terms, request.sharing)
        };
        let changed: Vec<_> = mappings.iter().map(|m| under(m.terms.clone())).collect();
        let ahead: Vec<ScenarioRating<'_>> = mappings
            .iter()
            .zip(&books)
            .zip(&changed)
            .map(|((mapping, book), options)| ScenarioRating {
                rating: Rating { book, options },
                mapping,
            })
            .collect();
        let as_is = |month| rating_options(month, currency(), &request.terms, request.sharing);
        let book = self.price_book(&request.terms, past.observed());
        let baseline = Rating {
            book: &book,
            options: &as_is,
        };
        let compared =
            forecast::compared(&past.records, &past.coverage, options, &baseline, &ahead)?;
        let mut spreads = vec![None; scenarios.len()];
        for (at, compared) in known.into_iter().zip(compared) {
            let [.., difference] = compared.sum;
            spreads[at] = Some(Percentiles {
                p10: -difference.p90,
                p50: -difference.p50,
                p90: -difference.p10,
            });
        }
        Some(spreads)
    }

    /// Does something with the prices and options of recorded usage.
    fn rating<T>(
        &self,
        past: &Past,
        request: &RatingTerms,
        with: impl FnOnce(&Rating<'_>) -> T,
    ) -> T {
        let currency = || past.currency.clone();
        let options = |month| rating_options(month, currency(), &request.terms, request.sharing);
        with(&Rating {
            book: &self.price_book(&request.terms, past.observed()),
            options: &options,
        })
    }

    /// Gathers all recorded usage and what is known of its completeness.
    fn past(&self, ledger: &Ledger, request: &RatingTerms) -> Result<Past, AppError> {
        let mut records = Vec::new();
        let mut sources = Vec::new();
        let mut unplaced = None;
        for month in ledger.months()? {
            let used = ledger.sources(month)?.into_iter();
            let used: Vec<SourceInfo> = used.filter(|source| source.used).collect();
            let (mut of_month, _) = self.records(ledger, month)?;
            let aside = |record: &mut UsageRecord| is_open_sum(record, &used, self.today);
            let aside: Vec<UsageRecord> = of_month.extract_if(.., aside).collect();
            if !aside.is_empty() {
                unplaced = Some(Unplaced::of(month, &aside));
            }
            let whole = month.end() <= self.today && used.iter().all(SourceInfo::is_whole_month);
            let is_first = |record: &UsageRecord| record.day == month.first_day();
            if whole && of_month.iter().all(is_first) {
                for record in &mut of_month {
                    record.last_day = month.last_day();
                }
            }
            records.extend(spread(of_month));
            sources.extend(used.into_iter().map(|source| (month, source)));
        }
        let last_month = records
            .iter()
            .map(|record| record.month)
            .max()
            .ok_or_else(|| nothing_ahead(ledger))?;
        let currency = choose_currency(last_month, &mut records, request)?;
        let (records, costs) = forecast::settle(records);
        let mut coverage = Coverage::of(&records).ok_or_else(|| nothing_ahead(ledger))?;
        // A sum says itself how far it reaches, also where nothing was used on its last days.
        let told = sources
            .iter()
            .filter_map(|(_, source)| source.known_until(self.today));
        coverage.last_day = coverage
            .last_day
            .max(told.max().unwrap_or(coverage.last_day));
        coverage.gaps = uncovered(&sources, coverage.last_day, self.today);
        coverage.incomplete_days = incomplete_days(&sources, coverage.last_day, self.today);
        if let Some(last) = coverage
            .last_day
            .checked_sub_days(chrono::Days::new(coverage.incomplete_days.into()))
        {
            coverage.last_day = last;
        }
        Ok(Past {
            records,
            coverage,
            currency,
            last_month,
            costs,
            unplaced,
        })
    }
}

/// Tells whether a record sums up several days and does not tell which.
fn is_open_sum(record: &UsageRecord, sources: &[SourceInfo], today: NaiveDate) -> bool {
    let days = (record.day, record.last_day);
    let mut stretches = sources.iter().flat_map(|source| &source.stretches);
    record.day < record.last_day
        && stretches.any(|it| (it.first, it.last) == days && it.open_until(today).is_some())
}

/// All recorded usage.
struct Past {
    records: Vec<UsageRecord>,
    coverage: Coverage,
    currency: Currency,
    last_month: Month,
    costs: CostsOnly,
    unplaced: Option<Unplaced>,
}

impl Past {
    /// Prices of the last two months: older ones may have changed since.
    fn observed(&self) -> BilledPrices {
        let recent = |record: &&UsageRecord| record.month >= self.last_month.previous();
        let recent: Vec<UsageRecord> = self.records.iter().filter(recent).cloned().collect();
        BilledPrices::collect(&recent)
    }
}

/// Returns the stretches of days between the first source and the last that none covers.
fn uncovered(
    sources: &[(Month, SourceInfo)],
    last_day: NaiveDate,
    today: NaiveDate,
) -> Vec<(NaiveDate, NaiveDate)> {
    let stretches = sources.iter().flat_map(|(_, source)| &source.stretches);
    let mut covered: Vec<(NaiveDate, NaiveDate)> = stretches
        .filter(|stretch| stretch.open_until(today).is_none())
        .map(|stretch| (stretch.first, stretch.last))
        .collect();
    covered.sort();
    let mut gaps = Vec::new();
    let mut known_to: Option<NaiveDate> = None;
    for (from, to) in covered {
        if let Some(known) = known_to
            && let (Some(first), Some(last)) = (known.succ_opt(), from.pred_opt())
            && first <= last
        {
            gaps.push((first, last.min(last_day)));
        }
        known_to = Some(known_to.map_or(to, |known| known.max(to)));
    }
    gaps
}

/// Cost Explorer adds to a day for up to two days after it, so its last two are not whole yet.
fn incomplete_days(sources: &[(Month, SourceInfo)], last_day: NaiveDate, today: NaiveDate) -> u32 {
    let explorer = sources.iter().any(|(month, source)| {
        let kind = source.kind;
        let by_day = |it: &Stretch| it.first == it.last && it.last == last_day;
        month.contains(last_day)
            && matches!(
                kind,
                ExportKind::CostExplorerJson | ExportKind::CostExplorerCsv
            )
            && source.stretches.iter().any(by_day)
    });
    match (today - last_day).num_days() {
        0..=1 if explorer => 2,
        2 if explorer => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::export::Standing;

    fn source(kind: ExportKind, stretches: &[(&str, &str)]) -> (Month, SourceInfo) {
        let stretches = stretches.iter().map(|(first, last)| Stretch {
            first: day(first),
            last: day(last),
            read_while_open: None,
        });
        let info = SourceInfo {
            kind,
            source: "test".to_owned(),
            stretches: stretches.collect(),
            uncovered: Vec::new(),
            parts: BTreeSet::new(),
            standing: Standing::default(),
            skipped: 0,
            records: 1,
            used: true,
        };
        (Month::of(info.stretches[0].first), info)
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_between_sources_are_gaps() {
        let sources = [
            source(ExportKind::Cur2, &[("2026-07-01", "2026-07-31")]),
            source(
                ExportKind::CostExplorerCsv,
                &[("2026-09-10", "2026-09-14"), ("2026-09-17", "2026-09-30")],
            ),
            source(ExportKind::Cur2, &[("2026-10-01", "2026-10-31")]),
            // Which days of it are there is not told.
            source(ExportKind::CostExplorerCsv, &[("2026-11-01", "2026-11-30")]),
        ];
        assert_eq!(
            uncovered(&sources, day("2026-10-31"), day("2026-11-10")),
            [
                (day("2026-08-01"), day("2026-09-09")),
                (day("2026-09-15"), day("2026-09-16")),
            ]
        );
    }

    #[test]
    fn the_last_two_days_of_cost_explorer_are_not_whole() {
        let days = [("2026-11-19", "2026-11-19"), ("2026-11-20", "2026-11-20")];
        let explorer = [source(ExportKind::CostExplorerJson, &days)];
        for (today, days) in [
            ("2026-11-20", 2),
            ("2026-11-21", 2),
            ("2026-11-22", 1),
            ("2026-11-23", 0),
        ] {
            assert_eq!(
                incomplete_days(&explorer, day("2026-11-20"), day(today)),
                days,
                "{today}"
            );
        }
        // A bill has a day whole, and a sum of many days is not made wrong by its last.
        for other in [
            source(ExportKind::Cur2, &[("2026-11-01", "2026-11-30")]),
            source(
                ExportKind::CostExplorerJson,
                &[("2026-11-01", "2026-11-20")],
            ),
        ] {
            assert_eq!(
                incomplete_days(&[other], day("2026-11-20"), day("2026-11-21")),
                0
            );
        }
    }
}
