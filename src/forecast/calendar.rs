//! Public holidays by rule, so that no list goes stale.
//!
//! A holiday is only a hint: how much less a series does on such days is learnt from its own past
//! and shrunk towards no effect, so a calendar that does not fit costs little. Days that move with
//! the moon by observation (Eid, Diwali, Lunar New Year) are not here: no rule gives them.
//!
//! Rules: the statutes as summed up by each government's own page (opm.gov, gov.uk,
//! service-public.fr, the German states' common days, india.gov.in's three national days, Japan's
//! Act on National Holidays, canada.ca, australia.gov.au).

use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Whose holidays to watch for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Country {
    /// Federal holidays of the United States, and the Friday after Thanksgiving.
    #[default]
    UnitedStates,
    /// Bank holidays of England and Wales.
    UnitedKingdom,
    /// Germany, days common to all states.
    Germany,
    /// France.
    France,
    /// India, the three national days.
    India,
    /// Japan, without the equinoxes.
    Japan,
    /// Canada, federal.
    Canada,
    /// Australia, national.
    Australia,
}

impl Country {
    /// Every country with rules.
    pub const ALL: [Self; 8] = [
        Self::UnitedStates,
        Self::UnitedKingdom,
        Self::Germany,
        Self::France,
        Self::India,
        Self::Japan,
        Self::Canada,
        Self::Australia,
    ];

    /// Returns the ISO 3166 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnitedStates => "US",
            Self::UnitedKingdom => "GB",
            Self::Germany => "DE",
            Self::France => "FR",
            Self::India => "IN",
            Self::Japan => "JP",
            Self::Canada => "CA",
            Self::Australia => "AU",
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl FromStr for Country {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let same = |country: &&Self| country.code().eq_ignore_ascii_case(text.trim());
        Self::ALL.iter().find(same).copied().ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|country| country.code()).collect();
            format!("choose from {}, or none", known.join(", "))
        })
    }
}

/// The days on which less than usual may happen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Calendar {
    countries: Vec<Country>,
}

impl Calendar {
    /// Returns the calendar of some countries, of none if the list is empty. With any country come
    /// the days from 23 December to 2 January, which most offices spend half empty.
    pub fn of(countries: impl IntoIterator<Item = Country>) -> Self {
        let countries: BTreeSet<Country> = countries.into_iter().collect();
        Self {
            countries: countries.into_iter().collect(),
        }
    }

    /// Returns whose holidays it has.
    pub fn countries(&self) -> &[Country] {
        &self.countries
    }

    /// Returns the holidays from a day on, before another.
    pub fn between(&self, from: NaiveDate, until: NaiveDate) -> BTreeSet<NaiveDate> {
        if self.countries.is_empty() {
            return BTreeSet::new();
        }
        let years = from.year() - 1..=until.year() + 1;
        years
            .flat_map(|year| self.year(year))
            .filter(|day| (from..until).contains(day))
            .collect()
    }

    fn year(&self, year: i32) -> Vec<NaiveDate> {
        let mut days: Vec<NaiveDate> = self
            .countries
            .iter()
            .flat_map(|country| country.year(year))
            .collect();
        days.extend((23..=31).filter_map(|day| NaiveDate::from_ymd_opt(year, 12, day)));
        days.extend((1..=2).filter_map(|day| NaiveDate::from_ymd_opt(year, 1, day)));
        days
    }
}

