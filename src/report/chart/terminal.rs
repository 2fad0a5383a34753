//! The same charts with blocks or letters, for a terminal.

use unicode_width::UnicodeWidthStr;

use super::{Calendar, FanChart, Stacks, Tornado, Waterfall, float, month_label};
use crate::{
    domain::{money::Money, period::Month},
    report::{Fan, FanRow, show_money, signed_money, text::clean},
};

/// What bars and shades are drawn with.
pub(super) struct Ink {
    /// Parts of a bar, one after the other.
    parts: [char; 6],
    /// From nothing to most.
    shades: [char; 6],
    unknown: char,
    zero: char,
}

impl Ink {
    pub(super) fn of(unicode: bool) -> Self {
        if unicode {
            Self {
                parts: ['█', '▓', '▒', '░', '▞', '·'],
                shades: ['·', '░', '▒', '▓', '█', '█'],
                unknown: '?',
                zero: '│',
            }
        } else {
            Self {
                parts: ['#', '=', '+', '-', 'x', '.'],
                shades: ['.', ':', '-', '+', '*', '#'],
                unknown: '?',
                zero: '|',
            }
        }
    }
}

/// Months as bars, as the forecast draws them.
pub(super) fn fan(chart: &FanChart, width: u16, unicode: bool) -> String {
    let past = chart.past.iter().filter_map(|month| {
        let cost = month.cost?;
        let label = month.month.to_string();
        Some(FanRow {
            label,
            known: cost,
            p10: cost,
            p50: cost,
            p90: cost,
        })
    });
    let ahead = chart.ahead.iter().map(|month| FanRow {
        label: month.month.to_string(),
        known: month.known,
        p10: month.p10,
        p50: month.p50,
        p90: month.p90,
    });
    let fan = Fan {
        rows: past.chain(ahead).collect(),
        mark: chart.budget,
        currency: chart.currency.clone(),
    };
    crate::report::fan::render(&fan, width, unicode)
}

pub(super) fn stacks(chart: &Stacks, width: u16, ink: &Ink) -> String {
    let show = |money: Option<Money>| {
        money.map_or("no data".to_owned(), |money| {
            show_money(money, &chart.currency)
        })
    };
    let ends: Vec<String> = chart
        .columns
        .iter()
        .map(|column| show(column.total))
        .collect();
    let end = ends.iter().map(String::len).max().unwrap_or(0);
    let notes = chart
        .columns
        .iter()
        .map(|column| column.standing.words().len());
    let note = notes.max().unwrap_or(0);
    let room = usize::from(width.min(100))
        .saturating_sub(7 + end + note + 5)
        .max(10);
    let paid = |at: usize| {
        let values = chart
            .series
            .iter()
            .map(move |series| float(series.values[at]));
        values.filter(|value| *value > 0.0)
    };
    let most = (0..chart.columns.len())
        .map(|at| paid(at).sum::<f64>())
        .fold(0.0, f64::max);
    let mut text = String::new();
    for ((at, column), end_of) in chart.columns.iter().enumerate().zip(&ends) {
        let mut bar = String::new();
        let mut sum = 0.0;
        for (index, series) in chart.series.iter().enumerate() {
            let value = float(series.values[at]).max(0.0);
            sum += value;
            let reach = columns(sum, most, room);
            let mark = part(ink, index, series.rest);
            bar.extend(std::iter::repeat_n(
                mark,
                reach.saturating_sub(bar.chars().count()),
            ));
        }
        let month = column.month.to_string();
        let words = column.standing.words();
        let line = format!("{month}  {bar:room$}  {end_of:>end$} {words}");
        text += &format!("{}\n", line.trim_end());
    }
    let mut key = "        ".to_owned();
    for (index, series) in chart.series.iter().enumerate() {
        let entry = format!(
            " {} {}  ",
            part(ink, index, series.rest),
            clean(&series.name)
        );
        let line = key.rsplit('\n').next().unwrap_or("");
        if line.width() + entry.trim_end().width() > usize::from(width) {
            key = format!("{}\n        ", key.trim_end());
        }
        key += &entry;
    }
    text + key.trim_end() + "\n"
}

fn part(ink: &Ink, index: usize, rest: bool) -> char {
    let last = ink.parts.len() - 1;
    ink.parts[if rest { last } else { index.min(last) }]
}

