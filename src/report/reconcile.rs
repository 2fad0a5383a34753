//! Our rating beside AWS's: every difference with its reason, the unexplained rest by name.

use std::collections::BTreeMap;

use super::{
    Answer, Block, Cell, Document, Note, Table,
    json::{Gap, meter_name},
    show_money,
    value::{Amount, Calendar, Known, Measure, Value, object, row},
    words,
};
use crate::domain::{
    bill::Bill,
    catalog::Catalog,
    ids::{Meter, Region},
    metering::from_events::Metered,
    money::Money,
    quantity::Quantity,
    rating::RatedMonth,
    reconcile::{Cause, LineReconciliation, by_cause, totals},
    usage::{ChargeKind, UsageRecord},
};

object! {
    /// Our rating of a month beside AWS's bill, each difference with its causes.
    pub struct ReconciliationAnswer = "pipebill.reconciliation/1" {
        /// The month.
        period: Calendar,
        /// What every amount is in.
        currency: String,
        /// What we rate the lines at.
        ours: Amount,
        /// What AWS billed for those that a bill has.
        aws: Amount,
        /// Ours less AWS's, for lines that have both.
        difference: Amount,
        /// What of it no cause explains.
        unexplained: Amount,
        /// Whether everything has a price and nothing is missing.
        complete: bool,
        /// The lines.
        rows: Vec<ReconciledLine>,
        /// What each cause amounts to: with the unexplained rest, the difference.
        causes: Vec<CauseSum>,
        /// Billed and metered usage; null if nothing was collected.
        metered: Option<Vec<MeteredRow>>,
        /// What is missing of the month.
        gaps: Vec<Gap>,
        /// What is missing from metered.
        metered_gaps: Vec<Gap>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One line rated by us and billed by AWS. A cause that does nothing is null.
    pub struct ReconciledLine {
        /// The month.
        period: Calendar = file,
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 7),
        /// AWS's usage type.
        usage_type: String = file,
        /// Its name.
        meter: String = shown("What", 0),
        /// The region.
        region: String = shown("Region", 1),
        /// The account, if it is known.
        account: Option<String> = shown("Account", 1),
        /// What we rate it at.
        ours: Amount = shown("Ours", 3),
        /// What AWS billed; null if no bill says.
        aws: Known<Amount> = shown("AWS", 2),
        /// Ours less AWS's.
        difference: Known<Amount> = shown("Difference", 0),
        /// By free units that one side counts and the other does not.
        free_tier: Option<Amount> = file,
        /// By another price.
        price: Option<Amount> = file,
        /// By AWS's rounding of each record.
        rounding: Option<Amount> = file,
        /// By discounts.
        discount: Option<Amount> = file,
        /// By nothing that is known.
        unexplained: Option<Amount> = file,
        /// What every amount is in.
        currency: String = file,
        /// The causes in words.
        why: String = people("Why", 6),
        /// By usage that the bill had too late.
        late_data: Option<Amount> = file,
        /// By a price that is not known.
        unknown_price: Option<Amount> = file,
    }
}

row! {
    /// What one cause amounts to.
    pub struct CauseSum {
        /// The cause, as in the lines; `unexplained` is the rest.
        cause: &'static str = file,
        /// Its name.
        name: String = shown("Cause", 0),
        /// What it amounts to.
        amount: Amount = shown("Amount", 0),
        /// How many lines it touches.
        lines: u64 = shown("Lines", 1),
    }
}

row! {
    /// One meter in one region, as AWS billed it and as its APIs tell it. The two are the same usage.
    pub struct MeteredRow {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 2),
        /// AWS's usage type.
        usage_type: String = file,
        /// Its name.
        meter: String = shown("What", 0),
        /// The region.
        region: String = shown("Region", 1),
        /// How much AWS billed; null if nothing.
        billed: Known<Measure> = shown("Billed", 0),
        /// The unit of billed.
        billed_unit: Option<&'static str> = file,
        /// How much the APIs tell; null if nothing.
        metered: Known<Measure> = shown("Metered", 0),
        /// The unit of metered.
        metered_unit: Option<&'static str> = file,
    }
}

