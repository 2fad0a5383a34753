//! A year of days as shades, a column a week.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate};
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::{
    Chart, WIDTH,
    canvas::{Anchor, Canvas, hover, px},
    month_label,
    palette::{LEVELS, attributes},
    scale::round_step,
};
use crate::{
    domain::period::Month,
    report::{Cell, Column, Table, grouped, show_number},
};

/// A quantity a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// What is counted, as `build minutes`.
    pub what: String,
    /// The first day shown.
    pub from: NaiveDate,
    /// The last day shown.
    pub to: NaiveDate,
    /// What is known, zeros included; a day that is missing is not known.
    pub days: BTreeMap<NaiveDate, Decimal>,
}

/// The most weeks that are drawn, the last ones.
const WEEKS: usize = 60;
const LEFT: f64 = 36.0;
const TOP: f64 = 22.0;

impl Calendar {
    /// Draws it.
    pub fn draw(&self, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id: "calendar",
            title: title.to_owned(),
            svg: self.svg(title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn finding(&self) -> String {
        let Some((day, most)) = self.days.iter().max_by_key(|(day, value)| (**value, **day)) else {
            return format!("No day is known for its {}.", self.what);
        };
        let quiet = self.days.values().filter(|value| value.is_zero()).count();
        let unknown = self
            .span()
            .filter(|day| !self.days.contains_key(day))
            .count();
        let mut text = format!(
            "The busiest of {} days is {day} with {} {}",
            self.days.len(),
            show_number(*most),
            self.what,
        );
        if quiet > 0 {
            let days = if quiet == 1 { "day has" } else { "days have" };
            text += &format!("; {quiet} {days} none");
        }
        if unknown > 0 {
            text += &format!("; {unknown} are not known");
        }
        text + "."
    }

    fn span(&self) -> impl Iterator<Item = NaiveDate> + '_ {
        self.from.iter_days().take_while(|day| *day <= self.to)
    }

    /// The Monday a week is named by.
    fn monday(day: NaiveDate) -> NaiveDate {
        day - Days::new(day.weekday().num_days_from_monday().into())
    }

    /// The Mondays shown, in order.
    pub fn mondays(&self, most: usize) -> Vec<NaiveDate> {
        let mut mondays: Vec<NaiveDate> = self.span().map(Self::monday).collect();
        mondays.dedup();
        mondays.split_off(mondays.len().saturating_sub(most))
    }

    /// Returns the shade of a day: 0 for none, 5 for most; none where it is not known.
    pub fn level(&self, day: NaiveDate) -> Option<usize> {
        let value = self.days.get(&day)?.to_f64().unwrap_or_default();
        if value <= 0.0 {
            return Some(0);
        }
        Some(((value / self.step()).ceil() as usize).clamp(1, LEVELS.len() - 1))
    }

    /// How much a shade spans: a few days far above all others do not pale the rest.
    fn step(&self) -> f64 {
        let mut values: Vec<f64> = self.days.values().filter_map(ToPrimitive::to_f64).collect();
        values.retain(|value| *value > 0.0);
        values.sort_by(f64::total_cmp);
        let high = values.get(values.len() * 19 / 20).or(values.last());
        round_step(high.copied().unwrap_or(1.0) / 5.0)
    }

    /// Returns where the darkest shade begins, for a key.
    pub fn most(&self) -> String {
        let most = self.step() * (LEVELS.len() - 2) as f64;
        grouped(&format!("{}", (most * 100.0).round() / 100.0))
    }

    fn svg(&self, title: &str, finding: &str) -> String {
        let mondays = self.mondays(WEEKS);
        let cell = ((WIDTH - LEFT - 8.0) / mondays.len().max(26) as f64).min(26.0);
        let side = cell - (cell * 0.14).max(1.5);
        let high = cell.min(20.0);
        let tall = side.min(high - 2.0);
        let mut canvas = Canvas::new("calendar", WIDTH, TOP + 7.0 * high + 40.0);
        canvas.hatching();
        canvas.raw(&format!(
            "<defs><rect id=\"calendar-c\" width=\"{}\" height=\"{}\" rx=\"2\"/></defs>",
            px(side),
            px(tall)
        ));
        for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")] {
            let y = TOP + high * f64::from(row) + tall / 2.0 + 4.0;
            canvas.text("dim small", (LEFT - 6.0, y), Anchor::End, name);
        }
        let mut free = 0.0;
        for (at, monday) in mondays.iter().enumerate() {
            let begins = (*monday).max(self.from);
            let sunday = *monday + Days::new(6);
            let x = LEFT + cell * at as f64;
            let month = Month::of(sunday.min(self.to));
            let new = at == 0 || month.first_day() >= begins;
            if new && x >= free {
                let year = at == 0 || month.first_day().month() == 1;
                let label = month_label(month, year);
                canvas.text("dim small", (x, TOP - 8.0), Anchor::Start, &label);
                free = x + label.len() as f64 * 6.6 + 6.0;
            }
        }
        for (level, class) in LEVELS.iter().enumerate() {
            let mut marks = String::new();
            for (x, y, day) in self.cells(&mondays, cell, high) {
                if self.level(day) == Some(level) {
                    marks += &self.mark(x, y, day);
                }
            }
            if !marks.is_empty() {
                let look = attributes(class);
                canvas.raw(&format!("<g class=\"{class}\" {look}>{marks}</g>"));
            }
        }
        let mut unknown = String::new();
        for (x, y, day) in self.cells(&mondays, cell, high) {
            if self.level(day).is_none() {
                unknown += &self.mark(x, y, day);
            }
        }
        if !unknown.is_empty() {
            let look = attributes("axis");
            canvas.raw(&format!(
                "<g class=\"axis\" {look} fill=\"none\" stroke-dasharray=\"2 2\">{unknown}</g>"
            ));
        }
        self.key(&mut canvas, TOP + 7.0 * high + 14.0, !unknown.is_empty());
        canvas.finish(title, finding)
    }