/// A share of the room as whole columns.
fn columns(value: f64, most: f64, room: usize) -> usize {
    if most > 0.0 {
        ((value / most * room as f64).round() as usize).min(room)
    } else {
        0
    }
}

/// Rows with a bar between two amounts; `0` of the axis is a line.
struct Row {
    name: String,
    from: f64,
    to: f64,
    mark: char,
    label: String,
}

/// Draws bars on an axis that begins at nothing, or at `floor` where that is more.
fn rows(rows: &[Row], floor: f64, width: u16, ink: &Ink) -> String {
    let limit = usize::from(width) / 3;
    let short = |name: &str| -> String {
        let name = clean(&name.replace('\n', " "));
        if name.width() <= limit {
            return name;
        }
        let mut cut = String::new();
        for c in name.chars() {
            if cut.width() + 2 > limit {
                break;
            }
            cut.push(c);
        }
        cut + "…"
    };
    let names: Vec<String> = rows.iter().map(|row| short(&row.name)).collect();
    let name = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let end = rows.iter().map(|row| row.label.width()).max().unwrap_or(0);
    let room = usize::from(width.min(100))
        .saturating_sub(name + end + 5)
        .max(10);
    let reach = || rows.iter().flat_map(|row| [row.from, row.to]);
    let (low, high) = (reach().fold(floor, f64::min), reach().fold(floor, f64::max));
    let column = |value: f64| columns(value - low, high - low, room);
    let zero = column(floor);
    let mut text = String::new();
    for (row, shown) in rows.iter().zip(names) {
        let (from, to) = (column(row.from.min(row.to)), column(row.from.max(row.to)));
        // What is there at all is seen.
        let to = if row.from < row.to || row.to < row.from {
            to.max(from + 1)
        } else {
            to
        };
        // The line of the axis takes a place of its own.
        let to = to + usize::from(row.from < floor && row.to > floor);
        let bar: String = (0..=room)
            .map(|at| match at {
                at if at == zero && (from == to || from < zero) => ink.zero,
                at if (from..to).contains(&at) => row.mark,
                at if at == zero => ink.zero,
                _ => ' ',
            })
            .collect();
        let pad = " ".repeat(name - shown.width());
        let gap = " ".repeat(end - row.label.width());
        text += &format!("{shown}{pad}  {bar}  {gap}{}\n", row.label);
    }
    text
}

pub(super) fn tornado(chart: &Tornado, width: u16, ink: &Ink) -> String {
    let bars: Vec<Row> = chart
        .rows
        .iter()
        .map(|row| Row {
            name: row.name.clone(),
            from: float(row.low),
            to: float(row.high),
            mark: ink.parts[0],
            label: format!(
                "{} to {}",
                signed_money(row.low, &chart.currency),
                signed_money(row.high, &chart.currency)
            ),
        })
        .collect();
    let baseline = show_money(chart.baseline, &chart.currency);
    let mut text = rows(&bars, 0.0, width, ink);
    text += &format!("{} is {baseline}, {} {}\n", ink.zero, chart.of, chart.step);
    text
}

pub(super) fn waterfall(chart: &Waterfall, width: u16, ink: &Ink) -> String {
    let floor = chart.floor(4.0);
    let total = |name: &str, amount: Money| Row {
        name: name.to_owned(),
        from: floor.unwrap_or(0.0),
        to: float(amount),
        mark: ink.parts[0],
        label: show_money(amount, &chart.currency),
    };
    let mut bars = vec![total(&chart.from.0, chart.from.1)];
    let mut level = float(chart.from.1);
    for step in &chart.steps {
        let next = level + float(step.change);
        bars.push(Row {
            name: step.name.clone(),
            from: level,
            to: next,
            mark: ink.parts[2],
            label: signed_money(step.change, &chart.currency),
        });
        level = next;
    }
    bars.push(total(&chart.to.0, chart.to.1));
    let text = rows(&bars, floor.unwrap_or(0.0), width, ink);
    match floor {
        Some(floor) => text + &format!("Bars begin at {}.\n", chart.tick(floor)),
        None => text,
    }
}

