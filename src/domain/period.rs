//! Billing months, in UTC, half-open.

use std::{fmt, str::FromStr};

use chrono::{Datelike, Days, NaiveDate, Weekday};
use thiserror::Error;

/// A text that names no month.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a month: write it as 2026-11")]
pub struct MonthError(pub String);

/// A calendar month: the period AWS bills.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: NaiveDate,
}

impl Month {
    /// Returns the month a day lies in.
    pub fn of(day: NaiveDate) -> Self {
        Self {
            first: day.with_day(1).expect("every month has a first day"),
        }
    }

    /// Returns the first day.
    pub fn first_day(self) -> NaiveDate {
        self.first
    }

    /// Returns the first day after the month.
    pub fn end(self) -> NaiveDate {
        self.next().first
    }

    /// Returns the last day.
    pub fn last_day(self) -> NaiveDate {
        self.end()
            .pred_opt()
            .expect("months end long after the first representable day")
    }

    /// Returns the month after.
    #[must_use]
    pub fn next(self) -> Self {
        Self::of(self.first + Days::new(31))
    }

    /// Returns the month before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::of(self.first - Days::new(1))
    }

    /// Tells whether a day lies in the month.
    pub fn contains(self, day: NaiveDate) -> bool {
        Self::of(day) == self
    }

    /// Returns the days in order.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first
            .iter_days()
            .take_while(move |&day| day < self.end())
    }

    /// Counts Mondays to Fridays. Holidays differ by country and are not taken out.
    pub fn working_days(self) -> u32 {
        let working = self
            .days()
            .filter(|d| !matches!(d.weekday(), Weekday::Sat | Weekday::Sun));
        u32::try_from(working.count()).expect("a month has at most 31 days")
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let bad = || MonthError(text.chars().filter(|c| !c.is_control()).take(40).collect());
        let (year, month) = text.split_once('-').ok_or_else(bad)?;
        if year.len() != 4
            || month.len() != 2
            || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
        {
            return Err(bad());
        }
        let year = year.parse().map_err(|_| bad())?;
        let month = month.parse().map_err(|_| bad())?;
        // Year 0 to 1999 is a slip of the keyboard; AWS has no bill from before 2006.
        if !(2000..=2199).contains(&year) {
            return Err(bad());
        }
        NaiveDate::from_ymd_opt(year, month, 1)
            .map(|first| Self { first })
            .ok_or_else(bad)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!(
            "{:04}-{:02}",
            self.first.year(),
            self.first.month()
        ))
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        text.parse().expect("a month")
    }

    #[test]
    fn months_are_half_open() {
        let february = month("2028-02");
        assert_eq!(february.days().count(), 29);
        assert_eq!(february.last_day().to_string(), "2028-02-29");
        assert_eq!(february.end().to_string(), "2028-03-01");
        assert!(!february.contains(february.end()));
        assert_eq!(month("2026-12").next(), month("2027-01"));
        assert_eq!(month("2027-01").previous(), month("2026-12"));
    }

    #[test]
    fn november_2026_has_21_working_days() {
        assert_eq!(month("2026-11").working_days(), 21);
    }

    #[test]
    fn anything_but_year_and_month_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "26-11",
            "2026-1",
            "2026-11-01",
            "0001-01",
            "２０２６-11",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
