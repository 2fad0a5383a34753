//! Costs without quantities: what a source of them leaves unsaid, and which one says it.

use super::{
    ids::ServiceCode,
    money::Money,
    period::Month,
    usage::{ChargeKind, UsageRecord},
};

/// What sums are named whose source does not tell the service.
pub const NOT_STATED: &str = "(service not stated)";

/// Tells whether a record is usage whose source states its cost and not its quantity.
pub fn states_costs_only(record: &UsageRecord) -> bool {
    record.kind == ChargeKind::Usage && record.quantity.is_none() && record.billed.is_some()
}

/// Returns the command that asks Cost Explorer for quantities too, of months from one to another.
pub fn command(first: Month, last: Month) -> String {
    format!(
        "aws ce get-cost-and-usage --time-period Start={},End={} --granularity DAILY --metrics \
         UnblendedCost UsageQuantity --group-by Type=DIMENSION,Key=SERVICE \
         Type=DIMENSION,Key=USAGE_TYPE",
        first.first_day(),
        last.end()
    )
}

/// Returns what services whose quantities are not known cost together.
pub fn total(services: &[(String, Money)]) -> Money {
    services.iter().map(|(_, cost)| *cost).sum()
}

/// Usage that goes on as costs, and what of the past says nothing of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CostsOnly {
    /// Services whose costs are continued, as their last months state no quantities.
    pub services: Vec<ServiceCode>,
    /// Of those, the ones whose months are grouped differently: all of their costs are taken together.
    pub joined: Vec<ServiceCode>,
    /// Services with quantities of late, and the first and last month of theirs that states costs only:
    /// left out, so that nothing is counted twice.
    pub left_out: Vec<(ServiceCode, Month, Month)>,
}
