//! A scenario over a range of one setting, or of two.

use super::{
    Chart, WIDTH,
    canvas::{Anchor, Canvas, apart, width_of},
    float, palette,
    scale::Scale,
};
use crate::{
    domain::{ids::Currency, money::Money, number::plain},
    report::{Cell, Column, Table, show_money, show_money_short, signed_money},
};
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// What a bill comes to as one setting moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SweepLine {
    /// What is moved.
    pub setting: String,
    /// Its values, from the lowest on.
    pub at: Vec<Decimal>,
    /// One line a choice: its name and an amount for each value; none where it has no price.
    pub lines: Vec<(String, Vec<Option<Money>>)>,
    /// What every amount is in.
    pub currency: Currency,
}

/// What a bill comes to as two settings move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeatMap {
    /// What moves from left to right, and its values.
    pub across: (String, Vec<String>),
    /// What moves from top to bottom, and its values.
    pub down: (String, Vec<String>),
    /// An amount for each row and column; none where it has no price.
    pub cells: Vec<Vec<Option<Money>>>,
    /// The amounts are what a scenario adds: below nothing it saves.
    pub differences: bool,
    /// What every amount is in.
    pub currency: Currency,
}

const TOP: f64 = 16.0;
const BOTTOM: f64 = 270.0;

