//! The same charts with blocks or letters, for a terminal.

use rust_decimal::Decimal;
use unicode_width::UnicodeWidthStr;

use super::{
    Calendar, FanChart, HeatMap, Stacks, SweepLine, Tornado, Waterfall, float, month_label,
};
use crate::{
    domain::{money::Money, number::plain, period::Month},
    report::{show_money, signed_money, text::clean},
};

/// What bars and shades are drawn with.
pub(super) struct Ink {
    /// Parts of a bar, one after the other.
    parts: [char; 6],
    /// From nothing to most.
    shades: [char; 6],
    /// Less and more than before.
    less: char,
    more: char,
    unknown: char,
    zero: char,
}

impl Ink {
    pub(super) fn of(unicode: bool) -> Self {
        if unicode {
            Self {
                parts: ['█', '▓', '▒', '░', '▞', '·'],
                shades: ['·', '░', '▒', '▓', '█', '█'],
                less: '░',
                more: '▓',
                unknown: '?',
                zero: '│',
            }
        } else {
            Self {
                parts: ['#', '=', '+', '-', 'x', '.'],
                shades: ['.', ':', '-', '+', '*', '#'],
                less: '-',
                more: '+',
                unknown: '?',
                zero: '|',
            }
        }
    }
}

/// Months as bars that fade from what is known to what is possible. Geometry only: cents are scaled to
/// columns in whole numbers.
pub(in crate::report) fn fan(chart: &FanChart, width: u16, unicode: bool) -> String {
    let ink = Ink::of(unicode);
    let [known, likely, even, possible, ..] = ink.parts;
    let past = chart.past.iter().filter_map(|month| {
        let cost = month.cost?;
        Some((month.month, [cost; 4]))
    });
    let ahead = chart.ahead.iter().map(|month| {
        let amounts = [month.known, month.p10, month.p50, month.p90];
        (month.month, amounts)
    });
    let rows: Vec<(String, [Money; 4])> = past
        .chain(ahead)
        .map(|(month, amounts)| (month.to_string(), amounts))
        .collect();
    let highest = rows.iter().map(|(_, [.., p90])| *p90);
    let largest = highest.chain(chart.budget).max().unwrap_or_default();
    let label = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let medians = rows.iter().map(|(_, [_, _, p50, _])| *p50);
    let ends: Vec<String> = medians
        .map(|p50| show_money(p50, &chart.currency))
        .collect();
    let end = ends.iter().map(String::len).max().unwrap_or(0);
    let room = usize::from(width.min(100))
        .saturating_sub(label + end + 4)
        .max(10);
    let budget = chart.budget.map(|budget| scaled(budget, largest, room));
    let mut text = String::new();
    for ((name, amounts), shown) in rows.iter().zip(&ends) {
        let [to_known, to_p10, to_p50, to_p90] =
            amounts.map(|amount| scaled(amount, largest, room));
        let bar: String = (0..=room)
            .map(|at| match at {
                at if Some(at) == budget => ink.zero,
                at if at < to_known => known,
                at if at < to_p10 => likely,
                at if at < to_p50 => even,
                at if at < to_p90 => possible,
                _ => ' ',
            })
            .collect();
        text += &format!("{name:label$}  {bar} {shown:>end$}\n");
    }
    let budget = budget.map_or(String::new(), |_| format!("   {} budget", ink.zero));
    let legend =
        format!("{known} known   {likely} to P10   {even} to P50   {possible} to P90{budget}");
    text + &format!("{:label$}  {legend}\n", "")
}

/// Returns the column an amount ends at, rounded, of the columns that the largest one has.
fn scaled(amount: Money, largest: Money, room: usize) -> usize {
    let cents = |money: Money| u128::try_from(money.to_cents().mantissa()).unwrap_or(0);
    let (part, whole) = (cents(amount), cents(largest));
    if whole == 0 {
        return 0;
    }
    let columns = (2 * part * room as u128 + whole) / (2 * whole);
    usize::try_from(columns).unwrap_or(room).min(room)
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

/// Cuts a name so that it fits.
fn fitted(name: &str, room: usize) -> String {
    let name = clean(&name.replace('\n', " "));
    if name.width() <= room {
        return name;
    }
    let mut cut = String::new();
    for c in name.chars() {
        if format!("{cut}{c}").width() + 1 > room {
            break;
        }
        cut.push(c);
    }
    cut + "…"
}

/// Draws bars on an axis that begins at nothing, or at `floor` where that is more.
fn rows(rows: &[Row], floor: f64, width: u16, ink: &Ink) -> String {
    let end = rows.iter().map(|row| row.label.width()).max().unwrap_or(0);
    // Names may take what bars of a good length leave.
    let width = usize::from(width.min(100));
    let limit = (width / 3).max(width.saturating_sub(end + 5 + 30));
    let names: Vec<String> = rows.iter().map(|row| fitted(&row.name, limit)).collect();
    let name = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let room = width.saturating_sub(name + end + 5).max(10);
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
    text += &format!("{} {baseline} ({}), {}\n", ink.zero, chart.of, chart.step);
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
            mark: if next < level { ink.less } else { ink.more },
            label: signed_money(step.change, &chart.currency),
        });
        level = next;
    }
    bars.push(total(&chart.to.0, chart.to.1));
    let mut text = rows(&bars, floor.unwrap_or(0.0), width, ink);
    text += &format!("{} less   {} more", ink.less, ink.more);
    if let Some(floor) = floor {
        text += &format!("   bars begin at {}", chart.tick(floor));
    }
    text + "\n"
}