    fn cells<'a>(
        &'a self,
        mondays: &'a [NaiveDate],
        cell: f64,
        high: f64,
    ) -> impl Iterator<Item = (f64, f64, NaiveDate)> + 'a {
        mondays.iter().enumerate().flat_map(move |(at, monday)| {
            let days = monday.iter_days().take(7).enumerate();
            days.filter(|(_, day)| self.from <= *day && *day <= self.to)
                .map(move |(row, day)| (LEFT + cell * at as f64, TOP + high * row as f64, day))
        })
    }

    fn mark(&self, x: f64, y: f64, day: NaiveDate) -> String {
        let says = match self.days.get(&day) {
            Some(value) => format!("{day}: {}", show_number(*value)),
            None => format!("{day}: not known"),
        };
        format!(
            "<use href=\"#calendar-c\" x=\"{}\" y=\"{}\">{}</use>",
            px(x),
            px(y),
            hover(&says)
        )
    }

    fn key(&self, canvas: &mut Canvas, y: f64, unknown: bool) {
        canvas.text("dim small", (LEFT, y + 9.0), Anchor::Start, "none");
        let mut x = LEFT + 34.0;
        for class in LEVELS {
            canvas.rect(class, [x, y - 1.0, 16.0, 12.0], "");
            x += 19.0;
        }
        let label = format!("over {} {} a day", self.most(), self.what);
        canvas.text("dim small", (x + 5.0, y + 9.0), Anchor::Start, &label);
        if unknown {
            let place = (WIDTH - 8.0, y + 9.0);
            canvas.text("dim small", place, Anchor::End, "dashed: not known");
        }
    }

    /// A row a week, as the picture has columns.
    fn table(&self) -> Table {
        let names = [
            ("Mon", "monday"),
            ("Tue", "tuesday"),
            ("Wed", "wednesday"),
            ("Thu", "thursday"),
            ("Fri", "friday"),
            ("Sat", "saturday"),
            ("Sun", "sunday"),
        ];
        let mut columns = vec![Column::new("Week from", "week_from", 0)];
        columns.extend(names.map(|(heading, key)| Column::new(heading, key, 0)));
        let mut table = Table::new(columns);
        for monday in self.mondays(usize::MAX) {
            let mut row = vec![Cell::Day(monday)];
            row.extend(
                monday
                    .iter_days()
                    .take(7)
                    .map(|day| match self.days.get(&day) {
                        Some(value) => Cell::Number(*value),
                        None if self.from <= day && day <= self.to => Cell::Unknown("?".to_owned()),
                        None => Cell::Empty,
                    }),
            );
            table.rows.push(row);
        }
        table
    }
}
