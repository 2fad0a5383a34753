//! What was, and what may come: a line that opens into a fan, with a budget to compare with.

use super::{
    Chart, WIDTH,
    canvas::{Anchor, Canvas, apart, width_of},
    float, month_label,
    scale::Scale,
};
use crate::{
    domain::{ids::Currency, money::Money, period::Month},
    report::{Cell, Column, Table, show_money, show_money_short},
};

/// A forecast and the months before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FanChart {
    /// Months that are over, in order.
    pub past: Vec<Past>,
    /// Months to come, the current one first.
    pub ahead: Vec<FanMonth>,
    /// What a month may cost.
    pub budget: Option<Money>,
    /// What every amount is in.
    pub currency: Currency,
}

/// A month that is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Past {
    /// Which.
    pub month: Month,
    /// What it cost; none where it is not known.
    pub cost: Option<Money>,
    /// The cost is only a part.
    pub partial: bool,
}

/// A month to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FanMonth {
    /// Which.
    pub month: Month,
    /// Certain by now.
    pub known: Money,
    /// One in ten is below.
    pub p10: Money,
    /// Half are below.
    pub p50: Money,
    /// One in ten is above.
    pub p90: Money,
}

const HEIGHT: f64 = 330.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 290.0;

impl FanChart {
    /// Draws it.
    pub fn draw(&self, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id: "fan",
            title: title.to_owned(),
            svg: self.svg(title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn finding(&self) -> String {
        let show = |amount| show_money(amount, &self.currency);
        let Some(last) = self.ahead.last() else {
            return "There is no forecast.".to_owned();
        };
        let mut text = format!(
            "{} is forecast at {} (80 % range: {} to {}).",
            month_label(last.month, true),
            show(last.p50),
            show(last.p10),
            show(last.p90)
        );
        if let Some(budget) = self.budget {
            let over = self.ahead.iter().find(|month| month.p50 > budget);
            text += &match over {
                Some(month) => format!(
                    " {} is the first month forecast above the budget of {}.",
                    month_label(month.month, true),
                    show(budget)
                ),
                None => format!(
                    " No month is forecast above the budget of {}.",
                    show(budget)
                ),
            };
        }
        text
    }

    fn svg(&self, title: &str, finding: &str) -> String {
        let mut canvas = Canvas::new("fan", WIDTH, HEIGHT);
        let ends = self.ahead.last().map(|last| {
            [("P90", last.p90), ("P50", last.p50), ("P10", last.p10)]
                .map(|(name, money)| (format!("{name} {}", self.short(money)), float(money)))
        });
        let labels = ends.iter().flatten().map(|(text, _)| width_of(text));
        let right = WIDTH - 14.0 - labels.fold(60.0, f64::max).min(200.0);
        let values = self.past.iter().filter_map(|month| month.cost).chain(
            self.ahead
                .iter()
                .flat_map(|month| [month.p10, month.p50, month.p90, month.known]),
        );
        let values: Vec<f64> = values.map(float).collect();
        let most = values.iter().copied().fold(0.0, f64::max);
        // A budget far above all costs would flatten them: it is told, not drawn.
        let budget = self
            .budget
            .map(float)
            .filter(|budget| *budget <= 2.5 * most);
        let scale = Scale::over(values.into_iter().chain(budget), 5.0);
        let left = scale.room(&self.currency);
        let y = |value: f64| scale.at(value, BOTTOM, TOP);
        let months: Vec<Month> = self
            .past
            .iter()
            .map(|month| month.month)
            .chain(self.ahead.iter().map(|month| month.month))
            .collect();
        let x = |at: usize| {
            let steps = months.len().saturating_sub(1);
            if steps == 0 {
                f64::midpoint(left, right)
            } else {
                left + 8.0 + (right - left - 16.0) * at as f64 / steps as f64
            }
        };
        for tick in scale.ticks() {
            let class = if tick == 0.0 { "axis" } else { "grid" };
            canvas.line(class, (left, y(tick)), (right, y(tick)));
            let label = scale.money(tick, &self.currency);
            canvas.text("dim", (left - 8.0, y(tick) + 4.0), Anchor::End, &label);
        }
        axis_of_months(&mut canvas, &months, &x, BOTTOM + 18.0, &|_| "");
        self.draw_ahead(&mut canvas, &x, &y);
        self.draw_past(&mut canvas, &x, &y);
        if !self.past.is_empty() && !self.ahead.is_empty() {
            let border = f64::midpoint(x(self.past.len() - 1), x(self.past.len()));
            canvas.line("link", (border, TOP - 12.0), (border, BOTTOM));
            for (shift, anchor, text) in [
                (-6.0, Anchor::End, "actual"),
                (6.0, Anchor::Start, "forecast"),
            ] {
                canvas.text("dim small", (border + shift, TOP - 6.0), anchor, text);
            }
        }
        if let Some(amount) = self.budget {
            let mut label = format!("Budget {}", self.short(amount));
            let at = budget.map_or(TOP - 6.0, y);
            if budget.is_some() {
                canvas.line("budget", (left, at), (right, at));
            } else {
                label += ", above this picture";
            }
            let place = (left + 6.0, at - if budget.is_some() { 6.0 } else { 0.0 });
            canvas.text("warn", place, Anchor::Start, &label);
        }
        if let Some(ends) = &ends {
            let wanted: Vec<f64> = ends.iter().map(|(_, value)| y(*value)).collect();
            let places = apart(&wanted, 16.0, TOP, BOTTOM);
            for (((text, _), at), class) in
                ends.iter().zip(places).zip(["dim", "ink strong", "dim"])
            {
                canvas.text(class, (right + 6.0, at + 4.0), Anchor::Start, text);
            }
        }
        canvas.finish(title, finding)
    }

    fn draw_past(&self, canvas: &mut Canvas, x: &dyn Fn(usize) -> f64, y: &dyn Fn(f64) -> f64) {
        let mut run = Vec::new();
        let mut runs = Vec::new();
        for (at, month) in self.past.iter().enumerate() {
            match month.cost {
                Some(cost) => run.push((x(at), y(float(cost)))),
                None => runs.push(std::mem::take(&mut run)),
            }
        }
        // The line goes on into the middle of what may come.
        if let (Some(first), false) = (self.ahead.first(), run.is_empty()) {
            let from = *run.last().unwrap_or(&(0.0, 0.0));
            let to = (x(self.past.len()), y(float(first.p50)));
            canvas.line("middle", from, to);
        }
        runs.push(run);
        for run in runs.iter().filter(|run| run.len() > 1) {
            canvas.polyline("actual", run);
        }
        for (at, month) in self.past.iter().enumerate() {
            let name = month_label(month.month, true);
            if let Some(cost) = month.cost {
                let more = if month.partial {
                    " and an unknown part"
                } else {
                    ""
                };
                let says = format!("{name}: {}{more}", show_money(cost, &self.currency));
                canvas.dot("actual-dot", (x(at), y(float(cost))), 3.0, &says);
            } else {
                let place = (x(at), BOTTOM - 6.0);
                canvas.text("dim small", place, Anchor::Middle, "no data");
            }
        }
    }

    fn draw_ahead(&self, canvas: &mut Canvas, x: &dyn Fn(usize) -> f64, y: &dyn Fn(f64) -> f64) {
        let place = |at: usize, money: Money| (x(self.past.len() + at), y(float(money)));
        let all = || self.ahead.iter().enumerate();
        let last_known = self.past.last().and_then(|month| month.cost);
        let start = last_known.map(|cost| (x(self.past.len() - 1), y(float(cost))));
        let mut band: Vec<(f64, f64)> = start.into_iter().collect();
        band.extend(all().map(|(at, month)| place(at, month.p90)));
        band.extend(all().rev().map(|(at, month)| place(at, month.p10)));
        if band.len() > 2 {
            canvas.polygon("band", &band);
        }
        let middle: Vec<(f64, f64)> = all().map(|(at, month)| place(at, month.p50)).collect();
        if middle.len() > 1 {
            canvas.polyline("middle", &middle);
        }
        for (at, month) in all() {
            if band.len() <= 2 || self.ahead.len() <= 6 {
                canvas.line("whisker", place(at, month.p10), place(at, month.p90));
            }
            let says = format!(
                "{}: P50 {}, P10 {}, P90 {}",
                month_label(month.month, true),
                show_money(month.p50, &self.currency),
                show_money(month.p10, &self.currency),
                show_money(month.p90, &self.currency)
            );
            canvas.dot("whole", place(at, month.p50), 4.0, &says);
            if !month.known.is_zero() {
                let (x, y) = place(at, month.known);
                let says = format!("Known so far: {}", show_money(month.known, &self.currency));
                canvas.line("axis", (x, y), (x, place(at, month.p10).1));
                canvas.dot("actual-dot", (x, y), 3.0, &says);
                let label = format!("{} so far", self.short(month.known));
                canvas.text("dim small", (x + 8.0, y + 4.0), Anchor::Start, &label);
            }
        }
    }

    fn short(&self, money: Money) -> String {
        show_money_short(money, &self.currency)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(vec![
            Column::new("Month", "month", 0),
            Column::new("Actual", "actual", 0),
            Column::new("Known so far", "known", 3),
            Column::new("P10", "p10", 0),
            Column::new("P50", "p50", 0),
            Column::new("P90", "p90", 0),
            Column::in_files("currency"),
        ]);
        let money = |amount| Cell::Money(amount, self.currency.clone());
        let code = || Cell::text(self.currency.as_str());
        for month in &self.past {
            let cost = match month.cost {
                None => Cell::Unknown("no data".to_owned()),
                Some(cost) if month.partial => Cell::AtLeast(cost, self.currency.clone()),
                Some(cost) => money(cost),
            };
            let mut row = vec![Cell::text(month.month.to_string()), cost];
            row.resize(6, Cell::Empty);
            row.push(code());
            table.rows.push(row);
        }
        for month in &self.ahead {
            let known = if month.known.is_zero() {
                Cell::Empty
            } else {
                money(month.known)
            };
            table.rows.push(vec![
                Cell::text(month.month.to_string()),
                Cell::Empty,
                known,
                money(month.p10),
                money(month.p50),
                money(month.p90),
                code(),
            ]);
        }
        table
    }
}

/// Names as many months as there is room for; below them the year where it begins, and a note.
pub(super) fn axis_of_months(
    canvas: &mut Canvas,
    months: &[Month],
    x: &dyn Fn(usize) -> f64,
    y: f64,
    note: &dyn Fn(usize) -> &'static str,
) {
    let room = if months.len() > 1 { x(1) - x(0) } else { 100.0 };
    let every = (1..=months.len().max(1))
        .find(|every| room * *every as f64 >= 36.0)
        .unwrap_or(1);
    for (at, month) in months.iter().enumerate() {
        if at % every != 0 {
            continue;
        }
        canvas.text(
            "dim",
            (x(at), y),
            Anchor::Middle,
            &month_label(*month, false),
        );
        let mut below = vec![note(at).to_owned()];
        let before = (at >= every).then(|| months[at - every]);
        let year = |month: Month| chrono::Datelike::year(&month.first_day());
        if before.is_none_or(|before| year(before) != year(*month)) {
            below.insert(0, year(*month).to_string());
        }
        for (line, text) in below.iter().filter(|text| !text.is_empty()).enumerate() {
            let place = (x(at), y + 15.0 + 14.0 * line as f64);
            canvas.text("dim small", place, Anchor::Middle, text);
        }
    }
}
