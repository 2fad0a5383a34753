//! Pictures of what is not usual. `PIPEBILL_GALLERY=DIR cargo test gallery` writes them to look at.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::*;
use crate::domain::ids::Currency;

const HOSTILE: &str = "</title><script>alert(1)</script>\0\n\u{202e}=HYPERLINK(\"x\") 🚀 'a' & <b>";

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2))
}

fn months(count: usize) -> Vec<Month> {
    let first: Month = "2025-11".parse().unwrap();
    std::iter::successors(Some(first), |month| Some(month.next()))
        .take(count)
        .collect()
}

fn currency() -> Currency {
    Currency::new("USD")
}

fn fan(past: &[Option<i64>], ahead: &[[i64; 4]], budget: Option<i64>) -> Chart {
    let months = months(past.len() + ahead.len());
    FanChart {
        past: months
            .iter()
            .zip(past)
            .map(|(month, cost)| Past {
                month: *month,
                cost: cost.map(usd),
                partial: false,
            })
            .collect(),
        ahead: months[past.len()..]
            .iter()
            .zip(ahead)
            .map(|(month, [known, p10, p50, p90])| FanMonth {
                month: *month,
                known: usd(*known),
                p10: usd(*p10),
                p50: usd(*p50),
                p90: usd(*p90),
            })
            .collect(),
        budget: budget.map(usd),
        currency: currency(),
    }
    .draw("Fan")
}

fn stacks(totals: &[Option<i64>], series: &[(&str, &[i64])]) -> Chart {
    Stacks {
        columns: months(totals.len())
            .into_iter()
            .zip(totals)
            .enumerate()
            .map(|(at, (month, total))| Column {
                month,
                total: total.map(usd),
                standing: match at % 5 {
                    3 => MonthStatus::Partial,
                    _ if at + 1 == totals.len() => MonthStatus::SoFar,
                    _ => MonthStatus::Whole,
                },
            })
            .collect(),
        series: series
            .iter()
            .map(|(name, values)| Series {
                name: (*name).to_owned(),
                key: "service_1",
                values: values.iter().copied().map(usd).collect(),
                rest: *name == "Other services",
            })
            .collect(),
        currency: currency(),
    }
    .draw("Stacks")
}

fn tornado(rows: &[(&str, i64, i64)]) -> Chart {
    Tornado {
        of: "October 2026".to_owned(),
        baseline: usd(42_886),
        step: "each driver varied by ±20 %".to_owned(),
        rows: rows
            .iter()
            .map(|(name, low, high)| Swing {
                name: (*name).to_owned(),
                range: "1,200 → 1,800 minutes".to_owned(),
                low: usd(*low),
                high: usd(*high),
            })
            .collect(),
        currency: currency(),
    }
    .draw("Tornado")
}

fn waterfall(from: i64, steps: &[(&str, i64)]) -> Chart {
    let to = from + steps.iter().map(|(_, change)| change).sum::<i64>();
    Waterfall {
        from: ("September 2026".to_owned(), usd(from)),
        steps: steps
            .iter()
            .map(|(name, change)| Step {
                name: (*name).to_owned(),
                change: usd(*change),
                is_rest: false,
            })
            .collect(),
        to: ("October 2026".to_owned(), usd(to)),
        currency: currency(),
    }
    .draw("waterfall", "Waterfall")
}

fn calendar(days: &[(&str, i64)], from: &str, to: &str) -> Chart {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let days: BTreeMap<NaiveDate, Decimal> = days
        .iter()
        .map(|(at, value)| (day(at), Decimal::from(*value)))
        .collect();
    Calendar {
        what: "build minutes".to_owned(),
        from: day(from),
        to: day(to),
        days,
    }
    .draw("Calendar")
}

