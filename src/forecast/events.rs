//! What the user knows and no history tells: growth, and stretches of days with more or less.

use chrono::NaiveDate;

/// Days with more or less usage than usual: `2026-12-20..2027-01-03=-60%`, both days included.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Event {
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// What remains of usual usage: 0.4 for -60 %.
    pub factor: f64,
}

/// Why a text is no event or growth.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EventError {
    /// Not of the form.
    #[error("`{0}` is not of the form {1}")]
    Form(String, &'static str),
    /// The last day comes before the first.
    #[error("{0} is after {1}")]
    Order(NaiveDate, NaiveDate),
    /// Nothing can shrink by more than all of it, or grow without end.
    #[error("{0} is out of range: choose between {1}")]
    Range(String, &'static str),
}

impl std::str::FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let wrong = || EventError::Form(shown(text), "2026-12-20..2027-01-03=-60%");
        let (days, percent) = text.split_once('=').ok_or_else(wrong)?;
        let (from, to) = days.split_once("..").unwrap_or((days, days));
        let day = |text: &str| text.trim().parse::<NaiveDate>().map_err(|_| wrong());
        let (from, to) = (day(from)?, day(to)?);
        if from > to {
            return Err(EventError::Order(from, to));
        }
        let percent = percentage(percent).ok_or_else(wrong)?;
        if !(-100.0..=10_000.0).contains(&percent) {
            return Err(EventError::Range(shown(text), "-100% and +10000%"));
        }
        Ok(Self {
            from,
            to,
            factor: 1.0 + percent / 100.0,
        })
    }
}

/// Growth from month to month: `2%/month`, or `27%/year`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Growth {
    /// The logarithm of what a month has of the one before.
    monthly: f64,
}

impl std::str::FromStr for Growth {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let wrong = || EventError::Form(shown(text), "2%/month or 27%/year");
        let (percent, months) = match text.split_once('/') {
            None => (text, 1.0),
            Some((percent, "month")) => (percent, 1.0),
            Some((percent, "year")) => (percent, 12.0),
            Some(_) => return Err(wrong()),
        };
        let percent = percentage(percent).ok_or_else(wrong)?;
        if !(-90.0..=1000.0).contains(&percent) {
            return Err(EventError::Range(shown(text), "-90% and +1000%"));
        }
        Ok(Self {
            monthly: super::numbers::ln(1.0 + percent / 100.0) / months,
        })
    }
}

impl Growth {
    /// Returns what usage has grown by after some days, as a factor.
    pub(super) fn after(self, days: f64) -> f64 {
        super::numbers::exp(self.monthly * days / 30.4)
    }

    /// Tells whether there is none.
    pub fn is_none(self) -> bool {
        self.monthly == 0.0
    }
}

/// Returns what events leave of a day's usual usage.
pub(super) fn factor(events: &[Event], day: NaiveDate) -> f64 {
    let on = events
        .iter()
        .filter(|event| (event.from..=event.to).contains(&day));
    on.map(|event| event.factor).product()
}

fn percentage(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('%')?.trim();
    let value: f64 = number.parse().ok()?;
    value.is_finite().then_some(value)
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_covers_both_its_days() {
        let event: Event = "2026-12-20..2027-01-03=-60%".parse().unwrap();
        let day = |text: &str| factor(&[event], text.parse().unwrap());
        assert!((day("2026-12-20") - 0.4).abs() < 1e-12);
        assert!((day("2027-01-03") - 0.4).abs() < 1e-12);
        assert!((day("2027-01-04") - 1.0).abs() < 1e-12);
        let one: Event = "2026-12-24=+15%".parse().unwrap();
        assert_eq!(one.from, one.to);
    }

    #[test]
    fn growth_by_month_and_by_year_agree() {
        let month: Growth = "2%/month".parse().unwrap();
        assert!((month.after(30.4) - 1.02).abs() < 1e-12);
        let year: Growth = "12%/year".parse().unwrap();
        assert!((year.after(364.8) - 1.12).abs() < 1e-12);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "",
            "2026-12-20",
            "2026-12-20..2026-12-01=-5%",
            "2026-12-20=-101%",
            "2026-12-20=nan%",
            "a..b=5%",
        ] {
            assert!(text.parse::<Event>().is_err(), "{text}");
        }
        for text in ["", "2", "2%/week", "-95%", "inf%"] {
            assert!(text.parse::<Growth>().is_err(), "{text}");
        }
    }
}
