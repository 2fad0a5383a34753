//! What changes how a sweep, a break-even and a tornado are to be read.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Note, number};
use crate::{
    domain::{
        ids::Currency,
        scenario::{
            break_even::BreakEven,
            parameter::{Sweep, Tornado, Variation, shown_value},
        },
    },
    report::{Cell, signed_money},
};

/// Decimal places of a break-even value in a sentence; the table has all of them.
const PLACES: u32 = 4;

fn partial() -> Note {
    Note::new(
        "partial",
        "Partial: usage without a known price is excluded. Set it with --price, or use another region's \
         with --price-like.",
    )
}

/// Returns the notes below a sweep.
pub(crate) fn sweep(sweep: &Sweep) -> Vec<Note> {
    let mut notes = Vec::new();
    if sweep.points.iter().any(|point| !point.total.whole.both()) {
        notes.push(partial());
    }
    let mut axes = sweep.axes.iter();
    if sweep.baseline_turns && axes.any(|axis| !axis.parameter.is_of_the_scenario()) {
        notes.push(Note::new(
            "baseline_varies",
            "The baseline varies too: the difference is that of the scenario alone.",
        ));
    }
    notes
}

/// Returns the notes below a break-even.
pub(crate) fn break_even(even: &BreakEven, currency: &Currency) -> Vec<Note> {
    let parameter = even.parameter.name();
    let shown = |value| shown_value(&even.parameter, value);
    let (from, to) = (shown(even.range.0), shown(even.range.1));
    // Rounded towards the side on which it pays.
    let rounded = |value: Decimal, strategy| {
        shown(value.round_dp_with_strategy(PLACES, strategy).normalize())
    };
    let mut notes = vec![match (&even.sign_changes[..], even.pays_at_start()) {
        _ if !even.complete => partial(),
        _ if even.flat => {
            let saves = if even.pays_at_start() {
                "saves money"
            } else {
                "costs more"
            };
            Note::new(
                "no_effect",
                format!("{parameter} has no effect here: the scenario {saves} at any value."),
            )
        }
        ([], true) => Note::new(
            "always_saves",
            format!("Saves money at every {parameter} from {from} to {to}."),
        ),
        ([], false) => Note::new(
            "never_saves",
            format!("Costs more at every {parameter} from {from} to {to}."),
        ),
        ([only], _) if only.pays => Note::new(
            "break_even",
            format!(
                "Break-even: saves money at {parameter} ≥ {}.",
                rounded(only.at, RoundingStrategy::AwayFromZero)
            ),
        )
        .with("at", only.at),
        ([only], _) => Note::new(
            "break_even",
            format!(
                "Break-even: saves money at {parameter} < {}.",
                rounded(only.at, RoundingStrategy::ToZero)
            ),
        )
        .with("at", only.at),
        (several, _) => Note::new(
            "break_even",
            format!(
                "{} break-even points: the scenario saves money in some ranges only.",
                several.len()
            ),
        )
        .with("points", several.len() as u64),
    }];
    notes.push(
        Note::new(
            "end",
            format!(
                "At {parameter} {to} the difference is {}.",
                signed_money(even.ends.1, currency)
            ),
        )
        .with("at", even.range.1)
        .with("difference", Cell::Money(even.ends.1, currency.clone())),
    );
    if !even.all {
        notes.push(Note::new(
            "perhaps_more",
            "There may be more break-even points: costs are close over a range, or alternate too often \
             to check every value.",
        ));
    }
    notes
}

/// Returns the notes below a tornado.
pub(crate) fn tornado(tornado: &Tornado, variation: &Variation) -> Vec<Note> {
    let mut notes = Vec::new();
    if !tornado.complete {
        notes.push(partial());
    }
    notes.push(match variation {
        Variation::Percent(percent) => Note::new(
            "varied",
            format!(
                "Each driver varies alone, {} % down and up.",
                number(*percent)
            ),
        )
        .with("percent", *percent),
        Variation::Own(_) => Note::new(
            "varied",
            "Each driver varies alone, from its own P10 to its own P90 of the past months.",
        ),
    });
    notes
}
