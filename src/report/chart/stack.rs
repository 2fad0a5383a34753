//! Costs over months, stacked by what they are for.

use super::{
    Chart, WIDTH,
    canvas::{Anchor, Canvas, apart, width_of},
    fan::axis_of_months,
    float, month_label, palette,
    scale::Scale,
};
use crate::{
    domain::{ids::Currency, money::Money, period::Month},
    report::{Cell, Table, show_money, show_money_short},
};

/// Bars over months.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stacks {
    /// In order.
    pub columns: Vec<Column>,
    /// The parts, the largest first; what is lumped together last.
    pub series: Vec<Series>,
    /// What every amount is in.
    pub currency: Currency,
}

/// One bar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Which month.
    pub month: Month,
    /// All of it; none where it is not known.
    pub total: Option<Money>,
    /// Whether that is the whole.
    pub standing: MonthStatus,
}

/// Whether a bar is the whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MonthStatus {
    /// All of it.
    Whole,
    /// The month is not over.
    SoFar,
    /// A part has no price or was not collected.
    Partial,
}

impl MonthStatus {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::SoFar => "so far",
            Self::Partial => "partial",
        }
    }
}

/// One part over all bars.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// A stable name for files.
    pub key: &'static str,
    /// Its amount in each column.
    pub values: Vec<Money>,
    /// Several things together.
    pub rest: bool,
}

const HEIGHT: f64 = 338.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 284.0;

impl Stacks {
    /// Draws them.
    pub fn draw(&self, title: &str) -> Chart {
        let finding = self.finding();
        Chart {
            id: "services",
            title: title.to_owned(),
            svg: self.svg(title, &finding),
            finding,
            table: self.table(),
        }
    }

    fn finding(&self) -> String {
        let known = |column: &&Column| column.total.is_some();
        let whole = |column: &&Column| column.standing == MonthStatus::Whole;
        let at = self
            .columns
            .iter()
            .rposition(|column| known(&column) && whole(&column))
            .or_else(|| self.columns.iter().rposition(|column| known(&column)));
        let Some(at) = at else {
            return "No month has costs.".to_owned();
        };
        let column = &self.columns[at];
        let total = column.total.unwrap_or_default();
        let mut text = format!(
            "{} cost {}",
            month_label(column.month, true),
            show_money(total, &self.currency)
        );
        let largest = self.series.iter().max_by_key(|series| series.values[at]);
        if let Some(series) = largest.filter(|_| self.series.len() > 1) {
            text += &format!(
                ", of which {} {}",
                series.name,
                show_money(series.values[at], &self.currency)
            );
        }
        let others = self.columns.iter().filter(known).count();
        if others > 1 {
            let first = &self.columns[self.columns.iter().position(|c| known(&c)).unwrap_or(0)];
            text += &format!(
                "; {} had cost {}",
                month_label(first.month, true),
                show_money(first.total.unwrap_or_default(), &self.currency)
            );
        }
        text + "."
    }

