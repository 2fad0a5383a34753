//! Builds as they are and on other machines, for people and files.

use rust_decimal::Decimal;

use super::{
    Answer, Block, Cell, Column, Document, Note, Table, Visibility,
    value::{Amount, Calendar, Known, Measure, Number, Percent, Price, Value, object, row},
    words,
};
use crate::domain::{
    alternatives::{Alternatives, BreakEven, Choice, Fit, OnFamily, Origin, Question},
    catalog::Catalog,
    ids::Currency,
    money::Money,
    scenario::{Change, Target, percent_of},
};

object! {
    /// A month's builds as they are, and on every machine that could run them.
    pub struct CompareAnswer = "pipebill.compare/1" {
        /// The month.
        period: Calendar,
        /// The projects asked about, as asked; null for all.
        projects: Option<String>,
        /// Whether repositories are taken as public; else as private.
        public: bool,
        /// Plans of vendors, as `--set` reads them; none means no included minutes.
        plans: Vec<String>,
        /// What every amount is in.
        currency: String,
        /// Whether everything has a price.
        complete: bool,
        /// Builds known one by one.
        builds: u64,
        /// Minutes billed.
        minutes: Number,
        /// How many of them are known as a total only, and not rounded up build by build.
        minutes_as_total: Number,
        /// What the builds cost as they are.
        cost: Amount,
        /// The same for a minute, to five decimal places; null without a price of all of it.
        per_minute: Option<Price>,
        /// All builds, each on the smallest machine of a family that is no smaller than its own.
        families: Vec<FamilyRow>,
        /// The builds of each compute type.
        computes: Vec<ComputeItem>,
        /// What CodePipeline costs around the builds, which is in no other figure: it falls away only if
        /// the jobs are started elsewhere. Null where a bill does not tell.
        pipelines: Option<Amount>,
        /// What reserved fleets cost, which are not compared.
        reserved: Amount,
        /// What could break.
        risks: Vec<Note>,
        /// What the figures assume.
        assumptions: Vec<Note>,
        /// What else a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// All builds on the machines of one family.
    pub struct FamilyRow {
        /// What the family is called.
        family: String = shown("All builds on", 0),
        /// Whose machines; null for AWS.
        vendor: Option<String> = file,
        /// From which compute type to which machine; the others stay as they are.
        moves: Vec<Move>,
        /// How many of the minutes move, in percent.
        moved_percent: Percent = shown("Moves", 2),
        /// What all builds cost then.
        cost: Known<Amount> = shown("Cost", 0),
        /// What that adds.
        difference: Known<Amount> = shown("Difference", 3),
        /// The same in percent.
        percent: Option<Percent> = shown("Change", 0),
        /// The least speed at which it costs no more; null if any will do or none does.
        min_speed: Option<Number> = file,
        /// `from`, `always`, `never` or `unknown`: how `min_speed` is meant.
        pays: &'static str = file,
        /// The same for people.
        #[serde(skip)]
        break_even: Cell = people("Break-even", 0),
        /// What keeps builds from running there, as far as is known.
        obstacles: Vec<Note>,
        /// The same in a few words.
        #[serde(skip)]
        needs: String = shown("Needs", 1),
        /// The changes, as `pipebill whatif --set` takes them.
        changes: Vec<String>,
        /// The same as text.
        #[serde(skip)]
        changes_text: String = file,
        /// What the amounts are in.
        #[serde(skip)]
        currency: String = file,
    }
}

object! {
    /// One compute type and its machine in a family.
    pub struct Move {
        /// The compute type.
        from: String,
        /// The machine.
        to: String,
    }
}

object! {
    /// The builds of one compute type.
    pub struct ComputeItem {
        /// The compute type.
        compute: String,
        /// Its memory, processors and system.
        size: String,
        /// Builds known one by one.
        builds: u64,
        /// How much is billed.
        quantity: Measure,
        /// The unit of it.
        unit: &'static str,
        /// How much of it is known as a total only.
        quantity_as_total: Number,
        /// What it costs; null without a price of all of it.
        cost: Known<Amount>,
        /// Other machines, those that fit and cost least first.
        machines: Vec<MachineRow>,
    }
}

row! {
    /// The builds of one compute type on another machine.
    pub struct MachineRow {
        /// The compute type that they have.
        #[serde(skip)]
        compute: String = file,
        /// The machine.
        machine: String = shown("On", 0),
        /// Whose; null for AWS.
        vendor: Option<String> = file,
        /// Its memory in gigabytes.
        memory_gb: Option<Number> = file,
        /// Its processors.
        processors: Option<Number> = file,
        /// `yes`, `no`, or `unknown` where it depends on what is not recorded.
        fits: &'static str = file,
        /// Whether it is near in size to the one that the builds have.
        near: bool = file,
        /// How much is billed there.
        quantity: Measure = shown("Billed", 4),
        /// The unit of it.
        unit: &'static str = file,
        /// What the builds cost then; null without a price.
        cost: Known<Amount> = shown("Cost", 0),
        /// What that adds.
        difference: Known<Amount> = shown("Difference", 3),
        /// The same in percent.
        percent: Option<Percent> = shown("Change", 0),
        /// The speed that is assumed.
        speed: Number = file,
        /// The least speed at which it costs no more; null if any will do or none does.
        min_speed: Option<Number> = file,
        /// `from`, `always`, `never` or `unknown`: how `min_speed` is meant.
        pays: &'static str = file,
        /// The same for people.
        #[serde(skip)]
        break_even: Cell = people("Break-even", 0),
        /// What keeps the builds from running there, as far as is known.
        obstacles: Vec<Note>,
        /// The same in a few words.
        #[serde(skip)]
        needs: String = shown("Needs", 1),
        /// What has no price or is not known.
        unknown: Vec<Note>,
        /// The change, as `pipebill whatif --set` takes it.
        changes: Vec<String>,
        /// The same as text.
        #[serde(skip)]
        changes_text: String = file,
        /// What the amounts are in.
        #[serde(skip)]
        currency: String = file,
    }
}

/// Lays alternatives out; `all` shows every machine.
pub fn answer(
    found: &Alternatives,
    question: &Question,
    mut carried: Vec<Note>,
    catalog: &Catalog,
    all: bool,
) -> Answer<'static> {
    let currency = &found.currency;
    let families: Vec<FamilyRow> = found
        .families
        .iter()
        .map(|on| family_row(on, found, catalog))
        .collect();
    let computes: Vec<ComputeItem> = found
        .origins
        .iter()
        .map(|origin| compute_item(origin, catalog, currency))
        .collect();
    let mut table = keyed(Table::of(&families));
    table.rows.insert(0, as_they_are(found, &table));
    let mut blocks = vec![Block::Table(table)];
    for (origin, item) in found.origins.iter().zip(&computes) {
        let shown = |row: &&MachineRow| all || (row.near && row.fits != Fit::No.name());
        let rows: Vec<MachineRow> = item.machines.iter().filter(shown).cloned().collect();
        blocks.push(Block::Heading(words::compare::origin(origin, currency)));
        blocks.push(Block::Table(for_people(Table::of(&rows))));
        if let Some(line) = words::compare::not_shown(origin).filter(|_| !all) {
            blocks.push(Block::Lines(vec![line]));
        }
    }
    let machines = computes.iter().flat_map(|item| item.machines.clone());
    let machines: Vec<MachineRow> = machines.collect();
    let mut table = keyed(Table::of(&machines)).for_files();
    table.name = "machines";
    blocks.push(Block::Table(table));
    let risks: Vec<Note> = found
        .warnings
        .iter()
        .map(words::scenario::warning)
        .collect();
    let assumed = found.assumptions.iter().map(words::scenario::assumption);
    let assumptions: Vec<Note> = assumed.collect();
    let mut notes = words::compare::notes(found, currency);
    notes.append(&mut carried);
    let mut said = notes.clone();
    // The tables say which machines need what, and that speeds are assumed.
    let is_of_terms =
        |note: &&Note| matches!(note.code, "no_plan" | "repository" | "included_minutes");
    said.splice(1..1, assumptions.iter().filter(is_of_terms).cloned());
    blocks.push(Block::Notes(said));
    let rate = found.cost.amount().checked_div(found.minutes);
    let value = CompareAnswer {
        period: Calendar(found.month),
        projects: question.projects.as_ref().map(|pattern| pattern.0.clone()),
        public: question.public,
        plans: texts(&question.plans),
        currency: currency.to_string(),
        complete: found.complete,
        builds: found.builds,
        minutes: Number(found.minutes),
        minutes_as_total: Number(found.rest),
        cost: Amount::of(found.cost, currency, found.complete),
        per_minute: rate
            .filter(|_| found.complete)
            .map(|rate| Price(rate.round_dp(5).normalize())),
        families,
        computes,
        pipelines: found
            .pipelines
            .as_ref()
            .map(|of| Amount::of(of.cost, currency, of.complete)),
        reserved: Amount::new(found.reserved, currency),
        risks,
        assumptions,
        notes,
    };
    let of = question.projects.as_ref();
    let of = of.map_or_else(String::new, |projects| format!(", {}", projects.0));
    let title = format!("Builds of {}{of}, here and elsewhere", found.month);
    Answer::new(Document { title, blocks }, value)
}

