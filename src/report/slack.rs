//! A digest for Slack: Block Kit, ready for `chat.postMessage` or an incoming webhook. It is written, not
//! sent.

use std::io::Write;

use serde_json::{Value, json};

use super::{
    Cell,
    input::{Options, ReportError, ReportInput, WriteSummary},
    show_money, signed_money,
    text::clean,
    value::pretty,
    words,
};
use crate::domain::{bill::Bill, money::Money};

/// What Slack takes: letters of a header, of a section, of a field.
const HEADER: usize = 150;
const SECTION: usize = 3000;
const FIELD: usize = 2000;

/// Causes and savings that are named.
const CAUSES: usize = 5;
const SAVINGS: usize = 3;

/// Writes the digest.
pub(super) fn write(
    input: &ReportInput<'_>,
    _: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let bill = input.bill();
    sink.write_all(pretty(&digest(input)).as_bytes())?;
    Ok(WriteSummary {
        control_totals: vec![json!({
            "billing_period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "cost": bill.total().to_string(),
        })],
        ..WriteSummary::default()
    })
}

fn digest(input: &ReportInput<'_>) -> Value {
    let bill = input.bill();
    let is_open = bill.month.end() > input.today;
    let so_far = if is_open { " so far" } else { "" };
    let title = format!(
        "AWS code services: {} in {}{so_far}",
        shown(bill),
        bill.month
    );
    let mut blocks = vec![json!({
        "type": "header",
        "text": {"type": "plain_text", "text": cut(&clean(&title), HEADER), "emoji": false},
    })];
    let fields = fields(input);
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    blocks.extend(causes(input).map(|lines| section(&lines)));
    blocks.extend(savings(input).map(|lines| section(&lines)));
    let context = cut(&context(input), FIELD);
    blocks.push(json!({
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": context}],
    }));
    json!({"text": cut(&escaped(&title), HEADER), "blocks": blocks})
}

fn shown(bill: &Bill) -> String {
    let (total, currency) = (bill.total(), bill.currency.clone());
    if bill.is_complete() {
        Cell::Money(total, currency).shown()
    } else {
        Cell::AtLeast(total, currency).shown()
    }
}

/// The month expected and the month before, side by side.
fn fields(input: &ReportInput<'_>) -> Vec<Value> {
    let money = |amount: Money| show_money(amount, input.currency());
    let mut fields = Vec::new();
    let mut field = |label: String, value: String| {
        let text = format!("*{}*\n{}", escaped(&label), escaped(&value));
        fields.push(json!({"type": "mrkdwn", "text": cut(&text, FIELD)}));
    };
    let month = input.bill().month;
    let ahead = input.forecast.map(|forecast| &forecast.result.months);
    let ahead = ahead.and_then(|months| months.iter().find(|ahead| ahead.month == month));
    if let Some(ahead) = ahead.filter(|_| month.end() > input.today) {
        let total = ahead.total;
        field(
            format!("Expected for {month}"),
            format!(
                "{} ({} to {})",
                money(total.p50),
                money(total.p10),
                money(total.p90)
            ),
        );
        if let Some(share) = ahead.over_budget {
            let share = Cell::Percent(share).shown();
            field(
                "Over budget".to_owned(),
                format!("in {share} of simulations"),
            );
        }
    }
    if let Some(change) = input.overview.and_then(|overview| overview.change.as_ref()) {
        field(
            format!("{} against {}", change.to, change.from[0]),
            format!(
                "{} ({}, before {})",
                signed_money(change.why.difference, &change.currency),
                money(change.costs[1]),
                money(change.costs[0])
            ),
        );
    }
    fields
}

fn causes(input: &ReportInput<'_>) -> Option<Vec<String>> {
    let change = input.overview?.change.as_ref()?;
    let (first, rest) = change.why.first(CAUSES);
    if first.is_empty() {
        return None;
    }
    let mut lines = vec![format!(
        "*Why {} differs from {}*",
        change.to, change.from[0]
    )];
    for row in first {
        let amount = signed_money(row.amount, &change.currency);
        let title = words::why::title(row, change, input.catalog);
        let evidence = words::why::in_short(row, change, input.catalog);
        let evidence = if evidence.is_empty() {
            String::new()
        } else {
            format!(" ({})", escaped(&evidence))
        };
        lines.push(format!("• *{amount}* {}{evidence}", escaped(&title)));
    }
    if let Some(rest) = rest {
        let rest = signed_money(rest, &change.currency);
        let others = change.why.causes.len() - first.len();
        lines.push(format!(
            "• *{rest}* {}",
            super::counted(others as u64, "smaller cause")
        ));
    }
    Some(lines)
}

fn savings(input: &ReportInput<'_>) -> Option<Vec<String>> {
    let found = input.savings.filter(|found| !found.findings.is_empty())?;
    let mut lines = vec!["*Would save, a month*".to_owned()];
    for finding in found.findings.iter().take(SAVINGS) {
        let amount = show_money(finding.saving.p50, &found.currency);
        let title = words::optimize::title(&finding.proposed);
        lines.push(format!("• *{amount}* {}", escaped(&title)));
    }
    Some(lines)
}

/// What a reader should know, and where there is more.
fn context(input: &ReportInput<'_>) -> String {
    let bill = input.bill();
    let mut parts = Vec::new();
    if input.sample {
        parts.push("A sample: an invented organization.".to_owned());
    }
    if !bill.is_complete() {
        let missing = super::counted(bill.gaps.len() as u64, "gap");
        parts.push(format!(
            "The total is partial: {missing}, or usage without a price."
        ));
    }
    let command = match input.overview.and_then(|overview| overview.change.as_ref()) {
        Some(change) => format!("pipebill why {}", change.to),
        None => format!("pipebill bill --month {}", bill.month),
    };
    parts.push(format!("More: `{command}`"));
    parts.join(" ")
}

fn section(lines: &[String]) -> Value {
    // Whole lines, so that no markup is cut in two.
    let mut text = String::new();
    for line in lines {
        if text.chars().count() + 1 + line.chars().count() > SECTION {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text += line;
    }
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

/// Names are hostile: nothing in them is a link, a mention, or markup of Slack.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in clean(text).chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            // Markup begins at the edge of a word: an invisible letter takes that edge away.
            '*' | '_' | '~' | '`' => {
                out.push('\u{2060}');
                out.push(letter);
                out.push('\u{2060}');
            }
            letter => out.push(letter),
        }
    }
    out
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}