/// Rows of a line picture.
const HEIGHT: usize = 10;

/// Lines over the values of a setting; a column without a price is empty.
pub(super) fn line(chart: &SweepLine, width: u16, unicode: bool) -> String {
    let known = || {
        chart
            .lines
            .iter()
            .flat_map(|(_, amounts)| amounts)
            .flatten()
    };
    let (Some(high), Some(low)) = (known().max(), known().min()) else {
        return "No setting has a price.\n".to_owned();
    };
    let (top, bottom) = (
        show_money(*high, &chart.currency),
        show_money(*low, &chart.currency),
    );
    let label = top.width().max(bottom.width());
    let room = usize::from(width.min(100))
        .saturating_sub(label + 3)
        .max(10);
    let (inks, wall, floor, corner) = if unicode {
        (['●', '·', '○', '+'], '│', "─", '└')
    } else {
        (['*', '.', 'o', '+'], '|', "-", '+')
    };
    let (low, high) = (float(*low), float(*high));
    let mut grid = vec![vec![' '; room]; HEIGHT];
    // The first line is the one that is asked about: it lies on top.
    for ((_, amounts), ink) in chart.lines.iter().zip(inks).rev() {
        let share = |column: usize| column as f64 / (room - 1) as f64;
        let nearest = |column: usize| {
            let apart = |at: &usize| (chart.share(*at) - share(column)).abs();
            (0..amounts.len()).min_by(|a, b| apart(a).total_cmp(&apart(b)))
        };
        let drawn = (0..room).filter_map(|column| Some((column, amounts[nearest(column)?]?)));
        for (column, amount) in drawn {
            let row = columns(float(amount) - low, high - low, HEIGHT - 1);
            grid[HEIGHT - 1 - row][column] = ink;
        }
    }
    let mut text = String::new();
    for (at, row) in grid.iter().enumerate() {
        let amount = match at {
            0 => top.as_str(),
            at if at == HEIGHT - 1 => bottom.as_str(),
            _ => "",
        };
        let row: String = row.iter().collect();
        text += &format!("{amount:>label$} {wall}{}\n", row.trim_end());
    }
    text += &format!("{:label$} {corner}{}\n", "", floor.repeat(room));
    let end = |at: Option<&Decimal>| at.map(|at| plain(*at)).unwrap_or_default();
    let (first, last) = (end(chart.at.first()), end(chart.at.last()));
    let gap = room.saturating_sub(first.width() + last.width());
    let setting = fitted(&chart.setting, gap.saturating_sub(2));
    text += &format!("{:label$}  {first}{setting:^gap$}{last}\n", "");
    let names = chart.lines.iter().zip(inks);
    let names: Vec<String> = names
        .map(|((name, _), ink)| format!("{ink} {}", clean(name)))
        .collect();
    text + &format!("{:label$}  {}\n", "", names.join("   "))
}

/// Shades over two settings.
pub(super) fn heat(chart: &HeatMap, width: u16, ink: &Ink) -> String {
    let known = || chart.cells.iter().flatten().flatten();
    let (Some(low), Some(high)) = (known().min(), known().max()) else {
        return "No setting has a price.\n".to_owned();
    };
    let show = |amount: Money| show_money(amount, &chart.currency);
    let (least, most) = (float(*low), float(*high));
    let shades = [
        ' ',
        ink.shades[1],
        ink.shades[2],
        ink.shades[3],
        ink.shades[4],
    ];
    let darkest = shades.len() - 1;
    // Differences: the darker the more is saved. Costs: the darker the dearer.
    let shade = |amount: Option<Money>| match amount.map(float) {
        None => ink.unknown,
        Some(amount) if chart.differences && amount > 0.0 => 'x',
        Some(amount) if chart.differences => shades[columns(-amount, -least, darkest)],
        Some(amount) => shades[columns(amount - least, most - least, darkest)],
    };
    let (down, across) = (&chart.down, &chart.across);
    let label = down.1.iter().map(|row| row.width()).max().unwrap_or(0);
    let room = usize::from(width.min(100)).saturating_sub(label + 2);
    let each = (room / across.1.len().max(1)).clamp(1, 4);
    let mut text = format!("{} \\ {}\n", clean(&down.0), clean(&across.0));
    for (row, amounts) in down.1.iter().zip(&chart.cells) {
        let marks = amounts.iter().map(|amount| shade(*amount));
        let marks: String = marks
            .flat_map(|mark| std::iter::repeat_n(mark, each))
            .collect();
        text += &format!("{}\n", format!("{row:>label$} {marks}").trim_end());
    }
    let end = |at: Option<&String>| at.cloned().unwrap_or_default();
    let (first, to) = (end(across.1.first()), end(across.1.last()));
    let gap = (each * across.1.len()).saturating_sub(first.width() + to.width());
    text += &format!("{:label$} {first}{}{to}\n", "", " ".repeat(gap.max(1)));
    let mut legend = if chart.differences {
        let saved = -(*low).min(Money::ZERO);
        let more = (*high).max(Money::ZERO);
        format!(
            "{} saves {}   x costs more, up to {}",
            shades[darkest],
            show(saved),
            show(more)
        )
    } else {
        format!("from {} to {} {}", show(*low), shades[darkest], show(*high))
    };
    if chart.cells.iter().flatten().any(Option::is_none) {
        legend += &format!("   {} no price", ink.unknown);
    }
    text + &format!("{:label$} {legend}\n", "")
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
mod tests;
