//! What each driver is expected to do in the current month and those after it.
//!
//! The rest of this month and the next one come from the ensemble. Further out it gives way, within
//! three months, to the weekday mean of 26 weeks, at the geometric middle of its level and that of
//! the last eight: on the development windows that erred least two to five months ahead, above all
//! after a change of level. No trend is assumed: it did harm at 12 months. Only three years of history
//! earn one: half the drift of all of it, as the theta method has it, the less of it the less sure
//! it is.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::{
    calendar::Calendar,
    ensemble::{self, COLD, FROZEN, History, Point},
    events::{self, Event, Growth},
    interval::{self, Facts, Spread},
    methods::{self, WEEK},
    numbers::{count, mean, variance},
    series::{Daily, WEEKS},
};
use crate::domain::period::Month;

/// What widens a range with every month ahead: measured on the development windows, where the 80 %
/// range of a month's total widens by 11, 12, 17, 26 and 30 % one to five months later.
const WIDER: f64 = 0.12;

/// Days of history from which a drift is believed.
const DRIFT_FROM: usize = 3 * 365;

/// The days to forecast, by month.
#[derive(Clone, Debug)]
pub(super) struct Horizon {
    pub(super) last_day: NaiveDate,
    /// The current month and those after it.
    pub(super) months: Vec<Month>,
}

impl Horizon {
    pub(super) fn new(last_day: NaiveDate, months: u32) -> Self {
        let current = Month::of(last_day);
        let all = std::iter::successors(Some(current), |month| Some(month.next()));
        Self {
            last_day,
            months: all.take(months as usize + 1).collect(),
        }
    }

    /// Positions, from the first unknown day, of a month's unknown days.
    fn span(&self, at: usize) -> std::ops::Range<usize> {
        let day = |day: NaiveDate| ((day - self.last_day).num_days() - 1).max(0) as usize;
        let month = self.months[at];
        day(month.first_day())..day(month.end())
    }
}

/// What is expected of a daily driver.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    /// The rest of each month as a distribution.
    pub(super) months: Vec<Spread>,
    /// How each of the last weeks differed from their mean, in standard deviations; the last one
    /// last. Zero where the driver has no such week.
    pub(super) weeks: [f64; WEEKS],
    /// Days of history.
    pub(super) days: usize,
    /// How the methods were weighed.
    pub(super) weights: [f64; methods::NAMES.len()],
    /// What a holiday has of an ordinary day; none where no holiday was looked for.
    pub(super) holiday_ratio: Option<f64>,
    /// The last two weeks lie far from the ten before.
    pub(super) shifted: bool,
    /// It was in use and is no more.
    pub(super) stopped: bool,
}

/// What changes the future, whatever the past.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes<'q> {
    pub(super) events: &'q [Event],
    pub(super) growth: Growth,
    pub(super) calendar: Calendar,
}

/// Forecasts a daily driver.
pub(super) fn expect(daily: &Daily, horizon: &Horizon, changes: &Changes<'_>) -> Expected {
    let y = &daily.values[..];
    let days = horizon.span(horizon.months.len() - 1).end;
    let start = horizon.last_day - Days::new(y.len() as u64 - 1);
    let end = horizon.last_day + Days::new(days as u64 + 1);
    let holidays: Vec<usize> = changes
        .calendar
        .between(start, end)
        .into_iter()
        .map(|day| (day - start).num_days() as usize)
        .collect();
    let history = History {
        values: y.to_vec(),
        holidays,
    };
    let rest = horizon.span(0).end;
    let next = horizon.months.get(1).map_or(rest, |_| horizon.span(1).end);
    let near = ensemble::forecast(&history, next.max(1));
    let month_end = if rest > 0 && rest < next {
        ensemble::forecast(&history, rest)
    } else {
        near.clone()
    };
    let mut path = far(&history, &near, days);
    for (at, value) in path.iter_mut().enumerate().take(next) {
        *value = if at < rest {
            month_end.daily[at]
        } else {
            near.daily[at]
        };
    }
    let month = Point {
        daily: near.daily.iter().copied().cycle().take(30).collect(),
        total: 30.0 * mean(&near.daily),
        ..near.clone()
    };
    let scale = Facts::of(y, &month).scale() * uncertain(y.len());
    let base_offset = interval::offset(y);
    let month_end_ceiling = interval::ceiling(y, &month_end);
    let ceiling = interval::ceiling(y, &month);
    let months = (0..horizon.months.len())
        .map(|at| {
            let span = horizon.span(at);
            let plain: f64 = path[span.clone()].iter().sum();
            let center: f64 = span
                .clone()
                .map(|day| {
                    let date = horizon.last_day + Days::new(day as u64 + 1);
                    path[day]
                        * events::factor(changes.events, date)
                        * changes.growth.after(count(day + 1))
                })
                .sum();
            let scale = if span.is_empty() {
                0.0
            } else if at == 0 {
                Facts::of(y, &month_end).scale() * uncertain(y.len())
            } else {
                scale * (1.0 + WIDER * count(at - 1).sqrt())
            };
            let factor = if plain > 0.0 { center / plain } else { 1.0 };
            Spread {
                center,
                // An event that leaves nothing leaves no room for error either.
                offset: base_offset * factor,
                scale,
                ceiling: factor * if at == 0 { month_end_ceiling } else { ceiling },
            }
        })
        .collect();
    Expected {
        months,
        weeks: weekly_differences(y),
        days: y.len(),
        weights: near.weights,
        holiday_ratio: (!changes.calendar.countries().is_empty() && y.len() >= COLD)
            .then_some(near.holiday_ratio),
        shifted: interval::level_shift(y) > 0.4,
        stopped: ensemble::has_stopped(y),
    }
}

