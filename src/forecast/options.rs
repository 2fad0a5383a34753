//! What is asked of a forecast.

use super::{
    calendar::{Calendar, Country},
    events::{Event, Growth},
};
use crate::domain::{allocation::Dimension, money::Money};

/// What is asked of a forecast.
#[derive(Clone, Debug)]
pub struct ForecastOptions {
    /// Months after the current one.
    pub months: u32,
    /// What a month may cost.
    pub budget: Option<Money>,
    /// Stretches of days with more or less.
    pub events: Vec<Event>,
    /// Growth of everything.
    pub growth: Growth,
    /// Whose holidays to look for.
    pub calendar: Calendar,
    /// What the months are shared by.
    pub by: Option<Dimension>,
    /// Where the random numbers start.
    pub seed: u64,
    /// How many paths.
    pub paths: usize,
}

impl Default for ForecastOptions {
    fn default() -> Self {
        Self {
            months: 3,
            budget: None,
            events: Vec::new(),
            growth: Growth::default(),
            calendar: Calendar::of([Country::default()]),
            by: None,
            seed: 1,
            paths: 10_000,
        }
    }
}