/// What a year of a real organization does not show.
fn gallery() -> Vec<(&'static str, Chart)> {
    let long = "arn:aws:codebuild:eu-central-1:111122223333:project/a-very-long-name-of-a-project-that-goes-on";
    let many: Vec<(String, Vec<i64>)> = (0..7)
        .map(|at| {
            let name = if at == 6 {
                "Other services".to_owned()
            } else {
                format!("Service {at}")
            };
            (name, vec![90 - 10 * at, 2, 90 - 10 * at])
        })
        .collect();
    let many: Vec<(&str, &[i64])> = many
        .iter()
        .map(|(name, values)| (name.as_str(), values.as_slice()))
        .collect();
    let wide = HeatMap {
        across: (
            "developers".to_owned(),
            (1..=8).map(|n| format!("{}", 5 * n)).collect(),
        ),
        down: (
            "pushes a day".to_owned(),
            (1..=4).map(|n| format!("{n}")).collect(),
        ),
        cells: (1..=4)
            .map(|row| {
                (1..=8)
                    .map(|at| (at != 5 || row != 2).then(|| usd(1000 * row * at)))
                    .collect()
            })
            .collect(),
        differences: false,
        currency: currency(),
    };
    let saves = HeatMap {
        cells: (0..4_i64)
            .map(|row| {
                (0..8_i64)
                    .map(|at| Some(usd(1500 * (3 - row) - 900 * at)))
                    .collect()
            })
            .collect(),
        differences: true,
        ..wide.clone()
    };
    let line = SweepLine {
        setting: "developers".to_owned(),
        at: (1..=20).map(|n| Decimal::from(5 * n)).collect(),
        lines: vec![
            (
                "V1 pipelines".to_owned(),
                (1..=20).map(|n| Some(usd(1000 * n))).collect(),
            ),
            (
                "V2 pipelines".to_owned(),
                (1..=20)
                    .map(|n| (n != 7).then(|| usd(400 * n + 300)))
                    .collect(),
            ),
            (
                HOSTILE.to_owned(),
                (1..=20).map(|n| Some(usd(405 * n + 300))).collect(),
            ),
        ],
        currency: currency(),
    };
    vec![
        ("fan-nothing", fan(&[], &[], None)),
        ("fan-zeros", fan(&[Some(0), Some(0)], &[[0, 0, 0, 0]], None)),
        ("fan-one", fan(&[], &[[500, 800, 1000, 1900]], Some(1500))),
        (
            "fan-two",
            fan(
                &[Some(900)],
                &[[500, 800, 1000, 1900], [0, 700, 1000, 2100]],
                Some(1500),
            ),
        ),
        (
            "fan-hole",
            fan(
                &[Some(900), None, Some(1100)],
                &[[0, 1000, 1000, 1000]],
                Some(900_000),
            ),
        ),
        (
            "fan-huge",
            fan(
                &[Some(100), Some(123_456_789_000), Some(100)],
                &[[0, 100, 200, 300]],
                None,
            ),
        ),
        (
            "fan-credit",
            fan(&[Some(-5000), Some(2000)], &[[0, 1000, 1500, 2000]], None),
        ),
        ("stack-nothing", stacks(&[], &[])),
        (
            "stack-one",
            stacks(&[Some(1000)], &[("CodeBuild", &[1000])]),
        ),
        (
            "stack-unknown",
            stacks(
                &[Some(1000), None, Some(700)],
                &[("CodeBuild", &[600, 0, 300]), (HOSTILE, &[400, 0, 400])],
            ),
        ),
        (
            "stack-credit",
            stacks(
                &[Some(700), Some(-300), Some(1000), Some(400)],
                &[
                    ("CodeBuild", &[1000, 200, 700, 300]),
                    ("CodePipeline", &[-300, -500, 300, 100]),
                ],
            ),
        ),
        (
            "stack-many",
            stacks(&[Some(440), Some(16), Some(440)], &many),
        ),
        (
            "stack-huge",
            stacks(
                &[Some(10), Some(98_765_432_100), Some(0)],
                &[("CodeBuild", &[10, 98_765_432_100, 0]), (long, &[0, 0, 0])],
            ),
        ),
        ("tornado-nothing", tornado(&[])),
        (
            "tornado-mixed",
            tornado(&[
                (long, -100, 250),
                (HOSTILE, 10, 20),
                ("Both cheaper", -30, -10),
                ("None", 0, 0),
                ("One-sided", 0, 90),
            ]),
        ),
        ("waterfall-none", waterfall(0, &[])),
        (
            "waterfall-below",
            waterfall(
                1000,
                &[
                    (HOSTILE, -1500),
                    ("Refund of a very long name indeed, over lines", 300),
                    ("More", 1200),
                ],
            ),
        ),
        (
            "waterfall-small",
            waterfall(1_000_000, &[("Builds", 5), ("Users", -3)]),
        ),
        (
            "calendar-one",
            calendar(&[("2026-11-03", 5)], "2026-11-03", "2026-11-03"),
        ),
        (
            "calendar-holes",
            calendar(
                &[
                    ("2026-10-01", 0),
                    ("2026-10-02", 7),
                    ("2026-10-20", 900_000),
                    ("2026-10-21", 30),
                ],
                "2026-09-28",
                "2026-10-30",
            ),
        ),
        (
            "calendar-long",
            calendar(
                &[("2024-01-01", 5), ("2026-10-30", 9)],
                "2024-01-01",
                "2026-10-30",
            ),
        ),
        ("sweep", line.draw("Sweep")),
        ("heat", wide.draw("Heat")),
        ("heat-differences", saves.draw("Heat")),
    ]
}

