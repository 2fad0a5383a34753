//! A fan of ranges as bars of text. Geometry only: cents are scaled to columns in whole numbers.

use super::show_money;
use crate::domain::{ids::Currency, money::Money};

/// Bars that fade from what is known to what is possible.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fan {
    /// From top to bottom.
    pub rows: Vec<FanRow>,
    /// A line to compare with, such as a budget.
    pub mark: Option<Money>,
    /// What the amounts are in.
    pub currency: Currency,
}

/// One bar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FanRow {
    /// What stands before it.
    pub label: String,
    /// Certain by now.
    pub known: Money,
    /// One in ten is below.
    pub p10: Money,
    /// Half are below.
    pub p50: Money,
    /// One in ten is above.
    pub p90: Money,
}

/// What the parts of a bar are drawn with.
struct Ink {
    known: char,
    likely: char,
    even: char,
    possible: char,
    mark: char,
}

const BLOCKS: Ink = Ink {
    known: '█',
    likely: '▓',
    even: '▒',
    possible: '░',
    mark: '│',
};

const LETTERS: Ink = Ink {
    known: '#',
    likely: '=',
    even: '-',
    possible: '.',
    mark: '|',
};

/// Draws a fan within a width, with letters only if the terminal has no blocks.
pub(super) fn render(fan: &Fan, width: u16, unicode: bool) -> String {
    let ink = if unicode { &BLOCKS } else { &LETTERS };
    let largest = fan
        .rows
        .iter()
        .map(|row| row.p90)
        .chain(fan.mark)
        .max()
        .unwrap_or_default();
    let label = fan
        .rows
        .iter()
        .map(|row| row.label.len())
        .max()
        .unwrap_or(0);
    let ends: Vec<String> = fan
        .rows
        .iter()
        .map(|row| show_money(row.p50, &fan.currency))
        .collect();
    let end = ends.iter().map(String::len).max().unwrap_or(0);
    let room = usize::from(width.min(100))
        .saturating_sub(label + end + 4)
        .max(10);
    let column = |amount: Money| -> usize { scaled(amount, largest, room) };
    let mark = fan.mark.map(column);
    let mut text = String::new();
    for (row, shown) in fan.rows.iter().zip(&ends) {
        let (known, low, middle, high) = (
            column(row.known),
            column(row.p10),
            column(row.p50),
            column(row.p90),
        );
        let bar: String = (0..=room)
            .map(|at| match at {
                at if Some(at) == mark => ink.mark,
                at if at < known => ink.known,
                at if at < low => ink.likely,
                at if at < middle => ink.even,
                at if at < high => ink.possible,
                _ => ' ',
            })
            .collect();
        text += &format!("{:label$}  {bar} {shown:>end$}\n", row.label);
    }
    let budget = if mark.is_some() {
        format!("   {} budget", ink.mark)
    } else {
        String::new()
    };
    let legend = format!(
        "{} known   {} to P10   {} to P50   {} to P90{budget}",
        ink.known, ink.likely, ink.even, ink.possible
    );
    text += &format!("{:label$}  {legend}\n", "");
    text
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

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;

    fn usd(cents: i64) -> Money {
        Money::new(Decimal::new(cents, 2))
    }

    fn fan() -> Fan {
        let row = |label: &str, amounts: [i64; 4]| FanRow {
            label: label.to_owned(),
            known: usd(amounts[0]),
            p10: usd(amounts[1]),
            p50: usd(amounts[2]),
            p90: usd(amounts[3]),
        };
        Fan {
            rows: vec![
                row("2026-11", [500, 800, 1000, 1200]),
                row("2026-12", [0, 400, 1000, 2000]),
            ],
            mark: Some(usd(1500)),
            currency: Currency::new("USD"),
        }
    }

    #[test]
    fn a_bar_fades_from_known_to_possible() {
        assert_eq!(
            render(&fan(), 38, false),
            "2026-11  #####===---..   |      $10.00\n\
             2026-12  ====-------.....|....  $10.00\n         \
             # known   = to P10   - to P50   . to P90   | budget\n"
        );
    }

    #[test]
    fn nothing_at_all_draws_no_bar() {
        let mut fan = fan();
        fan.mark = None;
        for row in &mut fan.rows {
            *row = FanRow {
                label: row.label.clone(),
                known: usd(0),
                p10: usd(0),
                p50: usd(0),
                p90: usd(0),
            };
        }
        assert!(render(&fan, 60, true).starts_with("2026-11  "));
    }
}
