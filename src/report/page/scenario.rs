//! What could be different: savings, and a scenario beside a month.

use super::{
    Code, Grid, Section,
    pictures::{month_name, nothing_over},
    plain_text,
    sections::around,
};
use crate::{
    domain::{
        ids::Currency,
        optimize::{Finding, Optimization},
        percentiles::Percentiles,
        scenario::percent_of,
        scenario_summary::ScenarioSummary,
    },
    report::{
        Cell, Column, Table, chart::Drawing, discounts, input::ReportInput, optimize,
        scenario_file, show_money, show_percent, signed_money, words,
    },
};

/// The findings with a row of their own.
const ROWS: usize = 5;

fn range(spread: &Percentiles, currency: &Currency) -> String {
    format!(
        "{} to {}",
        show_money(spread.p10, currency),
        show_money(spread.p90, currency)
    )
}

/// The best findings that go together, or the reason why there are none.
pub(super) fn savings(input: &ReportInput<'_>) -> Result<Section, String> {
    let found = input.savings.ok_or_else(|| nothing_over(input))?;
    let currency = &found.currency;
    let together: Vec<usize> = match &found.best_combination {
        Some(together) => together.findings.clone(),
        None => (0..found.findings.len()).take(1).collect(),
    };
    let Some(saving) = found
        .best_combination
        .as_ref()
        .map(|together| together.saving)
        .or_else(|| Some(found.findings.first()?.saving))
    else {
        return Err("no change would have saved 1.00 a month".to_owned());
    };
    let last = found
        .months
        .last()
        .copied()
        .map(month_name)
        .unwrap_or_default();
    let mut lead = match together.len() {
        1 => "One change would have saved".to_owned(),
        count => format!("{count} compatible changes would have saved"),
    };
    lead += &format!(" {} a month", show_money(saving.p50, currency));
    if let Some(percent) = percent_of(saving.p50, found.cost) {
        lead += &format!(", {} % of {last}", show_percent(percent));
    }
    lead += ".";
    let mut table = Table::new(vec![
        Column::new("Change", "title", 0),
        Column::new("Saves a month", "saving_p50", 0),
        Column::new("P10 to P90", "range", 0),
        Column::new("Rests on", "evidence", 0),
    ]);
    let shown = || together.iter().take(ROWS).map(|at| &found.findings[*at]);
    for finding in shown() {
        table.rows.push(vec![
            Cell::text(words::optimize::title(&finding.proposed)),
            Cell::Money(finding.saving.p50, currency.clone()),
            if found.months.len() > 1 {
                Cell::text(range(&finding.saving, currency))
            } else {
                Cell::Empty
            },
            Cell::text(rests_on(finding, currency)),
        ]);
    }
    let caption = "Changes that would have saved money".to_owned();
    let files = shown().map(|finding| {
        let scenario = optimize::scenario(found, finding);
        scenario_file::write(&scenario, &optimize::comments(found, finding))
    });
    Ok(Section {
        id: "savings",
        title: "Savings".to_owned(),
        lead: plain_text(&lead),
        picture: None,
        table: Some(Grid::of(&table, caption)),
        folded: false,
        code: Some(Code::of(
            "Show each as a scenario",
            &files.collect::<Vec<_>>().join("\n"),
        )),
        notes: notes(found, &together)
            .iter()
            .map(|note| plain_text(note))
            .collect(),
    })
}

/// What a finding is taken from, and what must hold for it.
fn rests_on(finding: &Finding, currency: &Currency) -> String {
    let mut sentences: Vec<String> = Vec::new();
    let evidence = finding.evidence.first();
    sentences.extend(evidence.map(|it| words::optimize::evidence(it, currency).text));
    let assumed = finding.assumptions.first();
    sentences
        .extend(assumed.map(|it| format!("Assumes: {}", words::optimize::assumption(it).text)));
    let risk = finding.risks.first();
    sentences.extend(risk.map(|it| format!("Risk: {}", words::optimize::risk(it).text)));
    sentences.join(" ")
}