fn texts(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

/// Gives text columns the keys of the lists they stand for.
fn keyed(mut table: Table) -> Table {
    for column in &mut table.columns {
        if column.key == "changes_text" {
            column.key = "changes".into();
        }
    }
    table
}

/// Leaves a table to people: files have all machines in one.
fn for_people(mut table: Table) -> Table {
    for column in &mut table.columns {
        if column.visibility == Visibility::Everywhere {
            *column = Column::shown(column.heading.clone(), column.drop);
        }
    }
    let shown = |at: &usize| table.columns[*at].visibility == Visibility::Shown;
    let kept: Vec<usize> = (0..table.columns.len()).filter(shown).collect();
    let pick = |row: &Vec<Cell>| kept.iter().map(|at| row[*at].clone()).collect();
    Table {
        rows: table.rows.iter().map(pick).collect(),
        columns: kept.iter().map(|at| table.columns[*at].clone()).collect(),
        ..table
    }
}

fn as_they_are(found: &Alternatives, table: &Table) -> Vec<Cell> {
    let cell = |column: &Column| match &*column.key {
        "family" => Cell::text(words::compare::AS_THEY_ARE),
        "cost" => Amount::of(found.cost, &found.currency, found.complete).cell(),
        "currency" => Cell::text(found.currency.to_string()),
        _ => Cell::Empty,
    };
    table.columns.iter().map(cell).collect()
}

fn known(amount: Money, currency: &Currency, is_known: bool) -> Known<Amount> {
    Known::or(is_known.then(|| Amount::new(amount, currency)), "unknown")
}

fn min_speed(at: BreakEven) -> (Option<Number>, &'static str) {
    match at {
        BreakEven::From(speed) => (Some(Number(speed)), "from"),
        BreakEven::Always => (None, "always"),
        BreakEven::Never => (None, "never"),
        BreakEven::Unknown => (None, "unknown"),
    }
}

fn family_row(on: &OnFamily, found: &Alternatives, catalog: &Catalog) -> FamilyRow {
    let currency = &found.currency;
    let (speed, pays) = min_speed(on.break_even);
    let vendor = on.family.vendor.as_ref();
    FamilyRow {
        family: words::compare::family(&on.family, catalog),
        vendor: vendor.map(|vendor| catalog.service_name(vendor).to_owned()),
        moves: on
            .moves
            .iter()
            .map(|(from, to)| Move {
                from: from.clone(),
                to: to.clone(),
            })
            .collect(),
        moved_percent: Percent(on.moved_percent.round_dp(1)),
        cost: known(on.cost, currency, on.complete),
        difference: known(on.difference, currency, on.complete),
        percent: percent(on.difference, found.cost, on.complete),
        min_speed: speed,
        pays,
        break_even: words::compare::break_even(on.break_even),
        obstacles: on.obstacles.iter().map(words::compare::obstacle).collect(),
        needs: words::compare::needs_of_all(&on.obstacles),
        changes_text: texts(&on.changes).join(" "),
        changes: texts(&on.changes),
        currency: currency.to_string(),
    }
}

fn percent(difference: Money, of: Money, is_known: bool) -> Option<Percent> {
    percent_of(difference, of).filter(|_| is_known).map(Percent)
}

fn compute_item(origin: &Origin, catalog: &Catalog, currency: &Currency) -> ComputeItem {
    ComputeItem {
        compute: origin.compute.name.clone(),
        size: origin.compute.size.clone(),
        builds: origin.builds,
        quantity: Measure(origin.quantity),
        unit: origin.quantity.unit.name(),
        quantity_as_total: Number(origin.rest),
        cost: known(origin.cost, currency, origin.complete),
        machines: origin
            .choices
            .iter()
            .map(|choice| machine_row(origin, choice, catalog, currency))
            .collect(),
    }
}

fn machine_row(
    origin: &Origin,
    choice: &Choice,
    catalog: &Catalog,
    currency: &Currency,
) -> MachineRow {
    let (speed, pays) = min_speed(choice.break_even);
    let vendor = match &choice.machine.target {
        Target::Elsewhere(runner) => Some(catalog.service_name(runner.vendor()).to_owned()),
        _ => None,
    };
    let size = |value: Option<Decimal>| value.map(Number);
    MachineRow {
        compute: origin.compute.name.clone(),
        machine: choice.machine.compute().name.clone(),
        vendor,
        memory_gb: size(choice.machine.memory()),
        processors: size(choice.machine.processors()),
        fits: choice.fit().name(),
        near: choice.is_near,
        quantity: Measure(choice.quantity),
        unit: choice.quantity.unit.name(),
        cost: known(choice.cost, currency, choice.complete),
        difference: known(choice.difference, currency, choice.complete),
        percent: percent(choice.difference, origin.cost, choice.complete),
        speed: Number(choice.speed),
        min_speed: speed,
        pays,
        break_even: words::compare::break_even(choice.break_even),
        obstacles: choice
            .obstacles
            .iter()
            .map(words::compare::obstacle)
            .collect(),
        needs: words::compare::needs(&choice.obstacles),
        unknown: choice
            .unknown
            .iter()
            .map(words::scenario::unknown)
            .collect(),
        changes_text: texts(&choice.changes).join(" "),
        changes: texts(&choice.changes),
        currency: currency.to_string(),
    }
}
