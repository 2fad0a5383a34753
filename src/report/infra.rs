//! What infrastructure code costs, for people and files.

use std::collections::BTreeMap;

use super::{
    Answer, Block, Cell, Document, Note, Table,
    value::{Amount, Calendar, Known, Measure, object, row},
    words,
};
use crate::{
    app::{InfraCosts, PricedResource},
    domain::{
        infra::{
            self, Attribute, Kind,
            needs::{Status, UsageFrom, Used},
        },
        money::Money,
    },
};

object! {
    /// What infrastructure code costs, before a change and after it.
    pub struct InfraAnswer = "pipebill.infra/1" {
        /// What the file is: `terraform-plan`, `terraform-state`, `pulumi`…
        form: &'static str,
        /// The month that is rated.
        period: Calendar,
        /// What every amount is in.
        currency: String,
        /// What the resources will add to the month, free units included.
        total: Amount,
        /// The same before the change; null where the file does not say.
        before: Option<Amount>,
        /// What the change adds; null without one.
        difference: Option<Amount>,
        /// What they will cost at list prices, without free units.
        list_total: Amount,
        /// The same before the change.
        list_before: Option<Amount>,
        /// Whether every resource has a price.
        complete: bool,
        /// How many resources there are of each status.
        counts: Counts,
        /// Resources of other services, by type.
        ignored: Vec<Ignored>,
        /// The resources, by address.
        resources: Vec<InfraRow>,
        /// How the file was read.
        notes: Vec<Note>,
    }
}

object! {
    /// How many resources have which status.
    pub struct Counts {
        /// Of the four services.
        read: u64,
        /// With a price.
        priced: u64,
        /// Without usage.
        needs_usage: u64,
        /// That cost nothing.
        free: u64,
        /// Whose price model is not known.
        unknown: u64,
        /// That AWS does not sell there.
        not_offered: u64,
        /// Of other services.
        ignored: u64,
    }
}

object! {
    /// Resources of another service.
    pub struct Ignored {
        /// Their type.
        #[serde(rename = "type")]
        type_name: String,
        /// How many.
        count: u64,
    }
}

object! {
    /// How much a resource uses.
    pub struct InfraUsage {
        /// The quantity as billed.
        quantity: Measure,
        /// Its unit.
        unit: &'static str,
        /// `stated`, `ledger` or `code`.
        from: &'static str,
        /// The month of the ledger; null otherwise.
        month: Option<Calendar>,
    }
}

row! {
    /// A resource.
    pub struct InfraRow {
        /// Where it stands in the code.
        address: String = shown("Resource", 0),
        /// Its type.
        #[serde(rename = "type")]
        type_name: String = file,
        /// What AWS calls it; null where that is not known.
        name: Option<String> = file,
        /// Its region, assumed or stated.
        region: String = shown("Region", 2),
        /// Its account, where the file tells.
        account: Option<String> = file,
        /// `no-op`, `create`, `update`, `replace` or `delete`.
        action: &'static str = shown("Change", 1),
        /// Where it stood before it was moved.
        previous_address: Option<String> = file,
        /// `priced`, `needs_usage`, `free`, `unknown` or `not_offered`.
        status: &'static str = file,
        /// What it is priced by: a compute type, `V1`, `V2`.
        model: Option<String> = shown("Model", 1),
        /// Actions of a run of a pipeline that V2 bills, as `17 to 19`; null for others.
        billable_actions: Option<String> = file,
        /// How much it uses.
        usage: Option<InfraUsage>,
        /// The same for people.
        #[serde(skip)]
        usage_cell: Cell = people("Usage", 2),
        /// What it added to the month before.
        before: Option<Amount> = shown("Before", 3),
        /// What it will add.
        after: Known<Amount> = shown("After", 0),
        /// What it will cost at list prices.
        list: Option<Amount> = file,
        /// What the amounts are in.
        #[serde(skip)]
        currency: String = file,
        /// What is assumed.
        assumptions: Vec<Note>,
        /// What is needed.
        needs: Vec<Note>,
    }
}

/// Returns what stands in place of an amount.
const fn in_a_word(status: Status) -> &'static str {
    match status {
        Status::Priced => "no price",
        Status::NeedsUsage => "needs usage",
        Status::Free => "free",
        Status::Unknown => "unknown",
        Status::NotOffered => "not offered",
    }
}

