//! Waterfalls, tornadoes, lines and maps of text. Geometry only: cents are scaled to columns and
//! rows in whole numbers.

use unicode_width::UnicodeWidthStr;

use super::{show_money, text::clean};
use crate::domain::{ids::Currency, money::Money};

/// A picture of amounts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Picture {
    /// Bars one below the other.
    Bars(Bars),
    /// Lines over one axis.
    Lines(Lines),
    /// Shades over two axes.
    Map(Map),
}

/// Bars from one amount to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bars {
    /// From top to bottom.
    pub rows: Vec<Bar>,
    /// A line through all of them.
    pub mark: Option<Money>,
    /// What the amounts are in.
    pub currency: Currency,
    /// What the inks mean.
    pub legend: Vec<(Ink, &'static str)>,
}

/// One bar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    /// What stands before it.
    pub label: String,
    /// Where its parts begin and end, each with its ink.
    pub parts: Vec<(Money, Money, Ink)>,
    /// What stands behind it.
    pub shown: String,
}

/// What a part of a bar is drawn with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// A whole amount.
    Whole,
    /// Less than before.
    Less,
    /// More than before.
    More,
}

impl Ink {
    fn drawn(self, unicode: bool) -> char {
        match (self, unicode) {
            (Self::Whole, true) => '█',
            (Self::Less, true) => '░',
            (Self::More, true) => '▓',
            (Self::Whole, false) => '#',
            (Self::Less, false) => '-',
            (Self::More, false) => '+',
        }
    }
}

/// Two lines over one axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lines {
    /// What is turned.
    pub axis: String,
    /// Its values.
    pub values: Vec<String>,
    /// What the scenario costs at each.
    pub scenario: Vec<Money>,
    /// What the baseline costs at each.
    pub baseline: Vec<Money>,
    /// What the amounts are in.
    pub currency: Currency,
}

/// Shades over two axes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Map {
    /// What the rows and the columns are.
    pub axes: [String; 2],
    /// Values of the rows.
    pub rows: Vec<String>,
    /// Values of the columns.
    pub columns: Vec<String>,
    /// The amounts, row by row.
    pub amounts: Vec<Vec<Money>>,
    /// The amounts are differences: what is above nothing is marked.
    pub differences: bool,
    /// What the amounts are in.
    pub currency: Currency,
}

/// Draws a picture within a width, with letters only if the terminal has no blocks.
pub(super) fn render(picture: &Picture, width: u16, unicode: bool) -> String {
    match picture {
        Picture::Bars(bars) => draw_bars(bars, width, unicode),
        Picture::Lines(lines) => draw_lines(lines, width, unicode),
        Picture::Map(map) => draw_map(map, width, unicode),
    }
}

fn cents(money: Money) -> i128 {
    money.to_cents().mantissa()
}

/// Returns the column or row an amount falls on, rounded, of so many between two amounts.
fn scaled(amount: i128, (low, high): (i128, i128), room: usize) -> usize {
    if high <= low {
        return 0;
    }
    let room = i128::try_from(room).unwrap_or(0);
    let part = (amount - low).clamp(0, high - low);
    usize::try_from((2 * part * room + high - low) / (2 * (high - low))).unwrap_or(0)
}

/// Cuts a label so that it fits, and fills it up.
fn fitted(label: &str, width: usize, unicode: bool) -> String {
    let label = clean(label);
    let mut out = String::new();
    if label.width() <= width {
        out = label;
    } else {
        for c in label.chars() {
            if format!("{out}{c}").width() + 1 > width {
                break;
            }
            out.push(c);
        }
        out.push(if unicode { '…' } else { '.' });
    }
    let fill = width.saturating_sub(out.width());
    out + &" ".repeat(fill)
}