/// Lays out a reconciliation, with what was metered where it was collected.
pub fn answer(
    month: &RatedMonth,
    comparisons: &[LineReconciliation],
    metered: Option<&Metered>,
    title: String,
    catalog: &Catalog,
) -> Answer<'static> {
    let bill = &month.rated.bill;
    let rows = lines(bill, comparisons, catalog);
    let money = |amount: Money| Amount::new(amount, &bill.currency);
    let [ours, aws, difference, unexplained] = totals(comparisons);
    let causes = causes(bill, comparisons, unexplained);
    let mut notes = words::reconcile::notes(bill, comparisons);
    let mut table = Table::of(&rows);
    let mut total = vec![Cell::Empty; table.columns.len()];
    total[4] = Cell::text("Total");
    total[7] = money(ours).cell();
    total[8] = money(aws).cell();
    total[9] = money(difference).cell();
    table.totals.push(total);
    let mut of_causes = Table::of(&causes);
    of_causes.totals.push(vec![
        Cell::Empty,
        Cell::text("Difference"),
        money(difference).cell(),
        Cell::Empty,
    ]);
    let mut blocks = vec![
        Block::Table(table),
        Block::Heading("Causes of the difference".to_owned()),
        Block::Table(of_causes.detail("causes")),
        Block::Notes(notes.clone()),
    ];
    let beside = metered.map(|metered| beside(&month.records, metered, catalog));
    let mut metered_gaps = Vec::new();
    if let (Some(metered), Some(beside)) = (metered, &beside) {
        let said = words::reconcile::metered(metered);
        let others: Vec<Note> = metered.notes.iter().map(words::bill::remark).collect();
        let mut table = Table::of(beside);
        table.name = "metered";
        blocks.extend([
            Block::Heading("Billed and metered usage".to_owned()),
            Block::Table(table),
            Block::Notes(said),
        ]);
        metered_gaps = metered.gaps.iter().map(Gap::of).collect();
        notes.extend(others);
    }
    let value = ReconciliationAnswer {
        period: Calendar(bill.month),
        currency: bill.currency.to_string(),
        ours: money(ours),
        aws: money(aws),
        difference: money(difference),
        unexplained: money(unexplained),
        complete: bill.is_complete(),
        rows,
        causes,
        metered: beside,
        gaps: bill.gaps.iter().map(Gap::of).collect(),
        metered_gaps,
        notes,
    };
    Answer::new(Document { title, blocks }, value)
}

/// Returns the lines of a reconciliation.
pub(super) fn lines(
    bill: &Bill,
    comparisons: &[LineReconciliation],
    catalog: &Catalog,
) -> Vec<ReconciledLine> {
    let money = |amount: Money| Amount::new(amount, &bill.currency);
    let part = |amount: Money| (!amount.is_zero()).then(|| money(amount));
    let line = |comparison: &LineReconciliation| {
        let line = &bill.lines[comparison.line];
        let of = |cause| part(comparison.of(cause));
        ReconciledLine {
            period: Calendar(bill.month),
            service: line.key.meter.service.to_string(),
            service_name: catalog.service_name(&line.key.meter.service).to_owned(),
            usage_type: line.key.meter.usage_type.to_string(),
            meter: line.name.clone(),
            region: line.key.region.to_string(),
            account: line.key.account.as_ref().map(ToString::to_string),
            ours: Amount::of(comparison.ours, &bill.currency, !comparison.unpriced),
            aws: Known::or(comparison.billed.map(money), "no bill"),
            difference: Known::or(comparison.difference().map(money), "no bill"),
            free_tier: of(Cause::FreeTier),
            price: of(Cause::Price),
            rounding: of(Cause::Rounding),
            discount: of(Cause::Discount),
            unexplained: part(comparison.unexplained),
            currency: bill.currency.to_string(),
            why: why(comparison, bill),
            late_data: of(Cause::LateData),
            unknown_price: of(Cause::UnknownPrice),
        }
    };
    comparisons.iter().map(line).collect()
}