/// What a short history adds to the range: it was fitted on longer ones.
fn uncertain(days: usize) -> f64 {
    if days < FROZEN {
        2.5
    } else if days < COLD {
        1.6
    } else {
        1.0
    }
}

/// The days beyond the next month.
fn far(history: &History, near: &Point, days: usize) -> Vec<f64> {
    let y = &history.values[..];
    let plain = History {
        values: y.to_vec(),
        holidays: Vec::new(),
    };
    let near_days = near.daily.len();
    let near_week = if y.len() < COLD || days <= near_days {
        near.daily.iter().copied().take(WEEK).collect()
    } else {
        ensemble::forecast(&plain, near_days.div_ceil(WEEK) * WEEK)
            .daily
            .split_off(near_days.div_ceil(WEEK) * WEEK - WEEK)
    };
    let far_week = if y.len() < COLD {
        near_week.clone()
    } else {
        half_year(y)
    };
    let level = mean(&far_week);
    let drift = drift(y);
    let ratio = near.holiday_ratio.min(1.2);
    let mut path: Vec<f64> = (0..days)
        .map(|day| {
            // Three months from all near to all far.
            let share = (1.0 - (count(day) - count(near_days)) / 91.0).clamp(0.0, 1.0);
            let week = |week: &[f64]| week.get(day % WEEK).copied().unwrap_or(level);
            let value = share * week(&near_week) + (1.0 - share) * week(&far_week);
            let grown = (1.0 + drift * count(day) / 365.0).clamp(0.5, 2.0);
            value * grown
        })
        .collect();
    for &day in history.holidays.iter().filter(|day| **day >= y.len()) {
        if let Some(value) = path.get_mut(day - y.len()) {
            *value *= ratio;
        }
    }
    path
}

/// The weekday mean of 26 weeks, at the geometric middle of its level and that of eight weeks.
fn half_year(y: &[f64]) -> Vec<f64> {
    if ensemble::has_stopped(y) {
        return vec![0.0; WEEK];
    }
    let long = methods::weekday_mean(y, WEEK, WEEKS);
    let (level, recent) = (mean(&long), mean(&methods::weekday_mean(y, WEEK, 8)));
    if level <= 0.0 {
        return long;
    }
    let factor = (recent / level).max(0.0).sqrt();
    long.iter().map(|value| value * factor).collect()
}

/// Half the drift of a year, as a share of the level; nothing under three years.
fn drift(y: &[f64]) -> f64 {
    if y.len() < DRIFT_FROM {
        return 0.0;
    }
    let totals = methods::weekly_totals(y);
    let (slope, sure) = methods::slope(&totals);
    let level = mean(&totals[totals.len().saturating_sub(WEEKS)..]);
    if level > 0.0 {
        (0.5 * sure * slope * 52.0 / level).clamp(-0.5, 0.5)
    } else {
        0.0
    }
}

fn weekly_differences(y: &[f64]) -> [f64; WEEKS] {
    let totals = methods::weekly_totals(y);
    let recent = &totals[totals.len().saturating_sub(WEEKS)..];
    let (level, deviation) = (mean(recent), variance(recent).sqrt());
    let mut weeks = [0.0; WEEKS];
    if deviation > 0.0 {
        for (week, total) in weeks[WEEKS - recent.len()..].iter_mut().zip(recent) {
            *week = (total - level) / deviation;
        }
    }
    weeks
}

/// Returns how many of a driver's last weeks belong to whom, over all of them.
pub(super) fn shares(weeks: &[BTreeMap<Option<String>, f64>]) -> BTreeMap<Option<String>, f64> {
    let mut sums: BTreeMap<Option<String>, f64> = BTreeMap::new();
    for week in weeks {
        for (part, value) in week {
            *sums.entry(part.clone()).or_default() += value;
        }
    }
    sums
}

/// Returns the days from the last known one to the middle of a month, for growth of whole months.
pub(super) fn days_ahead(horizon: &Horizon, at: usize) -> f64 {
    let middle = horizon.months[at].first_day() + Days::new(14);
    let ahead = (middle - horizon.last_day).num_days() as f64;
    ahead.max(0.0)
}
