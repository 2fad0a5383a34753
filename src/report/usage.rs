//! Usage for people and files.

use super::{
    Answer, Block, Cell, Column, Document, Note, Table,
    ci_jobs::CiJobs,
    json::{Gap, meter_name},
    value::{Amount, Calendar, Known, Measure, Row, object, row},
    words,
};
use crate::domain::{
    allocation::Dimension, catalog::Catalog, ci_jobs::MonthJobs, period::Month, usage,
    usage_summary::UsageSum,
};

object! {
    /// What a month used, by meter and by the dimensions asked for.
    pub struct UsageAnswer = "pipebill.usage/1" {
        /// The month.
        period: Calendar,
        /// Whether the quantities are metered from what happened; else they are what AWS billed.
        metered: bool,
        /// What keeps rows apart, in the order asked for: account, tag:team.
        by: Vec<String>,
        /// A row for each meter of each part.
        rows: Vec<UsageRow>,
        /// What is missing of the month.
        gaps: Vec<Gap>,
        /// How CI jobs and builds came together; null unless the usage is by jobs.
        ci_jobs: Option<CiJobs>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// What one part used of one meter.
    pub struct UsageRow {
        /// Whose usage it is, for each dimension asked for.
        parts: Vec<Part>,
        /// AWS's code of the service.
        service: String = file,
        /// AWS's usage type.
        usage_type: String = file,
        /// The name of the service.
        service_name: String = shown("Service", 3),
        /// The name of the meter.
        meter: String = shown("Meter", 0),
        /// How much; null where the source states costs only.
        quantity: Known<Measure> = shown("Usage", 0),
        /// The unit of the quantity.
        unit: Option<&'static str> = file,
        /// Days with usage.
        days: u64 = shown("Days", 4),
        /// What AWS charged for it, where a bill says so.
        aws_cost: Option<Amount> = shown("AWS charged", 2),
        /// What that is in.
        currency: Option<String> = file,
    }
}

object! {
    /// One value of one dimension.
    pub struct Part {
        /// The dimension, as in `by`.
        dimension: String,
        /// The account, project or value of the tag; null where the usage belongs to none.
        value: Option<String>,
    }
}

/// Lays out sums of usage.
pub fn answer(
    month: Month,
    metered: bool,
    sums: &[UsageSum],
    by: &[Dimension],
    gaps: &[usage::Gap],
    (jobs, notes): (Option<&MonthJobs>, Vec<Note>),
    catalog: &Catalog,
) -> Answer<'static> {
    let rows: Vec<UsageRow> = sums.iter().map(|sum| row(sum, by, catalog)).collect();
    let mut table = Table::of(&rows);
    // The column of a part may not be called as another is.
    let key = |dimension: &Dimension| {
        let key = dimension.key();
        if table.columns.iter().any(|column| column.key == key) {
            format!("by_{key}")
        } else {
            key
        }
    };
    let parts = by
        .iter()
        .map(|dimension| Column::new(dimension.heading(), key(dimension), 0));
    table.columns = parts.chain(UsageRow::columns()).collect();
    for (row, sum) in table.rows.iter_mut().zip(sums) {
        let parts = sum.parts.iter().zip(by).map(|(part, dimension)| {
            Cell::text(part.clone().unwrap_or_else(|| dimension.residual()))
        });
        row.splice(..0, parts);
    }
    let title = if metered {
        format!("Metered usage in {month}")
    } else {
        format!("Usage in {month}")
    };
    let mut blocks = vec![Block::Table(table)];
    let mut said: Vec<Note> = gaps
        .iter()
        .map(|gap| words::of_gap("Missing", gap))
        .collect();
    said.extend(notes.iter().cloned());
    if !said.is_empty() {
        blocks.push(Block::Notes(said));
    }
    let value = UsageAnswer {
        period: Calendar(month),
        metered,
        by: by.iter().map(Dimension::key).collect(),
        rows,
        gaps: gaps.iter().map(Gap::of).collect(),
        ci_jobs: jobs.map(|jobs| CiJobs::of(&jobs.summary)),
        notes,
    };
    Answer::new(Document { title, blocks }, value)
}

fn row(sum: &UsageSum, by: &[Dimension], catalog: &Catalog) -> UsageRow {
    let parts = sum.parts.iter().zip(by);
    UsageRow {
        parts: parts
            .map(|(part, dimension)| Part {
                dimension: dimension.key(),
                value: part.clone(),
            })
            .collect(),
        service: sum.meter.service.to_string(),
        usage_type: sum.meter.usage_type.to_string(),
        service_name: catalog.service_name(&sum.meter.service).to_owned(),
        meter: meter_name(catalog, &sum.meter),
        quantity: Known::or(sum.quantity.map(Measure), "not stated"),
        unit: sum.quantity.map(|quantity| quantity.unit.name()),
        days: sum.days as u64,
        aws_cost: sum
            .billed
            .as_ref()
            .map(|(cost, currency)| Amount::new(*cost, currency)),
        currency: sum
            .billed
            .as_ref()
            .map(|(_, currency)| currency.to_string()),
    }
}