impl Country {
    fn year(self, year: i32) -> Vec<NaiveDate> {
        use Weekday::{Mon, Thu};
        let fixed = |month, day| NaiveDate::from_ymd_opt(year, month, day);
        let nth = |month, weekday, n| NaiveDate::from_weekday_of_month_opt(year, month, weekday, n);
        let last_monday = |month| nth(month, Mon, 5).or_else(|| nth(month, Mon, 4));
        let easter = |days: i64| easter(year).map(|day| day + chrono::Duration::days(days));
        let days: Vec<Option<NaiveDate>> = match self {
            Self::UnitedStates => [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)]
                .into_iter()
                .flat_map(|(month, day)| [fixed(month, day), fixed(month, day).map(to_weekday)])
                .chain([
                    nth(1, Mon, 3),
                    nth(2, Mon, 3),
                    last_monday(5),
                    nth(9, Mon, 1),
                    nth(10, Mon, 2),
                    nth(11, Thu, 4),
                    // Not a holiday by law, but in practice.
                    nth(11, Thu, 4).map(|day| day + Days::new(1)),
                ])
                .collect(),
            Self::UnitedKingdom => vec![
                fixed(1, 1).map(after_weekend),
                easter(-2),
                easter(1),
                nth(5, Mon, 1),
                last_monday(5),
                last_monday(8),
                fixed(12, 25).map(after_weekend),
                fixed(12, 26).map(after_weekend),
            ],
            Self::Germany => vec![
                fixed(1, 1),
                easter(-2),
                easter(1),
                fixed(5, 1),
                easter(39),
                easter(50),
                fixed(10, 3),
                fixed(12, 25),
                fixed(12, 26),
            ],
            Self::France => [
                (1, 1),
                (5, 1),
                (5, 8),
                (7, 14),
                (8, 15),
                (11, 1),
                (11, 11),
                (12, 25),
            ]
            .into_iter()
            .map(|(month, day)| fixed(month, day))
            .chain([easter(1), easter(39), easter(50)])
            .collect(),
            Self::India => vec![fixed(1, 26), fixed(8, 15), fixed(10, 2)],
            Self::Japan => [
                (1, 1),
                (2, 11),
                (2, 23),
                (4, 29),
                (5, 3),
                (5, 4),
                (5, 5),
                (8, 11),
                (11, 3),
                (11, 23),
            ]
            .into_iter()
            .map(|(month, day)| fixed(month, day).map(after_sunday))
            .chain([
                nth(1, Mon, 2),
                nth(7, Mon, 3),
                nth(9, Mon, 3),
                nth(10, Mon, 2),
            ])
            .collect(),
            Self::Canada => vec![
                fixed(1, 1).map(after_weekend),
                easter(-2),
                // Victoria Day: the last Monday before 25 May.
                fixed(5, 24)
                    .map(|day| day - Days::new(day.weekday().num_days_from_monday().into())),
                fixed(7, 1).map(after_weekend),
                nth(9, Mon, 1),
                fixed(9, 30),
                nth(10, Mon, 2),
                fixed(11, 11),
                fixed(12, 25).map(after_weekend),
                fixed(12, 26).map(after_weekend),
            ],
            Self::Australia => vec![
                fixed(1, 1).map(after_weekend),
                fixed(1, 26).map(after_weekend),
                easter(-2),
                easter(1),
                fixed(4, 25),
                nth(6, Mon, 2),
                fixed(12, 25).map(after_weekend),
                fixed(12, 26).map(after_weekend),
            ],
        };
        days.into_iter().flatten().collect()
    }
}

/// A Saturday is kept on Friday, a Sunday on Monday.
fn to_weekday(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day - Days::new(1),
        Weekday::Sun => day + Days::new(1),
        _ => day,
    }
}

/// A day at the weekend is kept two days later, which leaves Boxing Day its place after Christmas.
fn after_weekend(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat | Weekday::Sun => day + Days::new(2),
        _ => day,
    }
}

fn after_sunday(day: NaiveDate) -> NaiveDate {
    if day.weekday() == Weekday::Sun {
        day + Days::new(1)
    } else {
        day
    }
}

/// Easter Sunday of the Gregorian calendar, by the anonymous algorithm (Meeus, Jones, Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    NaiveDate::from_ymd_opt(year, month.try_into().ok()?, day.try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(country: Country, year: i32) -> BTreeSet<String> {
        country.year(year).iter().map(ToString::to_string).collect()
    }

    /// As the U.S. Office of Personnel Management lists them for 2026.
    #[test]
    fn american_holidays_are_those_of_the_government() {
        let days = days(Country::UnitedStates, 2026);
        for day in [
            "2026-01-01",
            "2026-01-19",
            "2026-02-16",
            "2026-05-25",
            "2026-06-19",
            "2026-07-03",
            "2026-09-07",
            "2026-10-12",
            "2026-11-11",
            "2026-11-26",
            "2026-12-25",
        ] {
            assert!(days.contains(day), "{day}");
        }
    }

    /// As gov.uk lists bank holidays in England and Wales for 2026 and 2027.
    #[test]
    fn british_holidays_are_those_of_the_government() {
        let listed = [
            "2026-01-01",
            "2026-04-03",
            "2026-04-06",
            "2026-05-04",
            "2026-05-25",
            "2026-08-31",
            "2026-12-25",
            "2026-12-28",
        ];
        assert_eq!(
            days(Country::UnitedKingdom, 2026),
            listed.map(str::to_owned).into()
        );
        assert!(days(Country::UnitedKingdom, 2027).contains("2027-12-27"));
        assert!(days(Country::UnitedKingdom, 2027).contains("2027-12-28"));
    }

    #[test]
    fn easter_moves_as_the_church_says() {
        for (year, day) in [
            (2024, "2024-03-31"),
            (2025, "2025-04-20"),
            (2026, "2026-04-05"),
            (2038, "2038-04-25"),
        ] {
            assert_eq!(
                easter(year).map(|day| day.to_string()).as_deref(),
                Some(day)
            );
        }
    }

    #[test]
    fn no_country_has_no_holidays() {
        let (from, until) = ("2026-01-01".parse().unwrap(), "2027-01-01".parse().unwrap());
        assert!(Calendar::default().between(from, until).is_empty());
        assert!(Calendar::of([Country::India]).between(from, until).len() > 10);
    }
}