pub(super) fn calendar(chart: &Calendar, width: u16, ink: &Ink) -> String {
    let mondays = chart.mondays(usize::from(width).saturating_sub(5).clamp(10, 60));
    let mut months = String::new();
    for (at, monday) in mondays.iter().enumerate() {
        let month = Month::of((*monday).max(chart.from));
        let new = at == 0 || Month::of(mondays[at - 1].max(chart.from)) != month;
        if new && months.len() <= at {
            months += &" ".repeat(at - months.len());
            months += &month_label(month, false);
            months.push(' ');
        }
    }
    let mut text = format!("     {}\n", months.trim_end());
    for (row, name) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        .iter()
        .enumerate()
    {
        let mut line = format!("{name}  ");
        for monday in &mondays {
            let day = *monday + chrono::Days::new(row as u64);
            line.push(match chart.level(day) {
                _ if day < chart.from || chart.to < day => ' ',
                Some(level) => ink.shades[level],
                None => ink.unknown,
            });
        }
        text += &format!("{}\n", line.trim_end());
    }
    let [none, shades @ ..] = ink.shades;
    let mut shades: Vec<char> = shades.to_vec();
    shades.dedup();
    let shades: String = shades.into_iter().collect();
    text + &format!(
        "     {none} none  {shades} over {} {} a day\n",
        chart.most(),
        chart.what
    )
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rust_decimal::Decimal;

    use super::super::{Column, Series, Standing, Step, Swing};
    use super::*;
    use crate::domain::ids::Currency;

    fn usd(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2))
    }

    fn currency() -> Currency {
        Currency::new("USD")
    }

    #[test]
    fn bars_of_a_month_add_up_to_its_length() {
        let chart = Stacks {
            columns: [
                ("2026-10", Some(3000), Standing::Whole),
                ("2026-11", None, Standing::Whole),
                ("2026-12", Some(1500), Standing::SoFar),
            ]
            .into_iter()
            .map(|(month, total, standing)| Column {
                month: month.parse().unwrap(),
                total: total.map(usd),
                standing,
            })
            .collect(),
            series: vec![
                Series {
                    name: "Build".to_owned(),
                    key: "a",
                    values: vec![usd(2000), usd(0), usd(1000)],
                    rest: false,
                },
                Series {
                    name: "Other".to_owned(),
                    key: "b",
                    values: vec![usd(1000), usd(0), usd(500)],
                    rest: true,
                },
            ],
            currency: currency(),
        };
        assert_eq!(
            stacks(&chart, 48, &Ink::of(false)),
            // 23 columns for $30: 15.3 of them are $20, 7.7 are $10.
            "2026-10  ###############........   $30.00\n\
             2026-11                           no data\n\
             2026-12  ########....              $15.00 so far\n         \
             # Build   . Other\n"
        );
    }

    #[test]
    fn a_bar_goes_left_and_right_from_the_baseline() {
        let chart = Tornado {
            of: "2026-10".to_owned(),
            baseline: usd(10_000),
            step: "with 20 % less or more".to_owned(),
            rows: vec![Swing {
                name: "Linux\u{202e} small\nx".to_owned(),
                range: String::new(),
                low: usd(-1000),
                high: usd(1000),
            }],
            currency: currency(),
        };
        assert_eq!(
            tornado(&chart, 60, &Ink::of(false)),
            "Linux small x  ############|############  −$10.00 to +$10.00\n\
             | is $100.00, 2026-10 with 20 % less or more\n"
        );
    }

    #[test]
    fn steps_hang_between_two_totals() {
        let chart = Waterfall {
            from: ("Sep".to_owned(), usd(2000)),
            steps: vec![Step {
                name: "Builds".to_owned(),
                change: usd(-1000),
            }],
            to: ("Oct".to_owned(), usd(1000)),
            currency: currency(),
        };
        assert_eq!(
            waterfall(&chart, 40, &Ink::of(false)),
            "Sep     ######################    $20.00\n\
             Builds  |          +++++++++++   −$10.00\n\
             Oct     ###########               $10.00\n"
        );
    }

    #[test]
    fn days_are_shades_and_unknown_days_are_named() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let chart = Calendar {
            what: "minutes".to_owned(),
            from: day("2026-11-02"),
            to: day("2026-11-10"),
            days: [("2026-11-02", 0), ("2026-11-03", 100), ("2026-11-09", 20)]
                .into_iter()
                .map(|(at, value)| (day(at), Decimal::from(value)))
                .collect(),
        };
        assert_eq!(
            calendar(&chart, 40, &Ink::of(false)),
            "     Nov\nMon  .:\nTue  #?\nWed  ?\nThu  ?\nFri  ?\nSat  ?\nSun  ?\n     . none  :-+*# over 80 minutes a day\n"
        );
    }
}
