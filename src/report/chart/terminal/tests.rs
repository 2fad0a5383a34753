use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::super::{Column, FanMonth, MonthStatus, Series, Step, Swing};
use super::*;
use crate::domain::ids::Currency;

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2))
}

fn currency() -> Currency {
    Currency::new("USD")
}

fn months() -> FanChart {
    let row = |month: &str, amounts: [i64; 4]| FanMonth {
        month: month.parse().unwrap(),
        known: usd(amounts[0]),
        p10: usd(amounts[1]),
        p50: usd(amounts[2]),
        p90: usd(amounts[3]),
    };
    FanChart {
        past: Vec::new(),
        ahead: vec![
            row("2026-11", [500, 800, 1000, 1200]),
            row("2026-12", [0, 400, 1000, 2000]),
        ],
        budget: Some(usd(1500)),
        currency: currency(),
    }
}

#[test]
fn a_bar_fades_from_known_to_possible() {
    assert_eq!(
        fan(&months(), 38, false),
        "2026-11  #####===+++--   |      $10.00\n\
         2026-12  ====+++++++-----|----  $10.00\n         \
         # known   = to P10   + to P50   - to P90   | budget\n"
    );
}

#[test]
fn nothing_at_all_draws_no_bar() {
    let mut chart = months();
    chart.budget = None;
    for month in &mut chart.ahead {
        *month = FanMonth {
            month: month.month,
            known: usd(0),
            p10: usd(0),
            p50: usd(0),
            p90: usd(0),
        };
    }
    assert!(fan(&chart, 60, true).starts_with("2026-11  "));
}

#[test]
fn bars_of_a_month_add_up_to_its_length() {
    let chart = Stacks {
        columns: [
            ("2026-10", Some(3000), MonthStatus::Whole),
            ("2026-11", None, MonthStatus::Whole),
            ("2026-12", Some(1500), MonthStatus::SoFar),
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
        step: "each driver varied by ±20 %".to_owned(),
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
         | $100.00 (2026-10), each driver varied by ±20 %\n"
    );
}

#[test]
fn steps_hang_between_two_totals() {
    let chart = Waterfall {
        from: ("Sep".to_owned(), usd(2000)),
        steps: vec![Step {
            name: "Builds".to_owned(),
            change: usd(-1000),
            is_rest: false,
        }],
        to: ("Oct".to_owned(), usd(1000)),
        currency: currency(),
    };
    assert_eq!(
        waterfall(&chart, 40, &Ink::of(false)),
        "Sep     ######################    $20.00\n\
         Builds  |          -----------   −$10.00\n\
         Oct     ###########               $10.00\n\
         - less   + more\n"
    );
}

fn dec(value: i64) -> Decimal {
    Decimal::from(value)
}

#[test]
fn lines_stay_within_the_picture_and_values_stand_where_they_are() {
    let chart = SweepLine {
        setting: "active_users".to_owned(),
        at: [0, 1, 9, 10].map(dec).to_vec(),
        lines: vec![
            (
                "scenario".to_owned(),
                [0, 100, 900, 1000].map(|n| Some(usd(n))).to_vec(),
            ),
            (
                "baseline".to_owned(),
                vec![Some(usd(200)), None, Some(usd(200)), None],
            ),
        ],
        currency: currency(),
    };
    for width in [20, 40, 80] {
        for row in line(&chart, width, true).lines() {
            assert!(row.width() <= usize::from(width) + 12, "{row}");
        }
    }
    let drawn = line(&chart, 29, false);
    let columns: Vec<char> = (8..28)
        .map(|at| {
            let rows = drawn.lines().take(HEIGHT).collect::<Vec<_>>();
            let found = rows
                .iter()
                .rev()
                .position(|row| row.chars().nth(at) == Some('*'));
            char::from_digit(u32::try_from(found.unwrap()).unwrap(), 10).unwrap()
        })
        .collect();
    // 1 and 9 are a tenth from the ends: what lies between belongs to the nearer of them.
    assert_eq!(columns.iter().collect::<String>(), "01111111118888888889");
}

#[test]
fn a_map_marks_what_costs_more_and_what_has_no_price() {
    let chart = HeatMap {
        down: ("speed".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
        across: ("builds".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
        cells: vec![
            vec![Some(usd(100)), None],
            vec![Some(usd(-50)), Some(usd(-100))],
        ],
        differences: true,
        currency: currency(),
    };
    let drawn = heat(&chart, 80, &Ink::of(false));
    assert!(drawn.contains("1 xxxx????\n"), "{drawn}");
    assert!(drawn.contains("2 ----****\n"), "{drawn}");
    assert!(
        drawn.contains("* saves $1.00   x costs more, up to $1.00   ? no price"),
        "{drawn}"
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