fn draw_bars(bars: &Bars, width: u16, unicode: bool) -> String {
    let ends: Vec<i128> = bars
        .rows
        .iter()
        .flat_map(|bar| {
            bar.parts
                .iter()
                .flat_map(|part| [cents(part.0), cents(part.1)])
        })
        .chain(bars.mark.map(cents))
        .collect();
    let high = ends.iter().copied().max().unwrap_or(0).max(0);
    let low = ends
        .iter()
        .copied()
        .filter(|end| *end != 0)
        .min()
        .unwrap_or(0);
    // Where all amounts are large, the differences between them are what is to be seen.
    let floor = if low > 0 && high > low && 2 * low > high {
        low - (high - low).max(1) / 4
    } else {
        low.min(0)
    };
    let width = usize::from(width.min(100));
    let label = bars.rows.iter().map(|bar| clean(&bar.label).width()).max();
    let label = label.unwrap_or(0).min(width / 2);
    let end = bars
        .rows
        .iter()
        .map(|bar| bar.shown.width())
        .max()
        .unwrap_or(0);
    let room = width.saturating_sub(label + end + 4).max(10);
    let column = |amount: i128| scaled(amount, (floor, high), room);
    let mark = bars.mark.map(|mark| column(cents(mark)));
    let mut text = String::new();
    for bar in &bars.rows {
        let mut line = vec![' '; room + 1];
        for (from, to, ink) in &bar.parts {
            let (from, to) = (cents(*from), cents(*to));
            let (begin, mut end) = (column(from.min(to)), column(from.max(to)));
            // What is more than nothing is seen.
            if begin == end && from != to {
                end = (begin + 1).min(room + 1);
            }
            line[begin..end].fill(ink.drawn(unicode));
        }
        if let Some(mark) = mark {
            line[mark.min(room)] = if unicode { '│' } else { '|' };
        }
        let line: String = line.into_iter().collect();
        text += &format!(
            "{}  {line} {:>end$}\n",
            fitted(&bar.label, label, unicode),
            bar.shown
        );
    }
    let mut legend: Vec<String> = bars
        .legend
        .iter()
        .map(|(ink, meaning)| format!("{} {meaning}", ink.drawn(unicode)))
        .collect();
    if floor > 0 {
        let begins = Money::new(rust_decimal::Decimal::from_i128_with_scale(floor, 2));
        legend.push(format!("begins at {}", show_money(begins, &bars.currency)));
    }
    text += &format!("{:label$}  {}\n", "", legend.join("   "));
    text
}

/// Rows of a line picture.
const HEIGHT: usize = 10;

fn draw_lines(lines: &Lines, width: u16, unicode: bool) -> String {
    let all = || lines.scenario.iter().chain(&lines.baseline).copied();
    let (Some(high), Some(low)) = (all().map(cents).max(), all().map(cents).min()) else {
        return String::new();
    };
    let shown = |amount: Money| show_money(amount, &lines.currency);
    let (top, bottom) = (all().max().map(shown), all().min().map(shown));
    let (top, bottom) = (top.unwrap_or_default(), bottom.unwrap_or_default());
    let label = top.width().max(bottom.width());
    let width = usize::from(width.min(100))
        .saturating_sub(label + 3)
        .max(10);
    let (line, other) = if unicode { ('●', '·') } else { ('*', '.') };
    let mut grid = vec![vec![' '; width]; HEIGHT];
    let count = lines.values.len();
    for (amounts, ink) in [(&lines.baseline, other), (&lines.scenario, line)] {
        for (column, at) in (0..width).map(|column| (column, nearest(column, width, count))) {
            let Some(amount) = amounts.get(at) else {
                continue;
            };
            let row = scaled(cents(*amount), (low, high), HEIGHT - 1);
            grid[HEIGHT - 1 - row][column] = ink;
        }
    }
    let mut text = String::new();
    let (wall, floor, corner) = if unicode {
        ('│', "─", "└")
    } else {
        ('|', "-", "+")
    };
    for (at, row) in grid.iter().enumerate() {
        let amount = match at {
            0 => top.as_str(),
            at if at == HEIGHT - 1 => bottom.as_str(),
            _ => "",
        };
        let row: String = row.iter().collect();
        text += &format!("{amount:>label$} {wall}{}\n", row.trim_end());
    }
    text += &format!("{:label$} {corner}{}\n", "", floor.repeat(width));
    let first = lines.values.first().cloned().unwrap_or_default();
    let last = lines.values.last().cloned().unwrap_or_default();
    let axis = clean(&lines.axis);
    let gap = width.saturating_sub(first.width() + last.width());
    text += &format!("{:label$}  {first}{:^gap$}{last}\n", "", axis);
    text += &format!("{:label$}  {line} scenario   {other} baseline\n", "");
    text
}

/// Returns which of some values stands in a column.
fn nearest(column: usize, width: usize, count: usize) -> usize {
    match (width, count) {
        (0 | 1, _) | (_, 0) => 0,
        _ => (2 * column * (count - 1) + width - 1) / (2 * (width - 1)),
    }
}

