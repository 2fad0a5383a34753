//! Why a month costs more than another, for people and files.

use super::{
    Answer, Block, Cell, Column, Document, Note, Table,
    chart::{Drawing, Step, Subject, Waterfall},
    show_money, signed_money,
    value::{Amount, Calendar, Day, Measure, Number, Price, object, row},
    words,
};
use crate::domain::{
    catalog::Catalog,
    ids::Currency,
    metering::events::StartedBy,
    money::Money,
    why::{CauseOf, Evidence, MonthChange, Spike},
};

/// The causes that people see, those that are explained, and those with a step of their own in a picture.
const SHOWN: usize = 12;
const EXPLAINED: usize = 3;
const STEPS: usize = 6;

object! {
    /// Why a month costs more than another: causes that add up to the difference.
    pub struct WhyAnswer = "pipebill.why/1" {
        /// The month it is compared with; the latest of them where it is a mean.
        from: Calendar,
        /// The months of the mean; empty where it is one month.
        mean_of: Vec<Calendar>,
        /// The month.
        to: Calendar,
        /// What every amount is in.
        currency: String,
        /// What causes are told apart by; null for projects, pipelines and accounts.
        by: Option<String>,
        /// What the first cost.
        cost_before: Amount,
        /// What the month cost.
        cost: Amount,
        /// How much more that is. The causes add up to it.
        difference: Amount,
        /// Whether both months are whole and everything has a price.
        complete: bool,
        /// The causes, the largest first.
        causes: Vec<CauseItem>,
        /// Days outside the range that the days before them give; null where too few days are known.
        spikes: Option<Vec<SpikeItem>>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One cause.
    pub struct CauseItem {
        /// Its place in the list.
        number: u64 = shown("#", 0),
        /// Why.
        cause: &'static str = file,
        /// The same in words.
        text: String = file,
        /// What it is about, in words.
        subject: String = file,
        /// Both in words.
        #[serde(skip)]
        title: String = people("Cause", 0),
        /// The part of the dimension asked for; null without one, and for what belongs to no part.
        part: Option<String> = file,
        /// The project, pipeline or repository.
        project: Option<String> = file,
        /// The account.
        account: Option<String> = file,
        /// The service.
        service: Option<String> = file,
        /// How much more it makes the month cost.
        amount: Amount = file,
        /// The same with its sign.
        #[serde(skip)]
        change: SignedMoney = people("Change", 0),
        /// What it rests on, in a few words.
        summary: String = shown("Evidence", 1),
        /// What it rests on.
        evidence: CauseEvidence,
        /// What else is known of it, in words.
        details: Vec<Note>,
        /// The command that looks closer.
        look: String = file,
    }
}

/// A change with its sign, for people.
#[derive(Clone, Debug)]
pub struct SignedMoney(Money, Currency);

impl super::value::Value for SignedMoney {
    fn cell(&self) -> Cell {
        Cell::Unknown(signed_money(self.0, &self.1))
    }
}

object! {
    /// What a cause rests on; null where it is not known or says nothing of it.
    pub struct CauseEvidence {
        /// The unit of the quantities.
        unit: Option<String>,
        /// What was billed before.
        quantity_before: Option<Measure>,
        /// What was billed.
        quantity: Option<Measure>,
        /// Builds or actions before.
        count_before: Option<u64>,
        /// Builds or actions.
        count: Option<u64>,
        /// Builds that failed before.
        failed_before: Option<u64>,
        /// Builds that failed.
        failed: Option<u64>,
        /// How long each took before, in seconds.
        mean_seconds_before: Option<Number>,
        /// How long each took, in seconds.
        mean_seconds: Option<Number>,
        /// The price of a unit before.
        price_before: Option<Price>,
        /// The price of a unit.
        price: Option<Price>,
        /// Builds or actions on each size.
        sizes: Vec<SizeCount>,
        /// How they were started.
        started_by: Vec<StartedCount>,
        /// The first of the days on which most of it fell; null where it is spread over the month.
        first_day: Option<Day>,
        /// The last of these days.
        last_day: Option<Day>,
        /// So many projects, pipelines or accounts stand behind it.
        subjects: u64,
    }
}

object! {
    /// How many ran on a size.
    pub struct SizeCount {
        /// As bills call it.
        usage_type: String,
        /// Before.
        before: u64,
        /// In the month.
        after: u64,
    }
}

object! {
    /// How many were started in a way.
    pub struct StartedCount {
        /// `pipeline`, `webhook`, `rule` or `caller`.
        by: &'static str,
        /// Before.
        before: u64,
        /// In the month.
        after: u64,
    }
}

object! {
    /// A day outside the range that the days before it give.
    pub struct SpikeItem {
        /// The day.
        day: Day,
        /// What its builds, actions and updates cost at list prices.
        cost: Amount,
        /// The least that was to be expected.
        low: Amount,
        /// The most that was to be expected.
        high: Amount,
        /// The projects that lay furthest from what their weekday has.
        projects: Vec<SpikeProject>,
    }
}

object! {
    /// A project on such a day.
    pub struct SpikeProject {
        /// Which.
        project: String,
        /// How much more it cost than its weekday has on average over eight weeks.
        more: Amount,
    }
}

/// Lays out why a month costs more: a row for each cause, then what the largest rest on, then the days that
/// stand out.
pub fn answer(change: &MonthChange, catalog: &Catalog) -> Answer<'static> {
    let causes: Vec<CauseItem> = (1..)
        .zip(&change.why.causes)
        .map(|(number, row)| item(number, row, change, catalog))
        .collect();
    let mut table = Table::of(&causes);
    table.most = Some(SHOWN);
    if causes.len() > SHOWN {
        table.totals = vec![rest(&table, change)];
    }
    let mut blocks = vec![Block::Table(table)];
    for (number, row) in (1..).zip(&change.why.causes).take(EXPLAINED) {
        let title = format!(
            "{number}. {} {}",
            words::why::title(row, change, catalog),
            signed_money(row.amount, &change.currency)
        );
        blocks.push(Block::Heading(title));
        blocks.push(Block::Lines(lines(row, change, catalog)));
    }
    if let Some(spikes) = change.spikes.as_ref().filter(|spikes| !spikes.is_empty()) {
        blocks.push(Block::Heading("Days that stand out".to_owned()));
        blocks.push(Block::Table(spike_table(spikes, &change.currency)));
    }
    let names = [from_name(change), change.to.to_string()];
    blocks.push(Block::Picture(waterfall(change, catalog, names)));
    let notes = words::why::notes(change, catalog);
    blocks.push(Block::Notes(notes.clone()));
    let money = |amount| Amount::of(amount, &change.currency, change.complete);
    let value = WhyAnswer {
        from: Calendar(*change.from.last().unwrap_or(&change.to)),
        mean_of: match &change.from[..] {
            [_] => Vec::new(),
            all => all.iter().copied().map(Calendar).collect(),
        },
        to: Calendar(change.to),
        currency: change.currency.to_string(),
        by: change.by.key(),
        cost_before: money(change.costs[0]),
        cost: money(change.costs[1]),
        difference: money(change.why.difference),
        complete: change.complete,
        causes,
        spikes: change.spikes.as_ref().map(|spikes| {
            let spikes = spikes.iter();
            spikes
                .map(|spike| spike_item(spike, &change.currency))
                .collect()
        }),
        notes,
    };
    let title = words::why::headline(change);
    Answer::new(Document { title, blocks }, value)
}