    fn svg(&self, title: &str, finding: &str) -> String {
        let mut canvas = Canvas::new("services", WIDTH, HEIGHT);
        canvas.hatching();
        let names = self.series.iter().map(|series| width_of(&series.name));
        let legend = names.fold(60.0, f64::max).min(170.0);
        let right = WIDTH - legend - 34.0;
        // A column reaches up with what is paid and down with what is given back.
        let reach = |up: bool| {
            (0..self.columns.len()).map(move |at| {
                let values = self.series.iter().map(|series| float(series.values[at]));
                values.filter(|value| (*value > 0.0) == up).sum::<f64>()
            })
        };
        let scale = Scale::over(reach(true).chain(reach(false)), 4.0);
        let left = scale.room(&self.currency);
        let y = |value: f64| scale.at(value, BOTTOM, TOP);
        for tick in scale.ticks() {
            let class = if tick == 0.0 { "axis" } else { "grid" };
            canvas.line(class, (left, y(tick)), (right, y(tick)));
            let label = scale.money(tick, &self.currency);
            canvas.text("dim", (left - 8.0, y(tick) + 4.0), Anchor::End, &label);
        }
        let slot = (right - left) / self.columns.len().max(1) as f64;
        let wide = (slot * 0.74).min(64.0);
        let x = |at: usize| left + slot * (at as f64 + 0.5);
        let months: Vec<Month> = self.columns.iter().map(|column| column.month).collect();
        let note = |at: usize| self.columns[at].standing.words();
        axis_of_months(&mut canvas, &months, &x, BOTTOM + 18.0, &note);
        let mut ends = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let edge = x(at) - wide / 2.0;
            let Some(total) = column.total else {
                canvas.rect("l0", [edge, TOP, wide, BOTTOM - TOP], "");
                canvas.hatched([edge, TOP, wide, BOTTOM - TOP], "No data for this month");
                canvas.text(
                    "dim small",
                    (x(at), BOTTOM - 6.0),
                    Anchor::Middle,
                    "no data",
                );
                continue;
            };
            let name = month_label(column.month, true);
            let (mut up, mut down) = (0.0, 0.0);
            ends.clear();
            for (index, series) in self.series.iter().enumerate() {
                let value = float(series.values[at]);
                let base = if value < 0.0 { &mut down } else { &mut up };
                let (from, to) = (*base, *base + value);
                *base = to;
                ends.push(f64::midpoint(y(from), y(to)));
                let (top, height) = (y(from.max(to)), (y(from) - y(to)).abs());
                if height > 0.0 {
                    let amount = show_money(series.values[at], &self.currency);
                    let says = format!("{name}, {}: {amount}", series.name);
                    // A hair of the card shows between two parts.
                    let height = if height > 2.0 { height - 0.8 } else { height };
                    canvas.rect(self.class(index), [edge, top, wide, height], &says);
                }
            }
            if column.standing != MonthStatus::Whole {
                let at = [edge, y(up), wide, y(down) - y(up)];
                canvas.hatched(at, &format!("{name}: {}", column.standing.words()));
            }
            let label = show_money_short(total, &self.currency);
            if width_of(&label) * 0.92 <= slot + 2.0 {
                let place = (x(at), y(up) - 6.0);
                canvas.text("ink small", place, Anchor::Middle, &label);
            }
        }
        if ends.is_empty() {
            ends = vec![f64::midpoint(TOP, BOTTOM); self.series.len()];
        }
        // Small parts on top of one another keep the order of the stack.
        let mut floor = BOTTOM;
        for end in &mut ends {
            *end = end.min(floor);
            floor = *end - 0.01;
        }
        let places = apart(&ends, 17.0, TOP, BOTTOM);
        for (index, (series, at)) in self.series.iter().zip(places).enumerate() {
            canvas.rect(self.class(index), [right + 12.0, at - 5.0, 10.0, 10.0], "");
            let place = (right + 27.0, at + 4.0);
            canvas.text_in("ink", place, Anchor::Start, &series.name, legend + 2.0);
        }
        canvas.finish(title, finding)
    }

    fn class(&self, index: usize) -> &'static str {
        if self.series[index].rest {
            palette::REST
        } else {
            palette::SERIES[index % palette::SERIES.len()]
        }
    }

    fn table(&self) -> Table {
        use crate::report::Column as Heading;
        let mut columns = vec![Heading::new("Month", "month", 0)];
        columns.extend(
            self.series
                .iter()
                .map(|series| Heading::new(&series.name, series.key, 2)),
        );
        columns.push(Heading::new("Total", "total", 0));
        columns.push(Heading::new("State", "standing", 1));
        columns.push(Heading::in_files("currency"));
        let mut table = Table::new(columns);
        for (at, column) in self.columns.iter().enumerate() {
            let mut row = vec![Cell::text(column.month.to_string())];
            let known = column.total.is_some();
            row.extend(self.series.iter().map(|series| {
                if known {
                    Cell::Money(series.values[at], self.currency.clone())
                } else {
                    Cell::Empty
                }
            }));
            row.push(match (column.total, &column.standing) {
                (None, _) => Cell::Unknown("no data".to_owned()),
                (Some(total), MonthStatus::Partial) => Cell::AtLeast(total, self.currency.clone()),
                (Some(total), _) => Cell::Money(total, self.currency.clone()),
            });
            row.push(Cell::text(column.standing.words()));
            row.push(Cell::text(self.currency.as_str()));
            table.rows.push(row);
        }
        table
    }
}