fn draw_map(map: &Map, width: u16, unicode: bool) -> String {
    let shades: [char; 5] = if unicode {
        [' ', '░', '▒', '▓', '█']
    } else {
        [' ', '.', ':', '=', '#']
    };
    let over = if unicode { '×' } else { 'x' };
    let all: Vec<i128> = map.amounts.iter().flatten().map(|m| cents(*m)).collect();
    let (low, high) = (
        all.iter().copied().min().unwrap_or(0),
        all.iter().copied().max().unwrap_or(0),
    );
    // Differences: the darker the more is saved. Costs: the darker the dearer.
    let shade = |amount: i128| {
        if map.differences {
            if amount > 0 {
                return over;
            }
            return shades[scaled(-amount, (0, -low), shades.len() - 1)];
        }
        shades[scaled(amount, (low, high), shades.len() - 1)]
    };
    let label = map.rows.iter().map(|row| row.width()).max().unwrap_or(0);
    let label = label.max(map.axes[0].width().min(20));
    let room = usize::from(width.min(100)).saturating_sub(label + 2);
    let each = (room / map.columns.len().max(1)).clamp(1, 4);
    let mut text = format!("{} \\ {}\n", clean(&map.axes[0]), clean(&map.axes[1]));
    for (row, amounts) in map.rows.iter().zip(&map.amounts) {
        let cells: String = amounts
            .iter()
            .flat_map(|amount| std::iter::repeat_n(shade(cents(*amount)), each))
            .collect();
        text += format!("{row:>label$} {cells}").trim_end();
        text.push('\n');
    }
    let first = map.columns.first().cloned().unwrap_or_default();
    let last = map.columns.last().cloned().unwrap_or_default();
    let gap = (each * map.columns.len()).saturating_sub(first.width() + last.width());
    text += &format!("{:label$} {first}{}{last}\n", "", " ".repeat(gap.max(1)));
    let amount = |cents: i128| {
        let money = Money::new(rust_decimal::Decimal::from_i128_with_scale(cents, 2));
        show_money(money, &map.currency)
    };
    text += &if map.differences {
        format!(
            "{:label$} {} saves {}   {over} costs more, up to {}\n",
            "",
            shades[4],
            amount(-low.min(0)),
            amount(high.max(0))
        )
    } else {
        format!(
            "{:label$} from {} to {} {}\n",
            "",
            amount(low),
            shades[4],
            amount(high)
        )
    };
    text
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn usd(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2))
    }

    fn bar(label: &str, from: i64, to: i64, ink: Ink) -> Bar {
        Bar {
            label: label.to_owned(),
            parts: vec![(usd(from), usd(to), ink)],
            shown: format!("{to}"),
        }
    }

    #[test]
    fn a_waterfall_goes_down_and_up() {
        let bars = Bars {
            rows: vec![
                bar("baseline", 0, 1000, Ink::Whole),
                bar("a", 1000, 200, Ink::Less),
                bar("b", 200, 400, Ink::More),
                bar("scenario", 0, 400, Ink::Whole),
            ],
            mark: None,
            currency: Currency::new("USD"),
            legend: vec![(Ink::Less, "less"), (Ink::More, "more")],
        };
        assert_eq!(
            draw_bars(&bars, 26, false),
            "baseline  ##########  1000\n\
             a           --------   200\n\
             b           ++         400\n\
             scenario  ####         400\n          - less   + more\n"
        );
    }

    #[test]
    fn large_amounts_show_their_differences() {
        let bars = Bars {
            rows: vec![
                bar("before", 0, 100_000, Ink::Whole),
                bar("after", 0, 99_000, Ink::Whole),
            ],
            mark: None,
            currency: Currency::new("USD"),
            legend: Vec::new(),
        };
        let drawn = draw_bars(&bars, 40, false);
        assert!(drawn.contains("begins at $987.50"), "{drawn}");
    }

    #[test]
    fn a_map_marks_what_costs_more() {
        let map = Map {
            axes: ["speed".to_owned(), "builds".to_owned()],
            rows: vec!["1".to_owned(), "2".to_owned()],
            columns: vec!["1".to_owned(), "2".to_owned()],
            amounts: vec![vec![usd(100), usd(0)], vec![usd(-50), usd(-100)]],
            differences: true,
            currency: Currency::new("USD"),
        };
        let drawn = draw_map(&map, 80, false);
        assert!(drawn.contains("1 xxxx\n"), "{drawn}");
        assert!(drawn.contains("2 ::::####\n"), "{drawn}");
    }

    #[test]
    fn lines_stay_within_the_picture() {
        let lines = Lines {
            axis: "active_users".to_owned(),
            values: (0..5).map(|n| n.to_string()).collect(),
            scenario: (0..5).map(|n| usd(n * 100)).collect(),
            baseline: vec![usd(200); 5],
            currency: Currency::new("USD"),
        };
        for width in [20, 40, 80] {
            for line in draw_lines(&lines, width, true).lines() {
                assert!(line.width() <= usize::from(width) + 12, "{line}");
            }
        }
    }
}