/// Draws the way from one month to the other, cause by cause.
pub(super) fn waterfall(change: &MonthChange, catalog: &Catalog, names: [String; 2]) -> Drawing {
    let [before, after] = names;
    let title = format!("What changed from {before} to {after}");
    let (first, rest) = change.why.first(STEPS);
    let step = |row: &CauseOf| Step {
        name: words::why::title(row, change, catalog),
        change: row.amount,
        is_rest: false,
    };
    let mut steps: Vec<Step> = first.iter().map(step).collect();
    steps.extend(rest.map(|change| Step {
        name: "All other".to_owned(),
        change,
        is_rest: true,
    }));
    Drawing {
        title,
        subject: Subject::Waterfall(Waterfall {
            from: (before, change.costs[0]),
            steps,
            to: (after, change.costs[1]),
            currency: change.currency.clone(),
        }),
    }
}

/// Names what the month is compared with.
fn from_name(change: &MonthChange) -> String {
    match &change.from[..] {
        [one] => one.to_string(),
        all => format!("mean of {} months", all.len()),
    }
}

/// What stands below that picture: what its steps rest on.
pub(super) fn below_the_picture(change: &MonthChange, catalog: &Catalog) -> Vec<String> {
    let (named, _) = change.why.first(STEPS);
    let mut notes: Vec<String> = named
        .iter()
        .map(|row| (row, words::why::in_short(row, change, catalog)))
        .filter(|(_, evidence)| !evidence.is_empty())
        .map(|(row, evidence)| {
            let title = words::why::title(row, change, catalog);
            format!("{title}: {evidence}.")
        })
        .collect();
    notes.push(words::why::sum(change));
    notes
}