fn row(priced: &PricedResource, costs: &InfraCosts) -> InfraRow {
    let resource = &priced.resource;
    let used = priced.after.as_ref().or(priced.before.as_ref());
    let amount = |money: Money| Amount::new(money, &costs.currency);
    let status = used.map_or(Status::Unknown, |used| used.status);
    let after = match &priced.after {
        None => Known::Is(amount(Money::ZERO)),
        Some(used) if used.status == Status::Free => Known::Is(amount(Money::ZERO)),
        Some(used) => Known::or(
            priced
                .after_cost
                .map(|cost| Amount::of(cost, &costs.currency, used.is_whole())),
            in_a_word(status),
        ),
    };
    let before = match &priced.before {
        Some(used) if used.status == Status::Free => Some(amount(Money::ZERO)),
        Some(_) => priced.before_cost.map(amount),
        None => costs.before.as_ref().map(|_| amount(Money::ZERO)),
    };
    let usage = used.and_then(usage);
    let notes = |of: fn(&Used) -> Vec<Note>| used.map_or_else(Vec::new, of);
    InfraRow {
        address: resource.address.clone(),
        type_name: resource.type_name.clone(),
        name: resource.name.known().cloned(),
        region: used.map_or_else(String::new, |used| used.region.to_string()),
        account: resource.account.as_ref().map(ToString::to_string),
        action: resource.action.name(),
        previous_address: resource.previous_address.clone(),
        status: status.name(),
        model: used.and_then(|used| used.model.clone()),
        currency: costs.currency.to_string(),
        billable_actions: match &resource.kind {
            Kind::Pipeline(pipeline) => Some(range(pipeline)),
            _ => None,
        },
        usage_cell: usage
            .as_ref()
            .map_or(Cell::Empty, |usage| Cell::Quantity(usage.quantity.0)),
        usage,
        before,
        after,
        list: priced.list.map(amount),
        assumptions: notes(|used| {
            used.assumptions
                .iter()
                .map(words::infra::assumption)
                .collect()
        }),
        needs: notes(|used| used.needs.iter().map(words::infra::need).collect()),
    }
}

fn range(pipeline: &infra::Pipeline) -> String {
    let range = pipeline.counts.billable;
    let text = if range.is_exact() {
        range.low.to_string()
    } else {
        format!("{} to {}", range.low, range.high)
    };
    match pipeline.incomplete {
        Attribute::Absent => text,
        _ => format!("at least {}", range.low),
    }
}

fn usage(used: &Used) -> Option<InfraUsage> {
    let (quantity, from) = used.usage?;
    let (from, month) = match from {
        UsageFrom::Stated => ("stated", None),
        UsageFrom::Ledger(month) => ("ledger", Some(Calendar(month))),
        UsageFrom::Code => ("code", None),
    };
    Some(InfraUsage {
        quantity: Measure(quantity),
        unit: quantity.unit.name(),
        from,
        month,
    })
}

/// Lays the costs of infrastructure code out.
pub fn answer(costs: &InfraCosts, title: String) -> Answer<'static> {
    let rows: Vec<InfraRow> = costs.resources.iter().map(|it| row(it, costs)).collect();
    let part = |money, complete| Amount::of(money, &costs.currency, complete);
    let complete = costs.is_complete();
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &rows {
        *by_status.entry(row.status).or_default() += 1;
    }
    let of = |status: Status| by_status.get(status.name()).copied().unwrap_or_default();
    let ignored: Vec<Ignored> = costs
        .infra
        .ignored
        .iter()
        .map(|(type_name, count)| Ignored {
            type_name: type_name.clone(),
            count: u64::from(*count),
        })
        .collect();
    let value = InfraAnswer {
        form: costs.infra.form.name(),
        period: Calendar(costs.month),
        currency: costs.currency.to_string(),
        total: part(costs.after.cost, costs.after.complete),
        before: costs.before.as_ref().map(|it| part(it.cost, it.complete)),
        difference: costs
            .before
            .as_ref()
            .map(|it| part(costs.after.cost - it.cost, complete)),
        list_total: part(costs.after.list, costs.after.complete),
        list_before: costs.before.as_ref().map(|it| part(it.list, it.complete)),
        complete,
        counts: Counts {
            read: rows.len() as u64,
            priced: of(Status::Priced),
            needs_usage: of(Status::NeedsUsage),
            free: of(Status::Free),
            unknown: of(Status::Unknown),
            not_offered: of(Status::NotOffered),
            ignored: ignored.iter().map(|it| it.count).sum(),
        },
        ignored,
        notes: {
            let gaps = costs.gaps.iter();
            let gaps = gaps.map(|gap| words::infra::of_ledger(costs.month, gap));
            let of_file = costs.infra.notes.iter().map(words::infra::of_file);
            gaps.chain(of_file).collect()
        },
        resources: rows,
    };
    Answer::new(document(&value, title), value)
}

fn document(answer: &InfraAnswer, title: String) -> Document {
    let rows = &answer.resources;
    let needs = rows.iter().flat_map(|row| &row.needs);
    let assumptions = rows.iter().flat_map(|row| &row.assumptions);
    let of_rows = needs.chain(assumptions);
    let mut notes: Vec<Note> = Vec::new();
    for note in answer.notes.iter().chain(of_rows) {
        // Copies of a resource need the same.
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    let blocks = vec![
        Block::Table(Table::of(&answer.resources)),
        Block::Lines(words::infra::totals(answer)),
        Block::Notes(notes),
    ];
    Document { title, blocks }
}