/// Reads markup as strictly as XML has it: every element closed, every attribute quoted. Returns
/// the elements, each with its attributes.
fn parsed(svg: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let (mut open, mut elements) = (Vec::new(), Vec::new());
    let mut rest = svg;
    while let Some(at) = rest.find('<') {
        let end = at + rest[at..].find('>').expect("a tag ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{svg}");
            continue;
        }
        let alone = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, mut pairs) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = BTreeMap::new();
        while let Some((key, value)) = pairs.split_once("=\"") {
            let (value, after) = value.split_once('"').expect("a value is quoted");
            let twice = attributes.insert(key.trim().to_owned(), value.to_owned());
            assert!(twice.is_none(), "{key} twice in <{tag}>");
            pairs = after;
        }
        assert!(pairs.trim().is_empty(), "<{tag}>");
        elements.push((name.to_owned(), attributes));
        if !alone {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    elements
}

#[test]
fn every_picture_of_the_gallery_is_whole_and_keeps_within_its_frame() {
    for (name, chart) in gallery() {
        if let Ok(folder) = std::env::var("PIPEBILL_GALLERY") {
            std::fs::write(format!("{folder}/{name}.svg"), chart.file()).unwrap();
        }
        let svg = chart.inline();
        for wrong in ["NaN", "inf", "<script", "\0", "\u{202e}", "alert(1)</"] {
            assert!(!svg.contains(wrong), "{name} has {wrong:?}");
        }
        let elements = parsed(svg);
        let frame: Vec<f64> = elements[0].1["viewBox"]
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        for (element, attributes) in &elements {
            for (key, limit) in [
                ("x", frame[2]),
                ("y", frame[3]),
                ("cy", frame[3]),
                ("x2", frame[2]),
            ] {
                if let Some(value) = attributes.get(key) {
                    let value: f64 = value.parse().unwrap();
                    let inside = (-1.0..=limit + 1.0).contains(&value);
                    assert!(inside, "{name}: <{element}> at {key} {value} of {limit}");
                }
            }
            for side in ["width", "height"] {
                let value = attributes
                    .get(side)
                    .and_then(|value| value.parse::<f64>().ok());
                assert!(
                    value.is_none_or(|value| value >= 0.0),
                    "{name}: <{element}> {side}"
                );
            }
        }
        assert_eq!(elements[0].1["role"], "img");
        assert!(
            chart.finding.ends_with('.') && chart.finding.len() > 10,
            "{name}"
        );
        let alone = parsed(&chart.file());
        assert!(alone[0].1.contains_key("xmlns"), "{name}");
    }
}

#[test]
fn the_same_picture_has_the_same_bytes() {
    for ((_, one), (_, other)) in gallery().into_iter().zip(gallery()) {
        assert_eq!(one.file(), other.file());
    }
}

#[test]
fn a_fan_says_where_it_ends_and_when_the_budget_is_passed() {
    let chart = fan(
        &[Some(900)],
        &[[500, 800, 1000, 1900], [0, 700, 1600, 2100]],
        Some(1500),
    );
    assert_eq!(
        chart.finding,
        "Jan 2026 is forecast at $16.00 (80 % range: $7.00 to $21.00). Jan 2026 is the first month \
         forecast above the budget of $15.00."
    );
}

#[test]
fn labels_keep_their_order_and_their_distance() {
    let placed = canvas::apart(&[10.0, 11.0, 12.0, 100.0], 16.0, 0.0, 110.0);
    assert_eq!(placed, [10.0, 26.0, 42.0, 100.0]);
    let low = canvas::apart(&[100.0, 105.0, 109.0], 16.0, 0.0, 110.0);
    assert_eq!(low, [78.0, 94.0, 110.0]);
}

#[test]
fn the_picture_of_a_bar_is_as_high_as_its_amount() {
    // 0 to 10 over the height of the picture: a bar of 5 is half of it, a bar of 10 all.
    let chart = stacks(&[Some(1000), Some(500)], &[("CodeBuild", &[1000, 500])]);
    let elements = parsed(chart.inline());
    let bars: Vec<f64> = elements
        .iter()
        .filter(|(name, attributes)| {
            name == "rect" && attributes.get("class").is_some_and(|class| class == "s1")
        })
        .filter_map(|(_, attributes)| attributes["height"].parse().ok())
        .collect();
    assert!((bars[0] - 2.0 * bars[1]).abs() < 1.0, "{bars:?}");
}
