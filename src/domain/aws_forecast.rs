//! Cost Explorer's own forecast, made comparable with one of ours.
//!
//! It speaks of the days from today on; a month of ours is what is known of it and what is to come.
//! Whether the first of its months is the rest of one or all of it, AWS does not say, so the rest of
//! the month is added up from its days, and only the width of the range is taken from the month.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{ids::AccountId, money::Money, period::Month};

/// A stretch of days as Cost Explorer expects it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    /// The first day.
    pub from: NaiveDate,
    /// The mean.
    pub mean: Money,
    /// The lower end of the prediction interval.
    pub low: Money,
    /// The upper end of it.
    pub high: Money,
}

/// What Cost Explorer answered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answered {
    /// The days from today to the end of the month.
    pub days: Vec<Expected>,
    /// The months, the current one first.
    pub months: Vec<Expected>,
}

/// Cost Explorer's forecast beside ours.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AwsForecast {
    /// Mean and interval of each month that it speaks of.
    pub months: BTreeMap<Month, Expected>,
    /// Why there is none.
    pub refused: Option<String>,
    /// What it is about, and what it leaves out.
    pub notes: Vec<AwsRemark>,
}

/// What there is to say of Cost Explorer's forecast: facts, without sentences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AwsRemark {
    /// What it is about.
    Subject {
        /// The services, as people call them.
        services: String,
        /// The accounts; none for all that it sees.
        accounts: Vec<AccountId>,
    },
    /// The current month is not comparable: the ledger lacks its days so far.
    CurrentMonthMissing {
        /// The month.
        month: Month,
        /// From this day on AWS forecasts.
        from: NaiveDate,
    },
    /// The current month is the ledger's cost and AWS's days.
    CurrentMonth {
        /// The month.
        month: Month,
        /// The last day of the ledger, if days between are in neither.
        until: Option<NaiveDate>,
        /// From this day on AWS forecasts.
        from: NaiveDate,
    },
    /// AWS forecasts fewer months than were asked for.
    MostMonths {
        /// So many.
        months: u32,
    },
}

/// Returns Cost Explorer's months, the current one with what is known of the days before today. It
/// is left out if that is not known.
pub fn months(
    answered: &Answered,
    today: NaiveDate,
    known: Option<Money>,
) -> BTreeMap<Month, Expected> {
    let current = Month::of(today);
    let mut months = BTreeMap::new();
    for expected in &answered.months {
        let month = Month::of(expected.from);
        if month != current {
            months.insert(month, *expected);
        } else if let Some(known) = known {
            let rest: Money = answered
                .days
                .iter()
                .filter(|day| current.contains(day.from))
                .map(|day| day.mean)
                .sum();
            let mean = known + rest;
            months.insert(
                month,
                Expected {
                    from: current.first_day(),
                    mean,
                    low: mean - (expected.mean - expected.low),
                    high: mean + (expected.high - expected.mean),
                },
            );
        }
    }
    months
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn expected(from: &str, mean: i64, low: i64, high: i64) -> Expected {
        let money = |dollars: i64| Money::new(Decimal::from(dollars));
        Expected {
            from: from.parse().expect("a day"),
            mean: money(mean),
            low: money(low),
            high: money(high),
        }
    }

    #[test]
    fn the_current_month_is_what_is_known_and_the_days_to_come() {
        let today = "2026-11-29".parse().expect("a day");
        let known = Some(Money::new(Decimal::from(100)));
        let days = vec![
            expected("2026-11-29", 4, 0, 9),
            expected("2026-11-30", 6, 0, 9),
        ];
        let december = expected("2026-12-01", 200, 150, 260);
        let december_is = ("2026-12".parse().expect("a month"), december);
        // Whether AWS's first month is the rest of it or all of it, the answer is the same.
        for first in [
            expected("2026-11-29", 10, 7, 15),
            expected("2026-11-01", 110, 107, 115),
        ] {
            let answered = Answered {
                days: days.clone(),
                months: vec![first, december],
            };
            let november = expected("2026-11-01", 110, 107, 115);
            let november_is = ("2026-11".parse().expect("a month"), november);
            assert_eq!(
                months(&answered, today, known),
                BTreeMap::from([november_is, december_is])
            );
            assert_eq!(
                months(&answered, today, None),
                BTreeMap::from([december_is])
            );
        }
    }
}
