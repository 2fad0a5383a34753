//! From one total to another, step by step.

use super::{
    Chart, WIDTH,
    canvas::{Anchor, Canvas, broken},
    float,
    scale::Scale,
};
use crate::{
    domain::{ids::Currency, money::Money},
    report::{Cell, Column, Table, show_money, show_money_short, signed_money},
};

/// Two totals and what lies between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waterfall {
    /// Where it starts: its name and its amount.
    pub from: (String, Money),
    /// What is added and taken away, in order.
    pub steps: Vec<Step>,
    /// Where it ends.
    pub to: (String, Money),
    /// What every amount is in.
    pub currency: Currency,
}

/// One step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What changes.
    pub name: String,
    /// By how much.
    pub change: Money,
    /// It stands for several that are too small for a step of their own.
    pub is_rest: bool,
}

const HEIGHT: f64 = 340.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 276.0;
const RIGHT: f64 = WIDTH - 12.0;

impl Waterfall {
    /// Draws it. `id` tells two of a page apart.
    pub fn draw(&self, id: &'static str, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id,
            title: title.to_owned(),
            svg: self.svg(id, title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn finding(&self) -> String {
        let show = |amount| show_money(amount, &self.currency);
        let mut text = format!(
            "From {} ({}) to {} ({})",
            show(self.from.1),
            self.from.0,
            show(self.to.1),
            self.to.0
        );
        let size = |step: &&Step| step.change.max(-step.change);
        if let Some(largest) = self
            .steps
            .iter()
            .filter(|step| !step.is_rest)
            .max_by_key(size)
            && !largest.change.is_zero()
        {
            text += &format!(
                "; the largest step is {}, {}",
                largest.name,
                signed_money(largest.change, &self.currency)
            );
        }
        text + "."
    }

    /// Where each step starts, and where the last one ends.
    fn levels(&self) -> Vec<f64> {
        let mut levels = vec![float(self.from.1)];
        for step in &self.steps {
            levels.push(levels[levels.len() - 1] + float(step.change));
        }
        levels
    }

    fn scale(&self, ticks: f64) -> Scale {
        let end = float(self.to.1);
        let levels = self.levels();
        let reach = || levels.iter().copied().chain([end]);
        let (low, high) = (reach().fold(end, f64::min), reach().fold(end, f64::max));
        // Small steps between large totals are seen only where the axis leaves the bottom out.
        if low > 0.0 && high > low && high - low < 0.35 * high {
            Scale::between(low - 0.6 * (high - low), high, ticks)
        } else {
            Scale::over(reach(), ticks)
        }
    }

    /// Returns where the bars begin, if that is not at nothing.
    pub(super) fn floor(&self, ticks: f64) -> Option<f64> {
        Some(self.scale(ticks).low()).filter(|low| *low > 0.0)
    }

    /// Writes a place on the axis as money.
    pub(super) fn tick(&self, value: f64) -> String {
        self.scale(4.0).money(value, &self.currency)
    }

    fn svg(&self, id: &'static str, title: &str, finding: &str) -> String {
        let mut canvas = Canvas::new(id, WIDTH, HEIGHT);
        let levels = self.levels();
        let end = float(self.to.1);
        let scale = self.scale(4.0);
        let cut = self.floor(4.0).is_some();
        let floor = scale.low().max(0.0);
        let left = scale.room(&self.currency);
        let y = |value: f64| scale.at(value, BOTTOM, TOP);
        for tick in scale.ticks() {
            let class = if tick == floor { "axis" } else { "grid" };
            canvas.line(class, (left, y(tick)), (RIGHT, y(tick)));
            let label = scale.money(tick, &self.currency);
            canvas.text("dim", (left - 8.0, y(tick) + 4.0), Anchor::End, &label);
        }
        let slot = (RIGHT - left) / (self.steps.len() + 2) as f64;
        let wide = (slot * 0.68).min(74.0);
        let middle = |at: usize| left + slot * (at as f64 + 0.5);
        let mut bar = |at: usize, class: &str, from: f64, to: f64, name: &str, label: &str| {
            let (top, height) = (y(from.max(to)), (y(from) - y(to)).abs().max(1.0));
            let edge = middle(at) - wide / 2.0;
            canvas.rect(
                class,
                [edge, top, wide, height],
                &format!("{name}: {label}"),
            );
            canvas.text(
                "ink strong small",
                (middle(at), top - 6.0),
                Anchor::Middle,
                label,
            );
            for (line, text) in broken(name, slot - 4.0, 3).iter().enumerate() {
                let place = (middle(at), BOTTOM + 18.0 + 15.0 * line as f64);
                canvas.text("dim small", place, Anchor::Middle, text);
            }
        };
        let total = |amount| show_money_short(amount, &self.currency);
        bar(
            0,
            "whole",
            floor,
            levels[0],
            &self.from.0,
            &total(self.from.1),
        );
        for (at, step) in self.steps.iter().enumerate() {
            let class = if float(step.change) < 0.0 {
                "down"
            } else {
                "up"
            };
            let label = signed_money(step.change, &self.currency);
            bar(
                at + 1,
                class,
                levels[at],
                levels[at + 1],
                &step.name,
                &label,
            );
        }
        bar(
            self.steps.len() + 1,
            "whole",
            floor,
            end,
            &self.to.0,
            &total(self.to.1),
        );
        if cut {
            for at in [0, self.steps.len() + 1] {
                let (left, right) = (middle(at) - wide / 2.0 - 2.0, middle(at) + wide / 2.0 + 2.0);
                let gap = [(left, 0.0), (right, -8.0), (right, -4.0), (left, 4.0)];
                let gap = gap.map(|(x, lift)| (x, BOTTOM - 14.0 + lift));
                canvas.polygon("card", &gap);
            }
            let words = format!("Bars begin at {}.", scale.money(floor, &self.currency));
            let place = (middle(1) - wide / 2.0, BOTTOM - 8.0);
            canvas.text("dim small", place, Anchor::Start, &words);
        }
        for (at, level) in levels.iter().enumerate() {
            let from = middle(at) + wide / 2.0;
            canvas.line(
                "link",
                (from, y(*level)),
                (middle(at + 1) - wide / 2.0, y(*level)),
            );
        }
        canvas.finish(title, finding)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(vec![
            Column::new("Step", "step", 0),
            Column::new("Amount", "amount", 0),
            Column::in_files("currency"),
        ]);
        let mut row = |name: &str, amount: Money| {
            table.rows.push(vec![
                Cell::text(name),
                Cell::Money(amount, self.currency.clone()),
                Cell::text(self.currency.as_str()),
            ]);
        };
        row(&self.from.0, self.from.1);
        for step in &self.steps {
            row(&step.name, step.change);
        }
        row(&self.to.0, self.to.1);
        table
    }
}