/// Returns what each cause amounts to; with the unexplained rest, that is the difference.
fn causes(bill: &Bill, comparisons: &[LineReconciliation], unexplained: Money) -> Vec<CauseSum> {
    let sums = by_cause(comparisons);
    let sum =
        |cause: &'static str, amount, touched: &dyn Fn(&LineReconciliation) -> bool| CauseSum {
            cause,
            name: cause.replace('_', " "),
            amount: Amount::new(amount, &bill.currency),
            lines: comparisons.iter().filter(|it| touched(it)).count() as u64,
        };
    let known = Cause::ALL.iter().map(|(cause, name, _)| {
        let amount = sums.get(cause).copied().unwrap_or_default();
        sum(name, amount, &|it| it.causes.contains_key(cause))
    });
    let rest = sum("unexplained", unexplained, &|it| !it.unexplained.is_zero());
    known.chain([rest]).collect()
}

/// Puts what was metered from AWS's APIs beside the quantities that AWS billed. Nothing is added:
/// the two tell of the same usage.
fn beside(billed: &[UsageRecord], metered: &Metered, catalog: &Catalog) -> Vec<MeteredRow> {
    type Both = (Option<Quantity>, Option<Quantity>);
    let mut rows: BTreeMap<(Meter, Region), Both> = BTreeMap::new();
    let mut add = |record: &UsageRecord, is_metered: bool| {
        let (Some(quantity), ChargeKind::Usage) = (record.quantity, &record.kind) else {
            return;
        };
        let key = (record.key.meter.clone(), record.key.region.clone());
        let both = rows.entry(key).or_default();
        let sum = if is_metered { &mut both.1 } else { &mut both.0 };
        *sum = match *sum {
            None => Some(quantity),
            // Sums of different units stay as they were: the units show it.
            Some(sum) => Some(sum.try_add(quantity).unwrap_or(sum)),
        };
    };
    for record in billed {
        add(record, false);
    }
    for record in &metered.records {
        add(record, true);
    }
    let known = |quantity: Option<Quantity>| Known::or(quantity.map(Measure), "none");
    let unit = |quantity: Option<Quantity>| quantity.map(|quantity| quantity.unit.name());
    let row = |((meter, region), (billed, metered)): ((Meter, Region), Both)| MeteredRow {
        service: meter.service.to_string(),
        service_name: catalog.service_name(&meter.service).to_owned(),
        usage_type: meter.usage_type.to_string(),
        meter: meter_name(catalog, &meter),
        region: region.to_string(),
        billed: known(billed),
        billed_unit: unit(billed),
        metered: known(metered),
        metered_unit: unit(metered),
    };
    rows.into_iter().map(row).collect()
}

/// Names the parts of a difference.
fn why(comparison: &LineReconciliation, bill: &Bill) -> String {
    let causes = Cause::ALL.map(|(cause, _, name)| (name, comparison.of(cause)));
    let line = &bill.lines[comparison.line];
    if let Some(commitment) = line.covered_by {
        return format!("as billed: a {} pays for it", commitment.title());
    }
    if line.kind == ChargeKind::Usage && line.usage.is_none() {
        return "as billed: no quantity".to_owned();
    }
    let parts = causes
        .into_iter()
        .chain([("unexplained", comparison.unexplained)]);
    let named = parts.filter(|(_, amount)| !amount.is_zero());
    let named =
        named.map(|(name, amount)| format!("{name} {}", show_money(amount, &bill.currency)));
    named.collect::<Vec<_>>().join(", ")
}