impl SweepLine {
    /// Draws it.
    pub fn draw(&self, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id: "sweep",
            title: title.to_owned(),
            svg: self.svg(title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn finding(&self) -> String {
        let all = self.lines.iter().flat_map(|(name, amounts)| {
            let known = amounts.iter().zip(&self.at);
            known.filter_map(move |(amount, at)| amount.map(|amount| (amount, name, at)))
        });
        let Some((amount, name, at)) = all.min() else {
            return "No setting has a price.".to_owned();
        };
        let name = if self.lines.len() > 1 {
            format!(" with {name}")
        } else {
            String::new()
        };
        format!(
            "The lowest bill is {}{name}, at {} {}.",
            show_money(amount, &self.currency),
            self.setting,
            plain(*at)
        )
    }

    /// Returns how far along the axis a value stands, from 0 to 1.
    pub(super) fn share(&self, at: usize) -> f64 {
        let value = |at: Decimal| at.to_f64().unwrap_or_default();
        let (Some(first), Some(last)) = (self.at.first(), self.at.last()) else {
            return 0.0;
        };
        let (first, last) = (value(*first), value(*last));
        if last > first {
            (value(self.at[at]) - first) / (last - first)
        } else {
            0.5
        }
    }

    fn svg(&self, title: &str, finding: &str) -> String {
        let mut canvas = Canvas::new("sweep", WIDTH, BOTTOM + 48.0);
        let names = self.lines.iter().map(|(name, _)| width_of(name));
        let legend = names.fold(40.0, f64::max).min(180.0);
        let right = WIDTH - legend - 20.0;
        let known = self.lines.iter().flat_map(|(_, amounts)| amounts).flatten();
        let known: Vec<f64> = known.map(|amount| float(*amount)).collect();
        let low = known.iter().copied().fold(f64::INFINITY, f64::min);
        let high = known.iter().copied().fold(0.0, f64::max);
        // Lines may leave the bottom out, where they would all lie on top.
        let scale = if low > 0.0 && high - low < 0.5 * high {
            Scale::between(low - 0.2 * (high - low), high, 5.0)
        } else {
            Scale::over(known.into_iter(), 5.0)
        };
        let left = scale.room(&self.currency);
        let y = |value: f64| scale.at(value, BOTTOM, TOP);
        let x = |at: usize| left + 8.0 + (right - left - 16.0) * self.share(at);
        for tick in scale.ticks() {
            let axis = tick == scale.low().max(0.0);
            let class = if axis { "axis" } else { "grid" };
            canvas.line(class, (left, y(tick)), (right, y(tick)));
            let label = scale.money(tick, &self.currency);
            canvas.text("dim", (left - 8.0, y(tick) + 4.0), Anchor::End, &label);
        }
        let mut free = f64::NEG_INFINITY;
        for (at, label) in self.at.iter().enumerate() {
            let label = plain(*label);
            let half = width_of(&label) / 2.0;
            if x(at) - half > free {
                let place = (x(at), BOTTOM + 18.0);
                canvas.text_in("dim", place, Anchor::Middle, &label, 120.0);
                free = x(at) + half + 10.0;
            }
        }
        let place = (f64::midpoint(left, right), BOTTOM + 38.0);
        canvas.text("dim small", place, Anchor::Middle, &self.setting);
        let mut ends = Vec::new();
        for (index, (name, amounts)) in self.lines.iter().enumerate() {
            let class = palette::SERIES[index % palette::SERIES.len()];
            let mut last = BOTTOM;
            let mut before: Option<(f64, f64)> = None;
            for (at, amount) in amounts.iter().enumerate() {
                let here = amount.map(|amount| (x(at), y(float(amount))));
                if let (Some(from), Some(to)) = (before, here) {
                    ribbon(&mut canvas, class, from, to);
                }
                if let (Some(here), Some(amount)) = (here, amount) {
                    let amount = show_money(*amount, &self.currency);
                    let says = format!("{name}, {} {}: {amount}", self.setting, plain(self.at[at]));
                    canvas.dot(class, here, 3.5, &says);
                    last = here.1;
                }
                before = here;
            }
            ends.push(last);
        }
        let places = apart(&ends, 16.0, TOP, BOTTOM);
        for ((name, _), at) in self.lines.iter().zip(places) {
            let place = (right + 6.0, at + 4.0);
            canvas.text_in("ink", place, Anchor::Start, name, legend + 8.0);
        }
        canvas.finish(title, finding)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(vec![
            Column::new(&self.setting, "setting", 0),
            Column::new("Choice", "choice", 0),
            Column::new("Cost", "cost", 0),
            Column::in_files("currency"),
        ]);
        for (name, amounts) in &self.lines {
            for (at, amount) in self.at.iter().zip(amounts) {
                table.rows.push(vec![
                    Cell::Price(*at),
                    Cell::text(name),
                    amount_cell(*amount, &self.currency),
                    Cell::text(self.currency.as_str()),
                ]);
            }
        }
        table
    }
}

/// A stretch of line as a filled shape, so that it takes the colour of its series.
fn ribbon(canvas: &mut Canvas, class: &str, from: (f64, f64), to: (f64, f64)) {
    let half = 1.1;
    canvas.polygon(
        class,
        &[
            (from.0, from.1 - half),
            (to.0, to.1 - half),
            (to.0, to.1 + half),
            (from.0, from.1 + half),
        ],
    );
}

fn amount_cell(amount: Option<Money>, currency: &Currency) -> Cell {
    amount.map_or(Cell::Unknown("no price".to_owned()), |amount| {
        Cell::Money(amount, currency.clone())
    })
}

impl HeatMap {
    /// Draws it.
    pub fn draw(&self, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id: "heat",
            title: title.to_owned(),
            svg: self.svg(title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn known(&self) -> impl Iterator<Item = (Money, usize, usize)> + '_ {
        self.cells.iter().enumerate().flat_map(|(row, cells)| {
            let known = cells.iter().enumerate();
            known.filter_map(move |(column, amount)| amount.map(|amount| (amount, row, column)))
        })
    }

    fn finding(&self) -> String {
        let Some((amount, row, column)) = self.known().min() else {
            return "No setting has a price.".to_owned();
        };
        if self.differences {
            let dearer = self.known().filter(|(amount, ..)| *amount > Money::ZERO);
            let (dearer, all) = (dearer.count(), self.known().count());
            let what = if amount < Money::ZERO {
                "The scenario saves most"
            } else {
                "The scenario never saves; it is closest"
            };
            return format!(
                "{what} at {} {} and {} {}: {}. It costs more at {dearer} of {all} settings.",
                self.across.0,
                self.across.1[column],
                self.down.0,
                self.down.1[row],
                signed_money(amount, &self.currency),
            );
        }
        format!(
            "The lowest bill is {}, at {} {} and {} {}.",
            show_money(amount, &self.currency),
            self.across.0,
            self.across.1[column],
            self.down.0,
            self.down.1[row]
        )
    }

    fn svg(&self, title: &str, finding: &str) -> String {
        let labels = self.down.1.iter().map(|label| width_of(label));
        let left = labels.fold(width_of(&self.down.0), f64::max).min(200.0) + 16.0;
        let wide = ((WIDTH - left - 8.0) / self.across.1.len().max(1) as f64).min(110.0);
        let high = 30.0;
        let top = 44.0;
        let bottom = top + high * self.down.1.len() as f64;
        let mut canvas = Canvas::new("heat", WIDTH, bottom + 12.0);
        let (low, most) = self.known().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(low, most), (amount, ..)| (low.min(float(amount)), most.max(float(amount))),
        );
        canvas.text_in(
            "dim small",
            (left, 14.0),
            Anchor::Start,
            &self.across.0,
            WIDTH - left,
        );
        canvas.text_in(
            "dim small",
            (8.0, top - 10.0),
            Anchor::Start,
            &self.down.0,
            left - 12.0,
        );
        for (column, label) in self.across.1.iter().enumerate() {
            let place = (left + wide * (column as f64 + 0.5), top - 10.0);
            canvas.text_in("dim", place, Anchor::Middle, label, wide - 4.0);
        }
        for (row, label) in self.down.1.iter().enumerate() {
            let y = top + high * row as f64;
            canvas.text_in(
                "dim",
                (left - 8.0, y + 19.0),
                Anchor::End,
                label,
                left - 12.0,
            );
            for (column, amount) in self.cells[row].iter().enumerate() {
                let x = left + wide * column as f64;
                let Some(amount) = amount else {
                    canvas.text(
                        "dim small",
                        (x + wide / 2.0, y + 19.0),
                        Anchor::Middle,
                        "no price",
                    );
                    continue;
                };
                // A strip of shade below the amount: words never stand on a colour.
                if self.differences {
                    let reach = low.abs().max(most.abs()).max(f64::MIN_POSITIVE);
                    let class = if float(*amount) > 0.0 { "up" } else { "down" };
                    let says = signed_money(*amount, &self.currency);
                    let strip = (wide - 4.0) * float(*amount).abs() / reach;
                    canvas.rect(class, [x + 2.0, y + 24.0, strip, 5.0], &says);
                    let place = (x + wide / 2.0, y + 19.0);
                    canvas.text_in("ink small", place, Anchor::Middle, &says, wide - 2.0);
                    continue;
                }
                let share = if most > low {
                    (float(*amount) - low) / (most - low)
                } else {
                    0.0
                };
                let level = 1 + (share * 4.999) as usize;
                let says = show_money(*amount, &self.currency);
                let strip = [x + 2.0, y + 24.0, wide - 4.0, 5.0];
                canvas.rect(palette::LEVELS[level], strip, &says);
                let label = show_money_short(*amount, &self.currency);
                canvas.text(
                    "ink small",
                    (x + wide / 2.0, y + 19.0),
                    Anchor::Middle,
                    &label,
                );
            }
        }
        canvas.finish(title, finding)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(vec![
            Column::new(&self.down.0, "down", 0),
            Column::new(&self.across.0, "across", 0),
            Column::new("Cost", "cost", 0),
            Column::in_files("currency"),
        ]);
        for (down, cells) in self.down.1.iter().zip(&self.cells) {
            for (across, amount) in self.across.1.iter().zip(cells) {
                table.rows.push(vec![
                    Cell::text(down),
                    Cell::text(across),
                    amount_cell(*amount, &self.currency),
                    Cell::text(self.currency.as_str()),
                ]);
            }
        }
        table
    }
}