/// What the causes below the shown ones come to.
fn rest(table: &Table, change: &MonthChange) -> Vec<Cell> {
    let others = change.why.causes.len() - SHOWN;
    let (_, rest) = change.why.first(SHOWN);
    let mut row = vec![Cell::Empty; table.columns.len()];
    for (cell, column) in row.iter_mut().zip(&table.columns) {
        *cell = match (&*column.heading, rest) {
            ("Cause", _) => Cell::text(format!("{others} smaller causes")),
            ("Change", Some(rest)) => Cell::Unknown(signed_money(rest, &change.currency)),
            _ => continue,
        };
    }
    row
}

fn item(number: u64, row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> CauseItem {
    let about = &row.about;
    let text = |of: &dyn ToString| of.to_string();
    CauseItem {
        number,
        cause: row.cause.name(),
        text: words::why::cause(row),
        subject: words::why::subject(row, change, catalog),
        title: words::why::title(row, change, catalog),
        part: about.part.clone(),
        project: about.project.as_ref().map(|name| text(name)),
        account: about.account.as_ref().map(|account| text(account)),
        service: about.service.as_ref().map(|service| text(service)),
        amount: Amount::of(row.amount, &change.currency, true),
        change: SignedMoney(row.amount, change.currency.clone()),
        summary: words::why::in_short(row, change, catalog),
        evidence: evidence(&row.evidence),
        details: words::why::evidence(row, change, catalog),
        look: words::why::look(row, change, catalog),
    }
}

fn evidence(of: &Evidence) -> CauseEvidence {
    let means = of.mean_seconds();
    let quantity = of.quantity;
    CauseEvidence {
        unit: quantity.map(|[_, now]| now.unit.name().to_owned()),
        quantity_before: quantity.map(|[before, _]| Measure(before)),
        quantity: quantity.map(|[_, now]| Measure(now)),
        count_before: of.count.map(|[before, _]| before),
        count: of.count.map(|[_, now]| now),
        failed_before: of.failed.map(|[before, _]| before),
        failed: of.failed.map(|[_, now]| now),
        mean_seconds_before: means.map(|[before, _]| Number(before)),
        mean_seconds: means.map(|[_, now]| Number(now)),
        price_before: of.price.map(|[before, _]| Price(before)),
        price: of.price.map(|[_, now]| Price(now)),
        sizes: of
            .sizes
            .iter()
            .map(|(meter, [before, after])| SizeCount {
                usage_type: meter.usage_type.to_string(),
                before: *before,
                after: *after,
            })
            .collect(),
        started_by: of
            .started_by
            .iter()
            .map(|(way, [before, after]): (&StartedBy, _)| StartedCount {
                by: way.name(),
                before: *before,
                after: *after,
            })
            .collect(),
        first_day: of.days.map(|(first, _)| Day(first)),
        last_day: of.days.map(|(_, last)| Day(last)),
        subjects: of.subjects,
    }
}

fn lines(row: &CauseOf, change: &MonthChange, catalog: &Catalog) -> Vec<String> {
    let notes = words::why::evidence(row, change, catalog);
    let mut lines: Vec<String> = notes
        .iter()
        .map(|note| format!("  evidence  {}", note.text))
        .collect();
    lines.push(format!(
        "  look      {}",
        words::why::look(row, change, catalog)
    ));
    lines
}

fn spike_item(spike: &Spike, currency: &Currency) -> SpikeItem {
    let money = |amount| Amount::new(amount, currency);
    SpikeItem {
        day: Day(spike.of.day),
        cost: money(spike.of.cost),
        low: money(spike.of.range[0]),
        high: money(spike.of.range[1]),
        projects: spike
            .projects
            .iter()
            .map(|(project, more)| SpikeProject {
                project: project.clone(),
                more: money(*more),
            })
            .collect(),
    }
}

fn spike_table(spikes: &[Spike], currency: &Currency) -> Table {
    let mut table = Table::new(vec![
        Column::new("Day", "day", 0),
        Column::new("Cost", "cost", 0),
        Column::shown("Expected", 0),
        Column::in_files("low"),
        Column::in_files("high"),
        Column::new("Furthest from their usual", "projects", 1),
    ])
    .detail("spikes");
    for spike in spikes {
        let [low, high] = spike.of.range;
        let expected = [low, high].map(|amount| show_money(amount, currency));
        table.rows.push(vec![
            Cell::Day(spike.of.day),
            Cell::Money(spike.of.cost, currency.clone()),
            Cell::text(expected.join(" to ")),
            Cell::Money(low, currency.clone()),
            Cell::Money(high, currency.clone()),
            Cell::text(words::why::spike(spike, currency)),
        ]);
    }
    table
}
