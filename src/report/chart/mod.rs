//! Pictures: SVG drawn by hand, one file for each kind.
//!
//! Every mark has presentation attributes, so a picture stands alone, and a class, so that
//! `reports/templates/chart.css` can turn it dark. Amounts become coordinates here and nothing
//! else; every label is escaped on its way into the picture.

#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "geometry: amounts become coordinates, never the other way round"
)]

mod calendar;
mod canvas;
mod drawing;
mod fan;
mod palette;
mod scale;
mod stack;
mod sweep;
mod terminal;
mod tornado;
mod waterfall;

use chrono::Datelike;
use rust_decimal::prelude::ToPrimitive;

pub use calendar::Calendar;
pub use canvas::escape;
pub use drawing::{Drawing, Subject};
pub use fan::{FanChart, FanMonth, Past};
pub use stack::{Column, MonthStatus, Series, Stacks};
pub use sweep::{HeatMap, SweepLine};
pub(super) use terminal::fan as fan_in_text;
pub use tornado::{Swing, Tornado};
pub use waterfall::{Step, Waterfall};

use super::Table;
use crate::domain::{money::Money, period::Month};

/// What every picture is drawn with when it stands alone.
const CSS: &str = include_str!("../../../reports/templates/chart.css");

/// How wide a picture is, in its own units.
const WIDTH: f64 = 920.0;

/// A drawn chart, with what it says in words and in numbers.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it is called in files and links.
    pub id: &'static str,
    /// The heading.
    pub title: String,
    /// What it shows, in a sentence.
    pub finding: String,
    /// The same numbers.
    pub table: Table,
    svg: String,
}

impl Chart {
    /// Returns the picture as an element of a page that has the style sheet.
    pub fn inline(&self) -> &str {
        &self.svg
    }

    /// Returns the picture as a file of its own.
    pub fn file(&self) -> String {
        let end = self.svg.find("<title").unwrap_or(self.svg.len());
        let (open, rest) = self.svg.split_at(end);
        let open = open.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
        // The title comes first: it is what a viewer names the picture by.
        let (named, marks) = rest.split_once("</desc>").unwrap_or((rest, ""));
        format!(
            "{open}{named}</desc>\n<style>\n{CSS}</style>\n<rect class=\"card\" fill=\"{}\" \
             width=\"100%\" height=\"100%\"/>{marks}\n",
            palette::CARD
        )
    }
}

/// Returns an amount as a coordinate has it.
fn float(money: Money) -> f64 {
    money.amount().to_f64().unwrap_or_default()
}

/// Returns a month as an axis shows it: the year where it is new.
fn month_label(month: Month, with_year: bool) -> String {
    let day = month.first_day();
    let names = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let name = names[day.month0() as usize];
    if with_year {
        format!("{name} {}", day.year())
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests;
