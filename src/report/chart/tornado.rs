//! Cost drivers: each thing a little less and a little more, the strongest first.

use super::{
    Chart, WIDTH,
    canvas::{Anchor, Canvas, width_of},
    float,
    scale::Scale,
};
use crate::{
    domain::{ids::Currency, money::Money},
    report::{Cell, Column, Table, show_money, show_money_short, signed_money},
};

/// A baseline and what moves it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tornado {
    /// What the baseline is, as `October 2026`.
    pub of: String,
    /// What it costs.
    pub baseline: Money,
    /// How far each driver varies, as `each driver varied by ±20 %`.
    pub step: String,
    /// The strongest first.
    pub rows: Vec<Swing>,
    /// What every amount is in.
    pub currency: Currency,
}

/// One thing moved down and up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Swing {
    /// What is moved.
    pub name: String,
    /// From what to what, in a few words.
    pub range: String,
    /// What the lower setting changes.
    pub low: Money,
    /// What the upper setting changes.
    pub high: Money,
}

const ROW: f64 = 30.0;
const TOP: f64 = 30.0;

impl Tornado {
    /// Draws it.
    pub fn draw(&self, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id: "tornado",
            title: title.to_owned(),
            svg: self.svg(title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn finding(&self) -> String {
        let Some(first) = self.rows.first() else {
            return "No driver affects the bill.".to_owned();
        };
        format!(
            "{} has the largest effect: {} or {} on {} ({}), {}.",
            first.name,
            signed_money(first.low, &self.currency),
            signed_money(first.high, &self.currency),
            show_money(self.baseline, &self.currency),
            self.of,
            self.step
        )
    }

    fn svg(&self, title: &str, finding: &str) -> String {
        let bottom = TOP + ROW * self.rows.len().max(1) as f64;
        let mut canvas = Canvas::new("tornado", WIDTH, bottom + 34.0);
        let widest = |text: &dyn Fn(&Swing) -> f64, least: f64, most: f64| {
            self.rows.iter().map(text).fold(least, f64::max).min(most)
        };
        let names = widest(&|row| width_of(&row.name), 80.0, 250.0);
        let ranges = widest(&|row| width_of(&row.range) * 0.92, 0.0, 190.0);
        let left = names + ranges + 26.0;
        // Room for the amounts beside the longest bars.
        let (from, to) = (left + 58.0, WIDTH - 70.0);
        let reach = self
            .rows
            .iter()
            .flat_map(|row| [row.low, row.high])
            .map(float);
        let scale = Scale::over(reach, 8.0);
        let x = |value: f64| scale.at(value, from, to);
        for tick in scale.ticks() {
            canvas.line("grid", (x(tick), TOP), (x(tick), bottom));
            let label = match tick {
                0.0 => show_money_short(self.baseline, &self.currency),
                tick if tick > 0.0 => format!("+{}", scale.money(tick, &self.currency)),
                tick => scale.money(tick, &self.currency),
            };
            let class = if tick == 0.0 { "ink strong" } else { "dim" };
            canvas.text(class, (x(tick), bottom + 20.0), Anchor::Middle, &label);
        }
        canvas.text(
            "dim small",
            (x(0.0) - 14.0, TOP - 12.0),
            Anchor::End,
            "◀ cheaper",
        );
        canvas.text(
            "dim small",
            (x(0.0) + 14.0, TOP - 12.0),
            Anchor::Start,
            "dearer ▶",
        );
        for (at, row) in self.rows.iter().enumerate() {
            let middle = TOP + ROW * (at as f64 + 0.5);
            canvas.text_in("ink", (names, middle + 4.0), Anchor::End, &row.name, names);
            let place = (names + 14.0, middle + 4.0);
            canvas.text_in(
                "dim small",
                place,
                Anchor::Start,
                &row.range,
                ranges / 0.92 + 1.0,
            );
            for amount in [row.low, row.high] {
                let value = float(amount);
                if value == 0.0 {
                    continue;
                }
                let (class, left, right) = if value < 0.0 {
                    ("down", x(value), x(0.0))
                } else {
                    ("up", x(0.0), x(value))
                };
                let says = format!("{}: {}", row.name, signed_money(amount, &self.currency));
                let wide = (right - left).max(1.0);
                canvas.rect(class, [left, middle - 10.0, wide, 20.0], &says);
            }
            let (low, high) = (row.low.min(row.high), row.low.max(row.high));
            let shown = |amount: Money| signed_money(amount, &self.currency);
            if float(low) < 0.0 {
                let place = (x(float(low)) - 6.0, middle + 4.0);
                canvas.text("dim small", place, Anchor::End, &shown(low));
            }
            if float(high) > 0.0 {
                let place = (x(float(high)) + 6.0, middle + 4.0);
                canvas.text("dim small", place, Anchor::Start, &shown(high));
            }
            if low.is_zero() && high.is_zero() {
                let place = (x(0.0) + 6.0, middle + 4.0);
                canvas.text("dim small", place, Anchor::Start, "no change");
            }
        }
        canvas.line("axis", (x(0.0), TOP - 6.0), (x(0.0), bottom));
        canvas.finish(title, finding)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(vec![
            Column::new("What", "driver", 0),
            Column::new("Range", "range", 1),
            Column::new("Lower", "low", 0),
            Column::new("Upper", "high", 0),
            Column::in_files("baseline"),
            Column::in_files("currency"),
        ]);
        let money = |amount| Cell::Money(amount, self.currency.clone());
        for row in &self.rows {
            table.rows.push(vec![
                Cell::text(&row.name),
                Cell::text(&row.range),
                money(row.low),
                money(row.high),
                money(self.baseline),
                Cell::text(self.currency.as_str()),
            ]);
        }
        table
    }
}