fn notes(found: &Optimization, together: &[usize]) -> Vec<String> {
    let mut notes = Vec::new();
    let months = found.months.len();
    notes.push(match (found.builds, months) {
        (0, _) => {
            format!("Rated on the totals of {months} months: individual builds are not known.")
        }
        (builds, 1) => format!(
            "Rated on {} of one month; one month gives no range.",
            crate::report::counted(builds, "build")
        ),
        (builds, _) => format!(
            "Rated on {} in the last of {months} months; P10 to P90 are over these months.",
            crate::report::counted(builds, "build")
        ),
    });
    let more = together.len().saturating_sub(ROWS);
    let left = found.findings.len().saturating_sub(together.len());
    if more + left > 0 {
        let mut words = Vec::new();
        if more > 0 {
            words.push(format!("{more} smaller compatible changes"));
        }
        if left > 0 {
            words.push(format!("{left} others that overlap"));
        }
        notes.push(format!(
            "`pipebill optimize` also has {}.",
            words.join(" and ")
        ));
    }
    if !found.complete {
        notes.push("Partial: some usage in these months has no known price.".to_owned());
    }
    match &found.not_compared[..] {
        [] => {}
        [only] => notes.push(words::optimize::not_compared(only, &found.currency).text),
        several => notes.push(format!(
            "{} changes could not be compared, most for lack of a price. `pipebill optimize --explain` \
             lists them.",
            several.len()
        )),
    }
    notes
}

/// A scenario beside the last month that is over.
pub(super) fn scenario(drawing: &Drawing, input: &ReportInput<'_>) -> Section {
    let mut section = around("scenario", drawing, input);
    let Some(prospect) = input.scenario else {
        return section;
    };
    section.lead = plain_text(&lead(prospect));
    // A stated scenario says so among its notes.
    let storage = if prospect.found && prospect.scenario.is_of_storage() {
        ", and with the logs and artifacts in storage"
    } else {
        ""
    };
    let mut notes = vec![format!(
        "Both sides are re-rated, without credits, refunds and taxes{storage}."
    )];
    if prospect.waterfall.steps.len() > 1 && !prospect.waterfall.order_free {
        notes.push(
            "Each step is the effect after the steps before it, so steps depend on the order."
                .to_owned(),
        );
    }
    if prospect.found {
        notes.push(
            "These are the best savings that can be combined. To show your own scenario: `pipebill report \
             --scenario FILE` or `--set CHANGE`."
                .to_owned(),
        );
    }
    let remarks =
        words::scenario::remarks(&prospect.unknown, &prospect.warnings, &prospect.assumptions);
    let carried = discounts::of_comparison(&prospect.discounts, input.catalog);
    notes.extend(remarks.into_iter().chain(carried).map(|note| note.text));
    section.notes = notes.iter().map(|note| plain_text(note)).collect();
    let text = scenario_file::write(&prospect.scenario, &[]);
    section.code = Some(Code::of(
        "Show the scenario, for pipebill whatif FILE",
        &text,
    ));
    section
}

fn lead(prospect: &ScenarioSummary) -> String {
    let currency = &prospect.currency;
    let show = |amount| show_money(amount, currency);
    let total = prospect.total;
    let month = month_name(prospect.month);
    let mut lead = if total.whole.both() {
        let mut text = format!(
            "{month} would have cost {} instead of {} for usage",
            show(total.scenario),
            show(total.baseline)
        );
        if let Some(percent) = total.percent() {
            let percent = show_percent(percent);
            let difference = signed_money(total.difference, currency);
            text += &format!(": {difference}, {percent} %");
        }
        text + "."
    } else {
        format!(
            "Partial: the priced usage of {month} would have cost {} instead of {} for usage.",
            show(total.scenario),
            show(total.baseline)
        )
    };
    if !prospect.stored.is_zero() {
        lead += &format!(
            " Both include {} for logs and artifacts in storage, which AWS bills as CloudWatch and S3 \
             and the bill in this report leaves out.",
            show(prospect.stored)
        );
    }
    if let Some((spread, months)) = &prospect.range {
        lead += &format!(
            " The difference over {months} months, P10 to P90: {} to {}.",
            signed_money(spread.p10, currency),
            signed_money(spread.p90, currency)
        );
    }
    if let Some(note) = prospect.scenario.note.as_ref().filter(|_| !prospect.found) {
        lead += &format!(" {note}");
    }
    lead
}
